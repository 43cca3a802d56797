"""redis-benchmark with each of its tests that uses strings and keys."""

import csv
import os
import subprocess

from checks import equal, true
from wire import Wire

PROGRAM = os.environ.get("REDIS_BENCHMARK", "redis-benchmark")


def bench(server, *arguments):
    """The tests that ran, by name, with their requests a second."""
    line = [PROGRAM, "-h", "127.0.0.1", "-p", str(server.port), "--csv", *arguments]
    done = subprocess.run(line, capture_output=True, timeout=60, text=True)
    said = done.stdout + done.stderr
    lines = [row for row in csv.reader(done.stdout.splitlines()) if row]
    true(done.returncode == 0 and "rror" not in said, f"{arguments}: {said[-500:]}")
    return {row[0]: float(row[1]) for row in lines if row[0] != "test"}


def check_string_tests(server):
    names = ["PING_INLINE", "PING_MBULK", "SET", "GET", "INCR", "MSET (10 keys)"]
    tests = "ping_inline,ping_mbulk,set,get,incr,mset"
    for more in ((), ("-P", "16"), ("-P", "100", "-c", "10"), ("-3", "-P", "8"),
                 ("--threads", "2", "-P", "4"), ("-d", "4000"), ("-s", server.socket_path)):
        found = bench(server, "-t", tests, "-n", "2000", "-r", "1000", *more)
        equal(list(found), names, f"{more}")
        true(all(rate > 0 for rate in found.values()), f"{more}: {found}")


def check_the_tests_count_right(server):
    with Wire(server) as wire:
        bench(server, "-t", "incr", "-n", "5000", "-P", "10", "-c", "20")
        equal(wire.command("GET", "counter:__rand_int__"), b"$4\r\n5000\r\n")


def check_commands_of_ones_own(server):
    bench(server, "-n", "1000", "-r", "100", "setex", "key:__rand_int__", "100", "value")
    with Wire(server) as wire:
        size = int(wire.command("DBSIZE")[1:])
        true(50 < size <= 100, f"{size} keys")
    bench(server, "-n", "1000", "-r", "100", "-P", "10", "getdel", "key:__rand_int__")
    bench(server, "-n", "500", "-r", "100", "append", "key:__rand_int__", "x")


def check_a_connection_for_each_request(server):
    found = bench(server, "-t", "set,get", "-n", "500", "-k", "0", "-c", "20")
    equal(list(found), ["SET", "GET"])
