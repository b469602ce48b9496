"""One moment by which a whole call must end, kept by the sockets themselves.

A socket's own timeout starts anew with every read, so a server that sends a byte
now and then is never too slow for it. These sockets wait, each time, only for
what is left of the call.
"""

import socket
import ssl
import time
from collections.abc import Callable
from typing import Any


class Deadline:
    """When the call now running must end. One thread, one call at a time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._ends_at = clock()

    def start(self, seconds: float) -> None:
        """Begin a call that may last `seconds` in all."""
        self._ends_at = self.clock() + seconds

    def left(self) -> float:
        """The seconds that are left, always more than 0. Raises `TimeoutError` at the end."""
        seconds = self._ends_at - self.clock()
        if seconds <= 0:
            raise TimeoutError("the deadline of the call has passed")
        return seconds


# For one answer, its head included. `http.client` alone would read megabytes of
# headers, and for a chunk of size -1 all there is.
MAX_ANSWER_BYTES = 256 * 1024


class TooMuchReceived(Exception):
    """More has come than any answer needs."""


class DeadlineSocket(socket.socket):
    """A TCP socket that waits only for what is left, and reads only `MAX_ANSWER_BYTES`.

    Whoever makes it sets `deadline` before anything is sent or received, and
    `received` back to 0 before each request. `ended` once the other side has closed.
    """

    deadline: Deadline
    received = 0
    ended = False

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(self.deadline.left())
        count = super().recv_into(*args, **kwargs)
        self.received += count
        self.ended = not count
        if self.received > MAX_ANSWER_BYTES:
            raise TooMuchReceived
        return count

    def send(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(self.deadline.left())
        return super().send(*args, **kwargs)

    def sendall(self, *args: Any, **kwargs: Any) -> None:
        # For TCP the timeout covers all of it; TLS comes back to `send` for each part.
        self.settimeout(self.deadline.left())
        super().sendall(*args, **kwargs)


class DeadlineTlsSocket(DeadlineSocket, ssl.SSLSocket):
    """The same inside TLS: give this class to `SSLContext.sslsocket_class`."""
