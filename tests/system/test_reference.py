# SPDX-License-Identifier: Apache-2.0
"""The pages about the language keep to its tables: vmm/REFERENCE.md, qvmconf(5), completion."""
import glob
import os
import re
import shutil
import subprocess

import pytest

from host import B, ROOT

ROW = re.compile(r"^\| `([^`]+)` \| (works|differs|refused) \|([^|]*)\| ([^|]+) \|$")


def qvm(*words):
    """Of qvm itself: without the vdevs of this host."""
    return subprocess.run([f"{B}/qvm", *words], capture_output=True, text=True, check=True,
                          env={**os.environ, "QVM_VDEV_FOLDER": "/dev/null"}).stdout


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as f:
        return f.read()


def rows():
    """{subject: (verdict, how, tests)} of the reference page."""
    found = {}
    for line in read("vmm", "REFERENCE.md").splitlines():
        m = ROW.match(line)
        if m:
            assert m[1] not in found, f"two rows for {m[1]}"
            found[m[1]] = (m[2], m[3], m[4])
        else:
            assert not line.startswith("| `"), f"no row of the form of this page: {line}"
    return found


def table():
    """What the language has, as subjects of the page."""
    text = read("schemas", "qvmconf.def")
    context = {"GLOBAL": "", "RESERVE": "reserve ", "CPU": "cpu ", "VDEV": "vdev ", "PASS": "pass "}
    known = {context[c] + name for name, c in
             re.findall(r'^(?:OPTION|LATER)\(\w+,\s*"([^"]+)",\s*(\w+),', text, re.M)}
    known |= {f"set {name}" for name in
              re.findall(r'^VARIABLE(?:\(\w+,\s*|_LATER\()"([^"]+)"', text, re.M)}
    known |= {f"vdev-{name}" for name in re.findall(r'^VDEV_LATER\("([^"]+)"', text, re.M)}
    common = {n[5:] for n in known if n.startswith("vdev ")}
    for name in qvm("help", "--words", "vdev").split():
        known.add(f"vdev-{name}")
        known |= {f"vdev-{name} {own}" for own in qvm("help", "--words", "vdev", name).split()
                  if own not in common}
    return known


def test_every_option_variable_and_vdev_has_a_row_and_no_row_is_of_something_else():
    known, there = table(), set(rows())
    # Rows about what is no word of the language have a colon: "signal: QUIT".
    there = {r for r in there if ": " not in r}
    assert known - there == set(), "vmm/REFERENCE.md lacks rows"
    assert there - known == set(), "vmm/REFERENCE.md has rows of what the language does not have"


def known_tests():
    """The tests that a row may name, by kind."""
    unit = set(re.findall(r"^TEST\((\w+)\)", "\n".join(
        read(p) for p in glob.glob("tests/unit/*.c", root_dir=ROOT)), re.M))
    system = set(re.findall(r"^def (test_\w+)", "\n".join(
        read(p) for p in glob.glob("tests/system/*.py", root_dir=ROOT)), re.M))
    conf = {os.path.splitext(os.path.basename(p))[0]
            for p in glob.glob("tests/conf/*.qvmconf", root_dir=ROOT)}
    return {"unit": unit, "system": system, "conf": conf}


def test_every_row_names_a_test_that_exists():
    kinds = known_tests()
    for subject, (_, _, names) in rows().items():
        for name in names.split(","):
            kind, _, what = name.strip().partition(":")
            assert kind in kinds and what in kinds[kind], f"{subject}: there is no test '{name}'"


def test_every_row_that_differs_says_how():
    for subject, (verdict, how, _) in rows().items():
        assert verdict == "works" or len(how.strip()) > 5, subject


def test_every_payload_names_a_test_that_exists_or_says_why_there_is_none():
    text = read("vmm", "REFERENCE.md").partition("## Stock payloads")[2]
    table = [line for line in text.splitlines() if line.startswith("| ")][1:]
    assert table
    for line in table:
        last = line.split(" | ")[-1].removesuffix(" |")
        kind, _, what = last.partition(":")
        assert kind == "none" and what.strip() or what in known_tests()[kind], line


def test_a_refused_row_is_refused_by_the_program_and_a_working_one_is_not():
    text = read("schemas", "qvmconf.def")
    later = {"cpu " + n for n in re.findall(r'^LATER\(\w+,\s*"([^"]+)",\s*CPU,', text, re.M)}
    later |= set(re.findall(r'^LATER\(\w+,\s*"([^"]+)",\s*GLOBAL,', text, re.M))
    later |= {"pass " + n for n in re.findall(r'^LATER\(\w+,\s*"([^"]+)",\s*PASS,', text, re.M)}
    later |= {"vdev " + n for n in re.findall(r'^LATER\(\w+,\s*"([^"]+)",\s*VDEV,', text, re.M)}
    later |= {"pass " + n for n in re.findall(r'^LATER\(\w+,\s*"([^"]+)",\s*PASS,', text, re.M)}
    later |= {f"set {n}" for n in re.findall(r'^VARIABLE_LATER\("([^"]+)"', text, re.M)}
    later |= {f"vdev-{n}" for n in re.findall(r'^VDEV_LATER\("([^"]+)"', text, re.M)}
    refused = {s for s, (verdict, _, _) in rows().items() if verdict == "refused" and ": " not in s}
    assert refused == later


def test_every_word_of_the_original_that_is_refused_says_what_to_do(tmp_path):
    text = read("schemas", "qvmconf.def")
    vdevs = re.findall(r'^VDEV_LATER\("([^"]+)",\s*"([^"]+)"', text, re.M)
    value = {"ADDRESS": "4K", "NUMBER": "1", "BOOLEAN": "on", "STRING": "x"}
    variables = re.findall(r'^VARIABLE_LATER\("([^"]+)",\s*(\w+),\s*"[^"]*",\s*"([^"]+)"', text, re.M)
    assert vdevs and variables
    cases = [(f"vdev {name}", mend) for name, mend in vdevs]
    cases += [(f"set {name} {value[kind]}", mend) for name, kind, mend in variables]
    for line, mend in cases:
        path = tmp_path / "refused.qvmconf"
        path.write_text(f"ram 0,1M\nload 0x1000,guest.bin\n{line}\n")
        r = subprocess.run([f"{B}/qvm", f"@{path}", "dryrun"], capture_output=True, text=True,
                           check=False)
        assert r.returncode == 65 and ":3:" in r.stderr and f"hint: {mend}" in r.stderr, r


def test_the_manual_page_has_every_row_of_the_tables():
    page = qvm("help", "--man").replace("\\-", "-").replace("\\(oq", "`")
    for subject in table():
        name = subject.split()[-1]
        name = name[5:] if subject.startswith("vdev-") and " " not in subject else name
        assert f"\\fB{name}\\fR" in page or f".SS vdev {name}\n" in page, subject


@pytest.mark.parametrize("check", [["groff", "-man", "-Tutf8", "-ww", "-z"],
                                   ["mandoc", "-Tlint", "-Wwarning"]])
def test_the_manual_page_is_sound_roff(check, tmp_path):
    if not shutil.which(check[0]):
        pytest.skip(f"{check[0]} is not installed")
    page = tmp_path / "qvmconf.5"
    page.write_text(qvm("help", "--man"))
    r = subprocess.run([*check, str(page)], capture_output=True, text=True, check=False)
    assert r.returncode == 0 and not r.stdout + r.stderr, r


def completes(*words):
    script = ('source packaging/completions/qvm; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _qvm; '
              'printf "%s\\n" "${COMPREPLY[@]}"')
    r = subprocess.run(["bash", "-c", script, "-", f"{B}/qvm", *words], cwd=ROOT,
                       capture_output=True, text=True, check=True)
    return set(r.stdout.split())


def test_completion_knows_options_vdevs_their_options_and_variables():
    assert completes("cpu", "ru") == {"runmask"}
    assert "ser8250" in completes("vdev", "ser")
    assert completes("vdev", "ser8250", "host") >= {"hostdev"}
    assert completes("set", "exit") == {"exit-on-halt"}
    assert completes("unsup") == {"unsupported"}
