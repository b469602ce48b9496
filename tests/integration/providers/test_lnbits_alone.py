"""What only LNbits does, asked of a real one through our provider."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from msty_invoice.domain.deposit import DepositState
from msty_invoice.domain.errors import ProviderMisconfigured, ProviderRefused
from msty_invoice.domain.invoice import InvoiceOrder, Network
from msty_invoice.lightning.lnbits.client import LnbitsClient
from msty_invoice.lightning.lnbits.provider import Lnbits
from tests.integration.providers.lnbits import Lnbits as Server

ORDER = InvoiceOrder(2500, "order 42")


class Fresh(Server):
    """Just started: nobody has set it up."""

    def __init__(self, venv: Path, folder: Path) -> None:
        super().__init__(venv, folder)
        self._clients: list[LnbitsClient] = []

    def provider(self, key: str, *, path: str = "", webhook: str = "") -> Lnbits:
        client = LnbitsClient(self.url + path, key)
        self._clients.append(client)
        return Lnbits(client, Network.MAINNET, webhook)

    def stop(self) -> None:
        for client in self._clients:
            client.close()
        super().stop()


@pytest.fixture
def fresh(lnbits_venv: Path, tmp_path: Path) -> Iterator[Fresh]:
    server = Fresh(lnbits_venv, tmp_path)
    yield server
    server.stop()


def test_it_waits_for_its_first_visit_and_then_serves(fresh: Fresh) -> None:
    with pytest.raises(ProviderMisconfigured):
        fresh.provider("0" * 32).ping()

    fresh.install()

    fresh.provider(fresh.make_wallet("till")["inkey"]).ping()
    _refuses_keys_and_addresses(fresh)
    _refuses_what_it_cannot_take(fresh)
    _counts_what_a_wallet_pays_itself(fresh)
    _never_pays_out_with_our_key(fresh)


def _refuses_keys_and_addresses(server: Fresh) -> None:
    wallet = server.make_wallet("till")
    with pytest.raises(ProviderMisconfigured, match="Wallet not found"):
        server.provider("0" * 32).create_invoice(ORDER)
    with pytest.raises(ProviderMisconfigured, match="Wallet not found"):
        server.provider("0" * 32).look("ab" * 32)
    with pytest.raises(ProviderMisconfigured, match="admin key"):
        server.provider(wallet["adminkey"]).ping()
    with pytest.raises(ProviderMisconfigured):
        server.provider(wallet["inkey"], path="/elsewhere").ping()
    with pytest.raises(ProviderMisconfigured, match="Callback URL"):
        server.provider(wallet["inkey"], webhook="http://10.0.0.7/x").create_invoice(ORDER)


def _refuses_what_it_cannot_take(server: Fresh) -> None:
    till = server.provider(server.make_wallet("till")["inkey"])
    with pytest.raises(ProviderRefused, match="Invoice amount"):
        till.create_invoice(InvoiceOrder(10_000_001))
    longest = till.create_invoice(InvoiceOrder(1, "é" * 319))
    assert till.deposit(longest.provider_ref) is None


def _counts_what_a_wallet_pays_itself(server: Fresh) -> None:
    """Its status call would show the outgoing half."""
    wallet = server.make_wallet("till", sats=10_000)
    till = server.provider(wallet["inkey"])
    invoice = till.create_invoice(ORDER)
    assert till.look(invoice.payment_hash) == []

    server.pay(wallet, invoice.payment_request)

    (found,) = till.look(invoice.payment_hash)
    assert (found.state, found.amount_sats) == (DepositState.SUCCEEDED, 2500)
    assert found.payment_request == invoice.payment_request
    newest, top_up = till.walk(None).deposits
    assert newest == found
    assert top_up.amount_sats == 10_000
    assert till.balance() == 10_000


def _never_pays_out_with_our_key(server: Fresh) -> None:
    wallet = server.make_wallet("till", sats=10_000)
    other = server.provider(server.make_wallet("other")["inkey"]).create_invoice(ORDER)

    with pytest.raises(AssertionError, match="403"):
        server.pay(wallet | {"adminkey": wallet["inkey"]}, other.payment_request)
