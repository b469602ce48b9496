"""Faults that spoil the answer to a request."""

import socket
import time

import pytest
import requests

from tests.integration.sandbox.processes import (
    ACCOUNT,
    CREATE,
    DEPOSITS,
    INTENTS,
    Sandbox,
    until,
)
from tests.wire.pairs import AUTHORIZATION

ORDER = {"amount": 1, "network": "LN"}


def _raw(sandbox: Sandbox) -> socket.socket:
    """A connection on which an account request has been sent."""
    connection = socket.create_connection(("127.0.0.1", sandbox.port), timeout=10)
    head = f"GET {ACCOUNT} HTTP/1.1\r\nHost: sandbox\r\nAuthorization: {AUTHORIZATION}\r\n\r\n"
    connection.sendall(head.encode())
    return connection


def test_latency_delays_the_answer_not_the_work(sandbox: Sandbox) -> None:
    sandbox.set_faults(latency_ms=700)
    with pytest.raises(requests.ReadTimeout):
        sandbox.call("POST", INTENTS, json=ORDER, timeout=0.5)
    assert sandbox.state()["counts"]["intents"] == 1
    started = time.monotonic()

    sandbox.create()

    assert time.monotonic() - started >= 0.7


def test_hanging_never_answers_and_does_nothing(sandbox: Sandbox) -> None:
    sandbox.set_faults(hang=True)

    with pytest.raises(requests.ReadTimeout):
        sandbox.call("POST", INTENTS, json=ORDER, timeout=0.3)

    assert sandbox.state()["counts"]["intents"] == 0


def test_a_sandbox_that_hangs_still_ends(sandbox: Sandbox) -> None:
    sandbox.set_faults(hang=True)
    with _raw(sandbox):
        until(sandbox.state, lambda state: bool(state["requests"]))
        started = time.monotonic()
        sandbox.stop()

    assert time.monotonic() - started < 3


def test_closing_after_commit_does_the_work_and_sends_no_byte(sandbox: Sandbox) -> None:
    sandbox.set_faults(close_after_commit=True)

    with _raw(sandbox) as connection:
        assert connection.recv(1) == b""
    with pytest.raises(requests.ConnectionError):
        sandbox.call("POST", INTENTS, json=ORDER)

    assert sandbox.state()["counts"]["intents"] == 1


def test_refusing_is_an_invalid_parameter(sandbox: Sandbox) -> None:
    sandbox.set_faults(refuse=True)

    assert sandbox.refused("POST", INTENTS, ORDER)[:2] == (400, "INVALID_PARAMETER")
    assert sandbox.state()["counts"]["intents"] == 0


@pytest.mark.parametrize("rate", [0, 1])
def test_an_error_rate_fails_that_share(sandbox: Sandbox, rate: int) -> None:
    sandbox.set_faults(error_rate=rate)

    answers = [sandbox.call("GET", ACCOUNT) for _ in range(20)]

    assert {answer.status_code for answer in answers} == {500 if rate else 200}


def test_half_of_the_requests_fail_at_a_rate_of_a_half(sandbox: Sandbox) -> None:
    sandbox.set_faults(error_rate=0.5)

    answers = [sandbox.call("GET", ACCOUNT) for _ in range(200)]

    failed = [answer.json()["category"] for answer in answers if answer.status_code == 500]
    assert set(failed) == {"API_ERROR"}
    assert 50 < len(failed) < 150


def test_a_list_error_rate_fails_lists_alone(sandbox: Sandbox) -> None:
    deposit = sandbox.pay(sandbox.create())["deposit"]
    sandbox.set_faults(list_error_rate=1)

    assert sandbox.call("GET", DEPOSITS).status_code == 500
    assert sandbox.call("GET", INTENTS).status_code == 500
    assert sandbox.call("GET", f"{DEPOSITS}/{deposit}").status_code == 200


@pytest.mark.parametrize(
    ("status", "category", "code"),
    [
        (401, "AUTH_ERROR", "INVALID_API_KEY"),
        (404, "INVALID_REQUEST_ERROR", "NOT_FOUND"),
        (429, "INVALID_REQUEST_ERROR", "SANDBOX_FAULT"),
        (503, "API_ERROR", "SANDBOX_FAULT"),
    ],
)
def test_a_status_is_answered_as_told(
    sandbox: Sandbox, status: int, category: str, code: str
) -> None:
    sandbox.set_faults(status=status)

    answer = sandbox.call("POST", INTENTS, json=ORDER)

    assert (answer.status_code, answer.json()) == (status, {"category": category, "code": code})
    assert sandbox.state()["counts"]["intents"] == 0


def test_rubbish_is_a_success_that_is_not_json(sandbox: Sandbox) -> None:
    sandbox.set_faults(rubbish=True)

    answer = sandbox.call("GET", ACCOUNT)

    assert answer.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        answer.json()


@pytest.mark.parametrize("location", ["", "http://127.0.0.1:9/elsewhere"])
def test_a_redirect_may_say_where_or_not(sandbox: Sandbox, location: str) -> None:
    sandbox.set_faults(redirect=location)

    answer = sandbox.call("GET", ACCOUNT)

    assert (answer.status_code, answer.headers.get("Location", "")) == (302, location)


@pytest.mark.parametrize("part", ["header", "body"])
def test_dripping_sends_a_byte_at_a_time_and_never_ends(sandbox: Sandbox, part: str) -> None:
    sandbox.set_faults(drip={"value": part, "endpoint": "GET /accounts/{account_id}"})

    with _raw(sandbox) as connection:
        start = connection.recv(1000)
        drops = [connection.recv(1000) for _ in range(5)]

    assert (b"\r\n\r\n" in start) == (part == "body")
    assert {len(drop) for drop in drops} == {1}


def test_faults_of_one_endpoint_leave_the_others_quick(sandbox: Sandbox) -> None:
    sandbox.set_faults(hang={"value": True, "endpoint": CREATE})

    with pytest.raises(requests.ReadTimeout):
        sandbox.call("POST", INTENTS, json=ORDER, timeout=0.2)

    assert sandbox.call("GET", ACCOUNT).status_code == 200
