/* SPDX-License-Identifier: Apache-2.0 */
#include "retry.h"

#include "scored/decimal.h"

#include <stdlib.h>

enum {
    TRANSIENT_MS = 50, /* waited at most before the second attempt; then twice as long each time */
    THROTTLED_MS = 1000,
    LONGEST_MS = 20000,
    LONGEST_AFTER_MS = 5000, /* by which the service may prolong a wait */
    TRANSIENT_COST = 14,
    THROTTLED_COST = 5,
    REFUND = 1, /* for success at the first attempt */
};

static const struct {
    const char *code;
    enum retry_kind kind;
} codes[] = {
    {"BandwidthLimitExceeded", RETRY_THROTTLED},
    {"EC2ThrottledException", RETRY_THROTTLED},
    {"LimitExceededException", RETRY_THROTTLED},
    {"PriorRequestNotComplete", RETRY_THROTTLED},
    {"ProvisionedThroughputExceededException", RETRY_THROTTLED},
    {"RequestLimitExceeded", RETRY_THROTTLED},
    {"RequestThrottled", RETRY_THROTTLED},
    {"RequestThrottledException", RETRY_THROTTLED},
    {"SlowDown", RETRY_THROTTLED},
    {"ThrottledException", RETRY_THROTTLED},
    {"Throttling", RETRY_THROTTLED},
    {"ThrottlingException", RETRY_THROTTLED},
    {"TooManyRequestsException", RETRY_THROTTLED},
    {"TransactionInProgressException", RETRY_THROTTLED},
    {"InternalError", RETRY_TRANSIENT},
    {"InternalErrors", RETRY_TRANSIENT},
    {"RequestTimeout", RETRY_TRANSIENT},
    {"RequestTimeoutException", RETRY_TRANSIENT},
    {"ServiceUnavailable", RETRY_TRANSIENT},
    {"ExpiredToken", RETRY_CREDENTIALS},
    {"ExpiredTokenException", RETRY_CREDENTIALS},
    {"InvalidToken", RETRY_CREDENTIALS},
    {"TokenRefreshRequired", RETRY_CREDENTIALS},
    {"AccessDenied", RETRY_DENIED},
    {"InvalidAccessKeyId", RETRY_DENIED},
    {"SignatureDoesNotMatch", RETRY_DENIED},
    {"InvalidObjectState", RETRY_NOTHING},
    {"RequestTimeTooSkewed", RETRY_CLOCK},
    {"AuthorizationHeaderMalformed", RETRY_REGION},
    {"IllegalLocationConstraintException", RETRY_REGION},
    {"PermanentRedirect", RETRY_REGION},
};

/* Where the code says nothing. */
static const struct {
    unsigned status;
    enum retry_kind kind;
} statuses[] = {
    {401, RETRY_DENIED},    {403, RETRY_DENIED},    {301, RETRY_REGION},    {307, RETRY_REGION},
    {408, RETRY_TRANSIENT}, {429, RETRY_THROTTLED}, {500, RETRY_TRANSIENT}, {502, RETRY_TRANSIENT},
    {503, RETRY_TRANSIENT}, {504, RETRY_TRANSIENT},
};

static const enum retry_kind failures[] = {
    [HTTP_OK] = RETRY_NOTHING,        [HTTP_RESOLVE] = RETRY_TRANSIENT,
    [HTTP_CONNECT] = RETRY_TRANSIENT, [HTTP_TLS] = RETRY_TRANSIENT,
    [HTTP_UNTRUSTED] = RETRY_NOTHING, [HTTP_TIMEOUT] = RETRY_TRANSIENT,
    [HTTP_BROKEN] = RETRY_TRANSIENT,  [HTTP_TOO_LARGE] = RETRY_NOTHING,
    [HTTP_FORBIDDEN] = RETRY_NOTHING, [HTTP_STOPPED] = RETRY_NOTHING,
};

enum retry_kind retry_kind_of(enum http_failure failure, unsigned status, const char *code)
{
    if (failure != HTTP_OK)
        return failures[failure];
    for (size_t i = 0; i < countof(codes); i++)
        if (strcmp(code, codes[i].code) == 0)
            return codes[i].kind;
    for (size_t i = 0; i < countof(statuses); i++)
        if (status == statuses[i].status)
            return statuses[i].kind;
    return RETRY_NOTHING;
}

static bool correct_once(struct retry *r, enum retry_kind kind)
{
    bool again = !(r->corrected & 1U << kind);

    r->corrected |= 1U << kind;
    return again;
}

bool retry_again(struct retry *r, struct retry_bucket *b, enum retry_kind kind)
{
    unsigned cost = kind == RETRY_THROTTLED ? THROTTLED_COST : TRANSIENT_COST;

    if (kind == RETRY_NOTHING)
        return false;
    if (kind != RETRY_TRANSIENT && kind != RETRY_THROTTLED)
        return correct_once(r, kind);
    if (r->made + 1 >= r->attempts || b->spent + cost > RETRY_TOKENS)
        return false;
    b->spent += cost;
    r->cost = cost;
    r->made++;
    return true;
}

void retry_succeeded(const struct retry *r, struct retry_bucket *b)
{
    unsigned refund = r->cost ? r->cost : REFUND;

    b->spent -= refund < b->spent ? refund : b->spent;
}

unsigned retry_wait_ms(const struct retry *r, enum retry_kind kind, double chance, long after_ms)
{
    if (kind != RETRY_TRANSIENT && kind != RETRY_THROTTLED)
        return 0;
    unsigned doublings = r->made > 1 ? r->made - 1 : 0;
    unsigned longest = kind == RETRY_THROTTLED ? THROTTLED_MS : TRANSIENT_MS;
    while (doublings-- && longest < LONGEST_MS)
        longest *= 2;
    unsigned wait = (unsigned)(chance * (longest < LONGEST_MS ? longest : LONGEST_MS));
    if (after_ms <= (long)wait)
        return wait;
    return after_ms < (long)wait + LONGEST_AFTER_MS ? (unsigned)after_ms : wait + LONGEST_AFTER_MS;
}

bool retry_attempts(const char *text, unsigned *attempts, struct err *e)
{
    uint64_t n = RETRY_ATTEMPTS;

    if (text && !decimal_read(text, strlen(text), 1, RETRY_MAX_ATTEMPTS, &n))
        return err_set(e, ERR_USAGE, "AWS_MAX_ATTEMPTS is '%.40s', not a number from 1 to %d", text,
                       RETRY_MAX_ATTEMPTS);
    *attempts = (unsigned)n;
    return true;
}
