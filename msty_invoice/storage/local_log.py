"""The rate limit as one worker alone knows it, for as long as Redis does not answer."""

from array import array
from bisect import bisect_right
from collections.abc import Callable, Sequence
from math import ceil
from typing import NamedTuple

from msty_invoice.domain.limit import Bucket, Decision, Pair

_MICROSECONDS = 1_000_000
MAX_BUCKETS = 4096


class _Standing(NamedTuple):
    """How many a pair would still admit, and when the oldest in its window leaves it."""

    pair: Pair
    left: int
    frees_us: int


class LocalLog:
    """The semantics of `SlidingLog` in memory: at most `max_buckets`, 8 bytes an admission.

    `now_us` is any clock in microseconds. When full it forgets the bucket that was
    admitted least recently.
    """

    def __init__(self, now_us: Callable[[], int], max_buckets: int = MAX_BUCKETS) -> None:
        self._now_us = now_us
        self._max_buckets = max_buckets
        self._logs: dict[str, array[int]] = {}  # admissions, oldest first; oldest log first

    def decide(self, buckets: Sequence[Bucket]) -> Decision:
        """Admit if every pair of every bucket does, and only then record."""
        logs = [self._logs.get(bucket.key) or array("q") for bucket in buckets]
        now = max([self._now_us(), *(log[-1] for log in logs if log)])
        standings = [
            _standing(log, pair, now)
            for bucket, log in zip(buckets, logs, strict=True)
            for pair in bucket.pairs
        ]
        tightest = min(standings, key=lambda standing: (standing.left, -standing.frees_us))
        admitted = tightest.left > 0
        if admitted:
            for bucket, log in zip(buckets, logs, strict=True):
                self._record(bucket, log, now)
        left = tuple(standing.left - admitted for standing in standings)
        reset_seconds = ceil(tightest.frees_us / _MICROSECONDS)
        return Decision(admitted, tightest.pair, tightest.left - admitted, reset_seconds, left)

    def _record(self, bucket: Bucket, log: "array[int]", now: int) -> None:
        log.append(now)
        del log[: -max(pair.cap for pair in bucket.pairs)]
        # Put back at the end: the front is then always the least recently admitted.
        self._logs.pop(bucket.key, None)
        self._logs[bucket.key] = log
        if len(self._logs) > self._max_buckets:
            del self._logs[next(iter(self._logs))]


def _standing(log: "array[int]", pair: Pair, now: int) -> _Standing:
    window = pair.window_seconds * _MICROSECONDS
    used = min(pair.cap, len(log) - bisect_right(log, now - window))
    oldest = log[len(log) - used] if used else now
    return _Standing(pair, pair.cap - used, oldest + window - now)
