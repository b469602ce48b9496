"""The resident worker: hints at once, a few events at a time, and no failure ends it."""

from collections.abc import Callable

import pytest

from msty_invoice.domain.deposit import DepositState
from msty_invoice.domain.errors import ProviderUnavailable, StorageUnavailable
from msty_invoice.domain.invoice import InvoiceStatus
from msty_invoice.service.settler import Settler
from msty_invoice.service.settling import Settling
from tests.unit.settlement.parts import ListingProvider, Parts


class Notices:
    """Keeps to `settlement_ports.Listener`: gives these in turn, then nothing."""

    def __init__(self, *turns: list[str] | Exception) -> None:
        self._turns = list(turns)
        self.waits: list[float] = []

    def wait(self, seconds: float) -> list[str]:
        self.waits.append(seconds)
        turn = self._turns.pop(0) if self._turns else []
        if isinstance(turn, Exception):
            raise turn
        return turn


class Stop:
    """Says stop after so many rounds."""

    def __init__(self, rounds: int) -> None:
        self._left = rounds

    def __call__(self) -> bool:
        self._left -= 1
        return self._left < 0


def _settler(
    parts: Parts, notices: Notices, pause: Callable[[float], None] = lambda _: None
) -> Settler:
    looking = Settling(parts.provider, parts.deposits, parts.counts)
    return Settler(notices, parts.events, parts.settling, looking, pause)


def test_it_looks_for_what_a_reader_waits_for(parts: Parts) -> None:
    invoice = parts.add()
    parts.pay(invoice)

    _settler(parts, Notices([f"look:{invoice.payment_hash}"])).run_once(1)

    assert parts.provider.asked == [f"look {invoice.payment_hash}"]
    assert {kept.how for kept in parts.deposits.kept.values()} == {"look"}


def test_it_looks_with_its_own_deadline(parts: Parts) -> None:
    quick = ListingProvider(parts.clock)
    looking = Settling(quick, parts.deposits, parts.counts)
    settler = Settler(Notices(["look:ab"]), parts.events, parts.settling, looking, lambda _: None)

    settler.run_once(1)

    assert (quick.asked, parts.provider.asked) == (["look ab"], [])


def test_a_look_that_fails_keeps_no_event_waiting(parts: Parts) -> None:
    invoice = parts.add()
    parts.taking.take({}, parts.pay(invoice).deposit_ref.encode())
    parts.fails("look", ProviderUnavailable("503"))

    _settler(parts, Notices(["look:ab", "event"])).run_once(1)

    assert parts.status(invoice) is InvoiceStatus.SETTLED


def test_without_a_hint_it_finds_what_is_due_all_the_same(parts: Parts) -> None:
    invoice = parts.add()
    parts.taking.take({}, parts.pay(invoice).deposit_ref.encode())

    _settler(parts, Notices([])).run_once(1)

    assert parts.status(invoice) is InvoiceStatus.SETTLED


def test_it_asks_about_pending_deposits(parts: Parts) -> None:
    invoice = parts.add()
    deposit = parts.pay(invoice, state=DepositState.PENDING)
    parts.settling.record([deposit], "walk")
    parts.change(deposit, state=DepositState.SUCCEEDED)

    _settler(parts, Notices()).run_once(1)

    assert parts.status(invoice) is InvoiceStatus.SETTLED


def test_a_pending_deposit_that_cannot_be_asked_about_ends_nothing(parts: Parts) -> None:
    parts.settling.record([parts.pay(parts.add(), state=DepositState.PENDING)], "walk")
    parts.fails("deposit", ProviderUnavailable("503"))

    _settler(parts, Notices()).run_once(1)


def test_a_backlog_is_worked_off_without_waiting(parts: Parts) -> None:
    invoices = [parts.add() for _ in range(7)]
    for invoice in invoices:
        parts.taking.take({}, parts.pay(invoice).deposit_ref.encode())
    notices = Notices()

    _settler(parts, notices).run(Stop(4))

    assert {parts.status(invoice) for invoice in invoices} == {InvoiceStatus.SETTLED}
    assert notices.waits == [1, 0, 0, 0]


def test_it_stops_in_the_middle_of_a_backlog(parts: Parts) -> None:
    """A provider that hangs must not keep it from stopping in time."""
    for number in range(50):
        parts.taking.take({}, b"dep_%d" % number)

    _settler(parts, Notices()).run(Stop(2))

    assert len(parts.provider.asked) == 6


def test_a_reader_is_served_in_the_middle_of_a_backlog(parts: Parts) -> None:
    for number in range(50):
        parts.taking.take({}, b"dep_%d" % number)

    _settler(parts, Notices([], ["look:ab"])).run(Stop(2))

    assert parts.provider.asked.index("look ab") == 6


def test_a_database_that_is_away_is_waited_for(parts: Parts) -> None:
    invoice = parts.add()
    parts.taking.take({}, parts.pay(invoice).deposit_ref.encode())
    pauses: list[float] = []
    away = StorageUnavailable("away")

    _settler(parts, Notices(away, away), pauses.append).run(Stop(3))

    assert pauses == [1, 1]
    assert parts.status(invoice) is InvoiceStatus.SETTLED


def test_a_bug_is_not_mistaken_for_a_database_that_is_away(parts: Parts) -> None:
    with pytest.raises(ZeroDivisionError):
        _settler(parts, Notices(ZeroDivisionError())).run(Stop(3))


def test_a_bug_about_one_look_keeps_no_event_waiting(parts: Parts) -> None:
    invoice = parts.add()
    parts.taking.take({}, parts.pay(invoice).deposit_ref.encode())
    parts.provider.failures["look"] = ZeroDivisionError()

    _settler(parts, Notices(["look:ab"])).run_once(1)

    assert parts.status(invoice) is InvoiceStatus.SETTLED


def test_events_are_worked_off_before_anybody_is_looked_for(parts: Parts) -> None:
    deposit = parts.pay(parts.add())
    parts.taking.take({}, deposit.deposit_ref.encode())

    _settler(parts, Notices(["look:ab"])).run_once(1)

    assert parts.provider.asked == [deposit.deposit_ref, "look ab"]


def test_of_many_readers_one_is_looked_for_at_once_and_each_only_once(parts: Parts) -> None:
    notices = Notices(["look:ab", "look:cd", "look:ab", "look:ef"])
    settler = _settler(parts, notices)

    assert settler.run_once(1)
    assert parts.provider.asked == ["look ab"]
    assert settler.run_once(0)
    assert not settler.run_once(0)

    assert parts.provider.asked == ["look ab", "look cd", "look ef"]
