# SPDX-License-Identifier: Apache-2.0
"""Faults of workers: killed, crashed, hung, lying, and starts and stops that do not come to an end."""
import os

from bench import (ARMED, HELLO, Host, Seen, begin, config, define, events_of, injects, must, next_event, now_ms, settled,
                   tool, wall_ms)
from host import send

SYS_SOCKET, SYS_EXIT_GROUP = 41, 231
QUICK = {"heartbeat_ms": 100, "heartbeat_misses": 10}


def strike(bench, row, blow, host=None, **policy):
    """A guest that runs, a blow from outside, and by policy the guest runs again."""
    host = host or bench.host()
    pid = begin(host, row, on_failure="restart", **policy)["pid"]
    since, t0 = next_event(host), now_ms()
    blow(pid)
    return settled(bench, host, row, since, t0, pid)


@injects("worker-killed", "kill -KILL")
def killed(bench, row):
    return strike(bench, row, lambda pid: send(pid, "SIGKILL"))


for _signal, _how in (("segv", "a read of address 0"), ("bus", "a push to no address"), ("ill", "ud2"),
                      ("fpe", "a division by 0"), ("trap", "int3")):
    injects(f"worker-{_signal}", f"{_how} in its loop")(
        lambda bench, row, code=_signal: strike(bench, row, lambda pid: tool("inject_code", pid, code)))


@injects("forbidden-syscall", "socket() in its loop")
def forbidden(bench, row):
    seen = strike(bench, row, lambda pid: tool("inject_syscall", pid, SYS_SOCKET))
    must(bench.host().incidents(row.id)[0]["syscall"] == "socket", "the incident does not name the call")
    return seen


@injects("worker-exit", "exit_group() in its loop")
def exits(bench, row):
    return strike(bench, row, lambda pid: tool("inject_syscall", pid, SYS_EXIT_GROUP))


@injects("worker-stopped", "kill -STOP")
def stopped(bench, row):
    seen = strike(bench, row, lambda pid: send(pid, "SIGSTOP"), **QUICK)
    must(any(e["kind"] == "suspect" for e in events_of(bench.host(), row, 0)), "it was never suspect")
    return seen


@injects("worker-busy", "jmp . in its loop")
def busy(bench, row):
    return strike(bench, row, lambda pid: tool("inject_code", pid, "spin"), **QUICK)


@injects("vcpu-stuck", "a vdev's handler that loops")
def vcpu_stuck(bench, row):
    host = bench.host("vdevs", **{"vdev-folder": bench.vdevs()})
    define(host, row, config("faulty.elf", "vdev crash loc io:0x5a0", 'cmdline "after=50 do=stuck"'), vcpu_stuck_ms=400)
    since = next_event(host)
    host.verb(row.id, "start")
    seen = settled(bench, host, row, since, None)
    signals = host.vm(row.id)["signals"]
    must(signals["worker"] == "failed" and "vCPU 0" in host.incidents(row.id)[0]["sentence"], f"told wrongly: {signals}")
    return seen


@injects("protocol", "READY a second time")
def protocol(bench, row):
    host = bench.faulty()
    define(host, row, **ARMED)
    since, t0 = next_event(host), now_ms()
    host.verb(row.id, "start")
    return settled(bench, host, row, since, t0)


def never(bench, row):
    host = bench.faulty()
    define(host, row, start_timeout_ms=300, **ARMED)
    since, t0 = next_event(host), now_ms()
    a = host.verb(row.id, "start")
    must(a.json["state"] == "failed" and "start_timeout_ms" in a.text, f"whoever started it is not told: {a}")
    return settled(bench, host, row, since, t0)


injects("start-hangs-reading", "a loop before PLAN")(never)
injects("start-hangs-assembling", "a loop before READY")(never)
injects("start-hangs-entering", "a loop before STARTED")(never)


@injects("image-gone", "unlink of the image after its definition")
def image_gone(bench, row):
    host = bench.host()
    image = os.path.join(host.folder, "image.bin")
    with open(image, "wb") as f:
        f.write(b"\xf4")
    define(host, row, f"ram 1m\nload {image}\n")
    os.unlink(image)
    since, t0 = next_event(host), now_ms()
    a = host.verb(row.id, "start")
    must(a.json["state"] == "failed" and image in a.text, f"whoever started it is not told: {a}")
    return settled(bench, host, row, since, t0)


@injects("configuration", "its `cluster` taken out of qvmd.conf")
def configuration(bench, row):
    host = bench.host("cluster", Host, **{"cluster gone": "0"})
    define(host, row, config("hello.elf", "cpu cluster gone"), on_failure="restart")
    host.stop()
    del host.settings["cluster gone"]
    host.start()
    host.until_vm("bystander", observed="running")
    bench.witness[host] = host.vm("bystander")["pid"]
    since, t0 = next_event(host), now_ms()
    host.verb(row.id, "start")
    return settled(bench, host, row, since, t0)


@injects("stop-deadline", "stop of a guest that spins")
def stop_deadline(bench, row):
    host = bench.host()
    vm = begin(host, row, config("hang.bin"), stop_timeout_ms=300)
    since, t0 = next_event(host), now_ms()
    a = host.verb(row.id, "stop")
    must(a.json["phase"] == "killed at the deadline", f"the operation does not say so: {a}")
    after = host.until_vm(row.id, observed="stopped", cause=row.cause, pid=0)
    [ended] = [e for e in events_of(host, row, since) if e["kind"] == "ended"]
    must(after["restarts"] == 0 and not host.incidents(row.id), f"a stop became a failure: {after}")
    bench.unharmed(host)
    took = wall_ms(ended["at"]) - t0
    return Seen("stays stopped", took, took, vm["policy"])



@injects("ready-lost", "kill -KILL of a standby's worker that is held ready")
def ready_lost(bench, row):
    host = bench.host()
    host.define(row.id, HELLO, on_failure="stop", restart_delay_ms=0)
    host.define("primary", HELLO, standby=row.id, standby_warm=True, on_failure="standby")
    must(host.verb("primary", "start").json["state"] == "done", "the primary does not start")
    pid, active = host.until_vm(row.id, observed="ready")["pid"], host.vm("primary")["pid"]
    since, t0 = next_event(host), now_ms()
    send(pid, "SIGKILL")
    safe = host.until(lambda: next((e for e in events_of(host, row, since) if e["kind"] == "safe"), None), "it is safe")
    again = host.until(lambda: (v := host.vm(row.id))["observed"] == "ready" and v["pid"] != pid and v, "it is ready")
    [incident] = host.incidents(row.id)
    must(safe["cause"] == incident["cause"] == row.cause and "prepared again" in incident["reaction"],
         f"its incident tells another story: {incident}")
    must((host.vm("primary")["pid"], again["desired"]) == (active, "stopped"), "its primary was touched")
    bench.unharmed(host)
    host.verb("primary", "kill")
    return Seen("ready again", wall_ms(incident["noticed"]) - t0, wall_ms(safe["at"]) - t0, host.vm(row.id)["policy"])
