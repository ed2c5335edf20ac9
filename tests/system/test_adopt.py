# SPDX-License-Identifier: Apache-2.0
"""The supervisor is killed, ends, is replaced: its VMs run on, and the next one goes on with them."""
import array
import datetime
import os
import random
import re
import shutil
import signal
import socket
import struct
import time

from host import B, DEADLINE, Host, config, is_alive, send

TICKS = config("ticks.elf")


def children(name, *words):
    """Processes of this build with that program and these words on their command line."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.readlink(f"/proc/{pid}/exe") != f"{B}/{name}":
                continue
            with open(f"/proc/{pid}/cmdline", encoding="utf-8") as f:
                if set(words) <= set(f.read().split("\0")):
                    found.append(int(pid))
        except OSError:
            pass
    return found


def link(host):
    """As the next supervisor: the keeper leaves the present one for it."""
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.settimeout(DEADLINE)
    s.connect(f"{host.run}/keeper.sock")
    return s


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
    assert "tick" in incident["console"]
    assert incident["exits"] and incident["uptime_ms"] > 0
    host.until(lambda: "dumped" in kinds(host)[-2:], "the dump of the failed guest")
    assert not is_alive(vm["pid"])
    assert_gapless(host)


def type_at(host, text, name="ticks"):
    assert host.adm("console", name, "--send", text).returncode == 0


def started_again(host, name="ticks", generation=2):
    return host.until_vm(name, observed="running", generation=generation)


# --- what happens while no supervisor is there

def test_a_worker_that_dies_unseen_is_explained_and_its_policy_followed(host):
    pid = running(host)["pid"]
    host.kill()
    send(pid, "SIGKILL")
    host.start()
    started_again(host)
    [incident] = host.incidents("ticks")
    assert (incident["cause"], incident["signal"]) == ("worker-signal", "SIGKILL"), incident
    assert "tick 1" in incident["console"] and incident["exits"]
    assert host.vm("ticks")["restarts"] == 1
    assert_gapless(host)


def test_a_guest_that_ends_unseen_is_heard(host):
    off, fallen = running(host, "off"), running(host, "fallen", dump_on_failure=True)
    type_at(host, "Q", "off")
    type_at(host, "T", "fallen")
    host.kill()
    host.until(lambda: not is_alive(off["pid"]) and not is_alive(fallen["pid"]), "both have ended")
    host.start()
    vm = host.until_vm("off", observed="stopped", cause="poweroff")
    assert vm["desired"] == "running" and not host.incidents("off")
    started_again(host, "fallen")
    [incident] = host.incidents("fallen")
    assert incident["cause"] == "triple-fault" and "tick" in incident["console"]
    assert "dumped" in kinds(host, "fallen"), "its memory was kept, too"
    assert_gapless(host)


def test_a_vm_that_may_not_be_alone_ends_itself_and_is_started_again(host):
    bound = running(host, "bound", orphan_timeout_ms=200)
    free = running(host, "free")
    host.kill()
    host.until(lambda: not is_alive(bound["pid"]), "it ends itself")
    assert is_alive(free["pid"])
    host.start()
    started_again(host, "bound")
    [incident] = host.incidents("bound")
    assert incident["cause"] == "supervisor-lost", incident
    assert host.vm("bound")["restarts"] == 1 and host.vm("free")["generation"] == 1


def test_a_vm_that_may_not_be_alone_lives_when_the_next_supervisor_comes_in_time(host):
    pid = running(host, orphan_timeout_ms=20000)["pid"]
    kill_and_start(host)
    adopted(host)
    kill_and_start(host)
    host.until(lambda: kinds(host).count("adopted") == 2, "it is adopted twice")
    assert host.vm("ticks")["pid"] == pid


# --- what was under way

def test_a_stop_goes_on_to_its_deadline(host):
    pid = running(host, "deaf", config("hang.bin"), stop_timeout_ms=1500)["pid"]
    host.verb("deaf", "stop", wait=None)
    kill_and_start(host)
    assert host.vm("deaf")["desired"] == "stopped"
    host.until_vm("deaf", observed="stopped", cause="stop-deadline")
    assert not is_alive(pid)
    [op] = [o for o in host.get("/v1/operations").json["operations"] if o["op"] == "vm_stop"]
    assert (op["state"], op["phase"]) == ("done", "killed at the deadline")


def test_a_dump_under_way_is_given_up_and_its_guest_goes_on(host):
    pid = running(host, heartbeat_ms=10000)["pid"]
    send(pid, "SIGSTOP")  # its vCPUs do not come to stand yet
    a = host.verb("ticks", "dump", wait=None)
    host.kill()
    send(pid, "SIGCONT")
    host.start()
    adopted(host)
    before = exits(host, "ticks")
    host.until(lambda: exits(host, "ticks") > before + 100, "it goes on")
    op = host.get(f"/v1/operations/{a.json['id']}").json
    assert op["state"] == "failed" and "started anew" in op["error"]["detail"], op
    assert host.verb("ticks", "dump").json["state"] == "done"


def exits(host, name):
    status = host.until(lambda: (s := host.get(f"/v1/vms/{name}/status").json).get("vcpus") and s,
                        "its box is shown")
    return status["vcpus"][0]["exits_total"]


def test_a_paused_guest_stays_paused_and_a_frozen_one_frozen(host):
    running(host, "paused")
    assert host.verb("paused", "pause").json["state"] == "done"
    fallen = running(host, "frozen", on_failure="pause")
    type_at(host, "t", "frozen")
    host.until_vm("frozen", observed="safe", cause="triple-fault")
    kill_and_start(host)
    for name in ("paused", "frozen"):
        adopted(host, name)
    still = exits(host, "paused")
    assert host.vm("paused")["observed"] == "paused"
    assert host.vm("frozen")["pid"] == fallen["pid"] and host.vm("frozen")["observed"] == "safe"
    assert host.verb("frozen", "release").json["state"] == "done"
    host.until(lambda: not is_alive(fallen["pid"]), "the frozen worker is gone")
    assert exits(host, "paused") == still
    assert host.verb("paused", "resume").status == 200
    host.until(lambda: exits(host, "paused") > still, "it goes on")
    assert len(host.incidents("frozen")) == 1


def when(event):
    return datetime.datetime.fromisoformat(event["at"].replace("Z", "+00:00")).timestamp()


def test_a_restart_that_was_due_comes_at_its_time(host):
    delay_ms = 1500
    pid = running(host, restart_delay_ms=delay_ms)["pid"]
    send(pid, "SIGKILL")
    host.until_vm("ticks", observed="safe")
    kill_and_start(host)
    started_again(host)
    assert len(host.incidents("ticks")) == 1
    told = {e["kind"]: e for e in host.events() if e["vm"] == "ticks"}  # the last of each
    assert told["starting"]["seq"] > [e["seq"] for e in host.events() if e["kind"] == "supervisor-up"][-1]
    assert when(told["starting"]) - when(told["safe"]) >= delay_ms / 1000


def test_networks_that_met_meet_again_after_one_of_them_died(host):
    for vm, name, other in (("a", "left", "b/right"), ("b", "right", "a/left")):
        host.define(vm, config("net.elf", f"vdev virtio-net name {name} peer /dev/qvm/{other}"),
                    restart_delay_ms=1)
        host.verb(vm, "start")
    def heard():
        return re.findall(r"net: hears (\w+)", host.console("a"))
    host.until(heard, "they meet")
    kill_and_start(host)
    adopted(host, "b")
    assert re.findall(r"the link is (\w+)", host.console("a"))[-1] == "up"
    send(host.vm("b")["pid"], "SIGKILL")
    started_again(host, "b")
    host.until(lambda: len(set(heard())) == 2, "a hears the new b")
    assert host.vm("a")["generation"] == 1


# --- who comes next

def test_a_supervisor_that_is_told_to_leave_leaves_its_guests(host):
    pid = running(host)["pid"]
    host.leave()
    assert is_alive(pid)
    host.start()
    adopted(host)
    assert host.vm("ticks")["pid"] == pid
    assert [e["text"] for e in host.events() if e["kind"] == "supervisor-down"] == ["qvmd ends, the VMs run on"]


def test_on_exit_says_what_sigterm_does():
    h = Host(**{"on-exit": "leave"}).start()
    try:
        pid = running(h)["pid"]
        assert h.stop() == 0 and is_alive(pid)
        h.start()
        adopted(h)
        h.process.send_signal(signal.SIGINT)
        assert h.process.wait(DEADLINE) == 0 and not is_alive(pid)
        assert not os.path.exists(f"{h.run}/keeper.sock")
    finally:
        h.settings.pop("on-exit")
        h.close()


def test_another_build_goes_on_with_the_guests(host, tmp_path):
    pid = running(host)["pid"]
    for name in ("qvmd", "qvm-api", "qvm-keeper", "qvm"):
        shutil.copy(f"{B}/{name}", tmp_path / name)
    host.leave()
    host.arguments = lambda: [f"{tmp_path}/qvmd", *Host.arguments(host)[1:]]
    host.start()
    adopted(host)
    assert host.vm("ticks")["pid"] == pid
    send(pid, "SIGKILL")
    new = started_again(host)["pid"]
    assert os.readlink(f"/proc/{new}/exe") == f"{tmp_path}/qvm"


def test_a_lost_keeper_is_replaced_and_has_everything_again(host):
    pid = running(host)["pid"]
    [old] = children("qvm-keeper")
    send(old, "SIGKILL")
    host.until(lambda: set(children("qvm-keeper")) - {old}, "another keeper")
    kill_and_start(host)
    adopted(host)
    assert host.vm("ticks")["pid"] == pid


def assert_left_alone(host, pid):
    [said] = [e for e in host.events() if e["kind"] == "left-alone"]
    assert "left running" in said["text"] and str(pid) in said["text"]
    vm = host.vm("ticks")
    assert (vm["pid"], vm["observed"], vm["health"]) == (pid, "running", "unknown")
    assert is_alive(pid)
    assert host.verb("ticks", "kill").json["state"] == "done"
    assert not is_alive(pid) and host.vm("ticks")["cause"] == "killed"
    assert host.verb("ticks", "start").json["state"] == "done"
    assert_gapless(host)


def test_a_guest_of_which_all_is_lost_runs_on_and_can_be_killed(host):
    pid = running(host)["pid"]
    [old] = children("qvm-keeper")
    send(host.process.pid, "SIGSTOP")
    send(old, "SIGKILL")
    host.until(lambda: not is_alive(old), "no keeper")
    kill_and_start(host)
    assert_left_alone(host, pid)


# --- the keeper's shelf, seen and changed from outside

KEEP, DROP, RECALL, KEPT, RECALLED = 1, 2, 3, 4, 5
KEY = struct.Struct("64sIIQQ")  # owner, kind, orphan_ms, generation, tag
LINK = 1


def shelf(host):
    """All that is kept: [(key bytes, note, fd)]."""
    found = []
    with link(host) as s:
        s.send(struct.pack("HHIQ", 1, RECALL, 8, 0) + bytes(8))
        while True:
            data, anc, _, _ = s.recvmsg(8192, 64)
            kind = struct.unpack_from("HHIQ", data)[1]
            if kind == RECALLED:
                return found
            fds = array.array("i")
            for _, _, raw in anc:
                fds.frombytes(raw[:4])
            found.append((data[16:16 + KEY.size], data[16 + KEY.size:], fds[0]))


def put(host, key, note, fd):
    def connected():
        try:
            return link(host)
        except BlockingIOError:  # as many wait for it as it lets
            return None
    with host.until(connected, "the keeper takes a connection") as s:
        s.sendmsg([struct.pack("HHIQ", 1, KEEP, KEY.size + len(note), 0) + key + note],
                  [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))])


def test_a_worker_of_another_dialogue_is_left_running_and_reported(host):
    pid = running(host)["pid"]
    host.kill()
    [(key, note, fd)] = [x for x in shelf(host) if KEY.unpack(x[0])[1] == LINK]
    put(host, key, bytes(8) + b"0.0.9".ljust(32, b"\0") + note[40:], fd)
    host.start()
    assert "qvmd 0.0.9 started it" in [e["text"] for e in host.events() if e["kind"] == "left-alone"][0]
    assert host.get("/v1/vms/ticks/console").status == 200, "its box is one that we can read"
    assert_left_alone(host, pid)


def test_what_is_forged_or_unknown_on_the_shelf_harms_nobody(host, tmp_path):
    pid = running(host)["pid"]
    host.kill()
    null = os.open("/dev/null", os.O_RDONLY)
    blank = bytes(1280)
    for owner, kind, generation, tag in ((b"nobody", LINK, 1, 0), (b"ticks", LINK, 99, 0), (b"nobody", 6, 2, 5),
                                         (b"ticks", 4, 99, 0), (b"", 9, 0, 7), (b"ticks", 2, 1, 9), (b"", 10, 0, 3)):
        put(host, KEY.pack(owner, kind, 0, generation, tag), b"\xff" * 1280, null)
    # A black box that is none, in the place of the true one: incidents lack it, nothing else.
    put(host, KEY.pack(b"ticks", 4, 0, 1, 0), blank, null)
    os.close(null)
    (tmp_path / "half.gcore").write_bytes(b"half")
    folder = os.open(tmp_path, os.O_RDONLY)
    put(host, KEY.pack(b"ticks", 8, 0, 1, 1), b"half.gcore".ljust(1280, b"\0"), folder)
    os.close(folder)
    host.start()
    adopted(host)
    assert host.vm("ticks")["pid"] == pid
    assert os.listdir(tmp_path) == [], "half a dump is removed"
    host.leave()
    assert sorted(KEY.unpack(k)[1] for k, _, _ in shelf(host)) == [1, 2, 3, 4, 5], "what is of no use is dropped"
    host.start()
    assert host.verb("ticks", "stop").status == 200
    assert not is_alive(pid)


# --- at any instant

def test_killed_at_any_instant_it_leaves_no_vm_in_two_and_none_unexplained(host):
    rounds = int(os.environ.get("ROUNDS", "12"))
    dice = random.Random(int(os.environ.get("SEED", "1")))
    names = ("a", "b", "c")
    for name in names:
        host.define(name, TICKS, restart_delay_ms=1, restart_budget=1000, stop_timeout_ms=2000)
    for _ in range(rounds):
        for name in names:
            verb = dice.choice(("start", "start", "stop", "kill", "dump", "pause", "resume"))
            host.verb(name, verb, wait=None)
        time.sleep(dice.random() * 0.05)
        kill_and_start(host)
    wish = {n: host.vm(n)["desired"] for n in names}
    for name, desired in wish.items():
        host.until(lambda n=name, d=desired: host.vm(n)["observed"] in
                   ({"stopped": ("stopped", "safe"), "running": ("running",), "paused": ("paused",)}[d]),
                   f"{name} becomes {desired}")
    assert_gapless(host)
    workers = children("qvm", "--supervised")
    assert sorted(workers) == sorted(v["pid"] for v in map(host.vm, names) if v["pid"])
    host.until(lambda: not [o for o in host.get("/v1/operations").json["operations"] if o["state"] == "running"],
               "no operation is left running")
