# SPDX-License-Identifier: Apache-2.0
"""The devices of the PCI bus, under the drivers of Debian's unmodified kernel in the bed."""
import re

from beds import complaints

BED = "devices"


def test_linux_finds_the_bridge_and_every_function_where_the_configuration_puts_them(said):
    found = dict(re.findall(r"pci: (\S+) 0x1c05 0x(\w{4} 0x\w{6})", said))
    assert found["0000:00:00.0"] == "0002 0x060000"
    assert found["0000:00:1e.0"] == "0010 0xff0000"
    assert found["0000:00:1e.1"] == "0011 0xff0000"


def test_linux_takes_the_memory_mapped_configuration_space(said):
    assert "ecam: 1" in said


def test_linux_has_no_complaint_about_pci_acpi_or_virtio(said):
    assert complaints(said) == []


def test_linux_reads_the_hosts_random_numbers_by_virtio_entropy_with_messages(said):
    assert "hwrng: virtio_rng.0" in said
    assert "hwrng bytes: 4096" in said
    sums = re.findall(r"hwrng sum: (\w{32})", said)
    assert len(set(sums)) == 2
    assert re.search(r"irq: +\d+: .* PCI-MSI .* virtio\d-input", said)


def test_linux_reads_and_writes_a_virtio_blk_disk_that_the_host_then_has(said):
    sums = dict(re.findall(r"(host sums|guest sums): (\w{32}  - \w{32})", said))
    assert sums["guest sums"] == sums["host sums"]
    assert "\nwritten" in said or "# written" in said
    after = dict(re.findall(r"((?:host|guest) (?:pci|mmio)): (\w{32})", said))
    assert after["guest pci"] == after["host pci"] not in sums["host sums"]
    assert after["guest mmio"] == after["host mmio"] not in sums["host sums"]
    assert after["host mmio"] != after["host pci"]


def test_linux_discards_and_the_host_has_holes_there(said):
    zeroes = re.search(r"zeroes: (\w{32})", said).group(1)
    for disk, transport in (("disk", "pci"), ("mmio", "mmio")):
        assert f"discarded {transport}" in said
        assert f"host {disk} hole: {zeroes}" in said


def test_linux_uses_a_virtio_blk_over_mmio_that_the_dsdt_names(said):
    assert re.search(r"disk: off-bus discard=[1-9]\d+ cache=write back", said)
    assert re.search(r"place of vdc: /sys/devices/.*LNRO0005", said)
    assert re.search(r"place of vda: /sys/devices/pci0000:00/", said)
    assert re.search(r"irq: +12: .* IO-APIC .* virtio\d", said)


def test_linux_knows_the_size_and_name_of_a_disk_and_cannot_write_to_a_fixed_one(said):
    assert "vda: 16384 0 scratch" in said
    assert "vdb: 2048 1 fixed" in said
    assert "vdb refused" in said


def test_linux_takes_the_hpet_as_clocksource(said):
    assert "hpet: 1" in said, said
    assert re.search(r"clocksources: .*\bhpet\b", said)
    assert "hpet reads: hpet on" in said


def test_linux_finds_kvm_under_it(said):
    assert "hypervisor: Hypervisor detected: KVM" in said
