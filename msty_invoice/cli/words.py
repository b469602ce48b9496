"""How commands read and write instants, amounts, and texts that others wrote."""

import argparse
from datetime import UTC, datetime


def instant(text: str) -> datetime:
    """A UTC date or instant from the command line."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError as exc:
        raise argparse.ArgumentTypeError("write it as 2026-11-01 or 2026-11-01T12:00:00") from exc
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def limit(text: str) -> int | None:
    """How many at most; 0 is all there are."""
    if not text.isdecimal() or len(text) > 9:
        raise argparse.ArgumentTypeError("must be a whole number; 0 is all there are")
    return int(text) or None


def reason(text: str) -> str:
    """Why something was decided: it is kept."""
    if not 1 <= len(text.strip()) <= 500 or not text.isprintable():
        raise argparse.ArgumentTypeError("must be 1 to 500 printable characters")
    return text.strip()


def clean(text: str | None) -> str:
    """Text of a client or a provider that a terminal may show: it can give no orders."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text or "")


def when(at: datetime | None) -> str:
    """UTC, to the second."""
    return at.strftime("%Y-%m-%d %H:%M:%SZ") if at else ""
