"""`msty-invoice migrate apply|rollback|status`"""

import argparse
import sys
from typing import Any

from msty_invoice.bootstrap import build_migrator
from msty_invoice.cli.describe import command, show_json, show_table, with_json
from msty_invoice.config import DATABASE, Config


def add_to(commands: Any) -> None:
    group = command(
        commands,
        "migrate",
        "Bring the database to the schema this version needs.",
        "DATABASE_URL=postgresql://migrator@/invoices msty-invoice migrate apply",
    ).add_subparsers(required=True, metavar="ACTION")
    for add in (_add_apply, _add_rollback, _add_status):
        parser = add(group)
        with_json(parser)
        parser.set_defaults(needs=DATABASE)


def _add_apply(group: Any) -> argparse.ArgumentParser:
    parser = command(
        group,
        "apply",
        "Apply what is missing. Safe to run again, and on several machines at once.",
        "msty-invoice migrate apply --dry-run",
    )
    parser.add_argument("--dry-run", action="store_true", help="only say what would be applied")
    parser.set_defaults(run=_apply)
    return parser


def _add_rollback(group: Any) -> argparse.ArgumentParser:
    parser = command(
        group,
        "rollback",
        "Undo the newest migrations. What their tables hold is lost.",
        "msty-invoice migrate rollback --count 1 --dry-run",
    )
    parser.add_argument("--count", type=_positive, default=1, metavar="N", help="how many (1)")
    parser.add_argument("--all", action="store_true", help="every migration there is")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be undone")
    parser.add_argument("--yes", action="store_true", help="you have a backup, and mean it")
    parser.set_defaults(run=_rollback)
    return parser


def _add_status(group: Any) -> argparse.ArgumentParser:
    parser = command(
        group,
        "status",
        "Say which migrations this database has. Exit 1 if one is missing.",
        "msty-invoice migrate status --json",
    )
    parser.set_defaults(run=_status)
    return parser


def _apply(config: Config, args: argparse.Namespace) -> int:
    migrator = build_migrator(config)
    if args.dry_run:
        return _report(args, "would apply", migrator.pending())
    return _report(args, "applied", migrator.apply())


def _rollback(config: Config, args: argparse.Namespace) -> int:
    migrator = build_migrator(config)
    count = None if args.all else args.count
    if args.dry_run:
        return _report(args, "would undo", migrator.newest(count))
    if not args.yes:
        names = ", ".join(migrator.newest(count)) or "nothing"
        print(
            f"msty-invoice: this undoes {names} and loses what their tables hold;"
            " back up first, then add --yes (or --dry-run to look)",
            file=sys.stderr,
        )
        return 2
    return _report(args, "undid", migrator.rollback(count))


def _status(config: Config, args: argparse.Namespace) -> int:
    steps = build_migrator(config).status()
    if args.json:
        show_json([{"name": step.name, "applied": step.applied} for step in steps])
    else:
        rows = [(step.name, "applied" if step.applied else "MISSING") for step in steps]
        show_table(("MIGRATION", "STATE"), rows)
    return 0 if all(step.applied for step in steps) else 1


def _report(args: argparse.Namespace, done: str, names: list[str]) -> int:
    if args.json:
        show_json({done.replace(" ", "_"): names})
    elif names:
        print("\n".join(f"{done} {name}" for name in names))
    else:
        print("nothing to do")
    return 0


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return int(text)
