# SPDX-License-Identifier: Apache-2.0
"""Settings and stages that the exporter refuses: each by one sentence with stage, uid, reason and cure."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pyspark.ml import Pipeline, clustering, feature, fpm
from pyspark.ml.linalg import Vectors
from pyspark.sql import functions as F

from harness import Context
from results import Result
from scored_export import Refused, export
from scored_export.ops import OPS

ROWS = [(f"word {i % 3}", float(i % 2), float(1 + i % 5), Vectors.dense([i % 3, 1.0 + i])) for i in range(12)]
REFUSED: dict[str, tuple[str, Callable[[], Any]]] = {}


def refused(made: str, package: str = "") -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """Put a stage into the table, with the class that the refusal must name.

    With a package, the stage itself is what is refused, until it is an op.
    """

    def add(stage: Callable[[], Any]) -> Callable[[], Any]:
        if f"org.apache.spark.ml.{package}.{made}" in OPS:
            return stage
        REFUSED[stage.__name__] = (made, stage)
        return stage

    return add


@refused("RegexTokenizer")
def words_by_pattern() -> Any:
    return feature.RegexTokenizer(inputCol="s", outputCol="o", pattern="(?<=a)\\b{g}")


@refused("SQLTransformer")
def counts_of_groups() -> Any:
    return feature.SQLTransformer(statement="SELECT s, COUNT(*) AS n FROM __THIS__ GROUP BY s")


@refused("SQLTransformer")
def random_numbers() -> Any:
    return feature.SQLTransformer(statement="SELECT *, rand() AS o FROM __THIS__")


@refused("DCT", "feature")
def cosines() -> Any:
    return feature.DCT(inputCol="v", outputCol="o")


@refused("LocalLDAModel", "clustering")
def topics() -> Any:
    return clustering.LDA(featuresCol="v", k=2, maxIter=1, seed=1)


@refused("DistributedLDAModel", "clustering")
def topics_by_em() -> Any:
    return clustering.LDA(featuresCol="v", k=2, maxIter=1, seed=1, optimizer="em")


@refused("FPGrowthModel")
def baskets_with_nulls() -> Any:
    return fpm.FPGrowth(itemsCol="b", predictionCol="o", minConfidence=0.0)


@refused("StopWordsRemover")
def words_of_a_dictionary() -> Any:
    return feature.StopWordsRemover(inputCol="a", outputCol="o", locale="th")


@refused("HashingTF")
def slots_beyond_a_vector() -> Any:
    return feature.HashingTF(inputCol="a", outputCol="o", numFeatures=2**31 - 1)


@refused("FeatureHasher")
def slots_of_columns_beyond_a_vector() -> Any:
    return feature.FeatureHasher(inputCols=["s", "x"], outputCol="o", numFeatures=2**31 - 1)


@refused("VectorSlicer")
def slices_of_unknown_names() -> Any:
    return feature.VectorSlicer(inputCol="v", outputCol="o", names=["first"])


@refused("VectorAssembler")
def widths_that_nothing_tells() -> Any:
    return feature.VectorAssembler(inputCols=["v"], outputCol="o", handleInvalid="keep")


@refused("PolynomialExpansion")
def powers_beyond_a_thousand() -> Any:
    return feature.PolynomialExpansion(inputCol="v", outputCol="o", degree=1001)


@refused("IndexToString")
def labels_that_are_nowhere() -> Any:
    return feature.IndexToString(inputCol="y", outputCol="o")


@refused("Binarizer")
def a_threshold_that_is_no_number() -> Any:
    return feature.Binarizer(inputCol="v", outputCol="o", threshold=float("nan"))


def _frame(spark: Any) -> Any:
    made = spark.createDataFrame(ROWS, ["s", "y", "x", "v"])
    numbers = {name: F.col("x") + i for i, name in enumerate("zwe")}
    return made.withColumns({**numbers, "u": F.col("x").cast("int"), "a": F.array("s"), "b": F.array("s", F.lit(None))})


def _sentence(context: Context, name: str, folder: Path) -> str | None:
    """Return the refusal without its uid and its list of classes, None where there is none."""
    made, stage = REFUSED[name]
    data = _frame(context.session())
    model = Pipeline(stages=[stage()]).fit(data)
    try:
        export(model, folder / name, sample=data, name="refused")
    except Refused as error:
        assert (error.stage, error.uid) == (made, model.stages[0].uid), f"names {error.stage} {error.uid}: {error}"
        assert error.cure, f"no cure: {error}"
        return str(error).replace(f" {error.uid}", "", 1).partition(" of these classes:")[0]
    return None


def run(context: Context, result: Result) -> None:
    """Check that each is refused."""
    folder = Path(tempfile.mkdtemp(dir=context.work))
    for name, (made, _) in REFUSED.items():
        try:
            said, why = _sentence(context, name, folder), ""
        except Exception as error:
            said, why = None, f"{type(error).__name__}: {str(error)[:600]}"
        wrong = why or ("" if said else "exported")
        print(f"{result.note(not wrong)} {name}: {wrong or said}", flush=True)
        if said:
            result.write({"pipeline": f"refused {name}", "class": made, "refused": said, "rows": 0})
    shutil.rmtree(folder)
