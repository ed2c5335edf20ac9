#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fake_api.py SOCKET: the REST shapes of qvm-api without a supervisor, to try qvmadm against.

One VM "brake" is safe after a crash, "hello" runs; names that begin with "x-" answer with the
HTTP status that follows (x-409). Guest-chosen texts hold escape sequences on purpose.
"""
import http.server
import json
import os
import re
import socketserver
import sys
import time
import urllib.parse

EVIL = "\x1b]0;owned\x07\x1b[2J\u009b31m\u202e"


def now(ago=0.0):
    t = time.time() - ago
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(t)) + ".%03dZ" % (t % 1 * 1000)


VMS = {
    "hello": dict(name="hello", revision=3, desired="running", observed="running", health="healthy",
                  cause="none", reason="", pid=4711, since=now(190), restarts=0, restart_at=None,
                  config="system hello\nram 0,1M\nload 0x1000,/guests/hello.bin\n",
                  policy=dict(autostart=False, on_failure="restart", stop_timeout_ms=10000)),
    "brake": dict(name="brake", revision=1, desired="running", observed="safe", health="failed",
                  cause="worker-signal", reason="died" + EVIL + " of SIGKILL", pid=0, since=now(4),
                  restarts=5, restart_at=None, config="system brake\nram 0,1M\n",
                  policy=dict(autostart=True, on_failure="restart")),
}

INCIDENT = dict(
    id=7, vm="brake", at=now(4), generation=6, revision=1, cause="worker-signal",
    sentence="its worker process died of a signal", detail="SIGKILL, sent by pid 4" + EVIL,
    reaction="it stays in its design safe state: 5 restarts within 10 minutes are spent",
    exit_code=-1, signal="SIGKILL", syscall="", error=dict(detail="KVM_RUN: Bad address", hint="look at dmesg", origin=["vmm/vcpu.c:312 run", "vmm/main.c:1"]), uptime_ms=12345,
    console="booting\r\n\x1b[31mred\x1b[0m\n" + EVIL + "panic: at the disco\n", log="info: beat\n",
    exits=[dict(ago_us=1204 - n * 40, vcpu=n % 2, reason="io" if n % 3 else "hlt", access="none" if n % 3 == 0 else "write" if n % 2 else "read",
                address="0x3f8", width=1 if n % 3 else 0, value=hex(0x41 + n), rip=hex(0xfff0 + n))
           for n in range(20)],
    vcpus=[dict(vcpu=0, state="guest", rip=0xfff4, exits=812),
           dict(vcpu=1, state="halted", rip="0xffffffff81000000", exits=3)])

EVENTS = [dict(seq=n + 1, at=now(60 - n), kind=k, vm="brake", cause="", operation=0, incident=0,
               request="", text=t)
          for n, (k, t) in enumerate([("defined", "revision 1"), ("starting", "worker 1"),
                                      ("started", "first instruction after 12 ms"),
                                      ("safe", "died of SIGKILL" + EVIL), ("crash-loop", "spent")])]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *a):
        if os.environ.get("FAKE_LOG"):
            sys.stderr.write("fake: %s\n" % (a[0] % a[1:]))

    def address_string(self):
        return "unix"

    def answer(self, status, doc, kind="application/json", headers=()):
        body = doc if isinstance(doc, bytes) else json.dumps(doc).encode() if doc is not None else b""
        self.send_response(status)
        for k, v in headers:
            self.send_header(k, v)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def problem(self, status, ident, detail, **more):
        doc = dict(type="urn:qvm:error:" + ident, title=ident, status=status, detail=detail,
                   hint="do this instead", request="00000000000000ab", **more)
        headers = [("Retry-After", "3")] if status == 429 else []
        self.answer(status, doc, "application/problem+json", headers)

    def operation(self, verb, vm, state="done", **more):
        return dict(id=12, op="vm_" + verb, vm=vm, state=state, phase="pressed", started=now(1.2),
                    request="00000000000000ab", ended=now() if state != "running" else None,
                    error=None) | more

    def chunk(self, data):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def stream(self, kind):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def events(self, query):
        since = int(query.get("since", ["%d" % (len(EVENTS) + 1)])[0])
        self.stream("application/x-ndjson")
        if query.get("follow") == ["1"]:
            self.chunk(b'{"kind":"ready","seq":%d}\n' % len(EVENTS))
        for e in EVENTS:
            if e["seq"] >= since:
                line = json.dumps(e).encode() + b"\n"
                self.chunk(line[:9])
                self.chunk(line[9:])
        if query.get("follow") == ["1"]:
            time.sleep(float(os.environ.get("FAKE_FOLLOW", "2")))
            EVENTS.append(dict(EVENTS[-1], seq=len(EVENTS) + 1, kind="started", at=now(),
                               text="after a restart"))
            VMS["brake"]["observed"] = "running"
            self.chunk(json.dumps(EVENTS[-1]).encode() + b"\n")
        self.chunk(b"")

    def console(self, query):
        self.stream("text/plain")
        self.chunk(b"hello from the guest\r\n\x1b[31mred\x1b[0m \x1b[2Jtext \xc3")
        self.chunk(b"\xa9 \xff\x1b]0;title\x07\n")
        if query.get("follow") == ["1"]:
            time.sleep(1)
            self.chunk(b"more\n")
        self.chunk(b"")

    def handle_any(self):
        url = urllib.parse.urlsplit(self.path)
        query = urllib.parse.parse_qs(url.query)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        part = url.path.split("/")[2:]
        if url.path == "/v1/events":
            return self.events(query)
        if url.path == "/v1/vms":
            return self.answer(200, dict(vms=[] if os.environ.get("FAKE_EMPTY") else list(VMS.values())))
        if url.path == "/v1/check":
            return self.check(json.loads(body))
        if url.path == "/v1/host":
            return self.answer(200, dict(version="0.1.0", kvm=dict(api=12), sandbox=["seccomp"]))
        if part[0] == "operations":
            time.sleep(0.3)
            return self.answer(200, self.operation("stop", "hello", "done", phase="killed at the deadline"))
        return self.vm(part[1], part[2:], query, body)

    def check(self, doc):
        found = re.search(r"(?m)^(.*?)(bogus)(.*)$", doc["config"])
        if not found:
            return self.answer(200, dict(valid=True, diagnostics=[], plan=dict(
                vcpus=2, vdevs=3, ram_bytes=64 << 20, rom_bytes=0)))
        line = doc["config"][:found.start()].count("\n") + 1
        return self.answer(200, dict(valid=False, diagnostics=[dict(
            severity="error", file="<config>", line=line, column=len(found[1]) + 1, length=5,
            source=found[0], what="there is no option 'bogus'", hint="remove it")]))

    def vm(self, name, rest, query, body):
        if name.startswith("x-"):
            return self.problem(int(name[2:]), {409: "conflict", 429: "limit", 500: "internal"}.get(
                int(name[2:]), "unheard-of"), "'%s' refused this%s" % (name, EVIL))
        if self.command == "PUT":
            doc = json.loads(body)
            if "bogus" in doc["config"]:
                return self.problem(422, "configuration", "the configuration has 1 error", diagnostics=[
                    dict(severity="error", file="<config>", line=1, column=1, length=5, source="bogus",
                         what="there is no option 'bogus'", hint="remove it")])
            new = name not in VMS
            VMS[name] = dict(VMS["hello"], name=name, config=doc["config"])
            return self.answer(201 if new else 200, VMS[name])
        if name not in VMS:
            return self.problem(404, "not-found", "there is no VM '%s'" % name)
        if self.command == "DELETE":
            del VMS[name]
            return self.answer(204, None)
        if not rest:
            return self.answer(200, VMS[name])
        if rest[0] == "incidents":
            return self.answer(200, dict(incidents=[INCIDENT, dict(INCIDENT, id=6, at=now(90))]
                                         if name == "brake" else []))
        if rest[0] == "console":
            return self.answer(204, None) if body else self.console(query)
        if name == "brake" and rest[0] == "start":
            return self.answer(200, self.operation("start", name, "failed", error=dict(
                type="urn:qvm:error:start", title="start", status=500,
                detail="open image '/guests/x': No such file", hint="make it available",
                request="00000000000000ab")))
        running = rest[0] == "stop"
        return self.answer(202, self.operation(rest[0], name, "running" if running else "done"))

    do_GET = do_PUT = do_POST = do_DELETE = handle_any


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 64


if __name__ == "__main__":
    if os.path.exists(sys.argv[1]):
        os.unlink(sys.argv[1])
    Server(sys.argv[1], Handler).serve_forever()
