"""Every setting that the parts run with, and the secrets that outlive a restart."""

import secrets
from collections.abc import Mapping
from pathlib import Path

from msty_invoice.dev.envfile import read_env, write_env

# bin/dev has few visitors; each worker costs 50 MB and a part of a second at the start.
_CREATE_WORKERS = "3"


def own_secrets(path: Path) -> dict[str, str]:
    """The passwords and the sandbox's credentials of this checkout: made once, then kept."""
    wanted = {
        "MIGRATOR_PASSWORD": secrets.token_hex(24),
        "WEB_PASSWORD": secrets.token_hex(24),
        "TIMERS_PASSWORD": secrets.token_hex(24),
        "RIVER_ACCOUNT_ID": f"acc_{secrets.token_hex(8)}",
        "RIVER_API_KEY": f"key_{secrets.token_hex(16)}",
    }
    known = read_env(path)
    if not wanted.keys() <= known.keys():
        known = wanted | known
        write_env(path, known)
    return known


def service_settings(
    secret: Mapping[str, str],
    *,
    database_url: str,
    redis_url: str,
    public_url: str,
    river_url: str,
    origins_file: Path,
    webhook_secret_file: Path,
) -> dict[str, str]:
    """What design §7 calls settings: the service's, with the sandbox in River's place."""
    return {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "PUBLIC_URL": public_url,
        "LIGHTNING_PROVIDER": "river",
        "LIGHTNING_NETWORK": "regtest",
        "RIVER_BASE_URL": river_url,
        "RIVER_ACCOUNT_ID": secret["RIVER_ACCOUNT_ID"],
        "RIVER_API_KEY": secret["RIVER_API_KEY"],
        "RIVER_WEBHOOK_SECRET_FILE": str(webhook_secret_file),
        "ORIGINS_FILE": str(origins_file),
        "CREATE_WORKERS": _CREATE_WORKERS,
    }


def environment(outer: Mapping[str, str], settings: Mapping[str, str]) -> dict[str, str]:
    """`settings` over the environment we were started in, where more may be set.

    Without libpq's own variables and the NAME_FILE that would win over our NAME.
    """
    ours = {f"{name}_FILE" for name in settings}
    kept = {
        name: value
        for name, value in outer.items()
        if name not in ours and not name.startswith(("PG", "GUNICORN_"))
    }
    return kept | dict(settings) | {"PYTHONUNBUFFERED": "1"}
