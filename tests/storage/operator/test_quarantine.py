"""The quarantine: what waits, and what was decided about it."""

from contextlib import closing
from datetime import timedelta

import pytest

from msty_invoice.domain.deposit import Finding, Verdict
from msty_invoice.domain.errors import DepositNotFound, NotResolvable
from msty_invoice.service.quarantine import Evidence, Quarantine
from msty_invoice.storage.postgres import Database
from msty_invoice.storage.quarantine import PostgresQuarantine
from tests.storage.settlement.books import PostgresBooks, at, make_deposit, make_event

FINDING = Finding("river", "dep_1", "amount_sats", "2500", "2400")


@pytest.fixture
def quarantine(books: PostgresBooks) -> Quarantine:
    return Quarantine(PostgresQuarantine(books.app))


def _refs(quarantine: Quarantine, *, all_of_them: bool = False) -> list[str]:
    deposits, findings = quarantine.list(all_of_them=all_of_them)
    return [*(d.deposit_ref for d in deposits), *(f.ref for f in findings)]


def _underpaid(books: PostgresBooks, ref: str = "dep_1") -> None:
    books.deposits.judge(make_deposit(books.add(), deposit_ref=ref, amount_sats=1), "walk")


def _credited(books: PostgresBooks, ref: str = "dep_1") -> None:
    books.deposits.judge(make_deposit(books.add(), deposit_ref=ref), "walk")


def _finding(books: PostgresBooks) -> str:
    books.deposits.add_finding(FINDING)
    return f"finding:{books.ask('SELECT id FROM deposit_findings')[0][0]}"


def test_every_verdict_that_settles_nothing_waits(
    books: PostgresBooks, quarantine: Quarantine
) -> None:
    invoice = books.add()
    later: dict[str, object] = {"deposited_at": at(minutes=2)}
    changes_of: dict[str, dict[str, object]] = {
        "credited": {},
        "second": later,
        "onchain": later | {"network": "BTC"},
        "mismatch": later | {"payment_request": "lnbcrt1other"},
        "unknown": later | {"intent_ref": "di_of_nobody"},
    }
    for ref, changes in changes_of.items():
        books.deposits.judge(make_deposit(invoice, deposit_ref=ref, **changes), "walk")
    _underpaid(books, "underpaid")

    deposits, _ = quarantine.list(all_of_them=False)

    assert {d.deposit_ref: d.verdict for d in deposits} == {
        name: Verdict(name) for name in ("second", "onchain", "mismatch", "unknown", "underpaid")
    }
    assert all(deposit.waits for deposit in deposits)


def test_all_evidence_is_shown_to_a_reader(books: PostgresBooks) -> None:
    _underpaid(books)
    books.webhooks.store(make_event("dep_1"))
    ref = _finding(books)
    with closing(Database(books.database.readonly)) as readonly:
        quarantine = Quarantine(PostgresQuarantine(readonly))

        by_deposit, by_finding = quarantine.find("dep_1"), quarantine.find(ref)

        assert len(by_deposit.findings) == len(by_deposit.events) == 1
        assert by_deposit.deposit == by_finding.deposit
        assert by_finding.finding == by_deposit.findings[0]
        assert _refs(quarantine) == ["dep_1", ref]


def test_a_reason_is_kept_and_the_verdict_stands(
    books: PostgresBooks, quarantine: Quarantine
) -> None:
    _underpaid(books)

    kept = quarantine.resolve(quarantine.find("dep_1"), "refunded, ticket 7").deposit

    assert (kept.verdict, kept.resolution) == (Verdict.UNDERPAID, "refunded, ticket 7")
    assert kept.resolved_at is not None
    assert _refs(quarantine) == []
    assert _refs(quarantine, all_of_them=True) == ["dep_1"]
    history = books.ask("SELECT what, how FROM invoice_events ORDER BY id")
    assert history[-1] == ("resolved", "operator")


def test_what_was_decided_is_not_decided_again(
    books: PostgresBooks, quarantine: Quarantine
) -> None:
    _underpaid(books)
    before = quarantine.find("dep_1")
    quarantine.resolve(before, "refunded")

    for seen in (before, quarantine.find("dep_1")):
        with pytest.raises(NotResolvable):
            quarantine.resolve(seen, "kept as a tip")

    assert books.ask("SELECT resolution FROM deposits") == [("refunded",)]


@pytest.mark.parametrize("ref", ["dep_1", "river:dep_1"])
def test_a_credited_deposit_has_nothing_to_resolve(
    books: PostgresBooks, quarantine: Quarantine, ref: str
) -> None:
    _credited(books)

    with pytest.raises(NotResolvable, match="credited"):
        quarantine.resolve(quarantine.find(ref), "because")

    assert books.ask("SELECT resolved_at FROM deposits") == [(None,)]


def test_one_that_is_credited_meanwhile_is_left_alone(
    books: PostgresBooks, quarantine: Quarantine
) -> None:
    lost = make_deposit(books.add(), deposit_ref="dep_1", intent_ref="di_late")
    books.deposits.judge(lost, "walk")
    seen = quarantine.find("dep_1")
    books.add(provider_ref="di_late", payment_request=lost.payment_request)
    books.deposits.judge(lost, "walk")

    with pytest.raises(NotResolvable):
        quarantine.resolve(seen, "not ours")

    assert books.ask("SELECT verdict, resolution FROM deposits") == [("credited", None)]


def test_a_finding_is_resolved_and_its_deposit_stays_as_it_is(
    books: PostgresBooks, quarantine: Quarantine
) -> None:
    _credited(books)
    ref = _finding(books)

    kept: Evidence = quarantine.resolve(quarantine.find(ref), "a mistake of theirs")

    assert kept.finding is not None
    assert kept.finding.resolution == "a mistake of theirs"
    assert _refs(quarantine) == []
    assert books.ask("SELECT verdict, resolved_at FROM deposits") == [("credited", None)]
    with pytest.raises(NotResolvable, match="a mistake of theirs"):
        quarantine.resolve(quarantine.find(ref), "another")


@pytest.mark.parametrize("ref", ["dep_9", "finding:9", "finding:x", "river:dep_9", ""])
def test_what_is_not_there_says_where_to_look(quarantine: Quarantine, ref: str) -> None:
    with pytest.raises(DepositNotFound, match="quarantine list --all"):
        quarantine.find(ref)


def test_two_providers_with_one_reference_are_told_apart(
    books: PostgresBooks, quarantine: Quarantine
) -> None:
    for provider in ("river", "lnbits"):
        nobodys = make_deposit(books.add(), provider=provider, intent_ref="di", deposit_ref="dep")
        books.deposits.judge(nobodys, "walk")

    with pytest.raises(DepositNotFound, match=r"write .*lnbits:dep"):
        quarantine.find("dep")
    assert quarantine.find("lnbits:dep").deposit.provider == "lnbits"


def test_the_oldest_is_first(books: PostgresBooks, quarantine: Quarantine) -> None:
    for number in (2, 1, 3):
        paid = at(minutes=0) + timedelta(days=number)
        young = make_deposit(books.add(), deposit_ref=str(number), amount_sats=1, deposited_at=paid)
        books.deposits.judge(young, "walk")

    assert _refs(quarantine) == ["1", "2", "3"]
