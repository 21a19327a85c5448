# SPDX-License-Identifier: Apache-2.0
"""A Service's way to its pods: HAProxy, whose servers are kept equal to the ready endpoints."""

from __future__ import annotations

import contextlib
import http.client
import socket
import subprocess
import threading
from pathlib import Path

from drain import free_port
from node import EVERY, Api, Nodes
from pods import terminate
from rollouts import CHECK_MS, HAPROXY

SLOTS = [f"s{n}" for n in range(1, 13)]  # as many as the autoscaler may have pods


class Service(threading.Thread):
    """HAProxy in front of a Service, from the beginning of the block to its end. It asks each pod's /readyz, and repeats nothing."""

    def __init__(self, api: Api, nodes: Nodes, folder: Path, namespace: str, name: str) -> None:
        super().__init__(daemon=True)
        self.api, self.nodes, self.folder, self.port = api, nodes, folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        selector = f"kubernetes.io%2Fservice-name%3D{name}"
        self.path = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices?labelSelector={selector}"
        self.taken: dict[str, str] = {}  # slots by uids of pods
        self.ends = threading.Event()

    def tell(self, command: str) -> None:
        """Tell HAProxy."""
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(str(self.folder / "stats"))
            s.sendall(command.encode() + b"\n")
            s.recv(4096)

    def endpoints(self) -> dict[str, int]:
        """Return the ports of the pods that are ready, by uid."""
        slices = (self.api.call("GET", self.path) or {"items": []})["items"]
        ready = [e["targetRef"]["uid"] for s in slices for e in s.get("endpoints") or [] if e["conditions"].get("ready")]
        return {uid: self.nodes.places[uid] for uid in ready if uid in self.nodes.places}

    def follow(self) -> None:
        """Give requests to those that are endpoints now, and to no other."""
        there = self.endpoints()
        for uid in set(self.taken) - set(there):
            self.tell(f"set server pods/{self.taken.pop(uid)} state maint")
        for uid in set(there) - set(self.taken):
            slot = next(s for s in SLOTS if s not in self.taken.values())
            self.tell(f"set server pods/{slot} addr 127.0.0.1 port {there[uid]}")
            self.tell(f"set server pods/{slot} state ready")
            self.taken[uid] = slot

    def run(self) -> None:
        """Keep at it."""
        while not self.ends.wait(EVERY):
            with contextlib.suppress(OSError, http.client.HTTPException):
                self.follow()

    def __enter__(self) -> Service:
        servers = "\n".join(f"    server {slot} 127.0.0.1:9 disabled" for slot in SLOTS)
        file = self.folder / "haproxy.conf"
        file.write_text(HAPROXY.format(folder=self.folder, port=self.port, servers=servers, check=CHECK_MS))
        self.process = subprocess.Popen(["haproxy", "-f", str(file), "-q"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ends.set()
        self.join(30)
        terminate(self.process)
