"""Send the studio what nobody should send: requests made up from its schema, and damaged pictures.

    python -m benchmarks.studio_fuzz [--cases 5000] [--uploads 1000] [--model synthetic64] [--seed 0]

Started is `swapae studio`. Schemathesis (package `schemathesis`) makes requests up until there were enough,
whose ids are in part those of images that are there. Then pictures of many formats are damaged, and uploaded
as images, masks, recipes and directions. Printed is one row of JSON: answers by status, processes lost, the
growth of memory, and whether a picture can still be made.
"""

import argparse
import io
import json
import random
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
from PIL import Image

from benchmarks.machine import facts
from benchmarks.studio_load import get, recovery, studio

GROWTH = 50  # MB that memory may grow by
FINE_5XX = {"503", "504"}
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP", "PPM", "AVIF")
ROUTES = ("images", "images", "images", "masks", "recipes", "directions/file")
RAW = {"Content-Type": "application/octet-stream"}
ANSWERS = ("ImageInfo", "MaskInfo", "ModelInfo", "DirectionInfo", "OpenedRecipe")
CHECKS = "not_a_server_error,content_type_conformance,response_schema_conformance,status_code_conformance"


def figures(port: int) -> dict[str, float]:
    """Read the server's figures."""
    lines = get(port, "/metrics").decode().splitlines()
    return {
        name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[:1] != "#")
    }


def megabytes(port: int) -> dict[str, float]:
    """Tell how much memory the server and the model's process hold."""
    found = figures(port)
    names = {"server": "process_resident_memory_bytes", "model": "swapae_model_resident_bytes"}
    return {key: round(found[name] / 1e6, 1) for key, name in names.items()}


def statuses(port: int) -> Counter[str]:
    """Count all answers so far by status."""
    counts: Counter[str] = Counter()
    for name, value in figures(port).items():
        if match := re.fullmatch(r'swapae_requests_total\{.*status="(\d+)".*\}', name):
            counts[match[1]] += int(value)
    return counts


def known_schema(port: int) -> dict[str, Any]:
    """Give the API's schema, in which ids are some that are there, and one that is not."""
    ids = [image["id"] for image in json.loads(get(port, "/api/v1/gallery"))[:4]]
    mask = httpx.post(f"http://127.0.0.1:{port}/api/v1/masks", content=picture(0, "PNG"), headers=RAW)
    ids += [mask.json()["id"], "0" * 64]
    text = get(port, "/openapi.json").decode()
    for example in "1a2b":
        text = text.replace(example * 64, ids["1a2b".index(example)] if example != "b" else ids[4])

    def with_ids(node: Any) -> Any:
        if isinstance(node, list):
            return [with_ids(one) for one in node]
        if not isinstance(node, dict):
            return node
        if str(node.get("pattern", "")).endswith("{64}$"):
            return {"type": "string", "enum": ids}
        return {key: with_ids(value) for key, value in node.items()}

    made: dict[str, Any] = json.loads(text)
    shapes = made["components"]["schemas"]
    made["components"]["schemas"] = {n: one if n in ANSWERS else with_ids(one) for n, one in shapes.items()}
    for operation in (one for path in made["paths"].values() for one in path.values()):
        asked = [one for one in operation.get("parameters", []) if one["in"] != "header"]  # else most are 409
        operation["parameters"] = with_ids(asked)
    return made


def make_up(port: int, examples: int, seed: int) -> dict[str, Any]:
    """Let schemathesis make requests up: so many of each route, and those it thinks of beside."""
    with tempfile.TemporaryDirectory() as folder:
        schema, report = Path(folder) / "openapi.json", Path(folder) / "report.json"
        schema.write_text(json.dumps(known_schema(port)), encoding="utf-8")
        words = [sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()", "run"]
        words += [str(schema), "--url", f"http://127.0.0.1:{port}", "--max-examples", str(examples)]
        words += ["--seed", str(seed), "--checks", CHECKS, "--report-json-path", str(report), "--no-color"]
        done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=folder)
        if not report.exists():
            raise SystemExit(done.stdout[-2000:] + done.stderr[-2000:])
        told: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
        for failure in told["failures"]:
            print(f"{failure['title']}: {failure['count']} in {failure['operations']}", file=sys.stderr)
        print(done.stdout[-6000:], file=sys.stderr)
        return told


def picture(number: int, kind: str, side: int = 24) -> bytes:
    """Draw a small picture and write it in a format."""
    drawn = random.Random(number)
    image = Image.frombytes("RGB", (side, side), drawn.randbytes(3 * side * side))
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


def damaged(number: int, saved: bytes) -> bytes:
    """Damage a picture's file, or the one that carries a recipe, in one of many ways."""
    drawn = random.Random(number)
    data = bytearray(saved if number % 8 == 0 else picture(number, FORMATS[number % len(FORMATS)]))
    way = drawn.randrange(6)
    if way == 0:
        return bytes(data[: drawn.randrange(len(data))])
    if way == 1:
        return bytes(data) + drawn.randbytes(drawn.randrange(2000))
    if way == 2:
        return drawn.randbytes(drawn.randrange(1, 3000))
    first = 0 if way == 3 else 8
    most = 60 if way == 4 else len(data)  # the header alone, or anywhere
    for _ in range(drawn.randrange(1, 12)):
        data[drawn.randrange(first, min(most, len(data)))] = drawn.randrange(256)
    return bytes(data)


def upload(port: int, count: int, seed: int) -> Counter[str]:
    """Upload damaged files."""
    counts: Counter[str] = Counter()
    with httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1/", timeout=120) as client:
        image = json.loads(get(port, "/api/v1/gallery"))[0]["id"]
        saved = client.post("save", json={"recipe": {"structures": [{"image": image}]}}).content
        for number in range(seed, seed + count):
            answer = client.post(ROUTES[number % len(ROUTES)], content=damaged(number, saved), headers=RAW)
            counts[str(answer.status_code)] += 1
            if answer.status_code >= 500:
                print(f"upload {number}: {answer.status_code} {answer.text}", file=sys.stderr)
    return counts


def measure(model: str, cases: int, uploads: int, seed: int) -> dict[str, Any]:
    """Run it all."""
    with studio(model) as (_, port):
        routes = sum(len(path) for path in json.loads(get(port, "/openapi.json"))["paths"].values())
        if cases:
            make_up(port, 2, seed)  # what is loaded at first use is no growth
        upload(port, 40, seed)
        before, answered = megabytes(port), sum(statuses(port).values())
        made_up = turn = 0
        while made_up < cases:
            turn += 1
            told = make_up(port, max(5, min(100, cases // routes)), seed + turn)
            made_up += told["test_cases"]["generated"]
        by_upload = upload(port, uploads, 10_000 + seed)
        after, every, found = megabytes(port), statuses(port), figures(port)
        recovered = recovery(port)
    faults = {status: count for status, count in every.items() if status[0] == "5" and status not in FINE_5XX}
    growth = {name: round(after[name] - before[name], 1) for name in after}
    restarts = {name: int(found[f"swapae_{name}_restarts_total"]) for name in ("model", "decoder")}
    return {
        "what": "studio_fuzz",
        "model": model,
        "cases": made_up,
        "requests": sum(every.values()) - answered,
        "uploads": dict(by_upload),
        "statuses": dict(sorted(every.items())),
        "restarts": restarts,
        "memory_mb": {"before": before, "after": after, "growth": growth},
        "picture_after_s": round(recovered, 2),
        "met": {
            "no 5xx but 503 and 504": not faults,
            "no process of the model lost": restarts["model"] == 0,
            f"memory grows by less than {GROWTH} MB": sum(growth.values()) < GROWTH,
        },
        **facts(),
    }


def main() -> None:
    """Read the options, and print a row."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default="synthetic64")
    parser.add_argument("--cases", type=int, default=5000)
    parser.add_argument("--uploads", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print(json.dumps(measure(options.model, options.cases, options.uploads, options.seed)))


if __name__ == "__main__":
    main()
