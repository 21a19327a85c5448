/* SPDX-License-Identifier: Apache-2.0 */
/*
 * XGBoost, by both of its paths: in place, and by a matrix that is made and freed with each call.
 * It takes rows as JSON that has their address: the texts are written before anything is timed.
 */
#include "engines.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct text_of_rows {
    unsigned n; /* how many rows it is for */
    char json[124];
};

struct xgboost {
    const char *(*error)(void);
    int (*create)(const void *const *matrices, uint64_t n, void **booster);
    int (*load)(void *booster, const char *file);
    int (*set)(void *booster, const char *name, const char *value);
    int (*in_place)(void *booster, const char *rows, const char *config, void *proxy,
                    const uint64_t **shape, uint64_t *dims, const float **out);
    int (*make_matrix)(const char *rows, const char *config, void **matrix);
    int (*by_matrix)(void *booster, void *matrix, const char *config, const uint64_t **shape,
                     uint64_t *dims, const float **out);
    int (*make_proxy)(void **proxy);
    int (*free_matrix)(void *matrix);
    int (*free)(void *booster);
    void *booster, *proxy;
    const struct rows *rows;
    struct text_of_rows *texts; /* by first row */
};

static const char config[] =
    "{\"type\":0,\"training\":false,\"iteration_begin\":0,\"iteration_end\":0,"
    "\"strict_shape\":false,\"cache_id\":0,\"missing\":NaN}";

static void find_functions(struct xgboost *x, void *library)
{
    peer_function(library, "XGBGetLastError", &x->error);
    peer_function(library, "XGBoosterCreate", &x->create);
    peer_function(library, "XGBoosterLoadModel", &x->load);
    peer_function(library, "XGBoosterSetParam", &x->set);
    peer_function(library, "XGBoosterPredictFromDense", &x->in_place);
    peer_function(library, "XGDMatrixCreateFromDense", &x->make_matrix);
    peer_function(library, "XGBoosterPredictFromDMatrix", &x->by_matrix);
    peer_function(library, "XGProxyDMatrixCreate", &x->make_proxy);
    peer_function(library, "XGDMatrixFree", &x->free_matrix);
    peer_function(library, "XGBoosterFree", &x->free);
}

static void *open_xgboost(const struct engine *e, const char *packages, const char *directory,
                          const struct rows *rows)
{
    struct xgboost *x = room(1, sizeof *x);
    char path[1024];

    find_functions(x, peer_library(e, packages));
    snprintf(path, sizeof path, "%s/xgboost.json", directory);
    if (x->create(NULL, 0, &x->booster) || x->load(x->booster, path) ||
        x->set(x->booster, "nthread", "1") || x->make_proxy(&x->proxy))
        fail("%s: %s", path, x->error());
    x->rows = rows;
    x->texts = room(rows->n, sizeof *x->texts);
    return x;
}

/* Written when the first pass comes along, which is not timed. */
static const char *text_of(const struct xgboost *x, unsigned from, unsigned n)
{
    struct text_of_rows *text = &x->texts[from];
    const float *row = x->rows->f32 + (size_t)from * FEATURES;

    if (text->n != n)
        snprintf(text->json, sizeof text->json,
                 "{\"data\":[%" PRIuPTR
                 ",true],\"shape\":[%u,%d],\"typestr\":\"<f4\",\"version\":3}",
                 (uintptr_t)row, n, FEATURES);
    text->n = n;
    return text->json;
}

static bool give(bool good, const float *answers, unsigned n, double *out)
{
    for (unsigned i = 0; good && i < n; i++)
        out[i] = (double)answers[i];
    return good;
}

static bool score_in_place(void *state, unsigned from, unsigned n, double *out)
{
    const struct xgboost *x = state;
    const uint64_t *shape;
    const float *answers = NULL;
    uint64_t dims;

    bool good =
        !x->in_place(x->booster, text_of(x, from, n), config, x->proxy, &shape, &dims, &answers);
    return give(good, answers, n, out);
}

static bool score_by_matrix(void *state, unsigned from, unsigned n, double *out)
{
    const struct xgboost *x = state;
    const uint64_t *shape;
    const float *answers = NULL;
    uint64_t dims;
    void *matrix;

    if (x->make_matrix(text_of(x, from, n), "{\"missing\":NaN,\"nthread\":1}", &matrix))
        return false;
    bool good = !x->by_matrix(x->booster, matrix, config, &shape, &dims, &answers);
    give(good, answers, n, out);
    return !x->free_matrix(matrix) && good;
}

static void close_xgboost(void *state)
{
    struct xgboost *x = state;

    x->free_matrix(x->proxy);
    x->free(x->booster);
    free(x->texts);
    free(x);
}

const struct engine engine_xgboost = {.name = "XGBoost",
                                      .path = "PredictFromDense",
                                      .library = "xgboost",
                                      .file = "xgboost/lib/libxgboost.so",
                                      .open = open_xgboost,
                                      .score = score_in_place,
                                      .close = close_xgboost};
const struct engine engine_xgboost_matrix = {.name = "XGBoost, matrix",
                                             .path = "PredictFromDMatrix",
                                             .library = "xgboost",
                                             .file = "xgboost/lib/libxgboost.so",
                                             .open = open_xgboost,
                                             .score = score_by_matrix,
                                             .close = close_xgboost};
