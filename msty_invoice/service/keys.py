"""API keys: made, listed, and recognised."""

import re
import secrets
from collections.abc import Callable
from datetime import datetime
from uuid import uuid4

from msty_invoice.domain.errors import Unauthorized
from msty_invoice.domain.invoice import Network
from msty_invoice.domain.key import ApiKey, KeyKind, fingerprint, visible_prefix
from msty_invoice.service.ports import KeyStore

_SECRET_BYTES = 32  # 256 random bits, 43 characters
_SECRET = re.compile(r"[sp]k_(live|test)_[A-Za-z0-9_-]{43}")
_REMEMBERED_SECONDS = 30  # how long a revoked key may still work in a worker (design §2)
_REMEMBERED_KEYS = 1024  # far more than a deployment has; bounds the worker's memory


class Keys:
    """Makes and lists keys, for those who operate the service."""

    def __init__(self, store: KeyStore, network: Network, now: Callable[[], datetime]) -> None:
        self._store = store
        self._live = network is Network.MAINNET
        self._now = now

    def create(self, name: str) -> tuple[ApiKey, str]:
        """A new secret key and its secret, which nobody can read again. Raises `KeyNameTaken`."""
        mode = "live" if self._live else "test"
        secret = f"sk_{mode}_{secrets.token_urlsafe(_SECRET_BYTES)}"
        key = ApiKey(
            id=uuid4(),
            name=name,
            kind=KeyKind.SECRET,
            live=self._live,
            prefix=visible_prefix(secret),
            created_at=self._now(),
        )
        self._store.add(key, fingerprint(secret))
        return key, secret

    def list(self) -> list[ApiKey]:
        """Every key, oldest first."""
        return self._store.list()


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
