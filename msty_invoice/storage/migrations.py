"""The schema: applied, rolled back and compared with what this code needs. Uses yoyo."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2 import errors
from yoyo import read_migrations
from yoyo.backends.core.postgresql import PostgresqlBackend
from yoyo.connections import DatabaseURI, parse_uri
from yoyo.migrations import Migration, MigrationList

from msty_invoice.domain.errors import StorageUnavailable
from msty_invoice.storage.postgres import Database

_MIGRATION_TABLE = "_yoyo_migration"
_CONNECT_TIMEOUT_SECONDS = 5
# Any number that nothing else in this database uses. Held while migrating, so that
# several machines may be told to migrate at once.
_LOCK = 0x6D737479
_LOCK_TRIES = 10  # a migration waits 2 s for a table (its lock_timeout), this many times

_APPLIED = "SELECT migration_id FROM _yoyo_migration"


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
    return frozenset(m.id for m in read_migrations(str(folder)))


class SchemaCheck:
    """Says whether the database has every migration this code needs."""

    def __init__(self, database: Database, names: frozenset[str]) -> None:
        self._database = database
        self._names = names

    def current(self) -> bool:
        """False if a migration is missing. Raises `StorageUnavailable`."""
        try:
            rows = self._database.repeat(_APPLIED)
        except (errors.UndefinedTable, errors.InsufficientPrivilege):
            return False  # nothing was ever applied
        return self._names <= {name for (name,) in rows}


class _Backend(PostgresqlBackend):  # type: ignore[misc] # yoyo has no types
    """yoyo's backend, which hands our DSN to libpq as it is: several hosts, a socket, anything."""

    def connect(self, dburi: DatabaseURI) -> Any:
        connection = psycopg2.connect(dburi.args["dsn"], connect_timeout=_CONNECT_TIMEOUT_SECONDS)
        connection.autocommit = True
        return connection


def _apply(backend: _Backend, migration: Migration) -> None:
    """In one transaction with its mark: a migrator killed between the two would not know it ran."""
    with backend.transaction():
        migration.process_steps(backend, "apply")
        backend.mark_one(migration, log=False)


def _roll_back(backend: _Backend, migration: Migration) -> None:
    with backend.transaction():
        migration.process_steps(backend, "rollback")
        backend.unmark_one(migration, log=False)


_Change = Callable[[_Backend, Migration], None]


def _patiently(change: _Change, backend: _Backend, migration: Migration) -> None:
    """A table in use is left alone after lock_timeout, so that no request queues behind us."""
    for tries_left in reversed(range(_LOCK_TRIES)):
        try:
            return change(backend, migration)
        except errors.LockNotAvailable as exc:
            if not tries_left:
                raise StorageUnavailable(f"{migration.id}: a table is in use, try again") from exc
    return None


class Migrator:
    """Changes the schema. Its DSN is the migrating role's, which owns the tables."""

    def __init__(self, dsn: str, folder: Path) -> None:
        self._dsn = dsn
        self._folder = folder

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
        database = Database(self._dsn)
        try:
            applied = {name for (name,) in database.repeat(_APPLIED)}
        except errors.UndefinedTable:
            applied = set()
        finally:
            database.close()
        return [Step(m.id, m.id in applied) for m in self._migrations()]

    def _migrations(self) -> MigrationList:
        return read_migrations(str(self._folder))

    def _change(
        self, change: _Change, choose: Callable[[_Backend], Iterable[Migration]]
    ) -> list[str]:
        with self._locked() as backend:
            done = []
            for migration in choose(backend):
                _patiently(change, backend, migration)
                done.append(migration.id)
            return done

    @contextmanager
    def _locked(self) -> Iterator[_Backend]:
        """A backend, while no other migrator works on this database.

        yoyo's own lock is a row, which a killed migrator leaves behind for ever.
        Ours ends with its connection; holding it, any such row is a dead one's.
        """
        try:
            holder = psycopg2.connect(self._dsn, connect_timeout=_CONNECT_TIMEOUT_SECONDS)
        except psycopg2.OperationalError as exc:
            reason = str(exc).split("\n", 1)[0]
            raise StorageUnavailable(f"cannot connect: {reason}") from exc
        try:
            with holder.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
            uri = parse_uri("postgresql:///")._replace(args={"dsn": self._dsn})
            with _Backend(uri, _MIGRATION_TABLE) as backend:
                backend.init_database()
                backend.ensure_internal_schema_updated()
                backend.break_lock()
                with backend.lock():
                    yield backend
        finally:
            holder.close()
