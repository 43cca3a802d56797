"""A server process of the test's own: a free port, a unix socket, an empty directory.

`REDDLE_BIN` names the program. When its file is called `redis-server` or `valkey-server`, the
options that only Reddle has are left away, so that the tests can be tried on those servers too.
"""

import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time

BINARY = os.environ["REDDLE_BIN"]
IS_PEER = os.path.basename(BINARY) in ("redis-server", "valkey-server")
# Each test runs with all of these numbers of threads; other servers know no such number.
THREADS = (1,) if IS_PEER else (1, 4)
READY = "Ready to accept connections"
START_SECONDS = 20
STOP_SECONDS = 20


class Server:
    """A running server. `stop` also judges how it ended."""

    def __init__(self, threads, *options):
        self.threads = threads
        self.directory = tempfile.mkdtemp(prefix="reddle-clients-")
        self.socket_path = os.path.join(self.directory, "socket")
        self.log_path = os.path.join(self.directory, "log")
        self.options = list(options)
        self.port = None
        self.process = None
        self.start()

    def start(self):
        """Starts the server, on the former port if it has run before."""
        attempts = [self.port] if self.port else [free_port() for _ in range(5)]
        for port in attempts:
            if self._start_on(port):
                self.port = port
                return
        raise RuntimeError("the server did not start:\n" + self.log())

    def _start_on(self, port):
        line = [BINARY, "--port", str(port), "--bind", "127.0.0.1", "--dir", self.directory]
        line += ["--unixsocket", self.socket_path, "--save", "", "--appendonly", "no"]
        if not IS_PEER:
            line += ["--threads", str(self.threads)]
        before = len(self.log())
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                line + self.options, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if READY in self.log()[before:]:
                return True
            if self.process.poll() is not None:
                return False
            time.sleep(0.005)
        self.process.kill()
        self.process.wait()
        return False

    def stop(self, how=signal.SIGTERM):
        """Stops the server; an error if it did not end by itself, or not well."""
        if self.process is None:
            return
        self.process.send_signal(how)
        try:
            code = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"the server was still there {STOP_SECONDS} s after {how!r}")
        finally:
            self.process = None
        if how == signal.SIGTERM and code != 0:
            raise AssertionError(f"the server ended with {code}:\n{self.log()[-3000:]}")

    def close(self):
        """Stops the server for good; an error if it panicked at any time."""
        try:
            self.stop()
            if "panicked at" in self.log():
                raise AssertionError("the server panicked:\n" + self.log()[-3000:])
        finally:
            shutil.rmtree(self.directory, ignore_errors=True)

    def log(self):
        """Everything that the server has logged or printed."""
        path = pathlib.Path(self.log_path)
        return path.read_text(errors="replace") if path.exists() else ""


def free_port():
    """A port below those that the kernel hands out, so that no connection of ours takes it."""
    while True:
        port = random.randrange(20000, 30000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
