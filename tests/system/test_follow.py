# SPDX-License-Identifier: Apache-2.0
"""qvmadm logs -f and console -f over the loss of the API process, of the supervisor, and of the worker."""
import os
import signal
import subprocess

from host import B, config

CRASH = config("panic.elf", 'cmdline "event=2"', "vdev pvpanic")  # pvpanic warns of it, and the guest goes on to its end
WARNING = "starts its crash kernel"


def follow(host, *words):
    return subprocess.Popen([f"{B}/qvmadm", "-H", f"unix:{host.socket}", *words, "--follow"], text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def read_until(p, word):
    """What it printed, up to the end of the line with that word."""
    said = ""
    while word not in said or not said.endswith("\n"):
        line = p.stdout.readline()
        assert line, (said, p.stderr.read())
        said += line
    return said


def kill_api(host):
    pid = host.until(host.api_pid, "there is an API")
    os.kill(pid, signal.SIGKILL)
    host.until(lambda: host.api_pid() not in (0, pid) and host.serves(), "there is another API")


def ended(p):
    """What it still printed, and all that it complained of."""
    p.terminate()
    return p.communicate()


def test_a_followed_console_loses_and_repeats_nothing_when_api_and_supervisor_are_killed(host):
    host.define("echo", config("echo.elf"))
    host.verb("echo", "start")
    host.until_console("echo", "echo: type")
    words = [f"word-{n}" for n in range(4)]
    kill = [lambda: kill_api(host), lambda: (host.kill(), host.start()), lambda: kill_api(host), None]
    with follow(host, "console", "echo") as p:
        said = read_until(p, "echo: type")
        for word, then in zip(words, kill):
            host.post("/v1/vms/echo/console", f"{word}\n", **{"Content-Type": "text/plain"})
            host.until_console("echo", word)
            if then:
                then()
        said += read_until(p, words[-1])
        rest, complaints = ended(p)
        assert said + rest == host.console("echo").replace("\r\n", "\n"), (said, rest)
    assert complaints.count("qvmadm: the console of 'echo' broke off; taking it up again\n") in (1, 2, 3), complaints


def test_a_followed_log_goes_on_with_the_next_worker_when_the_api_was_killed(host):
    host.define("crash", CRASH)
    host.verb("crash", "start")
    host.until_vm("crash", observed="stopped")
    with follow(host, "logs", "crash") as p:
        first = read_until(p, WARNING)
        kill_api(host)
        host.verb("crash", "start")
        second = read_until(p, WARNING)
        host.verb("crash", "start")
        third = read_until(p, WARNING)
        rest, complaints = ended(p)
    assert second == third == first and WARNING not in rest, (first, second, third, rest)
    assert complaints == "qvmadm: the log of 'crash' broke off; taking it up again\n"


def test_a_deleted_vm_ends_what_follows_it(host):
    host.define("crash", CRASH)
    host.verb("crash", "start")
    with follow(host, "logs", "crash") as p:
        read_until(p, WARNING)
        host.until_vm("crash", observed="stopped")
        assert host.delete("/v1/vms/crash").status == 204
        _, complaints = p.communicate()
    assert (p.returncode, complaints) == (0, "The VM crash is there no longer.\n")


def test_an_answer_without_gaps_ends_with_its_worker_and_tells_where_it_begins(host):
    host.define("crash", CRASH)
    host.verb("crash", "start")
    host.until_vm("crash", observed="stopped")
    whole = host.get("/v1/vms/crash/log")
    end, generation = int(whole.headers["Log-Position"]), whole.headers["Log-Generation"]
    assert end == len(whole.text)
    with subprocess.Popen(["curl", "-sNi", "--unix-socket", host.socket,
                           f"http://qvm/v1/vms/crash/log?follow=1&gapless=1&since=3&generation={generation}"],
                          text=True, stdout=subprocess.PIPE) as p:
        head = ""
        while not head.endswith("\n\n"):
            head += p.stdout.readline()
        assert "log-position: 3\n" in head.lower(), head
        host.verb("crash", "start")
        assert p.stdout.read() == whole.text[3:] and p.wait() == 0
