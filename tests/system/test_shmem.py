# SPDX-License-Identifier: Apache-2.0
"""shmem: regions of memory that VMs share by name, under qvmd and alone, and what becomes of them."""
import os
import re
import signal
import subprocess
import time

import pytest

from host import B, DEADLINE, EXAMPLES, Host, config, is_alive, send

CLIENTS = 16
ROUNDS = 2000


def text(*steps, options="", irq="", more=()):
    return config("shmem.elf", "vdev ioapic", *more, f'cmdline "{irq}do={";".join(steps)}"',
                  f"vdev shmem {options}")


class Supervised:
    """VMs of one qvmd."""

    def __init__(self, host):
        self.host = host

    def start(self, name, *steps, policy=None, **how):
        self.host.define(name, text(*steps, **how), **{"on_failure": "stop", **(policy or {})})
        a = self.host.verb(name, "start")
        assert a.status == 200 and a.json["state"] == "done", a

    def said(self, name):
        return self.host.console(name)

    def pid(self, name):
        return self.host.vm(name)["pid"]

    def close(self):
        pass


class Alone:
    """Workers from a shell, of one user."""

    def __init__(self, folder):
        self.folder = folder
        self.worker = {}

    def start(self, name, *steps, **how):
        path = self.folder / f"{name}.qvmconf"
        path.write_text(text(*steps, **how))
        with open(self.folder / f"{name}.out", "wb") as out:
            self.worker[name] = subprocess.Popen([f"{B}/qvm", f"@{path}"], stdin=subprocess.DEVNULL,
                                                 stdout=out, stderr=out)

    def said(self, name):
        return (self.folder / f"{name}.out").read_text(errors="replace")

    def pid(self, name):
        return self.worker[name].pid

    def close(self):
        for p in self.worker.values():
            p.kill()
            p.wait()


@pytest.fixture(params=["supervised", "alone"])
def vms(request, tmp_path):
    if request.param == "supervised":
        yield Supervised(request.getfixturevalue("host"))
        return
    a = Alone(tmp_path)
    yield a
    a.close()


def until(vms, name, what, times=1):
    """That many whole lines with it."""
    end = time.monotonic() + DEADLINE
    while sum(what in line for line in vms.said(name).split("\n")[:-1]) < times:
        assert time.monotonic() < end, f"{name} does not say {what!r}:\n{vms.said(name)}"
        time.sleep(0.02)


def servers():
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                words = f.read().split(b"\0")
            if os.readlink(f"/proc/{pid}/exe") == f"{B}/qvm" and words[1:2] == [b"--shmem"]:
                found.append(int(pid))
        except OSError:
            continue
    return found


def regions(server):
    """How many a server has: each is a memfd."""
    folder = f"/proc/{server}/fd"
    return sum("qvm-shmem" in os.readlink(f"{folder}/{fd}") for fd in os.listdir(folder))


@pytest.mark.parametrize("irq", ["", "irq=line "])
def test_two_guests_share_a_region_notify_each_other_and_see_each_other_go(vms, irq):
    vms.start("one", "attach:ring:4", "put:from-one", "await:3", "notify:2", "wait", "get", "await:1")
    until(vms, "one", "attach ring: status 0, 4 pages, number 0, clients 1")
    vms.start("two", "attach:ring:4", "wait", "get", "put:from-two", "notify:ffffffff", "detach", irq=irq)
    until(vms, "one", "shmem: done")
    until(vms, "two", "shmem: done")
    assert re.findall(r"notified by (\w)|there is '(.*)'|clients (\w)", vms.said("one"), re.M) == [
        ("", "", "1"), ("", "", "3"), ("2", "", ""), ("", "from-two", ""), ("", "", "1")]
    assert "attach ring: status 0, 4 pages, number 1, clients 3" in vms.said("two")
    assert "notified by 1" in vms.said("two") and "there is 'from-one'" in vms.said("two")
    assert "detached, it reads ffffffff and ffffffff" in vms.said("two")


@pytest.mark.parametrize("irq", ["", "irq=line "])
def test_no_notification_is_lost_in_thousands(vms, irq):
    """Each waits for the other's: one that is lost is the end of the game."""
    vms.start("pong", "attach:ring:1", f"pong:{ROUNDS}", "stay", irq=irq)
    until(vms, "pong", "attach ring: status 0")
    vms.start("ping", "attach:ring:1", f"ping:{ROUNDS}", irq=irq)
    until(vms, "ping", f"played {ROUNDS} times")
    until(vms, "pong", f"played {ROUNDS} times")


@pytest.mark.parametrize("order", [("one", "two"), ("two", "one")])
def test_the_examples_leave_each_other_a_word_in_either_order(order):
    guest = {}
    for name in order:
        guest[name] = subprocess.Popen([f"{B}/qvm", f"@{EXAMPLES}/shmem-{name}.qvmconf"], text=True,
                                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    for name, other in (order, order[::-1]):
        said, _ = guest[name].communicate(timeout=DEADLINE)
        assert guest[name].returncode == 0 and f"there is 'hello-from-{other}'" in said, said


def test_off_the_bus_the_window_follows_the_factory_page(vms):
    vms.start("off", "attach:ring:4", "notify:1", "wait", "fill", "check", "find:0", "detach",
              irq="at=d0000000 irq=5 ", options="loc 0xd0000000 intr ioapic:5")
    until(vms, "off", "shmem: done")
    said = vms.said("off")
    assert "notified by 1" in said and "4 pages as filled, last byte 7a" in said
    assert "find ring: status 0, 4 pages, number 0" in said
    assert "detached, it reads ffffffff and ffffffff" in said


def test_sixteen_guests_fit_a_seventeenth_does_not_until_one_has_gone(vms):
    for i in range(CLIENTS):
        vms.start(f"vm{i}", "attach:ring:1", "stay")
    numbers = set()
    for i in range(CLIENTS):
        until(vms, f"vm{i}", "attach ring: status 0")
        numbers.add(re.search(r"number (\d+)", vms.said(f"vm{i}"))[1])
    assert numbers == {str(i) for i in range(CLIENTS)}
    vms.start("late", "attach:ring:1")
    until(vms, "late", "attach ring: status 3, at 0")
    number = re.search(r"number (\d+)", vms.said("vm7"))[1]
    os.kill(vms.pid("vm7"), signal.SIGKILL)
    end = time.monotonic() + DEADLINE
    while is_alive(vms.pid("vm7") or 0) and time.monotonic() < end:
        time.sleep(0.02)
    vms.start("next", "attach:ring:1", "stay")
    until(vms, "next", f"attach ring: status 0, 1 pages, number {number}, clients ffff")


def test_a_killed_worker_frees_its_slot_and_its_peer_hears_of_it(vms):
    vms.start("one", "attach:ring:4", "await:3", "await:1", "await:3", "stay")
    until(vms, "one", "attach ring: status 0")
    vms.start("two", "attach:ring:4", "stay")
    until(vms, "one", "shmem: clients 3")
    os.kill(vms.pid("two"), signal.SIGKILL)
    until(vms, "one", "shmem: clients 1")
    vms.start("three", "attach:ring:4", "stay")
    until(vms, "three", "number 1, clients 3")
    until(vms, "one", "shmem: clients 3", times=2)


def test_every_refusal_has_its_status(vms):
    vms.start("one", "attach:bad/name:1", "attach:0123456789012345678901234567890:1",
              "attach:01234567890123456789012345678901:1", "attach:secret:1", "attach:ring-2:1",
              "find:0", "attach:ring:0", "attach:ring:100000", "attach:ring:4096", "attach:ring:4095",
              "attach:ring:4", "find:1", "find:16", "rubbish",
              options="deny ring-* allow ring* allow 0*")
    until(vms, "one", "shmem: done")
    assert re.findall(r"(attach|find) (\S*): status (\d)", vms.said("one")) == [
        ("attach", "bad/name", "4"), ("attach", "0123456789012345678901234567890", "0"),
        ("attach", "01234567890123456789012345678901", "4"), ("attach", "secret", "5"),
        ("attach", "ring-2", "5"), ("find", "0123456789012345678901234567890", "0"),
        ("attach", "ring", "1"), ("attach", "ring", "2"), ("attach", "ring", "2"),
        ("attach", "ring", "2"),  # a window of 4096 pages holds the first region too
        ("attach", "ring", "0"), ("find", "ring", "0"), ("find", "", "6")], vms.said("one")
    assert "signature 4d534732474d5651" in vms.said("one").rsplit("find", 1)[1]


def test_the_first_comer_chooses_the_size_which_the_others_read(vms):
    vms.start("one", "attach:ring:4", "fill", "stay")
    until(vms, "one", "filled 4 pages")
    vms.start("two", "attach:ring:8", "check", "detach", "attach:ring:1", "check")
    until(vms, "two", "4 pages as filled, last byte 7a", times=2)


def test_a_region_is_zeroes_again_once_nobody_has_it_unless_one_has_created_it(vms):
    steps = "attach:ring:1", "get", "put:left", "detach"
    for name in "ab":
        vms.start(name, *steps)
        until(vms, name, "shmem: done")
        assert "there is ''" in vms.said(name)
    vms.start("keeps", "stay", options="create ring,4K")
    until(vms, "keeps", "signature")
    vms.start("c", *steps)
    until(vms, "c", "there is ''")
    until(vms, "c", "shmem: done")
    vms.start("d", *steps)
    until(vms, "d", "there is 'left'")


def test_a_guest_that_attaches_and_detaches_a_thousand_times_has_the_same_numbers(vms):
    vms.start("one", "cycle:500:ring:16", "attach:a:1", "attach:b:1", "attach:a:1", "cycle:500:ring:16",
              "attach:c:1")
    until(vms, "one", "shmem: done")
    assert vms.said("one").count("attached and detached 500 times") == 2
    assert "attach c: status 0, 1 pages, number 0, clients 1" in vms.said("one")


def test_a_guest_has_sixteen_regions_at_once(vms):
    vms.start("one", *(f"attach:r{i}:1" for i in range(17)), "detach", "attach:r17:1")
    until(vms, "one", "shmem: done")
    assert re.findall(r"attach r(\d+): status (\d)", vms.said("one")) == [
        *((str(i), "0") for i in range(16)), ("16", "2"), ("17", "0")]


def test_creating_what_another_has_made_with_another_size_is_refused_with_both_sizes(host):
    host.define("a", text("stay", options="create ring,8K"))
    host.define("b", text("stay", options="create ring,16K"), on_failure="stop")
    assert host.verb("a", "start").status == 200
    a = host.verb("b", "start")
    assert a.json["state"] == "failed" and "'ring' of 4 pages: another VM has made it, with 2" in a.text, a


def test_the_budget_of_the_host_bounds_all_regions_together():
    with Host(**{"shmem-budget": "1m"}) as host:
        vms = Supervised(host)
        vms.start("one", "attach:a:200", "attach:b:100", "attach:b:50", "stay")
        until(vms, "one", "attach b: status 0")
        assert "attach b: status 2" in vms.said("one")
        host.define("two", text("stay", options="create big,64K"), on_failure="stop")
        a = host.verb("two", "start")
        assert a.json["state"] == "failed" and "shmem-budget" in a.text, a
        host.verb("one", "kill")
        host.until_vm("one", observed="stopped")
        assert host.verb("two", "start").json["state"] == "done"


def test_the_map_shows_the_regions_of_a_guest_while_it_has_them(host):
    vms = Supervised(host)
    vms.start("one", "attach:ring:4", "attach:other:1", "detach", "stay")
    until(vms, "one", "detached")
    memory = host.get("/v1/vms/one/map").json["memory"]
    mine = [p for p in memory if p["owner"] == "ring"]
    assert [(p["bytes"], p["class"], p["on"]) for p in mine] == [(4 * 4096, "pass-through", True)], memory
    window = next(p for p in memory if p["owner"] == "shmem" and p.get("bar") == 2)
    assert int(mine[0]["first"], 16) == int(window["first"], 16) + 4096
    assert not [p for p in memory if p["owner"] in ("other", "")]
    assert "ring" in host.adm("map", "one").stdout


def test_the_status_of_a_lone_guest_tells_its_regions(tmp_path):
    vms = Alone(tmp_path)
    try:
        vms.start("one", "attach:ring:4", "stay")
        until(vms, "one", "attach ring")
        send(vms.pid("one"), "SIGUSR1")
        until(vms, "one", "ring: 4 pages, client 0 of 0x1")
    finally:
        vms.close()


def test_the_server_has_a_sandbox_gives_memory_back_and_ends_with_qvmd(host):
    vms = Supervised(host)
    before = set(servers())
    vms.start("one", "attach:ring:64", "attach:other:64", "stay")
    until(vms, "one", "attach other: status 0")
    server, = set(servers()) - before
    with open(f"/proc/{server}/status", encoding="ascii") as f:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
    assert (status["NoNewPrivs"], status["Seccomp"], status["CapEff"]) == ("1", "2", "0" * 16)
    assert regions(server) == 2
    os.kill(vms.pid("one"), signal.SIGKILL)
    host.until(lambda: regions(server) == 0, "the server gives the memory back")
    host.stop()
    host.until(lambda: not is_alive(server), "the server ends")


def test_without_its_server_a_guest_keeps_what_it_has_and_gets_status_1(host):
    vms = Supervised(host)
    before = set(servers())
    vms.start("one", "attach:ring:1", "await:3", "wait", "attach:new:1", "find:0", "put:still", "notify:2",
              "stay")
    until(vms, "one", "attach ring: status 0")
    vms.start("two", "attach:ring:1", "stay")
    until(vms, "one", "clients 3")
    for pid in set(servers()) - before:
        os.kill(pid, signal.SIGKILL)
    host.until(lambda: "the server of shared memory (qvm --shmem) has ended by signal 9" in host.read_log(),
               "qvmd says so")
    vms.start("three", "attach:ring:1", "stay")
    until(vms, "three", "attach ring: status 0, 1 pages, number 0, clients 1")
    assert is_alive(vms.pid("one")) and is_alive(vms.pid("two"))


def test_guests_share_on_without_qvmd_and_one_that_the_next_qvmd_starts_meets_them(host):
    vms = Supervised(host)
    vms.start("a", "attach:ring:4", "await:3", "wait", "get", "attach:new:1", "await:1", "stay")
    until(vms, "a", "attach ring: status 0")
    vms.start("b", "attach:ring:4", "await:7", "put:still-here", "notify:ffffffff", "stay")
    until(vms, "a", "clients 3")
    pids = [vms.pid(name) for name in "ab"]
    host.kill()
    host.start()
    for name in "ab":
        host.until_vm(name, observed="running", health="healthy")
    assert [vms.pid(name) for name in "ab"] == pids
    vms.start("c", "attach:ring:4", "stay")
    until(vms, "c", "number 2, clients 7")
    until(vms, "a", "there is 'still-here'")
    until(vms, "a", "attach new: status 0, 1 pages, number 0, clients 1")
    until(vms, "a", "shmem: clients 1")
