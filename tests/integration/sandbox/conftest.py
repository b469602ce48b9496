"""Sandboxes of one test each, and an address that webhooks can be sent to."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.integration.sandbox.listeners import Listener
from tests.integration.sandbox.processes import Sandbox

StartSandbox = Callable[..., Sandbox]


@pytest.fixture
def start_sandbox() -> Iterator[StartSandbox]:
    """Starts as many as a test needs; each must end well unless the test killed it."""
    with ExitStack() as running:

        def start(*arguments: str, **settings: str) -> Sandbox:
            sandbox = Sandbox(*arguments, **settings)
            running.callback(sandbox.stop)
            return sandbox

        yield start


@pytest.fixture
def sandbox(start_sandbox: StartSandbox) -> Sandbox:
    return start_sandbox()


@pytest.fixture(scope="module")
def untouched_sandbox() -> Iterator[Sandbox]:
    """One for all tests of a module that leave it as it was."""
    sandbox = Sandbox()
    yield sandbox
    sandbox.stop()


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.close()
