"""The secret key of whoever tries the service: made once, and kept in `.dev/client.env`."""

import http.client
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from msty_invoice.dev.command import run_command
from msty_invoice.dev.process import ProgramFailed

_NO_INVOICE = "/api/lightning/invoices/" + "0" * 64


def is_known(key: str, port: int) -> bool:
    """Whether the running service accepts this key; it does not after the database was lost."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", _NO_INVOICE, headers={"Authorization": f"Bearer {key}"})
        return connection.getresponse().status != http.client.UNAUTHORIZED
    finally:
        connection.close()


def make_key(env: Mapping[str, str], log: Path) -> str:
    """A new secret key, named `dev`, or `dev-TIME` when its predecessor's file was lost."""
    try:
        made = _create("dev", env, log)
    except ProgramFailed:
        made = _create(f"dev-{datetime.now(UTC):%Y%m%dT%H%M%S}", env, log)
    return str(json.loads(made)["secret"])


def _create(name: str, env: Mapping[str, str], log: Path) -> str:
    return run_command("keys", "create", "--name", name, "--json", env=env, log=log)
