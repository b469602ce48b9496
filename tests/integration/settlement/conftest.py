"""The running service with its webhook registered, and the settler as a process of its own."""

import os
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from msty_invoice.dev.command import run_command
from msty_invoice.dev.process import Process
from msty_invoice.dev.valkey import ValkeyServer
from msty_invoice.storage.keys import PostgresKeys
from msty_invoice.storage.postgres import Database
from tests.databases import DatabaseOfOne
from tests.integration.running import RiverStandIn, Service, rows
from tests.integration.settlement.ground import Ground, prepared
from tests.integration.settlement.shifted import ShiftedDatabase
from tests.integration.settlement.workers import Workers
from tests.storage.conftest import FAMILY, make_key
from tests.wire.pairs import ACCOUNT_ID, API_KEY

_ROOT = Path(__file__).parents[3]


class Operator:
    """Runs `msty-invoice` commands with the service's settings."""

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self.folder = folder
        self.settings = {"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1", **settings}

    def run(self, *arguments: str, **settings: str) -> str:
        """What a command prints. Raises `ProgramFailed` unless it ends with 0."""
        log = self.folder / "commands.log"
        return run_command(*arguments, env=self.settings | settings, log=log)

    def start_settler(self, **settings: str) -> Process:
        """A settler, ready to hear."""
        settler = Process("settler", self.folder / f"settler-{time.monotonic_ns()}.log")
        command = [sys.executable, "-m", "msty_invoice.cli", "settle"]
        settler.start(command, self.settings | settings, _ROOT)
        listening = (
            "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
            " AND datname = current_database()"
        )
        settler.wait_until(lambda: bool(rows(self.settings["DATABASE_URL"], listening)), 20)
        return settler


@pytest.fixture(scope="module")
def port() -> int:
    """A port that was free a moment ago: River must know it before the service starts."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number: int = free.getsockname()[1]
    return number


@pytest.fixture(scope="module")
def operator(
    tmp_path_factory: pytest.TempPathFactory,
    database: DatabaseOfOne,
    valkey: ValkeyServer,
    sandbox: RiverStandIn,
    port: int,
) -> Operator:
    """Has registered the webhook, by the command that operators use."""
    folder = tmp_path_factory.mktemp("operator")
    secret_file = folder / "river_webhook_secret"
    secret_file.touch(mode=0o600)
    settings = {
        "DATABASE_URL": database.app,
        "REDIS_URL": valkey.url,
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "LIGHTNING_PROVIDER": "river",
        "LIGHTNING_NETWORK": "regtest",
        "RIVER_BASE_URL": sandbox.url,
        "RIVER_ACCOUNT_ID": ACCOUNT_ID,
        "RIVER_API_KEY": API_KEY,
        "RIVER_WEBHOOK_SECRET_FILE": str(secret_file),
        "RATE_LIMIT_PER_MINUTE": "100000",
        "RATE_LIMIT_READS_PER_MINUTE": "100000",
    }
    made = Operator(folder, settings)
    made.run("river", "register-webhook")
    return made


@pytest.fixture(scope="module")
def service(
    tmp_path_factory: pytest.TempPathFactory, operator: Operator, port: int
) -> Iterator[Service]:
    """The running service, which River can reach."""
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
def pay(sandbox: RiverStandIn) -> Callable[..., Any]:
    """Pay an invoice as the payer's wallet does; more by name, such as `amount`."""

    def paying(invoice: Mapping[str, Any], **more: Any) -> Any:
        asked = {"payment_request": invoice["paymentRequest"], **more}
        return sandbox.ask("POST", "/_sandbox/pay", json=asked)

    return paying


def wait_for(look: Callable[[], Any], good: Callable[[Any], bool], seconds: float = 20) -> Any:
    """The first good thing seen. Fails with the last one seen."""
    end = time.monotonic() + seconds
    while not good(seen := look()):
        assert time.monotonic() < end, f"still {seen!r}"
        time.sleep(0.02)
    return seen


@pytest.fixture
def settled(service: Service) -> Callable[..., dict[str, Any]]:
    """Wait until an invoice reads as settled. Reading also makes the settler look."""

    def waiting(invoice: Mapping[str, Any], seconds: float = 20) -> dict[str, Any]:
        document: dict[str, Any] = wait_for(
            lambda: service.read(invoice["paymentHash"]),
            lambda read: read["status"] == "settled",
            seconds,
        )
        return document

    return waiting


@pytest.fixture
def books(database: DatabaseOfOne) -> Callable[..., list[Any]]:
    """Rows of the service's database, by SQL."""

    def reading(statement: str, **values: object) -> list[Any]:
        return rows(database.admin, statement, values or None)

    return reading


@pytest.fixture(scope="module")
def shifted(database: DatabaseOfOne) -> Iterator[ShiftedDatabase]:
    """The module's database, with a clock of its own and FAMILY's key."""
    with closing(Database(database.app)) as app:
        PostgresKeys(app).add(make_key("shop", FAMILY), b"1" * 32)
    with closing(ShiftedDatabase(database)) as made:
        yield made


@pytest.fixture
def ground(shifted: ShiftedDatabase, valkey: ValkeyServer) -> Iterator[Ground]:
    """Empty books, a new River, and three clocks that are told."""
    with prepared(shifted, valkey) as made:
        yield made


@pytest.fixture
def workers(ground: Ground) -> Iterator[Workers]:
    """The service's own objects on that ground."""
    with closing(Workers(ground, 8.0)) as made:
        yield made
