/* SPDX-License-Identifier: Apache-2.0 */
/* Stages that hold models, and what names mean after stages that shadow or drop columns. */
#include "ops_fixture.h"

#define CLASS           "org.apache.spark.ml."
#define IN(type)        "{\"name\":\"a\",\"type\":\"" type "\",\"nullable\":true}"
#define IN_VECTOR       "{\"name\":\"a\",\"type\":\"vector\",\"nullable\":true,\"size\":null}"
#define OUT(name, type) "{\"name\":\"" name "\",\"type\":\"" type "\"}"
#define OUT_VECTOR      "{\"name\":\"a\",\"type\":\"vector\",\"size\":null}"
#define EXACT(name)     "\"" name "\":{\"tier\":\"exact\",\"why\":\"w\"}"
#define F64(name, a)                          \
    {                                         \
        name, "F64", "1,1", (a), sizeof(*(a)) \
    }
#define F64_ROW(name, a)                    \
    {                                       \
        name, "F64", "1", (a), sizeof(*(a)) \
    }

/* -- OneVsRest -- */

#define LOGISTIC(in, out, blocks)                                                         \
    "\"op\":\"logistic_regression\",\"class\":\"" CLASS                                   \
    "classification.LogisticRegressionModel\",\"inputs\":{\"featuresCol\":[\"" in         \
    "\"]},\"outputs\":{" out                                                              \
    "},\"params\":{\"numClasses\":2,\"numFeatures\":1,\"isMultinomial\":false,"           \
    "\"threshold\":0.5,\"rawThreshold\":0.0,\"thresholds\":null,\"coefficientMatrix\":{"  \
    "\"kind\":\"dense\",\"rows\":1,\"cols\":1,\"transposed\":true},\"interceptVector\":{" \
    "\"kind\":\"dense\",\"size\":1}},\"uid\":\"lr\",\"blocks\":[" blocks "]"
#define OWN(k)   "\"s000.models." k ".coefficientMatrix\",\"s000.models." k ".interceptVector\""
#define RAW      "\"rawPredictionCol\":[\"raw\"]"
#define MODEL(k) "{" LOGISTIC("a", RAW, OWN(k)) "}"
#define HOLDER(more)                                                                         \
    "\"op\":\"one_vs_rest\",\"class\":\"" CLASS                                              \
    "classification.OneVsRestModel\",\"inputs\":{\"featuresCol\":[\"a\"]},\"outputs\":{" RAW \
    ",\"predictionCol\":[\"x\"]},\"params\":{}" more
#define REST(models) HOLDER(",\"models\":[" models "]")

static const double up[] = {1.0}, down[] = {-1.0}, none[] = {0.0};

static const struct bundle_text rest = {
    .input = IN_VECTOR,
    .output = OUT("x", "double"),
    .stage = REST(MODEL("0") "," MODEL("1")),
    .exactness = EXACT("raw") "," EXACT("x"),
    .tensors = {F64("models.0.coefficientMatrix", up), F64_ROW("models.0.interceptVector", none),
                F64("models.1.coefficientMatrix", down), F64_ROW("models.1.interceptVector", none)},
};

static void the_largest_raw_prediction_is_the_class(void **state)
{
    struct loaded l;

    (void)state;
    load_good(&l, &rest);
    expect(&l, NULL, "{\"a\":[3]}", "{\"x\":0.0}");
    expect(&l, NULL, "{\"a\":[-2]}", "{\"x\":1.0}");
    expect(&l, NULL, "{\"a\":[0]}", "{\"x\":0.0}");
    expect(&l, NULL, "{\"a\":[\"NaN\"]}", "{\"x\":0.0}");
    expect(&l, "raw", "{\"a\":[-2]}", "{\"raw\":[-2.0,2.0]}");
    expect(&l, NULL, "{\"a\":[1,2]}", "!size-mismatch");
    unload(&l);
}

static void nan_is_no_class_from_spark_4_1(void **state)
{
    struct bundle_text t = rest;
    struct loaded l;

    (void)state;
    t.spark = "4.1.0";
    load_good(&l, &t);
    expect(&l, NULL, "{\"a\":[\"NaN\"]}", "{\"x\":-1.0}");
    expect(&l, NULL, "{\"a\":[0]}", "{\"x\":0.0}");
    expect(&l, NULL, "{\"a\":[\"-Infinity\"]}", "{\"x\":1.0}");
    unload(&l);
}

/* What a model makes is not seen from outside. */
static void a_model_has_its_own_names(void **state)
{
    struct loaded l;
    unsigned named = 0;

    (void)state;
    load_good(&l, &rest);
    for (unsigned c = 0; c < l.plan.n_columns; c++)
        named += l.plan.columns[c].name != NULL;
    assert_int_equal(named, 3);
    assert_int_equal(l.plan.n_columns, 5);
    assert_int_equal(plan_find(&l.plan, "raw", 3), 3);
    unload(&l);
}

/* Who sent the row knows the pipeline's stages. */
static void what_fails_in_a_model_fails_its_holder(void **state)
{
    struct loaded l;

    (void)state;
    load_good(&l, &rest);
    char *got = answer(&l, NULL, "{\"a\":[1,2]}");
    if (!strstr(got, "\"stage\":\"u\",\"column\":\"a\""))
        fail_msg("%s", got);
    free(got);
    unload(&l);
}

/* -- names -- */

#define HINT(invalid)                                                           \
    "\"op\":\"vector_size_hint\",\"class\":\"" CLASS                            \
    "feature.VectorSizeHint\",\"inputs\":{\"inputCols\":[\"a\"]},\"outputs\":{" \
    "\"outputCols\":[\"a\"]},\"params\":{\"size\":2,\"handleInvalid\":\"" invalid "\"}"
#define SLICE_OF(index, uid)                                                            \
    "{\"op\":\"vector_slicer\",\"class\":\"" CLASS                                      \
    "feature.VectorSlicer\",\"inputs\":{\"inputCols\":[\"a\"]},\"outputs\":{"           \
    "\"outputCols\":[\"x\"]},\"params\":{\"indices\":[" index "]},\"uid\":\"" uid "\"," \
    "\"blocks\":[]}"
#define SLICER       SLICE_OF("0", "v")
#define SLICER_AGAIN SLICE_OF("1", "w")
#define PRUNER(name)                                                                        \
    "{\"op\":\"column_pruner\",\"class\":\"" CLASS                                          \
    "feature.ColumnPruner\",\"inputs\":{\"columnsToPrune\":[\"" name "\"]},\"outputs\":{}," \
    "\"params\":{},\"uid\":\"prune\",\"blocks\":[]}"

static struct bundle_text hint(const char *stage)
{
    return (struct bundle_text){
        .input = IN_VECTOR, .output = OUT_VECTOR, .stage = stage, .exactness = EXACT("a")};
}

static void a_shadowed_name_is_its_last_column(void **state)
{
    struct bundle_text t = hint(HINT("error"));
    struct loaded l;

    (void)state;
    load_good(&l, &t);
    assert_int_equal(plan_find(&l.plan, "a", 1), 1);
    assert_true(column_in(&l.plan.all, 1));
    assert_int_equal(l.plan.columns[1].shape.size, 2);
    expect(&l, NULL, "{\"a\":[1,2]}", "{\"a\":[1.0,2.0]}");
    expect(&l, "a", "{\"a\":{\"size\":2,\"indices\":[1],\"values\":[0]}}",
           "{\"a\":{\"size\":2,\"indices\":[1],\"values\":[0.0]}}");
    expect(&l, NULL, "{\"a\":[1]}", "!size-mismatch");
    expect(&l, NULL, "{\"a\":null}", "!null-value");
    unload(&l);
}

static void hints_skip_or_believe(void **state)
{
    struct bundle_text t = hint(HINT("skip"));
    struct loaded l;

    (void)state;
    load_good(&l, &t);
    expect(&l, NULL, "{\"a\":[1,2]}", "{\"a\":[1.0,2.0]}");
    for (unsigned i = 0; i < 2; i++) {
        char *got = answer(&l, NULL, i ? "{\"a\":[1]}" : "{\"a\":null}");
        assert_non_null(strstr(got, "\"skipped\""));
        free(got);
    }
    unload(&l);
    t = hint(HINT("optimistic"));
    load_good(&l, &t);
    assert_int_equal(l.plan.columns[1].shape.size, SIZE_UNKNOWN);
    expect(&l, NULL, "{\"a\":[1]}", "{\"a\":[1.0]}");
    expect(&l, NULL, "{\"a\":null}", "{\"a\":null}");
    unload(&l);
}

static void a_dropped_name_means_nothing(void **state)
{
    struct bundle_text t = {.input = IN_VECTOR,
                            .output = "{\"name\":\"x\",\"type\":\"vector\",\"size\":1}",
                            .stage = HINT("optimistic"),
                            .more = SLICER "," PRUNER("a"),
                            .exactness = EXACT("a") "," EXACT("x")};
    struct loaded l;

    (void)state;
    load_good(&l, &t);
    assert_int_equal(plan_find(&l.plan, "a", 1), COLUMN_NONE);
    assert_int_equal(plan_dropped(&l.plan, "a", 1), 2);
    assert_int_equal(plan_dropped(&l.plan, "x", 1), COLUMN_NONE);
    assert_int_equal(plan_dropped(&l.plan, "b", 1), COLUMN_NONE);
    assert_false(column_in(&l.plan.all, 1));
    expect(&l, NULL, "{\"a\":[7,8]}", "{\"x\":[7.0]}");
    unload(&l);
}

static void a_dropped_name_may_be_made_again(void **state)
{
    struct bundle_text t = {.input = IN_VECTOR,
                            .output = "{\"name\":\"a\",\"type\":\"vector\",\"size\":2}",
                            .stage = HINT("error"),
                            .more = SLICER "," PRUNER("x") "," SLICER_AGAIN,
                            .exactness = EXACT("a") "," EXACT("x")};
    struct loaded l;

    (void)state;
    load_good(&l, &t);
    assert_int_equal(plan_dropped(&l.plan, "x", 1), COLUMN_NONE);
    assert_int_equal(plan_find(&l.plan, "x", 1), 3);
    assert_false(column_in(&l.plan.all, 2));
    expect(&l, "x", "{\"a\":[7,8]}", "{\"x\":[8.0]}");
    unload(&l);
}

/* -- refusals -- */

static const struct refusal refusals[] = {
    {"stages[0].models[0]: one_vs_rest 'in' holds models, but is one itself",
     {.input = IN_VECTOR,
      .output = OUT("x", "double"),
      .stage = REST("{" REST(MODEL("0")) ",\"uid\":\"in\",\"blocks\":[]}")}},
    {"stages[0].models: must have 1 to 1000 elements",
     {.input = IN_VECTOR, .output = OUT("x", "double"), .stage = REST("")}},
    {"stages[0] 'u': models: op one_vs_rest holds at least one",
     {.input = IN_VECTOR, .output = OUT("x", "double"), .stage = HOLDER("")}},
    {"stages[0] 'u': models: op vector_size_hint holds none",
     {.input = IN_VECTOR,
      .output = OUT_VECTOR,
      .stage = HINT("error") ",\"models\":[" MODEL("0") "]"}},
    {"stages[0] 'u': models[0] 'lr': blocks: no block s000.models.0.coefficientMatrix",
     {.input = IN_VECTOR, .output = OUT("x", "double"), .stage = REST(MODEL("0"))}},
    {"stages[0] 'u': models[0] 'lr': inputs.featuresCol[0]: there is no column 'b'",
     {.input = IN_VECTOR,
      .output = OUT("x", "double"),
      .stage = REST("{" LOGISTIC("b", RAW, "") "}")}},
    {"models[0] 'lr': inputs: must be its holder's, column 'a'",
     {.input = IN_VECTOR ",{\"name\":\"b\",\"type\":\"vector\",\"nullable\":true,\"size\":null}",
      .output = OUT("x", "double"),
      .stage = REST("{" LOGISTIC("b", RAW, OWN("0")) "}"),
      .tensors = {F64("models.0.coefficientMatrix", up),
                  F64_ROW("models.0.interceptVector", none)}}},
    {"models[0] 'lr': outputs: missing key 'rawPredictionCol'",
     {.input = IN_VECTOR,
      .output = OUT("x", "double"),
      .stage = REST("{" LOGISTIC("a", "\"predictionCol\":[\"p\"]", OWN("0")) "}"),
      .tensors = {F64("models.0.coefficientMatrix", up),
                  F64_ROW("models.0.interceptVector", none)}}},
    {"stage 'u': models[0]: blocks: stage 'lr': the list names 0 of its 2 blocks",
     {.input = IN_VECTOR,
      .output = OUT("x", "double"),
      .stage = REST("{" LOGISTIC("a", RAW, "") "}"),
      .tensors = {F64("models.0.coefficientMatrix", up),
                  F64_ROW("models.0.interceptVector", none)}}},
    {"output[0]: stage 'prune' drops column 'a'",
     {.input = IN_VECTOR, .output = OUT_VECTOR, .stage = HINT("error"), .more = PRUNER("a")}},
    {"stages[2] 'v': inputs.inputCols[0]: there is no column 'a' before this stage",
     {.input = IN_VECTOR,
      .output = OUT("x", "double"),
      .stage = HINT("error"),
      .more = PRUNER("a") "," SLICER}},
    {"stages[1] 'v': outputs: there is a column 'x' already",
     {.input = "{\"name\":\"x\",\"type\":\"double\",\"nullable\":true}," IN_VECTOR,
      .output = OUT("x", "double"),
      .stage = HINT("error"),
      .more = SLICER}},
    {"input[0].type: 'array<array<double>>': elements of arrays are no arrays",
     {.input = IN("array<array<double>>"), .output = OUT_VECTOR, .stage = HINT("error")}},
    {"not 'org.example.VectorSizeHint'",
     {.input = IN_VECTOR,
      .output = OUT_VECTOR,
      .stage = "\"op\":\"vector_size_hint\",\"class\":\"org.example.VectorSizeHint\",\"inputs\":"
               "{\"inputCols\":[\"a\"]},\"outputs\":{\"outputCols\":[\"a\"]},\"params\":{}"}},
};

static void refused_for_its_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(refusals); i++)
        check_refusal(&refusals[i], EXACT("a"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_largest_raw_prediction_is_the_class),
        cmocka_unit_test(nan_is_no_class_from_spark_4_1),
        cmocka_unit_test(a_model_has_its_own_names),
        cmocka_unit_test(what_fails_in_a_model_fails_its_holder),
        cmocka_unit_test(a_shadowed_name_is_its_last_column),
        cmocka_unit_test(hints_skip_or_believe),
        cmocka_unit_test(a_dropped_name_means_nothing),
        cmocka_unit_test(a_dropped_name_may_be_made_again),
        cmocka_unit_test(refused_for_its_reason),
    };
    return cmocka_run_group_tests_name("composition", tests, NULL, NULL);
}
