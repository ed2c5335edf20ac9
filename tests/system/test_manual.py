# SPDX-License-Identifier: Apache-2.0
"""Manual pages and the session in README.md say what the programs are now."""
import glob
import os
import re
import shutil
import subprocess

import pytest

from host import B, ROOT

PAGES = sorted(glob.glob(f"{ROOT}/packaging/man/*.[0-9]"))
LINT = [["groff", "-man", "-Tutf8", "-ww", "-z"], ["mandoc", "-Tlint", "-Wwarning"]]


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def plain(page):
    return re.sub(r"\\f[BIR]", "", page).replace("\\-", "-").replace("\\(oq", "`")


@pytest.fixture(scope="module")
def qvmadm_1(tmp_path_factory):
    path = tmp_path_factory.mktemp("man") / "qvmadm.1"
    path.write_text(subprocess.run([f"{B}/qvmadm", "help", "--man"], capture_output=True, text=True, check=True).stdout)
    return str(path)


@pytest.mark.parametrize("check", LINT, ids=lambda x: x[0])
def test_every_page_is_sound_roff(check, qvmadm_1):
    if not shutil.which(check[0]):
        pytest.skip(f"{check[0]} is not installed")
    for page in [qvmadm_1, *PAGES]:
        r = subprocess.run([*check, page], capture_output=True, text=True, check=False)
        assert r.returncode == 0 and not r.stdout + r.stderr, r


def test_qvmadm_1_has_every_verb_topic_and_status(qvmadm_1):
    page = plain(read(qvmadm_1))
    verbs = subprocess.run([f"{B}/qvmadm", "complete", "--", ""], capture_output=True, text=True, check=True).stdout.split()
    for verb in verbs:
        assert re.search(rf'^\.SS "{re.escape(verb)}[ "]', page, re.M), verb
    for title in ("EXIT STATUS", "ENVIRONMENT", "CONTEXTS", "FORMAT"):
        assert f'.SH "{title}"' in page
    assert "18  timeout" in page and "QVM_TOKEN" in page


def test_qvmd_conf_5_has_every_key_and_no_other():
    keys = set(re.findall(r'^\t\{"([a-z-]+)", (?:set|add|allow)_', read(f"{ROOT}/daemon/config.c"), re.M)) | {"cluster", "partition"}
    told = set(re.findall(r"^\.TP\n\\fB([a-z\\-]+)\\fR", read(f"{ROOT}/packaging/man/qvmd.conf.5"), re.M))
    assert {x.replace("\\-", "-") for x in told} == keys


@pytest.mark.parametrize("program,page", [("qvm", "qvm.1"), ("qvmd", "qvmd.8")])
def test_a_page_has_the_options_of_its_program(program, page):
    said = subprocess.run([f"{B}/{program}", "--help"], capture_output=True, text=True, check=True).stdout
    for option in set(re.findall(r"--[a-z][a-z-]+", said)):
        assert option in plain(read(f"{ROOT}/packaging/man/{page}")), option


def test_the_session_in_readme_is_what_happens_now():
    said = subprocess.run([f"{ROOT}/packaging/transcript"], capture_output=True, text=True, check=True,
                          env={**os.environ, "B": B}, timeout=120).stdout
    kept = read(f"{ROOT}/README.md").split("<!-- transcript -->\n```\n")[1].split("```\n<!-- end of transcript -->")[0]
    assert said == kept, "`make transcript` writes it anew"


DOCUMENTS = ["README.md", "ARCHITECTURE.md", "SPECIFICATION.md", "vmm/REFERENCE.md", "daemon/FAULTS.md"]


@pytest.fixture(scope="module")
def targets():
    rules = subprocess.run(["make", "-npq", "nothing"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    return set(re.findall(r"^([a-z][a-z-]*):(?!=)", rules, re.M))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_document_names_no_heading_file_target_or_test_that_is_gone(document, targets):
    text = read(f"{ROOT}/{document}")
    headings = {re.sub(r"[^\w\- ]", "", x.lower()).replace(" ", "-") for x in re.findall(r"^#+ (.*)$", text, re.M)}
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        there = link[1:] in headings if link.startswith("#") else os.path.exists(f"{ROOT}/{link}")
        assert there, f"{document}: {link}"
    for target in re.findall(r"(?:^\$ |`)make ([a-z-]+[a-z])(?![\w-])", text, re.M):
        assert target in targets, f"{document}: make {target}"
    for name in re.findall(r"`(test_\w+\.(?:py|c))`", text):
        assert glob.glob(f"{ROOT}/tests/*/{name}"), f"{document}: {name}"
    for name in re.findall(r"`((?:daemon|vmm|api|schemas|client|tests|packaging|base)/[a-z0-9_./-]+)`", text):
        assert os.path.exists(f"{ROOT}/{name}"), f"{document}: {name}"
