# SPDX-License-Identifier: Apache-2.0
"""pvpanic: a guest tells that it panics, and the VM ends with a cause of its own."""
import pytest

from host import config, worker_alone

BED = "panic"


@pytest.mark.parametrize("form,device", [("isa", "QEMU0001"), ("pci", "0000:00:01.0")])
def test_linux_tells_of_its_panic_and_the_vm_ends_with_33(said, form, device):
    bound = next(x for x in said.splitlines() if x.startswith(f"{form} bound: "))
    assert device in bound, said
    assert f"{form} ended with 33" in said
    assert f"{form} says: " in said and "the guest told by pvpanic that it has panicked" in said


def test_a_panic_that_is_only_logged_leaves_the_guest_its_own_restart(said):
    assert "log ended with 0" in said, said
    assert "`action log` leaves it at that" in said


def test_a_panic_is_an_incident_and_on_failure_follows(host):
    host.define("faulty", config("panic.elf", "vdev pvpanic"), on_failure="stop")
    host.verb("faulty", "start")
    vm = host.until_vm("faulty", observed="safe")
    assert vm["cause"] == "guest-panic", vm
    assert [i["cause"] for i in host.incidents("faulty")] == ["guest-panic"]


def test_crash_loaded_goes_on(tmp_path):
    path = tmp_path / "guest.qvmconf"
    path.write_text(config("panic.elf", "vdev pvpanic", 'cmdline "event=2"'))
    r = worker_alone(f"@{path}")
    assert r.returncode == 0, r
    assert "takes 3, I tell it 2" in r.stdout and "and go on" in r.stdout, r
    assert "starts its crash kernel" in r.stderr, r
