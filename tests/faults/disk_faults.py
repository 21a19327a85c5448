# SPDX-License-Identifier: Apache-2.0
"""What may go wrong with the cache folder."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from live import Live
from scenario import Fault, Skip, Stage
from store_faults import down, large, lasting, once, republish, up
from versions import Version

Damage = Callable[[Path], None]


def cache(stage: Stage) -> Path:
    """Return the cache folder, which the daemon is told to use."""
    folder = stage.folder / "cache"
    if "--cache" not in stage.flags:
        stage.flags += ["--cache", str(folder)]
    return folder


def with_cache(stage: Stage) -> None:
    """Give the daemon a cache folder that is not there yet."""
    cache(stage)


def filled(stage: Stage) -> None:
    """Fill the cache with the target, by an earlier daemon."""
    folder = cache(stage)
    stage.target.publish(stage.put)
    with Live(stage.uri, *stage.flags, env=stage.env) as earlier:
        earlier.serves(stage.target.label)
        remembered(folder, stage.target)


def remembered(folder: Path, bundle: Version) -> None:
    """Wait until a version that serves is remembered, which comes right after."""
    end = time.monotonic() + 5
    while not any(bundle.sha256 in path.read_text() for path in folder.glob("slot-*.json")):
        assert time.monotonic() < end, "it was not remembered"
        time.sleep(0.01)


def digest(bundle: Version, role: str) -> str:
    """Return the digest of a file of a bundle: its name in the cache."""
    return bundle.sha256 if role == "bundle" else hashlib.sha256(bundle.files[bundle.name(role)]).hexdigest()


# -- ways to damage a file


def truncated(path: Path) -> None:
    """Leave the first half."""
    os.truncate(path, path.stat().st_size // 2)


def emptied(path: Path) -> None:
    """Leave nothing."""
    os.truncate(path, 0)


def lengthened(path: Path) -> None:
    """Add a byte."""
    path.write_bytes(path.read_bytes() + b"\0")


def enormous(path: Path) -> None:
    """Make it a TiB long, of holes."""
    os.truncate(path, 1 << 40)


def flipped(position: int) -> Damage:
    """Return what changes a bit."""

    def damage(path: Path) -> None:
        content = bytearray(path.read_bytes())
        content[position % len(content)] ^= 0x10
        path.write_bytes(content)

    return damage


def instead(make: Callable[[Path], None]) -> Damage:
    """Return what puts something else there."""

    def damage(path: Path) -> None:
        path.unlink()
        make(path)

    return damage


def garbage(path: Path) -> None:
    """Write something else."""
    path.write_bytes(b"\x00\xff{[" * 100)


DAMAGE: dict[str, tuple[str, Damage]] = {
    "blocks torn": ("blocks", truncated),
    "blocks empty": ("blocks", emptied),
    "blocks longer": ("blocks", lengthened),
    "blocks a TiB of holes": ("blocks", enormous),
    "blocks' first byte altered": ("blocks", flipped(0)),
    "blocks' last byte altered": ("blocks", flipped(-1)),
    "golden rows altered": ("golden", flipped(40)),
    "profile torn": ("profile", truncated),
    "manifest altered": ("bundle", flipped(60)),
    "blocks a directory": ("blocks", instead(Path.mkdir)),
    "blocks a link to /dev/zero": ("blocks", instead(lambda path: path.symlink_to("/dev/zero"))),
    "blocks a pipe": ("blocks", instead(os.mkfifo)),
}


def damaged(name: str) -> Fault:
    """Return a file in the cache that is not what its name says: it is fetched again."""
    role, damage = DAMAGE[name]

    def inject(stage: Stage) -> None:
        damage(cache(stage) / digest(stage.target, role))

    def whole(stage: Stage) -> None:
        path = cache(stage) / digest(stage.target, role)
        remembered(cache(stage), stage.target)
        if not path.is_dir():
            assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name
        if role != "bundle":
            asked = stage.s3.requests(stage.target.name(role))
            assert len(asked) == 2, "it was not fetched again"

    return once(f"cache: {name}", before=filled, inject=inject, after=whole)


def unusable(name: str) -> Fault:
    """Return the same at a restart without S3: nothing unverified serves."""
    role, damage = DAMAGE[name]

    def inject(stage: Stage) -> None:
        damage(cache(stage) / digest(stage.target, role))
        down(stage)

    return lasting(
        f"cache: {name}, and no S3",
        "poll",
        "",
        before=filled,
        inject=inject,
        heal=up,
        modes=("start",),
        healed=40,
    )


# -- the folder


def mount(folder: Path, options: str) -> None:
    """Mount a file system of its own."""
    if os.geteuid() != 0:
        raise Skip("mounting takes root")
    folder.mkdir(exist_ok=True)
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Skip(f"mount: {done.stderr.strip()}")


def unmount(stage: Stage) -> None:
    """Unmount it."""
    subprocess.run(["umount", "-l", str(cache(stage))], capture_output=True, check=False)


def small(stage: Stage) -> None:
    """Make the cache a file system of 128 KiB."""
    mount(cache(stage), "size=128k")


def told_full(stage: Stage) -> None:
    """Hold that the log tells why, and that no torn file is left."""
    assert "not kept in the cache" in stage.daemon.daemon.log()
    for path in cache(stage).iterdir():
        if len(path.name) == 64:
            assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name
        assert ".part-" not in path.name


def read_only(stage: Stage) -> None:
    """Make the cache read-only, under the daemon."""
    subprocess.run(["mount", "-o", "remount,ro", str(cache(stage))], check=True)


def removed(stage: Stage) -> None:
    """Remove the folder."""
    shutil.rmtree(cache(stage), ignore_errors=True)


def tiny_bound(stage: Stage) -> None:
    """Bound the cache to less than the blocks."""
    cache(stage)
    stage.flags += ["--cache-bytes", str(1 << 20)]


def bounded(stage: Stage) -> None:
    """Hold that the bound holds."""
    sizes = [path.stat().st_size for path in cache(stage).iterdir() if len(path.name) == 64]
    assert sum(sizes) <= 1 << 20, sizes


def memo(stage: Stage) -> None:
    """Spoil what the daemon remembers of its model."""
    notes = list(cache(stage).glob("slot-*.json"))
    assert len(notes) == 1
    garbage(notes[0])


def memo_and_down(stage: Stage) -> None:
    """The same, and no S3."""
    memo(stage)
    down(stage)


def leftover(stage: Stage) -> None:
    """Leave half a file there, as a daemon that was killed does."""
    (cache(stage) / f"{'0' * 32}.part-1-0").write_bytes(b"half")


FOLDER = [
    once("cache: full", before=small, target=large, after=lambda s: (told_full(s), unmount(s))),
    once("cache: read-only since it runs", before=small, inject=read_only, after=unmount, modes=("reload",)),
    once("cache: removed since it runs", before=with_cache, inject=removed, modes=("reload",)),
    once("cache: a bound below the blocks", before=tiny_bound, target=large, after=bounded),
    once("cache: what was served last is garbage", before=filled, inject=memo),
    lasting("cache: what was served last is garbage, and no S3", "poll", "", before=filled,
            inject=memo_and_down, heal=up, modes=("start",), healed=40),
    once("cache: half a file is left there", before=filled, inject=leftover),
    once("cache: publishes again what is there", before=filled, inject=republish),
]  # fmt: skip

DISK = [
    *map(damaged, DAMAGE),
    *map(unusable, ["blocks torn", "golden rows altered", "manifest altered", "profile torn"]),
    *FOLDER,
]
