"""What operators' commands need from the outside, as Protocols. Implemented in `storage`."""

from collections.abc import Iterator, Sequence
from typing import Protocol
from uuid import UUID

from msty_invoice.domain.books import BookedDeposit, BookedEvent, BookedFinding
from msty_invoice.domain.invoice import Invoice
from msty_invoice.domain.listing import EventFilter, InvoiceFilter, ListedInvoice
from msty_invoice.domain.timeline import Dossier


class DossierStore(Protocol):
    """All there is about one invoice. Raises `InvoiceNotFound`."""

    def by_hash(self, payment_hash: str) -> Dossier:
        """Of the invoice with this payment hash, whichever key made it."""

    def by_id(self, invoice_id: UUID) -> Dossier:
        """Of the invoice with this id."""


class InvoiceList(Protocol):
    """Every invoice, as an operator may see it."""

    def read(self, wanted: InvoiceFilter) -> Iterator[ListedInvoice]:
        """Newest first, read as they are taken: few are in memory at a time."""


class QuarantineStore(Protocol):
    """Deposits that settled nothing, and findings. Never deletes, never changes a verdict."""

    def deposits(self, *, resolved_too: bool) -> Sequence[BookedDeposit]:
        """Oldest first."""

    def findings(self, *, resolved_too: bool) -> Sequence[BookedFinding]:
        """Oldest first."""

    def find_deposits(self, ref: str) -> Sequence[BookedDeposit]:
        """Of any verdict, by the reference or by `provider:reference`."""

    def find_finding(self, finding_id: int) -> BookedFinding | None: ...

    def findings_of(self, deposit: BookedDeposit) -> Sequence[BookedFinding]:
        """Oldest first, resolved ones included."""

    def events_of(self, deposit: BookedDeposit) -> Sequence[BookedEvent]:
        """The webhooks about it, oldest first."""

    def resolve_deposit(self, deposit: BookedDeposit, reason: str) -> None:
        """Keep the reason, unless it was resolved or credited before. Raises `NotPermitted`."""

    def resolve_finding(self, finding: BookedFinding, reason: str) -> None:
        """Keep the reason, unless it was resolved before. Raises `NotPermitted`."""


class AdoptionStore(Protocol):
    """Rebuilds lost invoices."""

    def rebuild(self, invoice: Invoice, deposit: BookedDeposit, reason: str) -> Invoice | None:
        """Record an invoice for an unknown deposit, with the reason, in one commit.

        Returns the invoice that the deposit's intent has now, whoever recorded it. None:
        another intent has its payment hash, or the deposit is no longer unknown.
        """

    def of_intent(self, provider: str, intent_ref: str) -> Invoice | None:
        """The invoice that a provider made for this intent."""


class EventList(Protocol):
    """Webhooks as they came, and how far the settler got."""

    def read(self, wanted: EventFilter) -> Sequence[BookedEvent]:
        """Newest first."""

    def find(self, event_id: int) -> BookedEvent | None: ...

    def reopen(self, ids: Sequence[int]) -> int:
        """Make them due at once, as if they had just come, and tell the settler."""
