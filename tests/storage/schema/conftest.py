"""The schema as raw SQL meets it, on both PostgreSQL versions."""

from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

import psycopg2
import psycopg2.extras
import pytest

from tests.databases import DatabaseOfOne

psycopg2.extras.register_uuid()

PREIMAGE = "0a" * 32
PAYMENT_HASH = sha256(bytes.fromhex(PREIMAGE)).hexdigest()
SETTLED = "status = 'settled', settled_at = now(), amount_received_sats = amount_sats"

_FAMILY = UUID(int=1)
_INVOICE: dict[str, object] = {
    "key_family": _FAMILY,
    "provider": "river",
    "payment_request": "lnbcrt1",
    "payment_hash": PAYMENT_HASH,
    "amount_sats": 2500,
    "memo": "order 42",
    "expires_at": "2026-11-23T13:00:00Z",
}


@dataclass(frozen=True)
class Schema:
    """One statement at a time, as any of those who may log in: app, jobs, readonly, migrator."""

    database: DatabaseOfOne

    def run(self, who: str, statement: str, **values: object) -> list[tuple[Any, ...]]:
        with closing(psycopg2.connect(getattr(self.database, who))) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement, values)
                return cursor.fetchall() if cursor.description else []

    def insert(self, **changes: object) -> UUID:
        """A pending invoice, as the app would make it, but for `changes`."""
        unique = uuid4()
        row = _INVOICE | {"id": unique, "provider_ref": f"di_{unique.hex}"} | changes
        places = ", ".join(f"%({name})s" for name in row)
        self.run("app", f"INSERT INTO invoices ({', '.join(row)}) VALUES ({places})", **row)
        return unique

    def invoice(self, status: str) -> UUID:
        """An invoice that came to be `status` as it may; settled ones without a preimage."""
        made = self.insert()
        if status == "settled":
            self.update("app", made, SETTLED)
        elif status == "expired":
            self.update("app", made, "status = 'expired'")
        return made

    def update(self, who: str, invoice: UUID, changes: str, **values: object) -> None:
        statement = f"UPDATE invoices SET {changes} WHERE id = %(id)s"
        self.run(who, statement, id=invoice, **values)

    def value(self, invoice: UUID, column: str) -> Any:
        ((found,),) = self.run(
            "app", f"SELECT {column} FROM invoices WHERE id = %(id)s", id=invoice
        )
        return found


@pytest.fixture(params=["database", "database_15"])
def schema(request: pytest.FixtureRequest) -> Schema:
    made = Schema(request.getfixturevalue(request.param))
    made.run(
        "app",
        "INSERT INTO api_keys (id, name, kind, live) VALUES (%(id)s, 'shop', 'secret', false)",
        id=_FAMILY,
    )
    return made
