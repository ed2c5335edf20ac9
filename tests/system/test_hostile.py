# SPDX-License-Identifier: Apache-2.0
"""A worker that a guest has taken over harms only itself: tests/fault/hostile commits, row by row,
what the name of its VM says."""
import os
import re

import pytest

from host import B, SANITIZED, Host, config, is_alive, send

ARMED = {"heartbeat_ms": 123, "heartbeat_misses": 4, "on_failure": "stop"}
LIES = ("foreign-version", "type-none", "type-unknown", "type-next", "supervisors-word", "apis-word", "no-body",
        "short-body", "long-body", "length-lies", "huge", "a-descriptor", "descriptors", "out-of-turn",
        "held-of-no-hold", "invalid-of-nothing", "plan-of-nothing")
# What each comes to by itself. Without a cause the supervisor has no reason to end it: the test does.
MISDEEDS = {
    **{lie: "protocol" for lie in LIES}, **{f"{lie}-late": "protocol" for lie in LIES},
    "one-byte": "protocol", "flood-findings": "protocol", "flood-wants": "protocol",
    "want-out-of-order": "protocol", "want-unknown": "protocol", "want-without-end": "protocol",
    "want-two-memories": "protocol", "want-all-memory": "resource", "silent": "start-timeout",
    "empty-with-descriptors": "worker-hung", "goodbye-and-stay": "worker-hung",
    "close-link-and-stay": "worker-hung", "stop-beating": "worker-hung", "exit-otherwise": "worker-exit",
    **{f"forge-{cause}": "protocol" for cause in (
        "none", "killed", "host-shutdown", "supervisor-lost", "stop-deadline", "out-of-memory", "worker-signal",
        "start-timeout", "unknown")},
}
GROWTH_KIB = 512 if not SANITIZED else 1 << 20


@pytest.fixture(scope="module")
def den():
    """A host whose armed workers are hostile, with a bystander."""
    with Host(**{"program-dir": f"{B}/tests/hostile"}) as h:
        h.define("bystander", config("hello.elf"))
        h.verb("bystander", "start")
        h.until_console("bystander", "Hello")
        h.untouched = h.vm("bystander")["pid"]
        yield h


def fds(host):
    return len(os.listdir(f"/proc/{host.process.pid}/fd"))


def private_kib(host):
    with open(f"/proc/{host.process.pid}/smaps_rollup", encoding="ascii") as f:
        return int(re.search(r"^Private_Dirty:\s+(\d+)", f.read(), re.M).group(1))


def begin(host, name, text=config("hello.elf"), runs=True, **policy):
    host.define(name, text, **{**ARMED, **policy})
    a = host.verb(name, "start", wait="10s" if runs else None)
    assert not runs or a.json["state"] == "done", a
    return host.vm(name)["pid"]


def unharmed(host, descriptors):
    """Others go on as if nothing had been, and the supervisor holds nothing of it."""
    vm = host.vm("bystander")
    assert (vm["pid"], vm["observed"], vm["health"], vm["restarts"]) == (host.untouched, "running", "healthy", 0), vm
    host.until(lambda: fds(host) == descriptors, f"qvmd has {descriptors} descriptors, as before")


def remove(host, name):
    host.verb(name, "kill")
    host.until_vm(name, pid=0)
    host.verb(name, "release")
    host.until(lambda: host.delete(f"/v1/vms/{name}").status == 204, f"no dump of {name} is being written any more")


def processes_of(uid):
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/status", encoding="ascii") as f:
                if re.search(rf"^Uid:\t{uid}\t", f.read(), re.M):
                    found.append(int(pid))
        except OSError:
            continue
    return found


def uid_of(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return int(re.search(r"^Uid:\t(\d+)", f.read(), re.M).group(1))


@pytest.mark.parametrize("name", MISDEEDS)
def test_a_misdeed_is_the_end_of_its_worker_alone(den, name):
    cause, before, seq = MISDEEDS[name], fds(den), den.events()[-1]["seq"]
    pid = begin(den, name, runs=False, start_timeout_ms=500 if name == "silent" else 20000)
    vm = den.until_vm(name, observed="safe", pid=0)
    assert vm["cause"] == cause, vm
    assert pid == 0 or not is_alive(pid)
    [incident] = den.incidents(name)
    assert incident["cause"] == cause and incident["sentence"]
    assert not [e for e in den.events(seq + 1) if e["vm"] == "bystander" or e["kind"] == "api-lost"]
    remove(den, name)
    unharmed(den, before)


def test_the_worst_of_them_again_and_again_leave_the_supervisor_as_it_was(den):
    names = ("descriptors", "huge", "flood-findings", "flood-wants", "want-unknown", "descriptors-late")
    for name in names:
        den.define(name, config("hello.elf"), **ARMED)

    def round_():
        for name in names:
            den.verb(name, "start", wait=None)
            den.until_vm(name, observed="safe", pid=0)
    for _ in range(3):
        round_()  # caches and pools have their size
    before = fds(den), private_kib(den)
    for _ in range(10):
        round_()
    unharmed(den, before[0])
    assert private_kib(den) < before[1] + GROWTH_KIB
    for name in names:
        remove(den, name)


@pytest.mark.parametrize("what", ("state.db", "api.sock", "disk"))
def test_what_belongs_to_others_is_not_given(den, what):
    before = fds(den)
    path = {"state.db": f"{den.state}/state.db", "api.sock": den.socket,
            "disk": os.path.join(den.folder, "disk.img")}[what]
    name = "want-disk" if what == "disk" else "want-path"
    if what == "disk":
        with open(path, "wb") as f:
            f.truncate(1 << 20)
        den.define("owner", config("hello.elf", f"vdev virtio-blk hostdev {path}"))
        den.verb("owner", "start")
        before = fds(den)
    begin(den, name, config("hello.elf") + f"#{path}\n", runs=False)
    vm = den.until_vm(name, observed="safe")
    assert vm["cause"] == "resource" and path in vm["reason"], vm
    remove(den, name)
    unharmed(den, before)
    if what == "disk":
        remove(den, "owner")


def test_a_deaf_worker_costs_its_own_requests_only(den):
    before = fds(den)
    pid = begin(den, "deaf", stop_timeout_ms=200, heartbeat_misses=100)
    full = den.until(lambda: (a := den.post("/v1/vms/deaf/console", "x" * 1000, **{"Content-Type": "text/plain"})).status
                     >= 400 and a, "no more is sent to it")
    assert full.status == 429 and full.json["type"].endswith(":guest-not-reading") and "has not read what was typed before" in full.text, full
    unharmed(den, fds(den))
    den.define("pace", config("poweroff.elf"))
    assert den.verb("pace", "start").status == 200
    den.until_vm("pace", observed="stopped")
    den.verb("deaf", "stop")
    vm = den.until_vm("deaf", pid=0)
    assert vm["cause"] in ("stop-deadline", "protocol") and not is_alive(pid), vm
    remove(den, "deaf")
    remove(den, "pace")
    unharmed(den, before)


def test_a_box_that_is_scribbled_over_while_it_is_read_misleads_nobody(den):
    before, seq = fds(den), den.events()[-1]["seq"]
    pid = begin(den, "scribble", heartbeat_ms=1000, heartbeat_misses=100)  # its heart is scribbled over, too
    for _ in range(10):
        for view in ("status", "console", "map"):
            a = den.get(f"/v1/vms/scribble/{view}")
            assert a.status in (200, 409), a
        assert den.get("/metrics").status == 200
    send(pid, "SIGKILL")
    den.until_vm("scribble", observed="safe", cause="worker-signal")
    [incident] = den.incidents("scribble")
    assert incident["signal"] == "SIGKILL" and len(incident["console"]) <= 8192 and len(incident["exits"]) <= 32
    assert not [e for e in den.events(seq + 1) if e["kind"] == "api-lost"]
    remove(den, "scribble")
    unharmed(den, before)


def test_what_it_writes_to_stderr_is_kept_short(den):
    before = fds(den), private_kib(den)
    pid = begin(den, "babble", heartbeat_misses=100)
    den.define("pace", config("poweroff.elf"))
    den.verb("pace", "start")
    den.until_vm("pace", observed="stopped")
    send(pid, "SIGKILL")
    den.until_vm("babble", observed="safe")
    [incident] = den.incidents("babble")
    assert 0 < len(incident["log"]) <= 8192 and "\a" not in incident["log"]
    remove(den, "babble")
    remove(den, "pace")
    unharmed(den, before[0])
    assert private_kib(den) < before[1] + GROWTH_KIB


def test_its_children_are_counted_and_go_with_it(den):
    before = fds(den)
    pid = begin(den, "fork", pids_max=20, heartbeat_misses=100)
    uid = uid_of(pid)
    n = den.until(lambda: len(p := processes_of(uid)) >= 19 and p, "it has forked")
    assert len(n) <= 21
    den.verb("fork", "kill")
    den.until_vm("fork", pid=0)
    den.until(lambda: not processes_of(uid), "all of them are gone")
    remove(den, "fork")
    unharmed(den, before)


def test_the_memory_it_eats_is_its_own(den):
    before = fds(den)
    most = 128 << 20
    begin(den, "eat-memory", runs=False, memory_max=most, start_timeout_ms=60000, heartbeat_misses=100)
    pid = den.until(lambda: den.vm("eat-memory")["pid"], "it has a worker")
    if "memory=cgroup" in den.get("/v1/host").json["facts"]["limits"]:
        den.until_vm("eat-memory", observed="safe", cause="out-of-memory")
    else:
        def resident():
            with open(f"/proc/{pid}/status", encoding="ascii") as f:
                return int(re.search(r"^RssAnon:\s+(\d+)", f.read(), re.M).group(1)) * 1024
        den.until(lambda: resident() > most * 3 / 4, "it has eaten what it may")
        # The memory of a sanitized worker is not limited (its shadow is terabytes); it still harms nobody.
        assert SANITIZED or resident() <= most
    remove(den, "eat-memory")
    unharmed(den, before)
