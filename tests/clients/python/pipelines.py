"""Pipelines of redis-py, mostly those without a transaction."""

import threading

from redis.exceptions import ResponseError, WatchError

from checks import equal, once, raises, true


def check_pipeline(place):
    pipe = place.text.pipeline(transaction=False)
    pipe.set("a", 1).incr("a").get("a").get("missing").expire("a", 100).ttl("a").ping()
    equal(pipe.execute(), [True, 2, "2", None, True, 100, True])
    equal(pipe.execute(), [])


def check_large_pipelines(place):
    pipe = place.text.pipeline(transaction=False)
    count = 10_000
    for i in range(count):
        pipe.set(f"key:{i}", i)
    equal(pipe.execute(), [True] * count)
    for i in range(count):
        pipe.get(f"key:{i}")
    equal(pipe.execute(), [str(i) for i in range(count)])
    equal(place.text.dbsize(), count)


def check_replies_keep_the_order_of_requests(place):
    # dragonfly#5143, and Garnet's compatibility page: a read sees the write before it.
    pipe = place.text.pipeline(transaction=False)
    for i in range(3000):
        pipe.set("same", i)
        pipe.get("same")
        pipe.append("same", "x")
        pipe.mget("same", f"other{i}")
        pipe.delete("same")
    wanted = []
    for i in range(3000):
        wanted += [True, str(i), len(str(i)) + 1, [f"{i}x", None], 1]
    true(pipe.execute() == wanted, "a reply is not that of its request")


def check_errors_stand_at_their_place(place):
    pipe = place.text.pipeline(transaction=False)
    pipe.set("a", "text").incr("a").execute_command("NOTHING").execute_command("GET").get("a")
    replies = pipe.execute(raise_on_error=False)
    equal([type(reply) for reply in replies[1:4]], [ResponseError] * 3)
    equal((replies[0], replies[4]), (True, "text"))
    pipe.get("a").incr("a")
    raises(ResponseError, "Command # 2 (INCRBY a 1) of pipeline caused error", pipe.execute)
    equal(place.text.ping(), True)


def check_pipeline_of_big_values(place):
    big = b"x" * 1_000_000
    pipe = place.raw.pipeline(transaction=False)
    for i in range(20):
        pipe.set(f"big{i}", big + str(i).encode())
        pipe.get(f"big{i}")
    replies = pipe.execute()
    true(replies[1::2] == [big + str(i).encode() for i in range(20)], "another value came back")


def check_counting_from_many_threads(place):
    client = place.client(max_connections=20)

    def count():
        for _ in range(20):
            pipe = client.pipeline(transaction=False)
            for _ in range(50):
                pipe.incr("counter")
            pipe.execute()

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    equal(place.text.get("counter"), str(8 * 20 * 50))


def check_mset_is_atomic(place):
    # Garnet's compatibility page, 1: nobody sees one half of an MSET.
    names = [f"atomic{i}" for i in range(10)]
    place.text.mset({name: 0 for name in names})
    torn = []
    done = threading.Event()

    def read():
        client = place.client(decode_responses=True)
        while not done.is_set():
            pipe = client.pipeline(transaction=False)
            for _ in range(20):
                pipe.mget(names)
            torn.extend(values for values in pipe.execute() if len(set(values)) > 1)

    reader = threading.Thread(target=read)
    reader.start()
    pipes = [place.client().pipeline(transaction=False) for _ in range(2)]
    for step in range(20):
        for pipe in pipes:
            for i in range(20):
                pipe.mset({name: step * 20 + i for name in names})
            pipe.execute()
    done.set()
    reader.join()
    equal(torn[:1], [], "half of an MSET was read")


@once("MULTI")
def check_transaction(place):
    pipe = place.text.pipeline()
    pipe.set("a", 1).incr("a").get("a")
    equal(pipe.execute(), [True, 2, "2"])


@once("WATCH")
def check_watch(place):
    pipe = place.text.pipeline()
    pipe.watch("a")
    place.text.set("a", "changed")
    pipe.multi()
    pipe.set("a", "mine")
    raises(WatchError, "Watched variable changed", pipe.execute)
    pipe.reset()
    equal(place.text.get("a"), "changed")


@once("EVAL")
def check_lock(place):
    # redis-py's lock lets go by a script.
    lock = place.text.lock("lock", timeout=10)
    equal(lock.acquire(blocking=False), True)
    equal(place.text.lock("lock", timeout=10).acquire(blocking=False), False)
    lock.release()
    equal(place.text.exists("lock"), 0)
