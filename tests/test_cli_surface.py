"""Commands and options are a promise: a change here is a change for users, and goes into CHANGELOG.md."""

import re

import pytest

from swapae.cli.commands import COMMANDS
from swapae.cli.main import main, summary

COMMON = "--debug --device --force --help --json --quiet -h"
FROZEN = {
    "train": "DATA --out -o --preset --total-images --batch-size --seed --init-from --gpus --max-time "
    "--dry-run",
    "studio": "--model -m --host --port --no-browser --runs --directions --token --allow-host --max-queue "
    "--deadline --max-upload --max-side --backend",
    "swap": "STRUCTURE TEXTURE --model -m --out -o --strength --backend",
    "grid": "--structure --texture --model -m --out -o --backend",
    "mix": "A B IMAGE --model -m --out -o --steps --weights --of --path --fps --backend",
    "pairs": "DIR --model -m --out -o --backend",
    "edit": "IMAGE --along --directions --mask --feather --outside --model -m --out -o --backend",
    "directions fit": "MODEL --data --from --to --name --of --num --images --size --batch --out -o --backend",
    "directions list": "FILE|MODEL",
    "directions apply": "IMAGE --names --strength --directions --model -m --out -o --backend",
    "paint": "IMAGE --texture --mask --model -m --out -o --feather --strength --outside --backend",
    "blend": "A B --model -m --out -o --axis --overlap --mask --feather --offset --keep-texture --backend",
    "refine": "IMAGE --model -m --out -o --codes --steps --quality --backend",
    "render": "PNG --model -m --out -o --backend",
    "video": "IN --texture --weights --strength --along --directions --smooth --window --noise --start --end "
    "--max-side --fps --quality --model -m --out -o --backend",
    "batch": "IN --texture --weights --structure --strength --path --along --directions --masks --feather "
    "--outside --model -m --out -o --format --quality --workers --shard --ray --dry-run --backend",
    "encode": "IMAGE --model -m --out -o --backend",
    "decode": "CODES --model -m --out -o --texture --noise --backend",
    "models": "NAME",
    "info": "MODEL|RUN --digest",
    "convert": "SRC DST --no-noise",
    "export": "MODEL --onnx --web --samples --check --precision --calibrate",
    "card": "MODEL --out -o --license --about --data --data-license --machine --limit --report --no-picture",
    "push": "MODEL NAME --private --branch --message --pull-request --no-picture --dry-run",
    "data check": "DATA --size --preset --html --workers",
    "data prepare": "DATA --out -o --format --size --resize --encode --quality --shard-mb --workers",
    "eval": "MODEL --data --metrics --pairs --seed --split --size --batch --weights --out -o --no-speed "
    "--gpus --backend",
    "metrics list": "",
    "metrics fetch": "NET --to",
    "presets": "",
    "demo": "--out -o --train",
    "completion": "{bash,zsh,fish}",
    "doctor": "",
}


def rows(text: str) -> list[str]:
    """The lines of a help that begin an argument; explanations are set in further."""
    lines = re.sub("[│╭╮╰╯─]", " ", text).splitlines()
    return [line.strip() for line in lines if re.match(r"  [^\s-]|  --?[a-z]", line)]


def surface(text: str) -> set[str]:
    names: set[str] = set()
    for row in rows(text):
        options = re.findall(r"(?<!\S)--?[a-z][a-z-]*", re.split(r"\s{2}", row)[0])
        names |= set(options or [row.split()[0]])
    return names


def test_the_commands_are_these_in_this_order() -> None:
    assert list(COMMANDS) == list(FROZEN)


@pytest.mark.parametrize("name", FROZEN)
def test_the_options_of_a_command_are_these(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*name.split(), "--help"]) == 0
    out, err = capsys.readouterr()
    assert surface(out) == set(f"{FROZEN[name]} {COMMON}".split())
    assert err == ""


@pytest.mark.parametrize("name", FROZEN)
def test_every_option_of_a_command_is_explained(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    main([*name.split(), "--help"])
    out = capsys.readouterr().out
    text = " ".join(re.sub("[│╭╮╰╯─]", " ", out).partition("\n")[2].split())
    for row in rows(out):
        declaration = re.split(r"\s{2}", row)[0]
        assert re.match(" [A-Za-z]", text.split(f" {declaration}", 1)[1]), row


def test_the_help_lists_every_command_with_its_first_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    for name, command in COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(summary(command))}$", out, re.MULTILINE)
        assert summary(command).endswith(".")
    assert max(map(len, out.splitlines())) <= 100


def test_a_group_of_commands_lists_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "--help"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("usage: swapae data COMMAND")
    listed = re.findall(r"^  (data \w+) ", out, re.MULTILINE)
    assert listed == [name for name in COMMANDS if name.startswith("data ")]
    assert main(["data"]) == 2
    assert capsys.readouterr().out == out
    assert main(["data", "chek"]) == 2
    assert "Unknown command 'data chek'. Did you mean 'data check'?" in capsys.readouterr().err
