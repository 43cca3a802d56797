"""Locks and limiters that are scripts: python-redis-lock, redlock-py and limits."""

import logging
import threading
import time

import redis

from checks import equal, eventually, once, raises, true

# A lock that is not to be had is logged as a failure.
logging.getLogger("redis_lock").setLevel(logging.CRITICAL)


@once("EVALSHA")
def check_redis_lock(place):
    import redis_lock

    client = redis.Redis(port=place.port)
    lock = redis_lock.Lock(client, "name", expire=5)
    other = redis_lock.Lock(client, "name", expire=5)
    equal(lock.acquire(), True)
    equal(other.acquire(blocking=False), False)
    equal(lock.get_owner_id(), lock.id)
    lock.extend(expire=60)
    true(place.text.ttl("lock:name") > 50, "it is extended")
    raises(redis_lock.NotAcquired, "", other.release)
    waiting = threading.Thread(target=lambda: other.acquire(timeout=5))
    waiting.start()
    time.sleep(0.05)
    lock.release()
    waiting.join()
    true(other.locked(), "who waited has it")
    other.reset()
    equal(place.text.exists("lock:name"), 0)
    client.close()


@once("EVALSHA")
def check_redis_lock_is_renewed(place):
    import redis_lock

    client = redis.Redis(port=place.port)
    with redis_lock.Lock(client, "renewed", expire=1, auto_renewal=True):
        time.sleep(1.5)
        equal(place.text.exists("lock:renewed"), 1)
    equal(place.text.exists("lock:renewed"), 0)
    redis_lock.reset_all(client)
    client.close()


@once("EVALSHA")
def check_redis_lock_excludes(place):
    import redis_lock

    counts = {"inside": 0, "most": 0, "all": 0}

    def work():
        client = redis.Redis(port=place.port)
        for _ in range(10):
            with redis_lock.Lock(client, "counter", expire=10):
                counts["inside"] += 1
                counts["most"] = max(counts["most"], counts["inside"])
                counts["all"] += 1
                counts["inside"] -= 1
        client.close()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    equal((counts["most"], counts["all"]), (1, 80))


@once("EVAL")
def check_redlock(place):
    from redlock import Redlock

    manager = Redlock([place.url], retry_count=2, retry_delay=0.05)
    lock = manager.lock("resource", 10_000)
    true(lock, "it is taken")
    equal(place.text.get("resource"), lock.key if isinstance(lock.key, str) else lock.key.decode())
    equal(manager.lock("resource", 10_000), False)
    manager.unlock(lock)
    equal(place.text.exists("resource"), 0)


@once("EVALSHA")
def check_limits(place):
    from limits import parse, storage, strategies

    store = storage.storage_from_string(place.url)
    for make in (
        strategies.FixedWindowRateLimiter,
        strategies.MovingWindowRateLimiter,
        strategies.SlidingWindowCounterRateLimiter,
    ):
        store.reset()
        limiter = make(store)
        limit = parse("5/hour")
        equal([limiter.hit(limit, "user") for _ in range(7)], [True] * 5 + [False] * 2)
        equal(limiter.test(limit, "user"), False)
        equal(limiter.get_window_stats(limit, "user").remaining, 0)
        equal(limiter.hit(limit, "other", cost=4), True)
        equal(limiter.hit(limit, "other", cost=2), False)
        limiter.clear(limit, "user")
        equal(limiter.hit(limit, "user"), True)
    short = strategies.MovingWindowRateLimiter(store)
    limit = parse("2/second")
    equal([short.hit(limit, "quick") for _ in range(3)], [True, True, False])
    eventually(lambda: short.hit(limit, "quick"), "the window moves on")
