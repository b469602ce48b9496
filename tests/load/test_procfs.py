"""What is read from /proc, held against processes and sockets that we know."""

import os
import socket
import subprocess
import sys
import time
from contextlib import closing

import pytest

from tests.load.bench import procfs

# A parent whose child has used a quarter of a second of processor time, and has ended.
_BUSY_CHILD = """
import subprocess, sys
busy = "import time; [None for _ in iter(lambda: time.process_time() < 0.25, False)]"
subprocess.run([sys.executable, "-c", busy])
print("ended", flush=True)
sys.stdin.read()
"""


def test_the_time_of_a_child_that_has_ended_counts() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _BUSY_CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"ended\n"

        assert procfs.cpu_seconds(parent.pid) >= 0.2
        assert procfs.tree(parent.pid) == [parent.pid]
        parent.communicate()


def test_a_tree_holds_grandchildren() -> None:
    sleeper = f"exec {sys.executable} -c 'import sys; print(1, flush=True); sys.stdin.read()'"
    with subprocess.Popen(
        ["sh", "-c", f"({sleeper}); true"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as shell:
        assert shell.stdout is not None
        shell.stdout.readline()

        assert len(procfs.tree(shell.pid)) >= 2
        assert set(procfs.tree(shell.pid)) < set(procfs.tree(os.getpid()))
        shell.communicate()


def test_memory_is_that_of_the_largest_process() -> None:
    assert 5 < procfs.largest_pss_mib(os.getpid()) < 2000


def test_the_machine_is_at_least_as_busy_as_we_are() -> None:
    before, own = procfs.busy_seconds(), time.process_time()
    while time.process_time() < own + 0.1:
        pass

    # Both are counted in hundredths of a second.
    assert procfs.busy_seconds() - before >= 0.08


@pytest.fixture
def listener() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0), backlog=8)


def test_an_abandoned_connection_is_unfinished_until_the_server_closes_it(
    listener: socket.socket,
) -> None:
    with listener:
        address = listener.getsockname()
        assert procfs.unfinished(address[1]) == 0

        for _ in range(2):
            with closing(socket.create_connection(address)) as client:
                client.sendall(b"POST")
        assert procfs.unfinished(address[1]) >= 2  # not even accepted

        first, second = (listener.accept()[0] for _ in range(2))
        assert procfs.unfinished(address[1]) == 2
        first.close()
        assert procfs.unfinished(address[1]) == 1
        second.close()
        assert procfs.unfinished(address[1]) == 0


def test_connections_to_other_ports_are_not_counted(listener: socket.socket) -> None:
    other = socket.create_server(("127.0.0.1", 0))
    with listener, other, closing(socket.create_connection(other.getsockname())):
        assert procfs.unfinished(listener.getsockname()[1]) == 0
