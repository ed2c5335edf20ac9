# SPDX-License-Identifier: Apache-2.0
"""Guests of Debian's archive that are no Linux, in the full-instruction bed: vmm/REFERENCE.md, "Stock payloads"."""

BED = "payloads"


def test_seabios_finds_the_pci_bus_and_boots_grub_from_a_virtio_blk_disk(said):
    assert "grub: PCI: init bdf=00:01.0 id=1af4:1042" in said, said
    assert "using modern (1.0) virtio mode" in said
    assert "GRUB boots from hd0 on i386-pc" in said
    assert "grub> " in said


def test_ipxe_is_refused_with_the_reason(said):
    assert "it speaks Linux boot protocol 2.07" in said
    assert "ipxe: ended with 64" in said


def test_memtest_tests_the_memory_of_a_board_without_a_pci_bus_and_finds_no_error(said):
    assert "Memtest86+ v6.10" in said
    assert "[Moving inversions" in said, said
    assert "Errors: 0 " in said and "Failed!" not in said, said


def test_xen_comes_up_to_where_it_wants_its_first_guest(said):
    assert "xen: (XEN) Bootloader: qvm" in said, said
    assert "dom0 kernel not specified" in said, said
