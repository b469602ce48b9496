"""The rate limit, shared by all workers: a sliding log in Redis, one script a decision."""

from collections.abc import Sequence
from hashlib import sha1
from typing import Any

import redis

from msty_invoice.domain.limit import Bucket, Decision
from msty_invoice.storage.redis_link import RedisLink

KEY_PREFIX = "msty:limit:"

# Each key is a list of the times at which requests were admitted, newest first, in
# microseconds of Redis' clock. Windows are half-open: an admission is forgotten the
# moment it is `window` old. Only commands that Redis 7.0 has.
#
# KEYS  one log for each bucket
# ARGV  for each pair: which key (from 1), cap, window in milliseconds
# gives admitted (0 or 1), the pair with fewest left (from 1), its reset in seconds, and then
#       how many each pair has left
SCRIPT = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local keep, expiry = {}, {}
for k, key in ipairs(KEYS) do
  -- If the clock stepped back, time stands still until it has caught up.
  now = math.max(now, redis.call('LINDEX', key, 0) or 0)
  keep[k], expiry[k] = 0, 0
end

-- How many of the newest `cap` admissions are inside the window, and the oldest of them.
-- A binary search: reading a whole log takes 0.6 ms when 3000 are allowed.
local function inside(key, cap, window)
  local known, possible = 0, math.min(cap, redis.call('LLEN', key))
  local oldest, probe = now, possible
  while known < possible do
    local at = tonumber(redis.call('LINDEX', key, probe - 1))
    if at + window > now then known, oldest = probe, at else possible = probe - 1 end
    probe = math.ceil((known + possible) / 2)
  end
  return known, oldest
end

local left, binding, reset = {}, 0, 0
for i = 1, #ARGV, 3 do
  local k, cap, window = tonumber(ARGV[i]), tonumber(ARGV[i + 1]), ARGV[i + 2] * 1000
  local p, used, oldest = (i + 2) / 3, inside(KEYS[k], cap, window)
  local frees = oldest + window - now
  left[p] = cap - used
  if p == 1 or left[p] < left[binding] or (left[p] == left[binding] and frees > reset) then
    binding, reset = p, frees
  end
  keep[k], expiry[k] = math.max(keep[k], cap), math.max(expiry[k], window / 1000)
end

local admitted = left[binding] > 0
if admitted then
  for k, key in ipairs(KEYS) do
    redis.call('LPUSH', key, string.format('%.0f', now))
    redis.call('LTRIM', key, 0, keep[k] - 1)
    -- Expiry counts from the script's start, in milliseconds: a second of margin.
    redis.call('PEXPIRE', key, expiry[k] + 1000)
  end
end
local reply = {admitted and 1 or 0, binding, math.ceil(reset / 1000000)}
for p = 1, #left do
  reply[#reply + 1] = left[p] - reply[1]
end
return reply
"""


class RedisAway(Exception):
    """Redis did not decide in time. The text says why and is for the log."""


class SlidingLog:
    """Decides by Redis' clock, over all workers and machines. `script` is for tests."""

    def __init__(self, link: RedisLink, script: str = SCRIPT) -> None:
        self._link = link
        self._script = script
        # Not for security: it is how Redis names a script.
        self._digest = sha1(script.encode(), usedforsecurity=False).hexdigest()

    def decide(self, buckets: Sequence[Bucket]) -> Decision:
        """Admit if every pair of every bucket does, and only then record. Raises `RedisAway`."""
        try:
            return _decision(self._run(_arguments(buckets)), buckets)
        except (redis.RedisError, OSError, ValueError) as exc:
            self._link.drop()
            raise RedisAway(f"{type(exc).__name__}: {exc}") from exc

    def ping(self) -> None:
        """Raise `RedisAway` unless Redis answers."""
        try:
            self._link.ask(self._link.deadline(), "PING")
        except (redis.RedisError, OSError, ValueError) as exc:
            raise RedisAway(f"{type(exc).__name__}: {exc}") from exc

    def _run(self, arguments: list[str | int]) -> Any:
        deadline = self._link.deadline()
        try:
            return self._link.ask(deadline, "EVALSHA", self._digest, *arguments)
        except redis.exceptions.NoScriptError:
            # EVAL also loads it: the next call finds it by its digest.
            return self._link.ask(deadline, "EVAL", self._script, *arguments)


def _arguments(buckets: Sequence[Bucket]) -> list[str | int]:
    arguments: list[str | int] = [len(buckets)]
    arguments += [KEY_PREFIX + bucket.key for bucket in buckets]
    for k, bucket in enumerate(buckets, start=1):
        for pair in bucket.pairs:
            arguments += (k, pair.cap, pair.window_seconds * 1000)
    return arguments


def _decision(reply: Any, buckets: Sequence[Bucket]) -> Decision:
    pairs = [pair for bucket in buckets for pair in bucket.pairs]
    match reply:
        case [0 | 1 as admitted, int(binding), int(reset), *left] if (
            0 < binding <= len(left) == len(pairs)
        ):
            tightest = binding - 1
            return Decision(bool(admitted), pairs[tightest], left[tightest], reset, tuple(left))
    raise redis.InvalidResponse("this is not Redis, or not our script's answer")
