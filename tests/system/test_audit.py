# SPDX-License-Identifier: Apache-2.0
"""Who asked for what; and a request that is sent again because its connection broke."""
import json
import os
import signal
import subprocess

from host import B, config

HELLO = config("hello.elf")
ID = "00c0ffee00c0ffee"


def entries(host, query=""):
    return host.get(f"/v1/audit{query}").json["entries"]


def test_every_request_that_may_change_something_is_on_record(host):
    host.define("hello", HELLO)
    operation = host.verb("hello", "start").json["id"]
    assert host.verb("hello", "release").status == 409
    host.post("/v1/check", {"config": HELLO})  # changes nothing
    host.get("/v1/vms")
    host.verb("hello", "kill")
    assert host.delete("/v1/vms/hello").status == 204
    newest, *_ = found = host.until(lambda: (x := entries(host))[0]["op"] == "vm_delete" and x, "the last one is written")
    assert [e["op"] for e in found] == ["vm_delete", "vm_kill", "vm_release", "vm_start", "vm_put"]
    assert (newest["uid"], newest["pid"], newest["role"], newest["identity"]) == (os.getuid(), os.getpid(), "admin", "")
    assert found[3]["operation"] == operation and "error" not in found[3]
    assert found[2]["error"]["type"] == "urn:qvm:error:conflict"
    assert found[4]["revision"] == 1
    assert entries(host, "?vm=other") == []
    assert [e["op"] for e in entries(host, f"?limit=2&before={found[1]['id']}")] == ["vm_release", "vm_start"]


def test_the_record_names_the_request_of_each_answer(host):
    a = host.put("/v1/vms/hello", {"config": HELLO})
    host.until(lambda: entries(host), "it is written")
    assert entries(host)[0]["request"] == a.headers["Request-Id"]


def test_typing_is_on_record_once(host):
    host.define("echo", config("echo.elf"))
    host.verb("echo", "start")
    for key in "abc":
        host.request("POST", "/v1/vms/echo/console", key, {"Content-Type": "text/plain"})
    told = ["vm_type", "vm_start", "vm_put"]
    host.until(lambda: [e["op"] for e in entries(host)][0] == "vm_type", "it is written")
    assert [e["op"] for e in entries(host)] == told


def test_qvmadm_audit_tells_it_in_a_table(host):
    host.define("hello", HELLO)
    assert host.adm("start", "nobody").returncode == 5
    host.until(lambda: len(entries(host)) == 2, "both are written")
    told = host.adm("audit")
    assert told.returncode == 0
    assert "define" in told.stdout and "vm_put" not in told.stdout and "there is no VM 'nobody'" in told.stdout, told.stdout
    assert json.loads(host.adm("--json", "audit", "--vm", "nobody").stdout)["entries"][0]["op"] == "vm_start"
    host.post("/v1/tokens/ci", {"role": "reader"})
    assert "token create" in host.adm("audit").stdout


def test_a_request_sent_again_gets_the_operation_of_the_first_time(host):
    host.define("hello", HELLO)
    headers = {"Request-Id": ID}
    first = host.request("POST", "/v1/vms/hello/start?wait=20s", headers=headers)
    assert first.headers["Request-Id"] == ID
    again = host.request("POST", "/v1/vms/hello/start?wait=20s", headers=headers)
    assert (again.status, again.json["id"]) == (200, first.json["id"])
    assert sum(e["kind"] == "starting" for e in host.events()) == 1
    # Long after, in another state: still that of the first time, and nothing is started.
    host.verb("hello", "stop")
    assert host.request("POST", "/v1/vms/hello/start", headers=headers).json["id"] == first.json["id"]
    assert host.vm("hello")["observed"] == "stopped"


def test_a_request_id_is_for_one_request(host):
    host.define("hello", HELLO)
    host.request("POST", "/v1/vms/hello/start?wait=20s", headers={"Request-Id": ID})
    a = host.request("POST", "/v1/vms/hello/stop", headers={"Request-Id": ID})
    assert a.status == 409 and "vm_start of 'hello'" in a.json["detail"], a
    for wrong in ("1", "0" * 16, "F" * 16, "0" * 17, "g" * 16):
        assert host.request("POST", "/v1/vms/hello/stop", headers={"Request-Id": wrong}).status == 400


def test_qvmadm_survives_the_death_of_the_api_under_its_request(host):
    """The API is killed while it holds the request of a stop that waits; qvmadm asks again."""
    host.define("deaf", config("hang.bin"), stop_timeout_ms=1500)
    host.verb("deaf", "start")
    stop = subprocess.Popen([f"{B}/qvmadm", "-H", f"unix:{host.socket}", "-v", "stop", "deaf"],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    host.until_vm("deaf", observed="stopping")
    api, = [int(p) for p in os.listdir("/proc") if p.isdigit() and is_api_of(int(p), host.process.pid)]
    os.kill(api, signal.SIGKILL)
    out, err = stop.communicate(timeout=30)
    assert stop.returncode == 0, out + err
    assert "asking again" in err
    assert host.vm("deaf")["cause"] == "stop-deadline"
    assert [e["op"] for e in entries(host)].count("vm_stop") == 2  # asked twice, done once
    assert sum(e["kind"] == "stopping" for e in host.events()) == 1


def is_api_of(pid, qvmd):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            name, rest = f.read().rsplit(")", 1)
        return name.endswith("(qvm-api") and int(rest.split()[1]) == qvmd
    except OSError:
        return False
