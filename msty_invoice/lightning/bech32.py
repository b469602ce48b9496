"""Bech32 (BIP-173) without its limit of 90 characters, as BOLT #11 uses it.

Five-bit symbols are handled as base32hex digits (RFC 4648 §7, `0`-`9` `A`-`V`), one
byte each: `int(digits, 32)` then regroups any number of them in C.
"""

from base64 import b32hexencode
from struct import unpack as struct_unpack

_CHARSET = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_DIGITS = b"0123456789ABCDEFGHIJKLMNOPQRSTUV"
_TO_DIGITS = bytes.maketrans(_CHARSET, _DIGITS)
_TO_CHARSET = bytes.maketrans(_DIGITS, _CHARSET)
_TO_VALUES = bytes.maketrans(_CHARSET, bytes(range(32)))
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHECKSUM = 6  # symbols


class Bech32Error(ValueError):
    """Not a bech32 string, or not a number of whole bytes."""


def decode(text: str) -> tuple[str, bytes]:
    """The human-readable part and the data as base32hex digits. Raises `Bech32Error`."""
    prefix, symbols = _split(text)
    if symbols.translate(None, _CHARSET):
        raise Bech32Error("a character outside the bech32 alphabet")
    if _polymod(prefix, symbols.translate(_TO_VALUES)) != 1:
        raise Bech32Error("the bech32 checksum does not match")
    return prefix, symbols[:-_CHECKSUM].translate(_TO_DIGITS)


def encode(prefix: str, digits: bytes) -> str:
    """The bech32 string of a lower-case prefix and base32hex digits."""
    symbols = digits.translate(_TO_CHARSET)
    remainder = _polymod(prefix, symbols.translate(_TO_VALUES) + bytes(_CHECKSUM)) ^ 1
    checksum = bytes(_CHARSET[value] for value in remainder.to_bytes(_CHECKSUM, "big"))
    return f"{prefix}1{(symbols + checksum).decode()}"


def to_bytes(digits: bytes) -> bytes:
    """The whole bytes in these digits. Raises `Bech32Error` if the padding holds anything."""
    if not digits:
        return b""
    size, spare = divmod(len(digits) * 5, 8)
    number = int(digits, 32)
    if spare >= 5 or number & ((1 << spare) - 1):
        raise Bech32Error("padding that is too long or not zero")
    return (number >> spare).to_bytes(size, "big")


def from_bytes(data: bytes) -> bytes:
    """Bytes as digits, padded with zero bits (which is what RFC 4648 does, too)."""
    return b32hexencode(data)[: (len(data) * 8 + 4) // 5]


def from_int(number: int) -> bytes:
    """A number of at least 0 in as few digits as possible, but at least one."""
    digits = [_DIGITS[number & 31]]
    while number := number >> 5:
        digits.append(_DIGITS[number & 31])
    return bytes(reversed(digits))


def _split(text: str) -> tuple[str, bytes]:
    if not text.isascii():
        raise Bech32Error("a character outside ASCII")
    lower = text.lower()
    if text not in (lower, text.upper()):
        raise Bech32Error("upper and lower case are mixed")
    prefix, separator, symbols = lower.rpartition("1")
    if not separator or not prefix or len(symbols) < _CHECKSUM:
        raise Bech32Error("no human-readable part, separator and checksum")
    return prefix, symbols.encode()


def _top_symbol(value: int) -> int:
    """What a symbol shifted out of the remainder adds to it, one symbol in each byte."""
    added = 0
    for bit, generator in enumerate(_GENERATOR):
        if value >> bit & 1:
            added ^= sum((generator >> 5 * lane & 31) << 8 * lane for lane in range(6))
    return added


_TOP = [_top_symbol(value) for value in range(32)]


def _top_pair(pair: int) -> int:
    first, second = pair >> 8 & 31, pair & 31
    once = _TOP[first]
    second ^= once >> 40
    return (once & 0xFF_FFFF_FFFF) << 8 ^ _TOP[second]


_TOP_PAIR = [_top_pair(pair) for pair in range(0x1F1F + 1)]


def _polymod(prefix: str, values: bytes) -> int:
    """BIP-173's remainder, two symbols a step.

    Symbols lie in bytes and the remainder in six of them, so that one `struct` call
    makes the pairs and `to_bytes` gives the checksum. BIP-173 starts from 1, which is
    the remainder of a symbol 1; a 0 before it changes nothing and evens the length.
    """
    readable = prefix.encode()
    high, low = bytes(c >> 5 for c in readable), bytes(c & 31 for c in readable)
    padded = b"\x01" + high + b"\x00" + low + values
    if len(padded) % 2:
        padded = b"\x00" + padded
    remainder = 0
    for pair in struct_unpack(f">{len(padded) // 2}H", padded):
        remainder = (remainder & 0xFFFF_FFFF) << 16 ^ pair ^ _TOP_PAIR[remainder >> 32]
    return remainder
