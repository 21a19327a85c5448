# SPDX-License-Identifier: Apache-2.0
"""What may happen to the process while it waits, fetches and serves."""

from __future__ import annotations

import os
import re
import resource
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from daemon import BIN
from disk_faults import cache, remembered, with_cache
from live import SLOWER, Live
from scenario import Fault, Stage
from store_faults import (
    BLOCKS,
    GOLDEN,
    MANIFEST,
    MIB,
    down,
    large,
    lasting,
    on,
    status,
    up,
)
from versions import version, wrong_golden

ENDS = 3.0  # seconds from SIGTERM to the end, with nothing to drain
Script = Callable[[Stage, Live], None]


def script(name: str, play: Script, **options: Any) -> Fault:
    """Return a scenario that tells itself what has to come."""
    return Fault(name, "scripted", script=play, **options)


# -- signals


def acted(stage: Stage) -> None:
    """Wait until the first rule has acted."""
    end = time.monotonic() + 20
    while not stage.rules[0].acted:
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.01)


def paused(stage: Stage, live: Live) -> None:
    """Stop the process for a while, inside a transfer."""
    acted(stage)
    live.daemon.process.send_signal(signal.SIGSTOP)
    time.sleep(2.0)
    live.daemon.process.send_signal(signal.SIGCONT)
    live.serves(stage.target.label, 20)


def ended(stage: Stage, live: Live) -> None:
    """Ask it to end where it stands: it does so in time, whatever it waits for."""
    if stage.rules:
        acted(stage)
        time.sleep(0.3)
    live.traffic.stop()
    began = time.monotonic()
    live.daemon.terminate()
    code = live.daemon.process.wait(40)
    seconds = time.monotonic() - began
    assert code == 0, live.daemon.log()
    assert seconds < ENDS * SLOWER, f"{seconds:.1f} s"


def end_in(where: str, *rules: Mapping[str, Any], **options: Any) -> Fault:
    """Return a scenario that ends the process in a state."""
    return script(f"SIGTERM: {where}", ended, rules=rules, **options)


def hailed(stage: Stage, live: Live) -> None:
    """Ask for a reload again and again, by signal and by request, while one goes on."""
    for i in range(100):
        live.daemon.process.send_signal(signal.SIGHUP)
        if i % 10 == 0:
            assert live.admin("reload").status == 202
        time.sleep(0.005)
    live.serves(stage.target.label)
    assert live.status()["reload"]["last_error"] is None


def patient(stage: Stage, live: Live) -> None:
    """SIGHUP is a reload at once, long before the next poll."""
    if stage.mode == "start":
        live.serves(stage.target.label)
        version(3).publish(stage.put)
        stage.target = version(3)
    began = time.monotonic()
    live.daemon.process.send_signal(signal.SIGHUP)
    live.serves(stage.target.label, 5)
    assert time.monotonic() - began < 5


# -- a life after


def killed(stage: Stage, live: Live) -> None:
    """Kill it inside a transfer; the next one finishes what was begun."""
    acted(stage)
    live.kill()
    stage.s3.rules.clear()
    with Live(stage.uri, *stage.flags, env=stage.env) as after:
        after.serves(stage.target.label)


def settled(stage: Stage, live: Live) -> None:
    """Wait until the version serves and is remembered."""
    live.serves(stage.target.label)
    remembered(cache(stage), stage.target)


def served_from_cache(stage: Stage, live: Live) -> None:
    """Restart without S3: the version served last serves, and S3 is taken up again."""
    settled(stage, live)
    live.kill()
    down(stage)
    with Live(stage.uri, *stage.flags, env=stage.env) as after:
        said = after.serves(stage.target.label)
        after.traffic.start()
        assert said["reload"]["from_cache"] is True and after.ready().status == 200
        after.fails("poll", refused=False)
        version(5).publish(stage.put)
        up(stage)
        after.serves("v5")
        assert after.status()["reload"]["from_cache"] is False
        after.traffic.stop()
        assert not after.traffic.failed, after.traffic.failed[:3]


def bad_one_meanwhile(stage: Stage, live: Live) -> None:
    """Restart with a bad version in S3: the cache has the good one."""
    settled(stage, live)
    live.kill()
    wrong_golden(4).publish(stage.put)
    with Live(stage.uri, *stage.flags, env=stage.env) as after:
        after.serves(stage.target.label)
        after.fails("golden", refused=True)


def remembers(stage: Stage, live: Live) -> None:
    """A version that was refused stays so over a restart, without being fetched again."""
    settled(stage, live)
    wrong_golden(4).publish(stage.put)
    live.fails("golden", refused=True)
    live.kill()
    since = len(stage.s3.log)
    with Live(stage.uri, *stage.flags, env=stage.env) as after:
        after.serves(stage.target.label)
        assert [entry["sha256"] for entry in after.status()["refused"]] == [wrong_golden(4).sha256]
        assert not [seen for seen in stage.s3.requests(wrong_golden(4).name("golden"), since)]


def shared(stage: Stage, live: Live) -> None:
    """Two more daemons start on the same empty cache at once."""
    others: list[Live] = []
    failures: list[BaseException] = []

    def another() -> None:
        try:
            with Live(stage.uri, *stage.flags, env=stage.env) as other:
                others.append(other)
                other.serves(stage.target.label)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=another) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failures, failures
    live.serves(stage.target.label)


def unanswered(rule: Mapping[str, Any]) -> Script:
    """Return: restart while S3 never comes to its answer, with another version there."""

    def play(stage: Stage, live: Live) -> None:
        settled(stage, live)
        live.kill()
        stage.s3.rules.set(rule)
        version(5).publish(stage.put)
        with Live(stage.uri, *stage.flags, env=stage.env) as after:
            said = after.serves(stage.target.label, 2)
            assert said["reload"]["from_cache"] is True and after.ready().status == 200
            after.traffic.start()
            stage.s3.rules.clear()
            after.serves("v5", 90)
            after.traffic.stop()
            assert not after.traffic.failed, after.traffic.failed[:3]

    return play


# -- descriptors


def without_descriptors(stage: Stage) -> None:
    """Let it open nothing more; what is open stays."""
    end = time.monotonic() + 10
    while not stage.daemon.traffic.answers:  # by a connection that is open
        assert time.monotonic() < end, "no answer"
        time.sleep(0.01)
    pid = stage.daemon.daemon.process.pid
    stage.notes["limit"] = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, stage.notes["limit"][1]))


def out_of_descriptors(stage: Stage, live: Live) -> None:
    """It fails to load, says so, and serves all the same; with descriptors all is well again."""
    end = time.monotonic() + 20 * SLOWER
    while "phase=fetch refused=false" not in live.daemon.log():
        assert time.monotonic() < end, live.daemon.log()
        time.sleep(0.05)
    assert live.traffic.answers[-1].version == "v1"
    resource.prlimit(live.daemon.process.pid, resource.RLIMIT_NOFILE, stage.notes["limit"])
    live.serves(stage.target.label, 40)


# -- settings that make it end


def run_until_end(stage: Stage, *flags: str, seconds: float = 30) -> tuple[int, str]:
    """Run a daemon that is to end by itself; return its status and what it said."""
    args = [str(BIN), "serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--poll", "0.2"]
    done = subprocess.run(
        [*args, *flags, "--model", stage.uri], env=os.environ | stage.env, capture_output=True, text=True,
        timeout=seconds, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def exits(stage: Stage, live: Live) -> None:
    """With --exit-on-load-failure it ends where it cannot load, and says why."""
    live.serves("v1") if stage.mode == "reload" else None
    live.traffic.stop()
    stage.s3.rules.set(status(MANIFEST, 403, "AccessDenied"))
    code, said = run_until_end(stage, "--exit-on-load-failure")
    assert code == 1 and "AccessDenied" in said, (code, said)


def not_a_folder(stage: Stage, live: Live) -> None:
    """A cache that is no folder is an error of usage, told by its name."""
    path = stage.folder / "file"
    path.write_text("")
    code, said = run_until_end(stage, "--cache", str(path / "below"))
    assert code in (1, 2) and "--cache" in said and str(path) in said, (code, said)


def tight(stage: Stage) -> None:
    """Give it memory for a small model, not for a large one: by what it takes with the small one."""
    version(1).publish(stage.put)
    with Live(stage.uri, env=stage.env) as earlier:
        earlier.serves("v1")
        told = Path(f"/proc/{earlier.daemon.process.pid}/status").read_text()
    held = int(re.search(r"VmRSS:\s+(\d+) kB", told)[1]) * 1024  # type: ignore[index]
    stage.flags += ["--memory", str(held + 16 * MIB)]


def smaller(stage: Stage) -> None:
    """Publish a smaller version."""
    stage.target = version(6)
    stage.target.publish(stage.put)


PROCESS = [
    script("SIGSTOP for 2 s inside a transfer", paused, rules=[on(BLOCKS, "drip", rate=8 * MIB)],
           target=large),
    script("SIGSTOP for 2 s before a reply", paused, rules=[on(MANIFEST, "delay_head", seconds=1, nth=1)]),
    end_in("idle"),
    end_in("waiting for the manifest", on(MANIFEST, "delay_head", seconds=600)),
    end_in("inside the manifest", on(MANIFEST, "delay_body", seconds=600, after=100)),
    end_in("waiting for blocks", on(BLOCKS, "delay_head", seconds=600)),
    end_in("inside blocks", on(BLOCKS, "drip", rate=100)),
    end_in("inside parts", on(BLOCKS, "drip", rate=MIB), target=large),
    end_in("inside golden rows", on(GOLDEN, "drip", rate=100)),
    end_in("between attempts", status(MANIFEST, 503, "SlowDown")),
    end_in("between retries of a part", status(BLOCKS, 503, "SlowDown", since=2), target=large),
    script("SIGHUP and reloads, a hundred", hailed, rules=[on(BLOCKS, "delay_head", seconds=0.2)]),
    script("SIGHUP is at once", patient, poll=3600),
    script("kill -9 inside a transfer", killed, rules=[on(BLOCKS, "drip", rate=MIB)], target=large),
    script("kill -9 inside a transfer, with a cache", killed, rules=[on(BLOCKS, "drip", rate=MIB)],
           target=large, before=with_cache),
    script("restart without S3, from the cache", served_from_cache, before=with_cache),
    script("restart while S3 never replies", unanswered(on(MANIFEST, "delay_head", seconds=600)),
           before=with_cache),
    script("restart while blocks never come", unanswered(on(BLOCKS, "drip", rate=1)), before=with_cache),
    script("restart with a bad version in S3", bad_one_meanwhile, before=with_cache),
    script("restart: what was refused stays refused", remembers, before=with_cache),
    script("three daemons on one cache", shared, before=with_cache),
    script("--exit-on-load-failure", exits),
    script("--cache that is no folder", not_a_folder),
    script("descriptors: none left", out_of_descriptors, inject=without_descriptors, target=large,
           modes=("reload",)),
    lasting("memory: too little for the version", "memory", "memory|bytes|MiB", before=tight, target=large,
            heal=smaller),
]  # fmt: skip
