"""River against the sandbox, as it runs: another process, over HTTP."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.request import Request, urlopen

import pytest

from msty_invoice.domain.errors import (
    ProviderError,
    ProviderRefused,
    ProviderUnavailable,
    ProviderUnknown,
    UntrustworthyInvoice,
)
from msty_invoice.domain.invoice import InvoiceOrder, Network
from msty_invoice.lightning.river.client import RiverClient
from msty_invoice.lightning.river.provider import River
from msty_invoice.service.ports import LightningProvider
from tests.integration.river.conftest import ACCOUNT, API_KEY

ORDER = InvoiceOrder(2500, "order 42")


@dataclass(frozen=True)
class Sandbox:
    base_url: str

    def fault(self, **faults: object) -> None:
        self.control("PUT", "faults", faults)

    def control(self, method: str, what: str, body: object) -> Any:
        request = Request(
            f"{self.base_url}/_sandbox/{what}", json.dumps(body).encode(), method=method
        )
        with urlopen(request, timeout=10) as answer:
            return json.load(answer)


@pytest.fixture(scope="module")
def process() -> Iterator[Sandbox]:
    environ = {"RIVER_ACCOUNT_ID": ACCOUNT, "RIVER_API_KEY": API_KEY, "PATH": os.environ["PATH"]}
    with subprocess.Popen(
        [sys.executable, "-m", "msty_invoice.sandbox", "--port", "0"],
        env=environ,
        stdout=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout is not None
        yield Sandbox(running.stdout.readline().removeprefix("ready ").strip())
        running.terminate()


@pytest.fixture
def sandbox(process: Sandbox) -> Iterator[Sandbox]:
    yield process
    process.fault()


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[RiverClient]:
    client = RiverClient(sandbox.base_url, ACCOUNT, API_KEY, deadline_seconds=1.0)
    yield client
    client.close()


@pytest.fixture
def river(client: RiverClient) -> LightningProvider:
    return River(client, Network.REGTEST)


def test_an_order_becomes_an_invoice(river: LightningProvider) -> None:
    river.ping()
    issued = river.create_invoice(ORDER)
    assert (issued.provider, issued.amount_sats) == ("river", 2500)
    assert issued.payment_request.startswith("lnbcrt25u1")
    assert len(bytes.fromhex(issued.payment_hash)) == 32
    assert timedelta(0) < issued.expires_at - datetime.now(UTC) <= timedelta(days=1)


def test_a_paid_invoice_is_a_deposit_with_its_proof(
    sandbox: Sandbox, client: RiverClient, river: LightningProvider
) -> None:
    issued = river.create_invoice(ORDER)
    paid = sandbox.control("POST", "pay", {"payment_request": issued.payment_request})
    deposit = client.deposits(limit=1).deposits[0]
    assert (deposit.intent.id, deposit.amount_sats) == (issued.provider_ref, 2500)
    assert (deposit.state, deposit.network) == ("SUCCESS", "LN")
    assert deposit.proof == paid["preimage"]
    assert deposit.proves(issued.payment_hash)
    assert client.find_deposit(deposit.id) == deposit


def test_every_page_is_reached(
    sandbox: Sandbox, client: RiverClient, river: LightningProvider
) -> None:
    refs = []
    for _ in range(3):
        issued = river.create_invoice(ORDER)
        sandbox.control("POST", "pay", {"payment_request": issued.payment_request})
        refs.append(issued.provider_ref)
    seen, page = [], client.deposits(limit=1)
    while page.next_timestamp:
        seen += [deposit.intent.id for deposit in page.deposits]
        page = client.deposits(limit=1, next_timestamp=page.next_timestamp)
    seen += [deposit.intent.id for deposit in page.deposits]
    assert set(refs) <= set(seen)


@pytest.mark.parametrize("kind", ["amount", "second_hash", "network", "no_amount"])
def test_a_corrupt_invoice_is_never_shown(
    sandbox: Sandbox, river: LightningProvider, kind: str
) -> None:
    sandbox.fault(corrupt_invoice=kind)
    with pytest.raises(UntrustworthyInvoice):
        river.create_invoice(ORDER)
    sandbox.fault()
    river.create_invoice(ORDER)


FAULTS: list[tuple[dict[str, Any], type[ProviderError]]] = [
    ({"hang": True}, ProviderUnknown),
    ({"latency_ms": 5000}, ProviderUnknown),
    ({"drip": "header"}, ProviderUnknown),
    ({"drip": "body"}, ProviderUnknown),
    ({"close_after_commit": True}, ProviderUnknown),
    ({"refuse": True}, ProviderRefused),
    ({"error_rate": 1}, ProviderUnavailable),
    ({"rubbish": True}, ProviderUnavailable),
    ({"redirect": ""}, ProviderUnavailable),
]


@pytest.mark.parametrize(("fault", "error"), FAULTS, ids=lambda value: str(value))
@pytest.mark.parametrize("kept", [False, True])
def test_each_fault_has_its_error(
    sandbox: Sandbox,
    river: LightningProvider,
    fault: dict[str, Any],
    error: type[ProviderError],
    kept: bool,
) -> None:
    if kept:
        river.ping()
    sandbox.fault(**fault)
    with pytest.raises(error):
        river.create_invoice(ORDER)
    sandbox.fault()
    river.create_invoice(ORDER)


def test_the_network_must_be_ours(client: RiverClient) -> None:
    with pytest.raises(UntrustworthyInvoice):
        River(client, Network.MAINNET).create_invoice(ORDER)


def test_the_account_and_its_webhook(client: RiverClient) -> None:
    url = "http://127.0.0.1:9/hook"
    assert client.account().id == ACCOUNT
    assert client.find_webhook() is None
    registered = client.register_webhook(url)
    assert registered.secret
    assert registered.secret not in repr(registered)
    with pytest.raises(ProviderRefused, match="RESOURCE_ALREADY_EXISTS"):
        client.register_webhook(url)
    found = client.find_webhook()
    assert found is not None
    assert (found.url, found.enabled) == (url, True)
    client.delete_webhook(url)
    client.delete_webhook(url)
    assert client.find_webhook() is None
