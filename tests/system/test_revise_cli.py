# SPDX-License-Identifier: Apache-2.0
"""qvmadm changes a VM: set, revisions, diff, rollback, and rename, which it refuses."""
import json

import pytest

from host import config

HELLO = config("hello.elf")


@pytest.fixture
def web(shared):
    shared.define("web", HELLO, restart_budget=7)
    yield shared
    shared.verb("web", "kill")
    assert shared.delete("/v1/vms/web").status == 204


def rows(text):
    """The cells of a table, by lines."""
    return [line.split() for line in text.splitlines()]


# --- set


def test_set_changes_fields_and_tells_from_when_on(web):
    web.verb("web", "start")
    r = web.adm("set", "web", "restart_budget=3", "memory_max=1073741824", "stop_timeout_ms=10s", "after=db,log")
    assert r.returncode == 0, r
    lines = rows(r.stdout)
    assert lines[0] == "web: is now at revision 2".split()
    assert ["restart_budget", "7", "3", "now", "on"] in lines and ["after", "none", "db,", "log", "now", "on"] in lines
    assert ["stop_timeout_ms", "30000", "10000", "now", "on"] in lines
    assert ["memory_max", "0", "1073741824", "its", "next", "start"] in lines
    assert "waiting for its next start: memory_max" in web.adm("show", "web").stdout
    r = web.adm("set", "web", "after=", "restart_budget=")  # their defaults
    assert r.returncode == 0 and web.vm("web")["policy"]["restart_budget"] == 5
    assert web.adm("set", "web", "autostart=no").stdout == "web: nothing changes; it is at revision 3\n"
    assert json.loads(web.adm("--json", "set", "web", "autostart=yes").stdout)["policy"]["autostart"] is True


@pytest.mark.parametrize("given, words", [
    ("restart_budgt=3", "did you mean 'restart_budget'"), ("restart_budget", "FIELD=VALUE"),
    ("restart_budget=many", "whole number"), ("autostart=perhaps", "true or false"),
    ("on_failure=explode", "stop, restart, pause or standby"),
])
def test_set_says_what_is_wrong_before_it_asks(web, given, words):
    r = web.adm("set", "web", given)
    assert r.returncode == 2 and words in r.stderr, r


def test_set_is_refused_with_the_exit_status_of_the_problem(web):
    assert web.adm("set", "web", "restart_budget=9999").returncode == 3
    assert web.adm("set", "web", "restart_budget=9", "--if-match", "7").returncode == 8
    assert web.adm("set", "ghost", "restart_budget=9").returncode == 5
    assert web.vm("web")["revision"] == 1


# --- revisions, diff, rollback


def change_twice(host, tmp_path):
    """Revisions 1 to 3 of web: a policy, then a configuration."""
    more = tmp_path / "more.qvmconf"
    more.write_text(HELLO + "# more\n")
    host.adm("set", "web", "restart_budget=3")
    assert host.adm("define", "web", str(more)).returncode == 0
    return more


def test_revisions_tell_who_changed_what(web, tmp_path):
    change_twice(web, tmp_path)
    web.verb("web", "start")
    web.adm("rollback", "web", "1")
    lines = rows(web.adm("revisions", "web").stdout)
    assert [x[0] for x in lines[1:]] == ["4", "3", "2", "1"]
    assert lines[1][-6:] == "revision 1 again: config, folder, restart_budget".split()
    assert "runs" in lines[2] and lines[2][-2:] == ["config,", "folder"]
    assert lines[3][-1] == "restart_budget" and lines[4][-1] == "defined"
    listed = json.loads(web.adm("--json", "revisions", "web").stdout)["revisions"]
    assert [(x["op"], x["restores"]) for x in listed] == [("vm_rollback", 1), ("vm_put", 0), ("vm_patch", 0), ("vm_put", 0)]
    assert "config" not in listed[0]
    one = web.get("/v1/vms/web/revisions/1").json
    assert (one["config"], one["policy"]["restart_budget"]) == (HELLO, 7)
    assert web.get("/v1/vms/web/revisions/9").status == 404
    assert web.get("/v1/vms/web/revisions/x").status == 400


def test_a_list_that_is_cut_still_tells_what_its_last_one_changed(web):
    web.adm("set", "web", "restart_budget=3")
    web.adm("set", "web", "autostart=yes")
    listed = web.get("/v1/vms/web/revisions?limit=2").json["revisions"]
    assert [x["changes"] for x in listed] == [["autostart"], ["restart_budget"]]
    assert "changes" not in web.get("/v1/vms/web/revisions").json["revisions"][2]


def test_diff_is_unified_and_its_exit_status_that_of_diff(web, tmp_path):
    more = change_twice(web, tmp_path)
    r = web.adm("diff", "web", "--revision", "1..3")
    assert r.returncode == 1, r
    assert r.stdout.splitlines()[:2] == ["--- web.qvmconf, revision 1", "+++ web.qvmconf, revision 3"]
    assert "\n+# more\n" in r.stdout and "folder of relative paths: none, then " in r.stdout
    assert "--- web.policy, revision 1\n+++ web.policy, revision 3\n@@ -1 +1 @@\n-restart_budget = 7\n+restart_budget = 3\n" in r.stdout
    assert "\x1b[" not in r.stdout
    assert (web.adm("diff", "web", "--revision", "3..3").returncode, web.adm("diff", "web", str(more)).returncode) == (0, 0)
    more.write_text(HELLO.replace("hello.elf", "poweroff.elf"))
    r = web.adm("diff", "web", str(more))
    assert r.returncode == 1 and f"+++ {more}\n" in r.stdout and "poweroff.elf" in r.stdout, r
    for wrong, status in (("9", 5), ("x", 2), ("3..", 2), ("0", 2)):
        assert web.adm("diff", "web", "--revision", wrong).returncode == status, wrong


def test_diff_without_more_tells_what_the_next_start_changes(web):
    assert web.adm("diff", "web").returncode == 0
    web.verb("web", "start")
    for n in (3, 4):
        web.adm("set", "web", f"restart_budget={n}")
    r = web.adm("diff", "web")
    assert r.returncode == 1 and "-restart_budget = 7\n+restart_budget = 4\n" in r.stdout, r


def test_rollback_without_a_number_takes_back_the_last_change(web, tmp_path):
    r = web.adm("rollback", "web")
    assert r.returncode == 5 and "one revision only" in r.stderr, r
    change_twice(web, tmp_path)
    r = web.adm("rollback", "web")
    assert (r.returncode, r.stdout) == (0, "web: revision 4 is now what revision 2 was\n"), r
    assert web.vm("web")["config"] == HELLO
    r = web.adm("rollback", "web", "9")
    assert r.returncode == 5 and "oldest that is kept 1" in r.stderr, r
    assert web.adm("rollback", "web", "first").returncode == 2
    assert web.adm("rollback", "web", "1", "--if-match", "2").returncode == 8


def test_rename_is_refused_and_says_what_to_do(web):
    r = web.adm("rename", "web", "new")
    assert r.returncode == 7 and "keeps its name" in r.stderr, r
    assert "define new" in web.adm("rename", "--help").stdout
    assert web.adm("rename", "web", "NO").returncode == 2
