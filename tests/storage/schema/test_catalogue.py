"""The tables as the catalogue shows them: the production guide's names, aware instants."""

from tests.storage.schema.conftest import Schema

# The production guide's section 5, with what became of its types.
_GUIDE = {
    "id": "uuid",
    "payment_hash": "character varying",
    "amount_sats": "bigint",
    "memo": "text",
    "status": "character varying",
    "expires_at": "timestamp with time zone",
    "settled_at": "timestamp with time zone",
    "created_at": "timestamp with time zone",
    "updated_at": "timestamp with time zone",
}


def test_the_guides_columns_are_there(schema: Schema) -> None:
    columns = dict(
        schema.run(
            "migrator",
            "SELECT column_name, data_type FROM information_schema.columns"
            " WHERE table_name = 'invoices'",
        )
    )

    assert _GUIDE.items() <= columns.items()


def test_the_guides_indexes_are_there(schema: Schema) -> None:
    definitions = schema.run("app", "SELECT indexdef FROM pg_indexes WHERE tablename = 'invoices'")

    indexed = [definition.split("btree ")[1] for (definition,) in definitions]

    assert {"(payment_hash)", "(status, created_at)", "(expires_at)"} <= set(indexed)


def test_every_instant_knows_its_zone(schema: Schema) -> None:
    naive = schema.run(
        "migrator",
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND data_type = 'timestamp without time zone'"
        " AND table_name NOT LIKE '%%yoyo%%'",
    )

    assert naive == []


def test_money_is_never_a_fraction(schema: Schema) -> None:
    fractions = schema.run(
        "migrator",
        "SELECT table_name, column_name, data_type FROM information_schema.columns"
        " WHERE table_schema = 'public' AND (data_type IN ('real', 'double precision', 'numeric')"
        " OR column_name LIKE '%%sats' AND data_type <> 'bigint')",
    )

    assert fractions == []
