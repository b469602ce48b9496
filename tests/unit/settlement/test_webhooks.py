"""A webhook is a hint: kept, counted, followed by a question, and asked again with patience."""

import logging

import pytest

from msty_invoice.domain.deposit import DepositState
from msty_invoice.domain.errors import (
    ProviderError,
    ProviderMisconfigured,
    ProviderRefused,
    ProviderUnavailable,
    ProviderUnknown,
    ProviderUnreadable,
    StorageUnavailable,
    WebhookForged,
    WebhookRefused,
    WebhookStale,
    WebhookUnsigned,
)
from msty_invoice.domain.invoice import InvoiceStatus
from tests.settlement_fakes import KeptEvent, MemoryWebhooks
from tests.unit.settlement.parts import GRACE, Parts, event


def _kept(parts: Parts) -> KeptEvent:
    (kept,) = parts.webhooks.kept
    return kept


def test_a_webhook_is_kept_once_and_its_copies_are_counted(parts: Parts) -> None:
    for _ in range(3):
        parts.taking.take({}, b"dep_1")

    assert _kept(parts).copies == 3
    assert parts.counts.webhooks == {"new": 1, "repeated": 2}
    assert parts.provider.asked == []


@pytest.mark.parametrize("refused", [WebhookUnsigned, WebhookForged, WebhookStale])
def test_a_refused_webhook_leaves_its_count_and_nothing_else(
    parts: Parts, refused: type[WebhookRefused]
) -> None:
    parts.provider.failures["read_webhook"] = refused("no")

    with pytest.raises(refused):
        parts.taking.take({}, b"dep_1")

    assert parts.webhooks.kept == []
    assert parts.counts.webhooks == {refused.kind: 1}


def test_an_event_settles_only_by_the_providers_own_answer(parts: Parts) -> None:
    invoice = parts.add()
    deposit = parts.pay(invoice, state=DepositState.PENDING)
    parts.taking.take({}, deposit.deposit_ref.encode())

    assert parts.events.run() == 1

    assert parts.status(invoice) is InvoiceStatus.PENDING
    assert (_kept(parts).outcome, _kept(parts).done_at) == ("still pending", None)


def test_an_event_is_finished_by_what_has_ended(parts: Parts) -> None:
    invoice = parts.add()
    parts.taking.take({}, parts.pay(invoice).deposit_ref.encode())

    assert parts.events.run() == 1
    assert parts.events.run() == 0

    assert parts.status(invoice) is InvoiceStatus.SETTLED
    assert _kept(parts).outcome == "succeeded"


def test_an_event_of_a_failed_deposit_is_finished(parts: Parts) -> None:
    deposit = parts.pay(parts.add(), state=DepositState.FAILED)
    parts.taking.take({}, deposit.deposit_ref.encode())

    parts.events.run()

    assert (_kept(parts).outcome, parts.deposits.kept) == ("failed", {})


def test_an_event_that_announces_a_pending_deposit_hands_it_over(parts: Parts) -> None:
    deposit = parts.pay(parts.add(), state=DepositState.PENDING)
    parts.webhooks.store(event(deposit.deposit_ref, state="PENDING"))

    parts.events.run()

    assert _kept(parts).done_at
    assert list(parts.deposits.pending) == [("river", deposit.deposit_ref)]


@pytest.mark.parametrize("state", ["SUCCESS", "PENDING", "FAIL"])
def test_an_event_of_a_withdrawal_is_not_asked_about_as_a_deposit(parts: Parts, state: str) -> None:
    parts.webhooks.store(event("wd_1", state=state, kind="WITHDRAWAL"))

    parts.events.run()

    assert (_kept(parts).outcome, parts.provider.asked) == ("not a deposit", [])


def _pauses(parts: Parts, times: int) -> list[float]:
    pauses = []
    for _ in range(times):
        assert parts.events.run() == 1
        pauses.append((_kept(parts).next_attempt_at - parts.clock()).total_seconds())
        parts.clock.time = _kept(parts).next_attempt_at
    return pauses


@pytest.mark.parametrize(
    "failure", [ProviderUnavailable, ProviderUnknown, ProviderMisconfigured, ProviderRefused]
)
def test_a_provider_that_fails_is_asked_again_ever_more_rarely(
    parts: Parts, failure: type[ProviderRefused]
) -> None:
    parts.taking.take({}, b"dep_1")
    parts.fails("deposit", failure("no"))

    assert _pauses(parts, 12) == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600]
    assert _kept(parts).outcome == failure.__name__


@pytest.mark.parametrize("failure", [ProviderRefused, ProviderUnreadable])
def test_a_deposit_that_can_never_be_read_stops_expiry_for_no_longer_than_a_day(
    parts: Parts, failure: type[ProviderError]
) -> None:
    parts.taking.take({}, b"dep_1")
    parts.fails("deposit", failure("no"))
    parts.events.run()
    assert _kept(parts).parked_at is None
    parts.add(expires_at=parts.clock())
    parts.clock.advance(hours=23)
    assert parts.reconcile().expired == 0
    parts.clock.advance(hours=1)

    assert parts.reconcile().expired == 1
    assert _kept(parts).parked_at
    assert _kept(parts).outcome == failure.__name__


def test_a_provider_that_fails_for_days_parks_nothing(parts: Parts) -> None:
    parts.taking.take({}, b"dep_1")
    parts.fails("deposit", ProviderUnavailable("no"))
    parts.clock.advance(days=3)

    parts.events.run()

    assert _kept(parts).parked_at is None


@pytest.mark.parametrize("known", [True, False])
def test_what_was_announced_and_is_not_there_is_parked_after_a_day(
    parts: Parts, known: bool, caplog: pytest.LogCaptureFixture
) -> None:
    deposit = parts.pay(parts.add(), state=DepositState.PENDING)
    if not known:
        parts.provider.deposits.clear()
    parts.taking.take({}, deposit.deposit_ref.encode())

    parts.clock.advance(seconds=24 * 3600 - 1)
    parts.events.run()
    assert _kept(parts).parked_at is None
    parts.clock.advance(seconds=2)
    parts.events.run()

    assert _kept(parts).parked_at
    assert parts.counts.webhooks["parked"] == 1
    assert caplog.records[-1].levelno == logging.ERROR


def test_an_unsigned_hint_without_a_deposit_holds_expiry_for_minutes_only(
    parts: Parts, caplog: pytest.LogCaptureFixture
) -> None:
    parts.provider.signs_webhooks = False
    parts.add(expires_at=parts.clock() - GRACE)
    parts.taking.take({}, b"dep_1")
    parts.clock.advance(seconds=599)
    assert parts.reconcile().expired == 0
    parts.clock.advance(seconds=2)

    assert parts.reconcile().expired == 1
    assert _kept(parts).parked_at
    assert caplog.records[-1].levelno == logging.WARNING


def test_an_unsigned_hint_is_kept_while_the_provider_is_away(parts: Parts) -> None:
    parts.provider.signs_webhooks = False
    invoice = parts.add()
    parts.taking.take({}, parts.pay(invoice).deposit_ref.encode())
    parts.fails("deposit", ProviderUnavailable("503"))
    parts.clock.advance(days=2)
    parts.events.run()
    assert _kept(parts).unfinished
    del parts.provider.failures["deposit"]
    parts.clock.advance(seconds=2)

    parts.events.run()

    assert parts.status(invoice) is InvoiceStatus.SETTLED


def test_a_parked_event_that_comes_again_is_asked_about_again(parts: Parts) -> None:
    invoice = parts.add()
    deposit = parts.pay(invoice)
    parts.provider.deposits.clear()
    parts.taking.take({}, deposit.deposit_ref.encode())
    parts.clock.advance(days=2)
    parts.events.run()
    parts.provider.deposits.append(deposit)
    assert parts.events.run() == 0

    parts.taking.take({}, deposit.deposit_ref.encode())
    parts.events.run()

    assert parts.status(invoice) is InvoiceStatus.SETTLED


def test_one_bad_event_keeps_no_other_waiting(parts: Parts) -> None:
    invoice = parts.add()
    deposit = parts.pay(invoice)
    for ref in ("dep_bad", deposit.deposit_ref):
        parts.taking.take({}, ref.encode())
    parts.fails("dep_bad", ProviderUnavailable("no"))

    assert parts.events.run() == 2

    assert parts.status(invoice) is InvoiceStatus.SETTLED


def test_events_are_taken_a_few_at_once(parts: Parts) -> None:
    """Three deadlines of 8 s are less than the 30 s for which they are held."""
    for number in range(7):
        parts.taking.take({}, b"dep_%d" % number)

    assert [parts.events.run() for _ in range(4)] == [3, 3, 1, 0]


def test_what_another_settler_took_over_is_not_finished_twice(parts: Parts) -> None:
    invoice = parts.add()
    parts.taking.take({}, parts.pay(invoice).deposit_ref.encode())
    slow = parts.webhooks.take(1)
    parts.clock.advance(seconds=31)
    other = MemoryWebhooks(parts.clock, kept=parts.webhooks.kept)
    (taken,) = other.take(1)

    assert not parts.webhooks.done(slow[0], "succeeded")
    assert other.done(taken, "succeeded")


def test_a_bug_about_one_event_keeps_no_other_waiting_and_forgets_nothing(parts: Parts) -> None:
    invoice = parts.add()
    deposit = parts.pay(invoice)
    for ref in ("dep_bad", deposit.deposit_ref):
        parts.taking.take({}, ref.encode())
    parts.provider.failures["dep_bad"] = ZeroDivisionError()

    assert parts.events.run() == 2

    assert parts.status(invoice) is InvoiceStatus.SETTLED
    bad = parts.webhooks.kept[0]
    assert (bad.outcome, bad.unfinished) == ("a bug", True)


def test_what_could_not_be_recorded_does_not_finish_its_event(parts: Parts) -> None:
    deposit = parts.pay(parts.add())
    parts.taking.take({}, deposit.deposit_ref.encode())
    parts.refuses_to_judge(deposit, ZeroDivisionError())

    parts.events.run()

    assert _kept(parts).unfinished


def test_a_database_that_is_away_is_no_bug_of_an_event(parts: Parts) -> None:
    parts.taking.take({}, b"dep_1")
    parts.provider.failures["dep_1"] = StorageUnavailable("away")

    with pytest.raises(StorageUnavailable):
        parts.events.run()

    assert _kept(parts).outcome is None
