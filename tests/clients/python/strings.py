"""The string commands as redis-py sends them and reads their replies."""

import datetime
import time

from redis.commands.core import DataPersistOptions
from redis.exceptions import DataError, ResponseError

from checks import equal, eventually, new, once, pairs, raises, true, within


def check_get_of_a_missing_key_is_none(place):
    # bun#19141: a missing key must never read as "OK".
    equal(place.text.get("missing"), None)
    equal(place.text.mget(["missing", "missing2"]), [None, None])


def check_set_and_get(place):
    r = place.text
    equal(r.set("key", "value"), True)
    equal(r.get("key"), "value")
    r["other"] = "by item"
    equal(r["other"], "by item")
    equal("other" in r, True)
    del r["other"]
    raises(KeyError, "other", lambda: r["other"])
    equal(r.set("number", 12), True)
    equal(r.set("float", 1.5), True)
    equal(r.mget("number", "float"), ["12", "1.5"])
    equal(r.set("empty", ""), True)
    equal(r.get("empty"), "")


def check_set_conditions(place):
    r = place.text
    equal(r.set("key", "a", xx=True), None)
    equal(r.set("key", "a", nx=True), True)
    equal(r.set("key", "b", nx=True), None)
    equal(r.set("key", "b", xx=True), True)
    equal(r.get("key"), "b")
    raises(ResponseError, "syntax error", r.execute_command, "SET", "key", "c", "NX", "XX")


def check_set_with_get(place):
    # dragonfly#2874: SET ... GET gives the former value, also with a condition.
    r = place.text
    equal(r.set("key", "a", get=True), None)
    equal(r.set("key", "b", get=True), "a")
    equal(r.set("key", "c", get=True, xx=True), "b")
    equal(r.set("key", "d", get=True, nx=True), "c")
    equal(r.get("key"), "c")


def check_set_with_expiry(place):
    r = place.text
    now = int(time.time())
    r.set("ex", "v", ex=100)
    within(r.ttl("ex"), 99, 100)
    r.set("px", "v", px=100_000)
    within(r.pttl("px"), 90_000, 100_000)
    r.set("delta", "v", ex=datetime.timedelta(minutes=2))
    within(r.ttl("delta"), 119, 120)
    r.set("pdelta", "v", px=datetime.timedelta(minutes=2))
    within(r.ttl("pdelta"), 119, 120)
    r.set("exat", "v", exat=now + 200)
    equal(r.expiretime("exat"), now + 200)
    r.set("pxat", "v", pxat=(now + 200) * 1000 + 7)
    equal(r.pexpiretime("pxat"), (now + 200) * 1000 + 7)
    r.set("date", "v", exat=datetime.datetime.fromtimestamp(now + 300))
    equal(r.expiretime("date"), now + 300)
    r.set("exat", "w", keepttl=True)
    equal(r.expiretime("exat"), now + 200)
    r.set("exat", "w")
    equal(r.ttl("exat"), -1)


def check_set_with_a_past_expiry(place):
    # dragonfly#8082: a time in the past deletes, and still honours NX, XX and GET.
    r = place.text
    r.set("key", "a")
    equal(r.set("key", "b", nx=True, pxat=1), None)
    equal(r.get("key"), "a")
    equal(r.set("key", "b", pxat=1, get=True), "a")
    equal(r.exists("key"), 0)
    equal(r.set("key", "b", xx=True, exat=1), None)
    equal(r.exists("key"), 0)


def check_set_refuses_bad_expiries(place):
    r = place.text
    for word in ("EX", "PX", "EXAT", "PXAT"):
        for value in ("0", "-1", str(2**63 - 1) if word.startswith("EX") else "-5"):
            raises(ResponseError, "invalid expire time in 'set' command",
                   r.execute_command, "SET", "key", "v", word, value)
    text = "value is not an integer or out of range"
    raises(ResponseError, text, r.execute_command, "SET", "key", "v", "EX", "1.5")
    for words in ("EX", "EX 1 PX 1", "KEEPTTL EX 1"):
        raises(ResponseError, "syntax error",
               r.execute_command, "SET", "key", "v", *words.split())
    equal(r.exists("key"), 0)


def check_long_expiries_are_kept(place):
    # Dragonfly's limits (8 years, rounding above 2^28 ms) are not ours.
    r = place.text
    r.set("key", "v", px=2**28 + 12345)
    within(r.pttl("key"), 2**28 + 12345 - 2000, 2**28 + 12345)
    r.set("key", "v", ex=100 * 365 * 86400)
    within(r.ttl("key"), 100 * 365 * 86400 - 5, 100 * 365 * 86400)


@new("DIGEST")
def check_set_compares(place):
    r = place.text
    r.set("key", "a")
    equal(r.set("key", "b", ifeq="x"), None)
    equal(r.set("key", "b", ifeq="a"), True)
    equal(r.set("key", "c", ifne="b"), None)
    equal(r.set("key", "c", ifne="a"), True)
    digest = r.digest("key")
    equal(r.set("key", "d", ifdne=digest), None)
    equal(r.set("key", "d", ifdeq=digest, get=True), "c")
    equal(r.set("key", "e", ifdeq=digest), None)
    equal(r.get("key"), "d")
    equal(r.set("missing", "v", ifeq="v"), None)
    equal(r.set("missing", "v", ifne="v"), True)


@new("DIGEST")
def check_digest(place):
    r = place.text
    equal(r.digest("missing"), None)
    r.set("key", "Hello world")
    # XXH3 with 64 bits, as the documentation of Redis's DIGEST gives it.
    equal(r.digest("key"), "b6acb9d84a38ff74")


@new("DELEX")
def check_delex(place):
    r = place.text
    r.mset({"a": "1", "b": "2", "c": "3"})
    equal(r.delex("a", ifeq="2"), 0)
    equal(r.delex("a", ifeq="1"), 1)
    equal(r.delex("a", ifeq="1"), 0)
    equal(r.delex("b", ifne="2"), 0)
    equal(r.delex("b", ifne="x"), 1)
    equal(sorted(r.keys()), ["c"])


@new("DIGEST")
def check_delex_with_digests(place):
    r = place.text
    r.set("c", "3")
    digest = r.digest("c")
    equal(r.delex("c", ifdne=digest), 0)
    equal(r.delex("c", ifdeq=digest), 1)
    r.set("c", "3")
    equal(r.delex("c"), 1)
    equal(r.dbsize(), 0)


@new("DELIFEQ")
def check_delifeq(place):
    r = place.text
    r.set("key", "token")
    equal(r.execute_command("DELIFEQ", "key", "other"), 0)
    equal(r.execute_command("DELIFEQ", "key", "token"), 1)
    equal(r.execute_command("DELIFEQ", "key", "token"), 0)


def check_setex_psetex_setnx(place):
    r = place.text
    equal(r.setex("key", 100, "v"), True)
    within(r.ttl("key"), 99, 100)
    equal(r.setex("key", datetime.timedelta(seconds=50), "v"), True)
    within(r.ttl("key"), 49, 50)
    equal(r.psetex("key", 50_000, "w"), True)
    within(r.pttl("key"), 45_000, 50_000)
    equal(r.setnx("key", "x"), False)
    equal(r.setnx("new", "x"), True)
    raises(ResponseError, "invalid expire time in 'setex' command", r.setex, "key", 0, "v")
    raises(ResponseError, "invalid expire time in 'psetex' command", r.psetex, "key", 0, "v")
    equal(r.get("key"), "w")


def check_getset_getdel(place):
    r = place.text
    equal(r.getset("key", "a"), None)
    r.expire("key", 100)
    equal(r.getset("key", "b"), "a")
    equal(r.ttl("key"), -1)
    equal(r.getdel("key"), "b")
    equal(r.getdel("key"), None)


def check_getex(place):
    r = place.text
    now = int(time.time())
    equal(r.getex("key", ex=10), None)
    equal(r.exists("key"), 0)
    r.set("key", "v")
    equal(r.getex("key"), "v")
    equal(r.ttl("key"), -1)
    equal(r.getex("key", ex=100), "v")
    within(r.ttl("key"), 99, 100)
    equal(r.getex("key", px=200_000), "v")
    within(r.ttl("key"), 199, 200)
    equal(r.getex("key", exat=now + 300), "v")
    equal(r.expiretime("key"), now + 300)
    equal(r.getex("key", pxat=(now + 400) * 1000), "v")
    equal(r.expiretime("key"), now + 400)
    equal(r.getex("key", persist=True), "v")
    equal(r.ttl("key"), -1)
    equal(r.getex("key", pxat=1), "v")
    equal(r.get("key"), None)


def check_counting(place):
    r = place.text
    equal(r.incr("n"), 1)
    equal(r.incr("n", 41), 42)
    equal(r.incrby("n", -2), 40)
    equal(r.decr("n"), 39)
    equal(r.decr("n", 9), 30)
    equal(r.decrby("n", -5), 35)
    equal(r.get("n"), "35")
    r.set("n", str(2**63 - 1))
    raises(ResponseError, "increment or decrement would overflow", r.incr, "n")
    equal(r.get("n"), str(2**63 - 1))
    r.set("n", str(-(2**63)))
    raises(ResponseError, "increment or decrement would overflow", r.decr, "n")
    text = "value is not an integer or out of range"
    for bad in ("", "x", "1.0", " 1", "1 ", "+1", "01", "9223372036854775808"):
        r.set("bad", bad)
        raises(ResponseError, text, r.incr, "bad")
    raises(ResponseError, text, r.execute_command, "INCRBY", "fresh", "1.5")
    equal(r.exists("fresh"), 0)


def check_counting_keeps_the_expiry(place):
    r = place.text
    r.set("n", 1, ex=100)
    r.incr("n")
    r.append("n", "0")
    r.setrange("n", 0, "3")
    within(r.ttl("n"), 99, 100)
    equal(r.get("n"), "30")


def check_incrbyfloat(place):
    r = place.text
    equal(r.incrbyfloat("f", "10.5"), 10.5)
    equal(r.incrbyfloat("f", "0.1"), 10.6)
    equal(r.get("f"), "10.6")
    r.set("f", "5.0e3")
    equal(r.incrbyfloat("f", "2.0e2"), 5200.0)
    equal(r.get("f"), "5200")
    r.set("f", "3.0e-3")
    r.incrbyfloat("f", "1")
    equal(r.get("f"), "1.003")
    raises(ResponseError, "value is not a valid float", r.incrbyfloat, "f", "abc")
    r.set("x", "text")
    raises(ResponseError, "value is not a valid float", r.incrbyfloat, "x", "1")
    raises(ResponseError, "NaN or Infinity", r.execute_command, "INCRBYFLOAT", "f", "+inf")


@new("INCREX")
def check_increx(place):
    r = place.text
    equal([int(n) for n in r.increx("n", byint=5)], [5, 5])
    equal([int(n) for n in r.increx("n", byint=10, ubound=12, saturate=True)], [12, 7])
    equal([int(n) for n in r.increx("n", byint=1, ubound=12)], [12, 0])
    equal(r.ttl("n"), -1)
    r.increx("n", byint=-2, ex=100)
    within(r.ttl("n"), 99, 100)
    r.increx("n", byint=0, ex=500, enx=True)
    within(r.ttl("n"), 99, 100)
    r.increx("n", persist=True)
    equal((r.get("n"), r.ttl("n")), ("11", -1))
    equal([float(n) for n in r.increx("f", byfloat="1.5")], [1.5, 1.5])


def check_ranges(place):
    r = place.text
    # garnet#1969: a range of an empty or missing value is empty.
    equal(r.getrange("missing", 0, -1), "")
    r.set("empty", "")
    equal(r.getrange("empty", 0, -1), "")
    equal(r.getrange("empty", -5, 5), "")
    r.set("key", "This is a string")
    wanted = {
        (0, 3): "This", (-3, -1): "ing", (0, -1): "This is a string", (10, 100): "string",
        (5, 3): "", (-100, 3): "This", (20, 30): "", (-1, -3): "", (-1, -100): "",
        (-(2**63), 2**63 - 1): "This is a string",
    }
    for (start, end), text in wanted.items():
        equal(r.getrange("key", start, end), text, f"GETRANGE {start} {end}")
        equal(r.substr("key", start, end), text, f"SUBSTR {start} {end}")


def check_setrange_append_strlen(place):
    r = place.text
    equal(r.setrange("key", 6, "Redis"), 11)
    equal(place.raw.get("key"), b"\0\0\0\0\0\0Redis")
    equal(r.setrange("key", 0, "Hello "), 11)
    equal(r.get("key"), "Hello Redis")
    equal(r.setrange("missing", 0, ""), 0)
    equal(r.setrange("missing", 100, ""), 0)
    equal(r.exists("missing"), 0)
    raises(ResponseError, "offset is out of range", r.setrange, "key", -1, "x")
    text = "string exceeds maximum allowed size"
    raises(ResponseError, text, r.setrange, "key", 536870912, "x")
    equal(r.append("a", "foo"), 3)
    equal(r.append("a", "bar"), 6)
    equal(r.append("a", ""), 6)
    equal(r.get("a"), "foobar")
    equal((r.strlen("a"), r.strlen("missing")), (6, 0))
    r.set("n", 12345)
    equal(r.append("n", "6"), 6)
    equal(r.incr("n"), 123457)


def check_many_keys_at_once(place):
    r = place.text
    equal(r.mset({f"k{i}": f"v{i}" for i in range(500)}), True)
    equal(r.mget([f"k{i}" for i in range(501)]), [f"v{i}" for i in range(500)] + [None])
    equal(r.mset({"k0": "w", "x": "y"}), True)
    equal(r.get("k0"), "w")
    equal(r.msetnx({"n1": "a", "k0": "b"}), False)
    equal(r.exists("n1"), 0)
    equal(r.msetnx({"n1": "a", "n2": "b"}), True)
    equal(r.mget("n1", "n2"), ["a", "b"])
    equal(r.execute_command("MSET", "twice", "1", "twice", "2"), True)
    equal(r.get("twice"), "2")
    text = "wrong number of arguments for 'mset' command"
    raises(ResponseError, text, r.execute_command, "MSET", "a", "b", "c")


@new("MSETEX")
def check_msetex(place):
    r = place.text
    equal(r.msetex({"a": "1", "b": "2"}, ex=100), 1)
    within(r.ttl("a"), 99, 100)
    within(r.ttl("b"), 99, 100)
    equal(r.msetex({"a": "3", "b": "4"}, keepttl=True), 1)
    within(r.ttl("a"), 99, 100)
    equal(r.msetex({"b": "x", "c": "y"}, data_persist_option=DataPersistOptions.NX), 0)
    equal(r.msetex({"b": "x", "c": "y"}, data_persist_option=DataPersistOptions.XX), 0)
    equal(r.exists("c"), 0)
    equal(r.msetex({"c": "y", "d": "z"}, data_persist_option=DataPersistOptions.NX, px=50_000), 1)
    within(r.pttl("d"), 45_000, 50_000)
    equal(r.mget("a", "b", "c", "d"), ["3", "4", "y", "z"])
    equal(r.msetex({"a": "5"}), 1)
    equal(r.ttl("a"), -1)


def check_lcs(place):
    # fakeredis-py#555: LCS with every option.
    r = place.text
    equal(r.lcs("none1", "none2"), "")
    r.mset({"a": "ohmytext", "b": "mynewtext"})
    equal(r.lcs("a", "b"), "mytext")
    equal(r.lcs("a", "b", len=True), 6)
    wanted = {"matches": [[[4, 7], [5, 8]], [[2, 3], [0, 1]]], "len": 6}
    equal(pairs(r.lcs("a", "b", idx=True)), wanted)
    wanted = {"matches": [[[4, 7], [5, 8], 4]], "len": 6}
    equal(pairs(r.lcs("a", "b", idx=True, minmatchlen=4, withmatchlen=True)), wanted)
    text = "If you want both the length and indexes, please just use IDX."
    raises(ResponseError, text, r.lcs, "a", "b", len=True, idx=True)


def check_binary_keys_and_values(place):
    r = place.raw
    every = bytes(range(256))
    key = b"\r\n$-1\r\n*0\r\n \0" + every
    equal(r.set(key, every * 3), True)
    equal(r.get(key), every * 3)
    equal(r.keys(), [key])
    equal(list(r.scan_iter()), [key])
    equal(r.randomkey(), key)
    equal(r.rename(key, b""), True)
    equal(r.get(b""), every * 3)
    equal(place.text.set("schlüssel", "größe ✓"), True)
    equal(place.text.get("schlüssel"), "größe ✓")
    equal(place.text.strlen("schlüssel"), len("größe ✓".encode()))


def check_values_of_20_megabytes(place):
    # garnet#1770: a large value must not close the connection.
    r = place.raw
    big = bytes(range(251)) * (20 * 1024 * 1024 // 251)
    equal(r.set("big", big), True)
    true(r.get("big") == big, "GET returns another value")
    equal(r.append("big", b"end"), len(big) + 3)
    equal(r.getrange("big", -6, -1), big[-3:] + b"end")
    true(r.getset("big", b"small") == big + b"end", "GETSET returns another value")
    r.mset({b"one": big, b"two": big})
    equal([value == big for value in r.mget("one", "missing", "two")], [True, False, True])
    equal(r.delete("one", "two"), 2)


def check_expiry_arrives(place):
    r = place.text
    r.set("soon", "v", px=30)
    r.set("later", "v", px=60_000)
    eventually(lambda: r.get("soon") is None, "the key expires")
    equal(r.exists("soon", "later"), 1)
    r.mset({f"k{i}": "v" for i in range(200)})
    for i in range(200):
        r.pexpire(f"k{i}", 20)
    # Nobody asks for the keys by name, so this is the server's own expiry at work.
    eventually(lambda: r.dbsize() == 1, "200 keys expire on their own", 5)


def check_a_client_refuses_what_it_cannot_send(place):
    raises(DataError, "", place.text.set, "key", None)
    equal(place.text.ping(), True)


@once("LPUSH")
def check_wrongtype(place):
    r = place.text
    r.lpush("list", "x")
    text = "Operation against a key holding the wrong kind of value"
    raises(ResponseError, text, r.get, "list")
    raises(ResponseError, text, r.incr, "list")
    raises(ResponseError, text, r.append, "list", "x")
    # dragonfly#2874: SET ... GET refuses another type and leaves it alone.
    raises(ResponseError, text, r.set, "list", "x", get=True)
    equal(r.mget("list"), [None])
    equal(r.set("list", "x"), True)
