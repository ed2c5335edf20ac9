#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Configuration goldens: what qvm says about each NAME.qvmconf must be NAME.expect, byte by byte.

    tests/conf/run.py [NAME...]             run all of them, or those named
    tests/conf/run.py --update [NAME...]    write the expectations anew; read the diff

A file is checked by `qvm --no-host @NAME.qvmconf dryrun`, in this folder: the files that it names need
not be there. Comments in its head change that:

    # run: --json @FILE dryrun      other arguments; @FILE is the file itself
    # env: NAME=VALUE               a variable of the environment

An expectation holds standard output, then standard error, then the exit status. The binary is
$B/qvm, B by default `build`. Files *.part are taken in by others and are no tests by themselves.
"""
import difflib
import os
import pathlib
import shlex
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
QVM = pathlib.Path(os.environ.get("B", "build")).resolve() / "qvm"


def arguments(path):
    run, env = ["@FILE", "dryrun"], {"PATH": os.environ["PATH"]}
    env.update((k, v) for k, v in os.environ.items() if k.endswith("SAN_OPTIONS"))
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("# run: "):
            run = shlex.split(line[7:])
        elif line.startswith("# env: "):
            name, _, value = line[7:].partition("=")
            env[name] = value
    if run[0] != "help":
        run.insert(0, "--no-host")
    return [a.replace("@FILE", f"@{path.name}") for a in run], env


def said(path):
    args, env = arguments(path)
    p = subprocess.run([str(QVM)] + args, cwd=HERE, env=env, stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=30, check=False)
    out = p.stdout.decode("utf-8", "backslashreplace")
    err = p.stderr.decode("utf-8", "backslashreplace")
    return f"{out}{err}exit {p.returncode}\n"


def check(path, update):
    expect = path.with_suffix(".expect")
    got = said(path)
    if update:
        expect.write_text(got, encoding="utf-8")
        return True
    want = expect.read_text(encoding="utf-8") if expect.exists() else ""
    if got == want:
        return True
    print(f"not ok - {path.stem}")
    sys.stdout.writelines(difflib.unified_diff(want.splitlines(True), got.splitlines(True),
                                               f"{expect.name}", "qvm says"))
    return False


def main():
    names = sys.argv[1:]
    update = "--update" in names
    names = [n for n in names if n != "--update"]
    files = sorted(HERE.glob("*.qvmconf"))
    if names:
        files = [f for f in files if f.stem in names]
    if not QVM.exists():
        print(f"{QVM} is not built")
        print(f"0 passed, {len(files)} failed, 0 skipped")
        return 1
    results = [check(f, update) for f in files]
    passed = sum(results)
    print(f"{passed} passed, {len(results) - passed} failed, 0 skipped")
    return 0 if passed == len(results) and files else 1


sys.exit(main())
