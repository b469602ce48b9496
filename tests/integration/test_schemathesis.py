"""Requests made up from the published document, right ones and wrong ones: none is answered
in a way that the document does not tell of."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.running import Service

_SETTINGS = Path(__file__).with_name("schemathesis.toml")
_ROOT = Path(__file__).parents[2]
_HOOKS = "tests.integration.schemathesis_hooks"
_DEADLINE_SECONDS = 240


@pytest.fixture(scope="module")
def service_settings() -> dict[str, str]:
    """No limit stops what comes without a key."""
    return {
        "RATE_LIMIT_READS_PER_MINUTE": "100000",
        "RATE_LIMIT_AUTH_FAILURES_PER_MINUTE": "100000",
    }


def _try(service: Service, folder: Path, auth: str = "") -> None:
    settings = folder / "schemathesis.toml"
    settings.write_text(_SETTINGS.read_text() + auth)
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(settings), "run"]
    done = subprocess.run(
        [*command, f"{service.url}/api/lightning/openapi.json"],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(_ROOT), "SCHEMATHESIS_HOOKS": _HOOKS},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=_DEADLINE_SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("scheme", "field"), [("bearer", "bearer"), ("apiKey", "api_key")])
def test_with_a_key(service: Service, tmp_path: Path, scheme: str, field: str) -> None:
    _try(service, tmp_path, f'\n[auth.openapi.{scheme}]\n{field} = "{service.secret_key}"\n')


def test_without_a_key(service: Service, tmp_path: Path) -> None:
    _try(service, tmp_path)
