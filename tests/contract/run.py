#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""run.py [REQUESTS [SEED]] - holds the API against its own document, with real guests behind it.

A linter judges the document, a stock generator makes a client of it that must compile and work, on either
door. A tour calls each operation once so that it succeeds; each problem is provoked; random requests are made
from the document; malformed HTTP has its one answer, byte by byte. Every answer is judged: a status, header,
media type or member that the document does not tell of is a failure, and so is any 500. The last line is
N passed, N failed, N skipped: operations, statuses, kinds of problems and cases count as one each.
"""
import collections
import http.client
import os
import random
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "system"))
import corpus  # noqa: E402
import node  # noqa: E402
import provoke  # noqa: E402
from coverage import Coverage  # noqa: E402
from generator import Generator  # noqa: E402
from host import GUESTS, ROOT, config  # noqa: E402
from secure import Secure  # noqa: E402
from tour import tour  # noqa: E402

CONFIGS = [config("hello.elf"), config("poweroff.elf"), config("touch.elf", "unsupported reference abort"),
           config("hello.elf").replace("ram", "rma", 1), "", "ram 16m\n", f"load {GUESTS}/nothing.elf\n",
           "\0", "# " + "x" * 3000 + "\n", "system other ram 1m\n", "vdev ser8251\nram 1000\nlaod x\n"]
NAMES = ["hello", "web", "a"]


class Judge:
    """A host whose every answer is counted and held against the document."""

    def __init__(self, host, part, shared=None):
        self.host, self.part = host, part
        self.faults = shared.faults if shared else []
        self.seen = shared.seen if shared else collections.defaultdict(collections.Counter)
        self.coverage = shared.coverage if shared else Coverage()

    def of(self, part, host=None):
        """The same judge for another part of the run, perhaps at a host of its own."""
        return Judge(host or self.host, part, self)

    def at(self, host, work, *args):
        """Work of a provocation that has a host of its own."""
        work(self.of(self.part, host), *args)

    def __call__(self, method, target, body=None, headers=None):
        try:
            answer = self.host.request(method, target, body, headers)
        except AssertionError as e:
            self.faults.append(f"{method} {target} {str(body)[:200]}: {e}")
            return None
        operation = self.host.document.find(method, target)
        if operation:
            self.seen[operation.id][answer.status] += 1
        self.coverage.note(operation.id if operation else None, answer, self.part)
        if answer.status == 500:
            self.faults.append(f"{method} {target} {str(body)[:200]}: {answer}")
        return answer


class Count:
    """What the last line says."""

    def __init__(self):
        self.passed, self.failed, self.skipped = 0, 0, 0

    def of(self, what, is_good):
        self.passed, self.failed = self.passed + bool(is_good), self.failed + (not is_good)
        print(f"  {'ok ' if is_good else 'FAILED'} {what}")

    def skip(self, what, why):
        self.skipped += 1
        print(f"SKIPPED {what}: {why}")


def judge_document(secure, count):
    """By the npm tools: linter, generated client on both doors."""
    host = secure.host
    try:
        tools = node.Tools(os.path.join(ROOT, "build"))  # the same for every way to build
    except node.Missing as e:
        count.skip("lint and generated client", e)
        return
    text = host.get("/v1/openapi.json").text
    secret = host.post("/v1/tokens/generated", {"role": "admin", "vms": "generated-*"}).json["secret"]
    doors = {"over the unix socket": {"QVM_SOCKET": host.socket},
             "by TLS with a token": {"QVM_URL": f"https://localhost:{secure.port}", "QVM_TOKEN": secret,
                                     "QVM_CA": f"{secure.authority.ca}.pem"}}
    try:
        count.of(tools.finds_planted(text), True)
        count.of(tools.lint(text), True)
        tools.client()
        count.of("client generated from the document: compiles", True)
        for door, env in doors.items():
            said = tools.story(QVM_CONFIG=CONFIGS[0], **env)
            count.of(f"client generated from the document: {len(said)} steps {door}", True)
    except node.Failed as e:
        count.of(str(e), False)
    host.delete("/v1/tokens/generated")


def ask_by_chance(judge, n, rng):
    host, make = judge.host, Generator(judge.host.document, rng, NAMES, CONFIGS)
    for i in range(n):
        if i % 25 == 0:  # what the last ones have deleted
            for name in NAMES:
                judge("PUT", f"/v1/vms/{name}", {"config": CONFIGS[0]})
        judge(*make.request())
        if host.process.poll() is not None:
            judge.faults.append("qvmd has ended")
            break
    if judge("GET", "/healthz").status != 200:
        judge.faults.append("the API is not healthy any more")


def provoke_alone(judge):
    """Those that have a host of their own, beside all else; the thread is to be joined."""
    def work():
        for provocation in provoke.ON_ITS_OWN:
            name = provocation.__name__
            try:
                provocation(judge.of(name))
            except (AssertionError, OSError, http.client.HTTPException) as e:
                judge.faults.append(f"{name}: {e!r}")
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def malformed(host, count):
    """Each case of the corpus; what they hide is not done, and no descriptor is left of them."""
    host.define("target", CONFIGS[0])
    host.verb("target", "start")
    held, seq = host.api_fds(), host.events()[-1]["seq"]
    bad = [(case[0], fault) for case in corpus.CASES if (fault := corpus.fault(host.socket, case))]
    for name, fault in bad:
        count.of(f"malformed HTTP, {name}: {fault}", False)
    count.passed += len(corpus.CASES) - len(bad)
    done = [e["kind"] for e in host.events(seq + 1) if e.get("vm") in ("target", "smuggled")]
    count.of(f"malformed HTTP: {len(corpus.CASES) - len(bad)}/{len(corpus.CASES)} cases answered as they must be, "
             f"hidden requests done {len(done)} {' '.join(done)}".rstrip(), not done)
    host.until(lambda: host.api_fds() <= held, "the API has closed what it had opened")
    count.of("malformed HTTP: no descriptor is left", True)


def print_operations(judge, operations, toured, count):
    reached = 0
    for o in operations:
        good = any(s < 300 for s in toured.get(o.id, ()))
        reached += good
        statuses = " ".join(f"{s}:{k}" for s, k in sorted(judge.seen[o.id].items()))
        count.of(f"{o.id:<16} {statuses}" + ("" if good else "  NOT REACHED"), good)
    return reached


def main():
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().randrange(2**31)
    count = Count()
    with tempfile.TemporaryDirectory(prefix="qvm-contract-") as folder, Secure(folder) as secure:
        host = secure.host
        judge = Judge(host, "chance")
        aside = provoke_alone(judge)
        judge_document(secure, count)
        tour(host, judge.of("tour"))
        toured = {o: set(s) for o, s in judge.seen.items()}
        for provocation in provoke.ON_THE_HOST:
            provocation(host, judge.of(provocation.__name__))
        ask_by_chance(judge, n, random.Random(seed))
        malformed(host, count)
        aside.join()
    document = host.document
    reached = print_operations(judge, document.operations, toured, count)
    judge.coverage.print_statuses(document, count)
    judge.coverage.print_problems(document, provoke.UNREACHED, count)
    for fault in judge.faults[:20]:
        print(f"  UNDOCUMENTED {fault}")
    count.failed += len(judge.faults)
    print(f"contract: operations {reached}/{len(document.operations)}, "
          f"random requests {n} (seed {seed}), undocumented answers {len(judge.faults)}")
    print(f"{count.passed} passed, {count.failed} failed, {count.skipped} skipped")
    return 1 if count.failed else 0


sys.exit(main())
