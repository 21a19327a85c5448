"""By a proxy, as the usual variables say; never for the credentials of a container."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from backends import BUCKET
from daemon import BIN
from fake_aws.certificates import Authority
from fake_s3 import FakeS3
from live import Live
from proxy import Proxy
from versions import version

URI = f"s3://{BUCKET}/cars/"
NOWHERE = "s3.invalid"  # a name that has no address: only the proxy finds it


def publish(s3: FakeS3) -> None:
    """Put version 1."""
    version(1).publish(lambda name, content: s3.store.put(BUCKET, "cars/" + name, content))


def test_http(s3: FakeS3) -> None:
    publish(s3)
    with Proxy(s3.port) as proxy:
        env = s3.env() | {"AWS_ENDPOINT_URL_S3": f"http://{NOWHERE}", "HTTP_PROXY": proxy.url}
        with Live(URI, env=env) as live:
            live.serves("v1")
        assert len(proxy.asked) >= 4
        assert all(f" http://{NOWHERE}/{BUCKET}/cars/" in line for line in proxy.asked)
    assert {seen.host for seen in s3.log} == {NOWHERE}


def test_https(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca")
    with FakeS3(tls=authority.context()) as s3, Proxy(s3.port) as proxy:
        publish(s3)
        env = s3.env() | {
            "AWS_ENDPOINT_URL_S3": f"https://127.0.0.1:{s3.port}",
            "AWS_CA_BUNDLE": str(authority.certificate),
            "HTTPS_PROXY": proxy.url,
            "NO_PROXY": "",
            "no_proxy": "",
        }
        with Live(URI, env=env) as live:
            live.serves("v1")
        assert proxy.asked and all(line.startswith("CONNECT 127.0.0.1:") for line in proxy.asked)
        assert not any(b"authorization" in head.lower() for head in proxy.heads), "the signature is inside the tunnel"


PASSWORD = "user:open-sesame"


def test_http_with_a_password(s3: FakeS3) -> None:
    publish(s3)
    with Proxy(s3.port, PASSWORD) as proxy:
        env = s3.env() | {
            "AWS_ENDPOINT_URL_S3": f"http://{NOWHERE}",
            "HTTP_PROXY": f"http://{PASSWORD}@127.0.0.1:{proxy.port}",
        }
        with Live(URI, env=env) as live:
            live.serves("v1")
            assert "open-sesame" not in live.daemon.log()


def test_https_with_a_password(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca")
    with FakeS3(tls=authority.context()) as s3, Proxy(s3.port, PASSWORD) as proxy:
        publish(s3)
        env = s3.env() | {
            "AWS_ENDPOINT_URL_S3": f"https://127.0.0.1:{s3.port}",
            "AWS_CA_BUNDLE": str(authority.certificate),
            "HTTPS_PROXY": f"http://{PASSWORD}@127.0.0.1:{proxy.port}",
            "NO_PROXY": "",
            "no_proxy": "",
        }
        with Live(URI, env=env) as live:
            live.serves("v1")
        assert proxy.asked and not any(b"AWS4-HMAC" in head for head in proxy.heads)


def test_a_wrong_password_is_told_and_never_shown(s3: FakeS3) -> None:
    publish(s3)
    with Proxy(s3.port, PASSWORD) as proxy:
        env = s3.env() | {
            "AWS_ENDPOINT_URL_S3": f"http://{NOWHERE}",
            "HTTP_PROXY": f"http://user:open-simsim@127.0.0.1:{proxy.port}",
        }
        with Live(URI, env=env) as live:
            live.fails("poll", "proxy answers 407", refused=False)
            assert "open-simsim" not in live.daemon.log() + live.ready().body.decode()
        told = subprocess.run(
            [str(BIN), "doctor", URI], env=os.environ | env, capture_output=True, text=True, check=False
        )
        assert told.returncode == 1 and "407" in told.stdout
        assert "open-simsim" not in told.stdout + told.stderr


def test_no_proxy_is_honoured(s3: FakeS3) -> None:
    publish(s3)
    with Proxy(s3.port) as proxy:
        env = s3.env() | {"HTTP_PROXY": proxy.url, "NO_PROXY": "127.0.0.1"}
        with Live(URI, env=env) as live:
            live.serves("v1")
        assert proxy.asked == []


def test_credentials_of_a_container_go_round_it(s3: FakeS3) -> None:
    publish(s3)
    with Proxy(s3.port) as proxy:
        env = s3.env() | {
            "AWS_ACCESS_KEY_ID": "",
            "AWS_SECRET_ACCESS_KEY": "",
            "AWS_ENDPOINT_URL_S3": f"http://{NOWHERE}",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": s3.url + "/credentials",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": "container-token",
            "HTTP_PROXY": proxy.url,
        }
        with Live(URI, env=env) as live:
            live.serves("v1")
        assert proxy.asked and not any("credentials" in line for line in proxy.asked)
        assert not any(b"container-token" in head for head in proxy.heads)
