"""Settings, read once. No other module reads the environment.

Each setting is a variable NAME, or NAME_FILE with the path of a file that holds
it (for systemd credentials). docs/configuration.md explains every one of them.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, fields
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from msty_invoice.domain.invoice import Network
from msty_invoice.failpoints import plan
from msty_invoice.origins import origin_of

# A process names the settings it cannot do without; the others may be absent. One that needs
# LIGHTNING_PROVIDER needs what belongs to that provider, too.
WEB = frozenset(
    {"DATABASE_URL", "REDIS_URL", "PUBLIC_URL", "LIGHTNING_PROVIDER", "LIGHTNING_NETWORK"}
)
RIVER = frozenset({"RIVER_BASE_URL", "RIVER_ACCOUNT_ID", "RIVER_API_KEY"})
LNBITS = frozenset({"LNBITS_URL", "LNBITS_INVOICE_KEY"})
PROVIDERS = {"river": RIVER, "lnbits": LNBITS}
SETTLING = frozenset({"DATABASE_URL", "LIGHTNING_PROVIDER", "LIGHTNING_NETWORK"})
DATABASE = frozenset({"DATABASE_URL"})

_SENTINEL_URL = re.compile(
    r"redis\+sentinel://([^@/]*@)?[^@/:,]+:[0-9]+(,[^@/:,]+:[0-9]+)*/[^/?#]+(/[0-9]+)?"
)


class ConfigError(Exception):
    """The process cannot start with these settings. `problems` has a sentence for each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("settings: " + "; ".join(problems))
        self.problems = problems


def _text(value: str) -> str:
    return value


def _url(*schemes: str) -> Callable[[str], str]:
    def read(value: str) -> str:
        if _scheme(value) not in schemes:
            raise ValueError(f"is not a URL that starts with {' or '.join(schemes)}")
        return value.rstrip("/")

    return read


def _scheme(url: str) -> str:
    """In lower case; "" for what cannot be read, of which urlsplit would quote a password."""
    try:
        return urlsplit(url).scheme
    except ValueError:
        return ""


def _public_url(value: str) -> str:
    try:
        url = _url("https", "http")(value)
        origin_of(url)
    except ValueError as exc:
        raise ValueError("is not a URL of pages, such as https://pay.example") from exc
    return url


def _redis_url(value: str) -> str:
    if value.startswith("redis+sentinel:"):
        if not _SENTINEL_URL.fullmatch(value):
            raise ValueError("is not redis+sentinel://HOST:PORT,HOST:PORT/NAME/DB")
        return value
    return _url("redis", "rediss", "unix")(value)


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(value: str) -> int:
        if not re.fullmatch(r"[0-9]{1,18}", value) or not low <= int(value) <= high:
            raise ValueError(f"is not a whole number from {low} to {high}")
        return int(value)

    return read


def _one_of(*choices: str) -> Callable[[str], str]:
    def read(value: str) -> str:
        if value not in choices:
            raise ValueError(f"is not one of {', '.join(choices)}")
        return value

    return read


def _hex_secrets(value: str) -> tuple[bytes, ...]:
    try:
        secrets = tuple(bytes.fromhex(part.strip()) for part in value.split(","))
    except ValueError:
        secrets = (b"",)
    # With an empty one, such as after a last comma, everybody could sign.
    if not all(secrets):
        raise ValueError("is not hex, or several separated by commas")
    return secrets


def _tokens(value: str) -> tuple[str, ...]:
    tokens = tuple(part.strip() for part in value.split(","))
    if not all(re.fullmatch(r"[A-Za-z0-9_-]{22,128}", token) for token in tokens):
        raise ValueError("is not 22 to 128 letters, digits, _ and -, or several with commas")
    return tokens


def _network(value: str) -> Network:
    return Network(_one_of(*Network)(value))


def _setting(read: Callable[[str], Any], default: Any, *, secret: bool = False) -> Any:
    return field(default=default, repr=not secret, metadata={"read": read})


@dataclass(frozen=True)
class Config:
    """Each field is the setting of the same name in upper case. "" means: not set."""

    database_url: str = _setting(_url("postgresql", "postgres"), "", secret=True)
    redis_url: str = _setting(_redis_url, "", secret=True)
    public_url: str = _setting(_public_url, "")
    lightning_provider: str = _setting(_one_of(*PROVIDERS), "")
    lightning_network: Network | None = _setting(_network, None)

    river_base_url: str = _setting(_url("https", "http"), "")
    river_account_id: str = _setting(_text, "")
    river_api_key: str = _setting(_text, "", secret=True)
    river_api_secret: str = _setting(_text, "", secret=True)
    river_webhook_secret: tuple[bytes, ...] = _setting(_hex_secrets, (), secret=True)
    # Where `msty-invoice river` keeps the secrets it obtains.
    river_webhook_secret_file: str = _setting(_text, "")
    river_signature_layout: str = _setting(_one_of("json", "kv"), "json")
    river_timestamp_unit: str = _setting(_one_of("s", "ms"), "s")
    river_proof: str = _setting(_one_of("opaque", "preimage"), "opaque")

    lnbits_url: str = _setting(_url("https", "http"), "")
    lnbits_invoice_key: str = _setting(_text, "", secret=True)
    lnbits_webhook_token: tuple[str, ...] = _setting(_tokens, (), secret=True)

    provider_deadline_seconds: int = _setting(_whole(1, 10), 8)
    idempotency_lease_seconds: int = _setting(_whole(1, 3600), 20)

    webhook_max_age: int = _setting(_whole(30, 3_600), 300)
    # At least 4: longer than an idempotency key is kept or an hourly walk looks back.
    invoice_retention_days: int = _setting(_whole(4, 36_500), 90)
    expiry_grace: int = _setting(_whole(0, 86_400), 300)

    min_amount_sats: int = _setting(_whole(1, 10**12), 1)
    max_amount_sats: int = _setting(_whole(1, 10**12), 1_000_000)
    max_memo_length: int = _setting(_whole(1, 639), 256)

    rate_limit_per_minute: int = _setting(_whole(1, 100_000), 50)
    rate_limit_burst: int = _setting(_whole(0, 900_000), 0)
    rate_limit_hourly: int = _setting(_whole(1, 1_000_000), 200)
    rate_limit_per_key: int = _setting(_whole(1, 1_000_000), 3_000)
    rate_limit_reads_per_minute: int = _setting(_whole(1, 100_000), 300)
    rate_limit_auth_failures_per_minute: int = _setting(_whole(1, 100_000), 10)
    client_address: str = _setting(_one_of("peer", "x-real-ip"), "peer")
    origins_file: str = _setting(_text, "/etc/msty-invoice/origins")

    create_workers: int = _setting(_whole(1, 256), 5)

    # For tests: where this process is to fail.
    msty_failpoints: tuple[plan.Failpoint, ...] = _setting(plan.read, ())

    @classmethod
    def from_env(cls, environ: Mapping[str, str], needs: Collection[str] = frozenset()) -> "Config":
        """Read every setting. Raises `ConfigError` naming all that is missing or wrong at once."""
        found: dict[str, Any] = {}
        absent: list[str] = []
        problems: list[str] = []
        for f in fields(cls):
            name = f.name.upper()
            try:
                if value := _value(environ, name):
                    found[f.name] = f.metadata["read"](value)
                else:
                    absent.append(name)
            except (ValueError, OSError) as exc:
                problems.append(f"{name} {_reason(exc)}")
        needed = _needed(needs, found)
        problems += [f"{name} is missing" for name in absent if name in needed]
        config = cls(**found)
        problems += _contradictions(config)
        if problems:
            raise ConfigError(problems)
        return config

    @property
    def providers(self) -> tuple[str, ...]:
        """Who may have invoices of ours: every provider that has its settings."""
        return tuple(
            provider
            for provider, own in PROVIDERS.items()
            if all(getattr(self, name.lower()) for name in own)
        )

    @property
    def public_origin(self) -> str:
        """PUBLIC_URL without a path: what a browser sends as `Origin` from our own pages."""
        return origin_of(self.public_url)

    @property
    def network(self) -> Network:
        """The network, for those that named LIGHTNING_NETWORK among their needs."""
        if self.lightning_network is None:
            raise ConfigError(["LIGHTNING_NETWORK is missing"])
        return self.lightning_network


def _needed(needs: Collection[str], found: Mapping[str, Any]) -> set[str]:
    """Half of a provider's settings are a mistake, also of one that makes no invoices now."""
    needed = set(needs)
    if "LIGHTNING_PROVIDER" in needs:
        for provider, own in PROVIDERS.items():
            chosen = found.get("lightning_provider") == provider
            if chosen or any(name.lower() in found for name in own):
                needed |= own
    return needed


def _value(environ: Mapping[str, str], name: str) -> str:
    if path := environ.get(f"{name}_FILE"):
        return Path(path).read_text(encoding="utf-8").strip()
    return environ.get(name, "").strip()


def _reason(exc: ValueError | OSError) -> str:
    """Why, without the value: it may be a secret."""
    if isinstance(exc, OSError):
        return f"is in a file that cannot be read ({exc.strerror})"
    return "is not UTF-8 text" if isinstance(exc, UnicodeDecodeError) else str(exc)


def _goes_out_in_the_clear(url: str) -> bool:
    parts = urlsplit(url)
    if parts.scheme != "http" or parts.hostname == "localhost":
        return False
    try:
        return not ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return True


def _contradictions(config: Config) -> list[str]:
    problems = []
    if config.min_amount_sats > config.max_amount_sats:
        problems.append("MIN_AMOUNT_SATS is larger than MAX_AMOUNT_SATS")
    if config.lightning_network is Network.MAINNET and _scheme(config.river_base_url) == "http":
        problems.append("RIVER_BASE_URL must start with https on mainnet")
    if config.msty_failpoints and config.lightning_network in (None, Network.MAINNET):
        problems.append("MSTY_FAILPOINTS is for tests: it needs a network other than mainnet")
    if config.lightning_network is Network.MAINNET and _goes_out_in_the_clear(config.lnbits_url):
        problems.append("LNBITS_URL must start with https on mainnet, unless it is this machine")
    if config.rate_limit_burst > 9 * config.rate_limit_per_minute:
        # Ten minutes admit ten times RATE_LIMIT_PER_MINUTE, whatever the burst.
        problems.append("RATE_LIMIT_BURST is more than nine times RATE_LIMIT_PER_MINUTE")
    return problems
