# SPDX-License-Identifier: Apache-2.0
"""Models of which a part is refused, or that answer otherwise once they are loaded."""

from __future__ import annotations

import json

import pytest
from pyspark.ml.clustering import LDA, KMeans, KMeansModel
from pyspark.ml.feature import FeatureHasher, Interaction
from pyspark.ml.linalg import Vectors
from scored_export import Refused, export
from scored_export.ops.hashers import murmur3


@pytest.fixture(scope="module")
def points(spark):
    rows = [(Vectors.dense([float(i % 5) + 1.0, float(i % 3) - 4.0]), float(i % 2)) for i in range(30)]
    return spark.createDataFrame(rows, ["v", "y"])


def params(folder):
    return json.loads((folder / "bundle.json").read_text())["stages"][0]["params"]


def test_a_cosine_model_answers_by_the_distance_it_has(points, tmp_path):
    """Spark loses the measure when it loads the model, and so does what is exported from the saved one."""
    model = KMeans(featuresCol="v", k=2, seed=1, distanceMeasure="cosine").fit(points)
    model.save(str(tmp_path / "saved"))
    for what, name, measure in (
        (model, "live", "cosine"),
        (KMeansModel.load(str(tmp_path / "saved")), "loaded", "euclidean"),
        (str(tmp_path / "saved"), "path", "euclidean"),
    ):
        export(what, tmp_path / name, sample=points.select("v"), name="m")
        assert params(tmp_path / name)["distanceMeasure"] == measure


def test_a_distributed_lda_is_refused_but_not_its_local_model(spark, tmp_path):
    rows = spark.createDataFrame([(Vectors.dense([1.0, float(i)]),) for i in range(9)], ["v"])
    model = LDA(k=2, optimizer="em", featuresCol="v", maxIter=2).fit(rows)
    with pytest.raises(Refused, match="draws at random anew") as caught:
        export(model, tmp_path / "em", sample=rows, name="m")
    assert caught.value.uid == model.uid and "toLocal()" in caught.value.cure
    export(model.toLocal().setFeaturesCol("v"), tmp_path / "local", sample=rows, name="m")
    assert set(params(tmp_path / "local")) == {"topicsMatrix", "docConcentration", "draw"}


def test_an_interaction_of_a_vector_needs_its_attributes(points, tmp_path):
    stage = Interaction(inputCols=["v", "y"], outputCol="o")
    with pytest.raises(Refused, match="v") as caught:
        export(stage, tmp_path, sample=points, name="m")
    assert caught.value.uid == stage.uid and caught.value.cure


def test_slots_of_names_are_spark_s(spark):
    """The exporter hashes by itself, to know where real columns meet."""
    frame = spark.createDataFrame([(1.0,) * 7], ["real", "a", "", "zéro", "日本語", "abcd", "abcdefghi"])
    for name in frame.columns:
        if name:
            made = FeatureHasher(inputCols=[name], outputCol="o", numFeatures=1000).transform(frame)
            assert made.first()["o"].indices.tolist() == [murmur3(name) % 1000]
