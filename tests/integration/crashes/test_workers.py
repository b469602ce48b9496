"""A gunicorn worker that dies, or is told to go, with an order in its hands."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
import requests

from tests.integration.crashes import invariants
from tests.integration.crashes.world import Shown, World
from tests.integration.running import Service

_KEY = "order-42"
_numbers = count(1)


class _Shops(Service):
    """Asked with the key that the books hold already."""

    def __init__(self, api_key: str, folder: Path, settings: dict[str, str]) -> None:
        self._api_key = api_key
        super().__init__(folder, settings)

    def make_key(self, name: str) -> str:
        return self._api_key


@contextmanager
def _serving(world: World, failpoints: str = "") -> Iterator[Service]:
    folder = world.folder / f"service-{next(_numbers)}"
    folder.mkdir()
    failing = {"MSTY_FAILPOINTS": failpoints} if failpoints else {}
    service = _Shops(world.api_key, folder, world.settings | failing | {"CREATE_WORKERS": "1"})
    try:
        yield service
    finally:
        service.stop()


def _note(world: World, answer: requests.Response) -> None:
    assert answer.status_code == 201
    made = answer.json()
    world.shown.append(Shown(made["paymentHash"], made["paymentRequest"], _KEY))


@pytest.mark.parametrize("side", ["before", "after"])
def test_a_worker_killed_at_its_commit_leaves_one_invoice_for_its_key(
    world: World, side: str
) -> None:
    with (
        _serving(world, f"{side}:idempotency._FINISH=kill") as service,
        pytest.raises(requests.ConnectionError),
    ):
        service.create(key=_KEY)

    world.let_time_pass()
    with _serving(world) as service:
        _note(world, service.create(key=_KEY))
        _note(world, service.create(key=_KEY))
    assert world.books("SELECT count(*) FROM invoices") == [(1,)]
    assert world.come_to_rest().code == 0
    invariants.check(world)


def test_a_worker_that_is_told_to_go_answers_first(world: World) -> None:
    with _serving(world, "before:idempotency._FINISH=term") as service:
        _note(world, service.create(key=_KEY))

    assert world.come_to_rest().code == 0
    invariants.check(world)


def test_gunicorn_does_not_start_with_a_failpoint_that_does_not_exist(world: World) -> None:
    command = [sys.executable, "-m", "gunicorn", "-c", "python:msty_invoice.gunicorn_conf"]
    failing = {"MSTY_FAILPOINTS": "before:nothing=kill"}

    ended = subprocess.run(
        [*command, "msty_invoice.wsgi:application", "-b", "127.0.0.1:0"],
        env=world.settings | failing,
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=30,
    )

    assert ended.returncode == 2
    assert "MSTY_FAILPOINTS has a name other than" in ended.stderr
