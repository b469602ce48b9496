"""The journal's promise on a full disk: a change is written whole, or not at all."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from msty_invoice.sandbox.journal import Journal


@contextmanager
def _room_for(more: int, file: Path) -> Iterator[None]:
    """No file of this process may grow beyond that many bytes more than this one has."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (file.stat().st_size + more, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("room", [0, 5])
def test_a_change_that_does_not_fit_leaves_no_trace(tmp_path: Path, room: int) -> None:
    journal = Journal(tmp_path)
    journal.append("delivered", 1)
    with _room_for(room, tmp_path / "journal.jsonl"), pytest.raises(OSError, match=r"large|space"):
        journal.append("delivered", 2)
    journal.append("delivered", 3)
    journal.close()

    again = Journal(tmp_path)

    assert list(again.load()) == [("delivered", 1), ("delivered", 3)]
    again.close()
