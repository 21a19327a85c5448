/* SPDX-License-Identifier: Apache-2.0 */
/* Arrays and vectors from JSON text. What does not fit is read to its end all the same. */
#include "wire_priv.h"

#include "scored/value.h"

/* Items as they are read: their number is known at the end. */
struct items {
    void *at;
    enum type type;  /* of those of arrays */
    size_t size;     /* bytes of one */
    uint32_t room;   /* items */
    uint64_t *nulls; /* bit set, NULL where no item is null */
    uint32_t words;  /* of nulls */
};

enum { FIRST_ROOM = 16 };

typedef bool element_fn(struct decoder *d, uint16_t f, struct items *items, uint32_t i);

static bool no_memory(struct decoder *d)
{
    return reader_fail(&d->reader, d->reader.p, PROBLEM_OUT_OF_MEMORY, "no memory for the body");
}

static bool resize(struct decoder *d, struct items *items, uint32_t room)
{
    void *p = scratch_bring(d->rows.scoring->scratch, items->at, items->room * items->size,
                            room * items->size);

    if (!p)
        return no_memory(d);
    items->at = p;
    items->room = room;
    return true;
}

/* Reads the array at p; `*n` is how many elements it has. */
static bool read_elements(struct decoder *d, uint16_t f, element_fn *element, struct items *items,
                          uint32_t *n)
{
    struct reader *r = &d->reader;
    int more = 1;

    *n = 0;
    if (!reader_enter(r) || !resize(d, items, FIRST_ROOM))
        return false;
    if (reader_space(r) == ']') {
        reader_leave(r);
        return true;
    }
    for (; more > 0; more = reader_more(r, ']'), ++*n) {
        if (!reader_kind(reader_space(r)))
            return reader_expected(r, "a value");
        if (*n == items->room && !resize(d, items, 2 * items->room))
            return false;
        if (!element(d, f, items, *n))
            return false;
    }
    return more == 0 && (items->room == FIRST_ROOM || resize(d, items, *n));
}

/* -- arrays -- */

/* Bits for n items. */
static bool cover(struct decoder *d, struct items *items, uint32_t n)
{
    uint32_t words = n / 64 + 1, had = items->words;

    if (words <= had)
        return true;
    uint64_t *p =
        scratch_bring(d->rows.scoring->scratch, items->nulls, had * sizeof *p, words * sizeof *p);
    if (!p)
        return no_memory(d);
    memset(p + had, 0, (words - had) * sizeof *p);
    items->nulls = p;
    items->words = words;
    return true;
}

static bool null_element(struct decoder *d, uint16_t f, struct items *items, uint32_t i)
{
    if (!d->rows.schema->fields[f].contains_null)
        return decode_wrong_kind(d, f);
    if (!cover(d, items, items->room))
        return false;
    items->nulls[i / 64] |= (uint64_t)1 << i % 64;
    return reader_word(&d->reader, "null");
}

static bool array_element(struct decoder *d, uint16_t f, struct items *items, uint32_t i)
{
    if (*d->reader.p == 'n')
        return null_element(d, f, items, i);
    return decode_value(d, f, items->type, value_at(items->at, items->type, i));
}

static const char *const in_arrays[] = {
    [TYPE_STRING] = "strings in its array", [TYPE_INT] = "ints (whole numbers) in its array",
    [TYPE_FLOAT] = "numbers in its array",  [TYPE_DOUBLE] = "numbers in its array",
    [TYPE_VECTOR] = "vectors in its array",
};

bool decode_array(struct decoder *d, uint16_t f, enum type type, void *cell)
{
    struct list *l = cell;
    enum type element = type_element(type);
    struct items items = {.type = element, .size = value_sizes[element]};

    if (*d->reader.p != '[')
        return decode_wrong_kind(d, f);
    d->wanted = in_arrays[element];
    bool ok = read_elements(d, f, array_element, &items, &l->n) &&
              (!items.nulls || cover(d, &items, l->n));
    l->items = items.at;
    l->nulls = items.nulls;
    return ok;
}

/* -- vectors -- */

/* The members of a vector written as an object. */
#define MEMBERS(X) X(TYPE, "type") X(SIZE, "size") X(INDICES, "indices") X(VALUES, "values")
enum member {
#define X(id, name) MEMBER_##id,
    MEMBERS(X)
#undef X
        MEMBER_COUNT
};

struct parts {
    unsigned seen; /* bits of members */
    int64_t type, size;
    uint32_t n_indices, n_values;
    struct items indices, values;
};

static bool bad_vector(struct decoder *d, uint16_t f, const char *what)
{
    frame_fail_field(d->rows.scoring->frame, d->row, PROBLEM_BAD_VECTOR, f, "%s in field \"%s\"",
                     what, d->rows.schema->fields[f].name.p);
    return true;
}

static bool value_element(struct decoder *d, uint16_t f, struct items *items, uint32_t i)
{
    bool ok;

    return decode_double(d, f, &((double *)items->at)[i], &ok);
}

/* Reads a whole number that a vector's size, index or type may be, else `*out` is -1. */
static bool read_u31(struct decoder *d, uint16_t f, int64_t *out)
{
    struct number n;
    char c = *d->reader.p;

    *out = -1;
    if (c != '-' && (c < '0' || c > '9'))
        return decode_wrong_kind(d, f);
    if (!reader_number(&d->reader, &n))
        return false;
    if (number_to_int64(&n, out) && *out >= 0 && *out <= INT32_MAX)
        return true;
    *out = -1;
    return bad_vector(d, f,
                      "a size, index or type that is not a whole number from 0 to 2147483647");
}

static bool index_element(struct decoder *d, uint16_t f, struct items *items, uint32_t i)
{
    int64_t index;

    if (!read_u31(d, f, &index))
        return false;
    ((uint32_t *)items->at)[i] = (uint32_t)index;
    return true;
}

static bool read_list_member(struct decoder *d, uint16_t f, element_fn *element,
                             struct items *items, uint32_t *n)
{
    if (*d->reader.p != '[')
        return decode_wrong_kind(d, f);
    return read_elements(d, f, element, items, n);
}

static enum member find_member(const struct text *name)
{
    static const struct text names[] = {
#define X(id, name) {name, sizeof(name) - 1},
        MEMBERS(X)
#undef X
    };
    int m = 0;

    while (m < MEMBER_COUNT &&
           (names[m].len != name->len || memcmp(names[m].p, name->p, name->len) != 0))
        m++;
    return (enum member)m;
}

static bool read_member(struct decoder *d, uint16_t f, struct parts *parts)
{
    struct reader *r = &d->reader;
    struct text name;

    if (reader_space(r) != '"')
        return reader_expected(r, "a name in quotes");
    if (!reader_string(r, true, &name) || !reader_take(r, ':', "':'"))
        return false;
    if (!reader_kind(reader_space(r)))
        return reader_expected(r, "a value");
    enum member m = find_member(&name);
    if (m == MEMBER_COUNT || parts->seen & 1U << m)
        return reader_skip(r) && bad_vector(d, f,
                                            m == MEMBER_COUNT ? "an unknown member of a vector"
                                                              : "a member of a vector twice");
    parts->seen |= 1U << m;
    switch ((int)m) {
    case MEMBER_TYPE: return read_u31(d, f, &parts->type);
    case MEMBER_SIZE: return read_u31(d, f, &parts->size);
    case MEMBER_INDICES:
        return read_list_member(d, f, index_element, &parts->indices, &parts->n_indices);
    default: return read_list_member(d, f, value_element, &parts->values, &parts->n_values);
    }
}

/* What is wrong with the parts of a sparse vector, or NULL. */
static const char *sparse_fault(const struct vec *v, const struct parts *parts)
{
    if (parts->n_indices != parts->n_values)
        return "as many indices as values are needed";
    for (uint32_t i = 1; i < v->n; i++)
        if (v->indices[i] <= v->indices[i - 1])
            return "indices that do not ascend";
    if (v->n && v->indices[v->n - 1] >= parts->size)
        return "an index beyond the size";
    return NULL;
}

/* Makes the vector of its parts, all of which are good in themselves. */
static bool join_parts(struct decoder *d, uint16_t f, struct vec *v, const struct parts *parts)
{
    const unsigned dense = 1U << MEMBER_TYPE | 1U << MEMBER_VALUES;
    const unsigned sparse = 1U << MEMBER_SIZE | 1U << MEMBER_INDICES | 1U << MEMBER_VALUES;

    v->n = parts->n_values;
    v->values = parts->values.at;
    v->indices = parts->indices.at;
    if (parts->type == 1) {
        v->sparse = false;
        v->size = v->n;
        return parts->seen == dense || bad_vector(d, f, "a dense vector has type and values only");
    }
    if (parts->type != 0 || (parts->seen & sparse) != sparse)
        return bad_vector(d, f, "a sparse vector has size, indices and values, and type 0 or none");
    v->sparse = true;
    v->size = (uint32_t)parts->size;
    const char *fault = sparse_fault(v, parts);
    return !fault || bad_vector(d, f, fault);
}

static bool decode_vector_object(struct decoder *d, uint16_t f, struct vec *v)
{
    struct reader *r = &d->reader;
    struct parts parts = {.indices = {.size = sizeof(uint32_t)},
                          .values = {.size = sizeof(double)}};
    int more = 1;

    if (!reader_enter(r))
        return false;
    if (reader_space(r) == '}') {
        reader_leave(r);
        more = 0;
    }
    for (; more > 0; more = reader_more(r, '}'))
        if (!read_member(d, f, &parts))
            return false;
    if (more < 0)
        return false;
    if (d->rows.scoring->frame->failed & row_bit(d->row))
        return true;
    return join_parts(d, f, v, &parts);
}

bool decode_vector(struct decoder *d, uint16_t f, enum type type, void *cell)
{
    struct vec *v = cell;
    struct items items = {.size = sizeof(double)};
    const char *wanted = d->wanted;
    char c = *d->reader.p;
    bool ok;

    (void)type;
    if (c != '[' && c != '{')
        return decode_wrong_kind(d, f);
    d->wanted = "numbers in its vector";
    if (c == '{') {
        ok = decode_vector_object(d, f, v);
    } else {
        ok = read_elements(d, f, value_element, &items, &v->n);
        v->values = items.at;
        v->size = v->n;
        v->sparse = false;
    }
    d->wanted = wanted;
    return ok;
}
