#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Start and recovery, measured beside a floor in the same run. Prints; asserts nothing.

floor       a bare KVM loop from main() to its first exit (tests/perf/floor.c), as a process
alone       `qvm @poweroff`, from exec to exit
start       POST /v1/vms/x/start?wait until the operation is done, the guest entered
recovery    SIGKILL of a worker until the guest is entered again, less the back-off, as seen over REST
by itself   the same by the supervisor's own account: from the fault to the guest entered again
start of it the bare start of the same VM by the same account: from `starting` to `started`
"""
import datetime
import os
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "system"))
from host import B, Host, config, send  # noqa: E402

ROUNDS = int(os.environ.get("ROUNDS", "30"))
DELAY_MS = 0


def timed(work):
    began = time.monotonic()
    work()
    return (time.monotonic() - began) * 1000


def memory_kib(pid, what):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
        return next(int(x.split()[1]) for x in f if x.startswith(what))


def own_account(host, since):
    """From the events of one recovery: (bare start, from the fault to the guest entered), in ms."""
    at = {e["kind"]: datetime.datetime.fromisoformat(e["at"].replace("Z", "+00:00")).timestamp() * 1000
          for e in host.events(since) if e["vm"] == "x"}
    return at["started"] - at["starting"], at["started"]


def main():
    conf = "/tmp/qvm-perf.qvmconf"
    with open(conf, "w", encoding="utf-8") as f:
        f.write(config("poweroff.elf"))
    host = Host().start()
    rows = {"floor": [], "alone": [], "start": [], "recovery": [], "by itself": [], "start of it": []}
    try:
        host.define("x", config("hello.elf"), restart_delay_ms=DELAY_MS, restart_budget=1000)
        for _ in range(ROUNDS):
            rows["floor"].append(timed(lambda: subprocess.run([f"{B}/tests/floor"], check=True,
                                                              stdout=subprocess.DEVNULL)))
            rows["alone"].append(timed(lambda: subprocess.run(
                [f"{B}/qvm", f"@{conf}"], check=True, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL)))
            rows["start"].append(timed(lambda: host.verb("x", "start")))
            pid = host.vm("x")["pid"]
            since, fault = host.events()[-1]["seq"] + 1, []

            def recover(pid=pid, fault=fault):
                fault.append(time.time() * 1000)
                send(pid, "SIGKILL")
                while (vm := host.vm("x"))["pid"] in (0, pid) or vm["observed"] != "running":
                    time.sleep(0.001)
            rows["recovery"].append(timed(recover))
            bare, entered = own_account(host, since)
            rows["start of it"].append(bare)
            rows["by itself"].append(entered - fault[0])
            pid = host.vm("x")["pid"]
            host.verb("x", "kill")
        host.verb("x", "start")
        pid = host.vm("x")["pid"]
        print(f"{'what':<12}{'median ms':>10}{'p90 ms':>9}{'x floor':>9}   ({ROUNDS} rounds)")
        floor = statistics.median(rows["floor"])
        for name, values in rows.items():
            p90 = statistics.quantiles(values, n=10)[8]
            median = statistics.median(values)
            print(f"{name:<12}{median:>10.1f}{p90:>9.1f}{median / floor:>9.1f}")
        ratio = statistics.median(rows["by itself"]) / statistics.median(rows["start of it"])
        print(f"from a fault to the guest entered again: {ratio:.1f} x the bare start of the same VM")
        print(f"worker memory beside the guest's RAM: {memory_kib(pid, 'Private_Dirty:')} KiB private dirty, "
              f"supervisor {memory_kib(host.process.pid, 'Private_Dirty:')} KiB")
    finally:
        host.close()
        os.unlink(conf)


main()
