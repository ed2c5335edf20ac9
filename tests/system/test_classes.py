# SPDX-License-Identifier: Apache-2.0
"""The four classes of access and what answers each: memory (RAM, ROM), pass-through, a vdev, nothing; in
every width, aligned and not, at the last byte and across the end, from one vCPU and from several.

The guest (tests/guests/classes.long.c) says what it saw; a model of a few lines says what is specified."""
import re

import pytest

from host import GUESTS, worker_alone

WIDTHS = (1, 2, 4, 8)
SPANS = {"ram": (0x2000000, 0x2000fff), "rom": (0x2010000, 0x2010fff), "nothing": (0x2020000, 0x2020fff),
         "vdev": (0x2030000, 0x2030007), "pass": (0x2040000, 0x2040fff), "pass-read": (0x2050000, 0x2050fff)}
PORTS = {"vdev": (0x2f8, 0x2ff), "nothing": (0x5000, 0x5007)}
CLASSES = list(SPANS)
# One instruction of 1, 2, 4 and 8 bytes, each with a return behind it.
NOPS = [b"\x90", b"\x66\x90", b"\x0f\x1f\x40\x00", b"\x0f\x1f\x84" + bytes(5)]
ROM = (b"".join((nop + b"\xc3").ljust(16, b"\x5a") for nop in NOPS).ljust(4096 - 9, b"\x5a")
       + NOPS[3] + b"\xc3")


def run(tmp_path, first, last, *, words="", policy="", cpus=1):
    rom = tmp_path / "rom.bin"
    rom.write_bytes(ROM)
    shared, shown = tmp_path / "shared.bin", tmp_path / "shown.bin"
    shared.write_bytes(bytes(4096))
    shown.write_bytes(ROM)
    path = tmp_path / "guest.qvmconf"
    path.write_text(f"""ram 0,0xa0000
ram 1m,15m
ram {SPANS['ram'][0]:#x},0x1000
rom {SPANS['rom'][0]:#x},0x1000
load {GUESTS}/classes.elf
data load {SPANS['rom'][0]:#x},{rom}
vdev ioapic loc 0xfec00000 intr apic name pic
vdev ser8250 hostdev >-
vdev ser8250 loc mem:{SPANS['vdev'][0]:#x} intr pic:5 hostdev >/dev/null
vdev ser8250 loc io:{PORTS['vdev'][0]:#x} intr pic:3 hostdev >/dev/null
pass loc {SPANS['pass'][0]:#x},0x1000,rw=file:{shared}
pass loc {SPANS['pass-read'][0]:#x},0x1000,r=file:{shown}
{"cpu " * cpus}
{policy}
cmdline "first={first} last={last} {words}"
""")
    return worker_alone(f"@{path}")


def answers(r):
    assert r.returncode == 0 and r.stdout.endswith("done\n"), r
    return dict(re.findall(r"^(\w\d \w+): (\S+)$", r.stdout, re.M))


class Byte:
    """Who has one byte of the board's memory."""

    def __init__(self, name, value):
        self.name, self.value = name, value

    def permits(self, is_write):
        return self.name in ("ram", "pass") or self.name in ("rom", "pass-read") and not is_write


class Model:
    def __init__(self):
        self.byte = {}
        for name, (base, last) in SPANS.items():
            if name in ("rom", "pass-read"):
                self.byte.update({base + i: Byte(name, ROM[i]) for i in range(last - base + 1)})
            if name in ("ram", "pass"):
                self.byte.update({a: Byte(name, 0) for a in range(base, last + 1)})

    def at(self, address):
        return self.byte.get(address, Byte("nothing", 0xff))

    def read(self, address, width):
        return sum(self.at(address + i).value << 8 * i for i in range(width))

    def write(self, address, width):
        for i in range(width):
            if self.at(address + i).permits(True):
                self.byte[address + i].value = 0xa5

    def permits(self, address, width, is_write):
        return all(self.at(address + i).permits(is_write) for i in range(width))


def places(first, last, width):
    yield "aligned", first
    yield "odd", first + 1
    yield "end", last + 1 - width
    if width > 1:
        yield "over", last + 2 - width


def expected(name, policy):
    """What the guest says of a class, in the order in which it tries."""
    first, last = SPANS[name]
    model, want = Model(), {}
    for place in ("aligned", "odd", "end", "over"):
        for width in WIDTHS:
            at = dict(places(first, last, width)).get(place)
            if at is None:
                continue
            may_read, may_write = (policy == "ignore" or model.permits(at, width, w) for w in (False, True))
            want[f"r{width} {place}"] = f"{model.read(at, width):x}" if may_read else "#GP"
            want[f"w{width} {place}"] = "returned" if may_write else "#GP"
            if may_write:
                model.write(at, width)
            want[f"b{width} {place}"] = f"{model.read(at, width):x}" if may_read else "#GP"
    return want


@pytest.mark.parametrize("policy", ["ignore", "fail"])
@pytest.mark.parametrize("name", ["ram", "rom", "pass", "pass-read", "nothing"])
def test_memory_and_its_absence_answer_every_access_as_specified(tmp_path, name, policy):
    r = run(tmp_path, *SPANS[name], policy=f"unsupported reference {policy}")
    assert answers(r) == expected(name, policy)


@pytest.mark.parametrize("policy", ["ignore", "fail"])
def test_a_vdev_answers_its_own_widths_and_nothing_else_of_its_place(tmp_path, policy):
    """An 8250 in memory has byte registers: transmitter, interrupt enable (low four bits), scratch."""
    said = answers(run(tmp_path, *SPANS["vdev"], policy=f"unsupported reference {policy}"))
    bytes_ = {"aligned": ("0", "0"), "odd": ("0", "5"), "end": ("0", "a5")}
    for place, (before, after) in bytes_.items():
        assert said.pop(f"r1 {place}") == before
        assert said.pop(f"w1 {place}") == "returned"
        assert said.pop(f"b1 {place}") == after
    for what, answer in said.items():
        ones = "f" * 2 * int(what[1])
        denied = "#GP" if policy == "fail" else "returned" if what[0] == "w" else ones
        assert answer == denied, what


@pytest.mark.parametrize("policy", ["ignore", "fail"])
def test_ports_that_nobody_answers_follow_the_policy(tmp_path, policy):
    said = answers(run(tmp_path, *PORTS["nothing"], words="space=port", policy=f"unsupported reference {policy}"))
    assert said
    for what, answer in said.items():
        ones = "f" * 2 * int(what[1])
        assert answer == ("#GP" if policy == "fail" else "returned" if what[0] == "w" else ones), what


def test_a_wide_port_access_is_taken_apart_and_its_part_beyond_the_vdev_reads_as_ones(tmp_path):
    said = answers(run(tmp_path, *PORTS["vdev"], words="space=port"))
    assert said["b1 end"] == "a5"
    assert said["r2 over"] == "ffa5" and said["b2 over"] == "ffa5"
    assert said["r4 over"].startswith("ffa5") and len(said["r4 over"]) == 8


def test_a_wide_port_access_across_the_end_of_a_vdev_is_a_fault_under_fail(tmp_path):
    said = answers(run(tmp_path, *PORTS["vdev"], words="space=port", policy="unsupported reference fail"))
    assert said["b1 end"] == "a5"
    assert [said[f"{op}{width} over"] for op in "rwb" for width in (2, 4)] == ["#GP"] * 6


@pytest.mark.parametrize("place", ["aligned", "odd", "end", "over"])
@pytest.mark.parametrize("op", ["r1", "r2", "r4", "r8", "w1", "w2", "w4", "w8"])
@pytest.mark.parametrize("name", CLASSES)
def test_abort_ends_the_vm_at_the_first_access_that_is_not_permitted(tmp_path, name, op, place):
    width, is_write = int(op[1]), op[0] == "w"
    at = dict(places(*SPANS[name], width)).get(place)
    if at is None:
        return  # one byte cannot lie across a border
    r = run(tmp_path, *SPANS[name], words=f"op={op}{place}", policy="unsupported reference abort")
    if width == 1 if name == "vdev" else Model().permits(at, width, is_write):
        assert r.returncode == 0 and f"{op} {place}: " in r.stdout, r
    else:
        assert r.returncode == 5, r
        assert re.search(rf"{'write' if is_write else 'read'} of \d bytes? (to|from) memory 0x\w+, wh", r.stderr), r


@pytest.mark.parametrize("name", CLASSES)
def test_several_vcpus_at_once_get_the_same_answers(tmp_path, name):
    r = run(tmp_path, *SPANS[name], cpus=4)
    assert "4 vCPUs at once: 0 answers differ\n" in r.stdout, r


@pytest.mark.parametrize("name", ["ram", "rom", "pass", "pass-read"])
def test_memory_executes_instructions_of_every_length_up_to_its_last_byte(tmp_path, name):
    words = "do=x" + (" code=write" if name in ("ram", "pass") else "")
    said = answers(run(tmp_path, *SPANS[name], words=words))
    assert len(said) == (8 if name in ("ram", "pass") else 5) and set(said.values()) == {"returned"}


@pytest.mark.parametrize("name", ["nothing", "vdev"])
def test_what_is_no_memory_executes_nothing(tmp_path, name):
    said = answers(run(tmp_path, *SPANS[name], words="do=x"))
    assert said and set(said.values()) == {"#UD"}
    for policy in ("abort", "ignore"):  # an instruction that cannot be read has no length to skip
        r = run(tmp_path, *SPANS[name], words="do=x", policy=f"unsupported instruction {policy}")
        assert r.returncode == 5 and "instruction" in r.stderr, r
