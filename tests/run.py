#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the suites of `make check`, keeps each one's output, adds the figures up.

Each suite ends with a line that holds `N passed`, `N failed`, `N skipped` in any order (pytest's
own summary does). The last line of this program is the sum.
"""
import os
import re
import subprocess
import sys
import time

B = os.environ.get("B", "build")
FIGURE = re.compile(r"(\d+) (passed|failed|skipped|errors?|xfailed|xpassed)")


def suites(wanted):
    out = []
    for unit in sorted(f for f in os.listdir(f"{B}/tests") if f.startswith("unit-") and "." not in f):
        out.append((unit, [f"{B}/tests/{unit}"]))
    for name in sorted(f for f in os.listdir(f"{B}/tests") if f.startswith("replay-") and "." not in f):
        folder = f"tests/fuzz/corpus/{name[7:]}"
        files = [f"{folder}/{f}" for f in sorted(os.listdir(folder))]
        out.append((name, [f"{B}/tests/{name}"] + files))
    out.append(("sim", ["/usr/bin/python3", "tests/sim/run.py"]))
    out.append(("conf", ["/usr/bin/python3", "tests/conf/run.py"]))
    out.append(("faults", ["/usr/bin/python3", "tests/fault/faults.py"]))
    out.append(("contract", ["/usr/bin/python3", "tests/contract/run.py", "2000", "1"]))
    out.append(("page", ["/usr/bin/python3", "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider",
                         "--durations=5", "tests/page"]))
    out.append(("torture", ["/usr/bin/python3", "tests/fault/torture.py", "15", "1"]))
    out.append(("system", ["/usr/bin/python3", "-m", "pytest", "-q", "-rsfE", "-p", "no:cacheprovider",
                           "--durations=30", "tests/system"]))
    return [s for s in out if not wanted or any(w in s[0] for w in wanted)]


def run(name, argv):
    log = f"{B}/tests/{name}.log"
    began = time.monotonic()
    with open(log, "w", encoding="utf-8", errors="replace") as f:
        code = subprocess.run(argv, stdout=f, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                              check=False).returncode
    with open(log, encoding="utf-8", errors="replace") as f:
        lines = f.read().splitlines()
    figures = {"passed": 0, "failed": 0, "skipped": 0}
    last = next((x for x in reversed(lines) if FIGURE.search(x)), "")
    for number, word in FIGURE.findall(last):
        key = {"error": "failed", "errors": "failed", "xfailed": "skipped",
               "xpassed": "failed"}.get(word, word)
        figures[key] += int(number)
    if code != 0 and figures["failed"] == 0:
        figures["failed"] = 1  # it died before it could count
    if sum(figures.values()) == 0:
        figures["failed"] = 1
    print(f"  {name:<16} {figures['passed']:>4} passed {figures['failed']:>3} failed "
          f"{figures['skipped']:>3} skipped {time.monotonic() - began:7.1f} s", flush=True)
    for line in lines:
        if line.startswith("SKIPPED") or "UserWarning: " in line:
            print(f"      {line}")
    if figures["failed"]:
        print(f"      --- the end of {log}")
        for line in lines[-90:]:
            print(f"      {line}")
    return figures


def main():
    total = {"passed": 0, "failed": 0, "skipped": 0}
    for name, argv in suites(sys.argv[1:]):
        for key, n in run(name, argv).items():
            total[key] += n
    print(f"{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped")
    return 1 if total["failed"] or not total["passed"] else 0


sys.exit(main())
