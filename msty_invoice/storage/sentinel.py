"""The master that Redis Sentinels name at this moment: redis+sentinel://h1:p,h2:p/NAME/DB"""

from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any, cast
from urllib.parse import SplitResult, unquote, urlsplit

from redis.connection import AbstractConnection
from redis.sentinel import Sentinel, SentinelConnectionPool

SCHEME = "redis+sentinel"


def dialler(url: str, options: Mapping[str, Any]) -> Callable[[float], AbstractConnection]:
    """How to reach the master: each dial asks anew, so that a failover needs no restart.

    User and password in `url` are the master's; `options` are redis-py's, for it and for
    the Sentinels. Raises `ValueError` for a URL of another form.
    """
    parts = urlsplit(url)
    name, _, database = parts.path.strip("/").partition("/")
    if parts.scheme != SCHEME or not name:
        raise ValueError("not redis+sentinel://HOST:PORT,HOST:PORT/NAME/DB")
    addresses = _addresses(parts)
    master = _credentials(parts) | {"db": int(database or 0)}

    def dial(seconds: float) -> AbstractConnection:
        timed = {**options, "socket_connect_timeout": seconds, "socket_timeout": seconds}
        # One that does not answer in `seconds` is passed over for the next.
        with closing(Sentinel(addresses, sentinel_kwargs=timed)) as sentinels:
            pool = SentinelConnectionPool(name, sentinels, **timed, **master)
            connection: Any = pool.make_connection()
            connection.connect()
        return cast("AbstractConnection", connection)

    return dial


def _addresses(parts: SplitResult) -> list[tuple[str, int]]:
    hosts = parts.netloc.rpartition("@")[2]
    pairs = [host.rpartition(":") for host in hosts.split(",")]
    return [(host.strip("[]"), int(port)) for host, _, port in pairs]


def _credentials(parts: SplitResult) -> dict[str, Any]:
    """As in a redis:// URL: user:password, :password, or nothing."""
    userinfo = parts.netloc.rpartition("@")[0]
    user, _, password = userinfo.partition(":")
    found = {"username": unquote(user), "password": unquote(password)}
    return {name: value for name, value in found.items() if value}
