# SPDX-License-Identifier: Apache-2.0
"""What an export returns: the digest to programs, everything to people."""

from __future__ import annotations

import copy
import json
import pickle
from xml.etree import ElementTree

import pytest
import scored_export
from format_check import Bundle
from pyspark.ml import PipelineModel
from pyspark.ml import classification as c
from pyspark.ml import feature as f
from scored_export.result import Golden, Pruned, bytes_text


@pytest.fixture(scope="module")
def exported(spark, cars, tmp_path_factory):
    """A pipeline with a label's indexer, whose column the sample lacks, and a column that nothing reads."""
    folder = tmp_path_factory.mktemp("exported")
    label = f.StringIndexer(inputCol="band", outputCol="label", handleInvalid="keep").fit(cars)
    fuel = f.StringIndexer(inputCol="fuel", outputCol="fuel <i>", handleInvalid="keep").fit(cars)
    features = f.VectorAssembler(inputCols=["fuel <i>", "age"], outputCol="features")
    ready = features.transform(fuel.transform(label.transform(cars)))
    tree = c.DecisionTreeClassifier(labelCol="label", maxDepth=3).fit(ready)
    model = PipelineModel(stages=[label, fuel, features, tree])
    sample = cars.select("fuel", "age", "make")
    return folder, scored_export.export(model, folder, sample=sample, name="cars", version="v1"), label.uid


def test_it_is_the_digest_to_programs(exported):
    folder, result, _ = exported
    published = scored_export.versions(folder)[0].sha256
    assert result.sha256 == published and len(published) == 64
    assert result == published and published == result and hash(result) == hash(published)
    assert {published: 1}[result] == 1 and result in {published} and isinstance(result, str)
    assert result[:16] == published[:16] and len(result) == 64 and result.startswith(published[:4])
    assert f"{result}" == published and f"{result:>66}" == "  " + published
    assert json.dumps({"sha256": result}) == json.dumps({"sha256": published})
    assert "".join([result]) == published and "sha256:" + result == "sha256:" + published
    assert type(result.sha256) is str and str(result.sha256) == published
    assert scored_export.promote(result, folder).sha256 == published


def test_it_outlives_a_pickle(exported):
    _, result, _ = exported
    for again in (pickle.loads(pickle.dumps(result)), copy.deepcopy(result), copy.copy(result)):
        assert again == result and again.golden == result.golden and str(again) == str(result)


def test_it_knows_what_was_published(exported):
    folder, result, label = exported
    manifest = Bundle(folder).manifest
    assert (result.uri, result.name, result.version) == (str(folder), "cars", "v1")
    assert result.created == manifest["created"] and not result.signed
    assert [(i.name, i.type, i.nullable) for i in result.inputs] == [
        ("fuel", "string", True),
        ("age", "int", True),
    ]
    assert [(o.name, o.type, o.tier, o.ulp) for o in result.outputs] == [
        ("prediction", "double", "exact", None),
        ("probability", f"vector of {manifest['output'][1]['size']}", "exact", None),
    ]
    assert result.exactness == manifest["exactness"]
    golden = manifest["golden"]
    assert result.golden == Golden(
        golden["rows"], golden["made"], tuple(golden["leaves"]), tuple(golden["labels"])
    )
    assert result.golden.leaves[0] > 0 and result.golden.labels == (5, 5)
    assert result.pruned == (
        Pruned("make", "no stage reads it"),
        Pruned("label", "the sample lacks what StringIndexerModel makes it of", label),
    )
    assert result.files == {entry["name"]: entry["size"] for entry in manifest["files"]}


def test_people_read_it(exported):
    folder, result, _ = exported
    text = str(result)
    assert text == f"{result!s}" == "%s" % result  # noqa: UP031
    assert text.startswith("cars v1\n")
    lines = [line.split() for line in text.split("\n")]
    assert ["at", str(folder)] in lines and ["sha256", result.sha256] in lines
    assert ["inputs", "fuel", "string"] in lines and ["age", "int"] in lines
    assert "prediction   double" in text and "labels" in text and "no stage reads it" in text
    assert max(map(len, text.split("\n"))) < 130 and text == text.rstrip()
    assert repr(result).startswith("Exported('cars', version='v1', uri=")


def cells(html):
    tree = ElementTree.fromstring(html)
    return ["".join(cell.itertext()) for cell in tree.iter() if cell.tag in ("td", "th", "b")]


def test_notebooks_show_it(exported):
    _, result, _ = exported
    html = result._repr_html_()
    assert {"cars v1", "sha256", result.sha256, "prediction", "exact", "make", "no stage reads it"} <= {
        *cells(html)
    }


def test_what_is_shown_is_no_markup(spark, cars, tmp_path):
    stage = f.Binarizer(inputCol="slope", outputCol="<b>&", threshold=0.5)
    result = scored_export.export(stage, tmp_path, sample=cars.select("slope"), name="m")
    assert "<b>&" in cells(result._repr_html_())
    assert "<b>&" in str(result)


def test_sizes():
    sizes = (0, 999, 1000, 1234567, 10**15, 10**18)
    assert [bytes_text(n) for n in sizes] == [
        *("0 bytes", "999 bytes", "1.0 kB", "1.2 MB", "1000.0 TB", "1000000.0 TB"),
    ]
