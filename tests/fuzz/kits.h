/* SPDX-License-Identifier: Apache-2.0 */
/* What fuzz targets of bodies share: pipelines without stages, with columns of every type, that cut
 * rows into frames in different ways. */
#ifndef FUZZ_KITS_H
#define FUZZ_KITS_H

#include "../unit/wire_kit.h"

static void require(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "broken: %s\n", what);
        abort();
    }
}

enum { KITS = 3, REPLY_MAX = 1 << 16 };
static const unsigned cuts[KITS] = {1, 7, 64};
static struct kit kits[KITS];

static void open_kits(void)
{
    static const struct kit_input inputs[] = {
        {"d", TYPE_DOUBLE, true, false},     {"s", TYPE_STRING, true, false},
        {"b", TYPE_BOOLEAN, true, false},    {"i", TYPE_INT, true, false},
        {"l", TYPE_BIGINT, false, false},    {"f", TYPE_FLOAT, true, false},
        {"t", TYPE_TINYINT, true, false},    {"S", TYPE_ARRAY_STRING, true, true},
        {"F", TYPE_ARRAY_FLOAT, true, true}, {"D", TYPE_ARRAY_DOUBLE, true, false},
        {"v", TYPE_VECTOR, true, false},     {"a", TYPE_DATE, true, false},
        {"z", TYPE_TIMESTAMP, true, false},  {"n", TYPE_DECIMAL, true, false},
    };

    for (unsigned i = 0; i < KITS; i++)
        kit_open(&kits[i], inputs, countof(inputs), cuts[i]);
}

static void choose(struct question *q, unsigned options)
{
    q->spark_vectors = options & 1;
    q->reject_unknown = options & 2;
    q->n_echoes = options & 4 ? 2 : 0;
    q->echoes[0] = (struct text){"s", 1};
    q->echoes[1] = (struct text){"id", 2};
    q->max_reply = REPLY_MAX;
}

#endif
