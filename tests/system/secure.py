# SPDX-License-Identifier: Apache-2.0
"""A host whose API is on TCP by TLS, with a certificate authority of its own."""
import os
import socket
import subprocess
import time

from host import Host


def run(*argv, **kw):
    return subprocess.run(argv, check=True, capture_output=True, text=True, **kw)


class Authority:
    """A certificate authority in a folder, by openssl."""

    def __init__(self, folder, name="ca"):
        self.folder, self.ca = str(folder), os.path.join(str(folder), name)
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", f"/CN={name}", "-keyout", f"{self.ca}.key", "-out", f"{self.ca}.pem")
        with open(f"{self.ca}.conf", "w", encoding="ascii") as f:
            f.write(f"[ca]\ndefault_ca=it\n[it]\ndatabase={self.ca}.index\nnew_certs_dir={self.folder}\nrand_serial=yes\n"
                    "unique_subject=no\ndefault_md=sha256\npolicy=any\n[any]\ncommonName=supplied\n")
        open(f"{self.ca}.index", "w", encoding="ascii").close()

    def issue(self, name, file=None, usage="clientAuth", seconds=2 * 86400):
        path = os.path.join(self.folder, file or name)
        run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
            "-keyout", f"{path}.key", "-out", f"{path}.csr")
        with open(f"{path}.ext", "w", encoding="ascii") as f:
            f.write(f"extendedKeyUsage={usage}\nsubjectAltName=IP:127.0.0.1,DNS:localhost\n")
        until = time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + seconds))
        run("openssl", "ca", "-batch", "-notext", "-config", f"{self.ca}.conf", "-cert", f"{self.ca}.pem",
            "-keyfile", f"{self.ca}.key", "-in", f"{path}.csr", "-enddate", until, "-extfile", f"{path}.ext",
            "-out", f"{path}.pem")
        os.chmod(f"{path}.key", 0o600)
        return path


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Secure:
    """A host whose API is on TCP, and curl to it."""

    def __init__(self, folder):
        self.authority = Authority(folder)
        self.server = self.authority.issue("qvm-host", usage="serverAuth")
        self.port = free_port()
        self.host = Host(**{"listen": f"127.0.0.1:{self.port}", "tls-certificate": f"{self.server}.pem",
                            "tls-key": f"{self.server}.key", "tls-client-ca": f"{self.authority.ca}.pem"})

    def curl(self, path, *more):
        r = subprocess.run(["curl", "-sS", "-w", "\n%{http_code}", "--cacert", f"{self.authority.ca}.pem", *more,
                            f"https://127.0.0.1:{self.port}{path}"], capture_output=True, text=True, timeout=30, check=False)
        body, _, status = r.stdout.rpartition("\n")
        return int(status or 0), body + r.stderr

    def until_serves(self):
        self.host.until(lambda: self.curl("/healthz")[0] == 200, "TLS is served")

    def __enter__(self):
        try:
            self.host.start()
            self.until_serves()
            return self
        except BaseException:
            self.host.close()
            raise

    def __exit__(self, *_):
        self.host.close()
