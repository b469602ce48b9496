"""Who signed a BOLT11 invoice, and what exactly was signed."""

from dataclasses import replace

import pytest
from coincurve import PrivateKey

from msty_invoice.lightning import bech32
from msty_invoice.lightning.bolt11 import Bolt11Error, data_part, decode, encode, field
from tests.unit.bolt11_coffee import COFFEE, KEY, KEY_DIGITS, refuse

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def signed(data: bytes, *, key: bytes = KEY, high_s: bool = False, recovery_id: int = 0) -> str:
    """Sign as BOLT #11 words it, bit by bit and apart from our own codec's way."""
    bits = "".join(f"{int(chr(digit), 32):05b}" for digit in data)
    bits += "0" * (-len(bits) % 8)
    message = b"lnbc2500u" + bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8))
    signature = bytearray(PrivateKey(key).sign_recoverable(message))
    if high_s:
        signature[32:64] = (ORDER - int.from_bytes(signature[32:64], "big")).to_bytes(32, "big")
        signature[64] ^= 1  # the other of the two points this r may stand for
    signature[64] += recovery_id
    return bech32.encode("lnbc2500u", data + bech32.from_bytes(bytes(signature)))


def test_what_is_signed_is_what_the_bolt_says() -> None:
    assert signed(data_part(COFFEE)) == encode(COFFEE, KEY)


def test_a_signature_with_a_high_s_is_recovered_but_not_verified() -> None:
    named = data_part(COFFEE) + field("n", KEY_DIGITS)
    assert decode(signed(data_part(COFFEE), high_s=True)) == COFFEE
    assert decode(signed(named)) == COFFEE
    refuse(signed(named, high_s=True), "not signed by the payee")


def test_a_payee_who_did_not_sign_is_refused() -> None:
    named = data_part(COFFEE) + field("n", KEY_DIGITS)
    refuse(signed(named, key=bytes(range(2, 34))), "not signed by the payee")
    no_key = field("n", bech32.from_bytes(bytes(33)))
    refuse(signed(data_part(COFFEE) + no_key), "no public key")


def test_a_recovery_id_above_three_is_refused() -> None:
    refuse(signed(data_part(COFFEE), recovery_id=4), "no public key")
    refuse(signed(data_part(COFFEE) + field("n", KEY_DIGITS), recovery_id=4), "not signed by")


@pytest.mark.parametrize("key", [b"", bytes(32), b"\xff" * 32, KEY[:31], KEY + b"\x00"])
def test_what_is_no_private_key_signs_nothing(key: bytes) -> None:
    with pytest.raises(Bolt11Error, match="private key"):
        encode(COFFEE, key)


def test_a_payee_left_empty_becomes_who_signed() -> None:
    assert decode(encode(replace(COFFEE, payee=""), KEY)) == COFFEE
