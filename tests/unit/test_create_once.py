"""The use case of an order with an idempotency key, where its store or provider fails."""

from collections.abc import Callable
from uuid import UUID

import pytest

from msty_invoice.domain import errors
from msty_invoice.domain.idempotency import Claim, IdempotencyKey
from msty_invoice.domain.invoice import Invoice, InvoiceOrder, IssuedInvoice
from msty_invoice.service.invoicing import Invoicing
from tests.fakes import Clock, FakeLookOut, FakeProvider, MemoryIdempotency, MemoryInvoices

FAMILY = UUID(int=1)
KEY = IdempotencyKey("order-42")
ORDER = InvoiceOrder(2500, "order 42")


class FailingIdempotency(MemoryIdempotency):
    """Loses the database at the steps named in `away`."""

    away: frozenset[str] = frozenset()

    def finish(self, claim: Claim, invoice: Invoice) -> Invoice:
        self._ensure_there("finish")
        return super().finish(claim, invoice)

    def release(self, claim: Claim) -> None:
        self._ensure_there("release")
        super().release(claim)

    def _ensure_there(self, step: str) -> None:
        if step in self.away:
            raise errors.StorageUnavailable(f"away at {step}")


class SlowProvider(FakeProvider):
    """Does something else before it answers."""

    meanwhile: Callable[[], object] = staticmethod(lambda: None)

    def create_invoice(self, order: InvoiceOrder) -> IssuedInvoice:
        issued = super().create_invoice(order)
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()
        return issued


class World:
    """The use case and all that it needs."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.invoices = MemoryInvoices()
        self.keys = FailingIdempotency(self.invoices, self.clock)
        self.provider = SlowProvider(self.clock)
        self.counts: list[str] = []
        self.invoicing = Invoicing(
            self.provider,
            self.invoices,
            self.keys,
            FakeLookOut(),
            self.clock,
            self.counts.append,
        )

    def create(self, order: InvoiceOrder = ORDER) -> tuple[Invoice, bool]:
        fulfilled = self.invoicing.create_once(FAMILY, order, KEY)
        return fulfilled.invoice, fulfilled.replayed


@pytest.fixture
def world() -> World:
    return World()


def test_the_second_request_gets_what_the_first_one_made(world: World) -> None:
    invoice, replayed = world.create()

    assert not replayed
    assert world.create() == (invoice, True)
    assert len(world.provider.orders) == 1
    assert world.counts == ["created", "replayed"]


@pytest.mark.parametrize(
    "failure",
    [
        errors.ProviderRefused("no"),
        errors.ProviderMisconfigured("401"),
        errors.ProviderUnavailable("429"),
        errors.ProviderUnknown("sent"),
        errors.UntrustworthyInvoice("1 sats"),
        RuntimeError("a bug"),
    ],
    ids=lambda failure: type(failure).__name__,
)
def test_a_failure_is_not_remembered(world: World, failure: Exception) -> None:
    world.provider.failure = failure
    with pytest.raises(type(failure)):
        world.create()
    world.provider.failure = None

    invoice, replayed = world.create()

    assert not replayed
    assert world.create() == (invoice, True)


def test_a_finish_that_fails_is_released(world: World) -> None:
    world.keys.away = frozenset({"finish"})
    with pytest.raises(errors.StorageUnavailable):
        world.create()
    world.keys.away = frozenset()

    assert not world.create()[1]
    assert world.counts == ["StorageUnavailable", "created"]


def test_a_release_that_fails_does_not_hide_why(world: World) -> None:
    world.keys.away = frozenset({"release"})
    world.provider.failure = errors.ProviderUnknown("sent")

    with pytest.raises(errors.ProviderUnknown):
        world.create()


def test_a_key_that_could_not_be_released_is_free_again_after_the_lease(world: World) -> None:
    world.keys.away = frozenset({"finish", "release"})
    with pytest.raises(errors.StorageUnavailable):
        world.create()
    world.keys.away = frozenset()

    world.clock.advance(seconds=19)
    with pytest.raises(errors.IdempotencyConflict):
        world.create()
    world.clock.advance(seconds=1)

    assert not world.create()[1]


def test_a_zombie_answers_with_what_the_winner_made(world: World) -> None:
    made: list[tuple[Invoice, bool]] = []

    def be_overtaken() -> None:
        world.clock.advance(seconds=20)
        made.append(world.create())

    world.provider.meanwhile = be_overtaken

    assert world.create() == (made[0][0], True)
    assert list(world.invoices.kept.values()) == [made[0][0]]
    assert world.counts == ["created", "ClaimOvertaken"]


def test_a_zombie_whose_winner_failed_is_told_to_ask_again(world: World) -> None:
    def be_overtaken_by_a_failure() -> None:
        world.clock.advance(seconds=20)
        world.provider.failure = errors.ProviderRefused("no")
        with pytest.raises(errors.ProviderRefused):
            world.create()
        world.provider.failure = None

    world.provider.meanwhile = be_overtaken_by_a_failure

    with pytest.raises(errors.IdempotencyConflict):
        world.create()
    assert not world.invoices.kept
    assert not world.create()[1]
    assert world.counts == ["ProviderRefused", "ClaimOvertaken", "created"]


def test_a_zombie_whose_winner_had_another_order_shows_nothing(world: World) -> None:
    def be_overtaken() -> None:
        world.clock.advance(seconds=20)
        world.create(InvoiceOrder(9))

    world.provider.meanwhile = be_overtaken

    with pytest.raises(errors.IdempotencyMismatch):
        world.create()
    assert [invoice.amount_sats for invoice in world.invoices.kept.values()] == [9]


def test_a_zombie_is_a_warning_in_the_log(world: World, caplog: pytest.LogCaptureFixture) -> None:
    def be_overtaken() -> None:
        world.clock.advance(seconds=20)
        world.create()

    world.provider.meanwhile = be_overtaken
    world.create()

    assert any("made too late" in r.getMessage() for r in caplog.records if r.levelno >= 30)
