"""What the web application does for a client and for River."""

import redis

from msty_invoice.domain.invoice import Invoice
from tests.integration.crashes.processes import Outcome
from tests.integration.crashes.scenario import Scenario, answered
from tests.integration.crashes.world import World
from tests.integration.sandbox.processes import CREATE

_KEY = "order-42"
_ASK_RIVER = "river POST /accounts/{account}/deposit_intents"


def _forget_scripts(world: World) -> None:
    with redis.Redis.from_url(world.settings["REDIS_URL"]) as client:
        client.script_flush()


def _order_refused_at_first(world: World, subject: None) -> Outcome:
    world.river.faults({"refuse": {"value": True, "endpoint": CREATE}} if world.failpoints else {})
    outcome = world.order(_KEY)
    world.river.faults({})
    return outcome


def _read(world: World, invoice: Invoice) -> Outcome:
    return world.ask("GET", f"/api/lightning/invoices/{invoice.payment_hash}")


def _was_shown_once(world: World, subject: None, last: Outcome) -> None:
    answered(201)(world, subject, last)
    assert world.order(_KEY).told == last.told
    assert world.books("SELECT count(*) FROM invoices") == [(1,)]


def _paid(world: World) -> str:
    return world.pay(world.issue().payment_request)


def _is_stored(world: World, deposit_ref: str, last: Outcome) -> None:
    """Told once: whoever was answered 200 does not come back."""
    answered(200)(world, deposit_ref, last)
    stored = world.books("SELECT ref FROM webhook_events WHERE done_at IS NULL")
    assert stored == [(deposit_ref,)]


def _not_answered(first: Outcome) -> bool:
    return not first.told or first.told[0] >= 300


SCENARIOS = (
    Scenario(
        "create",
        ("keys._FIND", "redis EVALSHA", _ASK_RIVER, "invoices._ADD"),
        act=lambda world, _: world.order(),
        check=answered(201),
        again=_not_answered,
    ),
    Scenario(
        "create with an empty Redis",
        ("redis EVAL",),
        arrange=_forget_scripts,
        act=lambda world, _: world.order(),
        check=answered(201),
        again=_not_answered,
    ),
    Scenario(
        "create with a key",
        ("idempotency._CLAIM", _ASK_RIVER, "idempotency._FINISH"),
        act=lambda world, _: world.order(_KEY),
        check=_was_shown_once,
        again=_not_answered,
    ),
    Scenario(
        "create with a key, refused at first",
        ("idempotency._RELEASE",),
        act=_order_refused_at_first,
        check=_was_shown_once,
    ),
    Scenario(
        "read",
        ("keys._FIND", "redis EVALSHA", "redis SET", "looks._NOTIFY"),
        arrange=lambda world: world.issue(),
        act=_read,
        check=answered(200),
    ),
    Scenario(
        "be ready",
        ("redis PING", "river GET /"),
        act=lambda world, _: world.ask("GET", "/readyz"),
        check=answered(200),
    ),
    Scenario(
        "take a webhook",
        ("webhooks._STORE",),
        arrange=_paid,
        act=lambda world, deposit_ref: world.deliver(deposit_ref),
        check=_is_stored,
        again=_not_answered,
    ),
)
