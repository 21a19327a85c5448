/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the ops' fixtures, which one Spark wrote, cannot show: answers that changed between
 * versions, ANSI, bounds of memory, columns that must not fail each other, and refusals at load.
 */
#include "ops_fixture.h"

#include <math.h>

#define COUNTED(a) (a), sizeof(a)
#define F64(name, shape, a)            \
    {                                  \
        name, "F64", shape, COUNTED(a) \
    }
#define U32(name, shape, a)            \
    {                                  \
        name, "U32", shape, COUNTED(a) \
    }
#define U8(name, shape, a)            \
    {                                 \
        name, "U8", shape, COUNTED(a) \
    }

#define STAGE(op, type, in, out, params)                                          \
    "\"op\":\"" op "\",\"class\":\"org.apache.spark.ml." type "\",\"inputs\":" in \
    ",\"outputs\":" out ",\"params\":" params
#define ONE(op, type, params) \
    STAGE(op, "feature." type, "{\"inputCols\":[\"a\"]}", "{\"outputCols\":[\"x\"]}", params)
#define IN(type)    "{\"name\":\"a\",\"type\":\"" type "\",\"nullable\":true}"
#define IN_VECTOR   "{\"name\":\"a\",\"type\":\"vector\",\"nullable\":true,\"size\":null}"
#define OUT(type)   "{\"name\":\"x\",\"type\":\"" type "\"}"
#define OUT_VECTOR  "{\"name\":\"x\",\"type\":\"vector\",\"size\":null}"
#define EXACT(name) "\"" name "\":{\"tier\":\"exact\",\"why\":\"w\"}"
#define BINARIZER   ONE("binarizer", "Binarizer", "{}")

/* -- what is told of columns -- */

static void expect_categories(const struct bundle_text *t, const char *unseen)
{
    struct loaded l;

    load_good(&l, t);
    const struct categories *c = l.plan.columns[0].categories;
    assert_non_null(c);
    assert_int_equal(c->n, 2);
    assert_memory_equal(c->values[0].p, "b", 1);
    assert_memory_equal(c->values[1].p, "ac", 2);
    assert_int_equal(c->values[1].len, 2);
    assert_string_equal(c->unseen, unseen);
    assert_null(l.plan.columns[1].categories);
    unload(&l);
}

static void an_indexed_column_has_categories(void **state)
{
    static const uint32_t offsets[] = {0, 1, 3};
    static const char bytes[] = {'b', 'a', 'c'};
    struct bundle_text t = {.input = IN("string"),
                            .output = OUT("double"),
                            .stage =
                                ONE("string_indexer", "StringIndexerModel",
                                    "{\"handleInvalid\":\"keep\",\"labels\":[[\"b\",\"ac\"]]}"),
                            .exactness = EXACT("x")};
    const struct tensor table[] = {U32("labels.0.offsets", "3", offsets),
                                   U8("labels.0.bytes", "3", bytes)};

    (void)state;
    expect_categories(&t, "keep");
    t.stage = ONE("string_indexer", "StringIndexerModel",
                  "{\"handleInvalid\":\"skip\",\"labels\":[null]}");
    memcpy(t.tensors, table, sizeof table);
    expect_categories(&t, "skip");
}

/* -- versions of Spark -- */

static void a_null_number_is_binarized_from_spark_4(void **state)
{
    static const double thresholds[] = {-1.0};
    struct bundle_text t = {.input = IN("double"),
                            .output = OUT("double"),
                            .stage = BINARIZER,
                            .exactness = EXACT("x"),
                            .tensors = {F64("thresholds", "1", thresholds)}};
    struct loaded l;

    (void)state;
    load_good(&l, &t);
    expect(&l, NULL, "{\"a\":null}", "{\"x\":null}");
    expect(&l, NULL, "{\"a\":0}", "{\"x\":1.0}");
    unload(&l);
    t.spark = "4.0.1";
    load_good(&l, &t);
    expect(&l, NULL, "{\"a\":null}", "{\"x\":0.0}");
    unload(&l);
}

static void index_to_string_by_version(void **state)
{
    static const struct {
        const char *spark;
        bool ansi;
        const char *null, *nan;
    } rows[] = {
        {"3.5.9", false, "{\"x\":null}", "{\"x\":\"p\"}"},
        {"4.0.5", true, "{\"x\":null}", "{\"x\":\"p\"}"},
        {"4.1.0", false, "!null-value", "{\"x\":\"p\"}"},
        {"4.1.0", true, "!null-value", "!unseen-value"},
        {"10.0.0", true, "!null-value", "!unseen-value"},
    };

    (void)state;
    for (size_t i = 0; i < countof(rows); i++) {
        const struct bundle_text t = {
            .input = IN("double"),
            .output = OUT("string"),
            .stage = ONE("index_to_string", "IndexToString", "{\"labels\":[[\"p\",\"q\"]]}"),
            .exactness = EXACT("x"),
            .spark = rows[i].spark,
            .ansi = rows[i].ansi};
        struct loaded l;
        load_good(&l, &t);
        expect(&l, NULL, "{\"a\":null}", rows[i].null);
        expect(&l, NULL, "{\"a\":\"NaN\"}", rows[i].nan);
        expect(&l, NULL, "{\"a\":1.9}", "{\"x\":\"q\"}");
        expect(&l, NULL, "{\"a\":2}", "!unseen-value");
        unload(&l);
    }
}

static void no_row_of_a_column_is_null_before_it_is_made(void **state)
{
    static const double surrogates[] = {2.0};
    struct bundle_text t = {.input = IN("double"),
                            .output = OUT("double"),
                            .stage = ONE("imputer", "ImputerModel", "{\"missingValue\":1.0}"),
                            .exactness = EXACT("x"),
                            .tensors = {F64("surrogateDF", "1", surrogates)}};
    struct loaded l;

    (void)state;
    load_good(&l, &t);
    l.frame->columns[1].nulls = UINT64_MAX;
    expect(&l, NULL, "{\"a\":1}", "{\"x\":2.0}");
    unload(&l);
}

static void imputed_integers_saturate_or_fail(void **state)
{
    static const struct {
        const char *type;
        double surrogate;
        const char *plain, *ansi;
    } rows[] = {
        {"tinyint", 300.0, "{\"x\":44}", "!invalid-value"},
        {"tinyint", 127.9, "{\"x\":127}", "{\"x\":127}"},
        {"smallint", -32769.0, "{\"x\":32767}", "!invalid-value"},
        {"smallint", -32768.5, "{\"x\":-32768}", "{\"x\":-32768}"},
        {"int", 3e9, "{\"x\":2147483647}", "!invalid-value"},
        {"int", -2.7, "{\"x\":-2}", "{\"x\":-2}"},
        {"int", (double)NAN, "{\"x\":0}", "!invalid-value"},
        {"bigint", 0x1p63, "{\"x\":9223372036854775807}", "{\"x\":9223372036854775807}"},
        {"bigint", -1e300, "{\"x\":-9223372036854775808}", "!invalid-value"},
    };

    (void)state;
    for (size_t i = 0; i < 2 * countof(rows); i++) {
        char in[96], out[64];
        struct loaded l;
        snprintf(in, sizeof in, "{\"name\":\"a\",\"type\":\"%s\",\"nullable\":true}",
                 rows[i / 2].type);
        snprintf(out, sizeof out, "{\"name\":\"x\",\"type\":\"%s\"}", rows[i / 2].type);
        const struct bundle_text t = {
            .input = in,
            .output = out,
            .stage = ONE("imputer", "ImputerModel", "{\"missingValue\":\"NaN\"}"),
            .exactness = EXACT("x"),
            .ansi = i % 2,
            .tensors = {{"surrogateDF", "F64", "1", &rows[i / 2].surrogate, sizeof(double)}}};
        load_good(&l, &t);
        expect(&l, NULL, "{\"a\":null}", i % 2 ? rows[i / 2].ansi : rows[i / 2].plain);
        expect(&l, NULL, "{\"a\":7}", "{\"x\":7}");
        unload(&l);
    }
}

static void compressed_follows_the_platform(void **state)
{
    static const double low[] = {0, 0}, high[] = {1, 1};
    struct bundle_text t = {
        .input = IN_VECTOR,
        .output = OUT_VECTOR,
        .stage = ONE("min_max_scaler", "MinMaxScalerModel",
                     "{\"min\":0.0,\"max\":1.0,\"originalMin\":{\"kind\":\"dense\",\"size\":2},"
                     "\"originalMax\":{\"kind\":\"dense\",\"size\":2}}"),
        .exactness = EXACT("x"),
        .tensors = {F64("originalMax", "2", high), F64("originalMin", "2", low)}};
    struct loaded l;

    (void)state;
    load_good(&l, &t);
    expect(&l, NULL, "{\"a\":[0,0]}", "{\"x\":{\"size\":2,\"indices\":[],\"values\":[]}}");
    expect(&l, NULL, "{\"a\":[0,0,0]}", "!size-mismatch");
    unload(&l);
    t.compressed = "4.1";
    load_good(&l, &t);
    expect(&l, NULL, "{\"a\":[0,0]}", "{\"x\":[0.0,0.0]}");
    unload(&l);
}

/* -- memory -- */

/* Rows that come later find in their memory what earlier ones left there. */
static void assembled_vectors_hold_nothing_of_earlier_rows(void **state)
{
    const struct bundle_text t = {.input = IN_VECTOR,
                                  .output = OUT_VECTOR,
                                  .stage =
                                      STAGE("vector_assembler", "feature.VectorAssembler",
                                            "{\"inputCols\":[\"a\"]}", "{\"outputCol\":[\"x\"]}",
                                            "{\"handleInvalid\":\"error\",\"lengths\":[null]}"),
                                  .exactness = EXACT("x")};
    struct loaded l;

    (void)state;
    load_good(&l, &t);
    expect(&l, NULL, "{\"a\":[1,2,3,4]}", "{\"x\":[1.0,2.0,3.0,4.0]}");
    expect(&l, NULL, "{\"a\":[0,5,0,6]}", "{\"x\":[0.0,5.0,0.0,6.0]}");
    expect(&l, NULL, "{\"a\":[7,8,-0.0,0]}", "{\"x\":[7.0,8.0,0.0,0.0]}");
    expect(&l, NULL, "{\"a\":[0,0,9]}", "{\"x\":[0.0,0.0,9.0]}");
    expect(&l, NULL, "{\"a\":[0,0,9,0,0]}",
           "{\"x\":{\"size\":5,\"indices\":[2],\"values\":[9.0]}}");
    expect(&l, NULL, "{\"a\":[]}", "{\"x\":[]}");
    unload(&l);
}

static void what_nothing_bounds_fails_beyond_its_room(void **state)
{
    static const double thresholds[] = {-1.0};
    const struct bundle_text t = {.input = IN_VECTOR,
                                  .output = OUT_VECTOR,
                                  .stage = BINARIZER,
                                  .exactness = EXACT("x"),
                                  .tensors = {F64("thresholds", "1", thresholds)}};
    struct loaded l;

    (void)state;
    load_good(&l, &t);
    expect(&l, NULL, "{\"a\":{\"size\":3,\"indices\":[1],\"values\":[-1]}}",
           "{\"x\":[1.0,0.0,1.0]}");
    expect(&l, NULL, "{\"a\":{\"size\":1000000,\"indices\":[1],\"values\":[-1]}}",
           "!row-too-large");
    unload(&l);
}

static void centering_is_bounded_by_the_model(void **state)
{
    static const double mean[] = {1, 2}, std[] = {0, 4};
    const struct bundle_text t = {
        .input = IN_VECTOR,
        .output = OUT_VECTOR,
        .stage = ONE("standard_scaler", "StandardScalerModel",
                     "{\"withMean\":true,\"withStd\":true,\"mean\":{\"kind\":\"dense\",\"size\":2},"
                     "\"std\":{\"kind\":\"dense\",\"size\":2}}"),
        .exactness = EXACT("x"),
        .tensors = {F64("mean", "2", mean), F64("std", "2", std)}};
    struct loaded l;

    (void)state;
    load_good(&l, &t);
    expect(&l, NULL, "{\"a\":{\"size\":2,\"indices\":[],\"values\":[]}}", "{\"x\":[-0.0,-0.5]}");
    expect(&l, NULL, "{\"a\":[3]}", "{\"x\":[0.0]}");
    expect(&l, NULL, "{\"a\":{\"size\":9999,\"indices\":[],\"values\":[]}}", "!size-mismatch");
    unload(&l);
}

/* -- columns that fail alone -- */

/* One split at 0 and two leaves: the left one has no votes. */
static const double tree_weight[] = {1}, tree_threshold[] = {0, 0, 0},
                    tree_prediction[] = {0, 0, 1}, tree_stats[] = {1, 2, 0, 0, 1, 3};
static const uint32_t tree_feature[] = {0, 0, 0}, tree_right[] = {2, 0, 0}, tree_set[] = {0, 0, 0},
                      set_offset[] = {0}, tree_offset[] = {0, 3};
static const uint8_t tree_kind[] = {1, 0, 0};
#define TREE_TENSORS                                                                               \
    F64("forest.prediction", "3", tree_prediction), F64("forest.stats", "3,2", tree_stats),        \
        F64("forest.threshold", "3", tree_threshold), F64("forest.tree_weight", "1", tree_weight), \
        U32("forest.feature", "3", tree_feature), U32("forest.right", "3", tree_right),            \
        U32("forest.set", "3", tree_set), U32("forest.set_offset", "1", set_offset),               \
        U32("forest.tree_offset", "2", tree_offset), U8("forest.kind", "3", tree_kind),            \
    {                                                                                              \
        "forest.set_bits", "U8", "0", "", 0                                                        \
    }
#define TREE(outputs)                                                                       \
    STAGE("decision_tree_classification", "classification.DecisionTreeClassificationModel", \
          "{\"featuresCol\":[\"a\"]}", outputs,                                             \
          "{\"numFeatures\":1,\"numClasses\":2,\"numCategories\":{},\"thresholds\":null}")

static void a_failing_probability_fails_nothing_else(void **state)
{
    const struct bundle_text t = {
        .input = IN_VECTOR,
        .output = "{\"name\":\"p\",\"type\":\"vector\",\"size\":2}",
        .stage = TREE("{\"rawPredictionCol\":[\"r\"],\"probabilityCol\":[\"p\"],"
                      "\"predictionCol\":[\"x\"],\"leafCol\":[\"l\"]}"),
        .exactness = EXACT("r") "," EXACT("p") "," EXACT("x") "," EXACT("l"),
        .tensors = {TREE_TENSORS}};
    struct loaded l;

    (void)state;
    load_good(&l, &t);
    expect(&l, "p", "{\"a\":[-1]}", "!invalid-value");
    expect(&l, "x", "{\"a\":[-1]}", "{\"x\":0.0}");
    expect(&l, "r", "{\"a\":[-1]}", "{\"r\":[0.0,0.0]}");
    expect(&l, "l", "{\"a\":[1]}", "{\"l\":1.0}");
    expect(&l, NULL, "{\"a\":[1]}", "{\"p\":[0.25,0.75]}");
    expect(&l, NULL, "{\"a\":[]}", "!size-mismatch");
    expect(&l, NULL, "{\"a\":null}", "!null-value");
    unload(&l);
}

/* With probability but without rawPrediction, Spark predicts from the probability, which fails. */
static void a_prediction_from_a_failing_probability_fails(void **state)
{
    const struct bundle_text t = {
        .input = IN_VECTOR,
        .output = OUT("double"),
        .stage = TREE("{\"probabilityCol\":[\"p\"],\"predictionCol\":[\"x\"]}"),
        .exactness = EXACT("p") "," EXACT("x"),
        .tensors = {TREE_TENSORS}};
    struct loaded l;

    (void)state;
    load_good(&l, &t);
    expect(&l, NULL, "{\"a\":[-1]}", "!invalid-value");
    expect(&l, NULL, "{\"a\":[1]}", "{\"x\":1.0}");
    unload(&l);
}

/* -- refusals -- */

static const double falling[] = {0, 2, 1}, two_splits[] = {0, 1}, one_nan[] = {(double)NAN},
                    two[] = {1, 2}, negative[] = {-1, 1}, zeros[] = {0, 0};

#define REGRESSION(params)                                                 \
    STAGE("logistic_regression", "classification.LogisticRegressionModel", \
          "{\"featuresCol\":[\"a\"]}", "{\"predictionCol\":[\"x\"]}", params)
#define BINOMIAL(classes, features, multinomial, threshold, thresholds, transposed)               \
    REGRESSION(                                                                                   \
        "{\"numClasses\":" classes ",\"numFeatures\":" features ",\"isMultinomial\":" multinomial \
        ",\"threshold\":" threshold ",\"rawThreshold\":" threshold ",\"thresholds\":" thresholds  \
        ",\"coefficientMatrix\":{\"kind\":\"dense\",\"rows\":1,\"cols\":2,"                       \
        "\"transposed\":" transposed "},\"interceptVector\":{\"kind\":\"dense\",\"size\":1}}")
#define REGRESSION_TENSORS \
    F64("coefficientMatrix", "1,2", two), F64("interceptVector", "1", one_nan)

static const double one[] = {1};
static const uint32_t first[] = {0};

static const struct refusal refusals[] = {
    {"one row takes 201", /* MB, which no file stands behind */
     {.input = IN_VECTOR,
      .output = OUT_VECTOR,
      .stage = ONE("standard_scaler", "StandardScalerModel",
                   "{\"withMean\":true,\"withStd\":false,\"mean\":{\"kind\":\"sparse\","
                   "\"size\":16777216},\"std\":{\"kind\":\"sparse\",\"size\":16777216}}"),
      .tensors = {F64("mean.values", "1", one), F64("std.values", "1", one),
                  U32("mean.indices", "1", first), U32("std.indices", "1", first)}}},
    {"block s000.splitsArray.0: element 2 does not rise",
     {.input = IN("double"),
      .output = OUT("double"),
      .stage = ONE("bucketizer", "Bucketizer", "{\"handleInvalid\":\"error\"}"),
      .tensors = {F64("splitsArray.0", "3", falling)}}},
    {"block s000.splitsArray.0: at least 3 splits",
     {.input = IN("double"),
      .output = OUT("double"),
      .stage = ONE("bucketizer", "Bucketizer", "{\"handleInvalid\":\"error\"}"),
      .tensors = {F64("splitsArray.0", "2", two_splits)}}},
    {"unknown value 'never'",
     {.input = IN("double"),
      .output = OUT("double"),
      .stage = ONE("bucketizer", "Bucketizer", "{\"handleInvalid\":\"never\"}")}},
    {"inputs.inputCols[0]: column 'a' is string, not a number",
     {.input = IN("string"),
      .output = OUT("double"),
      .stage = ONE("bucketizer", "Bucketizer", "{\"handleInvalid\":\"error\"}")}},
    {"block s000.thresholds: 1 elements are needed",
     {.input = IN("double"),
      .output = OUT("double"),
      .stage = BINARIZER,
      .tensors = {F64("thresholds", "2", two)}}},
    {"block thresholds: NaN for a vector",
     {.input = IN_VECTOR,
      .output = OUT_VECTOR,
      .stage = BINARIZER,
      .tensors = {F64("thresholds", "1", one_nan)}}},
    {"column 'a' is int, not double or vector",
     {.input = IN("int"),
      .output = OUT("double"),
      .stage = BINARIZER,
      .tensors = {F64("thresholds", "1", one_nan)}}},
    {"block s000.surrogateDF: 1 elements are needed",
     {.input = IN("int"),
      .output = OUT("int"),
      .stage = ONE("imputer", "ImputerModel", "{\"missingValue\":1.0}"),
      .tensors = {F64("surrogateDF", "2", two)}}},
    {"params.p: must be at least 1",
     {.input = IN_VECTOR,
      .output = OUT_VECTOR,
      .stage = ONE("normalizer", "Normalizer", "{\"p\":0.5}")}},
    {"platform.cpu_vendor",
     {.input = IN_VECTOR,
      .output = OUT_VECTOR,
      .stage = ONE("normalizer", "Normalizer", "{\"p\":3.0}"),
      .cpu_vendor = "CentaurHauls"}},
    {"params.indices: 4 stands twice",
     {.input = IN_VECTOR,
      .output = OUT_VECTOR,
      .stage = ONE("vector_slicer", "VectorSlicer", "{\"indices\":[4,1,4]}")}},
    {"params.std.size: must be that of mean, 2",
     {.input = IN_VECTOR,
      .output = OUT_VECTOR,
      .stage = ONE("standard_scaler", "StandardScalerModel",
                   "{\"withMean\":true,\"withStd\":false,\"mean\":{\"kind\":\"dense\",\"size\":2},"
                   "\"std\":{\"kind\":\"dense\",\"size\":1}}"),
      .tensors = {F64("mean", "2", two), F64("std", "1", one_nan)}}},
    {"params: a binomial model has at most 2 classes and a matrix of 1 row",
     {.input = IN_VECTOR,
      .output = OUT("double"),
      .stage = BINOMIAL("3", "2", "false", "0.5", "null", "true"),
      .tensors = {REGRESSION_TENSORS}}},
    {"params.coefficientMatrix: a binomial model's must be transposed",
     {.input = IN_VECTOR,
      .output = OUT("double"),
      .stage = BINOMIAL("2", "2", "false", "0.5", "null", "false"),
      .tensors = {REGRESSION_TENSORS}}},
    {"params.coefficientMatrix.cols: must be numFeatures, 3",
     {.input = IN_VECTOR,
      .output = OUT("double"),
      .stage = BINOMIAL("2", "3", "false", "0.5", "null", "true"),
      .tensors = {REGRESSION_TENSORS}}},
    {"params.coefficientMatrix.rows: must be numClasses, 2",
     {.input = IN_VECTOR,
      .output = OUT("double"),
      .stage = BINOMIAL("2", "2", "true", "null", "null", "true"),
      .tensors = {REGRESSION_TENSORS}}},
    {"params.thresholds: must be at least 0",
     {.input = IN_VECTOR,
      .output = OUT("double"),
      .stage = BINOMIAL("2", "2", "true", "null", "{\"kind\":\"dense\",\"size\":2}", "true"),
      .tensors = {REGRESSION_TENSORS, F64("thresholds", "2", negative)}}},
    {"at most one of them 0",
     {.input = IN_VECTOR,
      .output = OUT("double"),
      .stage = BINOMIAL("2", "2", "true", "null", "{\"kind\":\"dense\",\"size\":2}", "true"),
      .tensors = {REGRESSION_TENSORS, F64("thresholds", "2", zeros)}}},
    {"params.thresholds: must be null by isMultinomial",
     {.input = IN_VECTOR,
      .output = OUT("double"),
      .stage = BINOMIAL("2", "2", "false", "0.5", "{\"kind\":\"dense\",\"size\":2}", "true"),
      .tensors = {REGRESSION_TENSORS, F64("thresholds", "2", two)}}},
    {"params.numClasses: must be 2",
     {.input = IN_VECTOR,
      .output = OUT("double"),
      .stage = STAGE("gbt_classification", "classification.GBTClassificationModel",
                     "{\"featuresCol\":[\"a\"]}", "{\"predictionCol\":[\"x\"]}",
                     "{\"numFeatures\":1,\"numClasses\":3,\"numCategories\":{},"
                     "\"thresholds\":null}"),
      .tensors = {TREE_TENSORS}}},
    {"outputs: the stage makes no column",
     {.input = IN_VECTOR,
      .output = OUT("double"),
      .stage = STAGE("gbt_regression", "regression.GBTRegressionModel", "{\"featuresCol\":[\"a\"]}",
                     "{}", "{\"numFeatures\":1,\"numCategories\":{}}")}},
    {"block s000.forest.stats: the shape must be [3, 3]",
     {.input = IN_VECTOR,
      .output = OUT("double"),
      .stage = STAGE("decision_tree_regression", "regression.DecisionTreeRegressionModel",
                     "{\"featuresCol\":[\"a\"]}", "{\"predictionCol\":[\"x\"]}",
                     "{\"numFeatures\":1,\"numCategories\":{}}"),
      .tensors = {TREE_TENSORS}}},
};

static void refused_for_its_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(refusals); i++)
        check_refusal(&refusals[i], EXACT("x"));
}

/* What the platform does not give exactly may be declared inexact. */
static void an_inexact_column_is_served(void **state)
{
    const struct bundle_text t = {.input = IN_VECTOR,
                                  .output = OUT_VECTOR,
                                  .stage = ONE("normalizer", "Normalizer", "{\"p\":3.0}"),
                                  .exactness = "\"x\":{\"tier\":\"ulp\",\"n\":2,\"why\":\"w\"}",
                                  .cpu_vendor = "CentaurHauls"};
    struct loaded l;

    (void)state;
    load_good(&l, &t);
    expect(&l, NULL, "{\"a\":[0,-0.0]}", "{\"x\":[0.0,-0.0]}");
    unload(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_indexed_column_has_categories),
        cmocka_unit_test(a_null_number_is_binarized_from_spark_4),
        cmocka_unit_test(index_to_string_by_version),
        cmocka_unit_test(no_row_of_a_column_is_null_before_it_is_made),
        cmocka_unit_test(imputed_integers_saturate_or_fail),
        cmocka_unit_test(compressed_follows_the_platform),
        cmocka_unit_test(assembled_vectors_hold_nothing_of_earlier_rows),
        cmocka_unit_test(what_nothing_bounds_fails_beyond_its_room),
        cmocka_unit_test(centering_is_bounded_by_the_model),
        cmocka_unit_test(a_failing_probability_fails_nothing_else),
        cmocka_unit_test(a_prediction_from_a_failing_probability_fails),
        cmocka_unit_test(refused_for_its_reason),
        cmocka_unit_test(an_inexact_column_is_served),
    };
    return cmocka_run_group_tests_name("ops", tests, NULL, NULL);
}
