"""An invoice that a restore has lost is rebuilt from its deposit, and credited exactly once."""

from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest

from msty_invoice.domain.deposit import Deposit, Finding, Verdict
from msty_invoice.domain.errors import KeyNotFound, NotAdoptable, NotResolvable
from msty_invoice.domain.invoice import InvoiceStatus, Network
from msty_invoice.domain.key import ApiKey
from msty_invoice.lightning.bolt11 import encode
from msty_invoice.lightning.issued import read_issued
from msty_invoice.service.adopting import Adopting
from msty_invoice.service.quarantine import Quarantine
from msty_invoice.storage.adoption import PostgresAdoption
from msty_invoice.storage.deposits import PostgresDeposits
from msty_invoice.storage.postgres import Database
from msty_invoice.storage.quarantine import PostgresQuarantine
from tests.fakes import NOON
from tests.storage.conftest import FAMILY, make_key
from tests.storage.settlement.books import (
    PAYMENT_HASH,
    PREIMAGE,
    PostgresBooks,
    make_deposit,
    patient,
    soundness,
)
from tests.unit.bolt11_coffee import COFFEE, KEY

LOST = replace(
    COFFEE,
    network=Network.REGTEST,
    amount_msat=2_500_000,
    timestamp=int(NOON.timestamp()),
    payment_hash=PAYMENT_HASH,
)


def _find_key(name: str) -> ApiKey:
    if name != "shop":
        raise KeyNotFound(name)
    return make_key("shop", FAMILY)


def adopting(database: Database, *, proving: Collection[str] = (), **changes: Any) -> Adopting:
    needs: dict[str, Any] = {
        "quarantine": Quarantine(PostgresQuarantine(database)),
        "adoption": PostgresAdoption(database),
        "deposits": PostgresDeposits(database, proving=proving),
        "find_key": _find_key,
        "read_issued": read_issued,
        "network": Network.REGTEST,
    }
    return Adopting(**needs | changes, proving=proving)


@pytest.fixture
def lose(books: PostgresBooks) -> Callable[..., Deposit]:
    """A recorded deposit whose invoice is not there."""

    def losing(ref: str = "dep_1", **changes: object) -> Deposit:
        fields: dict[str, object] = {
            "deposit_ref": ref,
            "intent_ref": "di_lost",
            "amount_sats": 2500,
            "payment_request": encode(LOST, KEY),
            "proof": PREIMAGE,
        }
        deposit = make_deposit(books.add(), **fields | changes)
        books.deposits.judge(deposit, "walk")
        return deposit

    return losing


def _lost(books: PostgresBooks) -> list[Any]:
    return books.ask(
        "SELECT status, amount_sats, memo, key_family, preimage, issued_at, created_at"
        " FROM invoices WHERE provider_ref = 'di_lost'"
    )


def test_the_invoice_is_what_it_was_and_is_settled(
    books: PostgresBooks, lose: Callable[..., Deposit]
) -> None:
    deposit = lose()

    adopted = adopting(books.app).adopt("dep_1", "shop", "restored backup")

    assert adopted.deposit.verdict is Verdict.CREDITED
    assert (adopted.invoice.status, adopted.invoice.settled_at) == (
        InvoiceStatus.SETTLED,
        deposit.deposited_at,
    )
    assert adopted.invoice.payment_hash == PAYMENT_HASH
    assert _lost(books) == [("settled", 2500, "1 cup coffee", FAMILY, PREIMAGE, NOON, NOON)]
    history = "SELECT what, how FROM invoice_events WHERE invoice_id = %(id)s ORDER BY id"
    assert books.ask(history, id=adopted.invoice.id) == [
        ("created", "adopt"),
        ("credited", "adopt"),
    ]
    assert soundness(books) == []


def test_the_reason_is_kept_and_nothing_waits(
    books: PostgresBooks, lose: Callable[..., Deposit]
) -> None:
    lose()

    adopting(books.app).adopt("dep_1", "shop", "restored backup")

    assert books.ask("SELECT what, reported, resolution FROM deposit_findings") == [
        ("adopted", PAYMENT_HASH, "restored backup")
    ]
    assert Quarantine(PostgresQuarantine(books.app)).list(all_of_them=False) == ((), ())


def test_twice_is_once(books: PostgresBooks, lose: Callable[..., Deposit]) -> None:
    lose()
    first = adopting(books.app).adopt("dep_1", "shop", "restored backup")

    again = adopting(books.app).adopt("dep_1", "shop", "restored backup")

    assert again.done_before
    assert again.invoice == first.invoice
    assert soundness(books) == []


def test_a_dry_run_changes_nothing(books: PostgresBooks, lose: Callable[..., Deposit]) -> None:
    lose()

    adopted = adopting(books.app).adopt("dep_1", "shop", "restored", dry_run=True)

    assert adopted.invoice.payment_hash == PAYMENT_HASH
    assert _lost(books) == []
    assert books.ask("SELECT count(*) FROM deposit_findings") == [(0,)]


@pytest.mark.parametrize("_again", range(5))
def test_many_people_at_once_adopt_it_once(
    books: PostgresBooks, lose: Callable[..., Deposit], _again: int
) -> None:
    lose()
    together = Barrier(6)

    def adopt(_: int) -> Verdict:
        with closing(patient(books.database.app)) as database:
            together.wait()
            return adopting(database).adopt("dep_1", "shop", "restored").deposit.verdict

    with ThreadPoolExecutor(6) as people:
        verdicts = list(people.map(adopt, range(6)))

    assert verdicts == [Verdict.CREDITED] * 6
    assert len(_lost(books)) == 1
    assert soundness(books) == []


def test_killed_in_the_middle_the_next_pass_credits_it(
    books: PostgresBooks, lose: Callable[..., Deposit]
) -> None:
    lose()

    class Killed:
        def judge(self, deposit: Deposit, how: str) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        adopting(books.app, deposits=Killed()).adopt("dep_1", "shop", "restored")
    assert _lost(books)[0][0] == "pending"

    (matchable,) = books.deposits.matchable("river", 10)
    books.deposits.judge(matchable, "rematch")

    assert _lost(books)[0][0] == "settled"
    assert soundness(books) == []


def test_of_two_lost_deposits_one_is_credited_and_one_waits(
    books: PostgresBooks, lose: Callable[..., Deposit]
) -> None:
    lose("dep_1")
    lose("dep_2")
    adopting(books.app).adopt("dep_1", "shop", "restored")

    second = adopting(books.app).adopt("dep_2", "shop", "restored")

    assert second.deposit.verdict is Verdict.SECOND
    assert second.deposit.waits
    assert soundness(books) == []


_REFUSED: dict[str, dict[str, Any]] = {
    "2499 sats, its invoice asks for 2500": {"amount_sats": 2499},
    "no BOLT11": {"payment_request": None},
    "not one of ours": {"payment_request": "lnbcrt1rubbish"},
    "came over BTC": {"network": "BTC"},
}


@pytest.mark.parametrize("why", _REFUSED)
def test_what_was_never_ours_to_settle_is_refused(
    books: PostgresBooks, lose: Callable[..., Deposit], why: str
) -> None:
    lose(**_REFUSED[why])

    with pytest.raises(NotAdoptable, match=why):
        adopting(books.app).adopt("dep_1", "shop", "restored")

    assert _lost(books) == []


def test_an_invoice_for_another_network_is_refused(
    books: PostgresBooks, lose: Callable[..., Deposit]
) -> None:
    lose(payment_request=encode(replace(LOST, network=Network.MAINNET), KEY))

    with pytest.raises(NotAdoptable, match="for mainnet, not regtest"):
        adopting(books.app).adopt("dep_1", "shop", "restored")


def test_a_payment_hash_that_another_invoice_has_is_refused(
    books: PostgresBooks, lose: Callable[..., Deposit]
) -> None:
    books.add(payment_hash=PAYMENT_HASH)
    lose()

    with pytest.raises(NotAdoptable, match="another invoice has its payment hash"):
        adopting(books.app).adopt("dep_1", "shop", "restored")

    assert books.ask("SELECT count(*) FROM deposit_findings") == [(0,)]


def test_where_a_proof_is_demanded_it_must_prove(
    books: PostgresBooks, lose: Callable[..., Deposit]
) -> None:
    lose("dep_1", proof="0b" * 32)
    lose("dep_2")
    demanding = adopting(books.app, proving={"river"})

    with pytest.raises(NotAdoptable, match="proof"):
        demanding.adopt("dep_1", "shop", "restored")

    assert demanding.adopt("dep_2", "shop", "restored").deposit.verdict is Verdict.CREDITED


def test_a_proof_is_demanded_of_those_providers_only_that_give_one(
    books: PostgresBooks, lose: Callable[..., Deposit]
) -> None:
    lose("dep_1", provider="lnbits", proof=None)

    adopted = adopting(books.app, proving={"river"}).adopt("dep_1", "shop", "restored")

    assert adopted.deposit.verdict is Verdict.CREDITED


def test_what_the_provider_has_taken_back_must_be_resolved_first(
    books: PostgresBooks, lose: Callable[..., Deposit]
) -> None:
    lose()
    books.deposits.add_finding(Finding("river", "dep_1", "amount_sats", "2500", "2400"))

    with pytest.raises(NotAdoptable, match="resolve finding:1 first"):
        adopting(books.app).adopt("dep_1", "shop", "restored")


def test_what_was_refunded_is_not_credited_as_well(
    books: PostgresBooks, lose: Callable[..., Deposit]
) -> None:
    lose()
    quarantine = Quarantine(PostgresQuarantine(books.app))
    quarantine.resolve(quarantine.find("dep_1"), "refunded")

    with pytest.raises(NotResolvable, match="refunded"):
        adopting(books.app).adopt("dep_1", "shop", "restored")

    assert _lost(books) == []


def test_a_known_invoice_needs_no_rebuilding(
    books: PostgresBooks, lose: Callable[..., Deposit]
) -> None:
    books.deposits.judge(make_deposit(books.add(), deposit_ref="dep_1", amount_sats=1), "walk")

    with pytest.raises(NotResolvable, match="without --adopt"):
        adopting(books.app).adopt("dep_1", "shop", "restored")


@pytest.mark.parametrize(
    ("name", "find"),
    [
        ("nobody", _find_key),
        ("shop", lambda name: make_key(name, UUID(int=1), live=True)),
    ],
)
def test_the_key_must_be_one_of_this_network(
    books: PostgresBooks, lose: Callable[..., Deposit], name: str, find: Callable[[str], ApiKey]
) -> None:
    lose()

    with pytest.raises(KeyNotFound):
        adopting(books.app, find_key=find).adopt("dep_1", name, "restored")

    assert _lost(books) == []


def test_what_is_refunded_while_somebody_adopts_it_stays_refunded(
    books: PostgresBooks, lose: Callable[..., Deposit]
) -> None:
    lose()
    quarantine = Quarantine(PostgresQuarantine(books.app))

    def refund_meanwhile(name: str) -> ApiKey:
        quarantine.resolve(quarantine.find("dep_1"), "refunded")
        return _find_key(name)

    with pytest.raises(NotAdoptable, match="it changed"):
        adopting(books.app, find_key=refund_meanwhile).adopt("dep_1", "shop", "restored")

    assert _lost(books) == []
    assert quarantine.find("dep_1").deposit.resolution == "refunded"
