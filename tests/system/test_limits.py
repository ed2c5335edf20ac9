# SPDX-License-Identifier: Apache-2.0
"""What a VM may use, what holds it to that, and that both are shown."""
import os

import pytest

from host import SANITIZED, Host, config

HELLO = config("hello.elf")


def limits_of(pid):
    """Hard limits of a process by their name."""
    with open(f"/proc/{pid}/limits", encoding="ascii") as f:
        return {line[:26].strip(): line[26:].split()[1] for line in f}


unsanitized = pytest.mark.skipif(SANITIZED, reason="the memory of a sanitized worker is not limited: its shadow is terabytes")


@unsanitized
def test_what_holds_a_vm_to_its_limits_is_shown(host):
    host.define("a", HELLO)
    assert host.vm("a")["limits"] == {}
    host.verb("a", "start")
    vm = host.vm("a")
    assert set(vm["limits"]) == {"memory", "cpu", "io", "pids"}
    assert vm["limits"]["memory"] in ("rlimit", "cgroup")
    assert os.path.isdir(vm["cgroup"]) and vm["cgroup"].endswith("/vm-a")
    with open(f"{vm['cgroup']}/cgroup.procs", encoding="ascii") as f:
        assert str(vm["pid"]) in f.read().split()
    shown = host.adm("show", "a").stdout
    assert f"memory={vm['limits']['memory']} " in shown and vm["cgroup"] in shown
    facts = host.get("/v1/host").json["facts"]
    assert f"memory={vm['limits']['memory']}" in facts["limits"].split()
    assert ("not limited by cgroups" in facts["weaker"]) == ("cgroup" not in facts["limits"])
    assert "limits" in host.adm("host").stdout
    host.verb("a", "kill")
    vm = host.until_vm("a", pid=0)
    assert (vm["limits"], vm["cgroup"]) == ({}, "")


def test_vms_of_a_partition_lie_in_its_cgroup_and_keep_their_own():
    with Host(**{"partition rt": "400 150%", "partition io": "50"}) as host:
        assert host.get("/v1/host").json["facts"]["partitions"] == "rt=400/150 io=50"
        for name in ("a", "b"):
            host.define(name, HELLO + "cpu partition rt cpu sched 9o partition rt\n")
            host.verb(name, "start")
        a, b = host.vm("a"), host.vm("b")
        assert a["limits"]["partition"] in ("none", "cgroup", "scope")
        assert a["cgroup"].endswith("/part-rt/vm-a") and b["cgroup"].endswith("/part-rt/vm-b")
        for vm in (a, b):
            with open(f"{vm['cgroup']}/cgroup.procs", encoding="ascii") as f:
                assert f.read().split() == [str(vm["pid"])]
        host.kill()
        host.start()
        assert [host.vm(x)["pid"] for x in "ab"] == [a["pid"], b["pid"]]
        host.verb("a", "kill")
        host.until_vm("a", pid=0)
        assert not os.path.exists(a["cgroup"]) and os.path.isdir(b["cgroup"])
        host.verb("b", "kill")
        host.until_vm("b", pid=0)
        assert not os.path.exists(os.path.dirname(b["cgroup"]))
        bad = host.post("/v1/check", {"config": config("hello.elf", "cpu partition other")})
        assert "there are: rt=400/150 io=50" in bad.text, bad


@unsanitized
def test_resource_limits_hold_a_worker_from_its_first_instruction_on(host):
    host.define("a", HELLO, memory_max=200 << 20, pids_max=50)
    host.define("b", HELLO)
    host.verb("a", "start")
    host.verb("b", "start")
    a, b = limits_of(host.vm("a")["pid"]), limits_of(host.vm("b")["pid"])
    assert (a["Max data size"], a["Max processes"]) == (str(200 << 20), "50")
    assert int(b["Max data size"]) < 1 << 40 and int(b["Max processes"]) < 10000


def test_a_worker_without_room_for_its_threads_says_so(host):
    host.define("a", HELLO + "cpu\n" * 3, pids_max=2, on_failure="stop")
    a = host.verb("a", "start")
    assert a.json["state"] == "failed" and "thread" in a.text, a


def test_limits_that_are_required_are_held_or_the_start_is_refused(host):
    host.define("a", HELLO, limits_required=True, on_failure="stop")
    a = host.verb("a", "start")
    offered = host.get("/v1/host").json["facts"]["limits"]
    if all(f"{x}=cgroup" in offered for x in ("memory", "cpu", "pids")):
        assert a.json["state"] == "done", a
        return
    assert a.json["state"] == "failed" and "limits_required" in a.text, a
    assert host.until_vm("a", observed="safe")["cause"] == "resource"


def test_a_limit_out_of_range_is_refused_with_its_range(host):
    a = host.put("/v1/vms/a", {"config": HELLO, "policy": {"cpu_weight": 0}})
    assert a.status == 422 or a.status == 400, a
    assert "from 1 to 10000" in a.text


def test_vms_have_uids_of_their_own_that_nobody_gets_again(host):
    def uid(name):
        host.define(name, HELLO)
        host.verb(name, "start")
        with open(f"/proc/{host.vm(name)['pid']}/status", encoding="ascii") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("Uid:"))

    seen = [uid(name) for name in ("a", "b", "c")]
    assert len(set(seen)) == 3
    host.verb("c", "kill")
    host.until_vm("c", pid=0)
    assert host.delete("/v1/vms/c").status == 204
    assert uid("c") not in seen
