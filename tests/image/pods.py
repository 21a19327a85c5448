"""Containers as k8s/ has its pods: arguments, user, limits and what is taken away, from the deployment's manifest or another."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import yaml
from engine import RUN, TOP, Engine, run

sys.path[:0] = [str(TOP / "tests" / name) for name in ("bench", "http")]

import wire  # noqa: E402
from drain import free_port  # noqa: E402

QUANTITIES = {"Ki": "k", "Mi": "m", "Gi": "g"}


def deployment(top: Path = TOP) -> dict[str, Any]:
    """Return the pod's specification."""
    manifest = yaml.safe_load((top / "k8s/base/deployment.yaml").read_text())
    spec: dict[str, Any] = manifest["spec"]["template"]["spec"]
    return spec


class Pod:
    """A container that is a pod of the deployment, or of another specification, but for its ports: they are loopback's, of
    this machine. An image without a registry is the engine's own."""

    def __init__(
        self,
        engine: Engine,
        image: str,
        port: int = 0,
        *flags: str,
        probe: int = 0,
        env: dict[str, str] | None = None,
        spec: dict[str, Any] | None = None,
    ) -> None:
        spec = spec or deployment()
        container = spec["containers"][0]
        who, may = spec["securityContext"], container["securityContext"]
        assert who["runAsNonRoot"] and not may["allowPrivilegeEscalation"] and may["readOnlyRootFilesystem"]
        limit = container["resources"]["limits"]["memory"]
        self.engine, self.image = engine, image
        self.port, self.probe = port or free_port(), probe or free_port()
        self.grace = spec["terminationGracePeriodSeconds"]
        self.name = f"pod-{os.getpid()}-{time.monotonic_ns()}"
        own = {"--listen": self.port, "--probe-listen": self.probe}
        arguments = [a for a in container["args"] if not (flags and a.startswith("--model="))]
        arguments = [f"{k}=127.0.0.1:{own[k]}" if (k := a.partition("=")[0]) in own else a for a in arguments]
        own_env = {e["name"]: e["value"] for e in container.get("env", [])} | (env or {})
        command = engine.podman_command(
            "run", "-d", f"--name={self.name}", *(o for o in RUN if o != "--rm"), "--read-only",
            *(f"--cap-drop={c}" for c in may["capabilities"]["drop"]), "--security-opt=no-new-privileges",
            f"--user={who['runAsUser']}:{who['runAsGroup']}", f"--memory={limit[:-2]}{QUANTITIES[limit[-2:]]}",
            *(f"--env={k}={v}" for k, v in own_env.items()), image if "/" in image else f"localhost/{image}", *arguments, *flags,
        )  # fmt: skip
        done = run(command)
        assert done.returncode == 0, done.stderr

    def ready(self) -> bool:
        """Ask the readiness probe."""
        with contextlib.suppress(OSError, AssertionError):
            return bool(wire.ask(self.probe, "GET", "/readyz").status == 200)
        return False

    def wait_until_ready(self, seconds: float = 60) -> None:
        """Return when it is."""
        end = time.monotonic() + seconds
        while not self.ready():
            assert time.monotonic() < end, self.log()[-1500:]
            time.sleep(0.05)

    def log(self) -> str:
        """Return what it has said."""
        done = self.engine.podman("logs", self.name)
        return done.stdout + done.stderr

    def state(self) -> dict[str, Any]:
        """Return what podman knows of it."""
        found: dict[str, Any] = json.loads(self.engine.podman("inspect", self.name).stdout)[0]["State"]
        return found

    def stop(self) -> int:
        """End it as a kubelet does; return its exit code, 137 where it had to be killed."""
        self.engine.podman("stop", "-t", str(self.grace), self.name)
        return self.gone()

    def kill(self) -> int:
        """End it by SIGKILL; return its exit code."""
        self.engine.podman("kill", "-s", "KILL", self.name)
        return self.gone()

    def gone(self) -> int:
        """Wait for its end, and remove it; return its exit code."""
        code = int(self.engine.podman("wait", self.name).stdout.strip() or -1)
        self.engine.podman("rm", "-f", "-t", "0", self.name)
        return code


def processes(pod: Pod) -> dict[str, str]:
    """Return what the kernel says of its process."""
    text = Path(f"/proc/{pod.state()['Pid']}/status").read_text()
    return {k: v.strip() for k, _, v in (line.partition(":") for line in text.splitlines())}


def terminate(process: subprocess.Popen[Any]) -> None:
    """End a process of ours."""
    process.terminate()
    process.wait(20)
