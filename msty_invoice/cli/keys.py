"""`msty-invoice keys create|list`"""

import argparse
from dataclasses import asdict
from datetime import datetime
from typing import Any

from msty_invoice.bootstrap import build_keys
from msty_invoice.cli.describe import command, show_json, show_table, with_json
from msty_invoice.config import DATABASE, Config
from msty_invoice.domain.key import ApiKey

_NEEDS = DATABASE | {"LIGHTNING_NETWORK"}


def add_to(commands: Any) -> None:
    group = command(
        commands, "keys", "API keys: who may ask for invoices.", "msty-invoice keys list"
    ).add_subparsers(required=True, metavar="ACTION")
    for add in (_add_create, _add_list):
        parser = add(group)
        with_json(parser)
        parser.set_defaults(needs=_NEEDS)


def _add_create(group: Any) -> argparse.ArgumentParser:
    parser = command(
        group,
        "create",
        "Make a secret key for a server. Its secret is shown once, now.",
        "msty-invoice keys create --name shop",
    )
    parser.add_argument("--name", required=True, type=_name, help="who will use it; unique")
    parser.set_defaults(run=_create)
    return parser


def _add_list(group: Any) -> argparse.ArgumentParser:
    parser = command(
        group, "list", "Every key, oldest first; never a secret.", "msty-invoice keys list --json"
    )
    parser.set_defaults(run=_list)
    return parser


def _create(config: Config, args: argparse.Namespace) -> int:
    key, secret = build_keys(config).create(args.name)
    if args.json:
        show_json(asdict(key) | {"secret": secret})
    else:
        print(
            f"{secret}\n\nThis is key '{key.name}'. The secret cannot be shown again: store it now."
        )
    return 0


def _list(config: Config, args: argparse.Namespace) -> int:
    keys = build_keys(config).list()
    if args.json:
        show_json([asdict(key) for key in keys])
    elif keys:
        show_table(
            ("NAME", "KEY", "KIND", "CREATED", "LAST USED", "STATE"), [_row(k) for k in keys]
        )
    else:
        print("There is no key yet. Make one: msty-invoice keys create --name NAME")
    return 0


def _row(key: ApiKey) -> tuple[str, ...]:
    return (
        key.name,
        f"{key.prefix}…",
        key.kind,
        _at(key.created_at),
        _at(key.last_used_at) if key.last_used_at else "never",
        f"revoked {_at(key.revoked_at)}" if key.revoked_at else "active",
    )


def _at(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%d %H:%M")


def _name(text: str) -> str:
    if not text.strip() or len(text) > 100 or not text.isprintable():
        raise argparse.ArgumentTypeError("must be 1 to 100 printable characters")
    return text.strip()
