"""docs/clients/python, as somebody who copied it runs it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.integration.clients.moody import Moody
from tests.integration.running import RiverStandIn, Service

_SCRIPT = Path(__file__).parents[3] / "docs/clients/python/invoices.py"
_DEADLINE_SECONDS = 30


@pytest.fixture(scope="module")
def client() -> ModuleType:
    """The script as a module: what a program that imports it has."""
    spec = spec_from_file_location("invoices", _SCRIPT)
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def invoices(client: ModuleType, service: Service) -> Any:
    return client.Invoices(service.url, service.secret_key)


@pytest.fixture
def moody() -> Iterator[Moody]:
    server = Moody()
    yield server
    server.close()


def test_as_pasted_it_shows_an_invoice_and_then_that_it_was_paid(
    service: Service, sandbox: RiverStandIn
) -> None:
    running = subprocess.Popen(
        [sys.executable, str(_SCRIPT), "2100", "two", "coffees"],
        env={
            "PATH": os.environ["PATH"],
            "MSTY_URL": service.url,
            "MSTY_SECRET_KEY": service.secret_key,
        },
        stdout=subprocess.PIPE,
        text=True,
    )
    assert running.stdout
    payment_request = running.stdout.readline().strip()
    sandbox.pay({"destination": payment_request})
    service.command("reconcile", "--json")
    out, _ = running.communicate(timeout=_DEADLINE_SECONDS)

    assert payment_request.startswith("lnbcrt21u1")
    assert (running.returncode, out.strip()) == (0, "settled")


def test_the_same_order_gets_the_same_invoice(invoices: Any, sandbox: RiverStandIn) -> None:
    before = sandbox.creates
    first = invoices.create(2100, "coffee", "order-1")

    assert invoices.create(2100, "coffee", "order-1") == first
    assert sandbox.creates == before + 1


def test_who_does_not_wait_is_told_that_it_is_pending(invoices: Any) -> None:
    made = invoices.create(2100, "coffee")

    assert invoices.wait(made["paymentHash"], seconds=0)["status"] == "pending"


@pytest.mark.parametrize(
    ("amount", "memo", "code"), [(0, "", "INVALID_INPUT"), (5, "\n", "INVALID_INPUT")]
)
def test_a_wrong_order_is_not_tried_again(
    client: ModuleType, invoices: Any, amount: int, memo: str, code: str
) -> None:
    with pytest.raises(client.Refused) as refused:
        invoices.create(amount, memo)

    assert refused.value.code == code


@pytest.mark.parametrize("status", [409, 429, 503])
def test_it_waits_as_long_as_it_is_told(client: ModuleType, moody: Moody, status: int) -> None:
    moody.answers = [status, status, 201]

    client.Invoices(moody.url, "sk_test").create(2100, "coffee")

    assert moody.waited_seconds == pytest.approx([1, 1], abs=0.5)
    assert len(set(moody.idempotency_keys)) == 1


def test_it_asks_again_when_the_connection_breaks(client: ModuleType, moody: Moody) -> None:
    moody.answers = [0, 201]

    client.Invoices(moody.url, "sk_test").create(2100, "coffee")

    assert len(moody.idempotency_keys) == 2
    assert len(set(moody.idempotency_keys)) == 1


def test_its_patience_ends(client: ModuleType, moody: Moody) -> None:
    moody.answers = [503] * 9

    with pytest.raises(client.Refused) as refused:
        client.Invoices(moody.url, "sk_test", patience=0.5).create(2100, "coffee")

    assert refused.value.code == "TEST"
    assert len(moody.idempotency_keys) == 1
