"""What the settler and `reconcile` do about payments."""

from datetime import UTC, datetime, timedelta
from typing import Any

from msty_invoice.domain.invoice import Invoice
from tests.integration.crashes import children
from tests.integration.crashes.processes import Outcome
from tests.integration.crashes.scenario import Scenario, ended_well
from tests.integration.crashes.world import ONE_DEPOSIT, World

_ASK_ONE = "river GET /accounts/{account}/deposits/{id}"
_ASK_ALL = "river GET /accounts/{account}/deposits"
_STATUS = "SELECT status FROM invoices WHERE payment_hash = %(hash)s"
_OPEN = "INSERT INTO open_deposits (provider, deposit_ref) VALUES ('river', %(ref)s)"


def _settle(world: World, subject: object) -> Outcome:
    return world.run(children.settle)


def _reconcile(world: World, subject: object) -> Outcome:
    return world.command("reconcile")


def _status(world: World, invoice: Invoice) -> str:
    ((status,),) = world.books(_STATUS, hash=invoice.payment_hash)
    return str(status)


def _is_settled(world: World, invoice: Invoice, last: Outcome) -> None:
    ended_well(world, invoice, last)
    assert _status(world, invoice) == "settled"


def _announced(world: World) -> Invoice:
    invoice = world.issue()
    world.announce(world.pay(invoice.payment_request))
    return invoice


def _announced_and_pending(world: World) -> Invoice:
    invoice = _announced(world)
    world.river.faults({"pending_deposits": {"value": True, "endpoint": ONE_DEPOSIT}})
    return invoice


def _is_settled_once_it_has_arrived(world: World, invoice: Invoice, last: Outcome) -> None:
    ended_well(world, invoice, last)
    assert _status(world, invoice) == "pending"
    assert world.books("SELECT count(*) FROM open_deposits") == [(1,)]
    world.river.faults({})
    world.let_time_pass()
    _is_settled(world, invoice, _settle(world, invoice))


def _to_be_asked_about(world: World) -> Invoice:
    invoice = world.issue()
    world.books(_OPEN, ref=world.pay(invoice.payment_request))
    return invoice


def _to_be_asked_about_and_pending(world: World) -> Invoice:
    invoice = _to_be_asked_about(world)
    world.river.faults({"pending_deposits": {"value": True, "endpoint": ONE_DEPOSIT}})
    return invoice


def _unheard_of(world: World) -> None:
    world.announce("dep_that_never_was")


def _unheard_of_for_a_day(world: World) -> None:
    _unheard_of(world)
    world.books("UPDATE webhook_events SET opened_at = opened_at - interval '25 h'")


def _is_parked_in_the_end(world: World, subject: None, last: Outcome) -> None:
    ended_well(world, subject, last)
    world.books("UPDATE webhook_events SET opened_at = opened_at - interval '25 h'")
    world.let_time_pass()
    ended_well(world, subject, _settle(world, subject))
    assert world.books("SELECT parked_at IS NOT NULL FROM webhook_events") == [(True,)]


def _paid_unnoticed(world: World) -> Invoice:
    invoice = world.issue()
    world.pay(invoice.payment_request)
    return invoice


def _reported_otherwise(world: World) -> Invoice:
    invoice = world.issue()
    ref = world.pay(invoice.payment_request)
    assert world.come_to_rest().code == 0
    world.announce(ref)
    world.river.faults({"amount_delta": {"value": 5, "endpoint": ONE_DEPOSIT}})
    return invoice


def _is_found_once(world: World, invoice: Invoice, last: Outcome) -> None:
    _is_settled(world, invoice, last)
    world.river.faults({})
    found = world.books("SELECT what, recorded, reported FROM deposit_findings")
    assert found == [("amount_sats", "2500", "2505")]


def _one_paid_one_overdue(world: World) -> tuple[Invoice, Invoice]:
    long_ago = datetime.now(UTC) - timedelta(hours=2)
    overdue = world.issue(issued_at=long_ago, expires_at=long_ago + timedelta(hours=1))
    return _paid_unnoticed(world), overdue


def _is_walked(world: World, invoices: tuple[Invoice, Invoice], last: Outcome) -> None:
    ended_well(world, invoices, last)
    assert [_status(world, it) for it in invoices] == ["settled", "expired"]
    listed = world.river.state()["counts"]["deposits"]
    assert world.books("SELECT count(*) FROM deposits") == [(listed,)]


def _seen_before_its_invoice(world: World) -> Invoice:
    intent: Any = world.river.create()
    world.pay(intent["destination"])
    assert world.come_to_rest().code == 0
    return world.record(intent)


SCENARIOS = (
    Scenario(
        "settle",
        ("webhooks._TAKE", _ASK_ONE, "deposits._JUDGE", "webhooks._DONE"),
        arrange=_announced,
        act=_settle,
        check=_is_settled,
    ),
    Scenario(
        "settle what is pending",
        ("deposits._OPEN", "webhooks._LATER"),
        arrange=_announced_and_pending,
        act=_settle,
        check=_is_settled_once_it_has_arrived,
    ),
    Scenario(
        "ask about what was pending",
        ("deposits._DUE", _ASK_ONE, "deposits._JUDGE", "deposits._CLOSE"),
        arrange=_to_be_asked_about,
        act=_settle,
        check=_is_settled,
    ),
    Scenario(
        "ask about what is pending still",
        ("deposits._ASKED",),
        arrange=_to_be_asked_about_and_pending,
        act=_settle,
        check=_is_settled_once_it_has_arrived,
    ),
    Scenario(
        "doubt",
        ("webhooks._LATER",),
        arrange=_unheard_of,
        act=_settle,
        check=_is_parked_in_the_end,
    ),
    Scenario(
        "park",
        ("webhooks._PARK",),
        arrange=_unheard_of_for_a_day,
        act=_settle,
        check=_is_parked_in_the_end,
    ),
    Scenario(
        "find a difference",
        ("deposits._ADD_FINDING",),
        arrange=_reported_otherwise,
        act=_settle,
        check=_is_found_once,
    ),
    Scenario(
        "look",
        (_ASK_ALL, "deposits._JUDGE"),
        arrange=_paid_unnoticed,
        act=lambda world, invoice: world.run(children.settle, invoice.payment_hash),
        check=_is_settled,
    ),
    Scenario(
        "walk and expire",
        (
            "cursors._ACQUIRE",
            _ASK_ALL,
            "deposits._JUDGE",
            "cursors._SAVE",
            "cursors._COMPLETE",
            "cursors._EXPIRE",
            "cursors._RELEASE",
        ),
        arrange=_one_paid_one_overdue,
        act=_reconcile,
        check=_is_walked,
    ),
    Scenario(
        "match again",
        ("deposits._JUDGE",),
        arrange=_seen_before_its_invoice,
        act=_reconcile,
        check=_is_settled,
    ),
)
