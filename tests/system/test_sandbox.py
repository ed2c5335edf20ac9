# SPDX-License-Identifier: Apache-2.0
"""What a worker and the API process can no longer do, as the kernel tells it."""
import os

from host import config


def status(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)


def namespaces(pid):
    return {n: os.readlink(f"/proc/{pid}/ns/{n}") for n in os.listdir(f"/proc/{pid}/ns")}


def closed(pid, but=()):
    s = status(pid)
    assert s["Uid"].split()[0] != "0" and len(set(s["Uid"].split())) == 1
    for key in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(s[key], 16) == 0, (key, s[key])
    assert s["NoNewPrivs"] == "1"
    assert s["Seccomp"] == "2"
    ours, its = namespaces(os.getpid()), namespaces(pid)
    same = {n for n in its if its[n] == ours[n] and not n.endswith("for_children")} - {"time", *but}
    assert not same, f"shares {same}"
    return s


def test_a_worker_is_closed_in_on_every_side(host):
    host.define("a", config("hello.elf"))
    host.define("b", config("hello.elf"))
    host.verb("a", "start")
    host.verb("b", "start")
    a, b = host.vm("a")["pid"], host.vm("b")["pid"]
    sa, sb = closed(a), closed(b)
    assert int(sa["Seccomp_filters"]) == 2
    assert sa["Uid"] != sb["Uid"], "each VM has its own uid"
    assert os.listdir(f"/proc/{a}/root") == []
    with open(f"/proc/{a}/mountinfo", encoding="ascii") as f:
        assert all(" ro," in line for line in f)
    with open(f"/proc/{a}/limits", encoding="ascii") as f:
        limits = {line[:26].strip(): line.split() for line in f}
    assert limits["Max core file size"][4] == "0"
    vm = host.get("/v1/vms/a/status").json
    assert vm["sandbox"]["missing"] == [], vm["sandbox"]


def test_a_worker_holds_only_what_it_was_given(host):
    host.define("a", config("hello.elf"))
    host.verb("a", "start")
    pid = host.vm("a")["pid"]
    held = [os.readlink(f"/proc/{pid}/fd/{n}") for n in os.listdir(f"/proc/{pid}/fd")]
    files = [h for h in held if h.startswith("/") and not h.startswith("/dev/null")
             and not h.startswith("/memfd:") and h != "/dev/kvm"]
    assert files == [], held


def test_the_api_process_sees_the_state_read_only_and_nothing_else(host):
    [api] = [int(p) for p in os.listdir("/proc") if p.isdigit()
             and exe(p).endswith("/qvm-api") and parent(p) == host.process.pid]
    closed(api, but={"pid"})  # it names the pid of a peer in the audit
    assert os.listdir(f"/proc/{api}/root") == ["state"]
    with open(f"/proc/{api}/mountinfo", encoding="ascii") as f:
        assert all(" ro," in line for line in f)


def exe(pid):
    try:
        return os.readlink(f"/proc/{pid}/exe")
    except OSError:
        return ""


def parent(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        return int(f.read().rsplit(")", 1)[1].split()[1])
