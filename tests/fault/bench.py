# SPDX-License-Identifier: Apache-2.0
"""The bench on which `make faults` injects: hosts with a bystander, waiting, and what was seen."""
import dataclasses
import datetime
import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "system"))
from host import B, Host, config, is_alive  # noqa: E402

HELLO = config("hello.elf")
ARMED = {"heartbeat_ms": 123}  # of a VM whose worker shall meet its fault: worker/faulty.c
INJECTORS = {}


class Skip(Exception):
    """This machine cannot show that fault; the text says why."""


@dataclasses.dataclass
class Row:
    """A row of schemas/faults.def."""
    id: str
    group: str
    cause: str
    bound: str
    reaction: str
    condition: str
    detection: str


@dataclasses.dataclass
class Seen:
    """What one injection came to; times are milliseconds after it, None where there is none."""
    reaction: str
    detected_ms: float | None = None
    safe_ms: float | None = None
    policy: dict = dataclasses.field(default_factory=dict)


def injects(row_id, what):
    """The function injects that row; `what` says how, for people."""
    def register(fn):
        assert row_id not in INJECTORS, row_id
        INJECTORS[row_id] = (what, fn)
        return fn
    return register


def must(condition, what):
    if not condition:
        raise AssertionError(what)


def wall_ms(at):
    return datetime.datetime.fromisoformat(at.replace("Z", "+00:00")).timestamp() * 1000


def now_ms():
    return time.time() * 1000


def tool(name, *args):
    r = subprocess.run([f"{B}/tests/{name}", *map(str, args)], capture_output=True, text=True, check=False)
    must(r.returncode == 0, f"{name}: {r.stderr}")


class Bench:
    """Hosts by name, each with a VM that no fault may touch."""

    def __init__(self):
        self.hosts = {}
        self.witness = {}

    def host(self, name="plain", make=Host, **settings):
        if name not in self.hosts:
            self.hosts[name] = make(**settings).start()
            self.watch(self.hosts[name])
        return self.hosts[name]

    def faulty(self):
        """Whose workers meet faults of their own, by the name of their VM."""
        return self.host("faulty", **{"program-dir": f"{B}/tests/faulty"})

    def vdevs(self):
        """A folder of misbehaving vdevs as an administrator makes one."""
        folder = os.path.join(self.host().folder, "vdevs")
        os.makedirs(folder, mode=0o755, exist_ok=True)
        for name in ("crash",):
            shutil.copy(f"{B}/tests/vdevs/vdev-{name}.so", folder)
            os.chmod(f"{folder}/vdev-{name}.so", 0o644)
        return folder

    def watch(self, host):
        host.define("bystander", HELLO)
        host.verb("bystander", "start")
        self.witness[host] = host.vm("bystander")["pid"]

    def unharmed(self, host):
        vm = host.vm("bystander")
        must((vm["pid"], vm["observed"], vm["restarts"]) == (self.witness[host], "running", 0),
             f"the bystander was touched: {vm}")

    def close(self):
        for host in self.hosts.values():
            host.close()

    def drop(self, host):
        """This one is of no use to anybody else."""
        self.hosts = {n: h for n, h in self.hosts.items() if h is not host}
        host.close()


def define(host, row, text=HELLO, **policy):
    policy = {"on_failure": "stop", "on_watchdog": "stop", "restart_delay_ms": 0, **policy}
    host.define(row.id, text, **policy)
    return host.vm(row.id)["policy"]


def begin(host, row, text=HELLO, **policy):
    """A VM of the row's name whose guest runs; its resource."""
    define(host, row, text, **policy)
    a = host.verb(row.id, "start")
    must(a.json.get("state") == "done", f"it does not start: {a}")
    if text == HELLO:
        host.until_console(row.id, "Hello")
    return host.vm(row.id)


def events_of(host, row, since):
    return [e for e in host.events(since) if e["vm"] == row.id]


def next_event(host):
    """The number that the next event will have."""
    return host.events()[-1]["seq"] + 1


def settled(bench, host, row, since, t0, pid=0):
    """The failure of the row's VM: one event, one incident, the safe state, and what follows it."""
    safe = host.until(lambda: next((e for e in events_of(host, row, since) if e["kind"] == "safe"), None),
                      f"{row.id} comes into its safe state")
    must(safe["cause"] == row.cause, f"its cause is {safe['cause']}, not {row.cause}: {safe['text']}")
    [incident] = [i for i in host.incidents(row.id) if i["id"] == safe["incident"]]
    must(incident["cause"] == row.cause and incident["sentence"] and incident["reaction"],
         f"its incident tells another story: {incident}")
    at = wall_ms(safe["at"])
    if t0 is None:  # the guest's own doing: the last exit it made
        t0 = at - incident["exits"][-1]["ago_us"] / 1000 if incident["exits"] else at
    must(incident["noticed"] <= incident["at"] and len(incident["vcpus"]) <= 1, f"told wrongly: {incident}")
    policy = host.vm(row.id)["policy"]
    must(pid == 0 or not is_alive(pid), f"process {pid} of its worker is still there")
    reaction = follow(host, row, since, policy, pid)
    must(len(host.incidents(row.id)) == 1, "it is more than one incident")
    bench.unharmed(host)
    return Seen(reaction, wall_ms(incident["noticed"]) - t0, at - t0, policy)


def follow(host, row, since, policy, pid):
    """What the policy promises comes true."""
    if row.cause == "configuration" or policy["on_watchdog" if row.cause == "watchdog" else "on_failure"] == "stop":
        vm = host.until_vm(row.id, observed="safe", health="failed", pid=0)
        must(vm["desired"] == "running" and vm["restarts"] == 0, f"the latch does not hold: {vm}")
        return "stays safe"
    vm = host.until(lambda: (v := host.vm(row.id))["observed"] == "running" and v["pid"] != pid and v, "it runs again")
    must(vm["restarts"] == 1, f"it was restarted {vm['restarts']} times")
    kinds = {e["kind"]: wall_ms(e["at"]) for e in events_of(host, row, since)}
    return f"runs again {kinds['started'] - kinds['safe']:.0f} ms later"
