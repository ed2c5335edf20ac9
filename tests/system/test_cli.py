# SPDX-License-Identifier: Apache-2.0
"""qvmadm as a person and as a script use it."""
import json

from host import EXAMPLES, config


def test_the_whole_story(host, tmp_path):
    r = host.adm("define", "hello", f"{EXAMPLES}/hello.qvmconf", "--policy", "restart_delay_ms=20")
    assert r.returncode == 0, r
    assert host.adm("start", "hello").returncode == 0
    host.until_console("hello", "Hello")
    r = host.adm("list")
    assert "hello" in r.stdout and "running" in r.stdout and "\x1b[" not in r.stdout, r
    assert "Hello" in host.adm("console", "hello").stdout
    assert "running" in host.adm("show", "hello").stdout
    r = host.adm("--json", "show", "hello")
    assert json.loads(r.stdout)["observed"] == "running"
    r = host.adm("stop", "hello")
    assert r.returncode == 0, r
    assert host.adm("wait", "hello", "--for", "observed=stopped", "--timeout", "10s").returncode == 0
    assert "started" in host.adm("events").stdout
    assert host.adm("delete", "hello").returncode == 0
    assert host.adm("show", "hello").returncode == 5


def test_check_shows_carets_and_exits_65(host, tmp_path):
    bad = tmp_path / "bad.qvmconf"
    bad.write_text("ram 1000\nlaod x\n")
    r = host.adm("check", str(bad))
    assert r.returncode == 65, r
    assert "bad.qvmconf:2:1: error:" in r.stdout + r.stderr
    assert "^" in r.stdout + r.stderr


def test_no_server_says_how_to_start_one(host):
    host.stop()
    r = host.adm("list")
    assert r.returncode == 19, r
    assert host.socket in r.stderr and "qvmd" in r.stderr


def test_an_unknown_verb_suggests_the_right_one(host):
    r = host.adm("strat", "hello")
    assert r.returncode == 2 and "start" in r.stderr, r


def test_an_incident_reads_well(host):
    host.define("bad", config("triple.elf"), on_failure="stop")
    host.adm("start", "bad")
    host.until_vm("bad", observed="safe")
    r = host.adm("incidents", "bad")
    assert r.returncode == 0 and "triple" in r.stdout and "exits" in r.stdout.lower(), r
