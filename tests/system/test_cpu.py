# SPDX-License-Identifier: Apache-2.0
"""How the host runs vCPUs: priorities, host CPUs, clusters; what permits them and what is in force."""
import os
import re
import resource

import pytest

from host import Host, config, worker_alone


def alone(tmp_path, *lines, **kwargs):
    path = tmp_path / "cpu.qvmconf"
    path.write_text(config("hello.elf", *lines))
    return worker_alone(f"@{path}", **kwargs)


def test_a_pinned_vcpu_runs_on_its_host_cpu_and_says_so(tmp_path):
    cpu = max(os.sched_getaffinity(0))
    r = alone(tmp_path, f"cpu runmask {cpu}")
    assert r.returncode == 0, r
    assert f"vCPU 0 runs as SCHED_OTHER priority 0 on host CPUs {cpu}\n" in r.stderr, r


def test_a_vcpu_of_a_host_cpu_that_is_not_there_is_refused(tmp_path):
    r = alone(tmp_path, "cpu runmask 1023")
    assert r.returncode == 64, r
    assert "none of the host CPUs 1023 is there" in r.stderr, r


def test_a_priority_beyond_the_limit_says_what_permits_it(tmp_path):
    r = alone(tmp_path, "cpu sched 10f")
    if "SCHED_FIFO priority 10" in r.stderr:
        assert r.returncode == 0, r
        pytest.skip("this host permits the user real-time priorities")
    assert r.returncode == 64, r
    assert "max-priority" in r.stderr and "ulimit -r 10" in r.stderr, r


def test_a_permitted_priority_is_in_force(tmp_path):
    if resource.getrlimit(resource.RLIMIT_RTPRIO)[1] < 1:
        try:
            resource.setrlimit(resource.RLIMIT_RTPRIO, (1, 1))
        except (ValueError, PermissionError):
            pytest.skip("no CAP_SYS_RESOURCE here to permit real-time priorities; the bed has it")
    r = alone(tmp_path, "cpu sched 1")
    assert r.returncode == 0, r
    assert "vCPU 0 runs as SCHED_RR priority 1" in r.stderr, r


def test_the_supervisor_refuses_a_priority_it_does_not_permit(host):
    answer = host.put("/v1/vms/rt", {"config": config("hello.elf", "cpu sched 8")})
    assert answer.status in (422, 503, 409, 400), answer
    assert "max-priority" in answer.text, answer


def test_a_cluster_of_the_host_pins_a_supervised_vcpu():
    cpu = max(os.sched_getaffinity(0))
    with Host(**{"cluster main": cpu}) as host:
        host.define("one", config("hello.elf", "cpu cluster main"))
        answer = host.post("/v1/vms/one/start?wait=20s")
        assert answer.status == 200, answer
        bad = host.post("/v1/check", {"config": config("hello.elf", "cpu cluster other")})
        assert f"there are: main={cpu}" in bad.text, bad


def test_a_counter_offset_is_set_or_the_start_names_the_variable(tmp_path):
    path = tmp_path / "guest.qvmconf"
    path.write_text(config("counter.elf"))
    r = worker_alone(f"@{path}", "set", "counter-offset", "0x4000000000000000")
    if r.returncode == 0:
        assert int(r.stdout.split("counter ")[1], 16) >> 60 == 4, r
    else:
        assert r.returncode == 64 and "remove `set counter-offset`" in r.stderr, r
    r = worker_alone(f"@{path}", "set", "counter-offset", "0xffffffffffffffff")
    assert r.returncode == 0 and "counter " in r.stdout, r


def crowd(tmp_path, n):
    path = tmp_path / "crowd.qvmconf"
    path.write_text(config("crowd.elf", *["cpu"] * n))
    return f"@{path}"


def test_the_guest_wakes_300_vcpus_by_x2apic_ids_each_once(tmp_path):
    r = worker_alone(crowd(tmp_path, 300))
    assert r.returncode == 0, r
    assert "the MADT names 300 vCPUs" in r.stdout
    assert "300 vCPUs are here, 0 strangers, the highest APIC id is 299" in r.stdout


def test_more_vcpus_than_the_hosts_kvm_takes_are_refused_with_its_limit(tmp_path):
    board = crowd(tmp_path, 4096)
    r = worker_alone(board)
    if r.returncode == 0:
        pytest.skip("this host's KVM takes 4096 vCPUs")
    assert r.returncode == 64, r
    assert re.search(r"the board has 4096 vCPUs, this host's KVM takes 1 to \d+", r.stderr), r
    dry = worker_alone(board, "dryrun")
    assert dry.returncode == 64 and "this host's KVM takes 1 to" in dry.stderr, dry
