"""The rate limit that always answers: Redis first, this worker's own log when Redis does not."""

import logging
from collections.abc import Callable, Sequence

from msty_invoice.domain.limit import Bucket, Decision
from msty_invoice.storage.local_log import LocalLog
from msty_invoice.storage.sliding_log import RedisAway, SlidingLog

_OPEN_SECONDS = 1.0  # how long Redis is left alone after it failed
_QUIET_SECONDS = 60.0  # between two warnings; `on_fallback` counts every decision

logger = logging.getLogger(__name__)


class CircuitLimiter:
    """Implements `service.ports.Limiter`. Each worker that falls back admits the whole limit.

    `monotonic` is a clock in seconds. `on_fallback` is called for each decision
    taken without Redis. A failing Redis costs one decision a second at most 50 ms.
    """

    def __init__(
        self,
        sliding_log: SlidingLog,
        local_log: LocalLog,
        monotonic: Callable[[], float],
        on_fallback: Callable[[], None],
    ) -> None:
        self._sliding_log = sliding_log
        self._local_log = local_log
        self._monotonic = monotonic
        self._on_fallback = on_fallback
        self._open_until = self._quiet_until = float("-inf")

    def decide(self, buckets: Sequence[Bucket]) -> Decision:
        """Admit if every pair of every bucket does. Raises nothing, whatever Redis does."""
        if self._monotonic() >= self._open_until:
            try:
                return self._sliding_log.decide(buckets)
            except RedisAway as exc:
                self._open(exc)
        self._on_fallback()
        return self._local_log.decide(buckets)

    def redis_answers(self) -> bool:
        """Ask Redis now, whatever the circuit says, for 50 ms at most."""
        try:
            self._sliding_log.ping()
        except RedisAway:
            return False
        return True

    def _open(self, exc: RedisAway) -> None:
        now = self._monotonic()
        self._open_until = now + _OPEN_SECONDS
        if now >= self._quiet_until:
            self._quiet_until = now + _QUIET_SECONDS
            logger.warning("limited by this worker's own log", extra={"cause": str(exc)})
