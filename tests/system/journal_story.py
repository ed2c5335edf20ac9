# SPDX-License-Identifier: Apache-2.0
"""Run inside tests/harness/journal: a short story of a VM, then what the journal has of it, as JSON."""
import json
import subprocess
import sys

from host import B, Host, config, send

SYS_SOCKET = 41


class Journalled(Host):
    def arguments(self):
        return [a for a in super().arguments() if a != "--foreground"]


def main():
    h = Journalled().start()
    try:
        request = h.put("/v1/vms/hello", {"config": config("hello.elf"),
                                          "policy": {"on_failure": "stop"}}).headers["Request-Id"]
        h.verb("hello", "start")
        send(h.vm("hello")["pid"], "SIGKILL")
        h.until_vm("hello", observed="safe")
        h.define("calls", config("hello.elf"), on_failure="stop")
        h.verb("calls", "start")
        subprocess.run([f"{B}/tests/inject_syscall", str(h.vm("calls")["pid"]), str(SYS_SOCKET)],
                       check=True, stdout=subprocess.DEVNULL)
        h.until_vm("calls", observed="safe")
        incidents = {vm: h.incidents(vm)[0] for vm in ("hello", "calls")}
        refused = h.delete("/v1/vms/nope").headers["Request-Id"]
    finally:
        h.close()
    subprocess.run(["journalctl", "--sync"], check=True)
    lines = subprocess.run(["journalctl", "-q", "-o", "json", "_COMM=qvmd", "+", "_COMM=qvm-api"],
                           check=True, capture_output=True, text=True).stdout.splitlines()
    json.dump({"request": request, "refused": refused, "incidents": incidents, "lines": [json.loads(x) for x in lines]},
              sys.stdout)


main()
