# SPDX-License-Identifier: Apache-2.0
"""Malformed HTTP, byte by byte: each case has its one answer, and nothing that is hidden in one is done.

(name, bytes, statuses, end): what is sent on a new connection to the unix socket, the status of each answer
in order, and what becomes of the connection: it STAYS and serves the next request; the server CLOSES it; or
the request is only half there, and the server WAITS for the rest and closes when the sender has ended.

What libmicrohttpd refuses by itself it answers with a page of HTML, some of them with the head sent twice,
and closes. It cuts method, target and header values at a NUL, reads a folded line as one, and passes over a header
without name: none of that changes where a request ends.
"""
import re
import socket

HOST = b"Host: a\r\n"
GET = b"GET /healthz HTTP/1.1\r\n" + HOST
KILL = b"POST /v1/vms/target/kill HTTP/1.1\r\n" + HOST + b"\r\n"
CHECK = b"POST /v1/check HTTP/1.1\r\n" + HOST + b"Content-Type: text/plain\r\n"
CHUNKED = CHECK + b"Transfer-Encoding: chunked\r\n"
PUT = b"PUT /v1/vms/smuggled HTTP/1.1\r\n" + HOST
TEXT = b"ram 16m\n"
STAYS, CLOSES, WAITS = "stays", "closes", "waits"
MARK = b"GET /v1/the-next-one HTTP/1.1\r\n" + HOST + b"\r\n"
PATIENCE_S = 20  # against hanging, never a measure


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


CASES = [
    # What is right, so that the rest says something.
    ("a plain request", GET + b"\r\n", [200], STAYS),
    ("two requests in one packet", (GET + b"\r\n") * 2, [200, 200], STAYS),
    ("twenty requests in one packet", (GET + b"\r\n") * 20, [200] * 20, STAYS),
    ("a body, then a request", CHECK + b"Content-Length: 8\r\n\r\n" + TEXT + GET + b"\r\n", [200, 200], STAYS),
    ("chunks, then a request", CHUNKED + b"\r\n" + chunk(TEXT) + chunk(b"") + GET + b"\r\n", [200, 200], STAYS),
    ("a chunk's extension", CHUNKED + b"\r\n8;name=value\r\n" + TEXT + b"\r\n0\r\n\r\n", [200], STAYS),
    ("an empty line first", b"\r\n" + GET + b"\r\n", [200], STAYS),
    ("HTTP/1.0", b"GET /healthz HTTP/1.0\r\n\r\n", [200], CLOSES),
    ("asked to close", GET + b"Connection: close\r\n\r\n", [200], CLOSES),
    ("upgrade to what is not spoken", GET + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n", [200], STAYS),
    ("a range of what has none", GET + b"Range: bytes=0-1\r\n\r\n", [200], STAYS),
    ("absolute form", b"GET http://qvm/healthz HTTP/1.1\r\n" + HOST + b"\r\n", [200], STAYS),
    ("absolute form with a wrong parameter", b"GET https://qvm:1/healthz?x=1 HTTP/1.1\r\n" + HOST + b"\r\n", [400], STAYS),
    # Whose length is it: the ways of smuggling.
    ("length and chunks", PUT + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + KILL, [400], CLOSES),
    ("chunks and length", PUT + b"Transfer-Encoding: chunked\r\nContent-Length: 99\r\n\r\n0\r\n\r\n" + KILL, [400], CLOSES),
    ("two lengths", PUT + b"Content-Length: 0\r\nContent-Length: 58\r\n\r\n" + KILL, [400], CLOSES),
    ("one length twice", PUT + b"Content-Length: 0\r\nContent-Length: 0\r\n\r\n" + KILL, [400], CLOSES),
    ("two lengths in one", PUT + b"Content-Length: 0, 58\r\n\r\n" + KILL, [400], CLOSES),
    ("a negative length", PUT + b"Content-Length: -1\r\n\r\n" + KILL, [400], CLOSES),
    ("a signed length", PUT + b"Content-Length: +0\r\n\r\n" + KILL, [400], CLOSES),
    ("a hexadecimal length", PUT + b"Content-Length: 0x10\r\n\r\n" + KILL, [400], CLOSES),
    ("a length of words", PUT + b"Content-Length: many\r\n\r\n" + KILL, [400], CLOSES),
    ("no length", PUT + b"Content-Length:\r\n\r\n" + KILL, [400], CLOSES),
    ("a length beyond 64 bits", PUT + b"Content-Length: 99999999999999999999\r\n\r\n" + KILL, [413], CLOSES),
    ("a length beyond everything", PUT + b"Content-Length: 9" + b"9" * 300 + b"\r\n\r\n" + KILL, [413], CLOSES),
    ("a coding before chunks", PUT + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" + KILL, [400], CLOSES),
    ("chunks twice", PUT + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n" + KILL, [400], CLOSES),
    ("chunks in two headers", PUT + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + KILL, [400], CLOSES),
    ("chunks, then no coding", PUT + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + KILL, [400], CLOSES),
    ("no coding", PUT + b"Transfer-Encoding: identity\r\n\r\n" + KILL, [400], CLOSES),
    ("a coding that looks like chunks", PUT + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + KILL, [400], CLOSES),
    ("chunks behind a control byte", PUT + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n" + KILL, [400], CLOSES),
    ("chunks behind a folded line", PUT + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" + KILL, [400], CLOSES),
    ("a space before the colon", PUT + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + KILL, [400], CLOSES),
    ("a length that a hop may drop", CHECK + b"Connection: Content-Length\r\nContent-Length: 8\r\n\r\n" + TEXT, [200], STAYS),
    ("a body where none belongs", GET + b"Content-Length: 58\r\n\r\n" + KILL.ljust(58), [400], STAYS),
    ("chunks where none belong", GET + b"Transfer-Encoding: chunked\r\n\r\n" + chunk(KILL) + chunk(b""), [400], STAYS),
    ("a length in the trailer", CHUNKED + b"\r\n" + chunk(TEXT) + b"0\r\nContent-Length: 58\r\n\r\n" + GET + b"\r\n", [200, 200], STAYS),
    # Chunks.
    ("a chunk of no size", CHUNKED + b"\r\n\r\n" + TEXT + KILL, [400], CLOSES),
    ("a chunk of size G", CHUNKED + b"\r\nG\r\n" + TEXT + KILL, [400], CLOSES),
    ("a chunk of negative size", CHUNKED + b"\r\n-8\r\n" + TEXT + KILL, [400], CLOSES),
    ("a chunk of size 0x8", CHUNKED + b"\r\n0x8\r\n" + TEXT + b"\r\n0\r\n\r\n" + KILL, [400], CLOSES),
    ("a chunk beyond 64 bits", CHUNKED + b"\r\n10000000000000008\r\n" + TEXT + b"\r\n0\r\n\r\n" + KILL, [413], CLOSES),
    ("a chunk longer than its size", CHUNKED + b"\r\n4\r\n" + TEXT + b"\r\n0\r\n\r\n" + KILL, [400], CLOSES),
    ("a NUL in a chunk's size", CHUNKED + b"\r\n8\x00\r\n" + TEXT + b"\r\n0\r\n\r\n" + KILL, [400], CLOSES),
    ("a size without end", CHUNKED + b"\r\n" + b"0" * 20000 + b"8\r\n" + TEXT, [], CLOSES),
    ("an extension without end", CHUNKED + b"\r\n8;" + b"x" * 40000 + b"\r\n" + TEXT + b"\r\n0\r\n\r\n", [], CLOSES),
    # Lines.
    ("lines end in LF alone", b"GET /healthz HTTP/1.1\nHost: a\n\n", [200], STAYS),
    ("lines end in CR alone", b"GET /healthz HTTP/1.1\rHost: a\r\r", [], WAITS),
    ("a header without colon", GET + b"nonsense\r\n\r\n", [400], CLOSES),
    ("a header without name", GET + b": value\r\n\r\n", [200], STAYS),
    ("a space in a header's name", GET + b"a b: c\r\n\r\n", [400], CLOSES),
    ("a folded first header", b"GET /healthz HTTP/1.1\r\n Host: a\r\n\r\n", [400], CLOSES),
    ("a folded header", GET + b"X: a\r\n b\r\n\r\n", [200], STAYS),
    ("a NUL in a header's value", GET + b"X: a\x00b\r\n\r\n", [200], STAYS),
    ("a NUL in a header's name", GET + b"X\x00Y: a\r\n\r\n", [400], CLOSES),
    ("a NUL behind the host", b"GET /healthz HTTP/1.1\r\nHost: a\x00b\r\n\r\n", [200], STAYS),
    ("a control byte in a value", GET + b"X: a\x01b\r\n\r\n", [400], CLOSES),
    ("a CR in a value", GET + b"X: a\rKill: b\r\n\r\n", [400], CLOSES),
    ("no host", b"GET /healthz HTTP/1.1\r\n\r\n", [400], CLOSES),
    ("two hosts", GET + HOST + b"\r\n", [400], CLOSES),
    ("two tokens", GET + b"Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n", [400], CLOSES),
    ("a header of 20,000 bytes", GET + b"X: " + b"x" * 20000 + b"\r\n\r\n", [431], CLOSES),
    ("ten thousand headers", GET + b"X: y\r\n" * 10000 + b"\r\n", [431], CLOSES),
    ("a header section without end", GET + b"X: y\r\n" * 100000, [431], CLOSES),
    # Request lines.
    ("an unknown method", b"BREW /healthz HTTP/1.1\r\n" + HOST + b"\r\n", [405], STAYS),
    ("a method in lower case", b"get /healthz HTTP/1.1\r\n" + HOST + b"\r\n", [405], STAYS),
    ("a method that is none", b"G(T /healthz HTTP/1.1\r\n" + HOST + b"\r\n", [405], STAYS),
    ("a NUL in the method", b"GET\x00 /healthz HTTP/1.1\r\n" + HOST + b"\r\n", [200], STAYS),
    ("a method of 5,000 bytes", b"A" * 5000 + b" /healthz HTTP/1.1\r\n" + HOST + b"\r\n", [405], STAYS),
    ("CONNECT", b"CONNECT qvm:80 HTTP/1.1\r\n" + HOST + b"\r\n", [400], STAYS),
    ("TRACE", b"TRACE /healthz HTTP/1.1\r\n" + HOST + b"\r\n", [405], STAYS),
    ("OPTIONS of everything", b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n", [400], STAYS),
    ("no version", b"GET /healthz\r\n\r\n", [400], CLOSES),
    ("version 1.2", b"GET /healthz HTTP/1.2\r\n" + HOST + b"\r\n", [400], CLOSES),
    ("version 2.0", b"GET /healthz HTTP/2.0\r\n" + HOST + b"\r\n", [505], CLOSES),
    ("a version in lower case", b"GET /healthz http/1.1\r\n" + HOST + b"\r\n", [400], CLOSES),
    ("a version of another house", b"GET /healthz RTSP/1.0\r\n" + HOST + b"\r\n", [400], CLOSES),
    ("two spaces", b"GET  /healthz  HTTP/1.1\r\n" + HOST + b"\r\n", [], CLOSES),
    ("a target in three words", b"GET /healthz /v1/vms HTTP/1.1\r\n" + HOST + b"\r\n", [], CLOSES),
    ("a target of 9,000 bytes", b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", [400], STAYS),
    ("a target of 40,000 bytes", b"GET /" + b"x" * 40000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", [414], CLOSES),
    ("a NUL in the target", b"GET /health\x00z HTTP/1.1\r\n" + HOST + b"\r\n", [404], STAYS),
    ("an encoded NUL", b"GET /healthz%00 HTTP/1.1\r\n" + HOST + b"\r\n", [400], STAYS),
    ("a wrong encoding", b"GET /healthz%zz HTTP/1.1\r\n" + HOST + b"\r\n", [400], STAYS),
    ("half an encoding", b"GET /healthz%4 HTTP/1.1\r\n" + HOST + b"\r\n", [400], STAYS),
    ("an encoded slash", b"GET /v1%2fvms HTTP/1.1\r\n" + HOST + b"\r\n", [400], STAYS),
    ("an encoded way up", b"GET /v1/vms/%2e%2e/host HTTP/1.1\r\n" + HOST + b"\r\n", [404], STAYS),
    ("a way up", b"GET /v1/vms/../host HTTP/1.1\r\n" + HOST + b"\r\n", [404], STAYS),
    ("an overlong dot", b"GET /v1/vms/%c0%ae HTTP/1.1\r\n" + HOST + b"\r\n", [400], STAYS),
    ("a fragment", b"GET /healthz#part HTTP/1.1\r\n" + HOST + b"\r\n", [404], STAYS),
    ("UTF-8 as it is", "GET /v1/vms/é HTTP/1.1\r\n".encode() + HOST + b"\r\n", [400], STAYS),
    ("a target without slash", b"GET healthz HTTP/1.1\r\n" + HOST + b"\r\n", [400], STAYS),
    # Other protocols.
    ("the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [505], CLOSES),
    ("a TLS hello", b"\x16\x03\x01\x00\xf1\x01\x00\x00\xed\x03\x03" + bytes(range(200)), [], CLOSES),
    ("SSH", b"SSH-2.0-OpenSSH_9.2p1\r\n", [], CLOSES),
    ("a thousand NULs", b"\0" * 1000 + b"\r\n\r\n", [], WAITS),
    # Waiting for a word.
    ("expects to go on", CHECK + b"Expect: 100-continue\r\nContent-Length: 8\r\n\r\n" + TEXT, [100, 200], STAYS),
    ("expects to go on and may not", CHECK.replace(b"text/plain", b"text/html") + b"Expect: 100-continue\r\nContent-Length: 8\r\n\r\n", [415], CLOSES),
    ("expects too much", CHECK + b"Expect: the-unexpected\r\nContent-Length: 8\r\n\r\n" + TEXT, [200], STAYS),
    # Half of it.
    ("half a request line", b"GET /heal", [], WAITS),
    ("half a header", GET + b"X: ", [], WAITS),
    ("half a body", CHECK + b"Content-Length: 8\r\n\r\nram", [], WAITS),
    ("half a chunk", CHUNKED + b"\r\n8\r\nram", [], WAITS),
]


def read(connection, until=None):
    """All that comes until the server closes, or until that text; (bytes, whether it was closed)."""
    text = b""
    try:
        while part := connection.recv(65536):
            text += part
            if until and until in text:
                return text, False
    except ConnectionResetError:
        pass
    return text, True


def split(text):
    """The statuses of the answers in a stream, up to one that says that it is the last."""
    found = []
    while text:
        head, _, rest = text.partition(b"\r\n\r\n")
        line = re.match(rb"HTTP/1\.[01] (\d\d\d) ", head)
        if not line:
            return found + [text[:60]]
        found.append(int(line[1]))
        if re.search(rb"\r\nconnection: close", head, re.I):
            return found
        length = re.search(rb"\r\ncontent-length: (\d+)", head, re.I)
        text = rest[int(length[1]) if length else 0:]
    return found


def fault(path, case):
    """What is wrong with the answers to a case; "" = nothing."""
    _, data, want, end = case
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(PATIENCE_S)
        s.connect(path)
        try:
            s.sendall(data + (MARK if end == STAYS else b""))
            if end == WAITS:
                s.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it has been closed before all was there
        try:
            text, closed = read(s, b"the-next-one" if end == STAYS else None)
        except TimeoutError:
            return f"neither answer nor end within {PATIENCE_S} s"
    got, want = split(text), want + [404] * (end == STAYS)
    if got != want:
        return f"answered {got}, wanted {want}"
    return "" if closed == (end != STAYS) else "the connection was " + ("closed" if closed else "left open")
