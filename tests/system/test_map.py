# SPDX-License-Identifier: Apache-2.0
"""Who answers what on a board, and what its processors and devices do: while it runs and after its death."""
import signal

from host import config, send

BOARD = ("vdev ioapic", "vdev wdt-ib700", "vdev mc146818", "vdev hpet", "vdev pci-dummy",
         "vdev virtio-entropy")
MOVED = 0xec000000  # where tests/guests/virtio.long.c puts BAR 0


def running(host, guest="spin.elf", says="spinning", **policy):
    host.define("board", config(guest, *BOARD), on_failure="stop", **policy)
    assert host.verb("board", "start").status == 200
    host.until_console("board", says)
    return host.vm("board")["pid"]


def the_map(host):
    a = host.get("/v1/vms/board/map")
    assert a.status == 200, a
    return a.json


def ranges(places):
    return [(p["first"], p["last"], p["class"], p["owner"]) for p in places]


def bar(board, owner, number):
    return next(p for p in board["memory"] if p["owner"] == owner and p.get("bar") == number)


def test_the_map_of_a_running_board_names_who_answers(host):
    running(host)
    board = the_map(host)
    assert (board["vm"], board["generation"], board["state"], board["more"]) == ("board", 1, "running", 0)
    fixed = ranges(p for p in board["memory"] if "bar" not in p and p["owner"] != "kvm-private")
    assert fixed == [("0x0", "0x9ffff", "permitted", "ram"),
                     ("0x100000", "0xffffff", "permitted", "ram"),
                     ("0xe0000000", "0xe00fffff", "vdev", "pci-host"),
                     ("0xe8000000", "0xefffffff", "vdev", "pci-host"),
                     ("0xfec00000", "0xfec000ff", "kvm", "ioapic"),
                     ("0xfed00000", "0xfed00fff", "vdev", "hpet"),
                     ("0xfee00000", "0xfee00fff", "kvm", "apic")], board
    ports = ranges(board["ports"])
    for row in (("0x20", "0x21", "kvm", "8259"), ("0x70", "0x71", "vdev", "mc146818"),
                ("0x3f8", "0x3ff", "vdev", "ser8250"), ("0x441", "0x443", "vdev", "wdt-ib700"),
                ("0xcf8", "0xcff", "vdev", "pci-host")):
        assert row in ports, ports
    assert ports == sorted(ports, key=lambda p: int(p[0], 16))
    lines = {(x["line"], x["owner"]) for x in board["interrupts"]}
    assert {(0, "hpet"), (4, "ser8250"), (8, "hpet"), (8, "mc146818"), (11, "hpet"), (18, "virtio-entropy")} <= lines, lines
    assert [(f["address"], f["owner"]) for f in board["functions"]] == [
        ("00:00.0", "pci-host"), ("00:01.0", "pci-dummy"), ("00:02.0", "virtio-entropy")]


def test_each_vdev_of_the_map_is_found_in_the_status(host):
    running(host)
    vdevs = host.get("/v1/vms/board/status").json["vdevs"]
    board = the_map(host)
    rows = board["memory"] + board["ports"] + board["interrupts"] + board["functions"]
    assert all(vdevs[r["vdev"]]["name"] == r["owner"] for r in rows if r["vdev"] is not None)
    assert all(p["vdev"] is not None for p in rows if p.get("class") == "vdev")


def test_the_map_outlives_a_killed_worker(host):
    pid = running(host)
    before = the_map(host)
    send(pid, "SIGKILL")
    host.until_vm("board", observed="safe")
    assert the_map(host) == {**before, "state": "ended"}


def test_a_bar_is_shown_where_the_guest_has_moved_it(host):
    running(host)
    first = bar(the_map(host), "virtio-entropy", 0)
    assert 0xe8000000 <= int(first["first"], 16) < MOVED and first["bytes"] == 16384, first
    host.verb("board", "kill")
    host.define("board", config("virtio.elf", *BOARD))
    assert host.verb("board", "start").status == 200
    host.until_vm("board", observed="stopped")
    board = the_map(host)
    assert board["generation"] == 2
    assert int(bar(board, "virtio-entropy", 0)["first"], 16) == MOVED, board
    assert bar(board, "virtio-entropy", 1)["on"], board


def test_read_only_memory_is_another_class(host):
    host.define("board", config("spin.elf") + "rom 0xfffe0000,0x20000\n")
    assert host.verb("board", "start").status == 200
    rom = next(p for p in the_map(host)["memory"] if p["first"] == "0xfffe0000")
    assert (rom["class"], rom["owner"], rom["bytes"]) == ("read-only", "rom", 0x20000)


def test_the_verb_prints_the_map_for_people_and_for_scripts(host):
    running(host)
    said = host.adm("map", "board")
    assert said.returncode == 0, said
    lines = [" ".join(x.split()) for x in said.stdout.splitlines()]
    for line in ("board, worker 1 of this VM, running", "0x00100000 0x00ffffff 15M permitted ram",
                 "0x0441 0x0443 3 vdev wdt-ib700", "18 virtio-entropy", "00:02.0 virtio-entropy"):
        assert line in lines, said.stdout
    assert any(x.endswith("16K vdev virtio-entropy BAR 0, off") for x in lines), said.stdout
    assert "a fault" in said.stdout
    assert '"class":"permitted"' in host.adm("--json", "map", "board").stdout


def test_a_vm_that_never_ran_has_no_map_and_says_what_to_do(host):
    host.define("board", config("spin.elf"))
    a = host.get("/v1/vms/board/map")
    assert a.status == 409 and "start it first" in a.json["detail"], a
    assert host.get("/v1/vms/nobody/map").status == 404
    assert host.adm("map", "board").returncode == 7


def test_the_status_tells_how_long_a_fed_watchdog_still_waits(host):
    running(host, "wdt.elf", "started")

    def alarm():
        vdevs = {v["name"]: v for v in host.get("/v1/vms/board/status").json["vdevs"]}
        assert vdevs["ser8250"]["alarm_ms"] is None
        return vdevs["wdt-ib700"]["alarm_ms"]
    assert 0 <= alarm() <= 2000
    head, row = (next(x for x in host.adm("status", "board").stdout.splitlines() if w in x)
                 for w in ("ALARM IN", "wdt-ib700"))
    assert head.index("ALARM IN") < len(row) and not row.rstrip().endswith("-"), row


def test_counters_and_registers_are_there_while_it_runs_and_after_its_death(host):
    pid = running(host)

    def look():
        s = host.get("/v1/vms/board/status").json
        cpu, serial = s["vcpus"][0], next(v for v in s["vdevs"] if v["name"] == "ser8250")
        assert int(cpu["last_rip"], 16) > 0 and cpu["exits"]["io"] > 0
        assert cpu["exits_total"] >= cpu["exits"]["io"]
        return cpu["exits"]["io"], serial["reads"], s
    exits, reads, s = look()
    assert s["state"] == "running" and s["vcpus"][0]["state"] in ("guest", "exit")
    host.until(lambda: look()[0] > exits and look()[1] > reads, "the guest goes on")
    send(pid, "SIGKILL")
    host.until_vm("board", observed="safe")
    first, second = look(), look()
    assert first == second and first[2]["state"] == "ended" and first[0] > exits
    said = host.adm("status", "board").stdout
    assert f"io {first[0]}" in said and str(first[1]) in said, said


def test_the_map_of_a_worker_that_stands_is_read_without_it(host):
    pid = running(host, heartbeat_misses=100)
    send(pid, "SIGSTOP")
    try:
        assert the_map(host)["state"] == "running"  # who looks needs no answer of the worker
    finally:
        send(pid, signal.Signals.SIGCONT.name)


def test_a_board_of_very_many_places_has_its_map(host):
    """glibc sorts much otherwise than little, by system calls of its own."""
    places = range(32 << 20, (32 << 20) + (150 << 13), 1 << 13)
    host.define("board", config("spin.elf", *(f"ram {p:#x},4k" for p in places)))
    assert host.verb("board", "start").json["state"] == "done"
    assert set(places) <= {int(p["first"], 16) for p in the_map(host)["memory"]}
    assert not [e for e in host.events() if e["kind"] == "api-lost"]
