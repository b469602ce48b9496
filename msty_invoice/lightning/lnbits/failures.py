"""What LNbits' answers mean when they are not what was asked for: errors that name no secret."""

from msty_invoice.domain.errors import (
    ProviderError,
    ProviderMisconfigured,
    ProviderRefused,
    ProviderUnavailable,
    ProviderUnreadable,
)
from msty_invoice.lightning.http import Answer
from msty_invoice.lightning.json_body import UnreadableBody, json_object

# LNbits' own status for a payment it did not make, whoever is at fault.
_PAYMENT_ERROR = 520
_ASK_LATER = frozenset({408, 425, 429})
_NOT_US = frozenset({401, 403, 404, 407})

# How `detail` begins where an operator must act, though the status puts it on the order. Only
# these words are repeated: the rest of a detail may be something we sent.
_FOR_THE_OPERATOR = (
    "Callback URL",
    "Could not fetch wallet",
    "Hold invoices are not supported",
    "No Api Key provided.",
    "Wallet balance cannot exceed",
    "Wallet does not have permission",
    "Wallet not found.",
)
# How it begins where the order itself is at fault.
_ABOUT_THE_ORDER = ("Amountless invoices not supported.", "Invoice amount")


class AnswerTooLarge(ProviderUnreadable):
    """More than we read of one answer: a shorter page may be readable."""


def failure(call: str, answer: Answer) -> ProviderError:
    """The error that an unexpected answer to `call` stands for."""
    body = _body(answer)
    detail = body.get("detail")
    words = _known_words(detail) if isinstance(detail, str) else ""
    text = f"{call}: {answer.status} {words or '-'}"
    return _kind(answer.status, words, body.get("status"))(text)


def is_unknown_payment(answer: Answer) -> bool:
    """A 404 about the payment that was asked for, and not about our wallet or LNBITS_URL."""
    return answer.status == 404 and _body(answer).get("detail") == "Payment does not exist."


def _kind(status: int, words: str, state: object) -> type[ProviderError]:
    # Every path leads to /first_install until somebody has been there.
    if status in _NOT_US or 300 <= status < 400 or words in _FOR_THE_OPERATOR:
        return ProviderMisconfigured
    if status == _PAYMENT_ERROR:
        # "pending" is what it says when its own node did not answer.
        return ProviderRefused if state == "failed" else ProviderUnavailable
    if 400 <= status < 500 and status not in _ASK_LATER:
        return ProviderRefused
    return ProviderUnavailable


def _known_words(detail: str) -> str:
    known = (*_FOR_THE_OPERATOR, *_ABOUT_THE_ORDER)
    return next((words for words in known if detail.startswith(words)), "")


def _body(answer: Answer) -> dict[str, object]:
    try:
        return json_object(answer.body)
    except UnreadableBody:
        return {}
