/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQL's hash: MurmurHash3 of each argument, begun with the hash of those before it; a null changes
 * nothing. A number is hashed as its bytes, an integer of fewer than 32 bits as an int. Texts, and
 * decimals that no long holds, are hashed as Spark did before 3.0.
 */
#include "../murmur3.h"
#include "sql.h"

#include "scored/java.h"

#include <string.h>

enum { LONG_DIGITS = 18 };

static int32_t hash_piece(uint32_t seed, const void *p, size_t n)
{
    struct murmur3 m = {seed, 0, 0};

    murmur3_add(&m, p, n);
    return murmur3_end_old(m);
}

static int32_t hash_int(uint32_t seed, int64_t i)
{
    uint32_t word = (uint32_t)(uint64_t)i;

    return hash_piece(seed, &word, sizeof word);
}

static int32_t hash_long(uint32_t seed, int64_t i)
{
    return hash_piece(seed, &i, sizeof i);
}

/* Zeros are one, and so are NaNs. */
static int32_t hash_float(uint32_t seed, float f)
{
    uint32_t bits;

    memcpy(&bits, &f, sizeof bits);
    return hash_int(seed, f == 0 ? 0 : f != f ? 0x7fc00000 : bits);
}

static int32_t hash_double(uint32_t seed, double d)
{
    int64_t bits;

    memcpy(&bits, &d, sizeof bits);
    return hash_long(seed, d == 0 ? 0 : d != d ? 0x7ff8000000000000 : bits);
}

/* Of a BigInteger's bytes: the fewest that hold it and its sign, the highest first. */
static int32_t hash_wide(uint32_t seed, int128 n)
{
    unsigned char bytes[sizeof n];
    unsigned first = 0, last = sizeof n - 1;

    for (unsigned i = 0; i <= last; i++)
        bytes[i] = (unsigned char)(n >> 8 * (last - i));
    while (first < last && bytes[first] == (n < 0 ? 0xff : 0) &&
           (bytes[first + 1] & 0x80) == (n < 0 ? 0x80 : 0))
        first++;
    return hash_piece(seed, bytes + first, sizeof n - first);
}

static int32_t hash_of(uint32_t seed, struct sql_type type, const union sql_value *v)
{
    enum type t = type.type;

    return t == TYPE_BIGINT || t == TYPE_TIMESTAMP ? hash_long(seed, v->i)
           : t == TYPE_FLOAT                       ? hash_float(seed, v->f)
           : t == TYPE_DOUBLE                      ? hash_double(seed, v->d)
           : t == TYPE_STRING                      ? hash_piece(seed, v->t.p, v->t.len)
           : t != TYPE_DECIMAL                     ? hash_int(seed, v->i)
           : type.digits.precision <= LONG_DIGITS  ? hash_long(seed, (int64_t)v->n)
                                                   : hash_wide(seed, v->n);
}

static enum sql_got run_hash(const struct sql_node *n, const struct sql_row *r,
                             union sql_value *out)
{
    uint32_t hash = 42;

    for (uint32_t i = 0; i < n->n_args; i++) {
        union sql_value v;
        enum sql_got got = sql_run(n->args[i], r, &v);
        if (got == SQL_STOP)
            return got;
        if (got == SQL_VALUE)
            hash = (uint32_t)hash_of(hash, n->args[i]->type, &v);
    }
    out->i = (int32_t)hash;
    return SQL_VALUE;
}

static const struct sql_function functions[] = {
    {"hash", 1, 0, {SQL_SCALARS, SQL_SCALARS, SQL_SCALARS}, IS_INT, .lazy = run_hash},
};

const struct sql_table sql_hashes = {functions, countof(functions)};
