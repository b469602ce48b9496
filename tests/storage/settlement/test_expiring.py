"""An invoice expires only after a walk that would have found its payment (design §4.7)."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from msty_invoice.domain.deposit import Deposit, DepositState
from msty_invoice.domain.invoice import Invoice
from msty_invoice.domain.walk import Depth, Walk
from tests.storage.settlement.books import Books, at, make_deposit, make_event

GRACE = timedelta(seconds=300)
TICK = timedelta(microseconds=1)


def _walked(books: Books, started_at: datetime, provider: str = "river") -> None:
    """A complete walk, by a holder that goes on holding."""
    assert books.cursors.acquire(provider)
    walk = Walk(started_at, Depth.MINUTE, at(-60))
    assert books.cursors.complete(provider, walk, None)


def _expire(books: Books, limit: int = 500, provider: str = "river") -> int:
    return books.cursors.expire(provider, GRACE, limit)


def _status(books: Books, invoice: Invoice) -> str:
    return books.seen(invoice).status


def test_it_expires_after_a_walk_that_started_after_expiry_and_grace(books: Books) -> None:
    invoice = books.add(expires_at=at(60))
    _walked(books, at(65))

    assert _expire(books) == 1
    assert _status(books, invoice) == "expired"
    assert books.told(invoice) == [("expired", "walk")]
    assert _expire(books) == 0


def test_not_after_a_walk_that_started_a_microsecond_too_early(books: Books) -> None:
    invoice = books.add(expires_at=at(60))
    _walked(books, at(65) - TICK)

    assert _expire(books) == 0
    assert _status(books, invoice) == "pending"


def test_the_grace_is_kept_to_the_microsecond(books: Books) -> None:
    invoice = books.add(expires_at=at(60) + TICK)
    later = books.add(expires_at=at(60) + 2 * TICK)
    _walked(books, at(65) + TICK)

    assert _expire(books) == 1
    assert (_status(books, invoice), _status(books, later)) == ("expired", "pending")


def test_not_before_any_walk_was_complete(books: Books) -> None:
    books.add(expires_at=at(-9999))
    assert books.cursors.acquire("river")
    books.cursors.save("river", Walk(at(9999), Depth.MINUTE, at(-60)))

    assert _expire(books) == 0


def test_not_by_who_gave_the_lease_back(books: Books) -> None:
    books.add(expires_at=at(60))
    _walked(books, at(65))
    books.cursors.release("river")

    assert _expire(books) == 0


def test_not_by_another_than_the_holder(books: Books) -> None:
    books.add(expires_at=at(60))
    _walked(books, at(65))

    assert books.other_cursors.expire("river", GRACE, 500) == 0


def test_a_new_holder_may_rely_on_a_walk_before(books: Books) -> None:
    books.add(expires_at=at(60))
    _walked(books, at(65))
    books.cursors.release("river")
    assert books.other_cursors.acquire("river")

    assert books.other_cursors.expire("river", GRACE, 500) == 1


def _received_before_the_walk(books: Books, **changes: object) -> None:
    books.webhooks.store(make_event("d_1", **changes))
    books.wait(10)


def _walked_now(books: Books) -> Invoice:
    """An invoice over for long, and a complete walk that started just now."""
    cursor = books.cursors.acquire("river")
    assert cursor is not None
    invoice = books.add(expires_at=cursor.now - timedelta(days=1))
    books.cursors.complete("river", Walk(cursor.now, Depth.MINUTE, at(-60)), None)
    return invoice


@pytest.mark.parametrize("state", ["SUCCESS", "PENDING"])
def test_an_unfinished_event_from_before_the_walk_holds_it_up(books: Books, state: str) -> None:
    _received_before_the_walk(books, state=state)
    invoice = _walked_now(books)

    assert _expire(books) == 0
    assert _status(books, invoice) == "pending"


def test_an_event_that_was_tried_without_an_end_holds_it_up(books: Books) -> None:
    _received_before_the_walk(books)
    (event,) = books.webhooks.take(1)
    _walked_now(books)
    assert _expire(books) == 0
    books.webhooks.later(event, 600, "no such deposit")

    assert _expire(books) == 0


@pytest.mark.parametrize("ending", ["done", "park"])
def test_an_ended_event_holds_up_nothing(books: Books, ending: str) -> None:
    _received_before_the_walk(books)
    (event,) = books.webhooks.take(1)
    getattr(books.webhooks, ending)(event, "ended")
    _walked_now(books)

    assert _expire(books) == 1


def test_a_parked_event_that_came_again_holds_it_up(books: Books) -> None:
    _received_before_the_walk(books)
    (event,) = books.webhooks.take(1)
    books.webhooks.park(event, "no such deposit")
    books.webhooks.store(make_event("d_1"))
    _walked_now(books)

    assert _expire(books) == 0


def test_an_event_from_after_the_walk_started_holds_up_nothing(books: Books) -> None:
    _walked_now(books)
    books.webhooks.store(make_event())

    assert _expire(books) == 1


@pytest.mark.parametrize("changes", [{"provider": "lnbits"}, {"type": "WITHDRAWAL"}])
def test_an_event_about_something_else_holds_up_nothing(
    books: Books, changes: dict[str, object]
) -> None:
    _received_before_the_walk(books, **changes)
    _walked_now(books)

    assert _expire(books) == 1


def _pending(invoice: Invoice, **changes: object) -> Deposit:
    return make_deposit(invoice, state=DepositState.PENDING, **changes)


def test_an_invoice_whose_own_deposit_is_still_pending_stays_open(books: Books) -> None:
    paid, unpaid = books.add(expires_at=at(60)), books.add(expires_at=at(60))
    books.deposits.open(_pending(paid))
    _walked(books, at(999))

    assert _expire(books) == 1
    assert (_status(books, paid), _status(books, unpaid)) == ("pending", "expired")


@pytest.mark.parametrize("outcome", ["succeeded", "failed"])
def test_an_invoice_whose_deposit_came_to_an_end_expires(books: Books, outcome: str) -> None:
    invoice = books.add(expires_at=at(60))
    deposit = _pending(invoice)
    books.deposits.open(deposit)
    books.deposits.close("river", deposit.deposit_ref, outcome)
    _walked(books, at(999))

    assert _expire(books) == 1


def test_a_pending_deposit_of_another_provider_or_intent_holds_up_nothing(books: Books) -> None:
    invoice = books.add(expires_at=at(60))
    books.deposits.open(_pending(invoice, provider="lnbits"))
    books.deposits.open(_pending(invoice, intent_ref="di_of_somebody_else"))
    books.deposits.open(_pending(invoice, intent_ref=""))
    _walked(books, at(999))

    assert _expire(books) == 1


def test_a_pending_deposit_whose_intent_is_learnt_later_counts_from_then(books: Books) -> None:
    invoice = books.add(expires_at=at(60))
    deposit = _pending(invoice)
    books.deposits.open(replace(deposit, intent_ref=""))
    books.deposits.open(deposit)
    books.deposits.open(replace(deposit, intent_ref=""))
    _walked(books, at(999))

    assert _expire(books) == 0


def test_another_providers_invoices_are_left_alone(books: Books) -> None:
    invoice = books.add(expires_at=at(60), provider="lnbits")
    _walked(books, at(99999))

    assert _expire(books) == 0
    assert _expire(books, provider="lnbits") == 0
    assert _status(books, invoice) == "pending"


def test_the_longest_over_expire_first_and_not_all_at_once(books: Books) -> None:
    over = [books.add(expires_at=at(minute)) for minute in (3, 1, 2)]
    _walked(books, at(999))

    assert _expire(books, limit=2) == 2
    assert [_status(books, each) for each in over] == ["pending", "expired", "expired"]
    assert _expire(books, limit=2) == 1


def test_a_settled_one_stays_settled(books: Books) -> None:
    invoice = books.add(expires_at=at(60))
    books.deposits.judge(make_deposit(invoice), "walk")
    _walked(books, at(999))

    assert _expire(books) == 0
    assert _status(books, invoice) == "settled"


def test_an_expired_one_is_not_told_of_twice(books: Books) -> None:
    invoice = books.add(expires_at=at(60))
    books.expire(invoice)
    _walked(books, at(999))

    assert _expire(books) == 0
    assert books.told(invoice) == []
