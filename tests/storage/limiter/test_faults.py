"""A Redis that is slow, gone, or something else: `RedisAway`, soon, and well again afterwards."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event

import pytest
from redis import Redis, ResponseError
from redis.connection import AbstractConnection

from msty_invoice.dev.valkey import ValkeyServer
from msty_invoice.domain.limit import Bucket, Decision, Pair
from msty_invoice.storage.redis_link import RedisLink, dialler
from msty_invoice.storage.sliding_log import RedisAway, SlidingLog
from tests.storage.limiter.faults import answering, hanging_up, log_at, serving, silent

CREATE = Bucket("create:192.0.2.1", (Pair("create", 50, 60),))
READ = Bucket("read:192.0.2.1", (Pair("read", 300, 60),))

# 50 ms are promised. The rest is for a machine that is busy with other tests.
SOON_SECONDS = 0.25


class Counted:
    """A way to connect that counts how often it was used."""

    def __init__(self, url: str) -> None:
        self._dial = dialler(url)
        self.times = 0

    def __call__(self, seconds: float) -> AbstractConnection:
        self.times += 1
        return self._dial(seconds)


@contextmanager
def refused_soon() -> Iterator[None]:
    """The block raises `RedisAway`, and soon."""
    began = time.monotonic()
    with pytest.raises(RedisAway):
        yield
    assert time.monotonic() - began < SOON_SECONDS


def test_a_paused_server_is_given_up_on_whether_connected_or_not(fragile: ValkeyServer) -> None:
    with log_at(fragile.url) as log:
        log.decide([CREATE])
        fragile.pause()
        for _ in range(3):
            with refused_soon():
                log.decide([CREATE])
        fragile.resume()


def test_a_late_reply_is_never_read_as_the_answer_to_the_next_call(fragile: ValkeyServer) -> None:
    with log_at(fragile.url) as log:
        log.decide([CREATE])
        fragile.pause()
        with refused_soon():
            log.decide([CREATE])
        fragile.resume()
        decision = _patiently(log, READ)
        assert (decision.pair.policy, decision.remaining) == ("read", 299)


def test_a_killed_server_is_given_up_on_and_a_restarted_one_used_again(
    fragile: ValkeyServer,
) -> None:
    with log_at(fragile.url) as log:
        log.decide([CREATE])
        fragile.kill()
        with refused_soon():
            log.decide([CREATE])
        fragile.start()
        assert _patiently(log, CREATE).admitted


def test_a_restart_between_two_decisions_is_not_noticed(fragile: ValkeyServer) -> None:
    with log_at(fragile.url, patience=5.0) as log:
        log.decide([CREATE])
        fragile.restart()
        assert log.decide([READ]).admitted


def test_a_wrong_password_is_refused(fragile: ValkeyServer) -> None:
    with Redis.from_url(fragile.url) as client:
        client.execute_command("ACL", "SETUSER", "worker", "on", ">right", "~*", "+@all")
    url = _with_login(fragile, "worker", "wrong")
    with log_at(url, patience=5.0) as log, pytest.raises(RedisAway, match="AuthenticationError"):
        log.decide([CREATE])


def test_a_user_a_password_and_a_database_number_are_taken_from_the_url(
    fragile: ValkeyServer,
) -> None:
    with Redis.from_url(fragile.url) as client:
        client.execute_command("ACL", "SETUSER", "worker", "on", ">right", "~*", "+@all")
    with log_at(_with_login(fragile, "worker", "right") + "&db=3", patience=5.0) as log:
        assert log.decide([CREATE]).admitted
    with Redis.from_url(fragile.url, db=3) as client:
        assert client.dbsize() == 1


@pytest.mark.parametrize(
    ("state", "command"),
    [
        ("a replica", ["REPLICAOF", "127.0.0.1", "1"]),
        ("full", ["CONFIG", "SET", "maxmemory", "1"]),
        ("without the replicas it needs", ["CONFIG", "SET", "min-replicas-to-write", "1"]),
    ],
)
def test_a_server_that_may_not_write_does_not_decide(
    fragile: ValkeyServer, state: str, command: list[str]
) -> None:
    with Redis.from_url(fragile.url) as client, log_at(fragile.url) as log:
        log.decide([CREATE])
        client.execute_command(*command)
        with refused_soon():
            log.decide([CREATE])


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(b"HTTP/1.1 400 Bad Request\r\n\r\n", id="another-protocol"),
        pytest.param(b"\x00\xff" * 5000, id="garbage"),
        pytest.param(b"+OK\r\n", id="another-answer"),
        pytest.param(b"*4\r\n:1\r\n:2\r\n:3\r\n:4\r\n", id="a-pair-nobody-asked-about"),
        pytest.param(b"*5\r\n:1\r\n:1\r\n:3\r\n:4\r\n:5\r\n", id="a-pair-too-many"),
        pytest.param(b"*4\r\n:7\r\n:1\r\n:3\r\n:4\r\n", id="neither-yes-nor-no"),
        pytest.param(b"+OK\r\n*4\r\n:1\r\n:1\r\n:3\r\n:4\r\n", id="an-answer-too-many"),
        pytest.param(b"*4\r\n:1\r\n:1\r\n:4", id="dropped-mid-reply"),
        pytest.param(b"-NOSCRIPT No matching script.\r\n", id="never-knows-the-script"),
        pytest.param(b"-LOADING Redis is loading the dataset in memory\r\n", id="loading"),
        pytest.param(b"-BUSY Redis is busy running a script.\r\n", id="busy"),
        pytest.param(b"", id="no-answer"),
    ],
)
def test_what_does_not_answer_as_redis_does_not_decide(reply: bytes) -> None:
    with serving(answering(reply)) as url, log_at(url) as log:
        for _ in range(2):
            with refused_soon():
                log.decide([CREATE])


def test_a_port_that_hangs_up_does_not_decide() -> None:
    with serving(hanging_up) as url, log_at(url) as log, refused_soon():
        log.decide([CREATE])


def test_a_port_that_never_answers_does_not_decide() -> None:
    with serving(silent) as url, log_at(f"{url}/3") as log, refused_soon():
        log.decide([CREATE])


def test_a_port_where_nobody_listens_does_not_decide() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with log_at(f"redis://127.0.0.1:{unused.getsockname()[1]}") as log, refused_soon():
            log.decide([CREATE])


def test_a_missing_socket_file_does_not_decide() -> None:
    with log_at("unix:///nowhere/valkey.sock") as log, refused_soon():
        log.decide([CREATE])


def test_a_host_name_no_resolver_accepts_does_not_decide() -> None:
    with log_at(f"redis://{'a' * 64}") as log, refused_soon():
        log.decide([CREATE])


def test_tls_against_a_server_without_it_does_not_decide() -> None:
    with (
        serving(answering(b"-ERR unknown\r\n")) as url,
        log_at(url.replace("redis:", "rediss:")) as log,
        refused_soon(),
    ):
        log.decide([CREATE])


def test_a_connection_that_takes_long_is_not_waited_for_but_used_once_there(
    valkey_server: ValkeyServer, redis: Redis
) -> None:
    resolved, dial = Event(), Counted(valkey_server.url)

    def slowly(seconds: float) -> AbstractConnection:
        resolved.wait()
        return dial(seconds)

    link = RedisLink(slowly)
    log = SlidingLog(link)
    for _ in range(2):
        with refused_soon():
            log.decide([CREATE])
    resolved.set()
    assert _patiently(log, CREATE).remaining == 49
    assert dial.times == 1
    link.drop()


def test_a_connection_that_brought_an_error_is_not_used_again(valkey_server: ValkeyServer) -> None:
    dial = Counted(valkey_server.url)
    link = RedisLink(dial, 5.0)
    for _ in range(2):
        with pytest.raises(ResponseError):
            link.ask(link.deadline(), "NONSENSE")
    assert dial.times == 2
    link.drop()


def test_an_address_of_another_kind_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="scheme"):
        dialler("http://127.0.0.1")


def test_a_ping_is_answered_by_redis_alone(fragile: ValkeyServer) -> None:
    with log_at(fragile.url, patience=5.0) as log:
        log.ping()
    with serving(answering(b"-ERR no\r\n")) as url, log_at(url) as log, refused_soon():
        log.ping()


def _patiently(log: SlidingLog, bucket: Bucket) -> Decision:
    """Ask until Redis decides: after a pause, or on a busy machine, 25 ms may not be enough."""
    for _ in range(500):
        with suppress(RedisAway):
            return log.decide([bucket])
        time.sleep(0.01)
    raise AssertionError("Redis never decided")


def _with_login(server: ValkeyServer, user: str, password: str) -> str:
    path = server.url.removeprefix("unix://")
    return f"unix://{user}@{path}?password={password}"
