#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`make faults`: injects every row of schemas/faults.def, prints what was seen, a line a row.

Arguments pick rows by parts of their ids. Times are of this machine at this moment and are printed;
what is asserted is the cause, one event and one incident for it, the safe state, what follows, and
that no other VM notices. The bound of the table stands beside the time that was measured.
"""
import os
import re
import subprocess
import sys
import traceback

import inject_guest  # noqa: F401
import inject_ground  # noqa: F401
import inject_host  # noqa: F401
import inject_supervisor  # noqa: F401
import inject_worker  # noqa: F401
from bench import INJECTORS, Bench, Row, Skip
from host import B

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
COLOUR = {"ok": "32", "FAILED": "1;31", "skipped": "33", "title": "1", "dim": "2"}


def paint(text, style):
    return f"\033[{COLOUR[style]}m{text}\033[0m" if sys.stdout.isatty() else text


def table():
    out = subprocess.run([f"{B}/tests/fault_table", "--rows"], capture_output=True, text=True, check=True).stdout
    return [Row(*line.split("\t")) for line in out.splitlines()]


def page_is_current():
    page = subprocess.run([f"{B}/tests/fault_table"], capture_output=True, text=True, check=True).stdout
    with open(os.path.join(ROOT, "daemon", "FAULTS.md"), encoding="utf-8") as f:
        return f.read() == page


def milliseconds(ms):
    return "-" if ms is None else "<1 ms" if ms < 1 else f"{ms:.0f} ms"


def bound(row, policy):
    """The expression of the table with the fields of this VM's policy."""
    if row.bound in ("at once", "guest"):
        return row.bound if row.bound == "at once" else "guest's"
    assert re.fullmatch(r"[a-z_0-9 *+()]+", row.bound), row.bound
    return milliseconds(eval(row.bound, {"__builtins__": {}}, policy))  # pylint: disable=eval-used


def ours():
    """Processes of the project, by the place of their program."""
    found = set()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.readlink(f"/proc/{pid}/exe").startswith(B + "/"):
                found.add(int(pid))
        except OSError:
            continue
    return found


def longest(texts):
    return max(map(len, texts), default=0)


def form(rows):
    """A line of the table, with columns as wide as the longest text of these rows."""
    what = longest(INJECTORS[r.id][0] for r in rows if r.id in INJECTORS)
    return (f"  {{0:<{longest(r.id for r in rows)}}}  {{1:<{what}}}  {{2:<{longest(r.detection for r in rows)}}} "
            "{3:>9} {4:>9} {5:>9}  {6:<28} ")


def inject(bench, row, line):
    what, fn = INJECTORS[row.id]
    try:
        seen = fn(bench, row)
        cells = (bound(row, seen.policy), milliseconds(seen.detected_ms), milliseconds(seen.safe_ms), seen.reaction)
        verdict, why = "ok", ""
    except Skip as e:
        cells, verdict, why = ("", "", "", ""), "skipped", str(e)
    except Exception:  # pylint: disable=broad-except
        cells, verdict, why = ("", "", "", ""), "FAILED", traceback.format_exc()
    print(line.format(row.id, what, row.detection, *cells) + paint(verdict, verdict), flush=True)
    for said in why.splitlines():
        print(f"      {said}")
    return verdict


def main():
    rows = [r for r in table() if not sys.argv[1:] or any(a in r.id for a in sys.argv[1:])]
    count = {"ok": 0, "FAILED": 0, "skipped": 0}
    complaints = [f"{r.id}: no function of tests/fault/ injects it" for r in rows if r.id not in INJECTORS]
    complaints += [f"{i}: injected, but not in schemas/faults.def" for i in INJECTORS if i not in {r.id for r in table()}]
    if not page_is_current():
        complaints.append("daemon/FAULTS.md is not what the table says: make fault-page")
    line = form(rows)
    print(paint(line.format("FAULT", "INJECTED", "DETECTED BY", "BOUND", "DETECTED", "SAFE", "REACTION") + "VERDICT",
                "dim"))
    bench, group, before = Bench(), "", ours()
    try:
        for row in rows:
            if row.group != group:
                group = row.group
                print(paint(group, "title"))
            if row.id in INJECTORS:
                count[inject(bench, row, line)] += 1
    finally:
        bench.close()
    if ours() - before:
        complaints.append(f"processes left behind: {ours() - before}")
    for complaint in complaints:
        print(paint(complaint, "FAILED"))
    print(f"{count['ok']} passed, {count['FAILED'] + len(complaints)} failed, {count['skipped']} skipped")
    return 1 if count["FAILED"] or complaints else 0


sys.exit(main())
