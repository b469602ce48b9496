"""One house a provider: a real one that a test can pay at, pause, stop and start again.

A third provider gets a house here, and then has to pass `test_contract.py`.
"""

import signal
from pathlib import Path
from typing import Any, Protocol

from tests.integration.providers.lnbits import Lnbits
from tests.integration.running import RiverStandIn
from tests.integration.sandbox.processes import until
from tests.wire.pairs import ACCOUNT_ID, API_KEY

TOKEN = "of-a-test-0123456789abcdef"
_PAYERS_SATS = 5_000_000


class House(Protocol):
    """What the contract needs of a provider besides its API."""

    name: str
    network: str
    settings: dict[str, str]
    secrets: list[str]  # that no log may hold

    def pay(self, payment_request: str) -> str:
        """Pay as a stranger does; returns the preimage once the provider has booked it."""

    def tell(self, *, webhooks: bool) -> None:
        """Whether it tells us of what it receives."""

    def received(self) -> tuple[int, int]:
        """How many payments it holds for us, and their sum in sats."""

    def pause(self) -> None:
        """Connections are accepted and nothing is answered, until `resume`."""

    def resume(self) -> None: ...

    def stop(self) -> None:
        """Gone, as before a restart; what it knows survives."""

    def start(self) -> None: ...

    def close(self) -> None: ...


class RiverHouse:
    """The sandbox, which keeps its state on disk."""

    name = "river"
    network = "regtest"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._sandbox = RiverStandIn("--state", str(folder), LIGHTNING_NETWORK="regtest")
        self._port = str(self._sandbox.port)
        secret_file = folder / "river_webhook_secret"
        secret_file.touch(mode=0o600)
        self.settings = {
            "LIGHTNING_PROVIDER": self.name,
            "LIGHTNING_NETWORK": self.network,
            "RIVER_BASE_URL": self._sandbox.url,
            "RIVER_ACCOUNT_ID": ACCOUNT_ID,
            "RIVER_API_KEY": API_KEY,
            "RIVER_WEBHOOK_SECRET_FILE": str(secret_file),
        }
        self.secrets = [API_KEY]

    def pay(self, payment_request: str) -> str:
        paid = self._sandbox.ask("POST", "/_sandbox/pay", json={"payment_request": payment_request})
        return str(paid["preimage"])

    def tell(self, *, webhooks: bool) -> None:
        self._sandbox.faults({} if webhooks else {"drop_webhooks": True})

    def received(self) -> tuple[int, int]:
        deposits = self._sandbox.state()["deposits"]
        return len(deposits), sum(deposit["amount_sats"] for deposit in deposits)

    def pause(self) -> None:
        self._sandbox._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._sandbox._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        self._sandbox.stop()

    def start(self) -> None:
        self._sandbox = RiverStandIn(
            "--state", str(self._folder), "--port", self._port, LIGHTNING_NETWORK="regtest"
        )

    def close(self) -> None:
        self._sandbox.stop()


class LnbitsHouse:
    """LNbits with a wallet of ours and a payer's. Its FakeWallet signs for mainnet only."""

    name = "lnbits"
    network = "mainnet"

    def __init__(self, venv: Path, folder: Path, **settings: str) -> None:
        self.server = Lnbits(venv, folder, **settings)
        self.server.install()
        self.wallet = self.server.make_wallet("receiver")
        self._payers = self.server
        self._payer = self.server.make_wallet("payer", sats=_PAYERS_SATS)
        self.settings = {
            "LIGHTNING_PROVIDER": self.name,
            "LIGHTNING_NETWORK": self.network,
            "LNBITS_URL": self.server.url,
            "LNBITS_INVOICE_KEY": self.wallet["inkey"],
            "LNBITS_WEBHOOK_TOKEN": TOKEN,
        }
        self.secrets = [TOKEN, self.wallet["inkey"]]

    def pay(self, payment_request: str) -> str:
        row = self._payers.pay(self._payer, payment_request)
        assert (row["status"], row["wallet_id"]) == ("success", self._payer["id"])
        return str(row["preimage"])

    def tell(self, *, webhooks: bool) -> None:
        # It then gives up on every delivery, as it does where it reaches nobody.
        self.server.set(lnbits_callback_allow_private_ips=webhooks)

    def received(self) -> tuple[int, int]:
        rows: list[dict[str, Any]] = self.server.rows(self.wallet)
        came = [row["amount"] // 1000 for row in rows if row["status"] == "success"]
        return len(came), sum(came)

    def pause(self) -> None:
        self.server.process.send(signal.SIGSTOP)

    def resume(self) -> None:
        self.server.process.send(signal.SIGCONT)

    def stop(self) -> None:
        # FakeWallet forgets its open invoices with its process; VoidWallet says of each that
        # it waits, as a node does.
        self.server.set(lnbits_backend_wallet_class="VoidWallet")
        self.server.stop()

    def start(self) -> None:
        self.server.start()

    def close(self) -> None:
        self.server.stop()


class LnbitsOutsideHouse(LnbitsHouse):
    """LNbits on PostgreSQL with a node behind it: another LNbits, where strangers pay.

    So its invoices are its node's, payments come from outside, and it learns of them from
    its node, over a restart too.
    """

    def __init__(self, venv: Path, folder: Path, database_url: str) -> None:
        node_folder, own_folder = folder / "node", folder / "own"
        for each in (node_folder, own_folder):
            each.mkdir()
        self._node = Lnbits(venv, node_folder)
        self._node.install()
        ours = self._node.make_wallet("ours")
        super().__init__(
            venv,
            own_folder,
            LNBITS_DATABASE_URL=database_url,
            LNBITS_BACKEND_WALLET_CLASS="LNbitsWallet",
            LNBITS_ENDPOINT=self._node.url,
            LNBITS_KEY=ours["adminkey"],
        )
        self._payers = self._node
        self._payer = self._node.make_wallet("stranger", sats=_PAYERS_SATS)

    def pay(self, payment_request: str) -> str:
        preimage = super().pay(payment_request)
        # Its node tells it a moment later.
        until(lambda: self._status(payment_request), lambda status: status == "success")
        return preimage

    def stop(self) -> None:
        self.server.stop()

    def close(self) -> None:
        super().close()
        self._node.stop()

    def _status(self, payment_request: str) -> str:
        rows = self.server.rows(self.wallet)
        return next(str(row["status"]) for row in rows if row["bolt11"] == payment_request)
