"""Servers that are not well, and logs pointed at them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from socket import socket
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread

from msty_invoice.storage.redis_link import PATIENCE_SECONDS, RedisLink, dialler
from msty_invoice.storage.sliding_log import SlidingLog

Serve = Callable[[socket], None]


@contextmanager
def serving(serve: Serve) -> Iterator[str]:
    """The URL of a port where every connection is given to `serve`."""

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            serve(self.request)

    with ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        try:
            yield f"redis://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()


def answering(reply: bytes) -> Serve:
    """Reads a command, writes `reply` and hangs up."""

    def serve(connection: socket) -> None:
        if connection.recv(65536):
            connection.sendall(reply)

    return serve


def hanging_up(connection: socket) -> None:
    """Closes at once."""


def silent(connection: socket) -> None:
    """Reads all and answers nothing, until the client hangs up."""
    while connection.recv(65536):
        pass


@contextmanager
def log_at(url: str, patience: float = PATIENCE_SECONDS) -> Iterator[SlidingLog]:
    """A log whose Redis is at `url`, as impatient as in production."""
    link = RedisLink(dialler(url), patience)
    try:
        yield SlidingLog(link)
    finally:
        link.drop()
