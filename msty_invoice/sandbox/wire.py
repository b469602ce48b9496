"""What comes in and goes out: one request as read, one answer, River's error object.

Facts from River's API response page: success is always 200; an error is
`{"category", "code", "error_param"?}` at the top level.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_INVALID_REQUEST = "INVALID_REQUEST_ERROR"


@dataclass(frozen=True)
class Call:
    """One request. `endpoint` is `METHOD /path/{template}`; `ident` the id in the path, or ""."""

    endpoint: str
    ident: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    raw_body: bytes = b""

    def body(self) -> dict[str, Any]:
        """The JSON object sent. Raises `WireError` if it is anything else."""
        try:
            document = json.loads(self.raw_body)
        except (ValueError, RecursionError) as exc:
            raise invalid("body") from exc
        if not isinstance(document, dict):
            raise invalid("body")
        return document


@dataclass(frozen=True)
class Answer:
    """A status and a JSON document, or None for an empty body."""

    status: int
    document: object | None = None

    def raw_body(self) -> bytes:
        return b"" if self.document is None else json.dumps(self.document).encode()


class WireError(Exception):
    """An answer that is not 200, with River's error object."""

    def __init__(self, status: int, category: str, code: str, param: str | None = None) -> None:
        super().__init__(f"{status} {category} {code} {param or ''}".rstrip())
        document = {"category": category, "code": code}
        self.answer = Answer(status, document | ({"error_param": param} if param else {}))


def invalid(param: str) -> WireError:
    return WireError(400, _INVALID_REQUEST, "INVALID_PARAMETER", param)


def missing(param: str) -> WireError:
    return WireError(400, _INVALID_REQUEST, "MISSING_REQUIRED_PARAMETER", param)


def not_found() -> WireError:
    return WireError(404, _INVALID_REQUEST, "NOT_FOUND")


def already_exists() -> WireError:
    return WireError(400, _INVALID_REQUEST, "RESOURCE_ALREADY_EXISTS")


def whole(body: Mapping[str, Any], name: str, low: int, high: int) -> int:
    """A required JSON integer within the bounds, both included."""
    if (value := body.get(name)) is None:
        raise missing(name)
    if type(value) is not int or not low <= value <= high:
        raise invalid(name)
    return value


def text(body: Mapping[str, Any], name: str) -> str:
    """A required text that is not empty."""
    if (value := body.get(name)) is None:
        raise missing(name)
    if not isinstance(value, str) or not value:
        raise invalid(name)
    return value
