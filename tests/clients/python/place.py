"""What a check of redis-py gets: a server, a protocol, and clients that end with the check."""

import contextlib

import redis


class Place:
    def __init__(self, server, protocol):
        self.server = server
        self.protocol = protocol
        self._opened = []
        self._known = {}
        self.text = self._new(decode_responses=True)
        self.raw = self._new()

    def _new(self, **options):
        options = {
            "host": "127.0.0.1", "port": self.server.port, "protocol": self.protocol,
            "socket_timeout": 20, "retry": None, **options,
        }
        return redis.Redis(**options)

    def client(self, **options):
        """A client with a pool of its own, closed at the end of the check."""
        client = self._new(**options)
        self._opened.append(client)
        return client

    def reset(self):
        """Before a check: nothing stored, nobody else connected."""
        for client in self._opened:
            client.connection_pool.disconnect()
            client.close()
        self._opened.clear()
        self.text.flushall()

    def close(self):
        self.reset()
        self.text.close()
        self.raw.close()

    def lacks(self, command):
        if command not in self._known:
            found = self.raw.execute_command("COMMAND LIST")
            names = {name.decode().upper() for name in found}
            self._known[command] = command.upper() in names
        return not self._known[command]

    @contextlib.contextmanager
    def config(self, **options):
        """Sets options (`_` for `-`) and puts the former values back."""
        options = {name.replace("_", "-"): value for name, value in options.items()}
        before = {}
        for name in options:
            before.update(self.text.config_get(name))
        try:
            for name, value in options.items():
                self.text.config_set(name, value)
            yield
        finally:
            for name, value in before.items():
                self.text.config_set(name, value)
