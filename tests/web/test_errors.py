"""One table pairs domain errors with answers, and it is complete."""

import re
from collections.abc import Iterator

import pytest

from msty_invoice.domain import errors
from msty_invoice.domain.errors import InvoicingError
from msty_invoice.web.errors import ANSWERS, answer_to
from tests.web.conftest import Service

# Raised by commands only, never during a request.
_OF_COMMANDS = {
    errors.KeyNameTaken,
    errors.KeyNotFound,
    errors.KeyRotatedMeanwhile,
    errors.DepositNotFound,
    errors.NotResolvable,
    errors.NotAdoptable,
    errors.WebhookNotFound,
    errors.NotPermitted,
}
# Never raised themselves.
_FAMILIES = {errors.InvoicingError, errors.ProviderError, errors.WebhookRefused}


def _kinds(kind: type[InvoicingError] = InvoicingError) -> Iterator[type[InvoicingError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _kinds(child)


def test_every_error_of_the_domain_has_an_answer() -> None:
    of_the_domain = {kind for kind in _kinds() if kind.__module__ == errors.__name__}

    assert set(ANSWERS) == of_the_domain - _FAMILIES - _OF_COMMANDS


def test_a_special_case_is_answered_as_its_family() -> None:
    class DiskFull(errors.StorageUnavailable):
        pass

    assert answer_to(DiskFull) is ANSWERS[errors.StorageUnavailable]


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=lambda answer: answer.code)
def test_an_answer_is_a_sentence_and_a_stable_code(answer) -> None:  # type: ignore[no-untyped-def]
    assert re.fullmatch(r"[A-Z][A-Z_]+", answer.code)
    assert answer.sentence.endswith(".")
    assert (answer.retry_after_seconds is not None) == (answer.status in (409, 503))


@pytest.mark.parametrize("path", ["/", "/api", "/api/lightning/create-invoice/x", "/admin"])
def test_an_unknown_address_is_answered_in_our_form(service: Service, path: str) -> None:
    response = service.client.get(path, status=404)

    assert response.json["code"] == "NOT_FOUND"
    assert set(response.json) == {"error", "code", "requestId"}


def test_every_answer_carries_the_id_that_its_body_names(service: Service) -> None:
    refused = service.create({"amount": 0}, status=400)
    created = service.create()

    assert refused.headers["X-Request-ID"] == refused.json["requestId"]
    assert re.fullmatch(r"[0-9a-f]{32}", created.headers["X-Request-ID"])
    assert created.headers["X-Request-ID"] != refused.headers["X-Request-ID"]


def test_an_acceptable_request_id_is_kept(service: Service) -> None:
    response = service.create(headers=service.key | {"X-Request-ID": "from-nginx_0123"})

    assert response.headers["X-Request-ID"] == "from-nginx_0123"


@pytest.mark.parametrize("given", ["short", "x" * 65, "a b c d e f", '{"a": 1}....', "ünïcode-id"])
def test_any_other_request_id_is_replaced(service: Service, given: str) -> None:
    response = service.create(
        headers=service.key | {"X-Request-ID": given.encode().decode("latin-1")}
    )

    assert re.fullmatch(r"[0-9a-f]{32}", response.headers["X-Request-ID"])
