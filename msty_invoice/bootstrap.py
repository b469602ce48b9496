"""The composition root: the one place that knows every concrete class.

It opens nothing: each connection is made on first use, after gunicorn has forked.
"""

import time
from datetime import UTC, datetime, timedelta

import falcon

from msty_invoice.config import Config
from msty_invoice.domain.limit import Pair
from msty_invoice.domain.quota import Quotas, create_pairs
from msty_invoice.lightning.river.client import RiverClient
from msty_invoice.lightning.river.provider import River
from msty_invoice.lightning.river.registration import WebhookRegistration
from msty_invoice.lightning.river.signature import SignatureRules
from msty_invoice.lightning.river.webhook import SignedWebhooks
from msty_invoice.service.cleaning import Cleaning
from msty_invoice.service.invoicing import Invoicing
from msty_invoice.service.keys import Keyring, Keys
from msty_invoice.service.reconciling import Reconciling
from msty_invoice.service.settler import Settler
from msty_invoice.service.settling import Settling
from msty_invoice.service.webhooks import EventWork, Webhooks
from msty_invoice.storage.cleanup import PostgresCleanup
from msty_invoice.storage.cursors import PostgresCursors
from msty_invoice.storage.deposits import PostgresDeposits
from msty_invoice.storage.idempotency import PostgresIdempotency
from msty_invoice.storage.invoices import PostgresInvoices
from msty_invoice.storage.keys import PostgresKeys
from msty_invoice.storage.limiter import CircuitLimiter
from msty_invoice.storage.listening import PostgresListener
from msty_invoice.storage.local_log import LocalLog
from msty_invoice.storage.looks import Looks
from msty_invoice.storage.migrations import Migrator, SchemaCheck, directory, needed
from msty_invoice.storage.postgres import Database
from msty_invoice.storage.redis_link import RedisLink, dialler
from msty_invoice.storage.sliding_log import SlidingLog
from msty_invoice.storage.webhooks import PostgresWebhooks
from msty_invoice.telemetry import logs, metrics
from msty_invoice.web import request_id
from msty_invoice.web.admission import Admission
from msty_invoice.web.app import create_app
from msty_invoice.web.client_address import BY_SETTING
from msty_invoice.web.credentials import Credentials
from msty_invoice.web.schemas import order_schema

# /readyz asks the provider too, and a probe must not wait as long as a payer does.
_PROBE_DEADLINE_SECONDS = 2.0
# A reader waits for what a look finds, so it is quick or not at all.
_LOOK_DEADLINE_SECONDS = 2.0
_MINUTE, _HOUR = 60, 3600


def utcnow() -> datetime:
    return datetime.now(UTC)


def build_app(config: Config) -> falcon.App:
    """The web application, for `config.WEB` and `config.RIVER`."""
    database = Database(config.database_url)
    link = RedisLink(dialler(config.redis_url))
    limiter = _limiter(link)
    river = _river(config, config.provider_deadline_seconds)
    return create_app(
        invoicing=Invoicing(
            river,
            PostgresInvoices(database),
            PostgresIdempotency(
                database, lease=timedelta(seconds=config.idempotency_lease_seconds)
            ),
            Looks(link, database, time.monotonic),
            utcnow,
            metrics.count_create,
        ),
        admission=_admission(config, database, limiter),
        order_schema=order_schema(
            config.min_amount_sats, config.max_amount_sats, config.max_memo_length
        ),
        webhooks={
            river.name: Webhooks(river, PostgresWebhooks(database), metrics.SettlementCounters())
        },
        required={"database": SchemaCheck(database, needed(directory())).current},
        reported={
            "redis": limiter.redis_answers,
            "provider": _river(config, _PROBE_DEADLINE_SECONDS).ping,
        },
    )


def build_settler(config: Config) -> Settler:
    """For `msty-invoice settle`, with `config.SETTLING`."""
    database = Database(config.database_url)
    settling = _settling(config, database, config.provider_deadline_seconds)
    return Settler(
        PostgresListener(Database(config.database_url)),
        EventWork(settling, PostgresWebhooks(database), metrics.SettlementCounters()),
        settling,
        _settling(config, database, _LOOK_DEADLINE_SECONDS),
        time.sleep,
    )


def build_reconciling(config: Config) -> Reconciling:
    """For `msty-invoice reconcile`, with `config.SETTLING`."""
    database = Database(config.database_url)
    counters = metrics.SettlementCounters()
    settling = _settling(config, database, config.provider_deadline_seconds)
    return Reconciling(
        _river(config, config.provider_deadline_seconds),
        settling,
        EventWork(settling, PostgresWebhooks(database), counters),
        PostgresCursors(database),
        counters,
        time.monotonic,
        grace=timedelta(seconds=config.expiry_grace),
    )


def build_cleaning(config: Config) -> Cleaning:
    """For `msty-invoice cleanup`, with the DATABASE_URL of a login in `msty_jobs`."""
    database = Database(config.database_url, statement_timeout=30_000)
    return Cleaning(
        PostgresCleanup(database), time.monotonic, invoice_days=config.invoice_retention_days
    )


def build_keys(config: Config) -> Keys:
    """For `msty-invoice keys`."""
    return Keys(PostgresKeys(Database(config.database_url)), config.network, utcnow)


def build_migrator(config: Config) -> Migrator:
    """For `msty-invoice migrate`, with the migrating role's DATABASE_URL."""
    return Migrator(config.database_url, directory())


def configure_logs() -> None:
    """JSON lines on stderr, each with the id of the request being answered."""
    logs.configure(request_id.current)


def build_webhook_registration(config: Config) -> WebhookRegistration:
    """For `msty-invoice river`."""
    url = f"{config.public_url}/api/lightning/webhooks/{River.name}"
    return WebhookRegistration(_river_client(config, config.provider_deadline_seconds), url)


def _settling(config: Config, database: Database, deadline_seconds: float) -> Settling:
    deposits = PostgresDeposits(database, proof_demanded=config.river_proof == "preimage")
    return Settling(_river(config, deadline_seconds), deposits, metrics.SettlementCounters())


def _river_client(config: Config, deadline_seconds: float) -> RiverClient:
    return RiverClient(
        config.river_base_url,
        config.river_account_id,
        config.river_api_key,
        config.river_api_secret,
        deadline_seconds,
    )


def _river(config: Config, deadline_seconds: float) -> River:
    rules = SignatureRules(
        config.river_webhook_secret,
        config.river_signature_layout,
        config.river_timestamp_unit,
        config.webhook_max_age,
    )
    client = _river_client(config, deadline_seconds)
    return River(client, config.network, SignedWebhooks(rules, utcnow))


def _limiter(link: RedisLink) -> CircuitLimiter:
    return CircuitLimiter(
        SlidingLog(link),
        LocalLog(lambda: time.monotonic_ns() // 1000),
        time.monotonic,
        metrics.LIMITER_FALLBACKS.inc,
    )


def _admission(config: Config, database: Database, limiter: CircuitLimiter) -> Admission:
    keyring = Keyring(PostgresKeys(database), config.network, time.monotonic)
    return Admission(
        Credentials(keyring, config.public_origin),
        limiter,
        BY_SETTING[config.client_address],
        _quotas(config),
        metrics.count_key_budget,
    )


def _quotas(config: Config) -> Quotas:
    return Quotas(
        create=create_pairs(config.rate_limit_per_minute, config.rate_limit_burst),
        create_hourly=Pair("create-hourly", config.rate_limit_hourly, _HOUR),
        key=Pair("key", config.rate_limit_per_key, _MINUTE),
        read=Pair("read", config.rate_limit_reads_per_minute, _MINUTE),
        auth_failures=Pair("auth-failures", config.rate_limit_auth_failures_per_minute, _MINUTE),
    )
