"""Request bodies: plain JSON, read strictly, and never left lying on the socket."""

import json
from typing import Any, NoReturn

import falcon

from msty_invoice.domain.errors import InvalidInput, PayloadTooLarge, UnsupportedMediaType

MAX_BYTES = 16 * 1024
# What is read away of a refused body. Closing a socket with bytes unread resets the
# connection, and the client would lose our answer.
_DRAIN_BYTES = 16 * 1024 * 1024
_CHUNK = 64 * 1024

_UTF_8 = {"utf-8", "utf8", "us-ascii"}


def read_json_object(req: falcon.Request) -> dict[str, Any]:
    """The JSON object in the body.

    Raises `UnsupportedMediaType`, `PayloadTooLarge`, or `InvalidInput` for the field "body".
    """
    _ensure_plain_json(req)
    try:
        text = read_bytes(req, MAX_BYTES).decode()
    except UnicodeDecodeError:
        _refuse("The body must be UTF-8.")
    try:
        document = json.loads(
            text, object_pairs_hook=_without_duplicates, parse_constant=_no_constant
        )
    except RecursionError:
        _refuse("The body is nested too deeply.")
    except ValueError:
        _refuse("The body must be JSON.")
    if not isinstance(document, dict):
        _refuse("The body must be a JSON object.")
    return document


def read_bytes(req: falcon.Request, most: int) -> bytes:
    """The body as it came, at most `most` bytes. Raises `PayloadTooLarge`."""
    if (req.content_length or 0) > most:
        raise PayloadTooLarge(f"{req.content_length} bytes")
    # gunicorn ends the stream where a chunked body ends, so it needs no length.
    stream = req.stream if req.env.get("wsgi.input_terminated") else req.bounded_stream
    body: bytes = stream.read(most + 1)
    if len(body) > most:
        raise PayloadTooLarge(f"more than {most} bytes")
    return body


class Drain:
    """Reads away whatever of the body no one wanted."""

    def process_response(
        self, req: falcon.Request, resp: falcon.Response, resource: object, succeeded: bool
    ) -> None:
        left = min(req.content_length or 0, _DRAIN_BYTES)
        while left > 0 and (chunk := req.bounded_stream.read(min(left, _CHUNK))):
            left -= len(chunk)


def _ensure_plain_json(req: falcon.Request) -> None:
    media_type, _, parameters = (req.content_type or "").partition(";")
    charset = parameters.strip().lower().removeprefix("charset=").strip('"')
    if media_type.strip().lower() != "application/json" or (charset and charset not in _UTF_8):
        raise UnsupportedMediaType(f"Content-Type: {req.content_type!r}")
    if (req.get_header("Content-Encoding") or "identity").lower() != "identity":
        raise UnsupportedMediaType("Content-Encoding is set")


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Two parsers may disagree on which of two equal names counts: refuse both.
    names = dict(pairs)
    if len(names) != len(pairs):
        _refuse("A name stands twice in one object.")
    return names


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)  # NaN and Infinity are not JSON


def _refuse(sentence: str) -> NoReturn:
    raise InvalidInput({"body": [sentence]})
