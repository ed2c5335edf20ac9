# SPDX-License-Identifier: Apache-2.0
"""Tokens: every operation x every role x (a VM of the token's, another VM), from the table itself."""
import os
import subprocess

import pytest

from host import B, config

HELLO = config("hello.elf")
RANK = {"anyone": 0, "reader": 1, "operator": 2, "admin": 3}


@pytest.fixture(scope="module")
def shared(shared):
    for vm in ("web-1", "db-1"):
        shared.define(vm, HELLO)
    return shared


def make(host, name, **how):
    a = host.post(f"/v1/tokens/{name}", how)
    assert a.status == 201, a
    return a.json["secret"]


def bearer(secret):
    return {"Authorization": f"Bearer {secret}"}


def test_a_token_acts_with_its_role_and_is_named_in_the_audit(host):
    host.define("hello", HELLO)
    secret = make(host, "script", role="operator")
    a = host.request("POST", "/v1/vms/hello/start?wait=20s", headers=bearer(secret))
    assert a.status == 200, a
    a = host.request("DELETE", "/v1/vms/hello", headers=bearer(secret))
    assert a.status == 403 and "'script' has 'operator'" in a.json["detail"], a
    newest = host.until(lambda: host.get("/v1/audit").json["entries"][0], "it is on record")
    assert (newest["op"], newest["identity"], newest["role"]) == ("vm_start", "script", "operator")


def test_a_secret_is_shown_once_and_stored_nowhere(host):
    secret = make(host, "script", role="reader")
    listed = host.get("/v1/tokens").json["tokens"]
    assert [t["name"] for t in listed] == ["script"] and "secret" not in listed[0]
    host.stop()
    found = subprocess.run(["grep", "-rc", "--binary-files=text", secret[4:], host.state], capture_output=True,
                           text=True, check=False)
    assert found.returncode == 1, found.stdout
    host.start()
    assert host.request("GET", "/v1/vms", headers=bearer(secret)).status == 200  # it outlives qvmd


def test_what_is_no_token_is_refused_with_401(host):
    secret = make(host, "script", role="admin")
    for header in (f"Bearer {secret}x", "Bearer ", "Basic cm9vdDp4", secret, "Bearer qvm_" + "0" * 64):
        a = host.request("GET", "/v1/vms", headers={"Authorization": header})
        assert a.status == 401 and a.headers["WWW-Authenticate"] == "Bearer", (header, a)
    assert host.delete("/v1/tokens/script").status == 204
    assert host.request("GET", "/v1/vms", headers=bearer(secret)).status == 401
    assert host.delete("/v1/tokens/script").status == 404


def test_a_token_ends(host):
    secret = make(host, "short", role="reader", expires_in=2)
    assert host.request("GET", "/v1/vms", headers=bearer(secret)).status == 200
    host.until(lambda: host.request("GET", "/v1/vms", headers=bearer(secret)).status == 401, "it has ended")


@pytest.mark.parametrize("body", [{}, {"role": "root"}, {"role": "anyone"}, {"role": "reader", "vms": "a b"},
                                  {"role": "reader", "vms": "x" * 80}, {"role": "reader", "expires_in": -1},
                                  {"role": "reader", "expires_in": 10**12}, {"role": "reader", "certificate": 1}])
def test_a_wrong_token_is_refused(shared, body):
    a = shared.post("/v1/tokens/wrong", body)
    assert a.status == 400 and a.json["detail"], a
    assert "wrong" not in [t["name"] for t in shared.get("/v1/tokens").json["tokens"]]


def test_a_name_is_given_once(host):
    make(host, "script", role="reader")
    a = host.post("/v1/tokens/script", {"role": "admin"})
    assert a.status == 409 and "already" in a.json["detail"], a


def test_lists_streams_and_metrics_are_cut_to_the_vms_of_a_token(host):
    for vm in ("web-1", "web-2", "db-1"):
        host.define(vm, HELLO)
        host.verb(vm, "start")
    secret = make(host, "web", role="operator", vms="web-?")
    other = host.verb("db-1", "stop").json["id"]

    def get(path):
        return host.request("GET", path, headers=bearer(secret))
    assert [v["name"] for v in get("/v1/vms").json["vms"]] == ["web-1", "web-2"]
    assert {o["vm"] for o in get("/v1/operations").json["operations"]} == {"web-1", "web-2"}
    assert get("/v1/operations?vm=db-1").json["operations"] == []
    assert get(f"/v1/operations/{other}").status == 404
    assert '"db-1"' not in get("/v1/events?since=1").text and '"web-1"' in get("/v1/events?since=1").text
    assert 'vm="db-1"' not in get("/metrics").text and 'vm="web-2"' in get("/metrics").text
    assert get("/v1/vms/db-1/console").status == 403


@pytest.mark.parametrize("role", ["reader", "operator", "admin"])
@pytest.mark.parametrize("vms", ["", "web-*"])
def test_every_operation_is_open_to_its_role_and_scope_alone(shared, role, vms):
    name = f"m-{role}-{'all' if not vms else 'web'}"
    secret = make(shared, name, role=role, **({"vms": vms} if vms else {}))
    wrong = []
    for o in shared.document.operations:
        for vm in ("web-1", "db-1") if "{vm}" in o.path else ("",):
            # No body, no such id: what is let in fails later with something else, and changes nothing.
            path = o.path.replace("{vm}", vm).replace("{token}", "nobody").replace("{id}", "999999").replace("{n}", "1")
            path = path.replace("{dump}", f"{vm}-20200101-000000.gcore")
            status = shared.request(o.method, path, headers={**bearer(secret), "If-Match": '"999"'}).status
            about_host = "{vm}" not in o.path and (o.role in ("operator", "admin")) and o.id != "check"
            allowed = RANK[role] >= RANK[o.role] and not (vms and (vm == "db-1" or about_host))
            if (status == 403) == allowed or status == 401:
                wrong.append((o, vm, status))
    assert not wrong


def test_qvmadm_makes_lists_and_uses_tokens(host):
    host.define("web-1", HELLO)
    made = host.adm("token", "create", "web", "--role", "operator", "--vms", "web-*", "--expires", "90d")
    assert made.returncode == 0, made
    secret = made.stdout.strip()
    listed = host.adm("token")
    assert "web-*" in listed.stdout and "operator" in listed.stdout, listed.stdout
    with_token = subprocess.run([f"{B}/qvmadm", "-H", f"unix:{host.socket}", "delete", "web-1"],
                                env={"QVM_TOKEN": secret}, capture_output=True, text=True, check=False)
    assert with_token.returncode == 4 and "operator" in with_token.stderr
    assert "use a token or certificate that is for this" in with_token.stderr, with_token
    assert host.adm("token", "delete", "web").returncode == 0
    with_token = subprocess.run([f"{B}/qvmadm", "-H", f"unix:{host.socket}", "list"],
                                env={"QVM_TOKEN": secret}, capture_output=True, text=True, check=False)
    assert with_token.returncode == 20, with_token
    assert host.adm("token", "make", "x").returncode == 2


def test_a_caller_is_told_who_it_is(host):
    own = host.get("/v1/whoami").json
    assert own == {"kind": "uid", "name": "", "uid": os.geteuid(), "role": "admin", "vms": "", "expires": None}
    secret = make(host, "web", role="operator", vms="web-*", expires_in=86400)
    told = host.request("GET", "/v1/whoami", headers=bearer(secret)).json
    made = host.get("/v1/tokens").json["tokens"][0]
    assert told == {"kind": "bearer", "name": "web", "uid": os.geteuid(), "role": "operator", "vms": "web-*",
                    "expires": made["expires"]}
    assert host.adm("whoami", "-o", "name").stdout == f"uid {os.geteuid()}\n"
    own = host.adm("whoami").stdout
    assert "kernel" in own and "admin" in own and "all, and the host" in own and "Ends" not in own, own
    shown = subprocess.run([f"{B}/qvmadm", "-H", f"unix:{host.socket}", "whoami"], env={"QVM_TOKEN": secret},
                           capture_output=True, text=True, check=False).stdout
    for word in ("web", "a token", "operator", "web-*", "in 23h"):
        assert word in shown, shown
