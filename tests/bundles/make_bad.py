#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes hostile bundles: each is the good bundle ``forest`` with one thing wrong.

A case is a row of a table below: its name, how the draft is spoiled, and what the refusal must say, the file
or place and the rule, as a regular expression. ``make_bad.py DIR`` writes one directory a case;
``make_bad.py --committed DIR`` writes those that stand in bad/.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from make_good import Block, Draft, Json, dump, forest, lay_out, pack

Spoil = Callable[[Draft], None]
FOREST = "s002.forest."
REMOVED = object()


@dataclass(frozen=True)
class Case:
    """One hostile bundle. `message` must match the one line of the refusal."""

    name: str
    spoil: Spoil
    message: str


# -- ways to spoil, from the manifest's values down to the files


def at(root: Any, path: str) -> tuple[Any, Any]:
    """Return the container and the key of a path as "stages.2.params.numFeatures"."""
    *parents, last = [int(part) if part.isdigit() else part for part in path.split("/")]
    for part in parents:
        root = root[part]
    return root, last


def put(path: str, value: Any) -> Spoil:
    """Set a value of the manifest; REMOVED takes it away. Paths have slashes; digits index arrays."""

    def spoil(draft: Draft) -> None:
        parent, key = at(draft.manifest, path)
        if value is REMOVED:
            del parent[key]
        else:
            parent[key] = value

    return spoil


def drop(path: str) -> Spoil:
    """Take a value of the manifest away."""
    return put(path, REMOVED)


def param(path: str, value: Any) -> Spoil:
    """Set a value of a stage's params: "2/numFeatures"."""
    stage, rest = path.split("/", 1)
    return put(f"stages/{stage}/params/{rest}", value)


def listed(file: str, **values: Any) -> Spoil:
    """Change the manifest's entry of a file."""

    def edit(manifest: Json) -> None:
        next(entry for entry in manifest["files"] if entry["role"] == file).update(values)

    return lambda draft: draft.edit_manifest.append(edit)


def files(change: Callable[[list[Json]], Any]) -> Spoil:
    """Change the manifest's array of files."""
    return lambda draft: draft.edit_manifest.append(lambda manifest: change(manifest["files"]))


def text(old: str, new: str) -> Spoil:
    """Replace the first occurrence of a text in the manifest's bytes."""

    def edit(content: bytes) -> bytes:
        assert old.encode() in content, old
        return content.replace(old.encode(), new.encode("utf-8", "surrogateescape"), 1)

    return lambda draft: draft.edit_text.append(edit)


def whole(change: Callable[[bytes], bytes]) -> Spoil:
    """Change the manifest's bytes."""
    return lambda draft: draft.edit_text.append(change)


def element(block: str, index: int, value: float) -> Spoil:
    """Set an element of a block."""

    def spoil(draft: Draft) -> None:
        values = list(draft.blocks[block].values)
        values[index] = value
        draft.blocks[block].values = values

    return spoil


def block(
    name: str, values: Sequence[float], dtype: str | None = None, shape: list[int] | None = None
) -> Spoil:
    """Replace a block; its type stays where none is given."""

    def spoil(draft: Draft) -> None:
        draft.blocks[name] = Block(dtype or draft.blocks[name].dtype, values, shape)

    return spoil


def header(name: str, **values: Any) -> Spoil:
    """Change a tensor's entry in the header of the blocks file."""
    return lambda draft: draft.edit_header.append(lambda entries: entries[name].update(values))


def entries(change: Callable[[Json], Any]) -> Spoil:
    """Change the header of the blocks file."""
    return lambda draft: draft.edit_header.append(lambda header: change(header) and None)


def content(role: str, change: Callable[[bytes], bytes]) -> Spoil:
    """Change the bytes of a file; its digest and name follow."""
    return lambda draft: draft.edit_bytes.setdefault(role, []).append(change)


def on_disk(pattern: str, change: Callable[[Path], Any]) -> Spoil:
    """Change a written file behind the manifest's back."""
    return lambda draft: draft.edit_files.append(lambda folder: change(next(folder.glob(pattern))) and None)


def line(index: int, change: Callable[[Json], Any]) -> Spoil:
    """Change a golden line."""
    return lambda draft: change(draft.golden[index]) and None


def both(*spoils: Spoil) -> Spoil:
    """Spoil one thing that takes several changes."""

    def spoil(draft: Draft) -> None:
        for each in spoils:
            each(draft)

    return spoil


# -- changes of bytes


def header_bytes(change: Callable[[bytes], bytes]) -> Spoil:
    """Change the text of the header of the blocks file, its length and padding kept right."""

    def edit(whole_file: bytes) -> bytes:
        (length,) = struct.unpack_from("<Q", whole_file)
        return pack(change(whole_file[8 : 8 + length].rstrip()), whole_file[8 + length :])

    return content("blocks", edit)


def unpadded(draft: Draft) -> None:
    """Write a header whose length is odd, so that the doubles are not aligned."""

    def edit(whole_file: bytes) -> bytes:
        (length,) = struct.unpack_from("<Q", whole_file)
        text = whole_file[8 : 8 + length].rstrip()
        text += b" " * (3 - len(text) % 8 if len(text) % 8 <= 3 else 11 - len(text) % 8)
        return struct.pack("<Q", len(text)) + text + whole_file[8 + length :]

    draft.edit_bytes.setdefault("blocks", []).append(edit)


def moved(name: str, by: int) -> Spoil:
    """Shift a tensor's place."""

    def change(header: Json) -> None:
        header[name]["data_offsets"] = [offset + by for offset in header[name]["data_offsets"]]

    return entries(change)


def swapped_sides(draft: Draft) -> None:
    """Say kind 3 of two categories of three: one goes left, so that it must be kept as kind 2."""
    both(element(FOREST + "kind", 0, 3), element(FOREST + "set_bits", 0, 0b011))(draft)


def without_blocks_of(prefix: str) -> Spoil:
    """Leave blocks out of the file, and of the stages' lists too."""

    def spoil(draft: Draft) -> None:
        for name in [name for name in draft.blocks if name.startswith(prefix)]:
            del draft.blocks[name]
        for stage in draft.manifest["stages"]:
            stage["blocks"] = [name for name in stage["blocks"] if not name.startswith(prefix)]

    return spoil


def extra_block(stage: int, name: str) -> Spoil:
    """Add a block that no op asks for, listed by a stage."""

    def spoil(draft: Draft) -> None:
        draft.blocks[name] = Block("U8", [1])
        if stage >= 0:
            draft.manifest["stages"][stage]["blocks"].append(name)
            draft.manifest["stages"][stage]["blocks"].sort()

    return spoil


def nested(depth: int) -> Any:
    """Return arrays in arrays."""
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def many_keys(n: int) -> bytes:
    """Return a large object of distinct keys."""
    return b"{" + b",".join(b'"%d":0' % i for i in range(n)) + b"}"


def truncate(path: Path, by: int) -> None:
    """Cut the end of a file off."""
    path.write_bytes(path.read_bytes()[:-by])


def to_directory(path: Path) -> None:
    """Put a directory in a file's place."""
    path.unlink()
    path.mkdir()


def flip_last(path: Path) -> None:
    """Change the last byte of a file."""
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))


def shifted(draft: Draft, by: int) -> bytes:
    """Return the blocks file with a hole in front of its first tensor."""
    header, data = lay_out(draft.blocks)
    for entry in header.values():
        entry["data_offsets"] = [offset + by for offset in entry["data_offsets"]]
    return pack(dump(header).encode(), b"\0" * by + data)


def rename_input(index: int, name: str) -> Spoil:
    """Rename an input column everywhere but in the golden rows."""
    return put(f"input/{index}/name", name)


# fmt: off
U32_MAX = 2**32 - 1
STAGE = r"stages\[%d\] '%s': "
S0, S1, S2, S3 = (STAGE % pair for pair in enumerate(["indexer", "assembler", "forest", "linear"]))
BLOCKS = r"blocks-[0-9a-f]{16}\.safetensors: "
GOLDEN = r"golden-[0-9a-f]{16}\.jsonl: "

MANIFEST_TEXT = [
    Case("manifest_missing", on_disk("bundle.json", Path.unlink), r"bundle\.json: does not exist"),
    Case("manifest_empty", whole(lambda _: b""), r"bundle\.json: manifest: byte 0: a value is missing"),
    Case("manifest_is_array", whole(lambda _: b"[]"), r"the manifest must be an object"),
    Case("manifest_truncated", whole(lambda b: b[:-1]), r"manifest: byte \d+: .*missing"),
    Case("manifest_and_more", whole(lambda b: b + b"{}"), r"manifest: byte \d+: something follows"),
    Case("manifest_too_deep", put("x-deep", nested(16)), r"manifest: byte \d+: nested too deeply"),
    Case("manifest_with_mark", whole(lambda b: b"\xef\xbb\xbf" + b), r"manifest: byte 0: a value is missing"),
    Case("duplicate_key", text('"format":', '"format":"scored-bundle","format":'),
         r"byte \d+: a key stands twice"),
    Case("duplicate_key_escaped", text('"name":', '"n\\u0061me":"a","name":'), r"a key stands twice"),
    Case("lone_surrogate", text('"by hand"', '"\\ud800"'), r"byte \d+: a surrogate is alone"),
    Case("low_surrogate_first", text('"by hand"', '"\\udc00\\ud800"'), r"a surrogate is alone"),
    Case("malformed_utf8", text('"by hand"', '"\udcc0\udc80"'), r"byte \d+: malformed UTF-8"),
    Case("escaped_nul", text('"by hand"', '"a\\u0000b"'), r"byte \d+: .u0000 is not allowed"),
    Case("raw_nul", text('"by hand"', '"a\0b"'), r"byte \d+: a control character"),
    Case("number_too_long", text('"rmse":0.5', '"rmse":0.' + "5" * 39), r"byte \d+: a number is too long"),
    Case("number_leading_zero", text('"rmse":0.5', '"rmse":00.5'), r"byte \d+: "),
    Case("number_is_nan", text('"rmse":0.5', '"rmse":NaN'), r"byte \d+: a value is missing"),
    Case("manifest_too_large", whole(lambda b: b + b" " * (1 << 20)), r"bundle\.json: .*at most 1048576"),
    Case("manifest_many_keys", whole(lambda _: many_keys(90_000)), r"manifest: missing key 'format'"),
]

MANIFEST_KEYS = [
    Case("format_other", put("format", "scored"), r"format 'scored' is not"),
    Case("format_missing", drop("format"), r"missing key 'format'"),
    Case("format_version_2", put("format_version", 2), r"format_version: format version 2 is not known"),
    Case("format_version_text", put("format_version", "1"), r"format_version: must be an integer"),
    Case("format_version_0", put("format_version", 0), r"format_version: format version 0 is not known"),
    Case("name_with_slash", put("name", "../etc"), r"name: must match"),
    Case("name_too_long", put("name", "n" * 65), r"name: must match"),
    Case("version_empty", put("version", ""), r"version: must match"),
    Case("created_without_zone", put("created", "2026-11-21T10:20:30.123"), r"created: must be a time"),
    Case("created_month_13", put("created", "2026-13-21T10:20:30.123Z"), r"created: must be a time"),
    Case("unknown_key", put("extra", 1), r"manifest: unknown key 'extra'"),
    Case("unknown_key_newline", put("a\nb", 1), r"manifest: unknown key 'a.b'"),
    Case("unknown_key_lineage", put("lineage/extra", "1"), r"lineage: unknown key 'extra'"),
    Case("unknown_key_platform", put("platform/extra", "1"), r"platform: unknown key 'extra'"),
    Case("unknown_key_input", put("input/0/extra", 1), r"input\[0\]: unknown key 'extra'"),
    Case("unknown_key_output", put("output/0/extra", 1), r"output\[0\]: unknown key 'extra'"),
    Case("unknown_key_stage", put("stages/1/extra", 1), r"stages\[1\]: unknown key 'extra'"),
    Case("unknown_key_exactness", put("exactness/leaf/extra", 1), r"exactness\.leaf: unknown key 'extra'"),
    Case("unknown_key_golden", put("golden/extra", 1), r"golden: unknown key 'extra'"),
    Case("unknown_key_file", listed("golden", extra=1), r"files\[1\]: unknown key 'extra'"),
    Case("unknown_key_vector", param("3/coefficients/extra", 1), S3 + r"params\.coefficients: unknown key"),
    Case("lineage_number", put("lineage/spark", 3.5), r"lineage\.spark: must be a string"),
    Case("lineage_rows_negative", put("lineage/training_data_rows", -1),
         r"lineage\.training_data_rows: must be"),
    Case("metrics_text", put("lineage/metrics/rmse", "good"), r"lineage\.metrics\.rmse: must be a number"),
    Case("platform_missing", drop("platform"), r"missing key 'platform'"),
    Case("platform_arch_unknown", put("platform/arch", "riscv64"),
         r"platform\.arch: unknown value 'riscv64'"),
    Case("platform_blas_unknown", put("platform/blas", "vector16"),
         r"platform\.blas: unknown value 'vector16'"),
    Case("platform_blas_native", put("platform/blas", "native"), S3 + r"platform\.blas: only java11"),
    Case("platform_blas_mixed", put("platform/blas", "mixed"), S3 + r"platform\.blas: only java11"),
    Case("platform_time_zone_number", put("platform/time_zone", 1), r"platform\.time_zone: must be a string"),
    Case("input_date_without_zone", put("input/2/type", "date"), r"platform: missing key 'time_zone', by input '"),
    Case("input_date_not_assembled",
         both(put("input/2/type", "date"), put("platform/time_zone", "UTC")),
         S1 + r"inputs.inputCols.*is date, not a number, boolean or vector"),
    Case("platform_reduce_unknown", put("platform/reduce", "any"), r"platform\.reduce: unknown value"),
    Case("platform_libm_unknown", put("platform/libm", "glibc"), r"platform\.libm: unknown value"),
    Case("platform_ansi_text", put("platform/ansi", "false"), r"platform\.ansi: must be true or false"),
    Case("platform_compressed_unknown", put("platform/compressed", "5"),
         r"platform\.compressed: unknown value"),
    Case("platform_text_unknown", put("platform/double_to_string", "jdk8"),
         r"double_to_string: unknown value"),
]

COLUMNS = [
    Case("input_none", put("input", []), r"input: must have 1 to"),
    Case("input_not_array", put("input", {}), r"input: must be an array"),
    Case("input_twice", rename_input(1, "make"), r"input.*'make' stands twice"),
    Case("input_twice_by_case", rename_input(1, "MAKE"), r"input.*'MAKE' .*case"),
    Case("input_name_empty", rename_input(0, ""), r"input\[0\]\.name: a column's name has"),
    Case("input_name_dot", rename_input(0, "a.b"), r"input\[0\]\.name: a column's name has"),
    Case("input_name_control", rename_input(0, "a\tb"), r"input\[0\]\.name: a column's name has"),
    Case("input_name_too_long", rename_input(0, "é" * 129), r"input\[0\]\.name: a column's name has"),
    Case("input_type_unknown", put("input/2/type", "decimal(39,2)"), r"input\[2\]\.type: unknown type"),
    Case("input_type_decimal_bare", put("input/2/type", "decimal"), r"input\[2\]\.type: unknown type"),
    Case("input_type_decimal_scale", put("input/2/type", "decimal(2,3)"), r"input\[2\]\.type: unknown type"),
    Case("input_type_decimal_more", put("input/2/type", "decimal(9,3) "), r"input\[2\]\.type: unknown type"),
    Case("input_type_struct", put("input/2/type", "struct<a:int>"),
         r"input\[2\]\.type: unknown type 'struct<a:int>'"),
    Case("input_array_of_arrays", put("input/2/type", "array<array<int>>"),
         r"input\[2\]\.type: 'array<array<int>>': elements of arrays are no arrays"),
    Case("input_nullable_missing", drop("input/0/nullable"), r"input\[0\]: missing key 'nullable'"),
    Case("input_size_of_double", put("input/2/size", 3), r"input\[2\]: only vectors have a size"),
    Case("input_contains_null_of_int", put("input/1/containsNull", True), r"input\[1\]: only arrays have"),
    Case("input_array_without_contains_null", put("input/2/type", "array<double>"),
         r"missing key 'containsNull'"),
    Case("input_vector_without_size", put("input/2/type", "vector"), r"input\[2\]: missing key 'size'"),
    Case("input_vector_huge", both(put("input/2/type", "vector"), put("input/2/size", 2**31)), r"at most"),
    Case("input_type_not_assembled", put("input/2/type", "string"),
         S1 + r"inputs\.inputCols.*'km' is string"),
    Case("output_none", put("output", []), r"output: must have 1 to"),
    Case("output_unknown", put("output/0/name", "price"), r"output\[0\]: no stage makes a column 'price'"),
    Case("output_is_input", put("output/0/name", "km"), r"output\[0\]: no stage makes a column 'km'"),
    Case("output_twice", put("output/2/name", "forest"), r"output\[2\]: 'forest' stands twice"),
    Case("output_wrong_type", put("output/0/type", "int"),
         r"output\[0\]: column 'forest' is double, not int"),
    Case("output_wrong_size", put("output/1/size", 3), r"output\[1\]: column 'leaf' has size 2, not 3"),
    Case("example_missing", drop("example"), r"missing key 'example'"),
    Case("exactness_missing", drop("exactness/features"), r"exactness: no entry for column 'features'"),
    Case("exactness_extra", put("exactness/km", {"tier": "exact", "why": ""}), r"exactness: 7 entries for 6"),
    Case("exactness_tier_unknown", put("exactness/leaf/tier", "close"),
         r"exactness\.leaf\.tier: unknown value"),
    Case("exactness_n_of_exact", put("exactness/leaf/n", 1), r"exactness\.leaf: n goes with the tier ulp"),
    Case("exactness_ulp_without_n", put("exactness/leaf/tier", "ulp"), r"exactness\.leaf: missing key 'n'"),
    Case("coverage_more_than_all", put("golden/leaves", [3, 2]), r"golden\.leaves: .*at most"),
    Case("coverage_made_more_than_rows", put("golden/made", 10), r"golden\.made: must be at most 9"),
    Case("coverage_rows_wrong", put("golden/rows", 8), GOLDEN + r".*9.*8"),
]

LABELS = [
    Case("labels_array", put("labels", ["a", "b"]), r"labels: must be an object"),
    Case("labels_empty", put("labels", {"leaf": []}), r"labels\.leaf: must be an array of 1 to 1000 labels"),
    Case("labels_numbers", put("labels", {"leaf": ["a", 1]}), r"labels\.leaf\[1\]: must be a string"),
    Case("labels_of_input", put("labels", {"km": ["a", "b"]}), r"labels: no stage makes a column 'km'"),
    Case("labels_too_few", put("labels", {"leaf": ["a"]}), r"labels: column 'leaf' has size 2, not 1"),
    Case("labels_too_many", put("labels", {"forest": ["a"] * 1001}), r"labels\.forest: must be an array of 1"),
    Case("label_too_long", put("labels", {"forest": ["a" * 1025]}), r"labels\.forest\[0\]: a label has at most"),
    Case("labels_of_nothing", put("labels", {"price": ["a", "b"]}), r"labels: no stage makes a column 'price'"),
]

STAGES = [
    Case("stages_none", put("stages", []), r"stages: must have 1 to"),
    Case("stages_too_many", put("stages", [{}] * 1001), r"stages: must have 1 to 1000"),
    Case("stage_not_object", put("stages/0", "string_indexer"), r"stages\[0\]: must be an object"),
    Case("stage_without_uid", drop("stages/0/uid"), r"stages\[0\]: missing key 'uid'"),
    Case("stage_uid_empty", put("stages/0/uid", ""), r"stages\[0\]: uid must have 1 to"),
    Case("stage_uid_twice", put("stages/1/uid", "indexer"), r"stages\[1\]: uid 'indexer' stands twice"),
    Case("stage_inputs_text", put("stages/1/inputs/inputCols", "make_i"),
         r"stages\[1\]\.inputs\.inputCols: must be"),
    Case("stage_inputs_empty", put("stages/1/inputs/inputCols", []),
         r"stages\[1\]\.inputs\.inputCols: must be"),
    Case("stage_inputs_numbers", put("stages/1/inputs/inputCols", [1, 2, 3]),
         r"inputCols\[0\]: must be a string"),
    Case("op_unknown", put("stages/2/op", "k_medians"), S2 + r"unknown op 'k_medians'"),
    Case("op_traversal", put("stages/2/op", "../linear\n"), S2 + r"unknown op '\.\./linear.'"),
    Case("class_of_other_op",
         put("stages/2/class", "org.apache.spark.ml.feature.Imputer"),
         S2 + r"op random_forest_regression goes with"),
    Case("class_other_package",
         put("stages/2/class", "com.example.regression.RandomForestRegressionModel"),
         S2 + r"op .* goes with class"),
    Case("input_before_it_is_made",
         put("stages/1/inputs/inputCols/0", "forest"), S1 + r"inputs.*no column 'forest' before this stage"),
    Case("input_of_itself", put("stages/2/inputs/featuresCol", ["forest"]),
         S2 + r".*no column 'forest' before"),
    Case("input_key_unknown", put("stages/2/inputs/weightCol", ["km"]),
         S2 + r"inputs: .*unknown key 'weightCol'"),
    Case("input_key_missing", drop("stages/2/inputs/featuresCol"), S2 + r"inputs: missing key 'featuresCol'"),
    Case("input_two_features", put("stages/2/inputs/featuresCol", ["features", "km"]),
         S2 + r"inputs.featuresCol: must"),
    Case("input_features_not_vector", put("stages/2/inputs/featuresCol", ["km"]),
         S2 + r".*'km' is double, not vector"),
    Case("output_key_unknown", put("stages/2/outputs/varianceCol", ["v"]), S2 + r"outputs: .*unknown key"),
    Case("output_count_wrong", put("stages/0/outputs/outputCols", ["make_i"]),
         S0 + r"outputs.outputCols: must have 2"),
    Case("output_none_of_stage", put("stages/3/outputs", {}), S3 + r"outputs: the stage makes no column"),
    Case("output_repeats_input", put("stages/3/outputs/predictionCol", ["km"]),
         S3 + r"outputs: .*'km' already"),
    Case("output_repeats_by_case", put("stages/3/outputs/predictionCol", ["Forest"]),
         S3 + r".*'forest' already"),
    Case("output_twice_in_stage",
         put("stages/0/outputs/outputCols", ["make_i", "MAKE_I"]), S0 + r"outputs: .*'make_i' already"),
    Case("param_missing", drop("stages/2/params/numFeatures"), S2 + r"params: missing key 'numFeatures'"),
    Case("param_extra", param("2/maxDepth", 5), S2 + r"params: .*unknown key 'maxDepth'"),
    Case("param_column", param("1/inputCols", ["km"]), S1 + r"params: .*unknown key 'inputCols'"),
    Case("param_fraction", param("2/numFeatures", 2.5), S2 + r"params\.numFeatures: must be an integer"),
    Case("param_negative", param("2/numFeatures", -1), S2 + r"params\.numFeatures: must be an integer"),
    Case("param_huge", param("2/numFeatures", 1e300), S2 + r"params\.numFeatures: must be"),
    Case("param_text", param("3/intercept", "0.125"), S3 + r"params\.intercept: must be a number"),
    Case("param_infinite_spelling", param("3/intercept", "Inf"), S3 + r"params\.intercept: must be a number"),
    Case("handle_invalid_unknown", param("0/handleInvalid", "drop"),
         S0 + r"params\.handleInvalid: unknown value"),
    Case("labels_too_few", param("0/labels", [["a"]]), S0 + r"params\.labels: must have 2"),
    Case("labels_text", param("0/labels/1", "abc"), S0 + r"params\.labels\[1\]: must be an array"),
    Case("labels_numbers", param("0/labels/1", [3, 1, 2]),
         S0 + r"params\.labels\[1\]\[0\]: must be a string"),
    Case("lengths_too_few", param("1/lengths", [1, 1]), S1 + r"params\.lengths: must have 3"),
    Case("lengths_of_scalar_2", param("1/lengths/2", 2), S1 + r"params\.lengths\[2\]: must be 1"),
    Case("lengths_null_under_keep",
         both(param("1/lengths/2", None), param("1/handleInvalid", "keep")),
         S1 + r"params\.lengths\[2\]: must be a"),
    Case("categories_of_no_feature", param("2/numCategories/3", 2),
         S2 + r"params\.numCategories\.3: the key must be"),
    Case("categories_key_text", param("2/numCategories/x1", 2),
         S2 + r"params\.numCategories\.x1: the key must be"),
    Case("categories_key_wraps",
         param("2/numCategories/18446744073709551616", 2),
         S2 + r"params\.numCategories\.18446744073709551616: the key"),
    Case("categories_missing", param("2/numCategories", {"0": 3}),
         S2 + r"forest: tree 1, node 0: .*numCategories"),
    Case("vector_kind_unknown", param("3/coefficients/kind", "csr"),
         S3 + r"params\.coefficients: unknown kind 'csr'"),
    Case("vector_kind_other", param("3/coefficients/kind", "dense"),
         S3 + r"blocks: no block s003\.coefficients$"),
    Case("vector_size_small", param("3/coefficients/size", 2),
         S3 + r"block s003.coefficients.indices: element 1"),
    Case("vector_size_huge", param("3/coefficients/size", 2**31),
         S3 + r"params\.coefficients\.size: must be at most"),
    Case("vector_size_expands", param("3/coefficients/size", 2**30),
         GOLDEN + r"line 1: expected an answer, got a row"),
]

FILES = [
    Case("files_not_array", lambda draft: draft.edit_manifest.append(lambda m: m.update(files={})),
         r"files: must be"),
    Case("files_role_unknown", listed("profile", role="stats"), r"files\[2\]\.role: unknown value 'stats'"),
    Case("files_role_missing", files(lambda f: f.pop()), r"files: no file of the role 'profile'"),
    Case("files_role_twice", files(lambda f: f.append(f[0])),
         r"files\[3\]: a second file of the role 'blocks'"),
    Case("files_size_negative", listed("blocks", size=-1), r"files\[0\]\.size: must be an integer"),
    Case("files_size_huge", listed("golden", size=1 << 40), r"files\[1\]\.size: must be at most"),
    Case("files_size_wrong", listed("blocks", size=10), BLOCKS + r".*at most 10|" + BLOCKS + r".* says 10"),
    Case("files_size_too_large", listed("profile", size=10_000),
         r"profile-.*: \d+ bytes, the manifest says 10000"),
    Case("files_digest_upper_case", listed("golden", sha256="A" * 64),
         r"files\[1\]: sha256 must be 64 lower-case"),
    Case("files_digest_short", listed("golden", sha256="ab"), r"files\[1\]: sha256 must be 64"),
    Case("files_digest_wrong_name", listed("golden", sha256="0" * 64),
         r"files\[1\]: the name must be made of"),
    Case("files_name_traversal",
         listed("golden", name="../../etc/passwd"), r"files\[1\]: the name must be made of the role"),
    Case("files_name_plain", listed("blocks", name="blocks.safetensors"),
         r"files\[0\]: the name must be made of"),
    Case("blocks_file_missing", on_disk("blocks-*", Path.unlink), BLOCKS + r"does not exist"),
    Case("blocks_file_truncated", on_disk("blocks-*", lambda p: truncate(p, 1)),
         BLOCKS + r"the digest is .* \(of \d+ bytes\)"),
    Case("blocks_file_longer", on_disk("blocks-*", lambda p: p.write_bytes(p.read_bytes() + b"\0")),
         BLOCKS + r"\d+ bytes, (at most|the manifest)"),
    Case("blocks_digest_wrong", on_disk("blocks-*", flip_last), BLOCKS + r"the digest is"),
    Case("golden_file_missing", on_disk("golden-*", Path.unlink), GOLDEN + r"does not exist"),
    Case("golden_digest_wrong", on_disk("golden-*", flip_last), GOLDEN + r"the digest is"),
    Case("profile_file_missing", on_disk("profile-*", Path.unlink), r"profile-.*: does not exist"),
    Case("profile_digest_wrong", on_disk("profile-*", flip_last), r"profile-.*: the digest is"),
    Case("blocks_file_is_directory",
         on_disk("blocks-*", to_directory), BLOCKS + r"not a regular file"),
]

LAYOUT = [
    Case("blocks_empty", content("blocks", lambda _: b""), BLOCKS + r"0 bytes are too few for a header"),
    Case("blocks_seven_bytes", content("blocks", lambda b: b[:7]),
         BLOCKS + r"7 bytes are too few for a header"),
    Case("header_beyond_file", content("blocks", lambda b: struct.pack("<Q", 1 << 20) + b[8:]),
         BLOCKS + r"a header of 1048576 bytes in a file of \d+"),
    Case("header_beyond_limit", content("blocks", lambda b: struct.pack("<Q", 1 << 30) + b[8:]),
         BLOCKS + r"a header of 1073741824 bytes, at most"),
    Case("header_length_wraps", content("blocks", lambda b: b"\xff" * 8 + b[8:]),
         BLOCKS + r"a header of 18446744073709551615 bytes, at most"),
    Case("header_length_near_wrap", content("blocks", lambda b: struct.pack("<Q", 2**64 - 8) + b[8:]),
         BLOCKS + r"a header of \d+ bytes, at most"),
    Case("header_empty", content("blocks", lambda b: struct.pack("<Q", 0)),
         BLOCKS + r"header: byte 0: a value"),
    Case("header_not_json", header_bytes(lambda h: b"?" + h[1:]),
         BLOCKS + r"header: byte 0: a value is missing"),
    Case("header_truncated", header_bytes(lambda h: h[:-1]), BLOCKS + r"header: byte \d+: "),
    Case("header_array", header_bytes(lambda _: b"[]"), BLOCKS + r"the header must be an object"),
    Case("header_twice", header_bytes(lambda h: h + h), BLOCKS + r"header: byte \d+: something follows"),
    Case("header_duplicate_block", header_bytes(lambda h: h[:-1] + b"," + h[1:]),
         BLOCKS + r"header: .*stands twice"),
    Case("header_nul_name", header_bytes(lambda h: h.replace(b'"s002.forest.kind"', b'"s002\\u0000"')),
         BLOCKS + r"header: byte \d+: .u0000 is not allowed"),
    Case("header_entry_text", entries(lambda h: h.update({FOREST + "kind": "U8"})),
         BLOCKS + r"s002\.forest\.kind: must be an object"),
    Case("header_entry_key_unknown", header(FOREST + "kind", strides=[1]),
         BLOCKS + r".*kind: unknown key 'strides'"),
    Case("metadata_not_strings", entries(lambda h: h.update(__metadata__={"a": 1})),
         BLOCKS + r"__metadata__\.a: must"),
    Case("metadata_not_object", entries(lambda h: h.update(__metadata__=[1])),
         BLOCKS + r"__metadata__: must be an"),
    Case("dtype_unknown", header(FOREST + "kind", dtype="I8"),
         BLOCKS + r".*kind\.?.*dtype 'I8' is not one of"),
    Case("dtype_missing", entries(lambda h: h[FOREST + "kind"].pop("dtype")),
         BLOCKS + r".*missing key 'dtype'"),
    Case("dtype_same_size", header(FOREST + "right", dtype="F32"), BLOCKS + r".*dtype 'F32' is not one of"),
    Case("shape_empty", header(FOREST + "kind", shape=[]),
         BLOCKS + r".*kind\.shape: must have 1 or 2 dimensions"),
    Case("shape_three", header(FOREST + "kind", shape=[1, 1, 10]),
         BLOCKS + r".*shape: must have 1 or 2 dimensions"),
    Case("shape_negative", header(FOREST + "kind", shape=[-10]),
         BLOCKS + r".*shape\[0\]: must be an integer"),
    Case("shape_fraction", header(FOREST + "kind", shape=[9.5]),
         BLOCKS + r".*shape\[0\]: must be an integer"),
    Case("shape_beyond_32_bits", header(FOREST + "kind", shape=[2**32 + 10]),
         BLOCKS + r".*shape\[0\]: must be at most"),
    Case("shape_product_wraps_64", header(FOREST + "stats", shape=[U32_MAX, U32_MAX]),
         BLOCKS + r".*do not span"),
    Case("shape_product_wraps_to_fit", header(FOREST + "stats", shape=[2**31, 2**30]),
         BLOCKS + r".*do not span"),
    Case("shape_too_small", header(FOREST + "kind", shape=[9]),
         BLOCKS + r".*the offsets do not span shape times"),
    Case("offsets_three", header(FOREST + "kind", data_offsets=[0, 1, 2]),
         BLOCKS + r".*must be \[begin, end\]"),
    Case("offsets_negative", header(FOREST + "kind", data_offsets=[-8, 2]),
         BLOCKS + r".*is not an offset within"),
    Case("offsets_backwards", header(FOREST + "kind", data_offsets=[20, 10]),
         BLOCKS + r".*ends before it begins"),
    Case("offsets_beyond_file", header(FOREST + "kind", data_offsets=[10**6, 10**6 + 10]),
         BLOCKS + r".*not an offset"),
    Case("offsets_huge", header(FOREST + "kind", data_offsets=[2**53, 2**53 + 10]),
         BLOCKS + r".*not an offset"),
    Case("offsets_nan", header(FOREST + "kind", data_offsets=["NaN", 10]), BLOCKS + r".*not an offset"),
    Case("tensors_overlap", moved("s003.coefficients.values", -8),
         BLOCKS + r"(tensors overlap|.*hole).*offset"),
    Case("tensors_same_place", entries(lambda h: h[FOREST + "right"].update(h[FOREST + "set"])),
         BLOCKS + r".*offset"),
    Case("hole_at_front", both(content("blocks", lambda b: b), lambda d: d.edit_bytes["blocks"].append(
        lambda _: shifted(d, 64))), BLOCKS + r"there is a hole at offset 0"),
    Case("bytes_behind_tensors", content("blocks", lambda b: b + b"\0" * 8),
         BLOCKS + r"the tensors end at \d+, the"),
    Case("tensor_misaligned", unpadded, BLOCKS + r".*is not aligned to its element's size"),
]

BLOCK_USE = [
    Case("block_missing", without_blocks_of(FOREST + "kind"), S2 + r"blocks: no block s002\.forest\.kind"),
    Case("block_of_no_stage", extra_block(-1, "s009.extra"), r"block 's009.extra' belongs to no stage"),
    Case("block_not_needed", extra_block(2, FOREST + "x"), r"block 's002.forest.x' belongs to no stage"),
    Case("list_without_block",
         put("stages/0/blocks", ["s000.key_index.1", "s000.keys.1"]),
         r"'indexer': the list names 2 of its 4 blocks"),
    Case("list_with_other_stages_block",
         lambda draft: draft.manifest["stages"][1]["blocks"].append(FOREST + "kind"),
         r"'assembler': block 's002.forest.kind' is not one of this stage's"),
    Case("list_with_absent_block", lambda draft: draft.manifest["stages"][3]["blocks"].append("s003.z"),
         r"'linear': block 's003.z' is not in the blocks file"),
    Case("list_unsorted", lambda draft: draft.manifest["stages"][3]["blocks"].reverse(),
         r"stages\[3\]\.blocks\[1\]: block names must be sorted"),
    Case("list_twice", lambda draft: draft.manifest["stages"][3]["blocks"].append("s003.coefficients.values"),
         r"stages\[3\]\.blocks\[2\]: block names must be sorted and distinct"),
    Case("block_wrong_dtype", block(FOREST + "kind", [1, 0, 1, 0, 0, 3, 1, 0, 0, 0], "U32"),
         S2 + r"block s002\.forest\.kind: dtype is U32, not U8"),
    Case("block_wrong_dimensions", header(FOREST + "stats", shape=[30]),
         S2 + r".*stats: must have 2 dimensions"),
    Case("table_offsets_not_from_0", element("s000.labels.0.offsets", 0, 1),
         S0 + r".*offsets: must go from 0"),
    Case("table_offsets_fall", element("s000.labels.0.offsets", 1, 8), S0 + r".*offsets: element \d falls"),
    Case("table_offsets_wrap", element("s000.labels.0.offsets", 1, U32_MAX),
         S0 + r".*offsets: element \d falls"),
    Case("table_offsets_short", element("s000.labels.0.offsets", 2, 6),
         S0 + r".*must go from 0 to the table's 7"),
    Case("table_offsets_empty", block("s000.labels.0.offsets", []), S0 + r".*offsets: must go from 0"),
    Case("table_not_utf8", element("s000.labels.0.bytes", 0, 0xC0), S0 + r".*bytes: entry 0 is not UTF-8"),
    Case("table_splits_character", both(
        block("s000.labels.0.bytes", "ä".encode()), block("s000.labels.0.offsets", [0, 1, 2])),
        S0 + r".*bytes: entry 0 is not UTF-8"),
    Case("keys_of_wrong_type", block("s000.keys.1", [3.0, 1.0, 2.0], "F64"),
         S0 + r"block s000.keys.1: dtype is F64"),
    Case("keys_more_than_labels", both(block("s000.keys.1", [1, 2, 3, 4]), block("s000.key_index.1", [0, 1,
         2, 0])),
         S0 + r"block s000.keys.1: 4 keys"),
    Case("keys_without_index", block("s000.key_index.1", [0, 1]),
         S0 + r"block s000.keys.1: 3 keys, 2 indexes"),
    Case("key_index_of_no_label", element("s000.key_index.1", 0, 3),
         S0 + r"block s000.key_index.1: element 0 is not"),
    Case("sparse_indices_unsorted", block("s003.coefficients.indices", [2, 0]),
         S3 + r".*indices: element 1 must ascend"),
    Case("sparse_indices_twice", block("s003.coefficients.indices", [2, 2]),
         S3 + r".*indices: element 1 must ascend"),
    Case("sparse_index_beyond", block("s003.coefficients.indices", [0, 3]),
         S3 + r".*indices: element 1 .*below 3"),
    Case("sparse_values_short", block("s003.coefficients.values", [0.5]),
         S3 + r".*values: 1 elements, 2 are needed"),
    Case("sparse_more_than_size",
         both(block("s003.coefficients.indices", [0, 1, 2, 3]), block("s003.coefficients.values", [1.0] * 4)),
         S3 + r".*indices: more than 3 elements"),
]

TREES = [
    Case("tree_offset_not_from_0", element(FOREST + "tree_offset", 0, 1),
         S2 + r".*tree_offset: must go from 0 to 10"),
    Case("tree_offset_beyond", element(FOREST + "tree_offset", 2, 11),
         S2 + r".*tree_offset: must go from 0 to 10"),
    Case("tree_offset_wraps", element(FOREST + "tree_offset", 1, U32_MAX),
         S2 + r".*tree_offset: element 2 does not"),
    Case("tree_empty", both(block(FOREST + "tree_offset", [0, 5, 5, 10]), block(FOREST + "tree_weight",
         [1.0] * 3)),
         S2 + r".*tree_offset: element 2 does not rise"),
    Case("tree_none", both(block(FOREST + "tree_offset", [0]), block(FOREST + "tree_weight", [])),
         S2 + r".*tree_offset: 1 to \d+ trees"),
    Case("tree_weight_short", block(FOREST + "tree_weight", [1.0]),
         S2 + r".*tree_weight: 1 elements, 2 are needed"),
    Case("node_array_short", block(FOREST + "prediction", [1.0] * 9),
         S2 + r".*prediction: 9 elements, 10 are needed"),
    Case("stats_too_narrow", block(FOREST + "stats", [1.0] * 20, shape=[10, 2]),
         S2 + r".*stats: the shape must be"),
    Case("stats_transposed", block(FOREST + "stats", [1.0] * 30, shape=[3, 10]),
         S2 + r".*stats: the shape must be"),
    Case("node_kind_4", element(FOREST + "kind", 2, 4),
         S2 + r"forest: tree 0, node 2: the kind is not 0, 1, 2 or 3"),
    Case("leaf_with_feature", element(FOREST + "feature", 1, 1),
         S2 + r"forest: tree 0, node 1: a leaf has a feature"),
    Case("leaf_with_threshold", element(FOREST + "threshold", 1, 0.5),
         S2 + r"forest: tree 0, node 1: a leaf has"),
    Case("leaf_with_right", element(FOREST + "right", 9, 1), S2 + r"forest: tree 1, node 4: a leaf has a"),
    Case("leaf_with_set", element(FOREST + "set", 9, 1),
         S2 + r"forest: tree 1, node 4: a leaf has a feature"),
    Case("feature_beyond", element(FOREST + "feature", 2, 3),
         S2 + r"forest: tree 0, node 2: the feature is not below"),
    Case("feature_wraps", element(FOREST + "feature", 2, U32_MAX),
         S2 + r"forest: tree 0, node 2: the feature is not"),
    Case("num_features_0", param("2/numFeatures", 0), S2 + r"(params.numCategories|forest: tree 0, node 0)"),
    Case("right_child_is_self", element(FOREST + "right", 2, 2),
         S2 + r"forest: tree 0, node 2: the right child is not"),
    Case("right_child_is_left", element(FOREST + "right", 2, 3),
         S2 + r"forest: tree 0, node 2: the right child is not"),
    Case("right_child_loops", element(FOREST + "right", 2, 0),
         S2 + r"forest: tree 0, node 2: the right child is not"),
    Case("right_child_beyond_tree", element(FOREST + "right", 2, 5),
         S2 + r"forest: tree 0, node 2: the right child"),
    Case("right_child_wraps", element(FOREST + "right", 5, U32_MAX),
         S2 + r"forest: tree 1, node 0: the right child"),
    Case("right_child_inside_left", element(FOREST + "right", 5, 3), S2 + r"forest: tree 1, node \d: "),
    Case("child_of_nobody", element(FOREST + "kind", 2, 0), S2 + r"forest: tree 0, node "),
    Case("child_shared", element(FOREST + "right", 0, 4), S2 + r"forest: tree 0, node \d: "),
    Case("tree_ends_in_split", both(element(FOREST + "kind", 4, 1), element(FOREST + "right", 4, 4)),
         S2 + r"forest: tree 0, node 4: the right child"),
    Case("set_of_continuous", element(FOREST + "set", 2, 1),
         S2 + r"forest: tree 0, node 2: a continuous split has"),
    Case("threshold_of_categorical", element(FOREST + "threshold", 0, 0.5),
         S2 + r"forest: tree 0, node 0: a categ"),
    Case("set_beyond", element(FOREST + "set", 0, 2), S2 + r"forest: tree 0, node 0: the set does not exist"),
    Case("set_wraps", element(FOREST + "set", 0, U32_MAX),
         S2 + r"forest: tree 0, node 0: the set does not exist"),
    Case("set_offset_empty", block(FOREST + "set_offset", []), S2 + r".*set_offset: must go from 0 to 2"),
    Case("set_offset_falls", block(FOREST + "set_offset", [0, 3, 2]),
         S2 + r".*set_offset: element 2 does not rise"),
    Case("set_too_small", param("2/numCategories/0", 9),
         S2 + r"forest: tree 0, node 0: the set has not one bit"),
    Case("set_with_spare_bit", element(FOREST + "set_bits", 0, 0b1001),
         S2 + r"forest: tree 0, node 0: a spare bit"),
    Case("set_of_wrong_side", swapped_sides, S2 + r"forest: tree 0, node 0: the set is not the side"),
    Case("set_too_full", element(FOREST + "set_bits", 0, 0b011),
         S2 + r"forest: tree 0, node 0: the set is not the side"),
]

GOLDEN_ROWS = [
    Case("golden_empty", both(put("golden/rows", 0), content("golden", lambda _: b"")),
         GOLDEN + r".*no golden row with an answer"),
    Case("golden_not_json", content("golden", lambda b: b"?\n" + b), GOLDEN + r"line 1: "),
    Case("golden_empty_line", content("golden", lambda b: b.replace(b"\n", b"\n\n", 1)),
         GOLDEN + r"line 2: "),
    Case("golden_line_array", content("golden", lambda b: b"[]\n" + b),
         GOLDEN + r"line 1: must be an object of"),
    Case("golden_line_truncated", content("golden", lambda b: b[:-10]),
         GOLDEN + r"line 9: must be an object of"),
    Case("golden_nul_byte", content("golden", lambda b: b.replace(b"BMW", b"B\0W", 1)),
         GOLDEN + r"line 1: a NUL byte"),
    Case("golden_not_utf8", content("golden", lambda b: b.replace(b"BMW", b"B\xc0W", 1)),
         GOLDEN + r"line 1: \"in\": "),
    Case("golden_in_bad_json", content("golden", lambda b: b.replace(b'"age":3', b'"age":03', 1)),
         GOLDEN + r"line 1: "),
    Case("golden_no_answers", both(put("golden/rows", 2), lambda draft: draft.golden.__delitem__(slice(0,
         7))),
         GOLDEN + r"no golden row with an answer"),
    Case("golden_answer_wrong", line(2, lambda g: g["out"].update(forest=3.5005000000000006)),
         GOLDEN + r"line 3: column 'forest': expected 3.500500000000000\d+, got 3.5005"),
    Case("golden_answer_null", line(2, lambda g: g["out"].update(forest=None)),
         GOLDEN + r"line 3: column 'forest': exp"),
    Case("golden_answer_sparse", line(0, lambda g: g["out"].update(leaf={"size": 2, "indices": [],
         "values": []})),
         GOLDEN + r"line 1: column 'leaf': expected \{\"size\":2.*, got \[0.0,0.0\]"),
    Case("golden_answer_negative_zero", line(0, lambda g: g["out"].update(leaf=[-0.0, 0.0])),
         GOLDEN + r"line 1: column 'leaf': expected \[-0.0,0.0\], got \[0.0,0.0\]"),
    Case("golden_answer_of_other_type", line(0, lambda g: g["out"].update(forest="a")),
         GOLDEN + r"line 1: \"out\": "),
    Case("golden_answer_missing", line(0, lambda g: g["out"].pop("linear")), GOLDEN + r"line 1: .*linear"),
    Case("golden_answer_extra", line(0, lambda g: g["out"].update(age_i=0.0)), GOLDEN + r"line 1: .*age_i"),
    Case("golden_row_error_expected", line(0, lambda g: (g.pop("out"), g.update(error=True))),
         GOLDEN + r"line 1: expected a row error, got an answer"),
    Case("golden_row_skip_expected", line(8, lambda g: (g.pop("error"), g.update(skipped=True))),
         GOLDEN + r"line 9: expected a skipped row, got a row error"),
    Case("golden_row_error_and_out", line(0, lambda g: g.update(error=True)),
         GOLDEN + r"line 1: must be an object of"),
    Case("golden_row_error_false", line(8, lambda g: g.update(error=False)),
         GOLDEN + r"line 9: must be an object of"),
    Case("golden_row_extra_key", line(0, lambda g: g.update(why="x")),
         GOLDEN + r"line 1: must be an object of"),
    Case("golden_row_without_in", line(0, lambda g: g.pop("in")), GOLDEN + r"line 1: must be an object of"),
    Case("golden_input_missing", line(8, lambda g: g["in"].popitem()), GOLDEN + r"line 9: \"in\" has \d of \d"),
    Case("golden_field_unknown", line(0, lambda g: g["in"].update(price=1.0)), GOLDEN + r"line 1: .*price"),
    Case("golden_field_twice", content("golden", lambda b: b.replace(b'"age":3', b'"age":3,"age":3', 1)),
         GOLDEN + r"line 1: .*"),
    Case("golden_field_wrong_type", line(0, lambda g: g["in"].update(km="0.25")),
         GOLDEN + r"line 1: expected an answer"),
    Case("prediction_changed", element(FOREST + "prediction", 4, 7.000000000000001),
         GOLDEN + r"line 3: column 'forest'"),
    Case("threshold_changed", element(FOREST + "threshold", 2, 10.499999999999998),
         GOLDEN + r"line 2: column 'forest'"),
    Case("label_changed", element("s000.labels.0.bytes", 0, ord("b")), GOLDEN + r"line 1: column"),
    Case("coefficient_changed", element("s003.coefficients.values", 1, -2.0000000000000004),
         GOLDEN + r"line 1: column"),
]

TABLES = [MANIFEST_TEXT, MANIFEST_KEYS, COLUMNS, LABELS, STAGES, FILES, LAYOUT, BLOCK_USE, TREES, GOLDEN_ROWS]
CASES = [case for table in TABLES for case in table]
COMMITTED = [case for table in TABLES for case in table[:8]]  # to be looked at, in bad/


# fmt: on


def write(case: Case, directory: Path) -> None:
    """Write one hostile bundle."""
    draft = forest()
    case.spoil(draft)
    draft.write(directory / case.name)


def main() -> int:
    """Write every hostile bundle, or those that are committed, below the directory of the command line."""
    *options, directory = sys.argv[1:] or [""]
    if not directory or options not in ([], ["--committed"]):
        print("usage: make_bad.py [--committed] DIR", file=sys.stderr)
        return 2
    for case in COMMITTED if options else CASES:
        write(case, Path(directory))
    return 0


if __name__ == "__main__":
    sys.exit(main())
