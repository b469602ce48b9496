"""Webhooks that nobody signed: the address is all that sheds noise."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from msty_invoice.domain.invoice import Invoice, InvoiceStatus, Network
from msty_invoice.lightning.lnbits.client import LnbitsClient
from msty_invoice.lightning.lnbits.provider import Lnbits
from msty_invoice.lightning.river.client import RiverClient
from msty_invoice.lightning.river.provider import River
from msty_invoice.service.unsigned_webhooks import UnsignedWebhooks
from msty_invoice.service.webhooks import Webhooks
from tests.fakes import NOON, Clock, MemoryInvoices
from tests.settlement_counts import Counts
from tests.settlement_fakes.webhooks import MemoryWebhooks
from tests.web.conftest import Service

OLD, NEW = "the-old-token-0123456789", "the-new-token-0123456789"
HASH = "ab" * 32
HINT = json.dumps(json.dumps({"payment_hash": HASH, "status": "success", "preimage": "cd" * 32}))


class Ground:
    """The application with LNbits configured, and one invoice of ours."""

    def __init__(self, *tokens: str) -> None:
        self.events = MemoryWebhooks(Clock())
        self.counts = Counts()
        invoices = MemoryInvoices()
        invoices.add(_invoice())
        # It calls nobody here: a hint is only read.
        lnbits = Lnbits(LnbitsClient("http://127.0.0.1:9", "a-key"), Network.MAINNET)
        webhooks = UnsignedWebhooks(lnbits, tokens, invoices, self.events, self.counts)
        self.service = Service(unsigned_webhooks={"lnbits": webhooks})

    def post(self, path: str, body: str = HINT) -> Any:
        return self.service.client.post(f"/api/lightning/webhooks/{path}", body, expect_errors=True)


def _invoice() -> Invoice:
    return Invoice(
        id=uuid4(),
        key_family=uuid4(),
        provider="lnbits",
        provider_ref=HASH,
        payment_request="lnbc1",
        payment_hash=HASH,
        amount_sats=2500,
        memo=None,
        status=InvoiceStatus.PENDING,
        issued_at=NOON,
        expires_at=NOON + timedelta(hours=1),
        created_at=NOON,
        updated_at=NOON,
    )


@pytest.mark.parametrize("token", [NEW, OLD])
def test_a_hint_at_any_token_in_force_is_stored(token: str) -> None:
    ground = Ground(NEW, OLD)

    answer = ground.post(f"lnbits/{token}")

    assert (answer.status_int, answer.text) == (200, "{}")
    (kept,) = ground.events.kept
    assert (kept.event.provider, kept.event.ref) == ("lnbits", HASH)
    assert json.loads(kept.event.body) == {"payment_hash": HASH}
    assert ground.counts.webhooks == {"new": 1}


def test_a_hint_that_comes_twice_is_one_event() -> None:
    ground = Ground(NEW)

    for _ in range(2):
        ground.post(f"lnbits/{NEW}")

    (kept,) = ground.events.kept
    assert kept.copies == 2
    assert ground.counts.webhooks == {"new": 1, "repeated": 1}


@pytest.mark.parametrize(
    "path",
    ["lnbits", "lnbits/", "lnbits/wrong", f"lnbits/{NEW}x", f"lnbits/{NEW[:-1]}", "lnbits/%C3%A9"],
)
def test_without_the_token_there_is_nothing_there(path: str) -> None:
    ground = Ground(NEW)

    answer = ground.post(path)

    assert (answer.status_int, answer.json["code"]) == (404, "NOT_FOUND")
    assert answer.json["error"] == "There is nothing at this address."
    assert ground.events.kept == []
    if path != "lnbits/":  # no route at all
        assert ground.counts.webhooks == {"misaddressed": 1}


def test_where_no_token_is_set_none_is_right() -> None:
    ground = Ground()

    assert ground.post("lnbits/").status_int == 404
    assert ground.post("lnbits").status_int == 404
    assert ground.events.kept == []


def test_a_hash_that_is_not_ours_is_counted_and_forgotten() -> None:
    ground = Ground(NEW)

    answer = ground.post(f"lnbits/{NEW}", json.dumps({"payment_hash": "ef" * 32}))

    assert answer.status_int == 200
    assert ground.events.kept == []
    assert ground.counts.webhooks == {"stranger": 1}


@pytest.mark.parametrize("body", ["", "rubbish", "{}", '"{}"', json.dumps({"payment_hash": "x"})])
def test_rubbish_is_refused(body: str) -> None:
    ground = Ground(NEW)

    assert ground.post(f"lnbits/{NEW}", body).status_int == 400
    assert ground.events.kept == []


def test_a_hint_is_no_larger_than_a_hint() -> None:
    ground = Ground(NEW)

    assert ground.post(f"lnbits/{NEW}", " " * 70_000).status_int == 413


def test_a_provider_that_signs_has_no_address_with_a_token() -> None:
    river = River(RiverClient("http://127.0.0.1:9", "acc_EXAMPLE", "a-key"), Network.MAINNET)
    events, counts = MemoryWebhooks(Clock()), Counts()
    client = Service(webhooks={"river": Webhooks(river, events, counts)}).client

    def status(path: str) -> int:
        answer = client.post(f"/api/lightning/webhooks/{path}", "{}", expect_errors=True)
        return int(answer.status_int)

    assert (status("river"), status(f"river/{NEW}")) == (401, 404)
    assert counts.webhooks == {"unsigned": 1}


@pytest.mark.parametrize("path", [f"river/{NEW}", f"nobody/{NEW}", "nobody", f"lnbits/{NEW}/x"])
def test_a_token_opens_no_other_address(path: str) -> None:
    assert Ground(NEW).post(path).status_int == 404
