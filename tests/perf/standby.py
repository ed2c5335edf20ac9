#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""From a fault to the first instruction of the standby, held ready (warm) and not (cold). Prints; asserts nothing.

Two pairs of the same configurations, a disk of each pair in both, in one run and turn by turn: SIGKILL of
the active one's worker until the event `started` of the other, by the supervisor's own account.
"""
import datetime
import os
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "system"))
from host import Host, config, send  # noqa: E402

ROUNDS = int(os.environ.get("ROUNDS", "30"))


def at_ms(event):
    return datetime.datetime.fromisoformat(event["at"].replace("Z", "+00:00")).timestamp() * 1000


def define(host, name, warm):
    disk = os.path.join(host.folder, f"{name}.img")
    with open(disk, "wb") as f:
        f.truncate(1 << 20)
    text = config("hello.elf", f"vdev virtio-blk hostdev {disk}", "vdev virtio-entropy")
    host.define(f"{name}-b", text, on_failure="stop")
    host.define(name, text, standby=f"{name}-b", standby_warm=warm, on_failure="standby")
    host.verb(name, "start")


def takeover(host, name, warm):
    if warm:
        host.until_vm(f"{name}-b", observed="ready")
    since, pid = host.events()[-1]["seq"] + 1, host.vm(name)["pid"]
    fault = time.time() * 1000
    send(pid, "SIGKILL")
    host.until_vm(f"{name}-b", observed="running")
    started = next(e for e in host.events(since) if (e["kind"], e.get("vm")) == ("started", f"{name}-b"))
    host.verb(name, "release")
    host.verb(name, "give-back")
    return at_ms(started) - fault


def main():
    took = {"cold": [], "warm": []}
    with Host() as host:
        for name in took:
            define(host, name, name == "warm")
        for _ in range(ROUNDS):
            for name, values in took.items():
                values.append(takeover(host, name, name == "warm"))
        print(f"{'takeover':<12}{'median ms':>10}{'p90 ms':>9}   ({ROUNDS} rounds)")
        for name, values in took.items():
            print(f"{name:<12}{statistics.median(values):>10.1f}{statistics.quantiles(values, n=10)[8]:>9.1f}")
        ratio = statistics.median(took["warm"]) / statistics.median(took["cold"])
        print(f"from a fault to the standby's first instruction: warm takes {ratio:.2f} of cold")


main()
