/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /metrics: the Prometheus text format 0.0.4, or OpenMetrics 1.0, whose counters are named
 * without "_total" in TYPE and HELP, and whose text ends in "# EOF".
 */
#include "metrics_text.h"

#include <stdio.h>

void put_family(const struct text_of *t, const char *name, const char *type, const char *help)
{
    const char *suffix = !t->open && !strcmp(type, "counter") ? "_total" : "";

    buf_printf(t->out, "# HELP %s%s %s\n# TYPE %s%s %s\n", name, suffix, help, name, suffix, type);
}

/* Quotes, backslashes and newlines are escaped. */
void put_label(const struct text_of *t, const char *before, const char *value)
{
    buf_text(t->out, before);
    buf_lit(t->out, "=\"");
    for (const char *p = value; *p; p++) {
        if (*p == '"' || *p == '\\')
            buf_char(t->out, '\\');
        if (*p == '\n')
            buf_lit(t->out, "\\n");
        else
            buf_char(t->out, *p);
    }
    buf_char(t->out, '"');
}

void put_value(const struct text_of *t, uint64_t value)
{
    buf_lit(t->out, "} ");
    buf_u64(t->out, value);
    buf_char(t->out, '\n');
}

void put_real(const struct text_of *t, double value)
{
    buf_printf(t->out, "} %.15g\n", value);
}

void put_gauge(const struct text_of *t, const char *name, const char *help, double value)
{
    put_family(t, name, "gauge", help);
    buf_printf(t->out, "%s %.15g\n", name, value);
}

void put_counter(const struct text_of *t, const char *name, const char *help, double value)
{
    put_family(t, name, "counter", help);
    buf_printf(t->out, "%s_total %.15g\n", name, value);
}

const char *bound_text(double bound, char out[BOUND_TEXT])
{
    snprintf(out, BOUND_TEXT - 2, "%.5g", bound);
    if (!strpbrk(out, ".e"))
        memcpy(out + strlen(out), ".0", sizeof ".0");
    return out;
}

void answer_metrics(struct exchange *x)
{
    static const char plain[] = "text/plain", open[] = "application/openmetrics-text";
    unsigned wanted = media_accepts(x->head.accept, open, false);
    struct text_of t = {
        .out = &x->reply,
        .app = x->app,
        .m = x->app->metrics,
        .open = wanted && wanted >= media_accepts(x->head.accept, plain, true),
    };

    x->status = 200;
    x->content_type = t.open ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                             : "text/plain; version=0.0.4; charset=utf-8";
    put_request_metrics(&t);
    put_model_metrics(&t);
    put_watch_metrics(&t);
    put_process_metrics(&t);
    if (t.open)
        buf_lit(&x->reply, "# EOF\n");
}
