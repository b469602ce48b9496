"""The composition root: the one place that knows every concrete class.

It opens nothing: each connection is made on first use, after gunicorn has forked.
"""

import time
from datetime import UTC, datetime, timedelta
from functools import cache

import falcon

from msty_invoice.config import Config, ConfigError
from msty_invoice.domain.limit import Pair
from msty_invoice.domain.quota import Quotas, create_pairs
from msty_invoice.failpoints.failing import Failing, UnknownFailpoint
from msty_invoice.failpoints.plan import Failpoint
from msty_invoice.lightning.http import HttpService
from msty_invoice.lightning.issued import hash_of, read_issued
from msty_invoice.lightning.lnbits.client import LnbitsClient
from msty_invoice.lightning.lnbits.provider import Lnbits
from msty_invoice.lightning.river.client import RiverClient
from msty_invoice.lightning.river.provider import River
from msty_invoice.lightning.river.registration import WebhookRegistration
from msty_invoice.lightning.river.signature import SignatureRules
from msty_invoice.lightning.river.webhook import SignedWebhooks
from msty_invoice.service.adopting import Adopting
from msty_invoice.service.cleaning import Cleaning
from msty_invoice.service.invoicing import Invoicing
from msty_invoice.service.keys import Keyring, Keys
from msty_invoice.service.operator_ports import EventList, InvoiceList
from msty_invoice.service.ports import LightningProvider
from msty_invoice.service.quarantine import Quarantine
from msty_invoice.service.reconciling import Reconciling
from msty_invoice.service.replaying import Replaying
from msty_invoice.service.settler import Settler
from msty_invoice.service.settlers import Settlers
from msty_invoice.service.settling import Settling
from msty_invoice.service.showing import Showing
from msty_invoice.service.unsigned_webhooks import UnsignedWebhooks
from msty_invoice.service.webhooks import EventWork, Webhooks
from msty_invoice.storage.adoption import PostgresAdoption
from msty_invoice.storage.cleanup import PostgresCleanup
from msty_invoice.storage.cursors import PostgresCursors
from msty_invoice.storage.deposits import PostgresDeposits
from msty_invoice.storage.dossiers import PostgresDossiers
from msty_invoice.storage.event_list import PostgresEventList
from msty_invoice.storage.idempotency import PostgresIdempotency
from msty_invoice.storage.invoice_list import PostgresInvoiceList
from msty_invoice.storage.invoices import PostgresInvoices
from msty_invoice.storage.keys import PostgresKeys
from msty_invoice.storage.limiter import CircuitLimiter
from msty_invoice.storage.listening import PostgresListener
from msty_invoice.storage.local_log import LocalLog
from msty_invoice.storage.looks import Looks
from msty_invoice.storage.migrations import Migrator, SchemaCheck, directory, needed
from msty_invoice.storage.postgres import Database
from msty_invoice.storage.quarantine import PostgresQuarantine
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
# An operator may wait longer for a report than a payer for an answer.
_REPORT_TIMEOUT_MS = 120_000
_MINUTE, _HOUR = 60, 3600


def utcnow() -> datetime:
    return datetime.now(UTC)


def build_app(config: Config) -> falcon.App:
    """The web application, for `config.WEB`."""
    database = _database(config)
    link = _link(config)
    limiter = _limiter(link)
    invoices = PostgresInvoices(database)
    return create_app(
        invoicing=Invoicing(
            _provider(config, config.lightning_provider, config.provider_deadline_seconds),
            invoices,
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
        webhooks=_webhooks(config, database),
        unsigned_webhooks=_unsigned_webhooks(config, database, invoices),
        required={"database": SchemaCheck(database, needed(directory())).current},
        reported={
            "redis": limiter.redis_answers,
            "provider": _provider(config, config.lightning_provider, _PROBE_DEADLINE_SECONDS).ping,
        },
    )


def build_settler(config: Config) -> Settlers:
    """For `msty-invoice settle`, with `config.SETTLING`."""
    return Settlers([_settler(config, provider) for provider in config.providers])


def build_reconciling(config: Config) -> dict[str, Reconciling]:
    """For `msty-invoice reconcile`, with `config.SETTLING`; by provider."""
    return {provider: _reconciling(config, provider) for provider in config.providers}


def _settler(config: Config, provider: str) -> Settler:
    database = _database(config)
    settling = _settling(config, provider, database, config.provider_deadline_seconds)
    return Settler(
        PostgresListener(_database(config)),
        EventWork(
            settling, PostgresWebhooks(database, provider=provider), metrics.SettlementCounters()
        ),
        settling,
        _settling(config, provider, database, _LOOK_DEADLINE_SECONDS),
        time.sleep,
    )


def _reconciling(config: Config, provider: str) -> Reconciling:
    database = _database(config)
    counters = metrics.SettlementCounters()
    settling = _settling(config, provider, database, config.provider_deadline_seconds)
    return Reconciling(
        _provider(config, provider, config.provider_deadline_seconds),
        settling,
        EventWork(settling, PostgresWebhooks(database, provider=provider), counters),
        PostgresCursors(database),
        counters,
        time.monotonic,
        grace=timedelta(seconds=config.expiry_grace),
    )


def build_cleaning(config: Config) -> Cleaning:
    """For `msty-invoice cleanup`, with the DATABASE_URL of a login in `msty_jobs`."""
    database = _database(config, statement_timeout=30_000)
    return Cleaning(
        PostgresCleanup(database), time.monotonic, invoice_days=config.invoice_retention_days
    )


def build_keys(config: Config) -> Keys:
    """For `msty-invoice keys`."""
    return Keys(PostgresKeys(_database(config)), config.network, utcnow)


def build_showing(config: Config) -> Showing:
    """For `msty-invoice invoice show`; a read-only DATABASE_URL will do."""
    return Showing(PostgresDossiers(_reports(config)), hash_of)


def build_invoice_list(config: Config) -> InvoiceList:
    """For `msty-invoice invoice list`; a read-only DATABASE_URL will do."""
    return PostgresInvoiceList(_reports(config))


def build_quarantine(config: Config) -> Quarantine:
    """For `msty-invoice quarantine`; a read-only DATABASE_URL will do to list and show."""
    return Quarantine(PostgresQuarantine(_reports(config)))


def build_adopting(config: Config) -> Adopting:
    """For `msty-invoice quarantine resolve --adopt`."""
    database = _reports(config)
    proving = _proving(config)
    return Adopting(
        Quarantine(PostgresQuarantine(database)),
        PostgresAdoption(database),
        PostgresDeposits(database, proving=proving),
        build_keys(config).get,
        read_issued,
        config.network,
        proving=proving,
    )


def build_event_list(config: Config) -> EventList:
    """For `msty-invoice webhooks list`; a read-only DATABASE_URL will do."""
    return PostgresEventList(_reports(config))


def build_replaying(config: Config) -> Replaying:
    """For `msty-invoice webhooks replay`."""
    return Replaying(PostgresEventList(_reports(config)))


def build_migrator(config: Config) -> Migrator:
    """For `msty-invoice migrate`, with the migrating role's DATABASE_URL."""
    return Migrator(config.database_url, directory())


def ensure_failpoints(config: Config) -> None:
    """Raise `ConfigError` if MSTY_FAILPOINTS names a point there is not."""
    _failing(config.msty_failpoints)


def configure_logs() -> None:
    """JSON lines on stderr, each with the id of the request being answered."""
    logs.configure(request_id.current)


def build_webhook_registration(config: Config) -> WebhookRegistration:
    """For `msty-invoice river`."""
    url = f"{config.public_url}/api/lightning/webhooks/{River.name}"
    return WebhookRegistration(_river_client(config, config.provider_deadline_seconds), url)


def _reports(config: Config) -> Database:
    return _database(config, statement_timeout=_REPORT_TIMEOUT_MS)


def _database(config: Config, **timeouts: int) -> Database:
    failing = _failing(config.msty_failpoints)
    return (failing.database if failing else Database)(config.database_url, **timeouts)


def _link(config: Config) -> RedisLink:
    failing = _failing(config.msty_failpoints)
    return (failing.link if failing else RedisLink)(dialler(config.redis_url))


@cache
def _failing(armed: tuple[Failpoint, ...]) -> Failing | None:
    """What makes the connections instead. None, unless failpoints were asked for."""
    try:
        return Failing(armed) if armed else None
    except UnknownFailpoint as exc:
        raise ConfigError([f"MSTY_FAILPOINTS {exc}"]) from exc


def _settling(
    config: Config, provider: str, database: Database, deadline_seconds: float
) -> Settling:
    return Settling(
        _provider(config, provider, deadline_seconds),
        PostgresDeposits(database, proving=_proving(config)),
        metrics.SettlementCounters(),
    )


def _proving(config: Config) -> frozenset[str]:
    """Whose deposits count only with a proof. Some nodes behind LNbits tell no preimage."""
    return frozenset({River.name} if config.river_proof == "preimage" else ())


def _webhooks(config: Config, database: Database) -> dict[str, Webhooks]:
    if River.name not in config.providers:
        return {}
    river = _river(config, config.provider_deadline_seconds)
    return {river.name: Webhooks(river, PostgresWebhooks(database), metrics.SettlementCounters())}


def _unsigned_webhooks(
    config: Config, database: Database, invoices: PostgresInvoices
) -> dict[str, UnsignedWebhooks]:
    if Lnbits.name not in config.providers:
        return {}
    lnbits = _lnbits(config, config.provider_deadline_seconds)
    # Without a token none is asked for, and none is taken.
    tokens = config.lnbits_webhook_token
    store, counters = PostgresWebhooks(database), metrics.SettlementCounters()
    return {lnbits.name: UnsignedWebhooks(lnbits, tokens, invoices, store, counters)}


def _provider(config: Config, name: str, deadline_seconds: float) -> LightningProvider:
    if name == Lnbits.name:
        return _lnbits(config, deadline_seconds)
    return _river(config, deadline_seconds)


def _lnbits(config: Config, deadline_seconds: float) -> Lnbits:
    client = LnbitsClient(config.lnbits_url, config.lnbits_invoice_key, deadline_seconds)
    webhook = ""
    if config.lnbits_webhook_token:
        base = f"{config.public_url}/api/lightning/webhooks/{Lnbits.name}"
        webhook = f"{base}/{config.lnbits_webhook_token[0]}"
    return Lnbits(client, config.network, webhook)


def _river_client(config: Config, deadline_seconds: float) -> RiverClient:
    failing = _failing(config.msty_failpoints)
    return RiverClient(
        config.river_base_url,
        config.river_account_id,
        config.river_api_key,
        config.river_api_secret,
        deadline_seconds,
        http=failing.http(River.name) if failing else HttpService,
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
