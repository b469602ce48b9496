"""The life of an invoice, in the order in which we learnt of it."""

from msty_invoice.domain.books import PastEvent
from msty_invoice.domain.deposit import Verdict
from msty_invoice.domain.timeline import Moment, timeline
from tests.fakes import NOON
from tests.unit.operator.dossiers import at, deposit, dossier, event, finding, settled

CREATED = PastEvent("created", "api", NOON)
LEARNT = at(minutes=1, seconds=2)
EXPIRY = Moment(at(hours=1), "expiry", "may no longer be paid")


def test_a_paid_invoice_has_a_line_for_each_thing_that_happened() -> None:
    done = event(done_at=LEARNT, attempts=1, copies=3, outcome="succeeded")
    told = PastEvent("credited", "webhook", LEARNT)

    assert timeline(settled(history=(CREATED, told), webhooks=(done,))) == [
        Moment(NOON, "api", "created"),
        Moment(at(minutes=1), "webhook", "webhook 5 SUCCESS about dep_1, 3×; done after 1 attempt"),
        Moment(LEARNT, "webhook", "deposit dep_1 of 2500 sats: credited", at(minutes=1)),
        EXPIRY,
    ]


def test_two_clocks_that_agree_are_one() -> None:
    prompt = deposit(Verdict.CREDITED, seen_at=at(minutes=1))
    told = PastEvent("credited", "webhook", at(minutes=1))

    moments = timeline(settled(history=(told,), deposits=(prompt,)))

    assert moments[0].provider_at is None


def test_a_deposit_that_was_matched_later_has_two_lines() -> None:
    matched = deposit(Verdict.CREDITED, seen_by="rematch")
    told = PastEvent("credited", "rematch", at(minutes=4))

    moments = timeline(settled(history=(CREATED, told), deposits=(matched,)))

    assert [(m.path, m.what) for m in moments[1:3]] == [
        ("seen", "deposit dep_1 of 2500 sats: unknown then"),
        ("rematch", "credited"),
    ]


def test_decisions_are_told_with_their_reasons() -> None:
    resolved = deposit(Verdict.UNDERPAID, resolved_at=at(minutes=9), resolution="refunded")
    decided = finding(resolved_at=at(minutes=10), resolution="a typo of theirs")
    told = PastEvent("resolved", "operator", at(minutes=9))

    moments = timeline(dossier(history=(told,), deposits=(resolved,), findings=(decided,)))

    assert [m.what for m in moments if m.path == "operator"] == [
        "resolved deposit dep_1: refunded",
        "resolved finding:12: a typo of theirs",
    ]
    assert Moment(
        at(minutes=9), "provider", "amount_sats of deposit dep_1 is now 2400, in the books 2500"
    ) in moments  # fmt: skip


def test_a_rebuilt_invoice_says_so_and_why() -> None:
    rebuilt = finding(what="adopted", resolved_at=at(minutes=9), resolution="restored backup")

    moments = timeline(settled(findings=(rebuilt,)))

    assert [m.what for m in moments if m.path == "adopt"] == [
        "rebuilt from the deposit: restored backup"
    ]
    assert not [m for m in moments if m.path in ("operator", "provider")]


def test_webhooks_say_how_far_the_settler_got() -> None:
    waiting, parked = event(id=1), event(id=2, parked_at=at(minutes=2), attempts=1)

    said = [m.what for m in timeline(dossier(webhooks=(waiting, parked))) if m.path == "webhook"]

    assert said == [
        "webhook 1 SUCCESS about dep_1, 1×; waits after 3 attempts: no such deposit",
        "webhook 2 SUCCESS about dep_1, 1×; parked after 1 attempt: no such deposit",
    ]


def test_expiry_is_told_as_past_once_it_is() -> None:
    assert timeline(dossier(now=at(hours=2)))[-1].what == "expired"
