"""The API's documentation: complete, true, and from this machine alone."""

import json
import re
from typing import Any

import pytest
from tests.web.double import Making

from swapae.web import schemas
from swapae.web.app import make_app
from swapae.web.docs import docs_files, older_schema
from swapae.web.examples import EXAMPLES
from swapae.web.guard import FILES
from swapae.web.settings import StudioSettings


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    app: Any = make_app(Making(), StudioSettings()).app
    made: dict[str, Any] = app.openapi()
    return made


def operations(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    }


def test_every_route_is_described(schema: dict[str, Any]) -> None:
    routes = operations(schema)
    assert {"GET /api/v1/model", "POST /api/v1/images", "POST /api/v1/render", "GET /livez"} <= set(routes)
    for name, operation in routes.items():
        assert operation["summary"], name
        assert operation["description"].endswith("."), name
        assert operation["tags"], name
        for status, answer in operation["responses"].items():
            assert answer["description"], name
            if status[0] in "45":
                assert answer["content"]["application/json"]["schema"]["$ref"].endswith("/Problem"), name
                assert set(answer["content"]["application/json"]["example"]) == {"error", "code"}


def test_what_takes_a_body_says_what_is_wrong_with_it(schema: dict[str, Any]) -> None:
    for name, operation in operations(schema).items():
        if "requestBody" in operation:
            assert {"413", "415", "422"} <= set(operation["responses"]), name
        if name.startswith("POST /api/v1/") and "session" not in name:
            assert {"429", "500", "503", "504"} <= set(operation["responses"]), name


def test_every_route_that_takes_a_file_is_known_as_such(schema: dict[str, Any]) -> None:
    raw = {
        name.removeprefix("POST ")
        for name, operation in operations(schema).items()
        if "application/octet-stream" in operation.get("requestBody", {}).get("content", {})
    }
    assert raw == set(FILES)


def test_what_is_asked_and_answered_in_json_has_an_example(schema: dict[str, Any]) -> None:
    shown = schema["components"]["schemas"]
    for name, operation in operations(schema).items():
        for part in (operation.get("requestBody", {}), *operation["responses"].values()):
            found = part.get("content", {}).get("application/json", {}).get("schema", {})
            for link in re.findall(r"'#/components/schemas/(\w+)'", str(found)):
                assert shown[link].get("examples"), f"{name}: {link}"


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_one(name: str) -> None:
    model = getattr(schemas, name)
    found = model.model_validate_json(json.dumps(EXAMPLES[name]))
    assert found.model_dump(exclude_unset=True) == EXAMPLES[name]


def test_the_pages_version_of_the_schema_says_the_same_in_older_words(schema: dict[str, Any]) -> None:
    text = older_schema(schema).decode()
    older = json.loads(text)
    assert older["openapi"] == "3.0.3"
    assert operations(older).keys() == operations(schema).keys()
    assert '{"type": "null"}' not in text
    assert '"const"' not in text


def test_the_page_loads_nothing_from_another_host() -> None:
    files = docs_files()
    page = files["index.html"].data.decode()
    assert not re.findall(r"<script(?![^>]*src=)|style=|\son\w+=", page)
    assert all(link.startswith("/") for link in re.findall(r'(?:src|href)="([^"]+)"', page))
    assert not re.findall(r"url\(\s*['\"]?https?:|@import", files["swagger-ui.css"].data.decode())
