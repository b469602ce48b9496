"""API keys: who may ask for invoices."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from uuid import UUID

_VISIBLE = 14  # characters: enough to recognise a secret, far too few to guess the rest


class KeyKind(StrEnum):
    """Secret keys are for servers, publishable ones stand in web pages."""

    SECRET = "secret"  # noqa: S105 - the name of a kind
    PUBLISHABLE = "publishable"


@dataclass(frozen=True, slots=True)
class KeySecret:
    """One of a key's secrets, without the secret. `ends_at` is None until a rotation sets it."""

    prefix: str
    ends_at: datetime | None = None
    last_used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key *family*: invoices belong to it, while its secrets may be rotated.

    `prefix` and `last_used_at` are of the secret it was found by. `origins` are where a
    publishable key works. `rate_per_minute` is how often a secret key may create; None
    counts the address that asks instead. `secrets`, the current one first, is there when
    keys are listed and not when one is found.
    """

    id: UUID
    name: str
    kind: KeyKind
    live: bool  # works on mainnet only; a test key works anywhere else only
    prefix: str
    created_at: datetime
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None
    origins: tuple[str, ...] = ()
    rate_per_minute: int | None = None
    secrets: tuple[KeySecret, ...] = ()

    def serves(self, origin: str | None) -> bool:
        """Whether a request from this origin may use it; None is a request that has none.

        This keeps other sites out. Any program can write the header: it proves nothing.
        """
        return self.kind is KeyKind.SECRET or origin in self.origins


def fingerprint(secret: str) -> bytes:
    """The SHA-256 under which a secret is stored and found.

    Unsalted and quick on purpose: a secret has 256 random bits, so there is
    nothing to guess, and the hash must be something to look up.
    """
    return sha256(secret.encode()).digest()


def visible_prefix(secret: str) -> str:
    """The part of a secret that may be shown again."""
    return secret[:_VISIBLE]
