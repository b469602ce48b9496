"""The schema: applied, rolled back and compared with what this code needs. Uses yoyo.

A migration and the mark that it was applied are one transaction. What PostgreSQL runs
in none (CREATE INDEX CONCURRENTLY) stands alone in a file that says
`-- transactional: false`. Killed before its mark, it runs again, so it must begin by
removing what half a run leaves behind (DROP INDEX CONCURRENTLY IF EXISTS).
"""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2 import errors
from yoyo import read_migrations
from yoyo.backends.core.postgresql import PostgresqlBackend
from yoyo.connections import DatabaseURI, parse_uri
from yoyo.migrations import Migration, MigrationList

from msty_invoice.domain.errors import InvoicingError, StorageUnavailable
from msty_invoice.storage.postgres import Database, connect, first_line

_MIGRATION_TABLE = "_yoyo_migration"
# Any number that nothing else in this database uses.
_LOCK = 0x6D737479
_LOCK_SECONDS = 600  # longer than any migration should take
_TRIES = 20
_PAUSE_SECONDS = 0.5  # lets whoever queued behind us through

_APPLIED = "SELECT migration_id FROM _yoyo_migration"


class MigrationFailed(InvoicingError):
    """The database refused a migration. What it had done is undone."""


@dataclass(frozen=True)
class Step:
    """One migration, and whether this database has it."""

    name: str
    applied: bool


def directory() -> Path:
    """Where the migrations lie: beside the package in a checkout, else where pip put them."""
    checkout = Path(__file__).resolve().parents[2] / "migrations"
    return checkout if checkout.is_dir() else Path(sys.prefix, "share/msty-invoice/migrations")


def needed(folder: Path) -> frozenset[str]:
    """The migrations this code was written for."""
    return frozenset(m.id for m in _read(folder))


def _read(folder: Path) -> MigrationList:
    found = read_migrations(str(folder))
    if not found:
        # Nothing to apply is how a database looks that is up to date.
        raise FileNotFoundError(f"no migrations in {folder}")
    return found


class SchemaCheck:
    """Says whether the database has every migration this code needs."""

    def __init__(self, database: Database, names: frozenset[str]) -> None:
        self._database = database
        self._names = names

    def current(self) -> bool:
        """False if a migration is missing. Raises `StorageUnavailable`."""
        return self._names <= _applied(self._database)


def _applied(database: Database) -> set[str]:
    try:
        return {name for (name,) in database.repeat(_APPLIED)}
    except (errors.UndefinedTable, errors.InsufficientPrivilege):
        return set()  # 0001 gives the right to look, so nothing is applied


class _Backend(PostgresqlBackend):  # type: ignore[misc] # yoyo has no types
    """yoyo's backend with our connection and our lock, both the same session's."""

    def connect(self, dburi: DatabaseURI) -> Any:
        return connect(dburi.args["dsn"])

    @contextmanager
    def lock(self, timeout: float = _LOCK_SECONDS) -> Iterator[None]:
        """Keep every other migrator out, waiting up to `timeout` seconds for it to end.

        yoyo's own lock is a row, which a killed migrator leaves behind for ever. This
        one ends with its session, and so not before a killed migrator's last statement.
        """
        deadline = time.monotonic() + timeout
        # Not by waiting in the server: CREATE INDEX CONCURRENTLY waits for whoever waits there.
        while not self._take_lock():
            if time.monotonic() > deadline:
                raise StorageUnavailable("another migration is still running, try again")
            time.sleep(_PAUSE_SECONDS)
        yield
        self.execute("SELECT pg_advisory_unlock(:lock)", {"lock": _LOCK})

    def _take_lock(self) -> bool:
        cursor = self.execute("SELECT pg_try_advisory_lock(:lock)", {"lock": _LOCK})
        return bool(cursor.fetchone()[0])


def _apply(backend: _Backend, migration: Migration) -> None:
    with _one_transaction(backend, migration):
        migration.process_steps(backend, "apply")
        backend.mark_one(migration, log=False)


def _roll_back(backend: _Backend, migration: Migration) -> None:
    with _one_transaction(backend, migration):
        migration.process_steps(backend, "rollback")
        backend.unmark_one(migration, log=False)


def _one_transaction(backend: _Backend, migration: Migration) -> AbstractContextManager[object]:
    """Steps and mark together: a migrator killed between the two would not know they ran."""
    migration.load()
    return backend.transaction() if migration.use_transactions else nullcontext()


_Change = Callable[[_Backend, Migration], None]


class Migrator:
    """Changes the schema. Its DSN is the migrating role's, which owns the tables.

    Raises `StorageUnavailable` if the database is away or a table stays in use for
    `tries` times its migration's lock_timeout, and `MigrationFailed` for all else.
    """

    def __init__(self, dsn: str, folder: Path, *, tries: int = _TRIES) -> None:
        self._dsn = dsn
        self._folder = folder
        self._tries = tries

    def apply(self) -> list[str]:
        """Apply what is missing, in order, and return its names. Safe to run at once anywhere."""
        return self._change(_apply, lambda backend: backend.to_apply(self._migrations()))

    def rollback(self, count: int | None = 1) -> list[str]:
        """Undo the newest `count` migrations (all if None) and return their names."""
        return self._change(
            _roll_back, lambda backend: list(backend.to_rollback(self._migrations()))[:count]
        )

    def pending(self) -> list[str]:
        """What `apply` would apply, in order."""
        return [step.name for step in self.status() if not step.applied]

    def newest(self, count: int | None = 1) -> list[str]:
        """What `rollback` would undo, in order."""
        applied = [step.name for step in self.status() if step.applied]
        return applied[::-1][:count]

    def status(self) -> list[Step]:
        """Every migration there is, oldest first."""
        with closing(Database(self._dsn)) as database:
            applied = _applied(database)
        return [Step(m.id, m.id in applied) for m in self._migrations()]

    def _migrations(self) -> MigrationList:
        return _read(self._folder)

    def _change(
        self, change: _Change, choose: Callable[[_Backend], Iterable[Migration]]
    ) -> list[str]:
        uri = parse_uri("postgresql:///")._replace(args={"dsn": self._dsn})
        with _Backend(uri, _MIGRATION_TABLE) as backend, _translated("migrating"), backend.lock():
            backend.ensure_internal_schema_updated()
            done = []
            for migration in choose(backend):
                with _translated(migration.id):
                    self._patiently(change, backend, migration)
                done.append(migration.id)
            return done

    def _patiently(self, change: _Change, backend: _Backend, migration: Migration) -> None:
        """Leave a table in use alone after lock_timeout: requests queue behind whoever waits."""
        for tries_left in reversed(range(self._tries)):
            try:
                return change(backend, migration)
            except errors.LockNotAvailable as exc:
                if not tries_left:
                    raise StorageUnavailable(f"{migration.id}: a table stays in use") from exc
                time.sleep(_PAUSE_SECONDS)
        return None


@contextmanager
def _translated(what: str) -> Iterator[None]:
    try:
        yield
    except (psycopg2.OperationalError, psycopg2.InterfaceError) as exc:
        raise StorageUnavailable(f"{what}: {first_line(_cause(exc))}") from exc
    except psycopg2.Error as exc:
        raise MigrationFailed(f"{what}: {first_line(_cause(exc))}") from exc


def _cause(exc: BaseException) -> BaseException:
    """What went wrong first. On a lost connection yoyo's own ROLLBACK fails after it."""
    while isinstance(exc.__context__, psycopg2.Error):
        exc = exc.__context__
    return exc
