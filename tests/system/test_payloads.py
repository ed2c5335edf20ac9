# SPDX-License-Identifier: Apache-2.0
"""Guests of Debian's archive that are no Linux, in the full-instruction bed: vmm/REFERENCE.md, "Stock payloads"."""
import pytest

from host import bed_says


@pytest.fixture(scope="module")
def said():
    return bed_says("payloads")


def test_seabios_finds_the_pci_bus_and_boots_grub_from_a_virtio_blk_disk(said):
    assert "grub: PCI: init bdf=00:01.0 id=1af4:1042" in said, said
    assert "using modern (1.0) virtio mode" in said
    assert "GRUB boots from hd0 on i386-pc" in said
    assert "grub> " in said


def test_ipxe_is_refused_with_the_reason(said):
    assert "it speaks Linux boot protocol 2.07" in said
    assert "ipxe: ended with 64" in said
