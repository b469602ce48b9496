"""What an unexpected answer of LNbits means."""

import json

import pytest

from msty_invoice.domain.errors import (
    ProviderError,
    ProviderMisconfigured,
    ProviderRefused,
    ProviderUnavailable,
)
from msty_invoice.lightning.http import Answer
from msty_invoice.lightning.lnbits.failures import failure


def of(code: int, detail: object = "Some words.", **more: object) -> ProviderError:
    return failure("GET /x", Answer(code, json.dumps({"detail": detail, **more}).encode()))


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_an_lnbits_that_nobody_set_up_is_for_the_operator(status: int) -> None:
    assert type(of(status)) is ProviderMisconfigured


@pytest.mark.parametrize("status", [401, 403, 404, 407])
def test_key_and_address_are_for_the_operator(status: int) -> None:
    assert type(of(status)) is ProviderMisconfigured


def test_an_order_it_will_not_take_is_refused() -> None:
    detail = "Invoice amount 10000001 sats is too high. Max allowed: 10000000 sats."

    error = of(520, detail, status="failed")

    assert type(error) is ProviderRefused
    assert str(error) == "GET /x: 520 Invoice amount"


def test_a_node_that_does_not_answer_lnbits_is_unavailable() -> None:
    assert type(of(520, "VoidWallet cannot create invoices.", status="pending")) is (
        ProviderUnavailable
    )


@pytest.mark.parametrize(
    "detail",
    [
        "Callback URL origin 'http://10.0.0.1' is not allowed. Please check your admin settings.",
        "Wallet does not have permission to create invoices.",
        "Wallet balance cannot exceed 5 sats.",
    ],
)
@pytest.mark.parametrize("status", [400, 520])
def test_what_no_payer_can_help_is_for_the_operator(status: int, detail: str) -> None:
    assert type(of(status, detail, status="failed")) is ProviderMisconfigured


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_4xx_about_the_order_is_refused(status: int) -> None:
    assert type(of(status, [{"loc": ["body", "memo"]}])) is ProviderRefused


@pytest.mark.parametrize("status", [101, 200, 202, 204, 408, 425, 429, 500, 502, 503, 504, 599])
def test_everything_else_is_unavailable(status: int) -> None:
    assert type(of(status)) is ProviderUnavailable


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"detail": 7}', b"\xff", b"null"])
def test_a_520_without_a_reason_is_unavailable(body: bytes) -> None:
    assert type(failure("GET /x", Answer(520, body))) is ProviderUnavailable


def test_what_we_sent_is_never_repeated() -> None:
    assert "canary" not in str(of(400, "Callback URL origin 'canary' is not allowed."))
    assert "canary" not in str(of(400, "canary"))
