/* SPDX-License-Identifier: Apache-2.0 */
/* All relays of a server: as many for the public listener as workers, and one for the admin's. */
#include "tls_relay.h"

#include <stdlib.h>

unsigned relays_needed(const struct config *config, unsigned workers)
{
    return tls_is_wanted(config) ? workers + config->admin_tls : 0;
}

bool relays_make(struct relays *all, struct app *app, struct listener *const *listeners,
                 unsigned index, struct err *e)
{
    unsigned room = relays_needed(app->config, app->workers);

    all->relays = calloc(room ? room : 1, sizeof(struct relay *));
    if (!all->relays)
        return err_memory(e);
    for (unsigned i = 0; i < room; i++) {
        struct listener *l = listeners[i >= app->workers];
        if (l->fd < 0)
            continue; /* the admin listener may be off */
        struct relay *r = relay_new(app, l, index + i, e);
        if (!r)
            return false;
        all->relays[all->n++] = r;
    }
    return true;
}

bool relays_start(struct relays *all, struct err *e)
{
    for (unsigned i = 0; i < all->n; i++)
        if (!relay_start(all->relays[i], e))
            return false;
    return true;
}

void relays_wake(struct relays *all)
{
    for (unsigned i = 0; i < all->n; i++)
        relay_wake(all->relays[i]);
}

/* Nothing of what clients were answered is on its way. */
bool relays_are_quiet(const struct relays *all)
{
    unsigned n = 0;

    for (unsigned i = 0; i < all->n; i++)
        if (all->relays[i]->listener->side == SIDE_PUBLIC)
            n += atomic_load(&all->relays[i]->connections);
    return !n;
}

void relays_join(struct relays *all)
{
    for (unsigned i = 0; i < all->n; i++)
        relay_join(all->relays[i]);
}

void relays_free(struct relays *all)
{
    for (unsigned i = 0; i < all->n; i++)
        relay_free(all->relays[i]);
    free(all->relays);
}
