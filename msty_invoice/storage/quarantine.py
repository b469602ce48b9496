"""What waits for somebody to look at it, and what was decided."""

from collections.abc import Sequence

from msty_invoice.domain.books import BookedDeposit, BookedEvent, BookedFinding
from msty_invoice.storage.books import (
    DEPOSIT,
    EVENT,
    FINDING,
    deposits_of,
    events_of,
    findings_of,
    writing,
)
from msty_invoice.storage.postgres import Database

# The first condition is that of the index deposits_quarantine, to the letter.
_DEPOSITS_OPEN = f"""
    SELECT {DEPOSIT} FROM deposits d
    WHERE resolved_at IS NULL AND verdict NOT IN ('credited', 'transfer')
    ORDER BY d.deposited_at, d.provider, d.deposit_ref
"""  # noqa: S608 - the only text put in, here and below, is column names
_DEPOSITS_ALL = f"""
    SELECT {DEPOSIT} FROM deposits d
    WHERE verdict NOT IN ('credited', 'transfer')
    ORDER BY d.deposited_at, d.provider, d.deposit_ref
"""  # noqa: S608
_FINDINGS_OPEN = f"""
    SELECT {FINDING} FROM deposit_findings f WHERE resolved_at IS NULL ORDER BY f.found_at, f.id
"""  # noqa: S608
_FINDINGS_ALL = f"SELECT {FINDING} FROM deposit_findings f ORDER BY f.found_at, f.id"  # noqa: S608

_DEPOSIT = f"""
    SELECT {DEPOSIT} FROM deposits d
    WHERE d.deposit_ref = %(ref)s OR (d.provider = %(provider)s AND d.deposit_ref = %(rest)s)
"""  # noqa: S608
_FINDING = f"SELECT {FINDING} FROM deposit_findings f WHERE f.id = %(id)s"  # noqa: S608
_FINDINGS_OF = f"""
    SELECT {FINDING} FROM deposit_findings f
    WHERE f.provider = %(provider)s AND f.deposit_ref = %(ref)s ORDER BY f.found_at, f.id
"""  # noqa: S608
_EVENTS_OF = f"""
    SELECT {EVENT} FROM webhook_events w
    WHERE w.provider = %(provider)s AND w.type = 'DEPOSIT' AND w.ref = %(ref)s
    ORDER BY w.received_at, w.id
"""  # noqa: S608

# The verdict stays as it is, and so does what somebody else resolved, or credited,
# meanwhile. What was decided is a line in the history of the invoice.
_RESOLVE_DEPOSIT = """
    WITH r AS (
        UPDATE deposits SET resolved_at = clock_timestamp(), resolution = %(reason)s
        WHERE provider = %(provider)s AND deposit_ref = %(ref)s
          AND resolved_at IS NULL AND verdict NOT IN ('credited', 'transfer')
        RETURNING invoice_id),
    e AS (
        INSERT INTO invoice_events (invoice_id, what, how)
        SELECT invoice_id, 'resolved', 'operator' FROM r WHERE invoice_id IS NOT NULL)
    SELECT count(*) FROM r
"""
_RESOLVE_FINDING = """
    WITH r AS (
        UPDATE deposit_findings SET resolved_at = clock_timestamp(), resolution = %(reason)s
        WHERE id = %(id)s AND resolved_at IS NULL
        RETURNING provider, deposit_ref),
    e AS (
        INSERT INTO invoice_events (invoice_id, what, how)
        SELECT d.invoice_id, 'resolved', 'operator'
        FROM r JOIN deposits d USING (provider, deposit_ref) WHERE d.invoice_id IS NOT NULL)
    SELECT count(*) FROM r
"""


class PostgresQuarantine:
    """Implements `operator_ports.QuarantineStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def deposits(self, *, resolved_too: bool) -> Sequence[BookedDeposit]:
        statement = _DEPOSITS_ALL if resolved_too else _DEPOSITS_OPEN
        return deposits_of(self._database.repeat(statement))

    def findings(self, *, resolved_too: bool) -> Sequence[BookedFinding]:
        statement = _FINDINGS_ALL if resolved_too else _FINDINGS_OPEN
        return findings_of(self._database.repeat(statement))

    def find_deposits(self, ref: str) -> Sequence[BookedDeposit]:
        provider, _, rest = ref.partition(":")
        values = {"ref": ref, "provider": provider, "rest": rest}
        return deposits_of(self._database.repeat(_DEPOSIT, values))

    def find_finding(self, finding_id: int) -> BookedFinding | None:
        found = findings_of(self._database.repeat(_FINDING, {"id": finding_id}))
        return found[0] if found else None

    def findings_of(self, deposit: BookedDeposit) -> Sequence[BookedFinding]:
        return findings_of(self._database.repeat(_FINDINGS_OF, _identity(deposit)))

    def events_of(self, deposit: BookedDeposit) -> Sequence[BookedEvent]:
        return events_of(self._database.repeat(_EVENTS_OF, _identity(deposit)))

    def resolve_deposit(self, deposit: BookedDeposit, reason: str) -> None:
        self._change(_RESOLVE_DEPOSIT, _identity(deposit) | {"reason": reason})

    def resolve_finding(self, finding: BookedFinding, reason: str) -> None:
        self._change(_RESOLVE_FINDING, {"id": finding.id, "reason": reason})

    def _change(self, statement: str, values: dict[str, object]) -> None:
        with writing():
            self._database.repeat(statement, values)


def _identity(deposit: BookedDeposit) -> dict[str, object]:
    return {"provider": deposit.provider, "ref": deposit.deposit_ref}
