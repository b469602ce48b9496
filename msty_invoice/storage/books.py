"""Reading the books for an operator: columns and rows of deposits, findings and webhooks."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

from psycopg2 import errors

from msty_invoice.domain.books import BookedDeposit, BookedEvent, BookedFinding
from msty_invoice.domain.deposit import Verdict
from msty_invoice.domain.errors import NotPermitted
from msty_invoice.storage.postgres import Row


def columns(record: Any, alias: str) -> str:
    """A column for each field of a record, of the same name."""
    return ", ".join(f"{alias}.{field.name}" for field in fields(record))


DEPOSIT = columns(BookedDeposit, "d")
FINDING = columns(BookedFinding, "f")
EVENT = columns(BookedEvent, "w")


def deposit_of(row: Row) -> BookedDeposit:
    """The deposit in a row of the `DEPOSIT` columns."""
    values = dict(zip((f.name for f in fields(BookedDeposit)), row, strict=True))
    return BookedDeposit(**values | {"verdict": Verdict(values["verdict"])})


def deposits_of(rows: Sequence[Row]) -> tuple[BookedDeposit, ...]:
    return tuple(deposit_of(row) for row in rows)


def findings_of(rows: Sequence[Row]) -> tuple[BookedFinding, ...]:
    """From rows of the `FINDING` columns."""
    return tuple(BookedFinding(*row) for row in rows)


def events_of(rows: Sequence[Row]) -> tuple[BookedEvent, ...]:
    """From rows of the `EVENT` columns."""
    return tuple(BookedEvent(*row) for row in rows)


@contextmanager
def writing() -> Iterator[None]:
    """Says so where somebody with a read-only login wants to change something."""
    try:
        yield
    except errors.InsufficientPrivilege as exc:
        raise NotPermitted(
            "the login of DATABASE_URL may not change this: use one of the role msty_app"
        ) from exc
