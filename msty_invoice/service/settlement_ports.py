"""What settling needs from the outside, as Protocols. Implemented in `storage` and `telemetry`."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Protocol

from msty_invoice.domain.deposit import Deposit, Finding, Judgement, RecordedDeposit, Verdict
from msty_invoice.domain.walk import Cursor, Walk
from msty_invoice.domain.webhook import TakenEvent, WebhookEvent


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
