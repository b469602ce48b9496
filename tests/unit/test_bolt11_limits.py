"""What is no payment request, and what can never be written as one."""

from dataclasses import replace

import pytest

from msty_invoice.lightning.bolt11 import Bolt11Error, FallbackAddress, RouteHop, encode
from tests.unit.bolt11_coffee import COFFEE, KEY, refuse


def test_a_payment_request_has_at_most_7089_characters() -> None:
    refuse("1" * 7089, "separator")
    refuse("1" * 7090, "longer than 7089")
    refuse("lnbc1" + "q" * 10_000_000, "longer than 7089")


@pytest.mark.parametrize(
    "garbage",
    ["", " ", "1", "lnbc1", "lightning:lnbc1", "\x00", "\ud800", "１", "lnbc1\ud800qqqqqq"],
)
def test_garbage_is_refused(garbage: str) -> None:
    refuse(garbage)


def test_a_letter_that_only_lower_case_makes_latin_is_refused() -> None:
    shouted = encode(COFFEE, KEY).upper()
    kelvin = shouted.replace("K", "\N{KELVIN SIGN}")
    assert kelvin.lower() == shouted.lower()
    refuse(kelvin, "ASCII")


def test_white_space_around_a_payment_request_is_refused() -> None:
    request = encode(COFFEE, KEY)
    for spoiled in (f" {request}", f"{request}\n", f"{request} "):
        refuse(spoiled)


HOP = RouteHop("02" * 33, 1, 1, 1, 1)


@pytest.mark.parametrize(
    "change",
    [
        {"payee": "02" * 33},
        {"payment_hash": "01" * 31},
        {"payment_secret": "zz" * 32},
        {"description": None, "description_hash": "01" * 33},
        {"description": "é" * 320},
        {"description": "\ud800"},
        {"metadata": bytes(640)},
        {"route_hints": ((),)},
        {"route_hints": ((replace(HOP, public_key="02" * 32),),)},
        {"route_hints": ((replace(HOP, fee_base_msat=1 << 32),),)},
        {"route_hints": ((replace(HOP, cltv_expiry_delta=-1),),)},
        {"route_hints": ((HOP,) * 13,)},
        {"fallback_addresses": (FallbackAddress(19, b""),)},
        {"fallback_addresses": (FallbackAddress(-1, b""),)},
        {"features": 1 << 5115},
    ],
)
def test_what_cannot_be_read_back_is_not_written(change: dict[str, object]) -> None:
    invoice = replace(COFFEE, **change)  # type: ignore[arg-type]
    with pytest.raises(Bolt11Error):
        encode(invoice, KEY)


@pytest.mark.parametrize(
    "change",
    [
        {"amount_msat": 0},
        {"amount_msat": -1},
        {"amount_msat": 21 * 10**17 + 1},
        {"description": None},
        {"description_hash": "01" * 32},
        {"timestamp": -1},
        {"timestamp": 1 << 35},
        {"expiry_seconds": -1},
        {"expiry_seconds": 1 << 40},
        {"min_final_cltv_expiry_delta": -1},
        {"features": 1},
        {"features": -1},
    ],
)
def test_an_invoice_that_no_rule_allows_cannot_be_made(change: dict[str, object]) -> None:
    with pytest.raises(Bolt11Error):
        replace(COFFEE, **change)  # type: ignore[arg-type]
