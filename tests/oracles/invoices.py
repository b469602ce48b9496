"""Forty-two invoices of our own that between them use every field and every network."""

from collections.abc import Sequence
from hashlib import sha256
from typing import TypeVar

from msty_invoice.domain.invoice import Network
from msty_invoice.lightning.bolt11 import Bolt11, FallbackAddress, RouteHop, encode

Choice = TypeVar("Choice")

_COUNT = 42
# Lists of different lengths, so that going through all at once mixes them.
_NETWORKS = tuple(Network)
_AMOUNTS_MSAT = (
    None,
    1,
    10,
    999,
    1_000,
    12_345,
    100_000,
    250_000_000,
    10**8,
    10**11,
    123_456_789_012,
    21_000_000 * 10**11,
    2_500_000_000,
)
_MEMOS = (
    "1 cup coffee",
    "",
    "ナンセンス 1杯",
    "💜 and ⚡ for 5 €",
    "a" * 639,
    'line\nbreak, "quotes", \\ and \t',
    "é" * 319,
)
_EXPIRIES = (3600, 60, 1, 0, 86_400, 31, 32, 604_800, 31_536_000)
_CLTV_DELTAS = (18, 9, 40, 144, 2016)
_FEATURE_BITS = ((8, 14), (), (8, 14, 16), (9, 15, 17), (8, 14, 48), (9, 15, 25, 99), (14,), (49,))
_TIMESTAMPS = (1_496_314_658, 1_700_000_000, 0, 31, (1 << 35) - 1, 1_800_000_001)


def our_invoices() -> list[str]:
    """The invoices, the same every time: signatures are deterministic (RFC 6979)."""
    return [encode(_invoice(number), _hash("key", number % 5)) for number in range(_COUNT)]


def _invoice(number: int) -> Bolt11:
    hashed = number % 8 == 7
    return Bolt11(
        network=_of(_NETWORKS, number),
        amount_msat=_of(_AMOUNTS_MSAT, number),
        timestamp=_of(_TIMESTAMPS, number),
        payment_hash=_hash("payment", number).hex(),
        payment_secret=_hash("secret", number).hex(),
        description=None if hashed else _of(_MEMOS, number),
        description_hash=_hash("description", number).hex() if hashed else None,
        expiry_seconds=_of(_EXPIRIES, number),
        min_final_cltv_expiry_delta=_of(_CLTV_DELTAS, number),
        features=sum(1 << bit for bit in _of(_FEATURE_BITS, number)),
        route_hints=tuple(_route(number, hops) for hops in range(1, number % 4)),
        fallback_addresses=(FallbackAddress(17, bytes(range(20))),) if number % 6 == 5 else (),
        metadata=_hash("metadata", number)[: number % 32] if number % 5 == 4 else None,
    )


def _route(number: int, hops: int) -> tuple[RouteHop, ...]:
    return tuple(
        RouteHop(
            public_key=f"02{_hash('hop', number * 8 + hop).hex()}",
            short_channel_id=(589_390 + number) << 40 | 3312 << 16 | hop,
            fee_base_msat=1000 * hop,
            fee_proportional_millionths=2500 + number,
            cltv_expiry_delta=40 + hop,
        )
        for hop in range(hops)
    )


def _hash(what: str, number: int) -> bytes:
    return sha256(f"{what} {number}".encode()).digest()


def _of(choices: Sequence[Choice], number: int) -> Choice:
    return choices[number % len(choices)]
