/* SPDX-License-Identifier: Apache-2.0 */
/* What ops there are: their declarations as data, for documents, tools and tests. */
#ifndef SCORED_OPS_H
#define SCORED_OPS_H

#include "scored/buf.h"

/* {"ops":[{"op","class","form","filter","barrier","inputs","outputs","params","blocks"}]}, a line
 * an op. `filter`: it may drop rows. `inputs` {"key","types","one"}; `outputs`
 * {"key","types","optional"}, types [] as the input's; `params`
 * {"name","kind","values"?,"low"?,"high"?,"size_of"?,"each","note"?}; `blocks`
 * {"name","kind","dtype","dimensions","when"?}, where a name with <i> is one a column and several
 * of the same name are alternatives. */
void ops_json(struct buf *out);

/* A line an op: its name, and Spark's class. */
void ops_list(struct buf *out);

#endif
