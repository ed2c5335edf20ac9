# SPDX-License-Identifier: Apache-2.0
"""The OpenAPI document as a judge: is this answer to that request one that the document tells of?"""
import json
import re

import jsonschema

NO_BODY = (204, 304)
FORMATS = jsonschema.FormatChecker(())


@FORMATS.checks("date-time")
def is_date_time(value):
    """RFC 3339 as qvm writes it: UTC, milliseconds."""
    return not isinstance(value, str) or bool(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", value))


@FORMATS.checks("int64")
def is_int64(value):
    return not isinstance(value, int) or -2**63 <= value < 2**63


class Operation:
    def __init__(self, path, method, item):
        self.path, self.method, self.item = path, method.upper(), item
        self.id = item["operationId"]
        self.role = item["x-role"]
        self.pattern = re.compile("^" + re.sub(r"\{\w+\}", "[^/]+", re.escape(path).replace(r"\{", "{").replace(r"\}", "}")) + "$")

    def __repr__(self):
        return f"{self.method} {self.path}"


class Document:
    def __init__(self, text):
        self.root = json.loads(text)
        self.operations = [Operation(path, method, item)
                           for path, methods in self.root["paths"].items() for method, item in methods.items()]
        self.validators = {}

    def resolve(self, node):
        while "$ref" in node:
            at = self.root
            for part in node["$ref"].removeprefix("#/").split("/"):
                at = at[part]
            node = at
        return node

    def find(self, method, target):
        """The operation that a request means, or None: an unknown path or method."""
        path = target.split("?")[0]
        method = "GET" if method == "HEAD" else method
        return next((o for o in self.operations if o.method == method and o.pattern.match(path)), None)

    def validator(self, schema):
        key = json.dumps(schema, sort_keys=True)
        if key not in self.validators:
            # References point into the document, so it is the root and the schema a part of it.
            whole = {"$schema": "https://json-schema.org/draft/2020-12/schema",
                     "components": self.root["components"], **schema}
            self.validators[key] = jsonschema.Draft202012Validator(
                whole, format_checker=FORMATS)
        return self.validators[key]

    def faults(self, method, target, answer):
        """What the document does not tell of this answer; [] = all is as told."""
        o = self.find(method, target)
        if o is None:
            if method == "OPTIONS" and answer.status == 204:
                return [] if answer.headers["Allow"] else ["OPTIONS without Allow"]
            return [] if answer.status in (400, 404, 405, 413, 415) else [f"{answer.status} for a path that is none"]
        told = o.item["responses"].get(str(answer.status))
        if told is None:
            return [f"{o}: status {answer.status} is not told of: {answer.text[:300]}"]
        return self.body_faults(o, self.resolve(told), method, answer)

    def body_faults(self, o, told, method, answer):
        found = []
        if "Request-Id" in told.get("headers", {}) and not re.fullmatch("[0-9a-f]{16}", answer.headers["Request-Id"] or ""):
            found.append(f"{o}: no Request-Id")
        if answer.status in NO_BODY or method == "HEAD":
            return found + ([f"{o}: a body where none belongs"] if answer.body else [])
        if "content" not in told:
            return found
        kind = (answer.headers["Content-Type"] or "").split(";")[0].strip()
        media = {k.split(";")[0].strip(): v for k, v in told["content"].items()}
        if kind not in media:
            return found + [f"{o} {answer.status}: Content-Type {kind!r} is not told of"]
        if kind.startswith("text/") or kind == "application/octet-stream":
            return found
        texts = answer.text.splitlines() if kind == "application/x-ndjson" else [answer.text]
        for text in texts:
            for e in self.validator(media[kind]["schema"]).iter_errors(json.loads(text)):
                found.append(f"{o} {answer.status}: {'/'.join(map(str, e.absolute_path))}: {e.message[:300]}")
        return found
