"""Every numeric part of every setting is read by one strict reader, with its range."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "http"))

from daemon import BIN, BUNDLE

# what the reader itself refuses, unit/util_test.c walks through; here, that each setting asks it
NONSENSE = ["", "+1", "0x10", str(2**64 + 1), "1 "]
PORTS = ["", "-1", "0x50", "65536", "99999", str(2**32 + 80), "http"]


def run(*args: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Runs a command that ends by itself."""
    return subprocess.run(
        [str(BIN), *args], capture_output=True, text=True, timeout=60, env=os.environ | (env or {}), check=False
    )


def numeric() -> list[str]:
    """The numeric settings of `serve`, by their help: all of them, or this finds none."""
    found = re.findall(r"^  --([\w-]+) (?:N|SECONDS)\b", run("serve", "--help").stdout, re.M)
    assert len(found) > 10
    return found


@pytest.mark.parametrize("flag", numeric())
def test_numbers_are_read_strictly(flag):
    for text in NONSENSE:
        done = run("serve", "--print-config", f"--{flag}={text}")
        assert done.returncode == 2 and f"--{flag}" in done.stderr, (flag, text, done)
    variable = "SCORED_" + flag.upper().replace("-", "_")
    for text in NONSENSE[:1] if flag != "port" else ():  # short for --listen
        done = run("serve", "--print-config", env={variable: text})
        assert done.returncode == 2 and variable in done.stderr, (flag, text, done)


@pytest.mark.parametrize("flag", ["--listen", "--admin-listen"])
def test_ports_are_read_strictly(flag):
    other = "--admin-listen=off" if flag == "--listen" else "--listen=127.0.0.1:0"
    for text in PORTS:
        done = run("serve", f"--model={BUNDLE}", other, f"{flag}=127.0.0.1:{text}")
        assert done.returncode == 2 and "is no ADDRESS:PORT" in done.stderr, (text, done)


@pytest.mark.parametrize("text", ["0", "+1", "0x50", "99999", str(2**64 + 1)])
def test_numbers_of_the_store_are_read_strictly(text):
    keys = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y", "AWS_REGION": "r"}
    done = run("check", "s3://bucket/m/", env=keys | {"AWS_MAX_ATTEMPTS": text})
    assert done.returncode != 0 and "AWS_MAX_ATTEMPTS" in done.stderr, done
    done = run("check", "s3://bucket/m/", env=keys | {"AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{text}"})
    assert done.returncode != 0 and "is not http[s]://host[:port]" in done.stderr, done


def test_a_proxy_that_is_no_url_keeps_its_password():
    keys = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y", "AWS_REGION": "r", "AWS_MAX_ATTEMPTS": "1"}
    done = run("check", "s3://bucket/m/", env=keys | {"https_proxy": "http://user:pass-7@127.0.0.1:99999"})
    assert done.returncode == 1 and "the proxy's URL is not" in done.stderr and "pass-7" not in done.stderr, done
