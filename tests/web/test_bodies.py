"""Whatever is sent: a clear error that names the field, and nothing done."""

import json

import pytest

from tests.web.conftest import Service

INTEGER_LIMIT = 2**63

WRONG_ORDERS = [
    (b"", "body"),
    (b"not json", "body"),
    (b"[]", "body"),
    (b'"text"', "body"),
    (b"null", "body"),
    (b'{"amount": 5', "body"),
    (b'{"amount": NaN}', "body"),
    (b'{"amount": Infinity}', "body"),
    (b'{"amount": -Infinity}', "body"),
    (b'{"amount": 5, "amount": 5}', "body"),
    (b'{"amount": 5, "memo": {"a": 1, "a": 2}}', "body"),
    (b'{"amount": 05}', "body"),
    (b'{"amount": ' + b"9" * 5000 + b"}", "body"),
    (b"\xff\xfe", "body"),
    ('{"amount": 5}'.encode("utf-16"), "body"),
    (b'\xef\xbb\xbf{"amount": 5}', "body"),
    (b"[" * 10_000, "body"),
    (b'{"a":' * 2_500 + b"1" + b"}" * 2_500, "body"),
    (b"{}", "amount"),
    (b'{"amount": null}', "amount"),
    (b'{"amount": 1e3}', "amount"),
    (b'{"amount": 1.0}', "amount"),
    (b'{"amount": "5"}', "amount"),
    (b'{"amount": true}', "amount"),
    (b'{"amount": [5]}', "amount"),
    (b'{"amount": {"sats": 5}}', "amount"),
    (b'{"amount": -1}', "amount"),
    (b'{"amount": 0}', "amount"),
    (b'{"amount": -0}', "amount"),
    (b'{"amount": 1000001}', "amount"),
    (b'{"amount": %d}' % INTEGER_LIMIT, "amount"),
    (b'{"amount": 5, "memo": 7}', "memo"),
    (b'{"amount": 5, "memo": ["x"]}', "memo"),
    (b'{"amount": 5, "memo": "\\ud800"}', "memo"),
    (b'{"amount": 5, "memo": "a\\u0000b"}', "memo"),
    (b'{"amount": 5, "memo": "a\\nb"}', "memo"),
    (b'{"amount": 5, "memo": "a\\u007fb"}', "memo"),
    (b'{"amount": 5, "memo": "a\\u0085b"}', "memo"),
    (json.dumps({"amount": 5, "memo": "x" * 257}).encode(), "memo"),
    (json.dumps({"amount": 5, "memo": "☕" * 213 + "é" * 1}).encode(), "memo"),
    (b'{"amount": 5, "memos": "x"}', "memos"),
    (b'{"amount": 5, "\\ud800": 1}', "\ud800"),
    (b'{"amount": 5, "__proto__": {}}', "__proto__"),
]


@pytest.mark.parametrize(("body", "field"), WRONG_ORDERS, ids=lambda value: repr(value)[:40])
def test_a_wrong_order_is_refused_by_field(service: Service, body: bytes, field: str) -> None:
    response = service.post(body)

    assert response.status_int == 400
    assert response.json["code"] == "INVALID_INPUT"
    assert list(response.json["details"]) == [field]
    assert all(sentence.endswith(".") for sentence in response.json["details"][field])
    assert not service.provider.orders
    assert not service.invoices.kept


def test_every_wrong_field_is_named_at_once(service: Service) -> None:
    response = service.post(b'{"amount": 0, "memo": 7, "x": 1}')

    assert set(response.json["details"]) == {"amount", "memo", "x"}


@pytest.mark.parametrize(
    "memo", ["x" * 256, "é" * 256, "☕" * 213, "a\u202eb", "\U0001f600", "  ", "'; DROP TABLE x"]
)
def test_a_memo_within_the_bounds_is_taken_as_it_is(service: Service, memo: str) -> None:
    service.create({"amount": 5, "memo": memo}, status=201)

    assert service.provider.orders[0].memo == memo


@pytest.mark.parametrize("amount", [1, 1_000_000])
def test_the_bounds_themselves_are_allowed(service: Service, amount: int) -> None:
    service.create({"amount": amount}, status=201)


@pytest.mark.parametrize("size", [16 * 1024 + 1, 10 * 1024 * 1024])
def test_a_body_larger_than_any_order_is_refused(service: Service, size: int) -> None:
    response = service.post(b" " * size)

    assert response.status_int == 413
    assert response.json["code"] == "PAYLOAD_TOO_LARGE"
    assert not service.provider.orders


def test_a_body_of_exactly_the_largest_size_is_read(service: Service) -> None:
    body = b'{"amount": 5}'

    assert service.post(body.ljust(16 * 1024)).status_int == 201


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json; charset=latin-1",
        "application/json; charset=utf-16",
        "application/jsonp",
        "",
    ],
)
def test_another_kind_of_content_is_refused(service: Service, content_type: str) -> None:
    response = service.post(b'{"amount": 5}', content_type=content_type)

    assert response.status_int == 415
    assert response.json["code"] == "UNSUPPORTED_MEDIA_TYPE"
    assert not service.provider.orders


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "Application/JSON", 'application/json; charset="UTF-8"'],
)
def test_json_may_be_named_in_any_of_its_ways(service: Service, content_type: str) -> None:
    assert service.post(b'{"amount": 5}', content_type=content_type).status_int == 201


def test_a_packed_body_is_refused(service: Service) -> None:
    response = service.post(b"\x1f\x8b", headers={"Content-Encoding": "gzip"})

    assert response.status_int == 415
    assert not service.provider.orders
