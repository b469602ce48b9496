"""What was acknowledged is there after a restart, however the process ended."""

import signal
from pathlib import Path

import pytest

from tests.integration.sandbox.conftest import StartSandbox
from tests.integration.sandbox.listeners import Listener
from tests.integration.sandbox.processes import (
    ACCOUNT,
    INTENTS,
    WEBHOOKS,
    Sandbox,
    outcome,
    until,
)

ENDS = pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL], ids=["stop", "kill"])


def _journal(state: Path) -> Path:
    return state / "journal.jsonl"


@ENDS
def test_everything_is_kept(
    start_sandbox: StartSandbox, tmp_path: Path, end: signal.Signals
) -> None:
    first = start_sandbox("--state", str(tmp_path))
    intent, open_intent = first.create(), first.create(7)
    first.pay(intent)
    first.finished(first.withdraw(first.create()["destination"]))
    first.register("http://127.0.0.1:9/")
    before = first.state()
    first.kill(end)

    second = start_sandbox("--state", str(tmp_path))

    kept = ("balance", "available_balance", "intents", "deposits", "withdrawals", "webhook")
    assert {name: second.state()[name] for name in kept} == {name: before[name] for name in kept}
    assert second.ask("GET", f"{INTENTS}/{intent['id']}") == intent
    assert second.pay(open_intent)["preimage"]
    paid = {"payment_request": intent["destination"]}
    assert second.call("POST", "/_sandbox/pay", json=paid).status_code == 409


@ENDS
def test_an_undelivered_webhook_is_sent_by_the_next_process(
    start_sandbox: StartSandbox, tmp_path: Path, listener: Listener, end: signal.Signals
) -> None:
    listener.answers += [500] * 1000
    first = start_sandbox("--state", str(tmp_path))
    first.register(listener.url)
    first.pay(first.create())
    sent = listener.take().raw_body
    first.kill(end)
    listener.answers.clear()

    second = start_sandbox("--state", str(tmp_path))

    assert listener.take().raw_body == sent
    until(second.state, lambda state: state["counts"]["webhooks_undelivered"] == 0)
    second.kill(end)
    third = start_sandbox("--state", str(tmp_path))
    assert third.state()["deliveries"] == []


def test_a_deleted_webhook_stays_deleted(start_sandbox: StartSandbox, tmp_path: Path) -> None:
    first = start_sandbox("--state", str(tmp_path))
    first.register("http://127.0.0.1:9/")
    first.ask("DELETE", WEBHOOKS, json={"url": "http://127.0.0.1:9/"})
    first.kill()

    assert start_sandbox("--state", str(tmp_path)).state()["webhook"] is None


def test_a_pending_withdrawal_is_finished_by_the_next_process(
    start_sandbox: StartSandbox, tmp_path: Path
) -> None:
    first = start_sandbox("--state", str(tmp_path))
    withdrawal = first.finished(first.withdraw(first.create()["destination"]))
    first.kill()
    journal = _journal(tmp_path)
    lines = journal.read_bytes().splitlines(keepends=True)
    pending = next(n for n, line in enumerate(lines) if b"PENDING" in line)
    journal.write_bytes(b"".join(lines[: pending + 1]))

    second = start_sandbox("--state", str(tmp_path))

    assert second.finished(withdrawal)["state"] == "SUCCESS"
    account = second.ask("GET", ACCOUNT)
    assert account["balance"] == account["available_balance"] == 1_500_000 - 3


def test_a_torn_last_line_is_forgotten(start_sandbox: StartSandbox, tmp_path: Path) -> None:
    first = start_sandbox("--state", str(tmp_path))
    kept, lost = first.create(), first.create()
    first.kill()
    journal = _journal(tmp_path)
    journal.write_bytes(journal.read_bytes()[:-20])

    second = start_sandbox("--state", str(tmp_path))
    added = second.create()
    second.kill()
    third = start_sandbox("--state", str(tmp_path))

    ids = [intent["id"] for intent in third.state()["intents"]]
    assert ids == [added["id"], kept["id"]]
    assert lost["id"] not in ids


def test_a_line_damaged_in_the_middle_is_told(start_sandbox: StartSandbox, tmp_path: Path) -> None:
    first = start_sandbox("--state", str(tmp_path))
    first.create()
    first.create()
    first.kill()
    journal = _journal(tmp_path)
    journal.write_bytes(b"x" + journal.read_bytes())

    ended = outcome("--port", "0", "--state", str(tmp_path))

    assert ended.status == 2
    assert "damaged" in ended.complaint


def test_two_sandboxes_cannot_share_a_state(start_sandbox: StartSandbox, tmp_path: Path) -> None:
    start_sandbox("--state", str(tmp_path))

    ended = outcome("--port", "0", "--state", str(tmp_path))

    assert (ended.status, ended.out) == (2, "")
    assert "in use by another sandbox" in ended.complaint


def test_without_a_state_nothing_is_kept(start_sandbox: StartSandbox) -> None:
    first = start_sandbox()
    first.create()
    first.stop()

    assert start_sandbox().state()["counts"]["intents"] == 0


def test_faults_are_forgotten(start_sandbox: StartSandbox, tmp_path: Path) -> None:
    first = start_sandbox("--state", str(tmp_path))
    first.set_faults(hang=True)
    first.stop()

    second: Sandbox = start_sandbox("--state", str(tmp_path))

    assert second.state()["faults"] == {}
