"""Anything may happen, in any order, with clocks apart; the books are right all the same.

Time passes by telling the clocks of PostgreSQL, River and the VM, so a day takes a
millisecond. A failing run is printed, kept in `.hypothesis`, and tried first next time.
`--hypothesis-profile=nightly` runs ten times as many, and longer ones.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from msty_invoice.dev.valkey import ValkeyServer
from msty_invoice.domain.errors import (
    IdempotencyConflict,
    IdempotencyMismatch,
    InvoiceNotFound,
    ProviderError,
    StorageUnavailable,
    WebhookForged,
    WebhookStale,
)
from msty_invoice.domain.idempotency import IdempotencyKey
from msty_invoice.domain.invoice import Invoice, InvoiceOrder, InvoiceStatus
from msty_invoice.sandbox import endpoints
from tests.integration.sandbox.listeners import Received
from tests.integration.settlement.fuses import Blow, Fuse, Killed
from tests.integration.settlement.ground import Ground, prepared
from tests.integration.settlement.invariants import Expiring, Watch
from tests.integration.settlement.shifted import ShiftedDatabase
from tests.integration.settlement.workers import Workers
from tests.storage.conftest import FAMILY

_PATIENT, _HASTY = 8.0, 0.1  # seconds for a call; the second while the provider hangs
_UNWELL: dict[str, dict[str, Any]] = {
    "away": {"error_rate": 1.0},
    "list fails": {"list_error_rate": 1.0},
    "deposits cannot be read": {"error_rate": {"value": 1, "endpoint": endpoints.DEPOSIT}},
    "deposits are not there": {"status": {"value": 404, "endpoint": endpoints.DEPOSIT}},
    "creates are done and not answered": {
        "close_after_commit": {"value": True, "endpoint": endpoints.CREATE_INTENT}
    },
    "rubbish": {"rubbish": True},
    "list hangs": {"hang": {"value": True, "endpoint": endpoints.DEPOSITS}},
    "proof is of nothing": {"proof": "random"},
}
_MINUTES = st.sampled_from((-10, -2, -1, 0, 0, 0, 0, 1, 2, 10)).map(lambda m: timedelta(minutes=m))
_PASSING = st.sampled_from((1, 6, 25, 70, 400, 3_700, 21_700, 5 * 86_400)).map(
    lambda seconds: timedelta(seconds=seconds)
)
_LISTED_LATE_S = st.sampled_from((0, 0, 0, 50, 590, 6 * 3600))
_FUSES = st.none() | st.builds(Fuse, st.sampled_from(list(Blow)), st.integers(1, 20))
_ANY = st.integers(0, 99)  # taken modulo how many there are
_KEYS = st.sampled_from((None, None, "key-a", "key-b", "key-c"))
_EXPIRIES = st.sampled_from((60, 900, 3600))
_HOW = st.sampled_from(["well", "well", *_UNWELL, "deposits are not there"])
_SATS = st.sampled_from((1, 2, 2500))


@dataclass(frozen=True)
class Passing:
    """A store to which an invoice comes only after `first` has happened."""

    kept: Any
    first: Callable[[Invoice], None]

    def add(self, invoice: Invoice) -> Invoice:
        self.first(invoice)
        added: Invoice = self.kept.add(invoice)
        return added

    def get(self, key_family: UUID, payment_hash: str) -> Invoice:
        raise InvoiceNotFound(payment_hash)


class Settlement(RuleBasedStateMachine):
    """Clients, payers, a provider, an operator's timers, and fate."""

    def __init__(self, ground: Ground) -> None:
        super().__init__()
        self.ground = ground
        self.watch = Watch(ground)
        self.invoices: list[Invoice] = []
        self.hooks: list[Received] = []
        self.listed_before: frozenset[str] = frozenset()
        self.workers = Workers(ground, _PATIENT)

    @contextmanager
    def fate(self, fuse: Fuse | None) -> Iterator[None]:
        """What one process does in one step; if it is killed, there is a new one."""
        if fuse is not None:
            self.workers.fuse.blow, self.workers.fuse.left = fuse.blow, fuse.left
        excused: tuple[type[BaseException], ...] = (Killed,) if fuse else ()
        try:
            with suppress(*excused, *((StorageUnavailable,) if fuse else ())):
                yield
        finally:
            if self.workers.fuse.dead:
                self.new_process()
            self.workers.fuse.blow = None

    def new_process(self) -> None:
        self.workers.close()
        hangs = "hang" in self.ground.faults
        self.workers = Workers(self.ground, _HASTY if hangs else _PATIENT)

    @contextmanager
    def provider_may_fail(self) -> Iterator[None]:
        """Only a provider that is unwell may fail."""
        try:
            yield
        except ProviderError:
            assert self.ground.faults

    @initialize(
        bills=st.lists(st.tuples(_SATS, _EXPIRIES, st.booleans(), st.booleans()), max_size=4),
        how=_HOW,
        provider=_MINUTES,
        machine=_MINUTES,
    )
    def begin(
        self,
        bills: list[tuple[int, int, bool, bool]],
        how: str,
        provider: timedelta,
        machine: timedelta,
    ) -> None:
        """Not from nothing: some invoices, some of them paid, some of that announced."""
        for sats, expiry, paid, announced in bills:
            self.create(sats, None, expiry, None)
            if paid:
                self.pay_with(self.invoices[-1], sats, 0)
            if paid and announced:
                self.take(self.hooks[-1])
        self.clocks_go_wrong(provider, machine)
        self.provider_changes(how)

    # --- clients ---

    @rule(sats=_SATS, key=_KEYS, expiry=_EXPIRIES, fuse=_FUSES)
    def create(self, sats: int, key: str | None, expiry: int, fuse: Fuse | None) -> None:
        self.ground.put_faults(expiry_seconds=expiry)
        with self.fate(fuse), self.provider_may_fail(), suppress(IdempotencyConflict):
            try:
                self.obtain(InvoiceOrder(sats), key)
            except IdempotencyMismatch:
                assert key is not None

    def obtain(self, order: InvoiceOrder, key: str | None) -> None:
        invoicing = self.workers.invoicing()
        if key is None:
            self.show(invoicing.create(FAMILY, order), None)
            return
        made = invoicing.create_once(FAMILY, order, IdempotencyKey(key))
        assert made.invoice.amount_sats == order.amount_sats
        assert made.replayed or key not in self.watch.made_by
        self.show(made.invoice, key)

    def show(self, invoice: Invoice, key: str | None) -> None:
        self.watch.show(invoice, key)
        if invoice.payment_hash not in {known.payment_hash for known in self.invoices}:
            self.invoices.append(invoice)

    @rule(sats=_SATS, by=st.sampled_from(("webhook", "walk", "look")))
    def pay_before_the_row_is_there(self, sats: int, by: str) -> None:
        """A wallet cannot be so quick; a provider that tells of another copy of us can."""

        def first(invoice: Invoice) -> None:
            self.pay_with(invoice, sats, 0)
            if by == "webhook":
                self.take(self.hooks[-1])
                self.settler_runs(None)
            elif by == "walk":
                self.reconcile(40.0, 0, None)
            else:
                with self.provider_may_fail():
                    self.workers.river.look(invoice.payment_hash)

        invoicing = self.workers.invoicing(Passing(self.workers.invoices, first))
        with self.provider_may_fail():
            self.show(invoicing.create(FAMILY, InvoiceOrder(sats)), None)

    @precondition(lambda self: self.invoices)
    @rule(which=_ANY, redis=st.booleans(), fuse=_FUSES)
    def read(self, which: int, redis: bool, fuse: Fuse | None) -> None:
        """What a reader is told is what was recorded, and it never goes backwards."""
        payment_hash = self.invoices[which % len(self.invoices)].payment_hash
        with self.fate(fuse):
            try:
                read = self.workers.invoicing(redis=redis).get(FAMILY, payment_hash)
            except InvoiceNotFound:
                assert payment_hash in self.watch.gone
                return
            assert read.status is InvoiceStatus(self.watch.before[payment_hash].status)
            assert read.late == (read.settled_at is not None and read.settled_at > read.expires_at)

    # --- payers ---

    @precondition(lambda self: self.invoices)
    @rule(which=_ANY, more=st.sampled_from((-1, 0, 0, 0, 1)), listed_late_s=_LISTED_LATE_S)
    def pay(self, which: int, more: int, listed_late_s: int) -> None:
        """Also again, also late: whatever a wallet does, the money is there."""
        invoice = self.invoices[which % len(self.invoices)]
        self.pay_with(invoice, max(1, invoice.amount_sats + more), listed_late_s)

    def pay_with(self, invoice: Invoice, sats: int, listed_late_s: int) -> None:
        self.ground.put_faults(list_delay_s=listed_late_s)
        asked = {"payment_request": invoice.payment_request, "amount": sats}
        self.ground.river.ask("POST", "/_sandbox/pay", json=asked | {"late": True, "again": True})
        # All are lost, unless a rule delivers them: now, later, in another order, twice.
        self.hooks.append(self.ground.webhooks.take())

    # --- webhooks ---

    @precondition(lambda self: self.hooks)
    @rule(which=_ANY, copies=st.sampled_from((1, 1, 3)), fuse=_FUSES)
    def deliver(self, which: int, copies: int, fuse: Fuse | None) -> None:
        with self.fate(fuse):
            for _ in range(copies):
                self.take(self.hooks[which % len(self.hooks)])

    @precondition(lambda self: self.hooks)
    @rule(which=_ANY, of=st.sampled_from(("body", "signature")))
    def forge(self, which: int, of: str) -> None:
        hook = self.hooks[which % len(self.hooks)]
        if of == "body":
            forged = replace(hook, raw_body=hook.raw_body.replace(b"dep_", b"dep_f"))
        else:
            parts = json.loads(hook.signature)
            parts["signature"] = parts["signature"][::-1]
            forged = replace(hook, signature=json.dumps(parts))
        before = self.ground.database.rows("SELECT count(*), sum(copies) FROM webhook_events")
        with pytest.raises(WebhookForged):
            self.workers.webhooks.take({"river-signature": forged.signature}, forged.raw_body)
        after = self.ground.database.rows("SELECT count(*), sum(copies) FROM webhook_events")
        assert after == before

    def take(self, hook: Received) -> None:
        with suppress(WebhookStale):
            self.workers.webhooks.take({"river-signature": hook.signature}, hook.raw_body)

    # --- the operator's timers ---

    @rule(fuse=_FUSES)
    def settler_runs(self, fuse: Fuse | None) -> None:
        with self.fate(fuse):
            self.workers.settler.run_once(0.005)

    @rule(
        budget_seconds=st.sampled_from((40.0, 40.0, 0.0)),
        lasting=st.sampled_from((0, 0, 80, 900, 3_700)),
        fuse=_FUSES,
    )
    def reconcile(self, budget_seconds: float, lasting: int, fuse: Fuse | None) -> None:
        """`lasting` seconds pass after its first page."""
        workers, listed = self.workers, self.listed()
        workers.cursors.completed = None
        workers.river.meanwhile = lambda: self.ground.advance(timedelta(seconds=lasting))
        with self.fate(fuse), self.provider_may_fail():
            workers.reconciling(budget_seconds).run()
        if workers.cursors.begun:
            self.listed_before = listed
        self.watch.check_expired(Expiring(workers.cursors.completed, self.listed_before))

    @rule(fuse=_FUSES)
    def cleanup(self, fuse: Fuse | None) -> None:
        with self.fate(fuse):
            self.workers.cleaning().run()
        self.watch.forget_cleaned()

    def listed(self) -> frozenset[str]:
        now_ms = self.ground.provider_now().timestamp() * 1000
        deposits = self.ground.river.state()["deposits"]
        return frozenset(one["id"] for one in deposits if one["listed_from_ms"] <= now_ms)

    # --- fate ---

    @rule(by=_PASSING, timer=st.booleans())
    def time_passes(self, by: timedelta, timer: bool) -> None:
        self.ground.advance(by)
        if timer:
            self.reconcile(40.0, 0, None)

    @rule(fuse=_FUSES)
    def an_invoice_runs_out(self, fuse: Fuse | None) -> None:
        """Nobody pays it; whether it may expire now depends on all the rest."""
        self.create(2500, None, 60, None)
        self.watch.check()
        self.time_passes(timedelta(seconds=400), timer=False)
        self.reconcile(40.0, 0, fuse)

    @rule(provider=_MINUTES, machine=_MINUTES)
    def clocks_go_wrong(self, provider: timedelta, machine: timedelta) -> None:
        self.ground.provider_skew, self.ground.machine_skew = provider, machine
        self.ground.put_faults()

    @rule(how=_HOW)
    def provider_changes(self, how: str) -> None:
        self.ground.faults = dict(_UNWELL.get(how, {}))
        self.ground.put_faults()
        self.new_process()

    @rule()
    def restart(self) -> None:
        self.new_process()

    @invariant()
    def books_are_right(self) -> None:
        self.watch.check()

    def teardown(self) -> None:
        try:
            self.heal()
            self.watch.check_the_end()
        finally:
            self.workers.close()

    def heal(self) -> None:
        """All is well again and stays so, until what there was has ended."""
        nothing = timedelta(0)
        self.ground.provider_skew = self.ground.machine_skew = nothing
        self.provider_changes("well")
        # Late lists come up, leases and back-offs end, overdue invoices are due to expire.
        for by in (timedelta(minutes=11), timedelta(hours=7), timedelta(hours=25)):
            self.ground.advance(by)
            for _ in range(2):
                self.settler_runs(None)
                self.reconcile(40.0, 0, None)
                self.watch.check()


def _chosen() -> settings:
    """For CI, unless another profile was asked for."""
    if settings.get_current_profile_name() == "nightly":
        return settings()
    return settings(max_examples=50, stateful_step_count=30)


def test_the_books_are_right_whatever_happens(
    shifted: ShiftedDatabase, valkey: ValkeyServer
) -> None:
    class OnNewGround(Settlement):
        def __init__(self) -> None:
            self.preparing = prepared(shifted, valkey)
            super().__init__(self.preparing.__enter__())

        def teardown(self) -> None:
            try:
                super().teardown()
            finally:
                self.preparing.__exit__(None, None, None)

    run_state_machine_as_test(
        OnNewGround,
        settings=settings(
            _chosen(),
            deadline=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
