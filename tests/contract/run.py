#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""run.py [REQUESTS [SEED]] - holds the API against its own document, with real guests behind it.

A linter judges the document, a stock generator makes a client of it that must compile and work, on either
door. A tour calls each operation once so that it succeeds; then come random requests made from the document.
Every answer is judged: a status, header, media type or member that the document does not tell of is a
failure, and so is any 500. The last line is N passed, N failed, N skipped; an operation counts as one.
"""
import collections
import os
import random
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "system"))
import node  # noqa: E402
from generator import Generator  # noqa: E402
from host import B, GUESTS, config  # noqa: E402
from secure import Secure  # noqa: E402
from tour import tour  # noqa: E402

CONFIGS = [config("hello.elf"), config("poweroff.elf"), config("touch.elf", "unsupported reference abort"),
           config("hello.elf").replace("ram", "rma", 1), "", "ram 16m\n", f"load {GUESTS}/nothing.elf\n",
           "\0", "# " + "x" * 3000 + "\n", "system other ram 1m\n", "vdev ser8251\nram 1000\nlaod x\n"]
NAMES = ["hello", "web", "a"]


class Judge:
    """A host whose every answer is counted and held against the document."""

    def __init__(self, host):
        self.host, self.faults, self.seen = host, [], collections.defaultdict(collections.Counter)

    def __call__(self, method, target, body=None, headers=None):
        try:
            answer = self.host.request(method, target, body, headers)
        except AssertionError as e:
            self.faults.append(f"{method} {target} {str(body)[:200]}: {e}")
            return None
        operation = self.host.document.find(method, target)
        if operation:
            self.seen[operation.id][answer.status] += 1
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
        tools = node.Tools(B)
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


def main():
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().randrange(2**31)
    count = Count()
    with tempfile.TemporaryDirectory(prefix="qvm-contract-") as folder:
        secure = Secure(folder)
        try:
            judge = Judge(secure.host.start())
            secure.until_serves()
            operations = secure.host.document.operations
            judge_document(secure, count)
            tour(secure.host, judge)
            toured = {o: set(s) for o, s in judge.seen.items()}
            ask_by_chance(judge, n, random.Random(seed))
        finally:
            secure.host.close()
    reached = 0
    for o in operations:
        good = any(s < 300 for s in toured.get(o.id, ()))
        reached += good
        statuses = " ".join(f"{s}:{k}" for s, k in sorted(judge.seen[o.id].items()))
        count.of(f"{o.id:<16} {statuses}" + ("" if good else "  NOT REACHED"), good)
    for fault in judge.faults[:20]:
        print(f"  UNDOCUMENTED {fault}")
    count.failed += len(judge.faults)
    print(f"contract: operations {reached}/{len(operations)}, "
          f"random requests {n} (seed {seed}), undocumented answers {len(judge.faults)}")
    print(f"{count.passed} passed, {count.failed} failed, {count.skipped} skipped")
    return 1 if count.failed else 0


sys.exit(main())
