# SPDX-License-Identifier: Apache-2.0
"""Firmware and processor as a guest of somebody else's finds them, on this machine's own /dev/kvm."""
import os
import re
import signal
import subprocess
import time

import pytest

from host import B, DEADLINE, config, worker_alone

SEABIOS = "/usr/share/seabios/bios.bin"


def said_until(path, text, out):
    """What qvm with this file prints until it has printed `text`; then it is ended."""
    with open(out, "wb") as f:
        p = subprocess.Popen([f"{B}/qvm", f"@{path}"], stdin=subprocess.DEVNULL, stdout=f, stderr=f)
    end = time.monotonic() + DEADLINE
    try:
        while time.monotonic() < end and p.poll() is None:
            if text in out.read_text(errors="replace"):
                break
            time.sleep(0.05)
    finally:
        p.send_signal(signal.SIGQUIT)
        p.wait(DEADLINE)
    return out.read_text(errors="replace")


@pytest.mark.skipif(not os.path.exists(SEABIOS), reason="Debian's package seabios is not installed")
def test_seabios_starts_at_the_reset_vector_and_speaks_on_its_debug_port(tmp_path):
    path = tmp_path / "bios.qvmconf"
    path.write_text("\n".join([
        "ram 0,1m", "ram 1m,63m", "rom 0xfffe0000,0x20000", "vdev ioapic", "vdev 8259",
        "vdev timer8254", "vdev mc146818", "vdev pckeyboard", "vdev debugcon hostdev >-",
        f"guest load 0xfffe0000,{SEABIOS}"]) + "\n")
    said = said_until(path, "No bootable device", tmp_path / "said")
    assert said.startswith("SeaBIOS (version 1."), said
    assert "RamSize: 0x04000000 [cmos]" in said
    assert re.search(r"Found 1 cpu\(s\)", said)
    assert "No bootable device" in said


def test_a_guest_finds_kvms_leaves_first_and_then_our_own(tmp_path):
    path = tmp_path / "cpuid.qvmconf"
    path.write_text(config("cpuid.elf"))
    r = worker_alone(f"@{path}")
    assert "hypervisor bit: 1" in r.stdout, r
    assert "leaf 40000000 to 40000001: KVMKVMKVM" in r.stdout
    assert "leaf 40000100 to 40000101: qvm on Linux" in r.stdout
    assert "clock: 1" in r.stdout
    assert "safety: 0" in r.stdout


def test_the_hpet_ticks_as_often_as_it_is_told(tmp_path):
    path = tmp_path / "hpet.qvmconf"
    path.write_text(config("hpet.elf", "vdev ioapic", "vdev hpet"))
    r = worker_alone(f"@{path}")
    assert "hpet: 3 timers" in r.stdout, r
    assert "hpet: 20 ticks, none too early" in r.stdout
