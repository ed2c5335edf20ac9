# SPDX-License-Identifier: Apache-2.0
"""The guest's watchdog: fed it keeps still, forgotten it ends the VM, and policy takes over."""
import re
import subprocess

import pytest

from host import B, EXAMPLES, config, report, worker_alone

DOG = "vdev wdt-ib700 action terminate"


def write(tmp_path, *lines):
    path = tmp_path / "guest.qvmconf"
    path.write_text(config("wdt.elf", *lines))
    return f"@{path}"


def test_the_example_feeds_hangs_and_is_bitten_with_4():
    r = worker_alone(f"@{EXAMPLES}/watchdog.qvmconf")
    assert r.returncode == 4, r
    assert "fed 4 of 4" in r.stdout and "I hang" in r.stdout, r
    assert "its watchdog was not fed in time" in r.stderr, r
    assert "wdt-ib700 was not fed for 2 s" in r.stderr, r


def test_a_dog_that_is_fed_beyond_its_time_does_not_bite(tmp_path):
    r = worker_alone(write(tmp_path, DOG, 'cmdline "feed=5 then=stop"'))
    assert r.returncode == 0, r
    assert "its port reads ff" in r.stdout, r
    assert "fed 5 of 5" in r.stdout and "nothing has bitten me" in r.stdout, r


def test_a_read_is_an_unsupported_reference(tmp_path):
    r = worker_alone(write(tmp_path, DOG, "unsupported reference abort"))
    assert r.returncode == 5 and "wdt-ib700" in r.stderr, r


def test_the_status_shows_the_time_that_is_left(tmp_path):
    p = subprocess.Popen([f"{B}/qvm", write(tmp_path, DOG, 'cmdline "feed=9"'), "logger", "info", "stderr"],
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         text=True)
    while "started" not in p.stdout.readline():
        assert p.poll() is None
    said = report(p, "vdev wdt-ib700: ")
    left = re.search(r"vdev wdt-ib700: .* next deadline in (\d+) ms", said)
    assert left and int(left[1]) <= 2000, said


def test_a_vdev_may_be_left_out_of_the_status(tmp_path):
    conf = write(tmp_path, DOG + " set debug off vdev mc146818", 'cmdline "feed=9"')
    p = subprocess.Popen([f"{B}/qvm", conf, "logger", "info", "stderr"], stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while "started" not in p.stdout.readline():
        assert p.poll() is None
    assert "vdev wdt-ib700: " not in report(p, "vdev mc146818: ")


def test_a_dog_at_another_place_is_not_the_guests(tmp_path):
    r = worker_alone(write(tmp_path, "vdev wdt-ib700 loc 0x541 name rex", 'cmdline "feed=0 then=stop"'))
    assert r.returncode == 0, r


def test_an_unknown_action_is_refused_with_what_to_write(tmp_path):
    r = worker_alone(write(tmp_path, "vdev wdt-ib700 action fiq"))
    assert r.returncode == 65, r
    assert "action terminate" in r.stderr and "dump,terminate" in r.stderr, r


@pytest.mark.parametrize("reaction,observed", [("stop", "safe"), ("restart", "running")])
def test_a_bite_is_an_incident_and_policy_says_what_follows(host, reaction, observed):
    host.define("dog", config("wdt.elf", DOG, 'cmdline "feed=0"'), on_watchdog=reaction,
                restart_delay_ms=10)
    host.verb("dog", "start")
    host.until(lambda: host.incidents("dog"), "the bite is an incident")
    vm = host.until_vm("dog", observed=observed)
    incident = host.incidents("dog")[0]
    assert incident["cause"] == "watchdog", incident
    kinds = [e["kind"] for e in host.events() if e["vm"] == "dog"]
    assert kinds[:4] == ["defined", "starting", "started", "safe"], kinds
    if reaction == "restart":
        host.until(lambda: host.vm("dog")["restarts"] >= 1, "the bite starts it again")
        host.until_console("dog", "started, it bites")
        host.verb("dog", "kill")
    else:
        assert vm["cause"] == "watchdog" and vm["restarts"] == 0, vm
