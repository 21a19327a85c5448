# SPDX-License-Identifier: Apache-2.0
"""Stages of texts and tokens with words and constants that are none, doubled or special."""

from __future__ import annotations

import random
from typing import Any

from drawing import INF, NAN, Drawn, Tools, spoiled
from pyspark.ml import PipelineModel, feature
from rows import Vec
from tokens import COMMON, ODD, Doubles, Sentence, Tokens


class Texts(Tools):
    """A method a kind."""

    def _words(self, r: random.Random) -> list[str]:
        """Return words, none and doubled ones too."""
        return [r.choice((*COMMON, *ODD)) for _ in range(r.choice((0, 1, 2, 9, 90)))]

    def of_stop_words(self, r: random.Random) -> Drawn:
        """Tokenizer and StopWordsRemover, in any case."""
        case, locale = r.random() < 0.4, r.choice(("en", "el", "tr", "az", "lt", "tr_TR"))
        remover = feature.StopWordsRemover(
            inputCol="w", outputCol="x", caseSensitive=case, locale=locale, stopWords=self._words(r)
        )
        stages = [feature.Tokenizer(inputCol="s", outputCol="w"), remover]
        stages.append(feature.NGram(inputCol="x", outputCol="y", n=r.choice((1, 2, 3, 50))))
        return Drawn(f"stop words, {locale}, {case}", PipelineModel(stages=stages), (Sentence("s"),))

    def of_hashing(self, r: random.Random) -> Drawn:
        """HashingTF of any size."""
        size, column = r.choice((1, 3, 1 << 18, 1 << 30)), r.choice((Tokens("w"), Doubles("w")))
        model = feature.HashingTF(inputCol="w", outputCol="x", numFeatures=size, binary=r.random() < 0.5)
        return Drawn(f"hashes of {column.kind} to {size}", model, (column,))

    def of_counts(self, r: random.Random) -> Drawn:
        """CountVectorizerModel of words that are none or doubled, and of any limit."""
        words, limit = self._words(r) or ["a"], r.choice((0.0, 0.1, 0.5, 1.0, 1.5, 1e308))
        model = feature.CountVectorizerModel.from_vocabulary(
            words, inputCol="w", outputCol="x", minTF=limit, binary=r.random() < 0.5
        )
        return Drawn(f"counts of at least {limit}: {str(words)[:80]}", model, (Tokens("w"),))

    def of_idf(self, r: random.Random) -> Drawn:
        """IDFModel with special factors."""
        size, share = r.choice((1, 3)), r.choice((0.0, 0.5, 1.0))
        make = feature.IDF(inputCol="features", outputCol="y")
        model = self.fit(("idf", size), lambda: make.fit(self.data(size, (1.0,))))

        def change(rows: list[dict[str, Any]]) -> None:
            rows[0]["idf"] = spoiled(r, rows[0]["idf"], share)

        return Drawn(f"idf, {share:.0%} special", self.changed(model, change), (Vec("features", size=size),))

    def of_word_vectors(self, r: random.Random) -> Drawn:
        """Word2VecModel with special floats."""
        size, share = r.choice((1, 3)), r.choice((0.0, 0.2, 1.0))
        make = feature.Word2Vec(inputCol="w", outputCol="x", vectorSize=size, minCount=0, seed=1)
        data = self.spark.createDataFrame([([*COMMON, *ODD],)], ["w"])
        model = self.fit(("words", size), lambda: make.fit(data))

        def change(rows: list[dict[str, Any]]) -> None:
            for row in rows:
                special = (NAN, INF, -INF, 0.0, -0.0, 1e-45, 3e38)
                row["vector"] = [r.choice(special) if r.random() < share else v for v in row["vector"]]

        return Drawn(f"words, {share:.0%} special", self.changed(model, change), (Tokens("w"),))
