"""The programs of the service, each in a process that may be killed: what runs in the child."""

import os
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from multiprocessing.connection import Connection
from pathlib import Path

import psycopg2
from webtest import TestApp as WebTestApp

from msty_invoice.bootstrap import build_app, build_settler, configure_logs
from msty_invoice.cli import main
from msty_invoice.config import RIVER, SETTLING, WEB, Config

Work = Callable[..., object]

_DUE = """
    SELECT EXISTS (SELECT FROM webhook_events
                   WHERE done_at IS NULL AND parked_at IS NULL
                     AND next_attempt_at <= clock_timestamp()
                     AND (lease_until IS NULL OR lease_until < clock_timestamp()))
        OR EXISTS (SELECT FROM open_deposits
                   WHERE ended_at IS NULL AND next_ask_at <= clock_timestamp())
"""


def begin(settings: Mapping[str, str], log: Path, told: Connection, work: Work, *args: str) -> None:
    """The child's whole life. It ends with the exit code of a command, and 0 otherwise."""
    prepare(settings, log)
    told.send(work(*args))


def prepare(settings: Mapping[str, str], log: Path) -> None:
    """Its environment, and where it writes what it says."""
    os.environ.clear()
    os.environ.update(settings)
    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)


def command(*arguments: str) -> None:
    """`msty-invoice ARGUMENTS`"""
    sys.exit(main(list(arguments)))


def request(method: str, path: str, body: str, **headers: str) -> tuple[int, str]:
    """One request to the web application: status and body."""
    # A sync worker of gunicorn finishes the request under way, and only then ends.
    signal.signal(signal.SIGTERM, lambda *_: None)
    configure_logs()
    app = WebTestApp(build_app(Config.from_env(os.environ, WEB | RIVER)))
    answer = app.request(
        path,
        method=method,
        body=body.encode(),
        headers=headers,
        environ={"REMOTE_ADDR": "127.0.0.1"},
        expect_errors=True,
    )
    return answer.status_int, answer.text


def settle(look_for: str = "") -> None:
    """`msty-invoice settle`, until nothing is due. A reader waits for `look_for`."""
    stops: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stops.append(number))
    configure_logs()
    rounds: list[int] = []

    def stopped() -> bool:
        rounds.append(1)
        if look_for and len(rounds) == 2:  # it listens by now
            _ask("SELECT pg_notify('msty_settle', 'look:' || %s)", look_for)
            return bool(stops)
        return bool(stops) or (len(rounds) > 1 and not _ask(_DUE))

    build_settler(Config.from_env(os.environ, SETTLING)).run(stopped)


def rest() -> None:
    """Settle what is due, then walk over everything."""
    settle()
    command("reconcile", "--since", "2020-01-01")


def _ask(statement: str, *values: str) -> object:
    with closing(psycopg2.connect(os.environ["DATABASE_URL"])) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall()[0][0]
