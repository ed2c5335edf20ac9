# SPDX-License-Identifier: Apache-2.0
"""Starts without an operator in order, and the ordered end in the reverse."""
import os
import shutil

import pytest

from host import GUESTS, Host, config

HELLO = config("hello.elf")


@pytest.fixture
def host():
    h = Host(**{"shutdown-grace-ms": 20000}).start()
    yield h
    h.settings["shutdown-grace-ms"] = 0
    h.close()


def order(host, kind, since):
    return [e["vm"] for e in host.events(since) if e["kind"] == kind and e["vm"]]


def newest(host):
    return host.events()[-1]["seq"]


def running(host, *names):
    for name in names:
        host.until_vm(name, observed="running")


def test_autostart_keeps_to_after_and_start_order_and_the_end_is_its_reverse(host):
    host.define("app", HELLO, autostart=True, after=["db", "nobody"])
    host.define("db", HELLO, autostart=True, start_order=3, start_delay_ms=200)
    host.define("log", HELLO, autostart=True, start_order=-1)
    host.define("web", HELLO, autostart=True, start_order=4)
    host.define("off", HELLO, start_order=-9)
    assert host.vm("app")["policy"]["after"] == ["db", "nobody"]
    assert host.stop() == 0
    seq = 1
    for _ in range(2):  # the second time they are what ran before
        host.start()
        running(host, "app", "db", "log", "web")
        assert order(host, "started", seq) == ["log", "db", "app", "web"]
        assert order(host, "starting", seq) == ["log", "db", "app", "web"]
        waiting = {e["vm"]: e["text"] for e in host.events(seq) if e["kind"] == "waiting"}
        assert "waits for 'db'" in waiting["app"] and "start_order" in waiting["web"], waiting
        for name in ("app", "db", "log", "web"):
            host.until_console(name, "Hello")
        seq = newest(host) + 1
        assert host.stop() == 0
        host.start()
        assert order(host, "ended", seq) == ["web", "app", "db", "log"]
        host.stop()
        host.start()
        running(host, "app", "db", "log", "web")
        seq = newest(host) + 1
        host.stop()


def test_after_a_crash_of_the_supervisor_the_order_holds_as_well(host):
    host.define("app", HELLO, after=["db"])
    host.define("db", HELLO, start_delay_ms=300)
    for name in ("app", "db"):
        host.verb(name, "start")
    seq = newest(host) + 1
    host.kill()
    host.start()
    host.until_vm("app", observed="running")
    host.until_vm("db", observed="running")
    lost = [e for e in host.events(seq) if e.get("cause") == "supervisor-lost"]
    if lost:  # else it was adopted, and there is nothing to start
        assert order(host, "started", seq) == ["db", "app"]


def define_bad(host):
    """One that cannot be assembled at its next start."""
    image = os.path.join(host.folder, "gone.elf")
    shutil.copy(os.path.join(GUESTS, "hello.elf"), image)
    host.define("bad", f"ram 0,0xa0000\nram 1m,15m\nload {image}\nvdev ser8250 hostdev >-\n",
                autostart=True, on_failure="stop")
    os.unlink(image)


def test_whoever_waits_for_a_failed_one_waits_and_holds_up_no_other(host):
    host.define("app", HELLO, autostart=True, after=["bad"])
    define_bad(host)
    host.define("web", HELLO, autostart=True, start_order=7)
    host.stop()
    host.start()
    host.until_vm("web", observed="running")
    vm = host.vm("app")
    assert vm["observed"] == "stopped" and "waits for 'bad'" in vm["reason"], vm
    assert "waits for 'bad'" in host.adm("show", "app").stdout
    assert host.verb("app", "start").json["state"] == "done", "an operator does not wait"


def test_a_stop_takes_a_waiting_vm_out_of_the_queue(host):
    host.define("app", HELLO, autostart=True, after=["bad"])
    define_bad(host)
    host.stop()
    host.start()
    host.until_vm("bad", observed="safe")
    host.verb("app", "stop")
    host.put("/v1/vms/bad", {"config": HELLO})
    host.verb("bad", "start")
    host.until_vm("bad", observed="running")
    vm = host.vm("app")
    assert (vm["observed"], vm["desired"]) == ("stopped", "stopped"), vm


def test_a_cycle_is_refused_and_named(host):
    host.define("a", HELLO, after=["b"])
    host.define("b", HELLO, after=["c"])
    a = host.put("/v1/vms/c", {"config": HELLO, "policy": {"after": ["x", "a"]}})
    assert a.status == 400 and "c -> a -> b -> c" in a.json["detail"], a
    assert host.get("/v1/vms/c").status == 404
    a = host.put("/v1/vms/b", {"config": HELLO, "policy": {"after": ["b"]}})
    assert a.status == 400 and "b -> b" in a.json["detail"], a
    assert host.vm("b")["policy"]["after"] == ["c"]


def test_names_that_are_none_are_refused(host):
    for after in ("db", ["UPPER"], ["a", "a"], [1], [f"n{i}" for i in range(9)]):
        a = host.put("/v1/vms/c", {"config": HELLO, "policy": {"after": after}})
        assert a.status == 400 and "after" in a.json["detail"], a
    r = host.adm("define", "c", "-", "-p", "after=a,b", "-p", "start_delay_ms=2s", stdin=HELLO)
    assert r.returncode == 0, r
    assert host.vm("c")["policy"]["after"] == ["a", "b"]
    shown = host.adm("show", "c").stdout
    assert "a, b" in shown, shown
    assert host.put("/v1/vms/c", {"config": HELLO, "policy": {"after": ["a", "b"]}}).json["revision"] == 2


def test_a_guest_that_does_not_hear_costs_its_own_time_alone(host):
    host.define("deaf", config("hang.bin"), start_order=5, stop_timeout_ms=300)
    host.define("good", HELLO)
    for name in ("deaf", "good"):
        host.verb(name, "start")
    host.until_console("good", "Hello")
    seq = newest(host) + 1
    assert host.stop() == 0
    host.start()
    assert order(host, "ended", seq) == ["deaf", "good"]
    text = [e["text"] for e in host.events(seq) if e["kind"] == "ended" and e["vm"] == "good"]
    assert "ACPI S5" in text[0], "it was told, not cut"


def test_the_whole_end_is_bounded():
    h = Host(**{"shutdown-grace-ms": 500}).start()
    try:
        for n in range(3):
            h.define(f"deaf{n}", config("hang.bin"), start_order=n, stop_timeout_ms=3600000)
            h.verb(f"deaf{n}", "start")
        assert h.stop() == 0
        h.start()
        running(h, "deaf0", "deaf1", "deaf2")
    finally:
        h.settings["shutdown-grace-ms"] = 0
        h.close()
