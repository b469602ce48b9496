"""Deposits: each judged once, by one statement that every path shares (design §4.2)."""

from collections.abc import Collection, Iterable
from datetime import datetime

from msty_invoice.domain.deposit import (
    Deposit,
    DepositState,
    Finding,
    Judgement,
    RecordedDeposit,
    Verdict,
)
from msty_invoice.storage.postgres import Database

# The invoice is locked first, so two deposits for it are judged one after the other. A NULL
# must never credit: hence `>=` with `underpaid` in the ELSE, and IS DISTINCT FROM.
# An `unknown` one is judged again, but only on the same facts, and not once an operator has
# dealt with it: it may have been refunded. So is one whose demanded proof is yet to come.
_JUDGE = """
    WITH inv AS (
        SELECT id, amount_sats, status, payment_request,
               CASE WHEN %(proof)s::text ~ '^[0-9a-fA-F]{64}$' THEN
                   CASE WHEN encode(sha256(decode(%(proof)s::text, 'hex')), 'hex') = payment_hash
                        THEN lower(%(proof)s::text) END END AS preimage
        FROM invoices
        WHERE provider = %(provider)s AND provider_ref = %(intent_ref)s
        FOR UPDATE),
    d AS (
        INSERT INTO deposits AS x
            (provider, deposit_ref, intent_ref, payment_request, amount_sats, network, proof,
             deposited_at, seen_by, invoice_id, verdict)
        SELECT
            %(provider)s, %(deposit_ref)s, %(intent_ref)s, %(payment_request)s, %(amount_sats)s,
            %(network)s, %(proof)s, %(deposited_at)s, %(how)s, inv.id,
            CASE
                WHEN inv.id IS NULL THEN 'unknown'
                WHEN %(network)s IS DISTINCT FROM 'LN' THEN 'onchain'
                WHEN lower(%(payment_request)s::text) <> lower(inv.payment_request) THEN 'mismatch'
                WHEN %(proof_demanded)s AND nullif(%(proof)s::text, '') IS NULL THEN 'unknown'
                WHEN %(proof_demanded)s AND inv.preimage IS NULL THEN 'mismatch'
                WHEN inv.status = 'settled' OR EXISTS (
                    SELECT FROM deposits o WHERE o.invoice_id = inv.id AND o.verdict = 'credited')
                    THEN 'second'
                WHEN %(amount_sats)s >= inv.amount_sats THEN 'credited'
                ELSE 'underpaid'
            END
        FROM (SELECT 1) one LEFT JOIN inv ON true
        ON CONFLICT (provider, deposit_ref) DO UPDATE
            SET verdict = EXCLUDED.verdict,
                invoice_id = EXCLUDED.invoice_id,
                proof = coalesce(nullif(x.proof, ''), EXCLUDED.proof),
                seen_by = EXCLUDED.seen_by
            WHERE x.verdict = 'unknown' AND EXCLUDED.verdict <> 'unknown'
              AND x.resolved_at IS NULL
              AND (x.intent_ref, x.amount_sats, x.network)
                  = (EXCLUDED.intent_ref, EXCLUDED.amount_sats, EXCLUDED.network)
        RETURNING x.invoice_id, x.verdict, x.amount_sats, x.deposited_at, x.seen_by),
    s AS (
        UPDATE invoices i
        SET status = 'settled', settled_at = d.deposited_at,
            amount_received_sats = d.amount_sats, preimage = inv.preimage, updated_at = now()
        FROM d, inv
        WHERE d.verdict = 'credited' AND i.id = d.invoice_id AND inv.id = i.id
          AND i.status IN ('pending', 'expired')
        RETURNING i.id),
    e AS (
        INSERT INTO invoice_events (invoice_id, what, how)
        SELECT d.invoice_id, w.what, d.seen_by
        FROM d CROSS JOIN inv CROSS JOIN LATERAL (
            SELECT d.verdict
            UNION ALL
            SELECT 'overpaid' WHERE d.verdict = 'credited' AND d.amount_sats > inv.amount_sats
        ) w (what)
        WHERE d.invoice_id IS NOT NULL)
    SELECT d.verdict, (SELECT preimage IS NOT NULL FROM inv), (SELECT count(*) FROM s) FROM d
"""

_RECORDED = """
    SELECT deposit_ref, intent_ref, amount_sats, network, proof, verdict
    FROM deposits
    WHERE provider = %(provider)s AND deposit_ref = ANY(%(refs)s)
"""

_ADD_FINDING = """
    INSERT INTO deposit_findings (provider, deposit_ref, what, recorded, reported)
    VALUES (%(provider)s, %(deposit_ref)s, %(what)s, %(recorded)s, %(reported)s)
    ON CONFLICT DO NOTHING
    RETURNING id
"""

# Recorded before its invoice could be seen: now the two can meet. Not without a demanded
# proof: only a later report can bring it. Not on facts that the
# provider has taken back since: such a deposit is somebody's to look at.
_MATCHABLE = """
    SELECT d.provider, d.deposit_ref, d.intent_ref, d.amount_sats, d.network, d.deposited_at,
           d.payment_request, d.proof
    FROM deposits d
    JOIN invoices i ON i.provider = d.provider AND i.provider_ref = d.intent_ref
    WHERE d.provider = %(provider)s AND d.verdict = 'unknown' AND d.resolved_at IS NULL
      AND (d.proof <> '' OR NOT %(proof_demanded)s)
      AND NOT EXISTS (
          SELECT FROM deposit_findings f
          WHERE f.provider = d.provider AND f.deposit_ref = d.deposit_ref
            AND f.what IN ('amount_sats', 'intent_ref', 'network', 'state')
            AND f.resolved_at IS NULL)
    ORDER BY d.deposited_at
    LIMIT %(limit)s
"""

# Which invoice it is for may be learnt later, and stands once it is known.
_OPEN = """
    INSERT INTO open_deposits AS o (provider, deposit_ref, intent_ref)
    VALUES (%(provider)s, %(deposit_ref)s, nullif(%(intent_ref)s, ''))
    ON CONFLICT (provider, deposit_ref) DO UPDATE
        SET intent_ref = EXCLUDED.intent_ref
        WHERE o.intent_ref IS NULL AND EXCLUDED.intent_ref IS NOT NULL
"""

# Claimed by moving the date, so two settlers do not ask at once. One that was claimed and
# never asked about, as the provider or we were away, waits no longer than that.
_DUE = """
    WITH due AS MATERIALIZED (
        SELECT provider, deposit_ref, next_ask_at FROM open_deposits
        WHERE provider = %(provider)s AND ended_at IS NULL AND next_ask_at <= clock_timestamp()
        ORDER BY next_ask_at, deposit_ref
        LIMIT %(limit)s
        FOR UPDATE SKIP LOCKED),
    claimed AS (
        UPDATE open_deposits o
        SET next_ask_at = clock_timestamp() + interval '60 s'
        FROM due
        WHERE o.provider = due.provider AND o.deposit_ref = due.deposit_ref
        RETURNING due.next_ask_at, o.deposit_ref)
    SELECT deposit_ref FROM claimed ORDER BY next_ask_at, deposit_ref
"""

# Asked again after 10 s, 20 s, 40 s … at most an hour.
_ASKED = """
    UPDATE open_deposits
    SET asked = asked + 1,
        next_ask_at = clock_timestamp()
            + least(interval '1 hour', interval '10 s' * 2 ^ least(asked, 9))
    WHERE provider = %(provider)s AND deposit_ref = %(deposit_ref)s AND ended_at IS NULL
"""

_CLOSE = """
    UPDATE open_deposits
    SET ended_at = clock_timestamp(), outcome = %(outcome)s
    WHERE provider = %(provider)s AND deposit_ref = %(deposit_ref)s AND ended_at IS NULL
"""


class PostgresDeposits:
    """Implements `settlement_ports.DepositStore`.

    `proving` names the providers of whom only a preimage of the payment hash is believed.
    """

    def __init__(self, database: Database, *, proving: Collection[str] = ()) -> None:
        self._database = database
        self._proving = proving

    def judge(self, deposit: Deposit, how: str) -> Judgement | None:
        values = {
            "provider": deposit.provider,
            "deposit_ref": deposit.deposit_ref,
            "intent_ref": deposit.intent_ref,
            "payment_request": deposit.payment_request,
            "amount_sats": deposit.amount_sats,
            "network": deposit.network,
            "proof": deposit.proof,
            "deposited_at": deposit.deposited_at,
            "how": how,
            "proof_demanded": deposit.provider in self._proving,
        }
        rows = self._database.repeat(_JUDGE, values)
        if not rows:
            return None
        verdict, proved, settled = rows[0]
        return Judgement(Verdict(verdict), proved=bool(proved), settled=bool(settled))

    def recorded(self, provider: str, refs: Iterable[str]) -> dict[str, RecordedDeposit]:
        rows = self._database.repeat(_RECORDED, {"provider": provider, "refs": list(refs)})
        return {
            ref: RecordedDeposit(ref, intent, amount, network, proof, Verdict(verdict))
            for ref, intent, amount, network, proof, verdict in rows
        }

    def add_finding(self, finding: Finding) -> bool:
        values = {name: getattr(finding, name) for name in finding.__slots__}
        return bool(self._database.repeat(_ADD_FINDING, values))

    def matchable(self, provider: str, limit: int) -> list[Deposit]:
        demanded = provider in self._proving
        values = {"provider": provider, "limit": limit, "proof_demanded": demanded}
        rows = self._database.repeat(_MATCHABLE, values)
        return [_deposit(*row) for row in rows]

    def open(self, deposit: Deposit) -> None:
        values = {
            "provider": deposit.provider,
            "deposit_ref": deposit.deposit_ref,
            "intent_ref": deposit.intent_ref,
        }
        self._database.repeat(_OPEN, values)

    def due(self, provider: str, limit: int) -> list[str]:
        rows = self._database.execute(_DUE, {"provider": provider, "limit": limit})
        return [ref for (ref,) in rows]

    def asked(self, provider: str, deposit_ref: str) -> None:
        self._database.repeat(_ASKED, {"provider": provider, "deposit_ref": deposit_ref})

    def close(self, provider: str, deposit_ref: str, outcome: str) -> None:
        values = {"provider": provider, "deposit_ref": deposit_ref, "outcome": outcome}
        self._database.repeat(_CLOSE, values)


def _deposit(
    provider: str,
    deposit_ref: str,
    intent_ref: str,
    amount_sats: int,
    network: str,
    deposited_at: datetime,
    payment_request: str | None,
    proof: str | None,
) -> Deposit:
    return Deposit(
        provider=provider,
        deposit_ref=deposit_ref,
        intent_ref=intent_ref,
        amount_sats=amount_sats,
        network=network,
        state=DepositState.SUCCEEDED,
        deposited_at=deposited_at,
        payment_request=payment_request,
        proof=proof,
    )
