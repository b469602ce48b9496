"""Idempotency keys: asking twice, and being given the same invoice.

https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
"""

import json
import re
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from msty_invoice.domain.errors import InvalidInput
from msty_invoice.domain.invoice import InvoiceOrder
from msty_invoice.domain.key import KeyKind

HEADER = "Idempotency-Key"
_MAX_LENGTH = 255
# All visitors of a page share its key, so nobody may hit upon another's by chance:
# 22 characters hold the 128 bits of a UUID in base64.
_MIN_LENGTH = {KeyKind.SECRET: 1, KeyKind.PUBLISHABLE: 22}

_VISIBLE = re.compile(r"[!-~]*")
# RFC 8941, section 3.3.3: a backslash stands before a quote or another backslash only.
_QUOTED = re.compile(r'"((?:[^"\\]|\\["\\])*)"')
_ESCAPED = re.compile(r'\\(["\\])')


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A name that a client chose for one order, 1 to 255 visible ASCII characters."""

    value: str

    @classmethod
    def parse(cls, header: str, kind: KeyKind) -> "IdempotencyKey":
        """The key in a header: a quoted RFC 8941 string and its bare text are the same.

        `kind` is that of the API key it came with. Raises `InvalidInput`.
        """
        value = header.strip(" \t")
        if value.startswith('"'):
            quoted = _QUOTED.fullmatch(value)
            if quoted is None:
                raise _invalid("Must be one quoted string, without parameters.")
            value = _ESCAPED.sub(r"\1", quoted[1])
        shortest = _MIN_LENGTH[kind]
        if not shortest <= len(value) <= _MAX_LENGTH:
            raise _invalid(f"Must have from {shortest} to {_MAX_LENGTH} characters.")
        if not _VISIBLE.fullmatch(value):
            raise _invalid("Must be visible ASCII characters, without spaces.")
        return cls(value)


@dataclass(frozen=True, slots=True)
class Claim:
    """One attempt to fulfil the order of a key. `token` is the attempt's own."""

    key_family: UUID
    key: IdempotencyKey
    fingerprint: bytes
    token: UUID


def fingerprint(order: InvoiceOrder) -> bytes:
    """The SHA-256 of what an order means, so that how its JSON was written does not matter."""
    meaning = ["create-invoice", order.amount_sats, order.memo]
    return sha256(json.dumps(meaning, separators=(",", ":")).encode()).digest()


def _invalid(sentence: str) -> InvalidInput:
    return InvalidInput({HEADER: [sentence]})
