"""Our BOLT11 codec beside two others: their answers on record, and live."""

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from msty_invoice.lightning.bolt11 import decode, encode
from tests.oracles.answers import (
    VECTORS,
    ask_bolt11,
    ask_light_bolt11_decoder,
    our_answer,
    questions,
    written_by_bolt11,
)
from tests.unit.bolt11_coffee import KEY, PAYEE

RECORDED = json.loads((VECTORS / "bolt11_oracles.json").read_text())
ASKED = [vector["invoice"] for vector in RECORDED]


def recorded(oracle: str) -> list[dict[str, Any]]:
    return [vector[oracle] for vector in RECORDED]


@pytest.mark.parametrize("oracle", ["bolt11", "light_bolt11_decoder"])
@pytest.mark.parametrize("vector", RECORDED, ids=range(len(RECORDED)))
def test_we_agree_with_the_recorded_answer(vector: dict[str, Any], oracle: str) -> None:
    ours = our_answer(decode(vector["invoice"]))
    theirs = vector[oracle]
    assert {name: ours[name] for name in theirs} == theirs


def test_our_invoices_come_out_as_they_were_recorded() -> None:
    assert questions() == ASKED


@pytest.fixture
def bolt11_package() -> None:
    if sys.version_info >= (3, 13):
        pytest.skip("the bolt11 package (an oracle for our codec) needs Python below 3.13")


@pytest.mark.usefixtures("bolt11_package")
def test_bolt11_from_pypi_still_answers_as_recorded() -> None:
    assert ask_bolt11(ASKED) == recorded("bolt11")


@pytest.mark.usefixtures("bolt11_package")
def test_we_read_what_bolt11_from_pypi_writes() -> None:
    for payment_request in ASKED:
        invoice = decode(payment_request)
        if invoice.amount_msat == 21_000_000 * 10**11:
            continue  # it writes thousands of bitcoin as that many bitcoin
        again = written_by_bolt11(encode(replace(invoice, payee=""), KEY), KEY)
        assert decode(again) == replace(invoice, payee=PAYEE)


def test_light_bolt11_decoder_from_npm_still_answers_as_recorded(tmp_path: Path) -> None:
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("light-bolt11-decoder (an oracle for our codec) needs node and npm")
    assert ask_light_bolt11_decoder(ASKED, tmp_path) == recorded("light_bolt11_decoder")
