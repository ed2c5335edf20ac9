# SPDX-License-Identifier: Apache-2.0
"""What opens the host's files may hang; the supervisor and other VMs do not."""
import ctypes
import os
import threading

import pytest

from host import GUESTS, children, config

LIBC = ctypes.CDLL(None, use_errno=True)
MNT_DETACH = 2


class Dead:
    """A file system that takes requests and answers none, put over a folder."""

    def __init__(self, folder):
        self.folder = str(folder).encode()
        self.fuse = os.open("/dev/fuse", os.O_RDWR)
        options = f"fd={self.fuse},rootmode=40000,user_id=0,group_id=0,allow_other".encode()
        if LIBC.mount(b"dead", self.folder, b"fuse", 0, options) < 0:
            raise OSError(ctypes.get_errno(), "mount a FUSE file system")

    def close(self):
        os.close(self.fuse)
        LIBC.umount2(self.folder, MNT_DETACH)


def openers(host):
    """Processes of qvmd's own program below it."""
    found = []
    for pid in children(host.process.pid):
        try:
            if os.path.basename(os.readlink(f"/proc/{pid}/exe")) == "qvmd":
                found.append(pid)
        except FileNotFoundError:
            pass  # gone meanwhile
    return found


@pytest.fixture
def image(tmp_path):
    """A guest's image in a folder of its own."""
    folder = tmp_path / "share"
    folder.mkdir()
    copy = folder / "hello.elf"
    with open(f"{GUESTS}/hello.elf", "rb") as f:
        copy.write_bytes(f.read())
    return copy


@pytest.mark.skipif(not os.path.exists("/dev/fuse"), reason="this machine has no FUSE")
def test_a_file_system_that_does_not_answer_costs_its_own_vm_alone(host, image):
    text = config("hello.elf").replace(f"{GUESTS}/hello.elf", str(image))
    host.define("stuck", text, start_timeout_ms=1000, on_failure="stop")
    host.define("other", config("hello.elf"))
    dead = Dead(image.parent)
    answers = []
    asking = threading.Thread(target=lambda: answers.append(host.put("/v1/vms/new", {"config": text})))
    try:
        asking.start()
        host.verb("stuck", "start", wait=None)
        host.until(lambda: len(openers(host)) == 2, "both are being opened")
        # Meanwhile nobody else waits.
        assert host.verb("other", "start").json["state"] == "done"
        host.until_console("other", "Hello")
        assert host.vm("stuck")["observed"] in ("starting", "safe")
        vm = host.until_vm("stuck", observed="safe")
        assert vm["cause"] == "start-timeout"
        assert str(image) in vm["reason"] and "had not been opened" in vm["reason"], vm
        asking.join()
        assert answers[0].status >= 400 and "does not answer" in answers[0].text, answers
    finally:
        dead.close()
    host.until(lambda: not openers(host), "nothing is left of them")
    host.verb("stuck", "release")
    host.define("stuck", text, on_failure="stop")
    assert host.verb("stuck", "start").json["state"] == "done"


def test_nothing_of_the_opening_is_left_when_a_vm_runs(host):
    host.define("hello", config("hello.elf"))
    for _ in range(20):
        assert host.verb("hello", "start").json["state"] == "done"
        host.verb("hello", "kill")
    assert host.verb("hello", "start").json["state"] == "done"
    host.until(lambda: not openers(host), "nothing is left of them")
