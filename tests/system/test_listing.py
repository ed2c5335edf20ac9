# SPDX-License-Identifier: Apache-2.0
"""The list of VMs, whose texts are kept: it says what each VM says of itself, and a poller is told what is new."""
from host import config, send

HELLO = config("hello.elf")


def listed(host, query="", **headers):
    return host.get(f"/v1/vms{query}", **headers)


def check_against_each(host):
    """What a list says of a VM is what it says of itself, but for its configuration."""
    for vm in listed(host).json["vms"]:
        alone = host.vm(vm["name"])
        assert vm == {k: v for k, v in alone.items() if k not in ("config", "folder")}, vm["name"]


def test_a_list_keeps_up_with_each_change(shared):
    for name in ("a", "b", "c"):
        shared.define(name, HELLO)
    check_against_each(shared)
    steps = [lambda: shared.verb("b", "start"), lambda: shared.define("a", HELLO, restart_budget=3),
             lambda: shared.request("PATCH", "/v1/vms/b", {"policy": {"start_order": 2}}),
             lambda: shared.define("c", HELLO, standby="a"), lambda: shared.verb("b", "kill"),
             lambda: shared.request("PATCH", "/v1/vms/c", {"policy": {"standby": None}}), lambda: shared.delete("/v1/vms/a")]
    for step in steps:
        step()
        check_against_each(shared)
    shared.define("a", HELLO + "# another of that name\n")
    check_against_each(shared)
    assert [v["name"] for v in listed(shared).json["vms"]] == ["a", "b", "c"]


def test_pages_are_parts_of_the_whole(shared):
    for i in range(7):
        shared.define(f"page-{i}", HELLO)
    whole, after, found = listed(shared).json["vms"], "", []
    while True:
        page = listed(shared, "?limit=3" + (f"&after={after}" if after else "")).json
        found += page["vms"]
        after = page.get("next")
        if not after:
            break
    assert found == whole
    for i in range(7):
        shared.delete(f"/v1/vms/page-{i}")


def test_a_poller_is_told_nothing_until_something_has_changed(shared):
    shared.define("polled", HELLO)
    shared.until(lambda: shared.get("/v1/audit").json["entries"][0]["op"] == "vm_put", "the audit is written")
    first = listed(shared)
    tag = first.headers["ETag"]
    for asked in (tag, f'W/{tag}', f'"other", {tag}'):
        again = listed(shared, If_None_Match=asked)
        assert (again.status, again.body, again.headers["ETag"]) == (304, b"", tag), again
    assert listed(shared, If_None_Match='"other"').status == 200
    shared.define("polled", HELLO, restart_budget=2)
    changed = listed(shared, If_None_Match=tag)
    assert changed.status == 200 and changed.headers["ETag"] != tag
    assert next(v for v in changed.json["vms"] if v["name"] == "polled")["policy"]["restart_budget"] == 2


def test_a_tag_is_for_one_scope_and_one_api_process(host):
    host.define("web-1", HELLO)
    secret = host.post("/v1/tokens/web", {"role": "reader", "vms": "web-*"}).json["secret"]
    host.until(lambda: host.get("/v1/audit").json["entries"][0]["op"] == "token_create", "the audit is written")
    tag = listed(host).headers["ETag"]
    seen = listed(host, Authorization=f"Bearer {secret}", If_None_Match=tag)
    assert seen.status == 200 and [v["name"] for v in seen.json["vms"]] == ["web-1"]
    api = host.api_pid()
    send(api, "SIGKILL")
    host.until(lambda: host.api_pid() not in (0, api) and host.serves(), "the next API serves")
    assert listed(host, If_None_Match=tag).status == 200
