"""A card says what is known, says plainly what is not, and is read by hubs."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from huggingface_hub import ModelCard

from swapae import SwappingAutoencoder, box, cards
from swapae.errors import UserError

REPORT = {
    "model": "model",
    "data": "/home/me/validation",
    "images": 30,
    "size": 64,
    "pairs": 9,
    "seed": 0,
    "metrics": {
        "LPIPS-squeeze": 0.25,
        "ColorNearer": 0.875,
        "ColorNearer low": 0.81,
        "ColorNearer high": 0.92,
    },
    "standard_errors": {"LPIPS-squeeze": 0.01},
    "answers": {"copy structure": {"ColorNearer": 0.0}},
}


@pytest.fixture
def folder(tiny_model: Path, tmp_path: Path) -> Path:
    SwappingAutoencoder.from_pretrained(tiny_model, device="cpu").save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def card_of(folder: Path, **told: Any) -> dict[str, Any]:
    return cards.brought_up_to_date(cards.read_card(folder), folder, "model", cards.Told(**told))


def test_a_model_of_which_nothing_is_told_has_a_card_that_says_so(folder: Path) -> None:
    page = (folder / box.CARD_PAGE).read_text(encoding="utf-8")
    for words in (
        "license: unknown\n",
        "structure code of 4 channels at 1/4 of the image's sides, texture code 16.",
        "What it was trained on is not told.",
        "Licence of these weights: unknown. Nobody has said",
        "It has not been measured.",
        "## Limits\n\n- It knows the images it was trained on",
        f"SHA-256 `{cards.read_card(folder)['sha256']}`",
    ):
        assert words in page
    assert "cost" not in page
    assert ModelCard(page).data.license == "unknown"


def test_what_is_told_is_on_the_page(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    file.write_text(json.dumps(REPORT))
    card = card_of(
        folder,
        about="churches",
        license="CC-BY-4.0",
        data="Photographs of churches.",
        data_license="CC0-1.0",
        limits=("It knows churches only.",),
        evaluations=tuple(cards.read_reports([file], ["model"])),
    )
    page = cards.page_of(card, "me/churches")
    for words in (
        "Churches. A swapping autoencoder:",
        "-m me/churches",
        "Photographs of churches.\n\n- Licence of the data: CC0-1.0\n- Licence of these weights: CC-BY-4.0.",
        "On 30 photos of `validation`, 9 pairs",
        "| ColorNearer | 0.8750 (0.8100 to 0.9200) | 0.0000 |",
        "- It knows churches only.\n- 88% of hybrids are nearer the texture photo's colours",
    ):
        assert words in page
    assert "/home/me" not in page + cards.as_text(card)
    hub = ModelCard(page).data
    assert hub.license == "cc-by-4.0"
    assert {one.metric_type: one.metric_value for one in hub.eval_results} == {
        "LPIPS-squeeze": 0.25,
        "ColorNearer": 0.875,
    }


def test_figures_go_when_the_weights_are_others_and_words_stay(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    file.write_text(json.dumps(REPORT))
    reports = tuple(cards.read_reports([file], ["model"]))
    cards.write_card(folder, card_of(folder, about="churches", evaluations=reports), force=True)
    assert card_of(folder)["evaluations"]
    model = SwappingAutoencoder.from_pretrained(folder, device="cpu")
    SwappingAutoencoder(model.config).save_pretrained(folder, force=True, card=False)
    assert "evaluations" not in card_of(folder)
    assert card_of(folder)["about"] == "churches"


def test_a_model_saved_in_its_own_place_keeps_its_words_and_elsewhere_its_origin(
    folder: Path, tmp_path: Path
) -> None:
    cards.write_card(folder, card_of(folder, about="churches", license="MIT"), force=True)
    model = SwappingAutoencoder.from_pretrained(folder, device="cpu")
    with torch.no_grad():
        model.generator.to_rgb.bias.add_(1)
    model.save_pretrained(tmp_path / "other")
    other = cards.read_card(tmp_path / "other")
    assert "about" not in other
    assert other["license"] == "unknown"
    assert other["origin"]["began_with"] == {"name": "model", "license": "MIT"}
    model.save_pretrained(folder, force=True)
    same = cards.read_card(folder)
    assert (same["about"], same["license"]) == ("churches", "MIT")
    assert same["sha256"] == other["sha256"]


def test_front_matter_holds_whatever_people_say(folder: Path) -> None:
    for words in ("Adobe Research License", "x\n---\nlicense: mit", "'\"{[: #", "é"):
        page = cards.page_of(card_of(folder, license=words), "a/b")
        found = ModelCard(page).data
        assert found.license == "other"
        assert found.license_name == "-".join(words.lower().split())


@pytest.mark.parametrize(
    "damage",
    [
        {"codes": None},
        {"codes": {"texture": 3}},
        {"evaluations": [{}]},
        {"evaluations": 3},
        {"training": {"minutes": "x"}},
        {"parameters": []},
        {"origin": {"converted": 1}},
        {"data": [1]},
        {"limits": 7},
        {"departures": [[1]], "training": {"minutes": 1, "images_seen": 1, "config": {"batch_size": 1}}},
    ],
)
def test_a_damaged_card_is_one_sentence(folder: Path, damage: dict[str, object]) -> None:
    with pytest.raises(UserError, match="the card of model is damaged"):
        cards.page_of(card_of(folder) | damage)


@pytest.mark.parametrize("text", ["{", "[1]", "3", '{"format": "swapae.card/9"}', "[" * 100_000])
def test_a_file_that_is_no_card_is_refused(folder: Path, text: str) -> None:
    (folder / box.CARD).write_text(text)
    with pytest.raises(UserError, match=r"card\.json is (damaged|no card)"):
        cards.read_card(folder)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"model": "other"}, "is of other, not of this model"),
        ({"size": 32}, "was measured at 32 px"),
        ({"metrics": {}}, "is no report"),
        ({"model": 3}, "is no report"),
    ],
)
def test_a_report_of_something_else_is_refused(
    changes: dict[str, object], sentence: str, tmp_path: Path
) -> None:
    file = tmp_path / "report.json"
    file.write_text(json.dumps(REPORT | changes))
    with pytest.raises(UserError, match=sentence):
        cards.read_reports([file], ["model"], 64)


def test_a_notice_binds_what_is_made_of_a_model_and_another_licence_does_not() -> None:
    bound = {"name": "church", "license": "Theirs", "notice": "Only so.", "about": "churches"}
    bound |= {"origin": {"converted": {"file": "a.pth", "sha256": "0"}}}
    after = cards.descended(bound)
    assert after["license"] == "Theirs"
    assert after["notice"] == "Only so."
    assert after["origin"]["began_with"]["converted"] == {"file": "a.pth", "sha256": "0"}
    assert (
        cards.descended(after | {"name": "second"})["origin"]["began_with"]["began_with"]["name"] == "church"
    )
    free = cards.descended({"name": "ours", "license": "Apache-2.0"})
    assert free == {"origin": {"began_with": {"name": "ours", "license": "Apache-2.0"}}}


def test_only_what_belongs_to_a_model_is_listed(folder: Path) -> None:
    for name in ("notes.txt", "swaps.jpg", "gallery/a.png", "gallery/a.exe", "gallery/.hidden.png"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    assert cards.belongings(folder) == [
        "config.json",
        "model.safetensors",
        "README.md",
        "card.json",
        "swaps.jpg",
        "gallery/a.png",
    ]
