"""What PostgreSQL runs in no transaction: an index built while the table is written."""

from pathlib import Path

import pytest

from msty_invoice.storage.migrations import MigrationFailed, Migrator
from tests.databases import DatabaseOfOne
from tests.storage.migrating.conftest import Start, Write, ask

_BUILD = """\
-- transactional: false
DROP INDEX CONCURRENTLY IF EXISTS made;
CREATE UNIQUE INDEX CONCURRENTLY made ON numbers (n);
"""
_DROP = "DROP INDEX CONCURRENTLY IF EXISTS made;"


@pytest.fixture
def folder(bare: DatabaseOfOne, write: Write) -> Path:
    ask(bare.migrator, "CREATE TABLE numbers AS SELECT generate_series(1, 1000) AS n")
    return write("an.index", _BUILD, _DROP)


def _valid(database: DatabaseOfOne) -> list[bool]:
    """For each index named `made`, whether it is whole."""
    rows = ask(
        database.admin,
        "SELECT indisvalid FROM pg_index JOIN pg_class ON oid = indexrelid WHERE relname = 'made'",
    )
    return [valid for (valid,) in rows]


def test_it_is_built_and_dropped(bare: DatabaseOfOne, folder: Path) -> None:
    migrator = Migrator(bare.migrator, folder)

    assert migrator.apply() == ["an.index"]
    assert _valid(bare) == [True]
    assert migrator.rollback() == ["an.index"]
    assert _valid(bare) == []


def test_three_at_once_do_not_wait_for_each_other_for_ever(
    bare: DatabaseOfOne, folder: Path, start: Start
) -> None:
    three = [start(bare.migrator, folder) for _ in range(3)]

    assert [process.wait(timeout=30) for process in three] == [0, 0, 0]
    assert _valid(bare) == [True]


def test_half_a_run_is_repaired_by_the_next(bare: DatabaseOfOne, folder: Path) -> None:
    # As one that was killed leaves it: an invalid index, and no mark.
    ask(bare.migrator, "INSERT INTO numbers VALUES (1)")
    with pytest.raises(Exception, match="could not create unique index"):
        ask(bare.migrator, "CREATE UNIQUE INDEX CONCURRENTLY made ON numbers (n)")
    ask(bare.migrator, "DELETE FROM numbers WHERE n = 1")
    assert _valid(bare) == [False]

    Migrator(bare.migrator, folder).apply()

    assert _valid(bare) == [True]


def test_one_that_fails_is_not_marked(bare: DatabaseOfOne, folder: Path) -> None:
    ask(bare.migrator, "INSERT INTO numbers VALUES (1)")

    with pytest.raises(MigrationFailed, match="could not create unique index"):
        Migrator(bare.migrator, folder).apply()

    assert _valid(bare) == []
    assert Migrator(bare.migrator, folder).pending() == ["an.index"]


def test_it_says_which_when_a_transaction_was_forgotten(bare: DatabaseOfOne, write: Write) -> None:
    folder = write("no.directive", "CREATE INDEX CONCURRENTLY made ON numbers (n);", _DROP)

    with pytest.raises(MigrationFailed, match=r"no\.directive: .* cannot run inside a transaction"):
        Migrator(bare.migrator, folder).apply()
