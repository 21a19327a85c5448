/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The access log: a JSON object a request, a line each, to standard output. README.md of this room
 * has its members.
 */
#ifndef SCORED_HTTP_ACCESS_LOG_H
#define SCORED_HTTP_ACCESS_LOG_H

#include "records.h"

/* Which requests: "off"; "errors", those with a status of 400 and above; "sampled:N", those and of
 * the others one in N; "all". */
struct access_rule {
    bool errors;
    uint64_t one_in; /* of the others; 0: none */
};
bool access_rule_read(struct access_rule *rule, const char *text, struct err *e);

struct access_log;
struct access_log *access_log_start(unsigned workers, struct err *e); /* NULL on failure */
struct records *access_log_records(struct access_log *log);
uint64_t access_log_dropped(const struct access_log *log); /* lines; of NULL: 0 */
void access_log_stop(struct access_log *log);              /* takes NULL; waits a bounded time */

#endif
