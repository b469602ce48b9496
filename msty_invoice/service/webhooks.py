"""Webhooks: taken as hints, stored before they are answered, worked off by the settler."""

import logging
from collections.abc import Mapping

from msty_invoice.domain.deposit import DepositState
from msty_invoice.domain.errors import (
    ProviderError,
    ProviderRefused,
    ProviderUnreadable,
    StorageUnavailable,
    WebhookRefused,
)
from msty_invoice.domain.webhook import DEPOSIT, SUCCESS, TakenEvent
from msty_invoice.service.ports import LightningProvider
from msty_invoice.service.settlement_ports import SettlementCounts, WebhookStore
from msty_invoice.service.settling import Settling

logger = logging.getLogger(__name__)

# A deposit that was announced but cannot be read is asked for this long, then parked.
_PATIENCE_SECONDS = 24 * 3600
# Anyone may have announced it, and meanwhile no invoice of the provider expires.
_UNSIGNED_PATIENCE_SECONDS = 600
_LONGEST_PAUSE_SECONDS = 600


class Webhooks:
    """Takes what a provider tells us."""

    def __init__(
        self, provider: LightningProvider, store: WebhookStore, counts: SettlementCounts
    ) -> None:
        self._provider = provider
        self._store = store
        self._counts = counts

    def take(self, headers: Mapping[str, str], body: bytes) -> None:
        """Verify and store a webhook; returns once it is committed.

        Raises a `WebhookRefused` (then nothing is stored) or `StorageUnavailable`.
        """
        try:
            event = self._provider.read_webhook(headers, body)
        except WebhookRefused as exc:
            self._counts.webhook(exc.kind)
            raise
        copies = self._store.store(event)
        self._counts.webhook("new" if copies == 1 else "repeated")


class EventWork:
    """Works off stored events: a hint is followed by asking the provider itself."""

    def __init__(self, settling: Settling, store: WebhookStore, counts: SettlementCounts) -> None:
        self._settling = settling
        self._store = store
        self._counts = counts

    def run(self, limit: int = 3) -> int:
        """Work on up to `limit` due events and return how many there were."""
        events = self._store.take(limit)
        for event in events:
            self._work(event)
        return len(events)

    def _work(self, event: TakenEvent) -> None:
        if event.type != DEPOSIT:
            self._store.done(event, "not a deposit")
            return
        try:
            state = self._settling.settle(event.ref, "webhook")
        except (ProviderRefused, ProviderUnreadable) as exc:
            self._doubt(event, type(exc).__name__)  # about this deposit only
            return
        except ProviderError as exc:
            self._later(event, type(exc).__name__)
            return
        except StorageUnavailable:
            raise
        except Exception:
            # It must keep no other event waiting, and must not be forgotten.
            logger.exception("event", extra={"event": event.id, "ref": event.ref})
            self._later(event, "a bug")
            return
        if state in (DepositState.SUCCEEDED, DepositState.FAILED):
            self._store.done(event, state)
        elif state is DepositState.PENDING and event.state != SUCCESS:
            self._store.done(event, state)  # it is asked by its own reference from now on
        else:
            self._doubt(event, "no such deposit" if state is None else "still pending")

    def _doubt(self, event: TakenEvent, outcome: str) -> None:
        """Announced as arrived, but the provider does not say so itself."""
        signed = self._settling.is_signed
        if event.age_seconds < (_PATIENCE_SECONDS if signed else _UNSIGNED_PATIENCE_SECONDS):
            self._later(event, outcome)
            return
        self._store.park(event, outcome)
        self._counts.webhook("parked")
        level = logging.ERROR if signed else logging.WARNING
        extra = {"event": event.id, "ref": event.ref}
        logger.log(level, "event parked: %s", outcome, extra=extra)

    def _later(self, event: TakenEvent, outcome: str) -> None:
        pause = min(2.0 ** min(event.attempts - 1, 16), _LONGEST_PAUSE_SECONDS)
        self._store.later(event, pause, outcome)
