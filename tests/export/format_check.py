# SPDX-License-Identifier: Apache-2.0
"""An independent check that a bundle obeys FORMAT.md; it shares no code with the exporter."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
import struct
from pathlib import Path
from typing import Any

import numpy as np

TOP = [
    *("format", "format_version", "name", "version", "created", "lineage", "platform", "input", "output"),
    *("example", "stages", "exactness", "golden", "files"),
]
PLATFORM = {
    *("spark", "scala", "jdk", "locale", "arch", "cpu_vendor", "blas", "reduce", "libm", "ansi"),
    *("case_sensitive", "compressed", "double_to_string"),
}
DTYPES = {"F64": "<f8", "I64": "<i8", "U32": "<u4", "U8": "|u1"}
FOREST = (
    *("tree_offset", "tree_weight", "kind", "feature", "threshold", "right", "set", "prediction", "stats"),
    *("set_offset", "set_bits"),
)
TREE = ("numFeatures", "numCategories")
CLASSES = ("numFeatures", "numClasses", "numCategories", "thresholds")
ALS = tuple(f"{side}Factors.{part}" for side in ("user", "item") for part in ("ids", "values"))
PARAMS = {
    "string_indexer": ("handleInvalid", "labels"),
    "index_to_string": ("labels",),
    "one_hot_encoder": ("categorySizes", "dropLast", "handleInvalid"),
    "target_encoder": ("handleInvalid", "targetType", "smoothing"),
    "vector_assembler": ("handleInvalid", "lengths"),
    "imputer": ("missingValue",),
    "bucketizer": ("handleInvalid",),
    "binarizer": (),
    "standard_scaler": ("withMean", "withStd", "mean", "std"),
    "min_max_scaler": ("min", "max", "originalMin", "originalMax"),
    "max_abs_scaler": ("maxAbs",),
    "normalizer": ("p",),
    "robust_scaler": ("withCentering", "withScaling", "median", "range"),
    "vector_slicer": ("indices",),
    "elementwise_product": ("scalingVec",),
    "feature_selector": ("selectedFeatures",),
    "polynomial_expansion": ("degree",),
    "interaction": (),
    "vector_indexer": ("numFeatures", "handleInvalid", "features"),
    "pca": ("pc",),
    "dct": ("inverse",),
    "feature_hasher": ("numFeatures", "realCols"),
    "generalized_linear_regression": ("family", "link", "linkPower", "intercept", "coefficients"),
    "bucketed_random_projection_lsh": ("bucketLength", "randUnitVectors"),
    "min_hash_lsh": (),
    "aft_survival_regression": ("intercept", "scale", "coefficients", "quantileProbabilities"),
    "isotonic_regression": ("featureIndex", "boundaries", "predictions"),
    "fm_regression": ("intercept", "linear", "factors"),
    "fm_classification": ("thresholds", "intercept", "linear", "factors"),
    "multilayer_perceptron": ("layers", "thresholds", "weights"),
    "bisecting_k_means": ("distanceMeasure", "centers", "norms"),
    "gaussian_mixture": ("roots", "weights", "constants", "products"),
    "lda": ("topicsMatrix", "docConcentration", "draw"),
    "als": ("rank", "coldStartStrategy"),
    "fp_growth": ("items",),
    "linear_svc": ("intercept", "threshold", "coefficients"),
    "naive_bayes": ("modelType", "thresholds", "pi", "theta", "sigma"),
    "k_means": ("distanceMeasure", "clusterCenters"),
    "vector_size_hint": ("size", "handleInvalid"),
    "vector_attribute_rewriter": (),
    "column_pruner": (),
    "sql_transformer": ("expressions", "where", "drops"),
    "tokenizer": (),
    "regex_tokenizer": ("expression", "units", "aligned", "gaps", "minTokenLength", "toLowercase"),
    "stop_words_remover": ("stopWords", "caseSensitive", "locale"),
    "n_gram": ("n",),
    "hashing_tf": ("numFeatures", "binary", "hash"),
    "count_vectorizer": ("vocabulary", "minTF", "binary"),
    "idf": ("idf",),
    "word2_vec": ("words", "vectorSize"),
    "linear_regression": ("intercept", "coefficients"),
    "logistic_regression": (
        *("numClasses", "numFeatures", "isMultinomial", "threshold", "rawThreshold", "thresholds"),
        *("coefficientMatrix", "interceptVector"),
    ),
    "decision_tree_regression": TREE,
    "random_forest_regression": TREE,
    "gbt_regression": TREE,
    "decision_tree_classification": CLASSES,
    "random_forest_classification": CLASSES,
    "gbt_classification": CLASSES,
    "one_vs_rest": (),
}
STAGE = {"op", "uid", "class", "inputs", "outputs", "params", "blocks"}
SHADOWING = {"imputer", "vector_size_hint", "vector_attribute_rewriter", "sql_transformer"}
NUMBERS = {"tinyint", "smallint", "int", "bigint", "float", "double"}
TYPES = {"boolean", *NUMBERS, "string", "vector", "date", "timestamp"} | {
    f"array<{element}>" for element in ("string", "int", "double", "float", "vector")
}


class Bad(AssertionError):
    """The bundle breaks a rule."""


def need(condition: bool, rule: str) -> None:
    """Raise Bad unless the condition holds."""
    if not condition:
        raise Bad(rule)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    need(len({k for k, _ in pairs}) == len(pairs), "duplicate key")
    return dict(pairs)


def _constant(text: str) -> None:
    raise Bad(f"{text} in JSON")


def _dropped(stage: dict[str, Any]) -> set[str]:
    """Return the columns that a stage takes away."""
    names = [c for group in stage["inputs"].values() for c in group]
    if stage["op"] == "sql_transformer":
        return {names[i] for i in stage["params"]["drops"]}
    return set(names) if stage["op"] == "column_pruner" else set()


def _check_programs(stage: dict[str, Any]) -> None:
    """Each program leaves one value, and reads columns that are there; there is one for each output."""
    params = stage["params"]
    need(len(params["expressions"]) == len(stage["outputs"]["outputCols"]), "a program for each output")
    for program in [*params["expressions"], *params["where"]]:
        values = 0
        for name, count, *_ in program:
            if name == "column":
                need(count < len(stage["inputs"]["inputCols"]), "columns of programs are inputs")
            taken = count if name not in ("column", "literal") else 0
            need(taken <= values, "instructions have their arguments")
            values += 1 - taken
        need(values == 1, "a program leaves one value")


def parse(text: bytes) -> Any:
    """Parse strict JSON."""
    return json.loads(text.decode("utf-8"), object_pairs_hook=_once, parse_constant=_constant)


def read_blocks(data: bytes) -> dict[str, np.ndarray]:
    """Return the tensors of a safetensors file, its layout checked."""
    (length,) = struct.unpack_from("<Q", data)
    begin = 8 + length
    need(begin % 64 == 0, "data begins at a multiple of 64")
    header = parse(data[8:begin])
    entries = sorted(header.items(), key=lambda e: (e[1]["data_offsets"][0], e[1]["data_offsets"][1]))
    end, order, blocks = 0, [], {}
    for name, entry in header.items():
        dtype = np.dtype(DTYPES[entry["dtype"]])
        order.append((-dtype.itemsize, name.encode()))
        first, last = entry["data_offsets"]
        need(
            last - first == dtype.itemsize * int(np.prod(entry["shape"], dtype=np.int64)), "size of a tensor"
        )
        blocks[name] = np.frombuffer(data[begin + first : begin + last], dtype).reshape(entry["shape"])
    need(order == sorted(order), "tensors stand by element size, then by name")
    for _, entry in entries:
        need(entry["data_offsets"][0] == end, "no holes, no overlap")
        end = entry["data_offsets"][1]
    need(begin + end == len(data), "tensors end where the file ends")
    return blocks


class Bundle:
    """A bundle read and checked."""

    def __init__(self, folder: Path) -> None:
        text = (folder / "bundle.json").read_bytes()
        digest = hashlib.sha256(text).hexdigest()
        need((folder / f"bundle-{digest[:16]}.json").read_bytes() == text, "immutable copy of the manifest")
        need(len(text) <= 1 << 20, "manifest at most 1 MiB")
        self.manifest = parse(text)
        self.files = {}
        for entry in self.manifest["files"]:
            data = (folder / entry["name"]).read_bytes()
            sha = hashlib.sha256(data).hexdigest()
            extension = {"blocks": "safetensors", "golden": "jsonl", "profile": "json"}[entry["role"]]
            need(entry["name"] == f"{entry['role']}-{sha[:16]}.{extension}", "file named by its content")
            need((entry["size"], entry["sha256"]) == (len(data), sha), "size and digest of a file")
            self.files[entry["role"]] = data
        self.blocks = read_blocks(self.files["blocks"])
        self.golden = [parse(line) for line in self.files["golden"].split(b"\n")[:-1]]
        self._check_manifest()
        self._check_stages()
        self._check_golden()
        parse(self.files["profile"])

    def _check_manifest(self) -> None:
        m = self.manifest
        need([key for key in m if key != "labels"] == TOP, "keys of the manifest")
        need(m["format"] == "scored-bundle" and m["format_version"] == 1, "format")
        for key in ("name", "version"):
            need(re.fullmatch(r"[A-Za-z0-9._-]{1,64}", m[key]) is not None, key)
        need(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", m["created"]) is not None, "created")
        need(set(m["platform"]) - {"time_zone"} == PLATFORM, "keys of the platform")
        for column in m["input"]:
            need(column["type"] in TYPES and isinstance(column["nullable"], bool), "an input")
            need(("size" in column) == (column["type"] == "vector"), "size of an input")
            need(("containsNull" in column) == column["type"].startswith("array"), "containsNull of an input")
        for column in m["output"]:
            need(("size" in column) == (column["type"] == "vector"), "size of an output")
        added = {c for s in m["stages"] for names in s["outputs"].values() for c in names}
        need(set(m["exactness"]) == added, "exactness of every added column")
        need(all(c["name"] in added for c in m["output"]), "outputs are added columns")
        names = {c["name"] for c in m["input"]} | added
        need(len({n.lower() for n in names}) == len(names), "names differ by more than case")
        need(set(m["golden"]) == {"rows", "made", "leaves", "labels"}, "keys of golden")
        need({f["role"] for f in m["files"]} == {"blocks", "golden", "profile"}, "roles of files")

    def _check_stages(self) -> None:
        have = {c["name"] for c in self.manifest["input"]}
        claimed: set[str] = set()
        for i, stage in enumerate(self.manifest["stages"]):
            read, made = ({c for names in stage[k].values() for c in names} for k in ("inputs", "outputs"))
            need(made.isdisjoint(have) or stage["op"] in SHADOWING, "names of a stage's outputs are new")
            claimed |= self._check_stage(f"s{i:03d}", stage, have)
            need(("models" in stage) == (stage["op"] == "one_vs_rest"), "which stages hold models")
            for k, model in enumerate(stage.get("models", [])):
                need(model["inputs"] == stage["inputs"], "a model reads what its holder reads")
                need("rawPredictionCol" in model["outputs"] and "models" not in model, "a model of a stage")
                claimed |= self._check_stage(f"s{i:03d}.models.{k}", model, have)
            have = (have - _dropped(stage)) | made
        need(claimed == set(self.blocks), "every block belongs to a stage")
        need({c["name"] for c in self.manifest["output"]} <= have, "outputs are kept to the end")

    def _check_stage(self, prefix: str, stage: dict[str, Any], have: set[str]) -> set[str]:
        """Return the blocks of a stage, or of a model that one holds."""
        need(set(stage) - {"x-fit", "models"} == STAGE, "keys of a stage")
        need(set(stage["params"]) == set(PARAMS[stage["op"]]), f"params of {stage['op']}")
        need({c for names in stage["inputs"].values() for c in names} <= have, "inputs of a stage exist")
        if stage["op"] == "sql_transformer":
            _check_programs(stage)
        wanted = self._wanted(prefix, stage)
        need(stage["blocks"] == sorted(wanted), f"blocks of {stage['op']}: {wanted}")
        if f"{prefix}.forest.kind" in wanted:
            self._check_forest(prefix, stage)
        return wanted

    def _wanted(self, prefix: str, stage: dict[str, Any]) -> set[str]:
        """Return the block names that FORMAT.md 4 and 5 require of a stage."""
        op, params = stage["op"], stage["params"]
        columns = stage["inputs"].get("inputCols", [])
        names: set[str] = set()
        for name, value in params.items():
            if isinstance(value, dict) and "kind" in value:
                names |= self._tensor(f"{prefix}.{name}", value)
        if "labels" in params:
            need(len(params["labels"]) == len(columns), "labels of each column")
            for i, labels in enumerate(params["labels"]):
                if labels is None:
                    names |= {f"{prefix}.labels.{i}.bytes", f"{prefix}.labels.{i}.offsets"}
                else:
                    need(
                        len(labels) <= 64 and not any("\0" in x for x in labels),
                        "short lists stand in params",
                    )
                if op == "string_indexer" and f"{prefix}.keys.{i}" in self.blocks:
                    names |= {f"{prefix}.keys.{i}", f"{prefix}.key_index.{i}"}
                    need(
                        len(self.blocks[f"{prefix}.keys.{i}"]) == len(self.blocks[f"{prefix}.key_index.{i}"]),
                        "keys",
                    )
        for name in ("stopWords", "vocabulary", "words", "items"):
            if name in params and params[name] is None:
                names |= {f"{prefix}.{name}.bytes", f"{prefix}.{name}.offsets"}
        if op == "word2_vec":
            names.add(f"{prefix}.vectors")
            need(self.blocks[f"{prefix}.vectors"].shape[1] == params["vectorSize"], "a vector a word")
        fixed = {"imputer": "surrogateDF", "binarizer": "thresholds"}
        if op in fixed:
            names.add(f"{prefix}.{fixed[op]}")
            need(self.blocks[f"{prefix}.{fixed[op]}"].shape == (len(columns),), "one value a column")
        if op == "bucketizer":
            for i in range(len(columns)):
                splits = self.blocks[f"{prefix}.splitsArray.{i}"]
                need(len(splits) >= 3 and bool(np.all(np.diff(splits) > 0)), "splits strictly rising")
                names.add(f"{prefix}.splitsArray.{i}")
        more = {
            "als": ALS,
            "bisecting_k_means": ("offsets", "children", "clusters"),
            "regex_tokenizer": ("sets.offsets", "sets.ranges"),
            "fp_growth": ("rules.ends", "rules.antecedents", "rules.consequents"),
        }
        names |= {f"{prefix}.{part}" for part in more.get(op, ())}
        if op == "fp_growth":
            numbers = self.blocks.get(f"{prefix}.numbers", ())
            names |= {f"{prefix}.numbers"} & set(self.blocks)
            ends, antecedents, consequents = (
                self.blocks[f"{prefix}.rules.{part}"].astype(np.int64)
                for part in ("ends", "antecedents", "consequents")
            )
            need(len(ends) == len(consequents) + 1 and bool(np.all(np.diff(ends) > 0)), "rules")
            need((ends[0], ends[-1]) == (0, len(antecedents)), "antecedents of rules")
            items = params["items"]
            table = f"{prefix}.items.offsets"
            count = len(numbers) + (len(self.blocks[table]) - 1 if items is None else len(items))
            need(set(antecedents) | set(consequents) == set(range(count)), "each item is in a rule")
        if op == "min_hash_lsh":
            names.add(f"{prefix}.randCoefficients")
            need(len(self.blocks[f"{prefix}.randCoefficients"]) % 2 == 0, "pairs of coefficients")
        if op == "regex_tokenizer":
            ends = self.blocks[f"{prefix}.sets.offsets"].astype(np.int64)
            pairs = self.blocks[f"{prefix}.sets.ranges"].astype(np.int64).reshape(-1, 2)
            need(bool(np.all(np.diff(ends) >= 0)) and (ends[0], ends[-1]) == (0, len(pairs)), "sets")
            need(bool(np.all(pairs[:, 0] <= pairs[:, 1])) and not (pairs > 0x10FFFF).any(), "ranges")
        if op == "interaction":
            names |= {f"{prefix}.categories.{i}" for i in range(len(columns))}
        if op == "vector_indexer":
            ends = self.blocks[f"{prefix}.categories.offsets"].astype(np.int64)
            need(len(ends) == len(params["features"]) + 1 and bool(np.all(np.diff(ends) >= 0)), "categories")
            need(ends[-1] == len(self.blocks[f"{prefix}.categories.values"]), "values of categories")
            names |= {f"{prefix}.categories.{part}" for part in ("offsets", "values")}
        if "numCategories" in params:
            names |= {f"{prefix}.forest.{field}" for field in FOREST}
        return names

    def _tensor(self, name: str, value: dict[str, Any]) -> set[str]:
        if value["kind"] == "dense":
            shape = (value["rows"], value["cols"]) if "rows" in value else (value["size"],)
            need(self.blocks[name].shape == shape, f"shape of {name}")
            return {name}
        parts = ("indptr", "indices", "values") if "rows" in value else ("indices", "values")
        if "size" in value:
            indices = self.blocks[f"{name}.indices"].astype(np.int64)
            need(
                bool(np.all(np.diff(indices) > 0)) and bool(np.all(indices < value["size"])), "sparse indices"
            )
        return {f"{name}.{part}" for part in parts}

    def _check_forest(self, prefix: str, stage: dict[str, Any]) -> None:
        f = {name: self.blocks[f"{prefix}.forest.{name}"] for name in FOREST}
        offsets, sets = f["tree_offset"].astype(np.int64), f["set_offset"].astype(np.int64)
        nodes = len(f["kind"])
        need(offsets[0] == 0 and offsets[-1] == nodes and bool(np.all(np.diff(offsets) > 0)), "tree_offset")
        need(
            sets[0] == 0 and sets[-1] == len(f["set_bits"]) and bool(np.all(np.diff(sets) >= 0)), "set_offset"
        )
        need(len(f["tree_weight"]) == len(offsets) - 1, "tree_weight")
        need(f["stats"].ndim == 2 and all(len(f[n]) == nodes for n in FOREST[2:9]), "fields of every node")
        for first, last in itertools.pairwise(offsets):
            need(self._subtree(f, int(first), int(last), 0) == last - first, "one tree covers its nodes")
        leaf, kind = f["kind"] == 0, f["kind"]
        for name in ("feature", "threshold", "right", "set"):
            need(not f[name][leaf].any(), f"{name} of leaves is 0")
        need(not f["set"][kind == 1].any() and not f["threshold"][kind > 1].any(), "unused fields are 0")
        for i in np.flatnonzero(kind > 1):
            count = stage["params"]["numCategories"][str(f["feature"][i])]
            row = f["set"][i]
            need(sets[row + 1] - sets[row] == (count + 7) // 8, "bytes of a set")
            bits = np.unpackbits(f["set_bits"][sets[row] : sets[row + 1]], bitorder="little")
            need(not bits[count:].any(), "spare bits are 0")
            need(kind[i] == 3 or bits.sum() <= count // 2, "kind 2 holds at most half")

    def _subtree(self, f: dict[str, np.ndarray], first: int, last: int, node: int) -> int:
        """Return the index after a node's subtree."""
        stack, after = [node], node
        while stack:
            i = stack.pop()
            need(i == after and first + i < last, "pre-order")
            after += 1
            if f["kind"][first + i]:
                stack += [int(f["right"][first + i]), i + 1]
        return after

    def _check_golden(self) -> None:
        inputs = [c["name"] for c in self.manifest["input"]]
        outputs = [c["name"] for c in self.manifest["output"]]
        need(len(self.golden) <= 1000 and len(self.files["golden"]) <= 1 << 20, "golden rows within bounds")
        need(self.manifest["golden"]["rows"] == len(self.golden), "count of golden rows")
        need(any("out" in line for line in self.golden), "one golden row has an answer")
        for line in [*self.golden, self.manifest["example"]]:
            need(list(line["in"]) == inputs, "in has every input")
            need(set(line) - {"in"} in ({"out"}, {"skipped"}, {"error"}), "what a golden row answers")
            need("out" not in line or list(line["out"]) == outputs, "out has the default outputs")
        need("out" in self.manifest["example"], "the example has an answer")


def walk(bundle: Bundle, prefix: str, x: np.ndarray) -> list[int]:
    """Return the leaf's node in each tree for one feature vector, as FORMAT.md tells it."""
    f = {name: bundle.blocks[f"{prefix}.forest.{name}"] for name in FOREST}
    leaves = []
    for first in f["tree_offset"][:-1].astype(int):
        node = 0
        while f["kind"][first + node]:
            i = first + node
            value, kind = x[f["feature"][i]], f["kind"][i]
            begin, end = f["set_offset"][f["set"][i] : f["set"][i] + 2] if kind > 1 else (0, 0)
            members = set(np.flatnonzero(np.unpackbits(f["set_bits"][begin:end], bitorder="little")).tolist())
            left = value <= f["threshold"][i] if kind == 1 else (value in members) == (kind == 2)
            node = node + 1 if left else int(f["right"][i])
        leaves.append(int(first + node))
    return leaves
