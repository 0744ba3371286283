"""`swapae metrics`: which metrics there are, and the weights of their nets."""

from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from swapae.cli.common import CommonOptions, Report
from swapae.errors import UserError

Folder = Annotated[Path | None, arg(metavar="DIR", help_behavior_hint="(default: the cache)")]


def metrics_list(*, common: CommonOptions) -> Report:
    """List the metrics of eval and the nets they can use."""
    from swapae.metrics.table import METRICS

    for name, row in METRICS.items():
        nets = f"  [{', '.join(row.nets)}]" if row.nets else ""
        beside = "".join(f"; {one}: {figure.says}" for one, figure in row.beside)
        common.show(f"{name:19} {row.of:15} {row.is_better:5} {row.about}{beside}{nets}")
    said = ("nets", "of", "is_better", "about")
    rows = {name: {key: getattr(row, key) for key in said} for name, row in METRICS.items()}
    for name, row in METRICS.items():
        rows[name]["beside"] = {one: figure._asdict() for one, figure in row.beside}
    return {"metrics": rows}


def metrics_fetch(
    nets: Annotated[Positional[tuple[str, ...]], arg(metavar="NET …")],
    *,
    to: Folder = None,
    common: CommonOptions,
) -> Report:
    """Download the weights of measuring nets, checked and resumable.

    Args:
        nets: Inception, VGG16, alex or squeeze; EffLite0 needs none.
        to: Folder for the files.
    """
    from swapae.metrics.fetch import REMOTES, fetch
    from swapae.metrics.nets import nets_folder

    known = {name.lower(): name for name in REMOTES}
    unknown = [net for net in nets if net.lower() not in known]
    if unknown or not nets:
        wanted = f"there are no weights for {unknown[0]}" if unknown else "name a net"
        raise UserError(f"{wanted}: {', '.join(REMOTES)} can be fetched.")
    files: dict[str, str] = {}
    for name in (known[net.lower()] for net in nets):
        remote = REMOTES[name]
        common.say(f"{remote.filename}: {remote.about}")
        shares = Shares(common.say)
        files[name] = str(fetch(remote, to or nets_folder(), shares.tell))
        common.say(f"{name} is in {files[name]}")
    return {"files": files}


class Shares:
    """Says how much is here, at every tenth."""

    def __init__(self, say: object) -> None:
        self.say, self.tenths = say, 0

    def tell(self, here: int, whole: int | None) -> None:
        """Take in what is here of how much."""
        tenths = 10 * here // whole if whole else here // 10_000_000
        if tenths > self.tenths:
            self.tenths = tenths
            of = f" of {whole / 1e6:.0f}" if whole else ""
            assert callable(self.say)
            self.say(f"{here / 1e6:.0f}{of} MB")
