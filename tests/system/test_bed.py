# SPDX-License-Identifier: Apache-2.0
"""The full-instruction bed itself: what does not come to its end in it says what it was doing."""
import re
import signal
import threading
import time

import pytest

from beds import OUT_OF_TIME, STANDS_STILL, Beds
from host import DEADLINE, is_alive


def lie(beds, tmp_path, text, *options):
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\n" + text)
    return beds.run("bed", *options, str(script))


@pytest.mark.bed
def test_a_script_that_hangs_is_ended_with_what_each_process_waits_in(beds, tmp_path):
    r = lie(beds, tmp_path, "echo begun\nyes >/dev/null &\nsleep 1000\n", "-t", "4")
    assert r.returncode == OUT_OF_TIME
    assert r.stdout == "begun\n"
    assert re.search(r"^bed: not done after 4 s; its kernel lives, it beat \d+ times$", r.stderr, re.M)
    assert re.search(r"^  \d+ +sleep +state:S .*nanosleep", r.stderr, re.M), r.stderr
    assert re.search(r"^  \d+ +script +state:S .*wait", r.stderr, re.M), r.stderr


@pytest.mark.bed
def test_a_bed_that_stands_still_is_told_from_a_script_that_hangs(beds, tmp_path):
    # The processes of bed-init beat; without them it looks like a kernel that runs none.
    r = lie(beds, tmp_path, "kill -STOP $(pidof init | tr ' ' '\\n' | grep -vx 1)\nyes >/dev/null &\nsleep 1000\n", "-s", "10")
    assert r.returncode == STANDS_STILL
    assert "stands still since 10 s" in r.stderr
    assert re.search(r"^  \d+ +init +state:T", r.stderr, re.M), r.stderr


def test_at_an_early_end_of_the_tests_a_bed_ends_with_all_that_it_has_started(tmp_path):
    script, child = tmp_path / "script", tmp_path / "child"
    script.write_text(f"#!/bin/sh\nsleep 100 &\necho $! >{child}.new\nmv {child}.new {child}\nwait\n")
    script.chmod(0o755)
    beds, end = Beds(), time.monotonic() + 2 * DEADLINE
    beds.prepare([str(script)])
    while not child.exists():
        assert time.monotonic() < end, "the script does not begin"
        time.sleep(0.01)
    closing = threading.Thread(target=beds.close)
    closing.start()
    closing.join(DEADLINE)
    assert not closing.is_alive()
    while is_alive(int(child.read_text())):  # it has let go of its pipes, and is about to be gone
        assert time.monotonic() < end, "what the script has started lives on"
        time.sleep(0.01)
    assert beds.said[str(script)].result()[1].returncode == -signal.SIGTERM
