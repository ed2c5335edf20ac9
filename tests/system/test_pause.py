# SPDX-License-Identifier: Apache-2.0
"""Pause and resume, and the verbs that only touch a guest: button, NMI, reset-budget."""
import time

from host import Host, config, send

SPIN = config("spin.elf", "cpu", "cpu")
HELLO = config("hello.elf")


def status(host, name="web"):
    return host.get(f"/v1/vms/{name}/status").json


def exits(host, name="web"):
    return sum(sum(v["exits"].values()) for v in status(host, name)["vcpus"])


def paused(host, text=SPIN, says="spinning", **policy):
    host.define("web", text, **policy)
    assert host.verb("web", "start").json["state"] == "done"
    host.until_console("web", says)
    a = host.verb("web", "pause")
    assert a.status == 200 and (a.json["state"], a.json["phase"]) == ("done", "paused"), a
    vm = host.vm("web")
    assert (vm["desired"], vm["observed"], vm["health"]) == ("paused", "paused", "healthy"), vm
    return vm


def kinds(host, name="web"):
    return [e["kind"] for e in host.events() if e["vm"] == name]


def test_a_paused_guest_stands_with_all_its_vcpus_and_goes_on(host):
    vm = paused(host, heartbeat_ms=100, heartbeat_misses=30)
    s = status(host)
    assert s["state"] == "paused" and [v["state"] for v in s["vcpus"]] == ["held", "held"], s
    before, beats = exits(host), s["heartbeat"]["beats"]
    host.until(lambda: status(host)["heartbeat"]["beats"] > beats + 8, "the worker beats on")
    assert exits(host) == before, "no vCPU has entered the guest"
    assert host.vm("web")["health"] == "healthy"
    assert host.get("/v1/vms/web/map").status == 200
    assert host.verb("web", "pause").json["state"] == "done", "once more is nothing"
    a = host.verb("web", "resume")
    assert a.json["state"] == "done", a
    assert (host.vm("web")["desired"], host.vm("web")["observed"]) == ("running", "running")
    host.until(lambda: exits(host) > before, "it goes on")
    assert status(host)["state"] == "running" and host.vm("web")["pid"] == vm["pid"]
    assert kinds(host) == ["defined", "starting", "started", "paused", "resumed"], kinds(host)


def test_a_start_of_a_paused_vm_lets_it_go_on(host):
    pid = paused(host)["pid"]
    a = host.verb("web", "start")
    assert (a.json["state"], a.json["phase"]) == ("done", "resumed"), a
    host.until_vm("web", desired="running", observed="running", pid=pid)


def test_a_stop_lets_the_guest_hear_its_button(host):
    paused(host, HELLO, "Hello")
    a = host.verb("web", "stop")
    assert (a.json["state"], a.json["phase"]) == ("done", "guest off"), a
    assert host.until_vm("web", observed="stopped")["cause"] == "poweroff"


def test_a_kill_needs_no_guest(host):
    paused(host)
    assert host.verb("web", "kill").json["state"] == "done"
    assert host.until_vm("web", observed="stopped")["cause"] == "killed"
    assert host.incidents("web") == []


def test_a_dump_of_a_paused_vm_leaves_it_paused(host):
    paused(host, dump_timeout_ms=20000)
    before = exits(host)
    for _ in range(2):
        assert host.verb("web", "dump").json["state"] == "done"
    assert host.vm("web")["observed"] == "paused" and exits(host) == before
    assert [v["state"] for v in status(host)["vcpus"]] == ["held", "held"]
    assert host.verb("web", "resume").json["state"] == "done"
    host.until(lambda: exits(host) > before, "it goes on")


def test_a_watchdog_does_not_bite_a_guest_that_stands(host):
    paused(host, config("wdt.elf", "vdev wdt-ib700 action terminate", 'cmdline "feed=100"'), "fed 1 of")
    time.sleep(2.5)  # more than the dog's 2 s
    assert host.vm("web")["observed"] == "paused"
    fed = host.console("web").count("fed ")
    host.verb("web", "resume")
    host.until(lambda: host.console("web").count("fed ") > fed, "it feeds its dog again")
    assert host.incidents("web") == []


def test_a_paused_vm_that_fails_is_restarted_and_stands_before_its_first_instruction(host):
    send(paused(host, restart_delay_ms=0)["pid"], "SIGKILL")
    vm = host.until_vm("web", generation=2, observed="paused")
    assert (vm["desired"], vm["cause"]) == ("paused", "worker-signal"), vm
    assert exits(host) == 0 and status(host)["state"] == "paused"
    assert host.console("web") == ""
    host.verb("web", "resume")
    host.until(lambda: exits(host) > 0, "it runs")


def test_a_pause_is_kept_over_an_ordered_end_of_the_supervisor():
    with Host(**{"shutdown-grace-ms": 20000}) as h:
        paused(h, HELLO, "Hello")
        assert h.stop() == 0
        h.start()
        vm = h.until_vm("web", observed="paused")
        assert vm["desired"] == "paused" and vm["generation"] == 2, vm
        ended = [e for e in h.events() if e["vm"] == "web" and e["kind"] == "ended"]
        assert "ACPI S5" in ended[0]["text"], "it heard its button"


def test_a_worker_that_hangs_costs_the_pause_alone(host):
    host.define("web", SPIN, heartbeat_misses=100)
    host.verb("web", "start")
    pid = host.vm("web")["pid"]
    send(pid, "SIGSTOP")
    a = host.verb("web", "pause")
    send(pid, "SIGCONT")
    assert a.json["state"] == "failed" and "did not come to stand" in a.json["error"]["detail"], a
    assert (host.vm("web")["desired"], host.vm("web")["observed"]) == ("running", "running")
    before = exits(host)
    host.until(lambda: exits(host) > before, "it goes on")
    assert host.verb("web", "pause").json["state"] == "done"


def test_what_is_not_running_is_not_paused(host):
    host.define("web", SPIN)
    a = host.verb("web", "pause")
    assert a.status == 409 and "pause is not possible while the VM is stopped" in a.json["detail"], a
    assert host.verb("web", "resume").status == 409
    said = host.adm("pause", "web")
    assert said.returncode == 7 and "stopped" in said.stderr, said


def test_the_button_alone_leaves_the_rest_to_guest_and_policy(host):
    host.define("web", HELLO)
    host.verb("web", "start")
    host.until_console("web", "Hello")
    assert host.adm("button", "web").returncode == 0
    vm = host.until_vm("web", observed="stopped")
    assert (vm["desired"], vm["cause"]) == ("running", "poweroff"), vm
    assert "signalled" in kinds(host)


def test_an_nmi_reaches_the_guest(host):
    host.define("web", config("nmi.elf"))
    host.verb("web", "start")
    host.until_console("web", "waiting")
    for n in (1, 2, 3):
        assert host.adm("nmi", "web").returncode == 0
        host.until_console("web", f"NMI {n}")
    host.verb("web", "pause")
    assert host.verb("web", "nmi").status == 409


def test_a_reset_gives_the_whole_budget_again_and_is_remembered(host):
    host.define("web", config("triple.elf"), restart_budget=1, restart_delay_ms=0)
    host.verb("web", "start")
    host.until(lambda: "crash-loop" in kinds(host), "its budget is spent")
    assert host.adm("reset-budget", "web").returncode == 0
    assert host.vm("web")["observed"] == "safe", "it stays where it is"
    host.define("one", config("hang.bin"), restart_budget=1, restart_delay_ms=0)
    host.verb("one", "start")
    for generation in (2, 3):
        send(host.vm("one")["pid"], "SIGKILL")
        host.until_vm("one", generation=generation, observed="running")
        assert host.verb("one", "reset-budget").json["state"] == "done"
    host.kill()
    host.start()
    host.until_vm("one", observed="running")
    generation = host.vm("one")["generation"]
    send(host.vm("one")["pid"], "SIGKILL")
    host.until_vm("one", generation=generation + 1, observed="running")
