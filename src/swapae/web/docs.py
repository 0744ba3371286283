"""The documentation of the API: its schema, and a page that shows it, all from this machine."""

import json
from importlib import resources
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from swapae import __version__
from swapae.web.examples import EXAMPLES
from swapae.web.files_served import Served

ABOUT = """\
Edits of images by a swapping autoencoder: upload images, describe an edit as a recipe, get pictures.

- An image is encoded once, when it is uploaded; a recipe names images by their ids.
- Errors are one sentence and a short name: `{"error": "…", "code": "…"}`.
- Work waits in a queue of bounded length. `429` and `503` say with `Retry-After` when to try again.
- A page that sends `X-Session`, `X-Channel` and a growing `X-Seq` gets `409` for requests that a newer one
  has overtaken while they waited.
- With a token, requests carry `Authorization: Bearer TOKEN`.
"""
TAGS = [
    {"name": "model", "description": "What is loaded."},
    {"name": "images", "description": "Images and masks that recipes name."},
    {"name": "edits", "description": "Pictures of recipes."},
    {"name": "directions", "description": "Directions along which images are moved."},
    {"name": "runs", "description": "Training runs, to be looked at."},
    {"name": "session", "description": "The token of a page."},
    {"name": "health", "description": "The server itself."},
]
API: dict[str, Any] = {
    "title": "swapae studio",
    "summary": "Swap, mix, paint and edit images.",
    "description": ABOUT,
    "version": __version__,
    "openapi_tags": TAGS,
    "license_info": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
}
PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>The studio's API</title>
<link rel="icon" href="/favicon.ico">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="api"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
START = """\
"use strict";
window.ui = SwaggerUIBundle({
  url: "/docs/openapi.json",
  dom_id: "#api",
  deepLinking: false,
  validatorUrl: null,
  queryConfigEnabled: false,
  defaultModelsExpandDepth: 0,
});
"""


def docs_files() -> dict[str, Served]:
    """Read the page that documents the API, by name; its program comes from `swagger-ui-bundle`."""
    bundle = Path(str(resources.files("swagger_ui_bundle")))
    names = ("swagger-ui.css", "swagger-ui-bundle.js")
    found = {name: next(bundle.rglob(name)).read_bytes() for name in names}
    found |= {"index.html": PAGE.encode(), "start.js": START.encode()}
    return {name: Served.of(data, Path(name).suffix) for name, data in found.items()}


def describe(app: FastAPI) -> None:
    """Give an application its schema: the token beside what its routes say."""

    def schema() -> dict[str, Any]:
        if app.openapi_schema is None:
            told = {name: value for name, value in API.items() if name != "openapi_tags"}
            app.openapi_schema = _completed(get_openapi(routes=app.routes, tags=TAGS, **told))
        return app.openapi_schema

    app.openapi = schema  # type: ignore[method-assign]  # FastAPI's own way to change it


def _completed(schema: dict[str, Any]) -> dict[str, Any]:
    """Add the token, examples, and each route's first sentence as its summary."""
    bearer = {"type": "http", "scheme": "bearer", "description": "Where the studio was given a token."}
    schema["components"]["securitySchemes"] = {"token": bearer}
    schema["security"] = [{"token": []}, {}]
    for operation in (one for path in schema["paths"].values() for one in path.values()):
        operation["summary"] = operation["description"].partition("\n")[0].rstrip(".")
    for name, example in EXAMPLES.items():
        schema["components"]["schemas"][name]["examples"] = [example]
    return schema


def older_schema(schema: dict[str, Any]) -> bytes:
    """Say the same in OpenAPI 3.0, which the page's program understands."""
    older = _older(schema)
    older["openapi"] = "3.0.3"
    older["info"].pop("summary", None)
    older["info"]["license"].pop("identifier", None)
    return json.dumps(older).encode()


def _older(node: Any) -> Any:
    """Bring what JSON Schema says in 2020 into the words of 3.0, everywhere below a node."""
    if isinstance(node, list):
        return [_older(one) for one in node]
    if not isinstance(node, dict):
        return node
    node = {key: _older(value) for key, value in node.items()}
    choices = node.get("anyOf")
    if isinstance(choices, list) and {"type": "null"} in choices:
        rest = [one for one in choices if one != {"type": "null"}]
        node.pop("anyOf")
        node |= {"nullable": True} | (rest[0] if len(rest) == 1 else {"anyOf": rest})
    if "const" in node and "enum" not in node:
        node["enum"] = [node.pop("const")]
    if isinstance(node.get("examples"), list):
        node["example"] = node.pop("examples")[0]
    return node
