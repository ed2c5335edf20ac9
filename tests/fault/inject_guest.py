# SPDX-License-Identifier: Apache-2.0
"""Faults of guests and of KVM, by guests that commit them and by a worker whose KVM lies."""
import os

from bench import ARMED, HELLO, Seen, config, events_of, define, injects, must, next_event, settled


def own_doing(bench, row, text, host=None, **policy):
    """The guest does it by itself, soon after its start."""
    host = host or bench.host()
    define(host, row, text, **policy)
    since = next_event(host)
    host.verb(row.id, "start")
    return settled(bench, host, row, since, None)


def faulty(what, *lines):
    return config("faulty.elf", f'cmdline "after=50 do={what}"', *lines)


@injects("triple-fault", "ud2 without an interrupt table")
def triple_fault(bench, row):
    return own_doing(bench, row, faulty("triple"))


@injects("halted", "cli; hlt on every vCPU")
def halted(bench, row):
    return own_doing(bench, row, faulty("halt"), heartbeat_ms=200)


@injects("unsupported-instruction", "popcnt on memory that nobody answers")
def unsupported_instruction(bench, row):
    return own_doing(bench, row, faulty("instruction", "unsupported instruction abort"))


@injects("unsupported-reference", "a read of 0xd0000000")
def unsupported_reference(bench, row):
    return own_doing(bench, row, faulty("reference", "unsupported reference abort"))


@injects("unsupported-register", "rdmsr of one that no processor has")
def unsupported_register(bench, row):
    return own_doing(bench, row, config("msr.elf", "unsupported register abort"))


@injects("watchdog", "an IB700 that is started and forgotten")
def watchdog(bench, row):
    return own_doing(bench, row, config("wdt.elf", "vdev wdt-ib700 action terminate", 'cmdline "feed=0"'))


@injects("guest-panic", "a write of 1 to port 0x505")
def guest_panic(bench, row):
    return own_doing(bench, row, config("panic.elf", "vdev pvpanic"))


@injects("virtqueue", "a chain without room for a status")
def virtqueue(bench, row):
    host = bench.host()
    disk = os.path.join(host.folder, "queue.img")
    with open(disk, "wb") as f:
        f.truncate(1 << 20)
    define(host, row, config("disk.elf", 'cmdline "by=msix"', "vdev ioapic", f"vdev virtio-blk hostdev {disk}"))
    host.verb(row.id, "start")
    host.until_console(row.id, "disk: read after it 0")
    must("disk: it needs a reset" in host.console(row.id), "the device went on as if nothing was")
    vm = host.until_vm(row.id, observed="stopped")
    must(vm["cause"] == "poweroff" and not host.incidents(row.id), f"the VM failed of it: {vm}")
    bench.unharmed(host)
    return Seen("guest resets it, goes on")


@injects("guest-silent", "a spin without a beat")
def guest_silent(bench, row):
    text = config("faulty.elf", "vdev heartbeat", 'cmdline "after=600 beat=1 do=hang"')
    seen = own_doing(bench, row, text, guest_heartbeat_ms=500)
    kinds = [e["kind"] for e in events_of(bench.host(), row, 0)]
    must("suspect" in kinds, f"it was never suspect: {kinds}")
    signals = bench.host().vm(row.id)["signals"]
    must((signals["guest"], signals["worker"]) == ("failed", "unknown"), f"the wrong signal failed: {signals}")
    return seen


@injects("vdev-error", "a vdev's end with a code it may not use")
def vdev_error(bench, row):
    host = bench.host("vdevs", **{"vdev-folder": bench.vdevs()})
    text = config("outport.elf", "vdev crash loc io:0x5a0", f'cmdline "port={0x5a0} value=3"')
    return own_doing(bench, row, text, host)


def lying_kvm(bench, row):
    return own_doing(bench, row, HELLO, bench.faulty(), **ARMED)


injects("kvm-internal", "suberror 3 from KVM_RUN")(lying_kvm)
injects("kvm-entry", "hardware reason 0x80000021")(lying_kvm)
injects("kvm-lost", "EIO from KVM_RUN")(lying_kvm)
injects("unknown-exit", "exit reason 12345")(lying_kvm)
