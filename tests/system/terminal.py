# SPDX-License-Identifier: Apache-2.0
"""A program on a terminal of its own: what it draws, keys to type, its size."""
import fcntl
import os
import signal
import select
import struct
import subprocess
import termios
import time

from host import DEADLINE


def as_a_login():
    """A program at a terminal hears its signals, even if whoever runs the tests, nohup for one, does not."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Terminal:
    def __init__(self, args, columns=100, rows=24, **env):
        self.master, slave = os.openpty()
        self.resize(columns, rows)
        self.before = termios.tcgetattr(slave)
        self.slave = slave  # held, so that its settings can be looked at when the program has ended
        self.drawn = ""
        self.process = subprocess.Popen(args, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
                                        env={"PATH": os.environ["PATH"], "TERM": "xterm", "LC_ALL": "C.UTF-8", **env},
                                        preexec_fn=as_a_login)

    def resize(self, columns, rows):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def take(self, seconds):
        if select.select([self.master], [], [], seconds)[0]:
            self.drawn += os.read(self.master, 65536).decode("utf-8", "replace")

    def until(self, met, what):
        end = time.monotonic() + DEADLINE
        while not met(self.drawn):
            assert time.monotonic() < end, f"not seen: {what}\n{self.drawn!r}"
            assert self.process.poll() is None or self.has_more(), f"it ended before: {what}\n{self.drawn!r}"
            self.take(0.05)
        return self.drawn

    def has_more(self):
        return bool(select.select([self.master], [], [], 0)[0])

    def type(self, keys):
        os.write(self.master, keys.encode())

    def end(self):
        """Its exit status; what it has drawn is in .drawn."""
        end = time.monotonic() + DEADLINE
        while self.process.poll() is None or self.has_more():
            assert time.monotonic() < end, f"it does not end: {self.drawn!r}"
            self.take(0.05)
        return self.process.returncode

    def is_restored(self):
        return termios.tcgetattr(self.slave) == self.before

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)
        os.close(self.slave)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
