"""How far a provider's list was walked, and expiring, in memory."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from msty_invoice.domain.invoice import Invoice, InvoiceStatus
from msty_invoice.domain.walk import Cursor, Depth, Walk
from msty_invoice.domain.webhook import DEPOSIT
from tests.fakes import Clock, MemoryInvoices
from tests.settlement_fakes.deposits import OpenDeposit
from tests.settlement_fakes.webhooks import MemoryWebhooks


@dataclass
class KeptCursor:
    """How far one provider's list was walked, and who holds it."""

    token: UUID | None = None
    until: datetime | None = None
    done_down_to: datetime | None = None
    walk: Walk | None = None
    complete_started_at: datetime | None = None
    hour_started_at: datetime | None = None
    day_started_at: datetime | None = None


class MemoryCursors:
    """Keeps to `settlement_ports.CursorStore`. Another machine is one on the same `kept`."""

    def __init__(
        self,
        invoices: MemoryInvoices,
        webhooks: MemoryWebhooks,
        clock: Clock,
        lease: timedelta = timedelta(seconds=90),
        kept: dict[str, KeptCursor] | None = None,
        pending: Mapping[tuple[str, str], OpenDeposit] | None = None,
    ) -> None:
        self.kept: dict[str, KeptCursor] = {} if kept is None else kept
        self.expired: list[UUID] = []
        self._invoices = invoices
        self._webhooks = webhooks
        self._clock = clock
        self._lease = lease
        self._pending = pending if pending is not None else {}
        self._token = uuid4()

    def acquire(self, provider: str) -> Cursor | None:
        self._token, now = uuid4(), self._clock()
        kept = self.kept.setdefault(provider, KeptCursor())
        if kept.until is not None and kept.until >= now:
            return None
        kept.token, kept.until = self._token, now + self._lease
        return Cursor(
            provider=provider,
            now=now,
            done_down_to=kept.done_down_to,
            walk=kept.walk,
            hour_started_at=kept.hour_started_at,
            day_started_at=kept.day_started_at,
            first_issued_at=min((i.issued_at for i in self._of(provider)), default=None),
            oldest_open_at=self._oldest_open(provider, now),
            oldest_overdue_at=min(
                (
                    invoice.issued_at
                    for invoice in self._of(provider, InvoiceStatus.PENDING)
                    if invoice.expires_at <= now
                ),
                default=None,
            ),
        )

    def save(self, provider: str, walk: Walk) -> bool:
        if held := self._held(provider):
            held.walk, held.until = walk, self._clock() + self._lease
        return held is not None

    def complete(self, provider: str, walk: Walk, done_down_to: datetime | None) -> bool:
        held = self._held(provider)
        if held is None:
            return False
        held.done_down_to, held.walk = done_down_to, None
        held.complete_started_at = walk.started_at
        if walk.depth is not Depth.MINUTE:
            held.hour_started_at = walk.started_at
        if walk.depth is Depth.DAY:
            held.day_started_at = walk.started_at
        return True

    def expire(self, provider: str, grace: timedelta, limit: int) -> int:
        held = self._held(provider)
        if held is None or held.complete_started_at is None:
            return 0
        if self._unread(provider, held.complete_started_at):
            return 0
        walked = held.complete_started_at
        over = [
            invoice
            for invoice in self._of(provider, InvoiceStatus.PENDING)
            if invoice.expires_at + grace <= walked and not self._being_paid(invoice)
        ]
        over = sorted(over, key=lambda invoice: invoice.expires_at)[:limit]
        for invoice in over:
            self._invoices.kept[invoice.id] = replace(
                invoice, status=InvoiceStatus.EXPIRED, updated_at=self._clock()
            )
            self.expired.append(invoice.id)
        return len(over)

    def issue_skew(self, provider: str) -> timedelta | None:
        newest = max(self._of(provider), key=lambda i: i.issued_at, default=None)
        return newest.issued_at - newest.created_at if newest else None

    def release(self, provider: str) -> None:
        if held := self._held(provider):
            held.token = held.until = None

    def _held(self, provider: str) -> KeptCursor | None:
        kept = self.kept.get(provider)
        return kept if kept and kept.token == self._token else None

    def _of(self, provider: str, status: InvoiceStatus | None = None) -> list[Invoice]:
        kept = self._invoices.kept.values()
        return [i for i in kept if i.provider == provider and status in (None, i.status)]

    def _oldest_open(self, provider: str, now: datetime) -> datetime | None:
        pending = self._of(provider, InvoiceStatus.PENDING)
        day_ago = now - timedelta(hours=24)
        lately = [i for i in self._of(provider, InvoiceStatus.EXPIRED) if i.expires_at > day_ago]
        return min((i.issued_at for i in pending + lately), default=None)

    def _being_paid(self, invoice: Invoice) -> bool:
        return any(
            kept.outcome is None
            and (provider, kept.intent_ref) == (invoice.provider, invoice.provider_ref)
            for (provider, _), kept in self._pending.items()
        )

    def _unread(self, provider: str, before: datetime) -> bool:
        return any(
            kept.unfinished
            and (kept.event.provider, kept.event.type) == (provider, DEPOSIT)
            and kept.received_at < before
            for kept in self._webhooks.kept
        )
