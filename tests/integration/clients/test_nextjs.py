"""docs/clients/nextjs: a real Next.js in front of the real service."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.integration.clients.site import Site, run
from tests.integration.running import Service

# The page that a developer has open; the port is the one that `next dev` has by itself.
_PAGE = "http://localhost:3000"
_ORDER = {"amount": 2100, "memo": "coffee"}
_ONCE = {"Idempotency-Key": "8e03978e-40d5-43e8-bc93-6894a57f9324"}
_DEADLINE_SECONDS = 60


@pytest.fixture(scope="module")
def service_settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    origins = tmp_path_factory.mktemp("origins") / "origins"
    origins.write_text(f"{_PAGE}\n")
    return {"ORIGINS_FILE": str(origins)}


@pytest.fixture(scope="module")
def site(
    service: Service, example: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    settings = {"MSTY_URL": service.url, "MSTY_SECRET_KEY": service.secret_key}
    started = Site(example, tmp_path_factory.mktemp("site") / "next.log", settings)
    yield started
    started.stop()


def _post(url: str, order: object = _ORDER, **headers: str) -> requests.Response:
    return requests.post(url, json=order, headers=headers, timeout=_DEADLINE_SECONDS)


def _invoices(site: Site, order: object = _ORDER, **headers: str) -> requests.Response:
    return _post(f"{site.url}/api/invoices", order, **headers)


def test_its_types_are_right(example: Path) -> None:
    run(example, "node_modules/.bin/tsc", "--noEmit")


def test_a_visitor_gets_an_invoice_without_a_key(site: Site) -> None:
    made = _invoices(site)

    assert made.status_code == 201
    assert made.json()["paymentRequest"].startswith("lnbcrt21u1")
    assert made.headers["X-Request-ID"]


def test_a_visitors_retry_gets_the_same_invoice(site: Site) -> None:
    assert _invoices(site, **_ONCE).json() == _invoices(site, **_ONCE).json()


def test_what_another_visitor_could_guess_names_no_order(site: Site) -> None:
    guessed = {"Idempotency-Key": "order-1"}

    assert _invoices(site, **guessed).json() != _invoices(site, **guessed).json()


def test_what_is_wrong_with_an_order_reaches_the_page(site: Site) -> None:
    refused = _invoices(site, {"amount": "2100"})

    assert refused.status_code == 400
    assert list(refused.json()["details"]) == ["amount"]


def test_the_page_can_watch_an_invoice(site: Site) -> None:
    url = f"{site.url}/api/invoices/{_invoices(site).json()['paymentHash']}"
    seen = requests.get(url, timeout=_DEADLINE_SECONDS)
    etag = {"If-None-Match": seen.headers["ETag"]}
    again = requests.get(url, headers=etag, timeout=_DEADLINE_SECONDS)

    assert (seen.status_code, seen.json()["status"]) == (200, "pending")
    assert (again.status_code, again.content) == (304, b"")


def test_another_path_is_not_reached_through_an_invoices_name(site: Site) -> None:
    sneaky = requests.get(f"{site.url}/api/invoices/..%2Fopenapi.json", timeout=_DEADLINE_SECONDS)

    assert sneaky.status_code == 404


def test_in_development_a_page_reaches_the_service_at_its_own_origin(
    service: Service, site: Site
) -> None:
    made: Any = service.command(
        "keys", "create", "--name", "page", "--publishable", "--origin", _PAGE, "--json"
    )
    url = f"{site.url}/api/lightning/create-invoice"
    key = {"Authorization": f"Bearer {made['secret']}"}

    assert _post(url, **key, Origin=_PAGE).status_code == 201
    assert _post(url, **key, Origin="https://evil.example").json()["code"] == "FORBIDDEN"
