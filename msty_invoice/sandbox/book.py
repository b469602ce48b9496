"""A list of records in time order, read as pages."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from typing import Generic, Protocol, TypeVar


class Dated(Protocol):
    @property
    def id(self) -> str: ...

    @property
    def timestamp(self) -> int: ...


D = TypeVar("D", bound=Dated)


class Book(Generic[D]):
    """Records by id and by timestamp. No two share a millisecond, so that no page loses one."""

    def __init__(self) -> None:
        self._timestamps: list[int] = []
        self._records: list[D] = []
        self._by_id: dict[str, D] = {}

    def free_timestamp(self, wanted: int) -> int:
        """The first millisecond from `wanted` on that no record has."""
        taken = self._timestamps
        first = bisect_left(taken, wanted)
        if first == len(taken) or taken[first] != wanted:
            return wanted
        # Within a run of consecutive milliseconds, timestamp minus position is constant.
        end = bisect_right(range(len(taken)), wanted - first, lo=first, key=lambda i: taken[i] - i)
        return taken[end - 1] + 1

    def add(self, record: D) -> None:
        """Insert a record, or replace the one with its id and timestamp."""
        at = bisect_left(self._timestamps, record.timestamp)
        if record.id in self._by_id:
            self._records[at] = record
        else:
            self._timestamps.insert(at, record.timestamp)
            self._records.insert(at, record)
        self._by_id[record.id] = record

    def find(self, ident: str) -> D | None:
        return self._by_id.get(ident)

    def get(self, ident: str) -> D:
        """Raises `KeyError` for a record that was never added."""
        return self._by_id[ident]

    def newest_first(self, before: int | None = None) -> Iterator[D]:
        """Records strictly older than `before`, or all."""
        end = len(self._records) if before is None else bisect_left(self._timestamps, before)
        return (self._records[i] for i in range(end - 1, -1, -1))

    def page(
        self, limit: int, before: int | None, visible: Callable[[D], bool] = lambda _: True
    ) -> tuple[list[D], int | None]:
        """Up to `limit` records, and the `before` of the next page if there is one."""
        found: list[D] = []
        for record in filter(visible, self.newest_first(before)):
            if len(found) == limit:
                return found, found[-1].timestamp
            found.append(record)
        return found, None

    def __len__(self) -> int:
        return len(self._records)
