"""`swapae studio`: how it is started, what it prints, and how it ends."""

import os
import re
import runpy
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from tests.web.double import recipe
from tests.web.servers import RAW, png

from swapae.cli.main import main
from swapae.web import serving
from swapae.web.settings import StudioSettings

ROOT = Path(__file__).parents[2]


class Started(Exception):  # noqa: N818  it says what happened
    """Raised in place of serving."""


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the server would be given."""
    given: dict[str, Any] = {}

    def note(make: object, settings: object, listening: socket.socket, begun: Any, ended: object) -> None:
        given.update(make=make, settings=settings, port=listening.getsockname()[1])
        listening.close()
        begun()

    monkeypatch.setattr(serving, "serve", note)
    monkeypatch.setattr("webbrowser.open", lambda url: given.update(browser=url))
    return given


def run(*words: str) -> int:
    return main(["studio", *words])


def test_it_is_this_machines_alone_and_opens_the_page(
    started: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--port", "0") == 0
    settings: StudioSettings = started["settings"]
    assert (settings.host, settings.token) == ("127.0.0.1", None)
    assert (settings.max_queue, settings.deadline) == (16, 30)
    assert started["make"].name == "synthetic64"
    url = f"http://127.0.0.1:{started['port']}/"
    assert url in capsys.readouterr().out
    end = time.monotonic() + 60
    while "browser" not in started and time.monotonic() < end:  # a thread opens it
        time.sleep(0.01)
    assert started["browser"] == url


def test_whoever_can_be_reached_by_others_asks_for_a_token(
    started: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--port", "0", "--host", "0.0.0.0", "--no-browser", "--allow-host", "Studio.example.") == 0
    token = started["settings"].token
    assert len(token) >= 32
    assert f"http://127.0.0.1:{started['port']}/?token={token}" in capsys.readouterr().out
    assert started["settings"].names == ("studio.example",)
    assert "browser" not in started
    assert run("--port", "0", "--host", "0.0.0.0", "--no-browser", "--token", "0123456789abcdef") == 0
    assert started["settings"].token == "0123456789abcdef"


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        (["--token", "short"], 2, "--token takes 16 to 256"),
        (["--token", "sixteen signs and; more"], 2, "--token takes 16 to 256"),
        (["--max-queue", "0"], 2, "--max-queue must be"),
        (["--deadline", "nan"], 2, "--deadline must be"),
        (["--max-upload", "-1"], 2, "--max-upload must be"),
        (["--max-side", "5"], 2, "--max-side must be"),
        (["--port", "70000"], 2, "--port must be"),
        (["--runs", "/nowhere"], 1, "is no folder"),
        (["--host", "192.0.2.1", "--port", "0"], 1, "cannot listen at 192.0.2.1"),
        (["--host", "no such host", "--port", "0"], 1, "cannot listen at no such host"),
    ],
)
def test_wrong_options_are_refused_in_a_sentence(
    words: list[str], status: int, sentence: str, started: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*words, "--no-browser") == status
    err = capsys.readouterr().err
    assert sentence in err
    assert err.count("\n") == 1
    assert not started


def test_a_port_that_is_taken_is_refused_but_only_if_it_was_asked_for(
    started: dict[str, Any], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert run("--port", str(port), "--no-browser") == 1
        assert f"port {port} of 127.0.0.1 is in use" in capsys.readouterr().err
        monkeypatch.setattr(serving, "DEFAULT_PORT", port)
        assert run("--no-browser") == 0
        assert port < started["port"] < port + serving.TRIES


def test_what_is_missing_is_named_with_the_extra_that_has_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import importlib.util

    found = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "uvicorn" else found(name))
    assert run("--no-browser") == 1
    assert "pip install 'swapae[web]'" in capsys.readouterr().err


def test_help_needs_neither_torch_nor_the_extra() -> None:
    code = (
        "import sys; from swapae.cli.main import main; main(['studio', '--help']);"
        "print({'torch', 'fastapi', 'uvicorn', 'pydantic', 'numpy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "set()"


# ---- a whole one, with the model in the box


def test_the_client_of_the_docs_swaps_two_photos(
    studio_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for seed, name in enumerate(("church.jpg", "sunset.jpg")):
        Path(name).write_bytes(png(70, 50, seed=seed, format="JPEG"))
    page = (ROOT / "docs" / "studio.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (code,) = [block for block in blocks if "httpx" in block]
    assert len([line for line in code.splitlines() if line and not line.startswith(("import", "from"))]) <= 10
    exec(compile(code.replace("http://127.0.0.1:7860", studio_url), "docs/studio.md", "exec"), {})
    with Image.open("hybrid.png") as hybrid:
        assert hybrid.size == (70, 50)
        assert hybrid.info == {}


def test_the_client_among_the_examples_swaps_two_photos(studio_url: str, tmp_path: Path) -> None:
    names = [str(tmp_path / name) for name in ("church.jpg", "sunset.jpg", "hybrid.png")]
    for seed, name in enumerate(names[:2]):
        Path(name).write_bytes(png(40, 30, seed=seed, format="JPEG"))
    runpy.run_path(str(ROOT / "examples" / "studio_client.py"))["main"](*names, studio_url)
    with Image.open(names[2]) as hybrid:
        assert hybrid.size == (40, 30)


def test_the_models_gallery_can_be_swapped_at_once(studio_url: str) -> None:
    with httpx.Client(base_url=studio_url, timeout=60) as client:
        a, b, *_ = [one["id"] for one in client.get("/api/v1/gallery").json()]
        recipe = {"structures": [{"image": a}], "textures": [{"image": b}]}
        answer = client.post("/api/v1/render", json={"recipe": recipe})
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "image/webp"
        saved = client.post("/api/v1/save", json={"recipe": recipe})
        assert 'filename="swapae-' in saved.headers["content-disposition"]
        opened = client.post("/api/v1/recipes", content=saved.content, headers=RAW)
        assert opened.json()["recipe"]["textures"][0]["image"] == b


PROGRAM = """
import sys
from swapae.web.serving import listen, serve
from swapae.web.settings import StudioSettings
from tests.web.double import Making

if __name__ == "__main__":
    listening = listen("127.0.0.1", 0)
    print(listening.getsockname()[1], flush=True)
    serve(Making(), StudioSettings(), listening)
"""


def model_of(pid: int) -> int:
    """The process that a studio has begun for its model: the first of them."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    children = [child for task in tasks for child in task.read_text().split()]
    started = [
        int(child) for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()
    ]
    return started[0]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks processes up in /proc")
def test_sigterm_lets_a_request_be_finished_and_ends_with_status_0(tmp_path: Path) -> None:
    file = tmp_path / "program.py"
    file.write_text(PROGRAM, encoding="utf-8")
    paths = {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    words = [sys.executable, str(file)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=os.environ | paths) as process:
        assert process.stdout is not None
        url = f"http://127.0.0.1:{process.stdout.readline().strip()}"
        with httpx.Client(base_url=url, timeout=60, verify=False) as client, ThreadPoolExecutor(2) as pool:
            while client.get("/readyz").status_code != 200:
                time.sleep(0.05)
            image = client.get("/api/v1/gallery").json()[0]["id"]
            model = model_of(process.pid)
            os.kill(model, signal.SIGSTOP)  # it stands still until all is as it is to be
            jobs = [pool.submit(client.post, "/api/v1/render", json=recipe(image)) for _ in range(2)]
            while "swapae_queue_waiting 1.0" not in client.get("/metrics").text:
                assert not any(job.done() for job in jobs)
            process.send_signal(signal.SIGTERM)
            os.kill(model, signal.SIGCONT)
            assert [job.result().status_code for job in jobs] == [200, 200]
            assert process.wait(60) == 0
            with pytest.raises(httpx.TransportError):
                client.get("/livez")
