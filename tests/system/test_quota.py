# SPDX-License-Identifier: Apache-2.0
"""Requests per identity: a burst, then so many a second; nobody uses up what is another's."""
import os
import shutil
import socketserver
import subprocess
import sys
import threading

import pytest

from host import B, SANITIZED, Host, config
from secure import Secure

BURST = 20
NOBODY = 65534


@pytest.fixture(scope="module")
def secure(tmp_path_factory):
    s = Secure(tmp_path_factory.mktemp("tls"))
    s.host.settings.update({"requests-per-second": 1, "request-burst": BURST})
    with s:
        s.host.define("hello", config("hello.elf"))
        yield s


def token(host, name, role="operator"):
    a = host.post(f"/v1/tokens/{name}", {"role": role})
    assert a.status == 201, a
    return {"Authorization": f"Bearer {a.json['secret']}"}


def exhaust(host, headers, path="/v1/vms"):
    """How many were let through before the first 429, and that."""
    for n in range(50 * BURST):
        a = host.request("GET", path, headers=headers)
        if a.status == 429:
            return n, a
        assert a.status == 200, a
    raise AssertionError(f"{50 * BURST} requests and no 429")


def refused(host, reason):
    row = f'qvm_api_over_rate_total{{reason="{reason}"}} '
    return next(int(x[len(row):]) for x in host.get("/metrics").text.splitlines() if x.startswith(row))


def test_after_a_burst_there_is_429_with_its_wait_and_after_that_wait_an_answer(secure):
    host, headers = secure.host, token(secure.host, "script")
    before = refused(host, "identity")
    n, a = exhaust(host, headers)
    assert n >= BURST and a.headers["Retry-After"] == "1"
    assert a.json["type"] == "urn:qvm:error:limit" and "'script' may send requests at 1 a second, and 20 at once" in a.json["detail"]
    assert "the next one in 1 s" in a.json["detail"] and "requests-per-second" in a.json["detail"]
    assert refused(host, "identity") == before + 1
    host.until(lambda: host.request("GET", "/v1/vms", headers=headers).status == 200, "it may ask again")


def test_one_that_has_used_up_its_own_can_end_a_vm_and_hinders_nobody(secure):
    host = secure.host
    one, other = token(host, "one"), token(host, "other")
    host.verb("hello", "start")
    exhaust(host, one)
    assert host.request("POST", "/v1/vms/hello/kill?wait=20s", headers=one).status == 200
    assert exhaust(host, one)[0] < BURST, "one a second is all that has come since"
    assert host.request("GET", "/v1/vms", headers=other).status == 200
    for _ in range(3 * BURST):  # root by the unix socket
        assert host.get("/v1/vms").status == 200


def curl(*args, **how):
    """Statuses of many requests by one curl, 60 for each [1-60]."""
    r = subprocess.run(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}\n", *args], capture_output=True, text=True,
                       timeout=60, check=False, **how)
    return [int(x) for x in r.stdout.split()]


def test_guesses_at_tokens_are_counted_by_address_and_cost_no_token_anything(secure):
    host, good = secure.host, token(secure.host, "good")
    before = refused(host, "peer")
    tls = ("--cacert", f"{secure.authority.ca}.pem")
    url = f"https://127.0.0.1:{secure.port}/v1/vms?limit=[1-60]"
    seen = curl(*tls, "-H", "Authorization: Bearer guess", url)
    assert seen.count(401) >= BURST and set(seen) == {401, 429}, seen
    # It is the address that has too many: by another guess, with none, where nothing is, for a file of the page.
    for path in ("/v1/vms", "/healthz", "/nothing", "/"):
        for _ in range(BURST // 2):  # one a second may pass
            status, body = secure.curl(path, "-H", "Accept: */*")
            if status == 429:
                break
        assert status == 429 and "127.0.0.1 may send" in body, (path, status, body)
    assert refused(host, "peer") >= before + 4
    assert secure.curl("/v1/vms", "-H", f"Authorization: {good['Authorization']}")[0] == 200


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")
def test_a_user_of_the_unix_socket_is_an_identity(secure):
    host = secure.host
    os.chmod(host.run, 0o755)
    os.chmod(host.socket, 0o666)
    who = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    seen = curl("--unix-socket", host.socket, "http://localhost/v1/vms?limit=[1-60]", **who)
    assert seen.count(200) >= BURST and set(seen) == {200, 429}, seen
    seen = curl("--unix-socket", host.socket, "-H", "Authorization: Bearer guess", "http://localhost/v1/vms?limit=[1-60]", **who)
    assert seen.count(401) >= BURST and set(seen) == {401, 429}, seen


def test_qvmadm_waits_and_says_so(secure):
    host, headers = secure.host, token(secure.host, "patient")
    env = {"QVM_TOKEN": headers["Authorization"].removeprefix("Bearer ")}
    for _ in range(10):  # until it asks before a second has passed
        exhaust(host, headers)
        r = subprocess.run([f"{B}/qvmadm", "-H", f"unix:{host.socket}", "list", "-o", "name"], env=env, capture_output=True,
                           text=True, timeout=60, check=False)
        assert (r.returncode, r.stdout) == (0, "hello\n"), r
        if r.stderr:
            break
    assert r.stderr.count("has too many requests; asking again in 1 s") == 1, r.stderr


def test_qvmadm_gives_up_when_the_wait_is_long(tmp_path):
    class Busy(socketserver.StreamRequestHandler):
        def handle(self):
            while self.rfile.readline().strip():
                pass
            self.wfile.write(b"HTTP/1.1 429 No\r\nRetry-After: 31\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")

    with socketserver.UnixStreamServer(str(tmp_path / "busy.sock"), Busy) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        r = subprocess.run([f"{B}/qvmadm", "-H", f"unix:{tmp_path}/busy.sock", "list"], capture_output=True, text=True,
                           timeout=60, check=False)
        thread.join()
    assert r.returncode == 11 and "try again in 31 s" in r.stderr and "asking again" not in r.stderr, r


def test_no_limit_is_none():
    with Host(**{"requests-per-second": 0, "request-burst": 1}) as host:
        headers = token(host, "script")
        assert all(host.request("GET", "/v1/vms", headers=headers).status == 200 for _ in range(50))


@pytest.mark.parametrize("key,value,why", [("requests-per-second", -1, "from 0 to 100000"),
                                           ("requests-per-second", 100001, "from 0 to 100000"),
                                           ("requests-per-second", "many", "from 0 to 100000"),
                                           ("request-burst", 0, "from 1 to 1000000"),
                                           ("request-burst", 1000001, "from 0 to 1000000")])
def test_a_wrong_limit_is_refused_at_the_start(key, value, why):
    h = Host(**{key: value})
    h.start(ready=False)
    assert h.process.wait(20) != 0
    assert key in h.read_log() and why in h.read_log(), h.read_log()
    shutil.rmtree(h.folder)


SLOW = """
import socket, sys
held = []
for _ in range(200):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(60)
    s.connect(sys.argv[1])
    s.sendall(b"GET /v1/vms/big/config HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n")
    held.append((s, s.recv(12)[-3:].decode()))
print(" ".join(status for _, status in held), flush=True)
sys.stdin.read()
"""


def memory(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return next(int(x.split()[1]) << 10 for x in f if x.startswith("VmRSS"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")
def test_who_reads_no_answers_gets_no_more_of_them_and_the_api_stays_small():
    with Host() as host:
        os.chmod(host.run, 0o755)
        os.chmod(host.socket, 0o666)
        host.define("big", ("# " + "x" * 200 + "\n") * 4800 + config("hello.elf"))
        before = memory(host.api_pid())
        with subprocess.Popen([sys.executable, "-c", SLOW, host.socket], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                              user=NOBODY, group=NOBODY, extra_groups=[]) as slow:
            seen = slow.stdout.readline().split()
            assert seen.count("200") + seen.count("429") == 200 and 60 <= seen.count("200") <= 70, seen
            if not SANITIZED:  # its allocator keeps what was freed
                assert memory(host.api_pid()) - before < 150 << 20  # not 200 MB
            assert host.get("/v1/vms/big/config").status == 200
            assert refused(host, "answers") == seen.count("429")
            slow.stdin.close()
        assert host.adm("list").returncode == 0
