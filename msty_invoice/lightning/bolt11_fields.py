"""The tagged fields of a BOLT11 invoice, as base32hex digits and as values."""

from collections.abc import Callable, Iterator
from typing import Any

from msty_invoice.lightning import bech32
from msty_invoice.lightning.bolt11_invoice import (
    DEFAULT_EXPIRY_SECONDS,
    DEFAULT_MIN_FINAL_CLTV_EXPIRY_DELTA,
    Bolt11,
    Bolt11Error,
    FallbackAddress,
    RouteHop,
)

_MAX_DIGITS = 1023  # ten bits of length: 639 bytes
_HOP = 51  # bytes
_LAST_FALLBACK_VERSION = 18
# The BOLT names fields by bech32 letters; here they are met as base32hex digits.
_TAGS = {
    letter: bytes([digit]) for letter, digit in zip("prnd9xsfhcm", b"13JD56G9NOR", strict=True)
}


def read_fields(digits: bytes) -> dict[str, Any]:
    """The fields by `Bolt11`'s names; unknown ones are skipped. Raises `Bolt11Error`.

    A field that belongs there once must not be there twice: of two hashes, one reader
    would take the first and another the last (lightning/bolts #1357).
    """
    found: dict[str, Any] = {}
    for tag, data in _tagged(digits):
        if tag not in _READERS:
            continue
        name, read = _READERS[tag]
        if name in _REPEATABLE:
            found[name] = (*found.get(name, ()), *read(data))
        elif name in found:
            raise Bolt11Error(f"more than one {name}")
        else:
            found[name] = read(data)
    return found


def write_fields(invoice: Bolt11) -> bytes:
    """Every field that is not at its default. Raises `Bolt11Error` if a value does not fit."""
    try:
        return b"".join(_fields(invoice))
    except (ValueError, OverflowError) as exc:
        raise Bolt11Error(f"a field cannot hold its value: {exc}") from exc


def field(letter: str, digits: bytes) -> bytes:
    """One tagged field, whatever it holds, by the letter the BOLT calls it by."""
    if len(digits) > _MAX_DIGITS:
        raise Bolt11Error(f"{len(digits)} digits for field {letter}")
    return _TAGS[letter] + bech32.from_int(len(digits)).rjust(2, b"0") + digits


def _tagged(digits: bytes) -> Iterator[tuple[bytes, bytes]]:
    start = 0
    while start < len(digits):
        data = start + 3
        if data > len(digits):
            raise Bolt11Error("a field is cut off in its length")
        end = data + int(digits[start + 1 : data], 32)
        if end > len(digits):
            raise Bolt11Error("a field is cut off in its data")
        yield digits[start : start + 1], digits[data:end]
        start = end


def _read_hash(digits: bytes) -> str:
    return _read_hex(digits, 52)


def _read_public_key(digits: bytes) -> str:
    return _read_hex(digits, 53)


def _read_hex(digits: bytes, length: int) -> str:
    # Once skipped, an error since lightning/bolts #1243: never overlooked, never guessed at.
    if len(digits) != length:
        raise Bolt11Error(f"a field of {len(digits)} digits instead of {length}")
    return bech32.to_bytes(digits).hex()


def _read_int(digits: bytes) -> int:
    # More digits than needed are read all the same: there is no doubt about the value.
    return int(digits, 32) if digits else 0


def _read_text(digits: bytes) -> str:
    try:
        return bech32.to_bytes(digits).decode()
    except UnicodeDecodeError as exc:
        raise Bolt11Error("a description that is not UTF-8") from exc


def _read_route(digits: bytes) -> tuple[tuple[RouteHop, ...]]:
    route = bech32.to_bytes(digits)
    if not route or len(route) % _HOP:
        raise Bolt11Error("a route hint that is not of whole hops")
    return (tuple(_read_hop(route[at : at + _HOP]) for at in range(0, len(route), _HOP)),)


def _read_hop(hop: bytes) -> RouteHop:
    return RouteHop(
        public_key=hop[:33].hex(),
        short_channel_id=int.from_bytes(hop[33:41], "big"),
        fee_base_msat=int.from_bytes(hop[41:45], "big"),
        fee_proportional_millionths=int.from_bytes(hop[45:49], "big"),
        cltv_expiry_delta=int.from_bytes(hop[49:], "big"),
    )


def _read_fallback(digits: bytes) -> tuple[FallbackAddress, ...]:
    version = _read_int(digits[:1])
    if not digits or version > _LAST_FALLBACK_VERSION:
        return ()  # of a kind yet to come: the BOLT says to skip it
    return (FallbackAddress(version, bech32.to_bytes(digits[1:])),)


_READERS: dict[bytes, tuple[str, Callable[[bytes], Any]]] = {
    _TAGS["p"]: ("payment_hash", _read_hash),
    _TAGS["s"]: ("payment_secret", _read_hash),
    _TAGS["d"]: ("description", _read_text),
    _TAGS["h"]: ("description_hash", _read_hash),
    _TAGS["n"]: ("payee", _read_public_key),
    _TAGS["x"]: ("expiry_seconds", _read_int),
    _TAGS["c"]: ("min_final_cltv_expiry_delta", _read_int),
    _TAGS["9"]: ("features", _read_int),
    _TAGS["r"]: ("route_hints", _read_route),
    _TAGS["f"]: ("fallback_addresses", _read_fallback),
    _TAGS["m"]: ("metadata", bech32.to_bytes),
}
_REPEATABLE = ("route_hints", "fallback_addresses")


def _fields(invoice: Bolt11) -> Iterator[bytes]:
    yield field("p", _hex_digits(invoice.payment_hash, 32))
    yield field("s", _hex_digits(invoice.payment_secret, 32))
    if invoice.description is not None:
        yield field("d", bech32.from_bytes(invoice.description.encode()))
    if invoice.description_hash is not None:
        yield field("h", _hex_digits(invoice.description_hash, 32))
    if invoice.expiry_seconds != DEFAULT_EXPIRY_SECONDS:
        yield field("x", bech32.from_int(invoice.expiry_seconds))
    if invoice.min_final_cltv_expiry_delta != DEFAULT_MIN_FINAL_CLTV_EXPIRY_DELTA:
        yield field("c", bech32.from_int(invoice.min_final_cltv_expiry_delta))
    yield from map(_route_field, invoice.route_hints)
    yield from map(_fallback_field, invoice.fallback_addresses)
    if invoice.metadata is not None:
        yield field("m", bech32.from_bytes(invoice.metadata))
    if invoice.features:
        yield field("9", bech32.from_int(invoice.features))


def _hex_digits(text: str, size: int) -> bytes:
    return bech32.from_bytes(_sized(bytes.fromhex(text), size))


def _route_field(route: tuple[RouteHop, ...]) -> bytes:
    if not route:
        raise Bolt11Error("a route hint without a hop")
    return field("r", bech32.from_bytes(b"".join(map(_hop_bytes, route))))


def _hop_bytes(hop: RouteHop) -> bytes:
    return (
        _sized(bytes.fromhex(hop.public_key), 33)
        + hop.short_channel_id.to_bytes(8, "big")
        + hop.fee_base_msat.to_bytes(4, "big")
        + hop.fee_proportional_millionths.to_bytes(4, "big")
        + hop.cltv_expiry_delta.to_bytes(2, "big")
    )


def _fallback_field(address: FallbackAddress) -> bytes:
    if not 0 <= address.version <= _LAST_FALLBACK_VERSION:
        raise Bolt11Error(f"a fallback address of unknown version {address.version}")
    return field("f", bech32.from_int(address.version) + bech32.from_bytes(address.program))


def _sized(data: bytes, size: int) -> bytes:
    if len(data) != size:
        raise Bolt11Error(f"{len(data)} bytes instead of {size}")
    return data
