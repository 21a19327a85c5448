#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Signs random requests with sigv4.c and with botocore, and compares.

``differential.py SIGV4_CLI [--full] [--seed N]``: 2,000 requests, or 100,000. Compared are the canonical
request's digest and the signature. Half are to S3 (the path as it is sent), half to another service (the path
normalised and encoded again). Closes with "N passed, N failed, N skipped".
"""

from __future__ import annotations

import argparse
import hashlib
import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

SHORT, FULL = 2_000, 100_000
SHOWN = 5
UNRESERVED = "-_.~"

# Pieces that are awkward in keys, and in values of headers and queries.
PIECES = [
    *(" ", "//", "/../", "/./", "/", ".", "..", "...", "+", "%", "%2F", "%20", "%zz", "&", "=", "?", "#", "~", "*"),
    *("'", '"', "(", ")", "!", "@", "$", ",", ";", ":", "[", "]", "{", "}", "|", "\\", "^", "`", "<", ">"),
    *("é", "ß", "日本語", "\U0001f600", "e\u0301", "\u00ff", "\u0100", "a", "Z", "0", "part-", "bundle.json"),
]
HEADERS = ["Range", "If-Match", "If-None-Match", "x-amz-request-payer", "X-AMZ-Meta-Name", "x-amz-meta-name", "Accept"]
UNSIGNED = ["User-Agent", "Expect", "Connection", "X-Amzn-Trace-Id", "Transfer-Encoding"]
REGIONS = ["us-east-1", "eu-central-1", "ap-southeast-2", "cn-north-1", "us-gov-west-1", "auto"]
HOSTS = ["bucket.s3.eu-central-1.amazonaws.com", "127.0.0.1:9000", "s3.example.com", "xn--bcher-kva.example:8443"]


@dataclass
class Request:
    """One request, as it goes on the wire, and who signs it."""

    rule: str
    method: str
    path: str
    query: str
    date: str
    region: str
    service: str
    key_id: str
    secret: str
    payload: str
    headers: list[tuple[str, str]] = field(default_factory=list)
    key: str = ""

    def line(self) -> str:
        """Return the line that sigv4_cli reads."""
        path = f"key:{self.key}" if self.rule == "s3" else self.path
        fields = [self.rule, self.method, path, self.query, self.date, self.region, self.service, self.key_id]
        fields += [self.secret, self.payload]
        for name, value in self.headers:
            fields += [name, value]
        return "\t".join(fields)

    def host(self) -> str:
        """Return the value of the Host header."""
        return next(value for name, value in self.headers if name == "Host")


def text(rng: random.Random, most: int) -> str:
    """Return pieces, 0 to `most` of them."""
    return "".join(rng.choice(PIECES) for _ in range(rng.randint(0, most)))


def ascii_value(rng: random.Random) -> str:
    """Return a header's value, with blanks wherever they may stand."""
    words = ['"abc"', "bytes=0-9", "x", "a,b", "W/", "  ", "   ", "(z)", "~"]
    return "".join(rng.choice(words) for _ in range(rng.randint(0, 5)))


def make_query(rng: random.Random) -> str:
    """Return an encoded query; names may repeat, values may be empty."""
    names = ["versionId", "partNumber", "list-type", "prefix", "a", "a-b", "A"]
    items = []
    for _ in range(rng.choice([0, 0, 1, 2, 3, 6])):
        name = rng.choice(names) if rng.random() < 0.7 else (text(rng, 3) or "n")
        items.append(f"{quote(name, safe=UNRESERVED)}={quote(text(rng, 4), safe=UNRESERVED)}")
    return "&".join(items)


def make(rng: random.Random) -> Request:
    """Return a random request."""
    rule = rng.choice(["s3", "norm"])
    key = "/" + text(rng, 8)
    body = rng.choice([b"", b"", b"Action=AssumeRole", bytes(rng.randrange(256) for _ in range(20))])
    date = f"20{rng.randint(10, 40)}{rng.randint(1, 12):02}{rng.randint(1, 28):02}T{rng.randint(0, 23):02}3059Z"
    r = Request(
        rule=rule,
        method=rng.choice(["GET", "GET", "HEAD", "PUT", "POST"]),
        key=key,
        path=quote(key, safe="/" + UNRESERVED),
        query=make_query(rng),
        date=date,
        region=rng.choice(REGIONS),
        service="s3" if rule == "s3" else rng.choice(["sts", "service"]),
        key_id="AKIA" + "".join(rng.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=16)),
        secret="".join(rng.choices("abcdefghijklmnopqrstuvwxyzABCDEFGHIJ0123456789/+", k=40)),
        payload=hashlib.sha256(body).hexdigest(),
    )
    headers = [("Host", rng.choice(HOSTS)), ("X-Amz-Date", date), ("X-Amz-Content-SHA256", r.payload)]
    if rng.random() < 0.3:
        headers.append(("X-Amz-Security-Token", "".join(rng.choices("abcXYZ019/+=", k=rng.randint(1, 900)))))
    headers += [(rng.choice(HEADERS), ascii_value(rng)) for _ in range(rng.randint(0, 4))]
    headers += [(rng.choice(UNSIGNED), "x") for _ in range(rng.randint(0, 2))]
    rng.shuffle(headers)
    r.headers = headers
    return r


def expected(r: Request) -> tuple[str, str]:
    """Return botocore's digest of the canonical request and its signature."""
    kind: Callable[..., SigV4Auth] = S3SigV4Auth if r.rule == "s3" else SigV4Auth
    auth = kind(Credentials(r.key_id, r.secret), r.service, r.region)
    query = f"?{r.query}" if r.query else ""
    request = AWSRequest(method=r.method, url=f"https://{r.host()}{r.path}{query}")
    for name, value in r.headers:
        request.headers.add_header(name, value)
    request.context["timestamp"] = r.date
    canonical = auth.canonical_request(request)
    to_sign = auth.string_to_sign(request, canonical)
    return hashlib.sha256(canonical.encode()).hexdigest(), auth.signature(to_sign, request)


def main() -> int:
    """Run the comparison; 1 where anything differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cli")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--seed", type=int, default=4)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    requests = [make(rng) for _ in range(FULL if args.full else SHORT)]
    lines = "".join(r.line() + "\n" for r in requests)
    run = subprocess.run([args.cli], input=lines.encode(), capture_output=True, check=True)
    answers = run.stdout.decode().splitlines()
    failed = abs(len(requests) - len(answers))
    for r, answer in zip(requests, answers, strict=False):
        want = (r.path, *expected(r))
        if tuple(answer.split(" ")) != want:
            failed += 1
            if failed <= SHOWN:
                print(f"{r.line()}\n  sigv4.c  {answer}\n  botocore {' '.join(want)}")
    print(f"seed {args.seed}: {len(requests) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
