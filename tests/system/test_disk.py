# SPDX-License-Identifier: Apache-2.0
"""virtio-blk under a bare-metal guest on /dev/kvm: every transport, every kind of interrupt."""
import os
import resource
import select
import subprocess
import time

import pytest

from host import B, DEADLINE, config, worker_alone

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


# --- a disk that fails under its guest: the guest is told, the VM lives, the status counts ---

class Obeying:
    """A lone VM whose guest does to one sector of its disk what it is told."""

    def __init__(self, tmp_path, disk, *options, sector=8, **popen):
        conf = tmp_path / "disk.qvmconf"
        conf.write_text(config("disk.elf", f'cmdline "then=obey sector={sector}"', "vdev ioapic",
                               f"vdev virtio-blk hostdev {disk} {' '.join(options)}")
                        .replace("hostdev >-", "hostdev -"))
        self.p = subprocess.Popen([f"{B}/qvm", f"@{conf}"], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, **popen)
        self.said = b""
        self.hears("disk: I listen")

    def hears(self, line):
        """The next line that the guest says."""
        end = time.monotonic() + DEADLINE
        while b"\n" not in self.said:
            ready = select.select([self.p.stdout], [], [], max(0, end - time.monotonic()))[0]
            piece = os.read(self.p.stdout.fileno(), 4096) if ready else b""
            if not piece:
                self.p.kill()
                raise AssertionError(f"{line!r} does not come: {self.p.communicate()}")
            self.said += piece
        said, self.said = self.said.split(b"\n", 1)
        assert said.decode().strip() == line

    def does(self, orders):
        """'w1' = a write whose status is 1."""
        for order in orders.split():
            self.p.stdin.write(order[:1].encode())
            self.p.stdin.flush()
            self.hears(f"disk: {order[0]} {order[1]}")
        return self

    def quits(self):
        said = self.p.communicate(b"q", timeout=DEADLINE)[1].decode()
        assert self.p.returncode == 0, said
        return said


@pytest.fixture
def obeying(tmp_path):
    there = []

    def begin(*args, **kw):
        there.append(Obeying(tmp_path, *args, **kw))
        return there[-1]
    yield begin
    for vm in there:
        vm.p.kill()
        vm.p.communicate()


@pytest.fixture
def small(tmp_path):
    """A file system of 256 KiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none", folder],
                                           check=False).returncode:
        pytest.skip("needs the right to mount a small tmpfs")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def sparse(path, size=1 << 20):
    with open(path, "wb") as f:
        f.truncate(size)
    return path


def fill(folder):
    filler = folder / "filler"
    with open(filler, "wb", buffering=0) as f, pytest.raises(OSError, match="No space"):
        while True:
            f.write(b"x" * 4096)
    return filler


def test_a_write_to_a_full_file_system_is_an_io_error_until_there_is_room(obeying, small):
    vm = obeying(sparse(small / "disk.img"))
    filler = fill(small)
    vm.does("r0 w1 w1 w1 f0 z1")
    filler.unlink()
    said = vm.does("w0 r0").quits()
    assert said.count("No space left on device") == 1, said


def test_an_image_that_somebody_cuts_short_is_an_io_error_and_no_crash(obeying, tmp_path):
    disk = sparse(tmp_path / "disk.img")
    vm = obeying(disk, "threads 2").does("w0 r0")
    os.truncate(disk, 0)
    said = vm.does("r1 f0 w0 r0").quits()  # a write makes it longer again
    assert f"disk '{disk}' does not give a read" in said, said
    assert disk.stat().st_size == 9 * SECTOR


def test_a_limit_of_file_sizes_is_an_io_error_and_no_signal(obeying, tmp_path):
    limit = 32 << 20  # above what its memory takes
    vm = obeying(sparse(tmp_path / "disk.img", 2 * limit), sector=limit // SECTOR,
                 preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
    said = vm.does("w1 r0").quits()
    assert "File too large" in said, said


@pytest.fixture
def loop(small):
    """A block device whose medium has no room."""
    r = subprocess.run(["losetup", "--find", "--show", sparse(small / "medium")], text=True,
                       capture_output=True, check=False)
    if r.returncode:
        pytest.skip(f"no loop devices here: {r.stderr.strip()}")
    fill(small)
    yield r.stdout.strip()
    subprocess.run(["losetup", "--detach", r.stdout.strip()], check=True)


def test_a_block_device_that_fails_is_an_io_error(obeying, loop):
    said = obeying(loop, "dio enable").does("r0 w1 r0").quits()
    assert f"disk '{loop}' does not take a write" in said, said


def test_what_the_hosts_cache_took_and_the_device_did_not_is_an_error_of_the_flush(obeying, loop):
    said = obeying(loop).does("w0 f1").quits()
    assert f"disk '{loop}' does not flush: " in said, said


def test_a_disk_on_a_read_only_file_system_is_refused_but_to_read(obeying, tmp_path, small):
    disk = sparse(small / "disk.img")
    subprocess.run(["mount", "-o", "remount,ro", small], check=True)
    conf = tmp_path / "disk.qvmconf"
    conf.write_text(config("disk.elf", f"vdev virtio-blk hostdev {disk}"))
    r = worker_alone(f"@{conf}")
    assert r.returncode == 64 and "Read-only file system" in r.stderr, r
    obeying(f"<{disk}").does("r0 w1 d1 z1").quits()


def test_the_status_counts_what_a_full_disk_refused_and_the_vm_runs_on(host, small):
    sparse(small / "disk.img")
    host.define("full", config("disk.elf", 'cmdline "then=obey"', "vdev ioapic",
                               f"vdev virtio-blk name store hostdev {small}/disk.img"))
    host.verb("full", "start")
    host.until_console("full", "I listen")
    filler = fill(small)
    for n in range(1, 4):
        host.request("POST", "/v1/vms/full/console", "w", {"Content-Type": "text/plain"})
        host.until(lambda n=n: host.console("full").count("disk: w 1") == n, f"refusal {n}")
    shown = host.get("/v1/vms/full/status").json
    assert [d["errors"] for d in shown["vdevs"] if d["name"] == "store"] == [3], shown
    assert shown["log"].count("No space left on device") == 1, shown["log"]
    filler.unlink()
    host.request("POST", "/v1/vms/full/console", "w", {"Content-Type": "text/plain"})
    host.until_console("full", "disk: w 0")
    vm = host.vm("full")
    assert (vm["observed"], vm["restarts"]) == ("running", 0), vm
