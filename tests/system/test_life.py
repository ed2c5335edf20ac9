# SPDX-License-Identifier: Apache-2.0
"""A VM's life over REST: define, start, watch, stop, delete."""
import os

from host import Host, config

HELLO = config("hello.elf")


def test_define_start_read_stop_delete(host):
    vm = host.define("hello", HELLO)
    assert (vm["name"], vm["revision"], vm["observed"]) == ("hello", 1, "stopped")
    a = host.verb("hello", "start")
    assert a.status == 200 and a.json["state"] == "done", a
    vm = host.vm("hello")
    assert (vm["desired"], vm["observed"]) == ("running", "running")
    assert vm["pid"] > 0
    host.until_console("hello", "Hello")
    a = host.verb("hello", "stop")
    assert a.status == 200 and a.json["state"] == "done", a
    vm = host.vm("hello")
    assert (vm["desired"], vm["observed"], vm["cause"], vm["pid"]) == ("stopped", "stopped", "poweroff", 0)
    assert "Hello" in host.console("hello")  # what it said outlives it
    assert host.delete("/v1/vms/hello").status == 204
    assert host.get("/v1/vms/hello").status == 404


def test_start_answers_202_with_an_operation_to_follow(host):
    host.define("hello", HELLO)
    a = host.verb("hello", "start", wait=None)
    assert a.status == 202, a
    op = a.json
    assert a.headers["Location"] == f"/v1/operations/{op['id']}"
    host.until(lambda: host.get(a.headers["Location"]).json["state"] == "done", "the start is done")


def test_put_is_idempotent_and_counts_revisions(host):
    assert host.put("/v1/vms/hello", {"config": HELLO}).status == 201
    a = host.put("/v1/vms/hello", {"config": HELLO})
    assert a.status == 200 and a.json["revision"] == 1, a
    a = host.put("/v1/vms/hello", {"config": HELLO + "# changed\n"})
    assert a.json["revision"] == 2, a
    a = host.put("/v1/vms/hello", {"config": HELLO}, **{"If-Match": '"1"'})
    assert a.status == 412, a
    assert len(host.get("/v1/vms/hello/revisions").json["revisions"]) == 2


def test_start_is_idempotent(host):
    host.define("hello", HELLO)
    host.verb("hello", "start")
    pid = host.vm("hello")["pid"]
    a = host.verb("hello", "start")
    assert a.json["state"] == "done", a
    assert host.vm("hello")["pid"] == pid


def test_a_guest_that_does_not_hear_the_button_is_ended_at_the_deadline(host):
    host.define("deaf", config("hang.bin"), stop_timeout_ms=300)
    host.verb("deaf", "start")
    a = host.verb("deaf", "stop")
    assert a.json["state"] == "done", a
    vm = host.vm("deaf")
    assert (vm["observed"], vm["cause"]) == ("stopped", "stop-deadline")
    assert host.incidents("deaf") == []


def test_kill_ends_it_at_once_and_is_no_incident(host):
    host.define("hello", HELLO)
    host.verb("hello", "start")
    a = host.verb("hello", "kill")
    assert a.json["state"] == "done", a
    vm = host.vm("hello")
    assert (vm["observed"], vm["cause"]) == ("stopped", "killed")
    assert host.incidents("hello") == []


def test_typing_reaches_the_guest(host):
    host.define("echo", config("echo.elf"))
    host.verb("echo", "start")
    a = host.request("POST", "/v1/vms/echo/console", "marco polo\n", {"Content-Type": "text/plain"})
    assert a.status == 204, a
    host.until_console("echo", "marco polo")


def test_two_vcpus_come_up(host):
    host.define("smp", config("smp.elf", "cpu", "cpu"))
    host.verb("smp", "start")
    host.until_vm("smp", observed="stopped", cause="poweroff")
    status = host.get("/v1/vms/smp/status").json
    assert len(status["vcpus"]) == 2, status


def test_guest_reboot_restarts_and_poweroff_stops(host):
    host.define("off", config("poweroff.elf"))
    host.verb("off", "start")
    assert host.until_vm("off", observed="stopped")["cause"] == "poweroff"
    host.define("again", config("reboot.elf", "vdev pckeyboard"), on_reboot="stop")
    host.verb("again", "start")
    assert host.until_vm("again", observed="stopped")["cause"] == "reboot"
    host.define("loop", config("reboot.elf", "vdev pckeyboard"), restart_delay_ms=10)
    host.verb("loop", "start")
    host.until(lambda: host.vm("loop")["restarts"] >= 2, "a reboot starts it again")
    host.verb("loop", "stop")
    assert host.until_vm("loop", observed="stopped")["desired"] == "stopped"


def test_events_are_gapless_and_tell_the_story(host):
    host.define("hello", HELLO)
    host.verb("hello", "start")
    host.verb("hello", "stop")
    host.until_vm("hello", observed="stopped")
    events = host.events()
    assert [e["seq"] for e in events] == list(range(1, len(events) + 1))
    kinds = [e["kind"] for e in events if e["vm"] == "hello"]
    assert kinds == ["defined", "starting", "started", "stopping", "ended"], kinds


def test_a_supervisor_restart_keeps_what_was_defined(host):
    host.define("hello", HELLO, autostart=True)
    host.stop()
    host.start()
    host.until_vm("hello", observed="running")
    assert host.vm("hello")["policy"]["autostart"] is True


def test_an_ordered_end_of_the_supervisor_presses_the_power_button():
    with Host(**{"shutdown-grace-ms": 20000}) as h:
        h.define("hello", HELLO)
        h.verb("hello", "start")
        h.until_console("hello", "Hello")
        assert h.stop() == 0
        h.start()
        assert h.until_vm("hello", observed="running")["generation"] == 2
        ended = [e for e in h.events() if e["vm"] == "hello" and e["kind"] == "ended"]
        assert [e["cause"] for e in ended] == ["host-shutdown"], ended
        assert "ACPI S5" in ended[0]["text"], ended


def test_release_of_what_is_not_safe_says_so(host):
    host.define("hello", HELLO)
    assert host.verb("hello", "release").json["phase"] == "was not safe"


def test_a_disk_is_lent_to_one_vm_at_a_time(host):
    disk = os.path.join(host.folder, "disk.img")
    with open(disk, "wb") as f:
        f.truncate(1 << 20)
    for name in ("one", "two"):
        host.define(name, config("hang.bin", f"vdev virtio-blk hostdev {disk}", "vdev virtio-entropy"))
    assert host.verb("one", "start").json["state"] == "done"
    refused = host.verb("two", "start")
    assert "is in use" in refused.text and "disk.img" in refused.text, refused
    assert host.vm("one")["observed"] == "running"
    host.verb("one", "kill")
    assert host.verb("two", "kill").status in (200, 409)
    again = host.verb("two", "start")
    assert again.status == 200 and again.json["state"] == "done", again
    host.verb("two", "kill")
