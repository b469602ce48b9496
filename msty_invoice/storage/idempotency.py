"""Idempotency keys in PostgreSQL: who may make the invoice of a key, and which it became."""

from datetime import timedelta
from uuid import UUID

from psycopg2 import errors

from msty_invoice.domain.errors import (
    ClaimOvertaken,
    IdempotencyConflict,
    IdempotencyMismatch,
    InvoiceIssuedTwice,
    InvoiceNotFound,
)
from msty_invoice.domain.idempotency import Claim
from msty_invoice.domain.invoice import Invoice
from msty_invoice.storage.invoices import INSERT_INVOICE, find_invoice, invoice_of, values_of
from msty_invoice.storage.postgres import ConnectionLost, Database, Prepared, Row

# A released or dead claim that we see and did not get has a new holder since our snapshot:
# its order may be any, so it counts as running.
_SEEN = """
    SELECT CASE
               WHEN k.invoice_id IS NULL AND k.claimed_at <= clock_timestamp() - %(lease)s::interval
                   THEN 'running'
               WHEN k.fingerprint <> %(fingerprint)s THEN 'mismatch'
               WHEN k.invoice_id IS NULL THEN 'running'
               ELSE 'done'
           END AS verdict,
           k.invoice_id
    FROM idempotency_keys k
    WHERE k.key_family = %(key_family)s AND k.key = %(key)s
"""

# One statement decides, under the row's lock. Our own token is taken again, so that a
# claim whose answer was lost may simply be repeated.
_CLAIM = Prepared(
    "claim_key",
    f"""
    WITH c AS (
        INSERT INTO idempotency_keys AS k (key_family, key, fingerprint, token)
        VALUES (%(key_family)s, %(key)s, %(fingerprint)s, %(token)s)
        ON CONFLICT (key_family, key) DO UPDATE
        SET token = EXCLUDED.token,
            fingerprint = EXCLUDED.fingerprint,
            claimed_at = clock_timestamp()
        WHERE k.invoice_id IS NULL
          AND (k.claimed_at <= clock_timestamp() - %(lease)s::interval OR k.token = EXCLUDED.token)
        RETURNING 1)
    SELECT 'mine' AS verdict, NULL::uuid AS invoice_id FROM c
    UNION ALL
    {_SEEN} AND NOT EXISTS (SELECT FROM c)
""",  # noqa: S608 - the only text put in is the statement above
)

# No key of ours, no invoice: the token fences off whoever was overtaken.
_FINISH = Prepared(
    "finish_key",
    f"""
    WITH k AS (
        UPDATE idempotency_keys SET invoice_id = %(id)s
        WHERE key_family = %(key_family)s AND key = %(key)s AND token = %(token)s
          AND invoice_id IS NULL
        RETURNING 1),
    {INSERT_INVOICE.format(source="FROM k")}
""",  # noqa: S608
)

_RELEASE = """
    UPDATE idempotency_keys SET claimed_at = '-infinity'
    WHERE key_family = %(key_family)s AND key = %(key)s AND token = %(token)s
      AND invoice_id IS NULL
"""


class PostgresIdempotency:
    """Implements `service.ports.IdempotencyStore`. A claim is dead after `lease`."""

    def __init__(self, database: Database, lease: timedelta) -> None:
        self._database = database
        self._lease = lease

    def claim(self, claim: Claim) -> Invoice | None:
        rows = self._database.repeat(_CLAIM, self._values(claim))
        return None if rows and rows[0][0] == "mine" else self._finished(claim, rows)

    def finish(self, claim: Claim, invoice: Invoice) -> Invoice:
        try:
            recorded = self._record(claim, invoice)
        except ConnectionLost:
            # Whether it was committed is unknown, so look before writing again.
            recorded = find_invoice(self._database, invoice.id) or self._record(claim, invoice)
        # Without a row: was the first try committed after we had looked for it?
        recorded = recorded or find_invoice(self._database, invoice.id)
        if recorded is None:
            raise ClaimOvertaken(
                f"{invoice.provider_ref} was made too late, and is shown to no one"
            )
        return recorded

    def release(self, claim: Claim) -> None:
        self._database.repeat(_RELEASE, self._values(claim))

    def get(self, claim: Claim) -> Invoice:
        return self._finished(claim, self._database.repeat(_SEEN, self._values(claim)))

    def _record(self, claim: Claim, invoice: Invoice) -> Invoice | None:
        try:
            rows = self._database.execute(_FINISH, values_of(invoice) | self._values(claim))
        except errors.UniqueViolation as exc:
            raise InvoiceIssuedTwice(f"{exc.diag.constraint_name}: {invoice.payment_hash}") from exc
        return invoice_of(rows[0]) if rows else None

    def _finished(self, claim: Claim, rows: list[Row]) -> Invoice:
        # No row: the winner is younger than our snapshot, so it has only just begun.
        verdict, invoice_id = rows[0] if rows else ("running", None)
        if verdict == "mismatch":
            raise IdempotencyMismatch(f"{claim.key_family}: another order with the same key")
        if verdict == "running":
            raise IdempotencyConflict(f"{claim.key_family}: the same key is being worked on")
        return self._get_invoice(invoice_id)

    def _get_invoice(self, invoice_id: UUID) -> Invoice:
        invoice = find_invoice(self._database, invoice_id)
        if invoice is None:
            raise InvoiceNotFound(f"{invoice_id}: deleted, and its idempotency key was not")
        return invoice

    def _values(self, claim: Claim) -> dict[str, object]:
        return {
            "key_family": claim.key_family,
            "key": claim.key.value,
            "fingerprint": claim.fingerprint,
            "token": claim.token,
            "lease": self._lease,
        }
