# SPDX-License-Identifier: Apache-2.0
"""The worker by itself, from a shell: words, diagnostics, exit statuses, signals."""
import fcntl
import json
import os
import signal
import subprocess
import sys
import termios
import time

import pytest

from host import B, DEADLINE, EXAMPLES, config, worker_alone


def write(tmp_path, text):
    path = tmp_path / "guest.qvmconf"
    path.write_text(text)
    return f"@{path}"


def test_hello_prints_its_greeting_and_exits_0():
    r = worker_alone(f"@{EXAMPLES}/hello.qvmconf")
    assert r.returncode == 0, r
    assert "Hello" in r.stdout


def test_relative_paths_resolve_against_the_file(tmp_path):
    r = worker_alone(f"@{EXAMPLES}/hello.qvmconf", cwd=tmp_path)
    assert r.returncode == 0, r


def test_three_faults_give_three_diagnostics_with_carets_and_65(tmp_path):
    conf = write(tmp_path, "ram 1000\nlaod kernel\nvdev ser8251\n")
    r = worker_alone(conf)
    assert r.returncode == 65, r
    assert r.stderr.count(": error: ") == 3, r.stderr
    assert r.stderr.count("^") >= 3, r.stderr
    assert "guest.qvmconf:2:1: error:" in r.stderr
    assert "load" in r.stderr and "ser8250" in r.stderr


def test_diagnostics_as_json(tmp_path):
    r = worker_alone("--json", write(tmp_path, "ram 1000\nlaod kernel\n"))
    assert r.returncode == 65
    found = json.loads(r.stdout)["diagnostics"]
    assert [d["line"] for d in found] == [1, 2]
    assert all(d["severity"] == "error" and d["what"] and d["hint"] for d in found)


def test_a_file_name_that_is_no_text_is_a_finding_all_the_same():
    r = worker_alone("--json", b"@/nonexistent/\xff")
    assert r.returncode == 65
    assert "No such file" in json.loads(r.stdout)["diagnostics"][0]["what"], r


def test_dryrun_prints_the_plan_and_exits_0():
    r = worker_alone(f"@{EXAMPLES}/hello.qvmconf", "dryrun")
    assert r.returncode == 0, r
    assert "ser8250" in r.stdout and "hello" in r.stdout
    assert "Hello," not in r.stdout


@pytest.mark.parametrize("guest,option,code,says", [
    ("poweroff.elf", "", 0, "ACPI S5"),
    ("reboot.elf", "", 0, "i8042"),
    ("reboot.elf", 'cmdline "by=port92"', 0, "port 0x92"),
    ("reboot.elf", 'cmdline "by=cf9"', 0, "0xcf9"),
    ("triple.elf", "", 7, "triple"),
    ("greeting16.bin", "", 0, ""),
    ("greeting32.elf", "", 0, ""),
    ("greeting64.elf", "", 0, ""),
])
def test_each_end_has_its_exit_status(tmp_path, guest, option, code, says):
    r = worker_alone(write(tmp_path, config(guest, option, "vdev pckeyboard")))
    assert r.returncode == code, r
    assert says in r.stderr


def test_unmapped_memory_reads_all_ones_by_default_and_ends_with_5_on_abort(tmp_path):
    r = worker_alone(write(tmp_path, config("touch.elf")))
    assert r.returncode == 0, r
    assert "memory read d0000000: ff\n" in r.stdout, r
    assert "port read 5000: ffffffff\n" in r.stdout, r
    r = worker_alone(write(tmp_path, config("touch.elf", "unsupported reference abort")))
    assert r.returncode == 5, r
    assert "d0000000" in r.stderr, r
    r = worker_alone(write(tmp_path, config("touch.elf", "unsupported reference fail")))
    assert r.returncode == 0, r
    assert "memory read d0000000: #" in r.stdout, r


def test_the_8259_pair_works_as_one_vdev_and_as_two(tmp_path):
    for pair in (["vdev 8259"], ["vdev 8259 loc 0x20", "vdev 8259 loc 0xa0"]):
        r = worker_alone(write(tmp_path, config("hello.elf", *pair)))
        assert r.returncode == 0 and "Hello" in r.stdout, r


class Running:
    """A lone VM whose guest has said so and runs for ever."""

    def __init__(self, tmp_path, *lines, guest="spin.elf", says="spinning"):
        self.says = says
        self.p = subprocess.Popen([f"{B}/qvm", write(tmp_path, config(guest, *lines)), "logger", "info,warn,error", "stderr"],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def __enter__(self):
        self.until(self.p.stdout, self.says)
        return self

    def until(self, stream, text):
        while text not in (line := stream.readline()):
            assert line, f"it ended before {text!r}"

    def __exit__(self, *_):
        self.p.kill()
        self.p.communicate()


def test_sigquit_cuts_the_power_with_3(tmp_path):
    with Running(tmp_path) as vm:
        vm.p.send_signal(signal.SIGQUIT)
        assert vm.p.wait(DEADLINE) == 3


def test_a_terminal_that_hangs_up_does_not_end_the_vm(tmp_path):
    with Running(tmp_path) as vm:
        vm.p.send_signal(signal.SIGHUP)
        vm.p.send_signal(signal.SIGQUIT)  # heard later
        assert vm.p.wait(DEADLINE) == 3


def test_a_console_that_nobody_reads_does_not_keep_the_vm(tmp_path):
    conf = write(tmp_path, config("flood.elf").replace("hostdev >-", "hostdev -"))
    out, into = os.pipe()
    fcntl.fcntl(into, fcntl.F_SETPIPE_SZ, 4096)
    p = subprocess.Popen([f"{B}/qvm", conf], stdin=subprocess.PIPE, stdout=into, stderr=subprocess.DEVNULL)
    os.close(into)
    full = bytearray(4)
    end = time.monotonic() + DEADLINE
    while int.from_bytes(full, sys.byteorder) < 4096 and time.monotonic() < end:
        time.sleep(0.05)
        fcntl.ioctl(out, termios.FIONREAD, full)
    time.sleep(0.2)  # its serial port now tells the guest to wait
    p.send_signal(signal.SIGQUIT)
    try:
        assert p.wait(DEADLINE) == 3
    finally:
        p.kill()
        p.wait()
        p.stdin.close()
        os.close(out)


def test_a_second_sigterm_ends_what_the_first_did_not(tmp_path):
    with Running(tmp_path, 'cmdline "do=deaf after=0"', guest="faulty.elf", says="deaf to it") as vm:
        vm.p.send_signal(signal.SIGTERM)
        vm.until(vm.p.stderr, "a second signal ends the VM at once")
        assert vm.p.poll() is None
        vm.p.send_signal(signal.SIGTERM)
        assert vm.p.wait(DEADLINE) == 3


def test_the_first_sigterm_ends_a_guest_that_does_not_listen_to_its_button(tmp_path):
    with Running(tmp_path) as vm:
        vm.p.send_signal(signal.SIGTERM)
        assert vm.p.wait(DEADLINE) == 3
        vm.until(vm.p.stderr, "does not listen to its power button")


def test_a_missing_image_is_named_with_what_to_do(tmp_path):
    r = worker_alone(write(tmp_path, "ram 1m\nload /nonexistent/kernel\n"))
    assert r.returncode in (64, 65), r
    assert "/nonexistent/kernel" in r.stderr and "No such file" in r.stderr


def test_a_wrong_acpi_table_is_refused_with_the_reason(tmp_path):
    good = b"SSDT" + (36).to_bytes(4, "little") + b"\2\0" + b"QVM   TEST    ".ljust(26, b"\0")
    good = good[:9] + bytes([-sum(good) & 0xff]) + good[10:]
    (tmp_path / "good.aml").write_bytes(good)
    (tmp_path / "bad.aml").write_bytes(good[:20] + b"x" + good[21:])
    ok = worker_alone(write(tmp_path, config("hello.elf", "acpi load good.aml")))
    assert ok.returncode == 0 and "Hello" in ok.stdout, ok
    bad = worker_alone(write(tmp_path, config("hello.elf", "acpi load bad.aml")))
    assert bad.returncode == 64 and "its checksum is wrong" in bad.stderr, bad


def test_a_missing_configuration_is_named():
    r = worker_alone("@/nonexistent.qvmconf")
    assert r.returncode == 65, r
    assert "/nonexistent.qvmconf" in r.stderr


def test_no_arguments_print_help_and_exit_nonzero():
    r = worker_alone()
    assert r.returncode != 0
    assert "@FILE" in r.stderr + r.stdout


def test_a_file_named_without_its_at_sign_is_recognised():
    r = worker_alone("guest.qvmconf")
    assert r.returncode == 65 and "@guest.qvmconf" in r.stderr, r


def test_output_that_cannot_be_written_is_no_success():
    with open("/dev/full", "w", encoding="ascii") as full:
        r = subprocess.run([f"{B}/qvm", "help"], stdout=full, stderr=subprocess.PIPE, text=True,
                           check=False)
    assert r.returncode == 64 and "No space left" in r.stderr, r


def test_a_guest_drives_virtio_entropy_by_a_moved_bar_and_resets_it_after_a_fault(tmp_path):
    r = worker_alone(write(tmp_path, config("virtio.elf", "vdev pci-dummy", "vdev virtio-entropy")))
    assert r.returncode == 0, r
    assert "virtio: found at device 2, BAR 0 of 16384 bytes" in r.stdout
    assert "virtio: 1 used of 64 bytes, random" in r.stdout
    assert "virtio: after an endless chain the device needs a reset" in r.stdout
    assert "virtio: after its reset the status is 0, the queue off" in r.stdout
    assert r.stderr.count("a chain that never ends") == 1


def test_a_disk_has_one_writer_and_is_free_again_after_its_end(tmp_path):
    disk = tmp_path / "disk.img"
    disk.write_bytes(bytes(4096))
    with Running(tmp_path, f"vdev virtio-blk hostdev {disk}"):
        for form in (disk, f"<{disk}"):
            second = worker_alone(write(tmp_path, config("poweroff.elf", f"vdev virtio-blk hostdev {form}")))
            assert second.returncode == 64, second
            assert "is in use" in second.stderr and "disk.img" in second.stderr
    third = worker_alone(write(tmp_path, config("poweroff.elf", f"vdev virtio-blk hostdev {disk}")))
    assert third.returncode == 0, third
