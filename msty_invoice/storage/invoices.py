"""Invoices in PostgreSQL."""

from dataclasses import fields
from uuid import UUID

from psycopg2 import errors

from msty_invoice.domain.errors import InvoiceIssuedTwice, InvoiceNotFound
from msty_invoice.domain.invoice import Invoice, InvoiceStatus
from msty_invoice.storage.postgres import ConnectionLost, Database, Prepared, Row

# A column for each field, of the same name.
_FIELDS = tuple(field.name for field in fields(Invoice))
_COLUMNS = ", ".join(_FIELDS)

# The row and the first line of its history, in one commit and one round trip: one for
# each row of `source`, or just one without it.
INSERT_INVOICE = f"""
    i AS (
        INSERT INTO invoices
            (id, key_family, provider, provider_ref, payment_request, payment_hash,
             amount_sats, memo, status, issued_at, expires_at, created_at, updated_at)
        SELECT
            %(id)s, %(key_family)s, %(provider)s, %(provider_ref)s, %(payment_request)s,
            %(payment_hash)s, %(amount_sats)s, %(memo)s, %(status)s, %(issued_at)s,
            %(expires_at)s, %(created_at)s, %(updated_at)s
        {{source}}
        RETURNING {_COLUMNS}),
    e AS (
        INSERT INTO invoice_events (invoice_id, what, how)
        SELECT id, 'created', 'api' FROM i)
    SELECT {_COLUMNS} FROM i
"""  # noqa: S608 - the only text put in is the column names above

_ADD = Prepared("add_invoice", f"WITH {INSERT_INVOICE.format(source='')}")

_BY_ID = f"SELECT {_COLUMNS} FROM invoices WHERE id = %(id)s"  # noqa: S608

_OF_FAMILY = f"""
    SELECT {_COLUMNS} FROM invoices
    WHERE payment_hash = %(payment_hash)s AND key_family = %(key_family)s
"""  # noqa: S608

_HAS = """
    SELECT EXISTS (
        SELECT FROM invoices WHERE provider = %(provider)s AND provider_ref = %(provider_ref)s)
"""


class PostgresInvoices:
    """Implements `service.ports.InvoiceStore` and `IssuedInvoices`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, invoice: Invoice) -> Invoice:
        try:
            return self._insert(invoice)
        except ConnectionLost:
            # Whether it was committed is unknown, so look before writing again.
            return find_invoice(self._database, invoice.id) or self._insert(invoice)

    def get(self, key_family: UUID, payment_hash: str) -> Invoice:
        values = {"key_family": key_family, "payment_hash": payment_hash}
        rows = self._database.repeat(_OF_FAMILY, values)
        if not rows:
            raise InvoiceNotFound(payment_hash)
        return invoice_of(rows[0])

    def has(self, provider: str, provider_ref: str) -> bool:
        values = {"provider": provider, "provider_ref": provider_ref}
        return bool(self._database.repeat(_HAS, values)[0][0])

    def _insert(self, invoice: Invoice) -> Invoice:
        try:
            (row,) = self._database.execute(_ADD, values_of(invoice))
        except errors.UniqueViolation as exc:
            # Our own id: the first try was committed after we had looked for it.
            if recorded := find_invoice(self._database, invoice.id):
                return recorded
            raise InvoiceIssuedTwice(f"{exc.diag.constraint_name}: {invoice.payment_hash}") from exc
        return invoice_of(row)


def find_invoice(database: Database, invoice_id: UUID) -> Invoice | None:
    """The invoice with this id, of whichever family, or None."""
    rows = database.repeat(_BY_ID, {"id": invoice_id})
    return invoice_of(rows[0]) if rows else None


def values_of(invoice: Invoice) -> dict[str, object]:
    """What `INSERT_INVOICE` needs."""
    return {name: getattr(invoice, name) for name in _FIELDS}


def invoice_of(row: Row) -> Invoice:
    """The invoice in a row of `INSERT_INVOICE`."""
    recorded = dict(zip(_FIELDS, row, strict=True))
    recorded["status"] = InvoiceStatus(recorded["status"])
    return Invoice(**recorded)
