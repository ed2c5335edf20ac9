# SPDX-License-Identifier: Apache-2.0
"""Hooks: programs of the host that are told what happens to a VM, under a sandbox of their own."""
import json
import os
import pathlib
import pwd
import re

import pytest

from host import Host, config, send

HELLO = config("hello.elf")


@pytest.fixture
def host():
    if os.geteuid() != 0:
        pytest.skip("needs root, to become another user")
    h = Host()
    h.hooks, h.out = pathlib.Path(h.folder, "hooks"), pathlib.Path(h.folder, "out")
    for folder in (h.hooks, h.out):
        folder.mkdir()
    os.chmod(h.out, 0o777)
    h.settings.update({"hook-folder": h.hooks, "hook-user": "nobody", "hook-timeout-ms": 1500})
    with h:
        yield h


def hook(host, name, *lines):
    path = host.hooks / name
    path.write_text("\n".join(["#!/bin/sh", *lines]) + "\n")
    path.chmod(0o755)
    return name


def said(host, kind, words):
    return host.until(lambda: [e for e in host.events() if e["kind"] == kind and words in e["text"]],
                      f"{kind} says {words!r}")


def test_a_hook_is_told_each_event_in_order_with_environment_and_json(host):
    hook(host, "note", f'cat >{host.out}/$QVM_SEQ.json',
         f'echo "$QVM_SEQ $QVM_EVENT $QVM_VM ${{QVM_CAUSE:-none}} $QVM_REASON" >>{host.out}/story')
    host.define("web", HELLO, hook="note", on_failure="stop")
    host.verb("web", "start")
    host.until_console("web", "Hello")
    send(host.vm("web")["pid"], "SIGKILL")
    host.until_vm("web", observed="safe")
    story = host.out / "story"
    host.until(lambda: story.exists() and "safe" in story.read_text(), "the hook has heard of it")
    lines = [x.split(" ", 4) for x in story.read_text().splitlines()]
    mine = [e for e in host.events() if e.get("vm") == "web" and not e["kind"].startswith("hook")]
    told = mine[-len(lines):]
    assert [(int(x[0]), x[1]) for x in lines] == [(e["seq"], e["kind"]) for e in told], (lines, mine)
    assert [x[1] for x in lines][-3:] == ["starting", "started", "safe"], lines
    assert lines[-1][2:4] == ["web", "worker-signal"] and lines[-1][4] == told[-1]["text"], lines
    event = json.loads((host.out / f"{lines[-1][0]}.json").read_text())
    assert (event["seq"], event["kind"], event["vm"], event["cause"], event["text"]) == (
        int(lines[-1][0]), "safe", "web", "worker-signal", told[-1]["text"]), event


def test_a_hook_runs_as_its_user_alone_in_its_pid_namespace_and_gains_nothing(host):
    hook(host, "who", 'echo "uid $(id -u) pid $$ $(grep NoNewPrivs /proc/self/status | tr -d "\t") '
         'groups $(id -G) fds $(ls /proc/self/fd | wc -l)"')
    host.define("web", HELLO, hook="who")
    host.verb("web", "start")
    text = said(host, "hook", "uid ")[0]["text"]
    nobody = pwd.getpwnam("nobody")
    assert f"uid {nobody.pw_uid} pid 1 NoNewPrivs:1 groups {nobody.pw_gid} fds 4" in text, text


def test_a_failure_of_a_hook_is_an_event_and_no_more(host):
    hook(host, "bad", "echo it is broken >&2", "exit 3")
    host.define("web", HELLO, hook="bad")
    assert host.verb("web", "start").json["state"] == "done"
    assert "left with status 3. it is broken" in said(host, "hook-failed", "'started'")[0]["text"]
    host.define("two", HELLO, hook="absent")
    assert host.verb("two", "start").json["state"] == "done"
    said(host, "hook-failed", "absent")


def test_a_hook_that_hangs_is_ended_with_all_that_it_started_and_delays_nothing(host):
    hook(host, "slow", f"(sleep 1000; touch {host.out}/never) & echo $! >{host.out}/pid; sleep 1000")
    host.define("web", HELLO, hook="slow", restart_delay_ms=0)
    host.verb("web", "start")
    pid = host.vm("web")["pid"]
    send(pid, "SIGKILL")
    host.until_vm("web", generation=2, observed="running")
    said(host, "hook-failed", "hook-timeout-ms")

    def sleepers():
        found = []
        for p in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{p}/cmdline", "rb") as f:
                    if f.read() == b"sleep\x001000\x00":
                        found.append(p)
            except OSError:
                continue
        return found
    host.define("web", HELLO)
    host.verb("web", "kill")
    host.stop()
    host.until(lambda: not sleepers(), "what it started is gone, too")


def survivors(mark):
    """Processes with that word in their environment, wherever they went."""
    found = []
    for p in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{p}/environ", "rb") as f:
                if f"MARK={mark}".encode() in f.read():
                    found.append(p)
        except OSError:
            continue
    return found


def subtree(host):
    """The supervisor's cgroup, or ''."""
    path = host.get("/v1/host").json["facts"].get("cgroup", "")
    return path if os.path.isdir(path) else ""


def hook_cgroups(host):
    path = subtree(host)
    return [x for x in os.listdir(path) if x.startswith("hook-")] if path else []


def test_a_hook_has_a_cgroup_of_its_own_and_what_leaves_it_does_not_outlive_its_deadline(host):
    hook(host, "stray", "export MARK=stray-hook", "setsid sh -c 'sleep 1000 & exec sleep 1000' &",
         f"cat /proc/self/cgroup >{host.out}/cgroup", "sleep 1000")
    host.define("web", HELLO, hook="stray")
    host.verb("web", "start")
    cgroup = host.out / "cgroup"
    host.until(lambda: cgroup.exists() and "\n" in cgroup.read_text(), "it says where it is")
    # The end of the deadline is not ours to wait for: it comes before the event.
    said(host, "hook-failed", "hook-timeout-ms")
    host.put("/v1/vms/web", {"config": HELLO, "policy": {"hook": ""}})
    if subtree(host):
        assert re.search(r"^0::.*/hook-[0-7]$", cgroup.read_text(), re.M), cgroup.read_text()
    host.until(lambda: not survivors("stray-hook"), "nothing of it is left")
    host.until(lambda: not hook_cgroups(host), "no cgroup of it is left")


def test_a_hook_ends_with_a_supervisor_that_is_killed(host):
    hook(host, "slow", "export MARK=killed-hook", f"touch {host.out}/here", "sleep 1000")
    host.settings["hook-timeout-ms"] = 600000
    host.stop()
    host.start()
    host.define("web", HELLO, hook="slow")
    host.verb("web", "start")
    host.until(lambda: (host.out / "here").exists(), "it runs")
    host.kill()
    host.until(lambda: not survivors("killed-hook"), "it is gone")
    host.settings["hook-timeout-ms"] = 1500
    host.start()
    host.until(lambda: not hook_cgroups(host), "no cgroup of it is left")


def test_a_flood_of_words_is_cut(host):
    hook(host, "loud", "yes 'a lot of words' | head -c 100000 2>/dev/null; exit 0")
    host.define("web", HELLO, hook="loud")
    host.verb("web", "start")
    text = said(host, "hook", "a lot of words")[0]["text"]
    assert len(text) < 700, text


def test_a_hook_that_others_may_write_is_not_run(host):
    name = hook(host, "open", "echo hello")
    os.chmod(host.hooks / name, 0o777)
    host.define("web", HELLO, hook=name)
    host.verb("web", "start")
    said(host, "hook-failed", "open")
    assert not [e for e in host.events() if e["kind"] == "hook"]


def test_without_settings_no_hook_is_run_and_that_is_said():
    with Host() as h:
        h.define("web", HELLO, hook="note")
        h.verb("web", "start")
        assert "hook-folder" in said(h, "hook-failed", "note")[0]["text"]
        a = h.put("/v1/vms/web", {"config": HELLO, "policy": {"hook": "../sh"}})
        assert a.status == 400, a
