"""What the use cases need from the outside. Implemented in `storage` and `lightning`."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from msty_invoice.domain.books import BookedDeposit, BookedEvent, BookedFinding
from msty_invoice.domain.deposit import (
    Deposit,
    DepositPage,
    Finding,
    Judgement,
    RecordedDeposit,
    Verdict,
)
from msty_invoice.domain.idempotency import Claim
from msty_invoice.domain.invoice import Invoice, InvoiceOrder, IssuedInvoice
from msty_invoice.domain.key import ApiKey
from msty_invoice.domain.limit import Bucket, Decision
from msty_invoice.domain.listing import EventFilter, InvoiceFilter, ListedInvoice
from msty_invoice.domain.timeline import Dossier
from msty_invoice.domain.walk import Cursor, Walk
from msty_invoice.domain.webhook import TakenEvent, WebhookEvent


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


class SettlementCounts(Protocol):
    """Told what settlement did, so that an operator sees which of the ways is dead."""

    def judged(self, verdict: Verdict, how: str) -> None: ...

    def proof(self, kind: str) -> None: ...

    def found(self, what: str) -> None: ...

    def webhook(self, kind: str) -> None: ...

    def gap(self) -> None: ...


class DepositStore(Protocol):
    """The books of deposits. Raises `StorageUnavailable` when it cannot be reached."""

    def judge(self, deposit: Deposit, how: str) -> Judgement | None:
        """Record a succeeded deposit with its verdict, and settle its invoice if it is credited.

        One commit. None: it was recorded before, and its verdict stands.
        """

    def recorded(self, provider: str, refs: Iterable[str]) -> dict[str, RecordedDeposit]:
        """What stands in the books of these deposits, by reference."""

    def add_finding(self, finding: Finding) -> bool:
        """Record a difference. False: it was recorded before."""

    def matchable(self, provider: str, limit: int) -> list[Deposit]:
        """Unknown deposits, as recorded, whose invoice can now be seen."""

    def open(self, deposit: Deposit) -> None:
        """Remember to ask about a pending deposit. Its `intent_ref` is "" if that is unread."""

    def due(self, provider: str, limit: int) -> list[str]:
        """References of pending deposits to ask about now; each is claimed for 60 s."""

    def asked(self, provider: str, deposit_ref: str) -> None:
        """It was asked about, and is still pending: ask again later, each time later yet."""

    def close(self, provider: str, deposit_ref: str, outcome: str) -> None:
        """No longer pending."""


class WebhookStore(Protocol):
    """Events as they came, worked off by whoever is free."""

    def store(self, event: WebhookEvent) -> int:
        """Commit an event, tell the settler, and return how often it has come (1: it is new)."""

    def take(self, limit: int) -> list[TakenEvent]:
        """Up to `limit` due events, held for a while by the caller alone."""

    def done(self, event: TakenEvent, outcome: str) -> bool:
        """Finished. False, here and below: it is no longer held by the caller."""

    def later(self, event: TakenEvent, seconds: float, outcome: str) -> bool:
        """Try again in `seconds`."""

    def park(self, event: TakenEvent, outcome: str) -> bool:
        """Give up until the event comes again or an operator replays it."""


class CursorStore(Protocol):
    """How far a provider's list was walked, and the lease on walking it.

    After `acquire`, a False from any write means that the lease was lost: stop.
    """

    def acquire(self, provider: str) -> Cursor | None:
        """Take the lease. None: another machine holds it."""

    def save(self, provider: str, walk: Walk) -> bool:
        """Remember where a walk goes on, and renew the lease."""

    def complete(self, provider: str, walk: Walk, done_down_to: datetime | None) -> bool:
        """A walk reached its floor."""

    def expire(self, provider: str, grace: timedelta, limit: int) -> int:
        """Record as expired what no complete walk since its expiry and grace found paid."""

    def issue_skew(self, provider: str) -> timedelta | None:
        """Provider's clock minus ours when the newest invoice was made; None: none of late."""

    def release(self, provider: str) -> None:
        """Give the lease back."""


class Listener(Protocol):
    """Hears of what there is to settle."""

    def wait(self, seconds: float) -> list[str]:
        """What was told within `seconds`; a `look:` with a payment hash, or anything else.

        Raises `StorageUnavailable`.
        """


class LookOut(Protocol):
    """Asks the settler to look for a payment that a reader waits for."""

    def ask(self, payment_hash: str) -> None:
        """At most once in five seconds over the fleet. Raises nothing, and never waits long."""


class CleanupStore(Protocol):
    """What may be deleted: `idempotency_keys`, `invoices`, `webhook_events`, `open_deposits`."""

    def count(self, kind: str, age: timedelta) -> int:
        """How many of a kind are older and may go."""

    def delete(self, kind: str, age: timedelta, limit: int) -> int:
        """Delete the oldest of them, at most `limit`, and return how many."""


class DossierStore(Protocol):
    """All there is about one invoice. Raises `InvoiceNotFound`."""

    def by_hash(self, payment_hash: str) -> Dossier:
        """Of the invoice with this payment hash, whichever key made it."""

    def by_id(self, invoice_id: UUID) -> Dossier:
        """Of the invoice with this id."""


class InvoiceList(Protocol):
    """Every invoice, as an operator may see it."""

    def read(self, wanted: InvoiceFilter) -> Iterator[ListedInvoice]:
        """Newest first, read as they are taken: few are in memory at a time."""


class QuarantineStore(Protocol):
    """Deposits that settled nothing, and findings. Never deletes, never changes a verdict."""

    def deposits(self, *, resolved_too: bool) -> Sequence[BookedDeposit]:
        """Oldest first."""

    def findings(self, *, resolved_too: bool) -> Sequence[BookedFinding]:
        """Oldest first."""

    def find_deposits(self, ref: str) -> Sequence[BookedDeposit]:
        """Of any verdict, by the reference or by `provider:reference`."""

    def find_finding(self, finding_id: int) -> BookedFinding | None: ...

    def findings_of(self, deposit: BookedDeposit) -> Sequence[BookedFinding]:
        """Oldest first, resolved ones included."""

    def events_of(self, deposit: BookedDeposit) -> Sequence[BookedEvent]:
        """The webhooks about it, oldest first."""

    def resolve_deposit(self, deposit: BookedDeposit, reason: str) -> None:
        """Keep the reason, unless it was resolved or credited before. Raises `NotPermitted`."""

    def resolve_finding(self, finding: BookedFinding, reason: str) -> None:
        """Keep the reason, unless it was resolved before. Raises `NotPermitted`."""


class AdoptionStore(Protocol):
    """Rebuilds lost invoices."""

    def rebuild(self, invoice: Invoice, deposit: BookedDeposit, reason: str) -> Invoice | None:
        """Record an invoice for an unknown deposit, with the reason, in one commit.

        Returns the invoice that the deposit's intent has now, whoever recorded it. None:
        another intent has its payment hash, or the deposit is no longer unknown.
        """

    def of_intent(self, provider: str, intent_ref: str) -> Invoice | None:
        """The invoice that a provider made for this intent."""


class EventList(Protocol):
    """Webhooks as they came, and how far the settler got."""

    def read(self, wanted: EventFilter) -> Sequence[BookedEvent]:
        """Newest first."""

    def find(self, event_id: int) -> BookedEvent | None: ...

    def reopen(self, ids: Sequence[int]) -> int:
        """Make them due at once, as if they had just come, and tell the settler."""
