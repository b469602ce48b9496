"""`python -m msty_invoice.sandbox`: start the sandbox and run it until it is told to stop."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import uvloop
from aiohttp import ClientSession

from msty_invoice.config import Config, ConfigError
from msty_invoice.domain.invoice import Network
from msty_invoice.sandbox.control import Control
from msty_invoice.sandbox.faults import Faults
from msty_invoice.sandbox.journal import Journal, JournalError, NoJournal
from msty_invoice.sandbox.ledger import Ledger
from msty_invoice.sandbox.options import Options, read_options
from msty_invoice.sandbox.outbox import Outbox, new_session
from msty_invoice.sandbox.receiving import Receiving
from msty_invoice.sandbox.registration import Registration
from msty_invoice.sandbox.river import Credentials, River
from msty_invoice.sandbox.sending import Sending
from msty_invoice.sandbox.server import Server
from msty_invoice.sandbox.signature import SignatureForm
from msty_invoice.sandbox.signing import Mint

_NEEDS = frozenset({"RIVER_ACCOUNT_ID", "RIVER_API_KEY"})
_DEFAULT_PORT = 8090


class CannotStart(Exception):
    """The text is a sentence for whoever started it."""


def main(arguments: list[str], environ: Mapping[str, str]) -> int:
    options = read_options(arguments)
    try:
        config = Config.from_env(environ, _NEEDS)
        _refuse_mainnet(config)
        uvloop.run(_run(config, options))
    except (ConfigError, CannotStart, JournalError) as exc:
        print(f"sandbox: {exc}.", file=sys.stderr)
        return 2
    return 0


def _refuse_mainnet(config: Config) -> None:
    if config.lightning_network is Network.MAINNET:
        raise CannotStart("LIGHTNING_NETWORK is mainnet, where the sandbox has no place")


async def _run(config: Config, options: Options) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    journal = Journal(options.state) if options.state else NoJournal()
    ledger = Ledger(journal, options.balance_sats)
    async with new_session() as session:
        sandbox = _build_sandbox(config, options, ledger, session)
        try:
            port = await _listen(sandbox.server, config, options)
            sandbox.resume()
            print(f"ready http://{options.host}:{port}", flush=True)
            await stop.wait()
        finally:
            await sandbox.close()
    journal.close()


@dataclass(frozen=True)
class _Sandbox:
    """The parts with a beginning and an end."""

    server: Server
    outbox: Outbox
    sending: Sending

    def resume(self) -> None:
        """Go on with what an earlier process left unfinished."""
        self.outbox.resume()
        self.sending.resume()

    async def close(self) -> None:
        await self.server.close()
        await self.outbox.close()


def _build_sandbox(
    config: Config, options: Options, ledger: Ledger, session: ClientSession
) -> _Sandbox:
    faults = Faults()

    def now_ms() -> int:
        return time.time_ns() // 1_000_000 + faults.clock_offset_ms

    form = SignatureForm(options.signature_layout, options.timestamp_unit)
    outbox = Outbox(ledger, faults, form, now_ms, session)
    receiving = Receiving(ledger, Mint(config.river_account_id), faults, outbox, now_ms)
    later = asyncio.get_running_loop().call_later
    sending = Sending(ledger, receiving, outbox, now_ms, later)
    account_id = config.river_account_id
    river = River(account_id, ledger, receiving, sending, Registration(ledger))
    control = Control(ledger, receiving, faults, outbox, now_ms)
    credentials = Credentials(account_id, config.river_api_key, config.river_api_secret)
    return _Sandbox(Server(credentials, river, control, faults, now_ms), outbox, sending)


async def _listen(server: Server, config: Config, options: Options) -> int:
    port = options.port
    if port is None:
        port = urlsplit(config.river_base_url).port or _DEFAULT_PORT
    try:
        return await server.listen(options.host, port)
    except OSError as exc:
        raise CannotStart(
            f"cannot listen on {options.host} port {port} ({os.strerror(exc.errno or 0)}); "
            "--port takes another, or 0 for any that is free"
        ) from exc


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
