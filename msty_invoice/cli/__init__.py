"""`msty-invoice COMMAND`: one file per command."""

import argparse
import os
import sys

from msty_invoice import __version__
from msty_invoice.cli import (
    cleanup,
    invoice,
    keys,
    migrate,
    quarantine,
    reconcile,
    river,
    settle,
    webhooks,
)
from msty_invoice.config import Config, ConfigError
from msty_invoice.domain.errors import (
    InvoicingError,
    ProviderUnavailable,
    ProviderUnknown,
    StorageUnavailable,
)

# What a script may rely on (design §7).
DONE, FAILED, USAGE, UNAVAILABLE = 0, 1, 2, 75

_COMMANDS = (
    migrate, keys, invoice, quarantine, webhooks, settle, reconcile, cleanup, river,
)  # fmt: skip
_AWAY = (StorageUnavailable, ProviderUnavailable, ProviderUnknown)

_EPILOG = """\
Settings are read from the environment: NAME, or NAME_FILE with a path.
Exit codes: 0 done, 1 failed, 2 usage or settings, 75 a dependency is away.
Each command teaches itself: msty-invoice COMMAND --help"""


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    args = _parser().parse_args(arguments)
    try:
        config = Config.from_env(os.environ, args.needs)
        code: int = args.run(config, args)
    except ConfigError as exc:
        return _say(exc, USAGE)
    except _AWAY as exc:
        return _say(exc, UNAVAILABLE)
    except (InvoicingError, OSError) as exc:
        return _say(exc, FAILED)
    return code


def _say(problem: Exception, code: int) -> int:
    print(f"msty-invoice: {problem}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="msty-invoice",
        description="Operate the Lightning invoice service.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in _COMMANDS:
        command.add_to(commands)
    return parser
