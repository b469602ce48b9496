"""What the database itself says about an invoice's life (operations PG-2)."""

from itertools import product

import pytest
from psycopg2 import errors

from tests.storage.schema.conftest import SETTLED, Schema

_STATUSES = ("pending", "settled", "expired")
_ALLOWED = {("pending", "settled"), ("pending", "expired"), ("expired", "settled")}
_REFUSED = {(old, new) for old, new in product(_STATUSES, repeat=2) if old != new} - _ALLOWED
# What else must change with the status, so that nothing but the edge can be refused.
_BECOMING = {
    "pending": "status = 'pending', settled_at = NULL, amount_received_sats = NULL",
    "settled": SETTLED,
    "expired": "status = 'expired', settled_at = NULL, amount_received_sats = NULL",
}


@pytest.mark.parametrize(("old", "new"), sorted(_ALLOWED))
def test_an_allowed_edge_may_be_taken(schema: Schema, old: str, new: str) -> None:
    invoice = schema.invoice(old)

    schema.update("app", invoice, _BECOMING[new])

    assert schema.value(invoice, "status") == new


@pytest.mark.parametrize("who", ["app", "jobs", "migrator"])
@pytest.mark.parametrize(("old", "new"), sorted(_REFUSED))
def test_no_other_edge_may_be_taken(schema: Schema, who: str, old: str, new: str) -> None:
    invoice = schema.invoice(old)

    with pytest.raises(errors.RestrictViolation):
        schema.update(who, invoice, _BECOMING[new])

    assert schema.value(invoice, "status") == old


@pytest.mark.parametrize("status", _STATUSES)
def test_a_status_may_be_written_again(schema: Schema, status: str) -> None:
    invoice = schema.invoice(status)

    schema.update("app", invoice, f"status = '{status}', updated_at = now()")


@pytest.mark.parametrize("status", ["paid", "", "PENDING"])
def test_there_is_no_fourth_status(schema: Schema, status: str) -> None:
    invoice = schema.invoice("pending")

    # Refused by the edges first, and by the CHECK were they not there.
    with pytest.raises(errors.IntegrityError):
        schema.update("app", invoice, "status = %(status)s", status=status)
    with pytest.raises(errors.NotNullViolation):
        schema.update("app", invoice, "status = NULL")


def test_no_invoice_begins_expired(schema: Schema) -> None:
    with pytest.raises(errors.RestrictViolation, match="begin as pending"):
        schema.insert(status="expired")


def test_no_invoice_begins_settled(schema: Schema) -> None:
    with pytest.raises(errors.RestrictViolation, match="begin as pending"):
        schema.insert(status="settled", settled_at="2026-11-23Z", amount_received_sats=2500)


@pytest.mark.parametrize("who", ["app", "jobs", "migrator"])
def test_a_settled_invoice_is_never_deleted(schema: Schema, who: str) -> None:
    invoice = schema.invoice("settled")

    with pytest.raises((errors.RestrictViolation, errors.InsufficientPrivilege)):
        schema.run(who, "DELETE FROM invoices")

    assert schema.value(invoice, "status") == "settled"


@pytest.mark.parametrize("status", ["pending", "expired"])
def test_only_jobs_delete_what_was_never_paid(schema: Schema, status: str) -> None:
    invoice = schema.invoice(status)
    schema.run(
        "app",
        "INSERT INTO invoice_events (invoice_id, what, how) VALUES (%(id)s, 'created', 'api')",
        id=invoice,
    )

    for who in ("app", "readonly"):
        with pytest.raises(errors.InsufficientPrivilege):
            schema.run(who, "DELETE FROM invoices")
    schema.run("jobs", "DELETE FROM invoices WHERE id = %(id)s", id=invoice)

    assert schema.run("app", "SELECT id FROM invoice_events") == []
