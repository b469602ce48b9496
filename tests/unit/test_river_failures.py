"""What an answer other than 200 means."""

import json

import pytest

from msty_invoice.domain.errors import (
    ProviderError,
    ProviderMisconfigured,
    ProviderRefused,
    ProviderUnavailable,
)
from msty_invoice.lightning.http import Answer
from msty_invoice.lightning.river.endpoints import CREATE_INTENT
from msty_invoice.lightning.river.failures import failure


def of(
    status: int, category: str = "INVALID_REQUEST_ERROR", code: str = "SOME_CODE"
) -> ProviderError:
    body = json.dumps({"category": category, "code": code, "error_param": "amount"})
    return failure(CREATE_INTENT, Answer(status, body.encode()))


@pytest.mark.parametrize("status", [400, 402, 405, 409, 413, 415, 422, 451, 499])
def test_a_4xx_about_the_order_is_refused(status: int) -> None:
    assert type(of(status)) is ProviderRefused


@pytest.mark.parametrize("category", ["LIGHTNING_ERROR", "ONCHAIN_ERROR", "NEW_ERROR"])
def test_a_4xx_of_a_category_we_do_not_know_is_refused(category: str) -> None:
    assert type(of(400, category)) is ProviderRefused


@pytest.mark.parametrize("status", [401, 403, 404, 407])
def test_key_and_account_are_for_the_operator(status: int) -> None:
    assert type(of(status)) is ProviderMisconfigured


@pytest.mark.parametrize("category", ["AUTH_ERROR", "ACCOUNT_ERROR"])
def test_a_400_about_our_account_is_for_the_operator(category: str) -> None:
    assert type(of(400, category)) is ProviderMisconfigured


def test_a_path_of_the_wrong_form_is_for_the_operator() -> None:
    code = "REQUEST_PATH_WITH_TRAILING_SLASH"
    assert type(of(400, code=code)) is ProviderMisconfigured


@pytest.mark.parametrize(
    "status", [101, 201, 204, 301, 302, 304, 408, 425, 429, 500, 502, 503, 599, 999]
)
def test_everything_else_is_unavailable(status: int) -> None:
    assert type(of(status)) is ProviderUnavailable


def test_an_error_of_rivers_own_is_unavailable_with_any_status() -> None:
    assert type(of(400, "API_ERROR")) is ProviderUnavailable


def test_the_text_names_call_status_and_code() -> None:
    assert str(of(400)) == (
        "POST /accounts/{account}/deposit_intents: 400 INVALID_REQUEST_ERROR/SOME_CODE"
    )


def test_a_wrapped_error_is_read_like_any_other() -> None:
    body = b'{"error": {"category": "AUTH_ERROR", "code": "INVALID_API_KEY"}}'
    error = failure(CREATE_INTENT, Answer(400, body))
    assert type(error) is ProviderMisconfigured
    assert str(error).endswith("400 AUTH_ERROR/INVALID_API_KEY")


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b'{"error": "a reason"}', b'{"category": 7, "code": null}', b"\xff"],
)
def test_a_400_without_an_error_object_is_refused_all_the_same(body: bytes) -> None:
    error = failure(CREATE_INTENT, Answer(400, body))
    assert type(error) is ProviderRefused
    assert str(error).endswith(": 400 -/-")


@pytest.mark.parametrize("name", ["a memo", "LINE\nBREAK", "X" * 65, "lower_case", "É", ""])
def test_a_name_of_another_form_is_not_repeated(name: str) -> None:
    assert str(of(400, name, name)).endswith(": 400 -/-")
