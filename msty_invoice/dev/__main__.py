"""`python -m msty_invoice.dev`, which bin/dev runs: the service and all it needs."""

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from msty_invoice.dev.account import NoOrdinaryAccount, ordinary_account
from msty_invoice.dev.asked import Asked, ignore_signals, listen_to_signals
from msty_invoice.dev.claim import free_port, only_one
from msty_invoice.dev.example import example
from msty_invoice.dev.places import Places, find_places
from msty_invoice.dev.process import ProgramFailed
from msty_invoice.dev.progress import say
from msty_invoice.dev.refusal import DISK_FULL, Refused, disk_full, refusal
from msty_invoice.dev.stack import Stack

_CHECKOUT = Path(__file__).resolve().parents[2]


def main(arguments: list[str], environ: Mapping[str, str]) -> int:
    """0 when asked to end, 1 when a part failed, 2 when something must be done first."""
    port = _parser().parse_args(arguments).port
    listen_to_signals()
    try:
        with only_one(_CHECKOUT):
            _run(free_port(port), environ)
    except Asked:
        return 0
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 2
    except ProgramFailed as failed:
        print(f"\n{failed}", file=sys.stderr)
        return 1
    return 0


def _run(port: int, environ: Mapping[str, str]) -> None:
    try:
        account = ordinary_account()
        places = find_places(_CHECKOUT, account)
        if account:
            say(f"As root: PostgreSQL runs as `{account.name}`, with its data in {places.servers}")
        _run_stack(Stack(places, port, environ, account), places)
    except NoOrdinaryAccount as exc:
        raise Refused(str(exc)) from exc
    except OSError as exc:
        raise refusal(exc) from exc


def _run_stack(stack: Stack, places: Places) -> None:
    try:
        try:
            stack.start()
        except ProgramFailed as failed:
            if DISK_FULL in str(failed):
                raise disk_full(str(places.servers)) from failed
            raise
        say(f"ready {stack.url}")
        say(example(places))
        stack.watch()
    finally:
        ignore_signals()
        stack.stop()
        say("stopped; the data stays in .dev")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bin/dev", description="Run the service on this machine.")
    parser.add_argument("--port", type=_port, default=8080, metavar="N",
        help="on 127.0.0.1; 0 finds a free one (default: %(default)s)")  # fmt: skip
    return parser


def _port(value: str) -> int:
    if not value.isdigit() or int(value) > 65535:
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return int(value)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
