"""The headers of answers, as the contract tells of them."""

from http import HTTPStatus
from typing import Any

from msty_invoice.web.errors import Answer

ALWAYS = ("X-Request-ID",)
RATE_HEADERS = (
    "RateLimit-Policy",
    "RateLimit",
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
)


def _header(schema: dict[str, Any], words: str, *, required: bool = True) -> dict[str, Any]:
    return {"schema": schema, "description": words, "required": required}


_TEXT = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 0}

HEADERS = {
    "X-Request-ID": _header(
        {"type": "string", "pattern": "^[A-Za-z0-9_-]{8,64}$"},
        "Names this request in our logs; tell it when you ask for help.",
    ),
    "RateLimit-Policy": _header(
        _TEXT, 'Every limit that applies: `"create";q=50;w=60` is 50 in any 60 seconds.'
    ),
    "RateLimit": _header(
        _TEXT, 'The limit with the fewest left: `"create";r=49;t=12`, in 12 seconds one more.'
    ),
    "X-RateLimit-Limit": _header(_COUNT, "Of that limit: how many in its window."),
    "X-RateLimit-Remaining": _header(_COUNT, "Of that limit: how many are left."),
    "X-RateLimit-Reset": _header(_COUNT, "Of that limit: seconds until there is one more."),
    "Retry-After": _header(
        {"type": "integer", "minimum": 1}, "Seconds to wait before asking again."
    ),
    "WWW-Authenticate": _header({"type": "string", "const": "Bearer"}, "How to send a key."),
    "ETag": _header(_TEXT, "For If-None-Match."),
    "Cache-Control": _header(_TEXT, "Keep it, and ask each time whether it is still true."),
    "Location": _header(_TEXT, "Where the invoice can be read."),
    "Idempotency-Replayed": _header(
        {"type": "string", "const": "true"},
        "Here if this is the invoice of an earlier request with the same Idempotency-Key.",
        required=False,
    ),
}


def headers_of_error(answer: Answer) -> tuple[str, ...]:
    """What an error has beside what every answer has."""
    names: tuple[str, ...] = ()
    if answer.status == HTTPStatus.UNAUTHORIZED:
        names += ("WWW-Authenticate",)
    if answer.retry_after_seconds or answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        names += ("Retry-After",)
    return names
