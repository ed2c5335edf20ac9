# SPDX-License-Identifier: Apache-2.0
"""qvmadm doctor and qvmadm host: what they tell of this machine, its server, and another's."""
import json
import os
import re
import subprocess
import time

import pytest

from host import B, ROOT, Host, config, send
from secure import Secure
from test_token import make

OK, WARNING, ERROR = 0, 30, 31
RESULTS = {"ok", "note", "unknown", "warning", "error"}


def rows(where):
    with open(f"{ROOT}/client/doctor/checks.def", encoding="utf-8") as f:
        return re.findall(rf"^CHECK\((\w+), *{where},", f.read(), re.M)


def doctor(host, *args, **env):
    where = ["-H", f"unix:{host.socket}"] if isinstance(host, Host) else ["-H", host]
    return subprocess.run([f"{B}/qvmadm", *where, "doctor", *args], text=True, capture_output=True, timeout=60,
                          check=False, env={**os.environ, **env})


def findings(host, *args, **env):
    said = doctor(host, "-o", "json", *args, **env)
    found = {f["id"]: f for f in json.loads(said.stdout)}
    results = {f["result"] for f in found.values()}
    assert results <= RESULTS
    assert said.returncode == (ERROR if "error" in results else WARNING if "warning" in results else OK), said
    assert all(f["mend"] for f in found.values() if f["result"] in ("warning", "error")), "each has its mend"
    return found


@pytest.fixture(scope="module")
def shared(shared):
    shared.define("hello", config("hello.elf"))
    return shared


def test_each_row_is_looked_at_once_and_printed_for_people(shared):
    assert list(findings(shared)) == rows("LOCAL") + rows("SERVER")
    said = doctor(shared)
    n = len(rows("LOCAL") + rows("SERVER"))
    assert f"{n} checks: " in said.stdout and "\x1b" not in said.stdout and said.stderr == "", said
    local = findings(shared, "--local")
    assert list(local) == rows("LOCAL")
    assert local["kvm_device"]["result"] == "ok" and local["kvm_interface"]["result"] in ("ok", "note")
    assert local["seccomp"]["result"] == "ok"


def test_without_a_server_the_machine_is_looked_at_all_the_same(tmp_path):
    found = findings(f"unix:{tmp_path}/none.sock")
    assert list(found) == rows("LOCAL") + ["server"]
    assert found["server"]["result"] == "warning" and "none.sock" in found["server"]["text"]


def test_what_is_wrong_at_the_server_is_found(host):
    found = findings(host)
    assert found["server"]["result"] == "ok" and found["host_state"]["result"] == "ok"
    assert found["versions"]["result"] == "ok" and found["kvm_features"]["result"] == "ok"
    assert found["tokens"]["result"] == "ok" and found["vms"]["result"] == "ok"
    assert found["certificate"]["text"].startswith("none")
    host.define("ill", config("spin.elf"), on_failure="stop")
    host.verb("ill", "start")
    send(host.vm("ill")["pid"], "SIGKILL")
    host.until_vm("ill", observed="safe")
    make(host, "soon", role="reader", expires_in=3600)
    make(host, "gone", role="reader", expires_in=1)
    time.sleep(1.1)  # it ends
    found = findings(host)
    assert found["vms"]["result"] == "warning" and "safe state: ill" in found["vms"]["text"]
    assert found["tokens"]["result"] == "warning"
    assert "have ended: gone" in found["tokens"]["text"] and "within 14 days: soon" in found["tokens"]["text"]
    os.rename(f"{host.run}/qvmd.lock", f"{host.run}/qvmd.away")
    host.until(lambda: host.get("/healthz").status == 503, "the host is safe")
    found = findings(host)
    os.rename(f"{host.run}/qvmd.away", f"{host.run}/qvmd.lock")
    assert found["host_state"]["result"] == "error" and "host release" in found["host_state"]["mend"]


def test_of_another_host_the_server_alone_is_looked_at(tmp_path):
    with Secure(tmp_path) as s:
        secret = s.host.post("/v1/tokens/panel", {"role": "reader"}).json["secret"]
        env = {"QVM_TOKEN": secret, "QVM_CACERT": f"{s.authority.ca}.pem"}
        url = f"https://localhost:{s.port}"
        found = findings(url, **env)
        assert list(found) == rows("SERVER")
        assert found["tokens"]["result"] == "unknown" and "admin" in found["tokens"]["text"]
        assert found["certificate"]["result"] in ("ok", "warning") and "ends in" in found["certificate"]["text"]
        assert s.host.get("/v1/host").json["certificate_until"]
        said = doctor(url, **env)
        assert "checks of the machine itself are left out" in said.stdout, said
        assert doctor(url, "--local", **env).returncode == 2


def test_the_host_is_told_as_it_is(shared):
    a = shared.get("/v1/host")
    assert a.status == 200
    host = a.json
    st = os.statvfs(shared.state)
    assert host["store"]["total_bytes"] == st.f_blocks * st.f_frsize
    assert abs(host["store"]["free_bytes"] - st.f_bavail * st.f_frsize) < 1 << 30
    files = ("state.db", "state.db-wal")
    assert 0 < host["store"]["database_bytes"] <= sum(os.path.getsize(f"{shared.state}/{n}") for n in files) + (1 << 20)
    assert host["kvm"]["version"] == 12 and host["kvm"]["vcpus"] >= 1 and host["kvm"]["memslots"] >= 32
    offered = {f["name"] for f in host["kvm"]["features"] if f["offered"]}
    assert {f["name"] for f in host["kvm"]["features"] if f["needed"]} <= offered
    assert "irqfd" in offered and "ioeventfd" in offered
    for name, value in host["kvm"]["parameters"].items():
        module, parameter = name.split(".", 1)
        with open(f"/sys/module/{module}/parameters/{parameter}", encoding="ascii", errors="replace") as f:
            assert value == f.read().rstrip("\n")[:63].split("\n")[0], name
    assert not [k for k in host["facts"] if ":" in k], "they are in objects of their own"
    assert host["enforced"]["limits"] == host["facts"]["limits"]
    assert host["programs"]["qvmd"] == host["programs"]["qvm-api"] == host["version"]
    assert host["programs"]["kernel"] == os.uname().release
    assert host["certificate_until"] is None
    said = shared.adm("host")
    assert said.returncode == 0 and said.stderr == ""
    for text in ("Capacity", "promised to guests", "KVM", "version 12", "Enforced", "Programs", os.uname().release):
        assert text in said.stdout, said
    assert "Parameters of KVM" not in said.stdout and "Parameters of KVM" in shared.adm("host", "-v").stdout
