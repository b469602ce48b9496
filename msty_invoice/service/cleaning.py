"""Deleting what nobody needs any more: never money, and never so much that others wait."""

from collections.abc import Callable, Mapping
from datetime import timedelta

from msty_invoice.service.settlement_ports import CleanupStore

# Design §2: a key is kept for 72 h, so that a bug of Friday can be retried on Monday.
IDEMPOTENCY_KEYS = timedelta(hours=72)
WEBHOOK_EVENTS = timedelta(days=180)

_AT_ONCE = 200  # rows in one statement, which then holds its locks for some milliseconds


class Cleaning:
    """`monotonic` bounds a run to `budget_seconds`; the next one goes on."""

    def __init__(
        self,
        store: CleanupStore,
        monotonic: Callable[[], float],
        *,
        invoice_days: int,
        budget_seconds: float = 300.0,
    ) -> None:
        self._store = store
        self._monotonic = monotonic
        self._budget_seconds = budget_seconds
        # Keys before invoices, so that none outlives the invoice it would show again.
        self._ages: Mapping[str, timedelta] = {
            "idempotency_keys": IDEMPOTENCY_KEYS,
            "invoices": timedelta(days=invoice_days),
            "webhook_events": WEBHOOK_EVENTS,
            "open_deposits": WEBHOOK_EVENTS,
        }

    def count(self) -> dict[str, int]:
        """What `run` would delete, by kind."""
        return {kind: self._store.count(kind, age) for kind, age in self._ages.items()}

    def run(self) -> dict[str, int]:
        """Delete it, and return how many of each kind."""
        end = self._monotonic() + self._budget_seconds
        deleted = dict.fromkeys(self._ages, 0)
        for kind, age in self._ages.items():
            while self._monotonic() < end and (n := self._store.delete(kind, age, _AT_ONCE)):
                deleted[kind] += n
        return deleted
