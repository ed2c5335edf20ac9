# SPDX-License-Identifier: Apache-2.0
"""A dry run by a lone qvm: what it asks of the host, how it says so, and that it changes nothing."""
import fcntl
import json
import os
import re
import struct

import pytest

from host import GUESTS, worker_alone

FIRST = "ram 1M\nload 0x1000,guest.bin\n"


@pytest.fixture(name="folder")
def _folder(tmp_path):
    (tmp_path / "guest.bin").write_bytes(b"\xf4" * 4096)
    return tmp_path


def dryrun(folder, text, *words):
    (folder / "guest.qvmconf").write_text(FIRST + text)
    return worker_alone(*words, f"@{folder}/guest.qvmconf", "dryrun")


def test_dryrun_of_files_that_are_there_prints_the_plan_and_makes_none(folder):
    (folder / "disk.img").write_bytes(bytes(65536))
    r = dryrun(folder, "vdev virtio-blk hostdev disk.img vdev debugcon hostdev >out.txt\n"
                       "vdev ser8250 hostdev unix:line.sock\ndump .\n")
    assert r.returncode == 0 and "Exiting: dryrun completed" in r.stdout, r
    assert sorted(os.listdir(folder)) == ["disk.img", "guest.bin", "guest.qvmconf"]


def test_dryrun_marks_the_word_of_each_file_that_a_start_would_not_get_and_exits_64(folder):
    r = dryrun(folder, "initrd load missing/initrd.gz\n"
                       "vdev virtio-blk\n\thostdev <disk.img\n"
                       "vdev ser8250 hostdev >away/out.txt\n"
                       "dump dumps\n")
    assert r.returncode == 64, r
    said = r.stderr.replace(f"{folder}/", "")
    for line, column, what, word in [
            (3, 13, "open image 'missing/initrd.gz': No such file", "missing/initrd.gz"),
            (5, 11, "open 'disk.img' to read: No such file", "disk.img"),
            (6, 23, "make 'away/out.txt' in the folder 'away': No such file", "away/out.txt"),
            (7, 6, "write into the folder 'dumps': No such file", "dumps")]:
        assert f"guest.qvmconf:{line}:{column}: error: {what}" in said, (line, r.stderr)
        assert "^" + "~" * (len(word) - 1) + "\n" in said, r.stderr
    assert said.count(": error: ") == 4 and "4 errors" in said, r.stderr
    assert "hint: a start would end so; `qvm --no-host ...`" in said


def test_dryrun_as_json_has_the_findings_about_the_host(folder):
    r = dryrun(folder, "vdev virtio-blk hostdev disk.img\n", "--json")
    said = json.loads(r.stdout)
    assert r.returncode == 64 and not said["valid"] and said["plan"] is None, r
    assert [(d["line"], d["column"], d["length"]) for d in said["diagnostics"]] == [(3, 25, 8)]


def test_no_host_leaves_the_files_out_of_a_dryrun(folder):
    r = dryrun(folder, "vdev virtio-blk hostdev disk.img\ndump dumps\n", "--no-host")
    assert r.returncode == 0 and "disk.img" in r.stdout, r


def test_dryrun_asks_the_host_nothing_about_a_wrong_configuration(folder):
    r = dryrun(folder, "vdev virtio-blk hostdev disk.img\nvdev ser8251\n")
    assert r.returncode == 65 and "1 error" in r.stderr and "disk.img'" not in r.stderr, r


@pytest.mark.parametrize("option,says", [
    ("data load 0xff800,guest.bin", "has 4K, its place in guest memory 2K"),
    ("data load 0x2000,empty.bin", "image '{}/empty.bin' is empty"),
    ("data load 0x2000,.", "is not a regular file"),
    ("vdev virtio-blk hostdev .", "Is a directory"),
    ("vdev virtio-blk hostdev /dev/null", "'/dev/null' is neither a file nor a block device"),
    ("vdev ser8250 hostdev >.", "is a folder, not a file to write"),
])
def test_dryrun_finds_a_file_of_the_wrong_kind_or_size(folder, option, says):
    (folder / "empty.bin").write_bytes(b"")
    r = dryrun(folder, option + "\n")
    assert r.returncode == 64 and says.format(folder) in r.stderr, r


@pytest.mark.parametrize("option,line,word", [
    ("load short.elf", 3, "short.elf"),                # its segments are beyond its end
    ("load whole.elf", 3, "whole.elf"),                # its segments are beyond the board's memory
    ("initrd load 0x40000,guest.bin", 1, None),        # nobody would tell the guest of it
    ("acpi load guest.bin", 3, "guest.bin"),           # it is no table
    ("data load 0x2000,guest.bin\ndata load 0x2800,guest.bin", 4, "guest.bin"),
])
def test_dryrun_loads_the_images_and_says_what_a_start_would(folder, option, line, word):
    with open(f"{GUESTS}/hello.elf", "rb") as f:
        whole = f.read()
    (folder / "whole.elf").write_bytes(whole)
    (folder / "short.elf").write_bytes(whole[:100])
    r = dryrun(folder, option + "\n")
    assert r.returncode == 64 and r.stderr.count(": error: ") == 1, r
    told = re.search(r"^(?:.*?:(\d+):\d+|.*qvmconf): error: (.*)$", r.stderr, re.M)
    if word:
        assert int(told[1]) == line and "^" + "~" * (len(word) - 1) + "\n" in r.stderr, r.stderr
    started = worker_alone(f"@{folder}/guest.qvmconf")
    assert started.returncode == 64 and told[2] in started.stderr, (r.stderr, started.stderr)
    assert dryrun(folder, option + "\n", "--no-host").returncode == 0


def test_dryrun_finds_host_cpus_that_are_not_there(folder):
    r = dryrun(folder, "cpu runmask 0 cpu runmask 1022,1023\n")
    assert r.returncode == 64 and "vCPU 1 (line 3): none of the host CPUs 1022-1023 is there" in r.stderr, r
    r = dryrun(folder, "cpu runmask 0,1022-1023\n")
    assert r.returncode == 64 and "its host CPUs 1022-1023 are not there" in r.stderr, r


def test_dryrun_finds_a_priority_that_the_host_does_not_permit(folder):
    foretold = dryrun(folder, "cpu sched 10f\n")
    started = worker_alone(f"@{folder}/guest.qvmconf")
    assert ("ulimit -r 10" in foretold.stderr) == ("ulimit -r 10" in started.stderr), (foretold, started)
    assert foretold.returncode == (64 if "ulimit -r 10" in started.stderr else 0), foretold


def test_dryrun_finds_a_disk_that_another_vm_has_and_leaves_it_to_it(folder):
    (folder / "disk.img").write_bytes(bytes(65536))
    lock = struct.pack("hhqqhh", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0, 0)
    with open(folder / "disk.img", "r+b") as disk:
        fcntl.fcntl(disk, fcntl.F_OFD_SETLK, lock)
        r = dryrun(folder, "vdev virtio-blk hostdev disk.img\n")
        assert r.returncode == 64 and "disk.img' is in use" in r.stderr, r
    r = dryrun(folder, "vdev virtio-blk hostdev disk.img\n")
    assert r.returncode == 0, r


def test_dryrun_finds_one_disk_of_two_names(folder):
    (folder / "disk.img").write_bytes(bytes(65536))
    (folder / "link.img").symlink_to("disk.img")
    board = "vdev virtio-blk hostdev disk.img\nvdev virtio-blk hostdev {}link.img\n"
    r = dryrun(folder, board.format(""))
    assert r.returncode == 64 and "link.img' is taken by `vdev virtio-blk` of line 3" in r.stderr, r
    assert worker_alone(f"@{folder}/guest.qvmconf").returncode == 64
    assert dryrun(folder, board.format("<").replace("hostdev disk", "hostdev <disk")).returncode == 0


def test_a_start_ends_with_the_status_that_dryrun_has_foretold(folder):
    assert dryrun(folder, "vdev virtio-blk hostdev disk.img\n").returncode == 64
    r = worker_alone(f"@{folder}/guest.qvmconf")
    assert r.returncode == 64 and "disk.img" in r.stderr, r
