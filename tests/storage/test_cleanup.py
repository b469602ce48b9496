"""What cleanup deletes, and what it never touches."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg2 import errors

from msty_invoice.service.cleaning import Cleaning
from msty_invoice.storage.cleanup import PostgresCleanup
from msty_invoice.storage.keys import PostgresKeys
from msty_invoice.storage.postgres import Database
from tests.databases import DatabaseOfOne
from tests.storage.conftest import FAMILY, make_key

_ADD_INVOICE = """
    INSERT INTO invoices (id, key_family, provider, provider_ref, payment_request, payment_hash,
                          amount_sats, expires_at)
    VALUES (%(id)s, %(family)s, 'river', %(ref)s, 'lnbcrt1', %(hash)s, 5, now() - %(age)s)
"""
_EXPIRE = "UPDATE invoices SET status = 'expired' WHERE id = %(id)s"
_SETTLE = """
    UPDATE invoices SET status = 'settled', settled_at = now(), amount_received_sats = 5
    WHERE id = %(id)s
"""
_ADD_DEPOSIT = """
    INSERT INTO deposits (provider, deposit_ref, intent_ref, amount_sats, network, deposited_at,
                          verdict, invoice_id, seen_by)
    VALUES ('river', %(ref)s, 'di', 1, 'LN', now(), 'underpaid', %(id)s, 'walk')
"""
_ADD_KEY = """
    INSERT INTO idempotency_keys (key_family, key, fingerprint, token, claimed_at)
    VALUES (%(family)s, %(key)s, %(fingerprint)s, %(token)s, now() - %(age)s)
"""
_ADD_EVENT = """
    INSERT INTO webhook_events (provider, type, ref, state, body, body_sha256, received_at, done_at)
    VALUES ('river', 'DEPOSIT', %(ref)s, 'SUCCESS', '', sha256(%(ref)s::text::bytea),
            now() - %(age)s, CASE WHEN %(done)s THEN now() END)
"""

OLD, YOUNG = timedelta(days=91), timedelta(days=89)


@pytest.fixture(params=["database", "database_15"])
def made(request: pytest.FixtureRequest) -> DatabaseOfOne:
    made: DatabaseOfOne = request.getfixturevalue(request.param)
    PostgresKeys(Database(made.app)).add(make_key("shop", FAMILY), b"1" * 32)
    return made


@pytest.fixture
def add(made: DatabaseOfOne) -> Callable[..., UUID]:
    """An invoice that expired `age` ago, and how it ended."""
    app = Database(made.app)

    def invoice(age: timedelta, *statements: str) -> UUID:
        made_id = uuid4()
        values: dict[str, Any] = {
            "id": made_id,
            "family": FAMILY,
            "ref": made_id.hex,
            "hash": made_id.hex * 2,
            "age": age,
        }
        for statement in (_ADD_INVOICE, *statements):
            app.execute(statement, values)
        return made_id

    return invoice


def cleaning(made: DatabaseOfOne, monotonic: Callable[[], float] = lambda: 0.0) -> Cleaning:
    return Cleaning(PostgresCleanup(Database(made.jobs)), monotonic, invoice_days=90)


def left(made: DatabaseOfOne) -> set[UUID]:
    return {row[0] for row in Database(made.readonly).execute("SELECT id FROM invoices")}


def test_only_old_unpaid_expired_invoices_go(made: DatabaseOfOne, add: Callable[..., UUID]) -> None:
    stay = {
        add(YOUNG, _EXPIRE),
        add(OLD),  # still pending: nobody could ask the provider
        add(OLD, _SETTLE),
        add(OLD, _EXPIRE, _SETTLE),
        add(OLD, _EXPIRE, _ADD_DEPOSIT),
    }
    add(OLD, _EXPIRE)

    assert cleaning(made).count()["invoices"] == 1
    assert cleaning(made).run()["invoices"] == 1
    assert left(made) == stay
    assert cleaning(made).run()["invoices"] == 0


def test_the_history_of_an_invoice_goes_with_it(
    made: DatabaseOfOne, add: Callable[..., UUID]
) -> None:
    app = Database(made.app)
    for age in (OLD, YOUNG):
        event = {"id": add(age, _EXPIRE)}
        app.execute(
            "INSERT INTO invoice_events (invoice_id, what, how) VALUES (%(id)s, 'x', 'y')", event
        )

    cleaning(made).run()

    events = Database(made.readonly).execute("SELECT invoice_id FROM invoice_events")
    assert {row[0] for row in events} == left(made)


def test_keys_go_after_72_hours_and_events_after_180_days(made: DatabaseOfOne) -> None:
    app = Database(made.app)
    for key, hours in (("old", 73), ("young", 71)):
        values = {"family": FAMILY, "key": key, "fingerprint": b"f" * 32, "token": uuid4()}
        app.execute(_ADD_KEY, values | {"age": timedelta(hours=hours)})
    for ref, days, done in (("old", 181, True), ("young", 179, True), ("unread", 181, False)):
        app.execute(_ADD_EVENT, {"ref": ref, "age": timedelta(days=days), "done": done})

    deleted = cleaning(made).run()

    readonly = Database(made.readonly)
    assert (deleted["idempotency_keys"], deleted["webhook_events"]) == (1, 1)
    assert readonly.execute("SELECT key FROM idempotency_keys") == [("young",)]
    assert {r[0] for r in readonly.execute("SELECT ref FROM webhook_events")} == {"young", "unread"}


def test_counting_deletes_nothing(made: DatabaseOfOne, add: Callable[..., UUID]) -> None:
    add(OLD, _EXPIRE)

    cleaning(made).count()

    assert len(left(made)) == 1


def test_many_go_in_small_batches(made: DatabaseOfOne, add: Callable[..., UUID]) -> None:
    for _ in range(205):
        add(OLD, _EXPIRE)

    assert cleaning(made).run()["invoices"] == 205


def test_a_run_ends_with_its_time(made: DatabaseOfOne, add: Callable[..., UUID]) -> None:
    add(OLD, _EXPIRE)
    times = iter([0.0, 1_000.0, 1_000.0, 1_000.0, 1_000.0])

    assert cleaning(made, lambda: next(times)).run()["invoices"] == 0
    assert cleaning(made).run()["invoices"] == 1


def test_what_somebody_holds_is_left_for_the_next_run(
    made: DatabaseOfOne, add: Callable[..., UUID]
) -> None:
    held, free = add(OLD, _EXPIRE), add(OLD, _EXPIRE)
    holder = Database(made.app)
    holder.connection().autocommit = False
    holder.execute("SELECT FROM invoices WHERE id = %(id)s FOR UPDATE", {"id": held})

    assert cleaning(made).run()["invoices"] == 1
    assert left(made) == {held}
    assert free not in left(made)
    holder.close()


def test_the_web_role_cannot_clean(made: DatabaseOfOne) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        PostgresCleanup(Database(made.app)).delete("invoices", OLD, 1)
