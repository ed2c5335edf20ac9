#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""How long VMs are without a supervisor that is killed and started again. Prints; asserts nothing.

VMS guests run; qvmd is killed and started at once, ROUNDS times:
serves      from exec of the new one until its API answers
adopted     from its first event until the last guest is supervised again, by its own account
"""
import datetime
import os
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "system"))
from host import Host, config  # noqa: E402

VMS = int(os.environ.get("VMS", "100"))
ROUNDS = int(os.environ.get("ROUNDS", "5"))


def at_ms(event):
    return datetime.datetime.fromisoformat(event["at"].replace("Z", "+00:00")).timestamp() * 1000


def main():
    serves, adopted = [], []
    with Host() as host:
        names = [f"vm{i}" for i in range(VMS)]
        for name in names:
            host.define(name, config("hello.elf"))
            host.verb(name, "start")
        pids = {n: host.vm(n)["pid"] for n in names}
        for _ in range(ROUNDS):
            since = host.events()[-1]["seq"] + 1
            host.kill()
            began = time.monotonic()
            host.start()
            serves.append((time.monotonic() - began) * 1000)

            def all_adopted(since=since):
                events = host.events(since)
                return sum(e["kind"] == "adopted" for e in events) == VMS and events
            events = host.until(all_adopted, "all are adopted")
            up = next(e for e in events if e["kind"] == "supervisor-up")
            adopted.append(at_ms([e for e in events if e["kind"] == "adopted"][-1]) - at_ms(up))
        same = sum(host.vm(n)["pid"] == p for n, p in pids.items())
        print(f"{VMS} VMs, qvmd killed {ROUNDS} times: {same} of them run on in the same process")
        for name, values in (("serves", serves), ("adopted", adopted)):
            print(f"{name:<12}{statistics.median(values):>10.1f} ms median{max(values):>10.1f} ms at most")


main()
