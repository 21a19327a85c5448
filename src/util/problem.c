/* SPDX-License-Identifier: Apache-2.0 */
#include "scored/problem.h"

static const struct {
    unsigned status;
    const char *urn, *title;
} problems[] = {
#define X(id, status, urn, title) {status, "urn:scored:" urn, title},
    PROBLEMS(X)
#undef X
};

unsigned problem_status(enum problem p)
{
    return problems[p].status;
}

const char *problem_urn(enum problem p)
{
    return problems[p].urn;
}

const char *problem_title(enum problem p)
{
    return problems[p].title;
}
