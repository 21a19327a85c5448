/* SPDX-License-Identifier: Apache-2.0 */
/* What the files share that write metrics: samples of the two text formats. */
#ifndef SCORED_HTTP_METRICS_TEXT_H
#define SCORED_HTTP_METRICS_TEXT_H

#include "metrics_priv.h"

struct text_of {
    struct buf *out;
    struct app *app;
    const struct metrics *m;
    bool open; /* OpenMetrics */
};

/* A family: names are whole, but for the "_total" of counters. */
void put_family(const struct text_of *t, const char *name, const char *type, const char *help);

/* `before`, an equals sign and the value in quotes: "name{label" or ",label". */
void put_label(const struct text_of *t, const char *before, const char *value);
void put_value(const struct text_of *t, uint64_t value); /* ends labels and the line */
void put_real(const struct text_of *t, double value);

/* A family of one sample without labels. */
void put_gauge(const struct text_of *t, const char *name, const char *help, double value);
void put_counter(const struct text_of *t, const char *name, const char *help, double value);

/* Of a histogram's upper bounds, in seconds: with a fraction, as OpenMetrics wants it. */
enum { BOUND_TEXT = 32 };
const char *bound_text(double bound, char out[BOUND_TEXT]);

/* The families, by file. */
void put_request_metrics(const struct text_of *t); /* metrics_requests.c */
void put_model_metrics(const struct text_of *t);   /* metrics_models.c */
void put_watch_metrics(const struct text_of *t);   /* metrics_watch.c */
void put_process_metrics(const struct text_of *t); /* metrics_process.c */

#endif
