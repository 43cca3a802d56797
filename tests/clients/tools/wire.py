"""A connection without a client library: bytes out, bytes in."""

import socket


class Wire:
    """Sends and reads bytes as they are, and can read one reply apart from the next."""

    def __init__(self, server, unix=False):
        if unix:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.connect(server.socket_path)
        else:
            self.socket = socket.create_connection(("127.0.0.1", server.port))
        self.socket.settimeout(10)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def read(self):
        """One reply as it came; an error when the connection ends before it does."""
        line = self._line()
        kind, rest = line[:1], line[1:-2]
        if kind in (b"$", b"=", b"!"):
            return line if rest == b"-1" else line + self._exactly(int(rest) + 2)
        elements = {b"*": 1, b"~": 1, b">": 1, b"%": 2}.get(kind, 0)
        if elements and rest != b"-1":
            return line + b"".join(self.read() for _ in range(int(rest) * elements))
        return line

    def ask(self, data):
        """Sends and returns the one reply, with a PING behind it that proves it is the one."""
        self.send(data + b"PING\r\n")
        reply = self.read()
        end = self.read()
        if end != b"+PONG\r\n":
            raise AssertionError(f"{data!r} has a second reply: {end!r}, after {reply!r}")
        return reply

    def command(self, *words):
        return self.ask(request(*words))

    def rest(self):
        """Everything until the server closes the connection."""
        parts = [self.buffer]
        self.buffer = b""
        while True:
            try:
                part = self.socket.recv(65536)
            except ConnectionResetError:
                part = b""
            if not part:
                return b"".join(parts)
            parts.append(part)

    def _line(self):
        while b"\r\n" not in self.buffer:
            self._fill()
        end = self.buffer.index(b"\r\n") + 2
        line, self.buffer = self.buffer[:end], self.buffer[end:]
        return line

    def _exactly(self, size):
        while len(self.buffer) < size:
            self._fill()
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def _fill(self):
        part = self.socket.recv(1 << 20)
        if not part:
            raise AssertionError(f"the server closed the connection behind {self.buffer!r}")
        self.buffer += part


def request(*words):
    """A command as clients send it."""
    words = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)
