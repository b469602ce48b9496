"""Invoices and addresses of a node that does not exist: well formed, signed, regtest."""

import os
from dataclasses import dataclass, replace
from hashlib import sha256

from coincurve import PrivateKey

from msty_invoice.domain.invoice import Network
from msty_invoice.lightning import bech32, bolt11
from msty_invoice.lightning.bolt11 import Bolt11

# BOLT #9: onion payload and payment secret demanded, multi-part payments possible.
_FEATURES = 1 << 8 | 1 << 14 | 1 << 17
_MSAT_PER_SAT = 1000


@dataclass(frozen=True)
class Minted:
    """A new invoice and what only its maker knows. `expires_at` is in seconds since 1970 UTC."""

    payment_request: str
    payment_hash: str
    preimage: str
    expires_at: int


class Mint:
    """Signs with a key of its own, which an account keeps across restarts."""

    def __init__(self, account_id: str) -> None:
        self._key = PrivateKey(sha256(b"sandbox node of " + account_id.encode()).digest())

    def invoice(
        self, amount_sats: int, label: str, now: int, expiry_seconds: int | None, flaw: str | None
    ) -> Minted:
        """Sign an invoice, on purpose with a `flaw` if one is named (see `faults`)."""
        preimage = os.urandom(32)
        invoice = Bolt11(
            network=Network.REGTEST,
            amount_msat=amount_sats * _MSAT_PER_SAT,
            timestamp=now,
            payment_hash=sha256(preimage).hexdigest(),
            payment_secret=os.urandom(32).hex(),
            description=label,
            features=_FEATURES,
        )
        if expiry_seconds:
            invoice = replace(invoice, expiry_seconds=expiry_seconds)
        return Minted(
            self._sign(invoice, flaw),
            invoice.payment_hash,
            preimage.hex(),
            now + invoice.expiry_seconds,
        )

    def address(self) -> str:
        """A pay-to-witness-public-key-hash address (BIP-173) whose key nobody has."""
        return bech32.encode("bcrt", b"0" + bech32.from_bytes(os.urandom(20)))

    def _sign(self, invoice: Bolt11, flaw: str | None) -> str:
        invoice = _flawed(invoice, flaw)
        digits = bolt11.data_part(invoice)
        if flaw == "second_hash":
            digits += bolt11.field("p", bech32.from_bytes(os.urandom(32)))
        prefix = bolt11.write_prefix(invoice.network, invoice.amount_msat)
        # Not bolt11.sign: deriving the public key anew each time is a third of its work.
        signature = self._key.sign_recoverable(_digest(prefix, digits), hasher=None)
        return bech32.encode(prefix, digits + bech32.from_bytes(signature))


def _digest(prefix: str, digits: bytes) -> bytes:
    """BOLT #11: the SHA-256 of prefix and data, zero bits added up to whole bytes."""
    spare = -len(digits) * 5 % 8
    data = int(digits, 32) << spare
    return sha256(prefix.encode() + data.to_bytes((len(digits) * 5 + spare) // 8, "big")).digest()


def _flawed(invoice: Bolt11, flaw: str | None) -> Bolt11:
    match flaw:
        case "amount":
            return replace(invoice, amount_msat=(invoice.amount_msat or 0) + _MSAT_PER_SAT)
        case "network":
            return replace(invoice, network=Network.TESTNET)
        case "no_amount":
            return replace(invoice, amount_msat=None)
        case _:
            return invoice
