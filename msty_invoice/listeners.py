"""Whether CLIENT_ADDRESS can be believed on the sockets that gunicorn listens on."""

import socket
from collections.abc import Iterable
from ipaddress import ip_address


def problem(client_address: str, sockets: Iterable[socket.socket]) -> str | None:
    """Why not, in a sentence, or None.

    Behind a unix socket every peer looks alike, so that all clients would share one
    limit. Where others can connect, each of them could write an X-Real-IP of its own.
    """
    for listener in sockets:
        local = listener.family == socket.AF_UNIX
        if local and client_address == "peer":
            return (
                "CLIENT_ADDRESS=peer cannot tell clients apart on a unix socket;"
                " set CLIENT_ADDRESS=x-real-ip, which Nginx writes there"
            )
        if not local and client_address == "x-real-ip" and not _is_loopback(listener):
            return (
                "CLIENT_ADDRESS=x-real-ip is for a unix socket or loopback:"
                " elsewhere anybody could write that header"
            )
    return None


def _is_loopback(listener: socket.socket) -> bool:
    return ip_address(listener.getsockname()[0].partition("%")[0]).is_loopback
