"""Rebuilding an invoice that a restore has lost."""

from msty_invoice.domain.books import ADOPTED, BookedDeposit
from msty_invoice.domain.invoice import Invoice
from msty_invoice.storage.books import columns, writing
from msty_invoice.storage.invoices import invoice_of, values_of
from msty_invoice.storage.postgres import Database

# Invoice, first line of its history and the reason are one commit; whoever is second finds
# the row and adds nothing. The reason stands in the findings, for a credited deposit never
# changes again. Killed after this, the next pass of reconcile matches the two.
_REBUILD = """
    WITH d AS (
        SELECT provider, deposit_ref FROM deposits
        WHERE provider = %(provider)s AND deposit_ref = %(deposit_ref)s
          AND verdict = 'unknown' AND resolved_at IS NULL
        FOR UPDATE),
    i AS (
        INSERT INTO invoices
            (id, key_family, provider, provider_ref, payment_request, payment_hash,
             amount_sats, memo, issued_at, expires_at, created_at, updated_at)
        SELECT
            %(id)s, %(key_family)s, %(provider)s, %(provider_ref)s, %(payment_request)s,
            %(payment_hash)s, %(amount_sats)s, %(memo)s, %(issued_at)s, %(expires_at)s,
            %(created_at)s, clock_timestamp()
        FROM d
        ON CONFLICT DO NOTHING
        RETURNING id),
    e AS (
        INSERT INTO invoice_events (invoice_id, what, how)
        SELECT id, 'created', 'adopt' FROM i)
    INSERT INTO deposit_findings
        (provider, deposit_ref, what, recorded, reported, resolved_at, resolution)
    SELECT d.provider, d.deposit_ref, %(adopted)s, 'unknown', %(payment_hash)s,
           clock_timestamp(), %(reason)s
    FROM d CROSS JOIN i
    ON CONFLICT DO NOTHING
"""

_OF_INTENT = f"""
    SELECT {columns(Invoice, "i")} FROM invoices i
    WHERE i.provider = %(provider)s AND i.provider_ref = %(provider_ref)s
"""  # noqa: S608 - the only text put in is column names


class PostgresAdoption:
    """Implements `operator_ports.AdoptionStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def rebuild(self, invoice: Invoice, deposit: BookedDeposit, reason: str) -> Invoice | None:
        more = {"deposit_ref": deposit.deposit_ref, "adopted": ADOPTED, "reason": reason}
        with writing():
            self._database.repeat(_REBUILD, values_of(invoice) | more)
        return self.of_intent(invoice.provider, invoice.provider_ref)

    def of_intent(self, provider: str, intent_ref: str) -> Invoice | None:
        values = {"provider": provider, "provider_ref": intent_ref}
        rows = self._database.repeat(_OF_INTENT, values)
        return invoice_of(rows[0]) if rows else None
