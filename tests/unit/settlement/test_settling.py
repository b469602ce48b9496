"""What a provider says becomes one row, one verdict, and at most one settlement."""

import logging

import pytest

from msty_invoice.domain.deposit import Deposit, DepositState, Verdict, unread_deposit
from msty_invoice.domain.errors import (
    ProviderError,
    ProviderRefused,
    ProviderUnavailable,
    ProviderUnknown,
    ProviderUnreadable,
    StorageUnavailable,
)
from msty_invoice.domain.invoice import InvoiceStatus
from tests.unit.settlement.parts import Parts


def test_a_deposit_settles_its_invoice_and_is_counted_by_its_path(parts: Parts) -> None:
    invoice = parts.add()
    deposit = parts.pay(invoice)

    assert parts.settling.settle(deposit.deposit_ref, "webhook") is DepositState.SUCCEEDED

    assert parts.status(invoice) is InvoiceStatus.SETTLED
    assert parts.counts.verdicts == {(Verdict.CREDITED, "webhook"): 1}


def test_what_was_recorded_is_not_judged_or_counted_again(parts: Parts) -> None:
    deposit = parts.pay(parts.add())

    for how in ("webhook", "walk", "look"):
        parts.settling.settle(deposit.deposit_ref, how)

    assert parts.counts.verdicts.total() == 1
    assert parts.deposits.findings == []


def test_a_second_deposit_is_kept_and_settles_nothing(parts: Parts) -> None:
    invoice = parts.add()
    first, second = parts.pay(invoice), parts.pay(invoice)

    parts.settling.record([first, second], "walk")

    verdicts = [kept.verdict for kept in parts.deposits.kept.values()]
    assert verdicts == [Verdict.CREDITED, Verdict.SECOND]


def test_a_deposit_the_provider_does_not_know_is_none(parts: Parts) -> None:
    assert parts.settling.settle("dep_0", "webhook") is None


@pytest.mark.parametrize(
    ("proof", "kind"), [(None, "absent"), ("11" * 32, "other"), ("not hex", "other")]
)
def test_a_proof_of_nothing_settles_and_is_counted_by_kind(
    parts: Parts, proof: str | None, kind: str
) -> None:
    invoice = parts.add()
    parts.pay(invoice, proof=proof)

    parts.settling.look(invoice.payment_hash)

    assert parts.status(invoice) is InvoiceStatus.SETTLED
    assert parts.counts.proofs == {kind: 1}


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"amount_sats": 2499}, "amount_sats"),
        ({"intent_ref": "another"}, "intent_ref"),
        ({"network": "BTC"}, "network"),
        ({"state": DepositState.FAILED}, "state"),
        ({"state": DepositState.PENDING}, "state"),
    ],
)
def test_a_later_change_is_a_finding_and_never_a_verdict(
    parts: Parts, changes: dict[str, object], what: str, caplog: pytest.LogCaptureFixture
) -> None:
    invoice = parts.add()
    deposit = parts.pay(invoice)
    parts.settling.settle(deposit.deposit_ref, "walk")
    parts.change(deposit, **changes)

    for _ in range(3):
        parts.settling.settle(deposit.deposit_ref, "walk")

    assert [finding.what for finding in parts.deposits.findings] == [what]
    assert parts.counts.findings == {what: 1}
    assert [r.levelno for r in caplog.records if "otherwise" in r.message] == [logging.ERROR]
    assert parts.status(invoice) is InvoiceStatus.SETTLED
    assert parts.deposits.pending == {}


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"amount_sats": 2499}, Verdict.UNDERPAID),
        ({"network": "BTC"}, Verdict.ONCHAIN),
        ({"payment_request": "lnbcrt1another"}, Verdict.MISMATCH),
        ({"intent_ref": "nobody's"}, Verdict.UNKNOWN),
    ],
)
def test_the_quarantine_is_told_loudly(
    parts: Parts, changes: dict[str, object], verdict: Verdict, caplog: pytest.LogCaptureFixture
) -> None:
    invoice = parts.add()
    deposit = parts.pay(invoice, **changes)

    parts.settling.record([deposit], "walk")

    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert parts.counts.verdicts == {(verdict, "walk"): 1}
    assert parts.status(invoice) is InvoiceStatus.PENDING


def test_an_unknown_deposit_is_judged_again_when_its_invoice_is_there(parts: Parts) -> None:
    invoice = parts.add()
    del parts.invoices.kept[invoice.id]
    parts.settling.record([parts.pay(invoice)], "webhook")
    assert parts.settling.rematch() == 0

    parts.invoices.add(invoice)

    assert parts.settling.rematch() == 1
    assert parts.status(invoice) is InvoiceStatus.SETTLED
    assert parts.counts.verdicts[Verdict.CREDITED, "rematch"] == 1


def test_a_pending_deposit_is_asked_about_until_it_is_there(parts: Parts) -> None:
    invoice = parts.add()
    deposit = parts.pay(invoice, state=DepositState.PENDING)
    parts.settling.record([deposit], "walk")

    assert parts.settling.ask_open() == 1
    assert parts.settling.ask_open() == 0  # not so soon again
    parts.change(deposit, state=DepositState.SUCCEEDED)
    parts.clock.advance(seconds=11)
    assert parts.settling.ask_open() == 1

    assert parts.status(invoice) is InvoiceStatus.SETTLED
    assert [kept.outcome for kept in parts.deposits.pending.values()] == ["succeeded"]


def test_a_pending_deposit_that_failed_is_no_longer_asked_about(parts: Parts) -> None:
    deposit = parts.pay(parts.add(), state=DepositState.PENDING)
    parts.settling.record([deposit], "walk")
    parts.change(deposit, state=DepositState.FAILED)

    parts.settling.ask_open()
    parts.clock.advance(days=1)

    assert parts.settling.ask_open() == 0
    assert parts.deposits.kept == {}


@pytest.mark.parametrize("failure", [ProviderRefused("400"), ProviderUnreadable("no sats")])
def test_a_question_without_answer_keeps_no_other_waiting(
    parts: Parts, failure: ProviderError
) -> None:
    invoice = parts.add()
    first = parts.pay(parts.add(), state=DepositState.PENDING)
    second = parts.pay(invoice, state=DepositState.PENDING)
    parts.settling.record([first, second], "walk")
    parts.change(second, state=DepositState.SUCCEEDED)
    parts.fails(first.deposit_ref, failure)

    parts.settling.ask_open()

    assert parts.status(invoice) is InvoiceStatus.SETTLED


def _pending(parts: Parts, number: int) -> list[Deposit]:
    deposits = [parts.pay(parts.add(), state=DepositState.PENDING) for _ in range(number)]
    parts.settling.record(deposits, "walk")
    return deposits


def test_pending_deposits_are_asked_about_a_few_at_once(parts: Parts) -> None:
    """Each may take 8 s, and the lease on a walk ends after 90 s."""
    _pending(parts, 7)

    assert [parts.settling.ask_open() for _ in range(4)] == [3, 3, 1, 0]


def test_who_got_no_answer_does_not_wait_longer_each_time(parts: Parts) -> None:
    (deposit,) = _pending(parts, 1)
    parts.fails("deposit", ProviderUnavailable("503"))
    for _ in range(9):
        assert parts.settling.ask_open() == 1
        parts.clock.advance(seconds=61)
    del parts.provider.failures["deposit"]
    parts.change(deposit, state=DepositState.SUCCEEDED)

    parts.settling.ask_open()

    assert parts.deposits.kept


@pytest.mark.parametrize("failure", [None, ProviderRefused("400"), ProviderUnreadable("no sats")])
def test_who_got_an_answer_is_asked_ever_more_rarely(
    parts: Parts, failure: ProviderError | None
) -> None:
    _pending(parts, 1)
    if failure:
        parts.fails("deposit", failure)

    asked = []
    for _ in range(160):
        asked.append(parts.settling.ask_open())
        parts.clock.advance(seconds=1)

    assert [second for second, one in enumerate(asked) if one] == [0, 10, 30, 70, 150]


def test_one_that_hangs_each_time_keeps_no_other_waiting(parts: Parts) -> None:
    first, second, third = _pending(parts, 3)
    parts.change(third, state=DepositState.SUCCEEDED)
    for deposit in (first, second):
        parts.fails(deposit.deposit_ref, ProviderUnknown("hung"))

    parts.settling.ask_open()

    assert list(parts.deposits.kept) == [("river", third.deposit_ref)]


def test_no_deposits_are_nothing_to_do(parts: Parts) -> None:
    parts.settling.record([], "walk")

    assert parts.deposits.kept == {}


@pytest.mark.parametrize("how", ["walk", "look"])
def test_a_deposit_we_cannot_take_keeps_no_other_out_of_the_books(
    parts: Parts, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    invoice = parts.add()
    bad, good = parts.pay(parts.add()), parts.pay(invoice)
    parts.refuses_to_judge(bad, ZeroDivisionError())

    assert not parts.settling.record([bad, good], how)

    assert parts.status(invoice) is InvoiceStatus.SETTLED
    assert [r.levelno for r in caplog.records if r.exc_info] == [logging.ERROR]
    assert parts.settling.record([good], how)


def test_a_database_that_is_away_is_told_by_every_path(parts: Parts) -> None:
    invoice = parts.add()
    deposit = parts.pay(invoice, state=DepositState.PENDING)
    parts.settling.record([deposit], "walk")
    parts.change(deposit, state=DepositState.SUCCEEDED)
    parts.refuses_to_judge(deposit, StorageUnavailable("away"))

    with pytest.raises(StorageUnavailable):
        parts.settling.look(invoice.payment_hash)
    with pytest.raises(StorageUnavailable):
        parts.settling.settle(deposit.deposit_ref, "webhook")
    with pytest.raises(StorageUnavailable):
        parts.settling.ask_open()


def test_a_bug_about_one_pending_deposit_keeps_no_other_waiting(parts: Parts) -> None:
    invoice = parts.add()
    first = parts.pay(parts.add(), state=DepositState.PENDING)
    second = parts.pay(invoice, state=DepositState.PENDING)
    parts.settling.record([first, second], "walk")
    parts.change(second, state=DepositState.SUCCEEDED)
    parts.provider.failures[first.deposit_ref] = ZeroDivisionError()

    parts.settling.ask_open()

    assert parts.status(invoice) is InvoiceStatus.SETTLED


def test_a_bug_about_one_unknown_deposit_keeps_no_other_from_its_invoice(parts: Parts) -> None:
    invoices = [parts.add(), parts.add()]
    parts.invoices.kept.clear()
    deposits = [parts.pay(invoice) for invoice in invoices]
    parts.settling.record(deposits, "walk")
    for invoice in invoices:
        parts.invoices.add(invoice)
    parts.refuses_to_judge(deposits[0], ZeroDivisionError())

    parts.settling.rematch()

    assert parts.status(invoices[1]) is InvoiceStatus.SETTLED


def test_a_deposit_that_cannot_be_read_is_asked_about_by_its_reference(parts: Parts) -> None:
    invoice = parts.add()
    deposit = parts.pay(invoice)
    unread = unread_deposit("river", deposit.deposit_ref, "")

    assert parts.settling.record([unread], "walk")
    assert parts.counts.findings == {"unreadable": 1}
    parts.settling.ask_open()

    assert parts.status(invoice) is InvoiceStatus.SETTLED


def test_a_recorded_deposit_that_cannot_be_read_any_more_says_nothing_else(parts: Parts) -> None:
    deposit = parts.pay(parts.add())
    parts.settling.record([deposit], "walk")

    parts.settling.record([unread_deposit("river", deposit.deposit_ref, "")], "walk")

    assert (parts.deposits.findings, parts.deposits.pending) == ([], {})
