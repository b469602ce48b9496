"""The human-readable part of BOLT #11: network and amount."""

from dataclasses import replace

import pytest

from msty_invoice.domain.invoice import Network
from msty_invoice.lightning.bolt11 import data_part, decode, encode, sign
from tests.unit.bolt11_coffee import COFFEE, KEY, refuse


@pytest.mark.parametrize(
    ("prefix", "network"),
    [
        ("lnbc2500u", Network.MAINNET),
        ("lntb2500u", Network.TESTNET),
        ("lntbs2500u", Network.SIGNET),
        ("lnbcrt2500u", Network.REGTEST),
    ],
)
def test_each_network_has_its_prefix(prefix: str, network: Network) -> None:
    assert decode(sign(prefix, data_part(COFFEE), KEY)) == replace(COFFEE, network=network)
    assert encode(replace(COFFEE, network=network), KEY).startswith(f"{prefix}1")


@pytest.mark.parametrize(
    "prefix",
    [
        "lnsb2500u",
        "lnbcr2500u",
        "lntbx2500u",
        "ln2500u",
        "bc2500u",
        "lnbc2500u ",
        "xlnbc2500u",
        "ln",
    ],
)
def test_other_prefixes_are_refused(prefix: str) -> None:
    refuse(sign(prefix, data_part(COFFEE), KEY), "prefix")


@pytest.mark.parametrize(
    ("written", "msat"),
    [
        ("", None),
        ("1", 10**11),
        ("20m", 2 * 10**9),
        ("2500u", 250_000_000),
        ("1n", 100),
        ("10p", 1),
        ("9678785340p", 967_878_534),
        ("21000000", 21 * 10**17),
    ],
)
def test_an_amount_is_read_and_written_to_the_millisatoshi(written: str, msat: int | None) -> None:
    request = sign(f"lnbc{written}", data_part(COFFEE), KEY)
    assert decode(request) == replace(COFFEE, amount_msat=msat)
    assert encode(replace(COFFEE, amount_msat=msat), KEY) == request


@pytest.mark.parametrize(
    "written",
    [
        "0",
        "0u",
        "01",
        "02500u",
        "2500x",
        "m",
        "p",
        "+1",
        "-1",
        "1_0",
        "1.5m",
        "1 ",
        "2500uu",
        "1e3",
    ],
)
def test_a_malformed_amount_is_refused(written: str) -> None:
    refuse(sign(f"lnbc{written}", data_part(COFFEE), KEY), "malformed amount")


@pytest.mark.parametrize("written", ["1p", "2500000001p", "99p"])
def test_a_fraction_of_a_millisatoshi_is_refused(written: str) -> None:
    refuse(sign(f"lnbc{written}", data_part(COFFEE), KEY), "fraction of a millisatoshi")


@pytest.mark.parametrize("written", ["21000001", "99999999999999999999"])
def test_more_bitcoin_than_there_are_is_refused(written: str) -> None:
    refuse(sign(f"lnbc{written}", data_part(COFFEE), KEY), "more bitcoin than there are")


def test_an_amount_of_five_thousand_digits_is_refused() -> None:
    refuse(sign(f"lnbc{'9' * 5000}", data_part(COFFEE), KEY), "malformed amount")
