"""CITATION.cff is what reference managers and code hosts read."""

import json

import yaml
from jsonschema import Draft7Validator
from tests.shipping.conftest import ROOT

import swapae

CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))


def test_it_is_valid_by_the_formats_own_schema() -> None:
    schema = json.loads((ROOT / "tests" / "golden" / "cff-1.2.0.schema.json").read_text("utf-8"))
    validator = Draft7Validator(schema)
    assert [error.message for error in validator.iter_errors(CITATION)] == []
    assert list(validator.iter_errors({**CITATION, "authors": []}))  # the schema does refuse


def test_it_names_this_version_and_the_article() -> None:
    assert str(CITATION["version"]) == swapae.__version__
    article = CITATION["preferred-citation"]
    assert article["title"] == "Swapping Autoencoder for Deep Image Manipulation"
    assert [author["family-names"] for author in article["authors"]][::6] == ["Park", "Zhang"]
