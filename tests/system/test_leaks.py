# SPDX-License-Identifier: Apache-2.0
"""A guest that reboots for ever costs no more than one that reboots once."""
import os
import re
import time

from host import SANITIZED, children, config

# Where the sanitizers' own memory hides what programs weigh only things are counted, which fewer show.
REBOOTS = 200 if SANITIZED else 1000
SETTLED = REBOOTS * 2 // 5  # reboots after which caches and pools have their size
GROWTH_KIB = 512


def fds(pid):
    """The least of a second: a request's connection may stay open a moment after its answer."""
    least = len(os.listdir(f"/proc/{pid}/fd"))
    for _ in range(20):
        time.sleep(0.05)
        least = min(least, len(os.listdir(f"/proc/{pid}/fd")))
    return least


def private_kib(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
        return int(re.search(r"^Private_Dirty:\s+(\d+)", f.read(), re.M).group(1))


def locks_on(path):
    inode = f":{os.stat(path).st_ino} "
    with open("/proc/locks", encoding="ascii") as f:
        return sum(inode in line for line in f)


def held(host, disk):
    """Everything countable that the programs hold while no guest runs, and what they weigh."""
    pids = [host.process.pid, *children(host.process.pid)]
    with open(f"/proc/{host.process.pid}/mounts", encoding="utf-8") as f:
        mounts = sum("qvm-powerloss" not in line for line in f)  # a bed's, which lies beside
    counts = {"processes": len(pids), "fds": [fds(p) for p in pids],
              "locks": locks_on(disk), "mounts": mounts,
              "files": sorted(os.listdir(host.run))}
    return counts, [private_kib(p) for p in pids]


def test_a_guest_that_reboots_1000_times_leaks_nothing(host):
    disk = os.path.join(host.folder, "disk.img")
    with open(disk, "wb") as f:
        f.truncate(1 << 20)
    region = "attach:leak:4"
    host.define("peer", config("shmem.elf", f'cmdline "do={region};stay"', "vdev shmem"))
    assert host.verb("peer", "start").status == 200
    host.until_console("peer", "number 0, clients 1")
    text = config("shmem.elf", "vdev pckeyboard", "vdev wdt-ib700", f"vdev virtio-blk hostdev {disk}",
                  f'cmdline "do={region};reboot"', "vdev shmem")
    host.define("web", text, on_reboot="stop")
    for reboot in range(1, REBOOTS + 1):
        assert host.verb("web", "start").status == 200
        vm = host.until_vm("web", observed="stopped", generation=reboot)
        assert vm["cause"] == "reboot", vm
        if reboot == SETTLED:
            counts, weights = held(host, disk)
            assert counts["locks"] == 0
    # It never detaches; a seventeenth place there is not.
    assert "attach leak: status 0, 4 pages, number 1, clients 3" in host.console("web")
    counts_now, weights_now = held(host, disk)
    assert counts_now == counts
    for before, now in zip(weights, weights_now, strict=True):
        assert SANITIZED or now < before + GROWTH_KIB, (weights, weights_now)
