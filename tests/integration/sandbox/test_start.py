"""How the program starts, refuses to start, and ends."""

import signal
import socket

import pytest

from tests.integration.sandbox.conftest import StartSandbox
from tests.integration.sandbox.processes import Sandbox, outcome


def _refusal(*arguments: str, **settings: str) -> str:
    """The one sentence of a process that would not start."""
    ended = outcome(*arguments, **settings)
    assert (ended.status, ended.out) == (2, "")
    assert ended.complaint.count("\n") == 1
    return ended.complaint


@pytest.mark.parametrize("name", ["RIVER_ACCOUNT_ID", "RIVER_API_KEY"])
def test_a_missing_setting_is_named(name: str) -> None:
    assert f"{name} is missing" in _refusal("--port", "0", **{name: ""})


def test_mainnet_is_refused() -> None:
    assert "mainnet" in _refusal("--port", "0", LIGHTNING_NETWORK="mainnet")


def test_a_taken_port_is_told(sandbox: Sandbox) -> None:
    refusal = _refusal("--port", str(sandbox.port))

    assert f"port {sandbox.port}" in refusal
    assert "in use" in refusal


def test_a_state_that_cannot_be_used_is_told() -> None:
    assert "/dev/null" in _refusal("--port", "0", "--state", "/dev/null/state")


@pytest.mark.parametrize("arguments", [("--port", "x"), ("--port", "65536"), ("--no-such",)])
def test_senseless_arguments_are_refused(arguments: tuple[str, ...]) -> None:
    ended = outcome(*arguments)

    assert ended.status == 2
    assert "usage:" in ended.complaint


def test_help_teaches_by_example() -> None:
    ended = outcome("--help")

    assert ended.status == 0
    assert "curl -u key_EXAMPLE:" in ended.out
    assert "close_after_commit" in ended.out
    assert '"endpoint": "POST /accounts/{account_id}/deposit_intents"' in ended.out


def test_the_port_is_rivers_unless_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refusal = _refusal(RIVER_BASE_URL=f"http://127.0.0.1:{port}")

    assert f"port {port}" in refusal


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_well_and_frees_its_port(
    start_sandbox: StartSandbox, number: signal.Signals
) -> None:
    sandbox = start_sandbox()
    sandbox.create()
    sandbox.kill(number)

    assert sandbox.complaints == ""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", sandbox.port), timeout=1)


def test_it_listens_on_loopback_alone(sandbox: Sandbox) -> None:
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", sandbox.port), timeout=1)
