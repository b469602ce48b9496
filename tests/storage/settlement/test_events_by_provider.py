"""With two providers, a settler takes the events of its own."""

from msty_invoice.domain.webhook import WebhookEvent
from msty_invoice.storage.postgres import Database
from msty_invoice.storage.webhooks import PostgresWebhooks
from tests.databases import DatabaseOfOne

_RIVER = WebhookEvent("river", "DEPOSIT", "r", "SUCCESS", b"{}")
_LNBITS = WebhookEvent("lnbits", "DEPOSIT", "l", "SUCCESS", b"{}")


def test_a_settler_takes_the_events_of_its_provider_only(database: DatabaseOfOne) -> None:
    app = Database(database.app)
    for event in (_RIVER, _LNBITS):
        PostgresWebhooks(app).store(event)

    of_lnbits = PostgresWebhooks(app, provider="lnbits").take(10)
    of_any = PostgresWebhooks(app).take(10)

    assert [event.ref for event in of_lnbits] == ["l"]
    assert [event.ref for event in of_any] == ["r"]
