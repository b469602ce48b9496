"""A pass: how far it walks, what it lets expire, and when it must stop."""

from datetime import timedelta

import pytest

from msty_invoice.domain.deposit import DepositState, unread_deposit
from msty_invoice.domain.errors import (
    ProviderMisconfigured,
    ProviderUnavailable,
    ProviderUnknown,
    ProviderUnreadable,
)
from msty_invoice.domain.invoice import Invoice, InvoiceStatus
from tests.settlement_fakes import MemoryCursors
from tests.unit.settlement.parts import GRACE, MINUTE, Parts

_SECOND = timedelta(seconds=1)


def _overdue(parts: Parts) -> Invoice:
    """An invoice that may expire from now on."""
    invoice = parts.add(expires_at=parts.clock() + MINUTE)
    parts.clock.time += MINUTE + GRACE
    return invoice


def test_a_pass_finds_what_no_webhook_told(parts: Parts) -> None:
    invoices = [parts.add() for _ in range(5)]
    for invoice in invoices:
        parts.pay(invoice)
        parts.clock.advance(seconds=1)

    done = parts.reconcile()

    assert {parts.status(invoice) for invoice in invoices} == {InvoiceStatus.SETTLED}
    assert (done.pages, done.complete) == (3, True)


def test_a_pass_works_off_events_and_asks_about_pending_deposits(parts: Parts) -> None:
    announced, pending = parts.add(), parts.add()
    parts.taking.take({}, parts.pay(announced).deposit_ref.encode())
    waiting = parts.pay(pending, state=DepositState.PENDING)
    parts.settling.record([waiting], "walk")
    parts.change(waiting, state=DepositState.SUCCEEDED)

    assert parts.reconcile().events == 1

    assert [parts.status(announced), parts.status(pending)] == [InvoiceStatus.SETTLED] * 2
    assert {kept.how for kept in parts.deposits.kept.values()} == {"webhook", "ask"}


def test_deposits_that_cannot_be_asked_for_do_not_keep_the_walk_from_walking(parts: Parts) -> None:
    invoice = parts.add()
    deposit = parts.pay(invoice, state=DepositState.PENDING)
    parts.settling.record([deposit], "walk")
    parts.change(deposit, state=DepositState.SUCCEEDED)
    parts.fails("deposit", ProviderUnavailable("503"))

    assert parts.reconcile().complete

    assert parts.status(invoice) is InvoiceStatus.SETTLED


def test_a_walk_out_of_time_goes_on_in_the_next_pass(parts: Parts) -> None:
    invoices = [parts.add() for _ in range(5)]
    for invoice in invoices:
        parts.pay(invoice)
        parts.clock.advance(seconds=1)
    parts.provider.while_listing = lambda: parts.clock.advance(seconds=30)

    first = parts.reconcile()
    assert (first.pages, first.complete, first.expired) == (2, False, 0)
    started_at = parts.cursors.kept["river"].walk
    second = parts.reconcile()

    assert second.complete
    assert started_at
    assert parts.cursors.kept["river"].complete_started_at == started_at.started_at
    assert {parts.status(invoice) for invoice in invoices} == {InvoiceStatus.SETTLED}


def test_a_walk_stops_at_its_floor(parts: Parts) -> None:
    for _ in range(10):
        parts.pay(parts.add())
        parts.clock.advance(minutes=10)
    parts.reconcile()

    assert parts.reconcile().pages == 2


def test_a_walk_goes_as_deep_as_told(parts: Parts) -> None:
    began = parts.clock()
    for _ in range(10):
        parts.pay(parts.add())
        parts.clock.advance(minutes=10)
    parts.reconcile()

    assert parts.reconcile(since=began).pages == 5


def test_what_is_overdue_expires_after_a_complete_walk(parts: Parts) -> None:
    invoice = _overdue(parts)

    assert parts.reconcile().expired == 1
    assert parts.status(invoice) is InvoiceStatus.EXPIRED


def test_within_its_grace_nothing_expires(parts: Parts) -> None:
    invoice = _overdue(parts)
    parts.clock.time -= _SECOND

    assert parts.reconcile().expired == 0
    assert parts.status(invoice) is InvoiceStatus.PENDING


def test_a_walk_that_started_before_grace_was_over_lets_nothing_expire(parts: Parts) -> None:
    _overdue(parts)
    parts.clock.time -= _SECOND
    parts.provider.while_listing = lambda: parts.clock.advance(seconds=2)

    assert parts.reconcile().expired == 0
    assert parts.reconcile().expired == 1


def test_what_was_paid_and_listed_is_settled_and_not_expired(parts: Parts) -> None:
    invoice = parts.add(expires_at=parts.clock() + MINUTE)
    parts.pay(invoice)
    parts.clock.time += MINUTE + GRACE

    assert parts.reconcile().expired == 0
    assert parts.status(invoice) is InvoiceStatus.SETTLED


@pytest.mark.parametrize(
    "failure", [ProviderUnavailable("503"), ProviderUnknown("hung"), ProviderMisconfigured("401")]
)
def test_while_the_list_fails_nothing_expires(
    parts: Parts, failure: ProviderUnavailable | ProviderUnknown | ProviderMisconfigured
) -> None:
    invoice = _overdue(parts)
    parts.fails("walk", failure)

    with pytest.raises(type(failure)):
        parts.reconcile()

    assert parts.status(invoice) is InvoiceStatus.PENDING
    assert parts.cursors.kept["river"].token is None  # given back


def test_an_unread_event_keeps_all_from_expiring(parts: Parts) -> None:
    invoice = _overdue(parts)
    parts.taking.take({}, b"dep_1")
    parts.clock.advance(seconds=1)
    parts.fails("deposit", ProviderUnavailable("503"))

    assert parts.reconcile().expired == 0
    assert parts.status(invoice) is InvoiceStatus.PENDING


@pytest.mark.parametrize(
    ("seconds", "expired"), [(0, 1), (60, 1), (-60, 1), (61, 0), (-61, 0), (600, 0), (-600, 0)]
)
def test_nothing_expires_while_the_clocks_are_a_minute_apart(
    parts: Parts, seconds: int, expired: int
) -> None:
    _overdue(parts)
    parts.provider.skew = timedelta(seconds=seconds)

    done = parts.reconcile()

    assert (done.expired, done.skew_seconds) == (expired, seconds)


def test_time_spent_before_the_first_page_is_no_skew(parts: Parts) -> None:
    _overdue(parts)
    parts.provider.while_listing = lambda: parts.clock.advance(seconds=70)

    assert parts.reconcile().skew_seconds == 0


def test_payments_settle_however_far_the_clocks_are_apart(parts: Parts) -> None:
    invoice = parts.add()
    parts.pay(invoice)
    parts.provider.skew = timedelta(hours=5)

    parts.reconcile()

    assert parts.status(invoice) is InvoiceStatus.SETTLED


def test_without_the_providers_time_the_newest_invoice_tells_the_skew(parts: Parts) -> None:
    _overdue(parts)
    parts.provider.skew = None
    assert parts.reconcile().skew_seconds == 0

    parts.add(issued_at=parts.clock() + 2 * MINUTE)

    assert parts.reconcile().skew_seconds == 120


@pytest.mark.parametrize(
    ("answered", "issued", "expired"), [(0, 300, 1), (60, -300, 1), (61, 0, 0)]
)
def test_what_the_provider_says_now_counts_and_not_what_an_invoice_said(
    parts: Parts, answered: int, issued: int, expired: int
) -> None:
    _overdue(parts)
    parts.add(issued_at=parts.clock() + timedelta(seconds=issued))
    parts.provider.skew = timedelta(seconds=answered)

    done = parts.reconcile()

    assert (done.skew_seconds, done.expired) == (answered, expired)


def test_without_any_sign_of_the_providers_time_nothing_expires(parts: Parts) -> None:
    parts.provider.skew = None

    assert parts.reconcile().skew_seconds is None


def test_a_gap_is_counted(parts: Parts) -> None:
    parts.provider.gap = True

    parts.reconcile()

    assert parts.counts.gaps == 1


def test_while_another_machine_is_at_it_nothing_is_done(parts: Parts) -> None:
    other = MemoryCursors(parts.invoices, parts.webhooks, parts.clock, kept=parts.cursors.kept)
    other.acquire("river")

    done = parts.reconcile()

    assert done.held_elsewhere
    assert parts.provider.asked == []
    other.release("river")  # it was still theirs
    assert not parts.reconcile().held_elsewhere


def test_a_lease_lost_under_way_ends_the_pass(parts: Parts) -> None:
    invoice = _overdue(parts)
    for _ in range(6):
        parts.pay(parts.add())
    other = MemoryCursors(parts.invoices, parts.webhooks, parts.clock, kept=parts.cursors.kept)

    def overtaken() -> None:
        parts.clock.advance(seconds=91)
        other.acquire("river")

    parts.provider.while_listing = overtaken

    done = parts.reconcile(budget_seconds=1e9)

    assert done.held_elsewhere
    assert parts.provider.asked == ["walk"]
    assert parts.status(invoice) is InvoiceStatus.PENDING
    assert parts.cursors.kept["river"].token is not None  # not ours to give back


def test_a_lease_lost_at_the_last_page_completes_nothing(parts: Parts) -> None:
    invoice = _overdue(parts)
    other = MemoryCursors(parts.invoices, parts.webhooks, parts.clock, kept=parts.cursors.kept)

    def overtaken() -> None:
        parts.clock.advance(seconds=91)
        other.acquire("river")

    parts.provider.while_listing = overtaken

    assert parts.reconcile().held_elsewhere
    assert parts.cursors.kept["river"].complete_started_at is None
    assert parts.status(invoice) is InvoiceStatus.PENDING


def test_a_thousand_overdue_invoices_expire_in_one_pass(parts: Parts) -> None:
    for _ in range(1001):
        parts.add(expires_at=parts.clock() - GRACE)

    assert parts.reconcile().expired == 1001


def test_a_pass_that_saw_a_gap_lets_nothing_expire(parts: Parts) -> None:
    _overdue(parts)
    parts.provider.gap = True
    assert parts.reconcile().expired == 0

    parts.provider.gap = False

    assert parts.reconcile().expired == 1


@pytest.mark.parametrize("gap_at", ["2", "4", "6"])
def test_a_gap_is_remembered_over_the_passes_of_one_walk(parts: Parts, gap_at: str) -> None:
    began = parts.clock()
    for _ in range(9):
        parts.pay(parts.add())
        parts.clock.advance(seconds=1)
    _overdue(parts)
    parts.provider.gap_at = gap_at

    passes = [parts.reconcile(since=began, budget_seconds=-1)]
    while not passes[-1].complete:
        passes.append(parts.reconcile(budget_seconds=-1))

    assert len(passes) > 3
    assert sum(done.expired for done in passes) == 0
    parts.provider.gap_at = None
    assert parts.reconcile().expired == 1


def test_a_listed_deposit_that_could_not_be_recorded_is_a_gap(parts: Parts) -> None:
    _overdue(parts)
    invoice = parts.add()
    bad, _ = parts.pay(parts.add()), parts.pay(invoice)
    parts.refuses_to_judge(bad, ZeroDivisionError())

    done = parts.reconcile()

    assert (done.complete, done.expired) == (True, 0)
    assert parts.status(invoice) is InvoiceStatus.SETTLED


def test_a_deposit_that_cannot_be_read_stops_neither_walk_nor_expiry(parts: Parts) -> None:
    _overdue(parts)
    invoice = parts.add()
    deposit = parts.pay(invoice)
    parts.provider.unread = [unread_deposit("river", "dep_bad", "")]
    parts.fails("dep_bad", ProviderUnreadable("no sats"))

    assert parts.reconcile().expired == 1
    parts.reconcile()

    assert parts.status(invoice) is InvoiceStatus.SETTLED
    assert parts.provider.asked.count("dep_bad") == 1
    assert list(parts.deposits.kept) == [("river", deposit.deposit_ref)]


@pytest.mark.parametrize("gap_at", ["2", "6"])
def test_a_gap_between_any_two_pages_lets_nothing_expire(parts: Parts, gap_at: str) -> None:
    began = parts.clock()
    for _ in range(9):
        parts.pay(parts.add())
        parts.clock.advance(seconds=1)
    _overdue(parts)
    parts.provider.gap_at = gap_at

    done = parts.reconcile(since=began)

    assert (done.pages, done.complete, done.expired) == (5, True, 0)
