"""How often somebody may ask: values only. Every duration is in whole seconds."""

import re
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

UNREADABLE_ADDRESS = "unreadable"
_POLICY_NAME = re.compile(r"[a-z][a-z0-9-]*")
_SUBSCRIBER_BITS = 64  # one IPv6 subscriber owns a /64: limit that, not each address in it


@dataclass(frozen=True, slots=True)
class Pair:
    """At most `cap` admissions in any `window_seconds`. `policy` is its name in the headers."""

    policy: str
    cap: int
    window_seconds: int

    def __post_init__(self) -> None:
        if not _POLICY_NAME.fullmatch(self.policy):
            raise ValueError(f"{self.policy!r} cannot name a policy")
        if self.cap < 1 or self.window_seconds < 1:
            raise ValueError(f"{self.policy} admits nothing: {self.cap} in {self.window_seconds} s")


@dataclass(frozen=True, slots=True)
class Bucket:
    """Who is counted (`key`, such as `create:192.0.2.1`; never a secret) against which pairs."""

    key: str
    pairs: tuple[Pair, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """What the limiter said, described by the pair with the fewest admissions left.

    `reset_seconds` says when the oldest admission leaves that pair's window. Of pairs
    with equally few left it is the one that takes longest. `left` has what each pair still
    admits, in the order in which they were asked.
    """

    admitted: bool
    pair: Pair
    remaining: int
    reset_seconds: int
    left: tuple[int, ...] = ()

    @property
    def wait_seconds(self) -> int:
        """0 if admitted, else how long until the same request would be: at least 1."""
        return 0 if self.admitted else self.reset_seconds


def address_key(address: str) -> str:
    """Whom an address counts as: IPv4 itself, IPv6 by its /64, IPv4-mapped IPv6 as IPv4.

    Zone ids are dropped. All that is no address counts as one client, so that nobody
    gains a bucket by writing nonsense.
    """
    try:
        ip = ip_address(address)
    except ValueError:
        return UNREADABLE_ADDRESS
    if not isinstance(ip, IPv6Address):
        return str(ip)
    if ip.ipv4_mapped:
        return str(ip.ipv4_mapped)
    network = int(ip) >> _SUBSCRIBER_BITS << _SUBSCRIBER_BITS
    return f"{IPv6Address(network)}/{_SUBSCRIBER_BITS}"
