"""Where an installed wheel keeps its files."""

from importlib.util import find_spec
from pathlib import Path


def wheel_folder(package: str) -> Path:
    """The folder of `package`, without importing it. Raises `ModuleNotFoundError`."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{package} is not installed: bin/test --install-only")
    return Path(spec.origin).parent
