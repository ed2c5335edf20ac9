# SPDX-License-Identifier: Apache-2.0
"""Memory of the host, passed to a guest: who reaches it, who does not, and who owns it."""
import pytest

from host import Host, config, worker_alone

GPA = 0x10000000
PAGE = 4096


def board(guest, *loc, memory=GPA, lines=()):
    return config(guest, *lines, f'cmdline "memory={memory}"', "pass", *[f"loc {x}" for x in loc])


def alone(tmp_path, text, **kw):
    path = tmp_path / "guest.qvmconf"
    path.write_text(text)
    return worker_alone(f"@{path}", **kw)


@pytest.fixture
def shared(tmp_path):
    path = tmp_path / "shared.mem"
    path.write_bytes(b"\x11" * PAGE + b"\x22" * PAGE)
    return path


@pytest.fixture
def passing(tmp_path):
    """A supervisor that passes what lies in the test's folder."""
    with Host(**{"allow-pass": str(tmp_path)}) as h:
        yield h


def test_the_guest_reads_the_file_from_its_offset_and_the_file_has_what_it_writes(tmp_path, shared):
    r = alone(tmp_path, board("touch.elf", f"{GPA:#x},0x1000=file:shared.mem@0x1000"))
    assert r.returncode == 0, r
    assert f"memory read {GPA:x}: 22" in r.stdout, r
    assert shared.read_bytes() == b"\x11" * PAGE + b"\x5a" + b"\x22" * (PAGE - 1)


def test_a_write_to_what_is_passed_to_read_ends_the_guest_and_keeps_the_file(tmp_path, shared):
    r = alone(tmp_path, board("touch.elf", f"{GPA:#x},0x2000,r=file:shared.mem",
                              lines=["unsupported reference abort"]))
    assert r.returncode == 5, r
    assert f"memory read {GPA:x}: 11" in r.stdout, r
    assert shared.read_bytes() == b"\x11" * PAGE + b"\x22" * PAGE


def test_behind_the_last_passed_page_nobody_answers(tmp_path, shared):
    r = alone(tmp_path, board("touch.elf", f"{GPA:#x},0x1000=file:shared.mem", memory=GPA + PAGE,
                              lines=["unsupported reference abort"]))
    assert r.returncode == 5, r
    assert shared.read_bytes() == b"\x11" * PAGE + b"\x22" * PAGE


def test_a_file_that_is_too_short_is_refused_with_both_lengths(tmp_path, shared):
    r = alone(tmp_path, board("touch.elf", f"{GPA:#x},0x2000=file:shared.mem@0x1000"))
    assert r.returncode == 64, r
    assert "shared.mem" in r.stderr and "8192" in r.stderr and "truncate" in r.stderr


def test_what_is_no_regular_file_is_not_passed(tmp_path):
    r = alone(tmp_path, board("touch.elf", f"{GPA:#x},0x1000=file:/dev/zero"))
    assert r.returncode == 64, r
    assert "not a regular file" in r.stderr


def test_a_file_has_one_owner_supervised_or_alone(passing, tmp_path, shared):
    text = board("spin.elf", f"{GPA:#x},0x1000=file:{shared}")
    passing.define("first", text)
    passing.define("second", text, restart_budget=0)
    assert passing.verb("first", "start").status == 200
    second = passing.verb("second", "start")
    assert "has one owner" in second.text, second
    r = alone(tmp_path, text)
    assert r.returncode == 64 and "has one owner" in r.stderr, r
    assert passing.vm("first")["observed"] == "running"


def test_readers_share_a_file(passing, shared):
    text = board("spin.elf", f"{GPA:#x},0x1000,r=file:{shared}")
    for name in ("first", "second"):
        passing.define(name, text)
        assert passing.verb(name, "start").status == 200


def test_a_supervisor_passes_nothing_unless_its_settings_say_so(host, shared):
    text = board("touch.elf", f"{GPA:#x},0x1000=file:{shared}")
    answer = host.put("/v1/vms/guest", {"config": text})
    assert answer.status >= 400, answer
    assert "allow-pass" in answer.text and str(shared) in answer.text
