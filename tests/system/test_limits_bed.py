# SPDX-License-Identifier: Apache-2.0
"""Limits that the kernel enforces: what tests/harness/limits saw on a host whose cgroups have controllers."""

BED = "limits"


def test_what_is_limited_is_handed_down_to_the_workers(said):
    assert "host: memory=cgroup cpu=cgroup" in said


def test_too_much_memory_is_the_end_of_that_vm_alone_and_named(said):
    assert "memory: a guest that eats more than it may: out-of-memory" in said
    assert "memory: a hostile worker that eats it before it has a plan: out-of-memory" in said
    assert "others: untouched" in said


def test_processor_time_and_processes_are_held_to_their_limits(said):
    assert "cpu: a guest that spins is throttled" in said
    assert "pids: a hostile worker forks up to its limit, and all of it goes with it" in said


def test_vms_of_a_partition_share_its_budget(said):
    assert "partition: two guests that spin share its budget, each with limits of its own, and it goes with them" in said


def test_what_disks_read_and_write_is_limited_where_the_kernel_counts_it(said):
    assert "io: what a disk reads and writes is limited on its device, and refused where it cannot be" in said


def test_a_hook_is_held_to_its_processes_and_memory(said):
    assert "hook: one that forks is held to its number, and its cgroup goes with it" in said


def test_the_cgroup_of_the_supervisor_is_as_it_was(said):
    assert "end: its cgroup is as it was" in said
