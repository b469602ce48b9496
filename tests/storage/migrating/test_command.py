"""`msty-invoice migrate`: what it prints, and how it ends."""

import json
from subprocess import CompletedProcess

import pytest

from tests.databases import DatabaseOfOne
from tests.storage.migrating.conftest import NAMES, ask, migrate


def _lines(word: str, names: list[str]) -> str:
    return "".join(f"{word} {name}\n" for name in names)


def _quiet(done: CompletedProcess[str]) -> str:
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_it_says_what_it_does_and_nothing_else(bare: DatabaseOfOne) -> None:
    assert _quiet(migrate(bare.migrator, "apply", "--dry-run")) == _lines("would apply", NAMES)
    assert _quiet(migrate(bare.migrator, "apply")) == _lines("applied", NAMES)
    assert _quiet(migrate(bare.migrator, "apply")) == "nothing to do\n"
    undone = NAMES[::-1]
    dry_run = migrate(bare.migrator, "rollback", "--all", "--dry-run")
    assert _quiet(dry_run) == _lines("would undo", undone)
    last = migrate(bare.migrator, "rollback", "--yes")
    assert _quiet(last) == _lines("undid", undone[:1])
    rest = migrate(bare.migrator, "rollback", "--all", "--yes")
    assert _quiet(rest) == _lines("undid", undone[1:])


def test_a_machine_may_read_it(bare_database: DatabaseOfOne) -> None:
    dsn = bare_database.migrator

    assert json.loads(_quiet(migrate(dsn, "apply", "--dry-run", "--json"))) == {
        "would_apply": NAMES
    }
    assert json.loads(_quiet(migrate(dsn, "apply", "--json"))) == {"applied": NAMES}
    assert json.loads(_quiet(migrate(dsn, "status", "--json"))) == [
        {"name": name, "applied": True} for name in NAMES
    ]


def test_a_dry_run_changes_nothing(bare_database: DatabaseOfOne) -> None:
    migrate(bare_database.migrator, "apply", "--dry-run")

    assert ask(bare_database.admin, "SELECT 1 FROM pg_tables WHERE schemaname = 'public'") == []


def test_status_is_1_while_one_is_missing(bare_database: DatabaseOfOne) -> None:
    dsn = bare_database.migrator
    migrate(dsn, "apply")
    migrate(dsn, "rollback", "--yes")

    missing = migrate(dsn, "status")

    assert missing.returncode == 1
    assert missing.stdout.count("MISSING") == 1
    assert missing.stdout.count("applied") == len(NAMES) - 1


def test_the_apps_role_may_ask_for_the_status(database: DatabaseOfOne) -> None:
    assert "MISSING" not in _quiet(migrate(database.app, "status"))


def test_a_rollback_must_be_meant(database: DatabaseOfOne) -> None:
    refused = migrate(database.migrator, "rollback")

    assert refused.returncode == 2
    assert NAMES[-1] in refused.stderr
    assert "MISSING" not in migrate(database.migrator, "status").stdout


@pytest.mark.parametrize("count", ["0", "-1", "two"])
def test_it_undoes_a_whole_number_of_migrations(count: str) -> None:
    refused = migrate("postgresql:///any", "rollback", f"--count={count}")

    assert refused.returncode == 2
    assert "1 or more" in refused.stderr


def test_without_a_database_url_it_is_2() -> None:
    refused = migrate("", "apply")

    assert refused.returncode == 2
    assert refused.stderr == "msty-invoice: settings: DATABASE_URL is missing\n"


@pytest.mark.parametrize("action", [["apply"], ["status"], ["rollback", "--yes"]])
def test_with_the_server_away_it_is_75(action: list[str]) -> None:
    away = migrate("postgresql://m:of-a-test@/invoices?host=/nonexistent", *action)

    assert away.returncode == 75
    assert away.stdout == ""
    assert away.stderr.count("\n") == 1
    assert "of-a-test" not in away.stderr


def test_a_role_that_may_not_migrate_is_told_in_a_sentence(database: DatabaseOfOne) -> None:
    migrate(database.migrator, "rollback", "--yes")

    refused = migrate(database.app, "apply")

    assert refused.returncode == 1
    assert refused.stdout == ""
    assert refused.stderr == "msty-invoice: migrating: permission denied for schema public\n"
