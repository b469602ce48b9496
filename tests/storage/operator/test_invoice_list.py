"""Invoices, newest first, however many."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from psycopg2.extensions import TRANSACTION_STATUS_IDLE

from msty_invoice.domain.errors import StorageUnavailable
from msty_invoice.domain.invoice import Invoice, InvoiceStatus
from msty_invoice.domain.listing import InvoiceFilter
from msty_invoice.storage import invoice_list
from msty_invoice.storage.invoice_list import PostgresInvoiceList
from msty_invoice.storage.postgres import Database
from tests.fakes import NOON
from tests.storage.settlement.books import PostgresBooks, make_deposit

# As cheap as a row can be: 10,000 of each status, a second apart.
_MANY = """
    INSERT INTO invoices (id, key_family, provider, provider_ref, payment_request, payment_hash,
                          amount_sats, expires_at, created_at)
    SELECT gen_random_uuid(), '00000000-0000-0000-0000-000000000001', 'river', n, 'lnbcrt1',
           encode(sha256(n::text::bytea), 'hex'), 5, now(), now() - n * interval '1 s'
    FROM generate_series(1, 30000) n;
    UPDATE invoices SET status = 'expired' WHERE mod(provider_ref::int, 3) = 0;
    UPDATE invoices SET status = 'settled', settled_at = now(), amount_received_sats = 5
    WHERE mod(provider_ref::int, 3) = 1;
    ANALYZE invoices;
"""


@pytest.fixture
def readonly(books: PostgresBooks) -> Iterator[Database]:
    with closing(Database(books.database.readonly, statement_timeout=60_000)) as made:
        yield made


def _hashes(readonly: Database, **wanted: Any) -> list[str]:
    listed = PostgresInvoiceList(readonly).read(InvoiceFilter(**wanted))
    return [one.invoice.payment_hash for one in listed]


def _made(books: PostgresBooks, minutes: int, **changes: object) -> Invoice:
    return books.add(created_at=NOON + timedelta(minutes=minutes), **changes)


def test_newest_first_over_all_statuses(books: PostgresBooks, readonly: Database) -> None:
    first, second, third = (_made(books, minutes) for minutes in (1, 2, 3))
    books.deposits.judge(make_deposit(second), "walk")
    books.expire(third)

    newest_first = [one.payment_hash for one in (third, second, first)]

    assert _hashes(readonly) == newest_first
    assert _hashes(readonly, limit=2) == newest_first[:2]
    assert _hashes(readonly, limit=None) == newest_first


def test_each_filter_leaves_out_the_others(books: PostgresBooks, readonly: Database) -> None:
    pending, prompt, late = (_made(books, minutes) for minutes in (1, 2, 3))
    books.deposits.judge(make_deposit(prompt), "walk")
    after = late.expires_at + timedelta(seconds=1)
    books.deposits.judge(make_deposit(late, deposited_at=after), "walk")

    settled = [late.payment_hash, prompt.payment_hash]
    assert _hashes(readonly, statuses=(InvoiceStatus.SETTLED,)) == settled
    assert _hashes(readonly, late=True) == [late.payment_hash]
    since, until = NOON + timedelta(minutes=2), NOON + timedelta(minutes=3)
    assert _hashes(readonly, since=since) == settled
    assert _hashes(readonly, until=until) == [prompt.payment_hash, pending.payment_hash]
    assert _hashes(readonly, since=since, until=until) == [prompt.payment_hash]


def test_it_names_the_key(books: PostgresBooks, readonly: Database) -> None:
    invoice = books.add()

    (listed,) = PostgresInvoiceList(readonly).read(InvoiceFilter())

    assert (listed.invoice, listed.key_name) == (invoice, "shop")


def test_a_long_list_is_read_in_parts_and_holds_no_transaction(
    books: PostgresBooks, readonly: Database
) -> None:
    books.ask(_MANY)
    listed = PostgresInvoiceList(readonly).read(InvoiceFilter(limit=None))

    first = next(listed)

    # A pager may stand still for an hour here, and the server is not kept from vacuuming.
    assert readonly.connection().info.transaction_status == TRANSACTION_STATUS_IDLE
    seen = [first.invoice.created_at, *(one.invoice.created_at for one in listed)]
    assert len(seen) == 30_000
    assert seen == sorted(seen, reverse=True)
    assert readonly.execute("SELECT count(*) FROM pg_cursors") == [(0,)]


@pytest.mark.parametrize("wanted", [{}, {"statuses": ["pending"]}])
def test_the_newest_hundred_of_many_are_read_by_index(
    books: PostgresBooks, readonly: Database, wanted: dict[str, Any]
) -> None:
    books.ask(_MANY)
    values = {"statuses": list(InvoiceStatus), "since": None, "until": None, "late": False}

    plan = readonly.execute(
        f"EXPLAIN (ANALYZE, TIMING OFF) {invoice_list._LIST}", values | {"limit": 100} | wanted
    )

    text = "\n".join(line for (line,) in plan)
    assert "invoices_status_created_at" in text
    assert "Seq Scan on invoices" not in text


def test_a_database_that_goes_away_says_so(books: PostgresBooks, readonly: Database) -> None:
    books.ask(_MANY)
    listed = PostgresInvoiceList(readonly).read(InvoiceFilter(limit=None))
    next(listed)
    pid = readonly.connection().info.backend_pid
    books.ask("SELECT pg_terminate_backend(%(pid)s)", pid=pid)

    with pytest.raises(StorageUnavailable):
        list(listed)
