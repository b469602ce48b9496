"""How commands describe themselves and show what they found."""

import argparse
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any


def command(group: Any, name: str, summary: str, example: str) -> argparse.ArgumentParser:
    """A command with its one-line summary and an example that works when pasted."""
    parser: argparse.ArgumentParser = group.add_parser(
        name,
        help=summary,
        description=summary,
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return parser


def with_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON for a machine to read")


def show_json(found: object) -> None:
    print(json.dumps(found, indent=2, default=plain))


def plain(value: object) -> str:
    """What JSON has no form for: instants as RFC 3339 with `Z`, the rest as text."""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return str(value)


def show_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as their widest cell."""
    lines = [head, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    for line in lines:
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        )
