"""JSON from a provider, read field by field: strict where it counts, and silent about values."""

import json
from typing import Any


class UnreadableBody(Exception):
    """Not what the provider's API answers. The text names a field, never a value."""


def json_object(body: bytes) -> dict[str, Any]:
    """The JSON object in `body`. Raises `UnreadableBody`."""
    try:
        value = json.loads(body.decode())
    except (ValueError, RecursionError):
        value = None
    # Raised out here, so that the parser's error, which holds the body, is not chained.
    if not isinstance(value, dict):
        raise UnreadableBody("the body is not a JSON object")
    return value


def read_object(raw: dict[str, Any], name: str) -> dict[str, Any]:
    value = raw.get(name)
    if not isinstance(value, dict):
        raise UnreadableBody(f"{name} is not an object")
    return value


def read_text(raw: dict[str, Any], name: str, longest: int) -> str:
    """A text of 1 to `longest` printable characters."""
    value = raw.get(name)
    # Not printable are also lone surrogates and NUL, which no database takes.
    if not isinstance(value, str) or not 0 < len(value) <= longest or not value.isprintable():
        raise UnreadableBody(f"{name} is not a text of 1 to {longest} characters")
    return value


def read_optional_text(raw: dict[str, Any], name: str, longest: int) -> str | None:
    """The same, or None for what is absent, null or empty."""
    return read_text(raw, name, longest) if raw.get(name) else None


def read_whole(raw: dict[str, Any], name: str) -> int:
    value = raw.get(name)
    if type(value) is not int:  # a bool is an int to isinstance
        raise UnreadableBody(f"{name} is not an integer")
    return value
