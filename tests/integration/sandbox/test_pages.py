"""A walk over pages sees every record once, newest first."""

from dataclasses import dataclass
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from msty_invoice.sandbox.book import Book
from tests.integration.sandbox.processes import INTENTS, Sandbox


@dataclass(frozen=True)
class _Dated:
    id: str
    timestamp: int


def _walk(sandbox: Sandbox, limit: int) -> list[Any]:
    """Every intent, page by page."""
    seen: list[Any] = []
    query: dict[str, int] = {"limit": limit}
    while query:
        page = sandbox.ask("GET", INTENTS, params=query)
        seen += page["deposit_intents"]
        following = page.get("next_timestamp")
        query = {"limit": limit, "next_timestamp": following} if following else {}
    return seen


def test_a_walk_sees_each_intent_once_newest_first(sandbox: Sandbox) -> None:
    made = [sandbox.create() for _ in range(7)]

    for limit in (1, 3, 7, 25):
        assert _walk(sandbox, limit) == made[::-1]


def test_a_new_intent_does_not_disturb_a_walk(sandbox: Sandbox) -> None:
    made = [sandbox.create() for _ in range(4)]
    first = sandbox.ask("GET", INTENTS, params={"limit": 2})
    sandbox.create()

    rest = sandbox.ask("GET", INTENTS, params={"next_timestamp": first["next_timestamp"]})

    assert first["deposit_intents"] + rest["deposit_intents"] == made[::-1]
    assert "next_timestamp" not in rest


def test_a_page_holds_25_unless_told(sandbox: Sandbox) -> None:
    for _ in range(26):
        sandbox.create()

    assert len(sandbox.ask("GET", INTENTS)["deposit_intents"]) == 25


@given(st.lists(st.integers(1, 30), max_size=60), st.integers(1, 25))
def test_no_two_records_share_a_millisecond(wanted: list[int], limit: int) -> None:
    book: Book[_Dated] = Book()
    for number, timestamp in enumerate(wanted):
        free = book.free_timestamp(timestamp)
        taken = {record.timestamp for record in book.newest_first()}
        assert free == next(t for t in range(timestamp, 200) if t not in taken)
        book.add(_Dated(str(number), free))

    seen: list[_Dated] = []
    before: int | None = None
    while True:
        records, before = book.page(limit, before)
        seen += records
        if before is None:
            break
    assert seen == sorted(seen, key=lambda record: -record.timestamp)
    assert len(set(seen)) == len(seen) == len(wanted)
