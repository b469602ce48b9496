"""River-Signature: over the bytes, with any active secret, lately."""

import hmac
import json
from datetime import UTC, datetime
from hashlib import sha256

import pytest

from msty_invoice.domain.errors import WebhookForged, WebhookStale, WebhookUnsigned
from msty_invoice.lightning.river.signature import SignatureRules, verify
from tests.fakes import NOON

NEW, OLD, ANOTHER = b"n" * 32, b"o" * 32, b"a" * 32
BODY = b'{"id": "dep_1",  "type":"DEPOSIT","state":"SUCCESS", "id": "dep_2", "x": "\\u00e9"}'
RULES = SignatureRules(secrets=(NEW, OLD))
AT = str(int(NOON.timestamp()))


def digest(secret: bytes = NEW, body: bytes = BODY, timestamp: str = AT) -> str:
    return hmac.new(secret, timestamp.encode() + b"." + body, sha256).hexdigest()


def header(**overrides: object) -> str:
    parts: dict[str, object] = {"timestamp": AT, "signature": digest()}
    return json.dumps(parts | overrides)


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(NOON.timestamp() + seconds, UTC)


def test_exactly_these_bytes_verify() -> None:
    verify(header(), BODY, RULES, NOON)


def test_the_same_meaning_in_other_bytes_does_not() -> None:
    with pytest.raises(WebhookForged):
        verify(header(), json.dumps(json.loads(BODY)).encode(), RULES, NOON)


@pytest.mark.parametrize("secret", [NEW, OLD])
def test_every_active_secret_is_accepted(secret: bytes) -> None:
    verify(header(signature=digest(secret)), BODY, RULES, NOON)


def test_a_retired_secret_is_not() -> None:
    with pytest.raises(WebhookForged):
        verify(header(signature=digest(OLD)), BODY, SignatureRules(secrets=(NEW,)), NOON)


def test_before_a_secret_is_known_nothing_verifies() -> None:
    with pytest.raises(WebhookForged):
        verify(header(signature=digest(b"")), BODY, SignatureRules(), NOON)


def test_a_timestamp_is_part_of_what_is_signed() -> None:
    with pytest.raises(WebhookForged):
        verify(header(timestamp=str(int(AT) + 1)), BODY, RULES, NOON)


@pytest.mark.parametrize("seconds", [-300, -299, 0, 299, 300])
def test_five_minutes_either_way_are_well(seconds: int) -> None:
    verify(header(), BODY, RULES, at(seconds))


@pytest.mark.parametrize("seconds", [-301, 301, 86_400])
def test_anything_older_or_newer_is_stale(seconds: int) -> None:
    with pytest.raises(WebhookStale):
        verify(header(), BODY, RULES, at(seconds))


def test_a_forged_one_is_not_called_stale() -> None:
    with pytest.raises(WebhookForged):
        verify(header(signature=digest(ANOTHER)), BODY, RULES, at(86_400))


def test_milliseconds_are_a_setting() -> None:
    in_ms = AT + "000"
    signed = header(timestamp=in_ms, signature=digest(timestamp=in_ms))

    verify(signed, BODY, SignatureRules(secrets=(NEW,), unit="ms"), NOON)
    with pytest.raises(WebhookStale):
        verify(signed, BODY, RULES, NOON)


def test_pairs_are_a_setting() -> None:
    pairs = f"timestamp={AT}, signature={digest()}"

    verify(pairs, BODY, SignatureRules(secrets=(NEW,), layout="kv"), NOON)
    with pytest.raises(WebhookUnsigned):
        verify(pairs, BODY, RULES, NOON)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "{}",
        "null",
        "[]",
        "not json",
        "[" * 900,
        "x" * 5000,
        header(timestamp=None),
        header(timestamp=int(AT)),
        header(timestamp="-1"),
        header(timestamp="1e9"),
        header(timestamp="NaN"),
        header(timestamp="9" * 17),
        header(timestamp="١٢٣"),
        header(signature=""),
        header(signature=digest()[:-2]),
        header(signature="z" * 64),
        header(signature=None),
        digest(),
        f"t={AT},v1={digest()}",
    ],
)
def test_what_cannot_be_read_is_unsigned(value: str) -> None:
    with pytest.raises(WebhookUnsigned):
        verify(value, BODY, RULES, NOON)


def test_no_secret_is_in_the_text_of_the_rules() -> None:
    assert "nnn" not in repr(RULES)
