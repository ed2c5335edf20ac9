# SPDX-License-Identifier: Apache-2.0
"""Who sends slowly or holds many connections costs nobody else the API."""
import json
import os
import resource
import socket
import subprocess
import sys
import threading
import time

import pytest

from host import DEADLINE, SANITIZED, Host, config

MANY = 2500
NOBODY = 65534
# Opens MANY connections, says how many of them are left open, waits for their end.
FLOOD = f"""
import select, socket, sys
held = {{}}
poll = select.poll()
for _ in range({MANY}):
    s = socket.socket(socket.AF_UNIX)
    s.connect(sys.argv[1])
    held[s.fileno()] = s
    poll.register(s, select.POLLIN)
def end(enough):
    while len(held) > enough:
        ended = poll.poll(60000)
        if not ended:
            break
        for fd, _ in ended:
            poll.unregister(fd)
            held.pop(fd).close()
    print(len(held), flush=True)
end(1024)
end(0)
"""


def connect(host):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(DEADLINE)
    s.connect(host.socket)
    return s


def trickle(host, begin, byte, ended):
    """One byte a second until the API hangs up, for two minutes at most."""
    with connect(host) as s:
        s.sendall(begin)
        s.settimeout(1)
        for _ in range(120):
            try:
                s.sendall(byte)
                if s.recv(1) == b"":
                    ended.append(begin)
                    return
            except TimeoutError:
                continue
            except (BrokenPipeError, ConnectionResetError):
                ended.append(begin)
                return


def hung_up(host, why):
    """How many connections the API says that it ended for that reason."""
    row = f'qvm_api_hung_up_total{{reason="{why}"}} '
    return next(int(line[len(row):]) for line in host.get("/metrics").text.splitlines() if line.startswith(row))


HEAD = b"POST /v1/check HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
SLOW = [(b"", b""), (b"GET", b"x"), (b"GET /healthz HTTP/1.1\r\nX: ", b"x"),
        (HEAD + b"Content-Length: 9999\r\n\r\n", b" "),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n")]
if SANITIZED:  # a body's time is a head's by another number
    SLOW = SLOW[:3]


class Trickling:
    """A host with slow clients, which have their time while other tests run."""

    def __init__(self, host):
        self.host, self.ended = host, []
        self.threads = [threading.Thread(target=trickle, args=(host, *how, self.ended)) for how in SLOW]
        for t in self.threads:
            t.start()

    def until_ended(self):
        for t in self.threads:
            t.join()


@pytest.fixture(scope="module")
def trickling():
    with Host() as h:
        t = Trickling(h)
        yield t
        t.until_ended()


@pytest.mark.usefixtures("trickling")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")
def test_who_holds_thousands_of_connections_does_not_lock_root_out(shared):
    os.chmod(shared.run, 0o755)
    os.chmod(shared.socket, 0o666)
    before = hung_up(shared, "late") + hung_up(shared, "crowd")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    room = min(hard, MANY + 100)
    with subprocess.Popen([sys.executable, "-c", FLOOD, shared.socket], user=NOBODY, group=NOBODY, extra_groups=[],
                          stdout=subprocess.PIPE, text=True,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (room, hard))) as flood:
        assert int(flood.stdout.readline()) <= 1024  # half of all
        done = shared.adm("list")
        assert done.returncode == 0, done.stderr
        assert flood.stdout.readline() == "0\n"  # those that said nothing have been ended
        assert flood.wait() == 0
    assert hung_up(shared, "late") + hung_up(shared, "crowd") == before + MANY and hung_up(shared, "crowd") > 0


def test_a_request_that_trickles_in_loses_its_connection_and_a_steady_one_does_not(trickling):
    host = trickling.host
    assert host.adm("list").returncode == 0
    body = json.dumps({"config": config("hello.elf")}).encode()
    with connect(host) as steady:
        steady.sendall(HEAD + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body))
        step = len(body) // 25 + 1
        for at in range(0, len(body), step):
            steady.sendall(body[at:at + step])
            time.sleep(0.5)
        assert steady.recv(12) == b"HTTP/1.1 200"  # later than a head may take
    trickling.until_ended()
    assert sorted(trickling.ended) == sorted(begin for begin, _ in SLOW)
    assert hung_up(host, "late") == len(SLOW)
    assert host.adm("list").returncode == 0
