"""What only one may have at a time: the checkout, and the port."""

import contextlib
import errno
import fcntl
import socket
from collections.abc import Iterator
from pathlib import Path

from msty_invoice.dev.refusal import Refused, refusal


@contextlib.contextmanager
def only_one(checkout: Path) -> Iterator[None]:
    """Hold this checkout's lock, which the system takes back even after kill -9."""
    try:
        (checkout / ".dev").mkdir(mode=0o700, exist_ok=True)
        lock = (checkout / ".dev" / "lock").open("a")
    except OSError as exc:
        raise refusal(exc) from exc
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise Refused("bin/dev already runs in this checkout: end that one first.") from exc
        yield


def free_port(port: int) -> int:
    """`port` if it is free, any free one for 0. Said now, not after everything has started."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as exc:
            reason = (
                "is taken" if exc.errno == errno.EADDRINUSE else f"cannot be used ({exc.strerror})"
            )
            raise Refused(f"Port {port} {reason}: choose another one, `bin/dev --port N`.") from exc
        number: int = probe.getsockname()[1]
        return number
