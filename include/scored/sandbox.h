/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this process can never do again, whoever takes it over: become another program, make a
 * process, look into others, run bytes that came from outside, write files but those of its cache.
 * seccomp keeps the calls, Landlock the files. sandbox.c is the essay.
 */
#ifndef SCORED_SANDBOX_H
#define SCORED_SANDBOX_H

#include "scored/err.h"

/* auto: what this system has; on: all of it, or none and a failure. */
enum sandbox_mode { SANDBOX_AUTO, SANDBOX_ON, SANDBOX_OFF };

/* Of the whole process and for good; best before there are threads, which Landlock alone does not
 * reach. `writable` is a folder that files may be written in, made where there is none; "": none.
 * False: `on`, and something does not hold. */
bool sandbox_enter(enum sandbox_mode mode, const char *writable, struct err *e);

/* What holds: "seccomp,landlock", one of them, or "off". */
const char *sandbox_holds(void);

#endif
