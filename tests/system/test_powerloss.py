# SPDX-License-Identifier: Apache-2.0
"""A host whose power is cut keeps every change and event that was acknowledged: tests/harness/powerloss."""

BED = "powerloss"


def test_nothing_acknowledged_is_lost_when_the_power_is_cut(said):
    assert said.splitlines()[-1] == "2 passed, 0 failed, 0 skipped", said
    assert said.count("without a gap, starts again") == 2, said
