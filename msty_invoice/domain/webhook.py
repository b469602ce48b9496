"""What a provider tells us unasked: a hint where to look, never a proof."""

from dataclasses import dataclass, field
from hashlib import sha256

DEPOSIT = "DEPOSIT"  # the `type` of an event about money that arrives
SUCCESS = "SUCCESS"  # the `state` of one that says it has arrived


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """A verified webhook. `ref` names what it is about, by its `type`."""

    provider: str
    type: str
    ref: str
    state: str
    body: bytes = field(repr=False)

    @property
    def body_sha256(self) -> bytes:
        return sha256(self.body).digest()


@dataclass(frozen=True, slots=True)
class TakenEvent:
    """A stored event, held by one settler for a while. `age_seconds`: since it was (re)opened."""

    id: int
    provider: str
    type: str
    ref: str
    state: str
    attempts: int
    age_seconds: float
