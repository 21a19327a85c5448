/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spans of requests, to a collector by OTLP over HTTP, in its JSON encoding
 * (https://opentelemetry.io/docs/specs/otlp/). Where it is gone or slow, spans are dropped.
 */
#ifndef SCORED_HTTP_SPANS_H
#define SCORED_HTTP_SPANS_H

#include "records.h"

struct spans;

/* `endpoint` is the collector's base URL, or "": then OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, which is
 * a whole URL, or OTEL_EXPORTER_OTLP_ENDPOINT say it. NULL in *out: none does. */
bool spans_start(struct spans **out, const char *endpoint, unsigned workers, struct err *e);
struct records *spans_records(struct spans *s);
uint64_t spans_sent(const struct spans *s); /* of NULL: 0 */
uint64_t spans_dropped(const struct spans *s);
void spans_stop(struct spans *s); /* takes NULL; waits a bounded time for what is left */

#endif
