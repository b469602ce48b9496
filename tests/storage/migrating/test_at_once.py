"""Several migrators at once, and ones that die at work."""

import re
from collections.abc import Callable
from contextlib import closing
from time import monotonic, sleep

import psycopg2
import pytest

from msty_invoice.domain.errors import StorageUnavailable
from msty_invoice.storage.migrations import MigrationFailed, Migrator
from tests.databases import DatabaseOfOne
from tests.storage.migrating.conftest import NAMES, Start, Write, ask, migrate

_SLOW = "CREATE TABLE made (id int);\nSELECT pg_sleep({seconds});\nCREATE TABLE made_too (id int);"
_UNDO = "DROP TABLE made_too;\nDROP TABLE made;"


def _until(condition: Callable[[], object]) -> None:
    end = monotonic() + 20
    while not condition():
        assert monotonic() < end, "it never came"
        sleep(0.01)


def _sleeping(database: DatabaseOfOne) -> bool:
    """Whether a migrator is inside its pg_sleep."""
    statement = (
        "SELECT 1 FROM pg_stat_activity"
        " WHERE wait_event = 'PgSleep' AND datname = current_database()"
    )
    return bool(ask(database.admin, statement))


def _tables(database: DatabaseOfOne) -> set[str]:
    rows = ask(database.admin, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    return {name for (name,) in rows if "yoyo" not in name}


@pytest.mark.parametrize("time", range(3))
def test_three_at_once_apply_each_migration_once(
    bare: DatabaseOfOne, start: Start, time: int
) -> None:
    three = [start(bare.migrator) for _ in range(3)]

    said = [process.communicate(timeout=60) for process in three]

    assert [process.returncode for process in three] == [0, 0, 0], said
    applied = re.findall("applied (.+)", "".join(out for out, _ in said))
    assert applied == NAMES
    assert "MISSING" not in migrate(bare.migrator, "status").stdout


def test_one_killed_at_work_leaves_nothing_and_the_next_applies(
    bare: DatabaseOfOne, start: Start, write: Write
) -> None:
    folder = write("killed.at-work", _SLOW.format(seconds=3), _UNDO)
    first = start(bare.migrator, folder)
    _until(lambda: _sleeping(bare))

    first.kill()
    first.wait()
    second = start(bare.migrator, folder)

    # Its statement still runs in the server, and nobody else begins before that ends.
    assert _sleeping(bare)
    assert second.wait(timeout=30) == 0
    assert _tables(bare) == {"made", "made_too"}
    assert Migrator(bare.migrator, folder).apply() == []


def test_one_killed_before_its_mark_leaves_nothing(
    bare: DatabaseOfOne, start: Start, write: Write
) -> None:
    folder = write("the.first", "SELECT 1;")
    Migrator(bare.migrator, folder).apply()
    write("un.marked", "CREATE TABLE made (id int);", "DROP TABLE made;")
    with closing(psycopg2.connect(bare.migrator)) as blocker:
        with blocker.cursor() as cursor:
            cursor.execute("LOCK TABLE _yoyo_migration IN SHARE MODE")
        process = start(bare.migrator, folder)
        _until(lambda: ask(bare.admin, "SELECT 1 FROM pg_locks WHERE NOT granted"))
        process.kill()
        process.wait()

    assert Migrator(bare.migrator, folder).apply() == ["un.marked"]
    assert _tables(bare) == {"made"}


def test_one_cut_off_by_the_server_leaves_nothing(
    bare: DatabaseOfOne, start: Start, write: Write
) -> None:
    folder = write("cut.off", _SLOW.format(seconds=60), _UNDO)
    first = start(bare.migrator, folder)
    _until(lambda: _sleeping(bare))

    ask(bare.admin, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        f" WHERE datname = '{bare.name}' AND pid <> pg_backend_pid()")  # fmt: skip

    _, said = first.communicate(timeout=10)
    # What libpq saw of the end: the server's last words, or only that it hung up.
    assert re.search("StorageUnavailable: cut.off: (terminating|server closed)", said)
    assert _tables(bare) == set()
    folder = write("cut.off", _SLOW.format(seconds=0), _UNDO)
    assert Migrator(bare.migrator, folder).apply() == ["cut.off"]


def test_one_that_fails_half_way_leaves_nothing(bare: DatabaseOfOne, write: Write) -> None:
    folder = write("half.way", "CREATE TABLE made (id int);\nSELECT 1 / 0;\n")

    with pytest.raises(MigrationFailed, match=r"half\.way: division by zero"):
        Migrator(bare.migrator, folder).apply()

    assert _tables(bare) == set()
    assert Migrator(bare.migrator, folder).pending() == ["half.way"]


def test_a_rollback_that_fails_half_way_undoes_nothing(bare: DatabaseOfOne, write: Write) -> None:
    folder = write("back.half-way", "CREATE TABLE made (id int);", "DROP TABLE made; SELECT 1 / 0;")
    migrator = Migrator(bare.migrator, folder)
    migrator.apply()

    with pytest.raises(MigrationFailed):
        migrator.rollback()

    assert _tables(bare) == {"made"}
    assert migrator.pending() == []


def test_without_a_server_it_says_so(write: Write) -> None:
    folder = write("no.server", "SELECT 1;")

    with pytest.raises(StorageUnavailable, match="cannot connect"):
        Migrator("postgresql:///x?host=/nonexistent", folder).apply()
