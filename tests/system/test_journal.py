# SPDX-License-Identifier: Apache-2.0
"""What operators read: every event in a real journald, with its fields."""
import json
import os
import subprocess
import sys

import pytest

from host import B, ROOT


@pytest.fixture(scope="module")
def story():
    if not os.path.exists("/lib/systemd/systemd-journald"):
        pytest.skip("no systemd-journald on this machine")
    here = os.path.dirname(os.path.abspath(__file__))
    r = subprocess.run([f"{ROOT}/tests/harness/journal", sys.executable, f"{here}/journal_story.py"],
                       env={**os.environ, "B": B}, stdin=subprocess.DEVNULL, capture_output=True,
                       text=True, timeout=120, check=False)
    assert r.returncode == 0, r.stdout + r.stderr
    return json.loads(r.stdout)


def of(story, **fields):
    return [x for x in story["lines"] if all(x.get(k) == v for k, v in fields.items())]


def test_each_event_is_in_the_journal_with_its_message_id(story):
    kinds = [x["QVM_EVENT"] for x in of(story, QVM_VM="hello") if "QVM_EVENT" in x]
    assert kinds == ["defined", "starting", "started", "safe"], kinds
    ids = {x["MESSAGE_ID"] for x in story["lines"] if "QVM_EVENT" in x}
    assert all(len(i) == 32 for i in ids)


def test_a_failure_names_its_cause_and_place(story):
    [safe] = of(story, QVM_EVENT="safe", QVM_VM="hello")
    assert safe["QVM_CAUSE"] == "worker-signal"
    assert "SIGKILL" in safe["MESSAGE"]
    assert safe["PRIORITY"] == "3"
    assert safe["CODE_FILE"].endswith(".c") and int(safe["CODE_LINE"]) > 0


def test_the_line_of_a_failure_has_its_incident_and_what_a_machine_asks_for(story):
    for vm, cause, ending in (("hello", "worker-signal", {"QVM_SIGNAL": "SIGKILL"}),
                              ("calls", "forbidden-syscall",
                               {"QVM_SIGNAL": "SIGSYS", "QVM_SYSCALL": "socket"})):
        incident = story["incidents"][vm]
        [line] = of(story, QVM_INCIDENT=str(incident["id"]))
        wanted = {"QVM_VM": vm, "QVM_EVENT": "safe", "QVM_CAUSE": cause,
                  "QVM_GENERATION": str(incident["generation"]), **ending}
        assert {k: line.get(k) for k in wanted} == wanted, line
        assert ("QVM_SYSCALL" in line) == ("QVM_SYSCALL" in ending), line


def test_what_is_no_failure_has_no_such_fields(story):
    for line in of(story, QVM_EVENT="started"):
        assert not {"QVM_INCIDENT", "QVM_SIGNAL", "QVM_SYSCALL", "QVM_CAUSE"} & set(line), line


def test_one_request_is_found_by_its_id(story):
    found = of(story, QVM_REQUEST=story["request"])
    assert [x["QVM_EVENT"] for x in found if "QVM_EVENT" in x] == ["defined"], found
