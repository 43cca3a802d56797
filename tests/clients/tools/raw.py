"""What stands on the wire: inline commands as telnet sends them, reply types, protocol errors."""

import socket

from checks import equal, eventually, new, once, true
from wire import Wire, request


def check_telnet(server):
    with Wire(server) as wire:
        equal(wire.ask(b"PING\r\n"), b"+PONG\r\n")
        equal(wire.ask(b"set key value\r\n"), b"+OK\r\n")
        equal(wire.ask(b"  GET   key  \r\n"), b"$5\r\nvalue\r\n")
        equal(wire.ask(b"get key\n"), b"$5\r\nvalue\r\n")
        equal(wire.ask(b"\r\n\r\n\r\necho x\r\n"), b"$1\r\nx\r\n")


def check_quoting_in_telnet(server):
    with Wire(server) as wire:
        equal(wire.ask(b'set key "a b\\x00\\n\\"c"\r\n'), b"+OK\r\n")
        equal(wire.ask(b"get key\r\n"), b'$7\r\na b\0\n"c\r\n')
        equal(wire.ask(b"echo 'it\\'s \\n'\r\n"), b"$7\r\nit's \\n\r\n")
        equal(wire.ask(b'echo ""\r\n'), b"$0\r\n\r\n")
    for line in (b'echo "open\r\n', b"echo 'open\r\n", b'echo "a"b\r\n'):
        with Wire(server) as wire:
            wire.send(line)
            equal(wire.rest(), b"-ERR Protocol error: unbalanced quotes in request\r\n")


def check_a_line_that_never_ends(server):
    with Wire(server) as wire:
        wire.send(b"x" * 70000)
        equal(wire.rest(), b"-ERR Protocol error: too big inline request\r\n")


def check_a_shell_health_check(server):
    # As `printf 'PING\r\n' | nc`: the sender closes its side before it reads.
    with Wire(server) as wire:
        wire.send(b"PING\r\nGET missing\r\n")
        wire.socket.shutdown(socket.SHUT_WR)
        equal(wire.rest(), b"+PONG\r\n$-1\r\n")


def check_http_is_turned_away(server):
    for line in (b"POST / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: example\r\n"):
        with Wire(server) as wire:
            wire.send(line + b"\r\nset http smuggled\r\n")
            wire.rest()
    with Wire(server) as wire:
        equal(wire.command("EXISTS", "http"), b":0\r\n")
    eventually(lambda: "Possible SECURITY ATTACK detected" in server.log(), "it is logged")


def check_byte_after_byte(server):
    with Wire(server) as wire:
        wire.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in request("SET", "key", "a\r\nb") + b"get key\r\n" + request("STRLEN", "key"):
            wire.send(bytes([byte]))
        equal([wire.read() for _ in range(3)], [b"+OK\r\n", b"$4\r\na\r\nb\r\n", b":4\r\n"])


def check_any_chunks(server):
    stream = b"".join(request("SET", f"k{i}", "v" * (i * 37 % 500)) for i in range(400))
    stream += b"".join(request("STRLEN", f"k{i}") for i in range(400))
    wanted = b"+OK\r\n" * 400 + b"".join(b":%d\r\n" % (i * 37 % 500) for i in range(400))
    for size in (7, 100, 1447, 16384, 16385, 1 << 20):
        with Wire(server) as wire:
            for start in range(0, len(stream), size):
                wire.send(stream[start:start + size])
            wire.socket.shutdown(socket.SHUT_WR)
            true(wire.rest() == wanted, f"chunks of {size} bytes change the replies")


def check_a_writer_that_does_not_read(server):
    # garnet#1626: both sides must not wait for each other, however much is on its way.
    count = 200_000
    with Wire(server) as wire:
        wire.send(request("SET", "key", "x" * 40))
        wire.send(request("GET", "key") * count)
        wire.socket.shutdown(socket.SHUT_WR)
        true(wire.rest() == b"+OK\r\n" + (b"$40\r\n" + b"x" * 40 + b"\r\n") * count, "replies")


def check_null_in_both_protocols(server):
    # garnet#1235, dragonfly#8085, bun#19141.
    with Wire(server) as wire:
        equal(wire.command("GET", "missing"), b"$-1\r\n")
        equal(wire.command("MGET", "missing", "missing"), b"*2\r\n$-1\r\n$-1\r\n")
        equal(wire.command("SET", "missing", "v", "XX"), b"$-1\r\n")
        equal(wire.command("COMMAND", "INFO", "nothing"), b"*1\r\n$-1\r\n")
        equal(wire.command("CLIENT", "GETNAME"), b"$-1\r\n")
        equal(wire.command("MEMORY", "USAGE", "missing"), b"$-1\r\n")
        wire.command("HELLO", 3)
        equal(wire.command("GET", "missing"), b"_\r\n")
        equal(wire.command("MGET", "missing", "missing"), b"*2\r\n_\r\n_\r\n")
        equal(wire.command("SET", "missing", "v", "XX"), b"_\r\n")
        equal(wire.command("COMMAND", "INFO", "nothing"), b"*1\r\n_\r\n")
        equal(wire.command("CLIENT", "GETNAME"), b"_\r\n")
        equal(wire.command("MEMORY", "USAGE", "missing"), b"_\r\n")
        equal(wire.command("RANDOMKEY"), b"_\r\n")


def check_hello_on_the_wire(server):
    # kvrocks#2150 for the fields, phpredis#2656 for the list of modules.
    with Wire(server) as wire:
        for protocol, head in ((2, b"*14\r\n"), (3, b"%7\r\n"), (2, b"*14\r\n")):
            reply = wire.command("HELLO", protocol)
            true(reply.startswith(head + b"$6\r\nserver\r\n$"), f"HELLO {protocol}: {reply!r}")
            true(b"$5\r\nproto\r\n:%d\r\n$2\r\nid\r\n:" % protocol in reply, f"{reply!r}")
            true(reply.endswith(b"$7\r\nmodules\r\n*0\r\n"), f"HELLO {protocol}: {reply!r}")
        true(wire.command("HELLO").startswith(b"*14\r\n"), "HELLO alone keeps the protocol")
        equal(wire.command("HELLO", 4), b"-NOPROTO unsupported protocol version\r\n")
        equal(wire.command("HELLO", 1), b"-NOPROTO unsupported protocol version\r\n")


def check_types_of_resp3(server):
    # dragonfly#2242: INFO is a verbatim string. fakeredis-py#557: INCRBYFLOAT is no double.
    with Wire(server) as wire:
        wire.command("HELLO", 3)
        for words in (("INFO",), ("CLIENT", "LIST"), ("CLIENT", "INFO"), ("LOLWUT",),
                      ("MEMORY", "DOCTOR"), ("MEMORY", "MALLOC-STATS")):
            reply = wire.command(*words)
            true(reply[:1] == b"=" and reply.split(b"\r\n")[1][:4] == b"txt:",
                 f"{words}: {reply[:40]!r}")
        equal(wire.command("INCRBYFLOAT", "f", "1.50"), b"$3\r\n1.5\r\n")
        equal(wire.command("CONFIG", "GET", "databases"),
              b"%1\r\n$9\r\ndatabases\r\n$2\r\n16\r\n")
        equal(wire.command("CONFIG", "GET", "nothing"), b"%0\r\n")
        wire.command("MSET", "a", "ohmy", "b", "my")
        equal(wire.command("LCS", "a", "b", "IDX"),
              b"%2\r\n$7\r\nmatches\r\n*1\r\n*2\r\n*2\r\n:2\r\n:3\r\n*2\r\n:0\r\n:1\r\n"
              b"$3\r\nlen\r\n:2\r\n")
        stats = wire.command("MEMORY", "STATS")
        true(stats[:1] == b"%" and b"\r\n," in stats, "MEMORY STATS is a map with doubles")
        entry = wire.command("COMMAND", "INFO", "get")
        true(entry.startswith(b"*1\r\n*10\r\n$3\r\nget\r\n:2\r\n~2\r\n+readonly\r\n+fast\r\n"),
             f"COMMAND INFO get: {entry[:60]!r}")
        true(wire.command("COMMAND", "DOCS", "get").startswith(b"%1\r\n$3\r\nget\r\n%"), "docs")


def check_the_same_in_resp2(server):
    with Wire(server) as wire:
        for words in (("INFO",), ("CLIENT", "LIST"), ("LOLWUT",), ("MEMORY", "DOCTOR")):
            true(wire.command(*words)[:1] == b"$", f"{words} is a bulk string")
        equal(wire.command("INCRBYFLOAT", "f", "1.50"), b"$3\r\n1.5\r\n")
        equal(wire.command("CONFIG", "GET", "databases"),
              b"*2\r\n$9\r\ndatabases\r\n$2\r\n16\r\n")
        equal(wire.command("CONFIG", "GET", "nothing"), b"*0\r\n")
        stats = wire.command("MEMORY", "STATS")
        true(stats[:1] == b"*" and b"\r\n," not in stats, "MEMORY STATS is a flat array")
        entry = wire.command("COMMAND", "INFO", "get")
        true(entry.startswith(b"*1\r\n*10\r\n$3\r\nget\r\n:2\r\n*2\r\n+readonly\r\n+fast\r\n"),
             f"COMMAND INFO get: {entry[:60]!r}")
        true(wire.command("COMMAND", "DOCS", "get").startswith(b"*2\r\n$3\r\nget\r\n*"), "docs")


def check_one_error_and_no_more(server):
    # garnet#2037, garnet#2036: an error leaves exactly one reply, and the connection in step.
    with Wire(server) as wire:
        wire.command("SET", "key", "v")
        wanted = {
            ("EXPIRE", "key", "10", "NX", "XX"):
                b"-ERR NX and XX, GT or LT options at the same time are not compatible\r\n",
            ("EXPIRE", "key", "10", "GT", "LT"):
                b"-ERR GT and LT options at the same time are not compatible\r\n",
            ("SCAN", "0", "COUNT"): b"-ERR syntax error\r\n",
            ("SCAN", "0", "MATCH"): b"-ERR syntax error\r\n",
            ("SET", "key", "v", "EX"): b"-ERR syntax error\r\n",
            ("GETEX", "key", "EX"): b"-ERR syntax error\r\n",
            ("LCS", "key", "key", "MINMATCHLEN"): b"-ERR syntax error\r\n",
            ("CLIENT", "KILL", "ID"): b"-ERR No such client\r\n",
            ("CONFIG", "SET", "maxmemory"):
                b"-ERR wrong number of arguments for 'config|set' command\r\n",
            ("no\r\nsuch", "a\r\nb"):
                b"-ERR unknown command 'no  such', with args beginning with: 'a  b' \r\n",
            ("",): b"-ERR unknown command '', with args beginning with: \r\n",
            ("CLIENT", "a\r\nb"): b"-ERR unknown subcommand 'a  b'. Try CLIENT HELP.\r\n",
        }
        for words, reply in wanted.items():
            equal(wire.command(*words), reply, f"{words}")


def check_requests_that_are_none(server):
    # dragonfly#5937, dragonfly#5955: other types than strings crashed a parser.
    wanted = {
        b"*1\r\n:1\r\n": b"expected '$', got ':'",
        b"*1\r\n+PING\r\n": b"expected '$', got '+'",
        b"*2\r\n$3\r\nGET\r\n*1\r\n$1\r\na\r\n": b"expected '$', got '*'",
        b"*x\r\n": b"invalid multibulk length",
        b"*2147483648\r\n": b"invalid multibulk length",
        b"*1\r\n$-1\r\n": b"invalid bulk length",
        b"*1\r\n$x\r\n": b"invalid bulk length",
        b"*1\r\n$2000000000\r\n": b"invalid bulk length",
    }
    for data, text in wanted.items():
        with Wire(server) as wire:
            wire.send(request("PING") + data)
            equal(wire.rest(), b"+PONG\r\n-ERR Protocol error: " + text + b"\r\n", f"{data!r}")
    with Wire(server) as wire:
        equal(wire.ask(b"*0\r\n*-1\r\n*-7\r\n\r\nPING\r\n"), b"+PONG\r\n")


def check_limits_of_requests(server):
    with Wire(server) as wire:
        equal(wire.command("CONFIG", "SET", "proto-max-bulk-len", "2mb"), b"+OK\r\n")
        try:
            # One for each worker: a limit holds for everybody once it is answered.
            for _ in range(8):
                with Wire(server) as other:
                    other.send(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$2097153\r\n")
                    equal(other.rest(), b"-ERR Protocol error: invalid bulk length\r\n")
            equal(wire.command("SETRANGE", "key", 2097152, "x"),
                  b"-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n")
        finally:
            wire.command("CONFIG", "SET", "proto-max-bulk-len", "512mb")


def check_a_password_holds_at_once(server):
    # Whichever worker a connection comes to: it is asked from the moment of the reply on.
    with Wire(server) as wire:
        for _ in range(5):
            equal(wire.command("CONFIG", "SET", "requirepass", "secret"), b"+OK\r\n")
            others = [Wire(server) for _ in range(8)]
            for other in others:
                other.send(request("GET", "key") + request("QUIT"))
            replies = {other.rest() for other in others}
            equal(wire.command("CONFIG", "SET", "requirepass", ""), b"+OK\r\n")
            equal(replies, {b"-NOAUTH Authentication required.\r\n+OK\r\n"})


def check_client_reply_on_the_wire(server):
    # garnet#1626.
    with Wire(server) as wire:
        wire.send(request("CLIENT", "REPLY", "OFF") + request("SET", "a", "1") + request("NOTHING"))
        wire.send(request("GET") + request("CLIENT", "REPLY", "ON") + request("GET", "a"))
        equal([wire.read(), wire.read()], [b"+OK\r\n", b"$1\r\n1\r\n"])
        wire.send(request("CLIENT", "REPLY", "SKIP") + request("GET", "a") + request("ECHO", "x"))
        equal(wire.read(), b"$1\r\nx\r\n")


def check_both_protocols_in_one_pipeline(server):
    with Wire(server) as wire:
        wire.send(request("GET", "x") + request("HELLO", 3) + request("GET", "x"))
        wire.send(request("HELLO", 2) + request("GET", "x") + request("RESET"))
        replies = [wire.read() for _ in range(6)]
        equal([replies[0], replies[2], replies[4]], [b"$-1\r\n", b"_\r\n", b"$-1\r\n"])
        equal((replies[1][:3], replies[3][:3], replies[5]), (b"%7\r", b"*14", b"+RESET\r\n"))


def check_select_and_names_in_one_pipeline(server):
    with Wire(server) as wire:
        wire.send(request("SELECT", 3) + request("SET", "a", "3") + request("SELECT", 0))
        wire.send(request("EXISTS", "a") + request("SELECT", 3) + request("GET", "a"))
        equal([wire.read() for _ in range(6)],
              [b"+OK\r\n", b"+OK\r\n", b"+OK\r\n", b":0\r\n", b"+OK\r\n", b"$1\r\n3\r\n"])


def check_quit_answers_first(server):
    with Wire(server) as wire:
        wire.send(request("SET", "a", "1") + request("QUIT") + request("SET", "a", "2"))
        equal(wire.rest(), b"+OK\r\n+OK\r\n")
    with Wire(server, unix=True) as wire:
        equal(wire.command("GET", "a"), b"$1\r\n1\r\n")


def check_big_values_on_the_wire(server):
    big = bytes(range(256)) * 81920
    with Wire(server) as wire:
        equal(wire.command("SET", "big", big), b"+OK\r\n")
        wire.send(request("GET", "big") * 3 + request("STRLEN", "big"))
        wanted = b"$%d\r\n" % len(big) + big + b"\r\n"
        true([wire.read() for _ in range(3)] == [wanted] * 3, "GET returns another value")
        equal(wire.read(), b":%d\r\n" % len(big))


def check_a_connection_that_leaves_in_the_middle(server):
    for data in (b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1000000\r\nxx", b"*3\r\n$3\r\nSE", b"se"):
        with Wire(server) as wire:
            wire.send(data)
    with Wire(server) as wire:
        for _ in range(50):
            wire.send(request("SET", "big", b"x" * 1_000_000) + request("GET", "big"))
    with Wire(server) as wire:
        equal(wire.command("EXISTS", "k"), b":0\r\n")


@once("CLIENT|TRACKING")
def check_hello_and_tracking_keep_their_order(server):
    # dragonfly#8006: a pipeline of HELLO 3 and CLIENT TRACKING ON.
    with Wire(server) as wire:
        wire.send(request("HELLO", 3) + request("CLIENT", "TRACKING", "ON") + request("PING"))
        equal([wire.read()[:1], wire.read(), wire.read()], [b"%", b"+OK\r\n", b"+PONG\r\n"])


@new("INCREX")
def check_increx_on_the_wire(server):
    with Wire(server) as wire:
        equal(wire.command("INCREX", "n", "BYINT", "5"), b"*2\r\n:5\r\n:5\r\n")
