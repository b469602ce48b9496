"""LNbits as a `LightningProvider`."""

from collections.abc import Mapping, Sequence

from msty_invoice.domain.deposit import (
    LIGHTNING,
    Deposit,
    DepositPage,
    DepositState,
    unread_deposit,
)
from msty_invoice.domain.errors import (
    ProviderMisconfigured,
    ProviderUnavailable,
    ProviderUnreadable,
    UntrustworthyInvoice,
)
from msty_invoice.domain.invoice import InvoiceOrder, IssuedInvoice, Network
from msty_invoice.domain.webhook import WebhookEvent
from msty_invoice.lightning.issued import issued_invoice
from msty_invoice.lightning.lnbits import wire
from msty_invoice.lightning.lnbits.client import PAGE, LnbitsClient, NewInvoice
from msty_invoice.lightning.lnbits.failures import AnswerTooLarge
from msty_invoice.lightning.lnbits.webhook import read_hint

# BOLT11's own default, said aloud since an LNbits may be set to another.
_EXPIRY_SECONDS = 3600
# Rows of one microsecond come in any order, which may differ between two pages.
_OVERLAP = 2
_MSAT_PER_SAT = 1000

# Any other state is an invoice that was not paid yet, which is no deposit on its way.
_STATES = {wire.SUCCESS: DepositState.SUCCEEDED, wire.FAILED: DepositState.FAILED}


class Lnbits:
    """Implements `service.ports.LightningProvider`.

    `provider_ref`, `intent_ref` and `deposit_ref` are all the payment hash: it is in the
    signed invoice, so no answer can claim another one's money; a wallet has one incoming
    payment for it; and all that LNbits tells carries it. LNbits' own `checking_id` is
    whatever the node behind it calls the invoice.

    `webhook` is the URL that each invoice has LNbits call, with its token; "" asks for none.
    """

    name = "lnbits"
    signs_webhooks = False

    def __init__(self, client: LnbitsClient, network: Network, webhook: str = "") -> None:
        self._client = client
        self._network = network
        self._webhook = webhook

    def create_invoice(self, order: InvoiceOrder) -> IssuedInvoice:
        """Raises a `ProviderError`; `UntrustworthyInvoice` if LNbits made something else."""
        created = self._client.create_invoice(
            NewInvoice(
                amount_sats=order.amount_sats,
                memo=order.memo or "",
                expiry_seconds=_EXPIRY_SECONDS,
                external_id=str(order.id or ""),
                webhook=self._webhook,
            )
        )
        issued = issued_invoice(
            order,
            created.payment_request,
            network=self._network,
            provider=self.name,
            provider_ref=created.payment_hash,
        )
        if issued.payment_hash != created.payment_hash:
            raise UntrustworthyInvoice("lnbits: the payment_hash is not that of its invoice")
        if created.status != wire.PENDING:
            raise UntrustworthyInvoice("lnbits: a new invoice that does not wait for payment")
        return issued

    def ping(self) -> None:
        if self._client.wallet().by_admin_key:
            raise ProviderMisconfigured("lnbits: LNBITS_INVOICE_KEY is an admin key, and could pay")

    def balance(self) -> int:
        """Sats in the wallet; what is not a whole one is left out."""
        return self._client.wallet().balance_msat // _MSAT_PER_SAT

    def walk(self, token: str | None) -> DepositPage:
        """The token is an offset from the newest: what arrives meanwhile only comes twice."""
        offset = int(token or 0)
        page, limit = self._page(offset)
        times = [payment.updated_at for payment in page.payments]
        if times != sorted(times, reverse=True):
            # A walk that stops at its floor relies on it.
            raise ProviderUnavailable("lnbits: the list of payments is not newest first")
        rows = len(times) + len(page.unread)
        full = rows >= limit
        following = offset + max(1, rows - _OVERLAP)
        return DepositPage(
            deposits=_deposits(page),
            next_token=str(following) if full else None,
            provider_time=page.answered_at,
            # Nothing tells then where in that moment the next page begins.
            gap=(full and limit > 1 and len(set(times)) == 1)
            or not all(it.ref for it in page.unread),
            unread=tuple(
                unread_deposit(self.name, it.ref, it.intent_ref) for it in page.unread if it.ref
            ),
        )

    def deposit(self, deposit_ref: str) -> Deposit | None:
        """None while the invoice is not paid."""
        page = self._client.with_hash(deposit_ref)
        found = (deposit for deposit in _deposits(page) if deposit.deposit_ref == deposit_ref)
        deposit = next(found, None)
        if deposit is None and page.unread:
            raise ProviderUnreadable("lnbits: a payment that cannot be read")
        return deposit

    def look(self, payment_hash: str) -> Sequence[Deposit]:
        found = self.deposit(payment_hash)
        return [found] if found else []

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> WebhookEvent:
        """Verifies nothing: LNbits does not sign. Who may tell is for the address to say."""
        return read_hint(self.name, body)

    def _page(self, offset: int) -> tuple[wire.PaymentPage, int]:
        """A page, and how many rows would fill it: one, if others have too much in theirs."""
        try:
            return self._client.received(offset), PAGE
        except AnswerTooLarge:
            return self._client.received(offset, limit=1), 1


def _deposits(page: wire.PaymentPage) -> tuple[Deposit, ...]:
    # LNbits ignores filters that it does not know, so all that came is looked at again.
    return tuple(
        _deposit(payment)
        for payment in page.payments
        if payment.amount_msat > 0 and payment.status in _STATES
    )


def _deposit(payment: wire.Payment) -> Deposit:
    return Deposit(
        provider=Lnbits.name,
        deposit_ref=payment.payment_hash,
        intent_ref=payment.payment_hash,
        # Rounded down: never more than what arrived.
        amount_sats=payment.amount_msat // _MSAT_PER_SAT,
        network=LIGHTNING,
        state=_STATES[payment.status],
        # Set when it is settled. A later edit of a label moves it, and finds us informed.
        deposited_at=payment.updated_at,
        payment_request=payment.payment_request,
        proof=payment.preimage,
    )
