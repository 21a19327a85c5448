# SPDX-License-Identifier: Apache-2.0
"""A small registry of MLflow for tests: aliases, versions, and files, as its tracking server answers for them by REST."""

from __future__ import annotations

import contextlib
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

API = "/api/2.0/"


@dataclass
class FakeMlflow:
    """Runs within a `with`. `raw` answers a path with bytes instead; `token` is wanted in every request if it is set."""

    aliases: dict[tuple[str, str], int] = field(default_factory=dict)
    places: dict[tuple[str, int], str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    raw: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    token: str = ""
    asked: list[str] = field(default_factory=list)

    def alias(self, path: str, query: dict[str, str]) -> Any:
        """registered-models/alias"""
        version = self.aliases.get((query["name"], query["alias"]))
        return version and {"model_version": {"name": query["name"], "version": str(version), "status": "READY"}}

    def place(self, path: str, query: dict[str, str]) -> Any:
        """model-versions/get-download-uri"""
        found = self.places.get((query["name"], int(query["version"])))
        return found and {"artifact_uri": found}

    def answer(self, path: str, query: dict[str, str]) -> tuple[int, bytes]:
        """Status and body of a GET."""
        if path in self.raw:
            return self.raw[path]
        calls = {"mlflow/registered-models/alias": self.alias, "mlflow/model-versions/get-download-uri": self.place}
        if path in calls:
            found = calls[path](path, query)
            return (200, json.dumps(found).encode()) if found else (404, b'{"error_code":"RESOURCE_DOES_NOT_EXIST"}')
        data = self.files.get(unquote(path.removeprefix("mlflow-artifacts/artifacts/")))
        return (404, b"{}") if data is None else (200, data)

    def __enter__(self) -> FakeMlflow:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                url = urlsplit(self.path)
                path = url.path.removeprefix(API)
                fake.asked.append(path)
                wanted = not fake.token or self.headers["Authorization"] == fake.token
                status, body = fake.answer(path, {k: v[0] for k, v in parse_qs(url.query).items()}) if wanted else (401, b"")
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                with contextlib.suppress(OSError):  # of who has read enough
                    self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
