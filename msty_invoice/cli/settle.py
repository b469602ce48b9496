"""`msty-invoice settle`: the resident settler."""

import argparse
import signal
from typing import Any

from msty_invoice.bootstrap import build_settler, configure_logs
from msty_invoice.cli.describe import command
from msty_invoice.config import SETTLING, Config


def add_to(commands: Any) -> None:
    parser = command(
        commands,
        "settle",
        "Follow webhooks and waiting readers at once, until it is stopped. Any number may run.",
        "msty-invoice settle",
    )
    parser.set_defaults(run=_run, needs=SETTLING)


def _run(config: Config, args: argparse.Namespace) -> int:
    configure_logs()
    stops: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _: stops.append(received))
    # What is under way is finished; what is not yet begun is found by whoever comes next.
    build_settler(config).run(stopped=lambda: bool(stops))
    return 0
