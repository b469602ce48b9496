"""The service's settlement on fakes that share one clock and one set of books."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count

from msty_invoice.domain.deposit import (
    LIGHTNING,
    Deposit,
    DepositPage,
    DepositState,
    Judgement,
)
from msty_invoice.domain.errors import ProviderError
from msty_invoice.domain.invoice import Invoice, InvoiceStatus
from msty_invoice.domain.webhook import DEPOSIT, SUCCESS, WebhookEvent
from msty_invoice.service.reconciling import Pass, Reconciling
from msty_invoice.service.settling import Settling
from msty_invoice.service.webhooks import EventWork, Webhooks
from tests.fakes import Clock, FakeProvider, MemoryInvoices
from tests.settlement_counts import Counts
from tests.settlement_fakes import MemoryCursors, MemoryDeposits, MemoryWebhooks
from tests.storage.conftest import FAMILY, make_invoice

GRACE = timedelta(seconds=300)
MINUTE = timedelta(minutes=1)
_numbers = count(1)


@dataclass
class ListingProvider(FakeProvider):
    """Keeps to `service.ports.LightningProvider`. Has `deposits`, and lists `a_page` at once.

    `failures` are raised by the method they are named after; `skew` is its clock minus
    ours, None if it does not say; `while_listing` happens before each page; `gap_at` is
    the token of a page after a gap; `unread` are on the first page.
    """

    name: str = "river"
    signs_webhooks: bool = True
    deposits: list[Deposit] = field(default_factory=list)
    a_page: int = 2
    failures: dict[str, BaseException] = field(default_factory=dict)
    skew: timedelta | None = timedelta(0)
    gap: bool = False
    gap_at: str | None = None
    unread: list[Deposit] = field(default_factory=list)
    while_listing: Callable[[], object] = lambda: None
    asked: list[str] = field(default_factory=list)

    def walk(self, token: str | None) -> DepositPage:
        self.asked.append("walk")
        self.while_listing()
        self._fail("walk")
        newest_first = sorted(self.deposits, key=lambda it: it.deposited_at, reverse=True)
        begin = int(token or 0)
        end = begin + self.a_page
        return DepositPage(
            deposits=tuple(newest_first[begin:end]),
            next_token=str(end) if end < len(newest_first) else None,
            provider_time=None if self.skew is None else self.clock() + self.skew,
            gap=self.gap or (token is not None and token == self.gap_at),
            unread=() if token else tuple(self.unread),
        )

    def deposit(self, deposit_ref: str) -> Deposit | None:
        self.asked.append(deposit_ref)
        self._fail("deposit")
        self._fail(deposit_ref)
        return next((it for it in self.deposits if it.deposit_ref == deposit_ref), None)

    def look(self, payment_hash: str) -> Sequence[Deposit]:
        self.asked.append(f"look {payment_hash}")
        self._fail("look")
        return self.deposits

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> WebhookEvent:
        self._fail("read_webhook")
        return event(body.decode())

    def _fail(self, method: str) -> None:
        if failure := self.failures.get(method):
            raise failure


def event(ref: str, state: str = SUCCESS, kind: str = DEPOSIT) -> WebhookEvent:
    return WebhookEvent("river", kind, ref, state, f"{kind} {ref} {state}".encode())


class BrittleDeposits(MemoryDeposits):
    """Raises what is in `refusals` instead of judging that deposit."""

    def __init__(self, invoices: MemoryInvoices, clock: Clock) -> None:
        super().__init__(invoices, clock)
        self.refusals: dict[str, Exception] = {}

    def judge(self, deposit: Deposit, how: str) -> Judgement | None:
        if refusal := self.refusals.get(deposit.deposit_ref):
            raise refusal
        return super().judge(deposit, how)


class Parts:
    """Everything that one machine has, and what it stands on."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.counts = Counts()
        self.provider = ListingProvider(self.clock)
        self.invoices = MemoryInvoices()
        self.deposits = BrittleDeposits(self.invoices, self.clock)
        self.webhooks = MemoryWebhooks(self.clock)
        self.cursors = MemoryCursors(self.invoices, self.webhooks, self.clock)
        self.settling = Settling(self.provider, self.deposits, self.counts)
        self.events = EventWork(self.settling, self.webhooks, self.counts)
        self.taking = Webhooks(self.provider, self.webhooks, self.counts)

    def reconcile(self, since: datetime | None = None, budget_seconds: float = 40.0) -> Pass:
        return Reconciling(
            self.provider,
            self.settling,
            self.events,
            self.cursors,
            self.counts,
            self.clock.monotonic,
            grace=GRACE,
            budget_seconds=budget_seconds,
        ).run(since)

    def add(self, **changes: object) -> Invoice:
        """An invoice issued now that expires in an hour."""
        now = self.clock()
        expiring = {"issued_at": now, "expires_at": now + 60 * MINUTE, "created_at": now}
        return self.invoices.add(make_invoice(**expiring | changes))

    def pay(self, invoice: Invoice, **changes: object) -> Deposit:
        """It is paid now, in full."""
        deposit = Deposit(
            provider="river",
            deposit_ref=f"dep_{next(_numbers)}",
            intent_ref=invoice.provider_ref,
            amount_sats=invoice.amount_sats,
            network=LIGHTNING,
            state=DepositState.SUCCEEDED,
            deposited_at=self.clock(),
            payment_request=invoice.payment_request,
        )
        deposit = replace(deposit, **changes)  # type: ignore[arg-type]
        self.provider.deposits.append(deposit)
        return deposit

    def change(self, deposit: Deposit, **changes: object) -> None:
        """The provider says otherwise of it from now on."""
        self.provider.deposits.remove(deposit)
        self.provider.deposits.append(replace(deposit, **changes))  # type: ignore[arg-type]

    def status(self, invoice: Invoice) -> InvoiceStatus:
        return self.invoices.get(FAMILY, invoice.payment_hash).status

    def fails(self, method: str, failure: ProviderError) -> None:
        self.provider.failures[method] = failure

    def refuses_to_judge(self, deposit: Deposit, failure: Exception) -> None:
        self.deposits.refusals[deposit.deposit_ref] = failure
