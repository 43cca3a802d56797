"""Scripts and functions as redis-py offers them."""

import redis

from checks import equal, once, raises, true

MULTIPLY = """
local value = tonumber(redis.call('GET', KEYS[1]) or 0)
return value * ARGV[1]
"""
LIBRARY = """#!lua name=counters
local calls = 0
redis.register_function('add', function(keys, args)
  calls = calls + 1
  return redis.call('INCRBY', keys[1], args[1])
end)
redis.register_function{
  function_name = 'look', description = 'reads', flags = {'no-writes', 'allow-stale'},
  callback = function(keys) return redis.call('GET', keys[1]) end
}
redis.register_function('calls', function() return calls end)
"""


@once("EVAL")
def check_eval_and_evalsha(place):
    client = place.text
    client.set("key", 2)
    equal(client.eval(MULTIPLY, 1, "key", 3), 6)
    digest = client.script_load(MULTIPLY)
    equal(len(digest), 40)
    equal(client.script_exists(digest, "0" * 40), [True, False])
    equal(client.evalsha(digest, 1, "key", 4), 8)
    equal(client.eval_ro(MULTIPLY, 1, "key", 5), 10)
    equal(client.evalsha_ro(digest, 1, "key", 6), 12)
    writes = "return redis.call('SET', KEYS[1], 1)"
    raises(redis.ResponseError, "Write commands are not allowed", client.eval_ro, writes, 1, "key")
    equal(client.script_flush("SYNC"), True)
    equal(client.script_exists(digest), [False])
    raises(redis.exceptions.NoScriptError, "No matching script", client.evalsha, digest, 1, "key")


@once("EVAL")
def check_script_objects(place):
    client = place.text
    client.set("key", 2)
    multiply = client.register_script(MULTIPLY)
    client.script_flush()
    equal(multiply(keys=["key"], args=[5]), 10)
    equal(multiply(keys=["key"], args=[5], client=place.raw), 10)
    client.script_flush()
    pipe = client.pipeline()
    pipe.set("key", 7)
    multiply(keys=["key"], args=[3], client=pipe)
    multiply(keys=["none"], args=[3], client=pipe)
    equal(pipe.execute(), [True, 21, 0])


@once("EVAL")
def check_values(place):
    client = place.text
    equal(client.eval("return {1, 2.9, 'x', false, {1, {'y'}}, nil, 3}", 0),
          [1, 2, "x", None, [1, ["y"]]])
    equal(client.eval("return {ok = 'FINE'}", 0), "FINE")
    equal(client.eval("return redis.status_reply('OK')", 0), "OK")
    raises(redis.ResponseError, "my own", client.eval, "return redis.error_reply('MY my own')", 0)
    equal(place.raw.eval("return ARGV[1]", 0, b"\x00\xff\r\n"), b"\x00\xff\r\n")
    equal(client.eval("return #ARGV", 0, *range(1000)), 1000)
    big = "x" * 1_000_000
    equal(client.eval("redis.call('SET', KEYS[1], ARGV[1]) return redis.call('GET', KEYS[1])",
                      1, "big", big), big)
    typed = client.eval("redis.setresp(3) redis.call('HSET', 'h', 'f', 1) "
                        "return redis.call('HGETALL', 'h')", 0)
    equal(typed, {"f": "1"} if place.protocol == 3 else ["f", "1"])


@once("EVAL")
def check_errors(place):
    client = place.text
    client.set("text", "x")
    for script, part in (
        ("return redis.call('INCR', 'text')", "not an integer or out of range"),
        ("return redis.call('INCR', 'text')", "on @user_script:1."),
        ("return redis.call('NOTHING')", "Unknown command called from script"),
        ("return 1 +", "Error compiling script"),
        ("\n\nerror('mine')", "user_script:3: mine"),
        ("return foo", "nonexistent global variable 'foo'"),
        ("foo = 1", "readonly table"),
    ):
        raises(redis.ResponseError, part, client.eval, script, 0)
    equal(client.eval("local e = redis.pcall('INCR', 'text') return e.err", 0),
          "ERR value is not an integer or out of range")
    equal(client.eval("return {pcall(redis.call, 'INCR', 'text')}", 0)[0], None)


@once("EVAL")
def check_what_a_script_wrote_is_one_change(place):
    client = place.text
    with client.pipeline() as pipe:
        pipe.watch("key")
        client.eval("redis.call('SET', KEYS[1], 1)", 1, "key")
        pipe.multi()
        pipe.get("key")
        raises(redis.WatchError, "", pipe.execute)
    equal(client.eval("redis.call('SELECT', 1) redis.call('SET', 'there', 1) return 1", 0), 1)
    equal((client.get("there"), client.dbsize()), (None, 1))


@once("FUNCTION")
def check_functions(place):
    client = place.text
    client.function_flush()
    equal(client.function_load(LIBRARY), "counters")
    raises(redis.ResponseError, "already exists", client.function_load, LIBRARY)
    equal(client.function_load(LIBRARY, replace=True), "counters")
    equal([client.fcall("add", 1, "key", 5), client.fcall("add", 1, "key", 6)], [5, 11])
    equal(client.fcall_ro("look", 1, "key"), "11")
    equal(client.fcall("calls", 0), 2)
    raises(redis.ResponseError, "write flag", client.fcall_ro, "add", 1, "key", 1)
    raises(redis.ResponseError, "Function not found", client.fcall, "none", 0)
    listed = client.function_list(library="count*", withcode=True)
    equal(len(listed), 1)
    true(LIBRARY in str(listed[0]).replace("\\n", "\n"), "the code is told")
    equal(client.function_list(library="x*"), [])
    stats = client.function_stats()
    true("LUA" in str(stats), "the engine is told")


@once("FUNCTION")
def check_function_payloads(place):
    client, raw = place.text, place.raw
    client.function_flush()
    client.function_load(LIBRARY)
    payload = raw.function_dump()
    raises(redis.ResponseError, "already exists", raw.function_restore, payload)
    true(raw.function_restore(payload, "REPLACE"), "it replaces")
    true(raw.function_restore(payload, "FLUSH"), "it flushes")
    true(client.function_delete("counters"), "it is gone")
    raises(redis.ResponseError, "not found", client.function_delete, "counters")
    true(raw.function_restore(payload, "APPEND"), "it is back")
    equal(client.fcall("add", 1, "key", 1), 1)
    client.function_flush("ASYNC")
    equal(client.function_list(), [])


@once("EVAL")
def check_locks(place):
    client = place.text
    lock = client.lock("lock", timeout=10, blocking=False)
    equal([lock.acquire(), lock.locked(), lock.owned()], [True, True, True])
    equal(client.lock("lock", blocking=False).acquire(), False)
    true(lock.extend(100), "it is extended")
    true(client.pttl("lock") > 100_000, "to the sum of both times")
    true(lock.extend(20, replace_ttl=True), "or to the new one")
    true(client.pttl("lock") <= 20_000, "which is shorter")
    true(lock.reacquire(), "its time begins anew")
    lock.release()
    raises(redis.exceptions.LockError, "", lock.release)
    with client.lock("lock", timeout=10) as held:
        client.set("lock", "somebody else")
        raises(redis.exceptions.LockNotOwnedError, "", held.extend, 1)
        client.set("lock", held.local.token)
