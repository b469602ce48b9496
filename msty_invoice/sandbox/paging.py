"""River's pages: newest first, `limit` 1..25, `next_timestamp` to go on.

How next_timestamp compares is not documented. Here it is the timestamp of the last
record on the page, and the next page holds only older ones; since no two records
share a millisecond, a walk sees each exactly once. It is absent on the last page.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from msty_invoice.sandbox.book import Book, Dated
from msty_invoice.sandbox.wire import Answer, invalid

_MOST = 25

D = TypeVar("D", bound=Dated)


@dataclass(frozen=True)
class Span:
    """Which page is wanted: how many records, and before which timestamp (ms)."""

    limit: int
    before: int | None

    def rounded(self, granularity_ms: int) -> "Span":
        """The span that means the same where timestamps are shown rounded down."""
        if self.before is None:
            return self
        return Span(self.limit, -(-self.before // granularity_ms) * granularity_ms)


def read_span(query: Mapping[str, str]) -> Span:
    """Raises `WireError` naming the parameter. A next_timestamp of 0 means the first page."""
    limit = _number(query, "limit", _MOST)
    if not 1 <= limit <= _MOST:
        raise invalid("limit")
    return Span(limit, _number(query, "next_timestamp", 0) or None)


def page(
    name: str,
    book: Book[D],
    span: Span,
    on_wire: Callable[[D], dict[str, Any]],
    visible: Callable[[D], bool] = lambda _: True,
) -> Answer:
    """The answer of a list endpoint: the records under `name`, and how to go on."""
    records, following = book.page(span.limit, span.before, visible)
    shown = [on_wire(record) for record in records]
    document: dict[str, Any] = {name: shown}
    return Answer(200, document | ({"next_timestamp": shown[-1]["timestamp"]} if following else {}))


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    value = query.get(name)
    if value is None:
        return default
    if not value.isascii() or not value.isdigit() or len(value) > 18:
        raise invalid(name)
    return int(value)
