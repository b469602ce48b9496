"""Redis paused, killed and back: no client ever hears of it."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

from msty_invoice.dev.valkey import ValkeyServer
from tests.integration.limits.asking import Answer, ask, strictly
from tests.integration.running import Service
from tests.integration.sandbox.processes import until

WORKERS = 5
ASKED = 60
# What a decision may cost when Redis does not answer; the rest is for a busy machine.
EXTRA_SECONDS, BUSY_SECONDS = 0.1, 0.15
FELL_BACK = "limited by this worker's own log"


@pytest.fixture(scope="module")
def valkey() -> Iterator[ValkeyServer]:
    """A server that this module may hurt."""
    home = Path(tempfile.mkdtemp(prefix="msty-", dir="/tmp"))
    server = ValkeyServer(home)
    server.start()
    yield server
    server.kill()
    shutil.rmtree(home)


@pytest.fixture(autouse=True)
def _well(valkey: ValkeyServer, service: Service) -> Iterator[None]:
    """Redis is back, and every worker uses it again, before the next test."""
    yield
    valkey.kill()
    valkey.start()


def _ask_often(service: Service, address: str) -> list[Answer]:
    return [ask(service, address, read="0" * 64) for _ in range(ASKED)]


def _ensure_unharmed(answers: list[Answer]) -> None:
    """All were admitted, and only as many waited for Redis as there are workers and seconds."""
    usual = median(answer.seconds for answer in answers)
    waited = [answer.seconds - usual for answer in answers if answer.seconds > usual + 0.03]
    seconds = sum(answer.seconds for answer in answers)
    assert {answer.status for answer in answers} == {404}
    assert len(waited) <= WORKERS * (1 + seconds) + 3
    assert max(waited, default=0.0) < EXTRA_SECONDS + BUSY_SECONDS


def test_a_paused_redis_costs_a_worker_a_moment_in_a_second(
    service: Service, valkey: ValkeyServer, address: str
) -> None:
    _ask_often(service, address)
    valkey.pause()

    _ensure_unharmed(_ask_often(service, address))

    assert FELL_BACK in service.log


def test_a_killed_redis_costs_next_to_nothing(
    service: Service, valkey: ValkeyServer, address: str
) -> None:
    _ask_often(service, address)
    valkey.kill()

    _ensure_unharmed(_ask_often(service, address))

    assert FELL_BACK in service.log


def test_each_worker_alone_still_keeps_the_limit(
    service: Service, valkey: ValkeyServer, address: str
) -> None:
    valkey.kill()

    admitted = [ask(service, address).status for _ in range(50 * WORKERS + 50)].count(201)

    assert 50 <= admitted <= 50 * WORKERS


def test_when_redis_is_back_the_limit_is_one_again(
    service: Service, valkey: ValkeyServer, address: str
) -> None:
    valkey.kill()
    ask(service, address)
    valkey.start()
    # A circuit is open for a second: until then a worker may still be alone.
    until(lambda: _kept(valkey, service, address), lambda seen: seen)

    answers = strictly(lambda fresh: [ask(service, fresh) for _ in range(55)])
    assert [answer.status for answer in answers] == [201] * 50 + [429] * 5


def _kept(valkey: ValkeyServer, service: Service, address: str) -> bool:
    """Whether a row of requests is counted in Redis without a gap: no worker is alone."""
    lefts = [ask(service, address, read="0" * 64).left for _ in range(4 * WORKERS)]
    return lefts == list(range(lefts[0], lefts[0] - len(lefts), -1))
