"""`msty-invoice cleanup`: delete what nobody needs any more."""

import argparse
from typing import Any

from msty_invoice.bootstrap import build_cleaning, configure_logs
from msty_invoice.cli.describe import command, show_json, with_json
from msty_invoice.config import DATABASE, Config


def add_to(commands: Any) -> None:
    parser = command(
        commands,
        "cleanup",
        "Delete expired unpaid invoices past INVOICE_RETENTION_DAYS, idempotency keys past 72 h"
        " and webhook events past 180 days; never an invoice that was paid or has a deposit."
        " Run every hour, with the DATABASE_URL of a login in msty_jobs.",
        "msty-invoice cleanup --dry-run",
    )
    parser.add_argument("--dry-run", action="store_true", help="only say how many would go")
    with_json(parser)
    parser.set_defaults(run=_run, needs=DATABASE)


def _run(config: Config, args: argparse.Namespace) -> int:
    configure_logs()
    cleaning = build_cleaning(config)
    counts = cleaning.count() if args.dry_run else cleaning.run()
    if args.json:
        show_json({"deleted": not args.dry_run, "counts": counts})
    else:
        verb = "would delete" if args.dry_run else "deleted"
        print("\n".join(f"{verb} {n} {kind.replace('_', ' ')}" for kind, n in counts.items()))
    return 0
