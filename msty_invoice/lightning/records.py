"""Lists of records, each read alone: one that cannot be read hides no other."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from msty_invoice.lightning.json_body import UnreadableBody, read_text

logger = logging.getLogger(__name__)

_Record = TypeVar("_Record")


@dataclass(frozen=True, slots=True)
class Unread:
    """A record of which no more can be read than its references, "" where not even those."""

    ref: str
    intent_ref: str


def read_each(
    rows: Iterable[object],
    read: Callable[[dict[str, Any]], _Record],
    name: Callable[[dict[str, Any]], Unread],
) -> tuple[tuple[_Record, ...], tuple[Unread, ...]]:
    """What `read` makes of each row, in order, and what `name` makes of those it cannot read."""
    records, unread = [], []
    for row in rows:
        raw = row if isinstance(row, dict) else {}
        try:
            records.append(read(raw))
        except UnreadableBody as exc:
            unread.append(name(raw))
            # No trace: it says no more.
            extra = {"ref": unread[-1].ref}
            logger.error("a deposit cannot be read: %s", exc, extra=extra)  # noqa: TRY400
    return tuple(records), tuple(unread)


def text_if_any(raw: dict[str, Any], name: str, longest: int) -> str:
    """A text of 1 to `longest` printable characters, or "" for anything else."""
    try:
        return read_text(raw, name, longest)
    except UnreadableBody:
        return ""
