"""GET /api/lightning/invoices/{paymentHash}"""

from dataclasses import replace
from datetime import timedelta

import pytest

from msty_invoice.domain.invoice import Invoice, InvoiceStatus
from tests.web.conftest import Service


def _settle(service: Service, *, late: bool = False) -> Invoice:
    (invoice,) = service.invoices.kept.values()
    settled = replace(
        invoice,
        status=InvoiceStatus.SETTLED,
        settled_at=invoice.expires_at + timedelta(seconds=1 if late else 0),
        amount_received_sats=invoice.amount_sats,
        preimage="ca" * 32,
    )
    service.invoices.kept[invoice.id] = settled
    return settled


def test_a_pending_invoice_can_still_be_paid(service: Service) -> None:
    created = service.create().json

    assert service.read(created["paymentHash"]).json == {
        "paymentHash": created["paymentHash"],
        "status": "pending",
        "amount": 2500,
        "expiresAt": created["expiresAt"],
        "settledAt": None,
        "late": False,
        "paymentRequest": created["paymentRequest"],
    }


@pytest.mark.parametrize("late", [False, True])
def test_a_settled_invoice_says_when(service: Service, late: bool) -> None:
    created = service.create().json
    _settle(service, late=late)

    document = service.read(created["paymentHash"]).json

    assert document["status"] == "settled"
    assert document["settledAt"] == ("2026-11-23T13:00:01Z" if late else "2026-11-23T13:00:00Z")
    assert document["late"] is late
    assert "paymentRequest" not in document


def test_neither_memo_nor_preimage_is_ever_shown(service: Service) -> None:
    created = service.create().json
    _settle(service)

    text = service.read(created["paymentHash"]).text

    assert "order 42" not in text
    assert "ca" * 32 not in text


def test_past_its_expiry_the_recorded_status_stands(service: Service) -> None:
    created = service.create().json
    service.clock.advance(days=2)

    assert service.read(created["paymentHash"]).json["status"] == "pending"


def test_another_keys_invoice_is_not_there(service: Service) -> None:
    created = service.create().json
    other = {"Authorization": f"Bearer {service.other_secret}"}

    response = service.read(created["paymentHash"], headers=other, status=404)

    assert response.json["code"] == "NOT_FOUND"


@pytest.mark.parametrize("payment_hash", ["ab" * 32, "AB" * 32, "x", "ab" * 33, "%00", "a/b"])
def test_a_hash_that_is_none_of_ours_is_not_there(service: Service, payment_hash: str) -> None:
    response = service.read(payment_hash, status=404)

    assert response.json["code"] == "NOT_FOUND"


def test_it_needs_a_key(service: Service) -> None:
    created = service.create().json

    assert (
        service.read(created["paymentHash"], headers={}, status=401).json["code"] == "UNAUTHORIZED"
    )


def test_an_unchanged_status_costs_no_body(service: Service) -> None:
    payment_hash = service.create().json["paymentHash"]
    first = service.read(payment_hash)

    again = service.read(
        payment_hash, headers=service.key | {"If-None-Match": first.headers["ETag"]}
    )

    assert again.status_int == 304
    assert again.body == b""
    assert again.headers["ETag"] == first.headers["ETag"]
    assert first.headers["Cache-Control"] == again.headers["Cache-Control"] == "private, no-cache"


def test_a_changed_status_is_sent_anew(service: Service) -> None:
    payment_hash = service.create().json["paymentHash"]
    etag = service.read(payment_hash).headers["ETag"]
    _settle(service)

    again = service.read(payment_hash, headers=service.key | {"If-None-Match": etag})

    assert again.status_int == 200
    assert again.json["status"] == "settled"


def test_reads_are_limited_apart_from_creates(service: Service) -> None:
    payment_hash = service.create().json["paymentHash"]

    assert service.read(payment_hash).headers["X-RateLimit-Limit"] == "300"
