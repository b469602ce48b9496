"""What the use cases need from the outside. Implemented in `storage` and `lightning`."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from msty_invoice.domain.deposit import Deposit, DepositPage
from msty_invoice.domain.idempotency import Claim
from msty_invoice.domain.invoice import Invoice, InvoiceOrder, IssuedInvoice
from msty_invoice.domain.key import ApiKey
from msty_invoice.domain.limit import Bucket, Decision
from msty_invoice.domain.webhook import WebhookEvent


class InvoiceIssuer(Protocol):
    """The part of a Lightning service that makes invoices. Every call has a total deadline."""

    @property
    def name(self) -> str:
        """The provider's name as stored with each invoice, such as `river`."""

    def create_invoice(self, order: InvoiceOrder) -> IssuedInvoice:
        """Obtain an invoice that says what `order` says.

        Raises one of the `ProviderError`s. After `ProviderUnknown` it may be asked
        again: an invoice nobody was shown harms nobody.
        """

    def ping(self) -> None:
        """Raise a `ProviderError` unless the provider answers and knows us."""


class LightningProvider(InvoiceIssuer, Protocol):
    """A Lightning service, in sats, hex hashes and aware UTC. Every call has a total deadline."""

    @property
    def signs_webhooks(self) -> bool:
        """Whether a webhook is its own word. If not, anyone who learns the address sends some."""

    def walk(self, token: str | None) -> DepositPage:
        """A page of deposits, the newest first or from where an earlier page ended."""

    def deposit(self, deposit_ref: str) -> Deposit | None:
        """One deposit as it stands now, or None if the provider knows none."""

    def look(self, payment_hash: str) -> Sequence[Deposit]:
        """What arrived lately, this invoice's deposit among it if it is there."""

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> WebhookEvent:
        """Verify the bytes as received, then read them. `headers` are in lower case.

        Raises a `WebhookRefused`, or `InvalidInput` for what is signed but unreadable.
        """


class InvoiceStore(Protocol):
    """Where invoices are kept. Raises `StorageUnavailable` when it cannot be reached."""

    def add(self, invoice: Invoice) -> Invoice:
        """Record a new invoice in one commit, and return it as recorded.

        Safe to run again with the same `id`. Raises `InvoiceIssuedTwice` if another
        invoice already has this `payment_hash` or provider reference.
        """

    def get(self, key_family: UUID, payment_hash: str) -> Invoice:
        """The invoice this key family made. Raises `InvoiceNotFound`, also for another family's."""


class IssuedInvoices(Protocol):
    """Which invoices are ours. Raises `StorageUnavailable` when out of reach."""

    def has(self, provider: str, provider_ref: str) -> bool:
        """Whether we recorded an invoice that this provider calls so."""


class IdempotencyStore(Protocol):
    """Which invoice an idempotency key made. Raises `StorageUnavailable` when out of reach.

    A claim that is neither finished nor released is dead after a while (20 s, longer than
    any worker lives on), and the next request takes the key over. Whoever held it before
    can then change nothing. Each call is one commit, and safe to run again.
    """

    def claim(self, claim: Claim) -> Invoice | None:
        """Take the key: None says that it is ours, an invoice that it was finished before.

        Raises `IdempotencyConflict` while another claim holds it, and
        `IdempotencyMismatch` if it is held or finished for another order.
        """

    def finish(self, claim: Claim, invoice: Invoice) -> Invoice:
        """Record a new invoice as what the key made, both in one commit, and return it.

        Raises `ClaimOvertaken`, recording nothing, if the key is no longer ours, and
        `InvoiceIssuedTwice` as `InvoiceStore.add` does.
        """

    def release(self, claim: Claim) -> None:
        """Let the next request take the key at once, unless it is finished or not ours."""

    def get(self, claim: Claim) -> Invoice:
        """What the key made. Raises `IdempotencyConflict` if nothing yet, or the mismatch."""


class KeyStore(Protocol):
    """Where API keys are kept. Only a SHA-256 of a secret ever reaches it."""

    def find(self, secret_sha256: bytes) -> ApiKey | None:
        """The usable key with this secret, noting its use at most once a minute; or None."""

    def add(self, key: ApiKey, secret_sha256: bytes) -> None:
        """Record a new key with its first secret. Raises `KeyNameTaken`."""

    def list(self) -> list[ApiKey]:
        """Every key with its secrets, oldest first, revoked ones included."""

    def rotate(
        self, key_id: UUID, secret_sha256: bytes, prefix: str, overlap: timedelta
    ) -> datetime:
        """Give a key another secret; returns when the ones before it end.

        That is `overlap` from now by the store's clock, or earlier if they had an end.
        Raises `KeyNotFound` if the key is not in use, `KeyRotatedMeanwhile` if somebody
        else was quicker.
        """

    def revoke(self, key_id: UUID) -> datetime:
        """End a key and free its name; returns when. Raises `KeyNotFound` if it is not in use."""


class Limiter(Protocol):
    """Counts what is asked. Always answers, whatever its storage does."""

    def decide(self, buckets: Sequence[Bucket]) -> Decision:
        """Admit if every pair of every bucket does, and then count once in each."""
