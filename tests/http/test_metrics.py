"""What metrics count: requests by model, stages, waits, what comes in and goes out beside training, the process."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from daemon import BUNDLE, TOP, Daemon, until
from samples import metric, parse
from wire import Connection, ask, request

TRACE = "0af7651916cd43dd8448eb211c80319c"
OPEN = {"Accept": "application/openmetrics-text"}


def scrape(port: int) -> dict[str, float]:
    """All samples."""
    return parse(ask(port, "GET", "/metrics").body.decode())[1]


def total(samples: dict[str, float], name: str, *labels: str) -> float:
    """The sum of a family's samples that have these labels."""
    return sum(v for k, v in samples.items() if k.partition("{")[0] == name and all(label in k for label in labels))


def changed(folder: Path, change: Callable[[dict[str, Any]], object]) -> str:
    """The example's bundle with another profile."""
    shutil.copytree(BUNDLE, folder)
    manifest = json.loads((folder / "bundle.json").read_text())
    listed = next(f for f in manifest["files"] if f["role"] == "profile")
    profile = json.loads((folder / listed["name"]).read_text())
    data = change(profile)
    data = data if isinstance(data, bytes) else json.dumps(profile).encode()
    digest = hashlib.sha256(data).hexdigest()
    listed |= {"name": f"profile-{digest[:16]}.json", "size": len(data), "sha256": digest}
    (folder / listed["name"]).write_bytes(data)
    (folder / "bundle.json").write_text(json.dumps(manifest))
    return str(folder)


# -- requests


def test_each_model_has_its_requests(row: dict[str, Any]) -> None:
    d = Daemon(models=(f"one={BUNDLE}", f"two={BUNDLE}"))
    try:
        for name, n in (("one", 3), ("two", 5)):
            for _ in range(n):
                ask(d.port, "POST", f"/models/{name}/predict", json.dumps(row))
        ask(d.port, "POST", "/models/three/predict", json.dumps(row))
        s = scrape(d.port)
    finally:
        assert d.stop() == 0
    route = 'route="/models/{name}/predict"'
    counts = [total(s, "scored_requests_total", route, f'model="{name}",status="200"') for name in ("one", "two")]
    assert counts == [3, 5] and s[f'scored_requests_total{{{route},status="404"}}'] == 1
    for name, n in (("one", 3), ("two", 5)):
        assert s[f'scored_request_duration_seconds_count{{{route},model="{name}"}}'] == n
        for stage in ("parse", "score", "encode"):
            assert s[f'scored_stage_duration_seconds_count{{model="{name}",stage="{stage}"}}'] == n
            assert s[f'scored_stage_duration_seconds_sum{{model="{name}",stage="{stage}"}}'] > 0
    assert "three" not in str(list(s))


def test_stages_take_part_of_the_request(row: dict[str, Any]) -> None:
    d = Daemon()
    try:
        for _ in range(20):
            ask(d.port, "POST", "/predict", json.dumps([row] * 50))
        s = scrape(d.port)
    finally:
        assert d.stop() == 0
    stages = total(s, "scored_stage_duration_seconds_sum")
    assert 0 < stages < total(s, "scored_request_duration_seconds_sum", 'route="/predict"')
    for stage in ("parse", "score", "encode"):
        counts = [v for k, v in s.items() if k.startswith("scored_stage_duration_seconds_bucket") and f'"{stage}"' in k]
        assert len(counts) == 16 and counts == sorted(counts) and counts[-1] == 20 and counts[0] < 20


def test_requests_in_flight(port: int) -> None:
    assert metric(port, "scored_requests_in_flight") == 1
    with Connection(port) as c:
        c.send(request("POST", "/predict", b"{" * 100)[:-50])
        until(lambda: metric(port, "scored_requests_in_flight") == 2, "a request that has begun")
    until(lambda: metric(port, "scored_requests_in_flight") == 1, "its end")


def test_long_requests_tell_how_long_they_waited(row: dict[str, Any]) -> None:
    d = Daemon("--queue-wait", "60")
    try:
        for _ in range(3):
            assert ask(d.port, "POST", "/predict", json.dumps([row] * 2000)).status == 200
        s = scrape(d.port)
    finally:
        assert d.stop() == 0
    assert s["scored_queue_wait_seconds_count"] == 3 >= s["scored_requests_suspended_total"] > 0
    assert 0 < s["scored_queue_wait_seconds_sum"] < 60
    assert s['scored_queue_wait_seconds_bucket{le="+Inf"}'] == s["scored_queue_wait_seconds_count"]


def exemplars(port: int) -> list[str]:
    """Lines with an exemplar."""
    return [line for line in ask(port, "GET", "/metrics", headers=OPEN).body.decode().splitlines() if " # " in line]


def test_exemplars_name_traces_that_are_kept(row: dict[str, Any]) -> None:
    d = Daemon()
    try:
        ask(d.port, "POST", "/predict", json.dumps(row), headers={"traceparent": f"00-{TRACE}-b7ad6b7169203331-00"})
        assert exemplars(d.port) == []
        ask(d.port, "POST", "/predict", json.dumps(row), headers={"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"})
        told = exemplars(d.port)
        plain = ask(d.port, "GET", "/metrics").body.decode()
    finally:
        assert d.stop() == 0
    assert len(told) == 1 and TRACE not in plain
    found = re.fullmatch(
        r'scored_request_duration_seconds_bucket\{route="/predict",model="\w+",le="([^"]+)"\} \d+'
        rf' # \{{trace_id="{TRACE}"\}} ([0-9.]+) ([0-9]+\.[0-9]{{3}})',
        told[0],
    )
    assert found and 0 < float(found[2]) <= float(found[1].replace("+Inf", "inf"))


# -- what comes in and goes out


def watched(bundle: str, rows: list[dict[str, Any]], query: str = "") -> dict[str, float]:
    """Samples after a model was asked."""
    d = Daemon(models=(bundle,))
    try:
        r = ask(d.port, "POST", "/predict" + query, json.dumps(rows))
        assert r.status == 200
        return scrape(d.port)
    finally:
        assert d.stop() == 0


def of_feature(samples: dict[str, float], kind: str, feature: str) -> float | None:
    """A feature's count; None where it is not counted."""
    end = f',feature="{feature}"}}'
    found = [v for k, v in samples.items() if k.startswith(f"scored_feature_{kind}") and k.endswith(end)]
    return found[0] if found else None


def test_features_beside_training(row: dict[str, Any], manifest: dict[str, Any]) -> None:
    rows = [
        row,
        row | {"make": "Zonda", "mileage": 1e9},
        row | {"make": "Zonda", "mileage": None, "colour": None},
        row | {"mileage": -1},
        row | {"make": 17, "mileage": 1e9},  # no row at all
    ]
    s = watched(str(BUNDLE), rows)
    assert of_feature(s, "unseen_category_total", "make") == 2
    assert of_feature(s, "out_of_range_total", "mileage") == 2
    assert [of_feature(s, "missing_total", name) for name in ("mileage", "colour", "make")] == [1, 1, 0]
    assert sum(v for k, v in s.items() if k.startswith("scored_feature_") and "_total" in k) == 6
    assert f'model="{manifest["name"]}",version="{manifest["version"]}",feature="make"' in str(list(s))
    assert of_feature(s, "unseen_category_total", "mileage") is None
    assert of_feature(s, "out_of_range_total", "make") is None
    assert of_feature(s, "trained_missing_ratio", "make") == 0
    assert 0 < of_feature(s, "trained_missing_ratio", "colour") < 0.1


def test_training_knows_its_ends_and_categories(row: dict[str, Any]) -> None:
    profile = json.loads(next(BUNDLE.glob("profile-*.json")).read_text())["columns"]
    rows = [row | {"mileage": profile["mileage"][end]} for end in ("min", "max")]
    rows += [row | {"make": value} for value, _ in profile["make"]["categories"]]
    s = watched(str(BUNDLE), rows)
    assert total(s, "scored_feature_unseen_category_total") == total(s, "scored_feature_out_of_range_total") == 0


def test_what_the_profile_does_not_tell_is_not_counted(row: dict[str, Any], tmp_path: Path) -> None:
    def less(profile: dict[str, Any]) -> None:
        columns = profile["columns"]
        columns["make"]["other"] = 1
        del columns["fuel"], columns["price"]["max"]
        columns["photos"]["min"] = "many"
        columns["body"]["categories"] = [["Estate"], [7, 1]]
        profile["outputs"] = {}

    rows = [row | {"make": "a", "fuel": "b", "price": 2**30, "photos": 10**6}]
    rows[0] |= {"body": "c", "model": "d", "region": None}
    s = watched(changed(tmp_path / "bundle", less), rows)
    for name in ("make", "fuel", "body"):
        assert of_feature(s, "unseen_category_total", name) is None
    for name in ("price", "photos"):
        assert of_feature(s, "out_of_range_total", name) is None
    assert of_feature(s, "unseen_category_total", "model") == of_feature(s, "missing_total", "region") == 1
    assert of_feature(s, "trained_missing_ratio", "fuel") is None
    assert not [k for k in s if k.startswith("scored_prediction")]


NO_PROFILES = [b"", b"[]", b"7", b"{}", b'{"rows":{},"columns":7,"outputs":[]}', b"{" + b" " * (1 << 20) + b"}"]


@pytest.mark.parametrize("profile", NO_PROFILES, ids=["empty", "list", "number", "nothing", "wrong", "large"])
def test_a_profile_that_is_none_costs_nothing_else(
    row: dict[str, Any], answer: Any, tmp_path: Path, profile: bytes
) -> None:
    d = Daemon(models=(changed(tmp_path / "bundle", lambda _: profile),))
    try:
        assert ask(d.port, "POST", "/predict", json.dumps(row | {"colour": None})).status == 200
        assert ask(d.port, "POST", "/predict", json.dumps(row)).json == answer
        s = scrape(d.port)
    finally:
        assert d.stop() == 0
    assert of_feature(s, "missing_total", "colour") == 1 and total(s, "scored_feature_missing_total") == 1
    assert not [k for k in s if "category" in k or "range" in k or "trained" in k or k.startswith("scored_prediction")]


@pytest.mark.parametrize(("known", "outside"), [(0, 1), (3, 0)])
def test_nan_is_outside_unless_training_had_some(
    row: dict[str, Any], tmp_path: Path, known: int, outside: int
) -> None:
    def nans(profile: dict[str, Any]) -> None:
        profile["columns"]["price_ratio"]["nans"] = known

    s = watched(changed(tmp_path / "bundle", nans), [row | {"price_ratio": "NaN"}])
    assert of_feature(s, "out_of_range_total", "price_ratio") == outside


def test_predictions_that_are_alike_share_a_bound(row: dict[str, Any], tmp_path: Path) -> None:
    def alike(profile: dict[str, Any]) -> None:
        profile["outputs"]["prediction"]["quantiles"] = [1.0] * 33 + [2.0] * 68

    s = watched(changed(tmp_path / "bundle", alike), [row])
    assert [v for k, v in s.items() if k.startswith("scored_prediction_trained_ratio")] == [0.32, 1]


def predictions(samples: dict[str, float]) -> list[tuple[float, float]]:
    """Bounds and counts of the histogram of predictions."""
    found = [(re.search(r'le="([^"]+)"', k), v) for k, v in samples.items() if k.startswith("scored_prediction_bucket")]
    return [(float(le[1].replace("+Inf", "inf")), v) for le, v in found if le]


@pytest.mark.parametrize(
    ("query", "n"), [("", 3), ("?columns=prediction", 3), ("?columns=all", 3), ("?columns=age_months_filled", 0)]
)
def test_predictions_are_counted(row: dict[str, Any], answer: dict[str, float], query: str, n: int) -> None:
    s = watched(str(BUNDLE), [row] * 3, query)
    value = answer["prediction"]
    quantiles = json.loads(next(BUNDLE.glob("profile-*.json")).read_text())["outputs"]["prediction"]["quantiles"]
    told = predictions(s)
    assert [le for le, _ in told] == [*quantiles[5::5], float("inf")]
    assert [count for _, count in told] == [n if value <= le else 0 for le, _ in told]
    shares = [(re.search(r'at_most="([^"]+)"', k), v) for k, v in s.items() if k.startswith("scored_prediction_trained_ratio")]
    assert [(float(le[1]), v) for le, v in shares if le] == [(q, (5 + 5 * i) / 100) for i, q in enumerate(quantiles[5::5])]
    assert total(s, "scored_prediction_count") == n
    assert total(s, "scored_prediction_sum") == pytest.approx(n * value, rel=1e-14)


def test_other_columns_are_in_order(row: dict[str, Any], tmp_path: Path) -> None:
    """Bounds that are equal stand once."""

    def flat(profile: dict[str, Any]) -> None:
        profile["outputs"]["prediction"]["quantiles"] = [0.1 + 0.2] * 60 + ["NaN"] * 10 + [0.3] * 11 + ["Infinity"] * 20

    told = predictions(watched(changed(tmp_path / "bundle", flat), [row]))
    assert [le for le, _ in told] == [0.1 + 0.2, float("inf")]


def test_a_new_version_counts_from_nothing(row: dict[str, Any], tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    shutil.copytree(BUNDLE, folder)
    d = Daemon("--poll", "3600", models=(f"cars={folder}",))
    try:
        ask(d.port, "POST", "/predict", json.dumps(row | {"make": "Zonda"}))
        assert total(scrape(d.port), "scored_feature_unseen_category_total", 'feature="make"') == 1
        manifest = json.loads((folder / "bundle.json").read_text())
        (folder / "part").write_text(json.dumps(manifest | {"version": "next"}))
        (folder / "part").rename(folder / "bundle.json")
        assert ask(d.admin, "POST", "/models/cars/reload", b"{}").status == 202
        until(lambda: total(scrape(d.port), "scored_model_info", 'version="next"'), "the next version")
        s = scrape(d.port)
    finally:
        assert d.stop() == 0
    assert total(s, "scored_feature_unseen_category_total") == 0
    assert 'version="next",feature="make"' in str(list(s)) and manifest["version"] not in str(list(s))


# -- the process, and readers


def test_the_process(daemon: Daemon) -> None:
    s = scrape(daemon.port)
    folder = Path(f"/proc/{daemon.process.pid}")
    size, resident = (int(n) * os.sysconf("SC_PAGESIZE") for n in (folder / "statm").read_text().split()[:2])
    assert abs(s["process_virtual_memory_bytes"] - size) < 1e7
    assert 0.5 < s["process_resident_memory_bytes"] / resident < 2
    assert abs(s["process_open_fds"] - len(list((folder / "fd").iterdir()))) <= 1  # the connection of the question
    assert s["process_max_fds"] >= s["process_open_fds"] > 5
    assert 0 < s["process_cpu_seconds_total"] < 1000
    assert abs(s["process_start_time_seconds"] - folder.stat().st_ctime) < 30
    assert total(s, "scored_build_info") == 1


def test_promtool_has_nothing_to_say(port: int, row: dict[str, Any]) -> None:
    promtool = os.environ.get("PROMTOOL", "promtool")
    ask(port, "POST", "/predict", json.dumps(row))
    text = ask(port, "GET", "/metrics").body
    done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_models_of_other_kinds_are_watched() -> None:
    bundles = TOP / "tests" / "ops" / "bundles"
    d = Daemon(models=(f"a={bundles / 'bucketizer.closed_keep'}", f"b={bundles / 'imputer.integers'}"))
    try:
        assert ask(d.port, "POST", "/models/a/predict", json.dumps([{"a": "NaN"}, {"a": 1e300}])).status == 200
        assert ask(d.port, "POST", "/models/b/predict", json.dumps({"a": 1, "b": 2, "c": 3, "d": 2**62})).status == 200
        s = scrape(d.port)
    finally:
        assert d.stop() == 0
    assert total(s, "scored_feature_out_of_range_total", 'model="a"') == 0
    assert total(s, "scored_feature_missing_total", 'model="b"') == 0
