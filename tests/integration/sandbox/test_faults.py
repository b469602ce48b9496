"""The set of faults: replaced as a whole, limited to endpoints, refused when senseless."""

from typing import Any

import pytest

from msty_invoice.sandbox.faults import KINDS
from tests.integration.sandbox.processes import ACCOUNT, CREATE, Sandbox

FAULTS = "/_sandbox/faults"


@pytest.mark.parametrize(
    ("faults", "named"),
    [
        ({"no_such": 1, "hang": True}, "no_such"),
        ({"hang": 1}, "hang"),
        ({"latency_ms": "10"}, "latency_ms"),
        ({"latency_ms": True}, "latency_ms"),
        ({"latency_ms": -1}, "latency_ms"),
        ({"error_rate": 1.1}, "error_rate"),
        ({"error_rate": False}, "error_rate"),
        ({"corrupt_invoice": "hash"}, "corrupt_invoice"),
        ({"corrupt_invoice": []}, "corrupt_invoice"),
        ({"proof": None}, "proof"),
        ({"redirect": False}, "redirect"),
        ({"status": 200}, "status"),
        ({"list_delay_s": "1"}, "list_delay_s"),
        ({"expiry_seconds": 0}, "expiry_seconds"),
        ({"refuse": {"value": True}}, "refuse"),
        ({"refuse": {"value": True, "endpoint": "GET /nothing"}}, "refuse"),
        ({"refuse": {"value": True, "endpoint": []}}, "refuse"),
        ({"refuse": {"value": 1, "endpoint": "GET /"}}, "refuse"),
    ],
)
def test_a_senseless_set_changes_nothing(
    untouched_sandbox: Sandbox, faults: dict[str, Any], named: str
) -> None:
    untouched_sandbox.set_faults(latency_ms=1)

    answer = untouched_sandbox.call("PUT", FAULTS, json=faults)

    assert answer.status_code == 400
    assert named in answer.json()["error"]
    assert untouched_sandbox.state()["faults"] == {"latency_ms": 1}


@pytest.mark.parametrize("body", [b"[]", b"", b"true"])
def test_faults_are_an_object(sandbox: Sandbox, body: bytes) -> None:
    assert sandbox.call("PUT", FAULTS, data=body).status_code == 400


def test_a_new_set_replaces_the_old_one(sandbox: Sandbox) -> None:
    sandbox.set_faults(refuse=True)
    assert sandbox.call("GET", ACCOUNT).status_code == 400

    sandbox.set_faults(latency_ms=1)
    assert sandbox.call("GET", ACCOUNT).status_code == 200
    sandbox.set_faults()
    assert sandbox.state()["faults"] == {}


def test_a_fault_may_be_limited_to_an_endpoint(sandbox: Sandbox) -> None:
    sandbox.set_faults(refuse={"value": True, "endpoint": CREATE})

    assert sandbox.call("GET", ACCOUNT).status_code == 200
    assert sandbox.call("POST", f"{ACCOUNT}/deposit_intents", json={}).status_code == 400


def test_the_control_surface_is_spared(sandbox: Sandbox) -> None:
    sandbox.set_faults(hang=True, error_rate=1)

    assert sandbox.state()["faults"] == {"hang": True, "error_rate": 1}


def test_every_fault_of_the_specification_exists() -> None:
    specified = """
        latency_ms error_rate refuse hang close_after_commit corrupt_invoice expiry_seconds
        amount_delta deposit_timestamp_offset_ms list_error_rate list_delay_s proof
        drop_webhooks duplicate_webhooks reorder_webhooks delay_webhooks_ms forge_webhooks
        status rubbish redirect drip clock_offset_ms timestamp_granularity_ms
        pending_deposits
    """
    assert KINDS.keys() == set(specified.split())
