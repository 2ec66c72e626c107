"""Classes in Redis (or Valkey), shared by all replicas of the lab. `pip install -e ".[class]"`

A class is three keys with one time to live: a hash with its text and its version, a hash of its members, and a hash of
when each was seen. Each operation that reads and then writes is one Lua script, which Redis runs without interruption.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

import redis
from redis.exceptions import RedisError

from viz.classroom import store as limits
from viz.classroom.store import StoreError

PREFIX = "attention-lab:class:"
ALL = "attention-lab:classes"  # a sorted set: code → the time at which the class ends
TIMEOUT = 2.0  # seconds that Redis may take to answer: a process that computes many pages hears the answer late
AWAY = 2.0  # seconds after a failure in which nothing is sent to Redis
GONE = "The store of the class cannot be reached. The class comes back by itself; everything else works."

# KEYS: the class, its members, when they were seen, all classes. ARGV[1]: the code.
NOW = "local now = redis.call('TIME'); now = now[1] + now[2] / 1000000\n"
CREATE = (
    NOW
    + """
redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', now)
if redis.call('EXISTS', KEYS[1]) == 1 or redis.call('ZCARD', KEYS[4]) >= tonumber(ARGV[4]) then return 0 end
redis.call('ZADD', KEYS[4], now + ARGV[3], ARGV[1])
redis.call('HSET', KEYS[1], 'text', ARGV[2], 'version', 0)
redis.call('PEXPIRE', KEYS[1], math.floor(ARGV[3] * 1000))
return 1
"""
)
WRITE = """
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], 'text', ARGV[2])
return redis.call('HINCRBY', KEYS[1], 'version', 1)
"""
WRITE_MEMBER = """
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local full = redis.call('HLEN', KEYS[2]) >= tonumber(ARGV[4])
if full and redis.call('HEXISTS', KEYS[2], ARGV[2]) == 0 then return 0 end
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
redis.call('PEXPIRE', KEYS[2], redis.call('PTTL', KEYS[1]))
redis.call('HINCRBY', KEYS[1], 'version', 1)
return 1
"""
REMOVE_MEMBER = """
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HDEL', KEYS[2], ARGV[2])
redis.call('HDEL', KEYS[3], ARGV[2])
return redis.call('HINCRBY', KEYS[1], 'version', 1)
"""
TOUCH = (
    NOW
    + """
if redis.call('HEXISTS', KEYS[2], ARGV[2]) == 0 then return 0 end
redis.call('HSET', KEYS[3], ARGV[2], now)
redis.call('PEXPIRE', KEYS[3], redis.call('PTTL', KEYS[1]))
return 1
"""
)
SEEN = NOW + "return {tostring(now), redis.call('HGETALL', KEYS[3])}"


class RedisStore:
    """Classes in the Redis at this address: see `redis.Redis.from_url` for its forms."""

    is_remote = True

    def __init__(self, address: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._redis: Any = redis.Redis.from_url(
            address, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT, decode_responses=True
        )
        self._clock = clock
        self._away_until = 0.0

    def close(self) -> None:
        """Close the connections."""
        self._redis.close()

    def create(self, code: str, text: str, seconds: float) -> bool:
        return bool(self._run(CREATE, code, text, seconds, limits.MAX_CLASSES))

    def delete(self, code: str) -> None:
        self._ask(lambda: self._redis.delete(*self._keys(code)[:3]))
        self._ask(lambda: self._redis.zrem(ALL, code))

    def version(self, code: str) -> int | None:
        version = self._ask(lambda: self._redis.hget(self._keys(code)[0], "version"))
        return None if version is None else int(version)

    def read(self, code: str) -> str | None:
        text: str | None = self._ask(lambda: self._redis.hget(self._keys(code)[0], "text"))
        return text

    def write(self, code: str, text: str) -> None:
        self._run(WRITE, code, text)

    def member(self, code: str, member: str) -> str | None:
        text: str | None = self._ask(lambda: self._redis.hget(self._keys(code)[1], member))
        return text

    def members(self, code: str) -> dict[str, str]:
        return dict(self._ask(lambda: self._redis.hgetall(self._keys(code)[1])))

    def write_member(self, code: str, member: str, text: str) -> bool:
        if len(text) > limits.MAX_TEXT:
            return False
        return bool(self._run(WRITE_MEMBER, code, member, text, limits.MAX_MEMBERS))

    def remove_member(self, code: str, member: str) -> None:
        self._run(REMOVE_MEMBER, code, member)

    def touch(self, code: str, member: str) -> None:
        self._run(TOUCH, code, member)

    def last_seen(self, code: str) -> dict[str, float]:
        now, pairs = self._run(SEEN, code)
        return {member: float(now) - float(seen) for member, seen in zip(pairs[::2], pairs[1::2], strict=True)}

    def _keys(self, code: str) -> Sequence[str]:
        # The braces keep the keys of a class on one machine of a Redis cluster.
        name = f"{PREFIX}{{{code}}}"
        return name, f"{name}:members", f"{name}:seen", ALL

    def _run(self, script: str, code: str, *arguments: object) -> Any:
        keys = self._keys(code)
        return self._ask(lambda: self._redis.eval(script, len(keys), *keys, code, *arguments))

    def _ask(self, question: Callable[[], Any]) -> Any:
        """What Redis answers. After a failure it is left alone for a while, so that no request waits for it.

        Raises:
            StoreError: Redis does not answer.
        """
        if self._clock() < self._away_until:
            raise StoreError(GONE)
        try:
            return question()
        except RedisError as error:
            self._away_until = self._clock() + AWAY
            raise StoreError(GONE) from error
