"""A client of River's API, and servers for it to talk to."""

import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from msty_invoice.lightning.river.client import RiverClient
from tests.integration.river.servers import CERTIFICATE, Behaviour, SocketServer

Serve = Callable[..., SocketServer]
Connect = Callable[..., RiverClient]

ACCOUNT = "acc_EXAMPLE"
API_KEY = "key_EXAMPLE"
DEADLINE_SECONDS = 0.5


@pytest.fixture
def certificate() -> str:
    return str(Path(__file__).with_name(CERTIFICATE))


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a server that treats its first connections as told, in that order."""
    servers: list[SocketServer] = []

    def start(*behaviours: Behaviour, tls: ssl.SSLContext | None = None) -> SocketServer:
        servers.append(SocketServer(*behaviours, tls=tls))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def connect() -> Iterator[Connect]:
    """A client with a short deadline."""
    clients: list[RiverClient] = []

    def start(
        base_url: str, deadline_seconds: float = DEADLINE_SECONDS, ca_file: str | None = None
    ) -> RiverClient:
        clients.append(
            RiverClient(
                base_url, ACCOUNT, API_KEY, deadline_seconds=deadline_seconds, ca_file=ca_file
            )
        )
        return clients[-1]

    yield start
    for client in clients:
        client.close()


@pytest.fixture
def black_hole() -> Iterator[int]:
    """A port whose queue of connections is full: a further SYN is not answered."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = [socket.socket() for _ in range(3)]
        for sock in waiting:
            sock.setblocking(False)
            sock.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]
        for sock in waiting:
            sock.close()
