"""One PostgreSQL connection, opened on first use and reopened when lost."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg2
import psycopg2.extras
from psycopg2 import errors

from msty_invoice.domain.errors import StorageUnavailable

Row = tuple[Any, ...]

_CONNECT_TIMEOUT_SECONDS = 2  # per host of a multi-host DSN
# libpq gives up on a silent network after this long, statement_timeout or not.
_TCP_USER_TIMEOUT_MS = 5_000

# The statement did not run, and may run later: the database is busy or changing hands.
_PASSING = (
    errors.QueryCanceled,  # statement_timeout
    errors.LockNotAvailable,
    errors.DeadlockDetected,
    errors.ReadOnlySqlTransaction,  # a primary that has become a standby
)

psycopg2.extras.register_uuid()


class ConnectionLost(StorageUnavailable):
    """The connection died under a statement: whether it was committed is unknown."""


class Database:
    """Autocommit: one statement is one transaction. For one thread at a time.

    Nothing is opened here, so that each worker has a connection of its own after
    the fork (operations GUN-7). Timeouts are in milliseconds.
    """

    def __init__(
        self, dsn: str, *, statement_timeout: int = 3_000, lock_timeout: int = 1_000
    ) -> None:
        self._dsn = dsn
        self._options = (
            f"-c statement_timeout={statement_timeout} -c lock_timeout={lock_timeout}"
            " -c idle_in_transaction_session_timeout=5000 -c timezone=UTC"
        )
        self._connection: Any = None

    def execute(self, statement: str, values: Mapping[str, object] | None = None) -> list[Row]:
        """Run a statement once.

        Raises `ConnectionLost` if its outcome is unknown, `StorageUnavailable` if it
        did not run, and psycopg2's own errors for what the schema refuses.
        """
        connection = self._open()
        with _translated(connection), connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    def repeat(self, statement: str, values: Mapping[str, object] | None = None) -> list[Row]:
        """Run a statement that may safely run twice: once more if the connection was lost."""
        try:
            return self.execute(statement, values)
        except ConnectionLost:
            return self.execute(statement, values)

    def close(self) -> None:
        """Close the connection, if there is one; the next statement opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> Any:
        if self._connection is None or self._connection.closed:
            try:
                self._connection = psycopg2.connect(
                    self._dsn,
                    connect_timeout=_CONNECT_TIMEOUT_SECONDS,
                    tcp_user_timeout=_TCP_USER_TIMEOUT_MS,
                    options=self._options,
                    application_name="msty-invoice",
                )
            except psycopg2.OperationalError as exc:
                raise StorageUnavailable(f"cannot connect: {_first_line(exc)}") from exc
            self._connection.autocommit = True
        return self._connection


@contextmanager
def _translated(connection: Any) -> Iterator[None]:
    try:
        yield
    except _PASSING as exc:
        if isinstance(exc, errors.ReadOnlySqlTransaction):
            connection.close()  # the next connection finds the new primary
        raise StorageUnavailable(f"{type(exc).__name__}: {_first_line(exc)}") from exc
    except (psycopg2.OperationalError, psycopg2.InterfaceError) as exc:
        if connection.closed:
            raise ConnectionLost(f"connection lost: {_first_line(exc)}") from exc
        raise StorageUnavailable(f"{type(exc).__name__}: {_first_line(exc)}") from exc


def _first_line(exc: Exception) -> str:
    """libpq's reason without its details; it names hosts and users, never a password."""
    return str(exc).split("\n", 1)[0]
