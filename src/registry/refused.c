/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The versions that are not to be loaded. An entry holds for the daemon's version that made it: the
 * next one may know more. An entry of a check that the daemon's flags have switched off holds no
 * longer.
 */
#include "slot_priv.h"

#include "scored/version.h"

#include <stdio.h>
#include <string.h>

static bool holds(const struct refusal *f, const struct registry_options *o)
{
    if (strcmp(f->scored, scored_version) != 0)
        return false;
    return !(f->phase == PHASE_SCHEMA && o->allow_schema_change) &&
           !(f->phase == PHASE_AGE && !o->no_older);
}

bool refused_find(const struct reload_status *s, const char *sha256,
                  const struct registry_options *o, struct refusal *found)
{
    for (unsigned i = 0; i < s->n_refused; i++)
        if (strcmp(s->refused[i].sha256, sha256) == 0 && holds(&s->refused[i], o)) {
            *found = s->refused[i];
            return true;
        }
    return false;
}

void refused_remove(struct reload_status *s, const char *sha256)
{
    for (unsigned i = 0; i < s->n_refused; i++)
        if (strcmp(s->refused[i].sha256, sha256) == 0) {
            memmove(&s->refused[i], &s->refused[i + 1],
                    (s->n_refused - i - 1) * sizeof s->refused[0]);
            s->n_refused--;
            return;
        }
}

void refused_add(struct reload_status *s, const char *sha256, enum load_phase phase)
{
    refused_remove(s, sha256);
    if (s->n_refused == SLOT_REFUSED) /* the oldest goes */
        refused_remove(s, s->refused[0].sha256);
    struct refusal *f = &s->refused[s->n_refused++];
    *f = (struct refusal){.phase = phase};
    snprintf(f->sha256, sizeof f->sha256, "%s", sha256);
    snprintf(f->scored, sizeof f->scored, "%s", scored_version);
}
