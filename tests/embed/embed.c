/* SPDX-License-Identifier: Apache-2.0 */
/*
 * embed BUNDLE: another program that scores, with libscored alone. It loads the bundle, which
 * replays the golden rows, and answers the manifest's example. Exit status 0: as the manifest says.
 */
#include "scored/model.h"

#include <stdio.h>
#include <stdlib.h>

enum { SCRATCH = 1 << 20 };

static struct model *load(const char *folder, struct err *e)
{
    const struct model_options options = {
        .workers = 1, .scratch = SCRATCH, .frame_rows = 1, .verify = true};
    struct source *s = source_open_folder(folder, e);
    struct model *m = s ? model_load(s, &options, e) : NULL;

    source_free(s);
    return m;
}

/* A member of the example, as text; the caller frees. */
static char *example(const struct model *m, const char *key)
{
    struct err ignored = {0};
    struct json v;

    return json_get_object(&m->bundle->example, key, &v, &ignored) ? json_print(&v) : NULL;
}

static bool same_answer(const struct model *m, struct scratch *scratch, char *row, const char *want)
{
    struct scoring s = {.plan = &m->plan,
                        .schema = m->schema,
                        .question = &m->defaults,
                        .frame = m->frames[0],
                        .scratch = scratch};
    struct body_problem why;
    struct buf out = {0};

    unsigned status = score_body(&s, row, strlen(row), &out, &why);
    bool same = status == 200 && !out.failed && out.len == strlen(want) &&
                memcmp(out.data, want, out.len) == 0;
    printf("%s is answered %.*s, %s by the manifest\n", row, (int)out.len, out.data, want);
    buf_done(&out);
    scoring_done(&s);
    return same;
}

int main(int argc, char **argv)
{
    struct scratch scratch = {0};
    struct err e = {0};
    struct model *m = argc == 2 ? load(argv[1], &e) : NULL;

    if (!m || !scratch_init(&scratch, SCRATCH, &e)) {
        fprintf(stderr, "embed: %s\n", argc == 2 ? e.msg : "usage: embed BUNDLE");
        return 1;
    }
    char *row = example(m, "in"), *want = example(m, "out");
    bool same = row && want && m->coverage.rows && same_answer(m, &scratch, row, want);
    free(row);
    free(want);
    scratch_done(&scratch);
    model_release(m);
    return same ? 0 : 1;
}
