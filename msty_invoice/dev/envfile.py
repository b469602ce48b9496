"""Files of settings that a shell reads with `. FILE`."""

import os
import shlex
from collections.abc import Mapping
from pathlib import Path


def write_env(path: Path, settings: Mapping[str, str]) -> None:
    """Write `export NAME='value'` lines, mode 0600, all or nothing."""
    lines = [f"export {name}={_quote(value)}\n" for name, value in settings.items()]
    partial = path.with_suffix(".new")
    partial.unlink(missing_ok=True)
    # Private from its first byte on.
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write("".join(lines).encode())
    partial.replace(path)


def read_env(path: Path) -> dict[str, str]:
    """Read what `write_env` wrote. Empty if there is no such file."""
    try:
        words = shlex.split(path.read_bytes().decode())
    except (FileNotFoundError, ValueError):
        return {}
    return dict(word.split("=", 1) for word in words if "=" in word)


def _quote(value: str) -> str:
    return "'" + value.replace("'", "'\\''") + "'"
