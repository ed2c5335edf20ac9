# SPDX-License-Identifier: Apache-2.0
"""The supervisor dies and VMs go on; what dies while it is away, and what dies beside it."""
import contextlib
import time

from bench import HELLO, Host, Seen, begin, events_of, injects, is_alive, must, next_event, now_ms, settled, wall_ms
from host import children, config, send


@contextlib.contextmanager
def own_host(bench):
    with Host() as host:
        bench.watch(host)
        yield host


@injects("supervisor-killed", "kill -KILL of qvmd, and the next one")
def supervisor_killed(bench, row):
    with own_host(bench) as host:
        vm = begin(host, row)
        since, t0 = next_event(host), now_ms()
        host.kill()
        must(is_alive(vm["pid"]), "the VM died with its supervisor")
        host.start()
        adopted = host.until(lambda: next((e for e in events_of(host, row, since) if e["kind"] == "adopted"), None),
                             "it is adopted")
        after = host.vm(row.id)
        must((after["pid"], after["observed"], after["restarts"]) == (vm["pid"], "running", 0),
             f"it is not the same: {after}")
        must(not host.incidents(row.id), "a lost supervisor is an incident of its VM")
        bench.unharmed(host)
        return Seen("adopted, runs on", wall_ms(adopted["at"]) - t0)


@injects("worker-unseen", "kill -KILL while there is no qvmd")
def worker_unseen(bench, row):
    with own_host(bench) as host:
        pid = begin(host, row, HELLO, on_failure="restart")["pid"]
        since = next_event(host)
        host.kill()
        send(pid, "SIGKILL")
        while is_alive(pid):
            time.sleep(0.001)
        t0 = now_ms()
        host.start()
        return settled(bench, host, row, since, t0, pid)


def command_line(pid):
    with open(f"/proc/{pid}/cmdline", "rb") as f:
        return f.read().split(b"\0")


@injects("shmem-stopped", "kill -STOP of qvm --shmem")
def shmem_stopped(bench, row):
    with own_host(bench) as host, contextlib.ExitStack() as after:
        # The server takes 128 of these in 250 ms: they last until it stands.
        vm = begin(host, row, config("shmem.elf", "vdev ioapic", 'cmdline "do=cycle:2000:ring:1;stay"', "vdev shmem"))
        [server] = [p for p in children(host.process.pid) if b"--shmem" in command_line(p)]
        t0 = now_ms()
        send(server, "SIGSTOP")
        after.callback(send, server, "SIGCONT")
        host.until_console(row.id, "attached and detached")
        took = now_ms() - t0
        must("detached 2000 times" not in host.console(row.id), "the guest was served by a server that stands")
        now = host.vm(row.id)
        must((now["pid"], now["observed"]) == (vm["pid"], "running") and not host.incidents(row.id),
             f"the VM did not go on: {now}")
        bench.unharmed(host)
        return Seen("a failure in its register", took)


@injects("both-killed", "kill -KILL of qvm-keeper and qvmd")
def both_killed(bench, row):
    with own_host(bench) as host:
        vm = begin(host, row)
        [keeper] = host.children("qvm-keeper")
        since = next_event(host)
        send(host.process.pid, "SIGSTOP")
        send(keeper, "SIGKILL")
        t0 = now_ms()
        host.kill()
        must(is_alive(vm["pid"]), "the VM died with them")
        host.start()
        alone = host.until(lambda: next((e for e in events_of(host, row, since) if e["kind"] == "left-alone"), None),
                           "it is left alone")
        now = host.vm(row.id)
        must((now["pid"], now["observed"], now["health"]) == (vm["pid"], "running", "unknown"), f"it is not: {now}")
        must(host.verb(row.id, "kill").json["state"] == "done" and not is_alive(vm["pid"]), "it could not be killed")
        bench.unharmed(host)
        return Seen("left running", wall_ms(alone["at"]) - t0)


@injects("keeper-killed", "kill -KILL of qvm-keeper, then of qvmd")
def keeper_killed(bench, row):
    with own_host(bench) as host:
        vm = begin(host, row)
        [old] = host.children("qvm-keeper")
        t0 = now_ms()
        send(old, "SIGKILL")
        host.until(lambda: any(k != old for k in host.children("qvm-keeper")), "another keeper")
        took = now_ms() - t0
        time.sleep(0.2)  # it is being filled
        host.kill()
        host.start()
        host.until(lambda: any(e["kind"] == "adopted" for e in events_of(host, row, 0)), "it has everything again")
        must(host.vm(row.id)["pid"] == vm["pid"], "the VM is not the same")
        bench.unharmed(host)
        return Seen("replaced and refilled", took)
