# SPDX-License-Identifier: Apache-2.0
"""Fixtures: a host with guests, a way to its socket as `ssh -L` makes one, and a browser without a head."""
import os
import shutil
import sys
import tempfile

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "system"))
from browser import Browser, Forward  # noqa: E402
from host import Host  # noqa: E402


def pytest_runtest_setup(item):
    if not os.path.exists("/dev/kvm"):
        pytest.skip("this machine has no /dev/kvm")
    if not shutil.which("chromium") or not shutil.which("chromedriver"):
        pytest.skip("this machine has no chromium with its chromedriver")


@pytest.fixture(scope="module")
def host():
    with Host() as h:
        yield h


@pytest.fixture(scope="module")
def forward(host):
    with Forward(host.socket) as f:
        yield f


@pytest.fixture(scope="session")
def chromium():
    folder = tempfile.mkdtemp(prefix="qvm-page-")
    b = Browser(folder)
    try:
        yield b
    finally:
        b.close()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def browser(chromium):
    """With nothing of the tests before it; what it complains of in its console is a failure of the test."""
    chromium.fresh()
    yield chromium
    assert not chromium.complaints(), chromium.complaints()
