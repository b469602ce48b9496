"""From a provider's BOLT11 text to an invoice that may be shown."""

from datetime import UTC, datetime

from msty_invoice.domain.errors import UntrustworthyInvoice
from msty_invoice.domain.invoice import InvoiceOrder, IssuedInvoice, Network
from msty_invoice.lightning.bolt11 import Bolt11Error, decode


def issued_invoice(
    order: InvoiceOrder,
    payment_request: str,
    *,
    network: Network,
    provider: str,
    provider_ref: str,
) -> IssuedInvoice:
    """What `payment_request` says, if it is what `order` asked for.

    Raises `UntrustworthyInvoice` if it is not a BOLT11 with one payment_hash, is for another
    network, or names no amount or another one than `order.amount_sats`.
    """
    issued, _ = read_issued(
        payment_request, network=network, provider=provider, provider_ref=provider_ref
    )
    amount_sats = issued.amount_sats
    if amount_sats != order.amount_sats:
        raise UntrustworthyInvoice(
            f"{provider} {provider_ref}: {amount_sats} sats, not {order.amount_sats}"
        )
    return issued


def read_issued(
    payment_request: str, *, network: Network, provider: str, provider_ref: str
) -> tuple[IssuedInvoice, str | None]:
    """What `payment_request` says, whoever asked for it, and its description.

    Raises `UntrustworthyInvoice` if it is not a BOLT11 with one payment_hash, is for another
    network, or names no amount.
    """
    ref = f"{provider} {provider_ref}"
    try:
        bolt11 = decode(payment_request)
        amount_sats = bolt11.amount_sats
    except Bolt11Error as exc:
        raise UntrustworthyInvoice(f"{ref}: {exc}") from exc
    if bolt11.network != network:
        raise UntrustworthyInvoice(f"{ref}: for {bolt11.network}, not {network}")
    issued = IssuedInvoice(
        provider=provider,
        provider_ref=provider_ref,
        payment_request=payment_request,
        payment_hash=bolt11.payment_hash,
        amount_sats=amount_sats,
        issued_at=datetime.fromtimestamp(bolt11.timestamp, UTC),
        expires_at=bolt11.expires_at,
    )
    return issued, bolt11.description


def hash_of(payment_request: str) -> str:
    """The payment hash of a BOLT11, for finding the invoice. Raises `UntrustworthyInvoice`."""
    try:
        return decode(payment_request).payment_hash
    except Bolt11Error as exc:
        raise UntrustworthyInvoice(f"this BOLT11 cannot be read: {exc}") from exc
