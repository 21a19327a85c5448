"""Images without an engine: buildah and podman, with a base made of Debian's packages.

The base is called ``debian:bookworm-slim``, so that docker/Dockerfile is built as it stands.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

TOP = Path(__file__).resolve().parents[2]
# What Debian's slim image leaves out; licences stay.
SLIM = ("path-exclude=/usr/share/man/*", "path-exclude=/usr/share/doc/*", "path-include=/usr/share/doc/*/copyright",
        "path-exclude=/usr/share/locale/*")  # fmt: skip
SOURCES = """Types: deb
URIs: {archive}
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: {archive}-security
Suites: bookworm-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""
# Without a limit podman asks for what a container here may not have.
RUN = ("--rm", "--network=host", "--no-healthcheck", "--ulimit=nofile=1024:1024", "--ulimit=nproc=1000:1000")


def run(command: Sequence[str], **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a program, with what it says."""
    return subprocess.run(command, **{"capture_output": True, "text": True, "check": False, "timeout": 1800} | options)


def overlays(folder: Path) -> bool:
    """Tell whether this kernel lays one folder over another here; else layers are copies."""
    parts = [folder / name for name in ("lower", "upper", "work", "merged")]
    for part in parts:
        part.mkdir(parents=True, exist_ok=True)
    lower, upper, work, merged = map(str, parts)
    options = f"lowerdir={lower},upperdir={upper},workdir={work}"
    mounted = run(["mount", "-t", "overlay", "overlay", "-o", options, merged]).returncode == 0
    if mounted:
        run(["umount", merged])
    return mounted


class Engine:
    """Images and containers below a folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        driver = "overlay" if overlays(folder / "probe") else "vfs"
        self.storage = [f"--root={folder}/store", f"--runroot={folder}/run", f"--storage-driver={driver}"]
        self.builder = folder / "builder"
        self.builder.write_text(
            "#!/bin/sh\n# what docker/build.sh calls its builder\ncommand=$1\nshift\n"
            f'exec buildah {" ".join(self.storage)} "$command" --isolation chroot "$@"\n'
        )
        self.builder.chmod(0o755)

    def buildah(self, *args: str) -> str:
        """Run buildah; return what it says."""
        done = run(["buildah", *self.storage, *args])
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout.strip()

    def podman_command(self, *args: str) -> list[str]:
        """Return podman's command line."""
        return ["podman", *self.storage, "--cgroup-manager=cgroupfs", "--runtime=runc", *args]

    def podman(self, *args: str) -> subprocess.CompletedProcess[str]:
        """Run podman."""
        return run(self.podman_command(*args))

    def base(self) -> None:
        """Make debian:bookworm-slim, if it is not there."""
        if "localhost/debian:bookworm-slim" in self.buildah("images", "--format", "{{.Name}}:{{.Tag}}"):
            return
        archive = os.environ.get("SCORED_DEBIAN", "http://deb.debian.org/debian")
        (self.folder / "debian.sources").write_text(SOURCES.format(archive=archive))
        rename = 'mv "$1"/etc/apt/sources.list.d/*debian.sources "$1"/etc/apt/sources.list.d/debian.sources'
        done = run(
            ["mmdebstrap", "--quiet", "--variant=minbase", "--mode=root", *(f"--dpkgopt={o}" for o in SLIM),
             f"--customize-hook={rename}", "bookworm", f"{self.folder}/base.tar", f"{self.folder}/debian.sources"],
            env=os.environ | {"SOURCE_DATE_EPOCH": "1"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-2000:]
        (self.folder / "Dockerfile.base").write_text("FROM scratch\nADD base.tar /\n")
        self.buildah("bud", "--isolation=chroot", "-q", "-f", f"{self.folder}/Dockerfile.base", "-t",
                     "localhost/debian:bookworm-slim", str(self.folder))  # fmt: skip
        (self.folder / "base.tar").unlink()

    def build(self, tag: str, *args: str, top: Path = TOP) -> subprocess.CompletedProcess[str]:
        """Run docker/build.sh, of this checkout or of another."""
        return run([str(top / "docker/build.sh"), tag, *args], env=os.environ | {"BUILDER": str(self.builder)})

    def digest(self, tag: str) -> str:
        """Return the digest of an image's manifest."""
        return self.buildah("inspect", "--type=image", "--format={{.FromImageDigest}}", f"localhost/{tag}")

    def config(self, tag: str) -> dict[str, Any]:
        """Return what an image says of how it is run."""
        inspected = json.loads(self.podman("image", "inspect", f"localhost/{tag}").stdout)
        image: dict[str, Any] = inspected[0]
        return image

    def root(self, tag: str) -> Path:
        """Unpack an image's root into a folder."""
        to = self.folder / "roots" / tag
        shutil.rmtree(to, ignore_errors=True)
        to.mkdir(parents=True)
        container = self.buildah("from", f"localhost/{tag}")
        mounted = self.buildah("mount", container)
        shutil.copytree(mounted, to, dirs_exist_ok=True, symlinks=True)
        self.buildah("rm", container)
        return to
