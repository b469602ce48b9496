"""One sentence: what is wrong, and what to type."""

from datetime import datetime

import pytest

from msty_invoice.domain.deposit import Verdict
from msty_invoice.domain.diagnosis import all_well, diagnosis
from msty_invoice.domain.invoice import InvoiceStatus
from msty_invoice.domain.timeline import Dossier
from tests.storage.conftest import make_invoice
from tests.unit.operator.dossiers import (
    GRACE,
    at,
    deposit,
    dossier,
    event,
    finding,
    settled,
    settled_invoice,
)

EXPIRED = make_invoice(status=InvoiceStatus.EXPIRED)


@pytest.mark.parametrize(
    ("well", "says"),
    [
        (dossier(), "it can be paid until 2026-11-23 13:00:00Z"),
        (dossier(now=at(minutes=66)), "past its expiry, and still being checked"),
        (dossier(EXPIRED, now=at(hours=3)), "not paid in time"),
        (settled(), "it was paid."),
        (
            dossier(settled_invoice(settled_at=at(hours=2)), deposits=(deposit(Verdict.CREDITED),)),
            "paid, after it had expired",
        ),
    ],
)
def test_where_nothing_is_wrong_it_says_how_things_stand(well: Dossier, says: str) -> None:
    assert diagnosis(well, GRACE) is None
    assert all_well(well).startswith("Nothing is wrong: ")
    assert says in all_well(well)


def _said(one: Dossier) -> str:
    said = diagnosis(one, GRACE)
    assert said is not None
    return said


def test_an_underpayment_says_how_much_is_missing() -> None:
    assert _said(dossier(deposits=(deposit(Verdict.UNDERPAID, amount_sats=2499),))) == (
        "Paid 1 sat too little on 2026-11-23 12:01:00Z: refund the payer or resolve it:"
        " msty-invoice quarantine show dep_1"
    )


@pytest.mark.parametrize(
    ("verdict", "says"),
    [
        (Verdict.SECOND, "Paid again on 2026-11-23 12:01:00Z, 2,500 sats"),
        (Verdict.ONCHAIN, "2,500 sats came on-chain"),
        (Verdict.MISMATCH, "its BOLT11 or proof is another's"),
    ],
)
def test_every_other_deposit_of_the_quarantine_is_named(verdict: Verdict, says: str) -> None:
    more = deposit(verdict, deposit_ref="dep_2")

    said = _said(settled(deposits=(deposit(Verdict.CREDITED), more)))

    assert says in said
    assert said.endswith("msty-invoice quarantine show dep_2")


def test_what_was_resolved_is_no_longer_wrong() -> None:
    resolved = deposit(Verdict.UNDERPAID, resolved_at=at(minutes=2), resolution="refunded")
    decided = finding(resolved_at=at(minutes=2), resolution="a mistake of theirs")

    assert diagnosis(dossier(deposits=(resolved,)), GRACE) is None
    assert diagnosis(settled(findings=(decided,)), GRACE) is None


def test_the_word_of_the_provider_against_the_books_comes_first() -> None:
    both = settled(
        deposits=(deposit(Verdict.CREDITED), deposit(Verdict.SECOND, deposit_ref="dep_2")),
        findings=(finding(),),
    )

    assert _said(both).startswith("The provider now says amount_sats 2400 of a deposit")
    assert _said(both).endswith("msty-invoice quarantine show finding:12")


def test_why_an_invoice_was_rebuilt_is_no_contradiction() -> None:
    assert diagnosis(settled(findings=(finding(what="adopted"),)), GRACE) is None


@pytest.mark.parametrize(
    "broken",
    [
        dossier(settled_invoice()),
        dossier(deposits=(deposit(Verdict.CREDITED),)),
        settled(deposits=(deposit(Verdict.CREDITED), deposit(Verdict.CREDITED))),
    ],
)
def test_books_that_contradict_themselves_are_a_bug(broken: Dossier) -> None:
    assert "report it as a bug" in _said(broken)


@pytest.mark.parametrize(
    ("walked_from", "says"),
    [
        (None, "no walk over the provider's list was ever completed"),
        (
            at(minutes=64),
            "started 2026-11-23 13:04:00Z, before expiry and grace (2026-11-23 13:05:00Z), run",
        ),
        (at(minutes=66), "clocks may disagree"),
    ],
)
def test_an_overdue_invoice_says_what_holds_it(walked_from: datetime | None, says: str) -> None:
    overdue = dossier(now=at(minutes=70), walked_from=walked_from)

    assert _said(overdue).startswith("Past expiry and still pending")
    assert says in _said(overdue)


def test_an_unread_webhook_that_holds_an_overdue_invoice_is_named() -> None:
    overdue = dossier(now=at(minutes=70), walked_from=at(minutes=69), strays=(event(),))

    assert "held back: A webhook that may be about it (deposit dep_1) waits" in _said(overdue)


def test_a_few_minutes_past_expiry_nothing_is_wrong() -> None:
    checked = dossier(now=at(minutes=68), walked_from=at(minutes=59))

    assert diagnosis(checked, GRACE) is not None
    assert diagnosis(dossier(now=at(minutes=67), walked_from=at(minutes=59)), GRACE) is None


def test_a_webhook_that_waits_says_when_it_is_tried_again() -> None:
    assert _said(dossier(deposits=(), strays=(event(),))) == (
        "A webhook that may be about it (deposit dep_1) waits: attempt 4, next at"
        " 2026-11-23 12:03:00Z (no such deposit)"
    )
    unpaid = dossier(webhooks=(event(),))
    assert _said(unpaid).startswith("A webhook about it waits: attempt 4, next at 2026")


def test_a_webhook_that_nobody_takes_points_at_the_settler() -> None:
    untouched = event(attempts=0, next_attempt_at=at(minutes=1), outcome=None)

    assert _said(dossier(strays=(untouched,))).endswith("is the settler running?")


def test_a_parked_webhook_says_how_to_replay_it() -> None:
    parked = event(parked_at=at(minutes=2))
    says = "parked, no such deposit: msty-invoice webhooks replay 5"

    assert _said(dossier(strays=(parked,))).endswith(says)
    assert _said(dossier(webhooks=(parked,))).endswith(says)


def test_webhooks_change_nothing_about_a_paid_invoice() -> None:
    assert diagnosis(settled(webhooks=(event(),), strays=(event(),)), GRACE) is None
