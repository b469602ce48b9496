"""Redis as a fleet runs it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.sandbox.processes import until
from tests.storage.sentinel.servers import NAME, Server


@dataclass(frozen=True)
class Fleet:
    """Who answers for what at the start."""

    master: Server
    replica: Server
    sentinels: list[Server]

    @property
    def url(self) -> str:
        """The address as REDIS_URL has it."""
        hosts = ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in self.sentinels)
        return f"redis+sentinel://{hosts}/{NAME}/0"

    @property
    def servers(self) -> list[Server]:
        return [self.master, self.replica, *self.sentinels]


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    made = Fleet(
        Server(tmp_path, "master"),
        Server(tmp_path, "replica"),
        [Server(tmp_path, f"sentinel-{n}") for n in (1, 2)],
    )
    try:
        made.master.start("--repl-diskless-sync-delay", 0)
        made.replica.start("--replicaof", "127.0.0.1", made.master.port)
        # Only a replica that has a copy can be promoted.
        until(lambda: made.replica.ask("ROLE"), lambda role: role[3] == b"connected")
        for sentinel in made.sentinels:
            sentinel.start_sentinel(made.master.port)
        until(lambda: _known_replicas(made), lambda known: known == 1)
        yield made
    finally:
        for server in made.servers:
            server.process.stop(seconds=5)


def _known_replicas(fleet: Fleet) -> int:
    """The replicas that every Sentinel could promote."""
    found = [sentinel.ask("SENTINEL", "REPLICAS", NAME) for sentinel in fleet.sentinels]
    return min(len(replicas) for replicas in found if isinstance(replicas, list))
