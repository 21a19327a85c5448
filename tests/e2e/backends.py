# SPDX-License-Identifier: Apache-2.0
"""The S3 servers of the end-to-end tests: ours, and real ones where they are installed.

``SCORED_S3_SERVERS`` names them ("fake versitygw moto minio"); by default only ours runs. build/tools and
build/moto are where tests/run.sh installs the others.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.client import Config
from botocore.exceptions import ClientError
from daemon import TOP
from fake_s3 import FakeS3, quiet_env
from whose_port import until_it_listens

BUCKET = "models"
CHOSEN = os.environ.get("SCORED_S3_SERVERS", "fake").split()
POLICY = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'


@dataclass
class Backend:
    """A running server with an empty bucket."""

    name: str
    env: dict[str, str]

    def client(self, service: str = "s3") -> Any:
        """Return a client of boto3 with the server's keys."""
        return client(service, self.env)

    def putter(self, prefix: str) -> Callable[[str, bytes], Any]:
        """Return what puts a file below a prefix."""
        s3 = self.client()
        return lambda name, content: s3.put_object(Bucket=BUCKET, Key=prefix + name, Body=content)


def client(service: str, env: Mapping[str, str], **keys: str) -> Any:
    """Return a client of boto3 that sees only `env`."""
    settings = {
        "endpoint_url": env["AWS_ENDPOINT_URL_S3"],
        "region_name": env["AWS_REGION"],
        "aws_access_key_id": env["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": env["AWS_SECRET_ACCESS_KEY"],
    }
    return boto3.client(service, config=Config(s3={"addressing_style": "path"}), **(settings | keys))


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@contextlib.contextmanager
def running(args: list[str], env: Mapping[str, str], port: int) -> Iterator[None]:
    """Run a server until it is no longer needed; it is there once the port is its own."""
    with subprocess.Popen(
        args, env=os.environ | env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            until_it_listens(process, port)
            yield
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def env_for(url: str, key_id: str, secret: str) -> dict[str, str]:
    """Return the environment of a client of a server."""
    return quiet_env() | {
        "AWS_ACCESS_KEY_ID": key_id,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_S3": url,
        "AWS_ENDPOINT_URL_STS": url,
    }


@contextlib.contextmanager
def fake(folder: Path) -> Iterator[Backend]:
    """Ours."""
    with FakeS3() as s3:
        yield Backend("fake", s3.env())


@contextlib.contextmanager
def versitygw(folder: Path) -> Iterator[Backend]:
    """versitygw over a directory."""
    tool = TOP / "build" / "tools" / "versitygw"
    port, keys = free_port(), ("tests", "secret-of-the-tests")
    (folder / "data").mkdir()
    (folder / "versions").mkdir()
    args = [str(tool), "--port", f"127.0.0.1:{port}", "--quiet", "posix"]
    args += ["--versioning-dir", str(folder / "versions"), str(folder / "data")]
    with running(args, {"ROOT_ACCESS_KEY": keys[0], "ROOT_SECRET_KEY": keys[1]}, port):
        yield Backend("versitygw", env_for(f"http://127.0.0.1:{port}", *keys))


@contextlib.contextmanager
def moto(folder: Path) -> Iterator[Backend]:
    """moto with authentication on: it starts after the three calls that make a user."""
    tool = TOP / "build" / "moto" / "bin" / "moto_server"
    port = free_port()
    args = [str(tool), "-H", "127.0.0.1", "-p", str(port)]
    with running(args, {"INITIAL_NO_AUTH_ACTION_COUNT": "3"}, port):
        env = env_for(f"http://127.0.0.1:{port}", "first", "first")
        iam = client("iam", env)
        iam.create_user(UserName="tests")
        made = iam.create_access_key(UserName="tests")["AccessKey"]
        iam.put_user_policy(UserName="tests", PolicyName="all", PolicyDocument=POLICY)
        keys = {"AWS_ACCESS_KEY_ID": made["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": made["SecretAccessKey"]}
        yield Backend("moto", env | keys)


@contextlib.contextmanager
def minio(folder: Path) -> Iterator[Backend]:
    """MinIO over a directory."""
    tool = TOP / "build" / "tools" / "minio"
    port, keys = free_port(), ("tests", "secret-of-the-tests")
    args = [str(tool), "server", "--quiet", "--address", f"127.0.0.1:{port}", str(folder / "data")]
    settings = {"MINIO_ROOT_USER": keys[0], "MINIO_ROOT_PASSWORD": keys[1], "MINIO_BROWSER": "off"}
    offline = {"MINIO_UPDATE": "off", "MINIO_CALLHOME_ENABLE": "off"}
    with running(args, settings | offline, port):
        backend = Backend("minio", env_for(f"http://127.0.0.1:{port}", *keys))
        end = time.monotonic() + 60
        while True:  # it listens before it is ready
            try:
                backend.client().list_buckets()
                break
            except ClientError:
                assert time.monotonic() < end, "minio does not come to its start"
                time.sleep(0.1)
        yield backend


SERVERS: dict[str, Callable[[Path], contextlib.AbstractContextManager[Backend]]] = {
    "fake": fake,
    "versitygw": versitygw,
    "moto": moto,
    "minio": minio,
}
