"""From settings to a running server: an address, an event loop, and an orderly end."""

import asyncio
import contextlib
import errno
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from swapae.errors import UserError
from swapae.web.answers import Refusal
from swapae.web.app import make_app
from swapae.web.guard import HEADERS, Guard
from swapae.web.settings import StudioSettings

DEFAULT_PORT = 7860
TRIES = 20  # ports after the default one that are tried where none was asked for
FINISH = 7  # seconds in which requests may be finished at the end; with the processes, below 10
LAST = 9.5  # seconds after which the end comes anyway
BACKLOG = 512  # connections that may wait to be accepted
ACCEPTED = 16  # of them at a time: whoever is connected already is answered in between


class Protocol(H11Protocol):
    """HTTP/1.1, whose answer to what is no HTTP is like all others."""

    def send_400_response(self, msg: str) -> None:
        """Refuse what cannot be read as a request, and close; where an answer has begun, only close."""
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.close()
            return
        body = Refusal(400, "unreadable", "this is no HTTP request that can be read.").body()
        own = {
            **HEADERS,
            "content-type": "application/json",
            "content-length": str(len(body)),
            "cache-control": "no-store",
            "connection": "close",
        }
        headers = [(name.encode(), value.encode()) for name, value in own.items()]
        head = h11.Response(status_code=400, headers=headers, reason=b"Bad Request")
        for event in (head, h11.Data(data=body), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event))
        self.transport.close()


class Server(uvicorn.Server):
    """A server that leaves signals to `serve`, and so ends with status 0."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


def listen(host: str, port: int | None) -> socket.socket:
    """Open the address to listen at: the port asked for, or the first free one from the usual one on.

    Raises:
        UserError: the port is taken, or the address is not this machine's.
    """
    ports = range(DEFAULT_PORT, DEFAULT_PORT + TRIES) if port is None else [port]
    for one in ports:
        try:
            return _listening(host, one)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or port is not None:
                raise UserError(_in_words(host, one, error)) from None
    raise UserError(f"ports {ports[0]} to {ports[-1]} of {host} are all in use: name a free one with --port.")


def _listening(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listening = socket.socket(family, kind, protocol)
    try:
        if sys.platform != "win32":  # where it would let two servers share a port
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening


def _in_words(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {port} of {host} is in use: name another with --port, or none to take the next free one."
        )
    if error.errno == errno.EACCES:
        return f"port {port} may not be used by this account: name one from 1024 on with --port."
    return f"the studio cannot listen at {host}, port {port} ({error.strerror})."


def serve(
    make: Callable[[], object],
    settings: StudioSettings,
    listening: socket.socket,
    begun: Callable[[], None] = lambda: None,
    ended: Callable[[], None] = lambda: None,
) -> None:
    """Serve until Ctrl-C or SIGTERM, then finish what is being done, within 10 seconds.

    Args:
        make: gives the `Studio`, in its process.
        settings: what the server allows.
        listening: from `listen`.
        begun: called once when requests are answered.
        ended: called once when the end begins.

    Raises:
        UserError: the model cannot be loaded.
    """
    app = make_app(make, settings)
    last = threading.Timer(LAST, os._exit, (0,))  # whatever still hangs then
    last.daemon = True

    def end() -> None:
        last.start()
        ended()

    try:
        asyncio.run(_serving(app, listening, begun, end))
    finally:
        last.cancel()
    if app.desk.inference.refusal:
        raise UserError(app.desk.inference.refusal)


async def _serving(
    app: Guard, listening: socket.socket, begun: Callable[[], None], ended: Callable[[], None]
) -> None:
    server = Server(config_of(app))

    def end() -> None:
        if server.should_exit:  # the second time: at once
            server.force_exit = True
            return
        ended()
        app.desk.inference.drain()
        server.should_exit = True

    app.desk.inference.refused = end
    _on_signals(end)
    task = asyncio.ensure_future(_call_when_started(server, listening, begun))
    try:
        await server.serve([listening])
    finally:
        task.cancel()


def config_of(app: Guard) -> uvicorn.Config:
    """Configure the server of an application."""
    return uvicorn.Config(
        app,
        http=Protocol,
        ws="none",
        loop="asyncio",
        lifespan="on",
        log_config=None,
        log_level="error",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=ACCEPTED,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=FINISH,
    )


async def _call_when_started(server: Server, listening: socket.socket, begun: Callable[[], None]) -> None:
    while not server.started:
        await asyncio.sleep(0.02)
    listening.listen(BACKLOG)  # to the system; the event loop goes on accepting a few at a time
    begun()


def _on_signals(end: Callable[[], None]) -> None:
    if threading.current_thread() is not threading.main_thread():
        return
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, end)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda number, frame: loop.call_soon_threadsafe(end))
