# SPDX-License-Identifier: Apache-2.0
"""Bad requests: each gets a problem of its own that says what to do, and nothing is lost."""
import json
import socket

import jsonschema
import pytest

from host import config

HELLO = config("hello.elf")


def problem(answer, status, kind):
    assert answer.status == status, answer
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    p = answer.json
    assert p["type"] == f"urn:qvm:error:{kind}"
    assert p["status"] == status
    assert p["detail"] and p["hint"] and p["request"] == answer.headers["Request-Id"]
    return p


def test_wrong_field_path_method_and_state_give_four_problems(host):
    host.define("hello", HELLO)
    field = problem(host.put("/v1/vms/hello", {"confg": HELLO}), 400, "invalid")
    path = problem(host.get("/v1/vmz"), 404, "not-found")
    method = host.post("/v1/vms/hello")
    assert "GET" in method.headers["Allow"] and "PUT" in method.headers["Allow"]
    method = problem(method, 405, "method")
    host.verb("hello", "start")
    state = problem(host.delete("/v1/vms/hello"), 409, "conflict")
    assert "confg" in field["detail"] and "config" in field["detail"] + field["hint"]
    assert "/v1/vmz" in path["detail"]
    assert "stop" in state["detail"] + state["hint"]
    assert len({p["type"] for p in (field, path, method, state)}) == 4


@pytest.mark.parametrize("policy,says", [
    ({"restart_budgt": 1}, "restart_budget"),
    ({"bogus": 1}, "openapi.json has them"),
    ({"restart_budget": -1}, "0"),
    ({"restart_budget": 10**9}, "1000"),
    ({"restart_budget": "many"}, "restart_budget"),
    ({"on_failure": "explode"}, "restart"),
    ({"autostart": 1}, "autostart"),
])
def test_each_wrong_policy_says_what_is_permitted(host, policy, says):
    p = problem(host.put("/v1/vms/x", {"config": HELLO, "policy": policy}), 400, "invalid")
    assert says in p["detail"] + p["hint"], p
    assert host.get("/v1/vms").json["vms"] == []


@pytest.mark.parametrize("body", ["", "{", "[]", '"x"', '{"config": 1}', '{"config": "a", "config": "b"}',
                                  '{"config": "ram 1m\\u0000"}', "{}", "\xff\xfe"])
def test_each_malformed_body_is_refused(host, body):
    a = host.request("PUT", "/v1/vms/x", body.encode("latin-1"), {"Content-Type": "application/json"})
    problem(a, 400, "invalid")


def test_an_invalid_configuration_comes_back_with_its_diagnostics(host):
    p = problem(host.put("/v1/vms/x", {"config": "ram 1000\nlaod k\n"}), 422, "configuration")
    assert [d["line"] for d in p["diagnostics"]] == [1, 2]
    assert host.get("/v1/vms/x").status == 404


def test_check_reports_without_defining(host):
    a = host.post("/v1/check", {"config": HELLO})
    assert a.status == 200 and a.json["valid"] is True, a
    a = host.post("/v1/check", {"config": "laod k\n"})
    assert a.status == 200 and a.json["valid"] is False, a
    assert a.json["diagnostics"][0]["hint"]
    assert host.get("/v1/vms").json["vms"] == []


def test_a_name_in_the_configuration_that_differs_is_refused(host):
    p = problem(host.put("/v1/vms/x", {"config": "system y\n" + HELLO}), 422, "configuration")
    assert "y" in p["diagnostics"][0]["what"] and "x" in p["diagnostics"][0]["what"]


@pytest.mark.parametrize("name", ["UPPER", "-dash", "a" * 64, "%2e%2e", "sp%20ace", "a%00b"])
def test_each_bad_name_is_refused(host, name):
    a = host.put(f"/v1/vms/{name}", {"config": HELLO})
    assert a.status in (400, 404), a
    assert a.json["hint"]


def test_a_body_over_the_limit_is_413(host):
    a = host.request("PUT", "/v1/vms/x", b" " * (4 << 20), {"Content-Type": "application/json"})
    problem(a, 413, "too-large")


def test_a_foreign_media_type_is_415(host):
    a = host.request("PUT", "/v1/vms/x", b"<xml/>", {"Content-Type": "text/xml"})
    problem(a, 415, "media-type")


def raw(host, text):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(10)
        s.connect(host.socket)
        s.sendall(text)
        s.shutdown(socket.SHUT_WR)
        answer = b""
        while chunk := s.recv(65536):
            answer += chunk
        return answer


@pytest.mark.parametrize("request_text", [
    b"GET /v1/vms HTTP/1.1\r\n\r\n",
    b"GET /v1/vms HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"PUT /v1/vms/x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"PUT /v1/vms/x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    b"GET /v1/vms%00x HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /v1/vms%zz HTTP/1.1\r\nHost: a\r\n\r\n",
    b"BREW /v1/vms HTTP/1.1\r\nHost: a\r\n\r\n",
    b"\x00\x01\x02\x03\r\n\r\n",
])
def test_malformed_http_is_refused_and_the_api_lives(host, request_text):
    answer = raw(host, request_text)
    assert not answer.startswith(b"HTTP/1.1 2"), answer
    assert host.get("/healthz").status == 200


def test_the_document_is_valid_and_the_answers_keep_to_it(host):
    document = host.get("/v1/openapi.json").json
    assert document["openapi"].startswith("3.1")
    host.define("hello", HELLO)
    host.verb("hello", "start")

    def check(path, template):
        schema = document["paths"][template]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        root = {"$schema": "https://json-schema.org/draft/2020-12/schema",
                "components": document["components"], **schema}
        jsonschema.Draft202012Validator(root).validate(host.get(path).json)

    for path, template in [("/v1/vms", "/v1/vms"), ("/v1/vms/hello", "/v1/vms/{vm}"),
                           ("/v1/vms/hello/status", "/v1/vms/{vm}/status"),
                           ("/v1/vms/hello/revisions", "/v1/vms/{vm}/revisions"),
                           ("/v1/vms/hello/incidents", "/v1/vms/{vm}/incidents"),
                           ("/v1/operations", "/v1/operations"), ("/v1/host", "/v1/host"),
                           ("/healthz", "/healthz")]:
        check(path, template)


def test_events_stream_begins_with_ready_and_misses_nothing(host):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(20)
        s.connect(host.socket)
        s.sendall(b"GET /v1/events?since=1 HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n")
        f = s.makefile("rb")
        assert b"200" in f.readline()
        host.define("hello", HELLO)
        host.verb("hello", "start")
        kinds, seqs = [], []
        while "started" not in kinds:
            line = f.readline()
            if line.startswith(b"data:"):
                e = json.loads(line[5:])
                kinds.append(e["kind"])
                seqs.append(e["seq"])
        assert kinds[0] == "ready"
        assert seqs[1:] == list(range(1, len(seqs)))


def test_a_configuration_of_very_many_errors_is_answered_in_full(host):
    """glibc sorts much otherwise than little, by system calls of its own."""
    a = host.post("/v1/check", {"config": "ram 16m\n" + "bogus\n" * 300})
    assert a.status == 200, a
    assert len(a.json["diagnostics"]) >= 64 and not a.json["valid"]
