# SPDX-License-Identifier: Apache-2.0
"""The jobs behind the training: each halts for its own reason, and none does anything twice."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from conftest import MODELS
from days_to_sell import arrive, cli, commit, confirm, generate, prove, publish, train

BUNDLE = MODELS / "days_to_sell" / "bundle"
sys.path.append(str(MODELS.parent / "tests" / "http"))

from daemon import Daemon  # noqa: E402


@pytest.fixture
def feed(market, tmp_path):
    """Sources as they arrive."""
    return Path(shutil.copytree(market.sources, tmp_path / "feed"))


def arrived(feed, day="2026-06-30"):
    return arrive.main(["--out", str(feed), "--feed", str(feed), "--day", day])


def rewritten(path, change):
    path.write_text("".join(change(path.read_text().splitlines(keepends=True))))


@pytest.mark.parametrize(
    ("spoil", "day", "code", "says"),
    [
        (lambda f: None, "2026-06-30", cli.OK, ""),
        (lambda f: (f / "geography.csv").unlink(), "2026-06-30", cli.WAITING, "missing: .*geography"),
        (lambda f: (f / "taxonomy.csv").write_text(""), "2026-06-30", cli.WAITING, "empty: .*taxonomy"),
        (lambda f: rewritten(f / "adverts.csv", lambda x: x[:1]), "2026-06-30", cli.WAITING, "empty: .*adverts"),
        (lambda f: None, "2026-07-09", cli.WAITING, "late: .* days before 2026-07-09, more than 2"),
        (lambda f: rewritten(f / "taxonomy.csv", lambda x: ["id\n", *x[1:]]), "2026-06-30", cli.REFUSED, "has the columns id"),
    ],
)  # fmt: skip
def test_sources_arrive_or_it_is_said_which_did_not(feed, capsys, spoil, day, code, says):
    spoil(feed)
    assert arrived(feed, day) == code
    assert re.search(says, capsys.readouterr().err)


def test_a_run_keeps_the_sources_that_it_took(feed, tmp_path):
    args = ["--out", str(tmp_path / "run"), "--feed", str(feed)]
    assert generate.main(args) == cli.OK
    (feed / "taxonomy.csv").write_text("later\n")
    assert generate.main(args) == cli.OK
    assert "later" not in (tmp_path / "run/sources/taxonomy.csv").read_text()


@pytest.fixture
def run(tmp_path):
    """A run's folder behind its export: the committed bundle."""
    folder = cli.Folder(tmp_path / "run")
    shutil.copytree(BUNDLE, folder.bundle)
    folder.profile.write_text("{}")
    return folder


def relabelled(folder, **changes):
    """Change the manifest of a run's bundle, its lineage too, and make it whole again."""
    manifest = json.loads((folder.bundle / "bundle.json").read_text())
    for key, value in changes.items():
        (manifest if key in manifest else manifest["lineage"])[key] = value
    text = json.dumps(manifest).encode()
    for name in ("bundle.json", f"bundle-{hashlib.sha256(text).hexdigest()[:16]}.json"):
        (folder.bundle / name).write_bytes(text)
    return hashlib.sha256(text).hexdigest()


def published(folder, to):
    assert publish.main(["--out", str(folder.root), "--bundle", str(to), "--accepted", str(to.parent / "accepted.json")]) == cli.OK
    return json.loads(folder.published.read_text())


def test_publishing_copies_and_tells(run, tmp_path):
    told = published(run, tmp_path / "there")
    assert told["sha256"] == hashlib.sha256((tmp_path / "there/bundle.json").read_bytes()).hexdigest()
    assert {p.name for p in (tmp_path / "there").iterdir()} == {p.name for p in BUNDLE.iterdir()}
    assert (tmp_path / "accepted.json").read_text() == "{}"


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({"created": "2027-01-01T00:00:00.000Z", "version": "again"}, True),  # same data, same code
        ({"created": "2025-01-01T00:00:00.000Z", "version": "b", "training_data_sha256": "0" * 64}, True),  # older
        ({"created": "2027-01-01T00:00:00.000Z", "version": "b", "training_data_sha256": "0" * 64}, False),
        ({"created": "2027-01-01T00:00:00.000Z", "version": "b", "git_commit": "0" * 40}, False),
        ({"created": "2027-01-01T00:00:00.000Z", "version": "b", "git_commit": "0" * 40 + "-dirty"}, False),
    ],
)
def test_what_is_the_same_or_older_stays_unpublished(run, tmp_path, changes, kept):
    first = published(run, tmp_path / "there")
    run.profile.write_text('{"later":1}')
    digest = relabelled(run, **changes)
    told = published(run, tmp_path / "there")
    assert told["sha256"] == (first["sha256"] if kept else digest)
    assert hashlib.sha256((tmp_path / "there/bundle.json").read_bytes()).hexdigest() == told["sha256"]
    assert (tmp_path / "accepted.json").read_text() == ("{}" if kept else '{"later":1}')


def test_a_dirty_checkout_is_never_the_same(run, tmp_path):
    relabelled(run, git_commit="0" * 40 + "-dirty", version="a")
    published(run, tmp_path / "there")
    digest = relabelled(run, created="2027-01-01T00:00:00.000Z", version="b")
    assert published(run, tmp_path / "there")["sha256"] == digest


def test_a_spoilt_bundle_is_not_published(run, tmp_path, capsys):
    golden = next(run.bundle.glob("golden-*"))
    golden.write_bytes(golden.read_bytes() + b"\n")
    assert publish.main(["--out", str(run.root), "--bundle", str(tmp_path / "there")]) == cli.REFUSED
    assert "is not what was exported" in capsys.readouterr().err and not (tmp_path / "there").exists()


def test_a_bundle_is_proved_by_the_program(run, capsys, tmp_path):
    assert prove.main(["--out", str(run.root)]) == cli.OK
    assert "good: days_to_sell" in capsys.readouterr().out
    for command in (f"genpkey -algorithm ed25519 -out {tmp_path}/k.pem", f"pkey -in {tmp_path}/k.pem -pubout -out {tmp_path}/p.pem"):
        subprocess.run(["openssl", *command.split()], check=True)
    assert prove.main(["--out", str(run.root), "--trust", f"{tmp_path}/p.pem"]) == cli.REFUSED
    assert re.search("HALT: .*(signature|signed)", capsys.readouterr().err)
    blocks = next(run.bundle.glob("blocks-*"))
    blocks.write_bytes(blocks.read_bytes()[:-1])
    assert prove.main(["--out", str(run.root)]) == cli.REFUSED
    assert "HALT: " in capsys.readouterr().err


def test_without_the_program_it_is_said_how_to_get_it(run, monkeypatch, capsys):
    monkeypatch.setenv("SCORED_BIN", "/nowhere/scored")
    assert prove.main(["--out", str(run.root)]) == cli.USAGE
    assert "SCORED_BIN=/nowhere/scored is no program" in capsys.readouterr().err


@pytest.mark.parametrize(("mae", "refused"), [(10.0, False), (11.9, False), (12.2, True)])
def test_a_model_may_not_fall_behind_the_accepted_one(mae, refused):
    """Which errs by 10.93 days; 10 % more are 12.03."""
    with pytest.raises(cli.Refused, match=r"more than 10% worse") if refused else contextlib.nullcontext():
        train.not_worse("forest", mae, str(BUNDLE), 0.10)


def test_the_first_model_has_nothing_to_fall_behind(tmp_path):
    train.not_worse("forest", 99.0, str(tmp_path), 0.10)


@pytest.fixture
def repository(tmp_path):
    """A bare repository with one commit."""
    bare, tree = tmp_path / "repository.git", tmp_path / "tree"
    who = os.environ | {f"GIT_{r}_{k}": "t@t" for r in ("AUTHOR", "COMMITTER") for k in ("NAME", "EMAIL")}
    for command in (
        ["init", "-q", "--bare", "-b", "main", bare],
        ["clone", "-q", bare, tree],
        ["-C", tree, "commit", "-q", "--allow-empty", "-m", "first"],
        ["-C", tree, "push", "-q", "origin", "HEAD:main"],
    ):
        subprocess.run(["git", *command], check=True, env=who, capture_output=True)
    return bare


def log(repository, what):
    return subprocess.run(
        ["git", "-C", repository, "log", f"--format={what}", "main"], check=True, capture_output=True, text=True
    ).stdout


def committed(folder, repository):
    return commit.main(["--out", str(folder.root), "--repository", str(repository)])


def test_a_new_version_is_one_commit_and_a_rerun_none(run, tmp_path, repository):
    told = published(run, tmp_path / "there")
    assert committed(run, repository) == cli.OK
    shown = subprocess.run(["git", "-C", repository, "show", "main:docker/model.env"], capture_output=True, text=True, check=True)
    assert shown.stdout == f"MODEL_URI={tmp_path}/there/#sha256={told['sha256']}\nMODEL_VERSION={told['version']}\n"
    message = log(repository, "%B").split("first")[0]
    assert f"Bundle-Sha256: {told['sha256']}\n" in message
    assert f"Training-Data-Sha256: {told['lineage']['training_data_sha256']}\n" in message
    before = log(repository, "%H")
    assert committed(run, repository) == cli.OK
    assert log(repository, "%H") == before and len(before.split()) == 2


def test_somebody_else_may_push_meanwhile(run, tmp_path, repository, monkeypatch):
    published(run, tmp_path / "there")
    real, raced = commit.git, []

    def git(*arguments, at):
        if arguments[0] == "push" and not raced:
            raced.append(1)
            tree = tmp_path / "tree"
            real("commit", "-q", "--allow-empty", "-m", "another's", at=tree)
            assert real("push", "-q", "origin", "HEAD:main", at=tree).returncode == 0
        return real(*arguments, at=at)

    monkeypatch.setattr(commit, "git", git)
    assert committed(run, repository) == cli.OK
    subjects = log(repository, "%s").split("\n")
    assert raced and subjects[0].startswith("days_to_sell ") and subjects[1] == "another's"


def test_a_push_that_is_always_refused_is_said(run, tmp_path, repository, capsys):
    published(run, tmp_path / "there")
    hook = repository / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    assert committed(run, repository) == cli.REFUSED
    assert "was refused 5 times" in capsys.readouterr().err
    assert committed(run, tmp_path / "none.git") == cli.REFUSED
    assert "HALT: git clone: " in capsys.readouterr().err


def confirmed(folder, url, seconds="0"):
    return confirm.main(["--out", str(folder.root), "--server", url, "--wait", seconds])


def test_a_daemon_confirms_what_it_serves(run, tmp_path, capsys):
    published(run, tmp_path / "there")
    daemon = Daemon(models=(str(tmp_path / "there"),))
    url = f"http://127.0.0.1:{daemon.port}"
    try:
        assert confirmed(run, url) == cli.OK
        assert "965 golden rows are Spark's" in capsys.readouterr().out
        golden = next((tmp_path / "there").glob("golden-*"))
        text = golden.read_text()
        golden.write_text(re.sub(r'("prediction":\d)', r"\g<1>1", text, count=1))
        assert confirmed(run, url) == cli.REFUSED
        assert "answers 1 of 965 golden rows otherwise" in capsys.readouterr().err
        run.published.write_text(run.published.read_text().replace('"sha256": "9c', '"sha256": "00'))
        assert confirmed(run, url) == cli.REFUSED
        assert re.search(r"does not serve sha256 00.* within 0 s: it serves version", capsys.readouterr().err)
    finally:
        daemon.stop()
    assert confirmed(run, url) == cli.REFUSED
    assert "refused" in capsys.readouterr().err


class Balancer(BaseHTTPRequestHandler):
    """A load balancer in front of a pod of the version and of one before: each request goes to the other of them."""

    answers: ClassVar[list[tuple[str, bytes]]] = []  # version and body, in turn

    def reply(self, body: bytes, version: str) -> None:
        """Answer."""
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Model-Version", version)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        self.reply(self.about, "")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        version, body = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        self.reply(body, version)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.mark.parametrize(("before", "code"), [(1, cli.OK), (3, cli.OK), (None, cli.REFUSED)])
def test_a_version_that_is_being_rolled_out_is_waited_for(run, tmp_path, monkeypatch, capsys, before, code):
    """Where it says that it serves the version, the next request may still go to the one before."""
    published(run, tmp_path / "there")
    told = json.loads(run.published.read_text())
    golden = next((tmp_path / "there").glob("golden-*")).read_text().splitlines()
    right = "".join(json.dumps(row.get("out", {"skipped": {}, "error": {}})) + "\n" for row in map(json.loads, golden)).encode()
    old, new = ("before", b"{}\n"), (told["version"], right)
    monkeypatch.setattr(confirm, "EVERY", 0.01)
    monkeypatch.setattr(Balancer, "about", json.dumps({"sha256": told["sha256"]}).encode(), raising=False)
    monkeypatch.setattr(Balancer, "answers", [old] if before is None else [old] * before + [new])
    with ThreadingHTTPServer(("127.0.0.1", 0), Balancer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        assert confirmed(run, f"http://127.0.0.1:{server.server_address[1]}", "0.5") == code
        server.shutdown()
    if code:
        assert f"answers as version before, not {told['version']}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("golden", "answer", "equal"),
    [
        ({"out": {"p": 0.0}}, {"p": -0.0}, False),
        ({"out": {"p": "NaN"}}, {"p": "NaN"}, True),
        ({"out": {"p": [1.5, None]}}, {"p": [1.5, None]}, True),
        ({"skipped": True}, {"skipped": {"stage": "x"}}, True),
        ({"error": True}, {"error": {"type": "x"}}, True),
        ({"error": True}, {"p": 1.0}, False),
        ({"out": {"p": 1.0}}, {"error": {}}, False),
    ],
)
def test_answers_are_compared_bit_by_bit(golden, answer, equal):
    assert confirm.same(golden, answer) is equal


def test_what_breaks_is_not_what_is_refused(capsys):
    def work():
        raise OSError("no space")

    assert cli.run("train", work) == cli.BROKEN
    assert "train: broke: no space" in capsys.readouterr().err
