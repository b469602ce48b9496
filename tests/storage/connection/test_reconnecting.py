"""The database goes away and comes back: the same call succeeds (operations PG-12)."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from time import monotonic

import psycopg2
import pytest

from msty_invoice.dev.postgres import StopMode
from msty_invoice.domain.errors import StorageUnavailable
from msty_invoice.storage.invoices import PostgresInvoices
from msty_invoice.storage.keys import PostgresKeys
from msty_invoice.storage.postgres import Database
from tests.storage.conftest import FAMILY, make_invoice
from tests.storage.connection.conftest import SECRET, Served, until


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_the_same_calls_succeed_after_a_restart(
    served: Served, app: Database, invoices: PostgresInvoices, mode: StopMode
) -> None:
    keys = PostgresKeys(app)
    invoice = invoices.add(make_invoice())

    served.server.restart(mode)
    assert invoices.get(FAMILY, invoice.payment_hash) == invoice
    served.server.restart(mode)
    found = keys.find(SECRET)
    served.server.restart(mode)
    second = make_invoice()

    assert found is not None
    assert found.id == FAMILY
    assert invoices.add(second) == second
    assert served.counts() == (2, 2)


def test_while_the_server_is_down_it_says_so_at_once(
    served: Served, invoices: PostgresInvoices
) -> None:
    invoice = invoices.add(make_invoice())
    served.server.stop()
    try:
        began = monotonic()
        with pytest.raises(StorageUnavailable):
            invoices.get(FAMILY, invoice.payment_hash)
        with pytest.raises(StorageUnavailable):
            invoices.add(make_invoice())
        assert monotonic() - began < 2
    finally:
        served.server.start()

    assert invoices.get(FAMILY, invoice.payment_hash) == invoice
    assert served.counts() == (1, 1)


def test_a_connection_ended_before_an_add_costs_nothing(
    served: Served, app: Database, invoices: PostgresInvoices
) -> None:
    app.execute("SELECT 1")
    served.terminate()
    invoice = make_invoice()

    assert invoices.add(invoice) == invoice
    assert served.counts() == (1, 1)


def test_a_connection_ended_during_an_add_costs_nothing(
    served: Served, invoices: PostgresInvoices
) -> None:
    invoice = make_invoice()
    with closing(psycopg2.connect(served.database.migrator)) as blocker, ThreadPoolExecutor() as t:
        with blocker.cursor() as cursor:
            cursor.execute("LOCK TABLE invoices IN SHARE MODE")
            ((own,),) = served.ask(
                "SELECT pid FROM pg_stat_activity WHERE usename = 'test_migrator'"
            )
        adding = t.submit(invoices.add, invoice)
        until(lambda: served.waiting() == 1)
        served.ask(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            f" WHERE datname = current_database() AND pid NOT IN ({own}, pg_backend_pid())"
        )
        until(lambda: served.waiting() == 1)  # the second try
        blocker.rollback()

        assert adding.result(timeout=10) == invoice
    assert served.counts() == (1, 1)
