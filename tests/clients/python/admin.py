"""Commands about the server: INFO, CONFIG, COMMAND, MEMORY, SLOWLOG and what tools ask at start."""

from redis.exceptions import OutOfMemoryError, ResponseError

from checks import equal, eventually, new, once, pairs, raises, true, within


def check_info_has_every_section(place):
    r = place.text
    info = r.info()
    wanted = (
        "redis_version redis_mode os arch_bits process_id run_id tcp_port uptime_in_seconds hz "
        "executable config_file connected_clients maxclients blocked_clients used_memory "
        "used_memory_human used_memory_rss used_memory_peak maxmemory maxmemory_policy "
        "mem_fragmentation_ratio mem_allocator loading rdb_changes_since_last_save aof_enabled "
        "total_connections_received total_commands_processed instantaneous_ops_per_sec "
        "total_net_input_bytes expired_keys evicted_keys keyspace_hits keyspace_misses role "
        "connected_slaves master_replid master_repl_offset used_cpu_sys used_cpu_user "
        "cluster_enabled"
    ).split()
    equal([name for name in wanted if name not in info], [], "fields of INFO that are missing")
    equal(info["tcp_port"], place.server.port)
    equal((info["redis_mode"], info["role"], info["loading"]), ("standalone", "master", 0))
    within(int(info["redis_version"].split(".")[0]), 7, 99, "redis_version")


def check_info_keyspace(place):
    r = place.text
    equal(r.info("keyspace"), {})
    r.mset({"a": 1, "b": 2, "c": 3})
    r.expire("a", 100)
    found = r.info("keyspace")
    equal((found["db0"]["keys"], found["db0"]["expires"]), (3, 1))
    within(found["db0"]["avg_ttl"], 0, 100_000)
    equal("db1" in found, False)


def check_info_sections(place):
    # garnet#1645: all, default and everything; garnet#405: modules.
    r = place.text
    r.get("missing")
    for section in ("all", "default", "everything", "ALL"):
        true("redis_version" in r.info(section), f"INFO {section} has no redis_version")
    true("cmdstat_get" in r.info("everything"), "INFO everything has no cmdstat_get")
    true("cmdstat_get" not in r.info(), "INFO has cmdstat_get")
    equal(r.info("modules"), {})
    equal(r.info("nothing"), {})
    two = r.info("server", "clients")
    true("redis_version" in two and "connected_clients" in two, "INFO server clients")
    true("used_memory" not in two, "INFO server clients shows memory")


def check_info_statistics(place):
    r = place.text
    r.config_resetstat()
    r.set("key", "v")
    r.get("key")
    r.get("key")
    r.get("missing")
    raises(ResponseError, "", r.execute_command, "GET")
    raises(ResponseError, "", r.execute_command, "NOTHING")
    stats = r.info("stats")
    equal((stats["keyspace_hits"], stats["keyspace_misses"]), (2, 1))
    get = r.info("commandstats")["cmdstat_get"]
    equal((get["calls"], get["rejected_calls"], get["failed_calls"]), (3, 1, 0))
    # dragonfly#2630: errors are counted by their first word.
    equal(r.info("errorstats")["errorstat_ERR"]["count"], 2)
    latency = r.info("latencystats")["latency_percentiles_usec_get"]
    equal(sorted(latency), ["p50", "p99", "p99.9"])


def check_info_clients(place):
    r = place.text
    before = r.info("clients")["connected_clients"]
    clients = [place.client() for _ in range(5)]
    for client in clients:
        client.ping()
    equal(r.info("clients")["connected_clients"], before + 5)
    for client in clients:
        client.connection_pool.disconnect()
    eventually(lambda: r.info("clients")["connected_clients"] == before, "they are gone")


def check_config_get(place):
    r = place.text
    # dragonfly#1046: a number, as phpRedisAdmin reads it.
    equal(r.config_get("databases"), {"databases": "16"})
    equal(r.config_get("port"), {"port": str(place.server.port)})
    equal(r.config_get("nothing"), {})
    found = r.config_get("maxmemory*")
    true({"maxmemory", "maxmemory-policy", "maxmemory-samples"} <= set(found), f"got {found}")
    equal(sorted(r.config_get("save", "appendonly")), ["appendonly", "save"])
    equal(r.config_get("[a-b]ppendonl?"), {"appendonly": "no"})
    true(len(r.config_get()) > 100, "CONFIG GET * has few options")


def check_config_set(place):
    r = place.text
    with place.config(maxmemory="0", timeout="0", maxmemory_policy="noeviction"):
        equal(r.config_set("maxmemory", "100mb"), True)
        equal(r.config_get("maxmemory"), {"maxmemory": str(100 * 1024 * 1024)})
        equal(r.config_set("timeout", 300, "maxmemory-policy", "allkeys-lru"), True)
        equal(r.config_get("timeout")["timeout"], "300")
        equal(r.config_get("maxmemory-policy")["maxmemory-policy"], "allkeys-lru")
        # All or nothing.
        raises(ResponseError, "CONFIG SET failed", r.config_set,
               "timeout", 7, "maxmemory-policy", "nothing")
        equal(r.config_get("timeout")["timeout"], "300")
    raises(ResponseError, "Unknown option or number of arguments for CONFIG SET - 'nothing'",
           r.config_set, "nothing", "1")
    raises(ResponseError, "argument couldn't be parsed into an integer",
           r.config_set, "timeout", "x")
    raises(ResponseError, "can't set immutable config", r.config_set, "databases", "20")


def check_config_notify_keyspace_events(place):
    # dragonfly#3708: Spring Data Redis sets this at its start.
    with place.config(notify_keyspace_events=""):
        equal(place.text.config_set("notify-keyspace-events", "Egx"), True)
        equal(place.text.config_get("notify-keyspace-events"), {"notify-keyspace-events": "gxE"})


def check_config_rewrite_needs_a_file(place):
    raises(ResponseError, "The server is running without a config file",
           place.text.config_rewrite)


def check_command_table(place):
    # redis-commander#598: no null among the entries of COMMAND.
    r = place.text
    table = r.command()
    get = table["get"]
    equal((get["arity"], get["first_key_pos"], get["last_key_pos"], get["step_count"]),
          (2, 1, 1, 1))
    equal(sorted(get["flags"]), ["fast", "readonly"])
    equal(table["mset"]["step_count"], 2)
    equal(r.command_count(), len(table))
    raw = r.execute_command("COMMAND INFO", "get", "nothing", "config|get")
    equal((raw[0][0], raw[1], raw[2][0]), ("get", None, "config|get"))


def check_command_list(place):
    r = place.text
    names = r.command_list()
    true("get" in names and "config|get" in names, "COMMAND LIST has no get or config|get")
    equal(r.command_list(pattern="getr*"), ["getrange"])
    true("set" in r.command_list(category="string"), "COMMAND LIST FILTERBY ACLCAT string")
    equal(r.command_list(module="nothing"), [])


def check_command_docs(place):
    # beekeeper-studio#3809; redis-cli reads the same for its hints.
    r = place.raw
    reply = r.execute_command("COMMAND DOCS", "set", "client|kill", "nothing")
    reply = pairs(reply)
    equal(sorted(reply), [b"client|kill", b"set"])
    entry = pairs(reply[b"set"])
    equal((entry[b"group"], entry[b"since"]), (b"string", b"1.0.0"))
    true(entry[b"summary"], "SET has no summary")
    arguments = [pairs(argument) for argument in entry[b"arguments"]]
    equal([argument[b"name"] for argument in arguments[:2]], [b"key", b"value"])
    every = pairs(r.execute_command("COMMAND DOCS"))
    # A container stands once, with its subcommands inside.
    equal(sorted(name.decode() for name in every), sorted(
        name for name in place.text.command_list() if "|" not in name))
    client = pairs(every[b"client"])
    true(b"client|id" in pairs(client[b"subcommands"]), "CLIENT has no subcommand client|id")


def check_command_getkeys(place):
    r = place.text
    equal(r.command_getkeys("SET", "k", "v"), ["k"])
    equal(r.command_getkeys("MSET", "a", "1", "b", "2"), ["a", "b"])
    equal(r.command_getkeys("DEL", "a", "b", "c"), ["a", "b", "c"])
    equal(r.command_getkeys("MEMORY", "USAGE", "k"), ["k"])
    equal(r.command_getkeys("LCS", "a", "b", "LEN"), ["a", "b"])
    equal(r.command_getkeysandflags("SET", "k", "v", "GET"),
          [["k", ["RW", "access", "update"]]])
    raises(ResponseError, "The command has no key arguments", r.command_getkeys, "ECHO", "x")
    raises(ResponseError, "Invalid command specified", r.command_getkeys, "NOTHING", "x")
    raises(ResponseError, "Invalid number of arguments specified for command",
           r.command_getkeys, "GET", "a", "b")


@new("MSETEX")
def check_command_getkeys_of_msetex(place):
    equal(place.text.command_getkeys("MSETEX", "2", "a", "1", "b", "2", "EX", "5"), ["a", "b"])


def check_memory(place):
    r = place.text
    # dragonfly#2399: nil for a missing key, not an error.
    equal(r.memory_usage("missing"), None)
    r.set("small", "x")
    r.set("large", "x" * 100_000)
    small, large = r.memory_usage("small"), r.memory_usage("large", samples=0)
    # One allocation holds a short key, its value and eight bytes of header.
    within(small, 14, 200)
    within(large, 100_000, 140_000)
    stats = r.memory_stats()
    for name in ("peak.allocated", "total.allocated", "keys.count", "dataset.bytes"):
        true(name in stats, f"MEMORY STATS has no {name}")
    equal(stats["keys.count"], 2)
    true(isinstance(r.execute_command("MEMORY DOCTOR"), str), "MEMORY DOCTOR")
    true(isinstance(r.memory_malloc_stats(), str), "MEMORY MALLOC-STATS")
    equal(r.memory_purge(), True)


def check_a_full_server(place):
    # dragonfly#2630: the first word of the error chooses the class of the exception.
    r = place.text
    r.set("key", "v")
    with place.config(maxmemory="1", maxmemory_policy="noeviction"):
        text = "command not allowed when used memory > 'maxmemory'."
        raises(OutOfMemoryError, text, r.set, "other", "v")
        equal((r.get("key"), r.delete("key")), ("v", 1))
    equal(r.set("other", "v"), True)


@once("MODULE|LIST")
def check_modules(place):
    # RedisInsight#902, dragonfly#2135: an empty list, not an error.
    equal(place.text.module_list(), [])


def check_time_and_dbsize(place):
    seconds, micros = place.text.time()
    within(seconds, 1_700_000_000, 5_000_000_000)
    within(micros, 0, 999_999)
    equal(place.text.dbsize(), 0)


def check_lolwut(place):
    text = place.text.lolwut()
    true("ver" in text, f"LOLWUT says {text!r}")
    true(place.text.lolwut(5, 10, 20, 3), "LOLWUT VERSION 5 is empty")


def check_help_of_containers(place):
    for name in ("CLIENT", "COMMAND", "CONFIG", "MEMORY", "OBJECT"):
        lines = place.text.execute_command(f"{name} HELP")
        true(lines[0].startswith(f"{name} <subcommand>"), f"{name} HELP begins {lines[0]!r}")
        true("HELP" in lines[-2], f"{name} HELP ends {lines[-2:]!r}")


@once("SLOWLOG|GET")
def check_slowlog(place):
    r = place.text
    with place.config(slowlog_log_slower_than="0"):
        r.slowlog_reset()
        r.set("key", "v")
        entries = r.slowlog_get(10)
        commands = [entry["command"] for entry in entries]
        true(b"SET key v" in commands, f"SLOWLOG GET has {commands}")
        true(r.slowlog_len() >= 2, "SLOWLOG LEN")
    equal(r.slowlog_reset(), True)


@once("LATENCY|HISTOGRAM")
def check_latency_histogram(place):
    place.text.config_resetstat()
    place.text.set("key", "v")
    reply = place.text.execute_command("LATENCY HISTOGRAM", "set")
    equal(pairs(pairs(reply)["set"])["calls"], 1)
