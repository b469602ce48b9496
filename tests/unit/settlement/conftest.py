"""One machine on fakes."""

import pytest

from tests.unit.settlement.parts import Parts


@pytest.fixture
def parts() -> Parts:
    return Parts()
