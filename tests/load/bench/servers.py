"""Our service and the bare endpoint, started for one measurement."""

import http.client
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from msty_invoice.dev.claim import free_port
from msty_invoice.dev.database import DATABASE
from msty_invoice.dev.process import Process
from tests.load.bench.cases import Case
from tests.load.bench.ground import ROOT, Ground
from tests.load.bench.wrk import Order

_READY = re.compile(r"^ready (http://\S+)$", re.MULTILINE)
_PATIENCE_SECONDS = 60
_SERVICE = "msty_invoice.wsgi:application"
_CEILING = "tests.load.bench.ceiling:application"
_CREATE = "/api/lightning/create-invoice"
_BODY = json.dumps({"amount": 1000, "memo": "bench"})


@dataclass(frozen=True)
class Server:
    """What is measured. `groups` are the process trees whose processor time is counted;
    the first of them are the workers. `recorded` says how many invoices there are."""

    order: Order
    groups: Mapping[str, int]
    recorded: Callable[[], int] | None = None

    @property
    def port(self) -> int:
        return urlsplit(self.order.url).port or 80


@contextmanager
def service(ground: Ground, case: Case) -> Iterator[Server]:
    """The whole service, with the sandbox as its provider."""
    ground.reset(DATABASE)
    with (
        _sandbox(ground, case.latency_ms) as (sandbox, river_url),
        _gunicorn(ground, _SERVICE, workers=case.workers, river_url=river_url) as (gunicorn, url),
    ):
        yield Server(
            Order(url + _CREATE, "X-API-Key", ground.client_key, _BODY, case.idempotent),
            {
                "workers": gunicorn.pid,
                "PostgreSQL": ground.postgres.process.pid,
                "Valkey": ground.valkey.process.pid,
                "sandbox": sandbox.pid,
            },
            lambda: int(ground.ask(DATABASE, "SELECT count(*) FROM invoices")),
        )


@contextmanager
def ceiling(ground: Ground, case: Case) -> Iterator[Server]:
    """The bare endpoint under the gunicorn that serves ours."""
    unused = "http://127.0.0.1"
    with _gunicorn(ground, _CEILING, workers=case.workers, river_url=unused) as (gunicorn, url):
        order = Order(url + _CREATE, "X-API-Key", ground.client_key, _BODY)
        yield Server(order, {"workers": gunicorn.pid})


def answers(port: int) -> bool:
    """Whether something speaks HTTP there by now."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        try:
            connection.request("GET", "/livez")
            return connection.getresponse().status < 500
        except (OSError, http.client.HTTPException):
            return False


@contextmanager
def running(process: Process) -> Iterator[None]:
    """Stop it afterwards, whatever happens."""
    try:
        yield
    finally:
        process.stop(seconds=30)


@contextmanager
def _gunicorn(
    ground: Ground, application: str, *, workers: int, river_url: str
) -> Iterator[tuple[Process, str]]:
    port = free_port(0)
    url = f"http://127.0.0.1:{port}"
    settings = ground.settings(workers=workers, public_url=url, river_url=river_url)
    command = [sys.executable, "-m", "gunicorn", "-c", "python:msty_invoice.gunicorn_conf"]
    command += [application, "-b", f"127.0.0.1:{port}"]
    process = Process("gunicorn", ground.log("gunicorn"))
    with running(process):
        process.start(command, ground.environment(settings), ROOT)
        process.wait_until(lambda: answers(port), _PATIENCE_SECONDS)
        yield process, url


@contextmanager
def _sandbox(ground: Ground, latency_ms: int) -> Iterator[tuple[Process, str]]:
    log = ground.log("sandbox")
    log.unlink(missing_ok=True)  # its address is read from it
    names = ("RIVER_ACCOUNT_ID", "RIVER_API_KEY")
    settings = {name: ground.secrets[name] for name in names} | {"LIGHTNING_NETWORK": "regtest"}
    process = Process("the sandbox", log)
    with running(process):
        command = [sys.executable, "-m", "msty_invoice.sandbox", "--port", "0"]
        process.start(command, ground.environment(settings), ROOT)
        process.wait_until(lambda: bool(_READY.search(log.read_text("utf-8"))), _PATIENCE_SECONDS)
        found = _READY.search(log.read_text("utf-8"))
        assert found is not None
        if latency_ms:
            _slow_down(found[1], latency_ms)
        yield process, found[1]


def _slow_down(sandbox_url: str, latency_ms: int) -> None:
    body = json.dumps({"latency_ms": latency_ms})
    address = urlsplit(sandbox_url).netloc
    with closing(http.client.HTTPConnection(address, timeout=5)) as connection:
        connection.request("PUT", "/_sandbox/faults", body)
        status = connection.getresponse().status
    if status != http.client.OK:
        raise ValueError(f"the sandbox did not take its latency: {status}")
