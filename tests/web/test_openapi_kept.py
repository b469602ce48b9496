"""Whatever is answered, the published document told of it: status, headers, body."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import RAISE

from msty_invoice.domain import errors
from msty_invoice.domain.idempotency import IdempotencyKey
from msty_invoice.domain.invoice import InvoiceStatus, Network
from msty_invoice.domain.key import KeyKind
from msty_invoice.service.keys import Keys
from msty_invoice.web.operations import IDEMPOTENCY_KEY_PATTERN
from msty_invoice.web.schemas import CreatedSchema, ErrorSchema, StatusSchema
from tests.web.conftest import CREATE, ORDER, Service
from tests.web.contract import published

READ = "/api/lightning/invoices/{paymentHash}"
_ONCE = {"Idempotency-Key": "8e03978e-40d5-43e8-bc93-6894a57f9324"}


def _too_often(service: Service) -> Any:
    for _ in range(50):
        service.create(status=201)
    return service.create(status=429)


def _another_order(service: Service) -> Any:
    service.create(headers=service.key | _ONCE)
    return service.create(ORDER | {"amount": 7}, headers=service.key | _ONCE, status=422)


def _provider(failure: Exception, status: int) -> Callable[[Service], Any]:
    def ask(service: Service) -> Any:
        service.provider.failure = failure
        return service.create(status=status)

    return ask


def _database_away(service: Service) -> Any:
    service.keys.failure = errors.StorageUnavailable("canary")
    return service.create(status=503)


_REFUSALS: dict[str, Callable[[Service], Any]] = {
    "INVALID_INPUT": lambda service: service.create({"amount": 0, "x": 1}, status=400),
    "UNAUTHORIZED": lambda service: service.create(headers={}, status=401),
    "PAYMENT_FAILED": _provider(errors.ProviderRefused("canary"), 402),
    "IDEMPOTENCY_CONFLICT": _provider(errors.IdempotencyConflict("canary"), 409),
    "PAYLOAD_TOO_LARGE": lambda service: service.post(b" " * 20_000),
    "UNSUPPORTED_MEDIA_TYPE": lambda service: service.post(b"{}", "text/plain"),
    "IDEMPOTENCY_MISMATCH": _another_order,
    "RATE_LIMITED": _too_often,
    "PROVIDER_UNAVAILABLE": _provider(errors.ProviderUnknown("canary"), 503),
    "SERVICE_UNAVAILABLE": _database_away,
}


@pytest.mark.parametrize("code", _REFUSALS)
def test_a_refused_order(service: Service, code: str) -> None:
    answer = _REFUSALS[code](service)

    assert answer.json["code"] == code
    assert not ErrorSchema(unknown=RAISE).validate(answer.json)
    published().ensure_kept("POST", CREATE, answer)


def test_a_bug(service: Service) -> None:
    service.keys.failure = RuntimeError("canary")

    answer = service.create(status=500)

    assert not ErrorSchema(unknown=RAISE).validate(answer.json)
    published().ensure_kept("POST", CREATE, answer)


@pytest.mark.parametrize("headers", [{}, _ONCE])
def test_an_invoice_made(service: Service, headers: dict[str, str]) -> None:
    answer = service.create(headers=service.key | headers, status=201)

    assert not CreatedSchema(unknown=RAISE).validate(answer.json)
    published().ensure_kept("POST", CREATE, answer)


def test_of_two_keys_that_in_x_api_key_counts(service: Service) -> None:
    # A proxy in front of a site may want Authorization for itself.
    theirs = {"Authorization": "Basic c2l0ZTpzZWNyZXQ=", "X-API-Key": service.secret}

    service.create(headers=theirs, status=201)
    service.create(headers=service.key | {"X-API-Key": "sk_test"}, status=401)


def test_an_invoice_given_again(service: Service) -> None:
    service.create(headers=service.key | _ONCE)

    answer = service.create(headers=service.key | _ONCE, status=201)

    assert answer.headers["Idempotency-Replayed"] == "true"
    published().ensure_kept("POST", CREATE, answer)


@pytest.mark.parametrize("status", InvoiceStatus)
def test_a_status(service: Service, status: InvoiceStatus) -> None:
    payment_hash = service.create().json["paymentHash"]
    (invoice,) = service.invoices.kept.values()
    settled_at = invoice.created_at + timedelta(milliseconds=1_500)
    service.invoices.kept[invoice.id] = replace(
        invoice, status=status, settled_at=settled_at if status == "settled" else None
    )

    answer = service.read(payment_hash)

    assert not StatusSchema(unknown=RAISE).validate(answer.json)
    published().ensure_kept("GET", READ, answer)


def test_an_unchanged_status(service: Service) -> None:
    payment_hash = service.create().json["paymentHash"]
    etag = service.read(payment_hash).headers["ETag"]

    answer = service.read(payment_hash, headers=service.key | {"If-None-Match": etag}, status=304)

    published().ensure_kept("GET", READ, answer)


@pytest.mark.parametrize(("keyed", "status"), [(True, 404), (False, 401)])
def test_a_refused_read(service: Service, keyed: bool, status: int) -> None:
    answer = service.read("ab" * 32, headers=service.key if keyed else {}, status=status)

    published().ensure_kept("GET", READ, answer)


def test_a_key_off_its_pages(service: Service) -> None:
    keys = Keys(service.keys, Network.REGTEST, service.clock)
    _, secret = keys.create("pages", ["https://shop.example"])
    page = {"Authorization": f"Bearer {secret}"}

    created = service.create(headers=page, status=403)
    read = service.read("ab" * 32, headers=page, status=403)

    published().ensure_kept("POST", CREATE, created)
    published().ensure_kept("GET", READ, read)


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_its_health(service: Service, path: str) -> None:
    published().ensure_kept("GET", path, service.client.get(path))


def test_a_database_away() -> None:
    service = Service(required={"database": lambda: False})

    published().ensure_kept("GET", "/readyz", service.client.get("/readyz", status=503))


@given(
    st.one_of(
        st.from_regex(IDEMPOTENCY_KEY_PATTERN, fullmatch=True),
        st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7F), max_size=260),
        st.text('"\\a', max_size=6),
    )
)
def test_an_idempotency_key_is_what_the_document_says(header: str) -> None:
    told = bool(re.fullmatch(IDEMPOTENCY_KEY_PATTERN, header.strip(" \t")))
    try:
        IdempotencyKey.parse(header, KeyKind.SECRET)
    except errors.InvalidInput:
        assert not told
    else:
        assert told
