"""Caches of web frameworks: django-redis and Flask-Caching."""

import functools

from checks import equal, eventually, once, true


@functools.cache
def _django():
    from django.conf import settings

    settings.configure(CACHES={}, SECRET_KEY="checks", USE_TZ=True)
    from django_redis.cache import RedisCache

    return RedisCache


def django_cache(place, **options):
    cache = _django()(f"{place.url}/1", {"KEY_PREFIX": "site", "VERSION": 1, "OPTIONS": options})
    cache.clear()
    return cache


def check_django_get_and_set(place):
    cache = django_cache(place)
    equal(cache.get("missing"), None)
    equal(cache.get("missing", "default"), "default")
    value = {"list": [1, 2.5, None], "bytes": b"\x00\xff", "text": "h\u00e9"}
    equal(cache.set("key", value, timeout=30), True)
    equal(cache.get("key"), value)
    true(0 < cache.ttl("key") <= 30, "it has a time to live")
    equal(cache.set("key", "other", nx=True), False)
    equal(cache.add("key", 1), False)
    equal(cache.add("new", 1), True)
    equal(cache.has_key("new"), True)
    equal(cache.touch("key", 100), True)
    true(cache.ttl("key") > 30, "touch made it longer")
    equal(cache.persist("key"), True)
    equal(cache.ttl("key"), None)
    equal(cache.delete("key"), True)
    equal(cache.delete("key"), False)


def check_django_many(place):
    cache = django_cache(place)
    wanted = {f"key{number}": number for number in range(100)}
    cache.set_many(wanted, timeout=100)
    equal(cache.get_many([*wanted, "missing"]), wanted)
    equal(sorted(cache.keys("key1*")), sorted(key for key in wanted if key.startswith("key1")))
    equal(len(list(cache.iter_keys("*", itersize=7))), 100)
    equal(cache.delete_many(["key1", "key2", "missing"]), 2)
    equal(cache.delete_pattern("key*", itersize=10), 98)
    equal(place.text.dbsize(), 0)


def check_django_times(place):
    cache = django_cache(place)
    cache.set("short", "value", timeout=0.05)
    eventually(lambda: cache.get("short") is None, "it expires")
    cache.set("over", "value", timeout=0)
    equal(cache.get("over"), None)
    equal(cache.pttl("over"), 0)
    cache.set("key", "value", timeout=None)
    equal(cache.expire("key", timeout=100), True)
    true(99_000 < cache.pttl("key") <= 100_000, "milliseconds are told")


def check_django_versions(place):
    cache = django_cache(place)
    cache.set("key", "one", version=1)
    equal(cache.get("key", version=2), None)
    cache.incr_version("key")
    equal(cache.get("key", version=2), "one")
    equal(cache.get("key", version=1), None)


@once("EVAL")
def check_django_counters_and_locks(place):
    cache = django_cache(place)
    cache.set("count", 1)
    equal(cache.incr("count", 5), 6)
    equal(cache.decr("count"), 5)
    with cache.lock("lock", timeout=10):
        equal(cache.lock("lock", timeout=10).acquire(blocking=False), False)


def check_django_sessions(place):
    """What django.contrib.sessions does with a cache."""
    cache = django_cache(place)
    key = "django.contrib.sessions.cache" + "k" * 32
    true(cache.add(key, {}, 1209600), "a new session")
    cache.set(key, {"_auth_user_id": "1"}, 1209600)
    equal(cache.get(key), {"_auth_user_id": "1"})
    cache.delete(key)
    equal(cache.get(key), None)


def flask_cache(place):
    import flask
    from flask_caching import Cache

    app = flask.Flask("checks")
    cache = Cache(app, config={
        "CACHE_TYPE": "RedisCache", "CACHE_REDIS_URL": f"{place.url}/2", "CACHE_KEY_PREFIX": "f_",
        "CACHE_DEFAULT_TIMEOUT": 100,
    })
    return app, cache


def check_flask_cache(place):
    app, cache = flask_cache(place)
    with app.app_context():
        equal(cache.set("key", [1, "two"]), True)
        equal(cache.get("key"), [1, "two"])
        equal(cache.add("key", 1), False)
        equal(cache.has("key"), True)
        equal(cache.set_many({"a": 1, "b": 2}), ["a", "b"])
        equal(cache.get_many("a", "missing", "b"), [1, None, 2])
        equal(cache.get_dict("a", "b"), {"a": 1, "b": 2})
        equal(cache.cache.inc("count", 5), 5)
        equal(cache.cache.dec("count", 2), 3)
        equal(cache.delete_many("a", "b"), ["a", "b"])
        cache.clear()
        equal(place.text.dbsize(), 0)


def check_flask_views(place):
    app, cache = flask_cache(place)
    calls = []

    @app.route("/view")
    @cache.cached(query_string=True)
    def view():
        calls.append("view")
        return "text"

    @cache.memoize()
    def double(number):
        calls.append(number)
        return number * 2

    client = app.test_client()
    equal([client.get("/view").text for _ in range(3)], ["text"] * 3)
    equal(client.get("/view?page=2").text, "text")
    with app.app_context():
        equal([double(2), double(2), double(3)], [4, 4, 6])
        cache.delete_memoized(double, 2)
        equal([double(2), double(3)], [4, 6])
    equal(calls, ["view", "view", 2, 3, 2])
