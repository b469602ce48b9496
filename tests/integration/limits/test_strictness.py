"""Five workers, one limit, and no way around it."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis

from msty_invoice.dev.valkey import ValkeyServer
from tests.integration.limits.asking import Answer, ask, new_address, strictly
from tests.integration.running import Service

CLIENTS, EACH = 32, 10


def _at_once(service: Service, address: str, **more: Any) -> list[Answer]:
    """`EACH` requests of every one of `CLIENTS` at the same time."""
    with ThreadPoolExecutor(CLIENTS) as pool:
        return list(pool.map(lambda _: ask(service, address, **more), range(CLIENTS * EACH)))


def test_fifty_are_admitted_and_never_fifty_one(service: Service) -> None:
    answers = strictly(lambda address: _at_once(service, address))

    assert Counter(answer.status for answer in answers) == {201: 50, 429: CLIENTS * EACH - 50}
    admitted = [answer for answer in answers if answer.status == 201]
    assert sorted(answer.left for answer in admitted) == list(range(50))


def test_the_headers_are_exact_whoever_answers(service: Service, address: str) -> None:
    for answer in _at_once(service, address):
        reset = answer.headers["X-RateLimit-Reset"]
        assert answer.headers["RateLimit-Policy"] == '"create";q=50;w=60'
        assert answer.headers["RateLimit"] == f'"create";r={answer.left};t={reset}'
        assert answer.headers["X-RateLimit-Limit"] == "50"
        assert 0 < int(reset) <= 60
        if answer.status == 429:
            assert answer.document["code"] == "RATE_LIMITED"
            assert (answer.left, answer.headers["Retry-After"]) == (0, reset)


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("X-Forwarded-For", "198.51.100.{n}"),
        ("Forwarded", "for=198.51.100.{n}"),
        ("X-Real-IP", "198.51.100.{n}"),
        ("True-Client-IP", "198.51.100.{n}"),
        ("REMOTE-ADDR", "198.51.100.{n}"),
        ("PROXY", "TCP4 198.51.100.{n} 127.0.0.1 1 1"),
    ],
)
def test_a_forged_address_changes_nothing(service: Service, header: str, value: str) -> None:
    forged = [{header: value.format(n=n)} for n in range(53)]

    answers = strictly(
        lambda address: [ask(service, address, headers=headers) for headers in forged]
    )

    assert [answer.status for answer in answers] == [201] * 50 + [429] * 3


def test_neighbours_spend_nothing_of_each_other(service: Service) -> None:
    one, other = new_address(), new_address()
    _at_once(service, one)

    assert ask(service, other).left == 49


def test_nothing_that_is_counted_stays_for_ever(
    service: Service, valkey: ValkeyServer, address: str
) -> None:
    ask(service, address)
    ask(service, address, key="sk_test_" + "A" * 43)
    ask(service, address, read="0" * 64)
    with redis.Redis.from_url(valkey.url) as client:
        keys = list(client.scan_iter("msty:limit:*"))
        assert {key.decode() for key in keys} >= {
            f"msty:limit:{what}:{address}" for what in ("create", "read", "auth-failures")
        }
        assert all(0 < client.ttl(key) <= 3601 for key in keys)
