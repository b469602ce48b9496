"""River's JSON is read strictly where it counts, and leniently where River may add to it."""

import json
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest

from msty_invoice.lightning.records import Unread
from msty_invoice.lightning.river import wire
from msty_invoice.lightning.river.wire import UnreadableBody
from tests.wire.pairs import get_pair

ABSENT = object()


def answer(name: str, path: str = "", value: object = None) -> dict[str, Any]:
    """The body of a pair, with one place changed or left out."""
    body: dict[str, Any] = deepcopy(get_pair(name).answer)
    if path:
        *outer, last = path.split(".")
        place = body
        for step in outer:
            place = place[step]
        place[last] = value
        if value is ABSENT:
            del place[last]
    return body


NOT_SATS: list[object] = [ABSENT, None, True, 2500.0, "2500", -1, 21 * 10**14 + 1, [], {}]
NOT_TEXT: list[object] = [ABSENT, None, 7, True, "", "x" * 5000, "a\nb", "\x00", "\ud800", [], {}]
NOT_TIME: list[object] = [ABSENT, None, True, 1.7e12, "1700000000000", 0, -1, 17000000000, 10**15]
NOT_OBJECT: list[object] = [ABSENT, None, 7, "x", []]

REFUSED: list[tuple[str, Callable[[dict[str, Any]], object], str, list[object]]] = [
    ("create-an-invoice", wire.intent, "id", NOT_TEXT),
    ("create-an-invoice", wire.intent, "destination", NOT_TEXT),
    ("create-an-invoice", wire.intent, "network", NOT_TEXT),
    ("deposit", wire.deposit, "id", NOT_TEXT),
    ("deposit", wire.deposit, "amount", NOT_SATS),
    ("deposit", wire.deposit, "state", NOT_TEXT),
    ("deposit", wire.deposit, "timestamp", NOT_TIME),
    ("deposit", wire.deposit, "deposit_intent", NOT_OBJECT),
    ("deposit", wire.deposit, "deposit_intent.id", NOT_TEXT),
    ("deposit", wire.deposit, "deposit_details", NOT_OBJECT),
    ("deposit", wire.deposit, "deposit_details.network", NOT_TEXT),
    ("deposits-page", wire.deposit_page, "deposits", [*NOT_OBJECT[:-1], {}]),
    ("deposits-page", wire.deposit_page, "next_timestamp", [True, 1.5, "7", []]),
    ("account", wire.account, "id", NOT_TEXT),
    ("account", wire.account, "balance", NOT_SATS),
    ("account", wire.account, "available_balance", NOT_SATS),
    ("webhook", wire.webhook, "url", NOT_TEXT),
    ("webhook", wire.webhook, "enabled", [ABSENT, None, 1, "true"]),
    ("webhook", wire.webhook, "secret", [7, "0", "xy", "00 11"]),
]


@pytest.mark.parametrize(("name", "read", "path", "values"), REFUSED)
def test_what_is_missing_or_of_another_type_is_unreadable(
    name: str, read: Callable[[dict[str, Any]], object], path: str, values: list[object]
) -> None:
    read(answer(name))
    for value in values:
        with pytest.raises(UnreadableBody) as caught:
            read(answer(name, path, value))
        assert len(str(caught.value)) < 80, "a value may be in the text"


def test_fields_we_do_not_know_are_ignored() -> None:
    assert wire.intent(answer("create-an-invoice", "fee", 3)) == wire.intent(
        answer("create-an-invoice")
    )


@pytest.mark.parametrize("state", ["PENDING", "FAIL", "HELD_BY_COMPLIANCE"])
def test_states_are_open(state: str) -> None:
    assert wire.deposit(answer("deposit", "state", state)).state == state


@pytest.mark.parametrize("proof", [ABSENT, None, ""])
def test_a_deposit_may_have_no_proof(proof: object) -> None:
    deposit = wire.deposit(answer("deposit", "deposit_details.proof", proof))
    assert deposit.proof is None
    assert not deposit.proves("ab" * 32)


@pytest.mark.parametrize(
    ("proof", "kept"),
    [
        (7, "7"),
        (True, "true"),
        ("a\nb", '"a\\nb"'),
        ("\x00", '"\\u0000"'),
        ("\ud800", '"\\ud800"'),
        (["x"], '["x"]'),
        ({"preimage": "00"}, '{"preimage": "00"}'),
        ("x" * 5000, "x" * 1024),
        ("\N{BITCOIN SIGN}" * 5000, ('"' + "\\u20bf" * 200)[:1024]),
    ],
)
def test_a_proof_of_any_form_is_kept_and_hides_no_deposit(proof: object, kept: str) -> None:
    assert wire.deposit(answer("deposit", "deposit_details.proof", proof)).proof == kept


@pytest.mark.parametrize("timestamp", [ABSENT, None, 0, "soon"])
def test_when_an_intent_was_made_does_not_matter(timestamp: object) -> None:
    intent = wire.intent(answer("create-an-invoice", "timestamp", timestamp))

    assert intent == wire.intent(answer("create-an-invoice"))


def test_only_the_preimage_proves() -> None:
    preimage = "0102" * 16
    payment_hash = sha256(bytes.fromhex(preimage)).hexdigest()
    for proof, proven in ((preimage, True), (payment_hash, False), ("opaque", False)):
        deposit = wire.deposit(answer("deposit", "deposit_details.proof", proof))
        assert deposit.proves(payment_hash) is proven


@pytest.mark.parametrize(
    ("timestamp", "instant"),
    [
        (1700000000, datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        (1700000000000, datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        (1700000000999, datetime(2023, 11, 14, 22, 13, 20, 999000, tzinfo=UTC)),
        (9999999999, datetime(2286, 11, 20, 17, 46, 39, tzinfo=UTC)),
    ],
)
def test_seconds_and_milliseconds_are_told_apart(timestamp: int, instant: datetime) -> None:
    assert wire.deposit(answer("deposit", "timestamp", timestamp)).deposited_at == instant


@pytest.mark.parametrize("end", [ABSENT, None, 0])
def test_a_list_ends_without_a_next_timestamp(end: object) -> None:
    page = wire.deposit_page(
        answer("deposits-page") | ({} if end is ABSENT else {"next_timestamp": end})
    )
    assert page.next_timestamp is None


def test_secrets_and_proofs_are_not_in_a_repr() -> None:
    registered = wire.webhook(answer("register-the-webhook"))
    assert registered.secret
    assert registered.secret not in repr(registered)
    deposit = wire.deposit(answer("deposit"))
    assert deposit.proof
    assert deposit.proof not in repr(deposit)
    assert deposit.intent.destination not in repr(deposit)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"7",
        b'"x"',
        b"{",
        b"\xff{}",
        b"[" * 60_000,
        b"9" * 60_000,
        "{}".encode("utf-16"),
    ],
)
def test_only_a_json_object_in_utf_8_is_read(body: bytes) -> None:
    with pytest.raises(UnreadableBody) as caught:
        wire.json_object(body)
    assert caught.value.__context__ is None, "the parser's error holds the whole body"


def test_numbers_stay_whole() -> None:
    assert wire.json_object(json.dumps({"amount": 21 * 10**14}).encode())["amount"] == 21 * 10**14


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("deposit_details.network", None),
        ("deposit_details", []),
        ("amount", "2500"),
        ("timestamp", 0),
        ("state", ABSENT),
        ("deposit_intent.network", None),
    ],
)
def test_a_deposit_that_cannot_be_read_hides_none_beside_it(
    path: str, value: object, caplog: pytest.LogCaptureFixture
) -> None:
    bad, good = answer("deposit", path, value) | {"id": "bad"}, answer("deposit")

    page = wire.deposit_page({"deposits": [bad, good], "next_timestamp": 7})

    assert page.deposits == (wire.deposit(good),)
    assert page.unread == (Unread("bad", page.deposits[0].intent.id),)
    assert page.next_timestamp == 7
    assert [record.levelname for record in caplog.records] == ["ERROR"]


@pytest.mark.parametrize("row", [7, [], None, {}, {"id": 7, "deposit_intent": {"id": []}}])
def test_a_deposit_without_even_a_name_is_not_forgotten(row: object) -> None:
    page = wire.deposit_page({"deposits": [row, answer("deposit")]})

    assert page.unread == (Unread("", ""),)
    assert len(page.deposits) == 1
