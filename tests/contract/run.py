#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""run.py [REQUESTS [SEED]] - holds the API against its own document, with real guests behind it.

A tour calls each operation once so that it succeeds; then come random requests made from the document.
Every answer is judged: a status, header, media type or member that the document does not tell of is a
failure, and so is any 500. The last line is N passed, N failed, N skipped, an operation counting as one.
"""
import collections
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "system"))
from generator import Generator  # noqa: E402
from host import GUESTS, Host, config  # noqa: E402
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


def main():
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().randrange(2**31)
    host = Host()
    try:
        judge = Judge(host.start())
        operations = host.document.operations
        tour(host, judge)
        toured = {o: set(s) for o, s in judge.seen.items()}
        make = Generator(host.document, random.Random(seed), NAMES, CONFIGS)
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
    finally:
        host.close()
    failed = 0
    for o in operations:
        statuses = judge.seen[o.id]
        good = any(s < 300 for s in toured.get(o.id, ()))
        failed += not good
        print(f"  {'ok ' if good else 'NOT REACHED'} {o.id:<16} " +
              " ".join(f"{s}:{k}" for s, k in sorted(statuses.items())))
    for fault in judge.faults[:20]:
        print(f"  UNDOCUMENTED {fault}")
    print(f"contract: operations {len(operations) - failed}/{len(operations)}, "
          f"random requests {n} (seed {seed}), undocumented answers {len(judge.faults)}")
    print(f"{len(operations) - failed} passed, {failed + len(judge.faults)} failed, 0 skipped")
    return 1 if failed or judge.faults else 0


sys.exit(main())
