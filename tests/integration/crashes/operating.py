"""What an operator and the timers do."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from msty_invoice.domain.invoice import Invoice
from msty_invoice.lightning.river.signature import SignatureRules, verify
from tests.integration.crashes import children
from tests.integration.crashes.processes import Outcome
from tests.integration.crashes.scenario import Scenario, ended_well
from tests.integration.crashes.world import ONE_DEPOSIT, World

_SECRETS_IN_USE = """
    SELECT count(*) FROM api_key_secrets s JOIN api_keys a ON a.id = s.key_id
    WHERE a.name = %(name)s AND s.expires_at IS NULL
"""
_OLD_INVOICE = "UPDATE invoices SET status = 'expired' WHERE status = 'pending'"
_OLD_KEY = """
    INSERT INTO idempotency_keys (key_family, key, fingerprint, token, claimed_at)
    SELECT id, 'old', sha256('o'), gen_random_uuid(), now() - interval '4 days' FROM api_keys
"""
_OLD_OPEN_DEPOSIT = """
    INSERT INTO open_deposits (provider, deposit_ref, ended_at, outcome)
    VALUES ('river', 'dep_old', now() - interval '181 days', 'failed')
"""
_OLD_EVENT = """
    INSERT INTO webhook_events
        (provider, type, ref, state, body, body_sha256, received_at, done_at)
    SELECT 'river', 'DEPOSIT', 'dep_old', 'FAIL', '', sha256(''), at, at
    FROM (SELECT now() - interval '181 days') old (at)
"""
_COUNTS = """
    SELECT (SELECT count(*) FROM invoices), (SELECT count(*) FROM idempotency_keys),
           (SELECT count(*) FROM open_deposits), (SELECT count(*) FROM webhook_events)
"""
_REASON = ("--reason", "the drill")
_RESOLVED = """
    SELECT (SELECT count(*) FROM deposits WHERE resolution = 'the drill'),
           (SELECT count(*) FROM deposit_findings WHERE resolution = 'the drill'),
           (SELECT count(*) FROM invoice_events WHERE what = 'resolved')
"""


def _aged(world: World) -> Invoice:
    """One of each kind to go, and a paid invoice to stay. Returns that."""
    long_ago = datetime.now(UTC) - timedelta(days=100)
    world.issue(issued_at=long_ago, expires_at=long_ago + timedelta(hours=1))
    paid = world.issue(issued_at=long_ago, expires_at=long_ago + timedelta(hours=1))
    world.pay(paid.payment_request)
    assert world.come_to_rest().code == 0
    for statement in (_OLD_INVOICE, _OLD_KEY, _OLD_OPEN_DEPOSIT, _OLD_EVENT):
        world.books(statement)
    return paid


def _cleanup(world: World, paid: Invoice) -> Outcome:
    return world.command("cleanup", DATABASE_URL=world.database.jobs)


def _only_money_is_left(world: World, paid: Invoice, last: Outcome) -> None:
    ended_well(world, paid, last)
    assert world.books(_COUNTS) == [(1, 0, 0, 0)]
    assert world.books("SELECT payment_hash FROM invoices") == [(paid.payment_hash,)]


def _has_one_secret(world: World, subject: None, last: Outcome) -> None:
    """1: it is there already, made by a command that never came to say so."""
    assert last.code in (0, 1), last
    assert world.command("keys", "rotate", "pages", "--overlap", "0").code == 0
    assert world.books(_SECRETS_IN_USE, name="pages") == [(1,)]


def _key(world: World) -> None:
    assert world.command("keys", "create", "--name", "pages").code == 0


def _is_revoked(world: World, subject: None, last: Outcome) -> None:
    assert last.code in (0, 1), last  # 1: it was revoked before
    revoked = world.books("SELECT revoked_at IS NOT NULL FROM api_keys WHERE name = 'pages'")
    assert revoked == [(True,)]


def _secret_file(world: World) -> Path:
    path = world.folder / "river_webhook_secret"
    path.touch(mode=0o600)
    return path


def _register(world: World, path: Path) -> Outcome:
    return _river(world, path, "register-webhook")


def _rotate(world: World, path: Path) -> Outcome:
    return _river(world, path, "rotate-webhook-secret")


def _river(world: World, path: Path, action: str) -> Outcome:
    public_url = f"http://127.0.0.1:{world.told.port}"
    where = {"RIVER_WEBHOOK_SECRET_FILE": str(path), "PUBLIC_URL": public_url}
    return world.command("river", action, **where)


def _registered(world: World) -> Path:
    path = _secret_file(world)
    assert _register(world, path).code == 0
    return path


def _is_registered(world: World, path: Path, last: Outcome) -> None:
    if last.code == 1:  # it is, and its secret was lost with the process that had heard it
        last = _rotate(world, path)
    _secret_is_kept(world, path, last)


def _secret_is_kept(world: World, path: Path, last: Outcome) -> None:
    ended_well(world, path, last)
    assert path.stat().st_mode & 0o777 == 0o600
    world.river.faults({})
    world.pay(world.issue().payment_request)
    webhook = world.told.take()
    kept = [bytes.fromhex(secret) for secret in path.read_text().split(",")]
    verify(webhook.signature, webhook.raw_body, SignatureRules(kept[:1]), datetime.now(UTC))


def _underpaid(world: World) -> str:
    ref = world.pay(world.issue().payment_request, amount=2499)
    assert world.come_to_rest().code == 0
    return ref


def _disputed(world: World) -> str:
    ref = world.pay(world.issue().payment_request)
    assert world.come_to_rest().code == 0
    world.announce(ref)
    world.river.faults({"amount_delta": {"value": 5, "endpoint": ONE_DEPOSIT}})
    assert world.run(children.settle).code == 0
    world.river.faults({})
    ((finding,),) = world.books("SELECT id FROM deposit_findings")
    return f"finding:{finding}"


def _resolve(world: World, ref: str) -> Outcome:
    return world.command("quarantine", "resolve", ref, *_REASON)


def _is_resolved_once(world: World, ref: str, last: Outcome) -> None:
    assert last.code in (0, 1), last  # 1: it was resolved before
    of_finding = ref.startswith("finding:")
    assert world.books(_RESOLVED) == [(int(not of_finding), int(of_finding), 1)]


def _lost_in_a_restore(world: World) -> str:
    intent: Any = world.river.create()
    ref = world.pay(intent["destination"])
    assert world.come_to_rest().code == 0
    return ref


def _adopt(world: World, ref: str) -> Outcome:
    return world.command("quarantine", "resolve", ref, "--adopt", "--key", "shop", *_REASON)


def _is_adopted(world: World, ref: str, last: Outcome) -> None:
    ended_well(world, ref, last)
    assert world.books("SELECT status FROM invoices") == [("settled",)]


def _parked(world: World) -> Invoice:
    invoice = world.issue()
    world.announce(world.pay(invoice.payment_request))
    world.books("UPDATE webhook_events SET parked_at = now()")
    return invoice


def _is_settled_by_replay(world: World, invoice: Invoice, last: Outcome) -> None:
    ended_well(world, invoice, last)
    ended_well(world, invoice, world.run(children.settle))
    assert world.books("SELECT status FROM invoices") == [("settled",)]


SCENARIOS = (
    Scenario(
        "clean up",
        tuple(
            f"cleanup._DELETE.{kind}"
            for kind in ("idempotency_keys", "invoices", "webhook_events", "open_deposits")
        ),
        arrange=_aged,
        act=_cleanup,
        check=_only_money_is_left,
    ),
    Scenario(
        "create an API key",
        ("keys._ADD",),
        act=lambda world, _: world.command("keys", "create", "--name", "pages"),
        check=_has_one_secret,
    ),
    Scenario(
        "rotate an API key",
        ("keys._ROTATE",),
        arrange=_key,
        act=lambda world, _: world.command("keys", "rotate", "pages"),
        check=_has_one_secret,
    ),
    Scenario(
        "revoke an API key",
        ("keys._REVOKE",),
        arrange=_key,
        act=lambda world, _: world.command("keys", "revoke", "pages"),
        check=_is_revoked,
    ),
    Scenario(
        "register the webhook",
        ("river GET /accounts/{account}/webhooks", "river POST /accounts/{account}/webhooks"),
        arrange=_secret_file,
        act=_register,
        check=_is_registered,
    ),
    Scenario(
        "rotate the webhook's secret",
        (
            "river GET /accounts/{account}/webhooks",
            "river DELETE /accounts/{account}/webhooks",
            "river POST /accounts/{account}/webhooks",
        ),
        arrange=_registered,
        act=_rotate,
        check=_secret_is_kept,
    ),
    Scenario(
        "resolve a deposit",
        ("quarantine._RESOLVE_DEPOSIT",),
        arrange=_underpaid,
        act=_resolve,
        check=_is_resolved_once,
    ),
    Scenario(
        "resolve a finding",
        ("quarantine._RESOLVE_FINDING",),
        arrange=_disputed,
        act=_resolve,
        check=_is_resolved_once,
    ),
    Scenario(
        "adopt",
        ("adoption._REBUILD", "deposits._JUDGE"),
        arrange=_lost_in_a_restore,
        act=_adopt,
        check=_is_adopted,
    ),
    Scenario(
        "replay a webhook",
        ("event_list._REOPEN",),
        arrange=_parked,
        act=lambda world, _: world.command("webhooks", "replay", "--parked"),
        check=_is_settled_by_replay,
    ),
)
