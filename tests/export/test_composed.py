# SPDX-License-Identifier: Apache-2.0
"""Stages that hold models, that bring stages of their own, and that replace or drop columns."""

from __future__ import annotations

import pytest
from format_check import Bundle
from pyspark.ml import Pipeline, PipelineModel
from pyspark.ml import classification as c
from pyspark.ml import evaluation as e
from pyspark.ml import feature as f
from pyspark.ml import regression as r
from pyspark.ml import tuning as t
from scored_export import Refused, explain, export

def features():
    """The vector that classifiers here are fitted on."""
    return f.VectorAssembler(inputCols=["age", "doors", "gears"], outputCol="features")


@pytest.fixture(scope="module")
def featured(cars):
    return features().transform(cars).cache()


@pytest.fixture(scope="module")
def rest(featured):
    """Return a function that fits a OneVsRest and returns the pipeline."""

    def fit(classifier, **more):
        return PipelineModel(
            stages=[features(), c.OneVsRest(classifier=classifier, labelCol="band", **more).fit(featured)]
        )

    return fit


def written(model, sample, folder, **more):
    export(model, folder, sample=sample, name="m", **more)
    return Bundle(folder)


def refused(model, sample, folder):
    with pytest.raises(Refused) as caught:
        export(model, folder, sample=sample, name="m")
    return str(caught.value)


def test_one_vs_rest_holds_a_model_a_class(rest, sample, tmp_path):
    model = rest(c.LogisticRegression(maxIter=3))
    bundle = written(model, sample, tmp_path / "live")
    stage = bundle.manifest["stages"][1]
    assert stage["op"] == "one_vs_rest" and stage["blocks"] == [] and len(stage["models"]) == 3
    assert {m["op"] for m in stage["models"]} == {"logistic_regression"}
    assert [m["outputs"] for m in stage["models"]] == [{"rawPredictionCol": ["rawPrediction"]}] * 3
    assert "s001.models.2.coefficientMatrix" in bundle.blocks
    assert [o["name"] for o in bundle.manifest["output"]] == ["prediction", "rawPrediction"]
    assert bundle.manifest["exactness"]["prediction"]["tier"] == "exact-on-platform"
    model.write().overwrite().save(str(tmp_path / "saved"))
    again = written(str(tmp_path / "saved"), sample, tmp_path / "again")
    assert again.manifest["stages"] == bundle.manifest["stages"] and again.golden == bundle.golden


def test_one_vs_rest_of_trees_is_exact(rest, sample, tmp_path):
    bundle = written(rest(c.DecisionTreeClassifier(maxDepth=2)), sample, tmp_path)
    assert bundle.manifest["exactness"]["prediction"]["tier"] == "exact"


def test_explain_says_the_same_of_models(rest, sample):
    told = explain(rest(c.GBTClassifier(maxIter=2, maxDepth=2)), sample)
    assert told.ok and [o.name for o in told.outputs] == ["prediction", "rawPrediction"]
    assert {o.tier for o in told.outputs} == {"exact-on-platform"}


def test_models_name_their_raw_prediction_as_their_holder(rest, sample, tmp_path):
    model = rest(c.LogisticRegression(maxIter=2, rawPredictionCol="other"))
    assert "PySpark needs both to be the same" in refused(model, sample, tmp_path)


def test_models_read_what_their_holder_reads(rest, sample, tmp_path):
    model = rest(c.LogisticRegression(maxIter=2))
    model.stages[1].models[1].setFeaturesCol("elsewhere")
    assert "reads another column: elsewhere" in refused(model, sample, tmp_path)


def test_a_one_vs_rest_in_a_one_vs_rest_is_named(rest, sample, tmp_path):
    model = rest(c.LogisticRegression(maxIter=2))
    model.stages[1].models[0] = rest(c.LogisticRegression(maxIter=2)).stages[1]
    assert "a OneVsRestModel of OneVsRestModel cannot be exported" in refused(model, sample, tmp_path)


def test_a_formula_is_its_stages(cars, sample, tmp_path):
    fitted = f.RFormula(formula="price ~ fuel + age + doors").fit(cars)
    bundle = written(fitted, sample.drop("price"), tmp_path)
    ops = [stage["op"] for stage in bundle.manifest["stages"]]
    assert ops == [
        "string_indexer",
        "one_hot_encoder",
        "vector_assembler",
        "vector_attribute_rewriter",
        "column_pruner",
    ]
    uids = [stage["uid"] for stage in bundle.manifest["stages"]]
    assert len(set(uids)) == len(uids)
    assert [o["name"] for o in bundle.manifest["output"]] == ["features"]
    dropped = set(bundle.manifest["stages"][-1]["inputs"]["columnsToPrune"])
    assert dropped < set(bundle.manifest["exactness"]), "what is dropped keeps its promise"
    assert [o.name for o in explain(fitted, sample).outputs] == ["features"]
    with pytest.raises(Refused, match="is not a column of the pipeline"):
        export(fitted, tmp_path, sample=sample, name="m", output=sorted(dropped)[:1])


def test_a_tuned_model_within_a_pipeline(cars, featured, sample, tmp_path):
    linear = r.LinearRegression(labelCol="price")
    tuned = t.TrainValidationSplit(
        estimator=linear,
        estimatorParamMaps=t.ParamGridBuilder().addGrid(linear.regParam, [0.0, 1.0]).build(),
        evaluator=e.RegressionEvaluator(labelCol="price"),
        seed=1,
    )
    model = PipelineModel(stages=[features(), tuned.fit(featured)])
    bundle = written(model, sample, tmp_path / "live")
    assert [stage["op"] for stage in bundle.manifest["stages"]] == ["vector_assembler", "linear_regression"]
    model.write().overwrite().save(str(tmp_path / "saved"))
    again = written(str(tmp_path / "saved"), sample, tmp_path / "again")
    assert again.manifest["stages"] == bundle.manifest["stages"]


def test_columns_may_be_imputed_in_place(cars, sample, tmp_path):
    pipeline = Pipeline(
        stages=[f.Imputer(inputCols=["slope", "age"], outputCols=["slope", "age"]), features()]
    )
    bundle = written(pipeline.fit(cars), sample, tmp_path)
    assert set(bundle.manifest["exactness"]) == {"slope", "age", "features"}
    assert [i["name"] for i in bundle.manifest["input"]] == ["age", "doors", "gears", "slope"]


@pytest.mark.parametrize("invalid", ["error", "skip", "optimistic"])
def test_a_size_hint_is_in_place(featured, tmp_path, invalid):
    hint = f.VectorSizeHint(inputCol="features", size=3, handleInvalid=invalid)
    bundle = written(hint, featured.select("features"), tmp_path)
    (stage,) = bundle.manifest["stages"]
    assert stage["outputs"] == {"outputCols": ["features"]} and stage["params"]["size"] == 3
    assert [o["name"] for o in bundle.manifest["output"]] == ["features"]
