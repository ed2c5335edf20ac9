# SPDX-License-Identifier: Apache-2.0
"""The safe state of the host: what it does to VMs, restarts and systemd's watchdog. Doors: tests/fault."""
import os
import socket
import sqlite3

from host import Host, config, is_alive, send

HELLO = config("hello.elf")


def move_lock(host, back=False):
    """The run directory is no longer the one that was locked."""
    lock, away = f"{host.run}/qvmd.lock", f"{host.run}/qvmd.away"
    os.rename(*((away, lock) if back else (lock, away)))


def until_safe(host, is_safe=True):
    host.until(lambda: (host.get("/v1/host").json["state"] == "safe") == is_safe, f"the host is safe: {is_safe}")


def test_vms_are_stopped_where_the_settings_say_so_and_run_again_after_the_release():
    with Host(**{"on-host-fault": "stop", "shutdown-grace-ms": 2000}) as host:
        host.define("hello", HELLO)
        host.define("rests", HELLO)
        host.verb("hello", "start")
        host.until_console("hello", "Hello")
        move_lock(host)
        vm = host.until_vm("hello", observed="stopped")
        assert (vm["cause"], vm["desired"], vm["restarts"]) == ("host-shutdown", "running", 0), vm
        assert "the power button was pressed" in host.console("hello")
        assert host.incidents("hello") == []
        move_lock(host, back=True)
        assert host.post("/v1/host/release").status == 204
        host.until_vm("hello", observed="running")
        assert host.vm("rests")["observed"] == "stopped"


def test_a_restart_by_policy_waits_for_the_release(host):
    host.define("hello", HELLO, restart_delay_ms=0)
    host.verb("hello", "start")
    move_lock(host)
    until_safe(host)
    pid = host.vm("hello")["pid"]
    send(pid, "SIGKILL")
    host.until_vm("hello", observed="safe")
    assert host.adm("start", "hello").returncode == 21
    assert host.vm("hello")["observed"] == "safe" and not is_alive(pid)
    move_lock(host, back=True)
    assert host.post("/v1/host/release").status == 204
    assert host.until_vm("hello", observed="running")["restarts"] == 1


def test_a_release_of_a_sound_host_changes_nothing(host):
    seq = host.events()[-1]["seq"]
    assert host.adm("host", "release").returncode == 0
    assert host.get("/v1/host").json["state"] == "sound"
    assert not [e for e in host.events(seq + 1) if e["kind"] == "host-released"]
    assert host.adm("host", "nonsense").returncode == 2


class Notified(Host):
    """Started as systemd starts it, with a watchdog of one second."""

    def __init__(self):
        super().__init__()
        self.path = os.path.join(self.folder, "notify")
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.listener.bind(self.path)

    def arguments(self):
        return ["env", f"NOTIFY_SOCKET={self.path}", "WATCHDOG_USEC=1000000", *super().arguments()]

    def heard(self):
        words = []
        try:
            while True:
                words.append(self.listener.recv(4096).decode())
        except BlockingIOError:
            return words

    def until_heard(self, word):
        seen = []
        self.until(lambda: seen.extend(self.heard()) or any(word in x for x in seen), f"systemd hears {word}")
        return seen


def test_the_watchdog_is_fed_only_while_the_ground_holds():
    host = Notified().start()
    try:
        host.until_heard("WATCHDOG=1")
        move_lock(host)
        until_safe(host)
        host.until_heard("HOST SAFE STATE: the run directory is no longer where it was")
        def uptime_ms():
            return host.get("/healthz").json["uptime_ms"]
        safe_ms = uptime_ms()
        host.define("hello", HELLO)
        host.until(lambda: uptime_ms() > safe_ms + 2500, "more than twice the watchdog's time")
        assert not any("WATCHDOG=1" in x for x in host.heard())
        move_lock(host, back=True)
        assert host.post("/v1/host/release").status == 204
        host.until_heard("WATCHDOG=1")
    finally:
        host.listener.close()
        host.close()


def test_a_database_that_another_program_has_locked_is_told_as_that(host):
    host.define("hello", HELLO)
    other = sqlite3.connect(f"{host.state}/state.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    a = host.request("PATCH", "/v1/vms/hello", {"policy": {"start_order": 7}})
    assert a.status == 503 and a.json["hint"].endswith(f"fuser -v {host.state}/state.db"), a
    until_safe(host)
    other.execute("ROLLBACK")
    other.close()
    told = host.get("/v1/host").json
    assert "another program" in told["why"] and "fuser -v state.db" in told["why"], told
    host.until(lambda: host.post("/v1/host/release").status == 204, "it is released")
    assert host.vm("hello")["policy"]["start_order"] != 7
    assert host.request("PATCH", "/v1/vms/hello", {"policy": {"start_order": 7}}).status == 200
