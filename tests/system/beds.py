# SPDX-License-Identifier: Apache-2.0
"""Beds, made in advance. A test module with `BED = "NAME"` judges what tests/harness/NAME says in the
full-instruction bed. A bed boots kernels on one emulated processor for minutes and touches nothing of
this machine, so one lies beside the tests at all times. Those who judge come last, and while they wait
there is one on every processor."""
import contextlib
import os
import re
import signal
import subprocess
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

from host import B, ROOT

OUT_OF_TIME, STANDS_STILL = 124, 123


class Beds:
    def __init__(self):
        self.pool = ThreadPoolExecutor(max_workers=os.cpu_count())
        self.room = threading.Semaphore(1)
        self.waited_for = False
        self.said = {}
        self.lying = set()
        self.closed = threading.Event()

    def run(self, name, *args):
        """Run tests/harness/NAME in this thread."""
        with subprocess.Popen([os.path.join(ROOT, "tests", "harness", name), *args],
                              env={**os.environ, "B": B}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, errors="replace", start_new_session=True) as bed:
            self.lying.add(bed)
            if self.closed.is_set():
                self.end(bed)
            out, err = bed.communicate()
            self.lying.discard(bed)
        return subprocess.CompletedProcess(name, bed.returncode, out, err)

    @staticmethod
    def end(bed):
        """With all that it has started: whoever is left would keep its pipes open."""
        with contextlib.suppress(ProcessLookupError):  # it has just ended by itself
            os.killpg(bed.pid, signal.SIGTERM)

    def twice(self, name):
        """A bed whose own kernel has stood still, whose qemu has died, or that is out of time gets a second
        try, and the first one is told of; a wrong answer gets none. Out of time it is when a guest's kernel
        stands still, as the bed's own can: see ARCHITECTURE, the beds."""
        with self.room:
            first = self.run(name)
            if first.returncode not in (OUT_OF_TIME, STANDS_STILL) or self.closed.is_set():
                return None, first
            return first, self.run(name)

    def prepare(self, names):
        for name in names:
            self.said[name] = self.pool.submit(self.twice, name)

    def says(self, name):
        if not self.waited_for:  # no test runs meanwhile
            self.waited_for = True
            self.room.release(os.cpu_count() - 1)
        first, last = self.said[name].result()
        if first:
            warnings.warn(f"the bed '{name}' was run again, it came to no end:\n{first.stdout[-2000:]}{first.stderr}")
        assert last.returncode == 0, last.stdout + last.stderr
        return last.stdout

    def close(self):
        self.closed.set()
        for bed in list(self.lying):
            self.end(bed)
        self.pool.shutdown(cancel_futures=True)


def complaints(said):
    """What tests/harness/guest-complaints has said in a guest of a bed."""
    assert "complaints: all told" in said, said
    return re.findall(r"complaint: .*", said)
