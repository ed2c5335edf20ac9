# SPDX-License-Identifier: Apache-2.0
"""A request sent again with its id, because its answer was lost, is not done again; whoever was killed."""
import http.client
import random
import threading
import time

import pytest

from host import SANITIZED, Host, config, send

HELLO, OTHER = config("hello.elf"), config("poweroff.elf")


class Ids:
    """A new id for each request."""

    def __init__(self, seed=0):
        self.n = seed << 32

    def __call__(self):
        self.n += 1
        return {"Request-Id": f"{self.n:016x}"}


def twice(host, method, path, body=None, **headers):
    """Both answers to a request that is sent twice."""
    headers = {**{k.replace("_", "-"): v for k, v in headers.items()}, **host.ids()}
    return [host.request(method, path, body, headers) for _ in range(2)]


@pytest.fixture(scope="module")
def shared(shared):
    shared.ids = Ids(1)
    return shared


def test_a_definition_that_shall_be_new_is_so_both_times(shared):
    first, again = twice(shared, "PUT", "/v1/vms/new", {"config": HELLO}, If_None_Match="*")
    assert (first.status, again.status) == (201, 201) and again.headers["ETag"] == '"1"', again
    first, again = twice(shared, "PUT", "/v1/vms/new", {"config": OTHER}, If_Match='"1"')
    assert (first.status, again.status, again.json["revision"]) == (200, 200, 2), again
    first, again = twice(shared, "PATCH", "/v1/vms/new", {"policy": {"autostart": True}}, If_Match='"2"')
    assert (first.status, again.status, again.json["revision"]) == (200, 200, 3), again
    first, again = twice(shared, "POST", "/v1/vms/new/rollback?to=1", If_Match='"3"')
    assert (first.status, again.status, again.json["revision"]) == (200, 200, 4), again
    told = [e for e in shared.events() if e["kind"] == "defined" and e["vm"] == "new"]
    assert len(told) == 4, told


def test_a_definition_sent_again_does_not_undo_what_came_after_it(shared):
    mine = shared.ids()
    assert shared.request("PUT", "/v1/vms/after", {"config": HELLO}, mine).status == 201
    assert shared.put("/v1/vms/after", {"config": OTHER}).json["revision"] == 2
    again = shared.request("PUT", "/v1/vms/after", {"config": HELLO}, mine)
    assert (again.status, again.headers["ETag"], again.json["config"]) == (201, '"1"', OTHER), again
    assert shared.delete("/v1/vms/after").status == 204
    again = shared.request("PUT", "/v1/vms/after", {"config": HELLO}, mine)
    assert again.status == 409 and "deleted since" in again.json["detail"], again
    assert shared.get("/v1/vms/after").status == 404


def test_a_deletion_sent_again_spares_what_was_made_since(shared):
    shared.define("gone", HELLO)
    mine = shared.ids()
    assert shared.request("DELETE", "/v1/vms/gone", headers=mine).status == 204
    shared.define("gone", OTHER)
    assert shared.request("DELETE", "/v1/vms/gone", headers=mine).status == 204
    assert shared.vm("gone")["config"] == OTHER


def test_a_token_asked_for_again_has_a_new_secret_and_only_that(shared):
    first, again = twice(shared, "POST", "/v1/tokens/again", {"role": "reader"})
    assert (first.status, again.status) == (201, 201), again

    def lets_in(answer):
        return shared.get("/v1/vms", Authorization=f"Bearer {answer.json['secret']}").status == 200
    assert lets_in(again) and not lets_in(first)
    first, again = twice(shared, "DELETE", "/v1/tokens/again")
    assert (first.status, again.status) == (204, 204)


def test_what_is_typed_again_is_typed_once(shared):
    shared.define("echo", config("echo.elf"))
    shared.verb("echo", "start")
    for key in "abc":
        for answer in twice(shared, "POST", "/v1/vms/echo/console", key, Content_Type="text/plain"):
            assert answer.status == 204
    shared.until_console("echo", "abc")
    shared.verb("echo", "kill")


def test_an_id_is_for_one_request_of_one_caller(shared):
    mine = shared.ids()
    shared.request("PUT", "/v1/vms/mine", {"config": HELLO}, mine)
    secret = shared.post("/v1/tokens/thief", {"role": "admin"}).json["secret"]
    for method, path, body, more in (("PUT", "/v1/vms/mine", {"config": OTHER}, {}), ("DELETE", "/v1/vms/mine", None, {}),
                                     ("PUT", "/v1/vms/theirs", {"config": HELLO}, {}), ("POST", "/v1/vms/mine/start", None, {}),
                                     ("PUT", "/v1/vms/mine", {"config": HELLO}, {"Authorization": f"Bearer {secret}"})):
        a = shared.request(method, path, body, {**mine, **more})
        assert a.status == 409 and "Request-Id" in a.json["detail"], (method, path, a)
    assert shared.vm("mine")["revision"] == 1
    operation = shared.ids()
    shared.request("POST", "/v1/vms/mine/reset-budget", headers=operation)
    assert shared.request("DELETE", "/v1/vms/mine", headers=operation).status == 409


@pytest.mark.parametrize("method,path,before,bodies,more", [
    ("PUT", "/v1/vms/{}", None, ({"config": HELLO, "policy": {"start_order": n}} for n in (5, 6)), {}),
    ("PATCH", "/v1/vms/{}", "vm", ({"policy": {"start_order": n}} for n in (11, 12)), {}),
    ("PATCH", "/v1/vms/{}", "vm", ({"policy": {f: 5}} for f in ("start_order", "restart_budget")), {}),
    ("POST", "/v1/tokens/{}", None, ({"role": r} for r in ("reader", "admin")), {}),
    ("POST", "/v1/vms/{}/console", "run", "xy", {"Content-Type": "text/plain"})],
    ids=["put", "patch", "patch-field", "token", "type"])
def test_an_id_that_comes_with_another_body_is_refused(method, path, before, bodies, more, shared, request):
    name = "other-" + request.node.callspec.id
    if before:
        shared.define(name, config("echo.elf"))
    if before == "run":
        shared.verb(name, "start")
    first, other = bodies
    headers = {**shared.ids(), **more}
    done = shared.request(method, path.format(name), first, headers)
    assert done.status in (200, 201, 204), done
    refused = shared.request(method, path.format(name), other, headers)
    assert refused.status == 409 and headers["Request-Id"] in refused.json["detail"], refused
    assert shared.request(method, path.format(name), first, headers).status == done.status
    assert shared.request(method, path.format(name), other, {**shared.ids(), **more}).status in (200, 201, 204, 409)
    if before == "run":
        shared.verb(name, "kill")


def test_an_id_that_comes_with_another_parameter_is_refused(shared):
    shared.define("back", HELLO)
    for n in (3, 4):
        assert shared.request("PATCH", "/v1/vms/back", {"policy": {"start_order": n}}).status == 200
    mine = shared.ids()
    assert shared.request("POST", "/v1/vms/back/rollback?to=1", headers=mine).json["revision"] == 4
    refused = shared.request("POST", "/v1/vms/back/rollback?to=2", headers=mine)
    assert refused.status == 409 and mine["Request-Id"] in refused.json["detail"], refused
    assert shared.request("POST", "/v1/vms/back/rollback?to=1", headers=mine).json["revision"] == 4


def insist(host, method, path, body=None, headers=None):
    """Ask until there is an answer that is the server's last word."""
    end = time.monotonic() + 60
    while True:
        try:
            answer = host.request(method, path, body, headers)
            if answer.status != 503 and "is being answered" not in answer.text:
                return answer
        except (OSError, http.client.HTTPException):
            pass
        assert time.monotonic() < end, (method, path, host.read_log())
        time.sleep(0.01)


def step(rng, model, tokens):
    """(method, path, body, headers, the status that it must have, what it does to the model)."""
    name = rng.choice("abcd")
    revision = model.get(name)
    kind = rng.choice(("new", "change", "policy", "delete", "token"))
    if kind == "new":
        return ("PUT", f"/v1/vms/{name}", {"config": HELLO}, {"If-None-Match": "*"}, 412 if revision else 201,
                lambda: model.__setitem__(name, revision or 1))
    if kind in ("change", "policy"):
        wanted = revision or 1
        text = HELLO + f"# {rng.random()}\n"
        what = {"config": text} if kind == "change" else {"policy": {"dump_timeout_ms": rng.randrange(1000, 60000)}}
        return ("PUT" if kind == "change" else "PATCH", f"/v1/vms/{name}", what, {"If-Match": f'"{wanted}"'},
                200 if revision else 412 if kind == "change" else 404, lambda: revision and model.__setitem__(name, revision + 1))
    if kind == "delete":
        return ("DELETE", f"/v1/vms/{name}", None, {}, 204 if revision else 404, lambda: model.pop(name, None))
    if name in tokens:
        return "DELETE", f"/v1/tokens/{name}", None, {}, 204, lambda: tokens.discard(name)
    return "POST", f"/v1/tokens/{name}", {"role": "reader"}, {}, 201, lambda: tokens.add(name)


def test_mutations_under_kills_end_as_their_answers_said(seed=1):
    """API and supervisor are killed at random; a client that insists sees none of it but time."""
    steps, rng, ids, host = 30 if SANITIZED else 60, random.Random(seed), Ids(seed), Host()
    began = time.monotonic()
    host.start()
    most = max(0.2, 3 * (time.monotonic() - began))  # some of the time it must be there, however slow this machine is
    model, tokens, over, kills = {}, set(), threading.Event(), [0, 0]

    def strike():
        chance = random.Random(seed)
        while not over.wait(chance.uniform(0.01, most)):
            if chance.random() < 0.3:
                host.process.kill()
                host.process.wait()
                host.start(ready=False)
                kills[1] += 1
            elif api := host.api_pid():
                try:
                    send(api, "SIGKILL")
                    kills[0] += 1
                except ProcessLookupError:
                    pass
    striker = threading.Thread(target=strike)
    try:
        striker.start()
        done = 0
        while done < steps or min(kills) < 2:
            done += 1
            method, path, body, headers, status, change = step(rng, model, tokens)
            answer = insist(host, method, path, body, {**headers, **ids()})
            assert answer.status == status, (method, path, headers, answer, model)
            change()
        over.set()
        striker.join()
        host.wait_ready()
        assert {vm["name"]: vm["revision"] for vm in host.get("/v1/vms").json["vms"]} == model
        assert {t["name"] for t in host.get("/v1/tokens").json["tokens"]} == tokens
        seqs = [e["seq"] for e in host.events()]
        assert seqs == list(range(1, len(seqs) + 1))
        print(f"{done} mutations, API killed {kills[0]} times, supervisor {kills[1]} times")
    finally:
        over.set()
        striker.join()
        host.close()
