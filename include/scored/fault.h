/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Places where a test kills the process. Only builds with -DFAULTS=ON have them; there
 * SCORED_STOP_AT=n kills it, as kill -9 does, at the n-th place that it comes to, and
 * SCORED_STOP_AT=name:n at the n-th of this name.
 */
#ifndef SCORED_FAULT_H
#define SCORED_FAULT_H

#ifdef SCORED_FAULTS
void fault_point(const char *name);
#else
#define fault_point(name) ((void)0)
#endif

#endif
