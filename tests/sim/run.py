#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Plays every scene against its golden print, then a storm. `run.py --write` makes new goldens."""
import glob
import os
import subprocess
import sys

B = os.environ.get("B", "build")
HERE = os.path.dirname(os.path.abspath(__file__))
SIMULATOR = os.path.abspath(f"{B}/tests/simulator")
STORM = ["storm", "1", "40000"]


def play(*args):
    r = subprocess.run([SIMULATOR, *args], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                       timeout=300, check=False)
    return r.stdout + ("" if r.returncode == 0 else f"exit status {r.returncode}\n")


def main():
    passed = failed = 0
    for scene in sorted(glob.glob(f"{HERE}/*.scene")):
        golden = scene[:-len(".scene")] + ".expect"
        print_ = play(scene)
        if "--write" in sys.argv:
            with open(golden, "w", encoding="utf-8") as f:
                f.write(print_)
        try:
            with open(golden, encoding="utf-8") as f:
                good = f.read() == print_
        except OSError:
            good = False
        passed, failed = passed + good, failed + (not good)
        if not good:
            print(f"{os.path.basename(scene)}: differs from its golden print:")
            subprocess.run(["diff", "-u", golden, "-"], input=print_, text=True, check=False)
    storm = play(*STORM)
    print(storm, end="")
    held = storm.endswith("all held\n")
    passed, failed = passed + held, failed + (not held)
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return failed != 0


sys.exit(main())
