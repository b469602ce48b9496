"""A worker's one connection to Redis. No call on it outlasts its deadline."""

import os
from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from time import monotonic
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.connection import AbstractConnection, Connection, parse_url
from redis.retry import Retry

from msty_invoice.storage import sentinel

# How to connect; the argument is the seconds to wait for each step.
Dial = Callable[[float], AbstractConnection]

PATIENCE_SECONDS = 0.025  # for a connection, and again for a reply


# No HELLO and no CLIENT SETINFO: without a password and a database number,
# connecting costs no round trip.
_PLAIN: dict[str, Any] = {"protocol": 2, "driver_info": None, "retry": Retry(NoBackoff(), 0)}


def dialler(url: str) -> Dial:
    """How to reach a redis://, rediss://, unix:// or redis+sentinel:// URL.

    Raises `ValueError` for any other.
    """
    if url.startswith(f"{sentinel.SCHEME}:"):
        return sentinel.dialler(url, _PLAIN)
    options: dict[str, Any] = parse_url(url) | _PLAIN
    kind = options.pop("connection_class", Connection)

    def dial(seconds: float) -> AbstractConnection:
        timeouts = {"socket_connect_timeout": seconds, "socket_timeout": seconds}
        connection: AbstractConnection = kind(**options | timeouts)
        connection.connect()
        return connection

    return dial


class RedisLink:
    """Opened on first use, after the fork; for one thread, as a sync worker is.

    Talks to redis-py's connection without its client, which costs a third more CPU.
    Raises redis-py's `RedisError` and, from connecting, `OSError` and `ValueError`.
    """

    def __init__(self, dial: Dial, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._dial = dial
        self._patience_seconds = patience_seconds
        self._connection: AbstractConnection | None = None
        self._dialling: Future[AbstractConnection] | None = None
        self._pid = os.getpid()

    def deadline(self) -> float:
        """When a call that starts now ends at the latest, on `time.monotonic`."""
        return monotonic() + 2 * self._patience_seconds

    def ask(self, deadline: float, *command: str | int) -> Any:
        """Redis' reply. Sent once more if Redis had closed the kept connection meanwhile."""
        connection = self._kept()
        if connection is None:
            return self._exchange(self._opened(deadline), deadline, command)
        try:
            return self._exchange(connection, deadline, command)
        except redis.ConnectionError:
            return self._exchange(self._opened(deadline), deadline, command)

    def drop(self) -> None:
        """Close the connection, if there is one. The next call opens another."""
        if self._connection:
            self._connection.disconnect()
        self._connection = None

    def _exchange(
        self, connection: AbstractConnection, deadline: float, command: tuple[str | int, ...]
    ) -> Any:
        try:
            connection.send_command(*command)
            seconds = min(self._patience_seconds, _left(deadline))
            return connection.read_response(timeout=seconds)
        except redis.exceptions.NoScriptError:
            raise
        except BaseException:
            # A late reply must never be read as the answer to the next command.
            self.drop()
            raise

    def _kept(self) -> AbstractConnection | None:
        if self._pid != os.getpid():
            # Inherited through a fork: the socket is the parent's, so leave it alone.
            self._connection = self._dialling = None
            self._pid = os.getpid()
        return self._connection

    def _opened(self, deadline: float) -> AbstractConnection:
        """A new connection, made in a thread: no socket timeout bounds a name look-up or TLS."""
        dialling, self._dialling = self._dialling or self._begin(), None
        try:
            # A tenth of the time is for the reply. TLS alone may take 30 ms.
            self._connection = dialling.result(0.9 * _left(deadline))
        except TimeoutError as exc:
            if dialling.done():
                raise
            self._dialling = dialling  # left to finish: a later call will use it
            raise redis.TimeoutError("no connection yet") from exc
        return self._connection

    def _begin(self) -> Future[AbstractConnection]:
        dialling: Future[AbstractConnection] = Future()

        def run() -> None:
            try:
                dialling.set_result(self._dial(self._patience_seconds))
            except Exception as exc:  # noqa: BLE001 - raised again where the result is awaited
                dialling.set_exception(exc)

        Thread(target=run, name="redis-dial", daemon=True).start()
        return dialling


def _left(deadline: float) -> float:
    # Never 0, which would mean "do not block" to a socket.
    return max(0.001, deadline - monotonic())
