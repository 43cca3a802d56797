"""redis-cli, as people and scripts use it."""

import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

from checks import equal, eventually, true
from server import Server
from wire import Wire, request

PROGRAM = os.environ.get("REDIS_CLI", "redis-cli")


def cli(server, *arguments, stdin=None, code=0):
    """What redis-cli prints for these arguments."""
    line = [PROGRAM, "-h", "127.0.0.1", "-p", str(server.port), *arguments]
    done = subprocess.run(line, input=stdin, capture_output=True, timeout=60)
    if done.returncode != code:
        raise AssertionError(f"{arguments} exits with {done.returncode}: {done.stderr.decode()}")
    return done.stdout.decode()


def check_commands(server):
    # dragonfly#4249: health checks call exactly this.
    equal(cli(server, "ping"), "PONG\n")
    equal(cli(server, "set", "key", "a value"), "OK\n")
    equal(cli(server, "get", "key"), "a value\n")
    equal(cli(server, "get", "missing"), "\n")
    equal(cli(server, "incr", "n"), "1\n")
    equal(cli(server, "-n", "3", "exists", "key"), "0\n")
    equal(cli(server, "--no-raw", "mget", "key", "missing"), '1) "a value"\n2) (nil)\n')
    equal(cli(server, "-3", "--no-raw", "get", "missing"), "(nil)\n")
    equal(cli(server, "--csv", "mget", "key", "n"), '"a value","1"\n')
    equal(cli(server, "-x", "set", "in", stdin=b"from\0stdin"), "OK\n")
    equal(cli(server, "--no-raw", "get", "in"), '"from\\x00stdin"\n')
    equal(cli(server, "-r", "3", "incr", "n"), "2\n3\n4\n")
    equal(cli(server, "set", "big", "x" * 100_000), "OK\n")
    equal(cli(server, "strlen", "big"), "100000\n")


def check_errors(server):
    equal(cli(server, "nothing", "x"),
          "ERR unknown command 'nothing', with args beginning with: 'x' \n\n")
    equal(cli(server, "-e", "nothing", "x", code=1), "")


def check_scripts_of_commands(server):
    equal(cli(server, stdin=b"set a 1\nincr a\nget a\n"), "OK\n2\n2\n")
    equal(cli(server, "-s", server.socket_path, "get", "a"), "2\n")
    equal(cli(server, "-u", f"redis://127.0.0.1:{server.port}/5", "dbsize"), "0\n")


def check_json_and_resp3(server):
    cli(server, "mset", "a", "1", "b", "2")
    equal(json.loads(cli(server, "--json", "mget", "a", "b", "c")), ["1", "2", None])
    equal(json.loads(cli(server, "--json", "config", "get", "databases")), {"databases": "16"})
    equal(json.loads(cli(server, "-3", "--json", "hello"))["proto"], 3)
    true("redis_version:" in cli(server, "-3", "info", "server"), "INFO as a verbatim string")


def check_interactive(server):
    """The prompt with its hints, which come from COMMAND DOCS."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm"
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 150, 0, 0))
        os.execvp(PROGRAM, [PROGRAM, "-h", "127.0.0.1", "-p", str(server.port)])
    try:
        prompt = f"127.0.0.1:{server.port}> ".encode()
        converse(terminal, b"", prompt)
        converse(terminal, b"set key 'a b'\r", b"OK\r", prompt)
        converse(terminal, b"get key\r", b'"a b"\r', prompt)
        prompt = f"127.0.0.1:{server.port}[2]> ".encode()
        converse(terminal, b"select 2\r", b"OK\r", prompt)
        converse(terminal, b"getex ", b"EX seconds")
        converse(terminal, b"x\r", b"(nil)\r", prompt)
        converse(terminal, b"help getex\r", b"6.2.0\r", prompt)
        os.write(terminal, b"quit\r")
    finally:
        os.close(terminal)
        os.waitpid(pid, 0)


def converse(terminal, send, *wanted):
    """Types, and waits until these texts have come one behind the other."""
    os.write(terminal, send)
    seen = b""
    deadline = time.monotonic() + 10
    while not re.search(b".*".join(map(re.escape, wanted)), seen, re.DOTALL):
        ready, _, _ = select.select([terminal], [], [], max(0, deadline - time.monotonic()))
        if not ready:
            raise AssertionError(f"{send!r} does not print {wanted!r} but {seen!r}")
        seen += os.read(terminal, 65536)


def check_pipe_mode(server):
    # garnet#1626: mass insertion writes without reading.
    count = 50_000
    stream = b"".join(request("SET", f"key{i}", f"value{i}") for i in range(count))
    out = cli(server, "--pipe", stdin=stream)
    true(f"errors: 0, replies: {count}" in out, f"--pipe prints {out!r}")
    equal(cli(server, "dbsize"), f"{count}\n")
    out = cli(server, "--pipe", stdin=b"SET a 1\r\nNOTHING\r\n", code=1)
    true("errors: 1, replies: 2" in out, f"--pipe prints {out!r}")


def check_scan_and_sizes(server):
    with Wire(server) as wire:
        for i in range(200):
            wire.command("SET", f"key:{i}", "x" * i)
    names = cli(server, "--scan").split()
    equal(sorted(names), sorted(f"key:{i}" for i in range(200)))
    equal(len(cli(server, "--scan", "--pattern", "key:1*").split()), 111)
    out = cli(server, "--bigkeys")
    true('Biggest string found "key:199" has 199 bytes' in out
         or "Biggest string found '\"key:199\"' has 199 bytes" in out, f"--bigkeys: {out[-600:]}")
    out = cli(server, "--memkeys")
    true("Sampled 200 keys in the keyspace!" in out, f"--memkeys: {out[-600:]}")


def check_hot_keys(server):
    cli(server, "config", "set", "maxmemory-policy", "allkeys-lfu")
    try:
        with Wire(server) as wire:
            wire.command("SET", "hot", "v")
            for _ in range(500):
                wire.command("GET", "hot")
        out = cli(server, "--hotkeys")
        true("hot key found with counter:" in out, f"--hotkeys: {out[-600:]}")
    finally:
        cli(server, "config", "set", "maxmemory-policy", "noeviction")


def check_latency_and_stat(server):
    out = cli(server, "--latency", "-i", "0.1", "--raw")
    equal(len(out.split()), 4, "--latency")
    line = [PROGRAM, "-p", str(server.port), "-i", "0.05", "--stat"]
    with subprocess.Popen(line, stdout=subprocess.PIPE) as stat:
        seen = [stat.stdout.readline().decode() for _ in range(4)]
        stat.kill()
    true("keys" in seen[1] and len(seen[2].split()) >= 6, f"--stat: {seen}")


def check_password(server):
    own = Server(server.threads, "--requirepass", "secret")
    try:
        true(cli(own, "get", "a").startswith("NOAUTH Authentication required."), "NOAUTH")
        equal(cli(own, "-a", "secret", "--no-auth-warning", "ping"), "PONG\n")
        equal(cli(own, "-3", "-a", "secret", "--no-auth-warning", "ping"), "PONG\n")
        equal(cli(own, "--user", "default", "--pass", "secret", "--no-auth-warning", "ping"),
              "PONG\n")
        address = f"127.0.0.1:{own.port}/2"
        equal(cli(own, "--no-auth-warning", "-u", f"redis://default:secret@{address}", "ping"), "PONG\n")
        # An unauthenticated peer may not make the server hold much.
        for data, text in ((b"*11\r\n", b"unauthenticated multibulk length"),
                           (b"*1\r\n$16385\r\n", b"unauthenticated bulk length")):
            with Wire(own) as wire:
                wire.send(data)
                equal(wire.rest(), b"-ERR Protocol error: " + text + b"\r\n")
        process = own.process
        cli(own, "-a", "secret", "--no-auth-warning", "shutdown", "nosave")
        eventually(lambda: process.poll() is not None, "SHUTDOWN ends the process")
        equal(process.returncode, 0)
        own.process = None
    finally:
        own.close()
