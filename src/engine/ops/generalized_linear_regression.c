/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GeneralizedLinearRegressionModel: eta = (dot + intercept) + offset; linkPrediction is eta,
 * prediction the mean: the link's inverse of eta, kept within what the family can have. A null
 * offset gives null, without a look at the features.
 */
#include "../engine_priv.h"
#include "scored/blas.h"
#include "scored/fastmath.h"

#include <float.h>
#include <math.h>

struct glm;
typedef double inverse_link(const struct glm *x, double eta);
typedef double projection(double mu);

struct glm {
    const struct blas *blas;
    struct vec coefficients;
    double intercept;
    int family, link;
    struct optional_double link_power;
    double exponent; /* 1/link_power */
    enum jmath_cpu cpu;
    inverse_link *inverse;
    projection *project;
    enum type offset_type;
};

/* -- links -- */

static double inverse_identity(const struct glm *x, double eta)
{
    (void)x;
    return eta;
}
static double inverse_log(const struct glm *x, double eta)
{
    (void)x;
    return jm_exp(eta);
}
static double inverse_logit(const struct glm *x, double eta)
{
    (void)x;
    return 1.0 / (1.0 + jm_exp(-1.0 * eta));
}
static double inverse_inverse(const struct glm *x, double eta)
{
    (void)x;
    return 1.0 / eta;
}
static double inverse_sqrt(const struct glm *x, double eta)
{
    (void)x;
    return eta * eta;
}
static double inverse_cloglog(const struct glm *x, double eta)
{
    (void)x;
    return 1.0 - jm_exp(-1.0 * jm_exp(eta));
}
static double inverse_probit(const struct glm *x, double eta)
{
    (void)x;
    return 0.5 * (1.0 + fm_erf(eta / 0x1.6a09e667f3bcdp+0)); /* sqrt 2 */
}
static double inverse_power(const struct glm *x, double eta)
{
    return jm_pow(eta, x->exponent, x->cpu);
}

enum link { IDENTITY, LOG, LOGIT, INVERSE, SQRT, CLOGLOG, PROBIT, POWER };
static const struct choice links[] = {
    {"identity", IDENTITY}, {"log", LOG},     {"logit", LOGIT},
    {"inverse", INVERSE},   {"sqrt", SQRT},   {"cloglog", CLOGLOG},
    {"probit", PROBIT},     {"power", POWER}, {NULL, 0}};
static inverse_link *const inverses[] = {
    [IDENTITY] = inverse_identity, [LOG] = inverse_log,     [LOGIT] = inverse_logit,
    [INVERSE] = inverse_inverse,   [SQRT] = inverse_sqrt,   [CLOGLOG] = inverse_cloglog,
    [PROBIT] = inverse_probit,     [POWER] = inverse_power,
};

/* -- families -- */

enum { GAUSSIAN, BINOMIAL, POISSON, GAMMA, TWEEDIE };
static const struct choice families[] = {{"gaussian", GAUSSIAN}, {"binomial", BINOMIAL},
                                         {"poisson", POISSON},   {"gamma", GAMMA},
                                         {"tweedie", TWEEDIE},   {NULL, 0}};
#define LEAST 1e-16

static double project_gaussian(double mu)
{
    return isinf(mu) ? (mu < 0 ? -DBL_MAX : DBL_MAX) : mu;
}
static double project_binomial(double mu)
{
    return mu < LEAST ? LEAST : mu > 1.0 - LEAST ? 1.0 - LEAST : mu;
}
static double project_positive(double mu)
{
    return mu < LEAST ? LEAST : isinf(mu) ? DBL_MAX : mu;
}
static projection *const projections[] = {
    [GAUSSIAN] = project_gaussian, [BINOMIAL] = project_binomial, [POISSON] = project_positive,
    [GAMMA] = project_positive,    [TWEEDIE] = project_positive,
};

/* -- rows -- */

static double offset_of(const struct unit *u, const struct frame *f, unsigned row)
{
    const struct glm *x = u->params;

    return u->n_in > 1 ? column_double(&f->columns[u->in[1]], x->offset_type, row) : 0.0;
}

/* Makes of each row's eta what `of` says. */
static void run_each(const struct unit *u, struct frame *f, uint64_t rows,
                     double of(const struct glm *x, double eta))
{
    const struct glm *x = u->params;
    uint64_t nulls = u->n_in > 1 ? f->columns[u->in[1]].nulls : 0;

    f->columns[u->out].nulls = nulls;
    FOR_ROWS(r, fail_sizes(u, f, fail_nulls(u, f, rows & ~nulls), x->coefficients.size))
    {
        double eta =
            blas_dot(x->blas, &f->columns[u->in[0]].vec[r], &x->coefficients) + x->intercept;
        f->columns[u->out].f64[r] = of(x, eta + offset_of(u, f, r));
    }
}

static double mean(const struct glm *x, double eta)
{
    return x->project(x->inverse(x, eta));
}

static void run_mean(const struct unit *u, struct frame *f, uint64_t rows)
{
    run_each(u, f, rows, mean);
}

static void run_link(const struct unit *u, struct frame *f, uint64_t rows)
{
    run_each(u, f, rows, inverse_identity);
}

/* -- loading -- */

static const bool takes_exp[] = {[LOG] = true, [LOGIT] = true, [CLOGLOG] = true, [POWER] = true};

static bool load_numbers(struct load *l, struct glm *x, const char *name, struct err *e)
{
    return load_blas(l, name, &x->blas, e) && (!takes_exp[x->link] || load_libm(l, name, e)) &&
           (x->link != POWER || load_pow(l, name, &x->cpu, e));
}

static bool prepare(struct load *l, void *params, struct made *m, struct err *e)
{
    struct glm *x = params;
    bool offset = l->n_in > 1;

    if (x->link_power.null != (x->link != POWER))
        return err_set(e, ERR_BAD_BUNDLE, "params.linkPower: must be null unless link is power");
    x->exponent = 1.0 / x->link_power.value;
    x->inverse = inverses[x->link];
    x->project = projections[x->family];
    if (offset)
        x->offset_type = load_column(l, l->in[1])->shape.type;
    m[0].nullable = m[1].nullable = offset && load_column(l, l->in[1])->nullable;
    return load_blas(l, m[0].name, &x->blas, e) && load_numbers(l, x, m[1].name, e);
}

static const struct param params[] = {
    {"family", .kind = &kind_choice, .at = FIELD(struct glm, family, int), .choices = families},
    {"link", .kind = &kind_choice, .at = FIELD(struct glm, link, int), .choices = links},
    {"linkPower", PARAM_OPTIONAL(struct glm, link_power)},
    {"intercept", PARAM_DOUBLE(struct glm, intercept)},
    {"coefficients", PARAM_VEC(struct glm, coefficients)},
};

const struct op op_generalized_linear_regression = {
    .name = "generalized_linear_regression",
    .class_name = SPARK_ML("regression.GeneralizedLinearRegressionModel"),
    .form = &form_predictor,
    .in = {PORT("featuresCol", IS_VECTOR)},
    .second = {PORT("offsetCol", IS_NUMERIC), .optional = true},
    .out = {{PORT("linkPredictionCol", IS_DOUBLE), .optional = true, .run = run_link},
            {PORT("predictionCol", IS_DOUBLE), .optional = true}},
    OP_PARAMS(params),
    .size = sizeof(struct glm),
    .prepare = prepare,
    .run = run_mean,
};
