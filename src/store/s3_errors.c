/* SPDX-License-Identifier: Apache-2.0 */
#include "s3_priv.h"

#include <stdarg.h>
#include <stdio.h>

/* What to do, by S3's code. */
static const struct {
    const char *code;
    enum err_code as;
    const char *advice;
} known[] = {
    {"NoSuchKey", ERR_NOT_FOUND, "there is no such object"},
    {"NoSuchVersion", ERR_NOT_FOUND, "there is no such version of the object"},
    {"NoSuchBucket", ERR_UPSTREAM,
     "check the bucket's name, and the endpoint and account it is in"},
    {"InvalidBucketName", ERR_UPSTREAM, "check the bucket's name"},
    {"AccessDenied", ERR_UPSTREAM,
     "the credentials need s3:GetObject here, and kms:Decrypt for objects encrypted by KMS; "
     "without s3:ListBucket a missing object looks the same"},
    {"AllAccessDisabled", ERR_UPSTREAM, "the bucket's owner has closed it"},
    {"InvalidAccessKeyId", ERR_UPSTREAM, "the service does not know this access key"},
    {"ExpiredToken", ERR_UPSTREAM, "the credentials have expired, and their source has no others"},
    {"InvalidToken", ERR_UPSTREAM, "the session token does not fit the access key"},
    {"InvalidObjectState", ERR_UPSTREAM, "it is archived: restore it, or copy it out"},
    {"RequestTimeTooSkewed", ERR_UPSTREAM, "this machine's clock is wrong"},
    {"MethodNotAllowed", ERR_UPSTREAM, "the version is a delete marker, or the endpoint is not S3"},
    {"InvalidRequest", ERR_UPSTREAM,
     "an object with a customer's key (SSE-C) needs SCORED_S3_SSE_C_KEY_FILE"},
    {"SlowDown", ERR_UPSTREAM, "too many requests come to this prefix"},
};

__attribute__((format(printf, 2, 3))) static void append(struct err *e, const char *fmt, ...)
{
    size_t n = strlen(e->msg);
    va_list args;

    va_start(args, fmt);
    vsnprintf(e->msg + n, sizeof e->msg - n, fmt, args);
    va_end(args);
}

static bool fail_as(enum err_code code, const struct s3_failure *f, const char *advice,
                    struct err *e)
{
    err_set(e, code, "S3 answers %u %s", f->status, f->code);
    if (*f->message && code != ERR_NOT_FOUND)
        append(e, " (%s)", f->message);
    if (*advice)
        append(e, ": %s", advice);
    if (*f->request_id && code != ERR_NOT_FOUND)
        append(e, " [request %s]", f->request_id);
    return false;
}

static bool fail_region(const struct s3_failure *f, struct err *e)
{
    char advice[200];

    if (*f->region)
        snprintf(advice, sizeof advice, "the bucket is in region %s, and %s was asked", f->region,
                 f->asked_region);
    else
        snprintf(advice, sizeof advice,
                 "the bucket is not in region %s: set the right one by AWS_REGION or ?region=",
                 f->asked_region);
    return fail_as(ERR_UPSTREAM, f, advice, e);
}

bool s3_fail(const struct s3_failure *f, struct err *e)
{
    char advice[240];

    if (f->status == 407)
        return err_set(e, ERR_UPSTREAM,
                       "the proxy answers 407: it asks for a user and a password, and those of its "
                       "URL, http://USER:PASSWORD@HOST:PORT, are missing or wrong");
    if (!*f->code)
        return err_set(e, ERR_UPSTREAM,
                       "the answer is %u without S3's error document: is the endpoint S3, and is "
                       "there a proxy or a portal in between?",
                       f->status);
    if (strcmp(f->code, "SignatureDoesNotMatch") == 0) {
        snprintf(advice, sizeof advice,
                 "the secret key (%s) is wrong, or a proxy changes requests; SHA-256 of the "
                 "canonical request: %s",
                 f->credentials, f->canonical);
        return fail_as(ERR_UPSTREAM, f, advice, e);
    }
    if (retry_kind_of(HTTP_OK, f->status, f->code) == RETRY_REGION)
        return fail_region(f, e);
    for (size_t i = 0; i < countof(known); i++)
        if (strcmp(f->code, known[i].code) == 0)
            return fail_as(known[i].as, f, known[i].advice, e);
    return fail_as(ERR_UPSTREAM, f, "", e);
}
