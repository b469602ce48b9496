"""Where errors become answers. The only file that pairs the two (design §2)."""

import json
import logging
from dataclasses import dataclass
from typing import Any

import falcon

from msty_invoice.domain import errors
from msty_invoice.web import request_id

logger = logging.getLogger(__name__)

_PROVIDER_RETRY_SECONDS = 5
_STORAGE_RETRY_SECONDS = 2
_RUNNING_RETRY_SECONDS = 1  # most providers answer well within it


@dataclass(frozen=True)
class Answer:
    """What a client sees of an error: our own words only, never an exception's text."""

    status: int
    code: str
    sentence: str
    retry_after_seconds: int | None = None


_UNAVAILABLE = Answer(
    503,
    "PROVIDER_UNAVAILABLE",
    "The Lightning provider gave no usable invoice. Nothing was charged; try again.",
    _PROVIDER_RETRY_SECONDS,
)

_RUNNING = Answer(
    409,
    "IDEMPOTENCY_CONFLICT",
    "The first request with this Idempotency-Key is still running; ask again.",
    _RUNNING_RETRY_SECONDS,
)

_NOT_THE_PROVIDER = Answer(
    401, "UNAUTHORIZED", "The webhook's signature is missing, wrong or too old."
)

_NOTHING_HERE = Answer(404, "NOT_FOUND", "There is nothing at this address.")

ANSWERS: dict[type[errors.InvoicingError], Answer] = {
    errors.InvalidInput: Answer(400, "INVALID_INPUT", "The request is not valid; see details."),
    errors.Unauthorized: Answer(
        401, "UNAUTHORIZED", "Send a valid API key as 'Authorization: Bearer' or 'X-API-Key'."
    ),
    errors.Forbidden: Answer(
        403,
        "FORBIDDEN",
        "Publishable keys are for browsers, on pages of the key's own origins;"
        " a server uses a secret key.",
    ),
    errors.ProviderRefused: Answer(
        402, "PAYMENT_FAILED", "The Lightning provider refused to make this invoice."
    ),
    errors.InvoiceNotFound: Answer(404, "NOT_FOUND", "There is no such invoice."),
    errors.IdempotencyConflict: _RUNNING,
    errors.ClaimOvertaken: _RUNNING,
    errors.PayloadTooLarge: Answer(
        413, "PAYLOAD_TOO_LARGE", "The body is larger than 16 KiB; an order is far smaller."
    ),
    errors.UnsupportedMediaType: Answer(
        415, "UNSUPPORTED_MEDIA_TYPE", "Send 'Content-Type: application/json', UTF-8, unpacked."
    ),
    errors.IdempotencyMismatch: Answer(
        422, "IDEMPOTENCY_MISMATCH", "This Idempotency-Key was used for another order."
    ),
    errors.RateLimited: Answer(429, "RATE_LIMITED", "Too many requests; wait as Retry-After says."),
    errors.WebhookUnsigned: _NOT_THE_PROVIDER,
    errors.WebhookForged: _NOT_THE_PROVIDER,
    errors.WebhookStale: _NOT_THE_PROVIDER,
    errors.WebhookMisaddressed: _NOTHING_HERE,
    errors.ProviderMisconfigured: _UNAVAILABLE,
    errors.ProviderUnavailable: _UNAVAILABLE,
    errors.ProviderUnreadable: _UNAVAILABLE,
    errors.ProviderUnknown: _UNAVAILABLE,
    errors.UntrustworthyInvoice: _UNAVAILABLE,
    errors.InvoiceIssuedTwice: _UNAVAILABLE,
    errors.StorageUnavailable: Answer(
        503,
        "SERVICE_UNAVAILABLE",
        "The service cannot reach its database. Nothing was charged; try again.",
        _STORAGE_RETRY_SECONDS,
    ),
}

# Falcon's own refusals, by status; any other is answered as INVALID_INPUT with its status.
_HTTP_ANSWERS = {
    404: _NOTHING_HERE,
    405: Answer(405, "METHOD_NOT_ALLOWED", "This method is not allowed here; see Allow."),
    413: ANSWERS[errors.PayloadTooLarge],
    415: ANSWERS[errors.UnsupportedMediaType],
}

BUG = Answer(500, "SERVER_ERROR", "Something broke on our side; it has been noted.")

# Every code that a client can meet.
CODES = sorted({it.code for it in (*ANSWERS.values(), *_HTTP_ANSWERS.values(), BUG)})


def register(app: falcon.App) -> None:
    """Make `app` answer every error in our one form."""
    app.add_error_handler(errors.InvoicingError, answer_invoicing_error)
    app.add_error_handler(falcon.HTTPError, answer_http_error)
    app.add_error_handler(Exception, _on_bug)


def answer_to(error: type[errors.InvoicingError]) -> Answer:
    """The answer to an error, or to the nearest of its ancestors that has one."""
    return next(ANSWERS[kind] for kind in error.__mro__ if kind in ANSWERS)


def answer_invoicing_error(
    req: falcon.Request, resp: falcon.Response, ex: errors.InvoicingError, params: Any
) -> None:
    answer = answer_to(type(ex))
    if answer.status == 401:
        resp.set_header("WWW-Authenticate", "Bearer")
    retry_after = answer.retry_after_seconds
    if isinstance(ex, errors.RateLimited):
        retry_after = ex.wait_seconds
    if retry_after is not None:
        resp.set_header("Retry-After", str(retry_after))
    logger.info("refused: %s", ex, extra={"code": answer.code})
    _render(resp, answer, ex.details if isinstance(ex, errors.InvalidInput) else None)


def answer_http_error(
    req: falcon.Request, resp: falcon.Response, ex: falcon.HTTPError, params: Any
) -> None:
    resp.set_headers(ex.headers or {})
    sentence = "The request is not valid HTTP for this service."
    default = Answer(ex.status_code, "INVALID_INPUT", sentence)
    _render(resp, _HTTP_ANSWERS.get(ex.status_code, default))


def _on_bug(req: falcon.Request, resp: falcon.Response, ex: Exception, params: Any) -> None:
    logger.error("a bug", exc_info=ex)
    _render(resp, BUG)


def _render(resp: falcon.Response, answer: Answer, details: Any = None) -> None:
    document = {"error": answer.sentence, "code": answer.code}
    if details:
        document["details"] = details
    document["requestId"] = request_id.current()
    resp.status = answer.status
    resp.content_type = falcon.MEDIA_JSON
    resp.text = json.dumps(document)
