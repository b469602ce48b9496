"""I1 to I8 of an invoice service, from its books, River's, and what clients saw (design §4.10)."""

from collections import defaultdict

from tests.integration.crashes.world import World

_INVOICES = "SELECT payment_hash, payment_request, provider_ref, status FROM invoices"
_NOT_ONE_CREDIT = """
    SELECT i.payment_hash, i.status FROM invoices i
    LEFT JOIN deposits d ON d.invoice_id = i.id AND d.verdict = 'credited'
    GROUP BY i.id HAVING (i.status = 'settled') <> (count(d.deposit_ref) = 1)
"""
_TOLD_TWICE = """
    SELECT invoice_id, what FROM invoice_events
    WHERE what IN ('created', 'credited', 'expired', 'overpaid')
    GROUP BY invoice_id, what HAVING count(*) > 1
"""
_NEVER_CREATED = """
    SELECT i.payment_hash FROM invoices i WHERE NOT EXISTS (
        SELECT FROM invoice_events e WHERE e.invoice_id = i.id AND e.what = 'created')
"""
_STUCK = """
    SELECT 'event ' || id FROM webhook_events
    WHERE (done_at IS NULL AND parked_at IS NULL) OR lease_token IS NOT NULL
    UNION ALL SELECT 'deposit ' || deposit_ref FROM open_deposits WHERE ended_at IS NULL
    UNION ALL SELECT 'walk of ' || provider FROM provider_cursors
    WHERE run_token IS NOT NULL OR walk_started_at IS NOT NULL
    UNION ALL SELECT 'claim of ' || key FROM idempotency_keys
    WHERE invoice_id IS NULL AND claimed_at > '-infinity'
"""
_DEPOSITS = "SELECT deposit_ref, intent_ref, amount_sats FROM deposits"


def check(world: World) -> None:
    """After everything has come to rest."""
    state = world.river.state()
    recorded = {row[0]: row for row in world.books(_INVOICES)}
    made = {intent["payment_hash"] for intent in state["intents"]}
    by_key = defaultdict(set)
    for shown in world.shown:
        assert shown.payment_hash in recorded, "I1: shown, and not recorded"
        assert shown.payment_request == recorded[shown.payment_hash][1], "I1: not what was shown"
        assert shown.payment_hash in made, "I1: shown, and not River's"
        by_key[shown.key].add(shown.payment_hash)
    for key, hashes in by_key.items():
        assert key is None or len(hashes) == 1, f"I2, I8: {key} showed {hashes}"

    assert world.books(_NOT_ONE_CREDIT) == [], "I3: settled, and not by one deposit"
    assert world.books(_TOLD_TWICE) == [], "I5: it happened once"
    assert world.books(_NEVER_CREATED) == [], "I5: no history"

    theirs = {(it["id"], it["intent_id"], it["amount_sats"]) for it in state["deposits"]}
    assert set(world.books(_DEPOSITS)) == theirs, "I4: the books are not River's"
    paid = {it["id"]: it["amount"] for it in state["intents"] if it["amount"]}
    full = {intent for _, intent, amount in theirs if amount >= paid.get(intent, amount + 1)}
    for payment_hash, _, intent, status in recorded.values():
        assert (status == "settled") == (intent in full), f"I3, I4: {payment_hash} is {status}"

    assert world.books(_STUCK) == [], "I7: it never ends"
    assert list(world.folder.glob(".*")) == [], "half a file"
