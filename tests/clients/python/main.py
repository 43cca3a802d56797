"""Runs every check of redis-py, with its own parser and with hiredis."""

import os
import re
import subprocess
import sys

import redis
from redis.utils import HIREDIS_AVAILABLE

import admin
import aio
import keys
import lifecycle
import pipelines
import pools
import scripts
import sessions
import strings
from checks import Report, of_module
from place import Place
from server import IS_PEER, THREADS, Server

MODULES = (sessions, strings, keys, admin, pipelines, pools, aio, scripts)


def run(report, threads, only):
    parser = "hiredis" if HIREDIS_AVAILABLE else "python parser"
    server = Server(threads)
    try:
        for protocol in (2, 3):
            label = f"redis-py {redis.__version__}, {parser}, RESP{protocol}, threads {threads}"
            run_on(report, server, protocol, label, only)
    finally:
        report.run(f"the server's end, threads {threads}", server.close)


def run_on(report, server, protocol, label, only):
    place = Place(server, protocol)
    for title, check in (pair for module in MODULES for pair in of_module(module)):
        command = getattr(check, "command", None)
        if only not in title:
            continue
        if command and place.lacks(command) and (check.waits or IS_PEER):
            report.wait(title, command)
            continue
        report.run(f"{title} ({label})", lambda: (place.reset(), check(place)))
    for title, check in of_module(lifecycle):
        # Starting servers costs time, so that each protocol meets one of the parsers here.
        if only in title and HIREDIS_AVAILABLE == (protocol == 3):
            report.run(f"{title} ({label})", check, server.threads, protocol)
    report.run(f"closing ({label})", place.close)


def again_with_hiredis(report):
    """redis-py parses with hiredis if it can be imported, so a second process does."""
    path = os.pathsep.join([os.environ["PYTHONPATH"], os.environ["HIREDIS"]])
    line = [sys.executable, *sys.argv]
    with subprocess.Popen(
        line, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path}
    ) as process:
        for row in process.stdout:
            counts = re.fullmatch(r"(\d+) passed, (\d+) failed\n", row)
            if counts:
                report.passed += int(counts[1])
                report.failed += int(counts[2])
            elif not row.startswith("left out"):
                print(row, end="", flush=True)
    if process.returncode not in (0, 1) or not counts:
        report.fail("the run with hiredis", AssertionError(f"ended with {process.returncode}"))


def main():
    report = Report()
    for threads in THREADS:
        run(report, threads, sys.argv[1] if len(sys.argv) > 1 else "")
    if not HIREDIS_AVAILABLE:
        again_with_hiredis(report)
    return report.end()


if __name__ == "__main__":
    sys.exit(main())
