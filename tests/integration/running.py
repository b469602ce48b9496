"""The service in its own processes, as a client and an operator see it."""

import json
import os
import re
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from http import HTTPStatus
from pathlib import Path
from typing import Any

import psycopg2
import requests

from msty_invoice.dev.command import run_command
from msty_invoice.dev.process import Process
from tests.integration.sandbox.processes import CREATE, Sandbox, until

_ROOT = Path(__file__).parents[2]
_LISTENING = re.compile(r"Listening at: (http://127\.0\.0\.1:\d+)")
_START_SECONDS = 30
_DEADLINE_SECONDS = 25
_PAUSE_SECONDS = 0.1  # a client in a hurry: `Retry-After` says a second

ORDER = {"amount": 2500, "memo": "order 42"}


class RiverStandIn(Sandbox):
    """The sandbox, and what a test of the service asks of it."""

    def faults(self, faults: Mapping[str, Any]) -> None:
        """Put exactly these in force; {} is none."""
        self.set_faults(**faults)

    @property
    def creates(self) -> int:
        """How often an invoice was asked for since the start."""
        return int(self.state()["requests"].get(CREATE, 0))


class Service:
    """gunicorn with its workers on a port of its own, and a secret key to ask with."""

    def __init__(self, folder: Path, settings: Mapping[str, str], port: int = 0) -> None:
        self._env = {"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1", **settings}
        self._folder = folder
        self._process = Process("gunicorn", folder / "gunicorn.log")
        command = [sys.executable, "-m", "gunicorn", "-c", "python:msty_invoice.gunicorn_conf"]
        command += ["msty_invoice.wsgi:application", "-b", f"127.0.0.1:{port}"]
        self._process.start(command, self._env, _ROOT)
        self._process.wait_until(lambda: bool(self.url), _START_SECONDS)
        self.secret_key = self.make_key("test")

    @property
    def url(self) -> str:
        """Where it answers; empty until it does."""
        found = _LISTENING.search(self.log)
        return found[1] if found else ""

    @property
    def log(self) -> str:
        """All that its processes have said."""
        return self._process.log.read_text("utf-8")

    def make_key(self, name: str) -> str:
        """The secret of a new key, which is a family of its own."""
        return str(self.command("keys", "create", "--name", name, "--json")["secret"])

    def command(self, *arguments: str) -> Any:
        """The JSON that `msty-invoice ARGUMENTS` prints."""
        return json.loads(run_command(*arguments, env=self._env, log=self._folder / "commands.log"))

    def create(
        self,
        order: object = ORDER,
        key: str | None = None,
        *,
        secret_key: str | None = None,
        body: str | None = None,
    ) -> requests.Response:
        """POST an order; `key` is the Idempotency-Key, `body` is sent instead of the order."""
        headers = {
            "Authorization": f"Bearer {secret_key or self.secret_key}",
            "Content-Type": "application/json",
        }
        if key is not None:
            headers["Idempotency-Key"] = key
        return requests.post(
            f"{self.url}/api/lightning/create-invoice",
            data=body,
            json=order if body is None else None,
            headers=headers,
            timeout=_DEADLINE_SECONDS,
        )

    def create_patiently(self, order: object = ORDER, key: str | None = None) -> requests.Response:
        """The first answer that is not 409."""
        deadline = time.monotonic() + _DEADLINE_SECONDS
        while (answer := self.create(order, key)).status_code == HTTPStatus.CONFLICT:
            assert answer.headers["Retry-After"] == "1"
            assert time.monotonic() < deadline, "409 for ever"
            time.sleep(_PAUSE_SECONDS)
        return answer

    def read(self, payment_hash: str) -> dict[str, Any]:
        """The status document of an invoice."""
        document: dict[str, Any] = requests.get(
            f"{self.url}/api/lightning/invoices/{payment_hash}",
            headers={"Authorization": f"Bearer {self.secret_key}"},
            timeout=_DEADLINE_SECONDS,
        ).json()
        return document

    def workers(self) -> list[int]:
        """The process ids of the workers."""
        master = self._process.pid
        return [
            int(pid) for pid in Path(f"/proc/{master}/task/{master}/children").read_text().split()
        ]

    def add_worker(self) -> None:
        """Wait until there is one worker more."""
        wanted = len(self.workers()) + 1
        self._process.send(signal.SIGTTIN)
        until(lambda: len(self.workers()), lambda count: count == wanted)

    def remove_worker(self) -> None:
        """Wait until there is one worker less."""
        wanted = len(self.workers()) - 1
        self._process.send(signal.SIGTTOU)
        until(lambda: len(self.workers()), lambda count: count == wanted)

    def signal_workers(self, number: signal.Signals) -> None:
        for pid in self.workers():
            os.kill(pid, number)

    def stop(self) -> None:
        self._process.stop(seconds=30)


def rows(dsn: str, statement: str, values: Mapping[str, object] | None = None) -> list[Any]:
    """What a statement returns, on a connection of its own."""
    with closing(psycopg2.connect(dsn)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            return list(cursor.fetchall()) if cursor.description else []
