# SPDX-License-Identifier: Apache-2.0
"""What goes wrong is seen, leads to the safe state, is explained, and is followed by the policy."""
import os
import subprocess

from host import B, Host, config, is_alive, send

HELLO = config("hello.elf")
SYS_SOCKET = 41


def running(host, name="hello", text=HELLO, **policy):
    policy.setdefault("restart_delay_ms", 20)
    host.define(name, text, **policy)
    a = host.verb(name, "start")
    assert a.json["state"] == "done", a
    if text is HELLO:
        host.until_console(name, "Hello")
    return host.vm(name)["pid"]


def test_a_killed_worker_is_explained_and_restarted(host):
    pid = running(host)
    send(pid, "SIGKILL")
    vm = host.until(lambda: (v := host.vm("hello"))["observed"] == "running" and v["pid"] != pid and v,
                    "restarted")
    assert vm["restarts"] == 1
    host.until_console("hello", "Hello")
    [incident] = host.incidents("hello")
    assert incident["cause"] == "worker-signal"
    assert incident["signal"] == "SIGKILL"
    assert "Hello" in incident["console"]
    assert len(incident["exits"]) > 0
    assert incident["noticed"] <= incident["at"]
    assert incident["cpu_ms"] > 0 and incident["peak_bytes"] > 1 << 20 and incident["exits_total"] > 100
    assert incident["vcpus"][0]["registers"] == {}  # nobody was left to read them
    assert not is_alive(pid)


def test_an_incident_is_a_report_with_registers(host):
    host.define("bad", config("triple.elf"), on_failure="stop")
    host.verb("bad", "start")
    host.until_vm("bad", observed="safe")
    [incident] = host.incidents("bad")
    registers = incident["vcpus"][0]["registers"]
    assert len(registers) == 23 and all(v.startswith("0x") for v in registers.values()), registers
    report = host.adm("incidents", "bad", str(incident["id"]))
    assert report.returncode == 0 and "Registers of vCPU 0" in report.stdout, report
    assert f"rip {registers['rip']}" in report.stdout and " exits, " in report.stdout, report
    assert host.adm("incidents", "bad", "99999").returncode == 5
    assert host.adm("incidents", "bad", "nonsense").returncode == 2


def test_incidents_are_kept_as_the_settings_say():
    with Host(**{"incident-keep": 2}) as host:
        host.define("bad", config("triple.elf"), restart_budget=3, restart_delay_ms=1)
        host.verb("bad", "start")
        host.until(lambda: any(e["kind"] == "crash-loop" for e in host.events()), "the crash loop ends")
        told = [e["incident"] for e in host.events() if e["kind"] == "safe"]
        assert len(told) == 4 and [i["id"] for i in host.incidents("bad")] == told[:1:-1]


def test_stop_on_failure_latches_the_safe_state_until_released(host):
    pid = running(host, on_failure="stop")
    send(pid, "SIGKILL")
    vm = host.until_vm("hello", observed="safe")
    assert (vm["cause"], vm["health"], vm["pid"]) == ("worker-signal", "failed", 0)
    assert host.verb("hello", "release").json["state"] == "done"
    assert host.vm("hello")["observed"] == "stopped"


def test_a_crash_loop_spends_its_budget_and_stays_safe(host):
    host.define("bad", config("triple.elf"), restart_budget=3, restart_delay_ms=1)
    host.verb("bad", "start")
    host.until(lambda: any(e["kind"] == "crash-loop" for e in host.events()), "the crash loop ends")
    vm = host.until_vm("bad", observed="safe")
    assert vm["restarts"] == 3
    assert vm["cause"] == "triple-fault"
    assert len(host.incidents("bad")) == 4
    assert vm["desired"] == "running"  # the wish stands; the latch holds


def test_a_stop_beats_the_restart_of_a_crash_loop(host):
    host.define("bad", config("triple.elf"), restart_budget=1000, restart_delay_ms=200)
    host.verb("bad", "start")
    host.until(lambda: host.vm("bad")["restarts"] >= 1, "it loops")
    host.verb("bad", "stop")
    restarts = host.vm("bad")["restarts"]
    seq = host.events()[-1]["seq"]
    host.define("pace", config("poweroff.elf"))
    host.verb("pace", "start")
    host.until_vm("pace", observed="stopped")
    assert host.vm("bad")["restarts"] == restarts
    assert not [e for e in host.events(seq + 1) if e["vm"] == "bad" and e["kind"] == "starting"]


def test_a_forbidden_system_call_is_deadly_and_named(host):
    pid = running(host, on_failure="stop")
    r = subprocess.run([f"{B}/tests/inject_syscall", str(pid), str(SYS_SOCKET)], check=False,
                       capture_output=True, text=True)
    assert r.returncode == 0, r
    vm = host.until_vm("hello", observed="safe")
    assert vm["cause"] == "forbidden-syscall", vm
    [incident] = host.incidents("hello")
    assert incident["syscall"] == "socket", incident
    assert incident["signal"] == "SIGSYS"
    assert not is_alive(pid)


def test_a_stopped_worker_is_found_hung_and_ended(host):
    pid = running(host, on_failure="stop", heartbeat_ms=100, heartbeat_misses=3)
    send(pid, "SIGSTOP")
    vm = host.until_vm("hello", observed="safe")
    assert vm["cause"] == "worker-hung", vm
    assert not is_alive(pid)
    assert any(e["kind"] == "suspect" for e in host.events())


def test_a_busy_guest_is_not_dead(host):
    misses = 10
    running(host, "busy", config("hang.bin"), heartbeat_ms=100, heartbeat_misses=misses)
    seq = host.events()[-1]["seq"]

    def beats():
        return host.get("/v1/vms/busy/status").json["heartbeat"]["beats"]
    begun = beats()
    host.until(lambda: beats() > begun + misses, "its worker beats for longer than it may miss")
    assert host.vm("busy")["observed"] == "running"
    assert not [e for e in host.events(seq + 1) if e["vm"] == "busy"]


def test_a_fault_of_one_vm_does_not_touch_another(host):
    victim = running(host, "victim", on_failure="stop")
    other = running(host, "other")
    send(victim, "SIGSEGV")
    send(victim, "SIGKILL")
    host.until_vm("victim", observed="safe")
    assert host.vm("other")["pid"] == other
    assert host.vm("other")["restarts"] == 0


def test_a_lost_api_is_started_again_and_no_vm_notices(host):
    pid = running(host)
    [api] = [int(p) for p in os.listdir("/proc") if p.isdigit() and child_named(p, host, "qvm-api")]
    send(api, "SIGKILL")
    host.until(lambda: not is_alive(api), "the API died")
    host.wait_ready()
    assert host.vm("hello")["pid"] == pid
    assert any(e["kind"] == "api-lost" for e in host.events())


def test_a_hung_api_is_found_and_started_again(host):
    pid = running(host)
    [api] = [int(p) for p in os.listdir("/proc") if p.isdigit() and child_named(p, host, "qvm-api")]
    send(api, "SIGSTOP")
    host.until(lambda: not is_alive(api), "the hung API is ended")
    host.wait_ready()
    assert host.vm("hello")["pid"] == pid


def test_a_hung_api_does_not_outlive_its_supervisor(host):
    [api] = [int(p) for p in os.listdir("/proc") if p.isdigit() and child_named(p, host, "qvm-api")]
    send(api, "SIGSTOP")
    host.kill()
    host.until(lambda: not is_alive(api), "the API ends with its supervisor")
    host.start()


def test_the_status_of_a_dead_worker_says_that_it_has_ended(host):
    pid = running(host, on_failure="stop")
    send(pid, "SIGKILL")
    host.until_vm("hello", observed="safe")
    first = host.get("/v1/vms/hello/status").json
    assert first["state"] == "ended", first
    assert host.get("/v1/vms/hello/status").json["uptime_ms"] == first["uptime_ms"]


def child_named(pid, host, name):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            fields = f.read()
        parent = int(fields.rsplit(")", 1)[1].split()[1])
        return parent == host.process.pid and f"({name})" in fields
    except OSError:
        return False


def test_a_worker_that_died_without_a_supervisor_does_not_keep_others_from_being_adopted(host):
    pids = {name: running(host, name, on_failure="stop") for name in ("alive", "dead")}
    host.kill()
    send(pids["dead"], "SIGKILL")
    host.start()
    host.until_vm("dead", observed="safe")
    vm = host.vm("alive")
    assert (vm["pid"], vm["observed"], vm["restarts"]) == (pids["alive"], "running", 0), vm


def test_a_second_supervisor_on_the_same_state_refuses(host):
    second = Host()
    second.state = host.state
    second.start(ready=False)
    assert second.process.wait(20) != 0
    assert "state" in second.read_log()
    second.close()


def test_a_worker_of_a_missing_image_is_a_clear_refusal(host):
    a = host.put("/v1/vms/x", {"config": "ram 16m\nload /nonexistent/kernel\n"})
    assert a.status in (409, 422), a
    assert "/nonexistent/kernel" in a.text


def test_an_image_that_vanishes_later_is_a_failed_start(host, tmp_path):
    image = tmp_path / "image"
    image.write_bytes(b"\xf4")
    host.define("x", f"ram 1m\nload {image}\n", on_failure="stop")
    image.unlink()
    a = host.verb("x", "start")
    assert a.json["state"] == "failed", a
    assert str(image) in a.text
    assert host.until_vm("x", observed="safe")["cause"] == "resource"


def fill(path):
    fd = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC)
    try:
        while True:
            os.write(fd, b"\0" * 4096)
    except OSError:
        os.close(fd)


def test_a_full_disk_refuses_intent_and_touches_no_vm():
    h = Host()
    os.mkdir(h.state)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=700k", "none", h.state], check=True)
    try:
        h.start()
        pid = running(h)
        fill(os.path.join(h.state, "ballast"))
        statuses = set()
        for i in range(40):
            a = h.put(f"/v1/vms/n{i}", {"config": HELLO + f"# {'x' * 4000}\n"})
            statuses.add(a.status)
            if a.status not in (200, 201):
                assert a.json["type"].endswith(":store") and a.json["hint"], a
                break
        assert 503 in statuses, statuses
        assert h.vm("hello")["pid"] == pid and is_alive(pid)
        os.unlink(os.path.join(h.state, "ballast"))
        h.until(lambda: h.put("/v1/vms/late", {"config": HELLO}).status in (200, 201), "it recovers")
    finally:
        h.stop()
        subprocess.run(["umount", h.state], check=True)
        h.close()
