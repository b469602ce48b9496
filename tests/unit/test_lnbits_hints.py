"""LNbits' webhook is a hint: one hash is read of it, and one hash is kept."""

import json

import pytest

from msty_invoice.domain.errors import InvalidInput
from msty_invoice.lightning.lnbits.webhook import read_hint

HASH = "ab" * 32
ROW = {"payment_hash": HASH, "amount": 1000, "status": "success", "preimage": "c0ffee" * 10}


@pytest.mark.parametrize("body", [json.dumps(json.dumps(ROW)), json.dumps(ROW)])
def test_json_in_json_and_plain_json_are_read_alike(body: str) -> None:
    event = read_hint("lnbits", body.encode())

    assert (event.provider, event.type, event.ref, event.state) == (
        "lnbits", "DEPOSIT", HASH, "SUCCESS",
    )  # fmt: skip


def test_nothing_but_the_hash_is_kept() -> None:
    event = read_hint("lnbits", json.dumps(ROW).encode())

    assert json.loads(event.body) == {"payment_hash": HASH}
    other = read_hint("lnbits", json.dumps(ROW | {"status": "failed"}).encode())
    assert event.body_sha256 == other.body_sha256


@pytest.mark.parametrize(
    "body",
    [
        b"", b"\xff", b"null", b"[]", b"7", b'"x"', b'"[]"', b'"\\"{}\\""', b"{}", b"[" * 9999,
        json.dumps({"payment_hash": HASH.upper()}).encode(),
        json.dumps({"payment_hash": HASH[1:]}).encode(),
        json.dumps({"payment_hash": [HASH]}).encode(),
        json.dumps({"payment_hash": HASH + "\n"}).encode(),
        json.dumps({"checking_id": HASH}).encode(),
    ],
)  # fmt: skip
def test_what_names_no_payment_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidInput):
        read_hint("lnbits", body)
