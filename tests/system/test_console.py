# SPDX-License-Identifier: Apache-2.0
"""The virtio console and balloon, and the batched 8250, under the drivers of Debian's unmodified kernel in the bed."""
import re

from beds import complaints

BED = "console"


def test_linux_has_a_shell_on_its_virtio_console_by_rest_pty_and_socket(said):
    assert "tty: /dev/hvc0" in said
    for way in ("rest", "pty", "socket"):
        assert f"by {way}: 42" in said


def test_linux_loses_nothing_of_much_output_on_its_virtio_console(said):
    sums = dict(re.findall(r"sum (sent|got): (\w{32})", said))
    assert sums["sent"] == sums["got"]


def test_linux_has_no_complaint_about_its_virtio_devices(said):
    assert "drivers: 1" in said
    assert complaints(said) == []


def test_linux_prints_its_boot_on_a_batched_8250(said):
    assert "serial: 1 1" in said


def test_linux_gives_memory_back_by_its_balloon(said):
    assert re.search(r"memory: full \d+ MiB, given 64 MiB", said)
    assert "inflated: shrunk" in said
    assert "statistics: there" in said


def test_linux_reports_free_pages_and_has_sound_ones_when_it_uses_them_again(said):
    assert "reported: shrunk" in said
    sums = dict(re.findall(r"(again|still): (\w{32})", said))
    assert sums["again"] == sums["still"]
