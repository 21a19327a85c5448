# SPDX-License-Identifier: Apache-2.0
"""Debian's package, and what cmake --install puts where: a bare Debian 12 installs, starts, stops and forgets it."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import threading
import time
import urllib.request
from pathlib import Path

import pytest
from conftest import BUILD, PLAIN, run

DYNAMIC = 61234  # systemd takes users of DynamicUser= from 61184 to 65519
ROOT = [] if os.getuid() == 0 else ["sudo"]
UNIT = "usr/lib/systemd/system/scored.service"


def inside(root: Path, *command: str) -> str:
    """Run a command in the bare Debian."""
    return run(*ROOT, "chroot", root, *command, env=PLAIN | {"DEBIAN_FRONTEND": "noninteractive"})


def test_lintian_finds_nothing(deb):
    told = subprocess.run(["lintian", "--fail-on", "error,warning", deb], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout


def test_it_depends_on_what_it_links(deb):
    linked = set(re.findall(r"NEEDED.*\[lib(\w+)", run("readelf", "-d", BUILD / "scored"))) - {"m"}
    depends = run("dpkg-deb", "-f", deb, "Depends")
    assert len(linked) > 5
    for name in linked:
        assert {"c": "libc6", "crypto": "libssl3", "ssl": "libssl3", "z": "zlib1g", "pcre2": "libpcre2-8-0"}.get(
            name, f"lib{name}"
        ) in depends, (name, depends)


@pytest.fixture(scope="module")
def tree(tmp_path_factory) -> Path:
    """What a user's cmake --install makes of /usr."""
    root = tmp_path_factory.mktemp("tree")
    run("cmake", "--install", BUILD, "--prefix", "/usr", env=os.environ | {"DESTDIR": str(root)})
    return root


def test_install_puts_all_in_its_place(tree):
    for name in ("usr/bin/scored", "usr/share/man/man1/scored.1", UNIT, "etc/scored/scored.env"):
        assert (tree / name).is_file(), name
    assert (tree / "etc/scored/scored.env").stat().st_mode & 0o777 == 0o640


def test_install_keeps_settings(tree):
    (tree / "etc/scored/scored.env").write_text("SERVE=mine\n")
    run("cmake", "--install", BUILD, "--prefix", "/usr", env=os.environ | {"DESTDIR": str(tree)})
    assert (tree / "etc/scored/scored.env").read_text() == "SERVE=mine\n"


def test_systemd_takes_the_unit_and_finds_it_hardened(tree, tmp_path):
    unit = tmp_path / "scored.service"  # what it names must be there
    unit.write_text((tree / UNIT).read_text().replace("/usr/bin", str(tree / "usr/bin")))
    env = PLAIN | {"MANPATH": str(tree / "usr/share/man")}
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, env=env, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    told = run("systemd-analyze", "security", "--offline=true", "--threshold=20", unit)
    assert "Overall exposure level for scored.service" in told


def test_the_manual_page_has_no_faults(tree):
    page = tree / "usr/share/man/man1/scored.1"
    done = subprocess.run(["man", "--warnings", "-l", page], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and not done.stderr and "SCORED SERVE" in done.stdout


def setting(unit: str, key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", unit, re.M)


def start(root: Path, serve: str) -> subprocess.Popen[str]:
    """The unit's ExecStart as a dynamic user, as systemd would read unit and settings."""
    unit = (root / UNIT).read_text()
    assert setting(unit, "EnvironmentFile") == ["/etc/scored/scored.env"] and setting(unit, "DynamicUser") == ["yes"]
    env = dict(line.split("=", 1) for line in (root / "etc/scored/scored.env").read_text().splitlines() if line[:1].isalpha())
    assert env == {"SERVE": ""}
    words = [w for word in shlex.split(setting(unit, "ExecStart")[0]) for w in (serve.split() if word == "$SERVE" else [word])]
    who = f"--userspec={DYNAMIC}:{DYNAMIC}"
    settings = {"SCORED_LISTEN": "127.0.0.1:0", "SCORED_ADMIN_LISTEN": "127.0.0.1:0", "SCORED_LAME_DUCK": "0"}
    return subprocess.Popen([*ROOT, "chroot", who, root, "env", *(f"{k}={v}" for k, v in settings.items()), *words],
                            stderr=subprocess.PIPE, text=True, env=PLAIN)  # fmt: skip


def until(process: subprocess.Popen[str], word: str) -> str:
    """The line of its log that says a word; it has a minute to say it."""
    late = threading.Timer(60, process.kill)
    late.start()
    try:
        return next(line for line in process.stderr if word in line)
    except StopIteration:
        raise AssertionError(f"it ended without {word!r}") from None
    finally:
        late.cancel()


def test_a_bare_debian_starts_it_as_a_user_of_its_own(debian):
    process = start(debian, "--model cars=/srv/model")
    url = "http://" + re.search(r"listen=(\S+)", until(process, 'msg="serving"'))[1]
    model = json.load(urllib.request.urlopen(f"{url}/models/cars"))
    body = json.dumps(model["example"]["in"]).encode()
    request = urllib.request.Request(f"{url}/models/cars/predict", body, {"Content-Type": "application/json"})
    assert json.load(urllib.request.urlopen(request)) == model["example"]["out"]
    status = Path(f"/proc/{process.pid}/status").read_text()
    assert re.search(rf"^Uid:\t{DYNAMIC}\t{DYNAMIC}\t", status, re.M)
    assert setting((debian / UNIT).read_text(), "ExecReload") == ["kill -HUP $MAINPID"]
    process.send_signal(signal.SIGHUP)
    assert until(process, "looking for new versions")
    process.send_signal(signal.SIGTERM)
    assert until(process, 'msg="stopped"') and process.wait(20) == 0


def test_without_a_model_it_says_what_is_missing(debian):
    process = start(debian, "")
    assert "which model?" in until(process, "scored serve")
    assert process.wait(20) == 2 and "2" in setting((debian / UNIT).read_text(), "RestartPreventExitStatus")


def test_removed_it_leaves_its_settings_and_purged_nothing(debian):
    listed = inside(debian, "dpkg", "-L", "scored").split("\n")
    assert "/usr/share/man/man1/scored.1.gz" in listed or "/usr/bin/scored" in listed
    (debian / "etc/scored/scored.env").write_text("SERVE=--model /srv/model\n")
    began = time.monotonic()
    inside(debian, "apt-get", "remove", "-y", "-qq", "scored")
    assert not (debian / "usr/bin/scored").exists() and not (debian / UNIT).exists()
    assert (debian / "etc/scored/scored.env").read_text() == "SERVE=--model /srv/model\n"
    inside(debian, "dpkg", "--purge", "scored")
    assert not (debian / "etc/scored").exists() and time.monotonic() - began < 60
    assert "scored" not in inside(debian, "dpkg-query", "-f", "${Package}\n", "-W")
