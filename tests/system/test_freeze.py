# SPDX-License-Identifier: Apache-2.0
"""Policy pause: the guest of a fault stands to be looked at; nothing but an operator leads out."""
import glob
import re

import pytest

from host import config, is_alive, send


def faulty(do, *lines):
    return config("faulty.elf", f'cmdline "do={do} after=100"', "vdev pckeyboard", *lines)


def frozen(host, text, cause, **policy):
    host.define("web", text, **policy)
    host.verb("web", "start")
    vm = host.until_vm("web", observed="safe")
    assert (vm["cause"], vm["health"], vm["desired"]) == (cause, "failed", "running"), vm
    assert is_alive(vm["pid"]), "its worker is kept"
    host.until(lambda: states(host) == {"held"}, "its vCPUs stand")
    return vm


def status(host):
    return host.get("/v1/vms/web/status").json


def states(host):
    return {v["state"] for v in status(host)["vcpus"]}


def kinds(host):
    return [e["kind"] for e in host.events() if e["vm"] == "web"]


@pytest.mark.parametrize("do, cause, lines", [
    ("triple", "triple-fault", []),
    ("reference", "unsupported", ["unsupported reference abort"]),
    ("instruction", "unsupported", ["unsupported instruction abort"]),
    ("halt", "halted", []),
])
def test_the_guest_of_a_fault_stands_and_can_be_looked_at(host, do, cause, lines):
    vm = frozen(host, faulty(do, *lines), cause, on_failure="pause", heartbeat_ms=100, heartbeat_misses=30)
    s = status(host)
    assert s["state"] == "paused" and s["end"]["cause"] == cause, s
    beats = s["heartbeat"]["beats"]
    host.until(lambda: status(host)["heartbeat"]["beats"] > beats, "its worker beats")
    assert host.get("/v1/vms/web/map").status == 200
    incident = host.incidents("web")
    assert len(incident) == 1 and "stand to be looked at" in incident[0]["reaction"], incident
    a = host.verb("web", "dump")
    assert a.json["state"] == "done" and glob.glob(f"{host.state}/dumps/web/*"), a
    for verb in ("pause", "resume", "nmi", "button"):
        assert host.verb("web", verb).status == 409, verb
    assert host.delete("/v1/vms/web").status == 409
    assert "stand to be looked at" in host.adm("show", "web").stdout
    assert host.verb("web", "release").json["state"] == "done"
    now = host.vm("web")
    assert (now["observed"], now["desired"], now["pid"]) == ("stopped", "stopped", 0), now
    assert not is_alive(vm["pid"])
    assert kinds(host)[-2:] == ["released", "thawed"], kinds(host)
    assert len(host.incidents("web")) == 1


def test_a_watchdog_may_freeze_and_dump(host):
    frozen(host, config("wdt.elf", "vdev wdt-ib700 action dump,terminate", 'cmdline "feed=1"'),
           "watchdog", on_watchdog="pause")
    path = host.until(lambda: host.incidents("web")[0]["dump"], "the incident names the dump")
    assert glob.glob(f"{host.state}/dumps/web/*") == [path]
    assert host.verb("web", "kill").json["state"] == "done"
    assert host.vm("web")["observed"] == "safe", "the latch stays"
    assert glob.glob(f"{host.state}/dumps/web/*") == [path], "its end is no second one"


def test_a_start_ends_what_is_kept_and_starts_anew(host):
    vm = frozen(host, faulty("triple"), "triple-fault", on_failure="pause")
    a = host.verb("web", "start")
    assert a.json["state"] == "done", a
    now = host.until_vm("web", observed="safe", generation=2)
    assert now["pid"] != vm["pid"] and not is_alive(vm["pid"])
    assert len(host.incidents("web")) == 2
    assert host.vm("web")["restarts"] == 0


def test_a_guest_that_switches_itself_off_may_stand_too(host):
    frozen(host, faulty("off"), "poweroff", on_poweroff="pause")
    assert len(host.incidents("web")) == 1, "every entry into the safe state has its incident"


def test_without_a_worker_the_safe_state_is_the_usual_one(host):
    host.define("web", config("hang.bin"), on_failure="pause")
    host.verb("web", "start")
    send(host.vm("web")["pid"], "SIGKILL")
    vm = host.until_vm("web", observed="safe")
    assert vm["pid"] == 0
    assert "its worker is gone" in host.incidents("web")[0]["reaction"], host.incidents("web")


def test_a_stop_beats_a_freeze(host):
    host.define("web", config("hello.elf"), on_poweroff="pause", on_failure="pause")
    host.verb("web", "start")
    host.until_console("web", "Hello")
    assert host.verb("web", "stop").json["state"] == "done"
    vm = host.vm("web")
    assert (vm["observed"], vm["cause"], vm["pid"]) == ("stopped", "poweroff", 0), vm
    assert host.incidents("web") == []


def test_a_kept_worker_that_dies_changes_nothing_but_itself(host):
    pid = frozen(host, faulty("triple"), "triple-fault", on_failure="pause")["pid"]
    send(pid, "SIGKILL")
    vm = host.until_vm("web", pid=0)
    assert (vm["observed"], vm["cause"]) == ("safe", "triple-fault"), vm
    assert "thawed" in kinds(host) and len(host.incidents("web")) == 1
    assert status(host)["end"]["cause"] == "triple-fault"


def test_a_frozen_vm_does_not_keep_the_supervisor_from_its_end(host):
    pid = frozen(host, faulty("triple"), "triple-fault", on_failure="pause")["pid"]
    assert host.stop() == 0 and not is_alive(pid)
    host.start()
    vm = host.vm("web")
    assert (vm["observed"], vm["cause"], vm["pid"]) == ("safe", "triple-fault", 0), vm


def test_the_reactions_are_listed(host):
    a = host.put("/v1/vms/web", {"config": faulty("off"), "policy": {"on_failure": "explode"}})
    assert a.status == 400 and re.search(r"stop, restart.* or ", a.json["detail"]), a
