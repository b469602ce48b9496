"""What must hold whatever happened (operations §10, as design §4.10 reads it)."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from msty_invoice.domain.invoice import Invoice
from msty_invoice.domain.walk import Walk
from tests.integration.settlement.ground import Ground
from tests.integration.settlement.workers import GRACE

_EDGES = {("pending", "settled"), ("pending", "expired"), ("expired", "settled")}
_MAX_SKEW = timedelta(seconds=60)
_ROUNDING = timedelta(seconds=2)  # HTTP's Date has whole seconds
_MILLISECOND = timedelta(milliseconds=1)

_INVOICES = """
    SELECT i.payment_hash, i.status, i.provider_ref, i.amount_sats, i.amount_received_sats,
           i.expires_at, i.settled_at,
           (SELECT count(*) FROM deposits d WHERE d.invoice_id = i.id AND d.verdict = 'credited'),
           (SELECT count(*) FROM deposits d WHERE d.invoice_id = i.id)
    FROM invoices i
"""
_DEPOSITS = "SELECT deposit_ref, intent_ref, amount_sats FROM deposits"
_UNREAD = """
    SELECT count(*) FROM webhook_events
    WHERE type = 'DEPOSIT' AND done_at IS NULL AND parked_at IS NULL AND received_at < %(before)s
"""
_TRANSIENT = """
    SELECT (SELECT count(*) FROM webhook_events WHERE done_at IS NULL AND parked_at IS NULL),
           (SELECT count(*) FROM open_deposits WHERE ended_at IS NULL),
           (SELECT count(*) FROM provider_cursors WHERE run_token IS NOT NULL
                                                     OR walk_started_at IS NOT NULL),
           (SELECT count(*) FROM invoices WHERE status = 'pending')
"""


@dataclass(frozen=True)
class Row:
    """An invoice as the database has it."""

    payment_hash: str
    status: str
    intent: str
    amount_sats: int
    received_sats: int | None
    expires_at: datetime
    settled_at: datetime | None
    credited: int
    deposits: int


@dataclass(frozen=True)
class Expiring:
    """What a pass that let something expire had to go by."""

    walk: Walk | None
    listed_before: frozenset[str]


@dataclass
class Watch:
    """Sees every step. `gone` was deleted by cleanup."""

    ground: Ground
    shown: dict[str, Invoice] = field(default_factory=dict)
    made_by: dict[str, str] = field(default_factory=dict)
    before: dict[str, Row] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)

    def rows(self) -> dict[str, Row]:
        found = (Row(*row) for row in self.ground.database.rows(_INVOICES))
        return {row.payment_hash: row for row in found}

    def show(self, invoice: Invoice, key: str | None) -> None:
        """A client was answered. A key shows one invoice, however often it is asked."""
        self.shown[invoice.payment_hash] = invoice
        if key is not None:
            known = self.made_by.setdefault(key, invoice.payment_hash)
            assert known == invoice.payment_hash, "I2, I8: a key shows one invoice"

    def check(self) -> None:
        """After each step."""
        rows = self.rows()
        assert self.shown.keys() - self.gone <= rows.keys(), "I1: what was shown is recorded"
        for row in rows.values():
            settled = row.status == "settled"
            assert row.credited == settled, f"I3: settled by exactly one deposit: {row}"
            assert (row.received_sats or 0) >= row.amount_sats * settled
            if was := self.before.get(row.payment_hash):
                edge = (was.status, row.status)
                assert edge[0] == edge[1] or edge in _EDGES, f"I5, I6: {edge}"
                assert not was.settled_at or was.settled_at == row.settled_at, "I5"
        self.before = rows

    def check_expired(self, by: Expiring) -> None:
        """After a pass: what is expired now and was not before."""
        newly = [
            row
            for row in self.rows().values()
            if row.status == "expired" and self.before[row.payment_hash].status != "expired"
        ]
        if newly:
            assert by.walk, "expired without a complete walk"
            assert abs(self.ground.provider_skew) <= _MAX_SKEW + _ROUNDING, "clocks disagree"
            unread = self.ground.database.rows(_UNREAD, before=by.walk.started_at)
            assert unread == [(0,)], "expired while an event was unread"
        for row in newly:
            assert by.walk
            assert row.expires_at + GRACE <= by.walk.started_at, "expired before grace was over"
            assert not self._was_in(row, by), f"the money was in and listed: {row}"

    def forget_cleaned(self) -> None:
        """After cleanup: what is gone had expired, and nothing had been recorded for it."""
        rows = self.rows()
        for payment_hash in self.before.keys() - rows.keys():
            was = self.before[payment_hash]
            assert (was.status, was.deposits) == ("expired", 0), f"deleted: {was}"
            self.gone.add(payment_hash)
        keys = self.ground.database.rows("SELECT key FROM idempotency_keys")
        self.made_by = {key: made for key, made in self.made_by.items() if (key,) in keys}

    def check_the_end(self) -> None:
        """After all is well again, and nothing more is to be found."""
        self.check()
        theirs = self.ground.river.state()["deposits"]
        ours = self.ground.database.rows(_DEPOSITS)
        # The same deposits, each once, for the same money: so the sums are equal too.
        assert Counter(ours) == Counter(
            (one["id"], one["intent_id"], one["amount_sats"]) for one in theirs
        )
        self._check_verdicts(theirs)
        assert self.ground.database.rows(_TRANSIENT) == [(0, 0, 0, 0)], "I7: nothing transient"

    def _check_verdicts(self, theirs: list[Any]) -> None:
        of_intent = defaultdict(list)
        for one in theirs:
            of_intent[one["intent_id"]].append(one["amount_sats"])
        for row in self.rows().values():
            paid = [sats for sats in of_intent[row.intent] if sats >= row.amount_sats]
            assert row.status == ("settled" if paid else "expired"), f"I4: {row}, paid {paid}"
            assert row.deposits == len(of_intent[row.intent])

    def _was_in(self, row: Row, by: Expiring) -> bool:
        assert by.walk
        return any(
            one["id"] in by.listed_before
            and one["intent_id"] == row.intent
            and one["amount_sats"] >= row.amount_sats
            for one in self.ground.river.state()["deposits"]
        )
