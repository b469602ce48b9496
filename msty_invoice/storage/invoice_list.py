"""Invoices, newest first, as many as there are: read as they are wanted."""

from collections.abc import Iterator
from uuid import uuid4

import psycopg2

from msty_invoice.domain.errors import StorageUnavailable
from msty_invoice.domain.invoice import Invoice
from msty_invoice.domain.listing import InvoiceFilter, ListedInvoice
from msty_invoice.storage.books import columns
from msty_invoice.storage.invoices import invoice_of
from msty_invoice.storage.postgres import Database, first_line

_AT_ONCE = 1_000  # rows in memory at a time

# One descent of the index on (status, created_at) for each status, so that the newest
# hundred of a million are read as a hundred. LIMIT NULL is no limit.
_LIST = f"""
    SELECT {columns(Invoice, "i")}, k.name
    FROM unnest(%(statuses)s::text[]) s (status)
    CROSS JOIN LATERAL (
        SELECT * FROM invoices x
        WHERE x.status = s.status
          AND (%(since)s::timestamptz IS NULL OR x.created_at >= %(since)s)
          AND (%(until)s::timestamptz IS NULL OR x.created_at < %(until)s)
          AND (NOT %(late)s OR x.settled_at > x.expires_at)
        ORDER BY x.created_at DESC
        LIMIT %(limit)s) i
    JOIN api_keys k ON k.id = i.key_family
    ORDER BY i.created_at DESC, i.id
    LIMIT %(limit)s
"""  # noqa: S608 - the only text put in is column names


class PostgresInvoiceList:
    """Implements `operator_ports.InvoiceList`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, wanted: InvoiceFilter) -> Iterator[ListedInvoice]:
        # The rows are held by the server, outside of a transaction: whoever reads them may
        # be a person with a pager, and must not keep the database from its housekeeping.
        connection = self._database.connection()
        values = {name: getattr(wanted, name) for name in wanted.__slots__}
        try:
            with connection.cursor(name=f"list_{uuid4().hex}", withhold=True) as cursor:
                cursor.itersize = _AT_ONCE
                cursor.execute(_LIST, values | {"statuses": list(wanted.statuses)})
                for *of_invoice, key_name in cursor:
                    yield ListedInvoice(invoice_of(tuple(of_invoice)), key_name)
        except psycopg2.OperationalError as exc:
            raise StorageUnavailable(first_line(exc)) from exc
