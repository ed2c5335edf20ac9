# SPDX-License-Identifier: Apache-2.0
"""The host's ends of a guest's character lines: each form alone and under qvmd, and each way an end fails."""
import contextlib
import ctypes
import fcntl
import os
import pathlib
import pwd
import re
import select
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time

import pytest

from host import B, DEADLINE, GUESTS, Host, config, worker_alone

LIBC = ctypes.CDLL(None, use_errno=True)
PIDFD_GETFD = 438
LINE = "flood %d: the quick brown fox jumps over the lazy dog\n"


def board(guest, hostdev, *lines):
    return config(guest, *lines).replace("hostdev >-", hostdev)


def write(tmp_path, text):
    path = tmp_path / "guest.qvmconf"
    path.write_text(text)
    return f"@{path}"


def flood(n):
    return "".join(LINE % i for i in range(n))


def until(condition, what):
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"not within {DEADLINE} s: {what}")


class Alone:
    """A lone qvm in the background; killed at the end of the block."""

    def __init__(self, conf, **kw):
        self.errors = ""
        self.log = tempfile.TemporaryFile()
        self.p = subprocess.Popen([f"{B}/qvm", conf], stderr=self.log,
                                  **{"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, **kw})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.p.kill()
        self.p.wait()
        self.log.close()

    def says(self, pattern):
        def look():
            self.errors = os.pread(self.log.fileno(), 65536, 0).decode()
            return re.search(pattern, self.errors)
        return until(look, f"{pattern}; it said {self.errors}")

    def ends(self):
        return self.p.wait(10 * DEADLINE)


def read_until(read, text):
    """What read() gives, up to and with the text."""
    got = b""
    end = time.monotonic() + DEADLINE
    while text not in got and time.monotonic() < end:
        got += read() or b""
    assert text in got, got[-300:]
    return got


def reader(fd):
    return lambda: os.read(fd, 4096) if select.select([fd], [], [], 0.2)[0] else b""


def open_pty(path):
    return os.open(path, os.O_RDWR | os.O_NOCTTY)


def connect(path):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.settimeout(DEADLINE)
    until(lambda: s.connect_ex(str(path)) == 0, f"{path} is listened at")
    return s


# --- alone

def test_output_goes_to_every_file_of_several_hostdevs(tmp_path):
    r = worker_alone(write(tmp_path, board("hello.elf", f"hostdev >{tmp_path}/a hostdev >b hostdev >-")))
    assert r.returncode == 0, r
    assert "Hello" in r.stdout
    assert (tmp_path / "a").read_text() == (tmp_path / "b").read_text() == r.stdout


def test_input_comes_from_a_file_and_nothing_of_it_is_lost(tmp_path):
    text = "".join(f"{i}: to be typed\n" for i in range(2000))
    (tmp_path / "keys").write_text(text + "\x04")
    r = worker_alone(write(tmp_path, board("echo.elf", "hostdev <keys hostdev >-")))
    assert r.returncode == 0, r
    assert text in r.stdout.replace("\r", "")


def test_a_bare_device_is_both_directions(tmp_path):
    master, slave = os.openpty()
    with Alone(write(tmp_path, board("echo.elf", f"hostdev {os.ttyname(slave)}"))) as q:
        read_until(reader(master), b"Ctrl-D")
        subprocess.run(["stty", "-F", os.ttyname(slave), "raw", "-echo"], check=True)
        os.write(master, b"both\x04")
        read_until(reader(master), b"bye")
        assert q.ends() == 0
    os.close(master)
    os.close(slave)


def test_a_command_gets_all_output_of_a_lone_guest(tmp_path):
    out = tmp_path / "out"
    conf = board("flood.elf", f'hostdev >"|cat >{out}"', "cmdline lines=600")
    assert worker_alone(write(tmp_path, conf)).returncode == 0
    until(lambda: out.exists() and out.read_text().replace("\r", "") == flood(600), "the command has it all")


def test_a_command_that_exits_does_not_end_the_guest(tmp_path):
    r = worker_alone(write(tmp_path, board("flood.elf", 'hostdev >"|head -c 10 >/dev/null" hostdev >-',
                                           "cmdline lines=300")))
    assert r.returncode == 0, r
    assert r.stdout.replace("\r", "") == flood(300)
    assert "cannot write to" in r.stderr


# Deaf to its end of file, and leaves one behind in a session of its own.
STUBBORN = """|trap '' HUP TERM; setsid sleep 1000 & echo $! >{0}/child; echo $$ >{0}/self; exec sleep 1000"""


def two_of(folder):
    """The pids of STUBBORN, once both are there."""
    names = [folder / "child", folder / "self"]
    until(lambda: all(n.exists() and n.read_text().strip() for n in names), "the command has begun")
    return [int(n.read_text()) for n in names]


def runs(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("sig", [signal.SIGQUIT, signal.SIGKILL], ids=["quits", "is killed"])
def test_a_command_that_does_not_end_by_itself_ends_with_its_lone_vm(tmp_path, sig):
    conf = board("hang.bin", f'hostdev >"{STUBBORN.format(tmp_path)}"')
    with Alone(write(tmp_path, conf)) as q:
        pids = two_of(tmp_path)
        assert all(map(runs, pids))
        q.p.send_signal(sig)
        q.p.wait(DEADLINE)
        until(lambda: not any(map(runs, pids)), "the command and what it left behind have ended")


def test_a_command_ends_with_its_supervised_vm():
    if os.geteuid() != 0:
        pytest.skip("only root runs commands as another user")
    with Host(**{"command-user": "nobody"}) as h:
        out = pathlib.Path(h.folder, "out")
        out.mkdir()
        os.chown(out, pwd.getpwnam("nobody").pw_uid, -1)
        run(h, "cmd", board("hang.bin", f'hostdev >"{STUBBORN.format(out)}"'))
        pids = two_of(out)
        assert all(map(runs, pids))
        assert h.verb("cmd", "kill").status < 300
        until(lambda: not any(map(runs, pids)), "the command and what it left behind have ended")


def test_a_killed_reader_does_not_end_the_guest(tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    # It reads some, and no more.
    p = subprocess.Popen([sys.executable, "-c", "import sys, time; f = open(sys.argv[1], 'rb', 0); f.read(1000); "
                          "print('read', flush=True); time.sleep(1000)", fifo], stdout=subprocess.PIPE)
    with Alone(write(tmp_path, board("flood.elf", f"hostdev >{fifo} delayed forever", "cmdline lines=600"))) as q:
        assert p.stdout.readline() == b"read\n" and q.p.poll() is None
        p.kill()
        p.communicate()
        assert q.ends() == 0


def test_a_slow_reader_holds_the_guest_and_gets_every_byte(tmp_path):
    out, into = os.pipe()
    fcntl.fcntl(into, fcntl.F_SETPIPE_SZ, 4096)
    with Alone(write(tmp_path, board("flood.elf", "hostdev >-", "cmdline lines=1600")), stdout=into) as q:
        os.close(into)
        time.sleep(0.5)
        assert q.p.poll() is None
        got = b""
        while piece := os.read(out, 1500):
            got += piece
        assert got.decode().replace("\r", "") == flood(1600)
        assert q.ends() == 0
    os.close(out)


def test_a_full_pipe_does_not_keep_a_signal_from_ending_the_vm(tmp_path):
    out, into = os.pipe()
    with Alone(write(tmp_path, board("flood.elf", "hostdev >-")), stdout=into) as q:
        os.close(into)
        until(lambda: select.select([out], [], [], 0)[0], "it prints")
        time.sleep(0.3)
        q.p.send_signal(signal.SIGQUIT)
        assert q.ends() == 3
    os.close(out)


def test_batch_delivers_everything(tmp_path):
    r = worker_alone(write(tmp_path, board("flood.elf", "hostdev >- batch 2000", "cmdline lines=300")))
    assert r.returncode == 0, r
    assert r.stdout.replace("\r", "") == flood(300)


def test_delayed_waits_for_a_reader_that_comes_late(tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with Alone(write(tmp_path, board("hello.elf", f"hostdev >{fifo} delayed forever"))) as q:
        q.says("waiting for '.*fifo'")
        with open(fifo, encoding="utf-8") as f:
            assert "Hello" in f.read()
        assert q.ends() == 0


def test_delayed_gives_up_in_the_end_and_says_why(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    r = worker_alone(write(tmp_path, board("hello.elf", "hostdev >fifo delayed 1")))
    assert r.returncode == 64, r
    assert "nobody reads the FIFO" in r.stderr


def test_a_pty_is_named_linked_and_survives_being_closed(tmp_path):
    link = tmp_path / "console"
    link.symlink_to("/dev/pts/4000")  # of a life before
    with Alone(write(tmp_path, board("echo.elf", f"hostdev pty:{link}"))) as q:
        name = q.says(r"the terminal (/dev/pts/\d+)")[1]
        assert os.readlink(link) == name
        for word in (b"first", b"second"):
            fd = open_pty(link)
            time.sleep(0.7)  # noticed at a heartbeat
            os.write(fd, word)
            read_until(reader(fd), word)
            os.close(fd)
            time.sleep(0.1)
        fd = open_pty(name)
        time.sleep(0.7)
        os.write(fd, b"\x04")
        assert q.ends() == 0
        os.close(fd)


def test_a_pty_that_nobody_opens_holds_nobody(tmp_path):
    r = worker_alone(write(tmp_path, board("flood.elf", "hostdev pty", "cmdline lines=1300")), timeout=10 * DEADLINE)
    assert r.returncode == 0, r


def test_a_pty_does_not_take_the_place_of_a_file(tmp_path):
    (tmp_path / "console").write_text("mine")
    r = worker_alone(write(tmp_path, board("hello.elf", "hostdev pty:console")))
    assert r.returncode == 64 and "is no link to a pseudo terminal" in r.stderr, r
    assert (tmp_path / "console").read_text() == "mine"


def test_a_socket_has_several_viewers_who_come_and_go(tmp_path):
    path = tmp_path / "socket"
    with Alone(write(tmp_path, board("echo.elf", f"hostdev unix:{path}"))) as q:
        a, b = connect(path), connect(path)
        time.sleep(0.2)
        a.sendall(b"hail")
        for s in (a, b):
            read_until(lambda s=s: s.recv(100), b"hail")
        a.close()
        b.sendall(b"again")
        read_until(lambda: b.recv(100), b"again")
        others = [connect(path) for _ in range(9)]
        until(lambda: any(select.select([s], [], [], 0)[0] and s.recv(1) == b"" for s in others),
              "one too many is sent away")
        for s in others:
            s.close()
        b.sendall(b"\x04")
        read_until(lambda: b.recv(100), b"bye")
        assert q.ends() == 0
        b.close()


def sockets(pid):
    """The descriptors of its sockets."""
    found, folder = set(), f"/proc/{pid}/fd"
    for fd in os.listdir(folder):
        with contextlib.suppress(FileNotFoundError):
            if os.readlink(f"{folder}/{fd}").startswith("socket:"):
                found.add(int(fd))
    return found


def of_another(pid, fd):
    """A socket of another process, as our own."""
    process = os.pidfd_open(pid)
    try:
        number = LIBC.syscall(PIDFD_GETFD, process, fd, 0)
        if number < 0:
            raise OSError(ctypes.get_errno(), f"take descriptor {fd} of {pid}")
        return socket.socket(fileno=number)
    finally:
        os.close(process)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a buffer of another process small")
def test_a_viewer_that_does_not_read_is_cut_off_and_holds_nobody(tmp_path):
    path = tmp_path / "socket"
    with Alone(write(tmp_path, board("flood.elf", f"hostdev unix:{path}", "cmdline lines=1600"))) as q:
        until(path.exists, "it listens")
        before = sockets(q.p.pid)
        s = connect(path)
        [viewer] = until(lambda: sockets(q.p.pid) - before, "it has the viewer")
        with of_another(q.p.pid, viewer) as its:  # else the kernel keeps 200 KiB for whoever does not read
            its.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        q.says("is cut off")
        assert q.ends() == 0
        s.close()


def test_a_socket_of_a_life_before_is_replaced_and_one_in_use_is_not(tmp_path):
    path = tmp_path / "socket"
    first = socket.socket(socket.AF_UNIX)
    first.bind(str(path))
    first.listen()
    conf = write(tmp_path, board("flood.elf", f"hostdev unix:{path}", "cmdline lines=1"))
    r = worker_alone(conf)
    assert r.returncode == 64 and "is in use" in r.stderr, r
    first.close()
    assert worker_alone(conf).returncode == 0


# --- under qvmd

def run(host, name, text, **policy):
    host.define(name, text, **policy)
    a = host.verb(name, "start")
    assert a.status in (200, 202), a
    return a


def test_supervised_files_get_the_output_beside_the_console(host):
    out = os.path.join(host.folder, "out")
    run(host, "files", board("hello.elf", f"hostdev >- hostdev >{out}"))
    host.until_console("files", "Hello")
    with open(out, encoding="utf-8") as f:
        until(lambda: "Hello" in f.read(), "the file has it")


def test_supervised_pty_and_socket_take_input_beside_the_console(host):
    link, path = os.path.join(host.folder, "pty"), os.path.join(host.folder, "socket")
    run(host, "ends", board("echo.elf", f"hostdev - hostdev pty:{link} hostdev unix:{path}"))
    host.until_console("ends", "Ctrl-D")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o660
    s = connect(path)
    s.sendall(b"by socket")
    read_until(lambda: s.recv(100), b"by socket")
    host.until_console("ends", "by socket")
    fd = open_pty(link)
    host.until(lambda: os.write(fd, b"P") and select.select([fd], [], [], 0.3)[0], "the pty is noticed")
    os.write(fd, b"by pty")
    read_until(reader(fd), b"by pty")
    host.until_console("ends", "by pty")
    a = host.request("POST", "/v1/vms/ends/console", "by rest\n", {"Content-Type": "text/plain"})
    assert a.status < 300, a
    host.until_console("ends", "by rest")
    read_until(lambda: s.recv(100), b"by rest")
    os.close(fd)
    s.close()


def test_a_command_is_refused_by_a_host_that_has_no_policy_for_it(host):
    a = host.put("/v1/vms/cmd", {"config": board("hello.elf", 'hostdev >"|cat"'), "policy": {}})
    assert a.status == 422 or a.status == 400, a
    assert "command-user" in a.text


def test_a_command_runs_as_the_user_that_the_host_names():
    if os.geteuid() != 0:
        pytest.skip("only root runs commands as another user")
    with Host(**{"command-user": "nobody"}) as h:
        out = os.path.join(h.folder, "out")
        os.mkdir(out)
        os.chown(out, pwd.getpwnam("nobody").pw_uid, -1)
        run(h, "cmd", board("hello.elf", f'hostdev >- hostdev >"|id -un >{out}/who; cat >{out}/said"'))
        h.until_console("cmd", "Hello")
        h.until(lambda: os.path.exists(f"{out}/said") and "Hello" in open(f"{out}/said", encoding="utf-8").read(),
                "the command reads")
        assert open(f"{out}/who", encoding="utf-8").read() == "nobody\n"
        assert h.verb("cmd", "stop").status < 300


def test_a_slow_reader_does_not_make_a_supervised_vm_look_hung(host):
    fifo = os.path.join(host.folder, "fifo")
    os.mkfifo(fifo)
    fd = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, 4096)
    misses = 10
    run(host, "slow", board("flood.elf", f"hostdev >{fifo}"), heartbeat_ms=100, heartbeat_misses=misses)

    def look():
        return host.get("/v1/vms/slow/status").json

    def written(status):
        return next(v["bytes_out"] for v in status["vdevs"] if v["name"] == "ser8250")
    host.until(lambda: (n := written(look())) > 1 << 16 and n == written(look()), "the guest is held")
    begun = look()["heartbeat"]["beats"]
    host.until(lambda: look()["heartbeat"]["beats"] > begun + misses, "its worker beats for longer than it may miss")
    assert host.vm("slow")["observed"] == "running"
    assert host.incidents("slow") == []
    os.close(fd)
    before = len(host.console("slow"))
    assert before > 0
    assert host.verb("slow", "kill").status < 300


def test_delayed_is_said_to_wait_for_nothing_under_qvmd(host):
    a = host.post("/v1/check", {"config": board("hello.elf", "hostdev >- delayed 5 hostdev >/tmp/qvm-none")})
    assert a.status == 200 and "waits for nothing here" in a.text, a
    assert GUESTS in a.text or a.json


def test_the_last_words_for_a_reader_that_takes_nothing_are_bounded_and_no_hang(host, tmp_path):
    fifo = tmp_path / "line"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDWR | os.O_NONBLOCK)
    fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, 4096)
    # More than the pipe takes, and less than the guest would have to wait for.
    text = board("flood.elf", f"hostdev >{fifo}", 'cmdline "lines=150"')
    host.define("slow", text, heartbeat_ms=300, heartbeat_misses=3)
    host.verb("slow", "start")
    host.until_vm("slow", observed="stopped")
    os.close(reader)
    assert host.vm("slow")["cause"] == "poweroff", host.vm("slow")
    assert "has not taken the last" in host.get("/v1/vms/slow/status").json["log"]
