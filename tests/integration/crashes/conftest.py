"""One River for many cases, with a list of several pages; one set of books, emptied for each."""

import os
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
import redis

from msty_invoice.dev.valkey import ValkeyServer
from msty_invoice.domain.invoice import Network
from msty_invoice.service.keys import Keys
from msty_invoice.storage.keys import PostgresKeys
from msty_invoice.storage.postgres import Database
from msty_invoice.storage.sliding_log import SCRIPT
from tests.databases import DatabaseOfOne
from tests.integration.crashes.processes import Well
from tests.integration.crashes.world import SECRET, World
from tests.integration.crashes.world import WEBHOOKS as OURS
from tests.integration.running import RiverStandIn
from tests.integration.sandbox.listeners import Listener
from tests.integration.sandbox.processes import WEBHOOKS
from tests.wire.pairs import ACCOUNT_ID, API_KEY

_MORE_THAN_A_PAGE, _MOST_DEPOSITS = 26, 60
_HOUR_MS = 3_600_000
_EMPTY = """
    TRUNCATE api_keys, api_key_secrets, invoices, invoice_events, idempotency_keys, deposits,
        deposit_findings, open_deposits, webhook_events, provider_cursors
"""


class Rivers:
    """River, and another one when its list has grown so long that every walk takes its time."""

    def __init__(self) -> None:
        self._now: RiverStandIn | None = None

    def take(self) -> RiverStandIn:
        if self._now and self._now.state()["counts"]["deposits"] > _MOST_DEPOSITS:
            self.close()
        self._now = self._now or self._started()
        return self._now

    def close(self) -> None:
        if self._now:
            self._now.stop()
        self._now = None

    def _started(self) -> RiverStandIn:
        started = RiverStandIn(LIGHTNING_NETWORK="regtest")
        # Older than what the next walk reads again anyway: a page that was missed stays so.
        started.faults({"deposit_timestamp_offset_ms": -_HOUR_MS})
        for _ in range(_MORE_THAN_A_PAGE):
            started.pay(started.create())
        return started


@pytest.fixture(scope="module")
def rivers() -> Iterator[Rivers]:
    with closing(Rivers()) as made:
        yield made


@pytest.fixture
def river(rivers: Rivers) -> RiverStandIn:
    return rivers.take()


@pytest.fixture(scope="module")
def told() -> Iterator[Listener]:
    """Where River sends webhooks, if it is to."""
    with closing(Listener()) as listening:
        yield listening


@pytest.fixture(scope="module")
def well() -> Iterator[Well]:
    """Runs what no failpoint is in the way of."""
    started = Well()
    yield started
    started.stop()


@pytest.fixture(scope="module")
def admin(database: DatabaseOfOne) -> Iterator[Database]:
    with closing(Database(database.admin, statement_timeout=30_000, lock_timeout=30_000)) as opened:
        yield opened


@pytest.fixture(scope="module")
def app(database: DatabaseOfOne) -> Iterator[Database]:
    with closing(Database(database.app, statement_timeout=30_000)) as opened:
        yield opened


@pytest.fixture
def empty_redis(valkey_server: ValkeyServer) -> str:
    """The address of one that holds the limiter's script, and nothing else."""
    with redis.Redis.from_url(valkey_server.url) as client:
        client.flushall()
        client.script_load(SCRIPT)
    return valkey_server.url


@pytest.fixture
def world(
    tmp_path: Path,
    database: DatabaseOfOne,
    admin: Database,
    app: Database,
    well: Well,
    river: RiverStandIn,
    told: Listener,
    empty_redis: str,
) -> Iterator[World]:
    """Books in which nothing stands but the shop's key."""
    river.faults({})
    admin.execute(_EMPTY)
    keys = Keys(PostgresKeys(app), Network.REGTEST, lambda: datetime.now(UTC))
    key, secret = keys.create("shop")
    settings = _settings(database, empty_redis, river)
    yield World(database, admin, app, well, river, told, tmp_path, settings, key.id, secret)
    # It may be registered there; the next case must find none.
    river.call("DELETE", WEBHOOKS, json={"url": f"http://127.0.0.1:{told.port}{OURS}"})


def _settings(database: DatabaseOfOne, redis_url: str, river: RiverStandIn) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": database.app,
        "REDIS_URL": redis_url,
        "PUBLIC_URL": "http://127.0.0.1",
        "LIGHTNING_PROVIDER": "river",
        "LIGHTNING_NETWORK": "regtest",
        "RIVER_BASE_URL": river.url,
        "RIVER_ACCOUNT_ID": ACCOUNT_ID,
        "RIVER_API_KEY": API_KEY,
        "RIVER_WEBHOOK_SECRET": SECRET,
    }
