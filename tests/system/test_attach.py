# SPDX-License-Identifier: Apache-2.0
"""The console as a WebSocket: replay, typing, one writer, viewers that do not read, restarts, its handshake."""
import json
import os
import signal

import pytest

from host import DEADLINE, config
from secure import Secure
from websocket import BINARY, CLOSE, MORE, PING, TEXT, Refused, WebSocket

ECHO = config("echo.elf")
PLAIN = {"Content-Type": "text/plain"}
MOST = 128  # WEBSOCKET_MOST


@pytest.fixture(scope="module")
def shared(shared):
    shared.define("echo", ECHO)
    shared.verb("echo", "start")
    shared.until_console("echo", "echo: type")
    return shared


def token(host, name, **how):
    host.delete(f"/v1/tokens/{name}")
    return host.post(f"/v1/tokens/{name}", how).json["secret"]


def test_what_was_printed_is_told_again_and_what_is_typed_reaches_the_guest(shared):
    with WebSocket(shared, "echo", "?tail=1000") as w:
        w.until_output("echo: type, end with Ctrl-D\n")
        begin = w.until_told("at", lost=0)
        assert begin["generation"] == 1 and begin["position"] == 0
        w.type("marco\n")
        w.until_output("marco\n")
        assert w.until_told("writer", writer="uid 0")["you"] is True
        w.send(CLOSE, (1000).to_bytes(2, "big"))
        assert w.until_closed() == (1000, "")


def test_a_viewer_begins_at_its_place(shared):
    with WebSocket(shared, "echo", "?tail=1") as w:
        w.type("abc\ndef\n")
        w.until_output("def\n")
        place = w.last("at")
        end = place["position"] + len(w.output)
    with WebSocket(shared, "echo", f"?since={end - 4}&generation=1") as w:
        w.until_output("def\n")
        assert (w.last("at")["position"], w.output) == (end - 4, b"def\n")
    with WebSocket(shared, "echo", f"?since={end}&generation=7") as w:
        w.until_output("def\n")
        assert (w.last("at")["position"], w.last("at")["generation"]) == (0, 1)


def test_one_types_and_the_others_are_told_who(shared):
    with WebSocket(shared, "echo") as first, WebSocket(shared, "echo") as second:
        first.say(type="write")
        assert first.until_told("writer", writer="uid 0", you=True)
        assert second.until_told("writer", writer="uid 0", you=False)
        second.type("mine\n")
        problem = second.until_told("refused")["problem"]
        assert problem["type"] == "urn:qvm:error:conflict" and "uid 0 types at the console of 'echo'" in problem["detail"]
        posted = shared.post("/v1/vms/echo/console", "posted\n", **PLAIN)
        assert posted.status == 409 and "with force" in posted.json["detail"], posted
        second.say(type="write", force=True)
        assert second.until_told("writer", you=True)
        assert first.until_told("writer", you=False)
        first.type("late\n")
        assert first.until_told("refused")["problem"]["status"] == 409
        second.type("second\n")
        first.until_output("second\n")
        assert b"mine" not in first.output and b"late" not in first.output
        second.say(type="leave")
        assert first.until_told("writer", writer=None)
        forced = shared.post("/v1/vms/echo/console?force=1", "posted\n", **PLAIN)
        assert forced.status == 204, forced
        first.until_output("posted\n")


def test_a_writer_that_goes_leaves_its_right(shared):
    with WebSocket(shared, "echo") as viewer:
        with WebSocket(shared, "echo") as gone:
            gone.say(type="write", force=True)
            viewer.until_told("writer", writer="uid 0")
        viewer.until_told("writer", writer=None)
        viewer.type("free\n")
        viewer.until_output("free\n")


def test_who_may_only_read_reads_and_its_token_comes_as_a_subprotocol(shared):
    secret = token(shared, "reader", role="reader", vms="ech*")
    with WebSocket(shared, "echo", "?tail=100", Sec_WebSocket_Protocol=f"qvm.console.v1, qvm.token.{secret}") as w:
        assert "Sec-WebSocket-Protocol: qvm.console.v1\r\n" in w.head and secret not in w.head
        w.until(lambda w: w.output)
        for attempt in (lambda: w.type("x"), lambda: w.say(type="write", force=True)):
            attempt()
            problem = w.until_told("refused")["problem"]
            assert problem["status"] == 403 and "'reader' has 'reader'" in problem["detail"], problem
    elsewhere = token(shared, "other", role="operator", vms="web-*")
    for wrong, status in ((elsewhere, 403), ("nonsense", 401)):
        with pytest.raises(Refused) as e:
            WebSocket(shared, "echo", Sec_WebSocket_Protocol=f"qvm.console.v1, qvm.token.{wrong}")
        assert e.value.status == status
    shared.define("web-1", ECHO)
    with WebSocket(shared, "web-1", Authorization=f"Bearer {elsewhere}") as w:
        w.type("x")
        assert w.until_told("refused")["problem"]["type"] == "urn:qvm:error:conflict"  # it is not running


@pytest.mark.parametrize("headers, status, why", [
    ({"Upgrade": None}, 400, "Upgrade: websocket"), ({"Upgrade": "h2c"}, 400, "Upgrade: websocket"),
    ({"Connection": "keep-alive"}, 400, "Connection"), ({"Sec_WebSocket_Version": "8"}, 400, "13"),
    ({"Sec_WebSocket_Key": "short"}, 400, "Sec-WebSocket-Key"), ({"Sec_WebSocket_Key": None}, 400, "Sec-WebSocket-Key"),
    ({"Origin": "https://evil.example"}, 403, "evil.example"), ({"Origin": "null"}, 403, "null"),
    ({"Origin": "https://localhost.evil.example"}, 403, "evil.example")])
def test_what_is_no_handshake_of_ours_is_refused(shared, headers, status, why):
    with pytest.raises(Refused) as e:
        WebSocket(shared, "echo", **headers)
    assert e.value.status == status and why in e.value.text
    assert ("Sec-WebSocket-Version: 13\r\n" in e.value.text) == (status == 400)


def test_a_page_of_this_server_may(shared):
    with WebSocket(shared, "echo", "?tail=100", Origin="https://localhost") as w:
        w.until(lambda w: w.output)
    with pytest.raises(Refused) as e:
        WebSocket(shared, "nobody")
    assert e.value.status == 404


def send_unmasked(w):
    w.send(BINARY, b"x", mask=b"")


def send_too_much(w):
    w.send(BINARY, b"x" * 4097)


def send_more_of_nothing(w):
    w.send(MORE, b"x")


def send_a_long_ping(w):
    w.send(PING, b"x" * 126)


@pytest.mark.parametrize("send, code", [(send_unmasked, 1002), (send_too_much, 1009), (send_more_of_nothing, 1002),
                                        (send_a_long_ping, 1002)])
def test_frames_that_are_none_end_the_connection_with_a_reason(shared, send, code):
    with WebSocket(shared, "echo") as w:
        send(w)
        assert w.until_closed()[0] == code


def test_fragments_pings_and_words_are_understood(shared):
    with WebSocket(shared, "echo") as w:
        w.say(type="write", force=True)
        w.send(BINARY, b"fr", final=False)
        w.send(PING, b"are you there")
        w.send(MORE, b"ag\n")
        w.until(lambda w: w.pongs == [b"are you there"])
        w.until_output("frag\n")
        w.say(type="resize", columns=80, rows=24)
        w.say(type="dance")
        assert "write, leave and resize" in w.until_told("refused")["problem"]["detail"]
        w.send(TEXT, b"\xff{")
        assert w.until_told("refused")["problem"]["status"] == 400
        w.type("y" * 3000 + "\n")
        w.until_output("y" * 3000 + "\n")


def paste(n):
    return "".join(f"{i:06d} the quick brown fox jumps over the lazy dog\n" for i in range(n // 51))[:n - 1] + "\n"


def test_a_long_paste_arrives_whole_and_in_order(shared):
    text = paste(64 * 1024)
    with WebSocket(shared, "echo", "?tail=0") as w:
        w.say(type="write", force=True)
        assert w.until_told("at")
        for piece in range(0, len(text), 4096):
            w.type(text[piece:piece + 4096])
        w.until(lambda w: len(w.output) >= len(text))
        assert w.output == text.encode()
        assert w.last("at") is None and w.last("refused") is None


def test_a_long_paste_by_requests_is_refused_in_whole_pieces_while_there_is_no_room(shared):
    text, sent, refused = paste(12 * 1024), 0, 0
    with WebSocket(shared, "echo", "?tail=0") as w:
        while sent < len(text):
            answer = shared.post("/v1/vms/echo/console?force=1", text[sent:sent + 1024], **PLAIN)
            if answer.status == 429:
                assert "has not read what was typed before" in answer.json["detail"] and answer.headers["Retry-After"], answer
                refused += 1
                continue
            assert answer.status == 204, answer
            sent += 1024
        w.until(lambda w: len(w.output) >= len(text))
        assert w.output == text.encode(), f"after {refused} refusals"


def test_a_guest_that_reads_nothing_holds_its_typist_and_nobody_else(host):
    host.define("deaf", config("spin.elf"))
    host.define("echo", ECHO)
    host.verb("deaf", "start")
    host.verb("echo", "start")
    host.until_console("echo", "echo: type")
    with WebSocket(host, "deaf") as typist, WebSocket(host, "deaf") as viewer, WebSocket(host, "echo") as other:
        typist.sock.settimeout(1)
        sent = 0
        with pytest.raises(TimeoutError):  # the socket is no more read: what waits in it is all that there can be
            while sent < 16 << 20:
                typist.send(BINARY, b"x" * 4096)
                sent += 4096
        typist.sock.settimeout(DEADLINE)
        assert typist.until_told("held", held=True)
        refused = host.post("/v1/vms/deaf/console?force=1", "y" * 1024, **PLAIN)
        assert refused.status == 429 and refused.json["type"] == "urn:qvm:error:guest-not-reading" and "none was typed" in refused.json["detail"], refused
        problem = typist.until_told("refused")["problem"]  # the right is another's now
        assert problem["status"] == 409, problem
        other.type("alive\n")
        other.until_output("alive\n")
        log = host.get("/v1/vms/deaf/log").body
        assert b"were lost" not in log, log
        viewer.say(type="write", force=True)
        assert viewer.until_told("writer", you=True)
        viewer.type("z" * 2048)
        assert viewer.until_told("held", held=True)
        host.verb("deaf", "kill")
        assert viewer.until_told("refused")["problem"]["status"] == 409
        assert viewer.until_told("held", held=False)


def test_a_killed_api_is_gone_on_with_without_loss_or_repetition(host):
    host.define("echo", ECHO)
    host.verb("echo", "start")
    host.until_console("echo", "echo: type")
    with WebSocket(host, "echo", "?tail=100") as w:
        w.until_output("Ctrl-D\n")
        w.type("before\n")
        w.until_output("before\n")
        place, got = w.last("at"), w.output
        os.kill(host.until(host.api_pid, "there is an API"), signal.SIGKILL)
        with pytest.raises((EOFError, ConnectionError)):
            w.until_closed()
    host.until(host.serves, "another API serves")
    assert host.post("/v1/vms/echo/console", "meanwhile\n", **PLAIN).status == 204
    host.until_console("echo", "meanwhile\n")
    at = place["position"] + len(got)
    with WebSocket(host, "echo", f"?since={at}&generation={place['generation']}") as w:
        w.until_output("meanwhile\n")
        assert w.last("at") == {"type": "at", "generation": 1, "position": at, "lost": 0}
        assert got + w.output == host.get("/v1/vms/echo/console").body


def test_a_viewer_that_does_not_read_holds_up_nobody(host):
    host.define("flood", config("flood.elf", "cmdline lines=600"))
    host.verb("flood", "start")
    with WebSocket(host, "flood") as slow, WebSocket(host, "flood") as quick:
        quick.until_output("flood 599: ")
        assert quick.last("at")["lost"] == 0
        quick.until(lambda w: w.output == host.get("/v1/vms/flood/console").body)
        slow.until(lambda w: w.output == quick.output)


def test_the_console_goes_on_with_the_next_worker_and_ends_with_the_vm(host):
    host.define("echo", ECHO)
    with WebSocket(host, "echo") as w:
        assert w.until_told("at")["generation"] == 0
        for generation in (1, 2):
            host.verb("echo", "start")
            assert w.until_told("at", generation=generation, position=0)
            w.until_output("echo: type, end with Ctrl-D\n")
            w.output = b""
            host.verb("echo", "kill")
        assert host.delete("/v1/vms/echo").status == 204
        assert w.until_closed() == (1000, "the VM was deleted")


def test_a_viewer_of_a_vm_that_was_never_started_ends_with_it_too(host):
    host.define("new", ECHO)
    host.define("old", ECHO)
    with WebSocket(host, "new") as w, WebSocket(host, "old") as other:
        assert w.until_told("at")["generation"] == other.until_told("at")["generation"] == 0
        assert host.delete("/v1/vms/new").status == 204
        assert w.until_closed() == (1000, "the VM was deleted")
        host.verb("old", "start")
        other.until_output("echo: type, end with Ctrl-D\n")


def test_it_goes_through_tls_and_ends_with_its_server(tmp_path):
    with Secure(tmp_path) as secure:
        host = secure.host
        host.define("echo", ECHO)
        host.verb("echo", "start")
        secret = token(host, "console", role="operator", vms="echo")
        with pytest.raises(Refused) as e:
            WebSocket(host, "echo", door=WebSocket.tls(secure))
        assert e.value.status == 401
        with WebSocket(host, "echo", "?tail=100", door=WebSocket.tls(secure), Host=f"localhost:{secure.port}",
                       Origin=f"https://localhost:{secure.port}",
                       Sec_WebSocket_Protocol=f"qvm.console.v1, qvm.token.{secret}") as w:
            w.until_output("Ctrl-D\n")
            for n in range(20):
                w.type(f"through tls {n}\n")
                w.until_output(f"through tls {n}\n")
            assert w.until_told("writer", writer="token 'console'")["you"]
            host.leave()
            assert w.until_closed()[0] == 1001


def test_as_many_as_the_limit_watch_at_once_and_one_more_is_told_so(host):
    host.define("echo", ECHO)
    host.verb("echo", "start")
    host.until_console("echo", "echo: type")
    every = [WebSocket(host, "echo") for _ in range(MOST)]
    with pytest.raises(Refused) as e:
        WebSocket(host, "echo")
    assert e.value.status == 429 and f"{MOST} WebSockets are open, which is the limit" in e.value.text
    assert "Retry-After: " in e.value.text
    every[0].type("to all of you\n")
    for w in every:
        w.until_output("to all of you\n")
    every.pop().sock.close()

    def once_more():
        try:
            return WebSocket(host, "echo")
        except Refused:
            return None
    every.append(host.until(once_more, "whoever goes makes room"))
    for w in every:
        w.sock.close()


def test_many_come_and_go_and_leave_nothing(shared):
    held = shared.api_fds()
    for _ in range(3):
        open_ones = [WebSocket(shared, "echo") for _ in range(40)]
        for w in open_ones[::2]:
            w.send(CLOSE, (1001).to_bytes(2, "big"))
        for w in open_ones:
            w.sock.close()
    shared.until(lambda: shared.api_fds() <= held, "the API has closed them")
    told = json.loads(shared.get("/healthz").body)
    assert told, told
