# SPDX-License-Identifier: Apache-2.0
"""Cases of stages that make tokens of texts, and vectors of tokens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fixture_tools import EDGES, HUGE, Case, Row, Tools, resaved, sparse
from pyspark.ml import feature
from pyspark.sql import DataFrame

#: Texts whose lower case is more than that of each letter.
LOWER = [
    "İ I ı i",
    "ΟΔΟΣ ΣΑΣ Σ ΑΣ1 1Σ",
    "ΑΣ'Α ΑΣ. ΑΣ'' ΑΣ-Α",
    "Α\u0301Σ ΑΣ\u0301 ΑΣ\u00adΒ",
    "\u0345Σ 1\u0345Σ",
    "ⅣΣ",
]
LOWER += [
    "\U00010400Σ",
    "ΑΣ\U00010400",
    "ΑΣ\U0001d7ceΑ",
    "Α\U00020000ΒΣ",
    "ΑΣ\u0964" + "1Β",
    "Α,Σ Α1,1Σ",
    "日Σ かΣ",
]
ODD = [
    "İSTANBUL",
    "ΟΔΟΣ",
    "οδος",
    "Σ",
    "STRASSE",
    "ẞ",
    "É",
    "E\u0301",
    "Å",
    "K",
    "\U00010400",
    "\U0001f600",
    "",
]
ODD += ["a", "A", "ab", "abc", "abcd", "abcde", "éa", "日本語", "null", " ", "the", "Cat"]


class Texts(Tools):
    """A method an op."""

    def tokenizer(self) -> Iterator[Case]:
        """Return cases of Tokenizer: white space at every place, lower case, words that end in a sigma."""
        spaces = [
            "",
            " ",
            "  ",
            "a",
            " a",
            "a ",
            " a  b ",
            "\t\n\x0b\f\r",
            "a\tb\nc\x0bd\fe\rf",
            "a\u00a0b\u2003c",
        ]
        spaces += ["\x1c", "\u3000", "A\0B C", "\0", "x " * 3000, "\n\nlast"]
        rows: list[Row] = [(text,) for text in [*spaces, *LOWER, *map(" ".join, [LOWER, ODD]), None]]
        yield (
            "tokenizer",
            "texts",
            [feature.Tokenizer(inputCol="a", outputCol="x")],
            self.frame({"a": "string"}, rows),
        )
        points = [p for p in range(0x20, 0x20000) if not 0xD800 <= p < 0xE000]
        changed = [chr(p) for p in points if chr(p).lower() != chr(p) or chr(p).upper() != chr(p)]
        rows = [("".join(changed[i : i + 90]),) for i in range(0, len(changed), 90)]
        yield (
            "tokenizer",
            "letters",
            [feature.Tokenizer(inputCol="a", outputCol="x")],
            self.frame({"a": "string"}, rows),
        )

    def _tokens(self) -> DataFrame:
        """Return arrays: empty, of null, of one, of many, long."""
        rows: list[Any] = [[], [None], [""], [None, "", None], ["a"], ["a"] * 70, ["null", None], None]
        rows += [[word] for word in ODD] + [ODD, LOWER, ["the", "cat", "The", "CAT", "and", "not"] * 3]
        for size in (2, 3, 4, 5, 33, 64, 65, 2000):
            rows.append([self.random.choice([*ODD, *"abcdefgh", None]) for _ in range(size)])
        rows.append([f"token {i}" for i in range(300)])
        return self.frame({"a": "array<string>"}, [(row,) for row in rows])

    def regex_tokenizer(self) -> Iterator[Case]:
        """Return cases of RegexTokenizer: its cuts and matches, over characters of two halves too."""
        texts = ["", " ", "a", " a", "a ", "a  b", "  a,b;c  ", "aaa", "ab\r\n", "ab\n", "a\rb\u2028", "A1_b-2"]
        texts += ["\U0001d400", "a\U0001f600b", "\U0001f600\U0001f600", "\U0001d400 \U0001f600", "é\u0301ß", "x" * 300]
        texts += ["a\u00a0b", "\0 a\0", "aab" * 20, "\u0085", "\U0001f600"]
        rows: list[Row] = [(text,) for text in [*texts, *LOWER, " ".join(ODD), None]]
        frame = self.frame({"a": "string"}, rows)
        plain = ["\\s+", "\\W+", "[,;]\\s*", "a+?b|b", "(?i)(A|B){2,}", "\\p{L}+", "[a-z&&[^x]]++", "(?>a|ab)b?", "$"]
        plain += ["(?=a).", "(?!a)[^\\n]", "\\x{1f600}|a$", "\\Qa,b\\E", "a{2}", "(?s).", "^a", "\\z|\\Z"]
        units = ["", "x*", "\\P{L}", "[^\\p{L}]+", "(?<=a)", "(?<![a-z])\\W", "(?<=\\W)b|(?<=..)c", "(?!^)[^a]", "|a"]
        for name, patterns in (("plain", plain), ("units", units)):
            for gaps in (True, False):
                stages = [
                    feature.RegexTokenizer(
                        inputCol="a",
                        outputCol=f"x{i}",
                        pattern=pattern,
                        gaps=gaps,
                        minTokenLength=i % 3,
                        toLowercase=i % 4 == 1,
                    )
                    for i, pattern in enumerate(patterns)
                ]
                yield "regex_tokenizer", f"{name}_{'gaps' if gaps else 'matches'}", stages, frame

    def stop_words_remover(self) -> Iterator[Case]:
        """Return cases of StopWordsRemover."""
        make = feature.StopWordsRemover
        lists = {
            "english": None,
            "odd": ODD,
            "none": [],
            "many": [*LOWER, *(f"token {i}" for i in range(99))],
        }
        stages = []
        for name, words in lists.items():
            given = {} if words is None else {"stopWords": words}
            for case in (False, True):
                out = f"{name}_{'case' if case else 'lower'}"
                stages.append(make(inputCol="a", outputCol=out, caseSensitive=case, **given))
        yield "stop_words_remover", "lists", stages, self._tokens()
        several = make(inputCols=["a", "b"], outputCols=["x", "y"], locale="tr_TR", stopWords=["I", "İ", "b"])
        rows: list[Row] = [(["I", "i", "İ", "ı"], ["B", "c"]), ([], None), (None, []), ([None], ["b"])]
        frame = self.frame({"a": "array<string>", "b": "array<string>"}, rows)
        yield "stop_words_remover", "several", [several], frame
        dotted = [
            "I",
            "I\u0307",
            "İ",
            "ı",
            "i",
            "I\u0323\u0307",
            "Ì",
            "J\u0301",
            "Į\u0303",
            "IŞIK",
            "J",
            "I\u0300",
        ]
        rows = [([word],) for word in dotted] + [(dotted,)]
        stages = [
            make(inputCol="a", outputCol=f"{lang}{i}", locale=lang, stopWords=words)
            for lang in ("tr", "az", "lt", "en")
            for i, words in enumerate(
                (dotted, ["I"], ["i"], ["ı", "j\u0307\u0301"], ["i\u0307\u0300", "ışık"])
            )
        ]
        yield "stop_words_remover", "dots", stages, self.frame({"a": "array<string>"}, rows)

    def n_gram(self) -> Iterator[Case]:
        """Return cases of NGram."""
        sizes = (1, 2, 3, 5, 33, 64, 2**31 - 1)
        stages = [feature.NGram(inputCol="a", outputCol=f"x{n}", n=n) for n in sizes]
        yield "n_gram", "sizes", stages, self._tokens()
        yield "n_gram", "none", stages[-1:], self._tokens()

    def hashing_tf(self) -> Iterator[Case]:
        """Return cases of HashingTF: sizes, and the hash of models that Spark 2 saved."""
        sizes = ((1, False), (2, True), (7, False), (97, True), (1000, False))
        stages = [
            feature.HashingTF(inputCol="a", outputCol=f"x{n}", numFeatures=n, binary=b) for n, b in sizes
        ]
        yield "hashing_tf", "sizes", stages, self._tokens()
        old = resaved(stages[4], '"sparkVersion":"3', '"sparkVersion":"2')
        yield "hashing_tf", "spark2", [old], self._tokens()
        values = [*EDGES, 2.5, -7.0]
        rows: list[Row] = [([v],) for v in values] + [(values,), ([],), (None,)]
        stages = [feature.HashingTF(inputCol="a", outputCol=f"x{n}", numFeatures=n) for n in (9, 1000)]
        yield "hashing_tf", "doubles", stages, self.frame({"a": "array<double>"}, rows)
        floats = [*(v for v in EDGES if v is None or abs(v) != HUGE), 0.1, 3.4028234663852886e38, 1e-45, -7.0]
        rows = [([v],) for v in floats] + [(floats,), ([],), (None,)]
        yield "hashing_tf", "floats", stages, self.frame({"a": "array<float>"}, rows)

    def count_vectorizer(self) -> Iterator[Case]:
        """Return cases of CountVectorizer."""
        make = feature.CountVectorizerModel.from_vocabulary
        limits = (0.0, 0.05, 1 / 3, 0.5, 0.999, 1.0, 1.5, 2.0, 70.0, 1e300)
        stages = [
            make(ODD, "a", outputCol=f"x{i}", minTF=limit, binary=i % 3 == 2)
            for i, limit in enumerate(limits)
        ]
        yield "count_vectorizer", "limits", stages, self._tokens()
        twice = make(["a", "the", "a", "cat", "the", "b"], "a", outputCol="x")
        yield "count_vectorizer", "twice", [twice], self._tokens()
        table = make([f"token {299 - i}" for i in range(280)], "a", outputCol="x", minTF=0.002)
        yield "count_vectorizer", "table", [table], self._tokens()

    def idf(self) -> Iterator[Case]:
        """Return cases of IDF: of slots in all, in some and in no rows."""
        fit = self.frame({"v": "vector"}, [*[(sparse(6, [0, i], [1.0, 2.0]),) for i in (1, 1, 2, 3, 4)]])
        limits = (0, 1, 2, 9)
        stages = [feature.IDF(inputCol="v", outputCol=f"x{n}", minDocFreq=n).fit(fit) for n in limits]
        yield "idf", "sizes", stages, self.frame({"v": "vector"}, self.vectors(6, 6))

    def word2_vec(self) -> Iterator[Case]:
        """Return cases of Word2Vec: tokens that are known, unknown, and none."""
        words = self.frame(
            {"a": "array<string>"}, [(ODD,), (list("abcdefgh"),), (["the", "Cat", "the"],)] * 4
        )
        rows = self._tokens()
        for size in (1, 5, 33):
            stage = feature.Word2Vec(
                inputCol="a", outputCol="x", vectorSize=size, minCount=0, seed=1, maxIter=1
            )
            yield "word2_vec", f"size_{size}", [stage.fit(words)], rows
