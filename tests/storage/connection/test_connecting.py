"""How a DSN becomes a connection, for the service and for migrations alike."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from time import monotonic

import pytest
from psycopg2.extensions import make_dsn

from msty_invoice.domain.errors import StorageUnavailable
from msty_invoice.storage.migrations import Migrator, directory
from msty_invoice.storage.postgres import Database, connect
from tests.storage.connection.conftest import Served
from tests.storage.connection.proxy import CuttingProxy

# Each child asks on a connection of its own; the parent's, if it has one, stays as it was.
_FORKING = """
import json, os, sys
from msty_invoice.storage.postgres import Database
database = Database(sys.argv[1])
def backend():
    ((pid,),) = database.execute("SELECT pg_backend_pid()")
    return pid
parent = backend() if sys.argv[2] == "before" else None
found = []
for _ in range(3):
    reading, writing = os.pipe()
    if not os.fork():
        os.write(writing, str(backend()).encode())
        sys.exit()
    os.wait()
    found.append(int(os.read(reading, 20)))
print(json.dumps({"children": found, "parent": [parent, backend()]}))
"""

_USES: dict[str, Callable[[str], object]] = {
    "the service": lambda dsn: Database(dsn).execute("SELECT 1"),
    "migrating": lambda dsn: Migrator(dsn, directory()).apply(),
    "the status": lambda dsn: Migrator(dsn, directory()).status(),
}
_every_use = pytest.mark.parametrize("use", _USES.values(), ids=_USES)


def _fork(dsn: str, when: str) -> dict[str, list[int | None]]:
    command = [sys.executable, "-c", _FORKING, dsn, when]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, list[int | None]] = json.loads(done.stdout)
    return found


def test_each_child_has_a_connection_of_its_own(served: Served) -> None:
    found = _fork(served.database.app, "after")

    assert len({*found["children"], found["parent"][1]}) == 4


def test_a_child_leaves_its_parents_connection_alone(served: Served) -> None:
    found = _fork(served.database.app, "before")

    assert len({*found["children"], *found["parent"]}) == 4
    assert found["parent"][0] == found["parent"][1]


def test_nothing_is_opened_before_it_is_needed() -> None:
    Database("postgresql:///x?host=/nonexistent").close()


@_every_use
def test_the_next_of_several_hosts_is_asked(served: Served, use: Callable[[str], object]) -> None:
    use(str(make_dsn(served.database.migrator, host=f"/nonexistent,{served.server.home}")))


@_every_use
def test_it_may_go_over_tcp(
    served: Served, proxy: CuttingProxy, use: Callable[[str], object]
) -> None:
    use(proxy.dsn(served.database.migrator))


def test_the_options_of_a_dsn_stay(served: Served) -> None:
    dsn = str(make_dsn(served.database.app, options="-c search_path=elsewhere"))

    with closing(Database(dsn)) as database:
        shown = [database.execute(f"SHOW {name}") for name in ("search_path", "lock_timeout")]

    assert shown == [[("elsewhere",)], [("1s",)]]


def test_a_line_that_went_dead_while_nothing_was_said_is_noticed(
    served: Served, proxy: CuttingProxy
) -> None:
    with closing(connect(proxy.dsn(served.database.app))) as connection:
        line = socket.socket(fileno=os.dup(connection.fileno()))
        with line:
            kept_alive = line.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            names = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
            pauses = [line.getsockopt(socket.IPPROTO_TCP, name) for name in names]

    assert kept_alive
    assert pauses == [10, 5, 3]


def test_a_server_that_does_not_answer_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = monotonic()
        with pytest.raises(StorageUnavailable):
            connect(f"postgresql://u:p@127.0.0.1:{silent.getsockname()[1]}/db")

    assert monotonic() - began < 4


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:pass@word@127.0.0.1:1/db",
        "postgresql://u:pass/word@127.0.0.1:1/db",
        "postgresql://u:pass%word@127.0.0.1:1/db",
        "postgresql://u:1/word?@127.0.0.1:1/db",
        "postgresql://u:pass:word@127.0.0.1:1/db",
        "postgresql://u:pass word@127.0.0.1:1/db",
        "postgresql://u@127.0.0.1:1/db?password=password&what=password",
        "postgresql://u:password@127.0.0.1:1,127.0.0.1:2/db",
    ],
)
@_every_use
def test_no_part_of_a_password_is_repeated(url: str, use: Callable[[str], object]) -> None:
    with pytest.raises(StorageUnavailable) as caught:
        use(url)

    links: list[BaseException] = [caught.value]
    while following := links[-1].__cause__ or _unsuppressed(links[-1]):
        links.append(following)
    said = " ".join(str(link) for link in links)
    assert "pass" not in said.replace("the password in DATABASE_URL is not", "")
    assert "word" not in said.replace("the password in DATABASE_URL is not", "")


def _unsuppressed(exc: BaseException) -> BaseException | None:
    return None if exc.__suppress_context__ else exc.__context__


def test_a_wrong_password_is_not_repeated(served: Served) -> None:
    dsn = str(make_dsn(served.database.app, password="wr0ng"))

    with pytest.raises(StorageUnavailable, match="authentication failed") as caught:
        connect(dsn)

    assert "wr0ng" not in f"{caught.value} {caught.value.__cause__}"
