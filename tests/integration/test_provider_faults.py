"""However the provider misbehaves: the documented code in time, and well again after."""

import time
from typing import Any

import pytest

from tests.databases import DatabaseOfOne
from tests.integration.running import RiverStandIn, Service, rows

_DEADLINE_SECONDS = 1
_BUSY_SECONDS = 4  # what a busy machine may add
_CREATE = "POST /accounts/{account_id}/deposit_intents"

REFUSED = (402, "PAYMENT_FAILED")
UNAVAILABLE = (503, "PROVIDER_UNAVAILABLE")

FAULTS: list[tuple[dict[str, Any], tuple[int, str], str]] = [
    ({"refuse": True}, REFUSED, "ProviderRefused"),
    ({"error_rate": 1.0}, UNAVAILABLE, "ProviderUnavailable"),
    ({"status": 429}, UNAVAILABLE, "ProviderUnavailable"),
    ({"status": 401}, UNAVAILABLE, "ProviderMisconfigured"),
    ({"redirect": ""}, UNAVAILABLE, "ProviderUnavailable"),
    ({"rubbish": True}, UNAVAILABLE, "ProviderUn"),
    ({"hang": True}, UNAVAILABLE, "ProviderUnknown"),
    ({"latency_ms": 3_000}, UNAVAILABLE, "ProviderUnknown"),
    ({"close_after_commit": True}, UNAVAILABLE, "ProviderUnknown"),
    ({"corrupt_invoice": "amount"}, UNAVAILABLE, "UntrustworthyInvoice"),
    ({"corrupt_invoice": "second_hash"}, UNAVAILABLE, "UntrustworthyInvoice"),
    ({"corrupt_invoice": "network"}, UNAVAILABLE, "UntrustworthyInvoice"),
    ({"corrupt_invoice": "no_amount"}, UNAVAILABLE, "UntrustworthyInvoice"),
]


@pytest.fixture(scope="module")
def service_settings() -> dict[str, str]:
    return {"PROVIDER_DEADLINE_SECONDS": str(_DEADLINE_SECONDS)}


@pytest.mark.parametrize(("fault", "answer", "reason"), FAULTS, ids=lambda value: str(value))
def test_a_fault_is_answered_by_its_code_and_passes(
    service: Service,
    sandbox: RiverStandIn,
    database: DatabaseOfOne,
    fault: dict[str, Any],
    answer: tuple[int, str],
    reason: str,
) -> None:
    (before,) = rows(database.admin, "SELECT count(*) FROM invoices")
    said = len(service.log)
    sandbox.faults({name: {"value": v, "endpoint": _CREATE} for name, v in fault.items()})
    began = time.monotonic()

    response = service.create()

    assert (response.status_code, response.json()["code"]) == answer
    assert time.monotonic() - began < _DEADLINE_SECONDS + _BUSY_SECONDS
    assert rows(database.admin, "SELECT count(*) FROM invoices") == [before]
    assert f'"reason": "{reason}' in service.log[said:]
    assert ("Retry-After" in response.headers) == (response.status_code == 503)
    sandbox.faults({})
    assert service.create().status_code == 201


def test_an_untrustworthy_invoice_is_an_error_in_the_log(
    service: Service, sandbox: RiverStandIn
) -> None:
    sandbox.faults({"corrupt_invoice": "amount"})
    said = len(service.log)

    service.create()

    (line,) = [line for line in service.log[said:].splitlines() if "UntrustworthyInvoice" in line]
    assert '"log.level": "ERROR"' in line


def test_a_body_of_ten_megabytes_is_told_so(service: Service, sandbox: RiverStandIn) -> None:
    before = sandbox.creates

    response = service.create(body=" " * 10_000_000)

    assert (response.status_code, response.json()["code"]) == (413, "PAYLOAD_TOO_LARGE")
    assert sandbox.creates == before
    assert service.create().status_code == 201
