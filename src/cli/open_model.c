/* SPDX-License-Identifier: Apache-2.0 */
#include "open_model.h"

struct model *open_model(const char *uri, unsigned workers, unsigned frame_rows, struct err *e)
{
    const struct model_options options = {
        .workers = workers, .scratch = (size_t)64 << 20, .frame_rows = frame_rows, .verify = true};
    struct source *s = source_open(uri, e);

    if (!s)
        return NULL;
    struct model *m = model_load(s, &options, e);
    source_free(s);
    return m;
}
