"""The queue: full, overtaken, overdue, without its process, and closed."""

import contextlib
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import httpx
import pytest
from tests.web.double import CRASH, SLEEP, SPIN, Making, recipe
from tests.web.payloads import RECIPE, Payload
from tests.web.servers import Running, elsewhere, png, running, upload

from swapae.web.settings import StudioSettings


@pytest.fixture(scope="module")
def server(make_running: object) -> Running:
    settings = StudioSettings(max_queue=4, deadline=60)
    return make_running(Making(render=0.08), settings)  # type: ignore[operator]


@pytest.fixture(scope="module")
def client(server: Running) -> Iterator[httpx.Client]:
    with server.client() as one:
        yield one


def render(server: Running, image: str, seed: int | None = None, **headers: str) -> httpx.Response:
    with server.client(**headers) as client:
        return client.post("/api/v1/render", json=recipe(image, seed))


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


@contextlib.contextmanager
def held(server: Running) -> Iterator[None]:
    """Let the model's process stand still, so that what is asked meanwhile waits, however slow all is."""
    if sys.platform == "win32":
        pytest.skip("no process can be made to stand still")
    pid = server.app.desk.inference.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_more_than_the_queue_holds_are_told_to_come_again_while_health_answers(
    server: Running, client: httpx.Client
) -> None:
    image = upload(client, png())
    waits: list[float] = []
    is_over = threading.Event()

    def watch() -> None:
        with server.client() as own:
            while not is_over.is_set():
                start = time.monotonic()
                assert own.get("/livez").status_code == 200
                waits.append(time.monotonic() - start)
                time.sleep(0.02)

    with ThreadPoolExecutor(31) as pool:
        watching = pool.submit(watch)
        with held(server):
            jobs = [pool.submit(render, server, image) for _ in range(30)]
            wait_for(lambda: sum(job.done() for job in jobs) == 25)
        answers = [job.result() for job in jobs]
        is_over.set()
        watching.result()
    statuses = [answer.status_code for answer in answers]
    assert (statuses.count(200), statuses.count(429)) == (5, 25)  # one at work, four waiting
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert 1 <= int(refused.headers["retry-after"]) <= 30
    assert refused.json()["code"] == "busy"
    assert max(waits) < 10.0  # on any machine; benchmarks/studio_load.py holds it to 0.1
    assert render(server, image).status_code == 200


def test_a_newer_request_of_a_session_takes_the_place_of_one_that_waits(
    server: Running, client: httpx.Client
) -> None:
    image = upload(client, png())
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(render, server, image)  # keeps the model busy
        jobs = []
        for number in range(1, 5):
            turn = {"X-Session": "one", "X-Seq": str(number)}
            jobs.append(pool.submit(render, server, image, **turn))
            time.sleep(0.004)
        other = pool.submit(render, server, image, **{"X-Session": "two", "X-Seq": "1"})
        channel = pool.submit(
            render, server, image, **{"X-Session": "one", "X-Seq": "1", "X-Channel": "thumbs"}
        )
        statuses = [job.result().status_code for job in jobs]
    assert first.result().status_code == other.result().status_code == channel.result().status_code == 200
    assert set(statuses) <= {200, 409}
    assert statuses[-1] == 200
    late = render(server, image, **{"X-Session": "one", "X-Seq": "2"})
    assert (late.status_code, late.json()["code"]) == (409, "superseded")
    again = render(server, image, **{"X-Session": "one", "X-Seq": "4"})
    assert again.status_code == 200  # the same number may come again, as after a 429


def test_the_process_dies_at_one_request_and_the_others_do_not_notice(
    server: Running, client: httpx.Client
) -> None:
    image, mask_of = upload(client, png(seed=1)), upload(client, png(seed=2))
    group = {"name": "mine", "toward": [image], "away": [mask_of]}
    assert client.post("/api/v1/directions", json=group).status_code == 201
    before = server.app.desk.inference.pid
    with ThreadPoolExecutor(3) as pool:
        crash = pool.submit(render, server, image, CRASH)
        time.sleep(0.1)
        crashed = crash.result()
        assert (crashed.status_code, crashed.json()["code"]) == (500, "crashed")
        end = time.monotonic() + 60
        while (answer := client.get("/readyz")).status_code == 503:
            assert answer.headers["retry-after"]
            assert client.get("/livez").status_code == 200
            assert client.get("/api/v1/model").status_code == 200  # known from before
            assert time.monotonic() < end
            time.sleep(0.05)
    assert server.app.desk.inference.pid != before
    moved = {"directions": [{"name": "mine", "strength": 1.0}], "textures": [{"image": mask_of}]}
    answer = client.post("/api/v1/render", json=recipe(image, **moved))
    assert answer.status_code == 200, answer.text  # images and direction were brought back
    assert [one["name"] for one in client.get("/api/v1/directions").json()] == ["mine"]
    assert "swapae_model_restarts_total 1.0" in client.get("/metrics").text


def test_work_past_its_deadline_is_cancelled_and_the_library_stays() -> None:
    with running(Making(), StudioSettings()) as server, server.client() as client:
        image, desk = upload(client, png()), server.app.desk
        before, usual = desk.inference.pid, desk.settings
        desk.settings = replace(usual, deadline=1.0)
        answer = render(server, image, SLEEP)  # a minute, of which it is let have a second
        assert (answer.status_code, answer.json()["code"]) == (504, "deadline")
        desk.settings = usual
        assert render(server, image).status_code == 200
        assert desk.inference.pid == before  # it stopped by itself
        # One that cannot be stopped costs the process, but nobody's images.
        desk.settings = replace(usual, deadline=1.0)
        assert render(server, image, SPIN).status_code == 504
        desk.settings = usual
        end = time.monotonic() + 60
        while (answer := render(server, image)).status_code != 200:
            assert answer.status_code in (503, 504), answer.text
            assert time.monotonic() < end
            time.sleep(0.1)
        assert desk.inference.pid != before
        assert "swapae_overdue_total" in client.get("/metrics").text


def test_a_server_that_loads_lives_but_is_not_ready() -> None:
    with running(Making(seconds=60.0), StudioSettings(), wait=False) as server, server.client() as client:
        assert client.get("/livez").status_code == 200
        for path in ("/readyz", "/api/v1/model", "/api/v1/gallery", "/api/v1/directions"):
            answer = client.get(path)
            assert (answer.status_code, answer.json()["code"]) == (503, "loading")
            assert answer.headers["retry-after"] == "1"


def test_a_server_that_is_closed_finishes_what_it_has_begun() -> None:
    with running(Making(), StudioSettings()) as server, server.client() as client:
        image, inference = upload(client, png()), server.app.desk.inference
        with ThreadPoolExecutor(2) as pool:
            # A client that goes away does not keep its place.
            gone = Payload("", "POST /api/v1/render HTTP/1.1", ("Content-Type: application/json",), RECIPE)
            with held(server):
                busy = pool.submit(render, server, image)
                wait_for(lambda: inference._running is not None)
                with socket.create_connection(("127.0.0.1", server.port)) as connection:
                    connection.sendall(gone.wire(host=f"127.0.0.1:{server.port}", image=image))
                    wait_for(lambda: inference.waiting == 1)
                wait_for(lambda: inference.waiting == 0)
                assert not busy.done()
            assert busy.result().status_code == 200
            with held(server):
                jobs = [pool.submit(render, server, image) for _ in range(2)]
                wait_for(lambda: inference.waiting == 1)
                inference.drain()
                assert client.get("/readyz").json()["code"] == "draining"
                assert client.post("/api/v1/render", json=recipe(image)).status_code == 503
                server.server.should_exit = True
            assert [job.result().status_code for job in jobs] == [200, 200]


@pytest.mark.parametrize("making", [Making(refusal="there is no model of that name."), Making(exits=True)])
def test_a_model_that_cannot_be_loaded_ends_the_server_with_a_sentence(making: Making) -> None:
    from swapae.errors import UserError
    from swapae.web.serving import listen, serve

    with pytest.raises(UserError, match=r"no model of that name\.$|ends while it loads"):
        elsewhere(lambda: serve(making, StudioSettings(), listen("127.0.0.1", 0)))
