"""Deposits recorded before their invoice could be seen, and reports that contradict the books."""

from dataclasses import replace

import pytest

from msty_invoice.domain.deposit import (
    Deposit,
    DepositState,
    Finding,
    Judgement,
    RecordedDeposit,
    Verdict,
    findings,
)
from msty_invoice.domain.invoice import Invoice, InvoiceStatus
from tests.storage.conftest import make_invoice
from tests.storage.settlement.books import Books, at, make_deposit

CREDITED = Judgement(Verdict.CREDITED, proved=False, settled=True)
UNKNOWN = Judgement(Verdict.UNKNOWN, proved=False, settled=False)


def _early(books: Books, **changes: object) -> tuple[Invoice, Deposit]:
    """An invoice not recorded yet, and its deposit, which is."""
    invoice = make_invoice()
    deposit = make_deposit(invoice, **changes)
    assert books.deposits.judge(deposit, "walk") == UNKNOWN
    return invoice, deposit


def _dispute(books: Books, deposit: Deposit, **changes: object) -> None:
    """The provider now says otherwise."""
    reported = replace(deposit, **changes)  # type: ignore[arg-type]
    recorded = books.deposits.recorded("river", [deposit.deposit_ref])[deposit.deposit_ref]
    for finding in findings(recorded, reported):
        books.deposits.add_finding(finding)


def test_it_is_matched_once_its_invoice_is_there(books: Books) -> None:
    invoice, deposit = _early(books)
    assert books.deposits.matchable("river", 10) == []
    books.invoices.add(invoice)

    assert books.deposits.matchable("river", 10) == [deposit]
    assert books.deposits.judge(deposit, "rematch") == CREDITED
    assert books.deposits.matchable("river", 10) == []
    assert books.seen(invoice).settled_at == deposit.deposited_at
    assert books.told(invoice) == [("credited", "rematch")]


def test_a_repeated_report_of_an_unknown_one_changes_nothing(books: Books) -> None:
    _, deposit = _early(books)

    assert books.deposits.judge(deposit, "webhook") is None
    assert books.verdict_of(deposit) is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"amount_sats": 1}, Verdict.UNDERPAID),
        ({"network": "ONCHAIN"}, Verdict.ONCHAIN),
        ({"payment_request": "lnbcrt1other"}, Verdict.MISMATCH),
    ],
)
def test_it_may_turn_out_to_be_of_any_kind(
    books: Books, changes: dict[str, object], verdict: Verdict
) -> None:
    invoice, deposit = _early(books, **changes)
    books.invoices.add(invoice)

    judgement = books.deposits.judge(deposit, "rematch")

    assert judgement == Judgement(verdict, proved=False, settled=False)
    assert books.deposits.matchable("river", 10) == []


def test_two_that_waited_for_one_invoice_end_as_credited_and_second(books: Books) -> None:
    invoice, first = _early(books)
    second = make_deposit(invoice, deposited_at=at(minutes=2))
    books.deposits.judge(second, "walk")
    books.invoices.add(invoice)

    verdicts = [
        judgement.verdict
        for deposit in books.deposits.matchable("river", 10)
        if (judgement := books.deposits.judge(deposit, "rematch"))
    ]

    assert verdicts == [Verdict.CREDITED, Verdict.SECOND]
    assert books.verdict_of(first) is Verdict.CREDITED


def test_the_oldest_are_matched_first_and_not_all_at_once(books: Books) -> None:
    waiting = []
    for minute in (3, 1, 2):
        invoice, deposit = _early(books, deposited_at=at(minutes=minute))
        books.invoices.add(invoice)
        waiting.append(deposit)

    assert books.deposits.matchable("river", 2) == [waiting[1], waiting[2]]
    assert books.deposits.matchable("lnbits", 2) == []


@pytest.mark.parametrize(
    "changes",
    [{"amount_sats": 2501}, {"network": "ONCHAIN"}],
    ids=lambda changes: next(iter(changes)),
)
def test_a_report_with_other_facts_never_overwrites_an_unknown_one(
    books: Books, changes: dict[str, object]
) -> None:
    invoice, deposit = _early(books)
    books.invoices.add(invoice)

    assert books.deposits.judge(replace(deposit, **changes), "walk") is None  # type: ignore[arg-type]
    assert books.verdict_of(deposit) is Verdict.UNKNOWN
    assert books.seen(invoice).status is InvoiceStatus.PENDING


def test_one_that_was_refunded_is_never_credited_when_its_invoice_appears(books: Books) -> None:
    invoice, deposit = _early(books)
    books.resolve(deposit)
    books.invoices.add(invoice)

    assert books.deposits.matchable("river", 10) == []
    assert books.deposits.judge(deposit, "walk") is None
    assert books.verdict_of(deposit) is Verdict.UNKNOWN
    assert books.seen(invoice).status is InvoiceStatus.PENDING
    assert books.told(invoice) == []


def test_a_report_for_another_intent_never_moves_an_unknown_one(books: Books) -> None:
    _, deposit = _early(books)
    other = books.add()
    moved = replace(deposit, intent_ref=other.provider_ref, payment_request=None)

    assert books.deposits.judge(moved, "walk") is None
    assert books.seen(other).status is InvoiceStatus.PENDING


@pytest.mark.parametrize(
    "changes",
    [
        {"amount_sats": 100},
        {"intent_ref": "di_elsewhere"},
        {"network": "ONCHAIN"},
        {"state": DepositState.FAILED},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_one_that_the_provider_disputes_is_not_credited_on_its_old_facts(
    books: Books, changes: dict[str, object]
) -> None:
    invoice, deposit = _early(books)
    _dispute(books, deposit, **changes)
    books.invoices.add(invoice)

    assert books.deposits.matchable("river", 10) == []


def test_another_proof_does_not_keep_it_from_being_matched(books: Books) -> None:
    invoice, deposit = _early(books, proof="one")
    _dispute(books, deposit, proof="another")
    books.invoices.add(invoice)

    assert books.deposits.matchable("river", 10) == [deposit]


def test_a_disputed_one_that_is_reported_as_at_first_is_credited(books: Books) -> None:
    invoice, deposit = _early(books)
    _dispute(books, deposit, state=DepositState.PENDING)
    books.invoices.add(invoice)

    assert books.deposits.judge(deposit, "walk") == CREDITED


def test_a_finding_is_recorded_once_however_often_it_is_seen(books: Books) -> None:
    invoice = books.add()
    deposit = make_deposit(invoice)
    books.deposits.judge(deposit, "walk")
    finding = Finding("river", deposit.deposit_ref, "amount_sats", "2500", "1")

    assert books.deposits.add_finding(finding)
    assert not books.deposits.add_finding(finding)
    assert books.deposits.add_finding(replace(finding, reported="2"))


def test_a_credited_verdict_stands_whatever_the_provider_says_later(books: Books) -> None:
    invoice = books.add()
    deposit = make_deposit(invoice)
    books.deposits.judge(deposit, "walk")
    settled = books.seen(invoice)

    _dispute(books, deposit, amount_sats=1, state=DepositState.FAILED)
    for changed in ({"amount_sats": 1}, {"network": "ONCHAIN"}, {"intent_ref": "di_none"}):
        assert books.deposits.judge(replace(deposit, **changed), "walk") is None

    assert books.verdict_of(deposit) is Verdict.CREDITED
    assert books.seen(invoice) == settled


def test_the_books_show_what_was_recorded_first(books: Books) -> None:
    invoice = books.add()
    deposit = make_deposit(invoice, proof="a receipt")
    books.deposits.judge(deposit, "walk")

    found = books.deposits.recorded("river", [deposit.deposit_ref, "d_of_nobody"])

    assert found == {
        deposit.deposit_ref: RecordedDeposit(
            deposit.deposit_ref, invoice.provider_ref, 2500, "LN", "a receipt", Verdict.CREDITED
        )
    }
    assert books.deposits.recorded("lnbits", [deposit.deposit_ref]) == {}
    assert books.deposits.recorded("river", []) == {}
