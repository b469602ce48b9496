"""Stand-ins that keep to the contracts of `service.ports`; the same tests run on the real ones."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count
from uuid import UUID

from msty_invoice.domain.errors import InvoiceIssuedTwice, InvoiceNotFound, KeyNameTaken
from msty_invoice.domain.invoice import Invoice, InvoiceOrder, IssuedInvoice
from msty_invoice.domain.key import ApiKey

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@dataclass
class Clock:
    """A clock that moves when told to. Call it for the time of day."""

    time: datetime = NOON

    def __call__(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.time.timestamp()

    def advance(self, **by: float) -> None:
        self.time += timedelta(**by)


class MemoryInvoices:
    """Keeps to `service.ports.InvoiceStore`."""

    def __init__(self) -> None:
        self.kept: dict[UUID, Invoice] = {}

    def add(self, invoice: Invoice) -> Invoice:
        for other in self.kept.values():
            if other.id == invoice.id:
                return other
            if other.payment_hash == invoice.payment_hash or (
                (other.provider, other.provider_ref) == (invoice.provider, invoice.provider_ref)
            ):
                raise InvoiceIssuedTwice(invoice.payment_hash)
        self.kept[invoice.id] = invoice
        return invoice

    def get(self, key_family: UUID, payment_hash: str) -> Invoice:
        for invoice in self.kept.values():
            if (invoice.key_family, invoice.payment_hash) == (key_family, payment_hash):
                return invoice
        raise InvoiceNotFound(payment_hash)


class MemoryKeys:
    """Keeps to `service.ports.KeyStore`."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.kept: dict[bytes, ApiKey] = {}
        self.lookups = 0
        self._clock = clock or Clock()

    def find(self, secret_sha256: bytes) -> ApiKey | None:
        self.lookups += 1
        key = self.kept.get(secret_sha256)
        if key is None or key.revoked_at is not None:
            return None
        if key.last_used_at is None or self._clock() - key.last_used_at > timedelta(minutes=1):
            self.kept[secret_sha256] = replace(key, last_used_at=self._clock())
        return key

    def add(self, key: ApiKey, secret_sha256: bytes) -> None:
        if any(k.name == key.name and k.revoked_at is None for k in self.kept.values()):
            raise KeyNameTaken(key.name)
        self.kept[secret_sha256] = key

    def list(self) -> list[ApiKey]:
        return sorted(self.kept.values(), key=lambda key: (key.created_at, key.id))

    def revoke(self, key_id: UUID, at: datetime) -> None:
        for secret, key in self.kept.items():
            if key.id == key_id:
                self.kept[secret] = replace(key, revoked_at=at)


@dataclass
class FakeProvider:
    """Keeps to `service.ports.LightningProvider`, or raises `failure` when told to."""

    clock: Clock
    failure: Exception | None = None
    orders: list[InvoiceOrder] = field(default_factory=list)
    name: str = "fake"
    _numbers: count = field(default_factory=lambda: count(1))

    def create_invoice(self, order: InvoiceOrder) -> IssuedInvoice:
        self.orders.append(order)
        if self.failure:
            raise self.failure
        number = next(self._numbers)
        return IssuedInvoice(
            provider=self.name,
            provider_ref=f"intent-{number}",
            payment_request=f"lnbcrt{number}",
            payment_hash=sha256(b"%d" % number).hexdigest(),
            amount_sats=order.amount_sats,
            expires_at=self.clock() + timedelta(hours=1),
        )

    def restart_numbering(self) -> None:
        """Give the invoices out again that were given out before."""
        self._numbers = count(1)

    def ping(self) -> None:
        if self.failure:
            raise self.failure
