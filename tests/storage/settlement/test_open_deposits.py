"""Deposits still pending at the provider: asked again until they are terminal."""

from msty_invoice.domain.deposit import Deposit, DepositState
from tests.storage.conftest import make_invoice
from tests.storage.settlement.books import Books, make_deposit


def _pending(ref: str, provider: str = "river") -> Deposit:
    return make_deposit(
        make_invoice(), deposit_ref=ref, provider=provider, state=DepositState.PENDING
    )


def test_it_is_asked_at_once_and_by_one_only(books: Books) -> None:
    books.deposits.open(_pending("d_1"))

    assert books.deposits.due("river", 10) == ["d_1"]
    assert books.deposits.due("river", 10) == []


def test_it_is_asked_again_ever_more_slowly_up_to_an_hour(books: Books) -> None:
    books.deposits.open(_pending("d_1"))
    assert books.deposits.due("river", 10) == ["d_1"]

    for pause in (10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600):
        books.deposits.asked("river", "d_1")
        books.wait(pause - 5)
        assert books.deposits.due("river", 10) == [], pause
        books.wait(5)
        assert books.deposits.due("river", 10) == ["d_1"], pause


def test_one_that_was_claimed_but_never_asked_about_is_due_a_minute_later(books: Books) -> None:
    books.deposits.open(_pending("d_1"))

    for _ in range(5):
        assert books.deposits.due("river", 10) == ["d_1"]
        books.wait(55)
        assert books.deposits.due("river", 10) == []
        books.wait(6)


def test_asking_about_one_leaves_the_others_as_they_are(books: Books) -> None:
    for ref in ("d_1", "d_2"):
        books.deposits.open(_pending(ref))
    books.deposits.open(_pending("d_1", provider="lnbits"))

    books.deposits.asked("river", "d_1")

    assert books.deposits.due("river", 10) == ["d_2"]
    assert books.deposits.due("lnbits", 10) == ["d_1"]


def test_a_closed_one_is_never_asked_again(books: Books) -> None:
    books.deposits.open(_pending("d_1"))
    books.deposits.close("river", "d_1", "failed")
    books.deposits.close("river", "d_1", "succeeded")
    books.deposits.open(_pending("d_1"))

    books.wait(7200)
    assert books.deposits.due("river", 10) == []


def test_the_longest_due_come_first_and_not_all_at_once(books: Books) -> None:
    for ref in ("d_3", "d_1", "d_2"):
        books.deposits.open(_pending(ref))
        books.wait(1)

    assert books.deposits.due("river", 2) == ["d_3", "d_1"]
    assert books.deposits.due("river", 2) == ["d_2"]


def test_opening_it_again_does_not_hasten_it(books: Books) -> None:
    books.deposits.open(_pending("d_1"))
    books.deposits.due("river", 10)
    books.deposits.open(_pending("d_1"))

    assert books.deposits.due("river", 10) == []


def test_one_provider_is_not_asked_about_anothers(books: Books) -> None:
    books.deposits.open(_pending("d_1", provider="lnbits"))

    assert books.deposits.due("river", 10) == []
    books.deposits.close("river", "d_1", "failed")
    assert books.deposits.due("lnbits", 10) == ["d_1"]
