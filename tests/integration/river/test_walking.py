"""Walking a list whose paging nobody documented: whatever it means, the walk gets to its end."""

from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

from msty_invoice.domain.deposit import DepositPage
from msty_invoice.domain.errors import ProviderUnavailable
from msty_invoice.domain.invoice import Network
from msty_invoice.lightning.river.provider import River
from tests.integration.river.conftest import Connect, Serve
from tests.integration.river.servers import INTENT, Behaviour, Conversation

SECOND = 1_700_000_000

# Whether a deposit of this timestamp is on the page that a next_timestamp asks for.
Meaning = Callable[[int, int], bool]


def before(timestamp: int, asked: int) -> bool:
    return timestamp < asked


def at_or_before(timestamp: int, asked: int) -> bool:
    return timestamp <= asked


def ignored(timestamp: int, asked: int) -> bool:
    return True


def lists(timestamps: list[int], meaning: Meaning, label: str = "") -> Behaviour:
    """A server of this list, newest first, each deposit with its place in it as id."""

    def page(conversation: Conversation) -> None:
        query = parse_qs(urlsplit(conversation.request().target).query)
        asked = int(query.get("next_timestamp", ["9999999999"])[0])
        places = [place for place, at in enumerate(timestamps) if meaning(at, asked)]
        shown = places[: int(query["limit"][0])]
        following = timestamps[shown[-1]] if len(places) > len(shown) else None
        deposits = [_deposit(place, timestamps[place]) | {"label": label} for place in shown]
        conversation.answer({"deposits": deposits, "next_timestamp": following})

    def behave(conversation: Conversation) -> None:
        while True:
            page(conversation)

    return behave


def _deposit(place: int, timestamp: int) -> dict[str, object]:
    return {
        "id": f"dep_{place}",
        "amount": 1,
        "state": "SUCCESS",
        "timestamp": timestamp,
        "deposit_intent": INTENT,
        "deposit_details": {"network": "LN"},
    }


def walk(river: River) -> Iterator[DepositPage]:
    """Every page, of a list that has fewer than twenty."""
    page = river.walk(None)
    yield page
    for _ in range(20):
        if page.next_token is None:
            return
        page = river.walk(page.next_token)
        yield page
    pytest.fail("the walk does not end")


def places(pages: list[DepositPage]) -> set[int]:
    refs = {deposit.deposit_ref for page in pages for deposit in page.deposits}
    return {int(ref.removeprefix("dep_")) for ref in refs}


@pytest.fixture(params=[before, at_or_before])
def meaning(request: pytest.FixtureRequest) -> Meaning:
    found: Meaning = request.param
    return found


def test_every_deposit_is_reached_also_where_a_second_goes_on_over_a_page(
    serve: Serve, connect: Connect, meaning: Meaning
) -> None:
    timestamps = [SECOND - place // 10 for place in range(100)]
    river = River(connect(serve(lists(timestamps, meaning)).base_url), Network.REGTEST)

    pages = list(walk(river))

    assert places(pages) == set(range(100))
    assert not any(page.gap for page in pages)


def test_a_second_of_more_than_a_page_is_a_gap_and_not_the_end(
    serve: Serve, connect: Connect, meaning: Meaning
) -> None:
    timestamps = [SECOND + 1] * 5 + [SECOND] * 60 + [SECOND - 1] * 5
    river = River(connect(serve(lists(timestamps, meaning)).base_url), Network.REGTEST)

    pages = list(walk(river))

    assert any(page.gap for page in pages)
    assert places(pages) >= set(range(5)) | set(range(65, 70))


def test_a_list_that_leads_in_a_circle_is_said_to(serve: Serve, connect: Connect) -> None:
    timestamps = [SECOND - place for place in range(30)]
    river = River(connect(serve(lists(timestamps, ignored)).base_url), Network.REGTEST)

    with pytest.raises(ProviderUnavailable, match="circle"):
        list(walk(river))


def test_two_of_one_moment_may_be_listed_the_wrong_way_round(
    serve: Serve, connect: Connect
) -> None:
    timestamps = [SECOND, SECOND - 2, SECOND - 1]
    river = River(connect(serve(lists(timestamps, before)).base_url), Network.REGTEST)

    (page,) = walk(river)

    assert [deposit.deposit_ref for deposit in page.deposits] == ["dep_0", "dep_2", "dep_1"]


@pytest.mark.parametrize("timestamps", [[SECOND - 3600, SECOND], [SECOND, SECOND + 1, SECOND + 2]])
def test_a_list_that_is_not_newest_first_is_said_to_be(
    serve: Serve, connect: Connect, timestamps: list[int]
) -> None:
    river = River(connect(serve(lists(timestamps, before)).base_url), Network.REGTEST)

    with pytest.raises(ProviderUnavailable, match="newest first"):
        list(walk(river))


def test_deposits_too_long_for_one_answer_are_read_a_few_at_once(
    serve: Serve, connect: Connect, meaning: Meaning
) -> None:
    timestamps = [SECOND - place for place in range(60)]
    server = serve(lists(timestamps, meaning, label="x" * 5000))

    pages = list(walk(River(connect(server.base_url), Network.REGTEST)))

    assert places(pages) == set(range(60))
    assert not any(page.gap for page in pages)


def _serves(*rows: object) -> Behaviour:
    def behave(conversation: Conversation) -> None:
        while True:
            conversation.request()
            conversation.answer({"deposits": rows})

    return behave


def test_a_deposit_that_cannot_be_read_is_handed_over_by_name(
    serve: Serve, connect: Connect
) -> None:
    unreadable = _deposit(1, SECOND) | {"deposit_details": {"network": None}}
    server = serve(_serves(unreadable, _deposit(2, SECOND)))
    river = River(connect(server.base_url), Network.MAINNET)

    page = river.walk(None)

    assert [it.deposit_ref for it in page.deposits] == ["dep_2"]
    assert [(it.deposit_ref, it.intent_ref) for it in page.unread] == [("dep_1", INTENT["id"])]
    assert {it.deposit_ref for it in river.look("ab" * 32)} == {"dep_1", "dep_2"}
    assert not page.gap


def test_a_deposit_without_even_a_name_is_a_gap(serve: Serve, connect: Connect) -> None:
    server = serve(_serves(None, _deposit(2, SECOND)))

    page = River(connect(server.base_url), Network.MAINNET).walk(None)

    assert ([it.deposit_ref for it in page.deposits], page.unread) == (["dep_2"], ())
    assert page.gap
