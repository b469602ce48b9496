"""`msty-invoice reconcile`: one pass over each provider's own list."""

import argparse
from dataclasses import asdict
from typing import Any

from msty_invoice.bootstrap import build_reconciling, configure_logs
from msty_invoice.cli.describe import command, show_json, with_json
from msty_invoice.cli.words import instant
from msty_invoice.config import SETTLING, Config
from msty_invoice.domain.errors import ProviderError
from msty_invoice.service.reconciling import Pass


def add_to(commands: Any) -> None:
    parser = command(
        commands,
        "reconcile",
        "Find payments that the webhooks missed, and let overdue invoices expire. Run every"
        " minute; exit 0 also if another machine is at it, 75 if the provider is away.",
        "msty-invoice reconcile --since 2026-11-01",
    )
    parser.add_argument(
        "--since",
        type=instant,
        metavar="DATE",
        help="walk at least down to this UTC date or instant, such as after a restore",
    )
    with_json(parser)
    parser.set_defaults(run=_run, needs=SETTLING)


def _run(config: Config, args: argparse.Namespace) -> int:
    configure_logs()
    done, failures = {}, []
    for provider, reconciling in build_reconciling(config).items():
        try:
            done[provider] = reconciling.run(args.since)
        except ProviderError as exc:
            failures.append(exc)  # the others' payments do not wait for this one
    if args.json:
        show_json({provider: asdict(it) for provider, it in done.items()})
    else:
        for provider, it in done.items():
            print(f"{provider}: {_sentence(it)}")
    if failures:
        raise failures[0]
    return 0


def _sentence(done: Pass) -> str:
    if done.held_elsewhere:
        return "another machine is at it; nothing to do here"
    walk = "to its floor" if done.complete else "so far; the next pass goes on from there"
    return f"{done.events} events, {done.pages} pages {walk}, {done.expired} invoices expired"
