"""What may be in an invoice's row, and what may never change in it."""

from uuid import UUID

import pytest
from psycopg2 import errors

from tests.storage.schema.conftest import Schema

_OTHER_VALUES = {
    "id": "'00000000-0000-0000-0000-000000000009'",
    "key_family": "'00000000-0000-0000-0000-000000000002'",
    "provider": "'lnbits'",
    "provider_ref": "'di_another'",
    "payment_request": "'lnbcrt2'",
    "payment_hash": f"'{'ab' * 32}'",
    "amount_sats": "amount_sats + 1",
    "memo": "NULL",
    "expires_at": "expires_at + interval '1 second'",
    "created_at": "created_at - interval '1 second'",
}


@pytest.mark.parametrize("column", _OTHER_VALUES)
def test_what_was_shown_never_changes(schema: Schema, column: str) -> None:
    schema.run(
        "app",
        "INSERT INTO api_keys (id, name, kind, live) VALUES (%(id)s, 'b', 'secret', false)",
        id=UUID(int=2),
    )
    invoice = schema.invoice("pending")
    change = f"{column} = {_OTHER_VALUES[column]}"

    for who in ("app", "jobs"):
        with pytest.raises(errors.InsufficientPrivilege):
            schema.update(who, invoice, change)
    # The owner may do anything, but for the trigger.
    with pytest.raises(errors.RestrictViolation):
        schema.update("migrator", invoice, change)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("amount_sats", 0),
        ("amount_sats", -1),
        ("payment_hash", "ab" * 31),
        ("payment_hash", "AB" * 32),
        ("payment_hash", "g" * 64),
        ("memo", ""),
        ("memo", "é" * 320),  # 640 bytes
        ("provider", ""),
        ("provider_ref", ""),
        ("payment_request", ""),
    ],
)
def test_a_row_that_cannot_be_is_refused(schema: Schema, column: str, value: object) -> None:
    with pytest.raises(errors.CheckViolation):
        schema.insert(**{column: value})


@pytest.mark.parametrize("column", ["payment_hash", "amount_sats", "expires_at", "key_family"])
def test_nothing_that_was_asked_or_shown_is_missing(schema: Schema, column: str) -> None:
    with pytest.raises(errors.NotNullViolation):
        schema.insert(**{column: None})


def test_the_largest_memo_fits(schema: Schema) -> None:
    invoice = schema.insert(memo="é" * 319 + "e")

    assert schema.value(invoice, "octet_length(memo)") == 639


def test_an_invoice_belongs_to_a_key(schema: Schema) -> None:
    with pytest.raises(errors.ForeignKeyViolation):
        schema.insert(key_family=UUID(int=9))


def test_a_payment_hash_is_given_once(schema: Schema) -> None:
    schema.insert()

    with pytest.raises(errors.UniqueViolation):
        schema.insert()


def test_a_provider_reference_is_given_once(schema: Schema) -> None:
    schema.insert(provider_ref="di_1")

    with pytest.raises(errors.UniqueViolation):
        schema.insert(provider_ref="di_1", payment_hash="ab" * 32)
