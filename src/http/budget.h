/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes that connections, bodies and replies may hold together. What a process may take in all
 * is told by --memory or the control group; models take their part first, and what is left, up to
 * half of all, is for requests: so a flood of them ends in 503s, not in the kernel's killing.
 */
#ifndef SCORED_HTTP_BUDGET_H
#define SCORED_HTTP_BUDGET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct budget {
    atomic_size_t used, limit;
    atomic_size_t returned; /* in large pieces, since the heap was last given back */
    unsigned looks;         /* since then; of budget_look alone */
    size_t trimmed_at;      /* `used` when the heap was last given back; of budget_look alone */
    uint64_t all;           /* that the process may take */
};

/* `memory` is the setting; 0: the control group and the machine say. */
void budget_init(struct budget *b, uint64_t memory);

/* False: it does not fit, and nothing was taken. With `anyway` it always fits. */
bool budget_take(struct budget *b, size_t n, bool anyway);
void budget_give(struct budget *b, size_t n);

/* Once a second, by one thread: follows what models take, and gives freed memory back, after a
 * flood at once, else every ten looks where it is a MiB or more. */
void budget_look(struct budget *b);

#endif
