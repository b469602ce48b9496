"""While the provider hangs and every create waits for it, webhooks are answered at once."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from msty_invoice.dev.process import Process
from msty_invoice.sandbox.signature import HEADER, SignatureForm
from tests.integration.running import RiverStandIn, Service
from tests.integration.sandbox.processes import until
from tests.integration.settlement.conftest import Operator

_WORKERS = 2
_WEBHOOKS = 200
_GOAL_SECONDS = 0.25
_LIMIT_SECONDS = 1.0  # on a machine where others work too


class CreatePool(Service):
    """The pool that waits for the provider; the other one is `service` (design §7)."""

    def make_key(self, name: str) -> str:
        return super().make_key(f"{name}-of-the-create-pool")


@pytest.fixture
def create_pool(tmp_path: Path, operator: Operator, service: Service) -> Iterator[CreatePool]:
    pool = CreatePool(tmp_path, operator.settings | {"CREATE_WORKERS": str(_WORKERS)})
    yield pool
    pool.stop()


def _post(service: Service, secret: str, number: int) -> float:
    """The seconds that a webhook's answer takes."""
    event = {"id": f"dep_{number}", "type": "DEPOSIT", "state": "SUCCESS"}
    body = json.dumps(event).encode()
    signature = SignatureForm().header(body, secret, time.time_ns() // 1_000_000)
    began = time.monotonic()
    answer = requests.post(
        f"{service.url}/api/lightning/webhooks/river",
        data=body,
        headers={HEADER: signature, "Content-Type": "application/json"},
        timeout=10,
    )
    assert answer.status_code == 200, answer.text
    return time.monotonic() - began


def test_webhooks_are_answered_while_the_provider_hangs(
    service: Service,
    create_pool: CreatePool,
    settler: Process,
    sandbox: RiverStandIn,
    operator: Operator,
) -> None:
    secret = Path(operator.settings["RIVER_WEBHOOK_SECRET_FILE"]).read_text("utf-8").strip()
    sandbox.faults({"hang": True})
    before = sandbox.creates
    with ThreadPoolExecutor(2 * _WORKERS) as clients:
        waiting = [clients.submit(create_pool.create) for _ in range(2 * _WORKERS)]
        until(lambda: sandbox.creates - before, lambda asked: asked == _WORKERS)

        seconds = sorted(_post(service, secret, number) for number in range(_WEBHOOKS))

        assert not any(client.done() for client in waiting)  # the pool was full all the time
        sandbox.faults({})
        assert {client.result().status_code for client in waiting} <= {201, 503}

    p50, p99 = seconds[_WEBHOOKS // 2], seconds[-3]
    print(f"webhook answered: p50 {p50:.4f} s, p99 {p99:.4f} s; goal {_GOAL_SECONDS} s")
    assert p99 < _LIMIT_SECONDS
