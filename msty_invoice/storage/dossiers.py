"""All there is about one invoice. Reads what `msty_readonly` may read, and writes nothing."""

from uuid import UUID

from msty_invoice.domain.books import PastEvent
from msty_invoice.domain.errors import InvoiceNotFound
from msty_invoice.domain.invoice import Invoice
from msty_invoice.domain.timeline import Dossier
from msty_invoice.storage.books import (
    DEPOSIT,
    EVENT,
    FINDING,
    columns,
    deposits_of,
    events_of,
    findings_of,
)
from msty_invoice.storage.invoices import invoice_of
from msty_invoice.storage.postgres import Database

_HEAD = f"""
    SELECT {columns(Invoice, "i")}, k.name, clock_timestamp(), c.complete_started_at
    FROM invoices i
    JOIN api_keys k ON k.id = i.key_family
    LEFT JOIN provider_cursors c ON c.provider = i.provider
    WHERE
"""  # noqa: S608 - the only text put in, here and below, is column names
_BY_HASH = f"{_HEAD} i.payment_hash = %(payment_hash)s"
_BY_ID = f"{_HEAD} i.id = %(id)s"

_HISTORY = "SELECT what, how, at FROM invoice_events WHERE invoice_id = %(id)s ORDER BY at, id"

_DEPOSITS = f"""
    SELECT {DEPOSIT} FROM deposits d WHERE d.invoice_id = %(id)s ORDER BY d.seen_at, d.deposit_ref
"""  # noqa: S608

_FINDINGS = f"""
    SELECT {FINDING} FROM deposit_findings f
    WHERE f.provider = %(provider)s AND f.deposit_ref = ANY(%(refs)s)
    ORDER BY f.found_at, f.id
"""  # noqa: S608

_WEBHOOKS = f"""
    SELECT {EVENT} FROM webhook_events w
    WHERE w.provider = %(provider)s AND w.type = 'DEPOSIT' AND w.ref = ANY(%(refs)s)
    ORDER BY w.received_at, w.id
"""  # noqa: S608

# A webhook names its deposit only, and no invoice. So one whose deposit was never read may
# be about any invoice that was not paid when it came; none is about one made later, but for
# the two clocks.
_STRAYS = f"""
    SELECT {EVENT} FROM webhook_events w
    WHERE w.provider = %(provider)s AND w.type = 'DEPOSIT' AND w.done_at IS NULL
      AND w.received_at > %(issued_at)s - interval '15 minutes'
      AND NOT EXISTS (
          SELECT FROM deposits d WHERE d.provider = w.provider AND d.deposit_ref = w.ref)
    ORDER BY w.received_at, w.id
    LIMIT 20
"""  # noqa: S608


class PostgresDossiers:
    """Implements `operator_ports.DossierStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def by_hash(self, payment_hash: str) -> Dossier:
        return self._dossier(_BY_HASH, {"payment_hash": payment_hash})

    def by_id(self, invoice_id: UUID) -> Dossier:
        return self._dossier(_BY_ID, {"id": invoice_id})

    def _dossier(self, statement: str, values: dict[str, object]) -> Dossier:
        rows = self._database.repeat(statement, values)
        if not rows:
            raise InvoiceNotFound(str(next(iter(values.values()))))
        *of_invoice, key_name, now, walked_from = rows[0]
        invoice = invoice_of(tuple(of_invoice))
        read, about = self._database.repeat, {"id": invoice.id, "provider": invoice.provider}
        deposits = deposits_of(read(_DEPOSITS, about))
        of_deposits = about | {"refs": [deposit.deposit_ref for deposit in deposits]}
        return Dossier(
            invoice=invoice,
            key_name=key_name,
            now=now,
            walked_from=walked_from,
            history=tuple(PastEvent(*row) for row in read(_HISTORY, about)),
            deposits=deposits,
            findings=findings_of(read(_FINDINGS, of_deposits)),
            webhooks=events_of(read(_WEBHOOKS, of_deposits)),
            strays=events_of(read(_STRAYS, about | {"issued_at": invoice.issued_at})),
        )
