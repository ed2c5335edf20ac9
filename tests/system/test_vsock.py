# SPDX-License-Identifier: Apache-2.0
"""virtio-vsock under Debian's unmodified driver, in the bed: alone and under qvmd."""
import re

import pytest

BED = "vsock"


def one(pattern, text):
    found = re.findall(pattern, text, re.M)
    assert len(found) == 1, (pattern, found, text)
    return found[0]


@pytest.mark.parametrize("how", ["alone", "supervised"])
def test_the_guest_reaches_sockets_of_the_host_and_the_host_those_of_the_guest(said, how):
    sent = one(rf"^{how} guest sent: (\w+)", said)
    assert one(rf"^{how} guest back: (\w+)", said) == sent
    assert one(rf"^{how} host back: (\w+)", said) == one(r"^bytes: (\w+)", said)


@pytest.mark.parametrize("how", ["alone", "supervised"])
def test_six_clients_at_once_each_have_their_own_bytes_back(said, how):
    n, many = one(rf"^{how} host many: (\d+) (\w+)", said)
    assert (n, many) == ("1", one(r"^bytes: (\w+)", said))


@pytest.mark.parametrize("how", ["alone", "supervised"])
def test_a_port_that_nobody_serves_is_refused_on_both_sides(said, how):
    assert "Connection reset by peer" in one(rf"^{how} guest nobody: (.*)", said)
    assert one(rf"^{how} host (refused.*)", said) == "refused: ''"


def test_a_guest_and_its_host_reach_each_other_under_the_next_supervisor(said):
    assert one(r"^adopted guest back: (\w+)", said) == one(r"^supervised guest sent: (\w+)", said)
    assert one(r"^adopted host back: (\w+)", said) == one(r"^bytes: (\w+)", said)
    assert one(r"^adopted host many: (\d+ \w+)", said).startswith("1 ")


def test_neither_leaves_anything_behind_nor_dies_of_it(said):
    assert one(r"^alone ended with (\d+)", said) == "0"
    assert one(r"^qvmd ended with (\d+)", said) == "0"
    assert "FAIL" not in said
