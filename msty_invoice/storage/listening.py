"""Hearing from PostgreSQL that there is something to settle, without asking all the time."""

import select
from typing import Any

import psycopg2

from msty_invoice.domain.errors import StorageUnavailable
from msty_invoice.storage.postgres import Database
from msty_invoice.storage.webhooks import CHANNEL


class PostgresListener:
    """Implements `settlement_ports.Listener`, on a connection of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._listening: Any = None

    def wait(self, seconds: float) -> list[str]:
        """What was told within `seconds`, as soon as something is. Raises `StorageUnavailable`."""
        connection = self._database.connection()
        if connection is not self._listening:
            self._database.execute(f"LISTEN {CHANNEL}")
            self._listening = connection
            return [""]  # whatever was told before, we did not hear
        try:
            connection.poll()
            if not connection.notifies:
                select.select([connection], [], [], seconds)
                connection.poll()
        except (psycopg2.Error, OSError, ValueError) as exc:
            self._database.close()
            raise StorageUnavailable("the listening connection was lost") from exc
        told = [notice.payload for notice in connection.notifies]
        connection.notifies.clear()
        return told
