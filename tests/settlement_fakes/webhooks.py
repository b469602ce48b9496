"""Webhook events, in memory."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from msty_invoice.domain.webhook import TakenEvent, WebhookEvent
from tests.fakes import Clock


@dataclass
class KeptEvent:
    """A stored event and how far somebody got with it."""

    id: int
    event: WebhookEvent
    received_at: datetime
    opened_at: datetime
    next_attempt_at: datetime
    copies: int = 1
    attempts: int = 0
    token: UUID | None = None
    lease_until: datetime | None = None
    done_at: datetime | None = None
    parked_at: datetime | None = None
    outcome: str | None = None

    @property
    def unfinished(self) -> bool:
        return self.done_at is None and self.parked_at is None


class MemoryWebhooks:
    """Keeps to `settlement_ports.WebhookStore`. Another settler is one on the same `kept`."""

    def __init__(
        self, clock: Clock, lease_seconds: float = 30.0, kept: list[KeptEvent] | None = None
    ) -> None:
        self.kept: list[KeptEvent] = [] if kept is None else kept
        self._clock = clock
        self._lease = timedelta(seconds=lease_seconds)
        self._token = uuid4()

    def store(self, event: WebhookEvent) -> int:
        now = self._clock()
        for known in self.kept:
            if known.event == event:
                known.copies += 1
                if known.parked_at:
                    known.parked_at, known.attempts = None, 0
                    known.opened_at = known.next_attempt_at = now
                return known.copies
        self.kept.append(KeptEvent(len(self.kept) + 1, event, now, now, now))
        return 1

    def take(self, limit: int) -> list[TakenEvent]:
        self._token, now = uuid4(), self._clock()
        due = [k for k in self.kept if k.unfinished and k.next_attempt_at <= now and _free(k, now)]
        taken = sorted(due, key=lambda kept: (kept.next_attempt_at, kept.id))[:limit]
        for kept in taken:
            kept.token, kept.lease_until = self._token, now + self._lease
            kept.attempts += 1
        return [_taken(kept, now) for kept in taken]

    def done(self, event: TakenEvent, outcome: str) -> bool:
        if held := self._end(event, outcome):
            held.done_at = self._clock()
        return held is not None

    def later(self, event: TakenEvent, seconds: float, outcome: str) -> bool:
        if held := self._end(event, outcome):
            held.next_attempt_at = self._clock() + timedelta(seconds=seconds)
        return held is not None

    def park(self, event: TakenEvent, outcome: str) -> bool:
        if held := self._end(event, outcome):
            held.parked_at = self._clock()
        return held is not None

    def _end(self, event: TakenEvent, outcome: str) -> KeptEvent | None:
        held = next((k for k in self.kept if k.id == event.id and k.token == self._token), None)
        if held:
            held.token = held.lease_until = None
            held.outcome = outcome
        return held


def _free(kept: KeptEvent, now: datetime) -> bool:
    return kept.lease_until is None or kept.lease_until < now


def _taken(kept: KeptEvent, now: datetime) -> TakenEvent:
    event = kept.event
    age = (now - kept.opened_at).total_seconds()
    return TakenEvent(
        kept.id, event.provider, event.type, event.ref, event.state, kept.attempts, age
    )
