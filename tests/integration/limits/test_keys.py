"""Keys made, rotated and revoked by an operator while requests run."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import pytest

from tests.integration.limits.asking import Answer, ask, new_address, strictly
from tests.integration.limits.conftest import SHOP
from tests.integration.running import Service
from tests.integration.sandbox.processes import until

NO_INVOICE = "0" * 64
# How long a worker may remember a key, and how long a busy machine may take to answer.
REMEMBERED_SECONDS, BUSY_SECONDS = 30, 1


@pytest.fixture(scope="module")
def service_settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    origins = tmp_path_factory.mktemp("origins") / "origins"
    origins.write_text(f"{SHOP}\nhttp://127.0.0.1\n")
    return {
        "CREATE_WORKERS": "5",
        "ORIGINS_FILE": str(origins),
        "RATE_LIMIT_READS_PER_MINUTE": "100000",
        "RATE_LIMIT_AUTH_FAILURES_PER_MINUTE": "100000",
    }


@contextmanager
def _asking(service: Service, key: str) -> Iterator[list[Answer]]:
    """Two clients that never stop asking with `key`."""
    answers: list[Answer] = []
    stop = threading.Event()

    def run() -> None:
        address = new_address()
        while not stop.is_set():
            answers.append(ask(service, address, key, read=NO_INVOICE))

    clients = [threading.Thread(target=run) for _ in range(2)]
    for client in clients:
        client.start()
    try:
        yield answers
    finally:
        stop.set()
        for client in clients:
            client.join()


def _create_key(service: Service, name: str, *more: str) -> Any:
    return service.command("keys", "create", "--name", name, "--json", *more)


def test_a_rotation_loses_no_request_and_no_invoice(service: Service, address: str) -> None:
    old = _create_key(service, "rotated")["secret"]
    made = ask(service, address, old)
    with _asking(service, old) as answers:
        new = service.command("keys", "rotate", "rotated", "--overlap", "1h", "--json")["secret"]
        seen = len(answers)
        until(lambda: len(answers), lambda count: count >= seen + 50)

    assert {answer.status for answer in answers} == {HTTPStatus.NOT_FOUND}
    shown = str(made.document["paymentHash"])
    for secret in (old, new):
        assert ask(service, address, secret, read=shown).document["status"] == "pending"


def test_a_secret_ended_by_a_rotation_is_not_accepted_by_a_new_worker(service: Service) -> None:
    old = _create_key(service, "ended")["secret"]
    new = service.command("keys", "rotate", "ended", "--overlap", "0", "--json")["secret"]

    statuses = [ask(service, new_address(), key, read=NO_INVOICE).status for key in (old, new)]

    assert statuses == [HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND]


def test_a_revoked_key_is_refused_by_every_worker_within_thirty_seconds(service: Service) -> None:
    key = _create_key(service, "revoked")["secret"]
    with _asking(service, key) as answers:
        until(lambda: len(answers), lambda count: count >= 50)
        service.command("keys", "revoke", "revoked", "--json")
        revoked_at = time.monotonic()
        while time.monotonic() < revoked_at + REMEMBERED_SECONDS + 2:
            time.sleep(0.5)

    too_late = [
        answer.status
        for answer in answers
        if answer.status != HTTPStatus.UNAUTHORIZED
        and answer.at > revoked_at + REMEMBERED_SECONDS + BUSY_SECONDS
    ]
    assert {answer.status for answer in answers[:50]} == {HTTPStatus.NOT_FOUND}
    assert answers[-1].status == HTTPStatus.UNAUTHORIZED
    assert too_late == []


def test_a_publishable_key_works_from_its_page_over_real_http(service: Service) -> None:
    key = _create_key(service, "pages", "--publishable", "--origin", SHOP)["secret"]

    from_its_page = ask(service, new_address(), key, headers={"Origin": SHOP})
    from_a_program = ask(service, new_address(), key)
    same_origin = ask(service, new_address(), key, headers={"Sec-Fetch-Site": "same-origin"})

    assert from_its_page.status == HTTPStatus.CREATED
    assert from_its_page.headers["RateLimit-Policy"].count('"') == 6
    assert (from_a_program.status, same_origin.status) == (403, 403)
    assert from_a_program.document["code"] == "FORBIDDEN"


def test_a_key_with_a_rate_spends_it_wherever_it_asks_from(service: Service) -> None:
    answers = strictly(lambda address: _spend_a_new_rate(service, address))

    assert [answer.status for answer in answers] == [201] * 70 + [429] * 5


def test_a_key_with_a_rate_leaves_its_address_alone(service: Service, address: str) -> None:
    _spend_a_new_rate(service, address)

    other = ask(service, address)
    assert other.left == int(other.headers["X-RateLimit-Limit"]) - 1


def _spend_a_new_rate(service: Service, address: str) -> list[Answer]:
    """75 creates with a key of 70 a minute, most from one address and the last from others."""
    key = _create_key(service, f"server at {address}", "--rate", "70")["secret"]
    addresses = [address] * 65 + [new_address() for _ in range(10)]
    return [ask(service, each, key) for each in addresses]
