# SPDX-License-Identifier: Apache-2.0
"""qvmadm apply: VMs as files declare them; and qvmadm edit: a VM in the hands of a person."""
import json
import os
import pty
import re
import signal
import subprocess
import sys
import textwrap

import pytest

from host import B, config

HELLO = config("hello.elf")
BAD = HELLO + "laod x\n"


@pytest.fixture
def clean(shared):
    yield shared
    for vm in shared.get("/v1/vms").json["vms"]:
        shared.verb(vm["name"], "kill")
    left = [vm["name"] for vm in shared.get("/v1/vms").json["vms"]]
    for name in sorted(left, key=lambda n: n == "web-b"):  # a standby goes after the one that names it
        assert shared.delete(f"/v1/vms/{name}").status == 204


def write(folder, **files):
    for name, text in files.items():
        name, suffix = name.rsplit("_", 1)
        (folder / f"{name.replace('_', '-')}.{suffix}").write_text(text)
    return folder


def revisions(host):
    return {vm["name"]: vm["revision"] for vm in host.get("/v1/vms").json["vms"]}


def results(run):
    return [tuple(line.split()[:2]) for line in run.stdout.splitlines()]


# --- apply


def test_apply_makes_what_is_declared_and_is_idempotent(clean, tmp_path):
    """web names web-b as its standby, which comes after it by name: it is made first all the same."""
    write(tmp_path, web_qvmconf=HELLO, web_policy="standby = web-b\non_failure = standby\nstop_timeout_ms = 10s\n",
          web_b_qvmconf=HELLO, db_qvmconf=HELLO)
    r = clean.adm("apply", "-f", str(tmp_path))
    assert r.returncode == 0, r
    assert sorted(results(r)) == [("db", "created"), ("web", "created"), ("web-b", "created")]
    policy = clean.vm("web")["policy"]
    assert (policy["standby"], policy["stop_timeout_ms"]) == ("web-b", 10000)
    assert clean.vm("db")["folder"] == str(tmp_path)
    r = clean.adm("apply", "-f", str(tmp_path))
    assert r.returncode == 0 and {x[1] for x in results(r)} == {"unchanged"}, r
    assert set(revisions(clean).values()) == {1}


def test_apply_changes_what_differs_and_says_by_how_much(clean, tmp_path):
    write(tmp_path, web_qvmconf=HELLO, web_policy="restart_budget = 3\n", db_qvmconf=HELLO)
    clean.adm("apply", "-f", str(tmp_path))
    clean.adm("set", "db", "restart_budget=9")  # no file says anything of it: it stays
    clean.adm("set", "web", "restart_budget=9", "autostart=yes")  # a file says all of it
    write(tmp_path, web_qvmconf=HELLO.replace("15m", "14m"))
    r = clean.adm("apply", "-f", str(tmp_path / "web.qvmconf"), "-f", str(tmp_path / "db.qvmconf"))
    assert r.returncode == 0, r
    assert r.stdout == "db   unchanged\nweb  changed (config +1 -1, policy +1 -2)\n"
    assert (clean.vm("web")["policy"]["restart_budget"], clean.vm("web")["policy"]["autostart"]) == (3, False)
    assert clean.vm("db")["policy"]["restart_budget"] == 9
    write(tmp_path, web_policy="")  # all defaults
    assert clean.adm("--json", "apply", "-f", str(tmp_path)).returncode == 0
    assert clean.vm("web")["policy"]["restart_budget"] == 5


def test_a_dry_run_shows_the_changes_and_makes_none(clean, tmp_path):
    write(tmp_path, web_qvmconf=HELLO, web_policy="restart_budget = 3\n")
    r = clean.adm("apply", "-f", str(tmp_path), "--dry-run")
    assert r.returncode == 1 and "web  would be created" in r.stdout and f"+++ {tmp_path}/web.qvmconf" in r.stdout, r
    assert revisions(clean) == {}
    clean.adm("apply", "-f", str(tmp_path))
    write(tmp_path, web_policy="restart_budget = 4\n")
    r = clean.adm("apply", "-f", str(tmp_path), "--dry-run")
    assert r.returncode == 1 and "-restart_budget = 3\n+restart_budget = 4\n" in r.stdout, r
    told = json.loads(clean.adm("--json", "apply", "-f", str(tmp_path), "--dry-run").stdout)
    assert told == [{"vm": "web", "result": "changed", "changes": "policy +1 -1", "revision": 1}]
    write(tmp_path, web_policy="restart_budget = 3\n")
    assert clean.adm("apply", "-f", str(tmp_path), "--dry-run").returncode == 0
    assert revisions(clean) == {"web": 1}


def test_one_wrong_file_keeps_all_from_being_changed(clean, tmp_path):
    write(tmp_path, web_qvmconf=BAD, db_qvmconf=HELLO, db_policy="restart_budgt = 3\nautostart = perhaps\n", log_policy="")
    r = clean.adm("apply", "-f", str(tmp_path))
    assert r.returncode == 65, r
    assert f"{tmp_path}/db.policy:1:1: error: there is no policy field 'restart_budgt'" in r.stderr and "^~~" in r.stderr
    assert f"{tmp_path}/db.policy:2:1: error: policy field 'autostart' cannot be 'perhaps'" in r.stderr
    assert "log.policy' has no" in r.stderr and "Nothing was changed." in r.stderr
    (tmp_path / "log.policy").unlink()
    write(tmp_path, db_policy="")
    r = clean.adm("apply", "-f", str(tmp_path))
    assert r.returncode == 65 and f"{tmp_path}/web.qvmconf:5:1: error: unknown option 'laod'" in r.stderr, r
    assert revisions(clean) == {}


def test_one_vm_that_is_refused_is_told_and_the_others_are_changed(clean, tmp_path):
    write(tmp_path, a_qvmconf=HELLO, a_policy="after = a\n", b_qvmconf=HELLO)
    r = clean.adm("apply", "-f", str(tmp_path))
    assert r.returncode == 3 and results(r) == [("a", "failed"), ("b", "created")] and "cycle" in r.stderr, r
    assert revisions(clean) == {"b": 1}


def test_prune_deletes_what_no_file_names_and_never_what_runs(clean, tmp_path):
    write(tmp_path, web_qvmconf=HELLO)
    for name in ("old", "runs"):
        clean.define(name, HELLO)
    clean.verb("runs", "start")
    r = clean.adm("apply", "-f", str(tmp_path), "--prune", "--dry-run")
    assert r.returncode == 1 and "old  would be deleted" in r.stdout and set(revisions(clean)) == {"old", "runs"}, r
    r = clean.adm("apply", "-f", str(tmp_path), "--prune")
    assert r.returncode == 7 and set(results(r)) == {("web", "created"), ("old", "deleted"), ("runs", "failed")}, r
    assert set(revisions(clean)) == {"web", "runs"}
    r = clean.adm("apply", "-f", str(tmp_path / "web.qvmconf"), "--prune")
    assert r.returncode == 2 and "needs folders" in r.stderr, r


@pytest.mark.parametrize("files, words", [({}, "holds no *.qvmconf"), ({"WEB_qvmconf": HELLO}, "cannot be the name")])
def test_apply_says_what_is_wrong_with_a_folder(clean, tmp_path, files, words):
    r = clean.adm("apply", "-f", str(write(tmp_path, **files)))
    assert r.returncode == 65 and words in r.stderr, r
    assert clean.adm("apply").returncode == 2


def test_a_policy_that_names_nobody_is_seen_before_anything_is_changed(clean, tmp_path):
    write(tmp_path, a_qvmconf=HELLO, web_qvmconf=HELLO, web_policy="standby = web-b\n")
    r = clean.adm("apply", "-f", str(tmp_path))
    assert r.returncode == 65 and "'web' names the standby 'web-b'" in r.stderr, r
    assert r.stderr.endswith("Nothing was changed.\n") and revisions(clean) == {}, r
    assert clean.adm("apply", "-f", str(tmp_path), "--dry-run").returncode == 65
    clean.define("web-b", HELLO)
    assert clean.adm("apply", "-f", str(tmp_path)).returncode == 0


def test_a_partial_failure_says_how_much_was_done(clean, tmp_path):
    """A VM stands by for one other alone, which shows when the second one comes."""
    write(tmp_path, web_b_qvmconf=HELLO, b_qvmconf=HELLO, b_policy="standby = web-b\n",
          c_qvmconf=HELLO, c_policy="standby = web-b\n")
    r = clean.adm("apply", "-f", str(tmp_path))
    assert r.returncode == 7 and set(results(r)) == {("web-b", "created"), ("b", "created"), ("c", "failed")}, r
    assert "1 of 3 changes failed" in r.stderr and revisions(clean) == {"web-b": 1, "b": 1}, r


def test_each_verb_says_with_one_status_that_a_file_is_not_there(clean, tmp_path):
    clean.define("web", HELLO)
    none = str(tmp_path / "none.qvmconf")
    for words in (("check", none), ("define", "web", none), ("diff", "web", none), ("edit", "web", "--from", none),
                  ("apply", "-f", none), ("apply", "-f", str(tmp_path / "none")), ("apply", "-f", f"{none}/"),
                  ("context", "add", "lab", "https://lab", "--cacert", none)):
        r = clean.adm(*words)
        assert r.returncode == 12 and "No such file" in r.stderr and f"'{none[:-8]}" in r.stderr, (words, r)
    assert clean.vm("web")["revision"] == 1


def test_nothing_to_do_is_said_alike_by_each_verb(clean, tmp_path):
    write(tmp_path, web_qvmconf=HELLO)
    web = str(tmp_path / "web.qvmconf")
    for words, says in ((("define", "web", web), "defined, revision 1"),
                        (("define", "web", web), "nothing changes; it is at revision 1"),
                        (("set", "web", "restart_budget=5"), "nothing changes; it is at revision 1"),
                        (("stop", "web"), "not running; no restart will follow"),
                        (("kill", "web"), "not running; no restart will follow"),
                        (("release", "web"), "not in its safe state; no restart will follow"),
                        (("start", "web"), "started in"), (("start", "web"), "running already"),
                        (("resume", "web"), "running already"), (("pause", "web"), "paused"),
                        (("pause", "web"), "paused already"), (("resume", "web"), "goes on"),
                        (("resume", "web"), "running already")):
        r = clean.adm(*words)
        assert r.returncode == 0 and r.stdout.startswith(f"web: {says}"), (words, r)


# --- edit


def editor(folder, *scripts):
    """An editor that does one of these Python statements on `text` each time it is called, the last one for ever."""
    path = folder / "editor"
    path.write_text(f"#!{sys.executable}\n" + textwrap.dedent(f"""\
        import os, sys
        count = {str(folder / 'count')!r}
        n = int(open(count).read()) if os.path.exists(count) else 0
        open(count, "w").write(str(n + 1))
        scripts = {list(scripts)!r}
        scope = {{"text": open(sys.argv[-1]).read(), "sys": sys, "os": os, "argv": sys.argv}}
        exec(scripts[min(n, len(scripts) - 1)], scope)
        open(sys.argv[-1], "w").write(scope["text"])
        """))
    path.chmod(0o755)
    return str(path)


def edit(host, folder, program, *args, stdin="", visual=None):
    env = {**os.environ, "EDITOR": program, "TMPDIR": str(folder)}
    env.pop("VISUAL", None)
    if visual:
        env["VISUAL"] = visual
    return subprocess.run([f"{B}/qvmadm", "-H", f"unix:{host.socket}", "edit", *args], env=env, text=True, input=stdin,
                          capture_output=True, timeout=60, check=False)


def kept(run):
    return re.search(r"Your text is kept in '(.*?)'", run.stderr)[1]


def drafts(folder):
    return [x for x in os.listdir(folder) if x.startswith("qvmadm-")]


def test_edit_makes_a_revision_of_what_is_saved_and_leaves_no_file(clean, tmp_path):
    clean.define("web", HELLO, restart_budget=7)
    r = edit(clean, tmp_path, editor(tmp_path, "text += '# more\\n'") + " --wait", "web")
    assert (r.returncode, r.stdout) == (0, "web: is now at revision 2\n"), r
    vm = clean.vm("web")
    assert (vm["config"], vm["policy"]["restart_budget"], drafts(tmp_path)) == (HELLO + "# more\n", 7, [])
    r = edit(clean, tmp_path, "false", "web", visual=editor(tmp_path, "pass"))
    assert (r.returncode, r.stdout, drafts(tmp_path)) == (0, "web: nothing changes; it is at revision 2\n", []), r


def test_edit_of_a_wrong_text_shows_carets_and_loses_nothing(clean, tmp_path):
    clean.define("web", HELLO)
    r = edit(clean, tmp_path, editor(tmp_path, "text += 'laod x\\n'"), "web")
    assert r.returncode == 65 and "web.qvmconf:5:1: error: unknown option 'laod'" in r.stderr and "^~~~" in r.stderr, r
    with open(kept(r), encoding="utf-8") as f:
        assert f.read() == BAD
    assert os.stat(kept(r)).st_mode & 0o777 == 0o600
    r = edit(clean, tmp_path, editor(tmp_path, "text = text.replace('laod x\\n', '# mended\\n')"), "web", "--from", kept(r))
    assert r.returncode == 0 and clean.vm("web")["config"] == HELLO + "# mended\n", r


def test_edit_does_not_overwrite_what_another_has_changed_meanwhile(clean, tmp_path):
    clean.define("web", HELLO)
    other = f"{B}/qvmadm -H unix:{clean.socket} set web restart_budget=3 >/dev/null"
    r = edit(clean, tmp_path, editor(tmp_path, f"text += '# mine\\n'; os.system({other!r})"), "web")
    assert r.returncode == 8 and "'web' is at revision 2, not 1" in r.stderr and "does not touch it" in r.stderr, r
    with open(kept(r), encoding="utf-8") as f:
        assert f.read() == HELLO + "# mine\n"
    assert (clean.vm("web")["revision"], clean.vm("web")["config"]) == (2, HELLO)


def test_edit_of_the_policy_explains_every_field(clean, tmp_path):
    clean.define("web", HELLO, restart_budget=7, hook="tell")
    script = "assert '#heartbeat_ms = 500' in text; text = text.replace('restart_budget = 7', 'autostart = yes')"
    r = edit(clean, tmp_path, editor(tmp_path, script), "web", "--policy")
    assert r.returncode == 0, r
    policy = clean.vm("web")["policy"]
    assert (policy["restart_budget"], policy["autostart"], policy["hook"]) == (5, True, "tell")
    r = edit(clean, tmp_path, editor(tmp_path, "text += 'on_failure = explode\\n'"), "web", "--policy")
    assert r.returncode == 65 and "web.policy:" in r.stderr and "it is stop, restart, pause or standby" in r.stderr, r


def test_an_editor_that_fails_changes_nothing_and_keeps_what_was_typed(clean, tmp_path):
    clean.define("web", HELLO)
    r = edit(clean, tmp_path, "false", "web")
    assert r.returncode == 12 and "ended with status 1" in r.stderr and drafts(tmp_path) == [], r
    r = edit(clean, tmp_path, editor(tmp_path, "open(argv[-1], 'w').write(text + '# typed\\n'); os.kill(os.getpid(), 9)"), "web")
    with open(kept(r), encoding="utf-8") as f:
        assert f.read() == HELLO + "# typed\n"
    assert clean.vm("web")["revision"] == 1
    assert edit(clean, tmp_path, "false", "ghost").returncode == 5


def test_a_killed_client_leaves_what_was_typed_in_its_file(clean, tmp_path):
    clean.define("web", HELLO)
    typed = tmp_path / "typed"
    program = editor(tmp_path, f"open(argv[-1], 'w').write(text + '# typed\\n'); open({str(typed)!r}, 'w'); import time; time.sleep(60)")
    with subprocess.Popen([f"{B}/qvmadm", "-H", f"unix:{clean.socket}", "edit", "web"], stdin=subprocess.DEVNULL,
                          env={**os.environ, "VISUAL": program, "TMPDIR": str(tmp_path)}, start_new_session=True) as p:
        clean.until(typed.exists, "the editor has the text")
        os.kill(p.pid, signal.SIGTERM)
        p.wait(30)
        os.killpg(p.pid, signal.SIGKILL)  # the editor
    folder, = drafts(tmp_path)
    assert (tmp_path / folder / "web.qvmconf").read_text() == HELLO + "# typed\n"


def test_at_a_terminal_a_wrong_text_opens_again(clean, tmp_path):
    clean.define("web", HELLO)
    program = editor(tmp_path, "text += 'laod x\\n'", "text = text.replace('laod x\\n', '# mended\\n')")
    env = {**os.environ, "VISUAL": program, "TMPDIR": str(tmp_path), "TERM": "dumb"}
    master, slave = pty.openpty()
    with subprocess.Popen([f"{B}/qvmadm", "-H", f"unix:{clean.socket}", "edit", "web"], env=env, stdin=slave,
                          stdout=slave, stderr=slave) as p:
        os.close(slave)
        said = b""
        while b"(q)uit and keep the text? " not in said:
            said += os.read(master, 4096)
        os.write(master, b"x\ne\n")
        assert p.wait(30) == 0, said
    os.close(master)
    assert b"unknown option 'laod'" in said
    assert clean.vm("web")["config"] == HELLO + "# mended\n" and drafts(tmp_path) == []
