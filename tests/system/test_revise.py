# SPDX-License-Identifier: Apache-2.0
"""A VM is changed: policy by PATCH, kept revisions by rollback, both by If-Match, with kills in between."""
import json
import os
import shutil
import signal
import threading
import time

import pytest

from host import GUESTS, config

HELLO = config("hello.elf")
MERGE = {"Content-Type": "application/merge-patch+json"}


@pytest.fixture
def web(shared):
    """A VM of revision 1 whose policy is not the default one everywhere."""
    shared.define("web", HELLO, restart_budget=7, start_delay_ms=70)
    yield shared
    shared.verb("web", "kill")
    assert shared.delete("/v1/vms/web").status == 204


def patch(host, policy, name="web", **headers):
    return host.request("PATCH", f"/v1/vms/{name}", json.dumps({"policy": policy}), {**MERGE, **headers})


def problem(answer, status, word):
    assert answer.status == status and answer.json["type"].endswith(":" + word), answer
    return answer.json


# --- PATCH


def test_patch_changes_what_is_named_and_nothing_else(web):
    before = web.vm("web")
    a = patch(web, {"restart_budget": 3, "start_delay_ms": None, "after": ["db"]})
    assert a.status == 200 and a.headers["ETag"] == '"2"', a
    changed = {"restart_budget": 3, "start_delay_ms": 0, "after": ["db"]}
    assert a.json["policy"] == {**before["policy"], **changed}
    assert (a.json["revision"], a.json["config"]) == (2, before["config"])
    assert web.vm("web")["policy"] == a.json["policy"]
    defined = [e["text"] for e in web.events() if e["kind"] == "defined"][-1]
    assert defined == "has revision 2 now; policy: start_delay_ms, after, restart_budget"


def test_patch_takes_plain_json_too_and_nothing_else(web):
    assert web.request("PATCH", "/v1/vms/web", {"policy": {"autostart": True}}).json["policy"]["autostart"] is True
    for kind in ("text/plain", "application/json-patch+json", "application/merge-patch"):
        told = problem(web.request("PATCH", "/v1/vms/web", "{}", {"Content-Type": kind}), 415, "media-type")
        assert "application/merge-patch+json" in told["detail"]
    problem(web.request("PUT", "/v1/vms/web", "{}", MERGE), 415, "media-type")


def test_what_a_patch_may_be_is_told_to_who_asks(web):
    assert "application/merge-patch+json" in web.request("OPTIONS", "/v1/vms/web").headers["Accept-Patch"]
    assert web.request("OPTIONS", "/v1/vms").headers["Accept-Patch"] is None


def test_a_patch_that_changes_nothing_makes_no_revision(web):
    for body in ({}, {"policy": {}}, {"policy": {"restart_budget": 7}}, {"policy": {"on_failure": None}}):
        a = web.request("PATCH", "/v1/vms/web", json.dumps(body), MERGE)
        assert (a.status, a.headers["ETag"]) == (200, '"1"'), a
    a = web.request("PATCH", "/v1/vms/web", '{"policy": null}', MERGE)  # all of it
    assert (a.json["revision"], a.json["policy"]["restart_budget"]) == (2, 5)


@pytest.mark.parametrize("body, pointer, words", [
    ({"policy": {"restart_budgt": 3}}, "/policy/restart_budgt", "did you mean 'restart_budget'"),
    ({"policy": {"restart_budget": 9999}}, "/policy/restart_budget", "from 0 to 1000"),
    ({"policy": {"on_failure": "explode"}}, "/policy/on_failure", "stop, restart, pause or standby"),
    ({"policy": {"autostart": True, "after": "db"}}, "/policy/after", "list"),
    ({"name": "other"}, "/name", "cannot be renamed"),
    ({"config": HELLO}, "/config", "PUT the whole"),
    ({"policy": {"autostart": True}, "observed": "stopped"}, "/observed", "told, not set"),
])
def test_a_wrong_patch_names_its_place_and_changes_nothing(web, body, pointer, words):
    told = problem(web.request("PATCH", "/v1/vms/web", json.dumps(body), MERGE), 400, "invalid")
    assert told["pointer"] == pointer and words in told["detail"], told
    assert web.vm("web")["revision"] == 1


def test_a_patch_is_judged_beside_the_other_vms(web):
    assert "cycle" in problem(patch(web, {"after": ["web"]}), 400, "invalid")["detail"]
    assert "no VM 'ghost'" in problem(patch(web, {"standby": "ghost"}), 400, "invalid")["detail"]
    problem(patch(web, {"autostart": True}, name="ghost"), 404, "not-found")


def test_of_two_edits_one_is_told_that_it_is_stale(web):
    """Both have seen revision 1."""
    def edit(field, ret):
        ret.append(patch(web, {field: 11}, **{"If-Match": '"1"'}))
    answers = []
    both = [threading.Thread(target=edit, args=(f, answers)) for f in ("restart_budget", "heartbeat_misses")]
    for t in both:
        t.start()
    for t in both:
        t.join()
    assert sorted(a.status for a in answers) == [200, 412], answers
    assert web.vm("web")["revision"] == 2
    # Without If-Match each changes its own field, and neither undoes the other.
    assert patch(web, {"restart_budget": 12}).status == patch(web, {"heartbeat_misses": 12}).status == 200
    policy = web.vm("web")["policy"]
    assert (policy["restart_budget"], policy["heartbeat_misses"]) == (12, 12)
    assert patch(web, {"restart_budget": 13}, **{"If-Match": "*"}).status == 200


def test_a_change_sent_again_is_done_once_whatever_it_expects(web):
    """The answer of the first time may be lost."""
    match = {"If-Match": '"1"'}
    for _ in range(2):
        assert patch(web, {"restart_budget": 3}, **match).headers["ETag"] == '"2"'
    text = {"config": HELLO + "# more\n"}
    for _ in range(2):
        assert web.put("/v1/vms/web", text, **{"If-Match": '"2"'}).headers["ETag"] == '"3"'
    for _ in range(2):
        a = web.post("/v1/vms/web/rollback?to=1", **{"If-Match": '"3"'})
        assert (a.status, a.headers["ETag"]) == (200, '"4"'), a
    problem(web.put("/v1/vms/web", {"config": HELLO}, **{"If-None-Match": "*"}), 412, "stale")


def test_what_a_running_vm_waits_for_is_told_and_the_rest_is_in_force(web):
    web.verb("web", "start")
    pid = web.vm("web")["pid"]
    a = patch(web, {"memory_max": 1 << 30, "on_watchdog": "pause", "restart_budget": 0})
    assert a.json["pending"] == ["on_watchdog", "memory_max"], a
    assert (a.json["revision"], a.json["running_revision"]) == (2, 1)
    a = web.put("/v1/vms/web", {"config": HELLO + "# more\n"})
    assert a.json["pending"] == ["config", "on_watchdog", "memory_max"], a
    assert web.get("/v1/vms").json["vms"][0]["pending"] == a.json["pending"]
    os.kill(pid, signal.SIGKILL)  # the budget of 0 counts already: it is not started again
    assert web.until_vm("web", observed="safe")["pending"] == []
    assert "0 of 0 restarts" in web.incidents("web")[0]["reaction"]
    web.verb("web", "start")
    vm = web.vm("web")
    assert (vm["pending"], vm["running_revision"]) == ([], 3)


def test_a_deadline_that_is_set_begins_when_it_is_set(web):
    """The guest's last sign of life was long ago; that counts for no deadline that was not there."""
    web.verb("web", "start")
    web.until_console("web", "Hello")
    assert patch(web, {"guest_heartbeat_ms": 600000, "on_failure": "stop"}).status == 200
    web.until(lambda: web.vm("web")["signals"]["guest"] == "healthy", "it is watched")
    assert patch(web, {"guest_heartbeat_ms": 300}).status == 200
    web.until_vm("web", observed="safe", cause="guest-silent")


def test_what_is_in_force_outlives_the_supervisor(host):
    host.define("web", HELLO, restart_budget=7)
    host.verb("web", "start")
    pid = host.vm("web")["pid"]
    patch(host, {"restart_budget": 0, "cpu_weight": 50})
    host.kill()
    host.start()
    assert (host.vm("web")["pid"], host.vm("web")["pending"]) == (pid, ["cpu_weight"])
    os.kill(pid, signal.SIGKILL)
    host.until_vm("web", observed="safe")


# --- rollback


def test_rollback_makes_a_kept_revision_the_newest_again(web):
    web.put("/v1/vms/web", {"config": HELLO + "# two\n", "policy": {"autostart": True}})
    a = web.post("/v1/vms/web/rollback?to=1", **{"If-Match": '"2"'})
    assert (a.status, a.headers["ETag"]) == (200, '"3"'), a
    assert (a.json["config"], a.json["policy"]["start_delay_ms"], a.json["policy"]["autostart"]) == (HELLO, 70, False)
    assert "has revision 3 now, which is revision 1 again" in [e["text"] for e in web.events()][-1]
    # To what is there already: nothing to do.
    assert web.post("/v1/vms/web/rollback?to=1").json["revision"] == 3
    problem(web.post("/v1/vms/web/rollback?to=2", **{"If-Match": '"2"'}), 412, "stale")
    def on_record():
        newest = web.get("/v1/audit?vm=web").json["entries"][0]
        return newest["op"] == "vm_rollback" and newest.get("error", {}).get("type") == "urn:qvm:error:stale"
    web.until(on_record, "the refusal is on record")


def test_a_rollback_says_which_revisions_there_are(web):
    told = problem(web.post("/v1/vms/web/rollback?to=9"), 404, "not-found")
    assert "its newest is 1, the oldest that is kept 1" in told["detail"], told
    problem(web.post("/v1/vms/ghost/rollback?to=1"), 404, "not-found")
    for query, words in (("", "'to' is missing"), ("?to=0", "from 1"), ("?to=x", "whole number"), ("?too=1", "'to'")):
        assert words in problem(web.post(f"/v1/vms/web/rollback{query}"), 400, "invalid")["detail"]


def test_a_revision_that_is_sound_no_more_is_not_rolled_back_to(web, tmp_path):
    image = shutil.copy(f"{GUESTS}/hello.elf", tmp_path)
    assert web.put("/v1/vms/web", {"config": HELLO.replace(f"{GUESTS}/hello.elf", image)}).status == 200
    web.put("/v1/vms/web", {"config": HELLO})
    os.unlink(image)
    told = problem(web.post("/v1/vms/web/rollback?to=2"), 422, "configuration")
    assert told["diagnostics"][0]["line"] == 3, told
    assert web.vm("web")["revision"] == 3


def test_a_rollback_brings_no_deleted_vm_back(shared):
    """It is checked for a while; the VM goes meanwhile."""
    for _ in range(5):
        shared.define("gone", HELLO)
        shared.define("gone", HELLO + "# two\n")
        answers = []
        t = threading.Thread(target=lambda: answers.append(shared.post("/v1/vms/gone/rollback?to=1")))
        t.start()
        time.sleep(0.005)
        assert shared.delete("/v1/vms/gone").status == 204
        t.join()
        assert answers[0].status in (200, 404), answers
        assert shared.get("/v1/vms/gone").status == 404


# --- kills


def test_a_supervisor_killed_under_patches_keeps_what_it_has_acknowledged(host):
    host.define("web", HELLO)
    acknowledged = 0

    def patch_on():
        nonlocal acknowledged
        for n in range(1, 1000):
            try:
                answer = patch(host, {"restart_budget": n, "start_order": n})
            except OSError:
                return
            if answer.status != 200:
                return
            acknowledged = n
    for _ in range(3):
        acknowledged = 0
        t = threading.Thread(target=patch_on)
        t.start()
        host.until(lambda: acknowledged > 3, "patches are taken")
        host.process.kill()
        t.join()
        host.kill()
        host.start()
        vm = host.vm("web")
        assert vm["policy"]["restart_budget"] in (acknowledged, acknowledged + 1)
        assert vm["policy"]["start_order"] == vm["policy"]["restart_budget"]  # whole, or not at all
        assert vm["config"] == HELLO


def test_a_rollback_whose_worker_is_killed_changes_nothing(host):
    """A check is soon over: again, until the blow has hit one."""
    host.define("web", HELLO)
    host.put("/v1/vms/web", {"config": HELLO + "# two\n"})
    answers = []
    for _ in range(50):
        t = threading.Thread(target=lambda: answers.append(host.post("/v1/vms/web/rollback?to=1")))
        t.start()
        killed = False
        while t.is_alive() and not killed:
            killed = kill_worker(host)
        t.join()
        if answers[-1].status == 502:
            break
        host.post("/v1/vms/web/rollback?to=2")
    told = problem(answers[-1], 502, "worker-lost")
    assert "worker that checked it ended" in told["detail"]
    assert host.vm("web")["config"] == HELLO + "# two\n"
    assert host.post("/v1/vms/web/rollback?to=1").status == 200


def kill_worker(host):
    """SIGKILL to a worker of it; whether there was one."""
    for pid in host.children("qvm"):
        try:
            os.kill(pid, signal.SIGKILL)
            return True
        except ProcessLookupError:
            pass
    return False
