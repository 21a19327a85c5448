# SPDX-License-Identifier: Apache-2.0
"""Nodes whose pods are containers: what a kubelet does, as far as k8s/ asks for it.

Registers nodes and keeps them alive. Of each pod that is bound to one of them it pulls the image, runs it by podman
(pods.Pod: user, root, capabilities, limits, arguments and environment of the specification), asks its probes, tells the API
server how it does, starts it again where it ends, and ends it as the specification says. All share this machine's network:
ports are loopback's, and a pod's address is but a name, for endpoints may not be loopback's.
"""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import re
import ssl
import threading
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from engine import Engine
from pods import Pod

EVERY = 0.2  # seconds between two looks at the API server
BEAT = 5.0  # between two signs of life
LOOK = 0.1  # at a container
RESTART = 10.0  # the longest pause before a container is started again
SIZE = {"cpu": "8", "memory": "16Gi", "pods": "20"}
JSON, MERGE = "application/json", "application/strategic-merge-patch+json"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"

Manifest = dict[str, Any]


def now() -> str:
    """Return the time, as the API has it."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class Api:
    """The API server, by a kubeconfig of plane.Plane."""

    def __init__(self, config: Path) -> None:
        told = json.loads(config.read_text())
        self.place = urlsplit(told["clusters"][0]["cluster"]["server"])
        self.token = told["users"][0]["user"]["token"]

    def call(self, method: str, path: str, body: Manifest | None = None, kind: str = JSON) -> Manifest | None:
        """Return what it answers; None where what was asked for is not there, or is there already."""
        head = {"Authorization": f"Bearer {self.token}", "Content-Type": kind}
        context = ssl._create_unverified_context()
        connection = http.client.HTTPSConnection(self.place.hostname, self.place.port, timeout=20, context=context)
        with contextlib.closing(connection):
            connection.request(method, path, json.dumps(body) if body is not None else None, head)
            reply = connection.getresponse()
            text = reply.read()
        if reply.status == 409 and method == "PATCH":  # others wrote at the same time
            return self.call(method, path, body, kind)
        if reply.status in (404, 409):
            return None
        if reply.status >= 400:
            raise OSError(f"{method} {path}: {reply.status} {text[:500]!r}")
        found: Manifest = json.loads(text)
        return found


class Probe:
    """A probe of a specification, asked when it is due; without one all is well."""

    def __init__(self, told: Manifest | None, ports: dict[str, int]) -> None:
        self.told = told or {}
        self.port = ports[told["httpGet"]["port"]] if told else 0
        self.due = time.monotonic() + self.told.get("initialDelaySeconds", 0)
        self.row = 0  # successes in a row, or failures, less than 0

    def asked(self) -> bool:
        """Ask once."""
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.told.get("timeoutSeconds", 1))
            with contextlib.closing(connection):
                connection.request("GET", self.told["httpGet"]["path"])
                return 200 <= connection.getresponse().status < 400
        return False

    def verdict(self) -> bool | None:
        """Return what it has come to; None while nothing is new or sure."""
        if not self.told:
            return True
        if time.monotonic() < self.due:
            return None
        self.due = time.monotonic() + self.told.get("periodSeconds", 10)
        self.row = max(self.row, 0) + 1 if self.asked() else min(self.row, 0) - 1
        if self.row >= self.told.get("successThreshold", 1):
            return True
        return False if -self.row >= self.told.get("failureThreshold", 3) else None


class Kubelet(threading.Thread):
    """Runs one pod, from its binding to its removal."""

    def __init__(self, nodes: Nodes, manifest: Manifest, address: str) -> None:
        super().__init__(daemon=True)
        self.nodes, self.manifest, self.address = nodes, manifest, address
        meta = manifest["metadata"]
        self.uid, self.path = meta["uid"], f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}"
        self.spec = manifest["spec"]
        self.container = self.spec["containers"][0]
        self.deleted = threading.Event()
        self.grace = self.spec["terminationGracePeriodSeconds"]
        self.pod: Pod | None = None
        self.pid = ""
        self.started = self.ready = False
        self.restarts = 0
        self.last: Manifest = {}  # how the container before ended
        self.conditions: dict[str, tuple[str, str]] = {}

    def run(self) -> None:
        """Live its life."""
        while not self.deleted.is_set() and not self.begin():
            self.deleted.wait(min(2.0**self.restarts, RESTART))
        while not self.deleted.wait(LOOK):
            self.look()
        self.end()

    def begin(self) -> bool:
        """Pull the image and start the container; tell why where either fails."""
        try:
            image = self.nodes.pull(self.container["image"])
            self.pod = Pod(self.nodes.engine, image, spec=self.spec)
            self.pid = str(self.pod.state()["Pid"])
        except AssertionError as error:
            self.report({"waiting": {"reason": "CreateContainerError", "message": str(error)[-500:]}})
            return False
        ports = {"http": self.pod.port, "probe": self.pod.probe}
        self.probes = {kind: Probe(self.container.get(f"{kind}Probe"), ports) for kind in ("startup", "readiness", "liveness")}
        self.started = self.ready = False
        self.nodes.places[self.uid] = self.pod.port
        self.report({"running": {"startedAt": now()}})
        return True

    def look(self) -> None:
        """See whether it still runs, and how it does."""
        if not Path(f"/proc/{self.pid}").exists():
            return self.again("the container has ended")
        if not self.started:
            begun = self.probes["startup"].verdict()
            if begun is False:
                return self.again("the startup probe has failed")
            self.started = bool(begun)
            return None
        if self.probes["liveness"].verdict() is False:
            return self.again("the liveness probe has failed")
        ready = self.probes["readiness"].verdict()
        if ready is not None and ready != self.ready:
            self.ready = ready
            self.report({"running": {"startedAt": now()}})
        return None

    def again(self, why: str) -> None:
        """Start it again, after a pause; what it said last is told."""
        assert self.pod
        said = self.pod.log().strip().splitlines()[-1:]
        self.started = self.ready = False
        self.pod.grace = self.grace
        code = self.pod.stop()
        self.pod = None
        self.restarts += 1
        text = f"{why}, exit code {code}: {' '.join(said)}"[:500]
        self.last = {"terminated": {"exitCode": code, "reason": "Error", "message": text}}
        self.report({"waiting": {"reason": "CrashLoopBackOff", "message": text}})
        while not self.deleted.wait(min(2.0**self.restarts, RESTART)) and not self.begin():
            self.restarts += 1

    def end(self) -> None:
        """End the container, and say so; then there is no pod."""
        if self.pod:
            self.pod.grace = self.grace
            code = self.pod.stop()
            self.ready = False
            self.report({"terminated": {"exitCode": code, "reason": "Completed" if code == 0 else "Error"}})
            self.nodes.codes.append(code)
        gone = {"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 0, "preconditions": {"uid": self.uid}}
        self.nodes.api.call("DELETE", self.path, gone)

    def report(self, state: Manifest) -> None:
        """Tell the API server."""
        runs = "running" in state
        held = {"Initialized": True, "PodReadyToStartContainers": runs, "ContainersReady": self.ready, "Ready": self.ready}
        for name, fine in held.items():
            if self.conditions.get(name, ("", ""))[0] != str(fine):
                self.conditions[name] = (str(fine), now())
        status = {
            "phase": "Running" if "running" in state or self.restarts else "Pending",
            "conditions": [{"type": n, "status": s, "lastTransitionTime": t} for n, (s, t) in self.conditions.items()],
            "hostIP": "127.0.0.1",
            "podIP": self.address,
            "podIPs": [{"ip": self.address}],
            "containerStatuses": [
                {"name": self.container["name"], "image": self.container["image"], "imageID": "", "ready": self.ready,
                 "started": self.started, "restartCount": self.restarts, "state": state, "lastState": self.last}
            ],
        }  # fmt: skip
        if "terminated" in state:
            status["phase"] = "Failed" if state["terminated"]["exitCode"] else "Succeeded"
        self.nodes.api.call("PATCH", f"{self.path}/status", {"status": status}, MERGE)


class Nodes(threading.Thread):
    """A node a zone, from the beginning of the block to its end. `places` are the ports of the pods by their uids."""

    def __init__(self, api: Api, engine: Engine, zones: str) -> None:
        super().__init__(daemon=True)
        self.api, self.engine = api, engine
        self.names = {f"node-{zone}": zone for zone in zones}
        self.places: dict[str, int] = {}
        self.codes: list[int] = []  # of containers that were ended
        self.pulled: list[str] = []
        self.pods: dict[str, Kubelet] = {}
        self.numbers = itertools.count(1)
        self.pulling = threading.Lock()
        self.ends = threading.Event()

    def pull(self, reference: str) -> str:
        """Pull an image, if it is not there; return the name by which it is: a digest, where there is one, stands for the tag."""
        image = re.sub(r":[^:@/]+@", "@", reference)
        with self.pulling:
            if image not in self.pulled:
                done = self.engine.podman("pull", "-q", "--tls-verify=false", image)
                assert done.returncode == 0, f"pull {image}: {done.stderr.strip()[-300:]}"
                self.pulled.append(image)
        return image

    def beat(self) -> None:
        """Register the nodes, or say that they still live."""
        for name, zone in self.names.items():
            labels = {"topology.kubernetes.io/zone": zone, "kubernetes.io/hostname": name}
            self.api.call("POST", "/api/v1/nodes", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}})
            ready = {"type": "Ready", "status": "True", "reason": "Lives", "lastHeartbeatTime": now()}
            told = {"capacity": SIZE, "allocatable": SIZE, "conditions": [ready]}
            self.api.call("PATCH", f"/api/v1/nodes/{name}/status", {"status": told}, MERGE)
            spec = {"holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": now().replace("Z", ".000000Z")}
            lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": name}, "spec": spec}
            if not self.api.call("PATCH", f"{LEASES}/{name}", lease, MERGE):
                self.api.call("POST", LEASES, lease)

    def look(self) -> None:
        """See which pods are bound here, and which are to go."""
        found = self.api.call("GET", "/api/v1/pods") or {"items": []}
        for manifest in found["items"]:
            uid = manifest["metadata"]["uid"]
            if manifest["spec"].get("nodeName") not in self.names:
                continue
            if uid not in self.pods:
                number = next(self.numbers)
                self.pods[uid] = Kubelet(self, manifest, f"10.244.{number >> 8}.{number & 255}")
                self.pods[uid].start()
            if "deletionTimestamp" in manifest["metadata"]:
                self.pods[uid].grace = manifest["metadata"]["deletionGracePeriodSeconds"]
                self.pods[uid].deleted.set()

    def run(self) -> None:
        """Keep at it."""
        beaten = 0.0
        while not self.ends.wait(EVERY):
            with contextlib.suppress(OSError, http.client.HTTPException):  # it comes back, or all ends
                if time.monotonic() > beaten + BEAT:
                    self.beat()
                    beaten = time.monotonic()
                self.look()

    def __enter__(self) -> Nodes:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ends.set()
        self.join(30)
        for pod in self.pods.values():
            pod.deleted.set()
        for pod in self.pods.values():
            pod.join(60)
        self.engine.podman("rm", "-f", "-a", "-t", "0")
