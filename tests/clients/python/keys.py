"""Keys: deleting, renaming, copying, expiring, scanning."""

import datetime
import time

from redis.exceptions import ResponseError

from checks import equal, eventually, raises, true, within


def check_delete_exists_touch(place):
    r = place.text
    r.mset({"a": 1, "b": 2, "c": 3, "d": 4})
    equal(r.exists("a", "b", "a", "missing"), 3)
    equal(r.touch("a", "b", "missing"), 2)
    equal(r.delete("a", "a", "missing"), 1)
    equal(r.unlink("b", "c", "missing"), 2)
    equal(r.dbsize(), 1)
    equal(r.delete("missing"), 0)


def check_type_and_object(place):
    r = place.text
    r.mset({"int": 12345, "short": "text", "long": "x" * 200})
    equal(r.type("int"), "string")
    equal(r.type("missing"), "none")
    equal(r.object("encoding", "int"), "int")
    equal(r.object("encoding", "short"), "embstr")
    equal(r.object("encoding", "long"), "raw")
    equal(r.object("encoding", "missing"), None)
    within(r.object("idletime", "int"), 0, 2)
    within(r.object("refcount", "short"), 1, 1)
    raises(ResponseError, "maxmemory policy is not", r.object, "freq", "int")
    raises(ResponseError, "unknown subcommand 'nothing'. Try OBJECT HELP.",
           r.object, "nothing", "int")


def check_rename(place):
    r = place.text
    r.set("a", "1", ex=100)
    r.set("b", "2")
    equal(r.rename("a", "b"), True)
    equal(r.get("b"), "1")
    within(r.ttl("b"), 99, 100)
    raises(ResponseError, "no such key", r.rename, "a", "c")
    r.set("a", "3")
    equal(r.renamenx("a", "b"), False)
    equal(r.renamenx("a", "c"), True)
    equal(r.rename("c", "c"), True)
    equal(sorted(r.keys("*")), ["b", "c"])


def check_copy_and_move(place):
    r = place.text
    other = place.client(db=5, decode_responses=True)
    r.set("a", "1", ex=100)
    equal(r.copy("a", "b"), True)
    within(r.ttl("b"), 99, 100)
    equal(r.copy("a", "b"), False)
    r.set("a", "2")
    equal(r.copy("a", "b", replace=True), True)
    equal((r.get("b"), r.ttl("b")), ("2", -1))
    equal(r.copy("missing", "x"), False)
    equal(r.copy("a", "a", destination_db=5), True)
    equal(other.get("a"), "2")
    raises(ResponseError, "source and destination objects are the same", r.copy, "a", "a")
    raises(ResponseError, "DB index is out of range", r.copy, "a", "x", destination_db=99)
    equal(r.move("b", 5), True)
    equal((r.exists("b"), other.get("b")), (0, "2"))
    equal(r.move("a", 5), False)
    equal(r.move("missing", 5), False)
    raises(ResponseError, "source and destination objects are the same", r.move, "a", 0)


def check_databases(place):
    r = place.text
    other = place.client(db=9, decode_responses=True)
    r.set("key", "zero")
    other.set("key", "nine")
    equal(r.swapdb(0, 9), True)
    equal((r.get("key"), other.get("key")), ("nine", "zero"))
    equal(other.flushdb(), True)
    equal((r.dbsize(), other.dbsize()), (1, 0))
    equal(other.flushdb(asynchronous=True), True)
    other.set("key", "again")
    equal(r.flushall(asynchronous=True), True)
    equal((r.dbsize(), other.dbsize()), (0, 0))
    raises(ResponseError, "invalid first DB index", r.execute_command, "SWAPDB", "a", "1")
    raises(ResponseError, "DB index is out of range", r.swapdb, 0, 99)
    bad = place.client(db=99)
    raises(ResponseError, "DB index is out of range", bad.ping)


def check_expire_conditions(place):
    r = place.text
    equal(r.expire("missing", 10), False)
    r.set("key", "v")
    equal(r.expire("key", 100, xx=True), False)
    equal(r.expire("key", 100, gt=True), False)
    equal(r.expire("key", 100, nx=True), True)
    equal(r.expire("key", 200, nx=True), False)
    equal(r.expire("key", 50, gt=True), False)
    equal(r.expire("key", 200, gt=True), True)
    equal(r.expire("key", 300, lt=True), False)
    equal(r.expire("key", 50, lt=True), True)
    equal(r.expire("key", 60, xx=True), True)
    within(r.ttl("key"), 59, 60)
    equal(r.persist("key"), True)
    equal(r.persist("key"), False)
    equal(r.expire("key", 10, lt=True), True)


def check_expire_refuses_options_that_exclude_each_other(place):
    # garnet#2037: one error, and nothing behind it.
    r = place.text
    r.set("key", "v")
    text = "NX and XX, GT or LT options at the same time are not compatible"
    raises(ResponseError, text, r.expire, "key", 10, nx=True, xx=True)
    raises(ResponseError, text, r.expire, "key", 10, nx=True, gt=True)
    text = "GT and LT options at the same time are not compatible"
    raises(ResponseError, text, r.expire, "key", 10, gt=True, lt=True)
    raises(ResponseError, "Unsupported option", r.execute_command, "EXPIRE", "key", 10, "AB")
    equal(r.get("key"), "v")
    equal(r.ttl("key"), -1)


def check_expire_times(place):
    r = place.text
    now = int(time.time())
    r.set("key", "v")
    equal(r.expire("key", datetime.timedelta(seconds=90)), True)
    within(r.ttl("key"), 89, 90)
    equal(r.pexpire("key", 90_500), True)
    within(r.pttl("key"), 85_000, 90_500)
    equal(r.expireat("key", now + 1000), True)
    equal(r.expiretime("key"), now + 1000)
    equal(r.pexpireat("key", (now + 1000) * 1000 + 123), True)
    equal(r.pexpiretime("key"), (now + 1000) * 1000 + 123)
    equal(r.expireat("key", datetime.datetime.fromtimestamp(now + 2000)), True)
    equal(r.expiretime("key"), now + 2000)
    equal((r.ttl("missing"), r.pttl("missing")), (-2, -2))
    equal((r.expiretime("missing"), r.pexpiretime("missing")), (-2, -2))
    r.persist("key")
    equal((r.ttl("key"), r.expiretime("key"), r.pexpiretime("key")), (-1, -1, -1))
    equal(r.expire("key", -1), True)
    equal(r.exists("key"), 0)
    r.set("key", "v")
    equal(r.expireat("key", 1), True)
    equal(r.exists("key"), 0)
    r.set("key", "v")
    text = "invalid expire time in 'expire' command"
    raises(ResponseError, text, r.execute_command, "EXPIRE", "key", str(2**63 - 1))


def check_keys_patterns(place):
    r = place.text
    r.mset({name: "x" for name in ("hello", "hallo", "hxllo", "hllo", "heeeello", "h*llo", "H")})
    wanted = {
        "h?llo": ["h*llo", "hallo", "hello", "hxllo"],
        "h*llo": ["h*llo", "hallo", "heeeello", "hello", "hllo", "hxllo"],
        "h[ae]llo": ["hallo", "hello"], "h[^e]llo": ["h*llo", "hallo", "hxllo"],
        "h[a-f]llo": ["hallo", "hello"], "h\\*llo": ["h*llo"], "nothing": [], "H": ["H"],
    }
    for pattern, names in wanted.items():
        equal(sorted(r.keys(pattern)), names, f"KEYS {pattern}")
        equal(sorted(r.scan_iter(match=pattern)), names, f"SCAN MATCH {pattern}")


def check_scan_iterators(place):
    r = place.text
    names = {f"key:{i}" for i in range(3000)}
    r.mset({name: "v" for name in names})
    found = list(r.scan_iter(count=100))
    equal(sorted(found), sorted(names))
    found = set(r.scan_iter(match="key:1*", count=500))
    equal(found, {name for name in names if name.startswith("key:1")})
    equal(set(r.scan_iter(_type="string")), names)
    equal(set(r.scan_iter(_type="STRING", count=5000)), names)
    equal(list(r.scan_iter(_type="list")), [])
    cursor, part = r.scan(0, count=10)
    true(cursor != 0 and 0 < len(part) < 3000, f"SCAN 0 COUNT 10: {cursor}, {len(part)} keys")


def check_scan_while_keys_come_and_go(place):
    r = place.text
    stays = {f"stays:{i}" for i in range(200)}
    r.mset({name: "v" for name in stays})
    found = set()
    for step, name in enumerate(r.scan_iter(count=10)):
        found.add(name)
        r.mset({f"new:{step}:{i}": "v" for i in range(5)})
        r.delete(f"new:{step - 3}:0", f"new:{step - 3}:1")
        if stays <= found:
            break
    true(stays <= found, "a key that was always there was not returned")


def check_scan_arguments(place):
    r = place.text
    # garnet#2036: an option without its value is an error, and the connection lives on.
    for last in ("MATCH", "COUNT", "TYPE"):
        raises(ResponseError, "syntax error", r.execute_command, "SCAN", "0", last)
    # fakeredis-py#555: a count below one is a syntax error.
    for count in ("0", "-1"):
        raises(ResponseError, "syntax error", r.execute_command, "SCAN", "0", "COUNT", count)
    text = "value is not an integer or out of range"
    raises(ResponseError, text, r.execute_command, "SCAN", "0", "COUNT", "x")
    for cursor in ("x", "1.5", "1 "):
        raises(ResponseError, "invalid cursor", r.execute_command, "SCAN", cursor)
    equal(r.execute_command("SCAN", str(2**63 + 12345))[1], [])
    equal(r.ping(), True)


def check_randomkey(place):
    r = place.text
    equal(r.randomkey(), None)
    r.mset({"a": 1, "b": 2})
    seen = set()
    eventually(lambda: seen.add(r.randomkey()) or seen == {"a", "b"}, "both keys are drawn")


def check_results_do_not_depend_on_the_shard(place):
    # fakeredis-py#564: keys lie on many shards, and the reply keeps the order of the request.
    r = place.text
    names = [f"shard:{i * 7919}" for i in range(300)]
    r.mset({name: str(i) for i, name in enumerate(names)})
    equal(r.mget(names[::-1]), [str(i) for i in range(300)][::-1])
    equal(r.exists(*names, *names), 600)
    equal(r.touch(*names), 300)
    for i in range(0, 298, 2):
        equal(r.rename(names[i], names[i + 1]), True)
    equal(r.mget(names[1:298:2]), [str(i) for i in range(0, 298, 2)])
    equal(r.unlink(*names), 151)
    equal(r.dbsize(), 0)
