# SPDX-License-Identifier: Apache-2.0
"""virtio-net under Debian's unmodified driver, in the bed: two guests of qvmd and a TAP of the host."""
import re

from beds import complaints

BED = "network"


def one(pattern, text):
    found = re.findall(pattern, text, re.M)
    assert len(found) == 1, (pattern, found, text)
    return found[0]


def test_linux_guests_ping_each_other_by_name_and_the_host_over_a_tap(said):
    assert one("^one peer: (.*)", said) == "3 packets transmitted, 3 packets received, 0% packet loss"
    assert one("^one tap: (.*)", said) == "3 packets transmitted, 3 packets received, 0% packet loss"


def test_linux_guests_transfer_megabytes_each_way_unchanged(said):
    sent = one(r"^one sent: (\w{32})", said)
    assert one(r"^one back: (\w{32})", said) == sent
    assert one(r"^one tap got: (\w{32})", said) == sent
    assert one(r"^host got: (\w{32})", said) == sent


def test_a_linux_guest_that_boots_anew_is_met_again(said):
    # The first is 0 unless the other is back before it is looked at; test_network.py sees the link fall.
    assert re.findall(r"^one carrier: (\d)", said, re.M)[-1] == "1"
    assert "3 packets received" in one("^one peer again: (.*)", said)


def test_linux_has_no_complaint_about_its_network_cards_and_they_interrupt_by_messages(said):
    assert complaints(said) == []
    assert re.search(r"^one irq: +\d+: .* PCI-MSI .* virtio\d-input", said, re.M)
    card0, card1 = re.findall(r"^one card eth[01]: (\S+) mtu 1500", said, re.M)
    assert card0 != card1


def test_what_went_through_the_cards_is_counted(said):
    left = one(r"^one counters: left ([\d ]+)", said).split()
    assert int(left[3]) > 4 << 20 and int(left[4]) > 4 << 20
