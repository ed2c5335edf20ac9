# SPDX-License-Identifier: Apache-2.0
"""PCI functions of the host in a guest (VFIO): who gets one and why not, and Linux driving them in a
bed with an IOMMU."""
import ctypes
import os
import re

import pytest

from beds import complaints
from host import Host, config, worker_alone

BED = "passing"

pytestmark = pytest.mark.ground

DEVICES = "/sys/bus/pci/devices"


def board(name, guest="hello.elf"):
    return config(guest, "vdev ioapic", f"pass loc pci:0:4=pci:{name}")


@pytest.fixture
def function():
    """One of this machine's, which no test takes away: it is in no IOMMU group."""
    names = sorted(os.listdir(DEVICES)) if os.path.isdir(DEVICES) else []
    for name in names:
        if not os.path.exists(f"{DEVICES}/{name}/iommu_group"):
            return name
    return pytest.skip("this machine has no PCI function without an IOMMU group")


def test_a_function_without_an_iommu_is_refused_with_what_to_switch_on(tmp_path, function):
    path = tmp_path / "guest.qvmconf"
    path.write_text(board(function))
    r = worker_alone(f"@{path}")
    assert r.returncode == 64, r
    assert function in r.stderr and "intel_iommu=on" in r.stderr


def test_a_dry_run_says_that_a_function_cannot_be_given(tmp_path, function):
    path = tmp_path / "guest.qvmconf"
    path.write_text(board(function))
    r = worker_alone(f"@{path}", "dryrun")
    assert r.returncode == 64, r
    assert "guest.qvmconf:" in r.stderr and "intel_iommu=on" in r.stderr


def test_a_function_that_is_not_there_is_refused(tmp_path):
    path = tmp_path / "guest.qvmconf"
    path.write_text(board("fffe:00:1f.7"))
    r = worker_alone(f"@{path}")
    assert r.returncode == 64, r
    assert "'fffe:00:1f.7'" in r.stderr and "lspci" in r.stderr


def test_a_supervisor_gives_no_function_unless_its_settings_name_it(host, function):
    answer = host.put("/v1/vms/guest", {"config": board(function)})
    assert answer.status >= 400, answer
    assert f"allow-pci = {function}" in answer.text


def test_a_supervisor_that_may_give_a_function_says_what_else_is_in_the_way(function):
    with Host(**{"allow-pci": function}) as h:
        answer = h.put("/v1/vms/guest", {"config": board(function)})
        assert answer.status >= 400, answer
        assert "intel_iommu=on" in answer.text


def test_a_uio_device_that_is_not_there_is_refused_with_where_to_look(tmp_path):
    path = tmp_path / "guest.qvmconf"
    path.write_text(config("hello.elf", "vdev ioapic", "pass intr ioapic:5=uio:1023"))
    r = worker_alone(f"@{path}")
    assert r.returncode == 64, r
    assert "'uio1023'" in r.stderr and "/sys/class/uio" in r.stderr


def test_a_supervisor_gives_no_uio_device_unless_its_settings_name_it(host):
    answer = host.put("/v1/vms/guest", {"config": config("hello.elf", "vdev ioapic",
                                                         "pass intr ioapic:5=uio:7")})
    assert answer.status >= 400, answer
    assert "allow-uio = uio7" in answer.text


MEMORY = "pass loc 0x40000000,0x1000=0xfe000000"


def test_a_supervisor_gives_no_memory_of_the_host_unless_its_settings_name_it(host):
    answer = host.put("/v1/vms/guest", {"config": config("hello.elf", MEMORY)})
    assert answer.status >= 400, answer
    assert "allow-memory = 0xfe000000,0x1000" in answer.text


PORTS = "pass loc io:0x378,8"


def test_a_supervisor_gives_ports_of_the_host_to_the_vm_that_its_settings_name_alone(host):
    answer = host.put("/v1/vms/guest", {"config": config("hello.elf", PORTS)})
    assert answer.status >= 400, answer
    assert "allow-ports = 0x378,8 guest" in answer.text
    with Host(**{"allow-ports": "0x370,8 guest"}) as h:
        answer = h.put("/v1/vms/guest", {"config": config("hello.elf", PORTS)})
        assert answer.status >= 400 and "allow-ports = 0x378,8 guest" in answer.text, answer
    with Host(**{"allow-ports": "0x370,16 guest"}) as h:
        assert h.put("/v1/vms/guest", {"config": config("hello.elf", PORTS)}).status == 201
        answer = h.put("/v1/vms/other", {"config": config("hello.elf", PORTS)})
        assert answer.status >= 400 and "allow-ports = 0x378,8 other" in answer.text, answer


@pytest.mark.skipif(ctypes.CDLL(None).ioperm(0x378, 8, 0) == 0, reason="this machine has ioperm()")
def test_a_host_that_opens_no_ports_says_so(tmp_path):
    path = tmp_path / "guest.qvmconf"
    path.write_text(config("hello.elf", PORTS))
    for r in (worker_alone(f"@{path}"), worker_alone(f"@{path}", "dryrun")):
        assert r.returncode == 64, r
        assert "open the ports 0x378,8 of the host: " in r.stderr and "ioperm()" in r.stderr
    with Host(**{"allow-ports": "0x378,8 guest"}) as h:
        h.put("/v1/vms/guest", {"config": config("hello.elf", PORTS)})
        answer = h.verb("guest", "start")
        assert "open the ports 0x378,8 of the host: " in answer.text, answer


@pytest.mark.skipif(os.path.exists("/dev/mem"), reason="this machine has a /dev/mem")
def test_a_host_without_its_memory_as_a_device_says_what_to_do(tmp_path):
    path = tmp_path / "guest.qvmconf"
    path.write_text(config("hello.elf", MEMORY))
    for r in (worker_alone(f"@{path}"), worker_alone(f"@{path}", "dryrun")):
        assert r.returncode == 64, r
        assert "this host has no /dev/mem" in r.stderr and "=uio:N" in r.stderr
    with Host(**{"allow-memory": "0xfe000000,0x10000"}) as h:
        answer = h.put("/v1/vms/guest", {"config": config("hello.elf", MEMORY)})
        assert answer.status >= 400, answer
        assert "this host has no /dev/mem" in answer.text


def test_a_function_that_is_not_bound_to_vfio_is_refused_with_the_command(said):
    assert re.search(r"unbound: .*0000:00:0[45].0.*vfio-pci", said)


def test_a_function_has_one_owner(said):
    assert re.search(r"second: .*0000:00:0[45].0.* in use", said)


def test_linux_finds_passed_functions_where_the_configuration_puts_them(said):
    found = dict(re.findall(r"pci: (\S+) (0x\w{4} 0x\w{4} 0x\w{6})", said))
    assert found["0000:00:06.0"] == "0x8086 0x10d3 0x020000"
    assert found["0000:00:07.0"] == "0x1234 0x11e8 0x00ff00"


def test_linux_drives_a_passed_network_card_with_its_messages_and_dma(said):
    assert re.search(r"carrier: 1 52:54:00", said)
    assert re.search(r"ping: 3 packets transmitted, 3 packets received", said)
    counts = [sum(map(int, re.findall(r"\d+", line)))
              for line in re.findall(r"irq: +\d+:(.*) PCI-MSI .*eth0", said)]
    assert len(counts) >= 2 and max(counts) > 0


def test_linux_drives_a_passed_network_card_by_its_interrupt_line(said):
    assert re.search(r"line ping: 3 packets transmitted, 3 packets received", said)
    counts = [sum(map(int, re.findall(r"\d+", line)))
              for line in re.findall(r"line irq: +\d+:(.*) IO-APIC .*fasteoi eth0", said)]
    assert counts and counts[0] > 3
    # A driver that finds nothing to do says so a hundred thousand times before it is given up.
    assert "nobody cared" not in said


def test_a_guest_reaches_the_registers_of_a_passed_device(said):
    assert "edu: id 0x010000ED" in said
    assert "edu: inverse 0xEDCBA987" in said


def test_a_passed_device_reaches_the_guests_memory_and_no_other(said):
    assert "edu: dma 0x600DF00D" in said
    assert "edu: outside done" in said
    assert re.search(r"host: .*fault.*0xf000000", said)


def test_linux_has_no_complaint_about_passed_functions(said):
    assert complaints(said) == []


def test_a_passed_function_is_silent_when_its_guest_has_ended(said):
    assert "qvm ended with 0" in said
    for name in ("0000:00:04.0", "0000:00:05.0"):
        after = re.search(rf"after: {re.escape(name)} command (\w+)", said)
        assert int(after.group(1), 16) & 4 == 0


def test_a_guest_drives_a_device_by_uio(said):
    assert "uio: device 10000ed\n" in said
    for i in (1, 2, 3):
        assert f"uio: interrupt {i} after {i - 1}, status {i}\n" in said


def test_an_interrupt_that_is_not_served_comes_back_to_its_guest_alone(said):
    assert "uio: interrupt 24 after 3, status 77" in said
    assert "uio: at rest after 24\n" in said


def test_a_guest_reaches_the_ports_of_a_function_by_uio(said):
    # Full duplex and link up: the card's STATUS, by way of IOADDR and IODATA.
    assert int(re.search(r"uio: card (\w+)", said).group(1), 16) & 3 == 3


def test_a_uio_device_has_one_owner_and_is_given_to_no_guest_unless_it_is_named(said):
    assert "define device: " in said and "allow-uio = uio0" in said
    assert "start spin: spin: started" in said
    assert re.search(r"owned: .*/dev/uio1.* has one owner", said)


def test_a_guest_reaches_registers_of_the_host_by_their_address(said):
    assert "memory: device 10000ed\n" in said
    assert "memory: inverse edcba987\n" in said


def test_memory_that_the_host_uses_is_refused_with_who_has_it(said):
    assert re.search(r"memory ram: .*0x100000,0x1000 .* in its RAM \(System RAM 0x100000-", said)
    assert re.search(r"memory busy: .*0xfec00000,0x1000.* 'IOAPIC 0' .*=uio:N", said)


def test_a_worker_keeps_the_mapping_of_its_range_and_no_descriptor_of_the_hosts_memory(said):
    base = int(re.search(r"address: (\w+)", said).group(1), 16)
    first, last, offset = re.search(r"worker maps: 1 (\w+)-(\w+) rw-s (\w+) ", said).groups()
    assert int(last, 16) - int(first, 16) == 0x1000 and int(offset, 16) == base
    assert re.search(r"worker holds: 0 of [1-9]", said)
    assert re.findall(r"other holds: (.*)", said) == ["0", "0"]


def test_memory_of_the_host_has_one_owner_and_no_more_of_it_is_given_than_is_named(said):
    base = int(re.search(r"address: (\w+)", said).group(1), 16)
    assert "define memory: " in said and f"allow-memory = 0x{base:x},0x2000" in said
    assert "start memory: memory: started" in said
    assert re.search(rf"memory owned: .*0x{base:x},0x1000 .* has one owner", said)
    assert "memory again: device 10000ed\n" in said


def test_memory_of_the_host_has_its_owner_under_the_next_supervisor_too(said):
    assert re.search(r"memory adopted: memory +running", said)
    assert re.search(r"memory still owned: .* has one owner", said)


def test_a_guest_reaches_ports_of_the_host_and_none_beside_them(said):
    assert "ports: data a5\n" in said and "ports: data 5a\n" in said
    assert "ports data 5a\n" in said
    assert "ports: beside ff\n" in said
    assert re.search(r"ports beside (?!ff)", said)


def test_a_supervised_guest_reaches_the_ports_that_are_its_own(said):
    assert "allow-ports = 0x378,1 other" in said
    assert "start ports: ports: started" in said
    assert re.search(r"ports owned: .*0x378,1 .* has one owner", said)
    assert "start ports again: ports: started" in said
    assert "ports data again 5a\n" in said


def test_a_device_is_masked_and_nothing_is_left_when_a_guest_by_uio_has_ended(said):
    after = re.search(r"after uio: 0000:00:05.0 command (\w+)", said)
    assert int(after.group(1), 16) & 0x404 == 0x400
    assert "left: 1\n" in said


def test_a_supervisor_gives_functions_to_one_vm_at_a_time_and_lets_it_lock_its_memory(said):
    assert re.search(r"start first: first: started", said)
    assert re.search(r"start next: .*0000:00:04.0' is in use", said)
    assert "locked: Max locked memory 41943040 41943040" in said
    assert re.search(r"start next again: next: started", said)
