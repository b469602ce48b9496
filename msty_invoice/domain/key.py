"""API keys: who may ask for invoices."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from uuid import UUID

from msty_invoice.domain.invoice import Network

_SECRET_BYTES = 32  # 256 random bits: no salt or slow hash is needed to protect it
_VISIBLE = 12  # enough of a secret to recognise it, far too little to guess it


class KeyKind(StrEnum):
    """Secret keys are for servers, publishable ones stand in web pages."""

    SECRET = "sk"
    PUBLISHABLE = "pk"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key family: invoices belong to it, and its secrets may change."""

    id: UUID
    name: str
    kind: KeyKind
    live: bool
    prefix: str
    created_at: datetime
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None


def new_secret(kind: KeyKind, network: Network) -> str:
    """A fresh secret such as `sk_test_…`: `live` on mainnet, `test` anywhere else."""
    mode = "live" if network is Network.MAINNET else "test"
    return f"{kind}_{mode}_{secrets.token_urlsafe(_SECRET_BYTES)}"


def fingerprint(secret: str) -> bytes:
    """The SHA-256 under which a secret is stored and found."""
    return sha256(secret.encode()).digest()


def visible_prefix(secret: str) -> str:
    """The part of a secret that may be shown again."""
    return secret[:_VISIBLE]
