"""Lists that are late, webhooks that are lost, walks that fail, clocks that are apart."""

from datetime import timedelta
from typing import Any

import pytest

from msty_invoice.domain.errors import ProviderError
from msty_invoice.domain.invoice import Invoice, InvoiceOrder
from msty_invoice.sandbox import endpoints
from tests.integration.sandbox.listeners import Received
from tests.integration.settlement.ground import Ground
from tests.integration.settlement.workers import GRACE, Workers
from tests.storage.conftest import FAMILY

_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)


class Shop:
    """Makes invoices and reads them; its customers pay."""

    def __init__(self, ground: Ground, workers: Workers) -> None:
        self._ground = ground
        self._workers = workers

    def invoice(self, expiry: timedelta = _HOUR) -> Invoice:
        self._ground.put_faults(expiry_seconds=int(expiry.total_seconds()))
        return self._workers.invoicing().create(FAMILY, InvoiceOrder(2500))

    def pay(self, invoice: Invoice, **faults: Any) -> Received:
        """Returns the webhook, which is lost unless it is taken."""
        self._ground.put_faults(**faults)
        asked = {"payment_request": invoice.payment_request, "late": True, "again": True}
        self._ground.river.ask("POST", "/_sandbox/pay", json=asked)
        self._ground.put_faults()
        return self._ground.webhooks.take()

    def read(self, invoice: Invoice) -> Invoice:
        return self._workers.invoicing().get(FAMILY, invoice.payment_hash)

    def status(self, invoice: Invoice) -> str:
        return self.read(invoice).status

    def passes(self, every: timedelta, times: int = 1) -> None:
        """The timer, while time passes. A provider that is away ends only the pass."""
        for _ in range(times):
            self._ground.advance(every)
            self._workers.reconciling(40.0).run()


@pytest.fixture
def shop(ground: Ground, workers: Workers) -> Shop:
    return Shop(ground, workers)


def _take(workers: Workers, webhook: Received) -> None:
    workers.webhooks.take({"river-signature": webhook.signature}, webhook.raw_body)


def test_a_list_ten_minutes_late_is_made_up_for_by_a_minutely_pass(
    ground: Ground, workers: Workers, shop: Shop
) -> None:
    shop.passes(_MINUTE)
    invoice = shop.invoice()
    shop.pay(invoice, list_delay_s=600)
    for _ in range(10):  # others are listed at once, and move the top of the list
        shop.pay(shop.invoice())
        shop.passes(timedelta(seconds=59))
        assert shop.status(invoice) == "pending"

    shop.passes(_MINUTE)

    assert shop.status(invoice) == "settled"
    assert ground.database.rows("SELECT max(hour_started_at) < now() - interval '8 min'"
                                " FROM provider_cursors") == [(True,)]  # fmt: skip


def test_a_list_six_hours_late_is_made_up_for_by_an_hourly_pass(shop: Shop) -> None:
    shop.passes(_MINUTE)
    invoice = shop.invoice(timedelta(hours=8))
    shop.pay(invoice, list_delay_s=6 * 3600)
    for _ in range(6):
        shop.pay(shop.invoice())
        shop.passes(timedelta(minutes=59))
        assert shop.status(invoice) == "pending"
    shop.passes(timedelta(minutes=7))  # listed by now, and nothing deeper than a minute's walk

    shop.passes(_HOUR)

    assert shop.status(invoice) == "settled"
    assert not shop.read(invoice).late


def test_while_all_walks_fail_webhooks_settle_and_nothing_expires(
    ground: Ground, workers: Workers, shop: Shop
) -> None:
    paid, unpaid = shop.invoice(), shop.invoice()
    ground.faults = {"list_error_rate": 1.0}
    _take(workers, shop.pay(paid))
    workers.settler.run_once(0)
    for _ in range(5):
        with pytest.raises(ProviderError):
            shop.passes(_HOUR)

    assert (shop.status(paid), shop.status(unpaid)) == ("settled", "pending")

    ground.faults = {}
    shop.passes(_HOUR)
    assert (shop.status(paid), shop.status(unpaid)) == ("settled", "expired")


def test_with_webhooks_and_timers_dead_a_readers_look_settles(workers: Workers, shop: Shop) -> None:
    workers.settler.run_once(0)
    invoice = shop.invoice()
    shop.pay(invoice)

    assert shop.status(invoice) == "pending"  # and this told the settler
    workers.settler.run_once(5)

    assert shop.status(invoice) == "settled"


def test_a_deposit_recorded_before_its_invoice_is_matched_on_the_next_pass(
    ground: Ground, workers: Workers, shop: Shop
) -> None:
    intent = ground.river.create()
    asked = {"payment_request": intent["destination"]}
    ground.river.ask("POST", "/_sandbox/pay", json=asked)
    _take(workers, ground.webhooks.take())
    workers.settler.run_once(0)
    assert ground.database.rows("SELECT verdict FROM deposits") == [("unknown",)]

    known = shop.invoice()
    workers.database.execute(
        "INSERT INTO invoices (id, key_family, provider, provider_ref, payment_request,"
        " payment_hash, amount_sats, issued_at, expires_at)"
        " SELECT gen_random_uuid(), key_family, provider, %(ref)s, %(request)s, %(hash)s,"
        " amount_sats, issued_at, expires_at FROM invoices WHERE id = %(id)s",
        {
            "ref": intent["id"],
            "request": intent["destination"],
            "hash": "ab" * 32,
            "id": known.id,
        },
    )
    workers.reconciling(40.0).run()

    assert ground.database.rows("SELECT verdict, seen_by FROM deposits") == [
        ("credited", "rematch")
    ]


@pytest.mark.parametrize("skew", [timedelta(seconds=90), timedelta(minutes=-10)])
def test_while_clocks_are_apart_payments_settle_and_nothing_expires(
    ground: Ground, shop: Shop, skew: timedelta
) -> None:
    unpaid, paid = shop.invoice(), shop.invoice()
    ground.provider_skew = skew
    shop.pay(paid)

    shop.passes(2 * _HOUR)

    assert (shop.status(paid), shop.status(unpaid)) == ("settled", "pending")
    ground.provider_skew = timedelta(0)
    shop.passes(_MINUTE)
    assert shop.status(unpaid) == "expired"


@pytest.mark.parametrize(
    ("after_expiry", "late"),
    [(timedelta(seconds=-1), False), (timedelta(0), False), (timedelta(seconds=1), True)],
)
def test_late_is_only_what_the_provider_dates_after_expiry(
    ground: Ground, shop: Shop, after_expiry: timedelta, late: bool
) -> None:
    """Learnt of long after, with a reconcile on each side of the payment."""
    invoice = shop.invoice(_MINUTE)
    ground.advance(invoice.expires_at - ground.now() - timedelta(seconds=2))
    shop.passes(timedelta(0))
    now_ms = ground.now().timestamp() * 1000
    dated_ms = (invoice.expires_at + after_expiry).timestamp() * 1000

    # Dated to a millisecond or two, as far as it takes to ask.
    shop.pay(invoice, deposit_timestamp_offset_ms=round(dated_ms - now_ms) + (5 if late else -100))
    shop.passes(GRACE + _MINUTE)

    assert shop.status(invoice) == "settled"
    assert shop.read(invoice).late is late


def test_an_event_that_cannot_be_followed_keeps_invoices_from_expiring(
    ground: Ground, workers: Workers, shop: Shop
) -> None:
    invoice = shop.invoice()
    webhook = shop.pay(invoice, list_delay_s=6 * 3600)
    ground.faults = {"error_rate": {"value": 1.0, "endpoint": endpoints.DEPOSIT}}
    _take(workers, webhook)

    shop.passes(2 * _HOUR)
    assert shop.status(invoice) == "pending"

    ground.faults = {}
    shop.passes(_HOUR)
    assert shop.status(invoice) == "settled"


def test_what_was_listed_late_and_before_the_walk_is_not_expired(
    ground: Ground, shop: Shop
) -> None:
    """Fifteen minutes to pay, listed after twenty: the walk that ends it does not read so far."""
    shop.passes(_MINUTE)
    invoice = shop.invoice(timedelta(minutes=15))
    shop.pay(invoice, list_delay_s=20 * 60 + 10)
    for minutes in (5, 14):
        shop.passes(timedelta(minutes=minutes))
        for _ in range(4):  # more than a page
            shop.pay(shop.invoice())
    shop.passes(timedelta(seconds=50))  # its floor is ten minutes below these

    shop.passes(timedelta(seconds=50))  # by now it is listed, and grace is over

    assert shop.status(invoice) == "settled"


def test_a_later_word_of_the_provider_is_a_finding(ground: Ground, shop: Shop) -> None:
    invoice = shop.invoice()
    shop.pay(invoice)
    shop.passes(_MINUTE)
    ground.faults = {"amount_delta": -1}

    shop.passes(_MINUTE, times=3)

    assert shop.status(invoice) == "settled"
    assert ground.database.rows("SELECT what, recorded, reported FROM deposit_findings") == [
        ("amount_sats", "2500", "2499")
    ]
