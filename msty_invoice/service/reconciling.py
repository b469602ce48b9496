"""The walk over the provider's own list, which finds whatever the webhooks missed."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from msty_invoice.domain.deposit import DepositPage
from msty_invoice.domain.walk import Cursor, Walk, done_down_to, next_walk
from msty_invoice.service.ports import LightningProvider
from msty_invoice.service.settlement_ports import CursorStore, SettlementCounts
from msty_invoice.service.settling import Settling
from msty_invoice.service.webhooks import EventWork

logger = logging.getLogger(__name__)

# If the clocks differ by more, nobody can say what has expired (design §4.7).
MAX_SKEW = timedelta(seconds=60)
_EXPIRE_AT_ONCE = 500


class LeaseLost(Exception):
    """Another machine took the lease over: whatever we would do now, it does."""


@dataclass(frozen=True, slots=True)
class Pass:
    """What one pass came to. `held_elsewhere`: another machine is at it, nothing was done."""

    held_elsewhere: bool = False
    events: int = 0
    pages: int = 0
    complete: bool = False
    expired: int = 0
    skew_seconds: float | None = None


class Reconciling:
    """One pass at a time over one provider; killed anywhere and run again, the same end."""

    def __init__(
        self,
        provider: LightningProvider,
        settling: Settling,
        events: EventWork,
        cursors: CursorStore,
        counts: SettlementCounts,
        monotonic: Callable[[], float],
        *,
        grace: timedelta,
        budget_seconds: float = 40.0,
    ) -> None:
        self._provider = provider
        self._settling = settling
        self._events = events
        self._cursors = cursors
        self._counts = counts
        self._monotonic = monotonic
        self._grace = grace
        self._budget_seconds = budget_seconds

    def run(self, since: datetime | None = None) -> Pass:
        """Work off events, walk, expire. `since` walks at least down to that instant.

        Raises a `ProviderError` if the provider cannot be asked; then nothing expires.
        """
        cursor = self._cursors.acquire(self._provider.name)
        if cursor is None:
            return Pass(held_elsewhere=True)
        started = self._monotonic()
        try:
            return self._run(cursor, since, started)
        except LeaseLost:
            return Pass(held_elsewhere=True)
        finally:
            self._cursors.release(cursor.provider)

    def _run(self, cursor: Cursor, since: datetime | None, started: float) -> Pass:
        events = self._work_off(started)
        self._settling.ask_open()
        self._settling.rematch()
        first = self._read(None)
        skew = self._skew(cursor, first, self._monotonic() - started)
        walk, pages, complete = self._walk(cursor, first, since, started)
        proved = complete and not walk.gap
        expired = self._expire(cursor.provider) if proved and self._agree(skew) else 0
        return Pass(
            events=events,
            pages=pages,
            complete=complete,
            expired=expired,
            skew_seconds=skew.total_seconds() if skew is not None else None,
        )

    def _work_off(self, started: float) -> int:
        """All events that are due, for up to half of the time: an unread one stops expiry."""
        total = 0
        while self._monotonic() - started < self._budget_seconds / 2 and (n := self._events.run()):
            total += n
        return total

    def _walk(
        self, cursor: Cursor, first: DepositPage, since: datetime | None, started: float
    ) -> tuple[Walk, int, bool]:
        """Go on where an earlier pass stopped, or begin.

        Returns how far it is, pages read, and whether it is done.
        """
        page, pages = first, 1
        walk = cursor.walk if since is None else None
        if walk is None:
            newest = first.deposits[0].deposited_at if first.deposits else None
            walk = replace(next_walk(cursor, since), top=newest)
        elif walk.next_token:
            page, pages = self._read(walk.next_token), 2
        walk = replace(walk, gap=walk.gap or first.gap or page.gap)
        while not _reached(page, walk):
            walk = replace(walk, next_token=page.next_token)
            self._ensure_held(self._cursors.save(cursor.provider, walk))
            if self._monotonic() - started > self._budget_seconds:
                return walk, pages, False
            page, pages = self._read(walk.next_token), pages + 1
            walk = replace(walk, gap=walk.gap or page.gap)
        floor = done_down_to(walk, cursor.done_down_to)
        self._ensure_held(self._cursors.complete(cursor.provider, walk, floor))
        return walk, pages, True

    def _read(self, token: str | None) -> DepositPage:
        page = self._provider.walk(token)
        if page.gap:
            self._counts.gap()
            logger.error("the list may leave deposits out: some may be found by webhook only")
        whole = self._settling.record([*page.deposits, *page.unread], "walk")
        # What is listed and could not be recorded is missing from the books just the same.
        return replace(page, gap=page.gap or not whole)

    def _expire(self, provider: str) -> int:
        total = 0
        while count := self._cursors.expire(provider, self._grace, _EXPIRE_AT_ONCE):
            total += count
        return total

    def _skew(self, cursor: Cursor, page: DepositPage, elapsed: float) -> timedelta | None:
        """The provider's clock minus the database's, now; None if nothing tells.

        What the newest invoice says counts only without a `Date`: it speaks of when it was
        made, and would hold up expiry for a day after both clocks are well again.
        """
        if page.provider_time is None:
            return self._cursors.issue_skew(cursor.provider)
        return page.provider_time - (cursor.now + timedelta(seconds=elapsed))

    def _agree(self, skew: timedelta | None) -> bool:
        if skew is not None and abs(skew) <= MAX_SKEW:
            return True
        seconds = skew.total_seconds() if skew is not None else None
        logger.error("clocks disagree: nothing expires", extra={"skew_seconds": seconds})
        return False

    def _ensure_held(self, held: bool) -> None:
        if not held:
            raise LeaseLost


def _reached(page: DepositPage, walk: Walk) -> bool:
    """The floor itself is read too: deposits of one timestamp may go on over the next page."""
    if page.next_token is None:
        return True
    return bool(page.deposits) and page.deposits[-1].deposited_at < walk.floor
