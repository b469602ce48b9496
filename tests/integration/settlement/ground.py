"""What a model run stands on: database, Redis, River, and the three clocks."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import redis

from msty_invoice.dev.valkey import ValkeyServer
from tests.integration.running import RiverStandIn
from tests.integration.sandbox.listeners import Listener
from tests.integration.settlement.shifted import ShiftedDatabase

_NOTHING = timedelta(0)


@dataclass
class Ground:
    """One database and one Valkey for all runs, and a River of its own for each.

    Time passes for all three clocks together; `provider_skew` and `machine_skew` set
    River's and the VM's apart from the database's.
    """

    database: ShiftedDatabase
    valkey: ValkeyServer
    river: RiverStandIn
    webhooks: Listener
    secret: bytes
    ahead: timedelta = _NOTHING
    provider_skew: timedelta = _NOTHING
    machine_skew: timedelta = _NOTHING
    faults: dict[str, Any] = field(default_factory=dict)

    def now(self) -> datetime:
        """By the database's clock."""
        return datetime.now(UTC) + self.ahead

    def machine_now(self) -> datetime:
        return self.now() + self.machine_skew

    def provider_now(self) -> datetime:
        return self.now() + self.provider_skew

    def advance(self, by: timedelta) -> None:
        self.ahead += by
        self.database.set_ahead(self.ahead)
        self.put_faults()
        # Redis keeps its own time: what would have ended by now has ended.
        with redis.Redis.from_url(self.valkey.url) as client:
            client.flushall()

    def put_faults(self, **more: Any) -> None:
        """The faults in force, `more` of them for this once, and the provider's clock."""
        offset = (self.ahead + self.provider_skew) // timedelta(milliseconds=1)
        self.river.faults(self.faults | more | {"clock_offset_ms": offset})


@contextmanager
def prepared(database: ShiftedDatabase, valkey: ValkeyServer) -> Iterator[Ground]:
    """Empty books, and a new River whose webhooks a listener takes."""
    database.empty()
    river, listener = RiverStandIn(LIGHTNING_NETWORK="regtest"), Listener()
    try:
        secret = bytes.fromhex(river.register(listener.url))
        ground = Ground(database, valkey, river, listener, secret)
        ground.advance(_NOTHING)
        yield ground
    finally:
        river.stop()
        listener.close()
