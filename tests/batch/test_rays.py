"""A batch by Ray Data, on two workers of a Ray of this machine."""

import os
import sys
from pathlib import Path

import pytest
from tests.batch.tools import Copying, folder

from swapae.batch.outcome import Job
from swapae.batch.rays import LOCAL, RayActors
from swapae.data.open import open_pack
from swapae.errors import UserError

ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'swapae[scale]'")
pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="Ray is not tested on Windows"),
    pytest.mark.filterwarnings("ignore"),  # Ray's own
    pytest.mark.slow,
]


def started(pool: RayActors) -> RayActors:
    """Start Ray; it gives itself half a minute for that, whatever else the machine has to do."""
    try:
        return pool.__enter__()
    except UserError as error:
        if "timed out" in str(error):
            pytest.skip(f"the machine is too busy for Ray: {error}")
        raise


def test_two_actors_do_all_but_what_kills_them_and_the_command_and_tables_agree(
    tmp_path: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One Ray for all, as it takes seconds to start: actors that die, the command, a pipeline's own call."""
    import torch
    from tests.cli.tools import run

    from swapae.batch import Edit, EditRows

    torch.set_num_threads(1)
    monkeypatch.setenv("PYTHONWARNINGS", "ignore")
    names = ["a.png", "b-kill.png", "c.png", "d.png", "e.png"]
    pack = open_pack(folder(tmp_path / "in", names))
    out = tmp_path / "out"
    out.mkdir()
    pool = RayActors(Copying(pack, out), LOCAL, 2)  # type: ignore[arg-type]
    with started(pool):
        assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"
        jobs = [Job(number, name, name) for number, name in enumerate(names)]
        found = {outcome.job.name: outcome for outcome in pool.outcomes(jobs, lambda: False)}
        assert sorted(found) == names
        assert {name for name, outcome in found.items() if outcome.error} == {"b-kill.png"}
        assert found["a.png"].size == (out / "a.png").stat().st_size

        (tmp_path / "in" / "text.png").write_text("no picture")
        words = ("--texture", tmp_path / "in" / "e.png", "-m", tiny_model)
        assert run("batch", tmp_path / "in", *words, "-o", tmp_path / "here", "--workers", 0) == 1
        by_ray = ("--ray", LOCAL, "--workers", 2)
        assert run("batch", tmp_path / "in", *words, "-o", tmp_path / "there", *by_ray) == 1
        assert "5 images done · 1 failed" in capsys.readouterr().out
        for name in names:
            expected = (tmp_path / "here" / name).read_bytes()
            assert (tmp_path / "there" / name).read_bytes() == expected
        assert run("batch", tmp_path / "in", *words, "-o", tmp_path / "there", *by_ray) == 1
        assert "5 were done before · 1 failed" in capsys.readouterr().out

        pictures = ray.data.read_binary_files(str(tmp_path / "in"), include_paths=True)
        edit = Edit(str(tiny_model), textures=(str(tmp_path / "in" / "e.png"),))
        pool_of_one = ray.data.ActorPoolStrategy(size=1)
        rows = pictures.map_batches(EditRows, fn_constructor_args=(edit,), compute=pool_of_one, num_cpus=1)
        for row in rows.take_all():
            name = Path(row["path"]).name
            assert (row["error"] == "") == (name != "text.png")
            assert row["bytes"] == (b"" if row["error"] else (tmp_path / "here" / name).read_bytes())
    assert not ray.is_initialized()
