"""`msty-invoice invoice show|list`"""

import argparse
import os
import sys
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any, TextIO

from msty_invoice.bootstrap import build_invoice_list, build_showing
from msty_invoice.cli import invoice_rows, invoice_story
from msty_invoice.cli.describe import command, show_json, with_json
from msty_invoice.cli.words import instant, limit
from msty_invoice.config import DATABASE, Config
from msty_invoice.domain.invoice import InvoiceStatus
from msty_invoice.domain.listing import InvoiceFilter, ListedInvoice


def add_to(commands: Any) -> None:
    group = command(
        commands,
        "invoice",
        "Invoices: one with its whole life, or many.",
        "msty-invoice invoice list",
    ).add_subparsers(required=True, metavar="ACTION")
    for add in (_add_show, _add_list):
        add(group).set_defaults(needs=DATABASE)


def _add_show(group: Any) -> argparse.ArgumentParser:
    parser = command(
        group,
        "show",
        "All that happened to an invoice, by which path, and what is wrong if something is.",
        f"msty-invoice invoice show {'0001020304' * 6}0506",
    )
    parser.add_argument("invoice", metavar="HASH|ID|BOLT11", help="however you know it")
    with_json(parser)
    parser.set_defaults(run=_show)
    return parser


def _add_list(group: Any) -> argparse.ArgumentParser:
    parser = command(
        group,
        "list",
        "Invoices, newest first.",
        "msty-invoice invoice list --status settled --since 2026-11-01 --limit 0 --csv",
    )
    parser.add_argument("--status", choices=list(InvoiceStatus), type=InvoiceStatus)
    parser.add_argument("--since", type=instant, metavar="DATE", help="made then or later (UTC)")
    parser.add_argument("--until", type=instant, metavar="DATE", help="made before (UTC)")
    parser.add_argument("--late", action="store_true", help="paid after they had expired")
    parser.add_argument(
        "--limit", type=limit, default="100", metavar="N", help="at most so many (100); 0 is all"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON for a machine to read")
    form.add_argument("--csv", action="store_true", help="print CSV for a spreadsheet")
    parser.set_defaults(run=_list)
    return parser


def _show(config: Config, args: argparse.Namespace) -> int:
    dossier = build_showing(config).find(args.invoice)
    grace = timedelta(seconds=config.expiry_grace)
    if args.json:
        show_json(invoice_story.document(dossier, grace))
    else:
        print("\n".join(invoice_story.lines(dossier, grace)))
    return 0


def _list(config: Config, args: argparse.Namespace) -> int:
    wanted = InvoiceFilter(
        statuses=(args.status,) if args.status else tuple(InvoiceStatus),
        since=args.since,
        until=args.until,
        late=args.late,
        limit=args.limit,
    )
    found = build_invoice_list(config).read(wanted)
    try:
        _writer(args)(found, sys.stdout)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read it, such as `head`, has enough. Python would complain at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _writer(args: argparse.Namespace) -> Callable[[Iterable[ListedInvoice], TextIO], None]:
    if args.csv:
        return invoice_rows.spreadsheet
    return invoice_rows.array if args.json else invoice_rows.table
