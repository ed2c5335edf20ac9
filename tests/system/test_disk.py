# SPDX-License-Identifier: Apache-2.0
"""virtio-blk under a bare-metal guest on /dev/kvm: every transport, every kind of interrupt."""
import pytest

from host import config, worker_alone

SECTOR = 512
TRANSPORTS = {
    "mmio": ("loc mem:0xd0000000 intr ioapic:5", "at=3489660928 line=5"),
    "intx": ("", "by=intx"),
    "msix": ("", "by=msix"),
}


def run(tmp_path, transport, *options, disk=None):
    disk = disk or tmp_path / "disk.img"
    if not disk.exists():
        disk.write_bytes(b"".join(bytes([n]) * SECTOR for n in range(16)))
    place, cmdline = TRANSPORTS[transport]
    conf = tmp_path / "disk.qvmconf"
    conf.write_text(config("disk.elf", f'cmdline "{cmdline}"', "vdev ioapic",
                           f"vdev virtio-blk hostdev {disk} {place} {' '.join(options)}"))
    return disk, worker_alone(f"@{conf}")


@pytest.mark.parametrize("options", [(), ("threads 4",), ("threads 32", "dio enable")], ids=" ".join)
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_guest_reads_writes_discards_and_zeroes_its_disk(tmp_path, transport, options):
    disk, r = run(tmp_path, transport, *options)
    assert r.returncode == 0, r
    said = r.stdout.splitlines()
    for line in ("read 0, 0 wrong", "write 0", "flush 0", "discard 0", "zeroes 0",
                 "zeroes read 0, 0 wrong", "beyond its end 1", "7 used, 7 interrupts"):
        assert f"disk: {line}" in said, r
    after = disk.read_bytes()
    assert len(after) == 16 * SECTOR
    assert after[2 * SECTOR:3 * SECTOR] == b"\xab" * SECTOR
    assert after[5 * SECTOR:6 * SECTOR] == bytes(SECTOR)
    assert after[6 * SECTOR:7 * SECTOR] == b"\x06" * SECTOR


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_guest_that_breaks_its_disk_has_it_back_by_a_reset(tmp_path, transport):
    _, r = run(tmp_path, transport)
    assert r.returncode == 0, r
    said = r.stdout.splitlines()
    assert said.index("disk: it needs a reset") < said.index("disk: read after it 0, 0 wrong")
    assert r.stderr.count("without a head or a status") == 1
