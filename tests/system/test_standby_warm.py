# SPDX-License-Identifier: Apache-2.0
"""A standby that is held ready: its machine is assembled while the other runs, and only START is missing."""
import fcntl
import os
import struct
import subprocess
import sys

import pytest

from host import B, GUESTS, Host, config, is_alive, send

OFD_SETLK, OFD_GETLK = 37, 36


@pytest.fixture(scope="module", name="supervisor")
def supervisor_():
    h = Host(**{"memory-budget": "96m"})
    h.settings["allow-pass"] = h.folder
    with h:
        yield h


@pytest.fixture(name="shared")
def shared_(supervisor):
    """Each test has its own pair on the same supervisor."""
    yield supervisor
    for vm in supervisor.get("/v1/vms").json["vms"]:
        if vm["role"] == "primary":
            supervisor.put(f"/v1/vms/{vm['name']}", {"config": HELLO, "policy": {}})
    for name in [vm["name"] for vm in supervisor.get("/v1/vms").json["vms"]]:
        supervisor.verb(name, "kill")
        supervisor.until(lambda name=name: supervisor.vm(name)["pid"] == 0, f"{name} has ended")
        supervisor.until(lambda name=name: supervisor.delete(f"/v1/vms/{name}").status == 204, f"{name} can go")


HELLO = config("hello.elf")


def disk_of(host, name="shared.img"):
    path = os.path.join(host.folder, name)
    if not os.path.exists(path):
        with open(path, "wb") as f:
            f.truncate(1 << 20)
    return path


def with_disk(host, guest="hello.elf"):
    return config(guest, f"vdev virtio-blk hostdev {disk_of(host)}", "vdev virtio-entropy")


def pair(host, partner=None, wait=True, window=1000, **policy):
    """a runs, b stands ready; b's pid."""
    host.define("b", partner or with_disk(host), on_failure="stop", restart_delay_ms=50, restart_budget=2,
                restart_window_ms=window, heartbeat_ms=100, heartbeat_misses=30)
    host.define("a", with_disk(host), standby="b", standby_warm=True,
                **{"on_failure": "standby", "heartbeat_ms": 100, "heartbeat_misses": 30, **policy})
    assert host.verb("a", "start").json["state"] == "done"
    return host.until_vm("b", observed="ready")["pid"] if wait else 0


def story(host, name, since=0):
    return [e["kind"] for e in host.events(since) if e.get("vm") == name]


def locked_by_another(path):
    """Whether a description of our own could have the lock of a writer."""
    with open(path, "r+b") as f:
        ask = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        return struct.unpack("hhqqi4x", fcntl.fcntl(f, OFD_GETLK, ask))[0] != fcntl.F_UNLCK


WAIT_FOR_LOCK = """import fcntl, os, struct, sys
f = open(sys.argv[1], 'r+b')
print('waits', flush=True)
fcntl.fcntl(f, 38, struct.pack('hhqqi4x', fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
print('mine', flush=True)
sys.stdin.read()
"""


def lock(f):
    fcntl.fcntl(f, OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))


def test_the_worker_that_stood_ready_is_the_one_that_takes_over(shared):
    ready = pair(shared)
    b = shared.vm("b")
    assert (b["desired"], b["health"], b["active"]) == ("stopped", "healthy", False), b
    assert shared.console("b") == "", "it has not executed anything"
    assert "ready" in shared.adm("list").stdout
    send(shared.vm("a")["pid"], "SIGKILL")
    assert shared.until_vm("b", observed="running")["pid"] == ready
    shared.until_console("b", "Hello")
    assert story(shared, "b")[-4:] == ["preparing", "ready", "starting", "started"]
    assert locked_by_another(disk_of(shared))
    assert shared.vm("a")["observed"] == "safe", "who has failed is looked at first"
    assert "ready" in shared.adm("events", "--vm", "b", "--kind", "ready").stdout, "not the beginning of a stream"
    with subprocess.Popen([f"{B}/qvmadm", "-v", "-H", f"unix:{shared.socket}", "wait", "a", "--for", "event=ready",
                           "--timeout", "30s"], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as p:
        assert any(line.endswith("/v1/vms/a\n") for line in p.stderr), "its stream is open"
        shared.verb("a", "release")
        assert p.communicate(timeout=40)[0] == "a: event ready\n" and p.returncode == 0
    back = shared.until_vm("a", observed="ready")["pid"]
    assert shared.verb("a", "give-back").json["state"] == "done"
    assert shared.vm("a")["pid"] == back, "and so back"
    shared.until_vm("b", observed="ready")


def test_it_beats_is_told_of_and_answers_verbs_sensibly(shared):
    ready = pair(shared)
    shared.until(lambda: shared.get("/v1/vms/b/status").json["heartbeat"]["beats"] > 5, "its loop beats")
    assert shared.get("/v1/vms/b/map").status == 200
    assert (shared.verb("b", "stop").json["state"], shared.vm("b")["pid"]) == ("done", ready), "no guest runs in it"
    for verb, says in (("start", "qvmadm takeover a"), ("pause", "ready"), ("button", "ready")):
        a = shared.verb("b", verb)
        assert a.status == 409 and says in a.json["detail"], a
    a = shared.delete("/v1/vms/b")
    assert a.status == 409 and "standby of 'a'" in a.json["detail"], a
    assert shared.verb("b", "kill").json["state"] == "done"
    shared.until(lambda: shared.vm("b")["observed"] == "ready" and shared.vm("b")["pid"] != ready, "another stands ready")
    assert shared.incidents("b") == [], "it was asked for"


@pytest.mark.parametrize("signal, cause", [("SIGKILL", "worker-signal"), ("SIGSTOP", "worker-hung")])
def test_one_that_is_lost_is_prepared_again_within_its_budget(shared, signal, cause):
    ready = pair(shared, window=600000)
    for n in (1, 2, 3):
        send(ready, signal)
        shared.until(lambda n=n: len(shared.incidents("b")) == n, "the incident")
        assert shared.incidents("b")[0]["cause"] == cause
        assert shared.vm("a")["observed"] == "running"
        if n < 3:
            ready = shared.until_vm("b", observed="ready")["pid"]
    assert "crash-loop" in story(shared, "b") and shared.vm("b")["observed"] == "safe"
    assert "release" in shared.incidents("b")[0]["reaction"]
    assert shared.verb("b", "release").json["state"] == "done"
    shared.until_vm("b", observed="ready")


def test_one_that_has_spent_its_budget_still_takes_over(shared):
    shared.define("b", with_disk(shared), on_failure="stop")
    pair(shared)
    shared.define("b", with_disk(shared), on_failure="stop", restart_budget=0)
    ready = shared.until(lambda: shared.vm("b")["observed"] == "ready" and shared.vm("b")["running_revision"] == 3
                       and shared.vm("b")["pid"], "it is prepared anew")
    send(ready, "SIGKILL")
    shared.until_vm("b", observed="safe")
    send(shared.vm("a")["pid"], "SIGKILL")
    shared.until_vm("b", observed="running")


def test_a_new_revision_is_prepared_in_place_of_the_old_one(shared):
    ready = pair(shared)
    shared.define("b", with_disk(shared, "faulty.elf"))
    shared.until(lambda: shared.vm("b")["observed"] == "ready" and shared.vm("b")["pid"] != ready, "another stands ready")
    assert not is_alive(ready) and shared.vm("b")["running_revision"] == 2
    shared.put("/v1/vms/a", {"config": with_disk(shared), "policy": {"standby": "b"}})
    shared.until_vm("b", observed="stopped", pid=0)
    assert story(shared, "b")[-1] == "stood-down" and shared.incidents("b") == []


def test_it_goes_with_the_active_one_that_is_stopped(shared):
    ready = pair(shared)
    assert shared.verb("a", "stop").json["state"] == "done"
    shared.until_vm("b", observed="stopped", pid=0)
    assert not is_alive(ready)
    assert shared.verb("a", "start").json["state"] == "done"
    shared.until_vm("b", observed="ready")


def test_who_waits_for_the_lock_and_the_standby_never_both_have_it(shared):
    """Somebody outside queues for the disk: whoever comes first, the other one is refused."""
    pair(shared)
    path = disk_of(shared)
    with open(path, "r+b") as f, pytest.raises(OSError):
        lock(f)
    waiter = subprocess.Popen([sys.executable, "-c", WAIT_FOR_LOCK, path], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True)
    try:
        waiter.stdout.readline()  # it is about to wait
        send(shared.vm("a")["pid"], "SIGKILL")
        shared.until(lambda: shared.vm("b")["observed"] in ("running", "safe"), "it is over")
        if shared.vm("b")["observed"] == "safe":
            assert waiter.stdout.readline() == "mine\n"
            assert shared.console("b") == "" and "is in use" in shared.incidents("b")[0]["sentence"]
        else:
            os.set_blocking(waiter.stdout.fileno(), False)
            assert waiter.stdout.read() in ("", None), "it still waits"
    finally:
        waiter.kill()
        waiter.communicate()


def test_two_disks_of_which_one_is_taken_meanwhile(shared):
    """The second disk is the standby's alone, so that somebody else can have it before the takeover."""
    other = disk_of(shared, "other.img")
    ready = pair(shared, with_disk(shared) + f"vdev virtio-blk hostdev {other}\n")
    with open(other, "r+b") as f:
        lock(f)
        a = shared.verb("a", "takeover")
        assert a.json["state"] == "failed" and "other.img' is in use" in a.json["error"]["detail"], a
        assert "line 7" in a.json["error"]["detail"], a
        assert shared.vm("b")["observed"] == "safe" and shared.console("b") == ""
        assert not is_alive(ready)
        assert not locked_by_another(disk_of(shared)), "nothing of it is held"
        assert shared.verb("a", "give-back").json["state"] == "done", "the first disk is free"


SECTOR = 512


def disk_guest(path, cmdline):
    return config("disk.elf", f'cmdline "{cmdline}"', "vdev ioapic",
                  f"vdev virtio-blk hostdev {path}").replace("hostdev >-", "hostdev -")


def test_what_the_active_one_wrote_until_its_end_is_what_the_standby_reads(shared):
    """The standby has had the disk open all the while: it must not know what was on it before."""
    path = os.path.join(shared.folder, "written.img")
    with open(path, "wb") as f:
        f.write(b"".join(bytes([n]) * SECTOR for n in range(16)))
    shared.define("b", disk_guest(path, "by=msix"), on_failure="stop")
    shared.define("a", disk_guest(path, "then=obey sector=3"), standby="b", standby_warm=True, on_failure="standby")
    shared.verb("a", "start")
    ready = shared.until_vm("b", observed="ready")["pid"]
    shared.until_console("a", "disk: I listen")
    shared.adm("console", "a", "--send", "z")
    shared.until_console("a", "disk: z 0")
    send(shared.vm("a")["pid"], "SIGKILL")
    shared.until_console("b", "disk: write 0")
    assert f"disk: read 0, {SECTOR} wrong" in shared.console("b"), "its sector 3 holds zeroes, no longer threes"
    shared.until_vm("b", observed="stopped")
    assert not is_alive(ready) and story(shared, "b")[-4:] == ["ready", "starting", "started", "ended"]
    with open(path, "rb") as f:
        assert f.read()[2 * SECTOR:3 * SECTOR] == b"\xab" * SECTOR, "it writes, too"
    assert not locked_by_another(path), "nobody holds it up"


def test_a_file_that_is_passed_has_one_owner_at_a_time_too(shared):
    path = os.path.join(shared.folder, "passed")
    with open(path, "wb") as f:
        f.truncate(4096)
    text = config("hello.elf", f"pass loc 0x10000000,0x1000,rw=file:{path}")
    shared.define("b", text, on_failure="stop")
    shared.define("a", text, standby="b", standby_warm=True, on_failure="standby")
    shared.verb("a", "start")
    ready = shared.until_vm("b", observed="ready")["pid"]
    assert shared.verb("a", "takeover").json["state"] == "done"
    assert shared.vm("b")["pid"] == ready and locked_by_another(path)


def test_a_takeover_while_it_is_still_being_prepared(shared):
    pair(shared, wait=False)
    for verb in ("takeover", "give-back") * 3:
        a = shared.verb("a", verb)
        assert a.json["state"] == "done", a
    assert shared.incidents("a") == [] and shared.incidents("b") == []
    assert locked_by_another(disk_of(shared))


def test_its_memory_counts_in_the_budget(shared):
    pair(shared, with_disk(shared).replace("ram 1m,15m", "ram 1m,87m"), wait=False)
    shared.until(lambda: shared.incidents("b"), "it is refused")
    assert "of the 96 MiB" in shared.incidents("b")[0]["sentence"].replace("96M", "96 MiB"), shared.incidents("b")[0]
    assert shared.verb("a", "takeover").json["state"] == "done", "alone it fits"


@pytest.mark.parametrize("how", ["size", "file", "image"])
def test_what_has_changed_since_is_not_started_from(shared, how):
    own = disk_of(shared, f"{how}.img")
    image = os.path.join(shared.folder, f"{how}.elf")
    with open(image, "wb") as f, open(os.path.join(GUESTS, "hello.elf"), "rb") as good:
        f.write(good.read())
    text = f"ram 0,0xa0000\nram 1m,15m\nload {image}\nvdev ser8250 hostdev >-\nvdev virtio-blk hostdev {own}\n"
    ready = pair(shared, text)
    if how == "size":
        os.truncate(own, 2 << 20)
    elif how == "file":
        os.rename(own, own + ".old")
        disk_of(shared, f"{how}.img")
    else:
        os.utime(image)
    a = shared.verb("a", "takeover")
    assert a.json["state"] == "done", a
    assert shared.vm("b")["pid"] != ready and not is_alive(ready)
    assert "kept-cold" in story(shared, "b") and shared.incidents("b") == []
    shared.until_console("b", "Hello")


def test_what_cannot_be_had_twice_keeps_it_cold_and_says_so(shared):
    sock = os.path.join(shared.folder, "line.sock")
    pair(shared, config("hello.elf", f"vdev virtio-vsock hostdev {sock}"), wait=False)
    shared.until(lambda: "kept-cold" in story(shared, "b"), "it says so")
    b = shared.until_vm("b", observed="stopped", pid=0)
    assert "line 5 (vdev virtio-vsock)" in b["reason"] and "two VMs" in b["reason"], b
    assert "kept cold" in shared.adm("show", "b").stdout
    assert not os.path.exists(sock), "nothing of it was made"
    assert shared.verb("a", "takeover").json["state"] == "done", "a cold one takes over all the same"
    assert shared.incidents("b") == []


def test_a_standby_is_warm_only_where_there_is_one(shared):
    a = shared.put("/v1/vms/x", {"config": HELLO, "policy": {"standby_warm": True}})
    assert a.status == 400 and "standby_warm" in a.json["detail"], a


def test_a_killed_supervisor_leaves_it_ready_for_the_next(host):
    ready = pair(host)
    active = host.vm("a")["pid"]
    host.kill()
    host.start()
    b = host.until_vm("b", observed="ready", health="healthy")
    assert (b["pid"], host.vm("a")["pid"]) == (ready, active)
    host.until(lambda: story(host, "b")[-1] == "adopted", "it is adopted")
    send(active, "SIGKILL")
    assert host.until_vm("b", observed="running")["pid"] == ready
    assert locked_by_another(disk_of(host)), "its lock was taken late all the same"
    assert "prepar" not in " ".join(story(host, "b")[-3:])


def test_one_that_died_while_nobody_looked_is_explained_and_prepared_again(host):
    ready = pair(host)
    host.kill()
    send(ready, "SIGKILL")
    host.start()
    host.until(lambda: host.vm("b")["observed"] == "ready" and host.vm("b")["pid"] != ready, "another stands ready")
    assert len(host.incidents("b")) == 1


def test_the_end_of_the_supervisor_ends_it_without_an_incident(host):
    ready = pair(host)
    host.stop()
    assert not is_alive(ready)
    host.start()
    host.until_vm("a", observed="running")
    host.until_vm("b", observed="ready")
    assert host.incidents("b") == []


def test_the_disk_never_has_two_owners_while_the_two_change_places(shared):
    """Both have it open; whoever asks for the lock of a writer is refused as long as a guest is there."""
    pair(shared, restart_delay_ms=0)
    for _ in range(4):
        ready = shared.until_vm("b", observed="ready")["pid"]
        send(shared.vm("a")["pid"], "SIGKILL")
        assert shared.until_vm("b", observed="running")["pid"] == ready
        assert locked_by_another(disk_of(shared))
        shared.verb("a", "release")
        shared.until_vm("a", observed="ready")
        assert shared.verb("a", "give-back").json["state"] == "done"
        assert locked_by_another(disk_of(shared))
