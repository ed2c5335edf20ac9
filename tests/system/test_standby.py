# SPDX-License-Identifier: Apache-2.0
"""A standby takes over and gives back; the disk of the two never has two owners."""
import os
import shutil
import threading
import time

import pytest

from host import GUESTS, config, is_alive, send
from test_opener import Dead

HELLO = config("hello.elf")


def disk_of(host):
    path = os.path.join(host.folder, "shared.img")
    if not os.path.exists(path):
        with open(path, "wb") as f:
            f.truncate(1 << 20)
    return path


def with_disk(host, guest):
    return config(guest, f"vdev virtio-blk hostdev {disk_of(host)}", "vdev virtio-entropy")


def pair(host, guest="hello.elf", **policy):
    host.define("b", with_disk(host, guest), on_failure="stop", on_poweroff="stop")
    host.define("a", with_disk(host, guest), standby="b", **{"on_failure": "standby", **policy})
    assert host.verb("a", "start").json["state"] == "done"
    if guest == "hello.elf":
        host.until_console("a", "Hello")


def roles(host):
    return {v["name"]: (v["role"], v["partner"], v["active"]) for v in host.get("/v1/vms").json["vms"]}


def kinds(host, *names):
    return [(e["kind"], e["vm"]) for e in host.events() if e.get("vm") in names]


def test_a_failure_has_the_standby_take_over_and_the_incident_says_so(host):
    pair(host)
    assert roles(host) == {"a": ("primary", "b", True), "b": ("standby", "a", False)}
    pid = host.vm("a")["pid"]
    send(pid, "SIGKILL")
    host.until_vm("b", observed="running")
    a = host.vm("a")
    assert (a["observed"], a["cause"], a["pid"], a["restarts"]) == ("safe", "worker-signal", 0, 0), a
    assert roles(host) == {"a": ("primary", "b", False), "b": ("standby", "a", True)}
    assert "its standby 'b' takes over" in host.incidents("a")[0]["reaction"]
    story = kinds(host, "a", "b")
    assert story[-4:] == [("safe", "a"), ("takeover", "a"), ("starting", "b"), ("started", "b")], story
    shown = host.adm("list").stdout
    assert "ROLE" in shown and "standby, active" in shown, shown
    assert "not the active one; its standby is b" in host.adm("show", "a").stdout


def test_who_is_not_the_active_one_is_not_started_and_hears_who_is(host):
    pair(host)
    a = host.verb("b", "start")
    assert a.status == 409 and "'a', which is the active one" in a.json["detail"], a
    send(host.vm("a")["pid"], "SIGKILL")
    host.until_vm("b", observed="running")
    a = host.verb("a", "start")
    assert a.status == 409 and "'b' has taken over" in a.json["detail"], a
    assert "give-back a" in a.json["detail"], a
    assert host.adm("start", "a").returncode == 7


def test_a_planned_takeover_and_the_give_back_tell_their_guests(host):
    pair(host)
    r = host.adm("takeover", "a")
    assert r.returncode == 0 and "'b' is the active one" in r.stdout, r
    assert host.vm("a")["cause"] == "poweroff", "it heard its button"
    assert (host.vm("a")["desired"], host.vm("b")["desired"]) == ("stopped", "running")
    assert host.verb("a", "takeover").json["phase"] == "'b' is the active one already"
    host.until_console("b", "Hello")
    a = host.verb("a", "give-back")
    assert (a.json["state"], a.json["phase"]) == ("done", "'a' is the active one"), a
    assert roles(host)["a"] == ("primary", "b", True)
    assert (host.vm("a")["observed"], host.vm("b")["observed"]) == ("running", "stopped")
    assert host.vm("b")["cause"] == "poweroff"
    assert host.incidents("a") == [] and host.incidents("b") == []
    said = kinds(host, "a", "b")
    assert ("takeover", "a") in said and ("give-back", "a") in said, said


def test_a_takeover_of_a_stopped_a_paused_and_a_frozen_primary(host):
    pair(host, on_failure="pause")
    for prepare in ("stop", "pause"):
        assert host.verb("a", prepare).json["state"] == "done"
        assert host.verb("a", "takeover").json["state"] == "done"
        assert host.vm("b")["observed"] == "running"
        assert host.verb("a", "give-back").json["state"] == "done"
        host.until_vm("a", observed="running")
    host.define("b", with_disk(host, "hello.elf"))
    host.define("a", config("faulty.elf", f"vdev virtio-blk hostdev {disk_of(host)}",
                            'cmdline "do=triple after=50"'), standby="b", on_failure="pause")
    host.verb("a", "stop")
    host.verb("a", "start")
    kept = host.until_vm("a", observed="safe")["pid"]
    assert is_alive(kept)
    assert host.verb("a", "takeover").json["state"] == "done", "the frozen one lets go of the disk"
    assert not is_alive(kept) and host.vm("b")["observed"] == "running"


def test_the_partner_fails_too_and_an_operator_decides(host):
    pair(host)
    send(host.vm("a")["pid"], "SIGKILL")
    host.until_vm("b", observed="running")
    send(host.vm("b")["pid"], "SIGKILL")
    host.until_vm("b", observed="safe")
    assert (host.vm("a")["observed"], host.vm("a")["pid"]) == ("safe", 0)
    assert host.verb("b", "start").json["state"] == "done", "it is the active one"
    assert host.verb("a", "give-back").json["state"] == "done"
    assert host.vm("a")["observed"] == "running"


def test_a_guest_that_does_not_hear_is_ended_first(host):
    pair(host, guest="hang.bin", stop_timeout_ms=300)
    a = host.verb("a", "takeover")
    assert a.json["state"] == "done", a
    assert host.vm("a")["cause"] == "stop-deadline"


def test_a_standby_that_cannot_start_fails_the_takeover_and_says_why(host):
    image = os.path.join(host.folder, "gone.elf")
    with open(image, "wb") as f, open(os.path.join(GUESTS, "hello.elf"), "rb") as good:
        f.write(good.read())
    host.define("b", f"ram 0,0xa0000\nram 1m,15m\nload {image}\nvdev ser8250 hostdev >-\n", on_failure="stop")
    host.define("a", HELLO, standby="b", on_failure="standby")
    host.verb("a", "start")
    host.until_console("a", "Hello")
    os.unlink(image)
    a = host.verb("a", "takeover")
    assert a.json["state"] == "failed" and "gone.elf" in a.json["error"]["detail"], a
    assert host.vm("b")["observed"] == "safe" and host.vm("a")["observed"] == "stopped"
    assert host.verb("a", "give-back").json["state"] == "done"


def test_a_stop_in_between_calls_the_start_off(host):
    pair(host, guest="hang.bin", stop_timeout_ms=1500)
    a = host.verb("a", "takeover", wait=None)
    assert host.verb("b", "stop").json["state"] == "done"
    def over():
        o = host.get(f"/v1/operations/{a.json['id']}").json
        return o if o["state"] != "running" else None
    o = host.until(over, "the takeover is over")
    assert o["state"] == "failed" and "a stop of 'b'" in o["error"]["detail"], o
    host.until_vm("a", observed="stopped")
    assert host.vm("b")["observed"] == "stopped"
    assert host.verb("b", "start").json["state"] == "done", "it is the active one"


@pytest.mark.parametrize("policy, says", [
    ({"standby": "x"}, "cannot stand in for itself"),
    ({"standby": "nobody"}, "define it first"),
    ({"standby": "a"}, "has a standby of its own"),
    ({"standby": "b"}, "is the standby of 'a' already"),
    ({"standby": ["b"]}, "must be the name of a VM"),
    ({"on_failure": "standby"}, "names no VM"),
])
def test_pairs_that_are_none_are_refused(host, policy, says):
    host.define("b", HELLO)
    host.define("a", HELLO, standby="b")
    a = host.put("/v1/vms/x", {"config": HELLO, "policy": policy})
    assert a.status in (400, 409) and says in a.json["detail"], a


def test_a_pair_is_not_taken_apart_while_it_matters(host):
    pair(host)
    a = host.delete("/v1/vms/b")
    assert a.status == 409 and "standby of 'a'" in a.json["detail"], a
    a = host.put("/v1/vms/b", {"config": HELLO, "policy": {"standby": "a"}})
    assert a.status == 409, a
    host.verb("a", "takeover")
    host.define("c", HELLO)
    a = host.put("/v1/vms/a", {"config": HELLO, "policy": {"standby": "c"}})
    assert a.status == 409 and "give-back a" in a.json["detail"], a
    for verb in ("takeover", "give-back"):
        assert host.verb("c", verb).status == 409
        assert "say it of 'a'" in host.verb("b", verb).json["detail"]
    assert host.put("/v1/vms/a", {"config": HELLO, "policy": {}}).status == 200, "it may take itself out"
    assert {n: r[0] for n, r in roles(host).items()} == {"a": "none", "b": "none", "c": "none"}
    assert host.vm("b")["observed"] == "running"


def test_a_killed_supervisor_in_the_middle_finishes_the_takeover(host):
    pair(host, guest="hang.bin", stop_timeout_ms=30000)
    host.verb("a", "takeover", wait=None)
    host.until_vm("a", observed="stopping")
    host.kill()
    host.start()
    host.verb("a", "kill")
    host.until_vm("b", observed="running")
    assert roles(host)["b"][2] and host.vm("a")["observed"] == "stopped"
    host.kill()
    host.start()
    host.until_vm("b", observed="running")
    assert host.vm("a")["observed"] == "stopped", "the role is kept"
    assert host.verb("a", "start").status == 409


@pytest.mark.skipif(not os.path.exists("/dev/fuse"), reason="this machine has no FUSE")
@pytest.mark.parametrize("end", ["runs", "fails"])
def test_a_supervisor_that_is_killed_while_the_standby_starts_finishes_the_takeover(host, tmp_path, end):
    image = tmp_path / "share" / "hello.elf"
    image.parent.mkdir()
    shutil.copy(f"{GUESTS}/hello.elf", image)
    host.define("b", with_disk(host, "hello.elf").replace(f"{GUESTS}/hello.elf", str(image)), on_failure="stop")
    host.define("a", with_disk(host, "hello.elf"), standby="b", on_failure="stop")
    assert host.verb("a", "start").json["state"] == "done"
    host.until_console("a", "Hello")
    dead = Dead(image.parent)
    try:
        takeover = host.post("/v1/vms/a/takeover").json["id"]
        host.until_vm("b", observed="starting")
        host.kill()
    finally:
        dead.close()
    if end == "fails":
        image.unlink()
    host.start()
    o = host.until(lambda: (o := host.get(f"/v1/operations/{takeover}").json)["state"] != "running" and o, "it is over")
    if end == "runs":
        assert (o["state"], o["phase"]) == ("done", "'b' is the active one"), o
        assert host.vm("b")["observed"] == "running" and host.vm("a")["observed"] == "stopped"
    else:
        assert o["state"] == "failed" and str(image) in o["error"]["detail"], o
        assert host.vm("b")["observed"] == "safe"
    assert roles(host)["b"][2], "the role is kept"


def test_the_disk_never_has_two_owners_while_the_two_change_places(host):
    """Whoever holds the disk is looked at all the time, from outside."""
    pair(host, restart_delay_ms=0)
    seen, done = [], threading.Event()

    def owners():
        n = 0
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                if os.readlink(f"/proc/{pid}/exe").endswith("/qvm"):
                    fds = os.listdir(f"/proc/{pid}/fd")
                    n += any(os.readlink(f"/proc/{pid}/fd/{f}") == disk_of(host) for f in fds)
            except OSError:
                continue
        return n

    def look():
        while not done.is_set():
            seen.append(owners())
            time.sleep(0.001)
    thread = threading.Thread(target=look)
    thread.start()
    try:
        n = 0
        while n < 4 or n % 2 or len(seen) <= 20:
            send(host.vm("a")["pid"], "SIGKILL")
            host.until_vm("b", observed="running")
            a = host.verb("a", "give-back" if n % 2 else "takeover")
            assert a.json["state"] == "done", a
            if not n % 2:
                assert host.verb("a", "give-back").json["state"] == "done"
            n += 1
    finally:
        done.set()
        thread.join()
    assert max(seen) == 1 and len(seen) > 20, seen
