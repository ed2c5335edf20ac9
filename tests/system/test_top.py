# SPDX-License-Identifier: Apache-2.0
"""What VMs take of their host: as the API tells it, and as qvmadm top draws it."""
import json
import os
import signal
import subprocess

import pytest

from host import B, config, send
from terminal import Terminal
from test_token import bearer, make


@pytest.fixture(scope="module")
def shared(shared):
    shared.define("busy", config("spin.elf", "cpu", "cpu"), heartbeat_ms=100, heartbeat_misses=30)
    shared.define("still", config("marked.elf"), heartbeat_ms=100, heartbeat_misses=30)
    shared.define("off", config("hello.elf"))
    for vm in ("busy", "still"):
        assert shared.verb(vm, "start").status == 200
    return shared


def usage(host, **headers):
    a = host.get("/v1/usage", **headers)
    assert a.status == 200, a
    return a.json, {u["vm"]: u for u in a.json["vms"]}


def top(host, *args, **env):
    return subprocess.run([f"{B}/qvmadm", "-H", f"unix:{host.socket}", "top", *args], text=True, capture_output=True,
                          timeout=60, check=False, env={**os.environ, **env})


def terminal(host, *args, **how):
    return Terminal([f"{B}/qvmadm", "-H", f"unix:{host.socket}", "top", "-d", "100ms", *args], **how)


def ticks(pid):
    """Of processor time, by the kernel's own account; in milliseconds."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return sum(map(int, fields[11:13])) * 1000 // os.sysconf("SC_CLK_TCK")


def frames(drawn):
    return drawn.split("\x1b[?2026h\x1b[H\x1b[J")[1:]


def test_usage_is_the_kernels_account_and_the_boards_memory(shared):
    shared.until(lambda: usage(shared)[1]["busy"]["memory_bytes"], "it has beaten")
    before = ticks(shared.vm("busy")["pid"])
    whole, by_name = usage(shared)
    after = ticks(shared.vm("busy")["pid"])
    busy, off = by_name["busy"], by_name["off"]
    assert before - 20 <= busy["cpu_ms"] <= after + 20
    assert busy["pid"] == shared.vm("busy")["pid"] and busy["vcpus"] == 2 and busy["exits"] > 0
    assert busy["ram_bytes"] == 0xA0000 + (15 << 20)
    assert 0 < busy["memory_bytes"] < busy["ram_bytes"], "only what it touched"
    assert (off["observed"], off["pid"], off["cpu_ms"], off["exits"], off["ram_bytes"]) == ("stopped", 0, 0, 0, 0)
    capacity = whole["capacity"]
    assert capacity["cpus"] == os.cpu_count()
    assert capacity["promised_bytes"] == busy["ram_bytes"] + by_name["still"]["ram_bytes"]
    with open("/proc/meminfo", encoding="ascii") as f:
        total = int(f.readline().split()[1]) * 1024
    assert capacity["memory_bytes"] == total and 0 < capacity["available_bytes"] <= total
    metrics = shared.get("/metrics").text
    assert 'qvm_vm_cpu_seconds_total{vm="busy"}' in metrics and 'qvm_vm_memory_bytes{vm="busy"}' in metrics
    assert 'qvm_vm_cpu_seconds_total{vm="off"}' not in metrics


def test_usage_is_cut_to_the_scope_of_a_token(shared):
    secret = make(shared, "of-still", role="reader", vms="st*")
    assert list(usage(shared, **bearer(secret))[1]) == ["still"]


def test_counts_that_began_again_give_no_rate(host):
    host.define("busy", config("spin.elf"), on_failure="restart", restart_delay_ms=0)
    host.verb("busy", "start")
    with terminal(host) as t:
        t.until(lambda d: len(frames(d)) > 2, "some frames")
        send(host.vm("busy")["pid"], "SIGKILL")
        host.until_vm("busy", generation=2, observed="running")
        seen = len(frames(t.drawn))
        t.until(lambda d: len(frames(d)) > seen + 3, "more frames")
        t.type("q")
        assert t.end() == 0
    rates = [x for f in frames(t.drawn) for line in f.splitlines() if line.startswith("\x1b[1mbusy") for x in line.split()]
    assert not [x for x in rates if x.startswith("-") and x[1:2].isdigit()], "no rate is below nothing"


def test_batch_prints_tables_for_pipes(shared):
    said = top(shared, "-b", "-n", "2", "-d", "100ms", "-s", "name", "-a")
    assert said.returncode == 0 and said.stderr == "" and "\x1b" not in said.stdout, said
    tables = said.stdout.split("\n\n")
    assert len(tables) == 2
    lines = tables[0].splitlines()
    assert lines[1].startswith("host: ") and "promised to guests" in lines[2]
    assert lines[3].split() == ["VM*", "OBSERVED", "HEALTH", "CPU", "%", "MEMORY", "OF", "EXITS/S", "VCPUS", "UPTIME"]
    assert [x.split()[0] for x in lines[4:]] == ["busy", "off", "still"]
    assert [x.split()[0] for x in top(shared, "-b", "-n", "1", "-d", "100ms", "-s", "exits").stdout.splitlines()[4:]] == \
        ["busy", "still"]
    assert [x.split()[0] for x in top(shared, "-b", "-n", "1", "-d", "100ms", "-s", "name", "-r").stdout.splitlines()[4:]] == \
        ["still", "busy"]
    said = top(shared, "--json", "-n", "2", "-d", "100ms")
    first, second = map(json.loads, said.stdout.splitlines())
    assert second["clock_ms"] >= first["clock_ms"] + 100
    for wrong in (["-s", "size"], ["-d", "1ms"], ["-n", "0"], ["-n", "x"]):
        said = top(shared, *wrong)
        assert said.returncode == 2 and said.stderr, (wrong, said)
    assert top(shared, "-n", "1", "-d", "100ms").stdout.count("host: ") == 1  # no terminal
    with subprocess.Popen([f"{B}/qvmadm", "-H", f"unix:{shared.socket}", "top", "-b", "-d", "100ms"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as p:
        p.stdout.readline()
        p.stdout.close()  # its reader leaves
        assert p.wait(30) in (0, -signal.SIGPIPE) and p.stderr.read() == b""


def test_a_terminal_is_drawn_keyed_resized_and_given_back(shared):
    with terminal(shared) as t:
        t.until(lambda d: len(frames(d)) > 2 and "CPU %*" in d, "frames")
        assert t.drawn.startswith("\x1b[?1049h\x1b[?25l") and not t.is_restored()
        for key, mark in (("e", "EXITS/S*"), ("m", "MEMORY*"), ("u", "UPTIME*"), ("n", "VM*"), ("a", "off")):
            t.type(key)
            t.until(lambda d, mark=mark: mark in frames(d)[-1], f"after {key}")
        t.resize(38, 7)
        t.until(lambda d: "EXITS" not in frames(d)[-1] and "and 1 more" in frames(d)[-1], "a narrow frame")
        t.type("q")
        assert t.end() == 0 and t.is_restored()
        assert t.drawn.endswith("\x1b[?25h\x1b[?1049l"), t.drawn[-80:]
    for width in (20, 38, 55, 75):
        with terminal(shared, "-a", "-n", "2", columns=width, NO_COLOR="1") as t:
            assert t.end() == 0 and t.is_restored()
            for line in frames(t.drawn)[-1].split("\x1b[?2026l")[0].splitlines():
                assert len(line) <= width, (width, line)


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"])
def test_a_signal_gives_the_terminal_back(shared, name):
    with terminal(shared) as t:
        t.until(frames, "a frame")
        if name == "SIGINT":
            t.type("\x03")
        else:
            t.process.send_signal(getattr(signal, name))
        assert t.end() == 128 + getattr(signal, name) and t.is_restored()
        assert t.drawn.endswith("\x1b[?25h\x1b[?1049l"), t.drawn[-80:]


def test_a_stopped_top_leaves_the_terminal_and_comes_back(shared):
    with terminal(shared) as t:
        t.until(frames, "a frame")
        t.process.send_signal(signal.SIGTSTP)
        t.until(lambda d: d.endswith("\x1b[?1049l"), "it leaves the screen")
        shared.until(lambda: os.waitid(os.P_PID, t.process.pid, os.WSTOPPED | os.WNOHANG | os.WNOWAIT), "it is stopped")
        assert t.is_restored()
        seen = len(t.drawn)
        t.process.send_signal(signal.SIGCONT)
        t.until(lambda d: "\x1b[?1049h" in d[seen:] and "busy" in d[seen:], "it draws again")
        t.type("q")
        assert t.end() == 0 and t.is_restored()


def test_a_server_that_goes_away_is_told_and_waited_for(host):
    host.define("busy", config("spin.elf"))
    host.verb("busy", "start")
    with terminal(host) as t:
        t.until(lambda d: len(frames(d)) > 1, "frames")
        host.stop()
        t.until(lambda d: "busy" in frames(d)[-1] and "qvmd" in frames(d)[-1].splitlines()[-1], "what is wrong, below the last table")
        host.start()
        t.until(lambda d: "q quit" in frames(d)[-1], "it is back")
        t.type("q")
        assert t.end() == 0
    host.stop()
    with terminal(host) as t:
        assert t.end() == 19 and t.is_restored(), "nobody was ever there"
    host.start()
