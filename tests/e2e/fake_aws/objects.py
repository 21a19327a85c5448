# SPDX-License-Identifier: Apache-2.0
"""Buckets, objects and the calls of S3 on them."""

from __future__ import annotations

import base64
import hashlib
import re
import threading
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import formatdate
from pathlib import Path
from urllib.parse import unquote
from xml.sax.saxutils import escape

from .errors import ServiceError
from .wire import Reply, Request

SSE = "x-amz-server-side-encryption"
CUSTOMER = SSE + "-customer-"
COPIED_CUSTOMER = "x-amz-copy-source-server-side-encryption-customer-"
KEPT = ("content-type", "content-encoding", "cache-control", SSE, SSE + "-aws-kms-key-id")
SUM = "x-amz-checksum-"
KEPT_KINDS = ("x-amz-meta-", SUM)
XMLNS = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'


@dataclass(frozen=True)
class Version:
    """One version of an object; a delete marker where `data` is None."""

    id: str
    data: bytes | None
    etag: str
    modified: float
    headers: tuple[tuple[str, str], ...] = ()
    customer_key: str | None = None  # the MD5 of the customer's key, of SSE-C


@dataclass
class Bucket:
    """A bucket. `redirects`: how a request signed for another region is answered."""

    name: str
    region: str
    requester_pays: bool = False
    redirects: bool = True
    objects: dict[str, list[Version]] = field(default_factory=dict)

    def current(self, key: str) -> Version | None:
        """Return the newest version of a key, if the key is there."""
        versions = self.objects.get(key, [])
        return versions[-1] if versions and versions[-1].data is not None else None


def xml(text: str, status: int = 200) -> Reply:
    """Return a reply with an XML document."""
    body = '<?xml version="1.0" encoding="UTF-8"?>\n' + text
    return Reply(status, [("Content-Type", "application/xml")], body.encode())


def iso(seconds: float) -> str:
    """Return a time as S3's documents show it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def unchunk(body: bytes) -> bytes:
    """Return what an aws-chunked body holds."""
    data = b""
    while body:
        line, _, body = body.partition(b"\r\n")
        size = int(line.partition(b";")[0], 16)
        if size == 0:
            break
        data += body[:size]
        body = body[size + 2 :]
    return data


def check_sums(request: Request, data: bytes) -> None:
    """Raise where a checksum that came with the data is not that of the data."""
    sums = {
        "content-md5": hashlib.md5(data).digest(),
        "x-amz-checksum-sha256": hashlib.sha256(data).digest(),
        "x-amz-checksum-sha1": hashlib.sha1(data).digest(),
        "x-amz-checksum-crc32": zlib.crc32(data).to_bytes(4, "big"),
    }
    for name, digest in sums.items():
        claimed = request.value(name)
        if claimed is not None and claimed != base64.b64encode(digest).decode():
            raise ServiceError("BadDigest", f"The {name} you specified did not match what we received.")


def customer_key(request: Request, prefix: str = CUSTOMER) -> str | None:
    """Return the MD5 of the customer's key that came with a request, if one did and is whole."""
    algorithm, key, digest = (request.value(prefix + part) for part in ("algorithm", "key", "key-md5"))
    if algorithm is None and key is None and digest is None:
        return None
    raw = base64.b64decode(key or "")
    actual = base64.b64encode(hashlib.md5(raw).digest()).decode()
    if algorithm != "AES256" or len(raw) != 32 or actual != digest:
        raise ServiceError("InvalidArgument", "The customer's key, its algorithm or its MD5 is wrong.")
    return actual


def unlock(request: Request, version: Version, prefix: str = CUSTOMER) -> None:
    """Raise where an object needs a customer's key that did not come, or came for nothing."""
    key = customer_key(request, prefix)
    if version.customer_key is None and key is not None:
        raise ServiceError("InvalidRequest", "The encryption parameters are not applicable to this object.")
    if version.customer_key is not None and key is None:
        raise ServiceError(
            "InvalidRequest",
            "The object was stored using a form of Server Side Encryption. "
            "The correct parameters must be provided to retrieve the object.",
        )
    if version.customer_key != key:
        raise ServiceError("AccessDenied", "Access Denied")


def matches(condition: str, etag: str) -> bool:
    """Tell whether an If-Match or If-None-Match header takes an ETag."""
    tags = [tag.strip().removeprefix("W/") for tag in condition.split(",")]
    return "*" in tags or etag in tags


def conditions(request: Request, etag: str) -> None:
    """Raise where the conditions of a read do not hold."""
    wanted = request.value("if-match")
    if wanted is not None and not matches(wanted, etag):
        raise ServiceError("PreconditionFailed", "At least one of the pre-conditions did not hold")
    unwanted = request.value("if-none-match")
    if unwanted is not None and matches(unwanted, etag):
        raise ServiceError("NotModified", headers=(("ETag", etag),))


def span(header: str | None, size: int) -> tuple[int, int] | None:
    """Return the first and the last byte that a Range header asks for; None for all of it."""
    found = re.fullmatch(r"bytes=(\d*)-(\d*)", header or "")
    if found is None or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    begin, end = (int(first), int(last or size - 1)) if first else (max(0, size - int(last)), size - 1)
    if begin >= size or begin > end:
        raise ServiceError(
            "InvalidRange",
            "The requested range is not satisfiable",
            headers=(("Content-Range", f"bytes */{size}"),),
        )
    return begin, min(end, size - 1)


class Store:
    """All buckets. A directory, where there is one, gets what is written and is read at the start."""

    def __init__(self, region: str, directory: Path | None = None) -> None:
        self.region = region
        self.directory = directory
        self.buckets: dict[str, Bucket] = {}
        self.lock = threading.RLock()
        self.uploads: dict[str, tuple[Request, dict[int, bytes]]] = {}
        self._count = 0
        for path in sorted(directory.rglob("*")) if directory else []:
            if path.is_file():
                bucket, _, key = path.relative_to(directory).as_posix().partition("/")
                self.bucket(bucket, create=True)
                self.put(bucket, key, path.read_bytes(), save=False)

    def bucket(self, name: str, *, create: bool = False, **options: object) -> Bucket:
        """Return a bucket, made where it may be."""
        with self.lock:
            if name not in self.buckets:
                if not create:
                    raise ServiceError("NoSuchBucket", "The specified bucket does not exist", BucketName=name)
                self.buckets[name] = Bucket(name, **({"region": self.region} | options))  # type: ignore[arg-type]
            return self.buckets[name]

    def put(
        self,
        bucket: str,
        key: str,
        data: bytes,
        *,
        headers: tuple[tuple[str, str], ...] = (),
        locked_by: str | None = None,
        etag: str | None = None,
        save: bool = True,
    ) -> Version:
        """Store a version of an object."""
        opaque = locked_by is not None or dict(headers).get(SSE) == "aws:kms"
        tag = hashlib.sha256(data + b"opaque").hexdigest()[:32] if opaque else hashlib.md5(data).hexdigest()
        with self.lock:
            self._count += 1
            version = Version(
                f"v{self._count:06d}", data, f'"{etag or tag}"', time.time(), tuple(headers), locked_by
            )
            self.bucket(bucket, create=True).objects.setdefault(key, []).append(version)
        if self.directory and save:
            path = self.directory / bucket / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return version

    def data(self, bucket: str, key: str) -> bytes:
        """Return what an object holds."""
        version = self.bucket(bucket).current(key)
        assert version is not None and version.data is not None, f"no object {bucket}/{key}"
        return version.data

    def delete(self, bucket: str, key: str) -> None:
        """Put a delete marker over an object."""
        with self.lock:
            versions = self.bucket(bucket).objects.get(key)
            if versions and versions[-1].data is not None:
                self._count += 1
                versions.append(Version(f"v{self._count:06d}", None, "", time.time()))
        if self.directory:
            (self.directory / bucket / key).unlink(missing_ok=True)

    # -- calls

    def answer(self, request: Request, bucket: str, key: str) -> Reply:
        """Answer a request that may be made."""
        if not bucket:
            return self._buckets()
        call = (KEY_CALLS if key else BUCKET_CALLS).get(request.method)
        if call is None:
            raise ServiceError("MethodNotAllowed", "The specified method is not allowed.")
        with self.lock:
            return call(self, request, bucket, key)

    def _buckets(self) -> Reply:
        names = "".join(
            f"<Bucket><Name>{b}</Name><CreationDate>{iso(0)}</CreationDate></Bucket>" for b in self.buckets
        )
        return xml(f"<ListAllMyBucketsResult {XMLNS}><Buckets>{names}</Buckets></ListAllMyBucketsResult>")

    def _make(self, request: Request, bucket: str, key: str) -> Reply:
        if bucket in self.buckets:
            raise ServiceError("BucketAlreadyOwnedByYou", "You own it already.")
        found = re.search(rb"<LocationConstraint>([^<]+)<", request.body)
        self.bucket(bucket, create=True, region=found[1].decode() if found else self.region)
        return Reply(200, [("Location", f"/{bucket}")])

    def _drop(self, request: Request, bucket: str, key: str) -> Reply:
        self.bucket(bucket)
        del self.buckets[bucket]
        return Reply(204)

    def _look(self, request: Request, bucket: str, key: str) -> Reply:
        return Reply(200, [("x-amz-bucket-region", self.bucket(bucket).region)], head_only=True)

    def _list(self, request: Request, bucket: str, key: str) -> Reply:
        held, asked = self.bucket(bucket), request.arguments
        if "location" in asked:
            return xml(f"<LocationConstraint {XMLNS}>{held.region}</LocationConstraint>")
        if asked.get("list-type") != "2":
            raise ServiceError("NotImplemented", "Only ListObjectsV2 is there.")
        return xml(listing(held, asked))

    def _get(self, request: Request, bucket: str, key: str) -> Reply:
        held = self.bucket(bucket)
        version = self._version(held, key, request.arguments.get("versionId"))
        unlock(request, version)
        conditions(request, version.etag)
        data = version.data or b""
        headers = [("ETag", version.etag), ("x-amz-version-id", version.id), ("Accept-Ranges", "bytes")]
        headers += [("Last-Modified", formatdate(version.modified, usegmt=True)), *shown(request, version)]
        if version.customer_key:
            headers += [(CUSTOMER + "algorithm", "AES256"), (CUSTOMER + "key-MD5", version.customer_key)]
        if held.requester_pays:
            headers.append(("x-amz-request-charged", "requester"))
        part = span(request.value("range"), len(data)) if request.method == "GET" else None
        if part is None:
            return Reply(200, headers, data)
        headers.append(("Content-Range", f"bytes {part[0]}-{part[1]}/{len(data)}"))
        return Reply(206, headers, data[part[0] : part[1] + 1])

    @staticmethod
    def _version(bucket: Bucket, key: str, wanted: str | None) -> Version:
        if wanted is None:
            version = bucket.current(key)
            if version is None:
                raise ServiceError("NoSuchKey", "The specified key does not exist.", Key=key)
            return version
        for version in bucket.objects.get(key, []):
            if version.id == wanted and version.data is not None:
                return version
        message = "The specified version does not exist."
        raise ServiceError("NoSuchVersion", message, Key=key, VersionId=wanted)

    def _put(self, request: Request, bucket: str, key: str) -> Reply:
        held = self.bucket(bucket)
        asked = request.arguments
        data = request.body
        if "aws-chunked" in (request.value("content-encoding") or ""):
            data = unchunk(data)
        check_sums(request, data)
        if "uploadId" in asked:
            self._upload(asked["uploadId"])[1][int(asked["partNumber"])] = data
            return Reply(200, [("ETag", f'"{hashlib.md5(data).hexdigest()}"')])
        writable(request, held.current(key))
        if request.value("x-amz-copy-source") is not None:
            return self._copy(request, bucket, key)
        version = self.put(bucket, key, data, headers=kept(request), locked_by=customer_key(request))
        return Reply(200, [("ETag", version.etag), ("x-amz-version-id", version.id), *sse(version)])

    def _copy(self, request: Request, bucket: str, key: str) -> Reply:
        source, _, query = (request.value("x-amz-copy-source") or "").partition("?")
        from_bucket, _, from_key = unquote(source).lstrip("/").partition("/")
        origin = self._version(self.bucket(from_bucket), from_key, query.removeprefix("versionId=") or None)
        unlock(request, origin, COPIED_CUSTOMER)
        wanted = request.value("x-amz-copy-source-if-match")
        if wanted is not None and not matches(wanted, origin.etag):
            raise ServiceError("PreconditionFailed", "At least one of the pre-conditions did not hold")
        headers = kept(request) or origin.headers
        version = self.put(bucket, key, origin.data or b"", headers=headers, locked_by=customer_key(request))
        reply = xml(
            f"<CopyObjectResult {XMLNS}><ETag>{escape(version.etag)}</ETag>"
            f"<LastModified>{iso(version.modified)}</LastModified></CopyObjectResult>"
        )
        reply.headers.append(("x-amz-version-id", version.id))
        return reply

    def _delete(self, request: Request, bucket: str, key: str) -> Reply:
        if "uploadId" in request.arguments:
            self.uploads.pop(request.arguments["uploadId"], None)
        else:
            self.delete(bucket, key)
        return Reply(204)

    def _upload(self, upload: str) -> tuple[Request, dict[int, bytes]]:
        if upload not in self.uploads:
            raise ServiceError("NoSuchUpload", "The specified multipart upload does not exist.")
        return self.uploads[upload]

    def _post(self, request: Request, bucket: str, key: str) -> Reply:
        self.bucket(bucket)
        asked = request.arguments
        if "uploads" in asked:
            self._count += 1
            upload = f"upload{self._count}"
            self.uploads[upload] = (request, {})
            tags = f"<Bucket>{bucket}</Bucket><Key>{escape(key)}</Key><UploadId>{upload}</UploadId>"
            return xml(f"<InitiateMultipartUploadResult {XMLNS}>{tags}</InitiateMultipartUploadResult>")
        begun, parts = self._upload(asked.get("uploadId", ""))
        numbers = [int(n) for n in re.findall(rb"<PartNumber>(\d+)</PartNumber>", request.body)]
        data = [parts[n] for n in numbers]
        digest = hashlib.md5(b"".join(hashlib.md5(part).digest() for part in data)).hexdigest()
        tag = f"{digest}-{len(data)}"
        version = self.put(
            bucket, key, b"".join(data), headers=kept(begun), locked_by=customer_key(begun), etag=tag
        )
        del self.uploads[asked["uploadId"]]
        tags = f"<Bucket>{bucket}</Bucket><Key>{escape(key)}</Key><ETag>{escape(version.etag)}</ETag>"
        return xml(f"<CompleteMultipartUploadResult {XMLNS}>{tags}</CompleteMultipartUploadResult>")


KEY_CALLS = {
    "GET": Store._get,
    "HEAD": Store._get,
    "PUT": Store._put,
    "POST": Store._post,
    "DELETE": Store._delete,
}
BUCKET_CALLS = {"GET": Store._list, "HEAD": Store._look, "PUT": Store._make, "DELETE": Store._drop}


def kept(request: Request) -> tuple[tuple[str, str], ...]:
    """Return the headers of a write that come back with the object."""
    found = [(name, value) for name, value in request.headers if name in KEPT or name.startswith(KEPT_KINDS)]
    plain = [(n, v.replace("aws-chunked", "").strip(", ")) for n, v in found]
    return tuple((name, value) for name, value in plain if value)


def shown(request: Request, version: Version) -> list[tuple[str, str]]:
    """Return the headers that come back with an object; checksums only to those who ask for them."""
    asked = request.value("x-amz-checksum-mode") == "ENABLED" and request.value("range") is None
    return [(name, value) for name, value in version.headers if asked or not name.startswith(SUM)]


def sse(version: Version) -> list[tuple[str, str]]:
    """Return the headers of a write's reply that tell of encryption."""
    return [(name, value) for name, value in version.headers if name.startswith(SSE)]


def writable(request: Request, old: Version | None) -> None:
    """Raise where the conditions of a write do not hold."""
    unwanted, wanted = request.value("if-none-match"), request.value("if-match")
    if unwanted == "*" and old is not None:
        raise ServiceError("PreconditionFailed", "At least one of the pre-conditions did not hold")
    if wanted is not None and old is None:
        raise ServiceError("NoSuchKey", "The specified key does not exist.")
    if wanted is not None and old is not None and not matches(wanted, old.etag):
        raise ServiceError("PreconditionFailed", "At least one of the pre-conditions did not hold")


def listing(bucket: Bucket, asked: Mapping[str, str]) -> str:
    """Return the document of ListObjectsV2."""
    prefix, delimiter = asked.get("prefix", ""), asked.get("delimiter", "")
    limit = int(asked.get("max-keys", "1000"))
    after = asked.get("continuation-token") or asked.get("start-after") or ""
    entries: dict[str, str] = {}
    for key in sorted(bucket.objects):
        version = bucket.current(key)
        if version is None or not key.startswith(prefix):
            continue
        head, found, _ = key[len(prefix) :].partition(delimiter) if delimiter else (key, "", "")
        if found:
            folder = prefix + head + delimiter
            entries[folder] = f"<CommonPrefixes><Prefix>{escape(folder)}</Prefix></CommonPrefixes>"
        else:
            entries[key] = (
                f"<Contents><Key>{escape(key)}</Key><LastModified>{iso(version.modified)}</LastModified>"
                f"<ETag>{escape(version.etag)}</ETag><Size>{len(version.data or b'')}</Size>"
                "<StorageClass>STANDARD</StorageClass></Contents>"
            )
    names = [name for name in sorted(entries) if name > after]
    page = names[:limit]
    more = len(names) > limit
    token = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if more and page else ""
    return (
        f"<ListBucketResult {XMLNS}><Name>{bucket.name}</Name><Prefix>{escape(prefix)}</Prefix>"
        f"<KeyCount>{len(page)}</KeyCount><MaxKeys>{limit}</MaxKeys>"
        f"<IsTruncated>{str(more).lower()}</IsTruncated>{token}{''.join(entries[name] for name in page)}"
        "</ListBucketResult>"
    )
