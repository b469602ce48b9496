"""The sandbox's webhook, which must reach the service wherever it listens today."""

import base64
import http.client
import json
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

from msty_invoice.dev.command import run_command


def ensure_registered(
    secret_file: Path, settings: Mapping[str, str], env: Mapping[str, str], log: Path
) -> None:
    """Have the sandbox send events to PUBLIC_URL, signed with what is in the secret file."""
    wanted = f"{settings['PUBLIC_URL']}/api/lightning/webhooks/river"
    if secret_file.stat().st_size and _registered(settings) == wanted:
        return
    run_command("river", "rotate-webhook-secret", env=env, log=log)


def _registered(settings: Mapping[str, str]) -> str | None:
    key = base64.b64encode(f"{settings['RIVER_API_KEY']}:".encode()).decode()
    path = f"/accounts/{settings['RIVER_ACCOUNT_ID']}/webhooks"
    address = urlsplit(settings["RIVER_BASE_URL"]).netloc
    with closing(http.client.HTTPConnection(address, timeout=10)) as connection:
        connection.request("GET", path, headers={"Authorization": f"Basic {key}"})
        answer = connection.getresponse()
        body = answer.read()
    return json.loads(body)["url"] if answer.status == http.client.OK else None
