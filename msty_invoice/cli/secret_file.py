"""A file that holds a secret: only its owner reads it, and it is never half written."""

import os
import tempfile
from pathlib import Path


def ensure_writable(path: Path) -> None:
    """Raise `OSError` now rather than after a secret was obtained that can be told only once."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}-"):
        pass


def write_secret(path: Path, secret: str) -> None:
    """Replace the file at once, with mode 0600 and the owner it had. Raises `OSError`."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secret + "\n")
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            owner = path.stat()
            os.chown(name, owner.st_uid, owner.st_gid)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
