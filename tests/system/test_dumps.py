# SPDX-License-Identifier: Apache-2.0
"""Guest dumps under the supervisor: of a running guest, and of one that has died, however it did."""
import glob
import os
import re
import subprocess

import pytest

from host import GUESTS, Host, config, send
from test_dump import assert_marked, gdb
from test_opener import openers


def running(host, *lines, guest="marked.elf", says="marked\r\n\ufffd", **policy):
    policy.setdefault("on_failure", "stop")
    host.define("brake", config(guest, *lines), **policy)
    assert host.verb("brake", "start").status == 200
    host.until_console("brake", says)
    return host.vm("brake")["pid"]


def own(host):
    return sorted(glob.glob(f"{host.state}/dumps/brake/*"))


def patient(host):
    """From now on a dump may take as long as it takes here."""
    assert host.request("PATCH", "/v1/vms/brake", {"policy": {"dump_timeout_ms": None}}).status == 200


def event(host, kind):
    return host.until(lambda: [e for e in host.events() if e["kind"] == kind], f"event {kind}")[-1]


@pytest.fixture
def small(tmp_path):
    """A folder on a file system that is soon full."""
    folder = tmp_path / "small"
    folder.mkdir()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8k", "none", folder],
                                           check=False).returncode:
        pytest.skip("needs the right to mount a small tmpfs")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_running_guest_is_dumped_and_goes_on(host):
    running(host)
    for n in (1, 2):
        a = host.verb("brake", "dump")
        assert a.status == 200 and a.json["state"] == "done", a
        assert a.json["phase"] == event(host, "dumped")["text"].split(": ")[1].split(", ")[0]
        assert len(own(host)) == n and a.json["phase"] in own(host), a
    for core in own(host):
        assert_marked(core)
        assert os.stat(core).st_mode & 0o77 == 0, "a guest's memory is nobody else's to read"
    assert host.get("/v1/vms/brake/status").json["vcpus"][0]["state"] == "guest"
    assert host.vm("brake")["observed"] == "running"


def test_a_guest_of_several_vcpus_goes_on_with_all_of_them(host):
    running(host, "cpu", "cpu", guest="spin.elf", says="spinning")

    def exits():
        return host.get("/v1/vms/brake/status").json["vcpus"][0]["exits"]["io"]
    said = host.adm("dump", "brake")
    assert said.returncode == 0 and own(host)[0] in said.stdout, said
    assert "2 " in gdb(own(host)[0], "info threads")
    before = exits()
    host.until(lambda: exits() > before, "it goes on")


def test_the_configuration_names_the_folder(host, tmp_path):
    running(host, f"dump {tmp_path}")
    a = host.verb("brake", "dump")
    assert a.json["state"] == "done" and os.path.dirname(a.json["phase"]) == str(tmp_path), a
    assert_marked(a.json["phase"])
    assert own(host) == []


def test_a_killed_worker_leaves_its_guest_to_a_dump_that_the_incident_names(host):
    pid = running(host, dump_on_failure=True)
    send(pid, "SIGKILL")
    host.until_vm("brake", observed="safe")
    path = host.until(lambda: host.incidents("brake")[0]["dump"], "the incident names the dump")
    assert [path] == own(host)
    assert "0x600dcafe" in gdb(path, "x/1xw 0x200000"), "its memory is as it was"
    assert path in event(host, "dumped")["text"]
    assert path in host.adm("incidents", "brake").stdout


def test_a_bite_dumps_the_guest_before_it_is_restarted(host):
    running(host, "vdev wdt-ib700 action dump,terminate", 'cmdline "feed=0"', guest="wdt.elf", says="started",
            on_watchdog="restart", restart_delay_ms=0)
    path = host.until(lambda: (host.incidents("brake") or [{"dump": ""}])[0]["dump"], "a dump")
    assert "rip" in gdb(path, "info registers rip")
    host.until_vm("brake", generation=2)
    kinds = [e["kind"] for e in host.events() if e.get("vm") == "brake"]
    assert kinds.index("dumped") < [i for i, k in enumerate(kinds) if k == "starting"][1], kinds


def test_without_policy_or_watchdog_a_failure_leaves_no_dump(host):
    send(running(host), "SIGKILL")
    host.until_vm("brake", observed="safe")
    assert host.incidents("brake")[0]["dump"] == "" and own(host) == []


def test_an_end_that_is_no_failure_leaves_no_dump(host):
    running(host, dump_on_failure=True)
    assert host.verb("brake", "kill").status == 200
    host.until_vm("brake", observed="stopped")
    assert own(host) == []


def test_a_full_disk_leaves_no_half_dump_and_the_guest_goes_on(host, small):
    running(host, f"dump {small}")
    a = host.verb("brake", "dump")
    assert a.json["state"] == "failed" and "No space left" in a.json["error"]["detail"], a
    assert os.listdir(small) == []
    assert "No space left" in event(host, "dump-failed")["text"]
    host.until(lambda: host.get("/v1/vms/brake/status").json["vcpus"][0]["state"] == "guest", "it runs")
    assert host.adm("dump", "brake").returncode == 12


def test_a_full_disk_at_a_death_is_told_and_the_restart_follows(host, small):
    pid = running(host, f"dump {small}", dump_on_failure=True, on_failure="restart", restart_delay_ms=0)
    send(pid, "SIGKILL")
    host.until_vm("brake", generation=2, observed="running")
    assert "No space left" in event(host, "dump-failed")["text"]
    assert host.incidents("brake")[0]["dump"] == "" and os.listdir(small) == []


def test_only_the_newest_dumps_are_kept():
    with Host(**{"dump-keep": 2}) as h:
        running(h)
        paths = [h.verb("brake", "dump").json["phase"] for _ in range(4)]
        assert sorted(own(h)) == sorted(paths[2:]), paths


def test_only_so_many_bytes_of_dumps_are_kept():
    with Host(**{"dump-space": "4k"}) as h:
        running(h)
        paths = [h.verb("brake", "dump").json["phase"] for _ in range(2)]
        assert own(h) == [paths[1]], "the newest stays, however large"


def test_a_named_folder_keeps_as_many_and_what_is_not_of_this_vm(tmp_path):
    os.chmod(tmp_path, 0o755)
    others = ["notes", "brake.gcore", "brakes-20200101-000000.gcore", "brake-20200101-000000.gcore.gz"]
    for name in others:
        (tmp_path / name).write_text("mine")
    with Host(**{"dump-keep": 2}) as h:
        running(h, f"dump {tmp_path}")
        paths = [h.verb("brake", "dump").json["phase"] for _ in range(4)]
        assert sorted(os.listdir(tmp_path)) == sorted(others + [os.path.basename(p) for p in paths[2:]])


@pytest.fixture
def ice(tmp_path):
    """A folder on a file system that can be frozen: who would change it waits."""
    image, folder = tmp_path / "image", tmp_path / "ice"
    folder.mkdir()
    with open(image, "wb") as f:
        f.truncate(512 << 20)
    subprocess.run(["mkfs.ext4", "-q", image], check=True)
    if os.geteuid() != 0 or subprocess.run(["mount", "-o", "loop", image, folder], check=False).returncode:
        pytest.skip("needs the right to mount a file by a loop device")
    yield folder
    subprocess.run(["fsfreeze", "-u", folder], check=False, stderr=subprocess.DEVNULL)
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_file_system_that_does_not_remove_holds_its_dump_and_not_the_supervisor(ice):
    with Host(**{"dump-keep": 1}) as h:
        running(h, f"dump {ice}")
        assert h.verb("brake", "dump").json["state"] == "done"
        subprocess.run(["fsfreeze", "-f", ice], check=True)
        a = h.post("/v1/vms/brake/dump")
        assert a.status == 202, a
        h.define("other", config("marked.elf"))
        assert h.verb("other", "start").status == 200, "the supervisor goes on"
        assert h.get(f"/v1/operations/{a.json['id']}").json["state"] == "running"
        subprocess.run(["fsfreeze", "-u", ice], check=True)
        done = h.until(lambda: (o := h.get(f"/v1/operations/{a.json['id']}").json)["state"] != "running" and o,
                       "the dump ends")
        assert done["state"] == "done", done
        assert set(os.listdir(ice)) == {"lost+found", os.path.basename(done["phase"])}
        assert_marked(done["phase"])


def frozen(folder):
    subprocess.run(["fsfreeze", "-f", folder], check=True)


def thawed(folder):
    subprocess.run(["fsfreeze", "-u", folder], check=True)


def ended(host, operation):
    def look():
        o = host.get(f"/v1/operations/{operation}").json
        return o if o["state"] in ("done", "failed") else None
    return host.until(look, "the dump ends")


def test_a_file_that_cannot_be_made_holds_up_its_dump_and_nobody_else(ice):
    with Host() as h:
        running(h, f"dump {ice}")
        frozen(ice)
        a = h.post("/v1/vms/brake/dump")
        assert a.status == 202, a
        h.define("other", config("marked.elf"))
        assert h.verb("other", "start").status == 200, "the supervisor goes on"
        assert h.get(f"/v1/operations/{a.json['id']}").json["state"] == "running"
        thawed(ice)
        done = ended(h, a.json["id"])
        assert done["state"] == "done" and os.listdir(ice).count("lost+found") == 1, done
        assert_marked(done["phase"])
        assert re.search(r"gcore, [1-9][\d.]*[KM] on the disk", event(h, "dumped")["text"]), event(h, "dumped")


def test_a_file_system_that_stands_still_costs_the_dump_not_the_restart_and_is_left_clean(ice):
    with Host() as h:
        pid = running(h, f"dump {ice}", dump_on_failure=True, dump_timeout_ms=300,
                      on_failure="restart", restart_delay_ms=0)
        frozen(ice)
        send(pid, "SIGKILL")
        h.until_vm("brake", generation=2, observed="running")
        assert "dump_timeout_ms" in event(h, "dump-failed")["text"]
        assert h.incidents("brake")[0]["dump"] == ""
        thawed(ice)
        h.until(lambda: os.listdir(ice) == ["lost+found"] and not openers(h),
                "what makes the file takes it away again")
        patient(h)
        assert h.verb("brake", "dump").json["state"] == "done"


def half_of_a_dump(host, folder):
    """The file of a dump in whose middle its folder is frozen: one that was over before goes, for the next."""
    for _ in range(3):
        whole = set(os.listdir(folder))
        a = host.post("/v1/vms/brake/dump")
        assert a.status == 202, a
        host.until(lambda before=whole: set(os.listdir(folder)) - before, "it is begun")
        frozen(folder)
        if host.get(f"/v1/operations/{a.json['id']}").json["state"] == "running":
            return set(os.listdir(folder)) - whole
        thawed(folder)
        for name in set(os.listdir(folder)) - whole:
            os.unlink(f"{folder}/{name}")
    raise AssertionError("each dump was over before its disk stood still")


def test_half_a_dump_of_a_killed_supervisor_is_removed_without_waiting_for_its_disk(ice):
    with Host() as h:
        # So large that it is being written for a while.
        running(h, f"dump {ice}", "ram 16m,240m", 'cmdline "mib=250 then=stay"', guest="eat.elf", says="had enough")
        half = half_of_a_dump(h, ice)
        there = sorted(os.listdir(ice))
        h.kill()
        h.start()
        h.define("other", config("marked.elf"))
        assert h.verb("other", "start").status == 200, "the supervisor goes on"
        assert sorted(os.listdir(ice)) == there
        thawed(ice)
        h.until(lambda: set(os.listdir(ice)) == set(there) - half, "the half has gone")


def test_a_dump_into_a_command_is_refused_under_the_supervisor(host):
    a = host.put("/v1/vms/brake", {"config": config("marked.elf", 'dump "|gzip >core.gz"')})
    assert a.status == 422, a
    finding = a.json["diagnostics"][0]
    assert finding["line"] == 5 and "no dump is piped" in finding["what"], a
    assert "dump FOLDER" in finding["hint"], a


def test_a_folder_that_is_not_allowed_or_not_there_is_refused():
    with Host(allow=GUESTS) as h:
        a = h.put("/v1/vms/brake", {"config": config("marked.elf", "dump /tmp")})
        assert a.status == 422 and "allow = FOLDER" in a.text, a
        a = h.put("/v1/vms/brake", {"config": config("marked.elf", f"dump {GUESTS}/no/folder")})
        assert a.status == 422 and "no/folder" in a.text, a


def test_a_vm_that_does_not_run_is_not_dumped(host):
    host.define("brake", config("marked.elf"))
    a = host.post("/v1/vms/brake/dump")
    assert a.status == 409 and "start" in a.json["detail"], a
    assert host.post("/v1/vms/nobody/dump").status == 404


def test_a_worker_that_does_not_stand_costs_the_dump_alone(host):
    pid = running(host, dump_timeout_ms=300, heartbeat_misses=100)
    send(pid, "SIGSTOP")
    a = host.verb("brake", "dump")
    send(pid, "SIGCONT")
    assert a.json["state"] == "failed" and "dump_timeout_ms" in a.json["error"]["detail"], a
    patient(host)
    assert host.verb("brake", "dump").json["state"] == "done"
    assert_marked(own(host)[-1])



# --- at the edges of a VM's life ---

def test_a_paused_guest_is_dumped_and_stays_paused(host):
    running(host)
    assert host.verb("brake", "pause").status == 200
    host.until_vm("brake", observed="paused")
    a = host.verb("brake", "dump")
    assert a.json["state"] == "done", a
    assert_marked(a.json["phase"])
    assert host.vm("brake")["observed"] == "paused"
    assert host.get("/v1/vms/brake/status").json["vcpus"][0]["state"] == "held"
    assert host.verb("brake", "resume").status == 200
    host.until(lambda: host.get("/v1/vms/brake/status").json["vcpus"][0]["state"] == "guest", "it runs")


def hanging(host):
    """A dump that has begun and does not end: its worker does not stand."""
    pid = running(host, dump_timeout_ms=600000, heartbeat_misses=100, heartbeat_ms=60000, stop_timeout_ms=100)
    send(pid, "SIGSTOP")
    a = host.post("/v1/vms/brake/dump")
    assert a.status == 202, a
    return pid, a.json["id"]


def test_a_vm_that_is_killed_while_it_is_to_stand_for_a_dump_is_dumped_dead(host):
    _, dump = hanging(host)
    assert host.verb("brake", "kill").status == 200
    host.until(lambda: host.get(f"/v1/operations/{dump}").json["state"] != "running", "the dump ends")
    assert host.get(f"/v1/operations/{dump}").json["state"] == "done"
    assert host.vm("brake")["observed"] == "stopped"
    assert "0x600dcafe" in gdb(own(host)[-1], "x/1xw 0x200000")


def unfinished(host):
    return [o for o in host.get("/v1/operations").json["operations"] if o["state"] not in ("done", "failed")]


@pytest.mark.parametrize("grace", (0, 1000))
def test_a_shutdown_ends_a_dump_that_waits_for_its_disk_and_leaves_no_half_of_one(ice, grace):
    with Host(**{"dump-keep": 1, "on-exit": "stop", "shutdown-grace-ms": grace}) as h:
        running(h, f"dump {ice}")
        whole = h.verb("brake", "dump").json["phase"]
        subprocess.run(["fsfreeze", "-f", ice], check=True)
        assert h.post("/v1/vms/brake/dump").status == 202
        h.stop()
        subprocess.run(["fsfreeze", "-u", ice], check=True)
        assert set(os.listdir(ice)) <= {"lost+found", os.path.basename(whole)}
        h.start()
        assert unfinished(h) == []


def test_a_shutdown_without_grace_ends_a_dump_whose_worker_does_not_stand():
    with Host(**{"on-exit": "stop"}) as h:
        _, dump = hanging(h)
        h.stop()
        h.start()
        assert unfinished(h) == []
        assert h.get(f"/v1/operations/{dump}").json["state"] == "failed"
        assert own(h) == []


def test_a_shutdown_waits_for_a_dump_that_began_with_the_end_of_its_guest():
    with Host(**{"on-exit": "stop", "shutdown-grace-ms": 60000}) as h:
        _, dump = hanging(h)
        h.stop()
        assert "0x600dcafe" in gdb(own(h)[-1], "x/1xw 0x200000")
        h.start()
        assert unfinished(h) == []
        assert h.get(f"/v1/operations/{dump}").json["state"] == "done"
