"""Two processes of `torch.distributed` come to the figures of one."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from swapae.metrics import pixels
from swapae.metrics.accumulators import Moments
from swapae.metrics.collectors import Batch, BetweenSets, Collector, PerImage, all_figures, pool
from swapae.metrics.frechet import frechet_distance
from swapae.metrics.processes import ALONE

SCRIPT = """
import json, sys
import torch
from torch import distributed
sys.path.insert(0, sys.argv[1])
from test_pool import collectors, feed, pool, all_figures
rank, meeting = int(sys.argv[2]), sys.argv[3]
distributed.init_process_group("gloo", f"file://{meeting}", rank=rank, world_size=2)
mine = collectors()
feed(mine, range(rank, 10, 2))
class Both:
    num_processes = 2
    def __init__(self):
        self.rank = rank
    def gather(self, values):
        found = [None, None]
        distributed.all_gather_object(found, values)
        return [value for some in found for value in some]
pool(mine, Both())
print(json.dumps(all_figures(mine)))
distributed.destroy_process_group()
"""


def collectors() -> list[Collector]:
    def features(batch: Batch, role: str) -> torch.Tensor:
        return batch.images[role].mean((2, 3))

    roles = ("hybrid", "structure")
    return [
        PerImage(roles, lambda batch: {"L1": pixels.l1(*(batch.images[role] for role in roles))}),
        BetweenSets(roles, features, Moments, lambda a, b: {"FID": frechet_distance(a, b)}),  # type: ignore[arg-type]
    ]


def feed(all_of_them: list[Collector], numbers: range) -> None:
    for number in numbers:
        draw = torch.Generator().manual_seed(number)
        images = {role: torch.rand(1, 3, 4, 4, generator=draw) for role in ("hybrid", "structure")}
        for collector in all_of_them:
            collector.update(Batch(torch.tensor([number]), images))


def test_two_processes_come_to_the_figures_of_one(tmp_path: Path) -> None:
    alone = collectors()
    feed(alone, range(10))
    pool(alone, ALONE)  # nobody to add up with
    here = str(Path(__file__).parent)
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", SCRIPT, here, str(rank), str(tmp_path / "meeting")],
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in (0, 1)
    ]
    found = [json.loads(run.communicate(timeout=300)[0]) for run in runs]
    assert found[0]["L1"] == found[1]["L1"] == all_figures(alone)["L1"]
    for figures in found:
        assert figures == pytest.approx(all_figures(alone), rel=1e-9)
