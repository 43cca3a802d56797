"""Connection pools: many connections, limits, threads, health checks and time limits."""

import threading
import time

import redis
from redis.exceptions import ConnectionError, TimeoutError

from checks import equal, eventually, raises, true


def pool(place, kind=redis.ConnectionPool, **options):
    return kind(
        host="127.0.0.1", port=place.server.port, protocol=place.protocol, retry=None, **options
    )


def check_many_connections(place):
    # They lie on all workers; each has a name and a database of its own.
    connections = pool(place, max_connections=200)
    held = [connections.get_connection() for _ in range(200)]
    for number, connection in enumerate(held):
        connection.send_command("CLIENT", "SETNAME", f"c{number}")
        connection.send_command("SELECT", str(number % 16))
    for connection in held:
        equal([connection.read_response() for _ in range(2)], [b"OK", b"OK"])
    listed = {entry["name"]: entry["db"] for entry in place.text.client_list()}
    equal([listed.get(f"c{number}") for number in range(200)],
          [str(number % 16) for number in range(200)])
    raises(redis.exceptions.MaxConnectionsError, "Too many connections",
           connections.get_connection)
    for connection in held:
        connections.release(connection)
    connections.disconnect()
    eventually(lambda: not names(place) & {f"c{number}" for number in range(200)}, "they are gone")


def names(place):
    return {entry["name"] for entry in place.text.client_list()}


def check_blocking_pool(place):
    connections = pool(place, redis.BlockingConnectionPool, max_connections=3, timeout=10)
    client = redis.Redis(connection_pool=connections)
    failures = []

    def work(number):
        try:
            for i in range(50):
                client.set(f"w{number}:{i}", i)
                equal(client.get(f"w{number}:{i}"), str(i).encode())
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    equal(failures, [])
    equal(place.text.dbsize(), 500)
    connections.disconnect()


def check_health_check(place):
    client = place.client(health_check_interval=1)
    connection = client.connection_pool.get_connection()
    connection.next_health_check = time.monotonic() - 10
    connection.check_health()
    connection.send_command("PING")
    equal(connection.read_response(), b"PONG")
    client.connection_pool.release(connection)


def check_socket_timeout(place):
    impatient = place.client(socket_timeout=0.1)
    impatient.ping()
    place.text.client_pause(100_000, all=False)
    try:
        raises(TimeoutError, "", impatient.set, "key", "v")
    finally:
        place.text.client_unpause()
    equal(impatient.get("missing"), None)


def check_maxclients(place):
    now = len(place.text.client_list())
    with place.config(maxclients=place.text.config_get("maxclients")["maxclients"]):
        place.text.config_set("maxclients", now + 2)
        first, second, third = (place.client() for _ in range(3))
        true(first.ping() and second.ping(), "two more may connect")
        # The server answers without being asked and closes; whether the client has written by
        # then decides which of its errors is seen, and all are of this class.
        raises(ConnectionError, "", third.ping)
    equal(third.ping(), True)


def check_a_retry_hides_a_lost_connection(place):
    steady = place.client(retry=redis.retry.Retry(redis.backoff.NoBackoff(), 3))
    number = steady.client_id()
    equal(place.text.client_kill_filter(_id=number), 1)
    equal(steady.set("key", "v"), True)
    true(steady.client_id() != number, "it is a new connection")
