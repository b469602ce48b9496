"""One copy of the checkout for all tests of bin/dev: it installs only once."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.checkout import Checkout, clone_into


@pytest.fixture(scope="session")
def checkout() -> Iterator[Checkout]:
    """A clone that bin/dev may have run in before, and does not run in now."""
    # Short and open to other users, unlike tmp_path: see tests/conftest.py.
    folder = Path(tempfile.mkdtemp(prefix="msty-", dir="/tmp"), "clone")
    clone_into(folder)
    copy = Checkout(folder)
    yield copy
    copy.remove()
    folder.parent.rmdir()
