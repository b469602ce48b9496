"""BOLT #11 payment requests, read and written (lightning/bolts, 11-payment-encoding.md).

As strict as the BOLT's own vectors of 2026: exactly one payment hash, no field of a
wrong length, no field twice that belongs there once. Two readers of one signed invoice
must never see two different payments.
"""

from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any

from coincurve import PrivateKey, PublicKey
from coincurve.ecdsa import cdata_to_der, deserialize_compact

from msty_invoice.lightning import bech32
from msty_invoice.lightning.bech32 import Bech32Error
from msty_invoice.lightning.bolt11_invoice import (
    DEFAULT_EXPIRY_SECONDS,
    DEFAULT_MIN_FINAL_CLTV_EXPIRY_DELTA,
    Bolt11,
    Bolt11Error,
    FallbackAddress,
    RouteHop,
    read_prefix,
    write_prefix,
)

__all__ = [
    "Bolt11",
    "Bolt11Error",
    "FallbackAddress",
    "RouteHop",
    "data_part",
    "decode",
    "encode",
    "field",
    "sign",
]

# What lnd reads at most (zpay32), so nobody could pay a longer one.
MAX_LENGTH = 7089
_TIMESTAMP = 7  # digits
_SIGNATURE = 104  # digits: 64 bytes and a recovery id
_HOP = 51  # bytes
_TAGS = {
    letter: bytes([digit]) for letter, digit in zip("prnd9xsfhcm", b"13JD56G9NOR", strict=True)
}


def decode(payment_request: str) -> Bolt11:
    """Read a payment request of either case.

    Raises `Bolt11Error` and nothing else, whatever the text.
    """
    if len(payment_request) > MAX_LENGTH:
        raise Bolt11Error(f"longer than {MAX_LENGTH} characters")
    try:
        return _decode(payment_request)
    except Bech32Error as exc:
        raise Bolt11Error(str(exc)) from exc


def encode(invoice: Bolt11, private_key: bytes) -> str:
    """Write and sign an invoice with a key of 32 bytes.

    `invoice.payee` is the key's public key or empty. Raises `Bolt11Error` if it is
    another's, and for a value that does not fit its field.
    """
    if invoice.payee and invoice.payee != _private_key(private_key).public_key.format().hex():
        raise Bolt11Error("the payee is not the owner of the private key")
    return sign(write_prefix(invoice.network, invoice.amount_msat), data_part(invoice), private_key)


def sign(prefix: str, digits: bytes, private_key: bytes) -> str:
    """Sign a prefix and a data part, whatever they say: no rule is checked here."""
    signature = _private_key(private_key).sign_recoverable(_digest(prefix, digits), hasher=None)
    return bech32.encode(prefix, digits + bech32.from_bytes(signature))


def data_part(invoice: Bolt11) -> bytes:
    """Timestamp and fields as base32hex digits, ready to be signed."""
    fields = [bech32.from_int(invoice.timestamp).rjust(_TIMESTAMP, b"0")]
    fields += [field("p", _hash_digits(invoice.payment_hash))]
    fields += [field("s", _hash_digits(invoice.payment_secret))]
    if invoice.description is not None:
        fields += [field("d", bech32.from_bytes(_utf8(invoice.description)))]
    if invoice.description_hash is not None:
        fields += [field("h", _hash_digits(invoice.description_hash))]
    return b"".join(fields + _optional_fields(invoice))


def field(letter: str, digits: bytes) -> bytes:
    """One tagged field, by the bech32 letter the BOLT calls it by."""
    if len(digits) > 1023:
        raise Bolt11Error(f"{letter} field longer than 639 bytes")
    return _TAGS[letter] + bech32.from_int(len(digits)).rjust(2, b"0") + digits


def _decode(payment_request: str) -> Bolt11:
    prefix, digits = bech32.decode(payment_request)
    network, amount_msat = read_prefix(prefix)
    if len(digits) < _TIMESTAMP + _SIGNATURE:
        raise Bolt11Error("too short to hold a timestamp and a signature")
    signed, signature = digits[:-_SIGNATURE], digits[-_SIGNATURE:]
    fields = _read_fields(signed[_TIMESTAMP:])
    for name in ("payment_hash", "payment_secret"):
        if name not in fields:
            raise Bolt11Error(f"no {name}")
    digest = _digest(prefix, signed)
    fields["payee"] = _payee(fields.get("payee"), digest, bech32.to_bytes(signature))
    return Bolt11(
        network=network,
        amount_msat=amount_msat,
        timestamp=int(signed[:_TIMESTAMP], 32),
        **fields,
    )


def _read_fields(digits: bytes) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for tag, data in _tagged(digits):
        if tag not in _READERS:
            continue
        name, read = _READERS[tag]
        value = read(data)
        if name in ("route_hints", "fallback_addresses"):
            found[name] = (*found.get(name, ()), *value)
        elif name in found:
            raise Bolt11Error(f"more than one {name}")
        else:
            found[name] = value
    return found


def _tagged(digits: bytes) -> Iterator[tuple[bytes, bytes]]:
    start = 0
    while start < len(digits):
        data = start + 3
        if data > len(digits):
            raise Bolt11Error("a field cut off in its length")
        end = data + int(digits[start + 1 : data], 32)
        if end > len(digits):
            raise Bolt11Error("a field cut off in its data")
        yield digits[start : start + 1], digits[data:end]
        start = end


def _read_hash(digits: bytes) -> str:
    if len(digits) != 52:
        raise Bolt11Error("a hash or secret that is not of 52 digits")
    return bech32.to_bytes(digits).hex()


def _read_public_key(digits: bytes) -> str:
    if len(digits) != 53:
        raise Bolt11Error("a payee that is not of 53 digits")
    return bech32.to_bytes(digits).hex()


def _read_int(digits: bytes) -> int:
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
    if not digits or version > 18:
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


def _digest(prefix: str, digits: bytes) -> bytes:
    """What is signed: prefix and data, filled up to whole bytes with zero bits."""
    size = (len(digits) * 5 + 7) // 8
    data = int(digits, 32) << (size * 8 - len(digits) * 5)
    return sha256(prefix.encode() + data.to_bytes(size, "big")).digest()


def _payee(named: str | None, digest: bytes, signature: bytes) -> str:
    """Who signed. With an `n` field its key must have, by a signature with a low S."""
    try:
        if named is None:
            signer = PublicKey.from_signature_and_message(signature, digest, hasher=None)
            return signer.format().hex()
        der = cdata_to_der(deserialize_compact(signature[:64]))
        valid = PublicKey(bytes.fromhex(named)).verify(der, digest, hasher=None)
    except ValueError as exc:
        raise Bolt11Error("no public key has made this signature") from exc
    if not valid or signature[64] > 3:
        raise Bolt11Error("not signed by the payee it names")
    return named


def _private_key(secret: bytes) -> PrivateKey:
    if len(secret) != 32:
        raise Bolt11Error("a private key that is not of 32 bytes")
    try:
        return PrivateKey(secret)
    except ValueError as exc:
        raise Bolt11Error("not a private key") from exc


def _optional_fields(invoice: Bolt11) -> list[bytes]:
    fields = []
    if invoice.expiry_seconds != DEFAULT_EXPIRY_SECONDS:
        fields += [field("x", bech32.from_int(invoice.expiry_seconds))]
    if invoice.min_final_cltv_expiry_delta != DEFAULT_MIN_FINAL_CLTV_EXPIRY_DELTA:
        fields += [field("c", bech32.from_int(invoice.min_final_cltv_expiry_delta))]
    for address in invoice.fallback_addresses:
        version = bech32.from_int(address.version)
        fields += [field("f", version + bech32.from_bytes(address.program))]
    for route in invoice.route_hints:
        fields += [field("r", bech32.from_bytes(b"".join(map(_hop_bytes, route))))]
    if invoice.metadata is not None:
        fields += [field("m", bech32.from_bytes(invoice.metadata))]
    if invoice.features:
        fields += [field("9", bech32.from_int(invoice.features))]
    return fields


def _hash_digits(value: str) -> bytes:
    try:
        data = bytes.fromhex(value)
    except ValueError as exc:
        raise Bolt11Error("a hash or secret that is not hex") from exc
    if len(data) != 32:
        raise Bolt11Error("a hash or secret that is not of 32 bytes")
    return bech32.from_bytes(data)


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as exc:
        raise Bolt11Error("a description that is not UTF-8") from exc


def _hop_bytes(hop: RouteHop) -> bytes:
    return (
        bytes.fromhex(hop.public_key)
        + hop.short_channel_id.to_bytes(8, "big")
        + hop.fee_base_msat.to_bytes(4, "big")
        + hop.fee_proportional_millionths.to_bytes(4, "big")
        + hop.cltv_expiry_delta.to_bytes(2, "big")
    )
