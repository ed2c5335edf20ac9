# SPDX-License-Identifier: Apache-2.0
"""Guest dumps of a lone worker: an ELF core that gdb opens, by SIGUSR2 and by a watchdog."""
import glob
import os
import re
import shutil
import signal
import subprocess
import time

import pytest

from host import B, DEADLINE, GUESTS, config, worker_alone

NAME = re.compile(r"[a-z-]+-\d{8}-\d{6}(-[1-9])?\.gcore$")


def gdb(core, *commands):
    """What gdb says of a core, asked for each expression."""
    r = subprocess.run(["gdb", "-batch", "-nx", "-ex", f"core-file {core}",
                        *[x for c in commands for x in ("-ex", c)]],
                       text=True, capture_output=True, timeout=60, check=False)
    assert r.returncode == 0, r.stdout + r.stderr
    return r.stdout


def symbol(guest, name):
    nm = subprocess.run(["nm", f"{GUESTS}/{guest}"], text=True, capture_output=True, check=True)
    return int(next(x.split()[0] for x in nm.stdout.splitlines() if x.endswith(f" {name}")), 16)


def assert_marked(core):
    """The core of tests/guests/marked, wherever it came from."""
    said = gdb(core, "p/x $rip", "p/x $rsp", "p/x $rax", "p/x $rbx", "p/x $rcx", "p/x $rbp",
               "x/1xw 0x200000", "x/1xw $rsp", f"x/2xb {symbol('marked.elf', 'spin'):#x}", "p/x $cs")
    for line in (f"$1 = {symbol('marked.elf', 'spin'):#x}", "$2 = 0x200ffc", "$3 = 0xa11ce",
                 "$4 = 0xb0b", "$5 = 0xc0ffee", "$6 = 0xd00d1e", "0x600dcafe", "0x057acced"):
        assert line in said, said
    assert re.search(r"0xeb\s+0xfe", said), said


class Lone:
    """A lone worker that runs until it is told to stop."""

    def __init__(self, tmp_path, *lines, guest="marked.elf"):
        path = tmp_path / "guest.qvmconf"
        path.write_text("\n".join(lines[:1]) + "\n" + config(guest, *lines[1:]))
        self.log = open(tmp_path / "log", "w+", encoding="utf-8")
        self.p = subprocess.Popen([f"{B}/qvm", f"@{path}", "logger", "info,warn,error", "stderr"],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log,
                                  encoding="latin-1")
        while "marked" not in self.p.stdout.readline():
            assert self.p.poll() is None, self.said()
        assert self.p.stdout.read(1) == "\xce"  # its registers are as they stay

    def said(self):
        with open(self.log.name, encoding="utf-8") as f:
            return f.read()

    def until(self, condition, what):
        end = time.monotonic() + DEADLINE
        while not condition():
            assert time.monotonic() < end and self.p.poll() is None, what + "\n" + self.said()
            time.sleep(0.02)

    def dump(self, what="is dumped"):
        n = self.said().count(what)
        self.p.send_signal(signal.SIGUSR2)
        self.until(lambda: self.said().count(what) > n, what)

    def close(self):
        self.p.send_signal(signal.SIGQUIT)
        assert self.p.wait(DEADLINE) == 3, self.said()
        self.log.close()


def cores(folder):
    return sorted(glob.glob(f"{folder}/*.gcore"))


def test_sigusr2_dumps_a_core_that_gdb_opens_and_the_guest_goes_on(tmp_path):
    vm = Lone(tmp_path, "system brake", "dump .")
    vm.dump()
    vm.dump()
    vm.close()
    first, second = cores(tmp_path)
    assert os.path.basename(first).startswith("brake-") and NAME.search(first), first
    for core in (first, second):
        assert_marked(core)
    st = os.stat(first)
    assert st.st_size > 15 << 20 and st.st_blocks * 512 < 4 << 20, "zero pages are holes"
    assert st.st_mode & 0o77 == 0, "a guest's memory is its owner's"


def test_every_vcpu_is_a_thread_of_the_core(tmp_path):
    vm = Lone(tmp_path, "system two", "cpu", "cpu", "dump .")
    vm.dump()
    vm.close()
    assert "2 " in gdb(cores(tmp_path)[0], "info threads")


def test_a_clash_of_names_takes_a_number_and_after_nine_there_is_no_dump(tmp_path):
    vm = Lone(tmp_path, "", "dump .")
    vm.dump()
    assert os.path.basename(cores(tmp_path)[0]).startswith("qvm-guest-")
    for s in range(120):  # every name of the next two minutes is taken
        stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(time.time() + s))
        for clash in ("", *[f"-{n}" for n in range(1, 9)]):
            (tmp_path / f"qvm-guest-{stamp}{clash}.gcore").touch()
    vm.dump()
    numbered = [x for x in cores(tmp_path) if x.endswith("-9.gcore")]
    assert len(numbered) == 1, numbered
    assert_marked(numbered[0])
    for s in range(120):
        stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(time.time() + s))
        (tmp_path / f"qvm-guest-{stamp}-9.gcore").touch()
    vm.dump("are taken")
    vm.close()
    assert "remove old dumps" in vm.said()


def test_a_dump_is_piped_to_a_shell_command(tmp_path):
    vm = Lone(tmp_path, "system piped", f'dump "|gzip >{tmp_path}/core.gz"')
    vm.dump()
    vm.close()
    subprocess.run(["gunzip", f"{tmp_path}/core.gz"], check=True)
    assert_marked(f"{tmp_path}/core")


def test_a_command_that_fails_is_told_and_the_guest_goes_on(tmp_path):
    vm = Lone(tmp_path, "system piped", 'dump "|exit 7"')
    vm.dump("was not dumped")
    vm.close()
    assert "'exit 7', ended with status 7" in vm.said()


def test_a_full_disk_leaves_no_half_dump(tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8k", "none", small],
                                           check=False).returncode:
        pytest.skip("needs the right to mount a small tmpfs")
    try:
        vm = Lone(tmp_path, "system full", f"dump {small}")
        vm.dump("was not dumped")
        vm.close()
        assert "No space left" in vm.said(), vm.said()
        assert not os.listdir(small)
    finally:
        subprocess.run(["umount", "-l", small], check=True)


def test_a_folder_that_is_not_there_is_no_start(tmp_path):
    r = worker_alone("ram", "16m", "load", f"{GUESTS}/hello.elf", "dump", "/nowhere/at/all")
    assert r.returncode == 64 and "open the folder '/nowhere/at/all'" in r.stderr, r


def test_without_the_option_sigusr2_says_so(tmp_path):
    vm = Lone(tmp_path, "system none")
    vm.dump("the configuration has no `dump DIRECTORY`")
    vm.close()


def test_a_bite_dumps_before_it_ends_the_vm(tmp_path):
    path = tmp_path / "dog.qvmconf"
    path.write_text("system dog\n" + config("wdt.elf", "vdev wdt-ib700 action dump,terminate", 'cmdline "feed=0"', "dump ."))
    r = worker_alone(f"@{path}")
    assert r.returncode == 4, r
    assert "the guest is dumped" in r.stderr, r
    assert "rip" in gdb(cores(tmp_path)[0], "info registers rip")


def test_the_helper_ends_with_a_killed_worker(tmp_path):
    vm = Lone(tmp_path, "system killed", "dump .")
    helpers = subprocess.run(["pgrep", "-P", str(vm.p.pid)], text=True, capture_output=True, check=True)
    pid = int(helpers.stdout)
    vm.p.kill()
    vm.p.wait()
    end = time.monotonic() + DEADLINE
    while os.path.exists(f"/proc/{pid}") and time.monotonic() < end:
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            if f.read().rsplit(")", 1)[1].split()[0] == "Z":
                break
        time.sleep(0.02)
    else:
        assert not os.path.exists(f"/proc/{pid}")
    vm.log.close()


assert shutil.which("gdb"), "packaging/depends names gdb"
