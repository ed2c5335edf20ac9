# SPDX-License-Identifier: Apache-2.0
"""Fixtures: a fresh host per test or per module, and proof that each test leaves nothing behind."""
import os
import shutil
import time

import pytest

from beds import Beds
from host import B, Host

GRACE = 10  # seconds for what ends by itself


def pytest_configure(config):
    config.beds = Beds()
    config.addinivalue_line("markers", "kvm: needs /dev/kvm")
    config.addinivalue_line("markers", "bed: lies in the full-instruction bed")
    config.addinivalue_line("markers", "ground: reaches code of ours that no test outside of a bed reaches")


def pytest_collection_modifyitems(items):
    for item in items:
        if "said" in item.fixturenames:
            item.add_marker("bed")
    items.sort(key=lambda item: "said" in item.fixturenames)  # stable: they come last, see beds.py


def pytest_collection_finish(session):
    if session.config.option.collectonly or not can_run():
        return
    session.config.beds.prepare(dict.fromkeys(x.module.BED for x in session.items if "said" in x.fixturenames))


def pytest_unconfigure(config):
    config.beds.close()


def can_run():
    return os.path.exists("/dev/kvm")


def pytest_runtest_setup(item):
    if not can_run():
        pytest.skip("this machine has no /dev/kvm")


@pytest.fixture(scope="session")
def beds(request):
    if not shutil.which("qemu-system-x86_64"):
        pytest.skip("no qemu-system-x86_64 for the full-instruction bed")
    return request.config.beds


@pytest.fixture(scope="module")
def said(request, beds):
    """What the bed of this module's name has said."""
    return beds.says(request.module.BED)


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
    with Host() as h:
        yield h


@pytest.fixture(scope="module")
def shared():
    """One host for a whole module, which may put something on it in a `shared(shared)` of its own."""
    with Host() as h:
        yield h
