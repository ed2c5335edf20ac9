# SPDX-License-Identifier: Apache-2.0
"""Fixtures: a fresh host per test, and proof that each test leaves nothing behind."""
import os
import time

import pytest

from host import B, Host

GRACE = 10  # seconds for what ends by itself


def pytest_configure(config):
    config.addinivalue_line("markers", "kvm: needs /dev/kvm")
    config.addinivalue_line("markers", "bed: lies in the full-instruction bed")
    config.addinivalue_line("markers", "ground: reaches code of ours that no test outside of a bed reaches")


def pytest_collection_modifyitems(items):
    for item in items:
        if "said" in item.fixturenames:
            item.add_marker("bed")


def pytest_runtest_setup(item):
    if not os.path.exists("/dev/kvm"):
        pytest.skip("this machine has no /dev/kvm")


def ours():
    """Processes of the project, by the place of their program: {pid: name}."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            path = os.readlink(f"/proc/{pid}/exe")
        except OSError:
            continue
        if os.path.dirname(path) == B:
            found[int(pid)] = os.path.basename(path)
    return found


@pytest.fixture(autouse=True)
def leaves_nothing():
    before = ours()
    yield
    end = time.monotonic() + GRACE
    while (left := {p: n for p, n in ours().items() if p not in before}) and time.monotonic() < end:
        time.sleep(0.02)  # the server of shared memory ends after the last who needs it
    assert not left, f"processes left behind: {left}"


@pytest.fixture
def host():
    h = Host()
    try:
        yield h.start()
    finally:
        h.close()
