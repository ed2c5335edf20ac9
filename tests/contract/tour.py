# SPDX-License-Identifier: Apache-2.0
"""Each operation of the document once, so that it succeeds. A new operation needs its call here."""
from host import config
from websocket import handshake

HELLO = config("hello.elf")


def tour(host, ask):
    """ask(method, target, body, headers): every answer is judged by the caller."""
    def verb(vm, word, wait="?wait=20s"):
        return ask("POST", f"/v1/vms/{vm}/{word}{wait}")

    for target in ("/healthz", "/v1/openapi.json", "/metrics", "/v1/host", "/v1/whoami", "/v1/usage", "/v1/vms", "/v1/operations"):
        ask("GET", target)
    for _ in range(100):  # something may happen between the two
        if ask("GET", "/v1/vms", None, {"If-None-Match": ask("GET", "/v1/vms").headers["ETag"]}).status == 304:
            break
    ask("POST", "/v1/host/release")
    ask("POST", "/v1/check", {"config": HELLO})
    ask("PUT", "/v1/vms/hello", {"config": HELLO})
    ask("PUT", "/v1/vms/fails", {"config": config("touch.elf", "unsupported reference abort"),
                                 "policy": {"on_failure": "stop"}})
    ask("PATCH", "/v1/vms/hello", {"policy": {"restart_budget": 3}}, {"Content-Type": "application/merge-patch+json"})
    ask("POST", "/v1/vms/hello/rollback?to=1")
    operation = verb("hello", "start", "").json["id"]
    ask("GET", f"/v1/operations/{operation}?wait=20s")
    host.until_console("hello", "Hello")
    ask("POST", "/v1/vms/hello/console", "x", {"Content-Type": "text/plain"})
    for view in ("", "/config", "/revisions", "/revisions/1", "/status", "/map", "/console", "/log"):
        ask("GET", f"/v1/vms/hello{view}")
    ask("GET", "/v1/vms/hello/console/ws", None, handshake())
    verb("hello", "dump")
    name = ask("GET", "/v1/vms/hello/dumps").json["dumps"][0]["name"]
    dump = f"/v1/vms/hello/dumps/{name}"
    ask("GET", dump, None, {"Range": "bytes=0-63"})
    ask("GET", dump)
    ask("DELETE", dump)
    for word in ("pause", "resume", "reset-budget", "button"):
        verb("hello", word)
    host.until_vm("hello", observed="stopped")
    for word in ("start", "stop", "start", "nmi", "kill"):  # hello handles no NMI: it may end of it
        verb("hello", word)
    ask("PUT", "/v1/vms/second", {"config": HELLO})
    ask("PUT", "/v1/vms/first", {"config": HELLO, "policy": {"standby": "second"}})
    for word in ("takeover", "give-back", "kill"):
        verb("first", word)
    for vm in ("first", "second"):
        ask("DELETE", f"/v1/vms/{vm}")
    verb("fails", "start")
    host.until_vm("fails", observed="safe")
    ask("GET", "/v1/vms/fails/incidents")
    verb("fails", "release")
    ask("DELETE", "/v1/vms/fails")
    ask("GET", "/v1/events?since=1")
    ask("GET", "/v1/audit")
    ask("POST", "/v1/tokens/script", {"role": "reader"})
    ask("GET", "/v1/tokens")
    ask("DELETE", "/v1/tokens/script")
