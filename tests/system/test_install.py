# SPDX-License-Identifier: Apache-2.0
"""What `make install` puts down runs where it lies."""
import glob
import os
import subprocess

import pytest

from host import B, ROOT


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    root = tmp_path_factory.mktemp("root")
    subprocess.run(["make", "-s", "-C", ROOT, f"B={B}", "install", f"DESTDIR={root}"], check=True,
                   env={**os.environ, "MAKEFLAGS": ""}, capture_output=True)
    return root


def test_files_of_others_in_the_build_folder_are_no_rules(tmp_path):
    (tmp_path / "unpacked/etc/grub.d").mkdir(parents=True)
    (tmp_path / "unpacked/junk.d").write_text("what is no rule of make\n")
    r = subprocess.run(["make", "-n", "-C", ROOT, f"B={tmp_path}", "install"], env={**os.environ, "MAKEFLAGS": ""},
                       text=True, capture_output=True, check=False)
    assert r.returncode == 0, r.stderr
    assert f"{tmp_path}/qvmd" in r.stdout


def test_every_example_with_a_guest_of_its_own_runs_as_installed(installed):
    names = []
    for path in glob.glob(f"{installed}/usr/share/doc/qvm/examples/*.qvmconf"):
        with open(path, encoding="utf-8") as f:
            text = f.read()
        assert "../" not in text and "build/qvm " not in text, path
        if "guests/" in text:
            names.append(os.path.basename(path))
            r = subprocess.run([f"{installed}/usr/bin/qvm", f"@{path}", "dryrun"], text=True, capture_output=True,
                               check=False)
            assert r.returncode == 0, r
    assert {"hello.qvmconf", "shmem-two.qvmconf", "watchdog.qvmconf"} <= set(names)
