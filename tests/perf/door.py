#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The door with 1,000 VMs, beside a trivial reply of the same library in the same run. Prints; asserts nothing.

Each request is sent ROUNDS times over one connection of a unix socket and read whole. `cpu` is the processor
time of the process that answers, by the kernel's account; `x floor` is that beside the constant of the same
size from tests/perf/trivial.c. `304` is a poller that sends the ETag of its last answer.
"""
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "system"))
from host import B, Host, config  # noqa: E402

VMS = int(os.environ.get("VMS", "1000"))
ROUNDS = int(os.environ.get("ROUNDS", "200"))


class Connection:
    """HTTP/1.1 over a unix socket, as little as it takes."""

    def __init__(self, path):
        self.s = socket.socket(socket.AF_UNIX)
        self.s.connect(path)

    def ask(self, target, **headers):
        """(status, {header: value}, length of the body)"""
        lines = "".join(f"{k.replace('_', '-')}: {v}\r\n" for k, v in headers.items())
        self.s.sendall(f"GET {target} HTTP/1.1\r\nHost: a\r\n{lines}\r\n".encode())
        head = b""
        while b"\r\n\r\n" not in head:
            head += self.s.recv(1 << 20)
        head, _, body = head.partition(b"\r\n\r\n")
        told = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
        n, parts, length = len(body), [body], int(told.get("Content-Length", 0))
        while n < length:
            parts.append(self.s.recv(1 << 20))
            n += len(parts[-1])
        return int(head[9:12]), told, b"".join(parts)


def cpu_us(pid):
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as f:
            total += int(f.read().split()[0])
    return total / 1000


def measure(path, pid, target, **headers):
    """(median us, p99 us, cpu us, bytes) of one request."""
    c, took = Connection(path), []
    for _ in range(5):
        _, _, body = c.ask(target, **headers)
    before = cpu_us(pid)
    for _ in range(ROUNDS):
        began = time.monotonic()
        c.ask(target, **headers)
        took.append((time.monotonic() - began) * 1e6)
    spent = (cpu_us(pid) - before) / ROUNDS
    return statistics.median(took), statistics.quantiles(took, n=100)[98], spent, len(body)


def is_listening(path):
    try:
        Connection(path).s.close()
        return True
    except OSError:
        return False


def floor(folder, body):
    """The same number of bytes from the trivial program."""
    path, file = os.path.join(folder, "floor.sock"), os.path.join(folder, "body")
    with open(file, "wb") as f:
        f.write(b"x" * max(body, 1))
    with subprocess.Popen([f"{B}/tests/trivial", path, file]) as p:
        try:
            while not is_listening(path):
                time.sleep(0.01)
            return measure(path, p.pid, "/body")
        finally:
            p.terminate()
            p.wait()
            os.unlink(path)


def fill(host):
    """VMs whose configurations and policies are stored; some run."""
    text = config("hello.elf")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda i: host.define(f"vm-{i:04}", text, restart_budget=i % 7), range(VMS)))
    for i in range(10):
        host.verb(f"vm-{i:04}", "start")
    time.sleep(1)  # what is written about all that has been written


def main():
    with Host() as host:
        fill(host)
        api = host.api_pid()
        version = Connection(host.socket).ask("/v1/vms?limit=10000")[1].get("ETag")
        rows = [("alive", "/healthz", {}), ("list", "/v1/vms?limit=10000", {}),
                ("a page of 50", "/v1/vms?limit=50&after=vm-0500", {}), ("show", "/v1/vms/vm-0500", {}),
                ("status", "/v1/vms/vm-0001/status", {}),
                ("operations of a VM", "/v1/operations?vm=vm-0001", {}), ("metrics", "/metrics", {})]
        if version:
            rows.insert(2, ("list, 304", "/v1/vms?limit=10000", {"If-None-Match": version}))
        print(f"{'request':<18}{'bytes':>9}{'median us':>11}{'p99 us':>9}{'cpu us':>9}{'floor cpu':>11}{'x floor':>9}"
              f"   ({VMS} VMs, {ROUNDS} rounds)")
        with tempfile.TemporaryDirectory() as folder:
            for name, target, headers in rows:
                median, p99, cpu, n = measure(host.socket, api, target, **headers)
                least = floor(folder, n)[2]
                print(f"{name:<18}{n:>9}{median:>11.0f}{p99:>9.0f}{cpu:>9.0f}{least:>11.0f}{cpu / least:>9.1f}", flush=True)


main()
