/* SPDX-License-Identifier: Apache-2.0 */
/* The way to a bundle, link by link: which one is broken, and what to do about it. */
#ifndef SCORED_DOCTOR_H
#define SCORED_DOCTOR_H

#include "scored/store.h"

enum doctor_state { DOCTOR_OK, DOCTOR_FAILED, DOCTOR_SKIPPED };

struct doctor_watch {
    /* Called for each link, in order; `what` is a sentence without secrets, `advice` what to do, or
     * NULL. */
    void (*tell)(void *context, const char *link, enum doctor_state state, const char *what,
                 const char *advice);
    void *context;
};

/* Settings of AWS: files, variables, each source of credentials; of a directory there are none.
 * False where they cannot be read; `may_ask`: there are credentials. */
bool doctor_settings(const char *uri, const struct doctor_watch *w, bool *may_ask);

/* From here to the host that keeps the bundle: region, endpoint, proxy, names, connection, TLS,
 * clock. Of a directory there is none of it. True where every link holds. */
bool doctor_way(struct source *s, const struct doctor_watch *w);

/* The size of a file of the bundle, without reading it. ERR_NOT_FOUND where there is none. */
bool doctor_size(struct source *s, const char *name, uint64_t *size, struct err *e);

#endif
