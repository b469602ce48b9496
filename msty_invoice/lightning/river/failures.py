"""What River's answers mean when they are not 200: domain errors that name no secret."""

import re

from msty_invoice.domain.errors import (
    ProviderError,
    ProviderMisconfigured,
    ProviderRefused,
    ProviderUnavailable,
    ProviderUnreadable,
)
from msty_invoice.lightning.http import Answer
from msty_invoice.lightning.river import assumptions
from msty_invoice.lightning.river.endpoints import Endpoint
from msty_invoice.lightning.river.wire import UnreadableBody, json_object

# Neither is about the request: 408 says it came too slowly, 429 too often.
_ASK_LATER = frozenset({408, 425, 429})
_NOT_US = frozenset({401, 403, 407})

# The form of every category and code River documents. Anything else is not repeated: it may be
# something we sent.
_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,63}")


class AnswerTooLarge(ProviderUnreadable):
    """More than we read of one answer: a shorter page may be readable."""


def failure(endpoint: Endpoint, answer: Answer) -> ProviderError:
    """The error an answer other than 200 stands for (HTTP: the 4xx are documented, no other)."""
    category, code = _named(answer)
    text = f"{endpoint}: {answer.status} {category or '-'}/{code or '-'}"
    return _kind(answer.status, category, code)(text)


def _kind(status: int, category: str, code: str) -> type[ProviderError]:
    if status in _NOT_US or status == 404:
        return ProviderMisconfigured
    if not 400 <= status < 500 or status in _ASK_LATER:
        return ProviderUnavailable
    if category in assumptions.ABOUT_OUR_ACCOUNT:
        return ProviderMisconfigured
    if category in assumptions.RIVERS_OWN_FAULT:
        return ProviderUnavailable
    if code.startswith(assumptions.TRAILING_SLASH_CODE_START):
        return ProviderMisconfigured  # only a wrong base URL makes such a path
    return ProviderRefused


def _named(answer: Answer) -> tuple[str, str]:
    try:
        error = assumptions.error_object(json_object(answer.body))
    except UnreadableBody:
        return "", ""
    return _name(error.get("category")), _name(error.get("code"))


def _name(value: object) -> str:
    return value if isinstance(value, str) and _NAME.fullmatch(value) else ""
