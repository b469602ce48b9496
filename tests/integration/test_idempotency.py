"""One invoice for each Idempotency-Key, with every part of the service real."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from msty_invoice.dev.valkey import ValkeyServer
from tests.databases import DatabaseOfOne
from tests.integration.running import ORDER, RiverStandIn, Service, rows
from tests.integration.sandbox.processes import until

AT_ONCE = 50
_numbers = count(1)

_OF_KEY = """
    SELECT count(i.id), count(DISTINCT k.invoice_id)
    FROM idempotency_keys k LEFT JOIN invoices i ON i.id = k.invoice_id WHERE k.key = %(key)s
"""


@pytest.fixture
def key() -> str:
    """An Idempotency-Key that no other test uses."""
    return f"order-{next(_numbers)}"


def _invoices(database: DatabaseOfOne) -> int:
    ((total,),) = rows(database.readonly, "SELECT count(*) FROM invoices")
    return int(total)


def _bodies(service: Service, key: str, racers: int = AT_ONCE) -> Counter[str]:
    """The answers to identical POSTs at once: each invoice, and 409, by how often."""
    with ThreadPoolExecutor(racers) as pool:
        answers = list(pool.map(lambda _: service.create(key=key), range(racers)))
    assert {a.status_code for a in answers} <= {201, 409}
    return Counter("409" if a.status_code == 409 else a.text for a in answers)


def test_identical_requests_at_once_are_one_invoice(
    service: Service, sandbox: RiverStandIn, database: DatabaseOfOne, key: str
) -> None:
    sandbox.faults({"latency_ms": 200})
    asked, made = sandbox.creates, _invoices(database)

    bodies = _bodies(service, key)

    assert len(bodies - Counter({"409": AT_ONCE})) == 1
    assert sandbox.creates == asked + 1
    assert _invoices(database) == made + 1
    replay = service.create(key=key)
    assert replay.headers["Idempotency-Replayed"] == "true"
    assert bodies[replay.text]


def test_it_does_not_need_redis(
    service: Service, sandbox: RiverStandIn, valkey: ValkeyServer, key: str
) -> None:
    asked = sandbox.creates
    valkey.pause()
    try:
        _bodies(service, key, racers=10)
    finally:
        valkey.resume()

    assert sandbox.creates == asked + 1


def test_no_transaction_is_open_while_the_provider_is_asked(
    service: Service, sandbox: RiverStandIn, database: DatabaseOfOne, key: str
) -> None:
    sandbox.faults({"latency_ms": 500})
    asked = sandbox.creates
    open_transactions = """
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND usename = 'test_app' AND xact_start IS NOT NULL
    """
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(service.create, key=key)
        until(lambda: sandbox.creates, lambda creates: creates > asked)
        assert rows(database.admin, open_transactions) == [(0,)]
        assert answer.result().status_code == 201


@pytest.mark.parametrize(
    ("fault", "status"), [({"status": 500}, 503), ({"refuse": True}, 402), ({"status": 429}, 503)]
)
def test_a_key_that_failed_works_again_at_once(
    service: Service, sandbox: RiverStandIn, key: str, fault: dict[str, object], status: int
) -> None:
    sandbox.faults(fault)
    assert service.create(key=key).status_code == status
    sandbox.faults({})

    answer = service.create(key=key)

    assert answer.status_code == 201
    assert "Idempotency-Replayed" not in answer.headers


def test_a_provider_that_hangs_up_after_its_work_leaves_one_invoice_shown(
    service: Service, sandbox: RiverStandIn, database: DatabaseOfOne, key: str
) -> None:
    made = _invoices(database)
    sandbox.faults({"close_after_commit": True})
    failed = service.create(key=key)
    assert (failed.status_code, failed.json()["code"]) == (503, "PROVIDER_UNAVAILABLE")
    sandbox.faults({})

    shown = service.create(key=key)

    assert shown.status_code == 201
    assert service.create(key=key).text == shown.text
    assert _invoices(database) == made + 1
    assert rows(database.readonly, _OF_KEY, {"key": key}) == [(1, 1)]


def test_a_database_that_hangs_up_during_the_call_is_found_again(
    service: Service, sandbox: RiverStandIn, database: DatabaseOfOne, key: str
) -> None:
    sandbox.faults({"latency_ms": 300})
    asked = sandbox.creates
    end_all = """
        SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
        WHERE datname = current_database() AND usename = 'test_app'
    """
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(service.create, key=key)
        until(lambda: sandbox.creates, lambda creates: creates > asked)
        rows(database.admin, end_all)
        assert answer.result().status_code == 201

    assert service.create(key=key).text == answer.result().text


@pytest.mark.parametrize(
    "body",
    ['{"memo":"order 42","amount":2500}', ' {\n"amount": 2500, "memo": "order\\u002042"}\n'],
)
def test_how_the_json_is_written_does_not_matter(service: Service, key: str, body: str) -> None:
    first = service.create(ORDER, key)

    second = service.create(body=body, key=key)

    assert (second.status_code, second.text) == (201, first.text)
    assert second.headers["Location"] == first.headers["Location"]


def test_a_string_is_not_a_number_and_burns_no_key(service: Service, key: str) -> None:
    assert service.create({"amount": "1000"}, key).status_code == 400
    first = service.create({"amount": 1000}, key)
    assert first.status_code == 201

    assert service.create({"amount": "1000"}, key).status_code == 400
    assert service.create({"amount": 1000}, key).text == first.text


@pytest.mark.parametrize("change", [{"amount": 2501}, {"memo": "order 43"}, {"memo": None}])
def test_another_order_with_the_same_key_asks_nobody(
    service: Service, sandbox: RiverStandIn, key: str, change: dict[str, object]
) -> None:
    first = service.create(ORDER, key)
    asked = sandbox.creates

    answer = service.create(ORDER | change, key)

    assert (answer.status_code, answer.json()["code"]) == (422, "IDEMPOTENCY_MISMATCH")
    assert sandbox.creates == asked
    assert service.create(ORDER, key).text == first.text


def test_two_families_with_the_same_key_have_two_invoices(service: Service, key: str) -> None:
    other = service.make_key(f"family of {key}")

    ours, theirs = service.create(key=key), service.create(key=key, secret_key=other)

    assert ours.json()["paymentHash"] != theirs.json()["paymentHash"]
    assert service.create(key=key, secret_key=other).text == theirs.text


def test_a_retry_with_a_rotated_secret_is_the_same_invoice(service: Service, key: str) -> None:
    name = f"rotated at {key}"
    old = service.make_key(name)
    first = service.create(key=key, secret_key=old)
    new = service.command("keys", "rotate", name, "--json")["secret"]

    assert new != old
    assert service.create(key=key, secret_key=new).text == first.text
    assert service.create(key=key, secret_key=old).text == first.text


def test_quoted_and_bare_are_the_same_key(service: Service, key: str) -> None:
    assert service.create(key=f'"{key}"').text == service.create(key=key).text


@pytest.mark.parametrize("bad", ["", '""', "order 42", "x" * 256, '"a";b=1', "é"])
def test_a_key_that_is_none_is_refused(service: Service, sandbox: RiverStandIn, bad: str) -> None:
    asked = sandbox.creates

    answer = service.create(key=bad)

    assert answer.status_code == 400
    assert list(answer.json()["details"]) == ["Idempotency-Key"]
    assert sandbox.creates == asked


@pytest.mark.parametrize(
    "change",
    [
        "status = 'settled', settled_at = now(), amount_received_sats = amount_sats",
        "status = 'expired'",
    ],
    ids=["settled", "expired"],
)
def test_what_became_of_the_invoice_does_not_change_the_replay(
    service: Service, database: DatabaseOfOne, key: str, change: str
) -> None:
    first = service.create(key=key)
    payment_hash = first.json()["paymentHash"]
    statement = f"UPDATE invoices SET {change} WHERE payment_hash = %(payment_hash)s"
    rows(database.app, statement, {"payment_hash": payment_hash})

    replay = service.create(key=key)

    assert (replay.status_code, replay.content) == (201, first.content)
    assert replay.headers["Idempotency-Replayed"] == "true"
    assert replay.headers["Location"] == first.headers["Location"]
    assert replay.headers["X-Request-ID"] != first.headers["X-Request-ID"]
