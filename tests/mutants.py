"""Guards whose removal must not go unnoticed. Run by `bin/mutants`."""

import argparse
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_PATIENCE_SECONDS = 240  # several times what the slowest of the tests takes


@dataclass(frozen=True)
class Mutant:
    """In `file`, `guard` becomes `without`; then one of `tests` must fail."""

    name: str
    file: str
    guard: str
    without: str
    tests: str


_CRASHES = "tests/integration/crashes/test_crash_matrix.py"

MUTANTS = (
    Mutant(
        "the amount of a BOLT11 is compared with the order",
        "msty_invoice/lightning/issued.py",
        "if amount_sats != order.amount_sats:",
        "if False:",
        "tests/unit/test_issued.py",
    ),
    Mutant(
        "the network of a BOLT11 is compared with ours",
        "msty_invoice/lightning/issued.py",
        "if bolt11.network != network:",
        "if False:",
        "tests/unit/test_issued.py",
    ),
    Mutant(
        "an API key is found by its own hash only",
        "msty_invoice/storage/keys.py",
        "WHERE s.secret_sha256 = %(secret_sha256)s\n          AND a.revoked_at IS NULL",
        "WHERE a.revoked_at IS NULL",
        "tests/storage/test_keys.py",
    ),
    Mutant(
        "a test key does not work on mainnet",
        "msty_invoice/service/keys.py",
        "if key.live is not self._live:",
        "if False:",
        "tests/unit/test_keyring.py",
    ),
    Mutant(
        "an invoice is read by the family that made it only",
        "msty_invoice/storage/invoices.py",
        "WHERE payment_hash = %(payment_hash)s AND key_family = %(key_family)s",
        "WHERE payment_hash = %(payment_hash)s",
        "tests/storage/test_invoices.py",
    ),
    Mutant(
        "one payment hash belongs to one invoice",
        "migrations/0003.create-invoices.sql",
        "NOT NULL UNIQUE CHECK (payment_hash",
        "NOT NULL CHECK (payment_hash",
        "tests/storage/test_invoices.py",
    ),
    Mutant(
        "a settled invoice is never deleted",
        "migrations/0003.create-invoices.sql",
        "BEFORE DELETE ON invoices FOR EACH ROW\n    WHEN (OLD.status = 'settled')",
        "BEFORE DELETE ON invoices FOR EACH ROW\n    WHEN (false)",
        "tests/storage/schema/test_status.py",
    ),
    Mutant(
        "a call ends by its deadline",
        "msty_invoice/lightning/deadline.py",
        "        return seconds\n",
        "        return 5.0\n",
        "tests/integration/river/test_rude_servers.py",
    ),
    Mutant(
        "a redirect is not an answer",
        "msty_invoice/lightning/river/client.py",
        "if answer.status == 200 or (answer.status == 404 and endpoint.single):",
        "if answer.status < 400 or (answer.status == 404 and endpoint.single):",
        "tests/integration/river/test_rude_servers.py",
    ),
    Mutant(
        "a name stands once in an object",
        "msty_invoice/web/body.py",
        "if len(names) != len(pairs):",
        "if False:",
        "tests/web/test_bodies.py",
    ),
    Mutant(
        "a body is at most 16 KiB",
        "msty_invoice/web/body.py",
        "MAX_BYTES = 16 * 1024",
        "MAX_BYTES = 64 * 1024",
        "tests/web/test_bodies.py",
    ),
    Mutant(
        "the fifty-first create is refused",
        "msty_invoice/web/admission.py",
        "if not decision.admitted:",
        "if False:",
        "tests/web/test_create_invoice.py",
    ),
    Mutant(
        "a lost connection is resolved by looking",
        "msty_invoice/storage/invoices.py",
        "return find_invoice(self._database, invoice.id) or self._insert(invoice)",
        "raise",
        "tests/storage/connection/test_lost_answers.py",
    ),
    Mutant(
        "one deposit of an invoice is credited, by the database",
        "migrations/0006.create-settlement.sql",
        "CREATE UNIQUE INDEX deposits_one_credit",
        "CREATE INDEX deposits_one_credit",
        "tests/storage/settlement/test_roles.py",
    ),
    Mutant(
        "a credited deposit stays credited, by the database",
        "migrations/0006.create-settlement.sql",
        "WHEN (OLD.verdict = 'credited' AND NEW IS DISTINCT FROM OLD)",
        "WHEN (false)",
        "tests/storage/settlement/test_roles.py",
    ),
    Mutant(
        "a credited deposit is never deleted, by the database",
        "migrations/0006.create-settlement.sql",
        "BEFORE DELETE ON deposits FOR EACH ROW\n    WHEN (OLD.verdict = 'credited')",
        "BEFORE DELETE ON deposits FOR EACH ROW\n    WHEN (false)",
        "tests/storage/settlement/test_roles.py",
    ),
    Mutant(
        "the history of an invoice with a deposit is kept",
        "migrations/0006.create-settlement.sql",
        "uuid         REFERENCES invoices,",
        "uuid         REFERENCES invoices ON DELETE CASCADE,",
        "tests/storage/settlement/test_roles.py",
    ),
    Mutant(
        "an older invoice is as old as it is",
        "migrations/0006.create-settlement.sql",
        "UPDATE invoices SET issued_at = created_at;",
        "",
        "tests/storage/settlement/test_older_invoices.py",
    ),
    Mutant(
        "the guarded update settles what has expired",
        "msty_invoice/storage/deposits.py",
        "AND i.status IN ('pending', 'expired')",
        "AND i.status IN ('pending')",
        "tests/storage/settlement/test_judging.py",
    ),
    Mutant(
        "a settled invoice takes no second credit",
        "msty_invoice/storage/deposits.py",
        "WHEN inv.status = 'settled' OR EXISTS (",
        "WHEN EXISTS (",
        "tests/storage/settlement/test_judging_races.py",
    ),
    Mutant(
        "a credit that stands makes the next a second",
        "msty_invoice/storage/deposits.py",
        "AND o.verdict = 'credited')",
        "AND false)",
        "tests/storage/settlement/test_judging_races.py",
    ),
    Mutant(
        "the invoice is locked while a deposit is judged",
        "msty_invoice/storage/deposits.py",
        "        FOR UPDATE),\n    d AS (",
        "        ),\n    d AS (",
        "tests/storage/settlement/test_judging_races.py",
    ),
    Mutant(
        "too few sats do not settle",
        "msty_invoice/storage/deposits.py",
        "WHEN %(amount_sats)s >= inv.amount_sats THEN",
        "WHEN %(amount_sats)s > 0 THEN",
        "tests/storage/settlement/test_judging.py",
    ),
    Mutant(
        "what came on-chain does not settle",
        "msty_invoice/storage/deposits.py",
        "WHEN %(network)s IS DISTINCT FROM 'LN' THEN",
        "WHEN false THEN",
        "tests/storage/settlement/test_judging.py",
    ),
    Mutant(
        "another BOLT11 is a mismatch",
        "msty_invoice/storage/deposits.py",
        "WHEN lower(%(payment_request)s::text) <> lower(inv.payment_request) THEN",
        "WHEN false THEN",
        "tests/storage/settlement/test_judging.py",
    ),
    Mutant(
        "a demanded proof is demanded",
        "msty_invoice/storage/deposits.py",
        "WHEN %(proof_demanded)s AND inv.preimage IS NULL THEN",
        "WHEN false THEN",
        "tests/storage/settlement/test_judging.py",
    ),
    Mutant(
        "a known deposit is judged once",
        "msty_invoice/storage/deposits.py",
        "WHERE x.verdict = 'unknown' AND EXCLUDED.verdict <> 'unknown'",
        "WHERE EXCLUDED.verdict <> 'unknown'",
        "tests/storage/settlement/test_judging.py",
    ),
    Mutant(
        "an unknown deposit is matched on its own facts",
        "msty_invoice/storage/deposits.py",
        "AND (x.intent_ref, x.amount_sats, x.network)\n                  =",
        "AND (EXCLUDED.intent_ref, EXCLUDED.amount_sats, EXCLUDED.network) =",
        "tests/storage/settlement/test_unknown_deposits.py",
    ),
    Mutant(
        "a disputed deposit waits for somebody",
        "msty_invoice/storage/deposits.py",
        "AND f.resolved_at IS NULL)",
        "AND false)",
        "tests/storage/settlement/test_unknown_deposits.py",
    ),
    Mutant(
        "a pending deposit is asked about by one",
        "msty_invoice/storage/deposits.py",
        "        FOR UPDATE SKIP LOCKED),\n    claimed",
        "        ),\n    claimed",
        "tests/storage/settlement/test_event_takers.py",
    ),
    Mutant(
        "an event is given to one taker",
        "msty_invoice/storage/webhooks.py",
        "        FOR UPDATE SKIP LOCKED),\n    taken",
        "        ),\n    taken",
        "tests/storage/settlement/test_event_takers.py",
    ),
    Mutant(
        "a taker passes by what is being taken",
        "msty_invoice/storage/webhooks.py",
        "FOR UPDATE SKIP LOCKED",
        "FOR UPDATE",
        "tests/storage/settlement/test_event_takers.py",
    ),
    Mutant(
        "a held event is not taken",
        "msty_invoice/storage/webhooks.py",
        "AND (lease_until IS NULL OR lease_until < clock_timestamp())",
        "",
        "tests/storage/settlement/test_webhook_events.py",
    ),
    Mutant(
        "only its holder ends an event",
        "msty_invoice/storage/webhooks.py",
        "AND lease_token = %(token)s AND done_at IS NULL",
        "AND done_at IS NULL",
        "tests/storage/settlement/test_webhook_events.py",
    ),
    Mutant(
        "a repeat opens a parked event",
        "msty_invoice/storage/webhooks.py",
        "                parked_at = NULL,\n",
        "",
        "tests/storage/settlement/test_webhook_events.py",
    ),
    Mutant(
        "another holder's lease is respected",
        "msty_invoice/storage/cursors.py",
        "WHERE c.run_until IS NULL OR c.run_until < clock_timestamp()",
        "WHERE true",
        "tests/storage/settlement/test_cursors.py",
    ),
    Mutant(
        "a lease whose answer was lost is ours",
        "msty_invoice/storage/cursors.py",
        "           OR c.run_token = EXCLUDED.run_token\n",
        "",
        "tests/storage/settlement/test_cursor_races.py",
    ),
    Mutant(
        "only its holder moves a cursor",
        "msty_invoice/storage/cursors.py",
        '_FENCED = "WHERE provider = %(provider)s AND run_token = %(token)s',
        '_FENCED = "WHERE provider = %(provider)s',
        "tests/storage/settlement/test_cursors.py",
    ),
    Mutant(
        "only the cursor's holder expires",
        "msty_invoice/storage/cursors.py",
        "WHERE c.provider = %(provider)s AND c.run_token = %(token)s",
        "WHERE c.provider = %(provider)s",
        "tests/storage/settlement/test_expiring.py",
    ),
    Mutant(
        "the grace is waited for",
        "msty_invoice/storage/cursors.py",
        "SELECT c.complete_started_at - %(grace)s FROM",
        "SELECT c.complete_started_at FROM",
        "tests/storage/settlement/test_expiring.py",
    ),
    Mutant(
        "the walk started later than the expiry",
        "msty_invoice/storage/cursors.py",
        "complete_started_at = %(started_at)s,",
        "complete_started_at = 'infinity',",
        "tests/storage/settlement/test_expiring.py",
    ),
    Mutant(
        "an unread event holds expiry up",
        "msty_invoice/storage/cursors.py",
        "AND w.received_at < c.complete_started_at))",
        "AND false))",
        "tests/storage/settlement/test_expiring.py",
    ),
    Mutant(
        "expiring passes by what is being settled",
        "msty_invoice/storage/cursors.py",
        "        FOR UPDATE SKIP LOCKED),\n    x AS",
        "        ),\n    x AS",
        "tests/storage/settlement/test_judging_races.py",
    ),
    Mutant(
        "what was told before listening is looked for",
        "msty_invoice/storage/listening.py",
        'return [""]  # whatever',
        "return []  # whatever",
        "tests/storage/settlement/test_listening.py",
    ),
    Mutant(
        "the fleet looks once in five seconds",
        "msty_invoice/storage/looks.py",
        '("SET", _KEY, "1", "NX", "PX", _PAUSE_MS)',
        '("SET", _KEY, "1", "PX", _PAUSE_MS)',
        "tests/storage/settlement/test_looks.py",
    ),
    Mutant(
        "a Redis that failed is left alone",
        "msty_invoice/storage/looks.py",
        "self._open_until = self._monotonic() + _OPEN_SECONDS",
        "pass",
        "tests/storage/settlement/test_looks.py",
    ),
    Mutant(
        "nothing expires while the clocks are apart",
        "msty_invoice/service/reconciling.py",
        "if skew is not None and abs(skew) <= MAX_SKEW:",
        "if True:",
        "tests/unit/settlement/test_reconciling.py",
    ),
    Mutant(
        "a walk goes down to its floor",
        "msty_invoice/service/reconciling.py",
        "    if page.next_token is None:\n        return True",
        "    return True",
        "tests/unit/settlement/test_reconciling.py",
    ),
    Mutant(
        "a walk goes on where it stopped",
        "msty_invoice/service/reconciling.py",
        "page, pages = self._read(walk.next_token), 2",
        "pass",
        "tests/unit/settlement/test_reconciling.py",
    ),
    Mutant(
        "who lost the lease stops",
        "msty_invoice/service/reconciling.py",
        "        if not held:",
        "        if False:",
        "tests/unit/settlement/test_reconciling.py",
    ),
    Mutant(
        "a deposit that cannot be asked about stops no walk",
        "msty_invoice/service/settling.py",
        "except ProviderError as exc:",
        "except ZeroDivisionError as exc:",
        "tests/unit/settlement/test_settling.py tests/unit/settlement/test_reconciling.py",
    ),
    Mutant(
        "an hourly walk goes down to the oldest open invoice",
        "msty_invoice/domain/walk.py",
        "if depth is not Depth.MINUTE and cursor.oldest_open_at:",
        "if False:",
        "tests/integration/settlement/test_late_and_lost.py",
    ),
    Mutant(
        "a walk allows for lists that are late",
        "msty_invoice/domain/walk.py",
        "min(walk.top, walk.started_at) - LISTED_LATE",
        "min(walk.top, walk.started_at)",
        "tests/integration/settlement/test_late_and_lost.py",
    ),
    Mutant(
        "what came early is matched again",
        "msty_invoice/service/reconciling.py",
        "        self._settling.rematch()\n",
        "",
        "tests/integration/settlement/test_late_and_lost.py",
    ),
    Mutant(
        "only what succeeded is judged",
        "msty_invoice/service/settling.py",
        "if deposit.state is DepositState.SUCCEEDED:",
        "if True:",
        "tests/unit/settlement/test_settling.py",
    ),
    Mutant(
        "a later word of the provider is a finding",
        "msty_invoice/service/settling.py",
        "        if recorded:\n            self._note",
        "        if False:\n            self._note",
        "tests/unit/settlement/test_settling.py",
    ),
    Mutant(
        "a webhook is committed before it is answered",
        "msty_invoice/service/webhooks.py",
        "copies = self._store.store(event)",
        "copies = 1",
        "tests/unit/settlement/test_webhooks.py",
    ),
    Mutant(
        "what is announced and not there is asked again",
        "msty_invoice/service/webhooks.py",
        "and event.state != SUCCESS:",
        ":",
        "tests/unit/settlement/test_webhooks.py",
    ),
    Mutant(
        "an event is parked after a day only",
        "msty_invoice/service/webhooks.py",
        "if event.age_seconds < (_PATIENCE_SECONDS if signed",
        "if event.age_seconds < (0 if signed",
        "tests/unit/settlement/test_webhooks.py",
    ),
    Mutant(
        "the settler stops in the middle of a backlog",
        "msty_invoice/service/settler.py",
        "        busy = self._events.run() > 0\n",
        "        busy = False\n        while self._events.run():\n            pass\n",
        "tests/unit/settlement/test_settler.py",
    ),
    Mutant(
        "an invoice is shown only when it is recorded",
        "msty_invoice/storage/invoices.py",
        "return find_invoice(self._database, invoice.id) or self._insert(invoice)",
        "return invoice",
        f"{_CRASHES} -k invoices._ADD",
    ),
    Mutant(
        "an invoice of a key is shown only when it is recorded",
        "msty_invoice/storage/idempotency.py",
        "recorded = find_invoice(self._database, invoice.id) or self._record(claim, invoice)",
        "recorded = invoice",
        f"{_CRASHES} -k idempotency._FINISH",
    ),
    Mutant(
        "a claim's token fences",
        "msty_invoice/storage/idempotency.py",
        "AND token = %(token)s\n          AND invoice_id IS NULL\n        RETURNING 1),",
        "AND invoice_id IS NULL\n        RETURNING 1),",
        "tests/storage/idempotency tests/integration/test_idempotency_crashes.py",
    ),
    Mutant(
        "a dead request's claim is taken over",
        "msty_invoice/storage/idempotency.py",
        "AND (k.claimed_at <= clock_timestamp() - %(lease)s::interval OR k.token = EXCLUDED.token)",
        "AND k.token = EXCLUDED.token",
        f"{_CRASHES} -k idempotency._CLAIM",
    ),
    Mutant(
        "a dead settler's event is taken over",
        "msty_invoice/storage/webhooks.py",
        "AND (lease_until IS NULL OR lease_until < clock_timestamp())",
        "AND lease_until IS NULL",
        f"{_CRASHES} -k webhooks._DONE",
    ),
    Mutant(
        "a dead pass's lease is taken over",
        "msty_invoice/storage/cursors.py",
        "WHERE c.run_until IS NULL OR c.run_until < clock_timestamp()",
        "WHERE c.run_until IS NULL",
        f"{_CRASHES} -k cursors._SAVE",
    ),
    Mutant(
        "a webhook is answered after its commit, not before",
        "msty_invoice/web/webhook.py",
        "            webhooks.take(headers, read_bytes(req, _MAX_BYTES))",
        "            import threading\n"
        "            given = (headers, read_bytes(req, _MAX_BYTES))\n"
        "            threading.Timer(0.3, webhooks.take, given).start()",
        f"{_CRASHES} -k webhooks._STORE",
    ),
    Mutant(
        "an event is done only when its deposit is recorded",
        "msty_invoice/service/webhooks.py",
        """        try:
            state = self._settling.settle(event.ref, "webhook")
""",
        """        try:
            self._store.done(event, "done")
            state = self._settling.settle(event.ref, "webhook")
""",
        f"{_CRASHES} -k deposits._JUDGE",
    ),
    Mutant(
        "a walk is complete only when all of it was read",
        "msty_invoice/service/reconciling.py",
        "self._ensure_held(self._cursors.save(cursor.provider, walk))",
        "self._cursors.complete(cursor.provider, walk, done_down_to(walk, None))\n"
        "            self._cursors.save(cursor.provider, walk)",
        "tests/unit/settlement/test_reconciling.py",
    ),
    Mutant(
        "failpoints are refused on mainnet",
        "msty_invoice/config.py",
        "if config.msty_failpoints and config.lightning_network in (None, Network.MAINNET):",
        "if False:",
        "tests/unit/test_failpoints.py",
    ),
    Mutant(
        "what an operator dealt with is never credited",
        "msty_invoice/storage/deposits.py",
        "              AND x.resolved_at IS NULL\n",
        "",
        "tests/storage/settlement/test_unknown_deposits.py",
    ),
    Mutant(
        "a walk with a gap proves nothing for a day",
        "msty_invoice/domain/walk.py",
        "    if not walk.gap:",
        "    if True:",
        "tests/unit/test_walk.py",
    ),
    Mutant(
        "what is overdue is walked back to before it ends",
        "msty_invoice/domain/walk.py",
        "    if cursor.oldest_overdue_at:",
        "    if False:",
        "tests/unit/test_walk.py",
    ),
)


def main() -> int:
    """Exit 0 if every mutant was caught, 1 if one lives, 2 if a guard is not where it was."""
    parser = argparse.ArgumentParser(prog="bin/mutants", description=__doc__)
    parser.add_argument("only", nargs="*", help="words that a mutant's name must contain")
    parser.add_argument("--list", action="store_true", help="name them and stop")
    args = parser.parse_args()
    chosen = [m for m in MUTANTS if all(word in m.name for word in args.only)]
    if args.list:
        print("\n".join(mutant.name for mutant in chosen))
        return 0
    moved = [mutant.name for mutant in chosen if not _stands(mutant)]
    if moved:
        print("\n".join(f"the guard is not where it was: {name}" for name in moved))
        return 2
    alive = [mutant.name for mutant in chosen if not _caught(mutant)]
    print(f"{len(chosen) - len(alive)} of {len(chosen)} caught")
    return 1 if alive else 0


def _stands(mutant: Mutant) -> bool:
    return (ROOT / mutant.file).read_text().count(mutant.guard) == 1


def _caught(mutant: Mutant) -> bool:
    with tempfile.TemporaryDirectory(prefix="msty-mutant-") as folder:
        copy = Path(folder, "tree")
        _copy_tree(copy)
        target = copy / mutant.file
        target.write_text(target.read_text().replace(mutant.guard, mutant.without))
        # Some guards show in how soon something happens: on a busy machine, look twice.
        caught = _fails(mutant, copy) or _fails(mutant, copy)
    print(f"{'caught' if caught else 'ALIVE '}  {mutant.name}", flush=True)
    return caught


def _copy_tree(copy: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    )
    for name in listed.stdout.decode().splitlines():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, copy / name)


def _fails(mutant: Mutant, copy: Path) -> bool:
    command = [sys.executable, "-m", "pytest", "-q", "-x", *mutant.tests.split()]
    # Its own tree first on the path, before the one that is installed.
    env = {"PATH": "/usr/bin:/bin", "HOME": str(copy), "PYTHONPATH": str(copy)}
    try:
        run = subprocess.run(
            command, cwd=copy, env=env, capture_output=True, text=True, timeout=_PATIENCE_SECONDS
        )
    except subprocess.TimeoutExpired:
        return True  # without some guards a loop never ends, and neither does its test
    if run.returncode not in (0, 1):
        print(run.stdout[-2000:], run.stderr[-2000:], file=sys.stderr)
        raise SystemExit(f"bin/mutants: pytest ended with {run.returncode} for: {mutant.name}")
    return run.returncode == 1


if __name__ == "__main__":
    sys.exit(main())
