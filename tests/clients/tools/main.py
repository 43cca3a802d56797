"""Runs the checks with raw connections, and those of redis-cli and redis-benchmark if given."""

import os
import sys

import bench
import cli
import raw
from checks import Report, of_module
from server import IS_PEER, THREADS, Server
from wire import Wire


def known(server):
    """The names of the commands that the server has, in lower case."""
    with Wire(server) as wire:
        return {line.decode().lower() for line in wire.command("COMMAND", "LIST").split(b"\r\n")}


def run(report, threads, modules, only):
    server = Server(threads)
    try:
        commands = known(server)
        for title, check in (pair for module in modules for pair in of_module(module)):
            command = getattr(check, "command", None)
            if only not in title:
                continue
            if command and command.lower() not in commands and (check.waits or IS_PEER):
                report.wait(title, command)
                continue
            with Wire(server) as wire:
                wire.command("FLUSHALL")
            report.run(f"{title} (threads {threads})", check, server)
    finally:
        report.run(f"the server's end, threads {threads}", server.close)


def main():
    report = Report()
    modules = [raw, cli, bench] if os.environ.get("REDIS_CLI") else [raw]
    for threads in THREADS:
        run(report, threads, modules, sys.argv[1] if len(sys.argv) > 1 else "")
    return report.end()


if __name__ == "__main__":
    sys.exit(main())
