"""What is counted where, as clients see it."""

from dataclasses import replace
from typing import Any

import pytest

from msty_invoice.domain.errors import StorageUnavailable
from msty_invoice.domain.invoice import Network
from msty_invoice.domain.limit import Pair
from msty_invoice.domain.quota import create_pairs
from msty_invoice.service.keys import Keys
from tests.web.conftest import CREATE, ORDER, QUOTAS, Service
from tests.web.test_origins import NO_INVOICE, SHOP


def _new_key(service: Service, *origins: str, rate: int | None = None) -> dict[str, str]:
    name = f"key {len(service.keys.kept)}"
    _, secret = Keys(service.keys, Network.REGTEST, service.clock).create(name, origins, rate)
    return {"X-API-Key": secret} | ({"Origin": origins[0]} if origins else {})


def _ask(service: Service, headers: dict[str, str], address: str = "192.0.2.1") -> Any:
    environ = {"REMOTE_ADDR": address}
    return service.client.post_json(
        CREATE, ORDER, headers=headers, extra_environ=environ, expect_errors=True
    )


def _admitted(service: Service, headers: dict[str, str], address: str = "192.0.2.1") -> int:
    """How many creates there are before the first 429."""
    count = 0
    while _ask(service, headers, address).status_int == 201:
        count += 1
    return count


def test_all_secret_keys_behind_an_address_share_its_limit(service: Service) -> None:
    assert _admitted(service, service.key) == 50
    assert _ask(service, _new_key(service)).status_int == 429


@pytest.mark.parametrize("neighbour", ["192.0.2.2", "2001:db8::1"])
def test_an_address_spends_nothing_of_its_neighbours(service: Service, neighbour: str) -> None:
    _admitted(service, service.key)

    assert _ask(service, service.key, neighbour).headers["X-RateLimit-Remaining"] == "49"


@pytest.mark.parametrize(
    ("first", "second"),
    [("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"), ("192.0.2.9", "::ffff:192.0.2.9")],
)
def test_one_subscriber_is_counted_once(service: Service, first: str, second: str) -> None:
    _admitted(service, service.key, first)

    assert _ask(service, service.key, second).status_int == 429


@pytest.mark.parametrize(
    "header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "True-Client-IP", "CF-Connecting-IP"]
)
def test_no_header_makes_a_client_another_one(service: Service, header: str) -> None:
    _admitted(service, service.key)
    value = "for=198.51.100.7" if header == "Forwarded" else "198.51.100.7"

    assert _ask(service, service.key | {header: value}).status_int == 429


def test_a_key_with_a_rate_spends_nothing_of_its_address(service: Service) -> None:
    own = _new_key(service, rate=3)

    assert [_admitted(service, own), _admitted(service, service.key)] == [3, 50]


def test_a_key_with_a_rate_is_counted_over_all_addresses(service: Service) -> None:
    own = _new_key(service, rate=3)

    statuses = [_ask(service, own, f"192.0.2.{n}").status_int for n in range(1, 5)]

    assert statuses == [201, 201, 201, 429]


def test_the_answer_to_a_key_with_a_rate_describes_that_rate(service: Service) -> None:
    answer = _ask(service, _new_key(service, rate=600))

    assert answer.headers["RateLimit-Policy"] == '"key";q=600;w=60'
    assert answer.headers["RateLimit"] == '"key";r=599;t=60'


def test_a_publishable_key_is_counted_in_three_buckets(service: Service) -> None:
    answer = _ask(service, _new_key(service, SHOP))

    assert answer.headers["RateLimit-Policy"] == (
        '"create";q=50;w=60, "create-hourly";q=200;w=3600, "key";q=3000;w=60'
    )
    assert answer.headers["RateLimit"] == '"create";r=49;t=60'


def test_a_page_visitor_gets_no_more_than_200_in_an_hour(service: Service) -> None:
    page = _new_key(service, SHOP)
    admitted = []
    for _ in range(5):
        admitted.append(_admitted(service, page))
        service.clock.advance(seconds=60)

    refused = _ask(service, page)

    assert admitted == [50, 50, 50, 50, 0]
    assert refused.headers["RateLimit"] == '"create-hourly";r=0;t=3300'
    assert refused.headers["Retry-After"] == "3300"
    assert _ask(service, service.key).status_int == 201


def test_a_publishable_key_is_limited_as_a_whole_and_says_so_early() -> None:
    service = Service(quotas=replace(QUOTAS, key=Pair("key", 20, 60)))
    page = _new_key(service, SHOP)
    reports = []
    for n in range(21):
        last = _ask(service, page, f"192.0.2.{n + 1}")
        reports.append(len(service.spent_keys))

    assert reports == [0] * 15 + [1, 2, 3, 4, 5, 6]
    assert set(service.spent_keys) == {"key 2"}
    assert last.status_int == 429
    assert last.headers["X-RateLimit-Limit"] == "20"


def test_a_burst_may_be_spent_at_once_and_then_takes_minutes() -> None:
    service = Service(quotas=replace(QUOTAS, create=create_pairs(50, 30)))
    minutes = []
    for _ in range(10):
        minutes.append(_admitted(service, service.key))
        service.clock.advance(seconds=60)

    assert minutes == [80] * 6 + [20, 0, 0, 0]
    assert _ask(service, service.key).headers["RateLimit-Policy"] == (
        '"create";q=80;w=60, "create-sustained";q=500;w=600'
    )


@pytest.mark.parametrize("outcome", [400, 415])
def test_an_attempt_counts_whatever_comes_of_it(service: Service, outcome: int) -> None:
    body, kind = (b"{", "application/json") if outcome == 400 else (b"{}", "text/plain")

    assert service.post(body, kind).status_int == outcome
    assert service.create().headers["X-RateLimit-Remaining"] == "48"


def test_reading_spends_nothing_of_creating(service: Service) -> None:
    for _ in range(300):
        service.client.get(NO_INVOICE, headers=service.key, status=404)

    service.client.get(NO_INVOICE, headers=service.key, status=429)
    assert service.create().headers["X-RateLimit-Remaining"] == "49"


def test_whoever_guesses_keys_is_soon_told_to_wait(service: Service) -> None:
    wrong = {"X-API-Key": "sk_test_" + "A" * 43}
    statuses = [_ask(service, wrong).status_int for _ in range(12)]

    assert statuses == [401] * 10 + [429] * 2
    assert _ask(service, service.key).headers["X-RateLimit-Remaining"] == "49"


def test_a_page_of_another_site_counts_as_guessing(service: Service) -> None:
    page = _new_key(service, SHOP) | {"Origin": "https://evil.example"}
    answers = [_ask(service, page) for _ in range(11)]

    assert [answer.status_int for answer in answers] == [403] * 10 + [429]
    assert answers[0].headers["RateLimit-Policy"] == '"auth-failures";q=10;w=60'


def test_without_the_database_everyone_hears_that_and_nothing_else(service: Service) -> None:
    service.keys.failure = StorageUnavailable("away")

    answers = [_ask(service, service.key) for _ in range(51)]

    assert {answer.status_int for answer in answers} == {503}
    assert answers[-1].headers["RateLimit"] == '"create";r=0;t=60'


def test_looking_around_is_counted_as_reading() -> None:
    service = Service(quotas=replace(QUOTAS, read=Pair("read", 3, 60)))
    get = service.client.get("/.env", status=404)
    delete = service.client.delete(CREATE, status=405)
    options = service.client.options(CREATE)
    answers = [get, delete, options]

    assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["2", "1", "0"]
    assert delete.headers["Allow"] == "POST, OPTIONS"
    for ask in (service.client.get, service.client.delete, service.client.options):
        refused = ask("/admin" if ask == service.client.get else CREATE, status=429)
        assert refused.json["code"] == "RATE_LIMITED"
        assert refused.headers["Retry-After"] == "60"


def test_whoever_watches_the_service_is_never_limited() -> None:
    service = Service(quotas=replace(QUOTAS, read=Pair("read", 1, 60)))

    for _ in range(3):
        assert "RateLimit" not in service.client.get("/livez", status=200).headers
        assert "RateLimit" not in service.client.get("/readyz", status=200).headers
