"""River as a `LightningProvider`."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import accumulate
from operator import attrgetter

from msty_invoice.domain.deposit import Deposit, DepositPage, DepositState, unread_deposit
from msty_invoice.domain.errors import ProviderUnavailable, UntrustworthyInvoice, WebhookUnsigned
from msty_invoice.domain.invoice import InvoiceOrder, IssuedInvoice, Network
from msty_invoice.domain.webhook import WebhookEvent
from msty_invoice.lightning.issued import issued_invoice
from msty_invoice.lightning.river import wire
from msty_invoice.lightning.river.client import RiverClient
from msty_invoice.lightning.river.failures import AnswerTooLarge
from msty_invoice.lightning.river.webhook import SignedWebhooks
from msty_invoice.lightning.river.wire import LIGHTNING

# River documents PENDING, SUCCESS and FAIL. What it may add is not final to us: asked again.
_STATES = {"SUCCESS": DepositState.SUCCEEDED, "FAIL": DepositState.FAILED}

# Two of one moment may be listed the wrong way round: a floor lies far more than that below
# what must not be missed (`domain.walk.LISTED_LATE`).
_DISORDER = timedelta(seconds=1)

_SMALL_PAGE = 5  # a deposit may then have 13 kB


class River:
    """Implements `service.ports.LightningProvider`."""

    name = "river"
    signs_webhooks = True

    def __init__(
        self,
        client: RiverClient,
        network: Network,
        webhooks: SignedWebhooks | None = None,
    ) -> None:
        self._client = client
        self._network = network
        self._webhooks = webhooks

    def create_invoice(self, order: InvoiceOrder) -> IssuedInvoice:
        """Raises a `ProviderError`; `UntrustworthyInvoice` if River made something else."""
        intent = self._client.create_intent(order.amount_sats, order.memo)
        if intent.network != LIGHTNING:
            raise UntrustworthyInvoice(f"intent {intent.id} is not for Lightning")
        return issued_invoice(
            order,
            intent.destination,
            network=self._network,
            provider=self.name,
            provider_ref=intent.id,
        )

    def ping(self) -> None:
        self._client.ping()

    def walk(self, token: str | None) -> DepositPage:
        """The token is River's `next_timestamp`.

        Asked one unit later than it says: right whether the server means "before" or "at
        or before" it, since what comes twice is recorded once. Where that leads in a
        circle, because a whole page has one timestamp, it is taken as it stands, and where
        the server means "at or before", one unit earlier; a gap.
        """
        if token is None:
            return self._page(self._deposits())
        before = int(token)
        for asked in (before + 1, before, before - 1):
            page = self._deposits(asked)
            if page.next_timestamp is None or page.next_timestamp < before:
                return self._page(page, gap=asked <= before)
        raise ProviderUnavailable("the list of deposits leads in a circle")

    def deposit(self, deposit_ref: str) -> Deposit | None:
        found = self._client.find_deposit(deposit_ref)
        return _deposit(found) if found else None

    def look(self, payment_hash: str) -> Sequence[Deposit]:
        """River cannot look up one invoice: the newest page, which holds any payment just made."""
        page = self.walk(None)
        return [*page.deposits, *page.unread]

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> WebhookEvent:
        if self._webhooks is None:
            raise WebhookUnsigned("this process takes no webhooks")
        event = self._webhooks.read(headers, body)
        return WebhookEvent(self.name, event.type, event.id, event.state, body)

    def _deposits(self, next_timestamp: int | None = None) -> wire.DepositPage:
        """Fewer at once where 25 are more than we read: anyone may pay 25 with long memos."""
        try:
            return self._client.deposits(next_timestamp=next_timestamp)
        except AnswerTooLarge:
            return self._client.deposits(_SMALL_PAGE, next_timestamp)

    def _page(self, page: wire.DepositPage, *, gap: bool = False) -> DepositPage:
        times = [deposit.deposited_at for deposit in page.deposits]
        oldest_yet = accumulate(times, min)
        if any(at - oldest > _DISORDER for at, oldest in zip(times, oldest_yet, strict=True)):
            # A walk that stops at its floor relies on it, and no source states it.
            raise ProviderUnavailable("the list of deposits is not newest first")
        deposits = [_deposit(deposit) for deposit in page.deposits]
        return DepositPage(
            deposits=tuple(sorted(deposits, key=attrgetter("deposited_at"), reverse=True)),
            next_token=str(page.next_timestamp) if page.next_timestamp else None,
            provider_time=page.answered_at,
            gap=gap or not all(it.ref for it in page.unread),
            unread=tuple(
                unread_deposit(self.name, it.ref, it.intent_ref) for it in page.unread if it.ref
            ),
        )


def _deposit(deposit: wire.Deposit) -> Deposit:
    return Deposit(
        provider=River.name,
        deposit_ref=deposit.id,
        intent_ref=deposit.intent.id,
        amount_sats=deposit.amount_sats,
        network=deposit.network,
        state=_STATES.get(deposit.state, DepositState.PENDING),
        deposited_at=deposit.deposited_at,
        payment_request=deposit.intent.destination if deposit.intent.network == LIGHTNING else None,
        proof=deposit.proof,
    )
