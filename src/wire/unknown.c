/* SPDX-License-Identifier: Apache-2.0 */
/* Fields of rows that are none of the model's: a misspelt one changes the answer, for its namesake
 * is null then, so whoever sent it is told. */
#include "wire_priv.h"

#include "scored/distance.h"
#include "scored/utf8.h"

#include <strings.h>

void unknown_note(struct unknown *u, const struct text *name)
{
    char text[UNKNOWN_BYTES + 1];
    size_t n = strnlen(name->p, name->len < UNKNOWN_BYTES ? name->len : UNKNOWN_BYTES);

    if (u->n == UNKNOWN_NAMES)
        return;
    n = utf8_valid(name->p, n); /* not within a character */
    memcpy(text, name->p, n);
    text[n] = '\0';
    for (unsigned i = 0; i < u->n; i++)
        if (!strcmp(u->names[i], text))
            return;
    memcpy(u->names[u->n++], text, n + 1);
}

/* -- what was meant -- */

enum { COMPARED = 32 };

/* Without case and what stands between words: those are what people get wrong most. */
static void fold(const char *name, char out[COMPARED + 1])
{
    size_t n = 0;

    for (; *name && n < COMPARED; name++) {
        char c = *name;
        if (c != '_' && c != '-' && c != ' ' && c != '.')
            out[n++] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
    }
    out[n] = '\0';
}

const char *schema_nearest(const struct schema *s, const char *name)
{
    char wanted[COMPARED + 1], known[COMPARED + 1];
    const char *best = NULL;
    unsigned least = 0;

    fold(name, wanted);
    for (uint32_t i = 0; i < s->n_fields; i++) {
        fold(s->fields[i].name.p, known);
        unsigned far = text_distance(wanted, known), most = (unsigned)strlen(known) / 3;
        if (far > most || (best && far >= least))
            continue;
        best = s->fields[i].name.p;
        least = far;
    }
    return best;
}

void unknown_fail(struct rows *rows, unsigned row, const struct text *name)
{
    struct unknown one = {0};

    unknown_note(&one, name);
    const char *typed = one.names[0], *meant = schema_nearest(rows->schema, typed);
    frame_fail_field(rows->scoring->frame, row, PROBLEM_UNKNOWN_FIELD, FIELD_NONE,
                     meant ? "the model has no field \"%s\"; did you mean \"%s\"?"
                           : "the model has no field \"%s\"",
                     typed, meant);
}

/* Other servers' bodies have the rows inside one of these. */
static bool is_envelope(const struct text *name)
{
    static const char *const names[] = {
        "instances", "inputs", "dataframe_split", "columns", "dataframe_records",
        "data",      "rows",   "ndarray"};

    for (size_t i = 0; i < countof(names); i++)
        if (strlen(names[i]) == name->len && !memcmp(names[i], name->p, name->len))
            return true;
    return false;
}

void unknown_fail_row(struct rows *rows, unsigned row, const struct text *name)
{
    struct frame *f = rows->scoring->frame;
    const char *some = rows->schema->fields[0].name.p;
    struct unknown one = {0};

    unknown_note(&one, name);
    const char *meant = schema_nearest(rows->schema, one.names[0]);
    if (is_envelope(name))
        frame_fail_field(f, row, PROBLEM_UNKNOWN_FIELD, FIELD_NONE,
                         "rows are sent as they are, without \"%s\" around them: {\"%s\": ...}, "
                         "or [{...}, ...] for several",
                         one.names[0], some);
    else if (meant)
        frame_fail_field(f, row, PROBLEM_UNKNOWN_FIELD, FIELD_NONE,
                         "the row holds none of the model's %u fields; by \"%s\", did you mean "
                         "\"%s\"?",
                         rows->schema->n_fields, one.names[0], meant);
    else
        frame_fail_field(f, row, PROBLEM_UNKNOWN_FIELD, FIELD_NONE,
                         "the row holds none of the model's %u fields, such as \"%s\"; the "
                         "model's schema lists them",
                         rows->schema->n_fields, some);
}
