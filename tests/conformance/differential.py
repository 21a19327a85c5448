#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Do a proxy and the daemon see the same requests? ``differential.py BIN DRIVER [--streams N] [--first N]``.

Mutated streams, made from the rows of cases.py, go through nginx and HAProxy, each as it comes and as lenient as it
can be, and straight to the daemon. DRIVER stands between proxy and daemon and reads along: see relay.h. The streams
are numbered; the same numbers are the same streams. Closes with "N passed, N failed, N skipped".
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "http"))

from cases import streams

NGINX = """
daemon off; master_process off; worker_processes 1; pid {dir}/nginx.pid; error_log {dir}/nginx.log crit;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy; fastcgi_temp_path {dir}/f;
    uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;
    client_header_timeout 1s; client_body_timeout 1s; keepalive_timeout 1s; proxy_read_timeout 5s;
    upstream strict {{ server unix:{dir}/relay-nginx.sock max_fails=0; keepalive 16; }}
    upstream lenient {{ server unix:{dir}/relay-nginx-lenient.sock max_fails=0; keepalive 16; }}
    proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header X-Request-Id px-zq-$request_id;
    proxy_next_upstream off;
    server {{ listen unix:{dir}/nginx.sock; location / {{ proxy_pass http://strict; }} }}
    server {{
        listen unix:{dir}/nginx-lenient.sock; merge_slashes off; ignore_invalid_headers off; underscores_in_headers on;
        location / {{
            proxy_pass http://lenient; proxy_request_buffering off; proxy_buffering off; proxy_set_header Host $http_host;
            proxy_set_header Connection ""; proxy_set_header X-Request-Id px-zq-$request_id;
        }}
    }}
}}
"""

HAPROXY = """
global
    nbthread 1
    maxconn 4096
defaults
    mode http
    timeout client 1s
    timeout http-request 1s
    timeout http-keep-alive 1s
    timeout connect 2s
    timeout server 5s
frontend strict
    bind unix@{dir}/haproxy.sock
    http-request set-header X-Request-Id px-zq-%[uuid()]
    default_backend strict
backend strict
    http-reuse safe
    server a unix@{dir}/relay-haproxy.sock
frontend lenient
    bind unix@{dir}/haproxy-lenient.sock
    option accept-invalid-http-request
    http-request set-header X-Request-Id px-zq-%[uuid()]
    default_backend lenient
backend lenient
    http-reuse always
    server a unix@{dir}/relay-haproxy-lenient.sock
"""

PROXIES = {
    "nginx": (NGINX, ["nginx", "nginx-lenient"], lambda conf: ["-c", conf]),
    "haproxy": (HAPROXY, ["haproxy", "haproxy-lenient"], lambda conf: ["-db", "-f", conf]),
}


def find(name: str) -> str | None:
    """Where a program is: Debian keeps some where only root looks."""
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def start_proxies(folder: Path) -> tuple[list[subprocess.Popen[bytes]], list[str]]:
    """Those that are installed, and the names of their listeners."""
    running, names = [], []
    for program, (conf, listeners, args) in PROXIES.items():
        path = find(program)
        if not path:
            print(f"{program} is not installed: 1 skipped")
            continue
        file = folder / f"{program}.conf"
        file.write_text(conf.format(dir=folder))
        with open(folder / f"{program}.out", "wb") as out:
            running.append(subprocess.Popen([path, *args(str(file))], stdout=out, stderr=out))
        names += listeners
    end = time.monotonic() + 10
    while not all((folder / f"{name}.sock").exists() for name in names):
        if time.monotonic() > end or any(p.poll() is not None for p in running):
            for out in folder.glob("*.out"):
                print(out.read_text(errors="replace"))
            raise SystemExit("a proxy does not start")
        time.sleep(0.02)
    return running, names


def main() -> int:
    """Starts all, runs the driver, stops all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bin", help="the daemon")
    parser.add_argument("driver", help="the program made of differential.c")
    parser.add_argument("--streams", type=int, default=20000)
    parser.add_argument("--first", type=int, default=0, help="number of the first stream")
    parser.add_argument("--clients", type=int, default=64)
    args = parser.parse_args()
    os.environ["SCORED_BIN"] = args.bin
    from daemon import Daemon

    with tempfile.TemporaryDirectory(prefix="scored-differential-") as name:
        folder = Path(name)
        os.chmod(folder, 0o755)
        seeds = folder / "seeds"
        seeds.write_bytes(b"".join(b"%d\n%s" % (len(s), s) for s in streams()))
        running, names = start_proxies(folder)
        daemon = Daemon()
        try:
            numbers = [str(args.streams), str(args.first), str(args.clients)]
            command = [args.driver, str(daemon.port), str(seeds), name, *numbers, *names, "direct"]
            code = subprocess.run(command, check=False).returncode
        finally:
            ended = daemon.stop()
            for p in running:
                p.terminate()
                p.wait(10)
    failed = (code != 0) + (ended != 0)
    print(f"{len(names) + 1 - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
