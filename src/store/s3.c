/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles in S3. */
#include "store_priv.h"

bool s3_source(struct source *s, const char *uri, const struct source_options *options,
               struct err *e)
{
    (void)s;
    (void)options;
    return err_set(e, ERR_USAGE, "'%.200s': s3:// is not read yet", uri);
}
