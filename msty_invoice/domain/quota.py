"""Which buckets a request is counted in, and against which limits (design §2, "Rate limit")."""

from dataclasses import dataclass
from typing import Literal

from msty_invoice.domain.key import ApiKey, KeyKind
from msty_invoice.domain.limit import Bucket, Pair

# Whatever makes no invoice is a read.
Asked = Literal["create", "read"]

_MINUTE, _TEN_MINUTES = 60, 600


@dataclass(frozen=True, slots=True)
class Quotas:
    """What a deployment allows. `create` and `read` count everyone behind an address."""

    create: tuple[Pair, ...]
    create_hourly: Pair  # by address too, for publishable keys only: anyone has those
    key: Pair  # each publishable key as a whole, whoever uses it
    read: Pair
    auth_failures: Pair

    def of(self, what: Asked, address: str, key: ApiKey | None) -> list[Bucket]:
        """What a request counts in. Without a key: what anyone's would, behind this address."""
        if what == "read":
            return [Bucket(f"read:{address}", (self.read,))]
        if key is not None and key.rate_per_minute is not None:
            # Alone: a server asks for all its visitors from one address.
            return [_of_key(key, Pair("key", key.rate_per_minute, _MINUTE))]
        buckets = [Bucket(f"create:{address}", self.create)]
        if key is not None and key.kind is KeyKind.PUBLISHABLE:
            buckets.append(Bucket(f"create-hourly:{address}", (self.create_hourly,)))
            buckets.append(_of_key(key, self.key))
        return buckets

    def of_auth_failure(self, address: str) -> list[Bucket]:
        """A request without a right: apart, so that guessing costs the rightful nothing."""
        return [Bucket(f"auth-failures:{address}", (self.auth_failures,))]


def create_pairs(per_minute: int, burst: int) -> tuple[Pair, ...]:
    """`per_minute` in any 60 s; with a burst that many more, paid back over ten minutes.

    Whoever spends a burst may then have to wait for minutes.
    """
    if not burst:
        return (Pair("create", per_minute, _MINUTE),)
    return (
        Pair("create", per_minute + burst, _MINUTE),
        Pair("create-sustained", 10 * per_minute, _TEN_MINUTES),
    )


def _of_key(key: ApiKey, pair: Pair) -> Bucket:
    return Bucket(f"key:{key.id}", (pair,))
