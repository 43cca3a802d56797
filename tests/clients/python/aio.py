"""redis-py with asyncio."""

import asyncio

import redis.asyncio as redis
from redis.exceptions import ConnectionError, ResponseError

from checks import equal, once, true, within


def asynchronous(check):
    """Runs a coroutine as a check; it gets the place and a client of its own."""

    def run(place):
        async def body():
            async with client(place, decode_responses=True) as own:
                await asyncio.wait_for(check(place, own), 60)

        asyncio.run(body())

    run.command = getattr(check, "command", None)
    run.waits = getattr(check, "waits", False)
    return run


def client(place, **options):
    options = {
        "host": "127.0.0.1", "port": place.server.port, "protocol": place.protocol,
        "retry": None, **options,
    }
    return redis.Redis(**options)


async def fails(kind, text, awaitable):
    try:
        got = await awaitable
    except kind as error:
        true(text in str(error), f"raised {error}, not {text!r}")
        return
    raise AssertionError(f"returned {got!r}, instead of raising {kind.__name__}({text!r})")


@asynchronous
async def check_commands(place, r):
    equal(await r.set("key", "value", ex=100), True)
    equal(await r.get("key"), "value")
    equal(await r.get("missing"), None)
    within(await r.ttl("key"), 99, 100)
    equal(await r.set("key", "w", get=True, keepttl=True), "value")
    equal(await r.mset({"a": "1", "b": "2"}), True)
    equal(await r.mget("a", "b", "c"), ["1", "2", None])
    equal(await r.incr("n", 5), 5)
    equal(await r.incrbyfloat("n", 1.5), 6.5)
    equal(await r.getdel("a"), "1")
    equal(await r.exists("a", "b"), 1)
    equal(await r.dbsize(), 3)
    equal((await r.info("server"))["tcp_port"], place.server.port)
    equal(await r.config_get("databases"), {"databases": "16"})
    await fails(ResponseError, "not an integer", r.incr("key"))
    await fails(ResponseError, "unknown command 'NOTHING'", r.execute_command("NOTHING"))


@asynchronous
async def check_handshake(place, r):
    async with client(place, client_name="aio", db=6, decode_responses=True) as own:
        info = await own.client_info()
        equal((info["name"], info["db"], info["resp"]), ("aio", 6, str(place.protocol)))
        equal(info["lib-name"], "redis-py")


@asynchronous
async def check_scan(place, r):
    names = {f"key:{i}" for i in range(1000)}
    await r.mset({name: 1 for name in names})
    equal({name async for name in r.scan_iter(count=50)}, names)
    equal({name async for name in r.scan_iter(match="key:99*")},
          {name for name in names if name.startswith("key:99")})


@asynchronous
async def check_pipeline(place, r):
    async with r.pipeline(transaction=False) as pipe:
        for i in range(5000):
            pipe.set(f"k{i}", i)
            pipe.get(f"k{i}")
        replies = await pipe.execute()
    true(replies == [x for i in range(5000) for x in (True, str(i))], "replies in their order")


@asynchronous
async def check_many_connections_at_once(place, r):
    pool = redis.BlockingConnectionPool(
        host="127.0.0.1", port=place.server.port, protocol=place.protocol, max_connections=100,
        decode_responses=True,
    )
    own = redis.Redis(connection_pool=pool)

    async def work(number):
        await own.set(f"w{number}", number)
        await own.incr("total")
        return await own.get(f"w{number}")

    found = await asyncio.gather(*(work(number) for number in range(500)))
    equal(found, [str(number) for number in range(500)])
    equal(await own.get("total"), "500")
    await pool.disconnect()


@asynchronous
async def check_big_values(place, r):
    async with client(place) as own:
        big = bytes(range(256)) * 4096 * 20
        equal(await own.set("big", big), True)
        true(await own.get("big") == big, "another value came back")


@asynchronous
async def check_a_cancelled_request_leaves_no_reply_behind(place, r):
    own = client(place, decode_responses=True, single_connection_client=True)
    await own.ping()
    await r.client_pause(100_000, all=False)
    try:
        waiting = asyncio.create_task(own.set("key", "v"))
        await asyncio.sleep(0.05)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    finally:
        await r.client_unpause()
    equal(await own.echo("mine"), "mine")
    await own.aclose()


@asynchronous
async def check_client_kill(place, r):
    own = client(place)
    number = await own.client_id()
    equal(await r.client_kill_filter(_id=number), 1)
    # By protocol and parser, the client sees the end before its next request or through it.
    try:
        await own.ping()
    except ConnectionError:
        pass
    true(await own.client_id() > number, "it connected again")
    await own.aclose()


@asynchronous
async def check_unix_socket(place, r):
    url = f"unix://{place.server.socket_path}?db=1&protocol={place.protocol}"
    own = redis.Redis.from_url(url, decode_responses=True)
    equal((await own.client_info())["db"], 1)
    await own.aclose()


@asynchronous
@once("MULTI")
async def check_transaction(place, r):
    async with r.pipeline(transaction=True) as pipe:
        equal(await pipe.set("a", 1).incr("a").execute(), [True, 2])
