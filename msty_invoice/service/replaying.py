"""Giving webhooks to the settler again."""

from collections.abc import Sequence

from msty_invoice.domain.books import BookedEvent
from msty_invoice.domain.errors import WebhookNotFound
from msty_invoice.domain.listing import EventFilter
from msty_invoice.service.operator_ports import EventList


class Replaying:
    """Harmless however often: a webhook only makes the settler ask the provider."""

    def __init__(self, events: EventList) -> None:
        self._events = events

    def choose(self, event_id: int | None) -> Sequence[BookedEvent]:
        """The webhook with this number, or all that are parked. Raises `WebhookNotFound`."""
        if event_id is None:
            return self._events.read(EventFilter(parked=True, limit=None))
        event = self._events.find(event_id)
        if event is None:
            raise WebhookNotFound(
                f"there is no webhook {event_id}: see msty-invoice webhooks list for the numbers"
            )
        return [event]

    def replay(self, events: Sequence[BookedEvent]) -> int:
        """Make them due at once; returns how many."""
        return self._events.reopen([event.id for event in events])
