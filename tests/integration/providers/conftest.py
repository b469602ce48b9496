"""The whole service in front of each provider in turn: one of each for a module's tests."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from msty_invoice.dev.postgres import PostgresServer
from msty_invoice.dev.process import Process
from msty_invoice.dev.valkey import ValkeyServer
from tests.databases import DatabaseOfOne, admin, empty_database
from tests.integration.providers.houses import (
    House,
    LnbitsHouse,
    LnbitsOutsideHouse,
    RiverHouse,
)
from tests.integration.providers.installation import installed
from tests.integration.running import Service, rows
from tests.integration.settlement.conftest import Operator, port, wait_for

__all__ = ["port"]


@pytest.fixture(scope="session")
def lnbits_venv() -> Path:
    """Where the real LNbits is installed."""
    return installed()


@pytest.fixture(scope="module", params=["river", "lnbits", "lnbits-outside"])
def house(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """The provider."""
    made = _build(request.param, tmp_path_factory.mktemp(request.param), request)
    yield made
    made.close()


def _build(kind: str, folder: Path, request: pytest.FixtureRequest) -> House:
    if kind == "river":
        return RiverHouse(folder)
    venv = request.getfixturevalue("lnbits_venv")
    if kind == "lnbits":
        return LnbitsHouse(venv, folder)
    database = empty_database(request.getfixturevalue("postgres_server"))
    # Its own name for the scheme.
    url = database.migrator.replace("postgresql:", "postgres:")
    return LnbitsOutsideHouse(venv, folder, url)


@pytest.fixture(scope="module")
def database(
    house: House, postgres_server: PostgresServer, _template: str
) -> Iterator[DatabaseOfOne]:
    """A database for each provider."""
    made = empty_database(postgres_server, _template)
    yield made
    admin(postgres_server, f"DROP DATABASE {made.name} WITH (FORCE)")


@pytest.fixture(scope="module")
def operator(
    tmp_path_factory: pytest.TempPathFactory,
    database: DatabaseOfOne,
    valkey: ValkeyServer,
    house: House,
    port: int,
) -> Operator:
    """Runs commands with the settings of a service at this provider."""
    made = Operator(
        tmp_path_factory.mktemp("operator"),
        service_settings(database, valkey, port) | house.settings,
    )
    if house.name == "river":
        made.run("river", "register-webhook")
    return made


def service_settings(database: DatabaseOfOne, valkey: ValkeyServer, port: int) -> dict[str, str]:
    """Those that belong to no provider."""
    return {
        "DATABASE_URL": database.app,
        "REDIS_URL": valkey.url,
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "PROVIDER_DEADLINE_SECONDS": "3",
        "RATE_LIMIT_PER_MINUTE": "100000",
        "RATE_LIMIT_READS_PER_MINUTE": "100000",
    }


@pytest.fixture(scope="module")
def service(
    tmp_path_factory: pytest.TempPathFactory, operator: Operator, port: int
) -> Iterator[Service]:
    """The running service, which the provider can reach."""
    started = Service(tmp_path_factory.mktemp("service"), operator.settings, port)
    yield started
    started.stop()


@pytest.fixture
def settler(operator: Operator, service: Service) -> Iterator[Process]:
    """A running settler."""
    started = operator.start_settler()
    yield started
    started.stop(seconds=15)


@pytest.fixture
def books(database: DatabaseOfOne) -> Callable[..., list[Any]]:
    """Rows of the service's database, by SQL."""

    def reading(statement: str, **values: object) -> list[Any]:
        return rows(database.admin, statement, values or None)

    return reading


@pytest.fixture
def settled(books: Callable[..., list[Any]]) -> Callable[..., None]:
    """Wait until an invoice is settled, without asking the service for it."""

    def waiting(invoice: dict[str, Any], seconds: float = 20) -> None:
        wait_for(lambda: status_of(books, invoice), lambda status: status == "settled", seconds)

    return waiting


def status_of(books: Callable[..., list[Any]], invoice: dict[str, Any]) -> str:
    """The recorded status of an invoice."""
    found = books(
        "SELECT status FROM invoices WHERE payment_hash = %(h)s", h=invoice["paymentHash"]
    )
    status: str = found[0][0]
    return status
