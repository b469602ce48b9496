"""Making invoices, and reading them."""

import logging
from collections.abc import Callable
from datetime import datetime
from uuid import UUID, uuid4

from msty_invoice.domain.errors import (
    InvoiceIssuedTwice,
    InvoicingError,
    ProviderMisconfigured,
    ProviderRefused,
    UntrustworthyInvoice,
)
from msty_invoice.domain.invoice import Invoice, InvoiceOrder, InvoiceStatus, IssuedInvoice
from msty_invoice.service.ports import InvoiceStore, LightningProvider

logger = logging.getLogger(__name__)

# These mean that somebody must look: the others pass by themselves.
_NEEDS_AN_OPERATOR = (UntrustworthyInvoice, InvoiceIssuedTwice, ProviderMisconfigured)


class Invoicing:
    """`count` is told how each create ended: `created`, or the name of the error."""

    def __init__(
        self,
        provider: LightningProvider,
        invoices: InvoiceStore,
        now: Callable[[], datetime],
        count: Callable[[str], None],
    ) -> None:
        self._provider = provider
        self._invoices = invoices
        self._now = now
        self._count = count

    def create(self, key_family: UUID, order: InvoiceOrder) -> Invoice:
        """Obtain an invoice for `order` and record it. Only a recorded one is ever shown.

        Raises a `ProviderError`, or `StorageUnavailable`; then what the provider may
        have made was shown to nobody, and the client may ask again.
        """
        try:
            # No transaction is open here: a slow provider must not hold one (design §4.9).
            issued = self._provider.create_invoice(order)
            invoice = self._invoices.add(self._pending(key_family, order, issued))
        except InvoicingError as exc:
            self._note(exc)
            raise
        self._count("created")
        return invoice

    def get(self, key_family: UUID, payment_hash: str) -> Invoice:
        """The invoice as recorded; nothing in it is derived. Raises `InvoiceNotFound`."""
        return self._invoices.get(key_family, payment_hash)

    def _pending(self, key_family: UUID, order: InvoiceOrder, issued: IssuedInvoice) -> Invoice:
        now = self._now()
        return Invoice(
            id=uuid4(),
            key_family=key_family,
            provider=issued.provider,
            provider_ref=issued.provider_ref,
            payment_request=issued.payment_request,
            payment_hash=issued.payment_hash,
            amount_sats=issued.amount_sats,
            memo=order.memo,
            status=InvoiceStatus.PENDING,
            expires_at=issued.expires_at,
            created_at=now,
            updated_at=now,
        )

    def _note(self, failure: InvoicingError) -> None:
        self._count(type(failure).__name__)
        level = logging.WARNING
        if isinstance(failure, _NEEDS_AN_OPERATOR):
            level = logging.ERROR
        elif isinstance(failure, ProviderRefused):
            level = logging.INFO  # about this order; nothing of ours is wrong
        logger.log(level, "no invoice: %s", failure, extra={"reason": type(failure).__name__})
