"""What the sandbox refuses, and with which of River's errors."""

import json
from typing import Any

import pytest
import requests

from tests.integration.sandbox.conftest import StartSandbox
from tests.integration.sandbox.processes import (
    DEPOSITS,
    INTENTS,
    WEBHOOKS,
    WITHDRAWALS,
    Sandbox,
)
from tests.wire.pairs import ACCOUNT_ID, API_KEY

ORDER = {"amount": 1, "label": "x", "network": "LN"}
INVALID, MISSING = "INVALID_PARAMETER", "MISSING_REQUIRED_PARAMETER"

NOT_ORDERS: list[tuple[dict[str, Any], str, str]] = [
    ({"amount": 0}, INVALID, "amount"),
    ({"amount": True}, INVALID, "amount"),
    ({"amount": 1.0}, INVALID, "amount"),
    ({"amount": "1"}, INVALID, "amount"),
    ({"amount": 2_100_000_000_000_001}, INVALID, "amount"),
    ({"amount": None}, MISSING, "amount"),
    ({"label": 7}, INVALID, "label"),
    ({"label": "\ud800"}, INVALID, "label"),
    ({"network": "ETH"}, INVALID, "network"),
    ({"network": None}, MISSING, "network"),
]


@pytest.mark.parametrize(("change", "code", "param"), NOT_ORDERS)
def test_a_wrong_order_is_refused(
    untouched_sandbox: Sandbox, change: dict[str, Any], code: str, param: str
) -> None:
    assert untouched_sandbox.refused("POST", INTENTS, ORDER | change) == (400, code, param)
    assert untouched_sandbox.state()["counts"]["intents"] == 0


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'"text"', b"[" * 10_000])
def test_a_body_that_is_no_object_is_refused(untouched_sandbox: Sandbox, body: bytes) -> None:
    answer = untouched_sandbox.call("POST", INTENTS, data=body)

    assert (answer.status_code, answer.json()["code"]) == (400, INVALID)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nothing"),
        ("PATCH", INTENTS),
        ("GET", f"{INTENTS}/di_NONE"),
        ("GET", f"{DEPOSITS}/dep_NONE"),
        ("GET", f"{WITHDRAWALS}/wd_NONE"),
        ("GET", f"/accounts/{ACCOUNT_ID}/invoices"),
        ("GET", f"{INTENTS}/a/b"),
    ],
)
def test_what_does_not_exist_is_not_found(
    untouched_sandbox: Sandbox, method: str, path: str
) -> None:
    assert untouched_sandbox.refused(method, path) == (404, "NOT_FOUND", None)


@pytest.mark.parametrize("query", ["limit=0", "limit=26", "limit=x", "limit=-1"])
def test_a_wrong_limit_is_refused(untouched_sandbox: Sandbox, query: str) -> None:
    assert untouched_sandbox.refused("GET", f"{INTENTS}?{query}") == (400, INVALID, "limit")


def test_a_wrong_next_timestamp_is_refused(untouched_sandbox: Sandbox) -> None:
    wanted = (400, INVALID, "next_timestamp")
    assert untouched_sandbox.refused("GET", f"{DEPOSITS}?next_timestamp=now") == wanted


@pytest.mark.parametrize(
    "url", ["ftp://pay.example/", "pay.example", "http://[", "http://a:70000/", ""]
)
def test_a_webhook_goes_to_an_address_on_the_web(untouched_sandbox: Sandbox, url: str) -> None:
    assert untouched_sandbox.refused("POST", WEBHOOKS, {"url": url}) == (400, INVALID, "url")


def test_deleting_a_webhook_names_it(sandbox: Sandbox) -> None:
    sandbox.register("http://127.0.0.1:9/a")

    assert sandbox.refused("DELETE", WEBHOOKS, {}) == (400, MISSING, "url")
    other = {"url": "http://127.0.0.1:9/b"}
    assert sandbox.refused("DELETE", WEBHOOKS, other) == (400, INVALID, "url")


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        ("Bearer x", "MISSING_API_KEY"),
        ("Basic", "MISSING_API_KEY"),
        ("Basic !!", "MISSING_API_KEY"),
        ("Basic OnB3", "MISSING_API_KEY"),
        ("Basic //4=", "MISSING_API_KEY"),
        ("Basic d3Jvbmc6", "INVALID_API_KEY"),
    ],
)
def test_a_wrong_key_is_refused(untouched_sandbox: Sandbox, authorization: str, code: str) -> None:
    answer = requests.get(
        untouched_sandbox.url, headers={"Authorization": authorization}, timeout=10
    )

    error = {"category": "AUTH_ERROR", "code": code}
    assert (answer.status_code, answer.json()) == (401, error)


def test_the_scheme_may_be_lower_case(untouched_sandbox: Sandbox) -> None:
    authorization = requests.auth._basic_auth_str(API_KEY, "anything").replace("Basic", "basic")
    answer = requests.get(
        untouched_sandbox.url, headers={"Authorization": authorization}, timeout=10
    )

    assert answer.status_code == 200


def test_a_password_is_asked_for_when_there_is_one(start_sandbox: StartSandbox) -> None:
    sandbox = start_sandbox(RIVER_API_SECRET="s3cret")

    assert sandbox.call("GET", "/").status_code == 200
    assert requests.get(sandbox.url, auth=(API_KEY, "other"), timeout=10).status_code == 401


def test_errors_are_json(untouched_sandbox: Sandbox) -> None:
    answer = untouched_sandbox.call("GET", "/nothing")

    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert json.loads(answer.text)["code"] == "NOT_FOUND"
