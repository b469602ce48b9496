"""Ending a process, or only its connection, at the n-th thing it does."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from msty_invoice.domain.deposit import Deposit, DepositPage
from msty_invoice.domain.invoice import InvoiceOrder, IssuedInvoice
from msty_invoice.domain.webhook import WebhookEvent
from msty_invoice.lightning.river.provider import River
from msty_invoice.storage.postgres import ConnectionLost, Database, Row

_Result = TypeVar("_Result")


class Killed(BaseException):
    """The process is gone: nothing it would have done after this is done."""


class Blow(StrEnum):
    """What happens at the n-th statement or call."""

    KILLED_BEFORE = "killed before it"
    KILLED_AFTER = "killed after it was done"
    ANSWER_LOST = "done, and the answer lost"
    CONNECTION_CUT = "the connection was dead already"


@dataclass
class Fuse:
    """Counts down with each statement and call of one process."""

    blow: Blow | None = None
    left: int = 0
    dead: bool = False

    def around(self, do: Callable[[], _Result], database: "FusedDatabase | None") -> _Result:
        if self.dead:
            raise Killed
        blow = self._due()
        if blow is Blow.KILLED_BEFORE:
            self._die()
        if blow is Blow.CONNECTION_CUT and database:
            database.cut()
        result = do()
        if blow is Blow.KILLED_AFTER:
            self._die()
        if blow is Blow.ANSWER_LOST and database:
            database.close()
            raise ConnectionLost("the answer was lost")
        return result

    def _due(self) -> Blow | None:
        self.left -= 1
        return self.blow if self.left == 0 else None

    def _die(self) -> None:
        self.dead = True
        raise Killed


class FusedDatabase(Database):
    """A connection whose every statement burns the fuse. `end_backend` ends one by its pid."""

    def __init__(self, dsn: str, fuse: Fuse, end_backend: Callable[[int], None]) -> None:
        super().__init__(dsn)
        self._fuse = fuse
        self._end_backend = end_backend

    def execute(self, statement: str, values: Mapping[str, object] | None = None) -> list[Row]:
        return self._fuse.around(
            lambda: super(FusedDatabase, self).execute(statement, values), self
        )

    def cut(self) -> None:
        """End the connection at the server; this side does not know."""
        self._end_backend(self.connection().get_backend_pid())


class FusedRiver(River):
    """River, whose every call burns the fuse. `meanwhile` happens once, after a page is read."""

    fuse: Fuse
    close: Callable[[], None]
    meanwhile: Callable[[], None] | None = None

    def create_invoice(self, order: InvoiceOrder) -> IssuedInvoice:
        return self.fuse.around(lambda: super(FusedRiver, self).create_invoice(order), None)

    def walk(self, token: str | None) -> DepositPage:
        page = self.fuse.around(lambda: super(FusedRiver, self).walk(token), None)
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile:
            meanwhile()
        return page

    def deposit(self, deposit_ref: str) -> Deposit | None:
        return self.fuse.around(lambda: super(FusedRiver, self).deposit(deposit_ref), None)

    def look(self, payment_hash: str) -> Sequence[Deposit]:
        return self.fuse.around(lambda: super(FusedRiver, self).look(payment_hash), None)

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> WebhookEvent:
        return self.fuse.around(lambda: super(FusedRiver, self).read_webhook(headers, body), None)
