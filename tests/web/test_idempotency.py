"""The Idempotency-Key header on create."""

import json
from datetime import timedelta
from typing import Any

import pytest

from msty_invoice.domain import errors
from msty_invoice.domain.invoice import Network
from msty_invoice.service.keys import Keys
from tests.web.conftest import CREATE, ORDER, Service

KEY = "order-42"


def _create(
    service: Service, order: object = ORDER, key: str = KEY, secret: str | None = None, **more: Any
) -> Any:
    headers = {
        "Authorization": f"Bearer {secret or service.secret}",
        "Idempotency-Key": key,
    }
    return service.create(order, headers=headers, **more)


def test_the_same_key_gives_the_same_answer(service: Service) -> None:
    first = _create(service, status=201)
    second = _create(service, status=201)

    assert second.body == first.body
    assert second.headers["Location"] == first.headers["Location"]
    assert second.headers["Content-Type"] == first.headers["Content-Type"]
    assert second.headers["Idempotency-Replayed"] == "true"
    assert len(service.provider.orders) == len(service.invoices.kept) == 1
    assert service.counts == ["created", "replayed"]


def test_a_first_answer_is_not_a_replay(service: Service) -> None:
    assert "Idempotency-Replayed" not in _create(service).headers
    assert "Idempotency-Replayed" not in service.create().headers


def test_what_belongs_to_the_request_is_fresh_in_a_replay(service: Service) -> None:
    first, second = _create(service), _create(service)

    assert second.headers["X-Request-ID"] != first.headers["X-Request-ID"]
    assert first.headers["X-RateLimit-Remaining"] == "49"
    assert second.headers["X-RateLimit-Remaining"] == "48"


def test_without_a_key_every_request_makes_an_invoice(service: Service) -> None:
    assert service.create().body != service.create().body


def test_quoted_and_bare_are_the_same_key(service: Service) -> None:
    assert _create(service, key=f'"{KEY}"').body == _create(service, key=KEY).body


@pytest.mark.parametrize("key", ["", '""', "order 42", "x" * 256, '"a"b"', "ü"])
def test_a_key_that_is_none_is_refused_before_anything_is_done(service: Service, key: str) -> None:
    response = _create(service, key=key, status=400)

    assert response.json["code"] == "INVALID_INPUT"
    assert list(response.json["details"]) == ["Idempotency-Key"]
    assert not service.provider.orders


def test_on_a_page_a_key_must_be_long_enough_to_be_its_own(service: Service) -> None:
    origin = "https://shop.example"
    _, secret = Keys(service.keys, Network.REGTEST, service.clock).create("pages", (origin,))
    page = {"Authorization": f"Bearer {secret}", "Origin": origin}

    refused = service.create(headers=page | {"Idempotency-Key": "x" * 21}, status=400)
    service.create(headers=page | {"Idempotency-Key": "x" * 22}, status=201)

    assert list(refused.json["details"]) == ["Idempotency-Key"]


def test_a_rotated_key_replays_what_its_predecessor_made(service: Service) -> None:
    first = _create(service)
    keys = Keys(service.keys, Network.REGTEST, service.clock)
    secret, _ = keys.rotate("shop", timedelta(hours=1))

    assert _create(service, secret=secret).body == first.body


@pytest.mark.parametrize(
    "body",
    [
        b'{"memo":"order 42","amount":2500}',
        b'\n{ "memo" : "order 42",\t"amount" : 2500 }\n',
        b'{"amount":2500,"memo":"order\\u002042"}',
    ],
)
def test_how_the_json_is_written_does_not_matter(service: Service, body: bytes) -> None:
    first = _create(service)

    second = service.post(body, headers={"Idempotency-Key": KEY})

    assert second.status_int == 201
    assert second.body == first.body


@pytest.mark.parametrize("none", [{}, {"memo": None}, {"memo": ""}])
def test_every_way_to_give_no_memo_is_the_same_order(
    service: Service, none: dict[str, object]
) -> None:
    first = _create(service, {"amount": 5})

    assert _create(service, {"amount": 5} | none).body == first.body


@pytest.mark.parametrize(
    "order", [ORDER | {"amount": 2501}, ORDER | {"memo": "order 43"}, {"amount": 2500}]
)
def test_another_order_with_the_same_key_is_refused(
    service: Service, order: dict[str, object]
) -> None:
    first = _create(service)

    response = _create(service, order, status=422)

    assert response.json["code"] == "IDEMPOTENCY_MISMATCH"
    assert len(service.provider.orders) == 1
    assert _create(service).body == first.body


@pytest.mark.parametrize("body", [b'{"amount": "2500"}', b"{}", b"[]", b"{", b'{"amount": 0}'])
def test_an_invalid_order_does_not_burn_the_key(service: Service, body: bytes) -> None:
    assert service.post(body, headers={"Idempotency-Key": KEY}).status_int == 400

    _create(service, status=201)


def test_a_failure_does_not_burn_the_key(service: Service) -> None:
    service.provider.failure = errors.ProviderUnknown("sent")
    _create(service, status=503)
    service.provider.failure = None

    response = _create(service, status=201)

    assert "Idempotency-Replayed" not in response.headers


def test_a_key_that_is_worked_on_says_when_to_come_back(service: Service) -> None:
    service.provider.failure = SystemExit(1)  # the worker is ended in the middle
    with pytest.raises(SystemExit):
        _create(service)
    service.provider.failure = None

    response = _create(service, status=409)

    assert response.json["code"] == "IDEMPOTENCY_CONFLICT"
    assert response.headers["Retry-After"] == "1"
    service.clock.advance(seconds=20)
    _create(service, status=201)


def test_two_families_may_choose_the_same_key(service: Service) -> None:
    ours = _create(service)
    theirs = _create(service, secret=service.other_secret)

    assert ours.body != theirs.body
    assert "Idempotency-Replayed" not in theirs.headers


def test_every_admitted_attempt_counts(service: Service) -> None:
    for _ in range(50):
        _create(service, status=201)

    _create(service, status=429)
    assert len(service.provider.orders) == 1


def test_a_replay_needs_a_key_that_may_ask(service: Service) -> None:
    _create(service)

    service.client.post(
        CREATE,
        json.dumps(ORDER),
        headers={"Idempotency-Key": KEY},
        content_type="application/json",
        status=401,
    )
