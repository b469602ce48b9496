"""The shape of requests and answers. Form only; rules live in the domain."""

import unicodedata
from datetime import datetime
from typing import Any

from marshmallow import EXCLUDE, RAISE, Schema, ValidationError, fields, post_load
from marshmallow.validate import Length, OneOf, Range, Regexp

from msty_invoice.domain.errors import InvalidInput
from msty_invoice.domain.invoice import Invoice, InvoiceOrder, InvoiceStatus
from msty_invoice.web.errors import CODES

# BOLT11: a description has at most 1023 groups of 5 bits.
MAX_MEMO_BYTES = 639
PAYMENT_HASH = r"^[0-9a-f]{64}$"
# What `_ensure_printable` refuses, for those who read the contract (ECMA-262).
_NO_CONTROL_CHARACTERS = r"^[^\u0000-\u001f\u007f-\u009f]*$"


def _amount(minimum: int, maximum: int) -> fields.Integer:
    """Whole satoshis, written as a JSON integer: not a string, a float or a boolean."""
    not_whole = "Must be a whole number of satoshis."
    return fields.Integer(
        strict=True,
        required=True,
        validate=Range(minimum, maximum, error=f"Must be from {minimum} to {maximum} satoshis."),
        error_messages={
            "required": "Say how many satoshis.",
            "null": not_whole,
            "invalid": not_whole,
            "too_large": not_whole,
        },
        metadata={"description": "Whole satoshis, as a JSON integer."},
    )


def _memo(max_length: int) -> fields.String:
    """Words for the payer. `null` and "" mean that there are none."""
    return fields.String(
        load_default=None,
        allow_none=True,
        validate=[
            Length(max=max_length, error=f"Must be at most {max_length} characters."),
            _ensure_printable,
        ],
        error_messages={"invalid": "Must be text."},
        metadata={
            "description": f"Words for the payer: at most {MAX_MEMO_BYTES} bytes of UTF-8, no"
            ' control characters. `null` and "" mean that there are none.',
            "pattern": _NO_CONTROL_CHARACTERS,
        },
    )


def _ensure_printable(memo: str) -> None:
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in memo):
        raise ValidationError("Must not contain control characters or half characters.")
    if len(memo.encode()) > MAX_MEMO_BYTES:
        raise ValidationError(f"Must be at most {MAX_MEMO_BYTES} bytes of UTF-8.")


class _OrderSchema(Schema):
    class Meta:
        unknown = RAISE

    error_messages = {"unknown": "There is no such field."}  # noqa: RUF012

    @post_load
    def _order(self, data: dict[str, Any], **kwargs: object) -> InvoiceOrder:
        return InvoiceOrder(amount_sats=data["amount"], memo=data["memo"] or None)


def order_schema(min_sats: int, max_sats: int, max_memo: int) -> Schema:
    """The schema of `{"amount": sats, "memo"?: text}` within this deployment's bounds."""
    bounded: dict[str, fields.Field[Any]] = {
        "amount": _amount(min_sats, max_sats),
        "memo": _memo(max_memo),
    }
    return _OrderSchema.from_dict(bounded, name="CreateInvoice")()


def read_order(schema: Schema, document: dict[str, Any]) -> InvoiceOrder:
    """The order in a JSON object. Raises `InvalidInput` naming each wrong field."""
    try:
        order: InvoiceOrder = schema.load(document)
    except ValidationError as exc:
        raise InvalidInput(exc.normalized_messages()) from exc
    return order


def _text(data_key: str, description: str, **more: Any) -> fields.String:
    return fields.String(data_key=data_key, metadata={"description": description}, **more)


def _instant(data_key: str, description: str, **more: Any) -> fields.AwareDateTime:
    return fields.AwareDateTime(
        data_key=data_key, required=True, metadata={"description": description}, **more
    )


def _payment_hash() -> fields.String:
    is_hash = Regexp(PAYMENT_HASH)
    words = "Names the invoice: 64 lower-case hex digits."
    return _text("paymentHash", words, required=True, validate=is_hash)


class _AnswerSchema(Schema):
    """Describes an answer; tests hold the answers to it. It does not write them: that would
    cost a worker more than all else it does for a read."""

    class Meta:
        unknown = EXCLUDE  # a client ignores what it does not know, so we may add a field


class CreatedSchema(_AnswerSchema):
    """What `created_document` looks like."""

    payment_request = _text("paymentRequest", "The BOLT11 invoice to pay.", required=True)
    payment_hash = _payment_hash()
    expires_at = _instant("expiresAt", "Until when it can be paid.")


class StatusSchema(_AnswerSchema):
    """What `status_document` looks like."""

    payment_hash = _payment_hash()
    status = fields.Enum(
        InvoiceStatus,
        by_value=fields.String,
        required=True,
        metadata={
            "description": "What is recorded. `pending` past `expiresAt` means: being checked."
        },
    )
    amount = fields.Integer(strict=True, required=True, metadata={"description": "Whole satoshis."})
    expires_at = _instant("expiresAt", "Until when it could be paid.")
    settled_at = _instant("settledAt", "When it was paid.", allow_none=True)
    late = fields.Boolean(required=True, metadata={"description": "Paid after `expiresAt`."})
    payment_request = _text("paymentRequest", "The BOLT11 invoice; only while pending.")


class ErrorSchema(_AnswerSchema):
    """What every error looks like."""

    error = _text("error", "A sentence that says what to do.", required=True)
    code = _text("code", "Stable; what to decide by.", required=True, validate=OneOf(CODES))
    details = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.String()),
        metadata={
            "description": "With INVALID_INPUT: sentences by field; `body` for the whole body."
        },
    )
    request_id = _text("requestId", "The same as X-Request-ID.", required=True)


def created_document(invoice: Invoice) -> dict[str, Any]:
    """What a client is given to pay."""
    return {
        "paymentRequest": invoice.payment_request,
        "paymentHash": invoice.payment_hash,
        "expiresAt": instant(invoice.expires_at),
    }


def status_document(invoice: Invoice) -> dict[str, Any]:
    """What a client may know of an invoice; never the memo or the preimage."""
    document = {
        "paymentHash": invoice.payment_hash,
        "status": invoice.status,
        "amount": invoice.amount_sats,
        "expiresAt": instant(invoice.expires_at),
        "settledAt": invoice.settled_at and instant(invoice.settled_at),
        "late": invoice.late,
    }
    if invoice.status is InvoiceStatus.PENDING:
        document["paymentRequest"] = invoice.payment_request
    return document


def instant(at: datetime) -> str:
    """RFC 3339 in UTC with `Z`, such as `2026-11-23T12:00:00Z`."""
    return at.isoformat().replace("+00:00", "Z")
