"""One copy of the checkout for all tests of bin/dev: it installs only once."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.system.checkout import Checkout, clone_into


@pytest.fixture(scope="session")
def checkout() -> Iterator[Checkout]:
    """A clone that bin/dev may have run in before, and does not run in now."""
    with _clone() as copy:
        yield copy


@pytest.fixture
def fresh() -> Iterator[Checkout]:
    """A clone in which nothing was ever run."""
    with _clone() as copy:
        yield copy


@contextmanager
def _clone() -> Iterator[Checkout]:
    # Short and open to other users, unlike tmp_path: see tests/conftest.py.
    parent = Path(tempfile.mkdtemp(prefix="msty-", dir="/tmp"))
    parent.chmod(0o755)
    copy = Checkout(parent / "clone")
    clone_into(copy.folder)
    try:
        yield copy
    finally:
        copy.remove()
        parent.rmdir()
