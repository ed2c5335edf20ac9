# SPDX-License-Identifier: Apache-2.0
"""A host under test: the real qvmd, its API process and workers, driven over REST and the CLI."""
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
B = os.path.abspath(os.path.join(ROOT, os.environ.get("B", "build")))
GUESTS = os.path.join(B, "tests", "guests")
EXAMPLES = os.path.join(ROOT, "packaging", "examples")
sys.path.insert(0, os.path.join(ROOT, "tests", "contract"))
from document import Document  # noqa: E402

with open(f"{B}/qvmd", "rb") as program:
    SANITIZED = b"libasan" in program.read()  # its shadow and quarantine are no measure of anything

DEADLINE = 90  # seconds that any single wait may take; a bound against hanging, never a measure


class Unix(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path):
        super().__init__("localhost", timeout=DEADLINE)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(DEADLINE)
        self.sock.connect(self.path)


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.text[:2000]}"


def config(guest, *lines):
    """A configuration text: a board that boots one of the test guests."""
    return "\n".join(["ram 0,0xa0000", "ram 1m,15m", f"load {GUESTS}/{guest}",
                      "vdev ser8250 hostdev >-", *lines]) + "\n"


class Host:
    document = None  # of the program under test: each answer is held against it
    seen = set()     # (operation, status) that were answered as told

    def __init__(self, **settings):
        self.folder = tempfile.mkdtemp(prefix="qvm-test-")
        os.chmod(self.folder, 0o755)
        self.state = os.path.join(self.folder, "state")
        self.run = os.path.join(self.folder, "run")
        self.socket = os.path.join(self.run, "api.sock")
        self.log = os.path.join(self.folder, "qvmd.log")
        # Guests that do not listen to their power button would have each test wait for them.
        self.settings = {"shutdown-grace-ms": 0, **settings}
        self.process = None

    # --- the supervisor itself

    def arguments(self):
        return [f"{B}/qvmd", "--foreground", "--state-dir", self.state, "--run-dir", self.run]

    def start(self, ready=True):
        args = self.arguments()
        if self.settings:
            path = os.path.join(self.folder, "qvmd.conf")
            with open(path, "w", encoding="utf-8") as f:
                f.writelines(f"{k} = {v}\n" for k, v in self.settings.items())
            args += ["--config", path]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, start_new_session=True)
        if ready:
            self.wait_ready()
        return self

    def serves(self):
        try:
            return self.get("/healthz").status == 200
        except (OSError, http.client.HTTPException):
            return False

    def wait_ready(self):
        def ready():
            assert self.process.poll() is None, self.read_log()
            return self.serves()
        self.until(ready, "the API serves")
        if not Host.document:
            self.get("/v1/openapi.json")

    def wait_ready_or_safe(self):
        """The API serves, whatever the state of the host."""
        def serves():
            try:
                return self.get("/healthz").status in (200, 503)
            except OSError:
                return False
        self.until(serves, "the API answers")

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(DEADLINE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise AssertionError("qvmd did not end on SIGTERM:\n" + self.read_log()) from None
        return self.process.returncode if self.process else 0

    def leave(self):
        """End it, the guests run on."""
        self.process.send_signal(signal.SIGUSR1)
        assert self.process.wait(DEADLINE) == 0, self.read_log()

    def kill(self):
        self.process.kill()
        self.process.wait()
        # Its API sees that a little later; until then it would answer for the next one.
        self.until(lambda: not self.serves(), "its API has ended")

    def close(self):
        try:
            self.stop()
            # A killed supervisor leaves its guests running: the next one ends them in order.
            if os.path.exists(os.path.join(self.run, "keeper.sock")):
                self.start()
                self.stop()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(self, *_):
        self.close()

    def read_log(self):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read()

    def children(self, name):
        """Its processes of that name; a qvmd that has ended has none."""
        return [p for p in children(self.process.pid) if is_named(p, name)]

    def api_pid(self):
        """Of its API process; 0 = there is none now."""
        return next(iter(self.children("qvm-api")), 0)

    def api_fds(self):
        """How many descriptors its API process has."""
        return len(os.listdir(f"/proc/{self.api_pid()}/fd"))

    # --- REST

    def request(self, method, path, body=None, headers=None):
        c = Unix(self.socket)
        try:
            headers = dict(headers or {})
            if isinstance(body, (dict, list)):
                body = json.dumps(body)
                headers.setdefault("Content-Type", "application/json")
            c.request(method, path, body=body, headers=headers)
            answer = Answer(c.getresponse())
        finally:
            c.close()
        self.hold_against_document(method, path, answer)
        return answer

    def hold_against_document(self, method, path, answer):
        if path == "/v1/openapi.json" and answer.status == 200 and not Host.document:
            Host.document = Document(answer.text)
        if Host.document:
            faults = Host.document.faults(method, path, answer)
            assert not faults, faults
            operation = Host.document.find(method, path)
            if operation:
                Host.seen.add((operation.id, answer.status))

    def get(self, path, **headers):
        return self.request("GET", path, headers={k.replace("_", "-"): v for k, v in headers.items()})

    def post(self, path, body=None, **headers):
        return self.request("POST", path, body, headers)

    def put(self, path, body=None, **headers):
        return self.request("PUT", path, body, headers)

    def delete(self, path):
        return self.request("DELETE", path)

    def define(self, name, text, **policy):
        a = self.put(f"/v1/vms/{name}", {"config": text, "policy": policy})
        assert a.status in (200, 201), a
        return a.json

    def verb(self, name, verb, wait="60s"):
        return self.post(f"/v1/vms/{name}/{verb}" + (f"?wait={wait}" if wait else ""))

    def vm(self, name):
        a = self.get(f"/v1/vms/{name}")
        assert a.status == 200, a
        return a.json

    def console(self, name):
        return self.get(f"/v1/vms/{name}/console").text

    def incidents(self, name):
        return self.get(f"/v1/vms/{name}/incidents").json["incidents"]

    def events(self, since=0):
        return [json.loads(x) for x in self.get(f"/v1/events?since={since}").text.splitlines()]

    # --- waiting, bounded

    def until(self, condition, what, seconds=DEADLINE):
        end, pause = time.monotonic() + seconds, 0.001
        while time.monotonic() < end:
            value = condition()
            if value:
                return value
            time.sleep(pause)
            pause = min(2 * pause, 0.02)
        what = what() if callable(what) else what
        raise AssertionError(f"not within {seconds} s: {what}\n--- qvmd's log\n{self.read_log()[-4000:]}")

    def until_vm(self, name, **want):
        def met():
            vm = self.vm(name)
            return vm if all(vm[k] == v for k, v in want.items()) else None
        return self.until(met, lambda: f"{name}: {want}; it is {self.vm(name)}")

    def until_console(self, name, text):
        return self.until(lambda: text in self.console(name), f"{name} prints {text!r}")

    # --- the CLI

    def environment(self, home):
        """Of somebody with that home and nothing else of qvmadm's: the programs are on PATH and mean this host."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("QVM_") and k != "XDG_CONFIG_HOME"}
        return {**kept, "PATH": f"{B}:{os.environ['PATH']}", "HOME": str(home), "QVM_HOST": f"unix:{self.socket}"}

    def adm(self, *args, stdin=None):
        return subprocess.run([f"{B}/qvmadm", "-H", f"unix:{self.socket}", *args], text=True,
                              capture_output=True, input=stdin, timeout=60, check=False)


def worker_alone(*args, stdin=subprocess.DEVNULL, timeout=60, **kw):
    return subprocess.run([f"{B}/qvm", *args], text=True, capture_output=True, stdin=stdin,
                          timeout=timeout, check=False, errors="replace", **kw)


def report(p, about):
    """What a lone worker says at SIGUSR1, in which there is something about that; then its power is cut."""
    said = ""
    p.send_signal(signal.SIGUSR1)
    while about not in said:
        line = p.stderr.readline()
        assert line, f"no {about!r} in {said}"
        said += line
    p.send_signal(signal.SIGQUIT)  # heard when all is said
    said += p.stderr.read()
    assert p.wait(DEADLINE) == 3, said
    return said


def children(pid):
    """Of a process; one that has ended has none."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
            return [int(p) for p in f.read().split()]
    except OSError:
        return []


def is_named(pid, name):
    try:
        with open(f"/proc/{pid}/comm", encoding="ascii") as f:
            return f.read().strip() == name
    except OSError:
        return False


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            return f.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def send(pid, sig):
    os.kill(pid, getattr(signal, sig))
