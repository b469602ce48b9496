"""Every migration applies, rolls back, and applies again to the same schema."""

from pathlib import Path
from typing import Any

import pytest

from msty_invoice.storage.migrations import Migrator, SchemaCheck, directory, needed
from msty_invoice.storage.postgres import Database
from tests.databases import DatabaseOfOne
from tests.storage.migrating.conftest import NAMES, ask

# All that migrations make: relations with their rights, columns, constraints, triggers, functions.
_SCHEMA = """
    SELECT relname::text, relkind::text, relacl::text FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relname NOT LIKE '%yoyo%'
    UNION ALL
    SELECT attrelid::regclass || '.' || attname, format_type(atttypid, atttypmod), attacl::text
    FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
    WHERE relnamespace = 'public'::regnamespace AND relname NOT LIKE '%yoyo%'
    AND attnum > 0 AND NOT attisdropped
    UNION ALL
    SELECT conrelid::regclass || '.' || conname, pg_get_constraintdef(oid), '' FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text NOT LIKE '%yoyo%'
    UNION ALL
    SELECT tgname, pg_get_triggerdef(oid), tgenabled::text FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL
    SELECT proname, prosrc, proacl::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    ORDER BY 1, 2, 3
"""


def _schema(database: DatabaseOfOne) -> list[tuple[Any, ...]]:
    return ask(database.migrator, _SCHEMA)


def test_all_of_it_there_and_back_and_there_again(bare: DatabaseOfOne) -> None:
    migrator = Migrator(bare.migrator, directory())

    assert migrator.apply() == NAMES
    first = _schema(bare)
    assert migrator.rollback(None) == NAMES[::-1]
    assert _schema(bare) == []
    assert migrator.apply() == NAMES
    assert _schema(bare) == first


def test_each_step_there_and_back(bare: DatabaseOfOne, tmp_path: Path) -> None:
    for name in NAMES:
        for file in directory().glob(f"{name}*.sql"):
            (tmp_path / file.name).write_text(file.read_text())
        migrator = Migrator(bare.migrator, tmp_path)
        before = _schema(bare)

        assert migrator.apply() == [name]
        after = _schema(bare)
        assert migrator.rollback() == [name]
        assert _schema(bare) == before
        assert migrator.apply() == [name]
        assert _schema(bare) == after


def test_applying_again_does_nothing(migrated: DatabaseOfOne) -> None:
    assert Migrator(migrated.migrator, directory()).apply() == []


def test_readiness_sees_what_is_missing(bare: DatabaseOfOne) -> None:
    migrator = Migrator(bare.migrator, directory())
    check = SchemaCheck(Database(bare.migrator), needed(directory()))

    assert not check.current()
    migrator.apply()
    assert check.current()
    migrator.rollback()
    assert not check.current()


def test_the_apps_role_may_ask_what_is_applied(migrated: DatabaseOfOne) -> None:
    assert SchemaCheck(Database(migrated.app), needed(directory())).current()


def test_a_newer_schema_is_good_enough(migrated: DatabaseOfOne) -> None:
    assert SchemaCheck(Database(migrated.app), needed(directory()) - {NAMES[-1]}).current()


def test_a_folder_without_migrations_is_a_mistake(bare: DatabaseOfOne, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no migrations in"):
        needed(tmp_path)
    with pytest.raises(FileNotFoundError, match="no migrations in"):
        Migrator(bare.migrator, tmp_path).apply()
