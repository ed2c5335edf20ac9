# SPDX-License-Identifier: Apache-2.0
"""Vdevs in shared objects, written against <qvm/vdev.h> alone: the example, and some that misbehave."""
import os
import shutil
import signal
import subprocess

import pytest

from host import B, Host, ROOT, config, report, worker_alone

MAGIC = 0xdead
SHUTDOWN = "vdev private-shutdown loc io:0x5a0"


@pytest.fixture
def folder(tmp_path):
    """A folder of vdevs as an administrator makes one."""
    path = tmp_path / "vdevs"
    path.mkdir()
    for built in (f"{B}/examples/vdev-private-shutdown.so", f"{B}/tests/vdevs/vdev-crash.so",
                  f"{B}/tests/vdevs/vdev-future.so", f"{B}/tests/vdevs/vdev-nothing.so"):
        shutil.copy(built, path)
        os.chmod(path / os.path.basename(built), 0o644)
    (path / "vdev-text.so").write_text("no object at all\n")
    os.chmod(path / "vdev-text.so", 0o644)
    os.chmod(path, 0o755)
    return path


def guest(vdev, value=MAGIC, *lines):
    return config("outport.elf", vdev, f'cmdline "port={0x5a0} value={value}"', *lines)


def alone(tmp_path, folder, text, *words):
    path = tmp_path / "guest.qvmconf"
    path.write_text(text)
    return worker_alone(f"@{path}", *words, env={**os.environ, "QVM_VDEV_FOLDER": str(folder)})


@pytest.fixture
def equipped(folder):
    with Host(**{"vdev-folder": folder}) as h:
        yield h


# --- the example

def test_the_private_shutdown_ends_a_lone_vm_with_its_own_status(tmp_path, folder):
    r = alone(tmp_path, folder, guest(SHUTDOWN))
    assert r.returncode == 42, r
    assert "it reads" not in r.stdout and "the guest used its private shutdown method" in r.stderr, r
    assert alone(tmp_path, folder, guest(f"{SHUTDOWN} code 57")).returncode == 57


def test_another_value_is_no_shutdown(tmp_path, folder):
    r = alone(tmp_path, folder, guest(SHUTDOWN, MAGIC + 1))
    assert r.returncode == 0 and "it reads ff" in r.stdout, r


def test_the_private_shutdown_of_a_supervised_vm_is_an_incident_with_its_status(equipped):
    equipped.define("box", guest(f"{SHUTDOWN} code 43"), on_failure="stop")
    equipped.verb("box", "start")
    equipped.until_vm("box", observed="safe", cause="vdev-request")
    [incident] = equipped.incidents("box")
    assert incident["cause"] == "vdev-request" and incident["exit_code"] == 43, incident
    assert "private shutdown" in str(incident), incident


def pkg_config(*words):
    if not shutil.which("pkg-config"):
        pytest.skip("pkg-config is not installed")
    return subprocess.run(["pkg-config", f"--define-variable=prefix={B}", *words, "qvm-vdev"], text=True,
                          env={**os.environ, "PKG_CONFIG_PATH": B}, capture_output=True, check=True).stdout.split()


def test_the_example_builds_with_the_one_line_it_names(tmp_path):
    source = f"{ROOT}/packaging/examples/vdev-private-shutdown/private-shutdown.c"
    r = subprocess.run(["cc", "-shared", "-fPIC", "-o", tmp_path / "vdev-private-shutdown.so", source,
                        *pkg_config("--cflags")], capture_output=True, text=True, check=False)
    assert r.returncode == 0 and not r.stderr, r
    os.chmod(tmp_path / "vdev-private-shutdown.so", 0o644)
    r = alone(tmp_path, tmp_path, guest(SHUTDOWN))
    assert r.returncode == 42, r


def test_the_header_is_of_this_version():
    said = subprocess.run([f"{B}/qvm", "--version"], capture_output=True, text=True, check=True).stdout
    assert said.split()[1:] == pkg_config("--modversion")


def test_a_status_has_the_vdevs_own_line(tmp_path, folder):
    path = tmp_path / "guest.qvmconf"
    path.write_text(config("wdt.elf", SHUTDOWN, "vdev wdt-ib700"))
    p = subprocess.Popen([f"{B}/qvm", f"@{path}", "logger", "info", "stderr"], stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                         env={**os.environ, "QVM_VDEV_FOLDER": str(folder)})
    while "started" not in p.stdout.readline():
        assert p.poll() is None
    report(p, "vdev private-shutdown: 0 writes of something else")


# --- what the words of the language say of them

def test_help_shows_the_options_of_a_vdev_of_the_host(tmp_path, folder):
    env = {**os.environ, "QVM_VDEV_FOLDER": str(folder)}
    r = worker_alone("help", "vdev", "private-shutdown", env=env)
    assert r.returncode == 0 and "code STATUS" in r.stdout, r
    assert "private-shutdown" in worker_alone("help", env=env).stdout
    assert "private-shutdown" in worker_alone("help", "--words", "vdev", env=env).stdout
    assert "private-shutdown" not in worker_alone("help", "--man", env=env).stdout
    r = worker_alone("help", "vdev", "future", env=env)
    assert r.returncode == 65 and "ABI 2" in r.stderr, r


def test_a_wrong_option_is_told_in_the_words_of_the_vdev(tmp_path, folder):
    r = alone(tmp_path, folder, guest(f"{SHUTDOWN} code 7"))
    assert r.returncode == 65 and "'7' is no exit status of a vdev" in r.stderr, r


def test_a_vdev_without_a_place_of_its_own_needs_loc(tmp_path, folder):
    r = alone(tmp_path, folder, guest("vdev private-shutdown"))
    assert r.returncode == 65 and "needs a place" in r.stderr, r


@pytest.mark.parametrize("name,why", [
    ("future", "built for ABI 2, this qvm has 1"),
    ("nothing", "exports no 'qvm_vdev_class'"),
    ("text", "cannot be loaded"),
])
def test_an_object_that_is_no_vdev_is_refused_alone_and_under_the_supervisor(name, why, tmp_path, folder,
                                                                            equipped):
    r = alone(tmp_path, folder, guest(f"vdev {name}"), "dryrun")
    assert r.returncode == 65 and f"vdev-{name}.so" in r.stderr and why in r.stderr, r
    a = equipped.put("/v1/vms/box", {"config": guest(f"vdev {name}"), "policy": {}})
    assert a.status == 422 and why in a.text, a.text


def test_the_name_of_a_vdev_of_qvm_is_not_to_be_had(tmp_path, folder):
    shutil.copy(f"{B}/tests/vdevs/vdev-ser8250.so", folder)
    os.chmod(folder / "vdev-ser8250.so", 0o644)
    r = alone(tmp_path, folder, guest(""), "dryrun")
    assert r.returncode == 65 and "qvm has a vdev of that name itself" in r.stderr, r


def test_a_name_in_pieces_is_told_to_be_written_as_one_word(equipped):
    a = equipped.put("/v1/vms/box", {"config": guest('vdev private-"shutdown" loc io:0x5a0'), "policy": {}})
    assert a.status == 422 and "as one word" in a.text, a.text


# --- whose code is loaded

def test_an_object_that_others_can_write_to_is_refused(tmp_path, folder):
    os.chmod(folder / "vdev-private-shutdown.so", 0o666)
    r = alone(tmp_path, folder, guest(SHUTDOWN), "dryrun")
    assert r.returncode == 65 and "can be written to by others" in r.stderr, r


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_an_object_of_somebody_else_is_refused(tmp_path, folder):
    os.chown(folder / "vdev-private-shutdown.so", 4711, 4711)
    r = alone(tmp_path, folder, guest(SHUTDOWN), "dryrun")
    assert r.returncode == 65 and "belongs to uid 4711" in r.stderr, r


def test_a_folder_that_others_can_write_to_gives_no_vdevs_and_no_supervisor(tmp_path, folder):
    os.chmod(folder, 0o777)
    r = alone(tmp_path, folder, guest(SHUTDOWN), "dryrun")
    assert r.returncode == 65 and "can be written to by others" in r.stderr, r
    h = Host(**{"vdev-folder": folder})
    try:
        h.start(ready=False)
        assert h.process.wait(30) != 0
        assert "vdev-folder" in h.read_log() or "can be written to by others" in h.read_log()
    finally:
        h.close()


def test_a_folder_that_becomes_bad_later_costs_only_those_who_need_it(equipped, folder):
    os.chmod(folder, 0o777)
    equipped.define("plain", config("hello.elf"))
    a = equipped.put("/v1/vms/box", {"config": guest(SHUTDOWN), "policy": {}})
    assert a.status == 422 and "unknown vdev" in a.text, a.text
    assert "can be written to by others" in equipped.read_log()


# --- a vdev that misbehaves hurts its own VM

def test_a_crash_is_an_incident_of_its_vm_and_the_others_run_on(equipped):
    equipped.define("good", config("echo.elf"))
    equipped.verb("good", "start")
    equipped.define("bad", guest("vdev crash", 1), on_failure="stop")
    equipped.verb("bad", "start")
    equipped.until_vm("bad", observed="safe", cause="worker-signal")
    [incident] = equipped.incidents("bad")
    assert incident["signal"] == "SIGSEGV", incident
    assert equipped.vm("good")["observed"] == "running"
    equipped.verb("good", "kill")


def test_a_crash_of_a_lone_vm_is_its_signal(tmp_path, folder):
    assert alone(tmp_path, folder, guest("vdev crash", 1)).returncode == -signal.SIGSEGV


@pytest.fixture(params=[("early", "whoever loads it ends with signal SEGV"),
                        ("leaver", "whoever loads it ends with status 0")], ids=["crash", "exit"])
def deadly(folder, request):
    """Its constructor does not return."""
    name, why = request.param
    shutil.copy(f"{B}/tests/vdevs/vdev-{name}.so", folder)
    os.chmod(folder / f"vdev-{name}.so", 0o644)
    return name, f"vdev 'vdev-{name}.so' is refused: {why}: mend its constructors"


def test_a_vdev_that_ends_who_loads_it_is_refused_where_it_is_named(tmp_path, folder, deadly):
    name, why = deadly
    r = alone(tmp_path, folder, guest(f"vdev {name}"))
    assert r.returncode == 65 and r.stderr.count(why) == 1, r
    where = {**os.environ, "QVM_VDEV_FOLDER": str(folder)}
    assert worker_alone("help", env=where).returncode == 0
    shown = worker_alone("help", "vdev", name, env=where)
    assert shown.returncode == 65 and why in shown.stderr, shown


def test_a_vdev_that_ends_who_loads_it_costs_who_names_it_alone(equipped, deadly):
    name, why = deadly
    a = equipped.put("/v1/vms/box", {"config": guest(f"vdev {name}"), "policy": {}})
    assert a.status == 422 and why in a.text, a.text
    equipped.define("good", config("hello.elf"))
    assert equipped.verb("good", "start").json["state"] == "done"


def test_a_forbidden_system_call_of_a_vdev_is_named(equipped):
    equipped.define("bad", guest("vdev crash", 2), on_failure="stop")
    equipped.verb("bad", "start")
    equipped.until_vm("bad", observed="safe", cause="forbidden-syscall")


@pytest.mark.parametrize("value,why", [(3, "not 32 to 63"), (4, "has no alarm()")])
def test_a_vdev_that_breaks_its_contract_ends_its_vm_with_6(value, why, tmp_path, folder):
    r = alone(tmp_path, folder, guest("vdev crash", value))
    assert r.returncode == 6 and why in r.stderr, r


def test_a_vdev_prints_on_the_console_and_reads_guest_memory(equipped):
    equipped.define("box", guest("vdev crash", 5))
    equipped.verb("box", "start")
    equipped.until_console("box", "hello from a vdev")
    equipped.until_vm("box", observed="stopped")
    assert "it reads ff" not in equipped.console("box")


def test_a_vdev_that_logs_without_end_is_cut_off(tmp_path, folder):
    r = alone(tmp_path, folder, guest("vdev crash", 6), "logger", "info,warn", "stderr")
    assert r.returncode == 0 and r.stderr.count("crash: line") == 100, r
    assert "further ones are dropped" in r.stderr, r
