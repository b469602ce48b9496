"""Invoices are real: they decode, and say what was asked."""

from datetime import UTC, datetime

import pytest

from msty_invoice.domain.invoice import Network
from msty_invoice.lightning.bolt11 import decode
from tests.integration.sandbox.processes import INTENTS, Sandbox


@pytest.mark.parametrize(("amount", "label"), [(1, ""), (2500, "order 42"), (21, "Käse ☕")])
def test_an_invoice_says_what_was_asked(sandbox: Sandbox, amount: int, label: str) -> None:
    intent = sandbox.create(amount, label)

    invoice = decode(intent["destination"])

    assert (invoice.network, invoice.amount_sats) == (Network.REGTEST, amount)
    assert (invoice.description, invoice.expiry_seconds) == (label, 3600)
    made_at = datetime.fromtimestamp(intent["timestamp"] / 1000, UTC)
    assert abs(made_at.timestamp() - invoice.timestamp) < 2


def test_no_two_invoices_share_a_hash_or_secret(sandbox: Sandbox) -> None:
    invoices = [decode(sandbox.create()["destination"]) for _ in range(5)]

    assert len({invoice.payment_hash for invoice in invoices}) == 5
    assert len({invoice.payment_secret for invoice in invoices}) == 5
    assert len({invoice.payee for invoice in invoices}) == 1


def test_a_label_may_fill_its_field_and_no_more(sandbox: Sandbox) -> None:
    fits = "é" * 319 + "e"

    assert decode(sandbox.create(1, fits)["destination"]).description == fits
    order = {"amount": 1, "network": "LN", "label": fits + "e"}
    assert sandbox.refused("POST", INTENTS, order) == (400, "INVALID_PARAMETER", "label")


def test_an_address_is_well_formed_and_needs_no_amount(sandbox: Sandbox) -> None:
    intent = sandbox.ask("POST", INTENTS, json={"network": "BTC"})

    assert intent["network"] == "BTC"
    assert intent["destination"].startswith("bcrt1q")
    assert len(intent["destination"]) == 44


def test_parsing_tells_who_would_be_paid(sandbox: Sandbox) -> None:
    destination = sandbox.create()["destination"]

    parsed = sandbox.ask("PUT", "/lightning/parse_invoice", json={"destination": destination})

    assert parsed["node_id"] == decode(destination).payee
