"""Stand-ins that keep to the contracts of `service.ports`; the same tests run on the real ones."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count
from uuid import UUID

from msty_invoice.domain.errors import (
    ClaimOvertaken,
    IdempotencyConflict,
    IdempotencyMismatch,
    InvoiceIssuedTwice,
    InvoiceNotFound,
    KeyNameTaken,
    KeyNotFound,
)
from msty_invoice.domain.idempotency import Claim
from msty_invoice.domain.invoice import Invoice, InvoiceOrder, IssuedInvoice
from msty_invoice.domain.key import ApiKey, KeySecret

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
_NEVER = datetime.max.replace(tzinfo=UTC)


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
    """Keeps to `service.ports.InvoiceStore` and `IssuedInvoices`."""

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

    def has(self, provider: str, provider_ref: str) -> bool:
        ours = {(invoice.provider, invoice.provider_ref) for invoice in self.kept.values()}
        return (provider, provider_ref) in ours


@dataclass
class Held:
    """What is kept of a claim. `invoice_id` is None until it is finished."""

    claim: Claim
    claimed_at: datetime
    invoice_id: UUID | None = None


class MemoryIdempotency:
    """Keeps to `service.ports.IdempotencyStore`."""

    def __init__(
        self,
        invoices: MemoryInvoices,
        clock: Clock,
        lease: timedelta = timedelta(seconds=20),
        kept: dict[tuple[UUID, str], Held] | None = None,
    ) -> None:
        self.kept = {} if kept is None else kept
        self._invoices = invoices
        self._clock = clock
        self._lease = lease

    def claim(self, claim: Claim) -> Invoice | None:
        held = self._held(claim)
        if held and (held.invoice_id or not (self._dead(held) or held.claim.token == claim.token)):
            return self.get(claim)
        self.kept[claim.key_family, claim.key.value] = Held(claim, self._clock())
        return None

    def finish(self, claim: Claim, invoice: Invoice) -> Invoice:
        held = self._held(claim)
        if not held or held.claim.token != claim.token or held.invoice_id not in (None, invoice.id):
            raise ClaimOvertaken(f"{invoice.provider_ref} was made too late")
        recorded = self._invoices.add(invoice)
        held.invoice_id = invoice.id
        return recorded

    def release(self, claim: Claim) -> None:
        held = self._held(claim)
        if held and held.claim.token == claim.token and held.invoice_id is None:
            held.claimed_at = datetime.min.replace(tzinfo=UTC)

    def get(self, claim: Claim) -> Invoice:
        held = self._held(claim)
        if held is None or (held.invoice_id is None and self._dead(held)):
            raise IdempotencyConflict(claim.key.value)
        if held.claim.fingerprint != claim.fingerprint:
            raise IdempotencyMismatch(claim.key.value)
        if held.invoice_id is None:
            raise IdempotencyConflict(claim.key.value)
        return self._invoices.kept[held.invoice_id]

    def _held(self, claim: Claim) -> Held | None:
        return self.kept.get((claim.key_family, claim.key.value))

    def _dead(self, held: Held) -> bool:
        return held.claimed_at <= self._clock() - self._lease


class MemoryKeys:
    """Keeps to `service.ports.KeyStore`. Each secret has its own copy of its key."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.kept: dict[bytes, ApiKey] = {}
        self.ends: dict[bytes, datetime] = {}
        self.lookups = 0
        self.failure: Exception | None = None
        self._clock = clock or Clock()

    def find(self, secret_sha256: bytes) -> ApiKey | None:
        self.lookups += 1
        if self.failure:
            raise self.failure
        key = self.kept.get(secret_sha256)
        now = self._clock()
        if key is None or key.revoked_at or self.ends.get(secret_sha256, _NEVER) <= now:
            return None
        if key.last_used_at is None or now - key.last_used_at > timedelta(minutes=1):
            self.kept[secret_sha256] = replace(key, last_used_at=now)
        return key

    def add(self, key: ApiKey, secret_sha256: bytes) -> None:
        if any(k.name == key.name and k.revoked_at is None for k in self.kept.values()):
            raise KeyNameTaken(key.name)
        self.kept[secret_sha256] = key

    def list(self) -> list[ApiKey]:
        listed = [self._listed(key_id) for key_id in {key.id for key in self.kept.values()}]
        return sorted(listed, key=lambda key: (key.created_at, key.id))

    def rotate(
        self, key_id: UUID, secret_sha256: bytes, prefix: str, overlap: timedelta
    ) -> datetime:
        older = self._in_use(key_id)
        until = self._clock() + overlap
        for secret in older:
            self.ends[secret] = min(until, self.ends.get(secret, until))
        key = self.kept[older[0]]
        self.kept[secret_sha256] = replace(key, prefix=prefix, last_used_at=None)
        return until

    def revoke(self, key_id: UUID) -> datetime:
        for secret in self._in_use(key_id):
            self.kept[secret] = replace(self.kept[secret], revoked_at=self._clock())
        return self._clock()

    def _in_use(self, key_id: UUID) -> Sequence[bytes]:
        found = [s for s, key in self.kept.items() if key.id == key_id and key.revoked_at is None]
        if not found:
            raise KeyNotFound(str(key_id))
        return found

    def _listed(self, key_id: UUID) -> ApiKey:
        """The current secret first, as in PostgreSQL: those without an end, then the latest."""
        copies = [(self.ends.get(s), key) for s, key in self.kept.items() if key.id == key_id]
        copies.sort(key=lambda copy: copy[0] or _NEVER, reverse=True)
        current = copies[0][1]
        secrets = tuple(KeySecret(key.prefix, end, key.last_used_at) for end, key in copies)
        uses = [key.last_used_at for _, key in copies if key.last_used_at]
        return replace(current, secrets=secrets, last_used_at=max(uses, default=None))


class FakeLookOut:
    """Keeps to `settlement_ports.LookOut`, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def ask(self, payment_hash: str) -> None:
        self.asked.append(payment_hash)


@dataclass
class FakeProvider:
    """Keeps to `service.ports.InvoiceIssuer`, or raises `failure` when told to."""

    clock: Clock
    failure: BaseException | None = None
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
            issued_at=self.clock(),
            expires_at=self.clock() + timedelta(hours=1),
        )

    def restart_numbering(self) -> None:
        """Give the invoices out again that were given out before."""
        self._numbers = count(1)

    def ping(self) -> None:
        if self.failure:
            raise self.failure
