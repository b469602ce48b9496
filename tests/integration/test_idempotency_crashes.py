"""Workers that die, or stop for too long, with an Idempotency-Key in their hands.

The claim of a key is dead after 2 s here, and after 20 s by default.
"""

import signal
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count

import pytest
import requests

from tests.databases import DatabaseOfOne
from tests.integration.running import ORDER, RiverStandIn, Service, rows
from tests.integration.sandbox.processes import until

LEASE_SECONDS = 2
_numbers = count(1)

_OF_KEY = """
    SELECT i.payment_hash, count(e.id)
    FROM idempotency_keys k
        LEFT JOIN invoices i ON i.id = k.invoice_id
        LEFT JOIN invoice_events e ON e.invoice_id = i.id
    WHERE k.key = %(key)s
    GROUP BY i.payment_hash
"""


@pytest.fixture(scope="module")
def service_settings() -> dict[str, str]:
    return {"CREATE_WORKERS": "1", "IDEMPOTENCY_LEASE_SECONDS": str(LEASE_SECONDS)}


@pytest.fixture
def key() -> str:
    """An Idempotency-Key that no other test uses."""
    return f"order-{next(_numbers)}"


@pytest.fixture(autouse=True)
def _one_worker(service: Service) -> Iterator[None]:
    """Whatever a test did to them, the next one finds one worker, awake."""
    yield
    service.signal_workers(signal.SIGCONT)
    while len(service.workers()) > 1:
        service.remove_worker()


@contextmanager
def _asking_the_provider(
    service: Service, sandbox: RiverStandIn, key: str
) -> Iterator[Future[requests.Response]]:
    """A request whose worker has claimed the key, and waits for the provider."""
    asked = sandbox.creates
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(service.create, key=key)
        until(lambda: sandbox.creates, lambda creates: creates > asked)
        yield answer


def _invoices(database: DatabaseOfOne) -> int:
    ((total,),) = rows(database.readonly, "SELECT count(*) FROM invoices")
    return int(total)


def test_a_key_whose_worker_was_killed_works_again(
    service: Service, sandbox: RiverStandIn, database: DatabaseOfOne, key: str
) -> None:
    made = _invoices(database)
    sandbox.faults({"hang": True})
    with _asking_the_provider(service, sandbox, key) as lost:
        service.signal_workers(signal.SIGKILL)
        with pytest.raises(requests.ConnectionError):
            lost.result()
    sandbox.faults({})
    killed = time.monotonic()

    answer = service.create_patiently(key=key)

    assert answer.status_code == 201
    assert "Idempotency-Replayed" not in answer.headers
    assert time.monotonic() - killed < LEASE_SECONDS + 5
    assert _invoices(database) == made + 1


def test_a_key_whose_worker_was_killed_after_the_provider_had_worked_shows_one_invoice(
    service: Service, sandbox: RiverStandIn, database: DatabaseOfOne, key: str
) -> None:
    made = _invoices(database)
    sandbox.faults({"latency_ms": 60_000})
    with _asking_the_provider(service, sandbox, key) as lost:
        service.signal_workers(signal.SIGKILL)
        with pytest.raises(requests.ConnectionError):
            lost.result()
    sandbox.faults({})

    shown = service.create_patiently(key=key)

    assert service.create(key=key).text == shown.text
    assert _invoices(database) == made + 1


def test_a_killed_worker_holds_its_key_for_the_lease_and_no_longer(
    service: Service, sandbox: RiverStandIn, key: str
) -> None:
    sandbox.faults({"hang": True})
    with _asking_the_provider(service, sandbox, key):
        claimed = time.monotonic()
        service.signal_workers(signal.SIGKILL)
    sandbox.faults({})

    assert service.create(key=key).status_code == 409
    assert service.create(ORDER | {"amount": 9}, key).status_code == 422
    assert service.create_patiently(key=key).status_code == 201
    assert time.monotonic() - claimed > LEASE_SECONDS - 0.5


def test_a_zombie_that_wakes_later_changes_nothing(
    service: Service, sandbox: RiverStandIn, database: DatabaseOfOne, key: str
) -> None:
    made = _invoices(database)
    sandbox.faults({"latency_ms": 500})
    with _asking_the_provider(service, sandbox, key) as late:
        service.signal_workers(signal.SIGSTOP)
        sandbox.faults({})
        service.add_worker()
        shown = service.create_patiently(key=key)
        before = rows(database.readonly, _OF_KEY, {"key": key})
        service.signal_workers(signal.SIGCONT)
        answer = late.result()

    assert (shown.status_code, answer.status_code) == (201, 201)
    assert answer.text == shown.text
    assert answer.headers["Idempotency-Replayed"] == "true"
    assert "was made too late" in service.log
    assert rows(database.readonly, _OF_KEY, {"key": key}) == before
    assert before == [(shown.json()["paymentHash"], 1)]
    assert _invoices(database) == made + 1


@pytest.mark.parametrize(
    ("fault", "status"), [({}, 409), ({"status": 500}, 503)], ids=["has-one", "has-none"]
)
def test_a_zombie_that_wakes_too_soon_takes_the_key_from_nobody(
    service: Service,
    sandbox: RiverStandIn,
    database: DatabaseOfOne,
    key: str,
    fault: dict[str, object],
    status: int,
) -> None:
    made = _invoices(database)
    sandbox.faults({"latency_ms": 500} | fault)
    with _asking_the_provider(service, sandbox, key) as late:
        service.signal_workers(signal.SIGSTOP)
        sandbox.faults({"latency_ms": 1_500})
        service.add_worker()
        time.sleep(LEASE_SECONDS)  # the claim dies, which nothing announces
        with _asking_the_provider(service, sandbox, key) as winner:
            service.signal_workers(signal.SIGCONT)
            assert late.result().status_code == status
            assert service.create(key=key).status_code == 409

    shown = winner.result()
    assert shown.status_code == 201
    assert rows(database.readonly, _OF_KEY, {"key": key}) == [(shown.json()["paymentHash"], 1)]
    assert _invoices(database) == made + 1
