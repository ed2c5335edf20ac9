# SPDX-License-Identifier: Apache-2.0
"""The npm tools of node/: a linter judges the document, a generator makes a client of it that must compile and work.

They are installed into a folder of the build, as their lock file says, hash by hash.
"""
import filecmp
import os
import shutil
import subprocess

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "node")
LOCK = "package-lock.json"


class Missing(Exception):
    """The tools are not to be had here; why is the text."""


class Failed(Exception):
    """A tool has found something; what is the text."""


class Tools:
    def __init__(self, build):
        self.folder = os.path.join(build, "tests", "node")
        self.install()

    def install(self):
        done = os.path.join(self.folder, "installed.json")
        if not shutil.which("npm"):
            raise Missing("there is no npm")
        os.makedirs(self.folder, exist_ok=True)
        for name in os.listdir(HERE):
            shutil.copy(os.path.join(HERE, name), self.folder)
        if os.path.exists(done) and filecmp.cmp(done, os.path.join(HERE, LOCK), shallow=False):
            return
        r = subprocess.run(["npm", "ci", "--prefer-offline"], cwd=self.folder, capture_output=True, text=True, check=False,
                           stdin=subprocess.DEVNULL)
        if r.returncode and any(word in r.stderr for word in ("ENOTFOUND", "ECONNREFUSED", "EAI_AGAIN", "ETIMEDOUT")):
            raise Missing("the npm registry is not to be reached")
        if r.returncode:
            raise Failed(f"npm ci:\n{r.stdout[-2000:]}{r.stderr[-4000:]}")
        shutil.copy(os.path.join(HERE, LOCK), done)

    def run(self, *argv, **env):
        r = subprocess.run(argv, cwd=self.folder, capture_output=True, text=True, check=False, timeout=120,
                           stdin=subprocess.DEVNULL, env={**os.environ, **env})
        if r.returncode:
            raise Failed(f"{' '.join(argv)} ended with {r.returncode}:\n{r.stdout[-6000:]}{r.stderr[-4000:]}")
        return r.stdout

    def lint(self, document):
        """The last line of the linter, which has no findings."""
        path = os.path.join(self.folder, "openapi.json")
        with open(path, "w", encoding="utf-8") as f:
            f.write(document)
        return self.run("node", "lint.mjs", path).splitlines()[-1]

    def finds_planted(self, document):
        """A linter that finds nothing must at least find this."""
        try:
            self.lint(document.replace('"operationId": "vm_list"', '"operationId": "vm_show"', 1))
        except Failed as e:
            if "operation-operationId-unique" in str(e):
                return "lint: a planted fault is found"
        raise Failed("the linter has not found that two operations have one operationId")

    def client(self):
        """Types made of the document that lint() has judged, and a program that compiles against them."""
        self.run("node", "node_modules/openapi-typescript/bin/cli.js", "openapi.json", "-o", "api.ts",
                 "--default-non-nullable=false")
        self.run("node", "node_modules/typescript/bin/tsc", "--project", "tsconfig.json")
        return os.path.join(self.folder, "client.js")

    def story(self, **env):
        """What the compiled client has done at a door, line by line."""
        return self.run("node", "client.js", **env).splitlines()
