# SPDX-License-Identifier: Apache-2.0
"""Signature Version 4 as the service checks it, from AWS's description of it.

Nothing of a client's signer is used here, so that signer and checker cannot share a mistake.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote_from_bytes, unquote_to_bytes

from .errors import ServiceError

ALGORITHM = "AWS4-HMAC-SHA256"
SKEW_SECONDS = 15 * 60
UNSIGNED = "UNSIGNED-PAYLOAD"
STREAMED = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
AUTHORIZATION = re.compile(
    rf"{ALGORITHM} +Credential=([^/, ]+)/([0-9]{{8}})/([^/, ]+)/([^/, ]+)/aws4_request, *"
    r"SignedHeaders=([a-z0-9;-]+), *Signature=([0-9a-f]{64})"
)


@dataclass(frozen=True)
class KeyPair:
    """What the service knows of an access key. Times are seconds since 1970."""

    secret: str
    token: str | None = None
    expires: float | None = None
    source: str = "static"


@dataclass(frozen=True)
class Signed:
    """A request as far as its signature covers it: the target as it came over the wire."""

    method: str
    path: str
    query: str
    headers: Sequence[tuple[str, str]]
    body: bytes

    def values(self, name: str) -> list[str]:
        """Return all values of a header; names are lower case."""
        return [value for key, value in self.headers if key == name]

    def value(self, name: str) -> str | None:
        """Return the first value of a header."""
        return next(iter(self.values(name)), None)


def encode(text: bytes, keep: str = "") -> str:
    """Return `text` with all but the unreserved characters, and those of `keep`, percent-encoded."""
    return quote_from_bytes(text, safe="-._~" + keep)


def canonical_query(query: str) -> str:
    """Return a query with names and values encoded anew, sorted by both."""
    pairs = []
    for item in query.split("&") if query else []:
        name, _, value = item.partition("=")
        pairs.append((encode(unquote_to_bytes(name)), encode(unquote_to_bytes(value))))
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))


def canonical_request(request: Signed, signed_headers: Sequence[str], payload_hash: str) -> str:
    """Return the canonical request of S3: the path encoded once, and nothing of it normalised."""
    lines = [request.method, encode(unquote_to_bytes(request.path), "/"), canonical_query(request.query)]
    for name in signed_headers:
        lines.append(f"{name}:" + ",".join(" ".join(value.split()) for value in request.values(name)))
    return "\n".join([*lines, "", ";".join(signed_headers), payload_hash])


def signature(secret: str, date: str, region: str, service: str, string_to_sign: str) -> str:
    """Return the signature in hex."""
    key = f"AWS4{secret}".encode()
    for part in (date, region, service, "aws4_request", string_to_sign):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key.hex()


def payload_hash(request: Signed, service: str) -> str:
    """Return the hash that the request claims of its body, after holding it against the body."""
    actual = hashlib.sha256(request.body).hexdigest()
    claimed = request.value("x-amz-content-sha256")
    if claimed is None:
        if service == "s3":
            raise ServiceError("MissingSecurityHeader", "Missing required header: x-amz-content-sha256")
        return actual
    if claimed not in (actual, UNSIGNED, STREAMED):
        raise ServiceError(
            "XAmzContentSHA256Mismatch", "The provided x-amz-content-sha256 does not match what was computed."
        )
    return claimed


def request_time(request: Signed, day: str, service: str, now: float) -> str:
    """Return the time that the request bears, near enough to `now` and on the day of its scope."""
    stamp = request.value("x-amz-date") or ""
    try:
        sent = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        message = "AWS authentication requires a valid Date or x-amz-date header"
        raise ServiceError("AccessDenied", message) from None
    if not stamp.startswith(day):
        raise ServiceError("SignatureDoesNotMatch", f"The scope's date {day} is not that of {stamp}")
    if abs(sent.timestamp() - now) > SKEW_SECONDS and service != "s3":
        message = f"Signature expired: {stamp} is too far from the current time"
        raise ServiceError("SignatureDoesNotMatch", message)
    if abs(sent.timestamp() - now) > SKEW_SECONDS:
        server = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        message = "The difference between the request time and the current time is too large."
        raise ServiceError(
            "RequestTimeTooSkewed",
            message,
            RequestTime=stamp,
            ServerTime=server,
            MaxAllowedSkewMilliseconds=str(SKEW_SECONDS * 1000),
        )
    return stamp


def check_token(request: Signed, key: KeyPair, now: float) -> None:
    """Raise where the session token is missing, another or too old."""
    token = request.value("x-amz-security-token")
    if token != key.token:
        raise ServiceError("InvalidToken", "The provided token is malformed or otherwise invalid.")
    if key.expires is not None and now >= key.expires:
        raise ServiceError("ExpiredToken", "The provided token has expired.")


def check_signed_headers(request: Signed, signed: Sequence[str]) -> None:
    """Raise where a header that has to be signed is not."""
    if list(signed) != sorted(set(signed)):
        raise ServiceError("SignatureDoesNotMatch", "SignedHeaders is not sorted or names one twice")
    must = {name for name, _ in request.headers if name.startswith("x-amz-")} | {"host"}
    missing = sorted(must - set(signed))
    if missing:
        raise ServiceError(
            "AccessDenied",
            "There were headers present in the request which were not signed",
            HeadersNotSigned=", ".join(missing),
        )


def verify(request: Signed, keys: Mapping[str, KeyPair], region: str, service: str, now: float) -> str:
    """Return the access key that signed the request; raise ServiceError where none did rightly."""
    header = request.value("authorization")
    if header is None:
        raise ServiceError("AccessDenied", "Access Denied")
    match = AUTHORIZATION.fullmatch(header)
    if match is None or len(request.values("authorization")) > 1:
        raise ServiceError("AuthorizationHeaderMalformed", "The authorization header is malformed.")
    key_id, day, scope_region, scope_service, names, given = match.groups()
    if scope_service != service:
        raise ServiceError("AuthorizationHeaderMalformed", f'incorrect service "{scope_service}".')
    if scope_region != region:
        raise ServiceError(
            "AuthorizationHeaderMalformed",
            f"The authorization header is malformed; the region '{scope_region}' is wrong; "
            f"expecting '{region}'",
            headers=(("x-amz-bucket-region", region),) if service == "s3" else (),
            Region=region,
        )
    key = keys.get(key_id)
    if key is None:
        raise ServiceError(
            "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."
        )
    signed = names.split(";")
    check_signed_headers(request, signed)
    stamp = request_time(request, day, service, now)
    check_token(request, key, now)
    canonical = canonical_request(request, signed, payload_hash(request, service))
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    string_to_sign = "\n".join([ALGORITHM, stamp, f"{day}/{region}/{service}/aws4_request", digest])
    if not hmac.compare_digest(signature(key.secret, day, region, service, string_to_sign), given):
        raise ServiceError(
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided.",
            StringToSign=string_to_sign,
            CanonicalRequest=canonical,
        )
    return key_id
