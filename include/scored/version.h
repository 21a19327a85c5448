/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SCORED_VERSION_H
#define SCORED_VERSION_H

extern const char scored_version[], scored_commit[];

#endif
