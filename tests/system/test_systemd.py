# SPDX-License-Identifier: Apache-2.0
"""qvmd as a unit of a real systemd: what tests/harness/systemd_story saw on such a host."""
import os
import subprocess

import pytest

from host import B, GUESTS, ROOT, SANITIZED

# The leak checker traces its process, which a unit with few capabilities does not permit.
pytestmark = pytest.mark.skipif(SANITIZED, reason="the leak checker of a sanitized qvmd does not work in a unit")

HARNESS = os.path.join(ROOT, "tests", "harness")


@pytest.fixture(scope="module")
def story():
    r = subprocess.run([f"{HARNESS}/systemd", f"{HARNESS}/systemd_story", f"{GUESTS}/hello.elf=/test/hello.elf"],
                       env={**os.environ, "B": B}, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert r.returncode == 0, r.stdout + r.stderr
    return r.stdout


def test_the_installed_units_are_sound(story):
    assert "units: verified" in story


def test_a_vm_lives_in_a_scope_of_its_own_with_its_limits(story):
    assert "scope: the worker is in it, with all its limits" in story


def test_vms_of_a_partition_share_a_slice_that_has_its_budget(story):
    assert "partition: both are in its slice, which has the budget" in story


def test_limits_of_the_devices_of_disks_are_properties_of_the_scope(story):
    assert "disks: limits of the device are the scope's" in story


def test_the_server_of_shared_memory_is_in_a_scope_and_not_in_the_unit(story):
    assert "shared memory: in /qvm.slice/qvmd-shmem" in story


def test_ports_of_the_host_take_the_drop_in_of_the_unit(story):
    assert "ports: the unit lets them through with its drop-in alone" in story


def test_a_function_by_uio_takes_the_drop_in_of_the_unit_and_is_armed_as_long_as_its_guest_runs(story):
    assert "uio: the unit reaches a function with its drop-in alone, and its interrupts outlive the supervisor" in story


def test_a_bus_that_hangs_or_is_gone_holds_up_nobody(story):
    assert "a bus that hangs: the start fell back, others were served meanwhile" in story
    assert "a bus that is gone: the start fell back, the next one found it again" in story


def test_a_restart_of_the_unit_leaves_its_vms_running(story):
    assert "restart: the guest runs on" in story


def test_what_reads_what_a_guest_prints_lives_as_long_as_the_guest(story):
    assert "restart: so does what reads what a guest prints, until its guest ends" in story


def test_a_supervisor_that_hangs_is_ended_by_the_watchdog_and_started_again(story):
    assert "watchdog: a hung qvmd was ended and started again; the guest runs on" in story


def test_guests_end_in_order_when_the_host_goes_down(story):
    assert "host goes down: the guest was ended in order, and started with the next qvmd" in story


def test_nothing_is_left_of_a_stopped_unit(story):
    assert "stop: nothing is left" in story
