"""Holds every reply that tests read to what the daemon's own /openapi.json says of it."""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import replace
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import daemon
import wire
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

PROBLEM = {"$ref": "urn:openapi#/components/schemas/problem"}
ROW_PROBLEM = {"$ref": "urn:openapi#/components/schemas/row-problem"}


class Document:
    """One /openapi.json, and the validators made of it."""

    def __init__(self, text: bytes) -> None:
        self.content: dict[str, Any] = json.loads(text)
        resource = Resource.from_contents(self.content, default_specification=DRAFT202012)
        self.registry = Registry().with_resource("urn:openapi", resource)
        self.paths = [
            (re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))), item)
            for path, item in self.content["paths"].items()
        ]
        self.validator = cache(self._validator)

    def _validator(self, schema: str) -> Draft202012Validator:
        return Draft202012Validator(json.loads(schema), registry=self.registry)

    def check(self, schema: dict[str, Any], body: Any) -> None:
        """Fails unless the body is as the schema says."""
        found = json.dumps(schema).replace('"#/', '"urn:openapi#/')
        errors = [f"{e.json_path}: {e.message}" for e in self.validator(found).iter_errors(body)]
        assert not errors, f"not as /openapi.json says: {errors}\n{body!r}"

    def operation(self, method: str, path: str) -> dict[str, Any] | None:
        """What the document says of a request, or None."""
        for pattern, item in self.paths:
            if pattern.fullmatch(path):
                return item.get(method.lower())
        return None

    def response(self, operation: dict[str, Any], status: int) -> dict[str, Any]:
        """What it says of a status; fails where it says nothing."""
        assert str(status) in operation["responses"], f"{operation['operationId']} lists no {status}"
        said = operation["responses"][str(status)]
        if "$ref" in said:
            said = self.content["components"]["responses"][said["$ref"].rpartition("/")[2]]
        return said


DOCUMENTS: dict[int, Document] = {}
HEADERS: dict[int, dict[str, str]] = {}  # by which a port is asked for its document
_fetching = False
checked = 0


def _fetch(port: int) -> None:
    global _fetching
    _fetching = True
    try:
        reply = wire.ask(port, "GET", "/openapi.json", headers=HEADERS.get(port))
    finally:
        _fetching = False
    assert reply.status == 200, reply
    DOCUMENTS[port] = Document(reply.body)


def _kind(reply: wire.Reply) -> str:
    return reply.headers.get("content-type", "").partition(";")[0]


def _is_of_library(reply: wire.Reply) -> bool:
    """libmicrohttpd refuses some heads before the daemon sees them: a page without a type, and the end."""
    return not _kind(reply) and b"<html>" in reply.body and reply.closes


def _is_page(asked: tuple[str, str] | None, reply: wire.Reply) -> bool:
    """What browsers get at / is for people, and not described."""
    return _kind(reply) == "text/html" and asked is not None and urlsplit(asked[1]).path == "/"


def _check_body(document: Document, said: dict[str, Any], reply: wire.Reply) -> None:
    kind = _kind(reply)
    assert kind in said["content"], f"{kind} is not one of {list(said['content'])}"
    schema = said["content"][kind]["schema"]
    if kind == "application/x-ndjson":
        for line in reply.body.splitlines():
            document.check(schema["x-line"], json.loads(line))
    elif kind.endswith("json"):
        document.check(schema, reply.json)
    else:
        assert schema["type"] == "string" and reply.body.decode()


def check_reply(port: int, asked: tuple[str, str] | None, reply: wire.Reply) -> None:
    """Fails unless the reply to a request (method, target) is described; what was asked may be unknown."""
    global checked
    document = DOCUMENTS.get(port)
    if _fetching or document is None or not reply.body or _is_of_library(reply) or _is_page(asked, reply):
        return
    checked += 1
    if reply.headers.get("content-encoding") == "gzip":
        reply = replace(reply, body=gzip.decompress(reply.body))
    method, path = (asked[0], urlsplit(asked[1]).path) if asked else ("", "")
    operation = document.operation(method, path)
    if operation is None and reply.status == 200 and asked:
        _fetch(port)  # a model has been loaded since
        document = DOCUMENTS[port]
        operation = document.operation(method, path)
        assert operation, f"{method} {path} is not described"
    if operation:
        _check_body(document, document.response(operation, reply.status), reply)
    elif _kind(reply) == "application/problem+json":
        document.check(ROW_PROBLEM if reply.status == 422 else PROBLEM, reply.json)


def _begin(d: daemon.Daemon) -> None:
    """Documents of a daemon's listeners; those that speak TLS make the same from the same routes."""
    for port in (d.port, d.admin):
        HEADERS[port] = d.headers
        if port in d.secure:
            DOCUMENTS.pop(port, None)
        else:
            _fetch(port)


def _end(d: daemon.Daemon) -> None:
    for port in (d.port, d.admin):
        HEADERS.pop(port, None)
        DOCUMENTS.pop(port, None)


def watch() -> None:
    """From now on every daemon's document is read when it serves, and every reply is held to it."""
    daemon.STARTED.append(_begin)
    daemon.ENDED.append(_end)
    wire.READ.append(check_reply)
