#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`make torture SECONDS=60 SEED=1`: blows at random while scripts start and stop fifty VMs; then what must hold.

Blows: SIGKILL and SIGSTOP of workers, of qvm-api, of qvmd (which is started again, as systemd would),
SIGTERM of qvmd, a full disk under its state, its wall clock set forward and back. Meanwhile scripts
call verbs, and one sends what is no HTTP or no request. Each actor draws from a stream of its own
that the seed begins, so a seed gives the same choices again, whatever the timing makes of them.
"""
import collections
import os
import random
import socket
import sqlite3
import subprocess
import sys
import threading
import time

from bench import B, config, is_alive
from host import send
from inject_ground import ShiftedHost
from inject_host import fill, small_disk

VMS, SCRIPTS, DISKS = 50, 4, 10
REST = ("stopped", "safe")
QUICK = {"heartbeat_ms": 200, "heartbeat_misses": 5, "restart_delay_ms": 20, "restart_budget": 50,
         "stop_timeout_ms": 1000}
VERBS = ["start"] * 6 + ["stop"] * 4 + ["kill", "release", "pause", "resume", "button"]
PUT = b"PUT /v1/vms/%s HTTP/1.1\r\nHost: q\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
NONSENSE = [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00" + bytes(64), b"\r\n" * 4096,
            b"POST /v1/vms/t0/start HTTP/1.1\r\nHost: q\r\nContent-Length: 99999999\r\n\r\n",
            PUT % (b"../../etc", 2, b"{]"), PUT % (b"bad", 14, b"{\"config\": 123")]


def text_of(n, folder):
    guest = {0: "reboot.elf", 1: "triple.elf", 2: "poweroff.elf"}.get(n % 17, "hello.elf")
    more = ["vdev pckeyboard"] if guest == "reboot.elf" else []
    # Some disks have two VMs that want them: only one may have it at a time.
    if n < 2 * DISKS:
        more.append(f"vdev virtio-blk hostdev {folder}/disk{n % DISKS}.img")
    return config(guest, *more)


def processes():
    """{pid: (program, uid)} of the project that are alive."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            path = os.readlink(f"/proc/{pid}/exe")
            if path.startswith(B + "/") and is_alive(int(pid)):
                found[int(pid)] = (os.path.basename(path), os.stat(f"/proc/{pid}").st_uid)
        except OSError:
            continue
    return found


def about(pid):
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as f:
            wanted = ("Name", "State", "Pid", "PPid", "NSpid", "Threads")
            lines = [x for x in f.read().splitlines() if x.startswith(wanted)]
        with open(f"/proc/{pid}/cmdline", encoding="ascii") as f:
            return " ".join(" ".join(lines).split()) + " " + f.read().replace("\0", " ")
    except OSError:
        return f"{pid} has just gone"


def mounts():
    with open("/proc/self/mounts", encoding="utf-8") as f:
        return sorted(f.read().splitlines())


def locks_on(paths):
    inodes = [f":{os.stat(p).st_ino} " for p in paths if os.path.exists(p)]
    with open("/proc/locks", encoding="ascii") as f:
        return [line.strip() for line in f if any(i in line for i in inodes)]


def writers(disk):
    """Those of the device that has most: another file system may have a file of that number."""
    by_file = collections.defaultdict(list)
    for x in locks_on([disk]):
        if "WRITE" in x:
            by_file[x.split()[-3]].append(x)
    return max(by_file.values(), key=len, default=[])


class Torture:
    def __init__(self, seed, seconds):
        self.seed, self.end = seed, time.monotonic() + seconds
        self.before = set(processes())
        self.cgroup = ""
        self.host = ShiftedHost(**{"shutdown-grace-ms": 200})
        self.count = collections.Counter()
        self.broken = []
        self.over = threading.Event()
        self.names = [f"t{n}" for n in range(VMS)]
        self.disks = [f"{self.host.folder}/disk{n}.img" for n in range(DISKS)]

    def dice(self, actor):
        return random.Random(f"{self.seed}/{actor}")

    def must(self, condition, what):
        if not condition and what not in self.broken:
            self.broken.append(what)

    # --- those who ask

    def ask(self, method, path, body=None):
        try:
            a = self.host.request(method, path, body)
            self.count[f"{a.status}"] += 1
            self.must(a.status != 500, f"{method} {path} is an internal error: {a}")
            return a
        except OSError:
            self.count["no answer"] += 1
        except Exception as e:  # pylint: disable=broad-except # half an answer of an API that was killed
            self.count[type(e).__name__] += 1
        return None

    def script(self, actor):
        dice = self.dice(actor)
        while not self.over.is_set():
            name, verb = dice.choice(self.names), dice.choice(VERBS)
            wait = dice.choice(["", "?wait=1s"])
            if self.ask("POST", f"/v1/vms/{name}/{verb}{wait}") is None:
                time.sleep(0.05)
            if dice.random() < 0.2:
                self.ask("GET", dice.choice(["/v1/vms", f"/v1/vms/{name}", f"/v1/vms/{name}/status", "/v1/events",
                                             f"/v1/vms/{name}/console", "/metrics", "/healthz"]))
            time.sleep(dice.random() * 0.05)

    def babble(self):
        dice = self.dice("nonsense")
        while not self.over.is_set():
            try:
                with socket.socket(socket.AF_UNIX) as s:
                    s.settimeout(0.2)
                    s.connect(self.host.socket)
                    words = bytearray(dice.choice(NONSENSE))
                    if words and dice.random() < 0.5:
                        words[dice.randrange(len(words))] = dice.randrange(256)
                    s.sendall(words)
                    s.recv(4096)
            except OSError:
                pass
            self.count["nonsense"] += 1
            time.sleep(0.02 + dice.random() * 0.1)

    # --- the blows

    def workers(self):
        return sorted(p for p, (program, uid) in processes().items() if program == "qvm" and p not in self.before)

    def blow_worker_killed(self, dice):
        self.at_one(dice, self.workers(), "SIGKILL")

    def blow_worker_stopped(self, dice):
        self.at_one(dice, self.workers(), "SIGSTOP")

    def blow_api_killed(self, dice):
        self.at_one(dice, self.api(), "SIGKILL")

    def blow_api_stopped(self, dice):
        self.at_one(dice, self.api(), "SIGSTOP")

    def api(self):
        return self.host.children("qvm-api")

    def at_one(self, dice, pids, signal):
        if not pids:
            return
        try:
            send(dice.choice(pids), signal)
        except ProcessLookupError:
            pass

    def blow_qvmd_killed(self, dice):
        self.host.kill()
        time.sleep(dice.random() * 0.2)
        self.host.start(ready=False)

    def blow_qvmd_restarted(self, _dice):
        self.host.stop()
        self.host.start(ready=False)

    def blow_disk_full(self, dice):
        ballast = os.path.join(self.host.state, "ballast")
        fill(ballast)
        time.sleep(dice.random() * 3)
        os.unlink(ballast)

    def blow_clock_set(self, dice):
        self.host.shift(dice.choice([-7200, -60, -2, 0, 3, 3600, 86400]) * 1000)

    def blow_operator(self, _dice):
        """Not a blow: somebody looks after the host."""
        self.ask("POST", "/v1/host/release")

    BLOWS = {"worker_killed": 8, "worker_stopped": 4, "api_killed": 2, "api_stopped": 1, "qvmd_killed": 2,
             "qvmd_restarted": 1, "disk_full": 1, "clock_set": 1, "operator": 4}

    def holds_now(self):
        owners = collections.Counter(uid for program, uid in processes().values() if program == "qvm" and uid >= 1900000016)
        for uid in (u for u, n in owners.items() if n > 1):
            self.must(False, "a VM has two workers: " + "; ".join(
                about(p) for p, (program, u) in processes().items() if u == uid))
        for disk in self.disks:
            # /proc/locks is read in pieces, between which a lock may pass on; two owners would stay.
            held = [w for w in (writers(disk) for _ in range(2)) if len(w) > 1]
            self.must(len(held) < 2, f"a disk has two owners: {held}")

    def strike(self):
        dice = self.dice("blows")
        while time.monotonic() < self.end and not self.broken:
            blow = dice.choices(list(self.BLOWS), list(self.BLOWS.values()))[0]
            getattr(self, f"blow_{blow}")(dice)
            self.count[f"blow {blow}"] += 1
            self.holds_now()
            if self.host.process.poll() is not None:
                self.must(False, f"qvmd ended by itself: {self.host.process.returncode}\n{self.host.read_log()[-2000:]}")
            time.sleep(0.05 + dice.random() * 0.3)

    # --- from the first VM to the last

    def run(self):
        small_disk(self.host.state, "48m")
        try:
            self.host.start()
            self.cgroup = self.host.get("/v1/host").json["facts"]["cgroup"]
            for n, name in enumerate(self.names):
                if n < DISKS:
                    with open(self.disks[n], "wb") as f:
                        f.truncate(1 << 20)
                self.host.define(name, text_of(n, self.host.folder), **QUICK)
            actors = [threading.Thread(target=self.script, args=(f"script {i}",)) for i in range(SCRIPTS)]
            actors.append(threading.Thread(target=self.babble))
            for a in actors:
                a.start()
            try:
                self.strike()
            finally:
                self.over.set()
                for a in actors:
                    a.join()
            self.quiet()
            self.history()
            self.empty()
        finally:
            self.host.stop()
            subprocess.run(["umount", self.host.state], check=True)
            left = locks_on([*self.disks, f"{self.host.run}/qvmd.lock"])
            sockets = [x for x in open("/proc/net/unix", encoding="ascii") if self.host.folder in x]
            self.host.close()
        self.must(not left, f"locks are left: {left}")
        self.must(not sockets, f"sockets are left: {sockets}")
        self.must(set(processes()) <= self.before, f"processes are left: {set(processes()) - self.before}")
        self.must(not self.cgroup or not os.path.exists(self.cgroup), f"the cgroup {self.cgroup} is left")
        self.must(not [m for m in mounts() if self.host.folder in m], "mounts are left")

    def quiet(self):
        """Somebody looks after everything: all VMs come to rest."""
        self.host.wait_ready_or_safe()
        self.host.until(lambda: self.host.post("/v1/host/release").status == 204, "the host can be released")
        self.host.wait_ready()
        for name in self.names:
            for verb in ("stop", "release"):
                self.ask("POST", f"/v1/vms/{name}/{verb}")
        for name in self.names:
            vm = self.host.until(lambda n=name: (v := self.host.vm(n))["pid"] == 0 and v["observed"] in REST and v,
                                 f"{name} comes to rest; it is {self.host.vm(name)}", 60)
            self.must(vm["desired"] == "stopped" and not vm["restart_at"], f"it would start again: {vm}")
        self.host.until(lambda: not self.workers(), "the last worker is gone")

    def history(self):
        """The database is whole, and what it tells is possible."""
        db = sqlite3.connect(f"file:{self.host.state}/state.db?mode=ro", uri=True)
        self.must(db.execute("PRAGMA integrity_check").fetchall() == [("ok",)], "state.db is damaged")
        self.must(not db.execute("PRAGMA foreign_key_check").fetchall(), "state.db has rows without their owner")
        n, low, high = db.execute("SELECT count(*), min(seq), max(seq) FROM event").fetchone()
        self.must(n == high - low + 1, f"{high - low + 1 - n} events are missing")
        self.count["events"] = n
        for what, sql in (("an operation never ends", "SELECT 1 FROM operation WHERE state = 'running'"),
                          ("a safe state has no incident", "SELECT 1 FROM event WHERE kind = 'safe' AND incident = 0"),
                          ("an incident has no event",
                           "SELECT 1 FROM incident WHERE id NOT IN (SELECT incident FROM event)")):
            self.must(not db.execute(sql).fetchone(), what)
        for name in self.names:
            self.story(name, db.execute("SELECT kind, operation, text FROM event WHERE vm = ? ORDER BY seq", (name,)))
        db.close()

    def story(self, name, events):
        lives, is_wanted = False, False
        for kind, operation, text in events:
            if kind == "starting":
                self.must(not lives, f"{name} starts twice")
                self.must(operation or is_wanted, f"{name} was started by policy though it shall be stopped: {text}")
                lives, is_wanted = True, True
            elif kind == "started":
                self.must(lives, f"{name} has started without a start")
            elif kind in ("ended", "safe"):
                lives = lives and "keeps" in text
            elif kind == "stopping":
                is_wanted = False

    def empty(self):
        """With no VM left the supervisor holds no more than a fresh one."""
        for name in self.names:
            self.host.until(lambda n=name: self.host.delete(f"/v1/vms/{n}").status == 204, f"{name} can be deleted")
        held = self.fds()
        self.host.stop()
        self.host.start()
        self.must(held == self.fds(), f"qvmd held {held} descriptors without a VM, a fresh one {self.fds()}")

    def fds(self):
        """The least of a second: a request's connection may stay open a moment after its answer."""
        least = 1 << 20
        for _ in range(20):
            least = min(least, len(os.listdir(f"/proc/{self.host.process.pid}/fd")))
            time.sleep(0.05)
        return least


def main():
    seconds, seed = int(sys.argv[1]), int(sys.argv[2])
    print(f"torture: seed {seed}, {seconds} s, {VMS} VMs, {SCRIPTS} scripts", flush=True)
    t = Torture(seed, seconds)
    try:
        t.run()
    except AssertionError as e:
        t.broken.append(str(e))
    for what in sorted(t.count):
        print(f"  {t.count[what]:>7}  {what}")
    for what in t.broken:
        print(f"  BROKEN: {what}")
    print(f"{0 if t.broken else 1} passed, {len(t.broken)} failed, 0 skipped")
    return 1 if t.broken else 0


if __name__ == "__main__":
    sys.exit(main())
