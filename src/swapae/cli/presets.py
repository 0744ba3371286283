"""`swapae presets`: the named configurations."""

from swapae.cli.common import CommonOptions, Report


def presets(*, common: CommonOptions) -> Report:
    """List the presets of train."""
    from swapae.presets import PRESETS

    lines = {name: (preset.__doc__ or "").strip().split("\n")[0] for name, preset in PRESETS.items()}
    width = max(map(len, lines))
    for name, line in lines.items():
        common.show(f"{name:<{width}}  {line}")
    return {"presets": lines}
