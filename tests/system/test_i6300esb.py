# SPDX-License-Identifier: Apache-2.0
"""The PCI watchdog i6300esb, started as Linux's driver starts it."""
from host import config, worker_alone


def bites(tmp_path, words):
    path = tmp_path / "guest.qvmconf"
    path.write_text(config("esb.elf", "vdev i6300esb", f'cmdline "{words}"'))
    return worker_alone(f"@{path}")


def test_a_dog_that_is_forgotten_bites_with_4(tmp_path):
    r = bites(tmp_path, "feed=2")
    assert r.returncode == 4, r
    assert "fed 2 of 2" in r.stdout and "I hang" in r.stdout, r
    assert "i6300esb was not fed for 2035 ms" in r.stderr, r


def test_a_dog_that_is_fed_beyond_its_time_and_stopped_does_not_bite(tmp_path):
    r = bites(tmp_path, "feed=5 then=stop")
    assert r.returncode == 0, r
    assert "stopped, it reads 0" in r.stdout and "nothing has bitten me" in r.stdout, r


def test_a_locked_dog_cannot_be_stopped(tmp_path):
    r = bites(tmp_path, "feed=1 then=locked")
    assert r.returncode == 4, r
    assert "stopped, it reads 3" in r.stdout, r
