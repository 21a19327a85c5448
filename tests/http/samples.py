"""Metrics, as a strict reader of the text format takes them."""

from __future__ import annotations

import re

from wire import ask

SAMPLE = re.compile(r'([a-z_]+)(?:\{((?:[a-z]\w*="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? (\S+)')


def parse(text):
    """Samples by series; checks the text format's rules on the way."""
    families, samples, order = {}, {}, []
    for line in text.splitlines():
        if line == "# EOF":
            continue
        if line.startswith("# "):
            _, what, name, rest = line.split(" ", 3)
            if what == "TYPE":
                assert name not in families, f"{name} stands twice"
                families[name] = rest
                order.append(name)
            else:
                assert what == "HELP" and rest
            continue
        found = SAMPLE.fullmatch(line)
        assert found, line
        family = next(
            f for f in (found[1], re.sub("_(total|bucket|sum|count)$", "", found[1])) if f in families
        )
        assert order[-1] == family, f"{line} stands outside its family"
        series = found[1] + (f"{{{found[2]}}}" if found[2] else "")
        assert series not in samples, f"{series} stands twice"
        samples[series] = float(found[3])
    return families, samples


def metric(port, series):
    """A sample's value; 0 where there is none."""
    return parse(ask(port, "GET", "/metrics").body.decode())[1].get(series, 0.0)
