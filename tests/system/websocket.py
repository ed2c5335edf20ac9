# SPDX-License-Identifier: Apache-2.0
"""A client of a WebSocket (RFC 6455), which can also say what none should."""
import base64
import hashlib
import json
import os
import socket
import ssl
import time

from host import DEADLINE

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
MORE, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


class Refused(Exception):
    def __init__(self, status, text):
        super().__init__(f"{status} {text}")
        self.status, self.text = status, text


def handshake(**headers):
    """The headers of an upgrade; None leaves one out."""
    told = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
            **{k.replace("_", "-"): v for k, v in headers.items()}}
    return {k: v for k, v in told.items() if v is not None}


class WebSocket:
    """A console that is watched: bytes in `output`, text messages in `told`."""

    def __init__(self, host, vm, query="", door=None, receive_buffer=None, **headers):
        headers = handshake(**headers)
        self.sock = self.connect(host, receive_buffer) if door is None else door
        self.sock.settimeout(DEADLINE)
        lines = "".join(f"{k}: {v}\r\n" for k, v in {"Host": "localhost", **headers}.items())
        self.sock.sendall(f"GET /v1/vms/{vm}/console/ws{query} HTTP/1.1\r\n{lines}\r\n".encode())
        self.buffer, self.output, self.told, self.pongs, self.closed = b"", b"", [], [], None
        head = self.read_head()
        if not head.startswith("HTTP/1.1 101 "):
            self.sock.close()
            raise Refused(int(head.split()[1]), head + self.buffer.decode())
        digest = hashlib.sha1(headers["Sec-WebSocket-Key"].encode() + GUID).digest()
        assert f"Sec-WebSocket-Accept: {base64.b64encode(digest).decode()}\r\n" in head, head
        self.head = head

    @staticmethod
    def connect(host, receive_buffer):
        s = socket.socket(socket.AF_UNIX)
        if receive_buffer:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        s.settimeout(DEADLINE)
        s.connect(host.socket)
        return s

    @staticmethod
    def tls(secure, certificate=None):
        context = ssl.create_default_context(cafile=f"{secure.authority.ca}.pem")
        if certificate:
            context.load_cert_chain(f"{certificate}.pem", f"{certificate}.key")
        return context.wrap_socket(socket.create_connection(("127.0.0.1", secure.port), DEADLINE),
                                   server_hostname="localhost")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    # --- frames

    def fill(self):
        got = self.sock.recv(65536)
        if not got:
            raise EOFError(f"the connection has ended; told: {self.told}")
        self.buffer += got

    def need(self, n):
        while len(self.buffer) < n:
            self.fill()

    def read_head(self):
        while b"\r\n\r\n" not in self.buffer:
            self.fill()
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        head = head.decode() + "\r\n"
        length = [line.split(":")[1] for line in head.split("\r\n") if line.lower().startswith("content-length")]
        if length:
            self.need(int(length[0]))
        return head

    def frame(self):
        """One frame of the server, as (kind, bytes): whole, not masked."""
        self.need(2)
        kind, length, at = self.buffer[0], self.buffer[1], 2
        assert kind & 0xf0 == 0x80 and length < 0x80, self.buffer[:2]
        if length >= 126:
            at = 4 if length == 126 else 10
            self.need(at)
            length = int.from_bytes(self.buffer[2:at], "big")
        self.need(at + length)
        payload, self.buffer = self.buffer[at:at + length], self.buffer[at + length:]
        return kind & 0xf, payload

    def send(self, kind, payload=b"", final=True, mask=b"\x11\x22\x33\x44"):
        n = len(payload)
        head = bytes([final << 7 | kind, (0x80 if mask else 0) | (n if n < 126 else 126)])
        head += n.to_bytes(2, "big") if n >= 126 else b""
        self.sock.sendall(head + (mask + bytes(b ^ mask[i % 4] for i, b in enumerate(payload)) if mask else payload))

    # --- what it means

    def type(self, text):
        self.send(BINARY, text.encode())

    def say(self, **message):
        self.send(TEXT, json.dumps(message).encode())

    def step(self):
        kind, payload = self.frame()
        if kind == BINARY:
            self.output += payload
        elif kind == TEXT:
            self.told.append(json.loads(payload))
        elif kind == PING:
            self.send(PONG, payload)
        elif kind == PONG:
            self.pongs.append(payload)
        elif kind == CLOSE:
            self.closed = int.from_bytes(payload[:2], "big"), payload[2:].decode()
        return kind, payload

    def until(self, condition):
        """Read until it holds; the server's pings keep the socket's own deadline from coming."""
        end = time.monotonic() + DEADLINE
        while not (value := condition(self)):
            assert time.monotonic() < end, f"not within {DEADLINE} s; told {self.told}, printed {self.output[-500:]}"
            self.step()
        return value

    def until_output(self, text):
        return self.until(lambda w: text.encode() in w.output.replace(b"\r", b""))

    def last(self, kind):
        return next((m for m in reversed(self.told) if m["type"] == kind), None)

    def until_told(self, kind, **members):
        """A message that has not been taken yet."""
        def find(w):
            found = next((m for m in w.told if m["type"] == kind and all(m[k] == v for k, v in members.items())), None)
            if found:
                w.told.remove(found)
            return found
        return self.until(find)

    def until_closed(self):
        return self.until(lambda w: w.closed)
