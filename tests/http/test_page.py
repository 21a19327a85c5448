# SPDX-License-Identifier: Apache-2.0
"""The page for people: what is sent, and what a browser makes of it."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from browser import Browser
from daemon import TOP, Daemon
from wire import Connection, ask, request

HTML = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
SOURCE = (TOP / "src/http/page.html").read_bytes()
SECOND = TOP / "tests/ops/bundles/bucketizer.open_skip"

# -- what is sent


def test_a_browser_gets_the_page(port: int) -> None:
    reply = ask(port, "GET", "/", headers=HTML)
    assert (reply.status, reply.body) == (200, SOURCE)
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert reply.headers["cache-control"] == "no-cache" and reply.headers["x-content-type-options"] == "nosniff"
    packed = ask(port, "GET", "/", headers=HTML | {"Accept-Encoding": "gzip"})
    assert gzip.decompress(packed.body) == SOURCE and packed.headers["etag"] == reply.headers["etag"]


def test_the_policy_allows_what_stands_in_the_page_and_no_more(port: int) -> None:
    policy = ask(port, "GET", "/", headers=HTML).headers["content-security-policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    for tag, rule in ((b"style", "style-src"), (b"script", "script-src")):
        (text,) = re.findall(rb"<%s>(.*?)</%s>" % (tag, tag), SOURCE, re.S)
        assert rules.pop(rule) == f"'sha256-{base64.b64encode(hashlib.sha256(text).digest()).decode()}'"
    assert rules == {
        "default-src": "'none'",
        "connect-src": "'self'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    assert not re.search(rb"https?://(?!www\.w3\.org/2000/svg)|\son\w+=|style=|@import|\burl\(", SOURCE)


def test_what_is_known_is_not_sent_again(port: int) -> None:
    tag = ask(port, "GET", "/", headers=HTML).headers["etag"]
    with Connection(port) as c:
        for known in (tag, tag.removeprefix("W/"), f'"other", {tag}', "*"):
            c.send(request("GET", "/", headers=HTML | {"If-None-Match": known}))
            reply = c.read(head=True)
            assert reply and (reply.status, reply.headers["etag"]) == (304, tag), known
        for other in ('"other"', 'W/"98"', ""):
            c.send(request("GET", "/", headers=HTML | {"If-None-Match": other}))
            reply = c.read()
            assert reply and (reply.status, reply.body) == (200, SOURCE)


def test_others_are_told_that_nothing_is_there(daemon: Daemon) -> None:
    asked: list[tuple[int, str, dict[str, str]]] = [
        (daemon.port, "GET", {}),
        (daemon.port, "GET", {"Accept": "*/*"}),
        (daemon.port, "GET", {"Accept": "application/json"}),
        (daemon.port, "GET", {"Accept": "text/html;q=0, */*"}),
        (daemon.port, "POST", HTML),
        (daemon.admin, "GET", HTML),
    ]
    for port, method, headers in asked:
        reply = ask(port, method, "/", b"" if method == "POST" else None, headers=headers)
        assert (reply.status, reply.json["type"]) == (404, "urn:scored:not-found"), (method, headers)
        assert not any(path.endswith(" /") for path in reply.json["paths"])
    assert "/" not in ask(daemon.port, "GET", "/openapi.json").json["paths"]


# -- what a browser makes of it


@pytest.fixture(scope="module")
def page() -> Iterator[Browser]:
    b = Browser()
    yield b
    b.close()


@pytest.fixture
def opened(page: Browser, port: int) -> Browser:
    page.events.clear()
    page.view(1200, 900)
    page.open(f"http://127.0.0.1:{port}/")
    page.until("document.querySelectorAll('.field').length > 3 && $('state').textContent.startsWith('ready')")
    return page


def check_quiet(b: Browser, port: int) -> None:
    """Nothing was complained of, and nobody else asked."""
    assert b.told() == []
    asked = [url for url in b.asked() if not url.startswith("data:")]
    assert asked and all(url.startswith(f"http://127.0.0.1:{port}/") for url in asked), asked


def value(b: Browser) -> str:
    """The first number that is answered."""
    return b.until("document.querySelector('.answers dd') && document.querySelector('.answers dd').textContent")


def test_the_example_is_filled_in_and_scored(opened: Browser, port: int, manifest: dict[str, Any], row: dict[str, Any]) -> None:
    assert opened.run("document.querySelectorAll('.field').length") == len(manifest["input"])
    sent = json.loads(opened.run("body()"))
    assert sent == row
    opened.run("document.querySelector('button.main').click()")
    plain = ask(port, "POST", "/predict", json.dumps(row)).body
    assert value(opened) == re.search(rb'"prediction":([^,}]+)', plain)[1].decode()  # type: ignore[index]
    command = opened.run("$('curl').textContent")
    told = subprocess.run(["bash", "-c", command], capture_output=True, check=True)
    assert told.stdout == plain
    check_quiet(opened, port)


def test_a_changed_field_changes_the_answer(opened: Browser, port: int, row: dict[str, Any], text_field: str) -> None:
    odd = "it's $HOME \"quoted\" \\ é"
    opened.run(f"""(() => {{
        const f = fields.find(f => f.name === {json.dumps(text_field)});
        f.set({json.dumps(odd)});
        f.control.dispatchEvent(new Event('input', {{ bubbles: true }}));
        document.querySelector('button.main').click();
    }})()""")
    plain = ask(port, "POST", "/predict", json.dumps(row | {text_field: odd})).body
    assert value(opened) == json.dumps(json.loads(plain)["prediction"])
    told = subprocess.run(["bash", "-c", opened.run("$('curl').textContent")], capture_output=True, check=True)
    assert told.stdout == plain
    check_quiet(opened, port)


def test_the_keyboard_is_enough(opened: Browser, port: int) -> None:
    opened.run("$('form').querySelector('input:not([hidden]), select').focus()")
    for _ in range(60):
        if opened.run("document.activeElement.className") == "main":
            break
        opened.press("Tab", 9)
    assert opened.run("document.activeElement.className") == "main"
    assert opened.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    opened.press("Enter", 13, "\r")
    assert float(value(opened))
    check_quiet(opened, port)


def test_a_problem_is_shown_at_its_field(opened: Browser, port: int, manifest: dict[str, Any]) -> None:
    number = next(f["name"] for f in manifest["input"] if f["type"] == "int")
    opened.run(f"fields.find(f => f.name === {json.dumps(number)}).set('many'); document.querySelector('button.main').click()")
    assert number in opened.until("document.querySelector('.bad') && $('answer').textContent")
    assert opened.run("document.activeElement.getAttribute('aria-invalid')") == "true"
    assert opened.run("document.activeElement.labels[0].textContent") == number
    assert all("422" in line for line in opened.told())  # the browser itself tells of the status


def test_charts_follow_what_is_asked(opened: Browser, port: int, row: dict[str, Any]) -> None:
    for _ in range(2):
        for _ in range(20):
            ask(port, "POST", "/predict", json.dumps(row))
        opened.run("new Promise(done => setTimeout(done, 1500)).then(tick)")
    assert opened.until("past.some(p => p.rate > 1 && p.p50 > 0 && p.p99 >= p.p50)")
    assert opened.run("document.querySelectorAll('#rate-chart path').length") == 2
    check_quiet(opened, port)


def contrast(b: Browser) -> list[str]:
    """Texts whose contrast is below 4.5 (WCAG 2, AA)."""
    return b.run("""(() => {
        const light = c => { const [r, g, b] = c.match(/[\\d.]+/g).map(v => { v /= 255;
            return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; }); return .2126 * r + .7152 * g + .0722 * b; };
        const behind = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
            if (!/, 0\\)$/.test(c)) return c; } return 'rgb(255, 255, 255)'; };
        return [...document.body.querySelectorAll('*')].filter(e => e.offsetParent &&
            [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())).filter(e => {
            const [a, b] = [light(getComputedStyle(e).color), light(behind(e))].sort((x, y) => y - x);
            return (a + .05) / (b + .05) < 4.5; }).map(e => e.tagName + ': ' + e.textContent.slice(0, 40));
    })()""")


@pytest.mark.parametrize(("width", "scheme"), [(1200, "light"), (1200, "dark"), (375, "light"), (320, "dark")])
def test_it_can_be_read(opened: Browser, width: int, scheme: str) -> None:
    opened.view(width, 800, scheme)
    opened.run("document.querySelector('button.main').click()")
    value(opened)
    assert opened.run("document.documentElement.scrollWidth") <= width
    assert contrast(opened) == []
    unlabelled = "[...document.querySelectorAll('input, select')].filter(e => !e.labels.length && !e.ariaLabel).length"
    assert opened.run(unlabelled) == 0


def test_another_model_can_be_chosen(page: Browser) -> None:
    d = Daemon(models=(f"a={SECOND}", f"days_to_sell={TOP / 'models/days_to_sell/bundle'}"))
    try:
        page.events.clear()
        page.open(f"http://127.0.0.1:{d.port}/")
        page.until("document.querySelectorAll('.field').length > 0 && $('state').textContent.startsWith('ready')")
        page.run("$('model').value = 'days_to_sell'; $('model').dispatchEvent(new Event('change'))")
        page.until("document.querySelectorAll('.field').length > 5")
        page.run("document.querySelector('button.main').click()")
        assert float(value(page))
        check_quiet(page, d.port)
    finally:
        page.open("about:blank")
        assert d.stop() == 0
