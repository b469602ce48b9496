"""The whole web application on fakes: what HTTP does, and nothing else."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from webtest import TestApp as WebTestApp

from msty_invoice.domain.invoice import Network
from msty_invoice.domain.limit import Pair
from msty_invoice.domain.quota import Quotas, create_pairs
from msty_invoice.service.invoicing import Invoicing
from msty_invoice.service.keys import Keyring, Keys
from msty_invoice.service.unsigned_webhooks import UnsignedWebhooks
from msty_invoice.service.webhooks import Webhooks
from msty_invoice.storage.local_log import LocalLog
from msty_invoice.web.admission import Admission
from msty_invoice.web.app import create_app
from msty_invoice.web.client_address import peer_address
from msty_invoice.web.credentials import Credentials
from msty_invoice.web.schemas import order_schema
from tests.fakes import (
    Clock,
    FakeLookOut,
    FakeProvider,
    MemoryIdempotency,
    MemoryInvoices,
    MemoryKeys,
)

CREATE = "/api/lightning/create-invoice"
ORDER = {"amount": 2500, "memo": "order 42"}
PUBLIC_ORIGIN = "https://pay.example"
QUOTAS = Quotas(
    create=create_pairs(50, 0),
    create_hourly=Pair("create-hourly", 200, 3600),
    key=Pair("key", 3000, 60),
    read=Pair("read", 300, 60),
    auth_failures=Pair("auth-failures", 10, 60),
)


@dataclass
class Service:
    """The application and everything behind it, for a test to look at and to break."""

    clock: Clock = field(default_factory=Clock)
    invoices: MemoryInvoices = field(default_factory=MemoryInvoices)
    counts: list[str] = field(default_factory=list)
    spent_keys: list[str] = field(default_factory=list)
    quotas: Quotas = QUOTAS
    look_out: FakeLookOut = field(default_factory=FakeLookOut)
    webhooks: dict[str, Webhooks] = field(default_factory=dict)
    unsigned_webhooks: dict[str, UnsignedWebhooks] = field(default_factory=dict)
    required: dict[str, Any] = field(default_factory=lambda: {"database": lambda: True})
    reported: dict[str, Any] = field(
        default_factory=lambda: {"redis": lambda: True, "provider": lambda: None}
    )
    extra_environ: dict[str, str] = field(default_factory=lambda: {"REMOTE_ADDR": "192.0.2.1"})

    def __post_init__(self) -> None:
        self.provider = FakeProvider(self.clock)
        self.keys = MemoryKeys(self.clock)
        _, self.secret = Keys(self.keys, Network.REGTEST, self.clock).create("shop")
        _, self.other_secret = Keys(self.keys, Network.REGTEST, self.clock).create("other")
        self.limiter = LocalLog(lambda: int(self.clock.monotonic() * 1_000_000))
        admission = Admission(
            Credentials(Keyring(self.keys, Network.REGTEST, self.clock.monotonic), PUBLIC_ORIGIN),
            self.limiter,
            peer_address,
            self.quotas,
            self.spent_keys.append,
        )
        self.application = create_app(
            invoicing=Invoicing(
                self.provider,
                self.invoices,
                MemoryIdempotency(self.invoices, self.clock),
                self.look_out,
                self.clock,
                self.counts.append,
            ),
            admission=admission,
            order_schema=order_schema(1, 1_000_000, 256),
            webhooks=self.webhooks,
            unsigned_webhooks=self.unsigned_webhooks,
            required=self.required,
            reported=self.reported,
        )
        self.client = WebTestApp(self.application, extra_environ=self.extra_environ)

    @property
    def key(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.secret}"}

    def create(self, order: object = ORDER, **kwargs: Any) -> Any:
        """POST an order as JSON, with the key unless `headers` say otherwise."""
        return self.client.post_json(
            CREATE, order, headers=kwargs.pop("headers", self.key), **kwargs
        )

    def post(self, body: bytes, content_type: str = "application/json", **kwargs: Any) -> Any:
        """POST bytes as they are; any status is fine."""
        headers = self.key | kwargs.pop("headers", {})
        return self.client.post(
            CREATE, body, headers=headers, content_type=content_type, expect_errors=True, **kwargs
        )

    def read(self, payment_hash: str, **kwargs: Any) -> Any:
        headers = kwargs.pop("headers", self.key)
        return self.client.get(f"/api/lightning/invoices/{payment_hash}", headers=headers, **kwargs)


@pytest.fixture
def service() -> Service:
    return Service()
