"""Migrating while the service works: nobody waits long (operations PG-11)."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from time import monotonic

import psycopg2
import pytest

from msty_invoice.domain.errors import StorageUnavailable
from msty_invoice.storage.migrations import Migrator, directory
from msty_invoice.storage.postgres import Database
from tests.databases import DatabaseOfOne
from tests.storage.migrating.conftest import Write, ask

_APP_LOCK_TIMEOUT_MS = 1_000
_SET = re.search(
    "SET LOCAL lock_timeout.*;", (directory() / "0003.create-invoices.sql").read_text()
)
assert _SET
_ADD_COLUMN = f"{_SET[0]}\nALTER TABLE invoices ADD COLUMN seen boolean;"
_DROP_COLUMN = "ALTER TABLE invoices DROP COLUMN seen;"


@contextmanager
def _reader(database: DatabaseOfOne) -> Iterator[psycopg2.extensions.connection]:
    """A transaction that has read `invoices` and stays open."""
    with closing(psycopg2.connect(database.readonly)) as connection:
        with connection.cursor() as cursor:
            cursor.execute("SELECT FROM invoices")
        yield connection


def _added(database: DatabaseOfOne) -> bool:
    return bool(ask(database.admin, "SELECT 1 FROM pg_attribute WHERE attname = 'seen'"))


def test_it_succeeds_when_the_reader_ends_and_requests_never_fail(
    migrated: DatabaseOfOne, write: Write
) -> None:
    folder = write("busy.table", _ADD_COLUMN, _DROP_COLUMN)
    app = Database(migrated.app, lock_timeout=_APP_LOCK_TIMEOUT_MS)
    with ThreadPoolExecutor() as threads, _reader(migrated) as reader:
        migrating = threads.submit(Migrator(migrated.migrator, folder).apply)
        end = monotonic() + 3
        while monotonic() < end:
            # Raises if it waits for longer than the service's own lock_timeout.
            app.execute("SELECT FROM invoices")
        assert not migrating.done()

        reader.rollback()

        assert migrating.result(timeout=10) == ["busy.table"]
    assert _added(migrated)


def test_it_gives_up_and_leaves_nothing(migrated: DatabaseOfOne, write: Write) -> None:
    folder = write("given.up", _ADD_COLUMN, _DROP_COLUMN)

    with _reader(migrated), pytest.raises(StorageUnavailable, match="a table stays in use"):
        Migrator(migrated.migrator, folder, tries=2).apply()

    assert not _added(migrated)
    assert Migrator(migrated.migrator, folder).apply() == ["given.up"]


_MIGRATIONS = sorted(directory().glob("*.sql"))


@pytest.mark.parametrize("path", _MIGRATIONS, ids=lambda path: path.name)
def test_every_migration_gives_up_before_a_request_does(path: Path) -> None:
    said = re.search(r"^SET LOCAL lock_timeout = '(\d+)ms';$", path.read_text(), re.MULTILINE)

    assert said, "a migration waits for a table half as long as a request does, or less"
    assert int(said[1]) * 2 <= _APP_LOCK_TIMEOUT_MS
