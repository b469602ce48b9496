"""The service's own objects, as one process holds them, with a fuse in them."""

from datetime import datetime, timedelta
from time import monotonic

from msty_invoice.domain.invoice import Network
from msty_invoice.domain.walk import Cursor, Walk
from msty_invoice.lightning.river import wire
from msty_invoice.lightning.river.client import RiverClient
from msty_invoice.lightning.river.signature import SignatureRules
from msty_invoice.lightning.river.webhook import SignedWebhooks
from msty_invoice.service.cleaning import Cleaning
from msty_invoice.service.invoicing import Invoicing
from msty_invoice.service.ports import InvoiceStore
from msty_invoice.service.reconciling import Reconciling
from msty_invoice.service.settler import Settler
from msty_invoice.service.settling import Settling
from msty_invoice.service.webhooks import EventWork, Webhooks
from msty_invoice.storage.cleanup import PostgresCleanup
from msty_invoice.storage.cursors import PostgresCursors
from msty_invoice.storage.deposits import PostgresDeposits
from msty_invoice.storage.idempotency import PostgresIdempotency
from msty_invoice.storage.invoices import PostgresInvoices
from msty_invoice.storage.listening import PostgresListener
from msty_invoice.storage.looks import Looks
from msty_invoice.storage.postgres import Database
from msty_invoice.storage.redis_link import RedisLink, dialler
from msty_invoice.storage.webhooks import PostgresWebhooks
from tests.integration.settlement.fuses import Fuse, FusedDatabase, FusedRiver
from tests.integration.settlement.ground import Ground
from tests.settlement_counts import Counts
from tests.wire.pairs import ACCOUNT_ID, API_KEY

GRACE = timedelta(seconds=300)
RETENTION_DAYS = 4
_A_PAGE = 3  # so that a few payments fill several


class ShortPages(RiverClient):
    """A River whose pages end soon."""

    def deposits(self, limit: int = _A_PAGE, next_timestamp: int | None = None) -> wire.DepositPage:
        return super().deposits(limit, next_timestamp)


class WatchedCursors(PostgresCursors):
    """Remembers the walk that was completed, and what was listed when it began."""

    def __init__(self, database: Database, ground: Ground) -> None:
        super().__init__(database)
        self._ground = ground
        self.completed: Walk | None = None
        self.begun: bool = False

    def acquire(self, provider: str) -> Cursor | None:
        cursor = super().acquire(provider)
        self.begun = cursor is not None and cursor.walk is None
        return cursor

    def complete(self, provider: str, walk: Walk, done_down_to: datetime | None) -> bool:
        completed = super().complete(provider, walk, done_down_to)
        self.completed = walk if completed else None
        return completed


class Workers:
    """All that a process of the service does, on connections of its own."""

    def __init__(self, ground: Ground, deadline_seconds: float) -> None:
        self._ground = ground
        self._deadline_seconds = deadline_seconds
        self.fuse = Fuse()
        self.counts = Counts()
        self.database = self._database(ground.database.app)
        self._hearing = self._database(ground.database.app)
        self._jobs = self._database(ground.database.jobs)
        self.river = self._river()
        self._settling = Settling(self.river, PostgresDeposits(self.database), self.counts)
        self._events = EventWork(self._settling, PostgresWebhooks(self.database), self.counts)
        self.invoices = PostgresInvoices(self.database)
        self.webhooks = Webhooks(self.river, PostgresWebhooks(self.database), self.counts)
        self.settler = Settler(
            PostgresListener(self._hearing), self._events, self._settling, self._settling, _no_pause
        )
        self.cursors = WatchedCursors(self.database, ground)

    def invoicing(self, store: InvoiceStore | None = None, *, redis: bool = True) -> Invoicing:
        url = self._ground.valkey.url if redis else "unix:///nowhere"
        return Invoicing(
            self.river,
            store or self.invoices,
            PostgresIdempotency(self.database, lease=timedelta(seconds=20)),
            Looks(RedisLink(dialler(url), 1.0), self.database, monotonic),
            self._ground.machine_now,
            lambda _: None,
        )

    def reconciling(self, budget_seconds: float) -> Reconciling:
        """A budget of 0 makes a pass stop after a page."""
        return Reconciling(
            self.river,
            self._settling,
            self._events,
            self.cursors,
            self.counts,
            monotonic,
            grace=GRACE,
            budget_seconds=budget_seconds,
        )

    def cleaning(self) -> Cleaning:
        return Cleaning(PostgresCleanup(self._jobs), monotonic, invoice_days=RETENTION_DAYS)

    def close(self) -> None:
        for database in (self.database, self._hearing, self._jobs):
            database.close()
        self.river.close()

    def _database(self, dsn: str) -> FusedDatabase:
        return FusedDatabase(dsn, self.fuse, self._ground.database.end_backend)

    def _river(self) -> FusedRiver:
        client = ShortPages(
            self._ground.river.url, ACCOUNT_ID, API_KEY, deadline_seconds=self._deadline_seconds
        )
        webhooks = SignedWebhooks(SignatureRules([self._ground.secret]), self._ground.machine_now)
        river = FusedRiver(client, Network.REGTEST, webhooks)
        river.fuse, river.close = self.fuse, client.close
        return river


def _no_pause(seconds: float) -> None:
    """Nobody waits here."""
