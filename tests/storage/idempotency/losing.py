"""A connection that is lost at the worst moment, as often as told."""

from collections.abc import Mapping
from typing import Literal

from msty_invoice.storage.postgres import ConnectionLost, Database, Row

# never      the statement does not reach the server
# answer     it is committed, and its answer is lost
# late       it is on its way, and committed only after somebody has looked
Loss = Literal["never", "answer", "late"]


class LosingDatabase(Database):
    """Loses the next writing statements of `losses`, one each; then it works as usual."""

    def __init__(self, dsn: str, *losses: Loss) -> None:
        super().__init__(dsn)
        self._losses = list(losses)
        self._other = Database(dsn)
        self._on_its_way: tuple[str, Mapping[str, object] | None] | None = None

    def execute(self, statement: str, values: Mapping[str, object] | None = None) -> list[Row]:
        if not _writes(statement):
            return super().execute(statement, values)
        self._arrive()
        if not self._losses:
            return super().execute(statement, values)
        loss = self._losses.pop(0)
        if loss == "answer":
            super().execute(statement, values)
        elif loss == "late":
            self._on_its_way = (statement, values)
        self.close()
        raise ConnectionLost("connection lost: told to")

    def _arrive(self) -> None:
        if self._on_its_way:
            self._other.execute(*self._on_its_way)
            self._on_its_way = None


def _writes(statement: str) -> bool:
    return "INSERT" in statement or "UPDATE" in statement
