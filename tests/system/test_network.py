# SPDX-License-Identifier: Apache-2.0
"""virtio-net: two guests meet by name under qvmd; a TAP of the host; what a host does not allow."""
import os
import re
import signal
import subprocess

import pytest

from host import B, config, worker_alone



def card(*words):
    return config("net.elf", "vdev virtio-net " + " ".join(words))


def heard(host, vm):
    return re.findall(r"net: hears (\w+)", host.console(vm))


@pytest.fixture
def pair(host):
    """Two VMs that name each other."""
    for vm, name, other in (("a", "left", "b/right"), ("b", "right", "a/left")):
        host.define(vm, card("name", name, "peer", "/dev/qvm/" + other), on_failure="restart",
                    restart_delay_ms=1)
    return host


def test_two_guests_that_name_each_other_exchange_frames_and_see_the_link(pair):
    for vm in "ab":
        assert pair.verb(vm, "start").status == 200
    for vm in "ab":
        pair.until_console(vm, "net: hears")
        assert "the link is up" in pair.console(vm)
    addresses = {re.search(r"address is (\S+)", pair.console(vm))[1] for vm in "ab"}
    assert len(addresses) == 2
    for vm in "ab":
        vdevs = pair.get(f"/v1/vms/{vm}/status").json["vdevs"]
        mine = next(x for x in vdevs if x["name"] in ("left", "right"))
        assert mine["bytes_in"] >= 64 and mine["bytes_out"] >= 64


def test_a_guest_that_waits_has_a_link_that_is_down_and_qvmd_says_for_whom(pair):
    assert pair.verb("a", "start").status == 200
    pair.until_console("a", "the link is down")
    assert heard(pair, "a") == []
    assert "'left' waits for 'right' of 'b'" in pair.read_log()


def test_a_peer_that_is_killed_comes_back_and_frames_flow_again(pair):
    for vm in "ab":
        pair.verb(vm, "start")
    pair.until(lambda: heard(pair, "a") and heard(pair, "b"), "they meet")
    was = pair.vm("b")["pid"]
    os.kill(was, signal.SIGKILL)
    pair.until(lambda: pair.vm("b")["pid"] not in (None, 0, was), "b comes back")
    pair.until(lambda: len(set(heard(pair, "a"))) == 2, "a hears the new b")
    pair.until_console("b", "net: hears")
    assert pair.vm("a")["restarts"] == 0
    links = re.findall(r"the link is (\w+)", pair.console("a"))
    assert links[-1] == "up"


def test_names_that_do_not_match_never_meet(host):
    host.define("a", card("name", "left", "peer", "/dev/qvm/b/right"))
    host.define("b", card("name", "wrong", "peer", "/dev/qvm/a/left"))
    for vm in "ab":
        host.verb(vm, "start")
    for vm in "ab":
        host.until_console(vm, "the link is down")
    assert heard(host, "a") == heard(host, "b") == []


def test_an_interface_that_the_host_does_not_allow_is_refused_with_the_line_to_add(host):
    a = host.put("/v1/vms/t", {"config": card("tapdev", "qvmtap0")})
    assert a.status == 422 or a.status == 400, a
    assert "allow-tap = qvmtap0" in a.text


def test_a_lone_worker_tells_how_to_make_an_interface_that_is_missing(tmp_path):
    conf = tmp_path / "t.qvmconf"
    conf.write_text(card("tapdev", "qvmnone0"))
    r = worker_alone(f"@{conf}")
    assert r.returncode == 64
    assert "ip tuntap add dev qvmnone0 mode tap" in r.stderr


# --- a TAP, in a network namespace of its own

@pytest.fixture
def tap():
    name = f"qvmt{os.getpid() % 10000}"
    if os.geteuid() != 0 or not os.path.exists("/dev/net/tun"):
        pytest.skip("a TAP takes root and /dev/net/tun")
    space = name + "ns"
    def ip(*words):
        subprocess.run(["ip", *words], check=True, capture_output=True, text=True)
    ip("netns", "add", space)
    try:
        ip("-n", space, "tuntap", "add", "dev", name, "mode", "tap")
        ip("-n", space, "link", "set", name, "up")
        yield space, name
    finally:
        ip("netns", "delete", space)


def test_a_guest_exchanges_frames_with_a_tap_of_the_host(tap, tmp_path):
    space, name = tap
    conf = tmp_path / "t.qvmconf"
    conf.write_text("system tapped\n" + card("tapdev", name))
    listener = r"""
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
s.bind((sys.argv[1], 0))
s.settimeout(30)
while True:
    frame = s.recv(2048)
    if frame[12:14] == b"\x88\xb5" and frame[14:18] != b"HOST":
        break
print(frame[6:12].hex(":"), flush=True)
for i in range(50):
    s.send(b"\xff" * 6 + b"\x02\0\0\0\0\x63" + b"\x88\xb5" + b"HOST" + bytes(46))
"""
    host_side = subprocess.Popen(["ip", "netns", "exec", space, "python3", "-c", listener, name],
                                 stdout=subprocess.PIPE, text=True)
    guest = subprocess.Popen(["ip", "netns", "exec", space, f"{B}/qvm", f"@{conf}"],
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True)
    said = ""
    try:
        for line in guest.stdout:
            said += line
            if "net: hears" in line:
                break
        sender = host_side.stdout.readline().strip()
        assert "net: hears 54534f48 from 2:63" in said  # "HOST"
        mac = re.search(r"address is (\S+)", said)[1]
        assert sender == ":".join(f"{int(x, 16):02x}" for x in mac.split(":"))
        assert int(mac.split(":")[0], 16) & 3 == 2
    finally:
        guest.terminate()
        guest.wait(30)
        host_side.kill()
        host_side.wait()
