"""The verdict on a deposit, and what it does to its invoice (design §4.2–4.4)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from msty_invoice.domain.deposit import Judgement, Verdict
from msty_invoice.domain.invoice import Invoice, InvoiceStatus
from tests.fakes import NOON
from tests.storage.settlement.books import PAYMENT_HASH, PREIMAGE, Books, at, make_deposit

CREDITED = Judgement(Verdict.CREDITED, proved=False, settled=True)


def _held(verdict: Verdict) -> Judgement:
    return Judgement(verdict, proved=False, settled=False)


def test_a_payment_settles_its_invoice_at_the_deposits_time(books: Books) -> None:
    invoice = books.add()
    deposit = make_deposit(invoice, deposited_at=at(minutes=7, microseconds=1))

    assert books.deposits.judge(deposit, "webhook") == CREDITED

    settled = books.seen(invoice)
    assert settled.status is InvoiceStatus.SETTLED
    assert settled.settled_at == deposit.deposited_at
    assert settled.amount_received_sats == 2500
    assert books.told(invoice) == [("credited", "webhook")]


def test_an_expired_invoice_is_settled_too(books: Books) -> None:
    invoice = books.add()
    books.expire(invoice)

    assert books.deposits.judge(make_deposit(invoice), "walk") == CREDITED
    assert books.seen(invoice).status is InvoiceStatus.SETTLED


@pytest.mark.parametrize(("microseconds", "late"), [(-1, False), (0, False), (1, True)])
def test_late_is_after_expiry_by_the_providers_clock(
    books: Books, microseconds: int, late: bool
) -> None:
    invoice = books.add(expires_at=at(minutes=60))
    deposit = make_deposit(invoice, deposited_at=at(minutes=60, microseconds=microseconds))

    books.deposits.judge(deposit, "walk")

    assert books.seen(invoice).late is late


def test_paid_in_time_and_found_days_later_is_not_late(books: Books) -> None:
    days_ago = NOON - timedelta(days=9)
    invoice = books.add(issued_at=days_ago, expires_at=days_ago + timedelta(hours=1))
    books.expire(invoice)

    books.deposits.judge(make_deposit(invoice, deposited_at=days_ago), "walk")

    assert not books.seen(invoice).late


def test_the_second_payment_of_an_invoice_is_kept_beside_the_first(books: Books) -> None:
    invoice = books.add()
    first = make_deposit(invoice)
    second = make_deposit(invoice, deposited_at=at(minutes=2), amount_sats=9000)
    books.deposits.judge(first, "walk")
    settled = books.seen(invoice)

    assert books.deposits.judge(second, "walk") == _held(Verdict.SECOND)
    assert books.seen(invoice) == settled
    assert books.verdict_of(first) is Verdict.CREDITED
    assert books.told(invoice) == [("credited", "walk"), ("second", "walk")]


def test_a_deposit_is_judged_once_by_whichever_path(books: Books) -> None:
    invoice = books.add()
    deposit = make_deposit(invoice)
    books.deposits.judge(deposit, "webhook")

    assert books.deposits.judge(deposit, "walk") is None
    assert books.told(invoice) == [("credited", "webhook")]


@pytest.mark.parametrize("status", [InvoiceStatus.PENDING, InvoiceStatus.EXPIRED])
def test_one_sat_too_few_does_not_settle(books: Books, status: InvoiceStatus) -> None:
    invoice = books.add()
    if status is InvoiceStatus.EXPIRED:
        books.expire(invoice)

    assert books.deposits.judge(make_deposit(invoice, amount_sats=2499), "look") == _held(
        Verdict.UNDERPAID
    )
    assert books.seen(invoice).status is status
    assert books.seen(invoice).settled_at is None
    assert books.told(invoice)[-1] == ("underpaid", "look")


def test_what_was_underpaid_can_still_be_paid_in_full(books: Books) -> None:
    invoice = books.add()
    books.deposits.judge(make_deposit(invoice, amount_sats=2499), "walk")

    assert books.deposits.judge(make_deposit(invoice), "walk") == CREDITED


def test_two_that_are_too_small_do_not_add_up(books: Books) -> None:
    invoice = books.add()
    for _ in range(2):
        books.deposits.judge(make_deposit(invoice, amount_sats=1250), "walk")

    assert books.seen(invoice).status is InvoiceStatus.PENDING


def test_more_than_was_asked_settles_and_is_noted(books: Books) -> None:
    invoice = books.add()

    assert books.deposits.judge(make_deposit(invoice, amount_sats=5000), "walk") == CREDITED
    assert books.seen(invoice).amount_received_sats == 5000
    assert books.told(invoice) == [("credited", "walk"), ("overpaid", "walk")]


@pytest.mark.parametrize("network", ["ONCHAIN", "ln", "", "LN "])
def test_what_did_not_come_over_lightning_is_not_credited(books: Books, network: str) -> None:
    invoice = books.add()

    assert books.deposits.judge(make_deposit(invoice, network=network), "walk") == _held(
        Verdict.ONCHAIN
    )
    assert books.seen(invoice).status is InvoiceStatus.PENDING


def test_a_deposit_on_another_bolt11_is_a_mismatch(books: Books) -> None:
    invoice = books.add()

    assert books.deposits.judge(
        make_deposit(invoice, payment_request="lnbcrt1other"), "walk"
    ) == _held(Verdict.MISMATCH)
    assert books.seen(invoice).status is InvoiceStatus.PENDING


@pytest.mark.parametrize("as_reported", [str.upper, lambda _: None], ids=["upper case", "absent"])
def test_the_same_bolt11_in_capitals_or_none_at_all_is_fine(
    books: Books, as_reported: "object"
) -> None:
    invoice = books.add()
    reported = as_reported(invoice.payment_request)  # type: ignore[operator]

    assert books.deposits.judge(make_deposit(invoice, payment_request=reported), "walk") == CREDITED


def test_a_deposit_for_no_invoice_of_ours_is_unknown(books: Books) -> None:
    invoice = books.add()
    stranger = make_deposit(invoice, intent_ref="di_of_somebody_else")
    elsewhere = make_deposit(invoice, provider="lnbits")

    assert books.deposits.judge(stranger, "walk") == _held(Verdict.UNKNOWN)
    assert books.deposits.judge(elsewhere, "walk") == _held(Verdict.UNKNOWN)
    assert books.seen(invoice).status is InvoiceStatus.PENDING
    assert books.told(invoice) == []


PROOFS = {
    "absent": None,
    "empty": "",
    "random": "0b" * 32,
    "the hash itself": PAYMENT_HASH,
    "too short": PREIMAGE[:-2],
    "too long": PREIMAGE + "00",
    "not hex": "zz" * 32,
    "words": "paid by card",
    "spaced": " ".join(["0a"] * 32),
    "broken by a line": PREIMAGE + "\n",
    "wide digits": "０a" * 32,
}


def _to_be_proved(books: Books) -> Invoice:
    return books.add(payment_hash=PAYMENT_HASH)


@pytest.mark.parametrize("proof", PROOFS.values(), ids=PROOFS)
def test_a_proof_that_proves_nothing_settles_and_is_no_preimage(
    books: Books, proof: str | None
) -> None:
    invoice = _to_be_proved(books)
    deposit = make_deposit(invoice, proof=proof)

    assert books.deposits.judge(deposit, "walk") == CREDITED
    assert books.seen(invoice).preimage is None
    (recorded,) = books.deposits.recorded("river", [deposit.deposit_ref]).values()
    assert recorded.proof == proof


_ABSENT = {None, ""}


@pytest.mark.parametrize("proof", [proof for proof in PROOFS.values() if proof not in _ABSENT])
def test_where_a_proof_is_demanded_only_the_preimage_will_do(
    books: Books, proof: str | None
) -> None:
    invoice = _to_be_proved(books)

    assert books.demanding.judge(make_deposit(invoice, proof=proof), "walk") == _held(
        Verdict.MISMATCH
    )
    assert books.seen(invoice).status is InvoiceStatus.PENDING


@pytest.mark.parametrize("absent", [None, ""])
def test_a_demanded_proof_that_comes_later_still_settles(books: Books, absent: str | None) -> None:
    invoice = _to_be_proved(books)
    deposit = make_deposit(invoice, proof=absent)

    assert books.demanding.judge(deposit, "walk") == _held(Verdict.UNKNOWN)
    assert books.demanding.judge(deposit, "walk") is None
    assert books.demanding.matchable("river", 10) == []
    assert books.seen(invoice).status is InvoiceStatus.PENDING

    proved = replace(deposit, proof=PREIMAGE)
    assert books.demanding.judge(proved, "walk") == Judgement(
        Verdict.CREDITED, proved=True, settled=True
    )
    assert books.seen(invoice).preimage == PREIMAGE
    (recorded,) = books.deposits.recorded("river", [deposit.deposit_ref]).values()
    assert recorded.proof == PREIMAGE


def test_a_demanded_proof_that_comes_later_and_is_wrong_settles_nothing(books: Books) -> None:
    invoice = _to_be_proved(books)
    deposit = make_deposit(invoice)
    books.demanding.judge(deposit, "walk")

    assert books.demanding.judge(replace(deposit, proof="0b" * 32), "walk") == _held(
        Verdict.MISMATCH
    )
    assert books.demanding.judge(replace(deposit, proof=PREIMAGE), "walk") is None
    assert books.seen(invoice).status is InvoiceStatus.PENDING


@pytest.mark.parametrize("proof", [PREIMAGE, PREIMAGE.upper()])
@pytest.mark.parametrize("demanded", [True, False])
def test_a_proof_that_is_the_preimage_is_stored_as_such(
    books: Books, proof: str, demanded: bool
) -> None:
    invoice = _to_be_proved(books)
    store = books.demanding if demanded else books.deposits

    judgement = store.judge(make_deposit(invoice, proof=proof), "walk")

    assert judgement == Judgement(Verdict.CREDITED, proved=True, settled=True)
    assert books.seen(invoice).preimage == PREIMAGE


def test_a_preimage_of_a_payment_too_small_is_not_shown(books: Books) -> None:
    invoice = _to_be_proved(books)

    books.deposits.judge(make_deposit(invoice, proof=PREIMAGE, amount_sats=1), "walk")

    assert books.seen(invoice).preimage is None


def test_a_deposit_of_nothing_is_recorded(books: Books) -> None:
    invoice = books.add()

    assert books.deposits.judge(make_deposit(invoice, amount_sats=0), "walk") == _held(
        Verdict.UNDERPAID
    )


def test_only_the_invoice_that_was_paid_is_settled(books: Books) -> None:
    invoice, other = books.add(), books.add()

    books.deposits.judge(make_deposit(invoice), "walk")

    assert books.seen(other) == replace(other, updated_at=books.seen(other).updated_at)
    assert books.told(other) == []
