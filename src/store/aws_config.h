/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the environment and the AWS files say: the shared config and credentials files with their
 * profiles. The files are replaced while we run: they are read again when they are asked to be.
 * Environment variables that are empty count as unset.
 */
#ifndef SCORED_STORE_AWS_CONFIG_H
#define SCORED_STORE_AWS_CONFIG_H

#include "scored/err.h"

struct aws_config;

/* Reads AWS_CONFIG_FILE (~/.aws/config) and AWS_SHARED_CREDENTIALS_FILE (~/.aws/credentials);
 * missing default files are empty, a missing file that a variable names is an error, as is a
 * profile that AWS_PROFILE names and no file has. A file with a syntax error is named with its
 * line. */
struct aws_config *aws_config_new(struct err *e);
void aws_config_free(struct aws_config *c); /* takes NULL; wipes secrets */

/* Whether one of the files was replaced, written, made or removed since this, or a reading, looked
 * last. Costs two calls of stat. */
bool aws_config_moved(struct aws_config *c);

/* Reads the files anew; all texts had from `c` are void then. Where that fails, which names the
 * file, all stays as it was. The chosen profile is not looked for: it may have gone. */
bool aws_config_reload(struct aws_config *c, struct err *e);

/* An environment variable, NULL where it is unset or empty. */
const char *aws_env(const char *name);

/* A key of a profile; NULL where there is none. `profile` NULL is the chosen one (AWS_PROFILE, else
 * "default"). The credentials file goes before the config file. */
const char *aws_profile_get(const struct aws_config *c, const char *profile, const char *key);
const char *aws_profile_name(const struct aws_config *c);
bool aws_profile_exists(const struct aws_config *c, const char *profile);

/* The endpoint configured for a service ("s3", "sts"): AWS_ENDPOINT_URL_<SERVICE>,
 * AWS_ENDPOINT_URL, the profile's [services] section, its endpoint_url; NULL where none is, or
 * where AWS_IGNORE_CONFIGURED_ENDPOINT_URLS is true. */
const char *aws_endpoint(const struct aws_config *c, const char *service);

/* AWS_REGION, AWS_DEFAULT_REGION, the profile's region; NULL where none is. Checked to be a name
 * that can stand in a host's. */
const char *aws_region(const struct aws_config *c);

/* Which setting decided them, for messages: "AWS_REGION", "region of the profile"; NULL where none
 * did. */
const char *aws_endpoint_setting(const struct aws_config *c, const char *service);
const char *aws_region_setting(const struct aws_config *c);

/* AWS_CA_BUNDLE, the profile's ca_bundle: a PEM file of authorities; NULL: the system's. */
const char *aws_ca_bundle(const struct aws_config *c);

/* What hosts of a region's partition end with: "amazonaws.com", "amazonaws.com.cn". */
const char *aws_dns_suffix(const char *region);

#endif
