"""One PostgreSQL connection, opened on first use and reopened when lost."""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg2
import psycopg2.extras
from psycopg2 import errors
from psycopg2.extensions import parse_dsn

from msty_invoice.domain.errors import StorageUnavailable

Row = tuple[Any, ...]

_CONNECT_TIMEOUT_SECONDS = 2  # per host of a multi-host DSN
# libpq gives up on a silent network after this long, statement_timeout or not.
_TCP_USER_TIMEOUT_MS = 5_000
# Who only listens sends nothing, and would wait on a dead line for ever.
_IDLE_SECONDS, _BETWEEN_SECONDS, _UNANSWERED = 10, 5, 3

# The statement did not run, and may run later: the database is busy or changing hands.
_PASSING = (
    errors.QueryCanceled,  # statement_timeout
    errors.LockNotAvailable,
    errors.DeadlockDetected,
    errors.ReadOnlySqlTransaction,  # a primary that has become a standby
)

# PostgreSQL's words (syncrep.c) when somebody ends a commit's wait for its standby.
_UNREPLICATED = "synchronous replication"

psycopg2.extras.register_uuid()


class ConnectionLost(StorageUnavailable):
    """The connection died under a statement: whether it was committed is unknown."""


def connect(dsn: str, options: str = "") -> Any:
    """Connect, in autocommit: one statement is one transaction.

    `dsn` is any that libpq takes: several hosts, a socket; `options` (libpq's) are
    added to its own. Raises `StorageUnavailable`, with no part of the password in it.
    """
    try:
        connection = psycopg2.connect(
            dsn,
            connect_timeout=_CONNECT_TIMEOUT_SECONDS,
            tcp_user_timeout=_TCP_USER_TIMEOUT_MS,
            keepalives_idle=_IDLE_SECONDS,
            keepalives_interval=_BETWEEN_SECONDS,
            keepalives_count=_UNANSWERED,
            options=f"{_parsed(dsn).get('options', '')} {options}".strip(),
            application_name="msty-invoice",
        )
    except psycopg2.OperationalError as exc:
        raise StorageUnavailable(f"cannot connect: {first_line(exc)}") from exc
    connection.autocommit = True
    return connection


_PLACEHOLDER = re.compile(r"%\((\w+)\)s")


class Prepared(str):
    """A statement that the server parses and plans once for each connection.

    Written with `%(name)s` like any other; where a value could be of several types, cast it.
    """

    __slots__ = ("name", "prepare", "run")

    name: str
    prepare: str
    run: str

    def __new__(cls, name: str, statement: str) -> "Prepared":
        names = list(dict.fromkeys(_PLACEHOLDER.findall(statement)))
        number = {each: f"${i}" for i, each in enumerate(names, start=1)}
        made = super().__new__(cls, statement)
        made.name = name
        text = _PLACEHOLDER.sub(lambda found: number[found[1]], statement)
        made.prepare = f"PREPARE {name} AS {text}"
        made.run = f"EXECUTE {name} ({', '.join(f'%({each})s' for each in names)})"
        return made


class Database:
    """For one thread at a time.

    Nothing is opened here, and nothing is inherited, so that each worker has a
    connection of its own after the fork (operations GUN-7). Timeouts are in milliseconds.
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
        self._prepared: set[str] = set()
        self._owner = 0

    def execute(self, statement: str, values: Mapping[str, object] | None = None) -> list[Row]:
        """Run a statement once.

        Raises `ConnectionLost` if its outcome is unknown, `StorageUnavailable` if it
        did not run, and psycopg2's own errors for what the schema refuses.
        """
        connection = self.connection()
        with _replicated(connection), _translated(connection), connection.cursor() as cursor:
            if isinstance(statement, Prepared):
                statement = self._ready(cursor, statement)
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

    def connection(self) -> Any:
        """The open connection, opened anew if it was lost. Raises `StorageUnavailable`."""
        if self._connection is None or self._connection.closed or self._owner != os.getpid():
            # psycopg2 does not end a connection of the process we were forked from.
            self._connection = None
            self._connection = connect(self._dsn, self._options)
            self._prepared.clear()
            self._owner = os.getpid()
        return self._connection

    def _ready(self, cursor: Any, statement: Prepared) -> str:
        if statement.name not in self._prepared:
            cursor.execute(statement.prepare)
            self._prepared.add(statement.name)
        return statement.run


@contextmanager
def _replicated(connection: Any) -> Iterator[None]:
    """Refuses a commit that is on this server alone, where a failover loses it.

    Not as a `ConnectionLost`: whoever then looks, looks here, and finds it.
    """
    try:
        yield
    finally:
        if any(_UNREPLICATED in notice for notice in connection.notices):
            connection.close()
            raise StorageUnavailable("committed, but not replicated")


@contextmanager
def _translated(connection: Any) -> Iterator[None]:
    try:
        yield
    except _PASSING as exc:
        if isinstance(exc, errors.ReadOnlySqlTransaction):
            connection.close()  # the next connection finds the new primary
        raise StorageUnavailable(f"{type(exc).__name__}: {first_line(exc)}") from exc
    except psycopg2.Error as exc:
        # After a crash of the server: psycopg2 thinks it is still connected.
        if type(exc) is psycopg2.DatabaseError:
            connection.close()
        if connection.closed:
            raise ConnectionLost(f"connection lost: {first_line(exc)}") from exc
        if isinstance(exc, psycopg2.OperationalError | psycopg2.InterfaceError):
            raise StorageUnavailable(f"{type(exc).__name__}: {first_line(exc)}") from exc
        raise


def _parsed(dsn: str) -> dict[str, str]:
    """The parts of a DSN. libpq would quote what it cannot read, and that may be a password."""
    try:
        parts: dict[str, str] = parse_dsn(dsn)
    except psycopg2.ProgrammingError:
        raise StorageUnavailable("DATABASE_URL cannot be read") from None
    # An "@" or "/" in a password, not percent-encoded, puts its rest into these.
    if "@" in parts.get("host", "") + parts.get("dbname", ""):
        raise StorageUnavailable("the password in DATABASE_URL is not percent-encoded")
    return parts


def first_line(exc: BaseException) -> str:
    """The reason without its details: those may quote values."""
    return str(exc).split("\n", 1)[0]
