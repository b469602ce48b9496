"""Where a publishable key works from. The headers are those that browsers send."""

from typing import Any

import pytest

from msty_invoice.domain.invoice import Network
from msty_invoice.service.keys import Keys
from tests.web.conftest import CREATE, ORDER, PUBLIC_ORIGIN, Service

SHOP = "https://shop.example"
NO_INVOICE = "/api/lightning/invoices/" + "0" * 64

FROM_A_PAGE_OF_ITS_OWN = [
    pytest.param({"Origin": SHOP}, id="its-origin"),
    pytest.param({"Origin": SHOP, "Sec-Fetch-Site": "cross-site"}, id="its-origin-says-fetch"),
    pytest.param({"Origin": PUBLIC_ORIGIN, "Sec-Fetch-Site": "same-origin"}, id="ours-posting"),
    pytest.param({"Sec-Fetch-Site": "same-origin"}, id="ours-reading"),
]
FROM_ELSEWHERE = [
    pytest.param({}, id="no-browser"),
    pytest.param({"Origin": "null"}, id="null"),
    pytest.param({"Origin": "null", "Sec-Fetch-Site": "same-origin"}, id="null-says-same-origin"),
    pytest.param({"Origin": ""}, id="empty"),
    pytest.param({"Origin": "https://evil.example"}, id="another-site"),
    pytest.param(
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
        id="another-site-says-same-origin",
    ),
    pytest.param({"Origin": f"{SHOP}, {SHOP}"}, id="two"),
    pytest.param({"Origin": f"{SHOP}/"}, id="a-url"),
    pytest.param({"Origin": "http://shop.example"}, id="in-the-clear"),
    pytest.param({"Origin": f"{SHOP}:8443"}, id="another-port"),
    pytest.param({"Origin": f"{SHOP}.evil.example"}, id="a-longer-name"),
    pytest.param({"Referer": f"{SHOP}/pay"}, id="only-a-referer"),
    pytest.param({"Sec-Fetch-Site": "same-site"}, id="same-site"),
    pytest.param({"Sec-Fetch-Site": "cross-site"}, id="cross-site"),
    pytest.param({"Sec-Fetch-Site": "none"}, id="typed-address"),
    pytest.param({"Sec-Fetch-Site": "Same-Origin"}, id="not-a-browser's-word"),
]


def _page_key(service: Service, *origins: str) -> dict[str, str]:
    """The header with a new publishable key."""
    _, secret = Keys(service.keys, Network.REGTEST, service.clock).create("pages", origins)
    assert secret.startswith("pk_test_")
    return {"X-API-Key": secret}


def _both_routes(service: Service, headers: dict[str, str]) -> list[Any]:
    return [
        service.client.post_json(CREATE, ORDER, headers=headers, expect_errors=True),
        service.client.get(NO_INVOICE, headers=headers, expect_errors=True),
    ]


@pytest.mark.parametrize("headers", FROM_A_PAGE_OF_ITS_OWN)
def test_a_publishable_key_works_on_its_pages(service: Service, headers: dict[str, str]) -> None:
    created, read = _both_routes(service, _page_key(service, SHOP, PUBLIC_ORIGIN) | headers)

    assert (created.status_int, read.status_int) == (201, 404)


@pytest.mark.parametrize("headers", FROM_ELSEWHERE)
def test_a_publishable_key_works_nowhere_else(service: Service, headers: dict[str, str]) -> None:
    for answer in _both_routes(service, _page_key(service, SHOP, PUBLIC_ORIGIN) | headers):
        assert answer.status_int == 403
        assert answer.json["code"] == "FORBIDDEN"
        assert "Publishable keys are for browsers" in answer.json["error"]
    assert service.provider.orders == []


def test_our_own_pages_need_to_be_listed_as_any_other(service: Service) -> None:
    key = _page_key(service, SHOP)

    for headers in ({"Sec-Fetch-Site": "same-origin"}, {"Origin": PUBLIC_ORIGIN}):
        for answer in _both_routes(service, key | headers):
            assert answer.status_int == 403


@pytest.mark.parametrize("headers", FROM_A_PAGE_OF_ITS_OWN + FROM_ELSEWHERE)
def test_a_secret_key_is_never_asked_where_it_comes_from(
    service: Service, headers: dict[str, str]
) -> None:
    created, read = _both_routes(service, service.key | headers)

    assert (created.status_int, read.status_int) == (201, 404)


def test_a_page_reads_what_it_made_and_no_more(service: Service) -> None:
    key = _page_key(service, SHOP) | {"Origin": SHOP}
    made = service.client.post_json(CREATE, ORDER, headers=key).json
    theirs = service.create().json

    assert service.read(made["paymentHash"], headers=key, status=200).json["status"] == "pending"
    service.read(theirs["paymentHash"], headers=key, status=404)
