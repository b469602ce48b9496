"""However many judge at once, each deposit has one verdict and each invoice one credit."""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

from msty_invoice.domain.deposit import Deposit, Judgement, Verdict
from msty_invoice.domain.invoice import Invoice
from msty_invoice.domain.walk import Depth, Walk
from msty_invoice.storage.cursors import PostgresCursors
from msty_invoice.storage.deposits import PostgresDeposits
from msty_invoice.storage.postgres import Database
from tests.storage.conftest import make_invoice
from tests.storage.connection.conftest import until
from tests.storage.settlement.books import PostgresBooks, at, make_deposit, soundness
from tests.storage.settlement.racing import race, transaction

RACERS = 45
DEPOSITS = 8


def _judging(deposits: Sequence[Deposit]) -> Callable[[int, Database], Judgement | None]:
    """Each racer judges its own."""
    return lambda number, database: PostgresDeposits(database).judge(deposits[number], "walk")


def _verdicts(books: PostgresBooks) -> Counter[str]:
    return Counter(verdict for (verdict,) in books.ask("SELECT verdict FROM deposits"))


def test_of_many_deposits_on_one_invoice_one_is_credited_whoever_comes_first(
    served: PostgresBooks,
) -> None:
    invoice = make_invoice()
    deposits = [make_deposit(invoice, deposited_at=at(n)) for n in range(DEPOSITS)]
    for early in deposits[: DEPOSITS // 2]:
        served.deposits.judge(early, "walk")

    def racer(number: int, database: Database) -> list[Judgement | None]:
        if number == 0:
            served.invoices.add(invoice)  # becomes visible in the middle of it
        store = PostgresDeposits(database)
        turned = deposits[number % DEPOSITS :] + deposits[: number % DEPOSITS]
        return [store.judge(deposit, "walk") for deposit in turned]

    race(served, RACERS, racer)
    for waiting in served.deposits.matchable("river", 100):
        served.deposits.judge(waiting, "rematch")

    assert _verdicts(served) == {"credited": 1, "second": DEPOSITS - 1}
    assert soundness(served) == []
    ((total,),) = served.ask("SELECT sum(amount_sats)::bigint FROM deposits")
    assert total == sum(deposit.amount_sats for deposit in deposits)


def test_the_same_deposit_by_many_is_judged_by_one(served: PostgresBooks) -> None:
    for early in (False, True):
        invoice = make_invoice()
        deposit = make_deposit(invoice)
        if early:
            served.deposits.judge(deposit, "walk")
        served.invoices.add(invoice)

        judged = race(served, 32, _judging([deposit] * 32))

        assert Counter(judged) == {
            None: 31,
            Judgement(Verdict.CREDITED, proved=False, settled=True): 1,
        }
        assert [what for what, _ in served.told(invoice)] == ["credited"]
    assert soundness(served) == []


def _race_with_its_invoice(books: PostgresBooks, invoice: Invoice, deposit: Deposit) -> None:
    def racer(number: int, database: Database) -> None:
        if number == 0:
            books.invoices.add(invoice)
        PostgresDeposits(database).judge(deposit, "walk")

    race(books, 6, racer)


def test_the_same_deposit_with_and_without_its_invoice_in_sight(served: PostgresBooks) -> None:
    """Whoever sees the invoice decides, in whichever order they come to write."""
    for number in range(20):
        invoice = make_invoice()
        deposit = make_deposit(invoice)

        _race_with_its_invoice(served, invoice, deposit)
        for waiting in served.deposits.matchable("river", 100):
            served.deposits.judge(waiting, "rematch")
        assert served.verdict_of(deposit) is Verdict.CREDITED, number
    assert soundness(served) == []


def test_two_deposits_at_the_same_moment(served: PostgresBooks) -> None:
    for _ in range(15):
        invoice = served.add()
        deposits = [make_deposit(invoice), make_deposit(invoice)]

        judged = race(served, 2, _judging(deposits))

        assert {j.verdict for j in judged if j} == {Verdict.CREDITED, Verdict.SECOND}
    assert soundness(served) == []


def test_a_judge_waits_for_the_one_before_and_sees_what_it_did(served: PostgresBooks) -> None:
    invoice = served.add()
    with ThreadPoolExecutor(1) as pool:
        with transaction(served) as first:
            first.execute("SELECT FROM invoices WHERE id = %s FOR UPDATE", (invoice.id,))
            waiting = pool.submit(served.deposits.judge, make_deposit(invoice), "walk")
            until(lambda: _waiting(served) == 1)
            first.execute(
                "INSERT INTO deposits (provider, deposit_ref, intent_ref, amount_sats, network,"
                " deposited_at, verdict, invoice_id, seen_by)"
                " VALUES ('river', 'd_first', %s, 2500, 'LN', now(), 'credited', %s, 'walk')",
                (invoice.provider_ref, invoice.id),
            )
            first.execute(
                "UPDATE invoices SET status = 'settled', settled_at = now(),"
                " amount_received_sats = 2500 WHERE id = %s",
                (invoice.id,),
            )
        judged = waiting.result()

    assert judged == Judgement(Verdict.SECOND, proved=False, settled=False)


def test_a_credit_that_already_stands_is_enough_for_a_second(served: PostgresBooks) -> None:
    """Even if the invoice does not show it: the books decide."""
    invoice = served.add()
    served.ask(
        "INSERT INTO deposits (provider, deposit_ref, intent_ref, amount_sats, network,"
        " deposited_at, verdict, invoice_id, seen_by)"
        " VALUES ('river', 'd_first', 'di', 2500, 'LN', now(), 'credited', %(id)s, 'walk')",
        id=invoice.id,
    )

    judged = served.deposits.judge(make_deposit(invoice), "walk")

    assert judged == Judgement(Verdict.SECOND, proved=False, settled=False)


def test_expiring_leaves_alone_what_is_being_settled(served: PostgresBooks) -> None:
    invoice = served.add(expires_at=at(-1))
    over = served.add(expires_at=at(0))
    assert served.cursors.acquire("river")
    served.cursors.complete("river", Walk(at(999), Depth.MINUTE, at(-60)), None)

    with transaction(served) as settling:
        settling.execute("SELECT FROM invoices WHERE id = %s FOR UPDATE", (invoice.id,))
        assert served.cursors.expire("river", timedelta(0), 500) == 1

    assert served.seen(over).status == "expired"
    assert served.seen(invoice).status == "pending"
    assert served.cursors.expire("river", timedelta(0), 500) == 1


def test_a_deposit_that_waits_for_an_expiry_settles_after_it(served: PostgresBooks) -> None:
    invoice = served.add()
    with ThreadPoolExecutor(1) as pool:
        with transaction(served) as expiring:
            expiring.execute("UPDATE invoices SET status = 'expired' WHERE id = %s", (invoice.id,))
            waiting = pool.submit(served.deposits.judge, make_deposit(invoice), "walk")
            until(lambda: _waiting(served) == 1)
        judged = waiting.result()

    assert judged == Judgement(Verdict.CREDITED, proved=False, settled=True)
    assert served.seen(invoice).status == "settled"


def test_judging_and_expiring_at_once_end_as_settled(served: PostgresBooks) -> None:
    invoices = [served.add(expires_at=at(-n)) for n in range(200)]
    deposits = [make_deposit(invoice) for invoice in invoices]
    holder = PostgresCursors(served.app)
    assert holder.acquire("river")
    holder.complete("river", Walk(at(999), Depth.MINUTE, at(-60)), None)
    token = holder._token

    def racer(number: int, database: Database) -> int:
        if number % 2:
            store = PostgresDeposits(database)
            return len([store.judge(deposit, "walk") for deposit in deposits[number // 2 :: 4]])
        cursors = PostgresCursors(database)
        cursors._token = token
        return sum(cursors.expire("river", timedelta(0), 7) for _ in range(50))

    race(served, 8, racer)

    assert {served.seen(invoice).status for invoice in invoices} == {"settled"}
    assert _verdicts(served) == {"credited": 200}
    assert soundness(served) == []
    told = Counter(what for invoice in invoices for what, _ in served.told(invoice))
    assert told["credited"] == 200


def test_deposits_with_the_same_facts_but_other_evidence_race_to_one_verdict(
    served: PostgresBooks,
) -> None:
    invoice = served.add()
    deposit = make_deposit(invoice)
    reports = [replace(deposit, proof=f"receipt {n}") for n in range(16)]

    race(served, 16, _judging(reports))

    assert served.ask("SELECT count(*) FROM deposits") == [(1,)]
    assert soundness(served) == []


def _waiting(books: PostgresBooks) -> int:
    """How many connections wait for a lock."""
    return len(
        books.ask(
            "SELECT pid FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
    )
