# SPDX-License-Identifier: Apache-2.0
"""The tab key in the real shells: bash and zsh at a terminal, fish by its own question."""
import os
import pty
import re
import select
import shutil
import subprocess
import time

import pytest

from host import DEADLINE, config

READY = "qvm-ready"


@pytest.fixture(scope="module")
def farm(shared, tmp_path_factory):
    """Two VMs, one incident, one token, one context; qvmadm on PATH."""
    shared.define("web-1", config("hello.elf"))
    shared.define("bad", config("triple.elf"), on_failure="stop")
    shared.verb("bad", "start")
    shared.until_vm("bad", observed="safe")
    assert shared.adm("token", "create", "panel").returncode == 0
    home = tmp_path_factory.mktemp("home")
    shared.env = {**shared.environment(home), "TERM": "dumb", "LC_ALL": "C.UTF-8", "INPUTRC": "/dev/null"}
    subprocess.run(["qvmadm", "context", "add", "lab", "https://lab:9443"], env=shared.env, check=True)
    return shared


def told(farm, *words):
    r = subprocess.run(["qvmadm", "complete", "--", *words], env=farm.env, capture_output=True, text=True, check=True)
    return r.stdout.split("\n")[:-1]


@pytest.mark.parametrize("words,there,absent", [
    ([""], ["start", "context"], ["web-1"]),
    (["start", ""], ["web-1", "bad"], ["lab"]),
    (["wait", "web-1", ""], ["bad"], []),
    (["wait", "web-1", "--for", ""], ["state=running", "event=safe", "cause=watchdog", "operation", "gone"], []),
    (["list", "-"], ["--state", "--host"], ["--for"]),
    (["list", "--state", ""], ["paused"], ["healthy"]),
    (["list", "-o", ""], ["wide", "name", "json"], []),
    (["show", "web-1", "-o", ""], ["json"], ["wide"]),
    (["define", "web-1", "x", "--policy", ""], ["restart_budget=", "standby="], []),
    (["context", ""], ["add", "use"], ["lab"]),
    (["context", "use", ""], ["lab"], ["web-1"]),
    (["context", "add", ""], [], ["lab"]),
    (["token", "delete", ""], ["panel"], ["lab"]),
    (["incidents", "bad", ""], ["1"], ["web-1"]),
    (["help", ""], ["exit-status", "wait"], []),
    (["events", "--filter", ""], ["severity=err", "kind=safe"], []),
    (["--context", ""], ["lab"], []),
    (["-H", "unix:/nowhere.sock", "start", ""], [], ["web-1"]),
    (["check", ""], [], ["web-1"]),
])
def test_what_fits_is_known_from_the_verbs_and_the_server(farm, words, there, absent):
    found = told(farm, *words)
    assert set(there) <= set(found) and not set(absent) & set(found), found


def test_fish_shows_names_and_what_they_are(farm):
    if not shutil.which("fish"):
        pytest.skip("no fish here")

    def ask(line):
        r = subprocess.run(["fish", "--no-config", "-c", f"qvmadm completion fish | source; complete -C '{line}'"],
                           env=farm.env, capture_output=True, text=True, check=True, timeout=DEADLINE)
        return r.stdout.split("\n")
    assert "web-1\tstopped" in ask("qvmadm start w")
    assert any(x.startswith("restart_budget=") for x in ask("qvmadm define a b -p rest"))
    assert any(x.startswith("state=running") for x in ask("qvmadm wait web-1 --for state=r"))
    assert any(x.startswith("lab\thttps://lab") for x in ask("qvmadm --context l"))


class Shell:
    """An interactive shell at a terminal of its own."""

    def __init__(self, argv, env, setup):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execvpe(argv[0], argv, env)
        self.said = ""
        self.type(setup + f"; echo {READY[:4]}''{READY[4:]}\n")
        self.until(READY)

    def type(self, text):
        os.write(self.fd, text.encode())

    def until(self, pattern):
        end = time.monotonic() + DEADLINE
        while not re.search(pattern, self.said):
            assert time.monotonic() < end, self.said
            if select.select([self.fd], [], [], 0.1)[0]:
                self.said += os.read(self.fd, 65536).decode(errors="replace")
        self.said = ""

    def close(self):
        os.close(self.fd)
        os.waitpid(self.pid, 0)


SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], 'PS1="$ "; eval "$(qvmadm completion bash)"'),
    "zsh": (["zsh", "-f", "-i"], 'PS1="$ "; autoload -U compinit; compinit -D -u; eval "$(qvmadm completion zsh)"'),
}


@pytest.fixture(params=SHELLS)
def shell(request, farm):
    if not shutil.which(request.param):
        pytest.skip(f"no {request.param} here")
    argv, setup = SHELLS[request.param]
    s = Shell(argv, farm.env, setup)
    yield s
    s.close()


@pytest.mark.parametrize("typed,becomes", [
    ("qvmadm sta\t\t", r"start.*status|status.*start"),
    ("echo OUT=; qvmadm show we\t| sed s/^/OUT=/\n", r"OUT=web-1, revision"),
    ("qvmadm wait bad --for state=saf\t&& echo OUT=$?\n", r"OUT=0"),
    ("qvmadm context show la\t\n", r"https://lab:9443"),
])
def test_a_tab_completes_and_what_it_completed_works(shell, typed, becomes):
    shell.type(typed)
    shell.until(f"(?s){becomes}")
