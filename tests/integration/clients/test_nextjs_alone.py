"""docs/clients/nextjs with no service behind it. A file of its own: a folder has one `next dev`."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.integration.clients.site import Site


@pytest.fixture
def site(example: Path, tmp_path: Path) -> Iterator[Site]:
    nothing_there = {"MSTY_URL": "http://127.0.0.1:1", "MSTY_SECRET_KEY": "sk_test"}
    started = Site(example, tmp_path / "next.log", nothing_there)
    yield started
    started.stop()


def test_it_says_so_in_the_form_of_the_services_errors(site: Site) -> None:
    answer = requests.post(f"{site.url}/api/invoices", json={"amount": 2100}, timeout=60)

    assert (answer.status_code, answer.json()["code"]) == (503, "SERVICE_UNAVAILABLE")
    assert answer.headers["Retry-After"] == "2"
