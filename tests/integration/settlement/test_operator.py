"""What an operator types when support asks, against the service as it runs."""

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from msty_invoice.dev.process import Process
from tests.databases import DatabaseOfOne
from tests.integration.running import RiverStandIn, Service
from tests.integration.settlement.conftest import Operator, wait_for

Books = Callable[..., list[Any]]
_ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it said."""

    code: int
    out: str
    complaint: str

    @property
    def json(self) -> Any:
        assert self.code == 0, self.complaint
        return json.loads(self.out)


@pytest.fixture
def types(operator: Operator, service: Service) -> Callable[..., Ended]:
    """Run `msty-invoice ARGUMENTS` to whatever end."""

    def typing(*arguments: str, **settings: str) -> Ended:
        done = subprocess.run(
            [sys.executable, "-m", "msty_invoice.cli", *arguments],
            env=operator.settings | settings,
            cwd=_ROOT,
            capture_output=True,
            text=True,
            timeout=60,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    return typing


def _lines(ended: Ended) -> list[str]:
    assert ended.code == 0, ended.complaint
    return ended.out.splitlines()


def _deposit_of(books: Books, invoice: dict[str, Any]) -> str:
    (row,) = books(
        "SELECT deposit_ref FROM deposits d JOIN invoices i ON i.id = d.invoice_id"
        " WHERE i.payment_hash = %(h)s",
        h=invoice["paymentHash"],
    )
    return str(row[0])


def test_a_paid_invoice_is_shown_with_its_life(
    service: Service,
    settler: Process,
    pay: Callable[..., Any],
    settled: Callable[..., Any],
    types: Callable[..., Ended],
    database: DatabaseOfOne,
    books: Books,
) -> None:
    invoice = service.create({"amount": 2500, "memo": "two coffees"}).json()
    pay(invoice)
    settled(invoice)
    names = [invoice["paymentHash"], invoice["paymentRequest"].upper()]
    (row,) = books("SELECT id FROM invoices WHERE payment_hash = %(h)s", h=names[0])

    shown = [
        types("invoice", "show", name, DATABASE_URL=database.readonly)
        for name in (*names, str(row[0]))
    ]

    assert len({ended.out for ended in shown}) == 1
    assert _lines(shown[0])[-1] == "Nothing is wrong: it was paid."
    for said in ("two coffees", "settled", "2,500 sats", " test", "credited", "api "):
        assert said in shown[0].out
    story = types("invoice", "show", names[0], "--json").json
    assert story["wrong"] is None
    assert "preimage" not in story["invoice"]
    assert {"api", "expiry"} < {moment["path"] for moment in story["timeline"]}


def test_an_underpayment_is_shown_listed_and_resolved(
    service: Service,
    operator: Operator,
    pay: Callable[..., Any],
    types: Callable[..., Ended],
    database: DatabaseOfOne,
    books: Books,
) -> None:
    invoice = service.create().json()
    pay(invoice, amount=2499)
    operator.run("reconcile")
    ref = _deposit_of(books, invoice)

    sentence = _lines(types("invoice", "show", invoice["paymentHash"]))[-1]
    assert sentence.startswith("Paid 1 sat too little on ")
    assert sentence.endswith(f"msty-invoice quarantine show {ref}")

    readonly = {"DATABASE_URL": database.readonly}
    listed = types("quarantine", "list", **readonly)
    assert ref in listed.out
    (waiting,) = books(
        "SELECT sum(amount_sats)::bigint FROM deposits"
        " WHERE resolved_at IS NULL AND verdict NOT IN ('credited', 'transfer')"
    )
    assert f"\n{waiting[0]:,} sats wait for a decision" in listed.out
    evidence = types("quarantine", "show", ref, **readonly)
    assert f"msty-invoice quarantine resolve {ref} --reason TEXT" in evidence.out

    decision = ("quarantine", "resolve", ref, "--reason", "refunded, ticket 7")
    assert types(*decision, "--dry-run").code == 0
    assert ref in types("quarantine", "list").out
    assert types(*decision).out == f"resolved {ref}: refunded, ticket 7\n"
    assert ref not in types("quarantine", "list").out
    assert "refunded, ticket 7" in types("quarantine", "list", "--all").out
    again = types(*decision)
    assert (again.code, "refunded, ticket 7" in again.complaint) == (1, True)
    story = types("invoice", "show", invoice["paymentHash"])
    assert "operator   resolved deposit" in story.out
    assert _lines(story)[-1].startswith("Nothing is wrong")


def test_a_lost_invoice_is_adopted_and_reads_settled_again(
    service: Service,
    operator: Operator,
    pay: Callable[..., Any],
    types: Callable[..., Ended],
    books: Books,
) -> None:
    invoice = service.create({"amount": 2500, "memo": "order 42"}).json()
    payment_hash = invoice["paymentHash"]
    # As after a restore: the provider knows it, the database does not.
    books("DELETE FROM invoices WHERE payment_hash = %(h)s RETURNING id", h=payment_hash)
    ref = pay(invoice)["deposit"]
    operator.run("reconcile")
    assert books("SELECT verdict FROM deposits WHERE deposit_ref = %(r)s", r=ref) == [("unknown",)]
    gone = types("invoice", "show", payment_hash)
    assert (gone.code, "msty-invoice quarantine list" in gone.complaint) == (1, True)
    assert "--adopt --key NAME" in types("quarantine", "show", ref).out

    adopt = ("quarantine", "resolve", ref, "--adopt", "--key", "test", "--reason", "restored")
    assert "would rebuild" in types(*adopt, "--dry-run").out
    people = [
        subprocess.Popen(
            [sys.executable, "-m", "msty_invoice.cli", *adopt], env=operator.settings, cwd=_ROOT
        )
        for _ in range(2)
    ]
    assert [person.wait(60) for person in people] == [0, 0]
    assert "nothing was left to do" in types(*adopt).out

    read = service.read(payment_hash)
    assert (read["status"], read["amount"], read["late"]) == ("settled", 2500, False)
    credited = """
        SELECT count(*) FROM deposits d JOIN invoices i ON i.id = d.invoice_id
        WHERE i.payment_hash = %(h)s AND d.verdict = 'credited'
    """
    assert books(credited, h=payment_hash) == [(1,)]
    story = types("invoice", "show", payment_hash)
    assert "adopt      created" in story.out
    assert "adopt      rebuilt from the deposit: restored" in story.out
    assert "order 42" in story.out
    assert _lines(story)[-1] == "Nothing is wrong: it was paid."
    operator.run("reconcile")
    assert books("SELECT count(*) FROM deposits WHERE deposit_ref = %(r)s", r=ref) == [(1,)]


def test_what_the_provider_says_otherwise_is_found_and_resolved(
    service: Service,
    sandbox: RiverStandIn,
    operator: Operator,
    pay: Callable[..., Any],
    types: Callable[..., Ended],
    books: Books,
) -> None:
    invoice = service.create().json()
    pay(invoice)
    operator.run("reconcile")
    deposit_ref = _deposit_of(books, invoice)
    sandbox.faults({"amount_delta": 100})
    operator.run("reconcile")
    sandbox.faults({})
    (row,) = books("SELECT id FROM deposit_findings WHERE deposit_ref = %(r)s", r=deposit_ref)
    ref = f"finding:{row[0]}"

    sentence = _lines(types("invoice", "show", invoice["paymentHash"]))[-1]
    assert sentence.startswith("The provider now says amount_sats 2600")
    assert ref in sentence
    assert ref in types("quarantine", "list").out
    assert "2500, is now 2600" in types("quarantine", "show", ref).out
    for found in books("SELECT id FROM deposit_findings WHERE resolved_at IS NULL"):
        decision = ("quarantine", "resolve", f"finding:{found[0]}", "--reason", "their mistake")
        assert types(*decision).code == 0

    assert service.read(invoice["paymentHash"])["status"] == "settled"
    assert _lines(types("invoice", "show", invoice["paymentHash"]))[-1].startswith("Nothing")


def test_a_second_payment_waits_and_is_named(
    service: Service,
    operator: Operator,
    pay: Callable[..., Any],
    types: Callable[..., Ended],
    books: Books,
) -> None:
    # River takes one payment for an invoice, so the second is written as its judge would.
    invoice = service.create().json()
    pay(invoice)
    operator.run("reconcile")
    books(
        """
        INSERT INTO deposits (provider, deposit_ref, intent_ref, amount_sats, network,
                              deposited_at, verdict, invoice_id, seen_by)
        SELECT provider, 'dep_second', provider_ref, 2500, 'LN', now(), 'second', id, 'walk'
        FROM invoices WHERE payment_hash = %(h)s RETURNING 1
        """,
        h=invoice["paymentHash"],
    )

    assert _lines(types("invoice", "show", invoice["paymentHash"]))[-1].startswith("Paid again")
    assert types("quarantine", "resolve", "dep_second", "--reason", "sent back").code == 0


def test_a_parked_webhook_is_replayed_and_settles(
    service: Service,
    sandbox: RiverStandIn,
    operator: Operator,
    pay: Callable[..., Any],
    types: Callable[..., Ended],
    database: DatabaseOfOne,
    books: Books,
) -> None:
    invoice = service.create().json()
    ref = pay(invoice)["deposit"]
    event = "SELECT id FROM webhook_events WHERE ref = %(r)s"
    number = str(wait_for(lambda: books(event, r=ref), bool)[0][0])
    books(
        "UPDATE webhook_events SET parked_at = now(), outcome = 'no such deposit'"
        " WHERE id = %(id)s RETURNING id",
        id=number,
    )

    assert f"webhooks replay {number}" in types("invoice", "show", invoice["paymentHash"]).out
    parked = types("webhooks", "list", "--parked", DATABASE_URL=database.readonly)
    assert ref in parked.out
    assert f": {number}" in types("webhooks", "replay", "--parked", "--dry-run").out
    settler = operator.start_settler()
    try:
        assert types("webhooks", "replay", number).code == 0
        wait_for(lambda: service.read(invoice["paymentHash"])["status"], lambda s: s == "settled")
        done = "SELECT done_at IS NOT NULL FROM webhook_events WHERE id = %(id)s"
        wait_for(lambda: books(done, id=number), lambda rows: rows == [(True,)])
    finally:
        settler.stop(seconds=15)


def test_invoices_are_listed_for_people_machines_and_spreadsheets(
    service: Service, types: Callable[..., Ended], database: DatabaseOfOne
) -> None:
    older = service.create({"amount": 1, "memo": "=1+1"}).json()["paymentHash"]
    newer = service.create({"amount": 2, "memo": "newer"}).json()["paymentHash"]
    readonly = {"DATABASE_URL": database.readonly}

    listed = types("invoice", "list", "--limit", "2", "--json", **readonly).json
    sheet = types("invoice", "list", "--status", "pending", "--csv", "--limit", "0", **readonly)
    table = types("invoice", "list", "--since", "2020-01-01", **readonly)

    assert [row["payment_hash"] for row in listed] == [newer, older]
    memos = {row["payment_hash"]: row["memo"] for row in csv.DictReader(io.StringIO(sheet.out))}
    assert (memos[older], memos[newer]) == ("'=1+1", "newer")
    assert table.out.index(newer) < table.out.index(older)
    assert types("invoice", "list", "--until", "2020-01-01", "--json").json == []


def test_a_reader_that_has_enough_ends_a_list_quietly(service: Service, operator: Operator) -> None:
    for _ in range(3):
        service.create()
    listing = subprocess.Popen(
        [sys.executable, "-m", "msty_invoice.cli", "invoice", "list"],
        env=operator.settings,
        cwd=_ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert listing.stdout is not None
    listing.stdout.close()  # before anything is written
    assert listing.stderr is not None
    assert listing.stderr.read() == b""
    assert listing.wait(30) == 0
    listing.stderr.close()


@pytest.mark.parametrize(
    ("typed", "code", "says"),
    [
        (("invoice", "show", "0" * 64), 1, "msty-invoice invoice list"),
        (("quarantine", "show", "dep_none"), 1, "msty-invoice quarantine list --all"),
        (("quarantine", "resolve", "finding:0", "--reason", "x"), 1, "quarantine list --all"),
        (("quarantine", "resolve", "dep_none"), 2, "--reason"),
        (("quarantine", "resolve", "dep_none", "--reason", " "), 2, "1 to 500"),
        (("quarantine", "resolve", "d", "--reason", "x", "--adopt"), 2, "--key NAME"),
        (("webhooks", "replay", "0"), 1, "msty-invoice webhooks list"),
        (("webhooks", "replay"), 2, "required"),
        (("invoice", "list", "--since", "yesterday"), 2, "2026-11-01"),
        (("invoice", "list", "--limit", "-1"), 2, "whole number"),
    ],
)
def test_a_mistake_says_what_to_type_instead(
    types: Callable[..., Ended], typed: tuple[str, ...], code: int, says: str
) -> None:
    ended = types(*typed)

    assert (ended.code, ended.out) == (code, "")
    assert says in ended.complaint
    assert "Traceback" not in ended.complaint


_EACH = [
    ("invoice", "show", "0" * 64),
    ("invoice", "list"),
    ("quarantine", "list"),
    ("quarantine", "show", "d"),
    ("quarantine", "resolve", "d", "--reason", "x"),
    ("webhooks", "list"),
    ("webhooks", "replay", "--parked"),
]


@pytest.mark.parametrize("typed", _EACH, ids=" ".join)
def test_a_database_that_is_away_is_75(
    types: Callable[..., Ended], typed: tuple[str, ...], tmp_path: Path
) -> None:
    ended = types(*typed, DATABASE_URL=f"postgresql://nobody@/none?host={tmp_path}")

    assert (ended.code, ended.out) == (75, "")


@pytest.mark.parametrize("typed", _EACH, ids=" ".join)
def test_every_command_teaches_itself(types: Callable[..., Ended], typed: tuple[str, ...]) -> None:
    help_text = types(*typed[:2], "--help").out

    assert f"example:\n  msty-invoice {' '.join(typed[:2])}" in help_text
    assert "--json" in help_text


@pytest.mark.parametrize("typed", _EACH[4:5] + _EACH[6:], ids=" ".join)
def test_a_reader_of_the_database_changes_nothing(
    service: Service,
    operator: Operator,
    pay: Callable[..., Any],
    types: Callable[..., Ended],
    database: DatabaseOfOne,
    books: Books,
    typed: tuple[str, ...],
) -> None:
    invoice = service.create().json()
    pay(invoice, amount=1)
    operator.run("reconcile")
    ref = _deposit_of(books, invoice)

    ended = types(*[ref if word == "d" else word for word in typed], DATABASE_URL=database.readonly)

    assert ended.code == 1
    assert "the login of DATABASE_URL may not change this" in ended.complaint
    assert "Traceback" not in ended.complaint
