# SPDX-License-Identifier: Apache-2.0
"""Requests made from the OpenAPI document by chance: most are right, some are wrong in one place."""
import json
import string
from urllib.parse import quote

# Strings that a pattern of the document stands for; a new pattern needs its line here.
EXAMPLES = {
    "^[a-z0-9][a-z0-9._-]{0,62}$": ["hello", "web", "a", "z" * 63, "0.1-x_y"],
    "^([a-z0-9][a-z0-9._-]{0,62})?$": ["", "", "hello", "web", "a"],
    "^[a-z0-9][a-z0-9._-]{0,62}-[0-9]{8}-[0-9]{6}(-[1-9])?[.]gcore$":
        ["hello-20261123-120000.gcore", "web-20261123-120000-9.gcore"],
    "^[0-9]+(ms|s|m)?$": ["0", "1ms", "20ms", "0s"],
    "^[0-9a-f]{16}$": ["0123456789abcdef", "ffffffffffffffff", "0000000000000000"],  # soon used twice
}
ODD_TEXTS = ["", " ", "\x00", "../..", "é", "a" * 70, "%", "-1", "0x10", "1e9", "null", "𝄞", "A", "a/b", "*", '"1"']
ODD_NUMBERS = [-1, 0, 1, 2**31, 2**53, 2**63 - 1, 2**63, -2**63, 10**30, 1.5]
ODD_VALUES = [None, True, [], {}, "", 0, -1, 1e300, "x" * 5000, [[[[]]]], {"a": {"b": {}}}]


class Generator:
    def __init__(self, document, rng, names, configs):
        self.document, self.rng, self.names, self.configs = document, rng, names, configs

    def chance(self, p):
        return self.rng.random() < p

    # --- values of a schema

    def value(self, schema, name=""):
        schema = self.document.resolve(schema)
        if "anyOf" in schema:
            return self.value(self.rng.choice(schema["anyOf"]), name)
        kind = schema.get("type", "string")
        kind = self.rng.choice(kind) if isinstance(kind, list) else kind
        return getattr(self, f"a_{kind}")(schema, name)

    def a_null(self, schema, name):
        return None

    def a_boolean(self, schema, name):
        return self.chance(0.5)

    def a_integer(self, schema, name):
        low, high = schema.get("minimum", 0), schema.get("maximum", 10**6)
        return self.rng.choice([low, high, schema.get("default", low), self.rng.randint(low, min(high, low + 100))])

    def a_string(self, schema, name):
        if name == "config":
            return self.rng.choice(self.configs)
        if name == "folder":
            return self.rng.choice(["/", "/tmp", "/nowhere/at/all"])
        if "enum" in schema:
            return self.rng.choice(schema["enum"])
        if "pattern" in schema:
            return self.rng.choice(EXAMPLES[schema["pattern"]])
        return "".join(self.rng.choices(string.ascii_letters, k=self.rng.randint(0, min(schema.get("maxLength", 12), 12))))

    def a_array(self, schema, name):
        return [self.value(schema["items"]) for _ in range(self.rng.randint(0, 3))]

    def a_object(self, schema, name):
        required = schema.get("required", [])
        return {k: self.value(s, k) for k, s in schema.get("properties", {}).items()
                if k in required or self.chance(0.3)}

    # --- the parts of a request

    def parameter(self, p):
        if self.chance(0.15):
            return str(self.rng.choice(ODD_TEXTS + ODD_NUMBERS))
        return str(self.value(p["schema"], p["name"]))

    def path(self, operation):
        path = operation.path
        for p in operation.item["parameters"]:
            if p["in"] != "path":
                continue
            if p["name"] == "vm":
                text = self.rng.choice(self.names) if self.chance(0.8) else self.rng.choice(ODD_TEXTS + ["nobody"])
            else:
                text = self.parameter(p)
            path = path.replace("{" + p["name"] + "}", quote(text, safe="") if text else "%20")
        return path

    def query(self, operation):
        pairs = [(p["name"], self.parameter(p)) for p in operation.item["parameters"]
                 if p["in"] == "query" and p["name"] != "follow" and self.chance(0.95 if p["required"] else 0.4)]
        # Nobody waits here for longer than it takes: long waits have tests of their own.
        pairs = [(k, v if k != "wait" or v in ODD_TEXTS else self.rng.choice(["0", "1s", "200ms"])) for k, v in pairs]
        if self.chance(0.05):
            pairs.append((self.rng.choice(["nonsense", "", "limit", "wait"]), self.rng.choice(ODD_TEXTS)))
        return "&".join(f"{quote(k, safe='')}={quote(v, safe='')}" for k, v in pairs)

    def headers(self, operation):
        out = {}
        for p in operation.item["parameters"]:
            if p["in"] == "header" and self.chance(0.2):
                is_match = p["name"].startswith("If-") and self.chance(0.7)
                text = self.rng.choice(['"1"', '"2"', "*", "0"]) if is_match else self.parameter(p)
                if text.isascii() and text.isprintable() and text.strip():
                    out[p["name"]] = text
        return out

    def body(self, operation):
        """(bytes or None, Content-Type or None)"""
        told = operation.item.get("requestBody")
        if not told:
            return (b"{}", "application/json") if self.chance(0.05) else (None, None)
        kind = self.rng.choice(list(told["content"]))
        if kind not in ("application/json", "application/merge-patch+json"):
            text = self.rng.choice(self.configs) if operation.id != "vm_type" else "typed\n"
            return text.encode() if self.chance(0.9) else bytes(self.rng.randbytes(200)), kind
        value = self.value(told["content"][kind]["schema"])
        wrong = self.rng.random()
        if wrong < 0.08 and value:
            value.pop(self.rng.choice(list(value)))
        elif wrong < 0.16 and value:
            value[self.rng.choice(list(value))] = self.rng.choice(ODD_VALUES)
        elif wrong < 0.2:
            value["unheard_of"] = 1
        elif wrong < 0.24:
            value = self.rng.choice(ODD_VALUES)
        data = json.dumps(value).encode()
        wrong = self.rng.random()
        if wrong < 0.04:
            data = data[:self.rng.randint(0, len(data))]
        elif wrong < 0.06:
            data = data.replace(b'"', b"\xff", 1)
        elif wrong < 0.08:
            kind = self.rng.choice(["application/xml", "text/html", ""])
        elif wrong < 0.09:
            data = b"[" * 5000
        return data, kind

    def request(self):
        """(method, target, body, headers)"""
        operation = self.rng.choice(self.document.operations)
        method, target = operation.method, self.path(operation)
        query = self.query(operation)
        if query:
            target += "?" + query
        headers = self.headers(operation)
        body, kind = self.body(operation)
        if kind is not None:
            headers["Content-Type"] = kind
        if method == "GET" and self.chance(0.1):
            method = "HEAD"
        elif self.chance(0.02):
            method = self.rng.choice(["OPTIONS", "PATCH", "TRACE", "DELETE", "POST"])
        return method, target, body, headers
