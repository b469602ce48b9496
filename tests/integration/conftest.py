"""The whole service as it runs: gunicorn, PostgreSQL, Valkey, and the sandbox in River's place.

One of each for a module's tests. A module that needs other settings has a fixture
`service_settings` of its own, of scope "module", that returns them by name.
"""

from collections.abc import Iterator

import pytest
import redis

from msty_invoice.dev.postgres import PostgresServer
from msty_invoice.dev.valkey import ValkeyServer
from tests.databases import DatabaseOfOne, admin, empty_database
from tests.integration.running import RiverStandIn, Service
from tests.wire.pairs import ACCOUNT_ID, API_KEY


@pytest.fixture(scope="module")
def service_settings() -> dict[str, str]:
    """Settings that differ from those of `service`."""
    return {}


@pytest.fixture(scope="module")
def database(postgres_server: PostgresServer, _template: str) -> Iterator[DatabaseOfOne]:
    """The database of the running service, on PostgreSQL 18."""
    made = empty_database(postgres_server, _template)
    yield made
    admin(postgres_server, f"DROP DATABASE {made.name} WITH (FORCE)")


@pytest.fixture(scope="module")
def valkey(valkey_server: ValkeyServer) -> ValkeyServer:
    """The server of the running service, with nothing in it."""
    with redis.Redis.from_url(valkey_server.url) as client:
        client.flushall()
    return valkey_server


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RiverStandIn]:
    """River, for a running service."""
    started = RiverStandIn(LIGHTNING_NETWORK="regtest")
    yield started
    started.stop()


@pytest.fixture(autouse=True)
def _well_behaved(request: pytest.FixtureRequest) -> Iterator[None]:
    """No fault outlives its test."""
    yield
    if "service" in request.fixturenames and "sandbox" in request.fixturenames:
        request.getfixturevalue("sandbox").faults({})


@pytest.fixture(scope="module")
def service(
    tmp_path_factory: pytest.TempPathFactory,
    database: DatabaseOfOne,
    valkey: ValkeyServer,
    sandbox: RiverStandIn,
    service_settings: dict[str, str],
) -> Iterator[Service]:
    """The running service. Its limits are out of the way unless a module sets them."""
    settings = {
        "DATABASE_URL": database.app,
        "REDIS_URL": valkey.url,
        "PUBLIC_URL": "http://127.0.0.1",
        "LIGHTNING_PROVIDER": "river",
        "LIGHTNING_NETWORK": "regtest",
        "RIVER_BASE_URL": sandbox.url,
        "RIVER_ACCOUNT_ID": ACCOUNT_ID,
        "RIVER_API_KEY": API_KEY,
        "CREATE_WORKERS": "3",
        "RATE_LIMIT_PER_MINUTE": "100000",
    }
    started = Service(tmp_path_factory.mktemp("service"), settings | service_settings)
    yield started
    started.stop()
