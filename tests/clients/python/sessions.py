"""The handshake, and what a connection can ask about itself and about others."""

import redis
from redis.exceptions import ConnectionError, ResponseError

from checks import equal, eventually, new, once, pairs, raises, true, within


def check_ping_and_echo(place):
    r = place.text
    equal(r.ping(), True)
    equal(r.echo("text"), "text")
    equal(place.raw.echo(b"\0\r\n"), b"\0\r\n")


def check_handshake(place):
    # What redis-py sends on connect: HELLO, CLIENT MAINT_NOTIFICATIONS (go-redis#3536,
    # dragonfly#6569), SETNAME, SETINFO and SELECT; none of it may end the connection.
    r = place.client(client_name="app", db=3, decode_responses=True)
    equal(r.client_getname(), "app")
    info = r.client_info()
    equal((info["name"], info["db"], info["resp"]), ("app", 3, str(place.protocol)))
    equal((info["user"], info["cmd"]), ("default", "client|info"))
    equal(info["lib-name"], "redis-py")
    equal(info["lib-ver"], redis.__version__)


def check_hello(place):
    # kvrocks#2150: every field must be there. kvrocks#3286, dragonfly#4473: clients choose
    # their features by the version.
    r = place.client(decode_responses=True)
    reply = r.execute_command("HELLO", str(place.protocol))
    reply = pairs(reply)
    fields = ["server", "version", "proto", "id", "mode", "role", "modules"]
    equal([name for name in reply if name in fields], fields)
    equal((reply["proto"], reply["role"], reply["modules"]), (place.protocol, "master", []))
    equal(reply["mode"], "standalone")
    true(reply["server"] in ("redis", "valkey"), f"server is {reply['server']!r}")
    within(int(reply["version"].split(".")[0]), 7, 99, "version")
    equal(reply["id"], r.client_id())
    raises(ResponseError, "unsupported protocol version", r.execute_command, "HELLO", "4")
    text = "Protocol version is not an integer or out of range"
    raises(ResponseError, text, r.execute_command, "HELLO", "x")
    raises(ResponseError, "Syntax error in HELLO option 'NOTHING'",
           r.execute_command, "HELLO", "3", "NOTHING")
    equal(r.execute_command("HELLO", str(place.protocol), "SETNAME", "other") is None, False)
    equal(r.client_getname(), "other")


def check_names_are_case_insensitive(place):
    # garnet#216: lower and mixed case everywhere.
    r = place.client(decode_responses=True)
    equal(r.execute_command("sEt", "key", "v", "eX", "100"), True)
    within(r.execute_command("tTl", "key"), 99, 100)
    equal(r.execute_command("client", "setname", "x"), "OK")
    equal(r.execute_command("client", "GetName"), "x")
    equal(r.execute_command("hello", str(place.protocol), "setname", "y") is None, False)
    true(r.execute_command("config", "get", "PORT"), "config get PORT is empty")


def check_unknown_words(place):
    # node-redis#2968: clients compare this text.
    r = place.text
    raises(ResponseError, "unknown subcommand 'X'. Try CLIENT HELP.",
           r.execute_command, "CLIENT", "X")
    raises(ResponseError, "unknown subcommand 'setinfox'. Try CLIENT HELP.",
           r.execute_command, "client", "setinfox", "a", "b")
    raises(ResponseError, "unknown command 'nothing', with args beginning with: 'a' 'b' ",
           r.execute_command, "nothing", "a", "b")
    raises(ResponseError, "wrong number of arguments for 'get' command", r.execute_command, "GET")
    raises(ResponseError, "wrong number of arguments for 'client|setname' command",
           r.execute_command, "CLIENT", "SETNAME")
    raises(ResponseError, "wrong number of arguments for 'client' command",
           r.execute_command, "CLIENT")


def check_client_names(place):
    r = place.client(decode_responses=True)
    equal(r.client_getname(), None)
    equal(r.client_setname("name"), True)
    equal(r.client_getname(), "name")
    equal(r.client_setname(""), True)
    equal(r.client_getname(), None)
    raises(ResponseError, "Client names cannot contain spaces", r.client_setname, "a b")


@new("CLIENT|SETINFO")
def check_client_setinfo(place):
    r = place.client(decode_responses=True)
    equal(r.client_setinfo("LIB-NAME", "mylib"), True)
    equal(r.client_setinfo("LIB-VER", "1.2.3"), True)
    info = r.client_info()
    equal((info["lib-name"], info["lib-ver"]), ("mylib", "1.2.3"))
    raises(ResponseError, "cannot contain spaces, newlines or special characters",
           r.client_setinfo, "LIB-NAME", "a b")
    raises(ResponseError, "Unrecognized option 'other'", r.client_setinfo, "other", "x")


def check_client_ids_and_list(place):
    # StackExchange.Redis#2909: CLIENT ID is part of its handshake.
    first = place.client(decode_responses=True, client_name="first")
    second = place.client(decode_responses=True, client_name="second", db=2)
    one, two = first.client_id(), second.client_id()
    true(0 < one < two, f"ids do not grow: {one}, {two}")
    listed = {entry["name"]: entry for entry in first.client_list()}
    equal(listed["first"]["id"], str(one))
    equal((listed["second"]["id"], listed["second"]["db"]), (str(two), "2"))
    fields = "id addr laddr fd name age idle flags db sub psub ssub multi qbuf qbuf-free"
    fields += " argv-mem tot-mem events cmd user redir resp"
    missing = [field for field in fields.split() if field not in listed["first"]]
    equal(missing, [], "fields of CLIENT LIST that are missing")
    equal([entry["id"] for entry in first.client_list(client_id=[two])], [str(two)])
    equal(sorted(e["name"] for e in first.client_list(client_id=[one, two])), ["first", "second"])
    names = [entry["name"] for entry in first.client_list(_type="normal")]
    true("first" in names and "second" in names, f"CLIENT LIST TYPE normal: {names}")
    equal(first.client_list(_type="replica"), [])
    raises(ResponseError, "Unknown client type", first.execute_command, "CLIENT LIST", "TYPE", "x")


def check_client_kill(place):
    r = place.text
    victim = place.client(client_name="victim", decode_responses=True)
    number = victim.client_id()
    equal(r.client_kill_filter(_id=number), 1)
    true(next_id(victim) > number, "it is another connection")
    info = victim.client_info()
    equal(r.client_kill(info["addr"]), True)
    raises(ResponseError, "No such client", r.client_kill, "127.0.0.1:1")
    equal(r.client_kill_filter(_id=number), 0)
    number = next_id(victim)
    true(number > int(info["id"]), "it is yet another connection")
    true(r.client_kill_filter(_type="normal", skipme=True) >= 1, "CLIENT KILL TYPE normal")
    true(next_id(victim) > number, "it was among them")
    raises(ResponseError, "No such user", r.client_kill_filter, user="nobody")


def next_id(client):
    """The number of a connection that redis-py opens when it sees the end of the former one.

    It sees it before its next request, or through that when the two cross on their way.
    """
    try:
        return client.client_id()
    except ConnectionError:
        return client.client_id()


def check_client_kill_itself(place):
    victim = place.client().connection_pool.get_connection()
    victim.send_command("CLIENT", "ID")
    number = victim.read_response()
    victim.send_command("CLIENT", "KILL", "ID", number, "SKIPME", "no")
    equal(victim.read_response(), 1)
    raises(ConnectionError, "", victim.read_response)


def check_client_switches(place):
    r = place.client(decode_responses=True)
    equal(r.client_no_evict("ON"), "OK")
    equal(r.client_no_evict("OFF"), "OK")
    raises(ResponseError, "syntax error", r.client_no_evict, "MAYBE")
    equal(r.client_unblock(r.client_id()), False)
    if not place.lacks("CLIENT|NO-TOUCH"):
        equal(r.client_no_touch("ON"), "OK")
        equal(r.client_no_touch("OFF"), "OK")


@once("CLIENT|TRACKINGINFO")
def check_client_tracking_can_be_read(place):
    # dragonfly#5465 lists the CLIENT subcommands that clients missed.
    r = place.client(decode_responses=True)
    equal(r.client_getredir(), -1)
    reply = r.execute_command("CLIENT TRACKINGINFO")
    equal(pairs(reply), {"flags": ["off"], "redirect": -1, "prefixes": []})


def check_client_pause(place):
    r = place.client(decode_responses=True)
    equal(r.client_pause(5, all=False), True)
    equal(r.set("key", "v"), True)
    equal(r.client_pause(30), True)
    equal(r.get("key"), "v")
    equal(r.client_pause(100_000, all=False), True)
    equal(r.get("key"), "v")  # reading goes on
    equal(r.client_unpause(), "OK")
    equal(r.set("key", "w"), True)


def check_client_reply(place):
    # garnet#1626: writers that never read must not be blocked by replies.
    connection = place.client().connection_pool.get_connection()
    connection.send_command("CLIENT", "REPLY", "OFF")
    for i in range(1000):
        connection.send_command("SET", f"quiet{i}", "v")
    connection.send_command("CLIENT", "REPLY", "ON")
    equal(connection.read_response(), b"OK")
    connection.send_command("CLIENT", "REPLY", "SKIP")
    connection.send_command("SET", "skipped", "v")
    connection.send_command("GET", "skipped")
    equal(connection.read_response(), b"v")
    connection.disconnect()
    equal(place.text.dbsize(), 1001)


def check_select(place):
    r = place.client(decode_responses=True, single_connection_client=True)
    equal(r.select(4), True)
    r.set("key", "four")
    equal(place.text.exists("key"), 0)
    equal(r.client_info()["db"], 4)
    raises(ResponseError, "DB index is out of range", r.select, 16)
    raises(ResponseError, "value is not an integer or out of range", r.select, "x")
    equal(r.get("key"), "four")


def check_reset(place):
    r = place.client(decode_responses=True, single_connection_client=True)
    r.client_setname("name")
    r.select(4)
    # RESET goes back to RESP2, so that this client must not be used for anything but strings.
    equal(r.reset(), "RESET")
    equal(r.echo("still here"), "still here")
    found = r.execute_command("CLIENT INFO")
    equal((found["name"], found["db"], found["resp"]), ("", 0, "2"))


def check_auth_without_a_password(place):
    r = place.client(decode_responses=True)
    raises(redis.AuthenticationError, "AUTH <password> called without any password configured",
           r.execute_command, "AUTH", "secret")
    equal(r.ping(), True)


def check_quit(place):
    connection = place.client().connection_pool.get_connection()
    connection.send_command("QUIT")
    equal(connection.read_response(), b"OK")
    raises(ConnectionError, "", connection.read_response)


def check_url(place):
    port = place.server.port
    url = f"redis://127.0.0.1:{port}/7?protocol={place.protocol}&decode_responses=True"
    with redis.Redis.from_url(url + "&client_name=byurl") as r:
        info = r.client_info()
        equal((info["db"], info["name"], info["resp"]), (7, "byurl", str(place.protocol)))


def check_unix_socket(place):
    with redis.Redis(unix_socket_path=place.server.socket_path, protocol=place.protocol) as r:
        equal(r.set("key", "v"), True)
        true(":0" in r.client_info()["addr"], "the address names the socket")
    url = f"unix://{place.server.socket_path}?db=2&protocol={place.protocol}"
    with redis.Redis.from_url(url, decode_responses=True) as r:
        equal(r.client_info()["db"], 2)


def check_a_closed_client_leaves_the_list(place):
    gone = place.client(client_name="gone")
    gone.ping()
    gone.connection_pool.disconnect()
    eventually(lambda: "gone" not in [e["name"] for e in place.text.client_list()], "it is gone")
