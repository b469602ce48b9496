"""The rate limit headers, to the letter, on every class of answer."""

from collections.abc import Callable
from typing import Any

import pytest

from msty_invoice.domain import errors
from tests.web.conftest import CREATE, ORDER, Service
from tests.web.test_origins import NO_INVOICE

Ask = Callable[[Service], Any]

CREATING = ('"create";q=50;w=60', "create", 50)
READING = ('"read";q=300;w=60', "read", 300)
FAILING = ('"auth-failures";q=10;w=60', "auth-failures", 10)


def _provider_says(failure: errors.InvoicingError) -> Ask:
    def ask(service: Service) -> Any:
        service.provider.failure = failure
        return service.create(expect_errors=True)

    return ask


def _not_modified(service: Service) -> Any:
    shown = service.create().json
    etag = service.read(shown["paymentHash"]).headers["ETag"]
    service.clock.advance(seconds=60)
    return service.read(shown["paymentHash"], headers=service.key | {"If-None-Match": etag})


def _other_order(service: Service) -> Any:
    once = service.key | {"Idempotency-Key": "order-42"}
    service.create(headers=once)
    service.clock.advance(seconds=60)
    return service.create(ORDER | {"amount": 1}, headers=once, expect_errors=True)


def _no_database(service: Service) -> Any:
    service.keys.failure = errors.StorageUnavailable("away")
    return service.create(expect_errors=True)


def _forbidden(service: Service) -> Any:
    service.keys.failure = errors.Forbidden("not from there")
    return service.create(expect_errors=True)


CASES: list[tuple[int, Ask, tuple[str, str, int]]] = [
    (200, lambda s: s.read(s.create().json["paymentHash"]), READING),
    (201, lambda s: s.create(), CREATING),
    (304, _not_modified, READING),
    (400, lambda s: s.create({"amount": 0}, expect_errors=True), CREATING),
    (401, lambda s: s.create(headers={}, expect_errors=True), FAILING),
    (401, lambda s: s.client.get(NO_INVOICE, expect_errors=True), FAILING),
    (402, _provider_says(errors.ProviderRefused("no")), CREATING),
    (403, _forbidden, FAILING),
    (404, lambda s: s.read("0" * 64, expect_errors=True), READING),
    (404, lambda s: s.client.get("/nowhere", expect_errors=True), READING),
    (405, lambda s: s.client.put(CREATE, expect_errors=True), READING),
    (409, _provider_says(errors.IdempotencyConflict("running")), CREATING),
    (413, lambda s: s.post(b"x" * 16_385), CREATING),
    (415, lambda s: s.post(b"{}", "text/plain"), CREATING),
    (422, _other_order, CREATING),
    (500, _provider_says(RuntimeError("a bug")), CREATING),  # type: ignore[arg-type]
    (503, _provider_says(errors.ProviderUnavailable("away")), CREATING),
    (503, _no_database, CREATING),
]


@pytest.mark.parametrize(("status", "ask", "bucket"), CASES)
def test_every_answer_says_what_is_left(
    service: Service, status: int, ask: Ask, bucket: tuple[str, str, int]
) -> None:
    answer = ask(service)
    policy, name, cap = bucket
    reset = answer.headers["X-RateLimit-Reset"]

    assert answer.status_int == status
    assert answer.headers["RateLimit-Policy"] == policy
    assert answer.headers["RateLimit"] == f'"{name}";r={cap - 1};t=60'
    assert answer.headers["X-RateLimit-Limit"] == str(cap)
    assert answer.headers["X-RateLimit-Remaining"] == str(cap - 1)
    assert reset == "60"


@pytest.mark.parametrize(
    ("ask", "times", "bucket"),
    [
        (lambda s: s.create(expect_errors=True), 50, CREATING),
        (lambda s: s.read("0" * 64, expect_errors=True), 300, READING),
        (lambda s: s.create(headers={}, expect_errors=True), 10, FAILING),
    ],
    ids=["create", "read", "auth-failures"],
)
def test_a_refusal_says_when_to_come_back_and_that_is_when_it_works(
    service: Service, ask: Ask, times: int, bucket: tuple[str, str, int]
) -> None:
    first = ask(service).status_int
    service.clock.advance(seconds=7)
    for _ in range(times - 1):
        ask(service)
    refused = ask(service)
    policy, name, cap = bucket

    assert refused.status_int == 429
    assert refused.json["code"] == "RATE_LIMITED"
    assert refused.headers["Retry-After"] == "53"
    assert refused.headers["RateLimit-Policy"] == policy
    assert refused.headers["RateLimit"] == f'"{name}";r=0;t=53'
    assert refused.headers["X-RateLimit-Limit"] == str(cap)
    assert refused.headers["X-RateLimit-Remaining"] == "0"
    assert refused.headers["X-RateLimit-Reset"] == "53"
    service.clock.advance(seconds=52.9)
    assert ask(service).status_int == 429
    service.clock.advance(seconds=0.1)
    assert ask(service).status_int == first
