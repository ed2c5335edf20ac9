# SPDX-License-Identifier: Apache-2.0
"""Dumps as files: listed, downloaded in parts, deleted, by whom; what the client makes of it on its side."""
import os
import subprocess
import threading

import pytest

from host import B, Host, config, send
from terminal import Terminal
from test_audit import is_api_of
from test_dump import assert_marked
from test_dumps import running, small  # noqa: F401
from test_opener import Dead
from test_token import bearer, make

NOWHERE = "brake-20200101-000000.gcore"


@pytest.fixture(scope="module")
def shared(shared):
    running(shared)
    shared.define("other", config("hello.elf"))
    return shared


def widen(host, megabytes):
    """A guest of much memory: its dump is long, and nearly all of it holes."""
    host.define("brake", config("marked.elf").replace("ram 1m,15m", f"ram 1m,{megabytes}m"), on_failure="stop")
    assert host.verb("brake", "start").status == 200
    host.until_console("brake", "marked\r\n\ufffd")
    assert host.verb("brake", "dump").json["state"] == "done"


@pytest.fixture(scope="module")
def wide():
    with Host() as h:
        widen(h, 300)
        yield h


def dumps(host, vm="brake"):
    a = host.get(f"/v1/vms/{vm}/dumps")
    assert a.status == 200, a
    return a.json["dumps"]


def dumped(host):
    path = host.verb("brake", "dump").json["phase"]
    return path, f"/v1/vms/brake/dumps/{os.path.basename(path)}"


def content(path):
    with open(path, "rb") as f:
        return f.read()


def pieces(path):
    """Where it is not empty, block by block; a hole and zeros are the same."""
    found, at = {}, 0
    with open(path, "rb") as f:
        size = f.seek(0, os.SEEK_END)
        while at < size:
            try:
                at = f.seek(at, os.SEEK_DATA)
            except OSError:  # only a hole is left
                break
            end = f.seek(at, os.SEEK_HOLE)
            f.seek(at)
            while at < end:
                block = f.read(4096 - at % 4096)
                if block.strip(b"\0"):
                    found[at] = block
                at += len(block)
    return size, found


def is_same(a, b):
    return pieces(a) == pieces(b)


def adm(host, *args, **kw):
    return subprocess.run([f"{B}/qvmadm", "-H", f"unix:{host.socket}", *args], text=True, capture_output=True,
                          timeout=60, check=False, **kw)


def test_a_dump_is_listed_downloaded_and_deleted(shared):
    path, target = dumped(shared)
    newest = dumps(shared)[0]
    st = os.stat(path)
    assert (newest["name"], newest["folder"]) == (os.path.basename(path), os.path.dirname(path))
    assert (newest["bytes"], newest["disk_bytes"]) == (st.st_size, st.st_blocks * 512)
    assert (newest["state"], newest["done"]) == ("whole", 100) and "incident" not in newest
    a = shared.get(target)
    assert a.status == 200 and a.body == content(path)
    assert a.headers["ETag"] == f'"{newest["etag"]}"' and a.headers["Accept-Ranges"] == "bytes"
    assert a.headers["Content-Disposition"] == f'attachment; filename="{os.path.basename(path)}"'
    head = shared.request("HEAD", target)
    assert head.status == 200 and int(head.headers["Content-Length"]) == st.st_size
    for _ in range(2):  # the second time it is the same request, sent again
        a = shared.request("DELETE", target, headers={"Request-Id": "00000000000000d1"})
        assert a.status == 204 and not os.path.exists(path), a
    assert shared.get(target).status == 404 and shared.delete(target).status == 404
    assert all(d["name"] != os.path.basename(path) for d in dumps(shared))


def test_a_range_is_answered_with_the_range(shared):
    path, target = dumped(shared)
    whole = content(path)
    tag = shared.request("HEAD", target).headers["ETag"]
    for asked, want in (("bytes=0-99", whole[:100]), ("bytes=4090-4100", whole[4090:4101]),
                        ("bytes=-7", whole[-7:]), (f"bytes={len(whole) - 1}-", whole[-1:])):
        for more in ({}, {"If-Range": tag}):
            a = shared.request("GET", target, headers={"Range": asked, **more})
            assert a.status == 206 and a.body == want, (asked, a.status)
            first = len(whole) - len(want) if len(want) != 100 and asked != "bytes=4090-4100" else int(asked[6:].split("-")[0])
            assert a.headers["Content-Range"] == f"bytes {first}-{first + len(want) - 1}/{len(whole)}"
    for headers in ({"Range": "bytes=5-", "If-Range": '"another"'}, {"Range": "bytes=1-2,4-5"}, {"Range": "lines=1-"}):
        a = shared.request("GET", target, headers=headers)
        assert a.status == 200 and a.body == whole, headers
    a = shared.request("GET", target, headers={"Range": f"bytes={len(whole)}-"})
    assert a.status == 416 and a.headers["Content-Range"] == f"bytes */{len(whole)}", a


def test_guest_memory_is_for_admins_and_on_record(shared):
    _, target = dumped(shared)
    for name, status in (("reader", 403), ("operator", 403), ("admin", 200)):
        secret = make(shared, f"dump-{name}", role=name)
        assert shared.request("GET", "/v1/vms/brake/dumps", headers=bearer(secret)).status == 200
        assert shared.request("GET", target, headers=bearer(secret)).status == status
    secret = make(shared, "dump-of-others", role="admin", vms="other*")
    assert shared.request("GET", target, headers=bearer(secret)).status == 403
    # By another VM's name it is no dump of that VM.
    target = target.replace("/brake/", "/other/")
    assert shared.request("GET", target, headers=bearer(secret)).status == 400
    entry = shared.until(lambda: [e for e in shared.get("/v1/audit?vm=brake").json["entries"]
                                  if e["op"] == "dump_get" and e["identity"] == "dump-admin"], "it is on record")
    assert entry[0]["role"] == "admin"
    assert not [e for e in shared.get("/v1/audit").json["entries"] if e["op"] == "dump_list"]


def test_what_is_no_dump_of_ours_is_none(shared, tmp_path):
    path, _ = dumped(shared)
    folder = os.path.dirname(path)
    secret = tmp_path / "secret"
    secret.write_text("secret")
    planted = [f"{folder}/brake-20200101-00000{n}.gcore" for n in range(4)]
    os.symlink(secret, planted[0])
    os.link(path, planted[1])  # a second name of it: neither is served then
    os.mkfifo(planted[2])
    os.mkdir(planted[3])
    try:
        names = {d["name"] for d in dumps(shared)}
        for x in planted + [path]:
            assert os.path.basename(x) not in names
            a = shared.get(f"/v1/vms/brake/dumps/{os.path.basename(x)}")
            assert a.status == 404 and b"secret" not in a.body, a
            assert shared.delete(f"/v1/vms/brake/dumps/{os.path.basename(x)}").status == 404
            assert os.path.lexists(x)
        for name in ("..%2fstate.db", "brake-20200101-000000.gcore%2f..", "brake", "%00"):
            assert shared.get(f"/v1/vms/brake/dumps/{name}").status in (400, 404)
    finally:
        for x in planted[:3]:
            os.unlink(x)
        os.rmdir(planted[3])
    assert os.path.basename(path) in {d["name"] for d in dumps(shared)}
    assert shared.get("/v1/vms/nobody/dumps").status == 404


def test_the_dump_of_a_failure_is_told_with_its_incident(host):
    pid = running(host, dump_on_failure=True)
    send(pid, "SIGKILL")
    host.until_vm("brake", observed="safe")
    path = host.until(lambda: host.incidents("brake")[0]["dump"], "the incident names the dump")
    newest = dumps(host)[0]
    assert newest["name"] == os.path.basename(path)
    assert (newest["incident"], newest["cause"]) == (host.incidents("brake")[0]["id"], "worker-signal")
    said = host.adm("dumps", "brake")
    assert said.returncode == 0 and "worker-signal, incident 1" in said.stdout, said


def test_a_folder_of_the_configuration_is_known_when_the_vm_is_stopped_and_qvmd_new(host, tmp_path):
    os.chmod(tmp_path, 0o755)
    running(host, f"dump {tmp_path}")
    path, target = dumped(host)
    assert dumps(host)[0]["folder"] == str(tmp_path) == os.path.dirname(path)
    host.verb("brake", "kill")
    host.stop()
    host.start()
    assert dumps(host)[0]["folder"] == str(tmp_path)
    assert host.get(target).body == content(path)


@pytest.mark.skipif(not os.path.exists("/dev/fuse"), reason="this machine has no FUSE")
def test_a_folder_that_does_not_answer_costs_its_own_request_alone(host, tmp_path):
    folder = tmp_path / "share"
    folder.mkdir()
    os.chmod(tmp_path, 0o755)
    running(host, f"dump {folder}")
    _, target = dumped(host)
    host.define("other", config("hello.elf"))
    dead = Dead(folder)
    answers = []
    asking = threading.Thread(target=lambda: answers.append(host.get(target)))
    try:
        asking.start()
        assert host.verb("other", "start").json["state"] == "done"
        assert dumps(host, "other") == []
        asking.join()
        assert answers[0].status == 504 and "do not answer" in answers[0].json["detail"], answers
    finally:
        dead.close()
    assert host.get(target).status == 200


def test_a_dump_that_is_being_written_is_shown_and_not_given_away(host):
    running(host, dump_timeout_ms=600000)
    stopped = []

    def writer():
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as f:
                    if f.read().split(b"\0")[:2] == [b"qvm", b"--dump"]:
                        return int(pid)
            except OSError:
                pass
        return None

    def ask():  # so often that one of the writers is met before it ends
        a = host.post("/v1/vms/brake/dump")
        for _ in range(200):
            pid = writer()
            if pid:
                send(pid, "SIGSTOP")
                stopped.append(pid)
                break
        if not stopped or host.get(f"/v1/operations/{a.json['id']}").json["state"] != "running":
            stopped.clear()
            return None
        return a.json["id"]
    operation = host.until(ask, "a writer is met at work")
    found = [d for d in dumps(host) if d["state"] == "writing"]
    if found:  # else it was met before its file was there
        assert 0 <= found[0]["done"] < 100
        target = f"/v1/vms/brake/dumps/{found[0]['name']}"
        assert host.get(target).status == 409 and host.delete(target).status == 409
        assert host.adm("dumps", "brake", "-d", found[0]["name"]).returncode == 7
        assert "being written" in host.adm("dumps", "brake").stdout
    send(stopped[0], "SIGCONT")
    assert host.get(f"/v1/operations/{operation}?wait=20s").json["state"] == "done"
    assert all(d["state"] == "whole" for d in dumps(host))


# --- the client ---

def test_the_client_brings_a_dump_that_gdb_opens_with_its_holes(shared, tmp_path):
    said = adm(shared, "dump", "brake", "--file", "core", cwd=tmp_path)
    assert said.returncode == 0 and said.stderr == "", said
    assert os.listdir(tmp_path) == ["core"]
    assert_marked(str(tmp_path / "core"))
    st, own = os.stat(tmp_path / "core"), dumps(shared)[0]
    assert st.st_size == own["bytes"] and st.st_blocks * 512 <= own["disk_bytes"] + 65536
    assert st.st_mode & 0o77 == 0
    again = adm(shared, "dumps", "brake", "-d", "newest", "-f", "core", cwd=tmp_path)
    assert again.returncode == 12 and "exists already" in again.stderr, again
    for wrong in (["--file", "x"], ["-d", "a", "--delete", "b"]):
        assert adm(shared, "dumps", "brake", *wrong).returncode == 2
    assert adm(shared, "dumps", "brake", "-d", NOWHERE, cwd=tmp_path).returncode == 5
    name = own["name"]
    assert adm(shared, "dumps", "brake", "--delete", name).stdout == f"{name}: removed from the host\n"


def test_a_guest_is_not_stopped_for_a_dump_that_has_no_place_here(shared, tmp_path):
    before = len(dumps(shared))
    (tmp_path / "taken").touch()
    for path, says in (("taken", "exists already"), ("absent/core", "in the folder 'absent': No such file or directory")):
        r = adm(shared, "dump", "brake", "--file", path, cwd=tmp_path)
        assert r.returncode == 12 and says in r.stderr, r
    assert len(dumps(shared)) == before


def test_a_dump_that_could_not_be_brought_is_on_the_host_and_told(wide, small, tmp_path):  # noqa: F811
    r = adm(wide, "dump", "brake", "--file", f"{small}/core")
    name = dumps(wide)[0]["name"]
    assert r.returncode == 12 and f"qvmadm dumps brake --download {name} --file FILE" in r.stderr, r


def test_a_download_goes_on_where_another_broke_off(wide, tmp_path):
    own = dumps(wide)[0]
    path = f"{own['folder']}/{own['name']}"
    part = tmp_path / f"core.{own['etag']}.part"
    for there in (1, 5000, own["bytes"] - 1, own["bytes"]):
        subprocess.run(["cp", "--sparse=always", path, part], check=True)
        os.truncate(part, there)
        said = adm(wide, "-v", "dumps", "brake", "-d", "newest", "-f", "core", cwd=tmp_path)
        assert said.returncode == 0 and "going on behind" in said.stderr, said
        assert os.listdir(tmp_path) == ["core"]
        assert is_same(path, tmp_path / "core")
        os.unlink(tmp_path / "core")
    # The rest of another dump is no rest of this one.
    (tmp_path / "core.0-0-0.part").write_bytes(b"x" * 100)
    assert adm(wide, "dumps", "brake", "-d", "newest", "-f", "core", cwd=tmp_path).returncode == 0
    assert is_same(path, tmp_path / "core")


def test_a_download_outlives_the_api_process(host, tmp_path):
    widen(host, 1500)
    own = dumps(host)[0]
    client = subprocess.Popen([f"{B}/qvmadm", "-H", f"unix:{host.socket}", "dumps", "brake", "-d", "newest", "-f", "core"],
                              cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    host.until(lambda: os.listdir(tmp_path), "it has begun")
    [api] = [int(p) for p in os.listdir("/proc") if p.isdigit() and is_api_of(p, host.process.pid)]
    send(api, "SIGKILL")
    out, err = client.communicate(timeout=60)
    assert client.returncode == 0 and err == "", (out, err)
    assert is_same(f"{own['folder']}/{own['name']}", tmp_path / "core")


def test_a_full_disk_keeps_what_came_and_says_how_to_go_on(wide, small, tmp_path):  # noqa: F811
    said = adm(wide, "dumps", "brake", "-d", "newest", "-f", f"{small}/core")
    assert said.returncode == 12 and "no room" in said.stderr and "goes on from there" in said.stderr, said
    part = os.listdir(small)
    assert part == [f"core.{dumps(wide)[0]['etag']}.part"] and part[0] in said.stderr
    subprocess.run(["mount", "-o", "remount,size=1m", small], check=True)
    said = adm(wide, "dumps", "brake", "-d", "newest", "-f", f"{small}/core")
    assert said.returncode == 0 and "going on" in said.stderr, said
    own = dumps(wide)[0]
    assert is_same(f"{own['folder']}/{own['name']}", f"{small}/core")


def test_a_bar_is_drawn_on_a_terminal_and_nowhere_else(wide, tmp_path):
    args = [f"{B}/qvmadm", "-H", f"unix:{wide.socket}", "dumps", "brake", "-d", "newest", "-f"]
    with Terminal([*args, f"{tmp_path}/core"], columns=120, NO_COLOR="1") as t:
        assert t.end() == 0
        assert "\u2501" in t.drawn and "100%" in t.drawn and " MiB of " in t.drawn, t.drawn
        last = t.drawn.split("\r\x1b[K")[-1]
        assert last.startswith(f"{tmp_path}/core: 3") and "100%" not in last, "the bar has gone"
    with Terminal([*args, f"{tmp_path}/narrow"], columns=20, LC_ALL="C") as t:
        assert t.end() == 0 and t.drawn.isascii()
        assert all(len(x) < 20 for x in t.drawn.replace("\x1b[K", "").split("\r")[:-2] if "%" in x), t.drawn
    with Terminal([*args, f"{tmp_path}/dumb"], TERM="dumb") as t:
        assert t.end() == 0 and "%" not in t.drawn and "\x1b" not in t.drawn
    said = adm(wide, "dumps", "brake", "-d", "newest", "-f", f"{tmp_path}/pipe")
    assert said.stderr == "" and "%" not in said.stdout
