"""A clock for both logs that a test moves, in microseconds."""

from redis import Redis

from msty_invoice.storage.sliding_log import SCRIPT

_KEY = "test:clock"
# The real script, except that its time is what the test wrote.
SCRIPT_ON_A_TEST_CLOCK = SCRIPT.replace(
    "redis.call('TIME')", f"redis.call('LRANGE', '{_KEY}', 0, -1)"
)
assert SCRIPT_ON_A_TEST_CLOCK != SCRIPT

START_US = 1_800_000_000_000_000  # 2027: sixteen digits, as in production


class LocalClock:
    """Read by `LocalLog`."""

    def __init__(self) -> None:
        self.now_us = START_US

    def advance(self, seconds: float) -> None:
        """Move it; backwards too."""
        self.now_us += round(seconds * 1_000_000)


class RedisClock(LocalClock):
    """Read by the script, which asks for seconds and microseconds as TIME gives them."""

    def __init__(self, redis: Redis) -> None:
        super().__init__()
        self._redis = redis
        self._write()

    def advance(self, seconds: float) -> None:
        """Move it; backwards too."""
        super().advance(seconds)
        self._write()

    def _write(self) -> None:
        self._redis.delete(_KEY)
        self._redis.rpush(_KEY, *(str(part) for part in divmod(self.now_us, 1_000_000)))
