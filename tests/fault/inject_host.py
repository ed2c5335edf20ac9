# SPDX-License-Identifier: Apache-2.0
"""Faults of the host under guests and supervisor: disks, interfaces, descriptors, the API process."""
import os
import resource
import subprocess

from bench import (HELLO, Host, Seen, Skip, begin, config, define, events_of, injects, is_alive, must, next_event, now_ms,
                   settled, wall_ms)
from host import send

PIDS = "/sys/fs/cgroup/pids"


def fill(path):
    """Until nothing more fits."""
    with open(path, "wb", buffering=0) as f:
        try:
            while True:
                f.write(bytes(4096))
        except OSError:
            pass


def small_disk(folder, size):
    os.makedirs(folder, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", folder], check=True)


def disk_guest(host, row, image):
    with open(image, "wb") as f:
        f.truncate(1 << 30)
    text = config("disk.elf", 'cmdline "by=msix watch=1"', "vdev ioapic", f"vdev virtio-blk hostdev {image}")
    vm = begin(host, row, text)
    host.until_console(row.id, "disk: read 0, write 0")
    return vm


def goes_on(bench, host, row, vm, reaction, t0, at=None):
    """The VM is the same, runs, and has no incident."""
    now = host.vm(row.id)
    must((now["pid"], now["observed"]) == (vm["pid"], "running") and not host.incidents(row.id),
         f"the VM did not go on: {now}")
    host.verb(row.id, "kill")
    bench.unharmed(host)
    return Seen(reaction, (at or now_ms()) - t0, None, vm["policy"])


@injects("disk-full", "ballast beside the image")
def disk_full(bench, row):
    host = bench.host()
    folder = os.path.join(host.folder, "small")
    small_disk(folder, "4m")
    try:
        vm = disk_guest(host, row, f"{folder}/disk.img")
        t0 = now_ms()
        fill(f"{folder}/ballast")
        host.until_console(row.id, "disk: read 0, write 1")
        return goes_on(bench, host, row, vm, "I/O error to the guest", t0)
    finally:
        host.verb(row.id, "kill")
        host.until_vm(row.id, pid=0)
        subprocess.run(["umount", folder], check=True)


@injects("disk-gone", "truncate to 0 under the guest")
def disk_gone(bench, row):
    host = bench.host()
    image = os.path.join(host.folder, "gone.img")
    vm = disk_guest(host, row, image)
    t0 = now_ms()
    os.truncate(image, 0)
    host.until_console(row.id, "disk: read 1")
    return goes_on(bench, host, row, vm, "I/O error to the guest", t0)


class NetworkHost(Host):
    """A supervisor in a network namespace of its own."""
    space = f"qvmf{os.getpid()}"

    def arguments(self):
        return ["ip", "netns", "exec", self.space, *super().arguments()]

    def close(self):
        super().close()
        subprocess.run(["ip", "netns", "delete", self.space], check=True)


@injects("tap-gone", "ip link delete")
def tap_gone(bench, row):
    if not os.path.exists("/dev/net/tun"):
        raise Skip("this machine has no /dev/net/tun")
    space = NetworkHost.space
    subprocess.run(["ip", "netns", "add", space], check=True)
    for words in (["tuntap", "add", "dev", "tap0", "mode", "tap"], ["link", "set", "tap0", "up"]):
        subprocess.run(["ip", "-n", space, *words], check=True)
    host = bench.host("network", NetworkHost, **{"allow-tap": "tap0"})
    vm = begin(host, row, config("net.elf", "vdev virtio-net tapdev tap0"))
    host.until_console(row.id, "the link is up")
    t0 = now_ms()
    subprocess.run(["ip", "-n", space, "link", "delete", "tap0"], check=True)
    card = lambda: next(v for v in host.get(f"/v1/vms/{row.id}/status").json["vdevs"] if "net" in v["name"])  # noqa: E731
    host.until(lambda: card()["drops"] + card()["errors"] > 0, "its card counts what it cannot send")
    return goes_on(bench, host, row, vm, "its card counts drops", t0)


@injects("out-of-memory", "a guest of 250 MiB that may use 64")
def out_of_memory(bench, row):
    host = bench.host()
    if "memory=rlimit" in host.get("/v1/host").json["facts"]["limits"]:
        raise Skip("this machine's cgroups cannot limit memory: tests/harness/limits shows it in the bed")
    text = config("eat.elf", 'cmdline "mib=250"').replace("ram 1m,15m", "ram 1m,255m")
    since = next_event(host)
    begin(host, row, text, memory_max=64 << 20)
    return settled(bench, host, row, since, None)


@injects("descriptors-spent", "RLIMIT_NOFILE of qvmd = what it has")
def descriptors_spent(bench, row):
    host = bench.host()
    pid = host.process.pid
    define(host, row)
    _, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    since, t0 = next_event(host), now_ms()
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (len(os.listdir(f"/proc/{pid}/fd")) + 2, hard))
    try:
        a = host.verb(row.id, "start")
        must(a.json["state"] == "failed", f"it started without descriptors: {a}")
        return settled(bench, host, row, since, t0)
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (hard, hard))


@injects("processes-spent", "pids.max of qvmd's cgroup = what it has")
def processes_spent(bench, row):
    if not os.path.exists(f"{PIDS}/cgroup.procs") or not os.access(PIDS, os.W_OK):
        raise Skip("this machine has no cgroup v1 controller `pids` to set a limit with")
    host = bench.host()
    pid, folder = host.process.pid, f"{PIDS}/qvm-faults-{os.getpid()}"
    define(host, row)
    os.mkdir(folder)
    since, t0 = next_event(host), now_ms()
    try:
        write(f"{folder}/pids.max", 1)
        write(f"{folder}/cgroup.procs", pid)
        a = host.verb(row.id, "start")
        must(a.json["state"] == "failed", f"it started without a process: {a}")
        return settled(bench, host, row, since, t0)
    finally:
        write(f"{PIDS}/cgroup.procs", pid)
        os.rmdir(folder)


def write(path, value):
    with open(path, "w", encoding="ascii") as f:
        f.write(str(value))


@injects("host-shutdown", "kill -TERM of qvmd, and the next one")
def host_shutdown(bench, row):
    with Host() as host:
        vm = begin(host, row)
        since, t0 = next_event(host), now_ms()
        must(host.stop() == 0, "qvmd did not end well")
        host.start()
        after = host.until(lambda: (v := host.vm(row.id))["observed"] == "running" and v, "it runs again")
        [ended] = [e for e in events_of(host, row, since) if e["kind"] == "ended"]
        must(ended["cause"] == row.cause and after["restarts"] == 0 and not host.incidents(row.id),
             f"an end in order became a failure: {ended} {after}")
        took = wall_ms(ended["at"]) - t0
        return Seen("started by the next qvmd", took, took, vm["policy"])


@injects("store-full", "ballast beside state.db")
def store_full(bench, row):
    host = Host()
    small_disk(host.state, "700k")
    try:
        host.start()
        bench.watch(host)
        ballast = os.path.join(host.state, "ballast")
        t0 = now_ms()
        fill(ballast)
        refused = host.until(lambda: next((a for i in range(40) if (a := host.put(
            f"/v1/vms/n{i}", {"config": HELLO + f"# {'x' * 4000}\n"})).status not in (200, 201)), None), "a refusal")
        detected = now_ms()
        must(refused.status == 503 and refused.json["type"].endswith(":store") and refused.json["hint"],
             f"the refusal does not say why: {refused}")
        bench.unharmed(host)
        os.unlink(ballast)
        host.until(lambda: host.put("/v1/vms/late", {"config": HELLO}).status in (200, 201), "it recovers")
        bench.unharmed(host)
        return Seen("refused; then well again", detected - t0)
    finally:
        host.stop()
        subprocess.run(["umount", host.state], check=True)
        host.close()


def api_of(host):
    [api] = host.children("qvm-api")
    return api


def lose_api(bench, row, signal):
    host = bench.host()
    api, since, t0 = api_of(host), next_event(host), now_ms()
    send(api, signal)
    host.until(lambda: not is_alive(api), "the API process is gone")
    host.wait_ready()
    lost = host.until(lambda: next((e for e in host.events(since) if e["kind"] == "api-lost"), None), "api-lost")
    bench.unharmed(host)
    return Seen("started again", wall_ms(lost["at"]) - t0)


injects("api-killed", "kill -KILL")(lambda bench, row: lose_api(bench, row, "SIGKILL"))
injects("api-hung", "kill -STOP")(lambda bench, row: lose_api(bench, row, "SIGSTOP"))
