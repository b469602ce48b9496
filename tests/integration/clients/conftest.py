"""The Next.js example, installed once."""

from pathlib import Path

import pytest

from tests.integration.clients.site import install, skip_without_node


@pytest.fixture(scope="session")
def example(request: pytest.FixtureRequest) -> Path:
    """The example with its packages, which are kept for the next run."""
    skip_without_node()
    assert request.config.cache
    folder = request.config.cache.mkdir("nextjs")
    install(folder)
    return folder
