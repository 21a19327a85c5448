# SPDX-License-Identifier: Apache-2.0
"""The servers that tests start themselves."""

from __future__ import annotations

import socket
import sys

import pytest
from backends import free_port, running

SERVER = "import http.server as h; h.HTTPServer(('127.0.0.1', {}), h.BaseHTTPRequestHandler).serve_forever()"


def test_a_server_that_listens_is_there() -> None:
    port = free_port()
    with running([sys.executable, "-c", SERVER.format(port)], {}, port), socket.create_connection(("127.0.0.1", port)):
        pass


def test_another_server_on_the_port_is_not_taken_for_it() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(AssertionError, match="does not listen"), running([sys.executable, "-c", SERVER.format(port)], {}, port):
            pass
