# SPDX-License-Identifier: Apache-2.0
"""What goes on over time ends with the token that it was asked for with, and nothing else does."""
import os
import socket
import subprocess
import threading

import pytest

from host import B, DEADLINE, config
from websocket import WebSocket

ECHO = config("echo.elf")


@pytest.fixture(scope="module")
def shared(shared):
    shared.define("echo", ECHO, stop_timeout_ms=600000)  # echo.elf does not hear its power button
    shared.verb("echo", "start")
    shared.until_console("echo", "echo: type")
    return shared


def token(host, name, **how):
    a = host.post(f"/v1/tokens/{name}", {"role": "admin", **how})
    assert a.status == 201, a
    return a.json["secret"]


def open_stream(host, secret, path, accept="*/*"):
    """Its socket and file, once the answer has begun."""
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(DEADLINE)
    s.connect(host.socket)
    s.sendall((f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAccept: {accept}\r\n"
               f"Authorization: Bearer {secret}\r\n\r\n").encode())
    f = s.makefile("rb")
    assert b" 200 " in f.readline()
    return s, f


def test_event_streams_end_with_their_token_and_those_of_others_go_on(shared):
    gone, kept = token(shared, "gone"), token(shared, "kept")
    sse = open_stream(shared, gone, "/v1/events?follow=1", "text/event-stream")
    lines = open_stream(shared, gone, "/v1/events?follow=1", "application/x-ndjson")
    other = open_stream(shared, kept, "/v1/events?follow=1", "text/event-stream")
    assert shared.delete("/v1/tokens/gone").status == 204
    last = sse[1].read()
    assert b"\n: the token 'gone' was deleted\n\n" in last and last.endswith(b"0\r\n\r\n"), last
    assert lines[1].read().endswith(b"0\r\n\r\n")
    shared.define("later", ECHO)
    while b'"later"' not in (line := other[1].readline()):
        assert line, "the stream of another token has ended"
    for s, f in (sse, lines, other):
        f.close()
        s.close()


def test_a_name_that_is_given_anew_is_another_token(shared):
    first = token(shared, "again")
    s, f = open_stream(shared, first, "/v1/events?follow=1", "text/event-stream")
    shared.delete("/v1/tokens/again")
    token(shared, "again")
    assert b": the token 'again' was deleted" in f.read()
    f.close()
    s.close()


def test_a_stream_ends_when_the_time_of_its_token_is_over(shared):
    s, f = open_stream(shared, token(shared, "short", expires_in=2), "/v1/events?follow=1", "text/event-stream")
    assert b": the token 'short' has ended" in f.read()
    f.close()
    s.close()


def test_a_followed_console_breaks_off_and_a_websocket_is_closed_with_1008(shared):
    secret = token(shared, "viewer")
    s, f = open_stream(shared, secret, "/v1/vms/echo/console?follow=1")
    with WebSocket(shared, "echo", Authorization=f"Bearer {secret}") as gone, WebSocket(shared, "echo") as kept:
        kept.until_told("writer", writer=None)
        gone.say(type="write")
        gone.until_told("writer", writer="token 'viewer'", you=True)
        kept.until_told("writer", writer="token 'viewer'", you=False)
        shared.delete("/v1/tokens/viewer")
        assert gone.until_closed() == (1008, "the token 'viewer' was deleted")
        assert not f.read().endswith(b"0\r\n\r\n")
        # Its right to type is free again, and the other is still served.
        kept.until_told("writer", writer=None)
        kept.type("still here\n")
        kept.until_output("still here\n")
    f.close()
    s.close()


def test_a_download_of_guest_memory_breaks_off(shared):
    secret = token(shared, "loader")
    assert shared.verb("echo", "dump").json["state"] == "done"
    dump = shared.get("/v1/vms/echo/dumps").json["dumps"][0]
    s, f = open_stream(shared, secret, f"/v1/vms/echo/dumps/{dump['name']}")
    clock, told = open_stream(shared, secret, "/v1/events?follow=1", "text/event-stream")
    shared.delete("/v1/tokens/loader")
    assert b"was deleted" in told.read()
    assert 0 < len(f.read()) < dump["bytes"]
    for x in (s, f, clock, told):
        x.close()


def test_who_waits_for_an_operation_gets_401_and_the_operation_goes_on(shared):
    secret, answers = token(shared, "waiter"), []

    def wait():
        answers.append(shared.request("POST", "/v1/vms/echo/stop?wait=10m", headers={"Authorization": f"Bearer {secret}"}))
    waiting = threading.Thread(target=wait)
    waiting.start()
    shared.until_vm("echo", observed="stopping")
    shared.delete("/v1/tokens/waiter")
    waiting.join()
    assert answers[0].status == 401 and "the token 'waiter' was deleted" in answers[0].json["detail"], answers
    assert shared.vm("echo")["observed"] == "stopping"
    shared.verb("echo", "kill")


def test_qvmadm_says_why_it_ends(shared):
    secret = token(shared, "follower")
    with subprocess.Popen([f"{B}/qvmadm", "-H", f"unix:{shared.socket}", "events", "--follow", "--since", "0"],
                          env={**os.environ, "QVM_TOKEN": secret}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True) as p:
        assert p.stdout.readline()
        shared.delete("/v1/tokens/follower")
        _, said = p.communicate(timeout=DEADLINE)
    assert p.returncode == 20 and "no token has that secret: it was deleted" in said, said
