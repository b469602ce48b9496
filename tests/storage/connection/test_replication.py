"""A commit that no standby has is not acknowledged: a failover would lose it."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from typing import Any

import psycopg2
import pytest

from msty_invoice.domain.errors import StorageUnavailable
from msty_invoice.domain.invoice import Invoice
from msty_invoice.storage.invoices import PostgresInvoices
from msty_invoice.storage.postgres import ConnectionLost, Database
from tests.storage.conftest import make_invoice
from tests.storage.connection.conftest import Served, until

Ask = Callable[[str], list[tuple[Any, ...]]]

_WAITING = "FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'SyncRep'"


@pytest.fixture
def ask(served: Served) -> Iterator[Ask]:
    """As the administrator, while every commit but its own waits for a standby there is not."""
    with closing(psycopg2.connect(served.database.admin)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:

            def ask(statement: str) -> list[tuple[Any, ...]]:
                cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []

            ask("SET synchronous_commit = local")
            ask("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
            ask("SELECT pg_reload_conf()")
            yield ask
            ask("ALTER SYSTEM RESET synchronous_standby_names")
            ask("SELECT pg_reload_conf()")


def _added(app: Database, ask: Ask, end: str) -> "Future[Invoice]":
    """Adding an invoice, whose wait for the standby is ended by an administrator."""
    until(lambda: ask("SHOW synchronous_standby_names") == [("nobody",)])
    with ThreadPoolExecutor() as threads:
        adding = threads.submit(PostgresInvoices(app).add, make_invoice())
        until(lambda: bool(ask(f"SELECT 1 {_WAITING}")))
        ask(f"SELECT {end}(pid) {_WAITING}")
    return adding


@pytest.mark.parametrize("end", ["pg_cancel_backend", "pg_terminate_backend"])
def test_a_wait_for_the_standby_that_was_ended_is_no_success(
    app: Database, ask: Ask, end: str
) -> None:
    app.execute("SELECT 1")

    error = _added(app, ask, end).exception(timeout=10)

    # Looking would find what a failover loses.
    assert isinstance(error, StorageUnavailable)
    assert not isinstance(error, ConnectionLost)
    assert "replicated" in str(error)
    assert app.execute("SELECT 1") == [(1,)]


def test_what_one_statement_was_warned_of_is_no_fault_of_the_next(app: Database) -> None:
    app.execute("DO $$ BEGIN RAISE WARNING 'something else'; END $$")
    pid = app.execute("SELECT pg_backend_pid()")

    assert app.execute("SELECT pg_backend_pid()") == pid
