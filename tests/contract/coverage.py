# SPDX-License-Identifier: Apache-2.0
"""What of the document was answered, and by what it was asked for."""
import collections


class Coverage:
    def __init__(self):
        self.by = collections.defaultdict(list)      # (operation, status): what reached it, in order
        self.problems = collections.defaultdict(list)  # id of an error: what reached it

    def note(self, operation, answer, part):
        """`operation` is None of a path or method that is none."""
        reached = [self.by[(operation, answer.status)]]
        if (answer.headers["Content-Type"] or "").startswith("application/problem+json") and answer.body:
            reached.append(self.problems[answer.json["type"].removeprefix("urn:qvm:error:")])
        for parts in reached:
            if part not in parts:
                parts.append(part)

    def told(self, document):
        """{status: [operation]} of the document, without its `default`."""
        told = collections.defaultdict(list)
        for o in document.operations:
            for status in o.item["responses"]:
                if status.isdigit():
                    told[int(status)].append(o.id)
        return told

    def print_statuses(self, document, count):
        """A line a status; one that no operation has answered with is a failure."""
        for status, operations in sorted(self.told(document).items()):
            reached = [o for o in operations if self.by[(o, status)]]
            parts = dict.fromkeys(p for o in reached for p in self.by[(o, status)])
            missing = [o for o in operations if o not in reached]
            few = f"; not of {', '.join(missing)}" if 0 < len(missing) <= 6 else ""
            count.of(f"status {status}  {len(reached):>2}/{len(operations):<2} operations  by {', '.join(parts)}{few}", reached)

    def print_problems(self, document, unreached, count):
        """A line a kind of problem; one without a request that gets it needs its reason."""
        kinds = document.root["components"]["schemas"]["problem"]["properties"]["type"]["enum"]
        for kind in (k.removeprefix("urn:qvm:error:") for k in kinds):
            if self.problems[kind]:
                count.of(f"problem {kind:<13} by {', '.join(self.problems[kind])}", kind not in unreached)
            else:
                count.of(f"problem {kind:<13} none here: {unreached.get(kind, 'AND NO REASON FOR IT')}", kind in unreached)
