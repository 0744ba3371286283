import pytest

from swapae.cli import fields
from swapae.cli.common import UsageError
from swapae.cli.main import main

DECLARED = ["out", "preset", "batch-size", "json", "help"]
Streams = pytest.CaptureFixture[str]


@pytest.mark.parametrize(
    ("line", "own", "settings"),
    [
        ("photos -o run", "photos -o run", {}),
        ("--loss.r1 5 photos -o run", "photos -o run", {"loss.r1": "5"}),
        ("photos --loss.r1=5 -o run --json", "photos -o run --json", {"loss.r1": "5"}),
        ("photos --loss.r1 -5 --x .5", "photos", {"loss.r1": "-5", "x": ".5"}),
        ("photos --x=--y", "photos", {"x": "--y"}),
        ("photos --x= --json", "photos --json", {"x": ""}),
        ("--batch-size 4 --batch_size 4", "--batch-size 4 --batch_size 4", {}),
        ("--seed 1 --seed 2", "", {"seed": "2"}),
        ("--preset=tiny32 photos", "--preset=tiny32 photos", {}),
    ],
)
def test_fields_are_told_from_the_commands_own_options(line: str, own: str, settings: dict[str, str]) -> None:
    assert fields.split(line.split(), DECLARED) == (own.split(), settings)


@pytest.mark.parametrize("line", ["photos --loss.r1", "photos --loss.r1 --json", "photos --loss.r1 -o run"])
def test_a_field_without_a_value_is_a_usage_error(line: str) -> None:
    with pytest.raises(UsageError, match=r"--loss\.r1 needs a value"):
        fields.split(line.split(), DECLARED)


def test_a_mistyped_flag_at_the_end_gets_a_suggestion() -> None:
    with pytest.raises(UsageError, match="Did you mean '--json'"):
        fields.split(["photos", "--jsno"], DECLARED)


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--model.texture-chanels", "4"], "Did you mean '--model.texture-channels'?"),
        (["--texture_channels", "4"], "Did you mean '--model.texture-channels'?"),
        (["--bach-size", "4"], "Did you mean '--batch-size'?"),
        (["--prest", "tiny32"], "Did you mean '--preset'?"),
        (["--loss", "4"], "'loss' is a group of settings"),
        (["--loss.r1", "much"], "loss.r1 must be a number, not 'much'"),
        (["--preset", "tiny23"], "Did you mean 'tiny32'?"),
    ],
)
def test_a_wrong_field_is_a_usage_error_with_a_suggestion(
    arguments: list[str], part: str, capsys: Streams
) -> None:
    assert main(["train", "--fields", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert part in err


def test_every_field_of_a_preset_is_listed_with_type_value_and_meaning(capsys: Streams) -> None:
    from swapae import config
    from swapae.training.config import TrainConfig

    assert main(["train", "--fields", "--preset", "tiny32", "--loss.r1", "3.5", "--data.flip", "no"]) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    names = [f"--{name.replace('_', '-')}" for name in config.field_names(TrainConfig)]
    assert list(lines) == names
    assert "  3.5  (float)  gradient penalty" in lines["--loss.r1"]
    assert "  false  (bool)  " in lines["--data.flip"]
    assert "  32,32,16  (int, …)" in lines["--patch-discriminator.head-widths"]


def test_every_field_has_a_meaning() -> None:
    from swapae import config
    from swapae.training.config import TrainConfig

    assert [s.name for s in config.describe(TrainConfig) if not s.doc] == []
