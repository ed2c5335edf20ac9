# SPDX-License-Identifier: Apache-2.0
"""Every example of every verb's help is a command that can be typed: it is."""
import shutil
import subprocess

import pytest

from host import B, EXAMPLES, config

VERBS = subprocess.run([f"{B}/qvmadm", "complete", "--", ""], capture_output=True, text=True, check=True).stdout.split()
AT_TERMINAL = ("--read-only", "--escape")  # on one of their own
ENDLESS = ("--follow", "wait ", "watch ", "top", *AT_TERMINAL)  # cut short
NO_COMMAND = {2, 3, 65, 126, 127}  # usage, invalid, configuration; no such program
ELSEWHERE = ("https://", "--context", " -H ")  # hosts that are not here: 19
STUBS = ("jq", "gdb", "page-someone", "watch", "emacs")


def examples(verb):
    text = subprocess.run([f"{B}/qvmadm", "help", verb], capture_output=True, text=True, check=True).stdout
    block = text.split("\nExamples\n")[1].split("\n\n")[0]
    return [x.strip() for x in block.split("\n") if x.strip()]


@pytest.fixture(scope="module")
def desk(shared, tmp_path_factory):
    """A folder with the files that the examples name, a host with their VMs, and stand-ins for others' programs."""
    home = tmp_path_factory.mktemp("desk")
    for folder in ("bin", ".zsh", ".config/fish/completions", "vms"):
        (home / folder).mkdir(parents=True)
    for name in STUBS:
        (home / "bin" / name).write_text("#!/bin/sh\n[ -t 0 ] || cat >/dev/null\n")
        (home / "bin" / name).chmod(0o755)
    for vm in ("brake", "brake-b", "web-1", "web-2", "web"):
        for folder in (home, home / "vms"):
            (folder / f"{vm}.qvmconf").write_text(config("hello.elf"))
        shared.define(vm, config("hello.elf"))
    (home / "bin/jq").write_text("#!/bin/sh\ncat >/dev/null\ncat ~/brake.qvmconf\n")  # as jq -r .config
    for name in ("lab.token", "lab.pem"):
        (home / name).write_text("x\n")
        (home / name).chmod(0o600)
    shutil.copy(f"{EXAMPLES}/hello.qvmconf", home)
    shared.desk = home
    shared.env = {**shared.environment(home), "EDITOR": "true", "VISUAL": "true"}
    shared.env["PATH"] = f"{home}/bin:{shared.env['PATH']}"
    return shared


@pytest.fixture
def quiet(desk):
    """No VM runs afterwards."""
    yield
    for vm in desk.get("/v1/vms").json["vms"]:
        if vm["pid"]:
            desk.verb(vm["name"], "kill")


def set_up(desk):
    """brake runs, whatever the example before did."""
    if desk.get("/v1/vms/brake").status == 404:
        desk.define("brake", config("hello.elf"))
    desk.verb("brake", "start")


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("verb", VERBS)
def test_the_examples_of_a_verb_are_commands(desk, verb):
    given = examples(verb)
    assert len(given) >= 2, given
    for line in (x.replace("/etc/qvm/vms", f"{desk.desk}/vms") for x in given):
        set_up(desk)
        patience = "0.7" if any(x in line for x in ENDLESS) else "30"
        how = ["script", "-qec", line, "/dev/null"] if any(x in line for x in AT_TERMINAL) else ["bash", "-c", line]
        r = subprocess.run(["timeout", patience, *how], cwd=desk.desk, env=desk.env, stdin=subprocess.DEVNULL,
                           capture_output=True, text=True, check=False)
        if r.returncode == 124:
            assert patience != "30", line
        allowed = any(x in line for x in ELSEWHERE) or r.returncode != 19
        assert r.returncode not in NO_COMMAND and allowed, (line, r)


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_a_verb_has_all_its_parts(verb):
    by_help = subprocess.run([f"{B}/qvmadm", "help", verb], capture_output=True, text=True, check=True).stdout
    by_option = subprocess.run([f"{B}/qvmadm", verb, "--help"], capture_output=True, text=True, check=True).stdout
    (head, *summary), about = by_help.split("\n\n")[0].split("\n"), by_help.split("\n\n")[1]
    assert by_help == by_option and head.startswith(f"qvmadm {verb}") and summary[-1].endswith(".") and about.strip()
    assert all(x in by_help for x in ("\nExamples\n", "\nOptions of every verb\n", "FORM is ", "exit-status"))
    assert max(map(len, by_help.split("\nExamples\n")[0].split("\n"))) <= 80
    assert "[OPTION]" not in head or "\nOptions\n" in by_help


@pytest.mark.parametrize("topic,says", [("exit-status", "18  timeout"), ("exit-status", "30  qvmadm doctor "), ("exit-status", "1   qvmadm diff "), ("environment", "NO_COLOR"),
                                        ("contexts", "QVM_CONTEXT"), ("format", "wide")])
def test_a_topic_has_its_help(topic, says):
    r = subprocess.run([f"{B}/qvmadm", "help", topic], capture_output=True, text=True, check=True)
    assert says in r.stdout, r
    assert topic in subprocess.run([f"{B}/qvmadm", "help"], capture_output=True, text=True, check=True).stdout


def test_a_vm_that_is_none_is_compared_with_those_that_are(desk):
    for verb in ("show", "start", "wait"):
        r = desk.adm(verb, "brakr")
        assert r.returncode == 5 and "did you mean: brake\n" in r.stderr, r
    assert "did you mean" not in desk.adm("show", "zzzzzzzz").stderr
    assert "did you mean" not in desk.adm("--json", "show", "brakr").stderr
