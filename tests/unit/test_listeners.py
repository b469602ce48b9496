"""On which sockets a client's address can be believed."""

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from msty_invoice.listeners import problem


@pytest.fixture
def unix(tmp_path: Path) -> Iterator[socket.socket]:
    with closing(socket.socket(socket.AF_UNIX)) as made:
        made.bind(str(tmp_path / "s"))
        yield made


def _bound(host: str) -> socket.socket:
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    made.bind((host, 0))
    return made


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "0.0.0.0", "::"])
def test_a_peer_can_be_told_on_any_network_socket(host: str) -> None:
    with closing(_bound(host)) as listener:
        assert problem("peer", [listener]) is None


def test_peers_look_alike_on_a_unix_socket(unix: socket.socket) -> None:
    with closing(_bound("127.0.0.1")) as listener:
        assert "CLIENT_ADDRESS=peer cannot tell" in (problem("peer", [listener, unix]) or "")
        assert problem("x-real-ip", [listener, unix]) is None


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_x_real_ip_is_for_this_machine(host: str) -> None:
    with closing(_bound(host)) as listener:
        assert problem("x-real-ip", [listener]) is None


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_x_real_ip_is_not_believed_of_others(host: str) -> None:
    with closing(_bound(host)) as listener:
        assert "anybody could write" in (problem("x-real-ip", [listener]) or "")
