# SPDX-License-Identifier: Apache-2.0
"""`qvmadm console VM` at a terminal: typing, leaving, its settings afterwards, one writer, restarts, a killed API."""
import os
import signal
import subprocess
import threading

import pytest

from host import B, Host, config
from terminal import Terminal
from websocket import WebSocket

LEAVE = "\x1d"


@pytest.fixture(scope="module")
def shared(shared):
    shared.define("echo", config("echo.elf"))
    shared.verb("echo", "start")
    shared.until_console("echo", "echo: type")
    return shared


def attached(host, *args, vm="echo", **env):
    t = Terminal([f"{B}/qvmadm", "-H", f"unix:{host.socket}", "console", vm, *args], **env)
    t.until(lambda seen: "detaches." in seen, "how to leave")
    return t


def until(t, text):
    t.until(lambda seen: text in seen, text)


def left(t, key=LEAVE):
    t.type(key)
    assert t.end() == 0, t.drawn
    assert t.is_restored()


def test_what_is_typed_is_answered_and_ctrl_bracket_leaves_the_terminal_as_it_was(shared):
    with attached(shared) as t:
        until(t, "Attached to echo. Ctrl-] detaches.")
        until(t, "echo: type, end with Ctrl-D")
        assert not t.is_restored()
        t.type("marco\r")
        until(t, "marco")
        left(t)
        assert "Detached from echo." in t.drawn


def test_ctrl_c_reaches_the_guest_and_keys_keep_their_order(shared):
    with attached(shared) as t:
        t.type("a\x03b\r")
        shared.until_console("echo", "a\x03b")
        text = "".join(f"{n:04d}." for n in range(400))
        for at in range(0, len(text), 50):
            t.type(text[at:at + 50])
        t.type("\r")
        shared.until_console("echo", text)
        until(t, text)
        left(t)


def test_a_long_text_is_sent_whole_at_the_pace_of_the_guest(shared):
    text = "".join(f"{n:06d}." for n in range(1700))
    subprocess.run([f"{B}/qvmadm", "-H", f"unix:{shared.socket}", "console", "echo", "--send", text + r"\n"], check=True)
    shared.until_console("echo", text)


def test_a_guest_that_reads_nothing_is_spoken_of_and_can_be_left(host):
    host.define("deaf", config("spin.elf"))
    host.verb("deaf", "start")
    with attached(host, vm="deaf") as t:
        for _ in range(6):
            t.type("x" * 1000)
        until(t, "the guest of 'deaf' has not read what was typed before")
        until(t, "Trying again; Ctrl-] detaches.")
        left(t)


def test_who_asks_too_often_is_told_that_and_not_that_the_guest_does_not_read():
    with Host(**{"requests-per-second": 1, "request-burst": 20}) as h:
        secret = h.post("/v1/tokens/script", {"role": "operator"}).json["secret"]
        h.define("echo", config("echo.elf"))
        h.verb("echo", "start")
        over = threading.Event()

        def ask():
            while not over.is_set():
                h.request("GET", "/v1/vms", headers={"Authorization": f"Bearer {secret}"})

        with attached(h, QVM_TOKEN=secret) as t:
            other = threading.Thread(target=ask)
            other.start()
            try:
                t.type("x")
                until(t, "'script' may send requests at 1 a second, and 20 at once")
                until(t, "Trying again; Ctrl-] detaches.")
                assert "has not read" not in t.drawn
            finally:
                over.set()
                other.join()
            left(t)


def test_another_key_leaves_and_what_was_typed_before_it_is_sent(shared):
    with attached(shared, "--escape", "^A") as t:
        assert "Ctrl-A detaches" in t.drawn
        t.type(LEAVE + "last words\r\x01")
        assert t.end() == 0 and t.is_restored(), t.drawn
    shared.until_console("echo", LEAVE + "last words")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_it_and_the_terminal_is_as_it_was(shared, number):
    with attached(shared) as t:
        t.process.send_signal(number)
        assert t.end() == -number and t.is_restored(), t.drawn


def test_who_only_looks_on_types_nothing(shared):
    with attached(shared, "--read-only") as t:
        until(t, "read-only")
        t.type("unheard\r")
        assert shared.adm("console", "echo", "--send", "said elsewhere\\n").returncode == 0
        until(t, "said elsewhere")
        left(t)
    assert "unheard" not in shared.console("echo")


def test_a_second_writer_is_told_who_types_and_force_overrules(shared):
    with WebSocket(shared, "echo") as w:
        w.say(type="write", force=True)
        assert w.until_told("writer", you=True)
        with attached(shared) as t:
            t.type("refused\r")
            until(t, "uid 0 types at the console of 'echo'")
            until(t, "`qvmadm console echo --force`")
            w.type("from the first\n")
            until(t, "from the first")
            left(t)
        with attached(shared, "--force") as t:
            t.type("overruled\r")
            until(t, "overruled")
            assert w.until_told("writer", you=False)
            left(t)
    assert "refused" not in shared.console("echo")


def test_without_a_terminal_it_prints_as_before_and_refuses_what_needs_one(shared):
    r = shared.adm("console", "echo")
    assert r.returncode == 0 and "echo: type" in r.stdout and r.stderr == ""
    r = shared.adm("console", "echo", "--force")
    assert r.returncode == 2 and "terminal" in r.stderr, r
    r = shared.adm("console", "echo", "--escape", "^^^")
    assert r.returncode == 2 and "--escape '^A'" in r.stderr, r


def test_a_killed_api_is_gone_on_with_without_loss_or_repetition(host):
    host.define("echo", config("echo.elf"))
    host.verb("echo", "start")
    host.until_console("echo", "Ctrl-D")
    with attached(host) as t:
        for n in range(3):
            t.type(f"before {n}\r")
            until(t, f"before {n}")
            os.kill(host.until(host.api_pid, "there is an API"), signal.SIGKILL)
            t.type(f"after {n}\r")
            until(t, f"after {n}")
        left(t)
    printed = host.console("echo")
    for n in range(3):
        assert printed.count(f"before {n}") == printed.count(f"after {n}") == 1
        assert t.drawn.count(f"before {n}") == t.drawn.count(f"after {n}") == 1


def test_a_restart_is_told_and_a_deleted_vm_ends_it(shared):
    shared.define("again", config("echo.elf"))
    shared.verb("again", "start")
    shared.until_console("again", "Ctrl-D")
    with attached(shared, vm="again") as t:
        until(t, "end with Ctrl-D")
        shared.verb("again", "kill")
        until(t, "'again' is stopped.")
        shared.verb("again", "start")
        t.until(lambda seen: seen.count("end with Ctrl-D") == 2, "the next worker's first line")
        t.type("still here\r")
        until(t, "still here")
        shared.verb("again", "kill")
        t.until(lambda seen: seen.count("'again' is stopped.") == 2, "it has stopped again")
        assert shared.delete("/v1/vms/again").status == 204
        assert t.end() == 5 and t.is_restored(), t.drawn
        assert "there is no VM 'again'" in t.drawn and "Detached" not in t.drawn


def test_a_server_that_is_away_is_spoken_of(host):
    host.define("echo", config("echo.elf"))
    host.verb("echo", "start")
    host.until_console("echo", "Ctrl-D")
    with attached(host) as t:
        host.stop()
        until(t, "Trying again; Ctrl-] detaches.")
        host.start()
        until(t, "Connected again.")
        left(t)
