# SPDX-License-Identifier: Apache-2.0
"""Job 6: publish the proved bundle, unless the same or a newer one is there."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from days_to_sell import cli
from days_to_sell.exporter import open_store, scored_export

#: What a model is made of: where these are the same, so is the model, whoever made it again and when.
MADE_OF = ("training_data_sha256", "git_commit")


def current(uri: str) -> tuple[str, dict[str, Any]] | None:
    """Return digest and manifest of what is published at a place, or None."""
    data = open_store(uri).read("bundle.json")
    return (hashlib.sha256(data).hexdigest(), json.loads(data)) if data else None


def keeps(new: dict[str, Any], old: dict[str, Any]) -> str:
    """Return why the published bundle stays, or nothing."""
    if "dirty" not in new["lineage"].get("git_commit", "") and all(new["lineage"].get(key) == old["lineage"].get(key) for key in MADE_OF):
        return "is made of the same data by the same code"
    if new["created"] < old["created"]:
        return f"is newer: {old['created']}, this one {new['created']}"
    return ""


def publish(folder: cli.Folder, uri: str, accepted: Path | None) -> None:
    """Publish DIR/bundle, and write down what is published now."""
    text = folder.need(folder.bundle / "bundle.json", "export").read_bytes()
    new = json.loads(text)
    digest, manifest = hashlib.sha256(text).hexdigest(), new
    try:
        there = current(uri)
        why = keeps(new, there[1]) if there else ""
        if there and why:
            digest, manifest = there
            cli.say(f"  kept: version {manifest['version']} at {uri} {why}")
        else:
            scored_export.copy(folder.bundle, uri)
            cli.say(f"  {uri}: version {new['version']}, sha256 {digest}")
    except scored_export.Unavailable:
        raise
    except scored_export.Refused as refused:
        raise cli.Refused(str(refused)) from refused
    told = {"uri": uri, "sha256": digest, "version": manifest["version"], "lineage": manifest["lineage"]}
    folder.published.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    if accepted and not why:
        accepted.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder.need(folder.profile, "check"), accepted)


HELP = """Publish DIR/bundle, which `prove` has proved, at URI, byte by byte. What is published already stays
if it is made of the same data by the same commit, or is newer (a back-fill never takes a newer model away).
DIR/published.json says what is published now.

example:
  python -m days_to_sell.publish --out build/days_to_sell --bundle s3://models/days_to_sell/"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the job."""
    p = cli.parser("publish", HELP)
    p.add_argument("--bundle", required=True, metavar="URI", help="a directory or s3://BUCKET/PREFIX/")
    p.add_argument(
        "--accepted", type=Path, metavar="FILE", help="where to keep the profile that the next run compares with"
    )
    args = p.parse_args(argv)
    return cli.run("publish", lambda: publish(cli.Folder(args.out), args.bundle, args.accepted))


if __name__ == "__main__":
    sys.exit(main())
