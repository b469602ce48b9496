"""Who may walk a provider's list, and where the next walk goes on."""

from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import psycopg2
import pytest

from msty_invoice.domain.errors import StorageUnavailable
from msty_invoice.domain.walk import Cursor, Depth, Walk
from msty_invoice.service.settlement_ports import CursorStore
from msty_invoice.storage.cursors import PostgresCursors
from msty_invoice.storage.postgres import Database
from tests.storage.settlement.books import Books, PostgresBooks, at

WALK = Walk(at(1), Depth.HOUR, at(-60), top=at(0), next_token="1793361600")


def _acquired(store: CursorStore, provider: str = "river") -> Cursor:
    cursor = store.acquire(provider)
    assert cursor is not None
    return cursor


def test_a_new_cursor_knows_nothing(books: Books) -> None:
    cursor = _acquired(books.cursors)

    assert cursor == Cursor("river", cursor.now, None, None, None, None, None, None)
    assert cursor.now.tzinfo is not None


def test_one_holds_it_until_it_is_given_back(books: Books) -> None:
    _acquired(books.cursors)
    assert books.other_cursors.acquire("river") is None

    books.cursors.release("river")

    _acquired(books.other_cursors)


def test_holding_one_provider_leaves_the_other_free(books: Books) -> None:
    _acquired(books.cursors, "lnbits")

    _acquired(books.other_cursors, "river")


def test_the_lease_of_a_holder_that_died_ends(books: Books) -> None:
    _acquired(books.cursors)

    books.wait(85)
    assert books.other_cursors.acquire("river") is None
    books.wait(6)
    _acquired(books.other_cursors)


def test_who_could_not_read_the_invoices_gives_it_back(served: PostgresBooks) -> None:
    with (
        closing(Database(served.database.app, lock_timeout=50)) as hurried,
        closing(psycopg2.connect(served.database.migrator)) as blocker,
    ):
        with blocker.cursor() as cursor:
            cursor.execute("LOCK TABLE invoices")
        with pytest.raises(StorageUnavailable):
            PostgresCursors(hurried).acquire("river")
        blocker.rollback()

    _acquired(served.cursors)


def test_saving_a_walk_renews_the_lease(books: Books) -> None:
    _acquired(books.cursors)
    books.wait(85)
    assert books.cursors.save("river", WALK)
    books.wait(85)

    assert books.other_cursors.acquire("river") is None


def test_a_walk_goes_on_where_it_was_saved(books: Books) -> None:
    _acquired(books.cursors)
    books.cursors.save("river", WALK)
    books.cursors.release("river")

    cursor = _acquired(books.other_cursors)

    assert cursor.walk == WALK
    assert cursor.done_down_to is None


def test_a_walk_that_saw_a_gap_remembers_it_to_its_end(books: Books) -> None:
    _acquired(books.cursors)
    with_gap = replace(WALK, gap=True)
    books.cursors.save("river", with_gap)
    books.cursors.release("river")
    assert _acquired(books.other_cursors).walk == with_gap

    books.other_cursors.complete("river", with_gap, at(-10))
    books.other_cursors.save("river", WALK)
    books.other_cursors.release("river")

    assert _acquired(books.cursors).walk == WALK


def test_no_walk_under_way_has_no_gap(served: PostgresBooks) -> None:
    _acquired(served.cursors)
    served.cursors.save("river", replace(WALK, gap=True))
    served.cursors.complete("river", replace(WALK, gap=True), at(-10))

    assert served.ask("SELECT walk_gap FROM provider_cursors") == [(False,)]


@pytest.mark.parametrize("depth", Depth)
def test_a_complete_walk_is_remembered_by_its_depth(books: Books, depth: Depth) -> None:
    walk = Walk(at(1), depth, at(-60), top=at(0), next_token="17")
    _acquired(books.cursors)
    books.cursors.save("river", walk)

    assert books.cursors.complete("river", walk, at(-10))
    books.cursors.release("river")

    cursor = _acquired(books.cursors)
    assert cursor.walk is None
    assert cursor.done_down_to == at(-10)
    assert cursor.hour_started_at == (None if depth is Depth.MINUTE else at(1))
    assert cursor.day_started_at == (at(1) if depth is Depth.DAY else None)


def test_a_shallow_walk_forgets_no_deeper_one(books: Books) -> None:
    _acquired(books.cursors)
    books.cursors.complete("river", Walk(at(1), Depth.DAY, at(-60)), at(-10))
    books.cursors.complete("river", Walk(at(2), Depth.MINUTE, at(-60)), at(-9))
    books.cursors.release("river")

    cursor = _acquired(books.cursors)

    assert (cursor.hour_started_at, cursor.day_started_at) == (at(1), at(1))
    assert cursor.done_down_to == at(-9)


def test_who_was_overtaken_changes_nothing(books: Books) -> None:
    _acquired(books.cursors)
    books.wait(91)
    _acquired(books.other_cursors)
    invoice = books.add()

    assert not books.cursors.save("river", WALK)
    assert not books.cursors.complete("river", WALK, at(-10))
    books.cursors.release("river")

    assert books.cursors.acquire("river") is None
    assert books.other_cursors.complete("river", Walk(at(999), Depth.DAY, at(-60)), at(-5))
    assert books.cursors.expire("river", timedelta(0), 500) == 0
    books.other_cursors.release("river")
    cursor = _acquired(books.cursors)
    assert (cursor.walk, cursor.done_down_to) == (None, at(-5))
    assert books.seen(invoice).status == "pending"


def test_it_knows_the_first_invoice_and_the_oldest_that_may_still_be_paid(books: Books) -> None:
    now = _acquired(books.cursors).now
    books.cursors.release("river")
    day = timedelta(days=1)
    for age, ended in ((9 * day, now - 2 * day), (3 * day, now - day + timedelta(minutes=1))):
        books.expire(books.add(issued_at=now - age, expires_at=ended))
    books.add(issued_at=now - 2 * day, expires_at=now)
    books.add(issued_at=now - 20 * day, expires_at=now, provider="lnbits")

    cursor = _acquired(books.cursors)

    assert cursor.first_issued_at == now - 9 * day
    assert cursor.oldest_open_at == now - 3 * day


def test_a_pending_invoice_is_open_however_old(books: Books) -> None:
    now = _acquired(books.cursors).now
    books.cursors.release("river")
    for age in (90, 1):
        issued_at = now - timedelta(days=age)
        books.add(issued_at=issued_at, expires_at=issued_at + timedelta(hours=1))

    assert _acquired(books.cursors).oldest_open_at == now - timedelta(days=90)


def test_the_skew_is_that_of_the_newest_invoice(books: Books) -> None:
    assert books.cursors.issue_skew("river") is None
    books.add(issued_at=at(5), created_at=at(4))
    books.add(issued_at=at(1), created_at=at(9))
    books.add(issued_at=at(50), created_at=at(9), provider="lnbits")

    assert books.cursors.issue_skew("river") == timedelta(minutes=1)
