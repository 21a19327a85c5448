"""A Kubernetes control plane on loopback: etcd, API server, controllers and scheduler, and nodes that kwok plays, or others."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

NODE = {
    "apiVersion": "v1",
    "kind": "Node",
    "metadata": {"annotations": {"kwok.x-k8s.io/node": "fake"}},
    "status": {
        "allocatable": {"cpu": "32", "memory": "64Gi", "pods": "110"},
        "capacity": {"cpu": "32", "memory": "64Gi", "pods": "110"},
    },
}


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def until(what: str, holds: Any, seconds: float = 120) -> None:
    """Wait for something."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"not within {seconds:g} s: {what}"
        time.sleep(0.2)


class Plane:
    """It runs from the beginning of the block to its end."""

    def __init__(self, tools: Path, kwok: bool = True) -> None:
        self.tools, self.kwok = tools, kwok
        self.processes: list[subprocess.Popen[bytes]] = []
        self.kept = tempfile.TemporaryDirectory(prefix="plane-")
        self.folder = Path(self.kept.name)
        self.config = self.folder / "kubeconfig"

    def start(self, *command: str) -> None:
        """Start a part of it."""
        name = Path(command[0]).name
        with (self.folder / f"{name}.log").open("wb") as log:
            self.processes.append(subprocess.Popen(command, stdout=log, stderr=log))

    def kubectl(self, *args: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run kubectl."""
        command = [str(self.tools / "kubectl"), f"--kubeconfig={self.config}", *args]
        return subprocess.run(
            command, input=given, capture_output=True, text=True, check=False, timeout=300, env={"HOME": str(self.folder)}
        )

    def apply(self, manifests: str, *args: str) -> subprocess.CompletedProcess[str]:
        """Apply manifests as strictly as there is."""
        return self.kubectl("apply", "--server-side", "--validate=strict", *args, "-f", "-", given=manifests)

    def get(self, *args: str) -> list[dict[str, Any]]:
        """Return resources."""
        items: list[dict[str, Any]] = json.loads(self.kubectl("get", "-o", "json", *args).stdout)["items"]
        return items

    def __enter__(self) -> Plane:
        f, etcd, peer, api = self.folder, free_port(), free_port(), free_port()
        key, pub = str(f / "sa.key"), str(f / "sa.pub")
        for made in (["genrsa", "-out", key, "2048"], ["rsa", "-in", key, "-pubout", "-out", pub]):
            subprocess.run(["openssl", *made], check=True, capture_output=True)
        (f / "tokens.csv").write_text('test,admin,1,"system:masters"\n')
        self.config.write_text(
            json.dumps(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "clusters": [
                        {"name": "c", "cluster": {"server": f"https://127.0.0.1:{api}", "insecure-skip-tls-verify": True}}
                    ],
                    "users": [{"name": "u", "user": {"token": "test"}}],
                    "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
                    "current-context": "c",
                }
            )
        )
        self.start(
            "/usr/bin/etcd", "--data-dir", str(f / "etcd"), *self.urls("client", etcd), *self.urls("peer", peer),
            "--initial-cluster", f"default=http://127.0.0.1:{peer}", "--unsafe-no-fsync",
        )  # fmt: skip
        self.start(
            str(self.tools / "kube-apiserver"), f"--etcd-servers=http://127.0.0.1:{etcd}", "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1", f"--secure-port={api}", f"--cert-dir={f}/certificates",
            "--service-account-issuer=https://kubernetes.default.svc", f"--service-account-key-file={pub}",
            f"--service-account-signing-key-file={key}", "--service-cluster-ip-range=10.96.0.0/16",
            f"--token-auth-file={f}/tokens.csv", "--authorization-mode=RBAC", "--endpoint-reconciler-type=none",
            "--feature-gates=WatchList=false",  # Debian's etcd is older than that wants
        )  # fmt: skip
        until("the API server", lambda: self.kubectl("get", "--raw", "/readyz").stdout == "ok")
        own = [f"--kubeconfig={self.config}", "--leader-elect=false", "--bind-address=127.0.0.1", "--secure-port=0"]
        self.start(str(self.tools / "kube-controller-manager"), *own[:-1], f"--secure-port={free_port()}",
                   f"--service-account-private-key-file={key}")  # fmt: skip
        self.start(str(self.tools / "kube-scheduler"), *own[:-1], f"--secure-port={free_port()}")
        if self.kwok:
            self.play_nodes()
        return self

    def play_nodes(self) -> None:
        """Have kwok play the nodes that `nodes` makes."""
        self.start(
            str(self.tools / "kwok"), f"--kubeconfig={self.config}", "--manage-all-nodes=false", "--node-ip=127.0.0.1",
            "--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake", f"--node-port={free_port()}",
            "--node-lease-duration-seconds=40",
        )  # fmt: skip

    @staticmethod
    def urls(side: str, port: int) -> Sequence[str]:
        """Return etcd's flags of where it listens."""
        url = f"http://127.0.0.1:{port}"
        said = "advertise-client-urls" if side == "client" else "initial-advertise-peer-urls"
        return [f"--listen-{side}-urls", url, f"--{said}", url]

    def nodes(self, zones: Sequence[str]) -> None:
        """Make a node a zone, and wait until all are ready."""
        for zone in zones:
            labels = {"topology.kubernetes.io/zone": zone, "kubernetes.io/hostname": f"node-{zone}"}
            metadata = NODE["metadata"] | {"name": f"node-{zone}", "labels": labels}  # type: ignore[operator]
            done = self.kubectl("create", "-f", "-", given=json.dumps(NODE | {"metadata": metadata}))
            assert done.returncode == 0, done.stderr
        until("nodes", lambda: self.kubectl("wait", "--for=condition=Ready", "node", "--all", "--timeout=2s").returncode == 0)

    def __exit__(self, *_: object) -> None:
        for process in reversed(self.processes):
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if os.environ.get("SCORED_KEEP"):
            for log in self.folder.glob("*.log"):
                print(log.name, log.read_text(errors="replace")[-2000:])
        self.kept.cleanup()
