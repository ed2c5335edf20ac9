# SPDX-License-Identifier: Apache-2.0
"""GET /metrics, read by Prometheus' own parser."""
from prometheus_client.parser import text_string_to_metric_families

from host import config

HELLO = config("hello.elf")


def scrape(host):
    a = host.get("/metrics")
    assert a.status == 200, a
    assert a.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    samples = {}
    for family in text_string_to_metric_families(a.text):
        assert family.documentation and family.type in ("gauge", "counter", "histogram"), family
        for s in family.samples:
            key = (s.name, tuple(sorted(s.labels.items())))
            assert key not in samples, f"a series stands twice: {key}"
            samples[key] = s.value
    return samples


def value(samples, metric, **labels):
    found = [v for (n, l), v in samples.items() if n == metric and labels.items() <= dict(l).items()]
    assert len(found) == 1, (metric, labels, found)
    return found[0]


def seen(host):
    """Bytes on the console of `hello` and exits for I/O, by its status."""
    status = host.get("/v1/vms/hello/status").json
    return status["console_bytes"], status["vcpus"][0]["exits"]["io"]


def test_metrics_follow_a_vm_through_its_life(host):
    host.define("hello", HELLO, on_failure="stop")
    m = scrape(host)
    assert value(m, "qvm_vm_up", vm="hello") == 0
    assert value(m, "qvm_vms", observed="stopped") == 1
    host.verb("hello", "start")
    host.until_console("hello", "Hello")
    before = seen(host)
    m = scrape(host)  # while the guest goes on
    after = seen(host)
    assert value(m, "qvm_vm_up", vm="hello") == 1
    assert value(m, "qvm_vm_state", vm="hello", desired="running", observed="running") == 1
    assert value(m, "qvm_vm_workers_total", vm="hello") == 1
    told = value(m, "qvm_vm_console_bytes_total", vm="hello"), value(m, "qvm_vm_exits_total", vm="hello", reason="io")
    assert all(0 < a <= t <= b for a, t, b in zip(before, told, after)), (before, told, after)
    assert value(m, "qvm_vdev_accesses_total", vm="hello", name="ser8250", access="write") > 0
    assert value(m, "qvm_vm_uptime_seconds", vm="hello") >= 0
    assert value(m, "qvm_event_seq") == host.events()[-1]["seq"]
    host.verb("hello", "kill")
    m = scrape(host)
    assert value(m, "qvm_vm_up", vm="hello") == 0
    assert not any(n == "qvm_vm_uptime_seconds" for n, _ in m)  # time of the dead stands still
    assert value(m, "qvm_vm_exits_total", vm="hello", reason="io") == seen(host)[1]


def test_metrics_count_incidents_requests_and_problems(host):
    host.define("faulty", config("touch.elf", "unsupported reference abort"), on_failure="stop")
    host.verb("faulty", "start")
    host.until_vm("faulty", observed="safe")
    for _ in range(3):
        assert host.get("/v1/vms/nobody").status == 404
    m = scrape(host)
    assert value(m, "qvm_vm_incidents", vm="faulty") == 1
    assert value(m, "qvm_vm_state", vm="faulty", observed="safe") == 1
    assert value(m, "qvm_api_problems_total", status="404") == 3
    assert value(m, "qvm_api_request_seconds_count", operation="vm_start") == 1
    assert value(m, "qvm_api_request_seconds_bucket", operation="vm_start", le="+Inf") == 1


def test_metrics_have_one_series_for_each_of_many_vms_and_like_named_vdevs(host):
    two = config("hello.elf", "vdev ioapic", "vdev ser8250 loc io:0x2f8 intr ioapic:3")
    for i in range(30):
        host.define(f"vm{i:02}", two)
    host.verb("vm07", "start")
    host.until_console("vm07", "Hello")
    m = scrape(host)
    assert sum(n == "qvm_vm_up" for n, _ in m) == 30
    assert sum(n == "qvm_vdev_interrupts_total" and dict(l)["name"].startswith("ser8250") for n, l in m) == 2
