"""Checks that start servers of their own: passwords, restarts, shutdown."""

import asyncio
import time

import redis
from redis.cache import CacheConfig
from redis.exceptions import AuthenticationError, BusyLoadingError, ConnectionError

from checks import equal, eventually, raises, true
from server import IS_PEER, Server


def check_password(threads, protocol):
    server = Server(threads, "--requirepass", "s3cr:et/@")
    try:
        port = server.port
        plain = redis.Redis(port=port, protocol=2, retry=None)
        raises(AuthenticationError, "Authentication required.", plain.get, "key")
        if protocol == 3:
            # go-redis#2479: HELLO itself answers NOAUTH.
            bare = redis.Redis(port=port, protocol=3, retry=None)
            raises(AuthenticationError, "HELLO must be called with the client already",
                   bare.ping)
        wrong = redis.Redis(port=port, protocol=protocol, password="wrong", retry=None)
        raises(AuthenticationError, "invalid username-password pair or user is disabled.",
               wrong.ping)
        wrong = redis.Redis(port=port, protocol=protocol, username="nobody", password="s3cr:et/@",
                            retry=None)
        raises(AuthenticationError, "invalid username-password pair", wrong.ping)
        host = f"127.0.0.1:{port}/3?protocol={protocol}&decode_responses=True"
        for user in ("", "default"):
            with redis.Redis.from_url(f"redis://{user}:s3cr%3Aet%2F%40@{host}") as right:
                equal(right.client_info()["db"], 3)
                equal(right.set("key", "v"), True)
        change_password(port, protocol)
    finally:
        server.close()


def change_password(port, protocol):
    """A changed password holds for those who come; who is in stays."""
    with redis.Redis(port=port, protocol=protocol, password="s3cr:et/@") as inside:
        inside.config_set("requirepass", "other")
        equal(inside.ping(), True)
        late = redis.Redis(port=port, protocol=protocol, password="s3cr:et/@", retry=None)
        raises(AuthenticationError, "invalid username-password pair", late.ping)
        late = redis.Redis(port=port, protocol=protocol, password="other", retry=None)
        equal(late.ping(), True)
        late.close()


def check_reconnect_after_a_restart(threads, protocol):
    server = Server(threads)
    try:
        client = redis.Redis(port=server.port, protocol=protocol, retry=None)
        retry = redis.retry.Retry(redis.backoff.ConstantBackoff(0.05), 100)
        patient = redis.Redis(port=server.port, protocol=protocol, retry=retry)
        equal(client.set("key", "v"), True)
        equal(patient.set("key", "v"), True)
        server.stop()
        raises(ConnectionError, "", client.ping)
        server.start()
        equal(client.ping(), True)
        equal(patient.set("key", "again"), True)
        equal(client.get("key"), b"again")
        client.close()
        patient.close()
    finally:
        server.close()


def check_asyncio_reconnects_after_a_restart(threads, protocol):
    server = Server(threads)

    async def body():
        import redis.asyncio as aio

        retry = redis.asyncio.retry.Retry(redis.backoff.ConstantBackoff(0.05), 100)
        client = aio.Redis(port=server.port, protocol=protocol, retry=retry)
        equal(await client.set("key", "v"), True)
        server.stop()
        waiting = asyncio.create_task(client.set("key", "w"))
        await asyncio.to_thread(server.start)
        equal(await asyncio.wait_for(waiting, 20), True)
        await client.aclose()

    try:
        asyncio.run(body())
    finally:
        server.close()


def check_ready_means_ready(threads, protocol):
    # testcontainers-redis#20, testcontainers-java#11101, testcontainers-go#2962, dragonfly#1198:
    # the log line comes when the port answers. The server returns from its start by that line,
    # and the first attempt must succeed.
    for _ in range(3):
        server = Server(threads)
        try:
            client = redis.Redis(port=server.port, protocol=protocol, retry=None)
            equal(client.ping(), True)
            client.close()
        except BusyLoadingError as error:
            raise AssertionError("ready, and still loading") from error
        finally:
            server.close()


def check_shutdown_by_command(threads, protocol):
    server = Server(threads)
    try:
        client = redis.Redis(port=server.port, protocol=protocol, retry=None)
        other = redis.Redis(port=server.port, protocol=protocol, retry=None)
        other.ping()
        client.shutdown(nosave=True)
        eventually(lambda: server.process.poll() is not None, "the process ends")
        equal(server.process.returncode, 0)
        raises(ConnectionError, "", other.ping)
    finally:
        server.process = None
        server.close()


def check_idle_clients_are_closed(threads, protocol):
    server = Server(threads, "--timeout", "1")
    try:
        client = redis.Redis(port=server.port, protocol=protocol, retry=None)
        connection = client.connection_pool.get_connection()
        start = time.monotonic()
        raises(ConnectionError, "", connection.read_response)
        true(0.9 <= time.monotonic() - start < 10, "closed after about a second")
        client.close()
    finally:
        server.close()


def check_client_side_cache(threads, protocol):
    # redis-py's cache asks for RESP3, for a version from 7.4 on, and for CLIENT TRACKING ON in its
    # handshake.
    if protocol == 2 or IS_PEER:
        return
    server = Server(threads, "--redis-version", "7.4.0")
    try:
        writer = redis.Redis(port=server.port, protocol=3, retry=None)
        cached = redis.Redis(port=server.port, protocol=3, retry=None,
                             cache_config=CacheConfig())
        writer.set("key", "1")
        equal(cached.get("key"), b"1")
        equal(cached.get_cache().size, 1)
        writer.set("key", "2")
        eventually(lambda: cached.get("key") == b"2", "the cache is told")
        writer.flushall()
        eventually(lambda: cached.get("key") is None, "the cache is told that nothing is valid")
        cached.close()
        writer.close()
    finally:
        server.close()
