"""Changing the provider while invoices of the other are open: each ends rightly.

The two are on different networks here, since the sandbox signs for regtest and LNbits' own
FakeWallet for mainnet. Only making an invoice asks which network it is; settling does not.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from msty_invoice.dev.postgres import PostgresServer
from msty_invoice.dev.process import ProgramFailed
from msty_invoice.dev.valkey import ValkeyServer
from tests.databases import DatabaseOfOne, admin, empty_database
from tests.integration.providers.conftest import service_settings, status_of
from tests.integration.providers.houses import House, LnbitsHouse, RiverHouse
from tests.integration.running import Service
from tests.integration.settlement.conftest import Operator, wait_for

Books = Callable[..., list[Any]]
Invoices = dict[str, list[dict[str, Any]]]
_OPEN = 10  # invoices of each provider when it is left

# What was shown never changes, so the table's own triggers are put aside for it.
_AN_HOUR_LATER = """
    SET session_replication_role = replica;
    UPDATE invoices SET expires_at = now() - interval '1 minute' WHERE status = 'pending';
"""


@pytest.fixture(scope="module")
def houses(tmp_path_factory: pytest.TempPathFactory, lnbits_venv: Path) -> Iterator[list[House]]:
    """River and LNbits."""
    river = RiverHouse(tmp_path_factory.mktemp("river"))
    lnbits = LnbitsHouse(lnbits_venv, tmp_path_factory.mktemp("lnbits"))
    yield [river, lnbits]
    lnbits.close()
    river.close()


@pytest.fixture(scope="module")
def database(postgres_server: PostgresServer, _template: str) -> Iterator[DatabaseOfOne]:
    made = empty_database(postgres_server, _template)
    yield made
    admin(postgres_server, f"DROP DATABASE {made.name} WITH (FORCE)")


@pytest.fixture(scope="module")
def operator(
    tmp_path_factory: pytest.TempPathFactory,
    database: DatabaseOfOne,
    valkey: ValkeyServer,
    port: int,
    houses: list[House],
) -> Operator:
    """Has both providers in the settings; which one makes invoices is no matter to settling."""
    river, lnbits = houses
    both = lnbits.settings | river.settings
    settings = service_settings(database, valkey, port) | both
    return Operator(tmp_path_factory.mktemp("operator"), settings)


@pytest.fixture(scope="module")
def invoices(
    tmp_path_factory: pytest.TempPathFactory, operator: Operator, port: int, houses: list[House]
) -> Invoices:
    """Ten open ones of each provider, by its name: made by one service after the other."""
    both = {name for house in houses for name in house.settings}
    common = {name: it for name, it in operator.settings.items() if name not in both}
    made = {}
    for house in houses:
        house.tell(webhooks=False)
        folder = tmp_path_factory.mktemp(f"service-{house.name}")
        service = _Renamed(folder, common | house.settings, port)
        made[house.name] = [service.create().json() for _ in range(_OPEN)]
        service.stop()
    return made


class _Renamed(Service):
    """Its key has a name that the service before it did not use."""

    def make_key(self, name: str) -> str:
        return super().make_key(f"{name}-{Path(self._folder).name}")


def test_each_invoice_ends_with_the_provider_that_made_it(
    operator: Operator, houses: list[House], invoices: Invoices, books: Books
) -> None:
    _walks_find_what_was_paid_at_each(operator, houses, invoices, books)
    _while_one_is_away_the_other_ones_are_found(operator, houses, invoices, books)
    _a_settler_looks_at_both(operator, houses, invoices, books)
    books(_AN_HOUR_LATER)
    operator.run("reconcile", EXPIRY_GRACE="0")

    assert _ends(books) == {
        ("river", "settled"): 5,
        ("river", "expired"): 5,
        ("lnbits", "settled"): 6,
        ("lnbits", "expired"): 4,
    }
    assert books("SELECT DISTINCT verdict FROM deposits") == [("credited",)]
    assert _sums(books) == {house.name: house.received() for house in houses}


def _walks_find_what_was_paid_at_each(
    operator: Operator, houses: list[House], invoices: Invoices, books: Books
) -> None:
    for house in houses:
        for invoice in invoices[house.name][:4]:
            house.pay(invoice["paymentRequest"])

    printed = operator.run("reconcile")

    assert "river: " in printed
    assert "lnbits: " in printed
    for made in invoices.values():
        assert {status_of(books, it) for it in made[:4]} == {"settled"}
        assert {status_of(books, it) for it in made[4:]} == {"pending"}


def _while_one_is_away_the_other_ones_are_found(
    operator: Operator, houses: list[House], invoices: Invoices, books: Books
) -> None:
    river, lnbits = houses
    river.stop()
    lnbits.pay(invoices["lnbits"][4]["paymentRequest"])

    with pytest.raises(ProgramFailed, match="75"):
        operator.run("reconcile", EXPIRY_GRACE="0")

    assert status_of(books, invoices["lnbits"][4]) == "settled"
    assert {status_of(books, it) for it in invoices["river"][4:]} == {"pending"}
    river.start()


def _a_settler_looks_at_both(
    operator: Operator, houses: list[House], invoices: Invoices, books: Books
) -> None:
    settler = operator.start_settler()
    try:
        for house in houses:
            invoice = invoices[house.name][5]
            house.pay(invoice["paymentRequest"])
            look = f"look:{invoice['paymentHash']}"
            books("SELECT pg_notify('msty_settle', %(look)s)", look=look)
            _wait_until_settled(invoice, books)
    finally:
        settler.stop(seconds=15)


def _wait_until_settled(invoice: dict[str, Any], books: Books) -> None:
    wait_for(lambda: status_of(books, invoice), lambda status: status == "settled")


def _ends(books: Books) -> dict[tuple[str, str], int]:
    found = books("SELECT provider, status, count(*) FROM invoices GROUP BY provider, status")
    return {(provider, status): count for provider, status, count in found}


def _sums(books: Books) -> dict[str, tuple[int, int]]:
    found = books("SELECT provider, count(*), sum(amount_sats) FROM deposits GROUP BY provider")
    return {provider: (count, sats) for provider, count, sats in found}
