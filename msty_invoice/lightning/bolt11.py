"""BOLT #11 payment requests, read and written (lightning/bolts, 11-payment-encoding.md).

As strict as the BOLT's own vectors of 2026, since two readers of one signed invoice must
never see two different payments.
"""

from hashlib import sha256

from coincurve import PrivateKey, PublicKey
from coincurve.ecdsa import cdata_to_der, deserialize_compact

from msty_invoice.lightning import bech32
from msty_invoice.lightning.bech32 import Bech32Error
from msty_invoice.lightning.bolt11_fields import field, read_fields, write_fields
from msty_invoice.lightning.bolt11_invoice import (
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
    "write_prefix",
]

# What lnd reads at most (zpay32), so few could pay a longer one.
MAX_LENGTH = 7089
_TIMESTAMP = 7  # digits
_SIGNATURE = 104  # digits: 64 bytes and a recovery id


def decode(payment_request: str) -> Bolt11:
    """Read a payment request of either case, its signature included.

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

    `invoice.payee` is that key's public key, or empty. Raises `Bolt11Error` if it is
    another's, and if a value does not fit its field.
    """
    signer = _signer(private_key)
    if invoice.payee and invoice.payee != signer.public_key.format().hex():
        raise Bolt11Error("the payee is not who signs")
    return _sign(write_prefix(invoice.network, invoice.amount_msat), data_part(invoice), signer)


def data_part(invoice: Bolt11) -> bytes:
    """Timestamp and fields as base32hex digits, ready to be signed."""
    return bech32.from_int(invoice.timestamp).rjust(_TIMESTAMP, b"0") + write_fields(invoice)


def sign(prefix: str, digits: bytes, private_key: bytes) -> str:
    """Sign any prefix and data part: unlike `encode`, this makes unsound invoices, too."""
    return _sign(prefix, digits, _signer(private_key))


def _decode(payment_request: str) -> Bolt11:
    prefix, digits = bech32.decode(payment_request)
    network, amount_msat = read_prefix(prefix)
    if len(digits) < _TIMESTAMP + _SIGNATURE:
        raise Bolt11Error("too short for a timestamp and a signature")
    signed, signature = digits[:-_SIGNATURE], digits[-_SIGNATURE:]
    fields = read_fields(signed[_TIMESTAMP:])
    for name in ("payment_hash", "payment_secret"):
        if name not in fields:
            raise Bolt11Error(f"no {name}")
    digest = _digest(prefix, signed)
    fields["payee"] = _payee(fields.get("payee"), digest, bech32.to_bytes(signature))
    timestamp = int(signed[:_TIMESTAMP], 32)
    return Bolt11(network=network, amount_msat=amount_msat, timestamp=timestamp, **fields)


def _digest(prefix: str, digits: bytes) -> bytes:
    """What is signed: prefix and data, filled up to whole bytes with zero bits."""
    size = (len(digits) * 5 + 7) // 8
    data = int(digits, 32) << (size * 8 - len(digits) * 5)
    return sha256(prefix.encode() + data.to_bytes(size, "big")).digest()


def _payee(named: str | None, digest: bytes, signature: bytes) -> str:
    """Who signed: whoever is named by an `n` field, or else recovered from the signature.

    As the BOLT has it, a named payee must have signed with a low S (which libsecp256k1
    insists on when it verifies), while recovery takes a high one, too.
    """
    try:
        if named is None:
            signer = PublicKey.from_signature_and_message(signature, digest, hasher=None)
            return signer.format().hex()
        der = cdata_to_der(deserialize_compact(signature[:64]))
        valid = PublicKey(bytes.fromhex(named)).verify(der, digest, hasher=None)
    except ValueError as exc:
        raise Bolt11Error("no public key makes this signature") from exc
    if not valid or signature[64] > 3:
        raise Bolt11Error("not signed by the payee it names")
    return named


def _signer(private_key: bytes) -> PrivateKey:
    if len(private_key) != 32:
        raise Bolt11Error("a private key that is not of 32 bytes")
    try:
        return PrivateKey(private_key)
    except ValueError as exc:
        raise Bolt11Error("not a private key") from exc


def _sign(prefix: str, digits: bytes, signer: PrivateKey) -> str:
    signature = signer.sign_recoverable(_digest(prefix, digits), hasher=None)
    return bech32.encode(prefix, digits + bech32.from_bytes(signature))
