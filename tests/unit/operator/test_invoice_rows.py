"""Many invoices, safe for spreadsheets, terminals and machines."""

import csv
import io
import json
from datetime import timedelta

import pytest

from msty_invoice.cli.invoice_rows import array, spreadsheet, table
from msty_invoice.domain.listing import ListedInvoice
from tests.fakes import NOON
from tests.storage.conftest import make_invoice
from tests.unit.operator.dossiers import settled_invoice


def _csv(memo: str | None, key: str = "shop") -> dict[str, str]:
    out = io.StringIO(newline="")
    spreadsheet([ListedInvoice(make_invoice(memo=memo), key)], out)
    (row,) = csv.DictReader(io.StringIO(out.getvalue(), newline=""))
    return row


@pytest.mark.parametrize("memo", ["=1+1", "+1", "-1", "@SUM(A1)", "  =1", "＝1", '=HYPERLINK("x")'])
def test_no_memo_or_name_is_a_formula(memo: str) -> None:
    assert _csv(memo)["memo"] == f"'{memo}"
    assert _csv("coffee", key=memo)["key"] == f"'{memo}"


def test_csv_keeps_commas_quotes_and_other_scripts() -> None:
    memo = 'two "cafés", 咖啡'

    assert _csv(memo)["memo"] == memo
    assert _csv(None)["memo"] == ""


def test_csv_has_its_head_also_with_nothing_in_it() -> None:
    out = io.StringIO()
    spreadsheet([], out)

    assert out.getvalue().startswith("id,payment_hash,status,amount_sats,")


def test_instants_in_csv_and_json_are_utc() -> None:
    out = io.StringIO()
    array([ListedInvoice(make_invoice(), "shop")] * 2, out)
    found = json.loads(out.getvalue())

    assert [row["created_at"] for row in found] == ["2026-11-23T12:00:00Z"] * 2
    assert _csv(None)["created_at"] == "2026-11-23T12:00:00Z"


def test_no_invoice_is_an_empty_array() -> None:
    out = io.StringIO()
    array([], out)

    assert json.loads(out.getvalue()) == []


def test_neither_preimage_nor_bolt11_is_listed() -> None:
    out = io.StringIO()
    array([ListedInvoice(settled_invoice(preimage="0a" * 32), "shop")], out)

    assert not {"preimage", "payment_request"} & json.loads(out.getvalue())[0].keys()


def test_a_memo_gives_no_orders_to_a_terminal() -> None:
    out = io.StringIO()
    table([ListedInvoice(make_invoice(memo="a\x1b[2Jb"), "shop")], out)

    assert "\x1b" not in out.getvalue()
    assert "a�[2Jb" in out.getvalue()


def test_a_late_payment_is_marked() -> None:
    out = io.StringIO()
    table([ListedInvoice(settled_invoice(settled_at=NOON + timedelta(hours=2)), "shop")], out)

    assert "2026-11-23 14:00:00Z*" in out.getvalue()


def test_an_empty_table_says_what_to_type() -> None:
    out = io.StringIO()
    table([], out)

    assert "msty-invoice invoice list --limit 0" in out.getvalue()
