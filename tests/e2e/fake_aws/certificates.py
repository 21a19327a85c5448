# SPDX-License-Identifier: Apache-2.0
"""Certificates for tests, made by the openssl command: an authority of our own and what it signs."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

CONFIG = """[ca]
default_ca = own
[own]
database = index.txt
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
copy_extensions = copy
[any]
commonName = supplied
"""


class Authority:
    """An authority in a folder of its own."""

    def __init__(self, folder: Path, name: str = "authority of the tests") -> None:
        self.folder = folder
        self.certificate = folder / "ca.pem"
        folder.mkdir(parents=True)
        (folder / "ca.cnf").write_text(CONFIG)
        (folder / "index.txt").write_text("")
        self._run("req", "-x509", *self._key("ca"), "-days", "30", "-subj", f"/CN={name}", "-out", "ca.pem")

    @staticmethod
    def _key(name: str) -> list[str]:
        return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-keyout", f"{name}.key"]

    def _run(self, *args: str) -> None:
        command = ["openssl", *args]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def context(self, names: str = "IP:127.0.0.1,DNS:localhost", expired: bool = False) -> ssl.SSLContext:
        """Return the context of a server with a certificate for `names`."""
        leaf = f"leaf{len(list(self.folder.glob('leaf*.pem')))}"
        named = ["-subj", f"/CN={leaf}", "-addext", f"subjectAltName={names}"]
        self._run("req", "-new", *self._key(leaf), *named, "-out", f"{leaf}.csr")
        past = ["-startdate", "20200101000000Z", "-enddate", "20200201000000Z"]
        sign = ["ca", "-batch", "-config", "ca.cnf", "-cert", "ca.pem", "-keyfile", "ca.key", "-notext"]
        sign += past if expired else ["-days", "20"]
        self._run(*sign, "-in", f"{leaf}.csr", "-out", f"{leaf}.pem")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / f"{leaf}.pem", self.folder / f"{leaf}.key")
        return context
