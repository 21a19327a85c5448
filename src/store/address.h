/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SCORED_STORE_ADDRESS_H
#define SCORED_STORE_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

/* Where credentials may be asked for by plain http: this host, and the addresses at which ECS, EKS
 * and EC2 answer. */
bool address_is_metadata(const struct sockaddr *a);

#endif
