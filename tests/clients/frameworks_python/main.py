"""Runs every check of the Python frameworks, with one worker and with several."""

import sys

import redis

import caches
import locks
import queues
from checks import Report, of_module
from server import IS_PEER, THREADS, Server

MODULES = (caches, locks, queues)


class Place:
    """What a check gets: the server's address, and a client of its own for looking closer."""

    def __init__(self, server):
        self.port = server.port
        self.url = f"redis://127.0.0.1:{server.port}"
        self.text = redis.Redis(port=server.port, decode_responses=True)
        self._commands = {name.upper() for name in self.text.execute_command("COMMAND LIST")}

    def lacks(self, command):
        return command not in self._commands


def run(report, threads, only):
    server = Server(threads)
    try:
        place = Place(server)
        for title, check in (pair for module in MODULES for pair in of_module(module)):
            command = getattr(check, "command", None)
            if only not in title:
                continue
            if command and place.lacks(command) and (check.waits or IS_PEER):
                report.wait(title, command)
                continue
            report.run(f"{title} (threads {threads})", lambda: (place.text.flushall(), check(place)))
        place.text.close()
    finally:
        report.run(f"the server's end, threads {threads}", server.close)


def main():
    report = Report()
    for threads in THREADS:
        run(report, threads, sys.argv[1] if len(sys.argv) > 1 else "")
    return report.end()


if __name__ == "__main__":
    sys.exit(main())
