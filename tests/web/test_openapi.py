"""GET /api/lightning/openapi.json: the document tells of exactly what runs."""

import os
import re
import subprocess
import sys
import unicodedata
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from falcon import inspect
from openapi_spec_validator import validate

from msty_invoice.domain import errors
from msty_invoice.domain.limit import Pair
from msty_invoice.lightning.bolt11 import decode
from msty_invoice.web.errors import ANSWERS, BUG, CODES
from msty_invoice.web.openapi import describe
from msty_invoice.web.schemas import order_schema, read_order
from tests.web.conftest import QUOTAS, Service
from tests.web.contract import CONTRACT, published

_TESTS = Path(__file__).parents[1]
_VECTORS = _TESTS / "unit/vectors/bolt11.json"
# What is for providers is no part of the contract with clients.
_FOR_PROVIDERS = "/api/lightning/webhooks/"


def _routes(service: Service) -> set[tuple[str, str]]:
    return {
        (method.method, route.path)
        for route in inspect.inspect_routes(service.application)
        for method in route.methods
        if not method.internal and not route.path.startswith(_FOR_PROVIDERS)
    }


def test_it_is_openapi() -> None:
    assert published().document["openapi"].startswith("3.1.")
    validate(published().document)


def test_it_tells_of_every_route_and_of_no_other(service: Service) -> None:
    told = {
        (method, path.replace("{paymentHash}", "{payment_hash}"))
        for method, path in published().operations()
    }

    assert told == _routes(service)


def test_it_tells_of_every_error_with_its_status_and_of_no_other() -> None:
    answers = {answer for kind, answer in ANSWERS.items() if answer.code != BUG.code}
    elsewhere = {(405, "METHOD_NOT_ALLOWED")}  # no operation: the method is not there

    assert published().codes() == {(it.status, it.code) for it in (*answers, BUG)}
    assert {code for _, code in published().codes() | elsewhere} == set(CODES)


def test_it_says_which_addresses_need_a_key(service: Service) -> None:
    needed = {
        (method, path): service.client.request(
            path.replace("{paymentHash}", "ab" * 32), method=method, expect_errors=True
        ).status_int
        == 401
        for method, path in published().operations()
    }

    assert needed == {
        named: bool(operation["security"]) for named, operation in published().operations().items()
    }


def test_names_are_told_apart() -> None:
    names = [operation["operationId"] for operation in published().operations().values()]

    assert len(names) == len(set(names))


def test_every_link_leads_to_an_operation() -> None:
    operations = published().operations().values()
    links = [
        link["operationId"]
        for operation in operations
        for response in operation["responses"].values()
        for link in response.get("links", {}).values()
    ]

    assert links
    assert set(links) <= {operation["operationId"] for operation in operations}


def test_every_example_is_what_its_schema_says() -> None:
    contents = [
        response["content"]["application/json"]
        for operation in published().operations().values()
        for response in operation["responses"].values()
        if "content" in response
    ]
    examples = [
        (content["schema"], example["value"])
        for content in contents
        for example in content.get("examples", {}).values()
    ]

    for schema, value in examples:
        published().ensure_valid(schema, value)
    assert len(examples) > len(ANSWERS)


def test_the_invoice_of_the_examples_is_a_real_one() -> None:
    create = published().operations()["POST", "/api/lightning/create-invoice"]
    order = create["requestBody"]["content"]["application/json"]["example"]
    shown = create["responses"]["201"]["content"]["application/json"]["examples"]["coffee"]["value"]
    invoice = decode(shown["paymentRequest"])

    assert shown["paymentRequest"] in _VECTORS.read_text()
    assert (invoice.amount_msat, invoice.description) == (order["amount"] * 1000, order["memo"])
    assert invoice.payment_hash == shown["paymentHash"]
    expires_at = datetime.fromisoformat(shown["expiresAt"]).timestamp()
    assert invoice.timestamp + invoice.expiry_seconds == expires_at


def test_the_refusal_of_the_example_is_a_real_one(service: Service) -> None:
    create = published().operations()["POST", "/api/lightning/create-invoice"]
    refused = create["responses"]["400"]["content"]["application/json"]["examples"]
    shown = refused["INVALID_INPUT"]["value"]

    assert service.create({}, status=400).json | {"requestId": shown["requestId"]} == shown


def test_it_tells_of_this_deployments_bounds(service: Service) -> None:
    document = describe(service.application, order_schema(5, 10, 20))
    order = document["components"]["schemas"]["Order"]["properties"]

    assert (order["amount"]["minimum"], order["amount"]["maximum"]) == (5, 10)
    assert order["memo"]["maxLength"] == 20


def test_it_refuses_the_characters_that_the_service_refuses() -> None:
    order = published().document["components"]["schemas"]["Order"]["properties"]
    pattern = re.compile(order["memo"]["pattern"])
    refused = {chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) == "Cc"}

    assert refused == {chr(code) for code in range(0x110000) if not pattern.fullmatch(chr(code))}
    for character in refused:
        with pytest.raises(errors.InvalidInput):
            read_order(order_schema(1, 10, 20), {"amount": 1, "memo": character})


def test_anyone_may_read_it_and_it_is_counted_as_a_read(service: Service) -> None:
    answer = service.client.get(CONTRACT, status=200)

    assert answer.headers["RateLimit"].startswith('"read";r=299')
    published().ensure_kept("GET", CONTRACT, answer)


def test_who_reads_it_too_often_is_told_to_wait() -> None:
    service = Service(quotas=replace(QUOTAS, read=Pair("read", 1, 60)))
    service.client.get(CONTRACT, status=200)

    answer = service.client.get(CONTRACT, status=429)

    published().ensure_kept("GET", CONTRACT, answer)


def test_who_has_it_is_not_sent_it_again(service: Service) -> None:
    first = service.client.get(CONTRACT)

    again = service.client.get(CONTRACT, headers={"If-None-Match": first.headers["ETag"]})

    assert again.status_int == 304
    published().ensure_kept("GET", CONTRACT, again)


def test_its_errors_stand_in_one_order() -> None:
    for operation in published().operations().values():
        assert list(operation["responses"]) == sorted(operation["responses"])
        for status, response in operation["responses"].items():
            if status >= "4" and "examples" in response["content"]["application/json"]:
                codes = list(response["content"]["application/json"]["examples"])
                assert codes == sorted(codes)


def test_every_machine_serves_the_same_bytes() -> None:
    program = "from tests.web.contract import *; print(Service().client.get(CONTRACT).etag)"
    etags = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PATH": os.environ["PATH"], "PYTHONHASHSEED": seed},
            cwd=_TESTS.parent,
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("1", "2")
    ]

    assert etags[0] == etags[1]
    assert etags[0].strip()
