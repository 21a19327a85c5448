# SPDX-License-Identifier: Apache-2.0
"""Stages that make tokens of texts, and vectors of tokens."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from scored_export.blocks import f64, string_list, u32, vector
from scored_export.errors import Refused
from scored_export.java_regex import translate
from scored_export.needs import LOCALE, LOWER, THAI
from scored_export.ops.base import Built, Reading
from scored_export.saved import SavedStage, release
from scored_export.values import number, saved_number

SPARK_2_HASH = 1


def tokenizer(r: Reading) -> Built:
    """Tokenizer, whose lower case is that of the JVM's language."""
    return Built({}, needs={"outputCols": {LOWER, LOCALE}})


def regex_tokenizer(r: Reading) -> Built:
    """RegexTokenizer; what is left of its pattern stands in for it, which is told beside."""
    params = r.saved.params
    pattern = r.saved.once("expression", lambda: translate(r.saved.spark, str(params["pattern"])))
    ends = itertools.accumulate((len(ranges) for ranges in pattern.sets), initial=0)
    blocks = {
        f"{r.prefix}.sets.offsets": u32(list(ends)),
        f"{r.prefix}.sets.ranges": u32([code for ranges in pattern.sets for pair in ranges for code in pair]),
    }
    built = {
        "expression": pattern.text,
        "units": pattern.units,
        "aligned": pattern.aligned,
        "gaps": bool(params["gaps"]),
        "minTokenLength": int(params["minTokenLength"]),
        "toLowercase": bool(params["toLowercase"]),
    }
    return Built(built, blocks)


def _no_nulls(words: Sequence[str | None], name: str) -> None:
    if None in words:
        raise Refused(f"entry {words.index(None)} of {name} is null", "take it out: no text is null")


def stop_words_remover(r: Reading) -> Built:
    """StopWordsRemover of one or several columns."""
    words = r.saved.strings("stopWords")
    _no_nulls(words, "stopWords")
    sensitive, locale = bool(r.saved.params["caseSensitive"]), str(r.saved.params["locale"])
    if not sensitive and locale == THAI:
        raise Refused(
            f"locale={locale!r} finds words by a dictionary", "set another locale, or caseSensitive"
        )
    inline, blocks = string_list(f"{r.prefix}.stopWords", words)
    params = {"stopWords": inline, "caseSensitive": sensitive, "locale": locale}
    needs = {"outputCols": set() if sensitive else {LOWER}}
    return Built(params, blocks, needs=needs, strings=len(words))


def n_gram(r: Reading) -> Built:
    """NGram."""
    return Built({"n": int(r.saved.params["n"])})


def hashing_tf(r: Reading) -> Built:
    """HashingTF; what a Spark before 3.0 saved keeps the hash of then."""
    old = r.saved.extra.get("hashFuncVersion") == SPARK_2_HASH or release(r.saved.saved_by) < (3, 0)
    return Built(
        {
            "numFeatures": int(r.saved.params["numFeatures"]),
            "binary": bool(r.saved.params["binary"]),
            "hash": "spark2" if old else "spark3",
        }
    )


def count_vectorizer(r: Reading) -> Built:
    """CountVectorizerModel."""
    words = list(r.saved.row()["vocabulary"])
    _no_nulls(words, "the vocabulary")
    inline, blocks = string_list(f"{r.prefix}.vocabulary", words)
    params = {
        "vocabulary": inline,
        "minTF": number(saved_number(r.saved.params["minTF"])),
        "binary": bool(r.saved.params["binary"]),
    }
    return Built(params, blocks, strings=len(words))


def idf(r: Reading) -> Built:
    """IDFModel."""
    described, blocks = vector(f"{r.prefix}.idf", r.saved.row()["idf"])
    return Built({"idf": described}, blocks)


def read_words(saved: SavedStage) -> Any:
    """Return the words of a Word2VecModel with their vectors."""
    return saved.once("words", lambda: saved.table().select("word", "vector").collect())


def word2_vec(r: Reading) -> Built:
    """Word2VecModel: its words, and the vector of each as doubles."""
    rows = read_words(r.saved)
    size = int(r.saved.params["vectorSize"])
    vectors = f64([row["vector"] for row in rows]).reshape(len(rows), -1)
    if vectors.shape[1] != size and rows:
        raise Refused(f"vectorSize={size}, and the vectors have {vectors.shape[1]}", "save the model again")
    inline, blocks = string_list(f"{r.prefix}.words", [row["word"] for row in rows])
    blocks[f"{r.prefix}.vectors"] = vectors if rows else f64([]).reshape(0, size)
    return Built({"words": inline, "vectorSize": size}, blocks, strings=len(rows))
