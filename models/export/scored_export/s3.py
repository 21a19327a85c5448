# SPDX-License-Identifier: Apache-2.0
"""Publishing to S3, by boto3 (the extra ``s3``).

Credentials, profile and endpoint are found as by every AWS tool; the region also by AWS_REGION.
"""

from __future__ import annotations

import base64
import hashlib
import io
import os
import re
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from scored_export import progress
from scored_export.errors import Refused, Unavailable, first_line
from scored_export.store import MANIFEST_BYTES, Stat, content_type, too_large

URI = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/([^#?]*))?")
WHOLE = re.compile(r"[A-Za-z0-9+/]{43}=")  # the digest of all bytes; one of parts ends in "-<parts>"
PUT_BYTES = 5 << 30  # of one PUT; and then S3 itself verifies the digest
ATTEMPTS = 6
BUSY = {"500", "502", "503", "InternalError", "ServiceUnavailable", "SlowDown"}
ABSENT = {"404", "NoSuchKey", "NotFound"}
CURES = {
    "NoSuchBucket": "make the bucket, or mend the URI",
    "AccessDenied": "allow s3:PutObject, s3:GetObject and s3:ListBucket there",
    "403": "allow s3:PutObject, s3:GetObject and s3:ListBucket there",
    "ExpiredToken": "get new credentials",
    "InvalidAccessKeyId": "check AWS_ACCESS_KEY_ID and the profile",
    "SignatureDoesNotMatch": "check AWS_SECRET_ACCESS_KEY and this machine's clock",
    "RequestTimeTooSkewed": "set this machine's clock",
    "PermanentRedirect": "set AWS_REGION to the bucket's region",
    "AuthorizationHeaderMalformed": "set AWS_REGION to the bucket's region",
    "NoCredentialsError": "set AWS_PROFILE or AWS_ACCESS_KEY_ID, or give the machine a role",
    "PartialCredentialsError": "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY together",
    "NoRegionError": "set AWS_REGION",
    "EndpointConnectionError": "check the network and AWS_ENDPOINT_URL",
}


def _client(uri: str) -> Any:
    try:
        import boto3
        from botocore.config import Config
    except ImportError:
        raise Refused("s3:// needs boto3", "pip install 'boto3>=1.28'") from None
    config = Config(
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        connect_timeout=5,
        read_timeout=60,
        user_agent_extra="scored-export",
    )
    with _explained(uri):
        session = boto3.session.Session(region_name=os.environ.get("AWS_REGION") or None)
        return session.client("s3", config=config)


@contextmanager
def _explained(what: str) -> Iterator[None]:
    """Turn what boto3 raises into a refusal that says what to do."""
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError

    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        kind = Unavailable if code in BUSY else Refused
        raise kind(f"{what}: {first_line(error)}", CURES.get(code, "")) from None
    except (BotoCoreError, Boto3Error) as error:
        kind = Unavailable if isinstance(error, (ConnectionError, HTTPClientError)) else Refused
        raise kind(f"{what}: {first_line(error)}", CURES.get(type(error).__name__, "")) from None


def _absent(error: Any) -> bool:
    return error.response.get("Error", {}).get("Code") in ABSENT


class _Sent(io.BytesIO):
    """Bytes to send, that tell how far they were read."""

    def __init__(self, name: str, data: bytes) -> None:
        super().__init__(data)
        self._shown = progress.Upload(name, len(data))

    def read(self, size: int | None = -1) -> bytes:
        piece = super().read(size)
        self._shown.at(self.tell())
        return piece


class Prefix:
    """A prefix of a bucket."""

    def __init__(self, uri: str) -> None:
        match = URI.fullmatch(uri)
        if not match:
            raise Refused(f"{uri!r} is not s3://BUCKET/PREFIX/", "write the bucket and the prefix")
        self._bucket = match[1]
        self._prefix = f"{match[2].strip('/')}/" if match[2] and match[2].strip("/") else ""
        self.uri = f"s3://{self._bucket}/{self._prefix}"
        self._client = _client(self.uri)

    def _named(self, name: str) -> Any:
        return _explained(self.uri + name)

    def _at(self, name: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": self._prefix + name}

    def check(self) -> None:
        """Ask for bundle.json, so that a wrong bucket, key or network shows before the work begins."""
        self.stat("bundle.json")

    def names(self, prefix: str) -> list[str]:
        """Return the names of the files that begin so, sorted."""
        pages = self._client.get_paginator("list_objects_v2")
        found = []
        with self._named(prefix + "*"):
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix + prefix, Delimiter="/"):
                found += [entry["Key"][len(self._prefix) :] for entry in page.get("Contents", [])]
        return sorted(found)

    def stat(self, name: str) -> Stat | None:
        """Return size and digest of a file, or None if it is not there."""
        from botocore.exceptions import ClientError

        with self._named(name):
            try:
                head = self._client.head_object(**self._at(name), ChecksumMode="ENABLED")
            except ClientError as error:
                if _absent(error):
                    return None
                raise
        told = head.get("ChecksumSHA256", "")
        known = WHOLE.fullmatch(told) is not None
        return Stat(head["ContentLength"], base64.b64decode(told).hex() if known else None)

    def read(self, name: str) -> bytes | None:
        """Return the bytes of a manifest, or None if it is not there."""
        from botocore.exceptions import ClientError, HTTPClientError

        with self._named(name):
            for attempt in range(ATTEMPTS):
                try:
                    return self._read(name)
                except ClientError as error:
                    if _absent(error):
                        return None
                    raise
                except HTTPClientError:  # boto3 does not try again once the reply has begun
                    if attempt == ATTEMPTS - 1:
                        raise
                    time.sleep(0.1 * 2**attempt)
        return None

    def _read(self, name: str) -> bytes:
        reply = self._client.get_object(**self._at(name))
        with closing(reply["Body"]) as body:
            if reply["ContentLength"] > MANIFEST_BYTES:
                raise too_large(self.uri + name)
            data: bytes = body.read()
        return data

    def put(self, name: str, data: bytes) -> None:
        """Write an object in one request, whose digest S3 verifies before the object is there."""
        if len(data) > PUT_BYTES:
            raise Refused(f"{name} has {len(data)} bytes, S3 takes 5 GiB at once", "publish to a folder")
        digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
        with self._named(name):
            self._client.put_object(
                **self._at(name),
                Body=_Sent(name, data),
                ContentLength=len(data),
                ContentType=content_type(name),
                ChecksumSHA256=digest,
            )
