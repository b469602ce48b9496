"""The answer to an INSERT is lost: there is one invoice, and it is returned (operations PG-13)."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psycopg2
import pytest

from msty_invoice.domain.errors import InvoiceIssuedTwice
from msty_invoice.storage.invoices import PostgresInvoices
from msty_invoice.storage.postgres import ConnectionLost, Database
from tests.storage.conftest import FAMILY, make_invoice
from tests.storage.connection.conftest import Served, until
from tests.storage.connection.proxy import CuttingProxy


def test_an_answer_cut_at_any_byte_gives_the_one_invoice(
    served: Served, proxy: CuttingProxy, cut_app: Database
) -> None:
    invoices = PostgresInvoices(cut_app)
    cut_app.execute("SELECT 1")
    before = proxy.passed
    invoices.add(make_invoice())
    length = proxy.passed - before
    # The frame that ends the answer is the last 6 bytes.
    places = [*range(0, length, 37), *range(length - 7, length)]

    for place in places:
        invoice = make_invoice()
        cut_app.execute("SELECT 1")
        proxy.cut_after(place)

        assert invoices.add(invoice) == invoice

    assert served.counts() == (1 + len(places),) * 2


def test_a_read_cut_at_any_byte_is_read_again(
    served: Served, proxy: CuttingProxy, cut_app: Database
) -> None:
    invoices = PostgresInvoices(cut_app)
    invoice = invoices.add(make_invoice())

    for place in range(0, 500, 61):
        proxy.cut_after(place)

        assert invoices.get(FAMILY, invoice.payment_hash) == invoice


def test_an_insert_that_ends_after_we_looked_gives_the_one_invoice(
    served: Served, proxy: CuttingProxy, cut_app: Database
) -> None:
    invoices, invoice = PostgresInvoices(cut_app), make_invoice()
    invoices.add(make_invoice())  # the statement is prepared: what waits below is the insert
    with closing(psycopg2.connect(served.database.migrator)) as blocker, ThreadPoolExecutor() as t:
        with blocker.cursor() as cursor:
            cursor.execute("LOCK TABLE invoices IN SHARE MODE")
        adding = t.submit(invoices.add, invoice)
        until(lambda: served.waiting() == 1)
        proxy.cut_clients()
        until(lambda: served.waiting() == 2)  # the first, unknowing, and the second
        blocker.rollback()

        assert adding.result(timeout=10) == invoice
    until(lambda: served.counts() == (2, 2))


def test_a_lost_answer_does_not_hide_that_it_was_issued_twice(
    served: Served, proxy: CuttingProxy, cut_app: Database
) -> None:
    invoices = PostgresInvoices(cut_app)
    first = invoices.add(make_invoice())
    proxy.cut_after(0)

    with pytest.raises(InvoiceIssuedTwice):
        invoices.add(make_invoice(payment_hash=first.payment_hash))

    assert invoices.get(FAMILY, first.payment_hash) == first
    assert served.counts() == (1, 1)


def test_what_may_not_run_twice_runs_once(
    served: Served, proxy: CuttingProxy, cut_app: Database
) -> None:
    invoice = PostgresInvoices(cut_app).add(make_invoice())
    proxy.cut_after(0)

    with pytest.raises(ConnectionLost):
        cut_app.execute(
            "INSERT INTO invoice_events (invoice_id, what, how) VALUES (%(id)s, 'seen', 'test')",
            {"id": invoice.id},
        )

    assert served.counts() == (1, 2)
