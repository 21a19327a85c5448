/* SPDX-License-Identifier: Apache-2.0 */
/* Where a bundle in S3 is: from its URI, and what environment and profile say, to host and path.
 * Pure. */
#ifndef SCORED_STORE_S3_ENDPOINT_H
#define SCORED_STORE_S3_ENDPOINT_H

#include "scored/buf.h"
#include "scored/err.h"

enum {
    S3_NAME = 64, /* a region */
    S3_BUCKET = 256,
    S3_KEY = 1025, /* a key or the part in front, and a version */
    S3_HOST = 512,
};

/* What applies where the URI says nothing; NULL: nothing is set. */
struct s3_settings {
    const char *endpoint, *region;
    const char *endpoint_setting; /* what `endpoint` is called, for messages */
    bool dualstack, fips;
};

struct s3_place {
    char bucket[S3_BUCKET];
    char prefix[S3_KEY]; /* "" or with a slash at its end; as it is, not encoded */
    char region[S3_NAME];
    char version_id[S3_KEY]; /* of the manifest; "": the newest */
    bool requester_pays;
    bool plain;      /* http: only where an endpoint says so */
    bool path_style; /* the bucket stands in the path, not in the host's name */
    bool dualstack, fips;
    char endpoint[S3_HOST];      /* "host" or "host:port" that was configured; "": AWS's */
    char endpoint_path[S3_HOST]; /* of it, without a slash at its end */
};

/*
 * Reads s3://bucket/prefix/?option=value&... The options: region, endpoint (a URL), path_style and
 * requester_pays (true or false), version_id (of bundle.json). Values may hold %XX.
 * A place without a region and an endpoint is an error; with an endpoint only, requests are signed
 * for us-east-1, as servers other than AWS's expect.
 */
bool s3_place_read(struct s3_place *p, const char *uri, const struct s3_settings *s, struct err *e);

/* "host" or "host:port", without a port that goes without saying. */
void s3_place_host(const struct s3_place *p, char out[S3_HOST]);

/* Appends the path of a file of the bundle, encoded as it is sent. */
void s3_place_path(const struct s3_place *p, const char *name, struct buf *out);

/* Whether this may be the name of a region. */
bool s3_is_region(const char *text);

#endif
