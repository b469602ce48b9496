"""What a BOLT11 invoice says, and which combinations no invoice may say."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from msty_invoice.domain.invoice import Network

DEFAULT_EXPIRY_SECONDS = 3600
DEFAULT_MIN_FINAL_CLTV_EXPIRY_DELTA = 18

_CURRENCIES = {
    "bc": Network.MAINNET,
    "tb": Network.TESTNET,
    "tbs": Network.SIGNET,
    "bcrt": Network.REGTEST,
}
_CURRENCY_OF = {network: currency for currency, network in _CURRENCIES.items()}
# Largest unit first, so that the first that divides an amount is the shortest to write.
_MSAT_PER_UNIT = {"": 10**11, "m": 10**8, "u": 10**5, "n": 10**2}
# Twenty digits hold every amount there can be, and keep int() from meeting thousands.
_PREFIX = re.compile(r"ln(bcrt|bc|tbs|tb)(?:([1-9][0-9]{0,19})([munp]?))?")
_MAX_MSAT = 21_000_000 * 10**11
_MAX_TIMESTAMP = (1 << 35) - 1
_MAX_EXPIRES_AT = int(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp())

# The bits BOLT #9 defines for invoices: onion payload, payment secret, multi-part
# payments, blinded routes, attribution data, payment metadata. An even bit is a demand
# on the payer. Nobody here pays, but an invoice that wallets must refuse is no use to
# show, so the rule for payers is applied: an unknown even bit refuses the invoice.
_KNOWN_EVEN_FEATURES = sum(1 << bit for bit in (8, 14, 16, 24, 36, 48))
_EVEN = sum(1 << bit for bit in range(0, 1023 * 5, 2))  # in the longest field there is


class Bolt11Error(ValueError):
    """This is not an invoice anyone should pay. The text says which rule it breaks."""


@dataclass(frozen=True, slots=True)
class RouteHop:
    """One channel of a private route, in BOLT #7's terms."""

    public_key: str
    short_channel_id: int
    fee_base_msat: int
    fee_proportional_millionths: int
    cltv_expiry_delta: int


@dataclass(frozen=True, slots=True)
class FallbackAddress:
    """An on-chain address: a witness version and program, or 17 (P2PKH) or 18 (P2SH) and a hash."""

    version: int
    program: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Bolt11:
    """An invoice in BOLT #11's terms: msat, seconds since 1970 UTC, lower-case hex.

    Raises `Bolt11Error` for what no invoice may say. `payee` may be left empty where
    the invoice is yet to be signed.
    """

    network: Network
    amount_msat: int | None
    timestamp: int
    payment_hash: str
    payment_secret: str
    description: str | None = None
    description_hash: str | None = None
    expiry_seconds: int = DEFAULT_EXPIRY_SECONDS
    min_final_cltv_expiry_delta: int = DEFAULT_MIN_FINAL_CLTV_EXPIRY_DELTA
    features: int = 0
    payee: str = ""
    route_hints: tuple[tuple[RouteHop, ...], ...] = ()
    fallback_addresses: tuple[FallbackAddress, ...] = ()
    metadata: bytes | None = None

    def __post_init__(self) -> None:
        """Refuse what the type alone would allow."""
        if self.amount_msat is not None and not 0 < self.amount_msat <= _MAX_MSAT:
            raise Bolt11Error("an amount of nothing, or of more bitcoin than there are")
        if (self.description is None) == (self.description_hash is None):
            raise Bolt11Error("not exactly one of description and description hash")
        if not 0 <= self.timestamp <= _MAX_TIMESTAMP:
            raise Bolt11Error("a timestamp that does not fit 35 bits")
        if self.expiry_seconds < 0 or self.timestamp + self.expiry_seconds > _MAX_EXPIRES_AT:
            raise Bolt11Error("an expiry that is no date")
        if self.min_final_cltv_expiry_delta < 0:
            raise Bolt11Error("a negative CLTV expiry delta")
        _refuse_unknown_features(self.features)

    @property
    def expires_at(self) -> datetime:
        """The instant from which a payment should no longer be accepted, in aware UTC."""
        return datetime.fromtimestamp(self.timestamp + self.expiry_seconds, UTC)

    @property
    def amount_sats(self) -> int:
        """The amount in whole sats. Raises `Bolt11Error` if it has none, or a fraction."""
        if self.amount_msat is None:
            raise Bolt11Error("no amount")
        sats, msat = divmod(self.amount_msat, 1000)
        if msat:
            raise Bolt11Error("an amount with a fraction of a satoshi")
        return sats


def _refuse_unknown_features(features: int) -> None:
    if features < 0:
        raise Bolt11Error("negative features")
    unknown = features & _EVEN & ~_KNOWN_EVEN_FEATURES
    if unknown:
        raise Bolt11Error(f"unknown required feature {unknown.bit_length() - 1}")


def read_prefix(prefix: str) -> tuple[Network, int | None]:
    """The network and the amount in msat of a human-readable part. Raises `Bolt11Error`."""
    match = _PREFIX.fullmatch(prefix)
    if match is None:
        raise Bolt11Error("a prefix of no known network, or a malformed amount")
    currency, amount, multiplier = match.groups()
    if amount is None:
        return _CURRENCIES[currency], None
    if multiplier != "p":
        return _CURRENCIES[currency], int(amount) * _MSAT_PER_UNIT[multiplier]
    msat, fraction = divmod(int(amount), 10)
    if fraction:
        raise Bolt11Error("an amount with a fraction of a millisatoshi")
    return _CURRENCIES[currency], msat


def write_prefix(network: Network, amount_msat: int | None) -> str:
    """The human-readable part, with the amount as short as it can be."""
    currency = f"ln{_CURRENCY_OF[network]}"
    if amount_msat is None:
        return currency
    for multiplier, msat in _MSAT_PER_UNIT.items():
        if amount_msat % msat == 0:
            return f"{currency}{amount_msat // msat}{multiplier}"
    return f"{currency}{amount_msat * 10}p"
