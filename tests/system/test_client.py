# SPDX-License-Identifier: Apache-2.0
"""qvmadm's forms of output, filters, logs, waits and contexts, on one host with several VMs."""
import json
import os
import signal
import stat
import subprocess

import pytest

from host import B, config
from terminal import Terminal

CRASH = 'cmdline "event=2"'  # pvpanic warns of it, and the guest goes on to its end
WARNING = "starts its crash kernel"


@pytest.fixture(scope="module")
def farm(shared):
    """web-1 runs, web-2 is stopped, crash has ended and warned, bad is safe."""
    for name in ("web-1", "web-2"):
        shared.define(name, config("hello.elf"))
    shared.define("crash", config("panic.elf", CRASH, "vdev pvpanic"))
    shared.define("bad", config("triple.elf"), on_failure="stop")
    for name in ("web-1", "crash", "bad"):
        shared.verb(name, "start")
    shared.until_vm("crash", observed="stopped")
    shared.until_vm("bad", observed="safe")
    return shared


def names(r):
    assert r.returncode == 0, r
    return r.stdout.split()


# --- forms of output

@pytest.mark.parametrize("options,expected", [
    ((), ["bad", "crash", "web-1", "web-2"]),
    (("--state", "safe"), ["bad"]),
    (("--state", "safe", "--state", "running"), ["bad", "web-1"]),
    (("--name", "web-*"), ["web-1", "web-2"]),
    (("--name", "web-*", "--state", "stopped"), ["web-2"]),
    (("--health", "failed"), ["bad"]),
    (("--state", "paused"), []),
    (("--sort", "state"), ["web-1", "bad", "crash", "web-2"]),
])
def test_a_list_takes_filters_and_an_order(farm, options, expected):
    assert names(farm.adm("list", "-o", "name", *options)) == expected
    of_json = json.loads(farm.adm("list", "-o", "json", *options).stdout)
    assert [x["name"] for x in of_json["vms"]] == expected
    assert names(farm.adm("ls", "-o", "name", *options)) == expected


@pytest.mark.parametrize("words,says", [
    (("list", "--state", "sage"), "never 'sage'; it is one of: stopped, starting, running"),
    (("list", "--health", "well"), "never 'well'; it is one of: unknown, healthy"),
    (("token", "create"), "needs more: qvmadm token create NAME"),
    (("list", "--sort", "colour"), "restarts"),
    (("list", "-o", "yaml"), "table, wide, name or json"),
    (("-o", "wide", "show", "bad"), "table or json"),
    (("operations", "-n", "0"), "from 1 to 1000"),
    (("logs", "bad", "-n", "x"), "not a number"),
])
def test_what_cannot_be_meant_is_a_matter_of_usage(farm, words, says):
    r = farm.adm(*words)
    assert r.returncode == 2 and says in r.stderr and not r.stdout, r


def test_wide_has_more_columns(farm):
    assert "REVISION" not in farm.adm("list").stdout
    assert "REVISION" in farm.adm("list", "-o", "wide").stdout
    assert "\x1b" not in farm.adm("list", "-o", "wide").stdout


@pytest.mark.parametrize("verb", ["list", "show bad", "incidents bad", "events", "audit", "token list", "operations",
                                  "status bad", "map bad", "host", "context list"])
def test_json_comes_by_one_option_from_all_that_shows(farm, verb):
    r = farm.adm(*verb.split(), "-o", "json")
    assert r.returncode == 0 and r.stdout, r
    for line in r.stdout.splitlines() if verb == "events" else [r.stdout]:
        json.loads(line)
    assert farm.adm("--json", *verb.split()).returncode == 0


def test_lists_give_their_numbers_to_shells(farm):
    ids = names(farm.adm("operations", "--vm", "bad", "-o", "name"))
    assert farm.get(f"/v1/operations/{ids[0]}").json["vm"] == "bad"
    assert [int(x) for x in names(farm.adm("incidents", "bad", "-o", "name"))] == [
        x["id"] for x in farm.incidents("bad")]
    assert farm.adm("token", "create", "panel").returncode == 0
    assert "panel" in names(farm.adm("token", "list", "-o", "name"))


def test_operations_tell_how_it_went(farm):
    r = farm.adm("operations", "--vm", "web-1")
    assert "start" in r.stdout and "done" in r.stdout and "web-1" in r.stdout, r


# --- logs

def test_logs_are_what_the_worker_said(farm):
    r = farm.adm("logs", "crash")
    assert r.returncode == 0 and WARNING in r.stdout, r
    assert len(farm.adm("logs", "crash", "-n", "1").stdout.splitlines()) == 1
    r = farm.adm("logs", "web-2")
    assert r.returncode == 0 and r.stdout == "" and "logged nothing" in r.stderr, r
    assert farm.adm("logs", "nobody").returncode == 5


def test_logs_go_on_over_a_restart(farm):
    with subprocess.Popen([f"{B}/qvmadm", "-H", f"unix:{farm.socket}", "logs", "crash", "--follow"], text=True,
                          stdout=subprocess.PIPE) as p:
        while WARNING not in p.stdout.readline():
            assert p.poll() is None
        farm.verb("crash", "start")
        while WARNING not in p.stdout.readline():
            assert p.poll() is None
        p.terminate()


def test_a_log_is_read_on_from_its_position(farm):
    farm.until_vm("crash", observed="stopped")
    whole = farm.get("/v1/vms/crash/log")
    again = farm.get(f"/v1/vms/crash/log?since={whole.headers['Log-Position']}")
    assert whole.text and again.text == ""
    assert again.headers["Log-Generation"] == whole.headers["Log-Generation"]


@pytest.mark.parametrize("words", [("events", "--follow"), ("events", "-f", "--vm", "crash"), ("logs", "crash", "-f"),
                                   ("console", "crash", "-f")], ids=lambda w: "-".join(w[:2]))
def test_who_follows_for_nobody_ends_in_silence(farm, words):
    reading, writing = os.pipe()
    os.close(reading)
    try:
        r = subprocess.run([f"{B}/qvmadm", "-H", f"unix:{farm.socket}", *words], stdout=writing, stderr=subprocess.PIPE,
                           text=True, check=False, timeout=60)
    finally:
        os.close(writing)
    assert (r.returncode, r.stderr) in ((0, ""), (-signal.SIGPIPE, "")), r


# --- events

def seen(r):
    assert r.returncode == 0, r
    return [json.loads(x) for x in r.stdout.splitlines()]


@pytest.mark.parametrize("options,fits", [
    (("--filter", "severity=err"), lambda x: x["kind"] in ("safe", "crash-loop", "api-lost", "host-safe", "left-alone")),
    (("--kind", "started,safe"), lambda x: x["kind"] in ("started", "safe")),
    (("--filter", "cause=triple-fault"), lambda x: x["cause"] == "triple-fault"),
    (("--filter", "vm=bad", "--filter", "kind=started,safe"), lambda x: x["vm"] == "bad" and x["kind"] in ("started", "safe")),
    (("--vm", "bad", "--filter", "severity=crit"), None),
    (("--since", "1h"), lambda x: True),
    (("--since", "today", "--kind", "safe"), lambda x: x["kind"] == "safe"),
    (("--since", "0s"), None),
])
def test_events_are_chosen_by_the_server(farm, options, fits):
    found = seen(farm.adm("events", "-o", "json", *options))
    assert all(map(fits, found)) if fits else not found
    every = [x for x in farm.events() if fits and fits({"cause": "", **x})]
    assert [x["seq"] for x in found] == [x["seq"] for x in every]


@pytest.mark.parametrize("options", [(), ("--vm", "bad"), ("--kind", "started,safe")], ids=["all", "vm", "kind"])
def test_the_newest_events_are_the_last_of_those_that_fit(farm, options):
    every = seen(farm.adm("events", "-o", "json", *options))
    for n in (1, 3, 99999):
        assert seen(farm.adm("events", "-o", "json", "-n", str(n), *options)) == every[-n:]
    assert seen(farm.adm("events", "-o", "json", "--tail", "0", *options)) == []
    after = every[-2]["seq"]
    assert seen(farm.adm("events", "-o", "json", "-n", "5", "--since", str(after), *options)) == every[-2:]


def test_the_newest_events_are_followed_by_those_to_come(farm):
    last = [x["seq"] for x in farm.events()][-2:]
    with subprocess.Popen([f"{B}/qvmadm", "-H", f"unix:{farm.socket}", "events", "-f", "-n", "2", "-o", "json"], text=True,
                          stdout=subprocess.PIPE) as p:
        assert json.loads(p.stdout.readline())["kind"] == "ready"
        assert [json.loads(p.stdout.readline())["seq"] for _ in last] == last
        farm.define("fresh", config("hello.elf"))
        assert json.loads(p.stdout.readline())["vm"] == "fresh"
        p.terminate()
    assert farm.delete("/v1/vms/fresh").status == 204


@pytest.mark.parametrize("words,says", [
    ("--tail -1", "0 to 100000"),
    ("--kind strated", "did you mean 'started'"),
    ("--kind started,strated", "did you mean 'started'"),
    ("--filter severity=bad", "warning"),
    ("--filter cause=nonsense", "no cause"),
    ("--filter colour=red", "vm=, kind=, severity= and cause="),
    ("--filter vm=B", "cannot be the name"),
    ("--since lately", "yesterday"),
    ("--since 2999-01-01", "still to come"),
])
def test_a_filter_of_events_that_nothing_can_pass_is_refused(farm, words, says):
    r = farm.adm("events", *words.split())
    assert r.returncode == 2 and says in r.stderr, r


@pytest.mark.parametrize("query", ["kind=strated", "kind=started,", "severity=bad", "cause=nonsense", "age=x"])
def test_the_server_refuses_it_too(farm, query):
    assert farm.get(f"/v1/events?{query}").status == 400


def test_a_filtered_stream_goes_on_from_where_it_was(farm):
    with subprocess.Popen([f"{B}/qvmadm", "-H", f"unix:{farm.socket}", "-o", "json", "events", "--follow", "--since",
                           "1h", "--filter", "kind=safe", "--vm", "bad"], text=True, stdout=subprocess.PIPE) as p:
        assert [json.loads(p.stdout.readline())["kind"] for _ in range(2)] == ["ready", "safe"]
        farm.verb("bad", "start")
        last = json.loads(p.stdout.readline())
        p.terminate()
    assert last["kind"] == "safe" and last["vm"] == "bad", last
    farm.until_vm("bad", observed="safe")


# --- waits

def test_a_wait_is_for_all_of_several(farm):
    r = farm.adm("wait", "web-1", "web-2", "--timeout", "1s")
    assert r.returncode == 18 and "web-1: observed running" in r.stdout, r
    assert "'web-2' was not observed running" in r.stderr, r
    with subprocess.Popen([f"{B}/qvmadm", "-H", f"unix:{farm.socket}", "wait", "web-1", "web-2", "--timeout", "30s"],
                          text=True, stdout=subprocess.PIPE) as p:
        assert p.stdout.readline() == "web-1: observed running\n"
        farm.verb("web-2", "start")
        assert p.stdout.read() == "web-2: observed running\n"
    assert p.returncode == 0
    farm.verb("web-2", "kill")


def test_a_wait_is_for_an_event_to_come(farm):
    assert farm.adm("wait", "web-1", "--for", "event=started", "--timeout", "300ms").returncode == 18
    with subprocess.Popen([f"{B}/qvmadm", "-v", "-H", f"unix:{farm.socket}", "wait", "web-1", "--for", "event=paused"],
                          text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as p:
        while "/v1/vms/web-1" not in p.stderr.readline():  # it looks once the stream is open
            assert p.poll() is None
        farm.verb("web-1", "pause")
        assert p.stdout.readline() == "web-1: event paused\n"
        assert p.wait() == 0
    farm.verb("web-1", "resume")


def test_a_wait_is_for_what_is_under_way(farm):
    farm.define("deaf", config("spin.elf"), stop_timeout_ms=600000)
    farm.verb("deaf", "start")
    assert farm.adm("wait", "deaf", "--for", "operation").returncode == 0
    assert farm.adm("stop", "deaf", "--no-wait").returncode == 0
    r = farm.adm("wait", "deaf", "--for", "operation", "--timeout", "20ms")
    assert r.returncode == 18 and "stop 'deaf' has not ended" in r.stderr, r
    with subprocess.Popen([f"{B}/qvmadm", "-v", "-H", f"unix:{farm.socket}", "wait", "deaf", "web-1", "--for", "operation"],
                          text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as p:
        while "/v1/operations/" not in p.stderr.readline():  # it waits for that one
            assert p.poll() is None
        farm.verb("deaf", "kill")
        out, err = p.communicate(timeout=60)
    assert p.returncode == 0 and "deaf: stop is done" in out, (out, err)
    assert farm.vm("deaf")["observed"] == "stopped"
    farm.delete("/v1/vms/deaf")


@pytest.mark.parametrize("what,says", [("state=runing", "never 'runing'"), ("event=strated", "help events"),
                                       ("running", "operation, or gone")])
def test_a_wait_for_what_never_is_says_so(farm, what, says):
    r = farm.adm("wait", "web-1", "--for", what)
    assert r.returncode == 2 and says in r.stderr, r


# --- contexts

@pytest.fixture
def context(tmp_path, farm):
    env = {k: v for k, v in os.environ.items() if not k.startswith("QVM_")}
    env.update(XDG_CONFIG_HOME=str(tmp_path / "config"))

    def adm(*words, **more):
        return subprocess.run([f"{B}/qvmadm", *words], env={**env, **more}, text=True, capture_output=True, check=False,
                              timeout=60)
    adm.file = tmp_path / "config/qvm/contexts.conf"
    assert adm("context", "add", "farm", f"unix:{farm.socket}").returncode == 0
    assert adm("context", "add", "away", f"unix:{tmp_path}/nobody.sock").returncode == 0
    return adm


def test_contexts_name_hosts(context, farm):
    assert names(context("--context", "farm", "list", "-o", "name"))
    assert context("list").returncode == 19  # the system's
    assert context("context", "use", "farm").returncode == 0
    assert names(context("list", "-o", "name"))
    assert names(context("context", "list", "-o", "name")) == ["farm", "away"]
    assert json.loads(context("context", "show", "-o", "json").stdout) == {
        "name": "farm", "current": True, "host": f"unix:{farm.socket}"}
    assert stat.S_IMODE(context.file.stat().st_mode) == 0o600
    assert os.listdir(context.file.parent) == ["contexts.conf"]


def test_the_first_that_names_a_host_counts(context, farm):
    here, away = f"unix:{farm.socket}", f"unix:{farm.socket}.away"
    context("context", "use", "away")
    for words, env, status in (((), {}, 19), ((), {"QVM_CONTEXT": "farm"}, 0),
                               ((), {"QVM_CONTEXT": "farm", "QVM_HOST": away}, 19),
                               (("--context", "farm"), {"QVM_HOST": away}, 0),
                               (("-H", here), {"QVM_HOST": away, "QVM_CONTEXT": "away"}, 0),
                               (("-H", here, "--context", "farm"), {}, 2)):
        r = context(*words, "list", **env)
        assert r.returncode == status, (words, env, r)
    assert "context 'away'" in context("list").stderr


@pytest.mark.parametrize("words,status,says", [
    ("add farm unix:/x", 3, "already"),
    ("add Lab unix:/x", 2, "cannot be the name"),
    ("add lab http://x", 3, "https://"),
    ("add lab https://x --cert /etc/passwd", 2, "--key"),
    ("add lab https://x --token-file /no/such", 12, "/no/such"),
    ("use frm", 3, "did you mean 'farm'"),
    ("remove lab", 3, "context list"),
    ("show", 3, "context use"),
    ("move farm", 2, "none of"),
])
def test_a_wrong_context_is_refused(context, words, status, says):
    before = context.file.read_text()
    r = context("context", *words.split())
    assert r.returncode == status and says in r.stderr, r
    assert context.file.read_text() == before


def test_a_removed_context_is_not_the_current_one(context):
    context("context", "use", "away")
    assert context("context", "remove", "away").returncode == 0
    assert "current" not in context.file.read_text() and "away" not in context.file.read_text()
    assert "'away'" in context("--context", "away", "list").stderr


def test_a_file_of_contexts_that_others_could_write_is_not_believed(context):
    context.file.chmod(0o666)
    r = context("--context", "farm", "list")
    assert r.returncode == 3 and "chmod 600" in r.stderr, r
    context.file.chmod(0o600)
    context.file.write_text("[farm]\nhost = unix:/x\ncolour = red\n")
    r = context("--context", "farm", "list")
    assert r.returncode == 3 and ":3:" in r.stderr and "colour" in r.stderr, r


def test_a_context_comes_with_its_token(context, farm, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text(farm.adm("token", "create", "viewer", "--role", "reader").stdout)
    secret.chmod(0o604)
    context("context", "add", "view", f"unix:{farm.socket}", "--token-file", str(secret))
    r = context("--context", "view", "list")
    assert r.returncode == 3 and "chmod 600" in r.stderr, r
    secret.chmod(0o600)
    assert context("--context", "view", "list").returncode == 0
    assert context("--context", "view", "stop", "web-1").returncode == 4


# --- readers that go, and what is not there

@pytest.mark.parametrize("words", [
    ("events", "--follow", "--since", "0"),
    ("logs", "crash", "--follow"),
    ("console", "crash", "--follow", "--tail", "1000"),
    ("top", "--interval", "1h"),
])
def test_a_reader_that_goes_ends_what_follows(farm, words):
    with subprocess.Popen([f"{B}/qvmadm", "-H", f"unix:{farm.socket}", *words], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as p:
        if words[0] != "top":
            assert p.stdout.readline()
        p.stdout.close()
        assert p.wait(60) in (0, -signal.SIGPIPE), p.stderr.read()  # the latter in the middle of a line


@pytest.mark.parametrize("words,says", [
    (("--vm", "nosuch"), "There is no VM nosuch"),
    (("--vm", "web-2", "--kind", "safe"), "There is no such event of web-2."),
    (("--kind", "api-lost", "--vm", "web-2"), "There is no such event of web-2."),
    (("--kind", "crash-loop"), "There is no such event."),
])
def test_without_events_it_says_so(farm, words, says):
    r = farm.adm("events", *words)
    assert r.returncode == 0 and r.stdout == "" and says in r.stderr, r


@pytest.mark.parametrize("words", [("set", "web-2", "bogus=1"), ("events", "--kind", "bogus")])
def test_another_word_is_not_taken_for_a_slip(farm, words):
    r = farm.adm(*words)
    assert r.returncode == 2 and "bogus" in r.stderr and "did you mean" not in r.stderr, r


def test_a_long_name_leaves_room_for_the_rule(farm):
    r = farm.adm("show", "x" * 300)
    assert r.returncode == 2 and "the first a letter or digit" in r.stderr, r


# --- what was not to be done, and the hint that fits

def test_each_hint_is_about_what_went_wrong(farm):
    for words, status, says, never in (
            (("start",), 2, "qvmadm start --help", "VERB"),
            (("strat",), 2, "qvmadm help", "VERB"),
            (("check", B), 3, "is a folder", "--help"),
            (("-H", "nowhere", "list"), 3, "must be unix:PATH", "--help"),
            (("wait", "web-2", "--timeout", "100ms"), 18, "qvmadm status web-2", "goes on"),
            (("rollback", "web-2", "99"), 5, "qvmadm revisions web-2", "did you mean"),
            (("diff", "web-2", "--revision", "99"), 5, "qvmadm revisions web-2", "did you mean"),
            (("show", "nobody"), 5, "hint: qvmadm list shows", "incidents"),
            (("dump", "nobody"), 5, "hint: qvmadm list shows", "incidents"),
            (("nmi", "web-2"), 7, "nmi is not possible while the VM is stopped", "cannot nmi"),
            (("takeover", "web-2"), 7, "qvmadm set web-2 standby=VM", "the verbs"),
            (("rename", "web-2", "web-3"), 7, "hint: qvmadm rename --help", "the verbs"),
            (("console", "web-2", "--send", "x"), 7, "typing is not possible while the VM is stopped", ", type")):
        r = farm.adm(*words)
        assert r.returncode == status and says in r.stderr and never not in r.stderr, (words, r)


def test_show_says_in_words_what_is_not_set(farm):
    policy = farm.adm("show", "web-2").stdout.split("Policy\n")[1].split("\n\n")[0]
    fields = dict(line.split(None, 1) for line in policy.splitlines())
    assert fields["after"] == fields["standby"] == fields["hook"] == "none", policy
    assert fields["memory_max"] == "0 = the guest's memory and a slack", policy
    assert fields["io_read_bps_max"] == "0 = no limit" and fields["orphan_timeout_ms"] == "0 = for ever", policy
    assert fields["start_timeout_ms"] == "20000 = 20.0 s" and fields["start_order"] == "0", policy


def test_logs_without_times_say_who_has_them(farm):
    r = farm.adm("logs", "web-2", "--since", "1h")
    assert r.returncode == 2 and "carry no time" in r.stderr and "events --vm VM --since" in r.stderr, r


def test_the_start_of_a_topic_finds_it(farm):
    r = farm.adm("help", "exit")
    assert r.returncode == 2 and "did you mean 'exit-status'?" in r.stderr and "edit" not in r.stderr, r
    r = farm.adm("help", "strat")
    assert r.returncode == 2 and "did you mean 'start'?" in r.stderr, r


@pytest.mark.parametrize("columns", [40, 50, 80])
@pytest.mark.parametrize("words", [("list",), ("audit",), ("operations",), ("status", "web-1"), ("map", "web-1")])
def test_a_table_fits_each_terminal_and_a_pipe_gets_all_of_it(farm, words, columns):
    farm.verb("web-1", "start")
    args = [f"{B}/qvmadm", "-H", f"unix:{farm.socket}", *words]
    with Terminal(args, columns=columns, NO_COLOR="1") as t:
        assert t.end() == 0 and "\x1b" not in t.drawn, t.drawn
        rows = [x for x in t.drawn.splitlines() if "  " in x.strip() and "beat" not in x]
    assert rows and max(map(len, rows)) <= columns, t.drawn
    if columns == 40 and words in (("list",), ("audit",)):
        assert "(too narrow for " in t.drawn, t.drawn
    assert "too narrow" not in farm.adm(*words).stdout and "…" not in farm.adm(*words).stdout


def test_an_editor_that_fails_changes_nothing(farm):
    r = subprocess.run([f"{B}/qvmadm", "-H", f"unix:{farm.socket}", "edit", "web-2"], text=True, capture_output=True,
                       env={**os.environ, "VISUAL": "false"}, timeout=60, check=False)
    assert r.returncode == 12 and "'false' ended with status 1, so nothing was changed" in r.stderr, r
    assert "VISUAL or EDITOR" in r.stderr and "make available" not in r.stderr, r


@pytest.mark.parametrize("words", [("qvm", "help"), ("qvmadm", "events"), ("qvmadm", "list")])
@pytest.mark.parametrize("to", [">/dev/full", ">&-"])
def test_output_that_goes_nowhere_is_an_error(farm, words, to):
    program, verb = words
    host = ["-H", f"unix:{farm.socket}"] if program == "qvmadm" else []
    r = subprocess.run(["sh", "-c", f'"$@" {to}', "sh", f"{B}/{program}", *host, verb], text=True,
                       capture_output=True, timeout=60, check=False)
    assert r.returncode in (12, 64) and "output" in r.stderr, r


def test_the_registers_of_an_incident_keep_to_the_width_of_the_terminal(farm):
    """Its other lines are what a guest or a sentence makes them."""
    for columns, most in ((79, 3), (78, 2), (120, 4), (20, 1)):
        with Terminal([f"{B}/qvmadm", "-H", f"unix:{farm.socket}", "incidents", "bad", "--last"], columns=columns) as t:
            assert t.end() == 0, t.drawn
            rows = [line for line in t.drawn.splitlines() if " rax 0x" in line.lower()]
        assert rows and all(row.count("0x") == most and len(row.rstrip()) <= max(columns, 27) for row in rows), t.drawn
