"""The command line of `python -m msty_invoice.sandbox`."""

import argparse
import textwrap
from dataclasses import dataclass
from pathlib import Path

from msty_invoice.sandbox.endpoints import ENDPOINTS
from msty_invoice.sandbox.faults import KINDS

_OPENING_BALANCE_SATS = 1_500_000

_INTRODUCTION = """\
A stand-in for River: the same HTTP, real signed BOLT11 invoices on regtest, signed
webhooks, and no money. It needs RIVER_ACCOUNT_ID and RIVER_API_KEY in the environment,
and asks callers for RIVER_API_SECRET as password if that is set.
"""

_EXAMPLE = """\
example:
  export RIVER_ACCOUNT_ID=acc_EXAMPLE RIVER_API_KEY=key_EXAMPLE
  python -m msty_invoice.sandbox --port 8090 --state .dev/sandbox

  curl -u key_EXAMPLE: http://127.0.0.1:8090/accounts/acc_EXAMPLE/deposit_intents \\
       -d '{"amount": 2500, "label": "order 42", "network": "LN"}'
  curl http://127.0.0.1:8090/_sandbox/pay -d '{"payment_request": "lnbcrt25u1..."}'
  curl http://127.0.0.1:8090/_sandbox/state
  curl -X PUT http://127.0.0.1:8090/_sandbox/faults -d '{"latency_ms": 800}'

paying: the answer holds the preimage. "amount" (sats) pays more or less than asked,
"late": true pays after expiry, "again": true a second time. An on-chain address of the
sandbox needs an amount.

faults: each PUT replaces all of them, {} clears them, and a restart forgets them.
To limit one to an endpoint, write its name as it stands below:
  {"hang": {"value": true, "endpoint": "POST /accounts/{account_id}/deposit_intents"}}
Faults of deposits and webhooks belong to the request that sets them off, which for a
paid invoice is POST /_sandbox/pay; amount_delta, pending_deposits and proof to the one
that reads them.
"""


@dataclass(frozen=True)
class Options:
    """What was asked for. `port` is None for River's in RIVER_BASE_URL, or 8090."""

    host: str
    port: int | None
    state: Path | None
    balance_sats: int
    signature_layout: str
    timestamp_unit: str


def read_options(arguments: list[str]) -> Options:
    """Exits with a usage message, status 2, when the arguments make no sense."""
    given = _parser().parse_args(arguments)
    return Options(
        host=given.host,
        port=given.port,
        state=given.state,
        balance_sats=given.balance,
        signature_layout=given.signature_layout,
        timestamp_unit=given.timestamp_unit,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m msty_invoice.sandbox",
        description=_INTRODUCTION,
        epilog=_EXAMPLE + _faults() + _endpoints(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    add("--port", type=_port, help="port, 0 for any free one (default: RIVER_BASE_URL's or 8090)")
    add("--state", type=Path, metavar="DIR", help="keep everything here (default: in memory)")
    add("--balance", type=int, default=_OPENING_BALANCE_SATS, metavar="SATS",
        help="balance before the first deposit (default: %(default)s)")  # fmt: skip
    add("--signature-layout", choices=("json", "kv"), default="json",
        help="layout of the River-Signature header (default: %(default)s)")  # fmt: skip
    add("--timestamp-unit", choices=("s", "ms"), default="s",
        help="unit of the timestamp in that header (default: %(default)s)")  # fmt: skip
    return parser


def _port(value: str) -> int:
    if not value.isdigit() or int(value) > 65535:
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return int(value)


def _faults() -> str:
    lines = [
        textwrap.fill(
            f"{name}: {kind.effect} ({kind.form})",
            width=88,
            initial_indent="  ",
            subsequent_indent="      ",
        )
        for name, kind in KINDS.items()
    ]
    return "\n" + "\n".join(lines) + "\n"


def _endpoints() -> str:
    return "\nendpoints:\n" + "\n".join(f"  {name}" for name in sorted(ENDPOINTS)) + "\n"
