# SPDX-License-Identifier: Apache-2.0
"""Each problem of the document, provoked: what the tour and chance do not meet of themselves.

A provocation asks as many operations as it can for one kind of problem; it is a function, named in one of the
two lists at the end: those of the common host, and those that would spoil it, which run beside all else.
What none of them reaches has its reason in UNREACHED, or the run fails.
"""
import os
import shutil
import socket
import threading

from host import B, Host, config

HELLO = config("hello.elf")
ID = "00000000c0ffee00"

# Problems that no request of this run gets: why, and who sees them.
UNREACHED = {
    "usage": "of qvmadm's own, exit status 2",
    "no-server": "of qvmadm's own, exit status 19",
    "internal": "a defect, or a host without memory or descriptors: test_exhaustion.py",
    "kvm": "a host whose /dev/kvm refuses: make faults",
    "guest": "an operation's or incident's: what the guest did; test_fault.py",
    "resource": "a host that has run out of processes or files: test_exhaustion.py",
    "start": "an operation's or incident's: test_life.py",
    "protocol": "an operation's or incident's, of a hostile worker: test_hostile.py",
}


def target(operation, vm="hello", token="nobody", number="999999"):
    path = operation.path.replace("{vm}", vm).replace("{token}", token).replace("{id}", number).replace("{n}", number)
    return path.replace("{dump}", f"{vm}-20200101-000000.gcore")


def body(operation):
    """(body, headers) that the operation takes."""
    told = operation.item.get("requestBody")
    if not told:
        return None, {}
    if operation.id.startswith("token"):
        return {"role": "reader"}, {}
    return ({"config": HELLO}, {}) if "application/json" in told["content"] else ("x", {"Content-Type": "text/plain"})


def of(host, *kinds):
    """Operations: of a VM, with a body, CALLs (what may change something), any."""
    for o in host.document.operations:
        is_kind = {"vm": "{vm}" in o.path, "body": "requestBody" in o.item, "call": "504" in o.item["responses"]}
        if all(is_kind[k] for k in kinds):
            yield o


def ask_each(ask, operations, headers=None, query="", **names):
    for o in operations:
        data, kind = body(o)
        ask(o.method, target(o, **names) + query, data, {**kind, **(headers or {})})


def stranger(host, ask):
    ask_each(ask, of(host), {"Authorization": "Bearer nobody"})


def reader_of_other_vms(host, ask):
    secret = ask("POST", "/v1/tokens/other", {"role": "reader", "vms": "other-*"}).json["secret"]
    ask_each(ask, of(host), {"Authorization": f"Bearer {secret}"})
    ask("DELETE", "/v1/tokens/other")


def another_site(host, ask):
    ask_each(ask, of(host), {"Origin": "https://another.example"})


def unknown_parameter(host, ask):
    ask_each(ask, of(host), query="?nonsense=1")


def unknown_name(host, ask):
    ask_each(ask, (o for o in of(host) if "{" in o.path and o.method != "PUT" and "tokens" not in o.path), vm="nobody")
    ask("DELETE", "/v1/tokens/nobody")


def body_too_long(host, ask):
    for o in of(host, "body"):
        ask(o.method, target(o), None, {**body(o)[1], "Content-Length": str(99 << 20)})


def foreign_body(host, ask):
    for o in of(host, "body"):
        ask(o.method, target(o), "<xml/>", {"Content-Type": "text/xml"})


def wrong_configuration(host, ask):
    for o in of(host, "body", "vm"):
        ask(o.method, target(o), {"config": "laod x\n"})


def stale_revision(host, ask):
    ask_each(ask, (o for o in of(host) if "412" in o.item["responses"]), {"If-Match": '"99"'})


def wrong_state(host, ask):
    """Not startable twice, not deletable while it runs, nothing to type at; a name given twice."""
    ask("POST", "/v1/vms/hello/start?wait=20s")
    for method, path in (("POST", "start"), ("POST", "release"), ("DELETE", ""), ("POST", "takeover"), ("POST", "give-back"),
                         ("POST", "resume")):
        ask(method, f"/v1/vms/hello/{path}".rstrip("/"))
    ask("POST", "/v1/vms/hello/kill?wait=20s")
    ask_each(ask, of(host, "vm", "call"))
    ask("POST", "/v1/vms/hello/kill?wait=20s")
    ask("PUT", "/v1/vms/rests", {"config": HELLO})
    for view in ("status", "map"):
        ask("GET", f"/v1/vms/rests/{view}")
    for _ in range(2):
        ask("POST", "/v1/tokens/twice", {"role": "reader"})
    ask("DELETE", "/v1/tokens/twice")


def range_behind_the_end(host, ask):
    ask("PUT", "/v1/vms/dumped", {"config": HELLO})
    for word in ("start", "dump", "kill"):
        ask("POST", f"/v1/vms/dumped/{word}?wait=20s")
    for dump in ask("GET", "/v1/vms/dumped/dumps").json["dumps"]:
        at = f"/v1/vms/dumped/dumps/{dump['name']}"
        ask("GET", at, None, {"Range": f"bytes={dump['bytes']}-"})
        ask("DELETE", at)
    ask("DELETE", "/v1/vms/dumped")


def another_request_of_that_id(host, ask):
    ask("PUT", "/v1/vms/rests", {"config": HELLO})
    ask("POST", "/v1/vms/rests/reset-budget", None, {"Request-Id": ID})
    ask_each(ask, of(host, "vm", "call"), {"Request-Id": ID})


def guest_that_reads_nothing(host, ask):
    host.define("mute", config("spin.elf"))
    host.verb("mute", "start")
    while ask("POST", "/v1/vms/mute/console", "x" * 1024, {"Content-Type": "text/plain"}).status != 429:
        pass
    host.verb("mute", "kill")


def full_house(host, ask):
    """As many streams as there is room for; whoever would wait or follow is then turned away."""
    open_streams = []
    try:
        while True:
            s = socket.socket(socket.AF_UNIX)
            open_streams.append(s)
            s.settimeout(20)
            s.connect(host.socket)
            s.sendall(b"GET /v1/events?follow=1 HTTP/1.1\r\nHost: a\r\n\r\n")
            if not s.recv(64).startswith(b"HTTP/1.1 200"):
                break
        ask_each(ask, of(host))
    finally:
        for s in open_streams:
            s.close()


def unknown_method(host, ask):
    for o in host.document.operations:
        ask("BREW", target(o))


def store_damaged(ask):
    """Database and log are overwritten under the feet of those who read."""
    with Extra(ask) as host:
        for name in ("state.db", "state.db-wal"):
            with open(f"{host.state}/{name}", "r+b") as f:
                f.write(b"\xff" * os.path.getsize(f.name))
        # A stream has told its status before it reads on: all that it can do then is to break off.
        streams = [o for o in of(host) if any(p["name"] == "follow" for p in o.item["parameters"])]
        ask.at(host, ask_each, (o for o in of(host) if o.method == "GET" and o not in streams))
        host.process.kill()
        for entry in os.scandir(host.state):  # the folder stays: its number names the host's cgroup
            shutil.rmtree(entry) if entry.is_dir() else os.unlink(entry)


def host_safe(ask):
    with Extra(ask) as host:
        os.rename(f"{host.run}/qvmd.lock", f"{host.run}/qvmd.away")
        host.until(lambda: host.get("/healthz").status == 503, "the host is safe")
        ask.at(host, ask_each, (o for o in of(host, "call") if o.id in ("vm_start", "host_release")))
        os.rename(f"{host.run}/qvmd.away", f"{host.run}/qvmd.lock")


def supervisor_ends(ask):
    """Whoever waits is told."""
    with Extra(ask) as host:
        host.define("deaf", config("hang.bin"), stop_timeout_ms=20000)
        host.verb("deaf", "start")
        waiting = threading.Thread(target=ask.at, args=(host, lambda a: a("POST", "/v1/vms/deaf/stop?wait=20s")))
        waiting.start()
        host.until_vm("deaf", observed="stopping")
        host.process.terminate()
        waiting.join()


def check_of_a_dead_worker(ask):
    with Extra(ask, workers="exit 1") as host:
        ask.at(host, ask_each, of(host, "body"))


def checks_without_end(ask):
    """A worker that says nothing: the check has its deadline, and there is room for so many at once."""
    with Extra(ask, workers="exec sleep 60") as host:
        def put(name):
            ask.at(host, lambda a: a("PUT", f"/v1/vms/{name}", {"config": HELLO}))
        late = [threading.Thread(target=put, args=(f"late-{i}",)) for i in range(40)]
        for t in late:
            t.start()
        for t in late:
            t.join()


class Extra:
    """A host of its own for what would spoil another; `workers` is what each does first."""

    def __init__(self, ask, workers=None, **settings):
        self.host = Host(**settings)
        if workers:
            self.host.settings["program-dir"] = folder = os.path.join(self.host.folder, "programs")
            os.mkdir(folder)
            for name in ("qvm-api", "qvm-keeper"):
                os.symlink(f"{B}/{name}", f"{folder}/{name}")
            with open(f"{folder}/qvm", "w", encoding="ascii") as f:
                f.write(f'#!/bin/sh\n{workers}\nexec {B}/qvm "$@"\n')
            os.chmod(f"{folder}/qvm", 0o755)

    def __enter__(self):
        self.host.start()
        if "program-dir" not in self.host.settings:
            self.host.define("hello", HELLO)
        return self.host

    def __exit__(self, *_):
        self.host.close()


ON_THE_HOST = (stranger, reader_of_other_vms, another_site, unknown_parameter, unknown_name, unknown_method, body_too_long,
               foreign_body, wrong_configuration, stale_revision, wrong_state, range_behind_the_end,
               another_request_of_that_id, guest_that_reads_nothing, full_house)
ON_ITS_OWN = (checks_without_end, check_of_a_dead_worker, store_damaged, host_safe, supervisor_ends)
