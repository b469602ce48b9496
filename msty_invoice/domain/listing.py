"""Which invoices an operator wants to see, and what is shown of each."""

from dataclasses import dataclass
from datetime import datetime

from msty_invoice.domain.invoice import Invoice, InvoiceStatus


@dataclass(frozen=True, slots=True)
class InvoiceFilter:
    """Made from `since` up to before `until`; `limit` None is all of them."""

    statuses: tuple[InvoiceStatus, ...] = tuple(InvoiceStatus)
    since: datetime | None = None
    until: datetime | None = None
    late: bool = False
    limit: int | None = 100


@dataclass(frozen=True, slots=True)
class ListedInvoice:
    """An invoice and whose it is."""

    invoice: Invoice
    key_name: str


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Webhooks received since; only the parked, or only those that still wait."""

    parked: bool = False
    unfinished: bool = False
    since: datetime | None = None
    limit: int | None = 100
