"""What the command says to who has typed something else than it takes: never a guess that is none."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "http"))

from daemon import BIN, BUNDLE, Daemon


def run(*args: str, env: dict[str, str] | None = None, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(BIN), *args], capture_output=True, text=True, timeout=60, env=os.environ | (env or {}), input=given, check=False
    )


# -- words that every tool has


def test_help_and_version_are_words_too():
    assert run("version").stdout == run("--version").stdout and run("version").returncode == 0
    assert run("help").stdout == run("--help").stdout and run("help").returncode == 0
    for command in re.findall(r"^  (\w+)  ", run("help").stdout, re.M):
        told = run("help", command)
        assert told.returncode == 0 and told.stdout == run(command, "--help").stdout != ""
    assert "did you mean serve?" in run("help", "srve").stderr and run("help", "srve").returncode == 2


# -- guesses

NEAR = [
    (["srve"], "serve"),
    (["chekc"], "check"),
    (["serve", "--modle", "x"], "--model"),
    (["serve", "--no-no-older"], "--no-older"),
    (["inspect", "--hlep"], "--help"),
    (["check", "s3://bucket/a?requester=x"], "requester_pays"),
]
FAR = [
    (["-v"], "there is no command '-v'"),
    (["deploy"], "there is no command 'deploy'"),
    (["inspect", "--json", str(BUNDLE)], "there is no --json"),
    (["serve", "--zygote", "x"], "there is no --zygote"),
    (["check", "s3://bucket/a?acl=x"], "there is no option 'acl'"),
    (["serve", "--model", str(BUNDLE), "--no-older", "true"], 'unexpected argument "true"'),
    (["ops", "x"], 'unexpected argument "x"'),
    (["predict", "--model", str(BUNDLE), "row.json"], "rows are read from standard input"),
]


@pytest.mark.parametrize(("args", "meant"), NEAR)
def test_a_slip_is_guessed(args, meant):
    done = run(*args)
    assert done.returncode == 2 and f"did you mean {meant}?" in done.stderr, done


@pytest.mark.parametrize(("args", "says"), FAR)
def test_what_is_no_slip_is_not(args, says):
    done = run(*args)
    assert done.returncode == 2 and says in done.stderr and "did you mean" not in done.stderr, done


@pytest.mark.parametrize("command", ["serve", "predict"])
def test_a_model_without_its_flag(command):
    done = run(command, "models/x")
    assert done.returncode == 2 and "did you mean --model models/x?" in done.stderr


# -- variables


def test_variables_that_only_flags_are():
    env = {"SCORED_PORT": "9000", "SCORED_TRUST": "y", "SCORED_BANANA": "1"}
    d = Daemon(env=env)
    assert d.stop() == 0
    told = dict(re.findall(r'level=warn msg="no setting has [^"]*" variable=(\w+)(.*)', d.last_log))
    assert told == {
        "SCORED_PORT": " nearest=SCORED_LISTEN",
        "SCORED_TRUST": " nearest=--trust",
        "SCORED_BANANA": "",
    }


def served(*flags: str, env: dict[str, str]) -> str:
    """What a daemon says of its first model when it has none of the usual flags."""
    return run("serve", *flags, "--print-config", env=env).stdout


def test_the_model_of_the_environment():
    assert re.search(r"^model +x +SCORED_MODEL$", served(env={"SCORED_MODEL": "x"}), re.MULTILINE)
    both = served("--model", "y", env={"SCORED_MODEL": "x"})
    assert re.search(r"^model +y +flag$", both, re.MULTILINE) and "SCORED_MODEL" not in both
    done = run("serve", env={"SCORED_MODEL": ""})
    assert done.returncode == 2 and "which model?" in done.stderr


def test_the_port_of_a_service_of_kubernetes_is_none_of_ours():
    d = Daemon(env={"SCORED_PORT": "tcp://10.0.0.1:80", "SCORED_PORT_80_TCP": "tcp://10.0.0.1:80"})
    assert d.stop() == 0 and "level=warn" not in d.last_log


def test_a_cache_that_keeps_nothing(tmp_path):
    d = Daemon("--cache", str(tmp_path / "cache"))
    assert d.stop() == 0
    assert re.findall(r'level=warn msg="([^"]*)"', d.last_log) == ["nothing is cached: no model is of s3:// or models:/"]
    d = Daemon()
    assert d.stop() == 0 and "level=warn" not in d.last_log


# -- places


def test_a_model_that_is_no_folder():
    done = run("check", str(BUNDLE / "bundle.json"))
    assert done.returncode == 1 and "give the one that holds bundle.json" in done.stderr


def test_a_name_that_is_none():
    done = run("serve", "--model", f"a b={BUNDLE}", "--listen", "127.0.0.1:0", "--admin-listen", "off")
    assert done.returncode == 1 and "before '=' is no name" in done.stderr, done
    done = run("serve", "--model", "a=models/none", "--listen", "127.0.0.1:0", "--admin-listen", "off")
    assert done.returncode == 1 and "as in a=./models/none" in done.stderr, done


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("9000", '"9000" is no ADDRESS:PORT, as 127.0.0.1:8080 is'),
        ("127.0.0.1", "as 127.0.0.1:8080 is"),
        ("", "(--port, SCORED_LISTEN)"),
        ("nowhere.invalid:9000", "the address is not known: "),
    ],
)
def test_addresses(address, says):
    for args, env in (([f"--listen={address}"], {}), ([], {"SCORED_LISTEN": address})):
        done = run("serve", "--model", str(BUNDLE), "--admin-listen=off", *args, env=env)
        told = done.stderr.replace('\\"', '"')
        assert done.returncode == 2 and "--listen" in told and says in told and "may be another" not in told, done


def test_a_port_that_is_taken():
    d = Daemon()
    try:
        done = run("serve", "--model", str(BUNDLE), "--admin-listen=off", f"--listen=127.0.0.1:{d.port}")
        assert done.returncode == 1 and "--port" in done.stderr and "which may be another address: 127" in done.stderr
        done = run("serve", "--model", str(BUNDLE), "--listen=127.0.0.1:0", f"--probe-listen=127.0.0.1:{d.port}")
        assert done.returncode == 1 and "--probe-listen" in done.stderr and "or off: 127" in done.stderr
    finally:
        assert d.stop() == 0


# -- what went wrong without an end


def test_predict_counts_what_has_no_answer():
    row = json.dumps(json.loads((BUNDLE / "bundle.json").read_text())["example"]["in"])
    done = run("predict", "--model", str(BUNDLE), given=f'{row}\n{{"Make":"x"}}\nno row\n')
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 3
    assert done.stderr == "scored predict: 2 of 3 rows have an error in place of an answer\n"
    assert run("predict", "--model", str(BUNDLE), given=f"{row}\n").stderr == ""
    assert "Exit status 0" in run("predict", "--help").stdout


def test_doctor_promises_what_it_looked_at():
    """Digests, stages and golden rows it does not."""
    told = run("doctor", str(BUNDLE))
    assert told.returncode == 0 and told.stdout.endswith("\nall links hold; scored check goes on: digests, stages, golden rows\n")


# -- inspect


def test_inspect_is_for_people():
    """No JSON where a table is meant, and columns that stand below each other however long a name is."""
    shown = run("inspect", str(BUNDLE)).stdout
    exactness = re.search(r"^exactness\n((?:  .*\n)+)", shown, re.M)[1].splitlines()
    manifest = json.loads((BUNDLE / "bundle.json").read_text())
    assert len(exactness) == len(manifest["exactness"]) and "{" not in "".join(exactness)
    assert len({line.index("no arithmetic") for line in exactness}) == len({line.index(" exact ") for line in exactness}) == 1
    leaves = manifest["golden"]["leaves"]
    assert re.search(rf"^  leaves +{leaves[0]} of {leaves[1]}$", shown, re.M)
    assert re.search(rf"^  rows +{manifest['golden']['rows']}$", shown, re.M)
