"""An invoice is shown only if its BOLT11 says what was asked."""

from datetime import UTC, datetime, timedelta

import pytest

from msty_invoice.domain.errors import UntrustworthyInvoice
from msty_invoice.domain.invoice import InvoiceOrder, IssuedInvoice, Network
from msty_invoice.lightning import bech32, bolt11
from msty_invoice.lightning.bolt11 import Bolt11
from msty_invoice.lightning.issued import issued_invoice

KEY = b"\x01" * 32
HASH = "ab" * 32
MEMO = "order 42"


def payment_request(network: Network = Network.REGTEST, amount_msat: int | None = 2_500_000) -> str:
    invoice = Bolt11(
        network=network,
        amount_msat=amount_msat,
        timestamp=1_700_000_000,
        payment_hash=HASH,
        payment_secret="cd" * 32,
        description=MEMO,
        expiry_seconds=600,
    )
    return bolt11.encode(invoice, KEY)


def issue(text: str) -> IssuedInvoice:
    return issued_invoice(
        InvoiceOrder(2500, MEMO),
        text,
        network=Network.REGTEST,
        provider="river",
        provider_ref="di_1",
    )


def test_what_was_asked_is_issued_as_it_came() -> None:
    text = payment_request()
    issued_at = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    expires_at = issued_at + timedelta(minutes=10)
    assert issue(text) == IssuedInvoice("river", "di_1", text, HASH, 2500, issued_at, expires_at)


@pytest.mark.parametrize("amount_msat", [None, 2_499_000, 2_501_000, 2_500_001, 2_500_000_000])
def test_another_amount_or_none_is_refused(amount_msat: int | None) -> None:
    with pytest.raises(UntrustworthyInvoice):
        issue(payment_request(amount_msat=amount_msat))


@pytest.mark.parametrize("network", [Network.MAINNET, Network.TESTNET, Network.SIGNET])
def test_another_network_is_refused(network: Network) -> None:
    with pytest.raises(UntrustworthyInvoice, match=f"for {network}, not regtest"):
        issue(payment_request(network=network))


def test_two_payment_hashes_are_refused() -> None:
    prefix = bolt11.write_prefix(Network.REGTEST, 2_500_000)
    invoice = bolt11.decode(payment_request())
    second_hash = bolt11.field("p", bech32.from_bytes(b"\xee" * 32))
    text = bolt11.sign(prefix, bolt11.data_part(invoice) + second_hash, KEY)
    with pytest.raises(UntrustworthyInvoice, match="more than one payment_hash"):
        issue(text)


@pytest.mark.parametrize(
    "text", ["", "di_1", "bcrt1qaddress", "lnbcrt25u1" + "q" * 300, "x" * 9000]
)
def test_what_is_no_bolt11_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(UntrustworthyInvoice) as caught:
        issue(text)
    assert len(text) < 10 or text not in str(caught.value)
