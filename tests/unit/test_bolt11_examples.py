"""Every example of BOLT #11, valid and invalid."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from msty_invoice.lightning.bolt11 import Bolt11Error, decode, encode
from tests.oracles.answers import VECTORS, our_answer

BOLT = json.loads((VECTORS / "bolt11.json").read_text())


def title(example: dict[str, Any]) -> str:
    return str(example["title"])[:60]


@pytest.mark.parametrize("example", BOLT["valid"], ids=title)
def test_a_valid_example_says_what_the_bolt_says(example: dict[str, Any]) -> None:
    expected = BOLT["unless_said_otherwise"] | example["says"]
    answer = our_answer(decode(example["invoice"]))
    if expected["payee"] is None:  # the BOLT does not name whom a high S makes the payee
        expected["payee"] = answer["payee"]
    assert answer == expected


@pytest.mark.parametrize("example", BOLT["invalid"], ids=title)
def test_an_invalid_example_is_refused_for_its_reason(example: dict[str, Any]) -> None:
    with pytest.raises(Bolt11Error, match=example["refused_for"]):
        decode(example["invoice"])


@pytest.mark.parametrize("example", BOLT["valid"], ids=title)
def test_a_valid_example_written_again_says_the_same(example: dict[str, Any]) -> None:
    invoice = replace(decode(example["invoice"]), payee="")
    again = decode(encode(invoice, bytes.fromhex(BOLT["private_key"])))
    assert again == replace(invoice, payee=BOLT["unless_said_otherwise"]["payee"])


def test_all_examples_are_there() -> None:
    assert (len(BOLT["valid"]), len(BOLT["invalid"])) == (15, 13)


def test_the_coffee_is_2500_microbitcoin_and_expires_within_a_minute() -> None:
    coffee = decode(BOLT["valid"][1]["invoice"])
    assert coffee.amount_sats == 250_000
    assert coffee.expires_at == datetime(2017, 6, 1, 10, 58, 38, tzinfo=UTC)


def test_an_amount_in_millisatoshis_is_no_amount_in_sats() -> None:
    pico = next(e for e in BOLT["valid"] if "pico" in e["title"])
    with pytest.raises(Bolt11Error, match="fraction of a satoshi"):
        _ = decode(pico["invoice"]).amount_sats


def test_a_donation_has_no_amount_in_sats() -> None:
    with pytest.raises(Bolt11Error, match="no amount"):
        _ = decode(BOLT["valid"][0]["invoice"]).amount_sats
