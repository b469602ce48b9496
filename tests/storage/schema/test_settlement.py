"""What the database demands of a settlement and of its proof (design §4, operations PG-3)."""

import pytest
from psycopg2 import errors

from tests.storage.schema.conftest import PAYMENT_HASH, PREIMAGE, SETTLED, Schema

_WITH_PROOF = f"{SETTLED}, preimage = %(preimage)s"


@pytest.mark.parametrize(
    "changes",
    [
        "status = 'settled'",
        "status = 'settled', settled_at = now()",
        "status = 'settled', amount_received_sats = amount_sats",
        "settled_at = now(), amount_received_sats = amount_sats",
        "amount_received_sats = amount_sats",
        "status = 'expired', settled_at = now(), amount_received_sats = amount_sats",
        "status = 'settled', settled_at = now(), amount_received_sats = amount_sats - 1",
        "status = 'settled', settled_at = now(), amount_received_sats = 0",
    ],
)
def test_a_settlement_is_whole_or_not_at_all(schema: Schema, changes: str) -> None:
    invoice = schema.invoice("pending")

    with pytest.raises(errors.CheckViolation):
        schema.update("app", invoice, changes)


def test_more_than_was_asked_settles(schema: Schema) -> None:
    invoice = schema.invoice("pending")

    schema.update("app", invoice, f"{SETTLED} + 1")

    assert schema.value(invoice, "amount_received_sats") == 2501


def test_the_right_preimage_is_kept(schema: Schema) -> None:
    invoice = schema.invoice("pending")

    schema.update("app", invoice, _WITH_PROOF, preimage=PREIMAGE)

    assert schema.value(invoice, "preimage") == PREIMAGE


@pytest.mark.parametrize(
    "preimage",
    ["0b" * 32, PAYMENT_HASH, PREIMAGE.upper(), PREIMAGE[:-2], "zz" * 32, "", f"{PREIMAGE[:-1]}\n"],
)
def test_a_preimage_that_proves_nothing_is_refused(schema: Schema, preimage: str) -> None:
    invoice = schema.invoice("pending")

    with pytest.raises((errors.CheckViolation, errors.DataError)):
        schema.update("app", invoice, _WITH_PROOF, preimage=preimage)


@pytest.mark.parametrize("status", ["pending", "expired"])
def test_an_unpaid_invoice_has_no_preimage(schema: Schema, status: str) -> None:
    invoice = schema.invoice(status)

    with pytest.raises(errors.CheckViolation):
        schema.update("app", invoice, "preimage = %(preimage)s", preimage=PREIMAGE)


def test_no_invoice_begins_with_a_preimage(schema: Schema) -> None:
    with pytest.raises(errors.CheckViolation):
        schema.insert(preimage=PREIMAGE)


def test_a_preimage_may_come_later_and_then_stays(schema: Schema) -> None:
    invoice = schema.invoice("settled")

    schema.update("app", invoice, "preimage = %(preimage)s", preimage=PREIMAGE)

    with pytest.raises(errors.RestrictViolation):
        schema.update("app", invoice, "preimage = NULL")


@pytest.mark.parametrize("who", ["app", "jobs", "migrator"])
@pytest.mark.parametrize(
    "changes",
    [
        "settled_at = settled_at + interval '1 second'",
        "amount_received_sats = amount_received_sats + 1",
    ],
)
def test_a_settlement_never_changes(schema: Schema, who: str, changes: str) -> None:
    invoice = schema.invoice("settled")

    with pytest.raises(errors.RestrictViolation):
        schema.update(who, invoice, changes)
