# SPDX-License-Identifier: Apache-2.0
"""Debian's unmodified kernel as a guest, booted to its shell in the full-instruction bed."""
import re

BED = "linux"


def test_linux_alone_answers_uname_and_its_poweroff_is_exit_0(said):
    assert re.search(r"^alone: Linux .* x86_64 GNU/Linux$", said, re.M), said
    assert "alone: qvm ended with 0" in said


def test_linux_supervised_answers_uname_through_the_rest_api_and_hears_its_button(said):
    assert re.search(r"^supervised: Linux .*-cloud-amd64 .*Debian", said, re.M), said
    assert "supervised: qvmd ended with 0" in said
