"""`msty-invoice webhooks list|replay`"""

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from msty_invoice.bootstrap import build_event_list, build_replaying
from msty_invoice.cli.describe import command, show_json, show_table, with_json
from msty_invoice.cli.words import clean, instant, limit, when
from msty_invoice.config import DATABASE, Config
from msty_invoice.domain.books import BookedEvent
from msty_invoice.domain.listing import EventFilter

_HEAD = ("ID", "RECEIVED", "ABOUT", "SAYS", "COPIES", "ATTEMPTS", "STATE", "OUTCOME")


def add_to(commands: Any) -> None:
    group = command(
        commands,
        "webhooks",
        "What the provider told us, and how far the settler got with it.",
        "msty-invoice webhooks list --unfinished",
    ).add_subparsers(required=True, metavar="ACTION")
    for add in (_add_list, _add_replay):
        parser = add(group)
        with_json(parser)
        parser.set_defaults(needs=DATABASE)


def _add_list(group: Any) -> argparse.ArgumentParser:
    parser = command(
        group,
        "list",
        "Webhooks, newest first.",
        "msty-invoice webhooks list --parked --since 2026-11-01",
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--parked", action="store_true", help="only those that were given up")
    which.add_argument("--unfinished", action="store_true", help="only those that still wait")
    parser.add_argument("--since", type=instant, metavar="DATE", help="received then or later")
    parser.add_argument(
        "--limit", type=limit, default="100", metavar="N", help="at most so many (100); 0 is all"
    )
    parser.set_defaults(run=_list)
    return parser


def _add_replay(group: Any) -> argparse.ArgumentParser:
    parser = command(
        group,
        "replay",
        "Give a webhook to the settler again, as if it had just come. Harmless: it only makes"
        " the settler ask the provider.",
        "msty-invoice webhooks replay --parked --dry-run",
    )
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("id", nargs="?", type=_number, metavar="ID", help="its number in the list")
    which.add_argument("--parked", action="store_true", help="all that were given up")
    parser.add_argument("--dry-run", action="store_true", help="only say which")
    parser.set_defaults(run=_replay)
    return parser


def _list(config: Config, args: argparse.Namespace) -> int:
    wanted = EventFilter(args.parked, args.unfinished, args.since, args.limit)
    events = build_event_list(config).read(wanted)
    if args.json:
        show_json([asdict(event) for event in events])
    elif events:
        show_table(_HEAD, [_row(event) for event in events])
    else:
        print("No webhook is like that. All there are: msty-invoice webhooks list --limit 0")
    return 0


def _replay(config: Config, args: argparse.Namespace) -> int:
    replaying = build_replaying(config)
    events = replaying.choose(args.id)
    count = len(events) if args.dry_run else replaying.replay(events)
    if args.json:
        show_json({"replayed": not args.dry_run, "ids": [event.id for event in events]})
    else:
        done = "would replay" if args.dry_run else "replayed"
        print(f"{done} {count} webhook{'' if count == 1 else 's'}{_numbers(events)}")
    return 0


def _numbers(events: Sequence[BookedEvent]) -> str:
    return ": " + ", ".join(str(event.id) for event in events) if events else ""


def _row(event: BookedEvent) -> tuple[str, ...]:
    return (
        str(event.id),
        when(event.received_at),
        clean(f"{event.provider} {event.type} {event.ref}"),
        clean(event.state),
        str(event.copies),
        str(event.attempts),
        _state(event),
        clean(event.outcome),
    )


def _state(event: BookedEvent) -> str:
    if event.done_at:
        return f"done {when(event.done_at)}"
    if event.parked_at:
        return f"parked {when(event.parked_at)}"
    return f"next {when(event.next_attempt_at)}"


def _number(text: str) -> int:
    if not text.isdecimal() or len(text) > 18:
        raise argparse.ArgumentTypeError("must be a number, as in msty-invoice webhooks list")
    return int(text)
