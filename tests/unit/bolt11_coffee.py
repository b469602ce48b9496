"""An invoice that is sound, and ways to spoil it and sign it all the same."""

import pytest
from coincurve import PrivateKey

from msty_invoice.domain.invoice import Network
from msty_invoice.lightning import bech32
from msty_invoice.lightning.bolt11 import Bolt11, Bolt11Error, data_part, decode, field, sign

KEY = bytes(range(1, 33))
PAYEE = PrivateKey(KEY).public_key.format().hex()
COFFEE = Bolt11(
    network=Network.MAINNET,
    amount_msat=250_000_000,
    timestamp=1_700_000_000,
    payment_hash="01" * 32,
    payment_secret="11" * 32,
    description="1 cup coffee",
    payee=PAYEE,
)
HASH = bech32.from_bytes(bytes(32))
KEY_DIGITS = bech32.from_bytes(bytes.fromhex(PAYEE))
TIMESTAMP = data_part(COFFEE)[:7]
P, S, D = field("p", HASH), field("s", HASH), field("d", bech32.from_bytes(b"tea"))


def with_more(*fields: bytes) -> str:
    return sign("lnbc2500u", data_part(COFFEE) + b"".join(fields), KEY)


def of_only(*fields: bytes) -> str:
    return sign("lnbc2500u", TIMESTAMP + b"".join(fields), KEY)


def refuse(payment_request: str, reason: str | None = None) -> None:
    with pytest.raises(Bolt11Error, match=reason):
        decode(payment_request)
