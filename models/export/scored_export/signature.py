# SPDX-License-Identifier: Apache-2.0
"""Signatures of manifests: DSSE envelopes with Ed25519, by the package `cryptography`.

It is an extra (``sign``: cryptography): the machine that fits a model seldom has the scored
binary, and always has pip.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from pathlib import Path
from typing import Any

from scored_export.errors import Refused, first_line

PAYLOAD_TYPE = "application/vnd.scored.manifest+json"


class Signer:
    """The private key of a PEM file."""

    def __init__(self, file: str | os.PathLike[str]) -> None:
        try:
            from cryptography.hazmat.primitives import serialization
            from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        except ImportError:
            raise Refused(
                "signing needs the package cryptography", "pip install 'cryptography>=3.4'"
            ) from None
        make = "make one by: openssl genpkey -algorithm ed25519 -out private.pem"
        try:
            key: Any = serialization.load_pem_private_key(Path(file).read_bytes(), password=None)
        except TypeError:
            raise Refused(f"{file}: the key is encrypted", "decrypt it: openssl pkey -in FILE") from None
        except OSError as error:
            raise Refused(f"{file}: {error.strerror}", make) from None
        except Exception as error:
            raise Refused(f"{file} is no private key: {first_line(error)}", make) from None
        if not isinstance(key, Ed25519PrivateKey):
            raise Refused(f"{file} is not an Ed25519 key", make)
        public = key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self.id = hashlib.sha256(public).hexdigest()
        self._key = key

    def envelope(self, manifest: bytes) -> bytes:
        """Return the envelope of a manifest."""
        head = f"DSSEv1 {len(PAYLOAD_TYPE)} {PAYLOAD_TYPE} {len(manifest)} "
        signature = self._key.sign(head.encode() + manifest)
        content = {
            "payload": base64.b64encode(manifest).decode(),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"keyid": self.id, "sig": base64.b64encode(signature).decode()}],
        }
        return json.dumps(content, separators=(",", ":")).encode()
