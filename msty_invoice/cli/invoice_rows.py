"""Many invoices as a table, as CSV or as JSON: each row is written as it is read."""

import csv
import json
from collections.abc import Iterable
from typing import TextIO

from msty_invoice.cli.describe import plain
from msty_invoice.cli.words import clean, when
from msty_invoice.domain.listing import ListedInvoice

_TABLE = "{:20}  {:64}  {:8}  {:>12}  {:20}  {:21}  {:16}  {}"
_HEAD = ("CREATED", "PAYMENT HASH", "STATUS", "SATS", "EXPIRES", "SETTLED (*LATE)", "KEY", "MEMO")
_COLUMNS = (
    "id",
    "payment_hash",
    "status",
    "amount_sats",
    "amount_received_sats",
    "created_at",
    "expires_at",
    "settled_at",
    "late",
    "memo",
    "provider",
    "provider_ref",
)
# What makes a spreadsheet calculate; the last four are how some keyboards write the first.
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def table(found: Iterable[ListedInvoice], out: TextIO) -> None:
    """For a person."""
    number = 0
    for number, listed in enumerate(found, start=1):
        if number == 1:
            out.write(_TABLE.format(*_HEAD) + "\n")
        out.write(_TABLE.format(*_cells(listed)).rstrip() + "\n")
    if number == 0:
        out.write("No invoice is like that. All there are: msty-invoice invoice list --limit 0\n")


def spreadsheet(found: Iterable[ListedInvoice], out: TextIO) -> None:
    """CSV (RFC 4180). No cell is a formula, whatever a client wrote into it."""
    writer = csv.writer(out)
    writer.writerow([*_COLUMNS, "key"])
    for listed in found:
        writer.writerow([_cell(value) for value in document(listed).values()])


def array(found: Iterable[ListedInvoice], out: TextIO) -> None:
    """A JSON array, an invoice a line."""
    out.write("[")
    for number, listed in enumerate(found):
        out.write(",\n" if number else "\n")
        out.write(json.dumps(document(listed), default=plain))
    out.write("\n]\n")


def document(listed: ListedInvoice) -> dict[str, object]:
    """What an operator may see of an invoice."""
    shown = {name: getattr(listed.invoice, name) for name in _COLUMNS}
    return shown | {"key": listed.key_name}


def _cells(listed: ListedInvoice) -> tuple[str, ...]:
    invoice = listed.invoice
    return (
        when(invoice.created_at),
        invoice.payment_hash,
        invoice.status,
        f"{invoice.amount_sats:,}",
        when(invoice.expires_at),
        when(invoice.settled_at) + ("*" if invoice.late else ""),
        clean(listed.key_name),
        clean(invoice.memo),
    )


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else plain(value)
    return f"'{text}" if text.lstrip().startswith(_FORMULA) else text
