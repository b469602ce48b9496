"""Our BOLT11 codec beside two others: their answers on record, and live."""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from msty_invoice.lightning.bolt11 import decode
from tests.oracles.answers import (
    VECTORS,
    ask_bolt11,
    ask_light_bolt11_decoder,
    our_answer,
    questions,
)

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


def test_bolt11_from_pypi_still_answers_as_recorded() -> None:
    if sys.version_info >= (3, 13):
        pytest.skip("the bolt11 package (an oracle for our codec) needs Python below 3.13")
    assert ask_bolt11(ASKED) == recorded("bolt11")


def test_light_bolt11_decoder_from_npm_still_answers_as_recorded(tmp_path: Path) -> None:
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("light-bolt11-decoder (an oracle for our codec) needs node and npm")
    assert ask_light_bolt11_decoder(ASKED, tmp_path) == recorded("light_bolt11_decoder")
