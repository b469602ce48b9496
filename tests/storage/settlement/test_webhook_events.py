"""Events as they came, and how they are worked off (design §4.5, operations WHK-6…8, PG-7)."""

from typing import Any

import pytest

from msty_invoice.domain.webhook import TakenEvent
from tests.storage.settlement.books import Books, make_event


def _taken(books: Books) -> TakenEvent:
    (event,) = books.webhooks.take(10)
    return event


def _refs(events: list[TakenEvent]) -> list[str]:
    return [event.ref for event in events]


def test_a_new_event_is_taken_with_all_it_says(books: Books) -> None:
    assert books.webhooks.store(make_event("d_1", state="PENDING")) == 1

    event = _taken(books)

    assert (event.provider, event.type, event.ref) == ("river", "DEPOSIT", "d_1")
    assert (event.state, event.attempts) == ("PENDING", 1)
    assert 0 <= event.age_seconds < 60


def test_a_repeat_only_counts_up(books: Books) -> None:
    assert [books.webhooks.store(make_event()) for _ in range(3)] == [1, 2, 3]

    assert _refs(books.webhooks.take(10)) == ["d_1"]


@pytest.mark.parametrize(
    "changes",
    [
        {"body": b'{"id": "d_1", "new": 1}'},
        {"state": "PENDING"},
        {"type": "WITHDRAWAL"},
        {"provider": "lnbits"},
        {"ref": "d_2"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_what_differs_in_anything_is_kept_beside_it(books: Books, changes: dict[str, Any]) -> None:
    books.webhooks.store(make_event())

    assert books.webhooks.store(make_event(**changes)) == 1
    assert len(books.webhooks.take(10)) == 2


def test_a_taken_event_is_not_given_to_another(books: Books) -> None:
    books.webhooks.store(make_event())
    books.webhooks.take(10)

    assert books.other_webhooks.take(10) == []
    assert books.webhooks.take(10) == []


def test_a_repeat_while_it_is_held_does_not_give_it_to_another(books: Books) -> None:
    books.webhooks.store(make_event())
    event = _taken(books)
    books.webhooks.store(make_event())

    assert books.other_webhooks.take(10) == []
    assert books.webhooks.done(event, "succeeded")


def test_the_event_of_a_taker_that_died_comes_back_after_its_lease(books: Books) -> None:
    books.webhooks.store(make_event())
    books.webhooks.take(10)

    books.wait(29)
    assert books.other_webhooks.take(10) == []
    books.wait(2)
    (event,) = books.other_webhooks.take(10)
    assert event.attempts == 2


def test_a_finished_event_never_comes_back(books: Books) -> None:
    books.webhooks.store(make_event())
    event = _taken(books)

    assert books.webhooks.done(event, "succeeded")
    assert not books.webhooks.done(event, "succeeded")
    books.webhooks.store(make_event())
    books.wait(86_400)
    assert books.webhooks.take(10) == []


def test_a_postponed_event_comes_back_when_told(books: Books) -> None:
    books.webhooks.store(make_event())

    assert books.webhooks.later(_taken(books), 60, "no such deposit")

    books.wait(55)
    assert books.webhooks.take(10) == []
    books.wait(6)
    event = _taken(books)
    assert event.attempts == 2
    assert event.age_seconds >= 60


def test_a_repeat_does_not_hasten_a_postponed_event(books: Books) -> None:
    books.webhooks.store(make_event())
    books.webhooks.later(_taken(books), 60, "still pending")

    books.webhooks.store(make_event())

    assert books.webhooks.take(10) == []


def test_a_parked_event_rests_until_it_is_repeated(books: Books) -> None:
    books.webhooks.store(make_event())
    books.wait(86_400)
    assert books.webhooks.park(_taken(books), "no such deposit")
    books.wait(86_400)
    assert books.webhooks.take(10) == []

    assert books.webhooks.store(make_event()) == 2

    event = _taken(books)
    assert event.attempts == 1
    assert event.age_seconds < 60


@pytest.mark.parametrize("ending", ["done", "later", "park"])
def test_who_no_longer_holds_an_event_changes_nothing(books: Books, ending: str) -> None:
    books.webhooks.store(make_event())
    event = _taken(books)
    books.wait(31)
    (again,) = books.other_webhooks.take(10)
    values = (3600, "too late") if ending == "later" else ("too late",)

    assert not getattr(books.webhooks, ending)(event, *values)

    assert books.other_webhooks.done(again, "succeeded")


@pytest.mark.parametrize("ending", ["done", "park"])
def test_an_ended_event_is_not_ended_again(books: Books, ending: str) -> None:
    books.webhooks.store(make_event())
    event = _taken(books)
    getattr(books.webhooks, ending)(event, "first")

    assert not books.webhooks.done(event, "second")
    assert not books.webhooks.park(event, "second")
    assert not books.webhooks.later(event, 0, "second")


def test_a_slow_taker_whom_nobody_overtook_may_still_finish(books: Books) -> None:
    books.webhooks.store(make_event())
    event = _taken(books)
    books.wait(3600)

    assert books.webhooks.done(event, "succeeded")


def test_the_longest_due_come_first_and_not_all_at_once(books: Books) -> None:
    for ref in ("d_5", "d_4", "d_3", "d_2", "d_1"):
        books.webhooks.store(make_event(ref))
        books.wait(1)
    first = books.webhooks.take(1)[0]
    books.webhooks.later(first, 0, "still pending")

    assert _refs(books.webhooks.take(2)) == ["d_4", "d_3"]
    assert _refs(books.webhooks.take(9)) == ["d_2", "d_1", "d_5"]
