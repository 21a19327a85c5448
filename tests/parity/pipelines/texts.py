# SPDX-License-Identifier: Apache-2.0
"""Tokens of texts, and vectors of tokens."""

from __future__ import annotations

from typing import Any

from pyspark.ml.clustering import LDA
from pyspark.ml.feature import (
    IDF,
    CountVectorizer,
    CountVectorizerModel,
    HashingTF,
    NGram,
    Normalizer,
    RegexTokenizer,
    StopWordsRemover,
    Tokenizer,
    Word2Vec,
)
from regexes import Odd
from tokens import COMMON, ODD, Doubles, Sentence, Tokens

from pipelines.table import Stages, dtr, lin, logit, nums, pipeline, rfc, turned, va

MANY_WORDS = [*COMMON, *(w for w in ODD if "\0" not in w), *(f"word {i}" for i in range(60))]


def remover(out: str, source: str = "w", **more: object) -> StopWordsRemover:
    """StopWordsRemover."""
    return StopWordsRemover(inputCol=source, outputCol=out, **more)


@pipeline(Sentence("s"), Sentence("t"), ci=True)
def tokens_of_texts() -> Stages:
    return [
        Tokenizer(inputCol="s", outputCol="w"),
        Tokenizer(inputCol="t", outputCol="x"),
        StopWordsRemover(inputCols=["w", "x"], outputCols=["wr", "xr"]),
        NGram(inputCol="w", outputCol="n2"),
        NGram(inputCol="xr", outputCol="n3", n=3),
        NGram(inputCol="x", outputCol="n1", n=1),
        HashingTF(inputCol="n1", outputCol="h", numFeatures=50),
        logit(f="h"),
    ]


@pipeline(Tokens("w"), Tokens("x"), ci=True)
def stop_words() -> Stages:
    return [
        remover("english"),
        remover("case", caseSensitive=True),
        remover("none", stopWords=[]),
        remover("odd", stopWords=list(ODD)),
        remover("odd_case", stopWords=list(ODD), caseSensitive=True),
        remover("many", stopWords=MANY_WORDS),
        remover("empty", stopWords=["", "the"]),
        remover("tr_tr", locale="tr_TR", stopWords=["ISTANBUL", "İSTANBUL", "I"]),
        remover("tr", locale="tr", stopWords=["ISTANBUL", "İSTANBUL", "I"]),
        remover("lt", locale="lt", stopWords=list(ODD)),
        remover("el", locale="el", stopWords=["οδος", "σας", "σασ"]),
        StopWordsRemover(inputCols=["w", "x"], outputCols=["w2", "x2"], stopWords=["and", "ΣΑΣ"]),
        StopWordsRemover(inputCol="x", outputCol="german", stopWords=["und", "nicht", "a", "straße", "ẞ"]),
        HashingTF(inputCol="odd", outputCol="h", numFeatures=30),
        dtr(f="h"),
    ]


PATTERNS = (
    ("\\s+", "\\W", "\\W+", "[^a-z0-9]+"),
    ("[,.\\s]+", "\\p{L}+", "\\P{L}+", "[^\\p{L}\\p{N}]+"),
    ("\\w{2,}", "x*", "", "(?i)(ab|b)+?"),
    ("(?<=[a-z])(?=[A-Z])", "(?<![\\w])\\w+(?!\\w)", "."),
    ("(?U)\\w+", "a|$", "[\\w&&[^a]]", "^\\s*|\\s*$"),
    ("\\x{1f600}+", "[\\x{10000}-\\x{10ffff}]|,", "\\P{So}"),
    ("(?>a|ab)+,?", "[ab]++b?", "(?s).{3}", "\\Q.\\E"),
    ("\\p{Punct}|\\p{IsAlphabetic}{1,3}?", "[^\\p{IsLatin}]", "\\h|\\v"),
    ("(a|b|1)(?!_)", "(?=\\p{M})|\\n", "\\z|\\d"),
    ("\\S+", "[^\\s,]+(?:,[^\\s,]+)*", "(?i)[a-b]|é"),
)


@turned(Odd("s"), Sentence("t"), twists=[dict(patterns=p) for p in PATTERNS], ci=(2, 3))
def regexes(patterns: tuple[str, ...]) -> Stages:
    make = RegexTokenizer
    return [
        *(make(inputCol="s", outputCol=f"g{i}", pattern=p) for i, p in enumerate(patterns)),
        *(
            make(inputCol="s", outputCol=f"m{i}", pattern=p, gaps=False, minTokenLength=i, toLowercase=i > 1)
            for i, p in enumerate(patterns)
        ),
        make(inputCol="t", outputCol="w", pattern=patterns[0], minTokenLength=2),
        HashingTF(inputCol="w", outputCol="h", numFeatures=50),
        logit(f="h"),
    ]


@pipeline(Tokens("w"), Sentence("s"), ci=True)
def n_grams() -> Stages:
    return [
        *(NGram(inputCol="w", outputCol=f"g{n}", n=n) for n in (1, 2, 3, 4, 5, 7, 12, 39, 2**31 - 1)),
        NGram(inputCol="g2", outputCol="g22"),
        Tokenizer(inputCol="s", outputCol="t"),
        NGram(inputCol="t", outputCol="t2"),
        HashingTF(inputCol="g2", outputCol="h", numFeatures=64),
        lin(f="h"),
    ]


@pipeline(Tokens("w"), Doubles("d"), ci=True)
def hashes() -> Stages:
    return [
        *(
            HashingTF(inputCol="w", outputCol=f"h{i}", numFeatures=n, binary=b)
            for i, (n, b) in enumerate(
                (
                    (1, False),
                    (2, False),
                    (7, True),
                    (100, False),
                    (1000, True),
                    (1 << 18, False),
                    (1 << 30, False),
                )
            )
        ),
        HashingTF(inputCol="d", outputCol="hd", numFeatures=1000),
        HashingTF(inputCol="d", outputCol="hb", numFeatures=17, binary=True),
        NGram(inputCol="w", outputCol="g"),
        HashingTF(inputCol="g", outputCol="hg"),
        va("h1 hb h3", "f"),
        logit(y="k"),
        rfc(),
    ]


def vocabulary(out: str, words: list[str], **more: object) -> CountVectorizerModel:
    """CountVectorizerModel of given words."""
    return CountVectorizerModel.from_vocabulary(words, inputCol="w", outputCol=out, **more)


@pipeline(Tokens("w"), Tokens("x"), ci=True)
def count_words() -> Stages:
    return [
        CountVectorizer(inputCol="w", outputCol="c", minDF=2.0),
        CountVectorizer(inputCol="x", outputCol="cx", vocabSize=5, minDF=0.01),
        vocabulary("odd", list(ODD)),
        vocabulary("odd_binary", list(ODD), binary=True),
        vocabulary("third", list(COMMON), minTF=1 / 3),
        vocabulary("share", list(COMMON), minTF=0.05, binary=True),
        vocabulary("two", list(COMMON), minTF=2.0),
        vocabulary("half", list(COMMON), minTF=1.5),
        vocabulary("zero", list(COMMON), minTF=0.0),
        vocabulary("many", MANY_WORDS, minTF=0.1),
        vocabulary("one", ["the"]),
        vocabulary("twice", ["the", "cat", "the", "cat", "a", "never", "never too"]),
        CountVectorizerModel.from_vocabulary(["a", "the"], inputCol="x", outputCol="xs", minTF=70.0),
        lin(f="c"),
        logit(f="c"),
    ]


@pipeline(Tokens("w"), nums("x", 3), ci=True)
def inverse_frequencies() -> Stages:
    return [
        HashingTF(inputCol="w", outputCol="h", numFeatures=40),
        IDF(inputCol="h", outputCol="i"),
        IDF(inputCol="h", outputCol="i9", minDocFreq=100),
        CountVectorizer(inputCol="w", outputCol="c"),
        IDF(inputCol="c", outputCol="ci", minDocFreq=3),
        va("x0 x1 x2", "f"),
        IDF(inputCol="f", outputCol="fi"),
        va("ci i", "g"),
        IDF(inputCol="g", outputCol="gi"),
        Normalizer(inputCol="gi", outputCol="e"),
        logit(f="e"),
        lin(f="gi"),
    ]


@pipeline(Sentence("s"), ci=True)
def classify_texts() -> Stages:
    return [
        Tokenizer(inputCol="s", outputCol="w"),
        remover("r"),
        NGram(inputCol="r", outputCol="g"),
        HashingTF(inputCol="r", outputCol="h", numFeatures=1 << 10),
        HashingTF(inputCol="g", outputCol="hg", numFeatures=1 << 9),
        IDF(inputCol="h", outputCol="i", minDocFreq=2),
        va("i hg", "f"),
        logit(f="f"),
        logit("k", f="i", y="k"),
        rfc(f="i"),
    ]


@pipeline(Tokens("w"), Sentence("s"), ci=True)
def word_vectors() -> Stages:
    return [
        *(
            Word2Vec(inputCol="w", outputCol=f"v{size}", vectorSize=size, minCount=n, seed=3, maxIter=1)
            for size, n in ((1, 0), (3, 5), (16, 1), (50, 10), (100, 2))
        ),
        Tokenizer(inputCol="s", outputCol="t"),
        Word2Vec(inputCol="t", outputCol="tv", vectorSize=7, minCount=1, seed=5),
        va("v3 tv", "f"),
        Normalizer(inputCol="v16", outputCol="u"),
        logit(f="u"),
        rfc(),
        lin(),
    ]


@pipeline(Sentence("s"), Tokens("w"))
def counts_and_trees() -> Stages:
    return [
        Tokenizer(inputCol="s", outputCol="t"),
        CountVectorizer(inputCol="t", outputCol="c", binary=True),
        CountVectorizer(inputCol="w", outputCol="cw", minTF=0.2),
        IDF(inputCol="cw", outputCol="i"),
        remover("r", source="t", stopWords=["A", "İ"]),
        CountVectorizer(inputCol="r", outputCol="cr"),
        IDF(inputCol="cr", outputCol="ir"),
        va("c i ir", "f"),
        dtr(),
        rfc(),
        lin(),
    ]


@pipeline(Tokens("w"), Sentence("s"))
def deep_tokens() -> Stages:
    return [
        remover("a", stopWords=["the", "ΟΔΟΣ"]),
        NGram(inputCol="a", outputCol="b"),
        remover("c", source="b", stopWords=["cat sat", "null null", "a mat"]),
        NGram(inputCol="c", outputCol="d", n=3),
        CountVectorizer(inputCol="d", outputCol="e"),
        HashingTF(inputCol="d", outputCol="f", numFeatures=25),
        IDF(inputCol="f", outputCol="g"),
        Tokenizer(inputCol="s", outputCol="t"),
        HashingTF(inputCol="t", outputCol="ht", numFeatures=12, binary=True),
        IDF(inputCol="ht", outputCol="it"),
        CountVectorizer(inputCol="t", outputCol="ct"),
        va("g it", "z"),
        logit(f="z"),
        dtr(f="it"),
    ]


@turned(
    Tokens("w"),
    Sentence("s"),
    twists=[
        dict(),
        dict(k=2),
        dict(k=7, maxIter=1),
        dict(k=3, docConcentration=[0.1, 2.0, 9.0]),
        dict(k=5, docConcentration=[1e-3]),
        dict(k=4, optimizeDocConcentration=False),
        dict(k=12, topicConcentration=0.5),
        dict(k=3, maxIter=6, subsamplingRate=0.5),
        dict(k=6, learningDecay=0.9, learningOffset=10.0),
        dict(k=9, docConcentration=[50.0]),
    ],
    ci=(3,),
)
def topics(**twist: Any) -> Stages:
    given = {"optimizer": "online", "maxIter": 2, "seed": 4, **twist}
    return [
        CountVectorizer(inputCol="w", outputCol="v", minDF=2.0, vocabSize=40),
        LDA(featuresCol="v", topicDistributionCol="d", **given),
        Tokenizer(inputCol="s", outputCol="t"),
        HashingTF(inputCol="t", outputCol="h", numFeatures=20),
        IDF(inputCol="h", outputCol="i"),
        LDA(featuresCol="i", topicDistributionCol="e", **given),
        va("d e"),
        lin(),
    ]
