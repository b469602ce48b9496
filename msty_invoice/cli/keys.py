"""`msty-invoice keys create|list|rotate|revoke`"""

import argparse
import re
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

from msty_invoice.bootstrap import build_keys, utcnow
from msty_invoice.cli.describe import command, show_json, show_table, with_json
from msty_invoice.cli.key_table import HEAD, at, rows, used
from msty_invoice.config import DATABASE, Config, ConfigError
from msty_invoice.origins import OriginsUnusable, ensure_origin, read_origins

_NEEDS = DATABASE | {"LIGHTNING_NETWORK"}
_DURATION = re.compile(r"(?P<count>[0-9]{1,5})(?P<unit>[smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_LONGEST_OVERLAP = timedelta(days=90)
_ONCE = "The secret cannot be shown again: store it now."


def add_to(commands: Any) -> None:
    group = command(
        commands, "keys", "API keys: who may ask for invoices.", "msty-invoice keys list"
    ).add_subparsers(required=True, metavar="ACTION")
    for add in (_add_create, _add_list, _add_rotate, _add_revoke):
        parser = add(group)
        with_json(parser)
        parser.set_defaults(needs=_NEEDS)


def _add_create(group: Any) -> argparse.ArgumentParser:
    parser = command(
        group,
        "create",
        "Make a key: for a server, or publishable for web pages. Its secret is shown once, now.",
        "msty-invoice keys create --name shop --rate 600\n"
        "  msty-invoice keys create --name pages --publishable --origin https://shop.example",
    )
    parser.add_argument("--name", required=True, type=_name, help="who will use it; unique")
    parser.add_argument("--publishable", action="store_true", help="it may stand in a web page")
    parser.add_argument(
        "--origin",
        action="append",
        default=[],
        type=_origin,
        help="where a publishable key works, from ORIGINS_FILE; repeatable",
    )
    parser.add_argument(
        "--rate",
        type=_rate,
        metavar="N",
        help="creates a minute of a secret key, counted alone instead of by address",
    )
    parser.set_defaults(run=_create, refuse=parser.error)
    return parser


def _add_list(group: Any) -> argparse.ArgumentParser:
    parser = command(
        group, "list", "Every key, oldest first; never a secret.", "msty-invoice keys list --json"
    )
    parser.set_defaults(run=_list)
    return parser


def _add_rotate(group: Any) -> argparse.ArgumentParser:
    parser = command(
        group,
        "rotate",
        "Give a key a new secret, shown once, now. The old one works on for a while, and"
        " invoices stay the key's.",
        "msty-invoice keys rotate shop --overlap 24h",
    )
    parser.add_argument("name", type=_name, metavar="NAME")
    parser.add_argument(
        "--overlap",
        type=_duration,
        default="24h",
        help="how long the old secret works on: 90s, 30m, 24h, 7d; 0 ends it now (default: 24h)",
    )
    parser.set_defaults(run=_rotate)
    return parser


def _add_revoke(group: Any) -> argparse.ArgumentParser:
    parser = command(
        group,
        "revoke",
        "End a key and all its secrets, for good. Every worker refuses it within 30 seconds.",
        "msty-invoice keys revoke shop --dry-run",
    )
    parser.add_argument("name", type=_name, metavar="NAME")
    parser.add_argument("--dry-run", action="store_true", help="only say what would end")
    parser.set_defaults(run=_revoke)
    return parser


def _create(config: Config, args: argparse.Namespace) -> int:
    if args.publishable != bool(args.origin):
        args.refuse("a publishable key needs --origin, and only a publishable key has one")
    if args.publishable and args.rate:
        args.refuse("--rate is for secret keys; RATE_LIMIT_PER_KEY limits publishable ones")
    if args.origin:
        _ensure_listed(Path(config.origins_file), args.origin)
    key, secret = build_keys(config).create(args.name, args.origin, args.rate)
    if args.json:
        show_json(asdict(key) | {"secret": secret})
    else:
        print(f"{secret}\n\nThis is key '{key.name}'. {_ONCE}")
    return 0


def _list(config: Config, args: argparse.Namespace) -> int:
    keys = build_keys(config).list()
    if args.json:
        show_json([asdict(key) for key in keys])
    elif keys:
        show_table(HEAD, list(rows(keys, utcnow())))
    else:
        print("There is no key yet. Make one: msty-invoice keys create --name NAME")
    return 0


def _rotate(config: Config, args: argparse.Namespace) -> int:
    secret, ends_at = build_keys(config).rotate(args.name, args.overlap)
    if args.json:
        show_json({"name": args.name, "secret": secret, "older_secrets_end_at": ends_at})
    else:
        end = f"Older ones work until {at(ends_at)} UTC." if args.overlap else "Older ones ended."
        print(f"{secret}\n\nThis is a new secret of key '{args.name}'. {end} {_ONCE}")
    return 0


def _revoke(config: Config, args: argparse.Namespace) -> int:
    keys = build_keys(config)
    key = keys.get(args.name) if args.dry_run else keys.revoke(args.name)
    done = "would revoke" if args.dry_run else "revoked"
    if args.json:
        show_json({done.replace(" ", "_"): asdict(key)})
    else:
        print(f"{done} {key.kind} key '{key.name}' ({key.prefix}…), last used: {used(key)}")
    return 0


def _ensure_listed(path: Path, origins: list[str]) -> None:
    try:
        listed = read_origins(path)
    except OriginsUnusable as exc:
        raise ConfigError([f"ORIGINS_FILE: {exc}"]) from exc
    if strangers := [origin for origin in origins if origin not in listed]:
        raise ConfigError([f"ORIGINS_FILE: {path} does not list {', '.join(strangers)}"])


def _name(text: str) -> str:
    if not text.strip() or len(text) > 100 or not text.isprintable():
        raise argparse.ArgumentTypeError("must be 1 to 100 printable characters")
    return text.strip()


def _origin(text: str) -> str:
    try:
        return ensure_origin(text)
    except ValueError as exc:
        raise argparse.ArgumentTypeError(f"{text!r} {exc}") from exc


def _rate(text: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,4}|100000", text):
        raise argparse.ArgumentTypeError("must be a whole number from 1 to 100000")
    return int(text)


def _duration(text: str) -> timedelta:
    if text == "0":
        return timedelta(0)
    match = _DURATION.fullmatch(text)
    found = match and timedelta(**{_UNITS[match["unit"]]: int(match["count"])})
    if found is None or found > _LONGEST_OVERLAP:
        raise argparse.ArgumentTypeError("must be like 90s, 30m, 24h or 7d, at most 90d, or 0")
    return found
