"""Sockets that gunicorn is refused, before it answers anyone."""

import os
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[3]
_COMMAND = [sys.executable, "-m", "gunicorn", "-c", "python:msty_invoice.gunicorn_conf"]
# As systemd does it: the sockets are from 3 on, and meant for the process with this id.
_ACTIVATED = 'exec 3<&0; LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"'
_SETTINGS = {
    "PATH": os.environ["PATH"],
    "DATABASE_URL": "postgresql:///nowhere",
    "REDIS_URL": "redis://127.0.0.1:1",
    "PUBLIC_URL": "https://pay.example",
    "LIGHTNING_PROVIDER": "river",
    "LIGHTNING_NETWORK": "regtest",
    "RIVER_BASE_URL": "http://127.0.0.1:1",
    "RIVER_ACCOUNT_ID": "acc_EXAMPLE",
    "RIVER_API_KEY": "key_EXAMPLE",
}


def _start(*prefix: str, bind: str = "", stdin: int | None = None, **settings: str) -> str:
    """Start gunicorn, which must end with status 2; what it said last."""
    arguments = ["-b", bind] if bind else []
    ended = subprocess.run(
        [*prefix, *_COMMAND, "msty_invoice.wsgi:application", *arguments],
        env=_SETTINGS | settings,
        cwd=_ROOT,
        stdin=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert ended.returncode == 2
    return ended.stderr.splitlines()[-1]


def test_peers_on_a_unix_socket_cannot_be_told_apart(tmp_path: Path) -> None:
    said = _start(bind=f"unix:{tmp_path}/s")

    assert said.startswith("msty-invoice: settings: CLIENT_ADDRESS=peer cannot tell clients apart")


def test_nor_on_one_that_systemd_opened(tmp_path: Path) -> None:
    with closing(socket.socket(socket.AF_UNIX)) as listener:
        listener.bind(f"{tmp_path}/s")
        listener.listen()
        said = _start("sh", "-c", _ACTIVATED, "sh", stdin=listener.fileno())

    assert said.startswith("msty-invoice: settings: CLIENT_ADDRESS=peer cannot tell clients apart")


@pytest.mark.parametrize("bind", ["0.0.0.0:0", "[::]:0"])
def test_x_real_ip_is_not_believed_where_others_can_connect(bind: str) -> None:
    said = _start(bind=bind, CLIENT_ADDRESS="x-real-ip")

    assert said.startswith("msty-invoice: settings: CLIENT_ADDRESS=x-real-ip is for a unix socket")
