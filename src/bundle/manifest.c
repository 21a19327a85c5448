/* SPDX-License-Identifier: Apache-2.0 */
/* The manifest, FORMAT.md 3: form only. What params mean is the ops' business. */
#include "bundle_priv.h"

#include "scored/hex.h"
#include "scored/utf8.h"

#include <stdio.h>
#include <string.h>

/* An enumeration in JSON: one of `names`, NULL-terminated; *out is its index. */
static bool get_enum(const struct json *v, const char *key, const char *const *names, unsigned *out,
                     struct err *e)
{
    struct json m;
    const char *text;

    if (!json_get(v, key, &m, e) || !json_as_string(&m, &text, e))
        return false;
    for (unsigned i = 0; names[i]; i++) {
        if (strcmp(names[i], text) == 0) {
            *out = i;
            return true;
        }
    }
    return json_fail(&m, e, "unknown value '%.64s'", text);
}

static bool is_label(const char *s)
{
    size_t n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

    return n >= 1 && n <= 64 && !s[n];
}

static bool get_label(const struct json *v, const char *key, const char **out, struct err *e)
{
    struct json m;

    if (!json_get(v, key, &m, e) || !json_as_string(&m, out, e))
        return false;
    return is_label(*out) || json_fail(&m, e, "must match [A-Za-z0-9._-]{1,64}");
}

/* The two digits at p. */
static int two_digits(const char *p)
{
    return (p[0] - '0') * 10 + (p[1] - '0');
}

static bool is_time(const char *s)
{
    static const char form[] = "dddd-dd-ddTdd:dd:dd.dddZ";
    static const struct {
        int at, low, high;
    } ranges[] = {{5, 1, 12}, {8, 1, 31}, {11, 0, 23}, {14, 0, 59}, {17, 0, 60}};

    if (strlen(s) != sizeof form - 1)
        return false;
    for (size_t i = 0; form[i]; i++)
        if (form[i] == 'd' ? s[i] < '0' || s[i] > '9' : s[i] != form[i])
            return false;
    for (size_t i = 0; i < countof(ranges); i++) {
        int n = two_digits(s + ranges[i].at);
        if (n < ranges[i].low || n > ranges[i].high)
            return false;
    }
    return true;
}

/* RFC 3339 UTC with milliseconds. */
static bool get_time(const struct json *v, const char *key, const char **out, struct err *e)
{
    struct json m;

    if (!json_get(v, key, &m, e) || !json_as_string(&m, out, e))
        return false;
    return is_time(*out) || json_fail(&m, e, "must be a time as 2026-11-21T10:20:30.123Z");
}

static bool is_column_name(const char *name)
{
    size_t n = strlen(name);

    if (n < 1 || n > BOUND_NAME || strchr(name, '.'))
        return false;
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
            return false;
    return true;
}

static bool get_column_name(const struct json *v, const char **out, struct err *e)
{
    if (!json_as_string(v, out, e))
        return false;
    return is_column_name(*out) ||
           json_fail(v, e, "a column's name has 1 to %d bytes, no dots and no control characters",
                     BOUND_NAME);
}

/* -- input and output -- */

/* size: an integer or null, of vectors only. */
static bool read_size(const struct json *v, struct bundle_column *c, struct err *e)
{
    struct json size;
    uint32_t n;

    c->size = SIZE_UNKNOWN;
    if (c->type != TYPE_VECTOR)
        return !json_has(v, "size") || json_fail(v, e, "only vectors have a size");
    if (!json_get(v, "size", &size, e))
        return false;
    if (json_is_null(&size))
        return true;
    if (!json_as_u32(&size, BOUND_FEATURES, &n, e))
        return false;
    c->size = n;
    return true;
}

static bool read_name_and_type(const struct json *v, struct bundle_column *c, struct err *e)
{
    struct json name, type;
    const char *text;

    if (!json_is_object(v))
        return json_fail(v, e, "must be an object");
    if (!json_get(v, "name", &name, e) || !get_column_name(&name, &c->name, e) ||
        !json_get(v, "type", &type, e) || !json_as_string(&type, &text, e))
        return false;
    if (strncmp(text, "array<array<", strlen("array<array<")) == 0)
        return json_fail(&type, e, "'%.64s': elements of arrays are no arrays", text);
    if (!type_read(text, &c->type, &c->digits))
        return json_fail(&type, e, "unknown type '%.64s'", text);
    return read_size(v, c, e);
}

static bool read_input(const struct json *v, struct bundle_column *c, struct err *e)
{
    static const char *const keys[] = {"name",         "type", "nullable", "description",
                                       "containsNull", "size", NULL};

    if (!read_name_and_type(v, c, e) || !json_only(v, keys, e) ||
        !json_get_bool(v, "nullable", &c->nullable, e))
        return false;
    if (json_has(v, "description") && !json_get_string(v, "description", &c->description, e))
        return false;
    if (type_is_array(c->type))
        return json_get_bool(v, "containsNull", &c->contains_null, e);
    return !json_has(v, "containsNull") || json_fail(v, e, "only arrays have containsNull");
}

static bool read_output(const struct json *v, struct bundle_column *c, struct err *e)
{
    static const char *const keys[] = {"name", "type", "size", NULL};

    return read_name_and_type(v, c, e) && json_only(v, keys, e);
}

static bool read_columns(struct bundle *b, const char *key,
                         bool (*read)(const struct json *, struct bundle_column *, struct err *),
                         struct bundle_column **out, uint32_t *n, struct err *e)
{
    struct json list;
    struct json_iter it = {0};

    if (!json_get_array(&b->root, key, &list, e))
        return false;
    uint32_t count = json_size(&list);
    if (count < 1 || count > BOUND_INPUTS)
        return json_fail(&list, e, "must have 1 to %d elements", BOUND_INPUTS);
    *out = arena_new(&b->arena, struct bundle_column, count);
    if (!*out)
        return err_memory(e);
    while (json_next(&list, &it))
        if (!read(&it.value, &(*out)[it.n - 1], e))
            return false;
    *n = count;
    return true;
}

/* -- stages -- */

/* {"featuresCol": ["features"], ...} */
static bool check_column_map(const struct json *map, struct err *e)
{
    struct json_iter it = {0};

    while (json_next(map, &it)) {
        struct json_iter element = {0};
        const char *name;
        if (!json_is_array(&it.value) || !json_size(&it.value))
            return json_fail(&it.value, e, "must be an array of column names");
        while (json_next(&it.value, &element))
            if (!get_column_name(&element.value, &name, e))
                return false;
    }
    return true;
}

static bool check_block_list(const struct json *list, struct err *e)
{
    struct json_iter it = {0};
    const char *name, *last = "";

    while (json_next(list, &it)) {
        if (!json_as_string(&it.value, &name, e))
            return false;
        if (strcmp(name, last) <= 0)
            return json_fail(&it.value, e, "block names must be sorted and distinct");
        last = name;
    }
    return true;
}

/* What blocks of the stage that v is begin with, after the prefix of the stage that holds it. */
static bool set_prefix(struct bundle *b, const struct json *v, const struct bundle_stage *holder,
                       struct bundle_stage *s, struct err *e)
{
    char text[32];
    int n = holder ? snprintf(text, sizeof text, "%s.models.%u", holder->prefix, (unsigned)v->index)
                   : snprintf(text, sizeof text, "s%03u", (unsigned)v->index);

    s->prefix = arena_copy(&b->arena, text, n < 0 ? 0 : (size_t)n);
    return s->prefix || err_memory(e);
}

static bool read_stage(struct bundle *b, const struct json *v, const struct bundle_stage *holder,
                       struct bundle_stage *s, struct err *e)
{
    static const char *const keys[] = {"op",     "uid",    "class", "inputs", "outputs",
                                       "params", "blocks", "x-fit", "models", NULL};

    if (!json_is_object(v))
        return json_fail(v, e, "must be an object");
    if (!set_prefix(b, v, holder, s, e) || !json_only(v, keys, e) ||
        !json_get_string(v, "op", &s->op, e) || !json_get_string(v, "uid", &s->uid, e) ||
        !json_get_string(v, "class", &s->class_name, e) ||
        !json_get_object(v, "inputs", &s->inputs, e) ||
        !json_get_object(v, "outputs", &s->outputs, e) ||
        !json_get_object(v, "params", &s->params, e) || !json_get_array(v, "blocks", &s->blocks, e))
        return false;
    if (!*s->uid || strlen(s->uid) > BOUND_NAME)
        return json_fail(v, e, "uid must have 1 to %d bytes", BOUND_NAME);
    if (!check_column_map(&s->inputs, e) || !check_column_map(&s->outputs, e) ||
        !check_block_list(&s->blocks, e))
        return false;
    /* Paths in later errors start at the stage: v is about to go. */
    s->inputs.up = s->outputs.up = s->params.up = s->blocks.up = &b->root;
    return true;
}

/* One level of them: their uids may be equal, as those are that one estimator has fitted. */
static bool read_models(struct bundle *b, const struct json *v, struct bundle_stage *s,
                        struct err *e)
{
    struct json list;
    struct json_iter it = {0};

    if (!json_has(v, "models"))
        return true;
    if (!json_get_array(v, "models", &list, e))
        return false;
    uint32_t n = json_size(&list);
    if (n < 1 || n > BOUND_MODELS)
        return json_fail(&list, e, "must have 1 to %d elements", BOUND_MODELS);
    s->models = arena_new(&b->arena, struct bundle_stage, n);
    if (!s->models)
        return err_memory(e);
    while (json_next(&list, &it)) {
        if (!read_stage(b, &it.value, s, &s->models[it.n - 1], e))
            return false;
        if (json_has(&it.value, "models"))
            return json_fail(&it.value, e, "%s '%.64s' holds models, but is one itself",
                             s->models[it.n - 1].op, s->models[it.n - 1].uid);
    }
    s->n_models = n;
    return true;
}

static bool read_stages(struct bundle *b, struct err *e)
{
    struct json list;
    struct json_iter it = {0};

    if (!json_get_array(&b->root, "stages", &list, e))
        return false;
    uint32_t n = json_size(&list);
    if (n < 1 || n > BOUND_STAGES)
        return json_fail(&list, e, "must have 1 to %d elements", BOUND_STAGES);
    b->stages = arena_new(&b->arena, struct bundle_stage, n);
    if (!b->stages)
        return err_memory(e);
    while (json_next(&list, &it)) {
        struct bundle_stage *s = &b->stages[it.n - 1];
        if (!read_stage(b, &it.value, NULL, s, e) || !read_models(b, &it.value, s, e))
            return false;
        for (uint32_t i = 0; i + 1 < it.n; i++)
            if (strcmp(b->stages[i].uid, s->uid) == 0)
                return json_fail(&it.value, e, "uid '%.64s' stands twice", s->uid);
    }
    b->n_stages = n;
    return true;
}

/* -- platform, lineage, exactness, files -- */

static bool read_platform(struct bundle *b, struct err *e)
{
    static const char *const keys[] = {
        "spark",  "scala", "jdk",  "locale",         "arch",       "cpu_vendor",       "blas",
        "reduce", "libm",  "ansi", "case_sensitive", "compressed", "double_to_string", "time_zone",
        NULL};
    static const char *const archs[] = {"x86_64", "aarch64", NULL};
    static const char *const blas[] = {"java8",   "java11", "vector2", "vector4",
                                       "vector8", "native", "mixed",   NULL};
    static const char *const reduce[] = {"unordered", "sequential", NULL};
    static const char *const libms[] = {"hotspot-x86", "other", NULL};
    static const char *const compressed[] = {"old", "4.1", NULL};
    static const char *const texts[] = {"jdk17", "jdk19", NULL};
    struct platform *p = &b->platform;
    struct json v;
    unsigned n, arch, libm;

    if (!json_get_object(&b->root, "platform", &v, e) || !json_only(&v, keys, e) ||
        !json_get_string(&v, "spark", &p->spark, e) ||
        !json_get_string(&v, "scala", &p->scala, e) || !json_get_string(&v, "jdk", &p->jdk, e) ||
        !json_get_string(&v, "locale", &p->locale, e) ||
        !json_get_string(&v, "cpu_vendor", &p->cpu_vendor, e) ||
        !json_get_bool(&v, "ansi", &p->ansi, e) ||
        !json_get_bool(&v, "case_sensitive", &p->case_sensitive, e) ||
        !get_enum(&v, "arch", archs, &arch, e) || !get_enum(&v, "libm", libms, &libm, e) ||
        !get_enum(&v, "double_to_string", texts, &n, e))
        return false;
    p->shortest_digits = n == 1;
    if (json_has(&v, "time_zone") && !json_get_string(&v, "time_zone", &p->time_zone, e))
        return false;
    p->arch = archs[arch];
    p->libm = libms[libm];
    if (!get_enum(&v, "blas", blas, &n, e))
        return false;
    p->blas = (enum platform_blas)n;
    if (!get_enum(&v, "compressed", compressed, &n, e))
        return false;
    p->compressed = (enum platform_compressed)n;
    if (!get_enum(&v, "reduce", reduce, &n, e))
        return false;
    p->reduce_sequential = n == 1;
    return true;
}

static bool check_metrics(const struct json *lineage, struct err *e)
{
    struct json metrics;
    struct json_iter it = {0};
    double unused;

    if (!json_has(lineage, "metrics"))
        return true;
    if (!json_get_object(lineage, "metrics", &metrics, e))
        return false;
    while (json_next(&metrics, &it))
        if (!json_as_double(&it.value, &unused, e))
            return false;
    return true;
}

static bool read_lineage(struct bundle *b, struct err *e)
{
    static const char *const keys[] = {"spark",
                                       "jdk",
                                       "git_commit",
                                       "training_data_uri",
                                       "training_data_sha256",
                                       "mlflow_run_id",
                                       "airflow_dag_id",
                                       "airflow_run_id",
                                       "exporter",
                                       "training_data_rows",
                                       "metrics",
                                       NULL};
    const unsigned n_texts = 9;
    const char *text;
    uint64_t rows;

    if (!json_get_object(&b->root, "lineage", &b->lineage, e) || !json_only(&b->lineage, keys, e))
        return false;
    for (unsigned i = 0; i < n_texts; i++)
        if (json_has(&b->lineage, keys[i]) && !json_get_string(&b->lineage, keys[i], &text, e))
            return false;
    if (json_has(&b->lineage, "training_data_rows") &&
        !json_get_u64(&b->lineage, "training_data_rows", UINT64_MAX, &rows, e))
        return false;
    return check_metrics(&b->lineage, e);
}

static bool read_exactness(struct bundle *b, struct err *e)
{
    static const char *const keys[] = {"tier", "n", "why", NULL};
    static const char *const tiers[] = {"exact", "exact-on-platform", "ulp", NULL};
    struct json_iter it = {0};
    const char *why;
    unsigned tier;
    uint32_t n;

    if (!json_get_object(&b->root, "exactness", &b->exactness, e))
        return false;
    while (json_next(&b->exactness, &it)) {
        const struct json *v = &it.value;
        if (!json_is_object(v))
            return json_fail(v, e, "must be an object");
        if (!json_only(v, keys, e) || !get_enum(v, "tier", tiers, &tier, e) ||
            !json_get_string(v, "why", &why, e))
            return false;
        if (tier == 2 ? !json_get_u32(v, "n", 1U << 20, &n, e) : json_has(v, "n"))
            return tier == 2 ? false : json_fail(v, e, "n goes with the tier ulp only");
    }
    return true;
}

/* "blocks-<first 16 hex of the digest>.safetensors" */
static bool is_file_name(const struct bundle_file *f, unsigned role)
{
    static const char *const suffixes[] = {".safetensors", ".jsonl", ".json"};
    const char *prefix = bundle_role_name((enum bundle_role)role);
    size_t n = strlen(prefix);

    return strlen(f->name) == n + 17 + strlen(suffixes[role]) && memcmp(f->name, prefix, n) == 0 &&
           f->name[n] == '-' && memcmp(f->name + n + 1, f->sha256, 16) == 0 &&
           strcmp(f->name + n + 17, suffixes[role]) == 0;
}

static bool read_file(struct bundle *b, const struct json *v, struct err *e)
{
    static const char *const keys[] = {"role", "name", "size", "sha256", NULL};
    static const char *const roles[] = {"blocks", "golden", "profile", NULL};
    static const uint64_t sizes[] = {BOUND_BLOCKS_FILE, BOUND_GOLDEN, BOUND_PROFILE};
    const char *digest;
    unsigned role;

    if (!json_is_object(v))
        return json_fail(v, e, "must be an object");
    if (!json_only(v, keys, e) || !get_enum(v, "role", roles, &role, e))
        return false;
    struct bundle_file *f = &b->files[role];
    if (f->name)
        return json_fail(v, e, "a second file of the role '%s'", roles[role]);
    if (!json_get_string(v, "sha256", &digest, e) ||
        !json_get_u64(v, "size", sizes[role], &f->size, e) ||
        !json_get_string(v, "name", &f->name, e))
        return false;
    if (!hex_is(digest, SHA256_HEX))
        return json_fail(v, e, "sha256 must be 64 lower-case hex digits");
    memcpy(f->sha256, digest, sizeof f->sha256);
    if (!is_file_name(f, role))
        return json_fail(v, e,
                         "the name must be made of the role and the digest's first 16 digits");
    return true;
}

static bool read_files(struct bundle *b, struct err *e)
{
    struct json list;
    struct json_iter it = {0};

    if (!json_get_array(&b->root, "files", &list, e))
        return false;
    while (json_next(&list, &it))
        if (!read_file(b, &it.value, e))
            return false;
    for (unsigned role = 0; role < ROLE_COUNT; role++)
        if (!b->files[role].name)
            return json_fail(&list, e, "no file of the role '%s'",
                             bundle_role_name((enum bundle_role)role));
    return true;
}

static bool read_golden(struct bundle *b, struct err *e)
{
    static const char *const keys[] = {"rows", "made", "leaves", "labels", NULL};
    static const char *const pairs[] = {"leaves", "labels"};
    struct json *g = &b->golden_coverage;
    uint32_t rows, made;

    if (!json_get_object(&b->root, "golden", g, e) || !json_only(g, keys, e) ||
        !json_get_u32(g, "rows", BOUND_GOLDEN_ROWS, &rows, e) ||
        !json_get_u32(g, "made", rows, &made, e))
        return false;
    for (size_t i = 0; i < countof(pairs); i++) {
        struct json pair;
        struct json_iter it = {0};
        uint32_t share[2] = {0};
        if (!json_get_array(g, pairs[i], &pair, e))
            return false;
        if (json_size(&pair) != 2)
            return json_fail(&pair, e, "must be [reached, all]");
        while (json_next(&pair, &it))
            if (!json_as_u32(&it.value, UINT32_MAX, &share[it.n - 1], e))
                return false;
        if (share[0] > share[1])
            return json_fail(&pair, e, "reached can be at most all");
    }
    return true;
}

static bool read_identity(struct bundle *b, struct err *e)
{
    const char *format;
    struct json v;
    uint32_t version;

    if (!json_is_object(&b->root))
        return err_set(e, ERR_BAD_BUNDLE, "the manifest must be an object");
    if (!json_get_string(&b->root, "format", &format, e))
        return false;
    if (strcmp(format, "scored-bundle") != 0)
        return json_fail(&b->root, e, "format '%.64s' is not \"scored-bundle\"", format);
    if (!json_get(&b->root, "format_version", &v, e) || !json_as_u32(&v, UINT32_MAX, &version, e))
        return false;
    if (version != 1)
        return json_fail(&v, e, "format version %u is not known; this program reads version 1",
                         (unsigned)version);
    return get_label(&b->root, "name", &b->name, e) &&
           get_label(&b->root, "version", &b->version, e) &&
           get_time(&b->root, "created", &b->created, e);
}

bool manifest_read(struct bundle *b, struct err *e)
{
    static const char *const keys[] = {"format",    "format_version", "name",     "version",
                                       "created",   "lineage",        "platform", "input",
                                       "output",    "labels",         "example",  "stages",
                                       "exactness", "golden",         "files",    NULL};

    b->root = json_root(b->doc);
    return read_identity(b, e) && json_only(&b->root, keys, e) && read_platform(b, e) &&
           read_lineage(b, e) &&
           read_columns(b, "input", read_input, &b->inputs, &b->n_inputs, e) &&
           read_columns(b, "output", read_output, &b->outputs, &b->n_outputs, e) &&
           read_stages(b, e) && labels_read(b, e) && read_exactness(b, e) && read_golden(b, e) &&
           json_get_object(&b->root, "example", &b->example, e) && read_files(b, e);
}
