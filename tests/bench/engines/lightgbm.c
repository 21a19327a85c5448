/* SPDX-License-Identifier: Apache-2.0 */
/* LightGBM: a row by SingleRowFast, which keeps all but the row; more by PredictForMat. */
#include "engines.h"

#include <stdio.h>
#include <stdlib.h>

enum { IS_F64 = 1, RAW = 1, BY_ROW = 1, ALL_TREES = -1 };

struct lightgbm {
    const char *(*error)(void);
    int (*load)(const char *file, int *iterations, void **booster);
    int (*fast_init)(void *booster, int kind, int start, int trees, int type, int32_t columns,
                     const char *parameters, void **fast);
    int (*fast)(void *fast, const void *row, int64_t *n, double *out);
    int (*matrix)(void *booster, const void *data, int type, int32_t rows, int32_t columns,
                  int by_row, int kind, int start, int trees, const char *parameters, int64_t *n,
                  double *out);
    int (*fast_free)(void *fast);
    int (*free)(void *booster);
    void *booster, *fast_config;
    const struct rows *rows;
};

static const char one_thread[] = "num_threads=1";

static void find_functions(struct lightgbm *l, void *library)
{
    peer_function(library, "LGBM_GetLastError", &l->error);
    peer_function(library, "LGBM_BoosterCreateFromModelfile", &l->load);
    peer_function(library, "LGBM_BoosterPredictForMatSingleRowFastInit", &l->fast_init);
    peer_function(library, "LGBM_BoosterPredictForMatSingleRowFast", &l->fast);
    peer_function(library, "LGBM_BoosterPredictForMat", &l->matrix);
    peer_function(library, "LGBM_FastConfigFree", &l->fast_free);
    peer_function(library, "LGBM_BoosterFree", &l->free);
}

static void *open_lightgbm(const struct engine *e, const char *packages, const char *directory,
                           const struct rows *rows)
{
    struct lightgbm *l = room(1, sizeof *l);
    char path[1024];
    int iterations;

    find_functions(l, peer_library(e, packages));
    snprintf(path, sizeof path, "%s/lightgbm.txt", directory);
    if (l->load(path, &iterations, &l->booster) ||
        l->fast_init(l->booster, RAW, 0, ALL_TREES, IS_F64, FEATURES, one_thread, &l->fast_config))
        fail("%s: %s", path, l->error());
    l->rows = rows;
    return l;
}

static bool score(void *state, unsigned from, unsigned n, double *out)
{
    const struct lightgbm *l = state;
    const double *row = l->rows->f64 + (size_t)from * FEATURES;
    int64_t made = 0;

    if (n == 1)
        return !l->fast(l->fast_config, row, &made, out) && made == 1;
    return !l->matrix(l->booster, row, IS_F64, (int32_t)n, FEATURES, BY_ROW, RAW, 0, ALL_TREES,
                      one_thread, &made, out) &&
           made == n;
}

static void close_lightgbm(void *state)
{
    struct lightgbm *l = state;

    l->fast_free(l->fast_config);
    l->free(l->booster);
    free(l);
}

const struct engine engine_lightgbm = {.name = "LightGBM",
                                       .path = "SingleRowFast, PredictForMat",
                                       .library = "lightgbm",
                                       .file = "lightgbm/lib/lib_lightgbm.so",
                                       .open = open_lightgbm,
                                       .score = score,
                                       .close = close_lightgbm};
