# SPDX-License-Identifier: Apache-2.0
"""The supervisor's own ground gives way: the safe state of the host, on every door, and its release."""
import hashlib
import os
import struct
import subprocess

from bench import B, HELLO, Host, Seen, begin, injects, must, next_event, now_ms, wall_ms


class NamespaceHost(Host):
    """A supervisor with mounts of its own."""

    def arguments(self):
        return ["unshare", "--mount", "--propagation", "private", *super().arguments()]

    def mount(self, *words):
        subprocess.run(["nsenter", "-t", str(self.process.pid), "-m", *words], check=True)


class ShiftedHost(Host):
    """A supervisor whose wall clock can be set."""

    def arguments(self):
        path = os.path.join(self.folder, "shift")
        if not os.path.exists(path):
            self.shift(0)
        return ["env", f"LD_PRELOAD={B}/tests/clock_shift.so", f"CLOCK_SHIFT={path}", *super().arguments()]

    def shift(self, ms):
        fd = os.open(os.path.join(self.folder, "shift"), os.O_WRONLY | os.O_CREAT, 0o644)
        os.write(fd, struct.pack("<q", ms))
        os.close(fd)


def shows(host, reason):
    """Every door says so."""
    health, facts = host.get("/healthz"), host.get("/v1/host").json
    must(health.status == 503 and health.json["status"] == "host-safe" and health.json["host"], f"/healthz: {health}")
    must(facts["state"] == "safe" and facts["why"] and facts["since"], f"/v1/host: {facts}")
    listed = host.adm("list").stdout
    must("The host is in its safe state" in listed, f"qvmadm list: {listed}")
    a = host.post("/v1/vms/late/start")
    must(a.status == 503 and a.json["type"].endswith(":host-safe"), f"a start: {a}")
    must(reason in a.text, f"a start does not say that {reason}: {a}")


def gives_way(bench, host, reason, blow, mend, lasts=True):
    """From blow to release; returns what was seen."""
    bench.watch(host)
    host.define("late", HELLO)
    since, t0 = next_event(host), now_ms()
    blow()
    entered = host.until(lambda: next((e for e in host.events(since) if e["kind"] == "host-safe"), None)
                         if reason != "state directory" else host.get("/v1/host").json["state"] == "safe",
                         "the host enters its safe state")
    detected = (wall_ms(entered["at"]) if isinstance(entered, dict) and reason != "clock" else now_ms()) - t0
    shows(host, reason)
    bench.unharmed(host)
    if lasts:
        refused = host.adm("host", "release")
        must(refused.returncode == 21 and reason in refused.stderr, f"a release before its time: {refused}")
    mend()
    released = host.adm("host", "release")
    must(released.returncode == 0, f"it cannot be released: {released}")
    must(host.get("/healthz").status == 200 and host.verb("late", "start").json["state"] == "done", "nothing starts")
    must([e["kind"] for e in host.events(since)].count("host-released") == 1, "no event tells of the release")
    bench.unharmed(host)
    return Seen("starts refused until release", detected)


def run(bench, host, *args, **kw):
    with host:
        return gives_way(bench, host, *args, **kw)


@injects("store-corrupt", "bytes over the middle of state.db")
def store_corrupt(bench, row):
    with Host() as host:
        path = os.path.join(host.state, "state.db")
        begin(host, row)
        host.stop()
        with open(path, "rb") as f:
            sound = f.read()
        with open(path, "r+b") as f:
            f.seek(len(sound) // 2 // 4096 * 4096)
            f.write(os.urandom(8192))
        before, t0 = digest(path), now_ms()
        host.start(ready=False)
        must(host.process.wait(30) != 0, "it starts on a damaged state")
        took = now_ms() - t0
        log = host.read_log()
        must("is damaged" in log and "put a copy back" in log, f"it does not say what to do: {log[-500:]}")
        must(digest(path) == before, "the damaged state was written to")
        with open(path, "wb") as f:
            f.write(sound)
        host.start()
        host.until(lambda: host.vm(row.id)["observed"] == "running", "the copy is as good as the state was")
        return Seen("refuses to start", took)


def digest(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


@injects("state-gone", "mv of the state directory, and back")
def state_gone(bench, row):
    host = Host()
    away = host.state + ".away"
    return run(bench, host, "state directory", lambda: os.rename(host.state, away), lambda: os.rename(away, host.state))


@injects("run-gone", "another qvmd.lock in the run directory")
def run_gone(bench, row):
    host = Host()
    lock, away = f"{host.run}/qvmd.lock", f"{host.run}/qvmd.away"

    def blow():
        os.rename(lock, away)

    return run(bench, host, "run directory", blow, lambda: os.rename(away, lock))


@injects("device-lost", "/dev/null over its /dev/kvm")
def device_lost(bench, row):
    host = NamespaceHost()
    return run(bench, host, "/dev/kvm", lambda: host.mount("mount", "--bind", "/dev/null", "/dev/kvm"),
               lambda: host.mount("umount", "/dev/kvm"))


@injects("clock-back", "an hour back, for qvmd alone")
def clock_back(bench, row):
    host = ShiftedHost()
    return run(bench, host, "clock", lambda: host.shift(-3600 * 1000), lambda: None, lasts=False)
