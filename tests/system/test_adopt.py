# SPDX-License-Identifier: Apache-2.0
"""The supervisor is killed, ends, is replaced: its VMs run on, and the next one goes on with them."""
import array
import os
import re
import signal
import socket
import struct
import subprocess
import time

import pytest

from host import B, DEADLINE, Host, config, is_alive, send
from test_dump import assert_marked

TICKS = config("ticks.elf")


def keepers(host):
    """Processes that hold what this host's supervisor leaves."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.readlink(f"/proc/{pid}/exe") == f"{B}/qvm-keeper":
                found.append(int(pid))
        except OSError:
            pass
    return found


def ticks(host, name="ticks"):
    return [int(n) for n in re.findall(r"^tick (\d+)\r?$", host.console(name), re.M)]


def more_ticks(host, than, name="ticks"):
    return host.until(lambda: (t := ticks(host, name)) and t[-1] > than and t, f"a tick after {than}")


def running(host, name="ticks", text=TICKS, **policy):
    policy.setdefault("restart_delay_ms", 20)
    host.define(name, text, **policy)
    a = host.verb(name, "start")
    assert a.json["state"] == "done", a
    if text is TICKS:
        more_ticks(host, 1, name)
    return host.vm(name)


def kinds(host, name="ticks", since=0):
    return [e["kind"] for e in host.events(since) if e["vm"] == name]


def adopted(host, name="ticks"):
    host.until(lambda: kinds(host, name)[-1] == "adopted", f"{name} is adopted")


def assert_gapless(host):
    seqs = [e["seq"] for e in host.events()]
    assert seqs == list(range(1, len(seqs) + 1))


def kill_and_start(host):
    host.kill()
    host.start()


def test_a_guest_runs_on_while_its_supervisor_is_killed_and_replaced(host):
    before = running(host)
    last = ticks(host)[-1]
    host.kill()
    assert is_alive(before["pid"])
    host.start()
    adopted(host)
    now = more_ticks(host, last + 5)
    assert now == list(range(1, now[-1] + 1)), "not one tick is lost, nor said twice"
    after = host.vm("ticks")
    for key in ("pid", "since", "restarts", "observed", "desired", "health", "revision"):
        assert after[key] == before[key], key
    assert kinds(host) == ["defined", "starting", "started", "adopted"]
    assert not host.incidents("ticks")
    assert_gapless(host)
    assert host.verb("ticks", "stop").json["phase"] == "guest off"
    assert host.vm("ticks")["cause"] == "poweroff"
    assert not is_alive(before["pid"])


def test_several_guests_are_adopted_and_one_that_never_ran_stays_as_it_was(host):
    pids = {n: running(host, n)["pid"] for n in ("a", "b", "c")}
    host.define("idle", TICKS)
    kill_and_start(host)
    for name, pid in pids.items():
        adopted(host, name)
        assert host.vm(name)["pid"] == pid
    assert host.vm("idle")["observed"] == "stopped"
    assert_gapless(host)


def test_an_adopted_guest_is_typed_at_dumped_and_its_failure_is_told_in_full(host):
    vm = running(host, on_failure="stop", dump_on_failure=True)
    kill_and_start(host)
    adopted(host)
    assert host.verb("ticks", "dump").json["state"] == "done"
    assert host.adm("console", "ticks", "--send", "t").returncode == 0
    host.until_vm("ticks", observed="safe", cause="triple-fault")
    [incident] = host.incidents("ticks")
    assert "tick 1\r\ntick" in incident["console"] or "tick" in incident["console"]
    assert incident["exits"] and incident["uptime_ms"] > 0
    host.until(lambda: "dumped" in kinds(host)[-2:], "the dump of the failed guest")
    assert not is_alive(vm["pid"])
    assert_gapless(host)
