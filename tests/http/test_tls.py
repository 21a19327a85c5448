"""TLS: what is spoken and to whom, that bytes and ends get through as they do without, and what goes wrong."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from certificates import Authority, Pair, pem
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from daemon import BIN, BUNDLE, ENVIRONMENT, Daemon, until
from samples import parse
from secure import Secure, context
from wire import Connection, ask, chunked, request

NDJSON = "application/x-ndjson"
HANDSHAKES = 'scored_tls_handshakes_total{outcome="%s"}'


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def server(authority: Authority) -> Pair:
    return authority.issue("server")


@pytest.fixture(scope="module")
def trusting(authority: Authority) -> ssl.SSLContext:
    return context(authority.file)


@pytest.fixture(scope="module")
def tls(server: Pair) -> Iterator[Daemon]:
    """A daemon whose public listener speaks TLS."""
    d = Daemon(*flags(server))
    yield d
    assert d.stop() == 0


def flags(pair: Pair, *more: str) -> list[str]:
    return ["--tls-cert", str(pair.cert), "--tls-key", str(pair.key), *more]


@contextlib.contextmanager
def serving(*args: str) -> Iterator[Daemon]:
    d = Daemon(*args)
    try:
        yield d
    except BaseException:
        d.process.kill()
        d.process.wait()
        raise
    assert d.stop() == 0


def asks(port: int, c: ssl.SSLContext, *args: Any, **kwargs: Any) -> Any:
    """One request on a connection of its own."""
    with Secure(port, c) as connection:
        connection.send(request(*args, **kwargs))
        reply = connection.read(head=args[0] == "HEAD")
        assert reply is not None, "no reply"
        return reply


def sample(d: Daemon, name: str) -> float:
    return parse(ask(d.admin, "GET", "/metrics").body.decode())[1][name]


def resident(d: Daemon) -> int:
    text = Path(f"/proc/{d.process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", text)[1]) << 10


def refuses(*args: str) -> str:
    """What a daemon says that does not start; one line."""
    command = [str(BIN), "serve", "--listen", "127.0.0.1:0", "--admin-listen", "off", "--model", str(BUNDLE), *args]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, env=ENVIRONMENT, check=False)
    lines = [line for line in done.stderr.splitlines() if " level=warn " not in line]
    assert done.returncode == 2 and len(lines) == 1, done
    return lines[0]


# -- what is spoken


def test_answers_are_the_plain_ones(tls, trusting, port, row, answer):
    r = asks(tls.port, trusting, "POST", "/predict", json.dumps(row))
    plain = ask(port, "POST", "/predict", json.dumps(row))
    assert (r.status, r.json) == (200, answer) and r.headers.keys() == plain.headers.keys()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_versions_that_are_spoken(tls, authority, version):
    c = context(authority.file)
    c.minimum_version = c.maximum_version = version
    with Secure(tls.port, c) as connection:
        assert connection.pipe.tls.version() == version.name.replace("_", ".")
        connection.send(request("GET", "/livez"))
        assert connection.read().status == 200


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_versions_that_are_not(tls, authority, version):
    c = context(authority.file)
    c.set_ciphers("ALL:@SECLEVEL=0")
    c.minimum_version = ssl.TLSVersion.TLSv1
    c.maximum_version = version
    with pytest.raises(ssl.SSLError, match="(?i)protocol.version"):
        Secure(tls.port, c)


@pytest.mark.parametrize("cipher", ["AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA256", "ECDHE-RSA-AES256-SHA", "DHE-RSA-AES128-GCM-SHA256", "AES256-SHA"])
def test_ciphers_that_are_not_taken(tls, authority, cipher):
    c = context(authority.file)
    c.maximum_version = ssl.TLSVersion.TLSv1_2
    c.set_ciphers(cipher + ":@SECLEVEL=0")
    with pytest.raises(ssl.SSLError, match="(?i)handshake.failure"):
        Secure(tls.port, c)


def test_a_scanner_finds_nothing_weak(tls):
    done = subprocess.run(["sslscan", "--no-colour", f"127.0.0.1:{tls.port}"], capture_output=True, text=True, timeout=300, check=True)
    enabled = re.findall(r"^(SSLv\d|TLSv1\.\d)\s+enabled", done.stdout, re.MULTILINE)
    assert enabled == ["TLSv1.2", "TLSv1.3"], done.stdout
    ciphers = re.findall(r"^(?:Preferred|Accepted)\s+(\S+)\s+\d+ bits\s+(\S+)", done.stdout, re.MULTILINE)
    assert len(ciphers) >= 6
    for version, cipher in ciphers:
        assert version == "TLSv1.3" or re.fullmatch(r"ECDHE-\w+-(AES\d+-GCM-SHA\d+|CHACHA20-POLY1305)", cipher), cipher
    assert "not vulnerable to heartbleed" in done.stdout and "vulnerable to" not in done.stdout.replace("not vulnerable", "")
    assert "Session renegotiation not supported" in done.stdout


def test_renegotiation_is_refused(tls, authority):
    """openssl s_client asks for one by a line "R"."""
    command = ["openssl", "s_client", "-tls1_2", "-CAfile", str(authority.file), "-connect", f"127.0.0.1:{tls.port}"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as p:
        time.sleep(0.5)
        said = p.communicate("R\n", timeout=20)[0]
    assert "RENEGOTIATING" in said and "no renegotiation" in said


@pytest.mark.parametrize(("offered", "chosen"), [(["h2", "http/1.1"], "http/1.1"), (["http/1.1"], "http/1.1"), (None, None)])
def test_alpn(tls, authority, offered, chosen):
    c = context(authority.file)
    if offered:
        c.set_alpn_protocols(offered)
    with Secure(tls.port, c) as connection:
        assert connection.pipe.tls.selected_alpn_protocol() == chosen
        connection.send(request("GET", "/livez"))
        assert connection.read().status == 200


def test_a_client_of_other_protocols_is_told(tls, authority):
    c = context(authority.file)
    c.set_alpn_protocols(["h2"])
    with pytest.raises(ssl.SSLError, match="(?i)no.application.protocol"):
        Secure(tls.port, c)


def test_a_session_is_resumed_by_its_ticket(tls, authority):
    c = context(authority.file)
    with socket.create_connection(("127.0.0.1", tls.port), 20) as s, c.wrap_socket(s, server_hostname="localhost") as t:
        t.sendall(request("GET", "/livez"))
        assert t.recv(65536)
        session = t.session
    with socket.create_connection(("127.0.0.1", tls.port), 20) as s, c.wrap_socket(s, server_hostname="localhost", session=session) as t:
        assert t.session_reused


# -- to whom


@pytest.fixture(scope="module")
def mutual(server: Pair, authority: Authority) -> Iterator[Daemon]:
    d = Daemon(*flags(server, "--tls-client-ca", str(authority.file)))
    yield d
    assert d.stop() == 0


def refused(d: Daemon, c: ssl.SSLContext) -> str:
    """With TLS 1.3 a client hears of its refusal when it reads."""
    with pytest.raises((ssl.SSLError, ConnectionResetError)) as told, Secure(d.port, c) as connection:
        connection.send(request("GET", "/livez"))
        connection.socket.recv(1)
    return str(told.value).lower().replace("_", " ")


def test_a_client_that_is_certified_is_answered(mutual, authority, row, answer):
    c = context(authority.file, authority.issue("client", client=True))
    assert asks(mutual.port, c, "POST", "/predict", json.dumps(row)).json == answer


def test_a_client_without_a_certificate_is_refused(mutual, trusting):
    before = sample(mutual, HANDSHAKES % "bad_certificate")
    assert "certificate required" in refused(mutual, trusting)
    assert sample(mutual, HANDSHAKES % "bad_certificate") == before + 1
    until(lambda: "peer did not return a certificate" in mutual.log(), "the line about it")


def test_a_client_of_another_authority_is_refused(mutual, authority, tmp_path):
    stranger = Authority(tmp_path, "stranger").issue("client", client=True)
    assert "unknown ca" in refused(mutual, context(authority.file, stranger))


def test_a_client_whose_certificate_has_expired_is_refused(mutual, authority):
    assert "expired" in refused(mutual, context(authority.file, authority.issue("late", client=True, days=-1)))


def test_a_certificate_for_servers_is_none_of_a_client(mutual, authority, server):
    assert "certificate" in refused(mutual, context(authority.file, server))


def test_probes_need_no_certificate_on_the_admin_listener(mutual):
    assert ask(mutual.admin, "GET", "/readyz").status == 200


def test_the_admin_listener_speaks_tls_where_it_is_told_to(server, authority, trusting, manifest):
    with serving(*flags(server, "--admin-tls")) as d:
        assert asks(d.admin, trusting, "GET", "/readyz").status == 200
        assert asks(d.port, trusting, "GET", "/readyz").status == 200
        r = asks(d.admin, trusting, "POST", f"/models/{manifest['name']}/reload", "{}")
        assert r.status == 202
        assert "https://" in ask(d.admin, "GET", "/readyz").json["detail"]


# -- files


def test_a_file_that_is_not_there(server):
    line = refuses("--tls-cert", "/none.pem", "--tls-key", str(server.key))
    assert "--tls-cert (SCORED_TLS_CERT): /none.pem: cannot be read: No such file" in line
    assert "/none.key" in refuses("--tls-cert", str(server.cert), "--tls-key", "/none.key")
    assert "--tls-client-ca" in refuses(*flags(server, "--tls-client-ca", "/none.ca"))


@pytest.mark.skipif(os.getuid() == 0, reason="root reads everything")
def test_a_key_that_may_not_be_read(authority):
    pair = authority.issue("hidden")
    pair.key.chmod(0)
    assert "fsGroup" in refuses(*flags(pair))


def test_one_without_the_other(server):
    assert "--tls-key FILE" in refuses("--tls-cert", str(server.cert))
    assert "--tls-cert FILE" in refuses("--tls-key", str(server.key))
    assert "--tls-cert FILE" in refuses("--admin-tls")


@pytest.mark.parametrize("other", [lambda: ec.generate_private_key(ec.SECP256R1()), lambda: rsa.generate_private_key(65537, 2048)])
def test_a_key_of_another_certificate(server, tmp_path, other):
    key = tmp_path / "other.key"
    key.write_bytes(pem(other()))
    key.chmod(0o600)
    line = refuses("--tls-cert", str(server.cert), "--tls-key", str(key))
    assert f"{key}: is not the key of the certificate in {server.cert}" in line


def test_a_certificate_that_has_expired(authority):
    pair = authority.issue("old", days=-2)
    line = refuses(*flags(pair))
    assert str(pair.cert) in line and re.search(r"has expired on \d{4}-\d\d-\d\dT", line) and "renew" in line


def test_a_key_with_a_password(authority, tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    pair = authority.issue("locked", key=key)
    pair.key.write_bytes(pem(key, b"secret"))
    assert "without a password" in refuses(*flags(pair))


def test_files_that_hold_something_else(authority, server, tmp_path):
    (tmp_path / "x.pem").write_text("hello")
    assert "holds no certificate" in refuses("--tls-cert", str(tmp_path / "x.pem"), "--tls-key", str(server.key))
    assert "holds no private key" in refuses("--tls-cert", str(server.cert), "--tls-key", str(tmp_path / "x.pem"))
    assert "holds no certificate of an authority" in refuses(*flags(server, "--tls-client-ca", str(tmp_path / "x.pem")))


def test_a_weak_key(authority):
    pair = authority.issue("weak", key=rsa.generate_private_key(65537, 1024))
    assert "key too small" in refuses(*flags(pair))


def test_a_key_that_everybody_may_read_is_warned_about(authority):
    pair = authority.issue("open")
    pair.key.chmod(0o644)
    with serving(*flags(pair)) as d:
        assert "everybody on this machine may read the key" in d.log() and str(pair.key) in d.log()
    pair.key.chmod(0o640)
    with serving(*flags(pair)) as d:
        assert "may read the key" not in d.log()


# -- new certificates


def mount(folder: Path, generation: str, pair: Pair) -> Pair:
    """Files as Kubernetes mounts a secret: by links through one that is replaced at once."""
    data = folder / generation
    data.mkdir(parents=True)
    shutil.copy(pair.cert, data / "tls.crt")
    shutil.copy(pair.key, data / "tls.key")
    (folder / "next").symlink_to(generation)
    (folder / "next").rename(folder / "..data")
    for file in ("tls.crt", "tls.key"):
        if not (folder / file).is_symlink():
            (folder / file).symlink_to(f"..data/{file}")
    return Pair(folder / "tls.crt", folder / "tls.key")


def serial(port: int, c: ssl.SSLContext) -> str:
    with Secure(port, c) as connection:
        return connection.pipe.tls.getpeercert()["serialNumber"]


class Load:
    """Clients that ask, over kept connections and fresh ones, until the block ends; what failed is kept."""

    def __init__(self, port: int, c: ssl.SSLContext, row: Any, answer: Any) -> None:
        self.port, self.context, self.body, self.answer = port, c, json.dumps(row), answer
        self.failed: list[str] = []
        self.answered = 0
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self._ask, args=(n,)) for n in (1, 1, 50, 50)]

    def __enter__(self) -> Load:
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        for t in self.threads:
            t.join()

    def _ask(self, requests: int) -> None:
        while not self.over.is_set():
            try:
                with Secure(self.port, self.context) as connection:
                    for _ in range(requests):
                        connection.send(request("POST", "/predict", self.body))
                        reply = connection.read()
                        if reply is None or reply.json != self.answer:
                            self.failed.append(repr(reply))
                        self.answered += 1
            except (OSError, AssertionError) as e:
                self.failed.append(repr(e))


def test_a_certificate_is_replaced_under_load(authority, tmp_path, row, answer):
    pair = mount(tmp_path, "1", authority.issue("first"))
    with serving(*flags(pair)) as d:
        c = context(authority.file)
        serials = {serial(d.port, c)}
        expiry = sample(d, "scored_tls_certificate_expiry_timestamp_seconds")
        with Load(d.port, c, row, answer) as load:
            for generation in ("2", "3"):
                mount(tmp_path, generation, authority.issue("another", days=60))
                new = until(lambda: {serial(d.port, c)} - serials, "the new certificate")
                serials |= new
        assert load.failed == [] and load.answered > 100 and len(serials) == 3
        time.sleep(1.5)  # and no more than that
        assert sample(d, "scored_tls_certificate_expiry_timestamp_seconds") > expiry + 20 * 86400
        assert sample(d, "scored_tls_certificate_reloads_total") == 2
        assert d.log().count("new connections get the new certificate") == 2


def test_a_new_certificate_that_is_wrong_is_not_taken(authority, tmp_path, trusting):
    pair = mount(tmp_path, "1", authority.issue("first"))
    with serving(*flags(pair)) as d:
        first = serial(d.port, trusting)
        broken = authority.issue("broken")
        broken.cert.write_text("-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n")
        mount(tmp_path, "2", broken)
        until(lambda: sample(d, "scored_tls_certificate_reload_errors_total") == 1, "its count")
        assert serial(d.port, trusting) == first
        assert "is not taken" in d.log() and str(pair.cert) in d.log()
        mount(tmp_path, "3", authority.issue("late", days=-1))
        until(lambda: sample(d, "scored_tls_certificate_reload_errors_total") == 2, "the count of the second")
        mount(tmp_path, "4", authority.issue("right"))
        until(lambda: serial(d.port, trusting) != first, "the right one")


def test_sighup_reads_them_again(authority, tmp_path, trusting):
    import signal

    pair = mount(tmp_path, "1", authority.issue("first"))
    with serving(*flags(pair)) as d:
        d.process.send_signal(signal.SIGHUP)
        until(lambda: sample(d, "scored_tls_certificate_reloads_total") == 1, "its count")


# -- scored health


def health(*args: str, env: dict[str, str] | None = None) -> tuple[int, str]:
    """Its exit code, and its line."""
    done = subprocess.run([str(BIN), "health", *args], capture_output=True, text=True, timeout=30, env=ENVIRONMENT | (env or {}), check=False)
    assert done.stdout == "" and done.stderr.count("\n") == (done.returncode != 0), done
    return done.returncode, done.stderr


def test_health_asks_any_listener(tls, mutual, server):
    for port in (tls.port, tls.admin, mutual.admin):
        assert health("--address", f"127.0.0.1:{port}") == (0, "")
    with serving(*flags(server, "--admin-tls")) as d:
        assert health("--address", f"127.0.0.1:{d.admin}") == (0, "")
    code, line = health("--address", f"127.0.0.1:{mutual.port}")
    assert code == 1 and "certificate required" in line


def test_health_asks_where_the_daemon_was_told_to_listen(tls):
    here, off = f"127.0.0.1:{tls.admin}", "127.0.0.1:1"
    assert health(env={"SCORED_PROBE_LISTEN": here, "SCORED_ADMIN_LISTEN": off})[0] == 0
    assert health(env={"SCORED_PROBE_LISTEN": "off", "SCORED_ADMIN_LISTEN": here, "SCORED_LISTEN": off})[0] == 0
    assert health(env={"SCORED_ADMIN_LISTEN": "off", "SCORED_LISTEN": here})[0] == 0


def test_health_says_what_is_wrong(tmp_path):
    assert "cannot connect: Connection refused" in health("--address", "127.0.0.1:1")[1]
    assert health("--address", "nonsense")[0] == 2
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        code, line = health("--address", f"127.0.0.1:{mute.getsockname()[1]}", "--timeout", "0.2")
        assert code == 1 and "does not answer" in line


# -- handshakes that go wrong


def test_a_plain_request_is_told(tls, authority):
    before = sample(tls, HANDSHAKES % "plain")
    r = ask(tls.port, "GET", "/readyz")
    assert (r.status, r.json["type"], r.headers["content-type"]) == (400, "urn:scored:bad-request", "application/problem+json")
    assert "https://" in r.json["detail"] and r.closes
    assert sample(tls, HANDSHAKES % "plain") == before + 1


def test_a_plain_request_that_is_large_is_told_too(tls):
    with Connection(tls.port) as c:
        c.send(request("POST", "/predict", "x" * 2_000_000))
        assert c.read().status == 400


@pytest.mark.parametrize("garbage", [b"\x00" * 100, b"\x16\x03\x01\xff\xff" + b"x" * 4000, b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00", b"\x80\x2e\x01\x00\x02", b"\xff" * 9])
def test_garbage_in_the_place_of_a_handshake(tls, trusting, garbage):
    with Connection(tls.port) as c:
        c.send(garbage)
        c.socket.shutdown(socket.SHUT_WR)
        while c._more():
            pass
        assert b"HTTP" not in c.pending and len(c.pending) < 20
    assert asks(tls.port, trusting, "GET", "/livez").status == 200


@pytest.mark.parametrize("sent", [b"", b"\x16", b"\x16\x03\x01\x02\x00\x01\x00"])
def test_a_handshake_that_stands_still_ends(server, trusting, sent):
    with serving(*flags(server, "--head-timeout", "0.5", "--workers", "1")) as d:
        stalled = [Connection(d.port) for _ in range(50)]
        for c in stalled:
            c.send(sent)
        began = time.monotonic()
        assert asks(d.port, trusting, "GET", "/livez").status == 200
        assert time.monotonic() - began < 0.5, "it waits for those that stand still"
        assert all(c.closed() for c in stalled)
        assert 0.3 < time.monotonic() - began < 5
        assert sample(d, HANDSHAKES % "timeout") == 50
        until(lambda: sample(d, "scored_connections") <= 1, "their places")
        for c in stalled:
            c.__exit__()


def test_handshakes_count_among_connections(server, trusting):
    """Those that stand still make room after a second; nobody who asks is kept out."""
    with serving(*flags(server, "--connections", "20", "--head-timeout", "60")) as d:
        stalled = [Connection(d.port) for _ in range(20)]
        until(lambda: sample(d, "scored_connections") >= 20, "them")
        time.sleep(1.3)
        for _ in range(30):
            assert asks(d.port, trusting, "GET", "/livez").status == 200
        assert sample(d, "scored_connections_shed_total") > 0
        for c in stalled:
            c.__exit__()


def test_above_the_cap_is_told(server, trusting):
    with serving(*flags(server, "--connections", "10")) as d:
        held = [Secure(d.port, trusting) for _ in range(10)]
        for c in held:
            c.send(request("GET", "/livez"))
            assert c.read().status == 200
        r = asks(d.port, trusting, "GET", "/livez")
        assert (r.status, r.headers["retry-after"]) == (503, "1")
        for c in held:
            c.__exit__()
        until(lambda: asks(d.port, trusting, "GET", "/livez").status == 200, "their places")


# -- bytes


def test_one_connection_is_kept(tls, trusting, row, answer):
    with Secure(tls.port, trusting) as c:
        for _ in range(200):
            c.send(request("POST", "/predict", json.dumps(row)))
            assert c.read().json == answer


def test_requests_that_come_together_are_answered_in_order(tls, trusting, row, answer):
    with Secure(tls.port, trusting) as c:
        c.send(b"".join(request("POST", "/predict", json.dumps(row), headers={"X-Request-Id": f"n{i}"}) for i in range(100)))
        for i in range(100):
            r = c.read()
            assert (r.json, r.headers["x-request-id"]) == (answer, f"n{i}")


def test_records_of_one_byte(tls, trusting, row, answer):
    with Secure(tls.port, trusting) as c:
        for byte in request("POST", "/predict", json.dumps(row)):
            c.pipe.tls.write(bytes([byte]))
        c.pipe._flush()
        assert c.read().json == answer
        for byte in request("POST", "/predict", json.dumps(row)):
            c.send(bytes([byte]))
        assert c.read().json == answer


def test_chunks(tls, trusting, row, answer):
    body = json.dumps(row).encode()
    with Secure(tls.port, trusting) as c:
        c.send(chunked("POST", "/predict", [body[:10], body[10:]]))
        assert c.read().json == answer


def send_all(c: Secure, data: bytes) -> None:
    for i in range(0, len(data), 1 << 16):
        c.pipe.sendall(data[i : i + (1 << 16)])


def curl(folder: Path, url: str, body: bytes, *more: str) -> bytes:
    """What curl is answered."""
    (folder / "body").write_bytes(body)
    command = ["curl", "-sS", "--fail", "-m", "120", url, "--data-binary", f"@{folder}/body", "-H", f"Content-Type: {NDJSON}", *more]
    return subprocess.run(command, capture_output=True, check=True).stdout


def test_streams_of_many_megabytes_are_the_plain_ones(tls, authority, port, row, tmp_path):
    lines = "".join(json.dumps(row | {"n": i}) + "\n" for i in range(40_000)).encode()
    target = "predict?columns=all&echo=n"
    plain = curl(tmp_path, f"http://127.0.0.1:{port}/{target}", lines)
    assert len(lines) > 8 << 20 and len(plain) > 8 << 20
    for version in ("1.2", "1.3"):
        how = ["--cacert", str(authority.file), "--tls-max", version]
        assert curl(tmp_path, f"https://localhost:{tls.port}/{target}", lines, *how) == plain


def test_a_slow_reader_of_a_large_reply_holds_little(server, trusting, row):
    """What it does not read stays a reply of the worker's; the rest is bounded, and comes whole in the end."""
    lines = "".join(json.dumps(row | {"n": i}) + "\n" for i in range(20_000))
    target = "/predict?columns=all&echo=n"
    with serving(*flags(server, "--write-timeout", "60", "--workers", "1")) as d:
        with Secure(d.port, trusting) as c:
            c.send(request("POST", target, lines, kind=NDJSON))
            whole = c.read().body
        before = sample(d, "scored_request_memory_bytes")
        slow = [Secure(d.port, trusting) for _ in range(3)]
        for c in slow:
            c.send(request("POST", target, lines, kind=NDJSON))
        until(lambda: sample(d, "scored_request_memory_bytes") - before > 3 * len(whole), "replies that wait")
        most = sample(d, "scored_request_memory_bytes") - before
        time.sleep(1)
        assert asks(d.port, trusting, "GET", "/livez").status == 200
        assert sample(d, "scored_request_memory_bytes") - before <= 1.2 * most
        assert all(c.read().body == whole for c in slow)
        until(lambda: sample(d, "scored_request_memory_bytes") - before < 1 << 20, "its return")
        for c in slow:
            c.__exit__()


def test_a_reader_that_never_reads_is_closed(server, trusting, row):
    lines = "".join(json.dumps(row | {"n": i}) + "\n" for i in range(1_500))
    with serving(*flags(server, "--write-timeout", "0.5")) as d, Secure(d.port, trusting) as c:
        c.send(request("POST", "/predict?columns=all", lines, kind=NDJSON))
        until(lambda: sample(d, "scored_connections_overdue_total") == 1, "its end")
        until(lambda: sample(d, "scored_connections") <= 1, "its place")


def test_a_sender_of_much_that_is_refused_reads_why(tls, trusting):
    with Secure(tls.port, trusting) as c:
        with contextlib.suppress(OSError):
            send_all(c, request("POST", "/predict", b"[" + b"1," * 4_000_000))
        assert c.read().status == 413


def test_key_updates_without_end_are_ended(tls, authority):
    """TLS 1.3: openssl s_client asks for one by a line "K"."""
    command = ["openssl", "s_client", "-tls1_3", "-CAfile", str(authority.file), "-connect", f"127.0.0.1:{tls.port}"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as p:
        time.sleep(0.5)
        for _ in range(3):
            p.stdin.write("K\n")
            p.stdin.flush()
            time.sleep(0.05)
        assert p.poll() is None, "a few are fine"
        with contextlib.suppress(BrokenPipeError):
            for _ in range(200):
                p.stdin.write("K\n")
                p.stdin.flush()
                time.sleep(0.005)
        p.wait(10)
        p.stdin = None


# -- ends


def test_a_client_that_has_ended_is_answered(tls, trusting, row, answer):
    with Secure(tls.port, trusting) as c:
        c.send(request("POST", "/predict", json.dumps(row)))
        c.pipe.end()
        assert c.read().json == answer
        assert c.closed(), "its end is answered by ours"


def test_an_end_within_a_head_is_told(tls, trusting):
    with Secure(tls.port, trusting) as c:
        c.send(b"GET /livez HTTP/1.1\r\nHost")
        c.pipe.end()
        assert c.read().status == 400


def test_the_servers_end_is_said(tls, trusting):
    with Secure(tls.port, trusting) as c:
        c.send(request("GET", "/livez", headers={"Connection": "close"}))
        assert c.read().status == 200
        assert c.socket.recv(1) == b"", "a close_notify, not a cut"
        assert c.pipe.plain.recv(1) == b"", "and TCP's end behind it"


def test_a_stream_that_is_cut_is_no_end(tls, trusting):
    """A half head and TCP's end without a close_notify: nothing is answered, as it is where the client ends."""
    with Secure(tls.port, trusting) as c:
        c.send(b"GET /livez HTTP/1.1\r\nHost")
        c.pipe.plain.shutdown(socket.SHUT_WR)
        assert c.pipe.plain.recv(65536) == b"" or b"HTTP" not in c.pending
        with pytest.raises(ConnectionResetError):
            c.pipe.incoming.write_eof()
            c.socket.recv(1)


def test_a_body_that_is_cut_is_counted(server, trusting, row):
    with serving(*flags(server)) as d:
        data = request("POST", "/predict", json.dumps(row))
        with Secure(d.port, trusting) as c:
            c.send(data[:-5])
            time.sleep(0.1)
            c.pipe.plain.shutdown(socket.SHUT_WR)
            until(lambda: sample(d, "scored_requests_cut_total") == 1, "the count")
        until(lambda: sample(d, "scored_connections") <= 1, "its place")


def test_a_record_that_was_changed_is_a_cut(tls, trusting, row):
    with Secure(tls.port, trusting) as c:
        c.pipe.tls.write(request("POST", "/predict", json.dumps(row)))
        data = bytearray(c.pipe.outgoing.read())
        data[-1] ^= 1
        c.pipe.plain.sendall(data)
        with contextlib.suppress(ConnectionResetError):
            assert c.socket.recv(65536) == b""
        assert asks(tls.port, trusting, "GET", "/livez").status == 200


def test_what_is_under_way_is_answered_at_the_end(server, trusting, row):
    """SIGTERM while replies are made and read slowly, heads come and handshakes are done: all of them are answered."""
    lines = "".join(json.dumps(row | {"n": i}) + "\n" for i in range(20_000))
    d = Daemon(*flags(server, "--workers", "1", "--drain", "30"))
    slow, half, shaking = Secure(d.port, trusting), Secure(d.port, trusting), Connection(d.port)
    slow.send(request("POST", "/predict?columns=all&echo=n", lines, kind=NDJSON))
    data = request("POST", "/predict", json.dumps(row))
    half.send(data[:-5])
    idle = Secure(d.port, trusting)
    time.sleep(0.3)
    d.terminate()
    time.sleep(0.3)
    from secure import Pipe

    shaking.socket = Pipe(shaking.socket, trusting)
    shaking.send(request("GET", "/livez"))
    r = shaking.read()
    assert r.status == 200 and r.closes and shaking.closed()
    half.send(data[-5:])
    r = half.read()
    assert r.status == 200 and r.closes and half.closed()
    time.sleep(1.5)
    assert idle.closed(), "one that is quiet is closed, and told so"
    r = slow.read()
    assert r.status == 200 and r.body.count(b"\n") == 20_000 and slow.closed()
    for c in (slow, half, shaking, idle):
        c.__exit__()
    assert d.stop() == 0


def small_reply(row: Any) -> bytes:
    """A request whose reply is larger than a small window, and fits into the sockets between relay and worker."""
    lines = "".join(json.dumps(row | {"n": i}) + "\n" for i in range(50))
    return request("POST", "/predict?columns=all&echo=n", lines, kind=NDJSON)


def test_what_a_worker_has_answered_is_delivered_at_the_end(server, trusting, row):
    """The worker has written all of it and its connection is gone; the client has yet to read."""
    d = Daemon(*flags(server, "--drain", "30"))
    with Secure(d.port, trusting, 4096) as c:
        c.send(small_reply(row))
        time.sleep(0.3)
        d.terminate()
        time.sleep(2.5)
        r = c.read()
        assert 20_000 < len(r.body) < 40_000 and r.body.count(b"\n") == 50
        assert c.closed()
    assert d.stop() == 0


def test_what_is_not_read_at_a_connections_end_is_given_up(server, trusting, row):
    with serving(*flags(server, "--write-timeout", "1", "--idle-timeout", "0.5")) as d, Secure(d.port, trusting, 4096) as c:
        c.send(small_reply(row))
        time.sleep(1)
        began = time.monotonic()
        assert sample(d, "scored_connections") == 2
        until(lambda: sample(d, "scored_connections") == 1, "its place")
        assert time.monotonic() - began < 5
        c.pipe.plain.close()


def test_ends_under_load_lose_nothing(server, authority, row, answer):
    """Clients that heed `Connection: close`, and a lame duck: no request fails but one that finds nobody listening."""
    for _ in range(3):
        d = Daemon(*flags(server, "--lame-duck", "0.5"))
        load = Load(d.port, context(authority.file), row, answer)
        load._ask = lambda n, load=load: polite(load, n)  # type: ignore[method-assign]
        load.threads = [threading.Thread(target=load._ask, args=(n,)) for n in (1, 20, 1000)]
        with load:
            time.sleep(0.7)
            assert d.stop() == 0
        assert load.failed == [] and load.answered > 20


def polite(load: Load, requests: int) -> None:
    """Asks until nobody listens."""
    while not load.over.is_set():
        try:
            connection = Secure(load.port, load.context)
        except ConnectionRefusedError:
            return
        except OSError as e:
            load.failed.append(f"handshake: {e!r}")
            return
        with connection:
            for _ in range(requests):
                connection.send(request("POST", "/predict", load.body))
                reply = connection.read()
                if reply is None or reply.json != load.answer:
                    load.failed.append(repr(reply))
                    break
                load.answered += 1
                if reply.closes:
                    break


# -- memory


def test_idle_connections_take_little(server, trusting):
    """1,000 that have asked once: what the process holds for each, and what it has counted."""
    n = 1000
    with serving(*flags(server, "--workers", "1", "--idle-timeout", "300")) as d:
        warm = [Secure(d.port, trusting) for _ in range(20)]
        for c in warm:
            c.send(request("GET", "/livez"))
            assert c.read().status == 200
        before = resident(d)
        held = []
        for _ in range(n):
            c = Secure(d.port, trusting)
            c.send(request("GET", "/livez"))
            assert c.read().status == 200
            held.append(c)
        each = (resident(d) - before) / n
        counted = sample(d, "scored_request_memory_bytes") / n
        print(f"{each / 1024:.1f} KiB each, {counted / 1024:.1f} KiB counted")
        assert "asan" in str(BIN) or "tsan" in str(BIN) or each < 64 * 1024
        for c in held + warm:
            c.pipe.plain.close()
