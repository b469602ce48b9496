"""How keys are shown: one line for a key, and one more for each secret that is ending."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from msty_invoice.domain.key import ApiKey, KeySecret

HEAD = ("NAME", "KEY", "KIND", "RATE", "CREATED", "LAST USED", "STATE", "ORIGINS")


def rows(keys: Sequence[ApiKey], now: datetime) -> Iterator[tuple[str, ...]]:
    """Lines under `HEAD`. Secrets that have ended are left out; JSON has them."""
    for key in keys:
        yield (
            key.name,
            f"{key.prefix}…",
            key.kind,
            f"{key.rate_per_minute}/min" if key.rate_per_minute else "",
            at(key.created_at),
            used(key),
            f"revoked {at(key.revoked_at)}" if key.revoked_at else "active",
            " ".join(key.origins),
        )
        for secret in key.secrets[1:]:
            if secret.ends_at and secret.ends_at > now and not key.revoked_at:
                yield _ending(secret, secret.ends_at)


def at(instant: datetime) -> str:
    """UTC, to the minute."""
    return instant.strftime("%Y-%m-%d %H:%M")


def used(use: ApiKey | KeySecret) -> str:
    """When it was last used."""
    return at(use.last_used_at) if use.last_used_at else "never"


def _ending(secret: KeySecret, ends_at: datetime) -> tuple[str, ...]:
    return ("", f"{secret.prefix}…", "", "", "", used(secret), f"until {at(ends_at)}", "")
