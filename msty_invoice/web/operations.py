"""What a client may ask, in words: the part of the contract that no schema holds."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema

from msty_invoice.domain import errors, idempotency
from msty_invoice.web.schemas import PAYMENT_HASH, CreatedSchema, StatusSchema

# BOLT #11, "Please send $3 for a cup of coffee to the same peer, within one minute".
_ORDER = {"amount": 250_000, "memo": "1 cup coffee"}
_CREATED = {
    "paymentRequest": "lnbc2500u1pvjluezsp5zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zygspp"
    "5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqdq5xysxxatsyp3k7enxv4jsxqzpu9qrsgquk0r"
    "l77nj30yxdy8j9vdx85fkpmdla2087ne0xh8nhedh8w27kyke0lp53ut353s06fv3qfegext0eh0ymjpf39tuven09"
    "sam30g4vgpfna3rh",
    "paymentHash": "0001020304050607080900010203040506070809000102030405060708090102",
    "expiresAt": "2017-06-01T10:58:38Z",
}
_PENDING = {
    "paymentHash": _CREATED["paymentHash"],
    "status": "pending",
    "amount": _ORDER["amount"],
    "expiresAt": _CREATED["expiresAt"],
    "settledAt": None,
    "late": False,
    "paymentRequest": _CREATED["paymentRequest"],
}
_SETTLED = {name: value for name, value in _PENDING.items() if name != "paymentRequest"} | {
    "status": "settled",
    "settledAt": "2017-06-01T10:58:02Z",
}

# Bare, or quoted as RFC 8941 does; never empty.
IDEMPOTENCY_KEY_PATTERN = r'^([!#-~][!-~]{0,254}|"([!#-\[\]-~]|\\["\\]){1,255}")$'


@dataclass(frozen=True)
class Outcome:
    """An answer that is not an error. `schema` is None where there is no body."""

    words: str
    schema: type[Schema] | dict[str, Any] | None = None
    examples: Mapping[str, object] | None = None
    headers: Sequence[str] = ()
    links: Mapping[str, object] | None = None


@dataclass(frozen=True)
class Operation:
    """One method of one address. `refusals` are the errors that it can end in."""

    name: str
    summary: str
    outcomes: Mapping[int, Outcome]
    refusals: Collection[type[errors.InvoicingError]] = ()
    words: str = ""
    parameters: Sequence[dict[str, Any]] = ()
    order: object = None  # an example of the body, where there is one
    needs_key: bool = False
    counted: bool = True  # by the limiter


_IDEMPOTENCY_KEY = {
    "in": "header",
    "name": idempotency.HEADER,
    "schema": {"type": "string", "pattern": IDEMPOTENCY_KEY_PATTERN},
    "example": "8e03978e-40d5-43e8-bc93-6894a57f9324",
    "description": "Names the order, so that it can be asked for again without a second invoice."
    " 1 to 255 visible ASCII characters, bare or quoted; at least 22 with a publishable key."
    " Kept for 72 hours. Only success is remembered: after any error ask again with the same key.",
}

_IF_NONE_MATCH = {
    "in": "header",
    "name": "If-None-Match",
    "schema": {"type": "string"},  # whatever is no ETag of ours only matches nothing
    "example": '"095e19fc7a13e15f75b76f4a0c96054a"',
    "description": "The ETag of an earlier answer: 304 without a body if nothing changed.",
}

_PAYMENT_HASH = {
    "in": "path",
    "name": "paymentHash",
    "required": True,
    "schema": {"type": "string", "pattern": PAYMENT_HASH},
    "example": _CREATED["paymentHash"],
}

_BOOLEANS = {"type": "object", "additionalProperties": {"type": "boolean"}}

# Whoever asks with a key may be told these.
_OF_A_KEY = {errors.Unauthorized, errors.Forbidden, errors.RateLimited, errors.StorageUnavailable}

_CREATE = Operation(
    "createInvoice",
    "Make an invoice",
    words="Obtains an invoice from the Lightning provider and checks that it says what was asked.",
    parameters=(_IDEMPOTENCY_KEY,),
    order=_ORDER,
    needs_key=True,
    outcomes={
        201: Outcome(
            "An invoice to pay.",
            CreatedSchema,
            {"coffee": _CREATED},
            headers=("Location", "Idempotency-Replayed"),
            links={
                "status": {
                    "operationId": "readInvoice",
                    "parameters": {"paymentHash": "$response.body#/paymentHash"},
                }
            },
        )
    },
    refusals=_OF_A_KEY
    | {
        errors.InvalidInput,
        errors.ProviderRefused,
        errors.IdempotencyConflict,
        errors.PayloadTooLarge,
        errors.UnsupportedMediaType,
        errors.IdempotencyMismatch,
        errors.ProviderUnavailable,
    },
)

_READ = Operation(
    "readInvoice",
    "Read what is recorded of an invoice",
    words="For the key that made it, rotated or not. Poll with If-None-Match.",
    parameters=(_PAYMENT_HASH, _IF_NONE_MATCH),
    needs_key=True,
    outcomes={
        200: Outcome(
            "What is recorded.",
            StatusSchema,
            {"pending": _PENDING, "settled": _SETTLED},
            headers=("ETag", "Cache-Control"),
        ),
        304: Outcome("Nothing has changed.", headers=("ETag", "Cache-Control")),
    },
    refusals=_OF_A_KEY | {errors.InvoiceNotFound},
)

_CONTRACT = Operation(
    "readContract",
    "This document",
    parameters=(_IF_NONE_MATCH,),
    outcomes={
        200: Outcome("OpenAPI 3.1.", {"type": "object"}, headers=("ETag", "Cache-Control")),
        304: Outcome("Nothing has changed.", headers=("ETag", "Cache-Control")),
    },
    refusals={errors.RateLimited},
)

_LIVE = Operation(
    "live",
    "Alive",
    outcomes={200: Outcome("It answers.", _BOOLEANS, {"alive": {"alive": True}})},
    counted=False,
)

_READY = Operation(
    "ready",
    "Ready",
    words="For load balancers inside; Nginx does not let it out.",
    outcomes={
        200: Outcome("Ready, and how its parts are.", _BOOLEANS),
        503: Outcome("The database is away or its schema too old.", _BOOLEANS),
    },
    counted=False,
)

OPERATIONS = {
    ("POST", "/api/lightning/create-invoice"): _CREATE,
    ("GET", "/api/lightning/invoices/{payment_hash}"): _READ,
    ("GET", "/api/lightning/openapi.json"): _CONTRACT,
    ("GET", "/livez"): _LIVE,
    ("GET", "/readyz"): _READY,
}
