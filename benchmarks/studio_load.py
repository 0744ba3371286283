"""Measure the studio under more load than it takes: its answers, its health meanwhile, and its recovery.

    python -m benchmarks.studio_load [--clients 200] [--seconds 10] [--model synthetic64] [--impatient]

Started is `swapae studio` with a queue of 16. All clients ask for a picture at once and go on asking, each by
one connection; one that is told to come again waits as long as it is told, or with --impatient not at all.
Another process asks for /livez and /readyz all the time. At the end a single picture is asked for until it is
answered. Printed is one row of JSON.
"""

import argparse
import asyncio
import contextlib
import http.client
import itertools
import json
import math
import multiprocessing
import re
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.synchronize import Event
from typing import Any

from benchmarks.machine import facts

FIRST_SEED = 1_000_000_000
START = 180.0  # seconds for the studio to be ready
LIMIT = 0.1  # seconds within which health must be answered
IDLE = 5.0  # seconds before the load in which health is asked for too, for comparison
RECOVERY = 2.0  # seconds until a picture is answered after the load


@dataclass
class Heard:
    """What all clients heard."""

    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)  # of answers 200
    broken: Counter[str] = field(default_factory=Counter)


@contextlib.contextmanager
def studio(model: str, *options: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Run a studio until it is ready; give its process and port."""
    words = [sys.executable, "-m", "swapae", "studio", "-m", model, "--port", "0", "--no-browser", *options]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = re.search(r"http://127\.0\.0\.1:(\d+)/", process.stdout.readline())
        if found is None:
            raise SystemExit("the studio did not start.")
        port = int(found[1])
        end = time.monotonic() + START
        while not _is_ready(port):
            if time.monotonic() > end or process.poll() is not None:
                raise SystemExit("the studio did not become ready.")
            time.sleep(0.1)
        try:
            yield process, port
        finally:
            process.terminate()
            process.wait(15)


def _is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def get(port: int, path: str) -> bytes:
    """Ask for something once."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
        return bytes(answer.read())


def request_of(port: int) -> bytes:
    """Write the request for a swap of the gallery's first two images, with room for a seed of ten digits."""
    first, second = (image["id"] for image in json.loads(get(port, "/api/v1/gallery"))[:2])
    recipe = {"structures": [{"image": first}], "textures": [{"image": second}], "seed": FIRST_SEED}
    body = json.dumps({"recipe": recipe}).encode()
    head = (
        f"POST /api/v1/render HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> tuple[int, int]:
    """Ask for a picture; give the status and how long to wait before the next."""
    writer.write(request)
    await writer.drain()
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = re.search(r"content-length: (\d+)", head)
    await reader.readexactly(int(length[1]) if length else 0)
    wait = re.search(r"retry-after: (\d+)", head)
    return int(head.split()[1]), int(wait[1]) if wait else 0


async def client(port: int, requests: Iterator[bytes], until: float, heard: Heard, is_patient: bool) -> None:
    """Ask again and again, by one connection."""
    while time.monotonic() < until:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                while time.monotonic() < until:
                    start = time.monotonic()
                    status, wait = await ask(reader, writer, next(requests))
                    heard.statuses[status] += 1
                    if status == 200:
                        heard.seconds.append(time.monotonic() - start)
                    await asyncio.sleep(min(wait, until - time.monotonic()) if is_patient else 0)
            finally:
                writer.close()
        except (OSError, asyncio.IncompleteReadError) as error:
            heard.broken[type(error).__name__] += 1


async def load(port: int, clients: int, seconds: float, is_patient: bool) -> Heard:
    """Let all clients ask."""
    heard = Heard()
    one, first = request_of(port), str(FIRST_SEED).encode()  # no two alike: nothing comes from a cache
    requests = (one.replace(first, str(seed).encode()) for seed in itertools.count(FIRST_SEED))
    until = time.monotonic() + seconds
    await asyncio.gather(*(client(port, requests, until, heard, is_patient) for _ in range(clients)))
    return heard


def watch(port: int, is_over: Event, waits: "multiprocessing.Queue[list[tuple[float, float]]]") -> None:
    """Ask for health, in a process of its own, and note when, and how long each answer took."""
    seconds = []
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    for number in range(10**9):
        if is_over.is_set():
            break
        start = time.monotonic()
        connection.request("GET", "/livez" if number % 2 else "/readyz")
        answer = connection.getresponse()
        answer.read()
        seconds.append((start, time.monotonic() - start if answer.status == 200 else math.inf))
        time.sleep(0.02)
    waits.put(seconds)


def recovery(port: int) -> float:
    """Ask for a picture until there is one; give the seconds it took."""
    start = time.monotonic()

    async def once() -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        status, _ = await ask(reader, writer, request_of(port))
        writer.close()
        return status

    while asyncio.run(once()) != 200:
        time.sleep(0.05)
    return time.monotonic() - start


def processor_seconds(port: int) -> float:
    """Tell how long the server's process has computed so far, whoever else computes on the machine."""
    found = re.search(r"^process_cpu_seconds_total (\S+)$", get(port, "/metrics").decode(), re.MULTILINE)
    return float(found[1]) if found else math.nan


def quantile(values: list[float], share: float) -> float:
    """Give the value below which a share of them lies, in milliseconds."""
    ordered = sorted(values) or [math.nan]
    return round(1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1)


def measure(model: str, clients: int, seconds: float, is_patient: bool) -> dict[str, Any]:
    """Run it all."""
    context = multiprocessing.get_context("spawn")
    is_over, waits = context.Event(), context.Queue()
    with studio(model, "--max-queue", "16") as (_, port):
        watcher = context.Process(target=watch, args=(port, is_over, waits))
        watcher.start()
        time.sleep(IDLE)
        began, used = time.monotonic(), processor_seconds(port)
        heard = asyncio.run(load(port, clients, seconds, is_patient))
        used = processor_seconds(port) - used
        recovered = recovery(port)
        is_over.set()
        noted = waits.get()
        watcher.join()
    idle = [seconds for start, seconds in noted if start < began]
    health = [seconds for start, seconds in noted if start >= began]
    return {
        "what": "studio_load",
        "model": model,
        "clients": clients,
        "seconds": seconds,
        "patient": is_patient,
        "statuses": {str(status): count for status, count in sorted(heard.statuses.items())},
        "broken": dict(heard.broken),
        "answer_ms": {"p50": quantile(heard.seconds, 0.5), "p95": quantile(heard.seconds, 0.95)},
        "health_ms": {
            "p50": quantile(health, 0.5),
            "p99": quantile(health, 0.99),
            "max": quantile(health, 1),
        },
        "health_idle_ms": {"p50": quantile(idle, 0.5), "p99": quantile(idle, 0.99), "max": quantile(idle, 1)},
        "health_checks": len(health),
        "server_cpu_ms_a_request": round(1000 * used / (heard.statuses.total() + len(health)), 2),
        "recovery_s": round(recovered, 2),
        "met": {
            "only 200 and 429": set(heard.statuses) <= {200, 429} and not heard.broken,
            "health below 100 ms": max(health) < LIMIT,
            "recovery within 2 s": recovered < RECOVERY,
        },
        **facts(),
    }


def main() -> None:
    """Read the options, and print a row."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default="synthetic64")
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--impatient", action="store_true")
    options = parser.parse_args()
    row = measure(options.model, options.clients, options.seconds, not options.impatient)
    print(json.dumps(row))


if __name__ == "__main__":
    main()
