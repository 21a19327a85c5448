/* SPDX-License-Identifier: Apache-2.0 */
/* The labels of classes, FORMAT.md 3.6: form only. That the columns exist is the plan's business.
 */
#include "bundle_priv.h"

#include <string.h>

bool bundle_labels(const struct bundle *b, const char *column, struct json *labels)
{
    struct err ignored = {0};

    return b->labels.node && json_has(&b->labels, column) &&
           json_get_array(&b->labels, column, labels, &ignored);
}

static bool check_list(const struct json *list, struct err *e)
{
    struct json_iter it = {0};
    const char *label;

    if (!json_is_array(list) || json_size(list) < 1 || json_size(list) > BOUND_LABELS)
        return json_fail(list, e, "must be an array of 1 to %d labels", BOUND_LABELS);
    while (json_next(list, &it)) {
        if (!json_as_string(&it.value, &label, e))
            return false;
        if (strlen(label) > BOUND_LABEL)
            return json_fail(&it.value, e, "a label has at most %d bytes", BOUND_LABEL);
    }
    return true;
}

bool labels_read(struct bundle *b, struct err *e)
{
    struct json_iter it = {0};

    if (!json_has(&b->root, "labels"))
        return true;
    if (!json_get_object(&b->root, "labels", &b->labels, e))
        return false;
    while (json_next(&b->labels, &it))
        if (!check_list(&it.value, e))
            return false;
    return true;
}
