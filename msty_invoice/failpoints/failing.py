"""Connections that fail where failpoints say. Without failpoints none of these is made."""

import re
import socket
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import redis

from msty_invoice.failpoints import names
from msty_invoice.failpoints.plan import Failpoint
from msty_invoice.failpoints.points import Failpoints
from msty_invoice.lightning.http import Answer, HttpService
from msty_invoice.lightning.kept_connection import Unanswered
from msty_invoice.lightning.river.endpoints import Endpoint
from msty_invoice.storage.postgres import Database, Row
from msty_invoice.storage.redis_link import Dial, RedisLink


class UnknownFailpoint(Exception):
    """There is none of this name. The text names those there are."""


class Failing:
    """Makes the connections of one process. Raises `UnknownFailpoint`."""

    def __init__(self, armed: Sequence[Failpoint]) -> None:
        known = names.known()
        if any(failpoint.name not in known for failpoint in armed):
            raise UnknownFailpoint(f"has a name other than {', '.join(known)}")
        self._points = Failpoints(armed)
        self._statements = names.statements()

    def database(self, dsn: str, **timeouts: int) -> Database:
        made = _Database(self._points, self._statements, dsn, **timeouts)
        self._points.cuts.append(made.cut)
        return made

    def link(self, dial: Dial) -> RedisLink:
        return _RedisLink(self._points, dial)

    def http(self, provider: str) -> Callable[..., HttpService]:
        """What to make a provider's `HttpService` with."""
        return partial(_HttpService, self._points, _patterns(names.calls(provider)))


class _Database(Database):
    def __init__(
        self, points: Failpoints, statements: Mapping[str, str], dsn: str, **timeouts: int
    ) -> None:
        super().__init__(dsn, **timeouts)
        self._points = points
        self._statements = statements

    def execute(self, statement: str, values: Mapping[str, object] | None = None) -> list[Row]:
        name = self._statements.get(statement)
        if name is None:
            return super().execute(statement, values)
        self._points.before(name)
        rows = super().execute(statement, values)
        if self._points.after(name):
            self.cut()
            return super().execute("SELECT 'on a dead line'")
        return rows

    def cut(self) -> None:
        """Shut the socket. Nobody is told: the next statement finds out."""
        if self._connection is not None and not self._connection.closed:
            with socket.fromfd(self._connection.fileno(), socket.AF_UNIX, socket.SOCK_STREAM) as it:
                it.shutdown(socket.SHUT_RDWR)


class _RedisLink(RedisLink):
    def __init__(self, points: Failpoints, dial: Dial) -> None:
        super().__init__(dial)
        self._points = points

    def ask(self, deadline: float, *command: str | int) -> Any:
        name = f"redis {command[0]}"
        self._points.before(name)
        reply = super().ask(deadline, *command)
        if self._points.after(name):
            self.drop()
            raise redis.TimeoutError("the reply was lost")
        return reply


class _HttpService(HttpService):
    def __init__(
        self, points: Failpoints, patterns: Mapping[re.Pattern[str], str], *args: Any, **more: Any
    ) -> None:
        super().__init__(*args, **more)
        self._points = points
        self._patterns = patterns

    def call(
        self, method: str, path: str, body: bytes | None = None, *, repeatable: bool
    ) -> Answer:
        asked = f"{method} {path.partition('?')[0]}"
        (name,) = (name for pattern, name in self._patterns.items() if pattern.fullmatch(asked))
        self._points.before(name)
        answer = super().call(method, path, body, repeatable=repeatable)
        if self._points.after(name):
            self.close()
            raise Unanswered("the answer was lost")
        return answer


def _patterns(calls: Mapping[Endpoint, str]) -> dict[re.Pattern[str], str]:
    """Which paths an endpoint stands for."""
    return {
        re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(str(endpoint)))): name
        for endpoint, name in calls.items()
    }
