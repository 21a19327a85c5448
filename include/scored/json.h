/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON documents of the control plane: manifests. Read by cJSON, which is lenient, behind a strict
 * check of the bytes. Never for rows: those are decoded by wire/.
 *
 * The getters check presence and type and name the place in the error, as "stages[2].params.p".
 */
#ifndef SCORED_JSON_H
#define SCORED_JSON_H

#include "scored/err.h"

#include <stdint.h>

struct json_limits {
    size_t bytes;
    unsigned depth, number; /* nesting; characters of a number */
};

struct json_doc; /* owns all values */

/* A value and where it stands. Passed by value, borrows the document; `path` is of the getter's
 * parent. */
struct json {
    const void *node;      /* NULL: absent */
    const struct json *up; /* for error texts; NULL at the root */
    const char *key;       /* name in `up`, or NULL for an array's element */
    uint32_t index;
};

/* Refuses what is not strict JSON, duplicate keys, \u0000, lone surrogates, malformed UTF-8 and
 * what is beyond the limits. The document is freed by json_free. */
struct json_doc *json_parse(const char *text, size_t n, const struct json_limits *limits,
                            struct err *e);
void json_free(struct json_doc *doc); /* takes NULL */
void json_wipe(struct json_doc *doc); /* json_free of one with secrets: overwrites its strings */
struct json json_root(const struct json_doc *doc);

/* "what" at the value's path: err_set(ERR_BAD_BUNDLE, "stages[2].params.p: what"). */
bool json_fail(const struct json *v, struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
#ifdef __clang_analyzer__
#define json_fail(...) (json_fail(__VA_ARGS__) && false)
#endif

/* All members of v, an object, are among the NULL-terminated names or begin with "x-". */
bool json_only(const struct json *v, const char *const *names, struct err *e);

bool json_is_null(const struct json *v);
bool json_is_string(const struct json *v);
bool json_is_number(const struct json *v);
bool json_is_object(const struct json *v);
bool json_is_array(const struct json *v);
bool json_is_bool(const struct json *v);
bool json_has(const struct json *v, const char *key);

/* A member of an object; fails where it is absent. */
bool json_get(const struct json *v, const char *key, struct json *out, struct err *e);
bool json_get_object(const struct json *v, const char *key, struct json *out, struct err *e);
bool json_get_array(const struct json *v, const char *key, struct json *out, struct err *e);

/* Strings are NUL-terminated (\u0000 was refused) and live as long as the document. */
bool json_get_string(const struct json *v, const char *key, const char **out, struct err *e);
bool json_get_bool(const struct json *v, const char *key, bool *out, struct err *e);
bool json_get_u32(const struct json *v, const char *key, uint32_t max, uint32_t *out,
                  struct err *e);
bool json_get_u64(const struct json *v, const char *key, uint64_t max, uint64_t *out,
                  struct err *e);
/* A number, or "NaN", "Infinity", "-Infinity". */
bool json_get_double(const struct json *v, const char *key, double *out, struct err *e);

bool json_as_string(const struct json *v, const char **out, struct err *e);
bool json_as_u32(const struct json *v, uint32_t max, uint32_t *out, struct err *e);
bool json_as_double(const struct json *v, double *out, struct err *e);

/* Elements of an array or members of an object, in order. `it` starts as {0}:
 *     struct json_iter it = {0};
 *     while (json_next(&list, &it)) use(&it.value);              it.value.key names a member */
struct json_iter {
    struct json value;
    uint32_t n; /* how many were given */
};
bool json_next(const struct json *v, struct json_iter *it);
uint32_t json_size(const struct json *v);

/* Prints the value, compact, its numbers digit by digit as they came; the caller frees. NULL
 * without memory. */
char *json_print(const struct json *v);

const char *json_library(void); /* the version of cJSON */

#endif
