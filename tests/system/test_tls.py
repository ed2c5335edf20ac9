# SPDX-License-Identifier: Apache-2.0
"""The API over TCP: TLS 1.3, bearer tokens, client certificates; nobody comes in by accident."""
import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time

import pytest

from host import B, DEADLINE, Host, config
from secure import Authority, Secure, run
from websocket import Refused, WebSocket

HELLO, ECHO = config("hello.elf"), config("echo.elf")


@pytest.fixture
def secure(tmp_path):
    with Secure(tmp_path) as s:
        yield s


def test_over_tcp_nobody_has_a_role_without_proof(secure):
    for o in secure.host.document.operations:
        path = o.path.replace("{dump}", "x-20200101-000000.gcore")
        for name in ("{vm}", "{token}"):
            path = path.replace(name, "x")
        for number in ("{id}", "{n}"):
            path = path.replace(number, "1")
        status, body = secure.curl(path, "-X", o.method)
        assert status == (200 if o.role == "anyone" else 401), (o, status, body)


def test_a_token_opens_what_its_role_and_scope_allow(secure):
    secure.host.define("web", HELLO)
    secret = secure.host.post("/v1/tokens/script", {"role": "operator", "vms": "w*"}).json["secret"]
    bearer = ("-H", f"Authorization: Bearer {secret}")
    assert secure.curl("/v1/vms/web/start?wait=20s", "-X", "POST", *bearer)[0] == 200
    assert secure.curl("/v1/vms/web", "-X", "DELETE", *bearer)[0] == 403
    entry = secure.host.until(lambda: secure.host.get("/v1/audit?vm=web").json["entries"][0], "it is on record")
    assert (entry["identity"], entry["pid"]) == ("script", 0)


def test_a_client_certificate_has_the_role_of_its_name(secure, tmp_path):
    known = secure.authority.issue("panel")
    cert = ("--cert", f"{known}.pem", "--key", f"{known}.key")
    status, body = secure.curl("/v1/vms", *cert)
    assert status == 401 and "qvmadm token create panel --certificate" in body
    made = secure.host.adm("token", "create", "panel", "--certificate", "--role", "reader")
    assert made.returncode == 0, made
    assert secure.curl("/v1/vms", *cert)[0] == 200
    assert '"kind":"certificate","name":"panel","role":"reader"' in secure.curl("/v1/whoami", *cert)[1]
    assert secure.curl("/v1/vms/x/start", "-X", "POST", *cert)[0] == 403
    # Of another authority, or made to be a server: the same name is not the same holder.
    (tmp_path / "other").mkdir()
    for wrong in (Authority(tmp_path / "other").issue("panel"), secure.authority.issue("panel", "server", "serverAuth")):
        status, body = secure.curl("/v1/vms", "--cert", f"{wrong}.pem", "--key", f"{wrong}.key")
        assert status in (0, 401), body


def test_only_tls_1_3_is_spoken(secure):
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.load_verify_locations(f"{secure.authority.ca}.pem")
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with socket.create_connection(("127.0.0.1", secure.port)) as s, pytest.raises((ssl.SSLError, ConnectionError)):
        old.wrap_socket(s, server_hostname="127.0.0.1")
    with socket.create_connection(("127.0.0.1", secure.port)) as s:
        s.settimeout(10)
        s.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b"200" not in s.recv(100)


def context(secure, certificate=None):
    c = ssl.create_default_context(cafile=f"{secure.authority.ca}.pem")
    if certificate:
        c.load_cert_chain(f"{certificate}.pem", f"{certificate}.key")
    return c


def connect(secure, certificate=None):
    s = context(secure, certificate).wrap_socket(socket.create_connection(("127.0.0.1", secure.port)), server_hostname="127.0.0.1")
    s.settimeout(20)
    return s


def follow(secure, certificate=None, **headers):
    """A stream of events: its connection, and what is read from it, once it has begun."""
    s = connect(secure, certificate)
    lines = "".join(f"{k}: {v}\r\n" for k, v in {"Host": "a", "Connection": "close", "Accept": "text/event-stream", **headers}.items())
    s.sendall(f"GET /v1/events?follow=1 HTTP/1.1\r\n{lines}\r\n".encode())
    f = s.makefile("rb")
    status = int(f.readline().split()[1])
    if status != 200:
        s.close()
        raise Refused(status, f.readline())
    return s, f


def answer(connection, path):
    """On this connection, which is not opened anew."""
    connection.request("GET", path)
    a = connection.getresponse()
    return a.status, a.read().decode()


def certificate_end(certificate):
    """As the API writes it; it is valid through the second that it names."""
    told = run("openssl", "x509", "-in", f"{certificate}.pem", "-noout", "-enddate").stdout.strip()
    seconds = ssl.cert_time_to_seconds(told.removeprefix("notAfter=")) + 1
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(seconds))


def open_all(secure, certificate):
    """A stream of events, a console, and a connection that is kept after its first answer."""
    stream = follow(secure, certificate)
    kept = http.client.HTTPSConnection("127.0.0.1", secure.port, timeout=DEADLINE, context=context(secure, certificate))
    kept.connect()
    kept.auto_open = 0
    status, text = answer(kept, "/v1/whoami")
    if status != 200:
        raise Refused(status, text)
    assert json.loads(text)["expires"] == certificate_end(certificate)
    return stream, kept, WebSocket(secure.host, "echo", door=WebSocket.tls(secure, certificate))


def test_what_a_client_certificate_has_open_ends_with_it(secure):
    """Its own end, which the store does not know; a token of another goes on."""
    secure.host.define("echo", ECHO, stop_timeout_ms=600000)  # echo.elf does not hear its power button
    secure.host.verb("echo", "start")
    secure.host.adm("token", "create", "panel", "--certificate", "--role", "operator")
    other = secure.host.post("/v1/tokens/other", {"role": "reader"}).json["secret"]
    for seconds in (4, 8, 16):  # a machine that needs longer than it lasts tries again with another
        panel = secure.authority.issue("panel", seconds=seconds)
        try:
            (stream, events), kept, console = open_all(secure, panel)
            break
        except Refused:
            assert seconds < 16
    stop = []
    waiting = threading.Thread(target=lambda: stop.append(secure.curl(
        "/v1/vms/echo/stop?wait=10m", "-X", "POST", "--cert", f"{panel}.pem", "--key", f"{panel}.key")))
    waiting.start()
    lasting, going_on = follow(secure, Authorization=f"Bearer {other}")
    why = "the client certificate 'panel' has expired"
    with stream, console, lasting:
        assert f"\n: {why}\n\n".encode() in events.read()
        assert console.until_closed() == (1008, why)
        waiting.join(DEADLINE)
        assert stop[0][0] == 401 and why in stop[0][1], stop
        # On the connection that it was shown on before its end, which stays, too.
        for path in ("/v1/vms", "/v1/whoami"):
            status, text = answer(kept, path)
            assert status == 401 and why in text, text
        kept.close()
        secure.host.define("later", HELLO)
        while b'"later"' not in (line := going_on.readline()):
            assert line, "the stream of another has ended"


def test_a_new_certificate_is_used_and_open_streams_go_on(secure):
    secret = secure.host.post("/v1/tokens/script", {"role": "reader"}).json["secret"]
    with connect(secure) as stream:
        first = stream.getpeercert()["serialNumber"]
        stream.sendall(f"GET /v1/events?follow=1 HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {secret}\r\n\r\n".encode())
        f = stream.makefile("rb")
        assert b"200" in f.readline()
        secure.authority.issue("qvm-host", usage="serverAuth")
        secure.host.process.send_signal(signal.SIGHUP)

        def changed():
            with connect(secure) as s:
                return s.getpeercert()["serialNumber"] != first
        secure.host.until(changed, "the new certificate is shown")
        secure.host.define("later", HELLO)  # told on the stream that was there before
        while b'"later"' not in f.readline():
            pass


def test_wrong_files_are_refused_at_the_start_and_kept_out_of_a_reload(secure, tmp_path):
    (tmp_path / "rubbish.pem").write_text("hello\n")
    with open(f"{secure.server}.pem", "w", encoding="ascii") as f:
        f.write("hello\n")
    secure.host.process.send_signal(signal.SIGHUP)
    secure.host.until(lambda: "is no PEM file" in secure.host.read_log(), "it says so")
    assert secure.curl("/healthz")[0] == 200
    for settings, why in (({"listen": "127.0.0.1:1"}, "tls-certificate"),
                          ({"listen": "nowhere:9443", "tls-certificate": f"{secure.server}.pem",
                            "tls-key": f"{secure.server}.key"}, "no PEM file"),
                          ({"listen": "127.0.0.1", "tls-certificate": f"{secure.authority.ca}.pem",
                            "tls-key": f"{secure.authority.ca}.key"}, "ADDRESS:PORT")):
        h = Host(**settings)
        os.chmod(f"{secure.authority.ca}.key", 0o600)
        h.start(ready=False)
        assert h.process.wait(20) != 0
        assert why in h.read_log(), h.read_log()
        shutil.rmtree(h.folder)
    os.chmod(f"{secure.server}.key", 0o644)
    secure.authority.issue("qvm-host", "fresh", "serverAuth")
    os.replace(f"{tmp_path}/fresh.pem", f"{secure.server}.pem")
    secure.host.process.send_signal(signal.SIGHUP)
    secure.host.until(lambda: "may be read by others" in secure.host.read_log(), "it says so")
    assert secure.curl("/healthz")[0] == 200


def test_a_key_of_another_certificate_leaves_the_unix_socket(tmp_path):
    s = Secure(tmp_path)
    s.host.settings["tls-key"] = f"{s.authority.issue('other')}.key"
    with s.host:
        s.host.until(lambda: "is not the key of the first certificate" in s.host.read_log(), "it says so")
        assert s.host.get("/v1/vms").status == 200
        assert s.curl("/healthz", "--max-time", "2")[0] == 0


def test_qvmadm_comes_over_tcp_with_a_token_or_a_certificate(secure):
    secure.host.define("web", HELLO)
    made = secure.host.adm("token", "create", "me", "--role", "operator")
    url = f"https://127.0.0.1:{secure.port}"
    env = {"QVM_CACERT": f"{secure.authority.ca}.pem", "QVM_HOST": url}

    def adm(*args, **more):
        return subprocess.run([f"{B}/qvmadm", *args], env={**env, **more}, capture_output=True, text=True, timeout=30, check=False)
    assert adm("list").returncode == 20
    assert "web" in adm("list", QVM_TOKEN=made.stdout.strip()).stdout
    assert adm("start", "web", QVM_TOKEN=made.stdout.strip()).returncode == 0
    known = secure.authority.issue("panel")
    secure.host.adm("token", "create", "panel", "--certificate")
    assert "web" in adm("list", QVM_CERT=f"{known}.pem", QVM_KEY=f"{known}.key").stdout
    untrusted = subprocess.run([f"{B}/qvmadm", "-H", url, "list"], env={}, capture_output=True, text=True, check=False)
    assert untrusted.returncode == 19 and "QVM_CACERT" in untrusted.stderr
