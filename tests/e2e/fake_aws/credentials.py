# SPDX-License-Identifier: Apache-2.0
"""Where credentials come from: STS, the container endpoint of ECS and EKS, IMDSv2."""

from __future__ import annotations

import json
import re
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qsl

from .errors import ServiceError
from .sigv4 import KeyPair, verify
from .wire import Reply, Request

ROLE = "fake-role"
CONTAINER_PATH = "/credentials"
IMDS_PATH = "/latest/"
LISTED = "/latest/meta-data/iam/security-credentials/"
NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"


@dataclass
class Issuer:
    """Issues key pairs that expire, and knows all that it issued.

    Lifetimes are seconds; where a source's is None, what the caller asks for is given.
    """

    keys: dict[str, KeyPair]
    now: Callable[[], float]
    region: str = "us-east-1"
    lifetimes: dict[str, float] = field(default_factory=dict)
    web_tokens: set[str] = field(default_factory=lambda: {"web-token"})
    container_token: str = "container-token"
    instance_role: str | None = ROLE
    issued: list[tuple[str, str]] = field(default_factory=list)  # source, access key

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._sessions: dict[str, float] = {}

    def issue(self, source: str, asked: float = 3600.0) -> tuple[str, KeyPair]:
        """Return a new pair."""
        pair = KeyPair(
            secrets.token_urlsafe(30),
            secrets.token_urlsafe(120),
            self.now() + self.lifetimes.get(source, asked),
            source,
        )
        key_id = "ASIA" + secrets.token_hex(8).upper()
        with self._lock:
            self.keys[key_id] = pair
            self.issued.append((source, key_id))
        return key_id, pair

    def _json(self, source: str) -> Reply:
        key_id, pair = self.issue(source)
        document = {
            "Code": "Success",
            "Type": "AWS-HMAC",
            "LastUpdated": moment(self.now()),
            "AccessKeyId": key_id,
            "SecretAccessKey": pair.secret,
            "Token": pair.token,
            "Expiration": moment(pair.expires or 0.0),
        }
        return Reply(200, [("Content-Type", "application/json")], json.dumps(document).encode())

    # -- the container endpoint

    def container(self, request: Request) -> Reply:
        """Answer a GET of the container endpoint, if it bears the token."""
        if request.value("authorization") != self.container_token:
            return Reply(401, [("Content-Type", "application/json")], b'{"code":"Unauthorized"}')
        return self._json("container")

    # -- instance metadata

    def instance(self, request: Request) -> Reply:
        """Answer a request to the metadata service, version 2."""
        if request.method == "PUT" and request.path == IMDS_PATH + "api/token":
            return self._session(request)
        token = request.value("x-aws-ec2-metadata-token") or ""
        if request.method != "GET" or self._sessions.get(token, 0.0) <= self.now():
            return Reply(401, [("Content-Type", "text/html")], b"<h1>401 - Unauthorized</h1>")
        if self.instance_role and request.path == LISTED:
            return Reply(200, [("Content-Type", "text/plain")], self.instance_role.encode())
        if self.instance_role and request.path == LISTED + self.instance_role:
            return self._json("instance")
        if request.path == IMDS_PATH + "meta-data/placement/region":
            return Reply(200, [("Content-Type", "text/plain")], self.region.encode())
        return Reply(404, [("Content-Type", "text/html")], b"<h1>404 - Not Found</h1>")

    def _session(self, request: Request) -> Reply:
        seconds = request.value("x-aws-ec2-metadata-token-ttl-seconds") or ""
        if not seconds.isdecimal() or not 1 <= int(seconds) <= 21600 or request.value("x-forwarded-for"):
            return Reply(400, [("Content-Type", "text/html")], b"<h1>400 - Bad Request</h1>")
        token = secrets.token_urlsafe(40)
        self._sessions[token] = self.now() + min(int(seconds), self.lifetimes.get("session", 21600.0))
        headers = [("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", seconds), ("Content-Type", "text/plain")]
        return Reply(200, headers, token.encode())

    # -- STS

    def sts(self, request: Request) -> tuple[Reply, str]:
        """Answer a call of STS; return the access key that signed it too."""
        form = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
        action = form.get("Action", "")
        if form.get("Version") != "2011-06-15":
            raise ServiceError("ValidationError", "Version must be 2011-06-15")
        if action not in ("AssumeRole", "AssumeRoleWithWebIdentity"):
            raise ServiceError("ValidationError", f"Could not find operation {action}")
        web = action.endswith("WebIdentity")
        signer = "" if web else verify(request, self.keys, self.region, "sts", self.now())
        self._check(form, action)
        source = "web identity" if web else "assume role"
        key_id, pair = self.issue(source, float(form.get("DurationSeconds", "3600")))
        name = form["RoleSessionName"]
        document = (
            f'<{action}Response xmlns="{NAMESPACE}"><{action}Result>'
            f"<AssumedRoleUser><Arn>{form['RoleArn']}/{name}</Arn><AssumedRoleId>AROA:{name}</AssumedRoleId>"
            f"</AssumedRoleUser><Credentials><AccessKeyId>{key_id}</AccessKeyId>"
            f"<SecretAccessKey>{pair.secret}</SecretAccessKey><SessionToken>{pair.token}</SessionToken>"
            f"<Expiration>{moment(pair.expires or 0.0)}</Expiration></Credentials></{action}Result>"
            f"<ResponseMetadata><RequestId>0</RequestId></ResponseMetadata></{action}Response>"
        )
        return Reply(200, [("Content-Type", "text/xml")], document.encode()), signer

    def _check(self, form: dict[str, str], action: str) -> None:
        if not re.fullmatch(r"arn:aws:iam::\d{12}:role/[\w+=,.@/-]+", form.get("RoleArn", "")):
            raise ServiceError("ValidationError", "RoleArn is not the name of a role")
        if not re.fullmatch(r"[\w+=,.@-]{2,64}", form.get("RoleSessionName", "")):
            raise ServiceError("ValidationError", "RoleSessionName must be 2 to 64 of [A-Za-z0-9_+=,.@-]")
        if not 900 <= int(form.get("DurationSeconds", "3600")) <= 43200:
            raise ServiceError("ValidationError", "DurationSeconds must be 900 to 43200")
        if action.endswith("WebIdentity") and form.get("WebIdentityToken") not in self.web_tokens:
            raise ServiceError("InvalidIdentityToken", "No OpenIDConnect provider found for the token")


def moment(seconds: float) -> str:
    """Return a time as these services show it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
