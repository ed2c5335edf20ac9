# SPDX-License-Identifier: Apache-2.0
"""A host that has run out of something, seen by the supervisor: that request is refused and says of what;
whoever runs is not touched; afterwards all is as before."""
import errno
import os
import resource
import subprocess

import pytest

from host import B, Host, config

HELLO = config("hello.elf")
# Each call by which a start takes something of the host, and what there is none of.
CALLS = {
    "clone3-processes": (435, errno.EAGAIN), "clone3-memory": (435, errno.ENOMEM),
    "memfd_create-memory": (319, errno.ENOMEM), "memfd_create-descriptors": (319, errno.EMFILE),
    "ftruncate-space": (77, errno.ENOSPC), "pipe2-descriptors": (293, errno.EMFILE),
    "socketpair-files": (53, errno.ENFILE), "openat-files": (257, errno.ENFILE), "openat-memory": (257, errno.ENOMEM),
}


@pytest.fixture(scope="module")
def poor():
    with Host() as h:
        h.define("bystander", HELLO)
        h.verb("bystander", "start")
        h.until_console("bystander", "Hello")
        h.untouched = h.vm("bystander")["pid"]
        yield h


def fds(host):
    return len(os.listdir(f"/proc/{host.process.pid}/fd"))


def unharmed(host, descriptors):
    vm = host.vm("bystander")
    assert (vm["pid"], vm["observed"], vm["health"], vm["restarts"]) == (host.untouched, "running", "healthy", 0), vm
    host.until(lambda: fds(host) == descriptors, f"qvmd has {descriptors} descriptors, as before")


class Denied:
    """One call of the supervisor is refused while this lasts, if it makes it."""

    def __init__(self, host, number, code, skip=0):
        self.p = subprocess.Popen([f"{B}/tests/deny_syscall", *map(str, (host.process.pid, number, code, skip))],
                                  stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        assert self.p.stdout.readline() == "ready\n"
        return self

    def __exit__(self, *_):
        self.p.kill() if self.p.poll() is None else None  # pylint: disable=expression-not-assigned
        self.p.wait()
        self.p.stdout.close()


@pytest.mark.parametrize("what", CALLS)
def test_a_start_that_the_host_has_nothing_for_says_so_and_nobody_else_notices(poor, what):
    number, code = CALLS[what]
    before, denied = fds(poor), 0
    poor.define("x", HELLO, on_failure="stop")
    for skip in range(3):  # the first such call of a start, and those after it
        with Denied(poor, number, code, skip) as d:
            a = poor.verb("x", "start")
            if d.p.poll() is None and a.json["state"] == "done":
                poor.verb("x", "kill")
                break  # a start makes no more of them
        denied += 1
        if a.json["state"] == "failed":
            said = a.json["error"]["detail"]
            assert os.strerror(code) in said and len(said) > len(os.strerror(code)) + 10, a
            vm = poor.until_vm("x", observed="safe", pid=0)
            assert vm["cause"] in ("start-failed", "resource"), vm
        poor.verb("x", "kill")
        poor.until_vm("x", pid=0)
    assert denied
    assert poor.verb("x", "start").json["state"] == "done"
    poor.verb("x", "kill")
    poor.until_vm("x", pid=0)
    poor.verb("x", "release")
    assert poor.delete("/v1/vms/x").status == 204
    unharmed(poor, before)


def test_each_descriptor_that_is_one_too_many_is_a_refusal(poor):
    pid, before = poor.process.pid, fds(poor)
    poor.define("x", HELLO, on_failure="stop")
    _, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    held = sorted(map(int, os.listdir(f"/proc/{pid}/fd")))
    lowest = next(n for n in range(len(held) + 1) if n not in held)  # the next that it would get
    cgroup = poor.get("/v1/host").json["facts"]["cgroup"]
    refused = 0
    for spare in range(0, 80, 2):
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (lowest + spare, hard))
        try:
            a = poor.verb("x", "start")
        finally:
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (hard, hard))
        if a.status == 200 and a.json["state"] == "done":
            break
        refused += 1
        # A worker inherits the limit: with next to none it does not come to its program.
        assert os.strerror(errno.EMFILE) in a.text or "could not be executed" in a.text, a
        poor.until_vm("x", pid=0)
        assert not os.path.exists(f"{cgroup}/vm-x")
    else:
        pytest.fail("no number of descriptors was enough")
    assert refused >= 3
    poor.verb("x", "kill")
    poor.until_vm("x", pid=0)
    poor.verb("x", "release")
    assert poor.delete("/v1/vms/x").status == 204
    unharmed(poor, before)


def test_a_check_that_the_host_has_no_process_for_is_a_refusal(poor):
    before = fds(poor)
    with Denied(poor, 435, errno.EAGAIN) as d:
        a = poor.post("/v1/check", {"config": HELLO})
        assert d.p.wait(20) == 0
    assert a.status == 409 and os.strerror(errno.EAGAIN) in a.json["detail"] and a.json["hint"], a
    assert poor.post("/v1/check", {"config": HELLO}).json["valid"]
    unharmed(poor, before)
