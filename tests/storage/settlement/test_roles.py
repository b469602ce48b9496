"""Who may do what with deposits, events and cursors, by trying it (operations PG-5, PG-9)."""

from contextlib import closing

import psycopg2
import pytest
from psycopg2 import errors

from msty_invoice.storage.books import EVENT
from tests.storage.settlement.books import PostgresBooks, make_deposit, make_event

_EVERYONE = ("app", "jobs", "readonly")
_WRITERS = ("app", "jobs")
_TABLES = ("deposits", "deposit_findings", "open_deposits", "webhook_events", "provider_cursors")

_DEPOSIT = (
    "INSERT INTO deposits (provider, deposit_ref, intent_ref, amount_sats, network, deposited_at,"
    " verdict, invoice_id, seen_by)"
    " SELECT 'river', 'd_new', 'di', {amount}, 'LN', now(), '{verdict}', {invoice}, 'walk'"
    " FROM invoices LIMIT 1"
)

_MAY = {
    **{f"SELECT * FROM {table}": _EVERYONE for table in _TABLES if table != "webhook_events"},
    # What came is read again by nobody but the service.
    "SELECT * FROM webhook_events": _WRITERS,
    "SELECT body FROM webhook_events": _WRITERS,
    f"SELECT {EVENT}, body_sha256 FROM webhook_events w": _EVERYONE,
    _DEPOSIT.format(amount=1, verdict="unknown", invoice="NULL"): _WRITERS,
    "INSERT INTO deposit_findings (provider, deposit_ref, what, recorded, reported)"
    " SELECT provider, deposit_ref, 'amount_sats', '1', '2' FROM deposits LIMIT 1": _WRITERS,
    "INSERT INTO open_deposits (provider, deposit_ref) VALUES ('river', 'd_new')": _WRITERS,
    "INSERT INTO webhook_events (provider, type, ref, state, body, body_sha256)"
    " VALUES ('river', 'DEPOSIT', 'd', 'SUCCESS', '', sha256(''))": _WRITERS,
    "INSERT INTO provider_cursors (provider) VALUES ('lnbits')": _WRITERS,
    # What moves on.
    "UPDATE deposits SET resolved_at = now(), resolution = 'refunded'"
    " WHERE verdict <> 'credited'": _WRITERS,
    "UPDATE deposits SET verdict = 'unknown', invoice_id = NULL, seen_by = 'look', proof = ''"
    " WHERE verdict = 'underpaid'": _WRITERS,
    "UPDATE deposit_findings SET resolved_at = now(), resolution = 'seen'": _WRITERS,
    "UPDATE open_deposits SET intent_ref = 'di', next_ask_at = now(), asked = 2, ended_at = now(),"
    " outcome = 'failed'": _WRITERS,
    "UPDATE webhook_events SET copies = 2, last_received_at = now(), opened_at = now(),"
    " next_attempt_at = now(), attempts = 1, lease_token = NULL, lease_until = NULL,"
    " done_at = now(), parked_at = NULL, outcome = 'succeeded'": _WRITERS,
    "UPDATE provider_cursors SET run_until = now(), walk_next = '1'": _WRITERS,
    # What the provider said is for ever.
    **{
        f"UPDATE deposits SET {column} = {column}": ()
        for column in (
            "provider",
            "deposit_ref",
            "intent_ref",
            "payment_request",
            "amount_sats",
            "network",
            "deposited_at",
            "seen_at",
        )
    },
    **{
        f"UPDATE deposit_findings SET {column} = {column}": ()
        for column in ("what", "recorded", "reported", "found_at")
    },
    "UPDATE open_deposits SET first_seen_at = now()": (),
    "UPDATE invoices SET issued_at = now()": (),
    # Cleanup forgets what is over; money it never forgets.
    "DELETE FROM open_deposits": ("jobs",),
    "DELETE FROM webhook_events": ("jobs",),
    "DELETE FROM deposits": (),
    "DELETE FROM deposit_findings": (),
    "DELETE FROM provider_cursors": (),
    **{f"TRUNCATE {table}": () for table in _TABLES},
    **{f"ALTER TABLE {table} DISABLE TRIGGER ALL": () for table in _TABLES},
    **{f"DROP TABLE {table}": () for table in _TABLES},
    "DROP INDEX deposits_one_credit": (),
    "DROP TRIGGER deposits_credited_stay ON deposits": (),
}


@pytest.fixture
def filled(served: PostgresBooks) -> PostgresBooks:
    """A row in every table, and a deposit that is credited beside one that is not."""
    invoice = served.add()
    small = make_deposit(invoice, amount_sats=1)
    served.deposits.judge(small, "walk")
    served.deposits.judge(make_deposit(invoice), "walk")
    served.deposits.open(make_deposit(invoice))
    served.webhooks.store(make_event())
    assert served.cursors.acquire("river")
    served.ask(
        "INSERT INTO deposit_findings (provider, deposit_ref, what, recorded, reported)"
        " VALUES ('river', %(ref)s, 'state', 'succeeded', 'failed')",
        ref=small.deposit_ref,
    )
    return served


def _try(books: PostgresBooks, who: str, statement: str) -> None:
    """Do it, and undo it."""
    with (
        closing(psycopg2.connect(getattr(books.database, who))) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
        connection.rollback()


@pytest.mark.parametrize("who", _EVERYONE)
def test_each_role_may_do_what_its_work_needs_and_no_more(filled: PostgresBooks, who: str) -> None:
    wrong = []
    for statement, allowed in _MAY.items():
        try:
            _try(filled, who, statement)
        except errors.InsufficientPrivilege:
            may = False
        else:
            may = True
        if may is not (who in allowed):
            wrong.append(statement)

    assert wrong == []


def test_an_invoice_with_a_deposit_is_never_deleted(filled: PostgresBooks) -> None:
    unpaid = filled.add()
    paid_in_part = filled.add()
    filled.deposits.judge(make_deposit(paid_in_part, amount_sats=1), "walk")
    for invoice in (unpaid, paid_in_part):
        filled.expire(invoice)

    _try(filled, "jobs", f"DELETE FROM invoices WHERE id = '{unpaid.id}'")
    with pytest.raises(errors.ForeignKeyViolation):
        _try(filled, "jobs", f"DELETE FROM invoices WHERE id = '{paid_in_part.id}'")


@pytest.mark.parametrize("who", ["app", "jobs", "migrator"])
@pytest.mark.parametrize("verdict", ["second", "unknown"])
def test_a_credited_verdict_is_never_taken_back(
    filled: PostgresBooks, who: str, verdict: str
) -> None:
    with pytest.raises(errors.RestrictViolation):
        _try(filled, who, f"UPDATE deposits SET verdict = '{verdict}' WHERE verdict = 'credited'")


@pytest.mark.parametrize("who", ["app", "jobs", "migrator"])
def test_a_credited_deposit_is_never_moved_to_another_invoice(
    filled: PostgresBooks, who: str
) -> None:
    other = filled.add()

    with pytest.raises(errors.RestrictViolation):
        _try(
            filled,
            who,
            f"UPDATE deposits SET invoice_id = '{other.id}' WHERE verdict = 'credited'",
        )


def test_not_even_the_owner_deletes_a_credited_deposit(filled: PostgresBooks) -> None:
    with pytest.raises(errors.RestrictViolation):
        _try(filled, "migrator", "DELETE FROM deposits WHERE verdict = 'credited'")


@pytest.mark.parametrize("who", ["app", "jobs", "migrator"])
def test_at_most_one_deposit_of_an_invoice_is_credited(filled: PostgresBooks, who: str) -> None:
    another = _DEPOSIT.format(amount=2500, verdict="credited", invoice="id")

    with pytest.raises(errors.UniqueViolation):
        _try(filled, who, another)


@pytest.mark.parametrize("verdict", ["credited", "second", "underpaid", "onchain", "mismatch"])
def test_a_verdict_about_an_invoice_names_it(filled: PostgresBooks, verdict: str) -> None:
    with pytest.raises(errors.CheckViolation):
        _try(filled, "app", _DEPOSIT.format(amount=1, verdict=verdict, invoice="NULL"))


@pytest.mark.parametrize("column", ["amount_sats", "deposited_at", "verdict", "network"])
def test_nothing_that_a_verdict_rests_on_is_ever_missing(
    filled: PostgresBooks, column: str
) -> None:
    with pytest.raises(errors.NotNullViolation):
        filled.ask(f"UPDATE deposits SET {column} = NULL WHERE verdict <> 'credited'")


@pytest.mark.parametrize("column", ["amount_sats", "network", "deposited_at"])
def test_a_report_without_a_fact_is_refused_and_credits_nothing(
    served: PostgresBooks, column: str
) -> None:
    invoice = served.add()

    with pytest.raises(errors.NotNullViolation):
        served.deposits.judge(make_deposit(invoice, **{column: None}), "walk")
    assert served.seen(invoice).status == "pending"
