"""Making invoices, and reading them."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID, uuid4

from msty_invoice.domain.errors import (
    ClaimOvertaken,
    IdempotencyConflict,
    IdempotencyMismatch,
    InvoiceIssuedTwice,
    InvoicingError,
    ProviderMisconfigured,
    ProviderRefused,
    StorageUnavailable,
    UntrustworthyInvoice,
)
from msty_invoice.domain.idempotency import Claim, IdempotencyKey, fingerprint
from msty_invoice.domain.invoice import Invoice, InvoiceOrder, InvoiceStatus, IssuedInvoice
from msty_invoice.service.ports import IdempotencyStore, InvoiceIssuer, InvoiceStore
from msty_invoice.service.settlement_ports import LookOut

logger = logging.getLogger(__name__)

# These mean that somebody must look: the others pass by themselves.
_NEEDS_AN_OPERATOR = (UntrustworthyInvoice, InvoiceIssuedTwice, ProviderMisconfigured)
# These are about this order; nothing of ours is wrong.
_CLIENTS_OWN = (ProviderRefused, IdempotencyConflict, IdempotencyMismatch)


@dataclass(frozen=True, slots=True)
class Fulfilled:
    """The invoice of an order. `replayed` says that an earlier request made it."""

    invoice: Invoice
    replayed: bool


class Invoicing:
    """`count` is told how each create ended.

    `created`, `replayed`, or the name of the error, of which `ClaimOvertaken` may have
    been answered with the invoice that another request had made meanwhile.
    """

    def __init__(
        self,
        provider: InvoiceIssuer,
        invoices: InvoiceStore,
        idempotency: IdempotencyStore,
        look_out: LookOut,
        now: Callable[[], datetime],
        count: Callable[[str], None],
    ) -> None:
        self._provider = provider
        self._invoices = invoices
        self._idempotency = idempotency
        self._look_out = look_out
        self._now = now
        self._count = count

    def create(self, key_family: UUID, order: InvoiceOrder) -> Invoice:
        """Obtain an invoice for `order` and record it. Only a recorded one is ever shown.

        Raises a `ProviderError`, or `StorageUnavailable`; then what the provider may
        have made was shown to nobody, and the client may ask again.
        """
        try:
            invoice = self._invoices.add(self._obtain(key_family, order))
        except InvoicingError as exc:
            self._note(exc)
            raise
        self._count("created")
        return invoice

    def create_once(self, key_family: UUID, order: InvoiceOrder, key: IdempotencyKey) -> Fulfilled:
        """As `create`, and only one invoice for this key, however often it is asked for.

        Raises `IdempotencyConflict` and `IdempotencyMismatch` besides. Only success is
        remembered: after any failure the same key may be used again at once.
        """
        claim = Claim(key_family, key, fingerprint(order), token=uuid4())
        try:
            found = self._idempotency.claim(claim)
            invoice = found or self._fulfil(claim, order)
        except ClaimOvertaken as exc:
            self._note(exc)
            return Fulfilled(self._idempotency.get(claim), replayed=True)
        except InvoicingError as exc:
            self._note(exc)
            raise
        self._count("replayed" if found else "created")
        return Fulfilled(invoice, replayed=found is not None)

    def get(self, key_family: UUID, payment_hash: str) -> Invoice:
        """The invoice as recorded; nothing in it is derived. Raises `InvoiceNotFound`.

        Somebody waits for a pending one, so the settler is asked to look; the next read
        shows what it found.
        """
        invoice = self._invoices.get(key_family, payment_hash)
        if invoice.status is InvoiceStatus.PENDING:
            self._look_out.ask(payment_hash)
        return invoice

    def _fulfil(self, claim: Claim, order: InvoiceOrder) -> Invoice:
        try:
            return self._idempotency.finish(claim, self._obtain(claim.key_family, order))
        except ClaimOvertaken:
            raise  # nothing is ours to release
        except Exception:
            self._release(claim)
            raise

    def _release(self, claim: Claim) -> None:
        try:
            self._idempotency.release(claim)
        except StorageUnavailable as exc:
            # The claim dies by itself. What went wrong before is what the client must hear.
            logger.warning("an idempotency key stays claimed for a while: %s", exc)

    def _obtain(self, key_family: UUID, order: InvoiceOrder) -> Invoice:
        # No transaction is open here: a slow provider must not hold one (design §4.9).
        invoice_id = uuid4()
        issued = self._provider.create_invoice(replace(order, id=invoice_id))
        return self._pending(invoice_id, key_family, order, issued)

    def _pending(
        self, invoice_id: UUID, key_family: UUID, order: InvoiceOrder, issued: IssuedInvoice
    ) -> Invoice:
        now = self._now()
        return Invoice(
            id=invoice_id,
            key_family=key_family,
            provider=issued.provider,
            provider_ref=issued.provider_ref,
            payment_request=issued.payment_request,
            payment_hash=issued.payment_hash,
            amount_sats=issued.amount_sats,
            memo=order.memo,
            status=InvoiceStatus.PENDING,
            issued_at=issued.issued_at,
            expires_at=issued.expires_at,
            created_at=now,
            updated_at=now,
        )

    def _note(self, failure: InvoicingError) -> None:
        self._count(type(failure).__name__)
        level = logging.WARNING
        if isinstance(failure, _NEEDS_AN_OPERATOR):
            level = logging.ERROR
        elif isinstance(failure, _CLIENTS_OWN):
            level = logging.INFO
        logger.log(level, "no invoice: %s", failure, extra={"reason": type(failure).__name__})
