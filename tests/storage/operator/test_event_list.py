"""Webhooks are listed by how far they got, and given to the settler again."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

import pytest

from msty_invoice.domain.errors import WebhookNotFound
from msty_invoice.domain.listing import EventFilter
from msty_invoice.service.replaying import Replaying
from msty_invoice.storage.event_list import PostgresEventList
from msty_invoice.storage.listening import PostgresListener
from msty_invoice.storage.postgres import Database
from tests.storage.settlement.books import PostgresBooks, make_event


@pytest.fixture
def events(books: PostgresBooks) -> PostgresEventList:
    """One parked, one done, one that waits; received in this order."""
    for ref, end in (("parked", books.webhooks.park), ("done", books.webhooks.done)):
        books.webhooks.store(make_event(ref))
        (taken,) = books.webhooks.take(1)
        assert end(taken, "no such deposit")
    books.webhooks.store(make_event("waits"))
    return PostgresEventList(books.app)


@pytest.fixture
def listener(books: PostgresBooks) -> Iterator[PostgresListener]:
    with closing(Database(books.database.app)) as database:
        made = PostgresListener(database)
        made.wait(0)
        yield made


def _refs(events: PostgresEventList, wanted: EventFilter) -> list[str]:
    return [event.ref for event in events.read(wanted)]


def test_each_kind_is_found(books: PostgresBooks, events: PostgresEventList) -> None:
    with closing(Database(books.database.readonly)) as database:
        readonly = PostgresEventList(database)

        assert _refs(readonly, EventFilter()) == ["waits", "done", "parked"]
        assert _refs(readonly, EventFilter(parked=True)) == ["parked"]
        assert _refs(readonly, EventFilter(unfinished=True)) == ["waits"]
        assert _refs(readonly, EventFilter(limit=2)) == ["waits", "done"]
        since = readonly.read(EventFilter())[1].received_at
        assert _refs(readonly, EventFilter(since=since)) == ["waits", "done"]
        later = since + timedelta(hours=1)
        assert _refs(readonly, EventFilter(since=later)) == []


@pytest.mark.parametrize("ref", ["parked", "done"])
def test_a_replayed_webhook_is_taken_again_at_once(
    books: PostgresBooks, events: PostgresEventList, listener: PostgresListener, ref: str
) -> None:
    replaying = Replaying(events)
    number = next(event.id for event in events.read(EventFilter()) if event.ref == ref)

    assert replaying.replay(replaying.choose(number)) == 1

    assert "event" in listener.wait(10)
    taken = {event.ref: event for event in books.webhooks.take(5)}
    assert taken.keys() == {ref, "waits"}
    assert taken[ref].attempts == 1
    assert taken[ref].age_seconds < 60


def test_all_parked_are_chosen_and_no_other(events: PostgresEventList) -> None:
    assert [event.ref for event in Replaying(events).choose(None)] == ["parked"]


def test_who_held_it_before_can_no_longer_end_it(
    books: PostgresBooks, events: PostgresEventList
) -> None:
    (taken,) = books.webhooks.take(1)

    events.reopen([taken.id])

    assert not books.webhooks.done(taken, "too late")
    assert _refs(events, EventFilter(unfinished=True)) == ["waits"]


def test_nothing_to_replay_is_none_replayed(events: PostgresEventList) -> None:
    assert Replaying(events).replay([]) == 0


def test_an_unknown_number_says_where_to_look(events: PostgresEventList) -> None:
    with pytest.raises(WebhookNotFound, match="msty-invoice webhooks list"):
        Replaying(events).choose(10**9)
