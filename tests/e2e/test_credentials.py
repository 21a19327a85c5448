"""Every source of credentials through the daemon: first use, expiry and refresh under load, and failures."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from backends import BUCKET
from fake_aws.sigv4 import KeyPair
from fake_s3 import KEY_ID, SECRET, FakeS3
from live import Live
from versions import version

URI = f"s3://{BUCKET}/cars/"
ROLE = "arn:aws:iam::123456789012:role/reader"
OTHER_ROLE = "arn:aws:iam::123456789012:role/hub"
BASE = f"[base]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\n"
LIFETIME = 3.0
EXPIRY = "scored_credentials_expiry_timestamp_seconds"

Env = dict[str, str]
Source = Callable[[FakeS3, Path, Env], Env]


def put(s3: FakeS3) -> Callable[[str, bytes], object]:
    """Return what puts a file of the bundle."""
    return lambda name, content: s3.store.put(BUCKET, "cars/" + name, content)


def without_keys(s3: FakeS3) -> Env:
    """Return the environment of a client that has no keys yet."""
    return {name: value for name, value in s3.env().items() if "_KEY" not in name}


# -- sources: each returns what it adds to an environment without keys


def environment(s3: FakeS3, folder: Path, env: Env) -> Env:
    return {"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET}


def session(s3: FakeS3, folder: Path, env: Env) -> Env:
    key_id, pair = s3.issuer.issue("session")
    return {
        "AWS_ACCESS_KEY_ID": key_id,
        "AWS_SECRET_ACCESS_KEY": pair.secret,
        "AWS_SESSION_TOKEN": pair.token or "",
    }


def profile(s3: FakeS3, folder: Path, env: Env) -> Env:
    (folder / "credentials").write_text(BASE)
    return {"AWS_SHARED_CREDENTIALS_FILE": str(folder / "credentials"), "AWS_PROFILE": "base"}


def configured(folder: Path, config: str, profile: str = "p") -> Env:
    """Write both files."""
    (folder / "credentials").write_text(BASE)
    (folder / "config").write_text(config)
    return {
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "credentials"),
        "AWS_CONFIG_FILE": str(folder / "config"),
        "AWS_PROFILE": profile,
    }


def role(s3: FakeS3, folder: Path, env: Env) -> Env:
    return configured(folder, f"[profile p]\nrole_arn = {ROLE}\nsource_profile = base\n")


def chain(s3: FakeS3, folder: Path, env: Env) -> Env:
    return configured(
        folder,
        f"[profile p]\nrole_arn = {ROLE}\nsource_profile = hub\n"
        f"[profile hub]\nrole_arn = {OTHER_ROLE}\nsource_profile = base\nrole_session_name = hub-1\n",
    )


def role_from_container(s3: FakeS3, folder: Path, env: Env) -> Env:
    files = configured(folder, f"[profile p]\nrole_arn = {ROLE}\ncredential_source = EcsContainer\n")
    return files | container(s3, folder, env)


def web_identity(s3: FakeS3, folder: Path, env: Env) -> Env:
    (folder / "token").write_text("web-token")
    return {"AWS_ROLE_ARN": ROLE, "AWS_WEB_IDENTITY_TOKEN_FILE": str(folder / "token")}


def web_identity_in_a_profile(s3: FakeS3, folder: Path, env: Env) -> Env:
    (folder / "token").write_text("web-token")
    return configured(
        folder, f"[profile p]\nrole_arn = {ROLE}\nweb_identity_token_file = {folder / 'token'}\n"
    )


def container(s3: FakeS3, folder: Path, env: Env) -> Env:
    return {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": s3.url + "/credentials",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": "container-token",
    }


def pod_identity(s3: FakeS3, folder: Path, env: Env) -> Env:
    (folder / "pod-token").write_text("container-token")
    return {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": s3.url + "/credentials",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(folder / "pod-token"),
    }


def instance(s3: FakeS3, folder: Path, env: Env) -> Env:
    return {"AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": s3.url}


LASTING: list[Source] = [environment, session, profile]
EXPIRING: dict[str, tuple[Source, str]] = {
    "role": (role, "assume role"),
    "chain of roles": (chain, "assume role"),
    "role from a container": (role_from_container, "assume role"),
    "web identity": (web_identity, "web identity"),
    "web identity in a profile": (web_identity_in_a_profile, "web identity"),
    "container": (container, "container"),
    "pod identity": (pod_identity, "container"),
    "instance": (instance, "instance"),
}


def no_secrets(s3: FakeS3, live: Live) -> None:
    """Hold that no secret is told anywhere."""
    told = live.daemon.log() + live.metrics() + str(live.status())
    for pair in s3.keys.values():
        assert pair.secret not in told
        assert pair.token is None or pair.token not in told


@pytest.mark.parametrize("source", LASTING, ids=lambda source: source.__name__)
def test_keys_that_last(s3: FakeS3, tmp_path: Path, source: Source) -> None:
    env = without_keys(s3)
    version(1).publish(put(s3))
    with Live(URI, env=env | source(s3, tmp_path, env)) as live:
        live.serves("v1")
        version(2).publish(put(s3))
        live.serves("v2")
        assert live.metric(EXPIRY) == 0
        no_secrets(s3, live)


@pytest.mark.parametrize("name", EXPIRING)
def test_refresh_under_load(s3: FakeS3, tmp_path: Path, name: str) -> None:
    source, issued_by = EXPIRING[name]
    s3.issuer.lifetimes[issued_by] = LIFETIME
    env = without_keys(s3)
    version(1).publish(put(s3))
    with Live(URI, env=env | source(s3, tmp_path, env)) as live:
        live.serves("v1")
        assert 0 < live.metric(EXPIRY) - time.time() <= LIFETIME
        with live.traffic:
            for n in range(2, 7):
                version(n).publish(put(s3))
                live.serves(f"v{n}")
                time.sleep(1.0)
        assert live.traffic.failed == []
        assert live.traffic.seen() == [f"v{n}" for n in range(1, 7)]
        assert live.status()["reload"]["last_error"] is None
        no_secrets(s3, live)
    assert issued_by in {source for source, _ in s3.issuer.issued}
    used = {seen.key_id for seen in s3.log if seen.service == "s3" and seen.status < 400}
    assert len(used & {key_id for _, key_id in s3.issuer.issued}) >= 2, "never refreshed"
    late = [seen for seen in s3.log if seen.code == "ExpiredToken"]
    assert len(late) <= 1, "only where they expired on their way"


def test_the_old_are_kept_while_the_source_fails(s3: FakeS3, tmp_path: Path) -> None:
    s3.issuer.lifetimes["container"] = 6.0
    env = without_keys(s3)
    version(1).publish(put(s3))
    with Live(URI, env=env | container(s3, tmp_path, env)) as live:
        live.serves("v1")
        failing = s3.rules.add(action="status", status=500, service="container")
        time.sleep(2.5)
        version(2).publish(put(s3))
        live.serves("v2", 3)
        assert live.status()["reload"]["last_error"] is None
        live.fails("poll", "container", refused=False, seconds=30)  # by now they have expired
        assert live.status()["version"] == "v2"
        assert failing.acted > 0
        s3.rules.clear()
        version(3).publish(put(s3))
        live.serves("v3", 30)


def test_a_token_file_is_read_again(s3: FakeS3, tmp_path: Path) -> None:
    s3.issuer.lifetimes |= {"container": 2.0, "web identity": 2.0}
    for source, file in ((pod_identity, "pod-token"), (web_identity, "token")):
        s3.issuer.container_token, s3.issuer.web_tokens = "container-token", {"web-token"}
        env = without_keys(s3)
        version(1).publish(put(s3))
        with Live(URI, env=env | source(s3, tmp_path, env)) as live:
            live.serves("v1")
            (tmp_path / file).write_text("rotated")
            s3.issuer.container_token, s3.issuer.web_tokens = "rotated", {"rotated"}
            time.sleep(2.5)
            version(2).publish(put(s3))
            live.serves("v2")


def test_a_session_that_expires_is_told(s3: FakeS3, tmp_path: Path) -> None:
    s3.issuer.lifetimes["session"] = 3.0
    env = without_keys(s3)
    version(1).publish(put(s3))
    with Live(URI, env=env | session(s3, tmp_path, env)) as live:
        live.serves("v1")
        with live.traffic:
            live.fails("poll", "ExpiredToken", refused=False)
            time.sleep(0.5)
        assert live.traffic.failed == [] and live.traffic.seen() == ["v1"]


def test_credentials_that_expire_inside_a_download(s3: FakeS3, tmp_path: Path) -> None:
    env = without_keys(s3)
    version(1, 20 << 20).publish(put(s3))
    expiry = s3.rules.add(action="expire", path="/blocks-", nth=2)
    with Live(URI, env=env | container(s3, tmp_path, env)) as live:
        live.serves("v1")
        assert expiry.acted == 1
        assert [seen.code for seen in s3.log if seen.code == "ExpiredToken"]
        assert len(s3.issuer.issued) >= 2


def test_the_clock_is_set_right_for_sts_too(s3: FakeS3, tmp_path: Path) -> None:
    s3.skew = 1200
    env = without_keys(s3)
    version(1).publish(put(s3))
    with Live(URI, env=env | role(s3, tmp_path, env)) as live:
        live.serves("v1")


# -- files that are replaced


def rename(path: Path, text: str) -> None:
    """Replace a file as agents and sidecars do, so that its name always stands for a whole one."""
    new = path.with_name(path.name + ".new")
    new.write_text(text)
    new.replace(path)


def keys(s3: FakeS3, section: str) -> str:
    """Return a section with a new pair."""
    key_id, pair = s3.issuer.issue("file")
    return (
        f"[{section}]\naws_access_key_id = {key_id}\naws_secret_access_key = {pair.secret}\n"
        f"aws_session_token = {pair.token}\n"
    )


def new_credentials(s3: FakeS3, folder: Path) -> None:
    rename(folder / "credentials", keys(s3, "base"))


def new_credentials_in_place(s3: FakeS3, folder: Path) -> None:
    (folder / "credentials").write_text(keys(s3, "base"))


def new_config(s3: FakeS3, folder: Path) -> None:
    rename(folder / "config", keys(s3, "profile p"))


def new_web_token(s3: FakeS3, folder: Path) -> None:
    token = f"web-token-{len(s3.issuer.issued)}"
    s3.issuer.web_tokens = {token}
    rename(folder / "token", token)


def new_pod_token(s3: FakeS3, folder: Path) -> None:
    s3.issuer.container_token = f"container-token-{len(s3.issuer.issued)}"
    rename(folder / "pod-token", s3.issuer.container_token)


def profile_of_the_config(s3: FakeS3, folder: Path, env: Env) -> Env:
    return configured(folder, f"[profile p]\n{BASE.partition(chr(10))[2]}")


def role_from_a_pod(s3: FakeS3, folder: Path, env: Env) -> Env:
    files = configured(folder, f"[profile p]\nrole_arn = {ROLE}\ncredential_source = EcsContainer\n")
    return files | pod_identity(s3, folder, env)


REPLACED: dict[str, tuple[Source, Callable[[FakeS3, Path], None]]] = {
    "profile": (profile, new_credentials),
    "profile, written over": (profile, new_credentials_in_place),
    "profile of the config file": (profile_of_the_config, new_config),
    "role": (role, new_credentials),
    "chain of roles": (chain, new_credentials),
    "role from a pod": (role_from_a_pod, new_pod_token),
    "web identity": (web_identity, new_web_token),
    "web identity in a profile": (web_identity_in_a_profile, new_web_token),
    "pod identity": (pod_identity, new_pod_token),
}


def deny(s3: FakeS3) -> None:
    """Forget every pair, and take no token any more."""
    s3.keys.clear()
    s3.issuer.web_tokens, s3.issuer.container_token = set(), "none"


def expire(s3: FakeS3) -> None:
    """Let every pair expire, and take no token any more."""
    for key_id, pair in list(s3.keys.items()):
        s3.keys[key_id] = replace(pair, expires=0.0)
    s3.issuer.web_tokens, s3.issuer.container_token = set(), "none"


@pytest.mark.parametrize("name", REPLACED)
def test_files_replaced_under_load(s3: FakeS3, tmp_path: Path, name: str) -> None:
    """In time, so that nothing is refused; and after the service has told that it takes the old no more."""
    source, renew = REPLACED[name]
    env = without_keys(s3)
    version(1).publish(put(s3))
    with Live(URI, env=env | source(s3, tmp_path, env)) as live:
        live.serves("v1")
        with live.traffic:
            for n, spoil in enumerate((None, deny, expire), 2):
                old, mark = set(s3.keys), len(s3.log)
                if spoil:
                    spoil(s3)
                    live.fails("poll", "credential|S3 answers", refused=False)
                renew(s3, tmp_path)
                version(n).publish(put(s3))
                live.serves(f"v{n}")
                took = {seen.key_id for seen in s3.requests("/blocks-", mark) if seen.status == 200}
                assert took and not took & old, "the old ones went on"
                if not spoil:
                    assert [seen for seen in s3.log if seen.status >= 400] == []
        assert live.traffic.failed == []
        assert live.traffic.seen() == ["v1", "v2", "v3", "v4"]
        no_secrets(s3, live)


REFUSED = {
    "no source": (lambda s3, folder, env: {}, "credential"),
    "half a pair": (lambda s3, folder, env: {"AWS_ACCESS_KEY_ID": KEY_ID}, "AWS_SECRET_ACCESS_KEY"),
    "profile that nobody has": (
        lambda s3, folder, env: profile(s3, folder, env) | {"AWS_PROFILE": "nobody"},
        "nobody",
    ),
    "web token that is refused": (
        lambda s3, folder, env: web_identity(s3, folder, env) | {"AWS_ROLE_ARN": "arn:odd"},
        "web identity",
    ),
    "container without a token": (
        lambda s3, folder, env: {"AWS_CONTAINER_CREDENTIALS_FULL_URI": s3.url + "/credentials"},
        "container",
    ),
    "roles in a circle": (
        lambda s3, folder, env: configured(
            folder,
            f"[profile p]\nrole_arn = {ROLE}\nsource_profile = q\n"
            f"[profile q]\nrole_arn = {ROLE}\nsource_profile = p\n",
        ),
        "profile",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_missing_is_named(s3: FakeS3, tmp_path: Path, name: str) -> None:
    source, says = REFUSED[name]
    env = without_keys(s3)
    version(1).publish(put(s3))
    try:
        live = Live(URI, env=env | source(s3, tmp_path, env))
    except AssertionError as ended:  # what is wrong in the settings themselves may end it
        assert says.lower() in str(ended).lower()
        return
    with live:
        live.fails("poll", says, refused=False)
        assert live.ready().status == 503
        no_secrets(s3, live)


def test_metadata_of_version_1_is_not_used(s3: FakeS3, tmp_path: Path) -> None:
    s3.rules.add(action="status", status=403, method="PUT", service="instance")
    env = without_keys(s3)
    version(1).publish(put(s3))
    with Live(URI, env=env | instance(s3, tmp_path, env)) as live:
        live.fails("poll", refused=False)
    assert all(seen.method == "PUT" for seen in s3.log if seen.service == "instance")


def test_credentials_go_nowhere_else(s3: FakeS3, tmp_path: Path) -> None:
    with FakeS3() as other:
        s3.rules.add(action="redirect", to=other.url + "/credentials", service="container", status=302)
        env = without_keys(s3)
        with Live(URI, env=env | container(s3, tmp_path, env)) as live:
            live.fails("poll", "container", refused=False)
        assert other.log == []


def test_keys_that_are_rotated(s3: FakeS3, tmp_path: Path) -> None:
    env = without_keys(s3)
    version(1).publish(put(s3))
    with Live(URI, env=env | container(s3, tmp_path, env)) as live:
        live.serves("v1")
        for key_id, pair in list(s3.keys.items()):
            if pair.source == "container":
                s3.keys[key_id] = replace(pair, expires=0.0)  # revoked long before what was told
        version(2).publish(put(s3))
        live.serves("v2")
    assert isinstance(s3.keys[KEY_ID], KeyPair)
