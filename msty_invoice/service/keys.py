"""API keys: made, listed, rotated, revoked, and recognised."""

import re
import secrets
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

from msty_invoice.domain.errors import KeyNotFound, Unauthorized
from msty_invoice.domain.invoice import Network
from msty_invoice.domain.key import ApiKey, KeyKind, KeySecret, fingerprint, visible_prefix
from msty_invoice.service.ports import KeyStore

_SECRET_BYTES = 32  # 256 random bits, 43 characters
_SECRET = re.compile(r"[sp]k_(live|test)_[A-Za-z0-9_-]{43}")
_REMEMBERED_SECONDS = 30  # how long a revoked key may still work in a worker (design §2)
_REMEMBERED_KEYS = 1024  # far more than a deployment has; bounds the worker's memory


class Keys:
    """What is done with keys by those who operate the service."""

    def __init__(self, store: KeyStore, network: Network, now: Callable[[], datetime]) -> None:
        self._store = store
        self._live = network is Network.MAINNET
        self._now = now

    def create(
        self, name: str, origins: Collection[str] = (), rate_per_minute: int | None = None
    ) -> tuple[ApiKey, str]:
        """A new key and its secret, which nobody can read again. Raises `KeyNameTaken`.

        With `origins` it is publishable. `rate_per_minute` is for secret keys only.
        """
        kind = KeyKind.PUBLISHABLE if origins else KeyKind.SECRET
        secret = _new_secret(kind, live=self._live)
        key = ApiKey(
            id=uuid4(),
            name=name,
            kind=kind,
            live=self._live,
            prefix=visible_prefix(secret),
            created_at=self._now(),
            origins=tuple(dict.fromkeys(origins)),
            rate_per_minute=rate_per_minute,
        )
        self._store.add(key, fingerprint(secret))
        return replace(key, secrets=(KeySecret(key.prefix),)), secret

    def list(self) -> list[ApiKey]:
        """Every key with its secrets, oldest first."""
        return self._store.list()

    def get(self, name: str) -> ApiKey:
        """The key in use with this name. Raises `KeyNotFound`."""
        for key in self._store.list():
            if key.name == name and key.revoked_at is None:
                return key
        raise KeyNotFound(f"no key in use is named {name}")

    def rotate(self, name: str, overlap: timedelta) -> tuple[str, datetime]:
        """A further secret of the same key, and when the ones before it end.

        Invoices belong to the key, not to a secret: either secret reads them. Raises
        `KeyNotFound` or `KeyRotatedMeanwhile`.
        """
        key = self.get(name)
        secret = _new_secret(key.kind, live=key.live)
        ends_at = self._store.rotate(key.id, fingerprint(secret), visible_prefix(secret), overlap)
        return secret, ends_at

    def revoke(self, name: str) -> ApiKey:
        """End a key with all its secrets; workers notice within 30 s. Raises `KeyNotFound`."""
        key = self.get(name)
        return replace(key, revoked_at=self._store.revoke(key.id))


class Keyring:
    """Recognises the keys that requests carry, and remembers each for 30 s."""

    def __init__(self, store: KeyStore, network: Network, monotonic: Callable[[], float]) -> None:
        self._store = store
        self._live = network is Network.MAINNET
        self._monotonic = monotonic
        self._remembered: dict[bytes, tuple[ApiKey, float]] = {}

    def recognise(self, secret: str) -> ApiKey:
        """The key with this secret. Raises `Unauthorized`, also for one of another network."""
        if not _SECRET.fullmatch(secret):
            raise Unauthorized("not the form of an API key")
        secret_sha256 = fingerprint(secret)
        key, until = self._remembered.get(secret_sha256, (None, 0.0))
        if key is None or until <= self._monotonic():
            key = self._look_up(secret_sha256)
        if key.live is not self._live:
            raise Unauthorized(f"{key.prefix}…: a {'live' if key.live else 'test'} key")
        return key

    def _look_up(self, secret_sha256: bytes) -> ApiKey:
        self._remembered.pop(secret_sha256, None)
        key = self._store.find(secret_sha256)
        if key is None:
            raise Unauthorized("an unknown or revoked API key")
        if len(self._remembered) >= _REMEMBERED_KEYS:
            self._remembered.clear()
        self._remembered[secret_sha256] = (key, self._monotonic() + _REMEMBERED_SECONDS)
        return key


def _new_secret(kind: KeyKind, *, live: bool) -> str:
    letter = "p" if kind is KeyKind.PUBLISHABLE else "s"
    return f"{letter}k_{'live' if live else 'test'}_{secrets.token_urlsafe(_SECRET_BYTES)}"
