"""A sandbox in its own process, spoken to over HTTP as anybody else would."""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tests.wire.pairs import ACCOUNT_ID, API_KEY

DEADLINE_SECONDS = 10
ACCOUNT = f"/accounts/{ACCOUNT_ID}"
INTENTS, DEPOSITS = f"{ACCOUNT}/deposit_intents", f"{ACCOUNT}/deposits"
WITHDRAWALS, WEBHOOKS = f"{ACCOUNT}/withdrawals", f"{ACCOUNT}/webhooks"
CREATE = "POST /accounts/{account_id}/deposit_intents"


def spawn(*arguments: str, **settings: str) -> subprocess.Popen[str]:
    """Start the program with these arguments and settings and no others."""
    environ = {"PATH": os.environ["PATH"], "RIVER_ACCOUNT_ID": ACCOUNT_ID, "RIVER_API_KEY": API_KEY}
    return subprocess.Popen(
        [sys.executable, "-m", "msty_invoice.sandbox", *arguments],
        env=environ | settings,
        cwd=Path(__file__).parents[3],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@dataclass(frozen=True)
class Outcome:
    """How a process ended by itself, and what it said."""

    status: int
    out: str
    complaint: str


def outcome(*arguments: str, **settings: str) -> Outcome:
    """Of a process that should not keep running; one that does fails the test and is ended."""
    with spawn(*arguments, **settings) as process:
        try:
            out, complaint = process.communicate(timeout=DEADLINE_SECONDS)
        finally:
            process.kill()
    return Outcome(process.returncode, out, complaint)


class Sandbox:
    """A running sandbox, and what a caller of River does with it."""

    def __init__(self, *arguments: str, **settings: str) -> None:
        self._process = spawn("--port", "0", *arguments, **settings)
        self.url = _ready_url(self._process)
        self.port = int(self.url.rpartition(":")[2])
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.auth = (API_KEY, settings.get("RIVER_API_SECRET", ""))

    def call(self, method: str, path: str, **more: Any) -> requests.Response:
        more.setdefault("timeout", DEADLINE_SECONDS)
        return self._session.request(method, self.url + path, allow_redirects=False, **more)

    def ask(self, method: str, path: str, **more: Any) -> Any:
        """The document in an answer that must be 200."""
        answer = self.call(method, path, **more)
        assert answer.status_code == 200, answer.text
        return answer.json() if answer.content else None

    def refused(self, method: str, path: str, body: Any = None) -> tuple[int, str, str | None]:
        """Status, code and error_param of an answer that must be an error."""
        answer = self.call(method, path, json=body)
        error = answer.json()
        assert error.keys() - {"error_param"} == {"category", "code"}
        return answer.status_code, error["code"], error.get("error_param")

    def create(self, amount: int = 2500, label: str = "order 42", network: str = "LN") -> Any:
        return self.ask(
            "POST", INTENTS, json={"amount": amount, "label": label, "network": network}
        )

    def pay(self, intent: Any, **more: Any) -> Any:
        body = {"payment_request": intent["destination"]} | more
        return self.ask("POST", "/_sandbox/pay", json=body)

    def paid(self) -> Any:
        """The deposit, as River shows it, of a new invoice that was paid."""
        return self.ask("GET", f"{DEPOSITS}/{self.pay(self.create())['deposit']}")

    def withdraw(self, destination: str, amount: int = 2500, fee_limit: int = 300) -> Any:
        details = {"network": "LN", "destination": destination, "fee_limit": fee_limit}
        body = {"amount": amount, "currency": "BTC", "withdrawal_details": details}
        return self.ask("POST", WITHDRAWALS, json=body)

    def finished(self, withdrawal: Any) -> Any:
        """The withdrawal once it is no longer PENDING."""
        path = f"{WITHDRAWALS}/{withdrawal['id']}"
        return until(lambda: self.ask("GET", path), lambda it: it["state"] != "PENDING")

    def register(self, url: str) -> str:
        """Register the webhook; returns its secret."""
        return str(self.ask("POST", WEBHOOKS, json={"url": url})["secret"])

    def set_faults(self, **faults: Any) -> None:
        self.ask("PUT", "/_sandbox/faults", json=faults)

    def state(self) -> Any:
        return self.ask("GET", "/_sandbox/state")

    def stop(self) -> None:
        """As a service manager would, unless it has ended. It must end well and say nothing."""
        if self.ended:
            return
        self.kill(signal.SIGTERM)
        assert (self._process.returncode, self.complaints) == (0, "")

    @property
    def ended(self) -> bool:
        return self._process.returncode is not None

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        self._session.close()
        self._process.send_signal(number)
        try:
            _, self.complaints = self._process.communicate(timeout=DEADLINE_SECONDS)
        finally:
            self._process.kill()


def until(look: Callable[[], Any], good: Callable[[Any], bool]) -> Any:
    """Look again until it is good. For what a process does by itself and never announces."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not good(seen := look()):
        assert time.monotonic() < deadline, f"never came about; last seen: {seen}"
        time.sleep(0.01)
    return seen


def _ready_url(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    readable, _, _ = select.select([process.stdout], [], [], DEADLINE_SECONDS)
    line = process.stdout.readline() if readable else ""
    if not line.startswith("ready http://"):
        process.kill()
        _, complaints = process.communicate()
        raise AssertionError(f"not ready: {line!r} {complaints!r}")
    return line.split()[1]
