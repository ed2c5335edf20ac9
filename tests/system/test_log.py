# SPDX-License-Identifier: Apache-2.0
"""`vdev log`: the messages of one vdev go elsewhere than those of the others."""
import subprocess

import pytest

from host import B, config, report, worker_alone

CRASH = 'cmdline "event=2"'  # pvpanic warns of it, and the guest goes on to its end
WARNING = "starts its crash kernel"


def alone(tmp_path, *lines):
    path = tmp_path / "guest.qvmconf"
    path.write_text(config("panic.elf", CRASH, *lines))
    return worker_alone(f"@{path}")


@pytest.mark.parametrize("log,on_stdout,on_stderr", [
    ("", False, True),
    ("log warning stdout", True, False),
    ("log warning stdout log warning stderr", True, True),
    ("log warning stderr log warning none", False, False),
    ("log info,error stdout", False, True),  # it does not name this kind
])
def test_a_warning_goes_where_the_log_of_its_vdev_says(tmp_path, log, on_stdout, on_stderr):
    r = alone(tmp_path, f"vdev pvpanic {log}")
    assert r.returncode == 0, r
    assert (WARNING in r.stdout, WARNING in r.stderr) == (on_stdout, on_stderr), r


def test_it_is_heard_where_the_board_hears_nothing(tmp_path):
    r = alone(tmp_path, "logger warn,info none", "vdev pvpanic log warning stderr")
    assert WARNING in r.stderr and "ended:" not in r.stderr, r


def test_of_two_of_a_kind_one_leaves_the_report_of_sigusr1(tmp_path):
    path = tmp_path / "guest.qvmconf"
    path.write_text(config("wdt.elf", "vdev ioapic vdev ser8250 loc 0x2f8 intr ioapic:3 name second log info none",
                           "vdev wdt-ib700", 'cmdline "feed=9"'))
    with subprocess.Popen([f"{B}/qvm", f"@{path}"], stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as p:
        while "started" not in p.stdout.readline():
            assert p.poll() is None
        assert "vdev second: " not in report(p, "vdev ser8250: ")


@pytest.mark.parametrize("log,is_there", [("", True), ("log warning none", False)])
def test_under_the_supervisor_it_decides_what_the_status_keeps(host, log, is_there):
    host.define("crash", config("panic.elf", CRASH, f"vdev pvpanic {log}"))
    host.verb("crash", "start")
    host.until_vm("crash", observed="stopped")
    said = host.get("/v1/vms/crash/status").json["log"]
    assert (WARNING in said) == is_there, said
