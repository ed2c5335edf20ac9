# SPDX-License-Identifier: Apache-2.0
"""A thousand event streams: nobody misses an event or sees one twice, however slowly somebody else reads."""
import re
import resource
import selectors
import socket
import threading

import pytest

from host import SANITIZED, Host, config

STREAMS, EVENTS = (200, 50) if SANITIZED else (1000, 100)
LAST = b'"kind":"deleted"'
SLOW = 10  # each tenth reads nothing until all has happened


class Stream:
    def __init__(self, path, query, is_sse, is_slow):
        self.is_slow, self.parts = is_slow, []
        self.s = socket.socket(socket.AF_UNIX)
        self.s.settimeout(30)
        self.s.connect(path)
        accept = "text/event-stream" if is_sse else "application/x-ndjson"
        self.s.sendall(f"GET /v1/events?follow=1{query} HTTP/1.1\r\nHost: a\r\nAccept: {accept}\r\n\r\n".encode())
        while b'"ready"' not in b"".join(self.parts):
            self.parts.append(self.s.recv(65536))

    def seqs(self):
        """Of all records but `ready`, which comes first."""
        return [int(n) for n in re.findall(rb'\{"seq":(\d+)', b"".join(self.parts))][1:]

    def read(self):
        """True once it has the last event."""
        self.parts.append(self.s.recv(1 << 20))
        return LAST in b"".join(self.parts[-2:])


@pytest.fixture
def room():
    """Enough descriptors for both ends."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, STREAMS + 200)), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def rss_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS:"))


def cpu_us(pid):
    with open(f"/proc/{pid}/schedstat", encoding="ascii") as f:
        return int(f.read().split()[0]) / 1000


def read_fast(streams):
    with selectors.DefaultSelector() as waiting:
        for s in streams:
            waiting.register(s.s, selectors.EVENT_READ, s)
        while waiting.get_map():
            for key, _ in waiting.select(30):
                if key.data.read():
                    waiting.unregister(key.fileobj)


def test_a_thousand_streams_miss_nothing_and_see_nothing_twice(room):
    host, streams = Host().start(), []
    try:
        host.define("x", config("hello.elf"))
        before = rss_kib(host.api_pid())
        streams = [Stream(host.socket, "&vm=x" if i % 7 == 3 else "", i % 2 == 0, i % SLOW == 0) for i in range(STREAMS)]
        each = (rss_kib(host.api_pid()) - before) / STREAMS
        first, began = host.events()[-1]["seq"] + 1, cpu_us(host.api_pid())
        reader = threading.Thread(target=read_fast, args=([s for s in streams if not s.is_slow],))
        reader.start()
        for i in range(EVENTS):
            a = host.request("PATCH", "/v1/vms/x", {"policy": {"restart_budget": i % 2 + 1}})
            assert a.status == 200, a
        grown = (rss_kib(host.api_pid()) - before) / STREAMS
        host.delete("/v1/vms/x")
        reader.join(120)
        assert not reader.is_alive()
        for s in streams:
            while s.is_slow and not s.read():
                pass
        wanted = list(range(first, host.events(first)[-1]["seq"] + 1))
        late = Stream(host.socket, "&since=1", False, False)
        streams.append(late)
        while LAST not in b"".join(late.parts):
            late.read()
        assert late.seqs() == list(range(1, wanted[-1] + 1))
        wrong = [i for i, s in enumerate(streams[:STREAMS]) if s.seqs() != wanted]
        records = sum(len(s.seqs()) for s in streams)
        print(f"{STREAMS} streams, {STREAMS // SLOW} of them slow, {len(wanted)} events each: "
              f"{records} records, lost or doubled in {len(wrong)}; the API's memory per stream {each:.1f} KiB, {grown:.1f} after "
              f"them, its processor time per record {(cpu_us(host.api_pid()) - began) / records:.1f} us")
        assert len(wanted) >= EVENTS and not wrong, wrong
        assert host.get("/healthz").status == 200
    finally:
        for s in streams:
            s.s.close()
        host.close()
