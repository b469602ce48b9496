"""POST /api/lightning/create-invoice, as its clients see it."""

from datetime import timedelta

import pytest

from msty_invoice.domain import errors
from tests.web.conftest import CREATE, ORDER, Service


def test_an_order_becomes_an_invoice_to_pay(service: Service) -> None:
    response = service.create(status=201)

    assert response.json == {
        "paymentRequest": "lnbcrt1",
        "paymentHash": response.json["paymentHash"],
        "expiresAt": "2026-11-23T13:00:00Z",
    }
    assert response.headers["Location"].endswith(f"/invoices/{response.json['paymentHash']}")
    assert response.content_type == "application/json"


def test_what_is_shown_is_recorded_for_the_key_that_asked(service: Service) -> None:
    shown = service.create().json

    (recorded,) = service.invoices.kept.values()

    assert recorded.payment_request == shown["paymentRequest"]
    assert recorded.payment_hash == shown["paymentHash"]
    assert (recorded.amount_sats, recorded.memo) == (2500, "order 42")
    assert recorded.key_family in {key.id for key in service.keys.list() if key.name == "shop"}
    assert recorded.expires_at - recorded.created_at == timedelta(hours=1)


def test_the_provider_is_told_the_name_under_which_it_is_recorded(service: Service) -> None:
    service.create()
    service.create()

    assert [order.id for order in service.provider.orders] == list(service.invoices.kept)


def test_it_says_that_an_invoice_was_created(service: Service) -> None:
    service.create()

    assert service.counts == ["created"]


@pytest.mark.parametrize("memo", [None, ""])
def test_no_words_are_the_same_as_no_memo(service: Service, memo: str | None) -> None:
    service.create(ORDER | {"memo": memo}, status=201)

    assert service.provider.orders[0].memo is None


def test_the_key_may_come_as_x_api_key(service: Service) -> None:
    service.create(headers={"X-API-Key": service.secret}, status=201)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer "},
        {"Authorization": "Basic c2tfdGVzdA=="},
        {"X-API-Key": "sk_test_" + "A" * 43},
        {"Authorization": "Bearer sk_live_" + "A" * 43},
    ],
)
def test_without_a_good_key_nothing_happens(service: Service, headers: dict[str, str]) -> None:
    response = service.create(headers=headers, status=401)

    assert response.json["code"] == "UNAUTHORIZED"
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert not service.provider.orders
    assert not service.invoices.kept


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [
        (errors.ProviderRefused("canary"), 402, "PAYMENT_FAILED"),
        (errors.ProviderMisconfigured("canary"), 503, "PROVIDER_UNAVAILABLE"),
        (errors.ProviderUnavailable("canary"), 503, "PROVIDER_UNAVAILABLE"),
        (errors.ProviderUnknown("canary"), 503, "PROVIDER_UNAVAILABLE"),
        (errors.UntrustworthyInvoice("canary"), 503, "PROVIDER_UNAVAILABLE"),
    ],
)
def test_a_provider_that_fails_is_named_by_a_code(
    service: Service, failure: Exception, status: int, code: str
) -> None:
    service.provider.failure = failure

    response = service.create(status=status)

    assert response.json["code"] == code
    assert "canary" not in response.text
    assert ("Retry-After" in response.headers) == (status == 503)
    assert not service.invoices.kept
    assert service.counts == [type(failure).__name__]


def test_one_payment_hash_is_never_shown_twice(service: Service) -> None:
    service.create()
    service.provider.restart_numbering()

    response = service.create(status=503)

    assert response.json["code"] == "PROVIDER_UNAVAILABLE"
    assert len(service.invoices.kept) == 1


def test_an_untrustworthy_invoice_is_an_error_in_the_log(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    service.provider.failure = errors.UntrustworthyInvoice("river di_1: 1 sats, not 2500")

    service.create(status=503)

    assert any(
        record.levelname == "ERROR" and "1 sats, not 2500" in record.getMessage()
        for record in caplog.records
    )


def test_a_bug_is_answered_without_its_text(service: Service) -> None:
    service.provider.failure = RuntimeError("canary")

    response = service.create(expect_errors=True)

    assert response.status_int == 500
    assert response.json["code"] == "SERVER_ERROR"
    assert "canary" not in response.text


def test_another_method_is_refused(service: Service) -> None:
    response = service.client.get(CREATE, headers=service.key, status=405)

    assert response.json["code"] == "METHOD_NOT_ALLOWED"
    assert "POST" in response.headers["Allow"]


def test_fifty_creates_a_minute_and_no_more(service: Service) -> None:
    for left in range(49, -1, -1):
        assert service.create(status=201).headers["X-RateLimit-Remaining"] == str(left)

    response = service.create(status=429)

    assert response.json["code"] == "RATE_LIMITED"
    assert response.headers["Retry-After"] == "60"
    assert len(service.provider.orders) == 50
    service.clock.advance(seconds=60)
    service.create(status=201)


def test_refused_orders_count_too(service: Service) -> None:
    for _ in range(50):
        service.create({"amount": 0}, status=400)

    service.create(status=429)


def test_guessing_keys_is_limited_apart(service: Service) -> None:
    for _ in range(10):
        service.create(headers={}, status=401)

    service.create(headers={}, status=429)
    service.create(status=201)
