"""Asking the settler to look for a payment now, at most once in five seconds over the fleet."""

from collections.abc import Callable

import redis

from msty_invoice.domain.errors import StorageUnavailable
from msty_invoice.storage.postgres import Database
from msty_invoice.storage.redis_link import RedisLink
from msty_invoice.storage.webhooks import CHANNEL

LOOK = "look:"  # what stands before the payment hash in a notice

_KEY = "msty:look"
_PAUSE_MS = 5_000
_OPEN_SECONDS = 1.0  # Redis failed: leave it alone for so long

_NOTIFY = "SELECT pg_notify(%(channel)s, %(notice)s)"


class Looks:
    """Implements `settlement_ports.LookOut`. A reader never waits for it, nor fails by it."""

    def __init__(self, link: RedisLink, database: Database, monotonic: Callable[[], float]) -> None:
        self._link = link
        self._database = database
        self._monotonic = monotonic
        self._open_until = float("-inf")

    def ask(self, payment_hash: str) -> None:
        if not self._first():
            return
        notice = {"channel": CHANNEL, "notice": LOOK + payment_hash}
        try:
            self._database.repeat(_NOTIFY, notice)
        except StorageUnavailable:
            return  # the reader has its answer already; the walk finds the payment

    def _first(self) -> bool:
        if self._monotonic() < self._open_until:
            return False
        try:
            command = ("SET", _KEY, "1", "NX", "PX", _PAUSE_MS)
            return self._link.ask(self._link.deadline(), *command) is not None
        except (redis.RedisError, OSError, ValueError):
            self._link.drop()
            self._open_until = self._monotonic() + _OPEN_SECONDS
            return False
