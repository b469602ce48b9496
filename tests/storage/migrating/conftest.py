"""Migrating an empty database: by the real command, and from folders of a test's own."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

import psycopg2
import pytest

from msty_invoice.storage.migrations import directory, needed
from tests.databases import DatabaseOfOne

NAMES = sorted(needed(directory()))

# Stands in for `migrate apply`, with a folder of the test's own.
_APPLY = """
import sys
from pathlib import Path
from msty_invoice.storage.migrations import Migrator
Migrator(sys.argv[1], Path(sys.argv[2])).apply()
"""


def ask(dsn: str, statement: str) -> list[tuple[Any, ...]]:
    with closing(psycopg2.connect(dsn)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []


def migrate(dsn: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`msty-invoice migrate ARGUMENTS`, as an operator runs it."""
    return subprocess.run(_command(*arguments), env=_env(dsn), capture_output=True, text=True)


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "msty_invoice.cli", "migrate", *arguments]


def _env(dsn: str) -> dict[str, str]:
    return {"PATH": os.defpath} | ({"DATABASE_URL": dsn} if dsn else {})


Started = subprocess.Popen[str]


class Start(Protocol):
    """Starts a migrator in a process of its own; with a folder, one that applies that folder."""

    def __call__(self, dsn: str, folder: Path | None = None) -> Started: ...


@pytest.fixture
def start() -> Iterator[Start]:
    running: list[Started] = []

    def one(dsn: str, folder: Path | None = None) -> Started:
        own = [sys.executable, "-c", _APPLY, dsn, str(folder)]
        process = subprocess.Popen(
            own if folder else _command("apply"),
            env=_env(dsn),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        return process

    yield one
    for process in running:
        process.kill()
        process.communicate()


Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a migration (name, what applies it, what undoes it) and returns its folder."""

    def one(name: str, apply: str, rollback: str = "") -> Path:
        (tmp_path / f"{name}.sql").write_text(apply)
        (tmp_path / f"{name}.rollback.sql").write_text(rollback)
        return tmp_path

    return one


@pytest.fixture(params=["bare_database", "bare_database_15"])
def bare(request: pytest.FixtureRequest) -> DatabaseOfOne:
    found: DatabaseOfOne = request.getfixturevalue(request.param)
    return found


@pytest.fixture(params=["database", "database_15"])
def migrated(request: pytest.FixtureRequest) -> DatabaseOfOne:
    found: DatabaseOfOne = request.getfixturevalue(request.param)
    return found
