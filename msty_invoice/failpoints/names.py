"""What failpoints are named after: each statement that writes, and each call to the outside."""

import re
from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

from msty_invoice import storage
from msty_invoice.lightning.river import endpoints as river
from msty_invoice.lightning.river.endpoints import Endpoint

# The commands that `storage` gives to `RedisLink.ask`.
REDIS = tuple(f"redis {command}" for command in ("EVALSHA", "EVAL", "SET", "PING"))

# Locking a row is no write. A part that other statements are made of begins otherwise.
_STATEMENT = re.compile(r"\s*(WITH|SELECT|INSERT|UPDATE|DELETE)\b")
WRITES = re.compile(r"INSERT INTO|(?<!FOR )UPDATE|DELETE FROM|pg_notify")


def known() -> list[str]:
    """Every name, without its side."""
    return sorted({*statements().values(), *calls("river").values(), *REDIS})


def statements() -> dict[str, str]:
    """The name of each statement that writes, by its text: that of its constant."""
    names = (module.name for module in iter_modules(storage.__path__, f"{storage.__name__}."))
    return {text: name for module in names for name, text in _constants(import_module(module))}


def calls(provider: str) -> dict[Endpoint, str]:
    """The name of each call to a provider."""
    endpoints = {"river": river}[provider]
    found = (value for value in vars(endpoints).values() if isinstance(value, Endpoint))
    return {endpoint: f"{provider} {endpoint}" for endpoint in found}


def writes(text: str) -> bool:
    """Whether an SQL text is a whole statement, and changes something."""
    return bool(_STATEMENT.match(text) and WRITES.search(text))


def _constants(module: ModuleType) -> Iterator[tuple[str, str]]:
    short = module.__name__.rpartition(".")[2]
    for name, value in vars(module).items():
        of_kinds = value if isinstance(value, dict) else {"": value}
        for kind, text in of_kinds.items():
            if isinstance(text, str) and writes(text):
                yield f"{short}.{name}" + (f".{kind}" if kind else ""), text
