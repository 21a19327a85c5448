/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SCORED_SANDBOX_PROGRAM_H
#define SCORED_SANDBOX_PROGRAM_H

/* What stands in the filters for the number of the process that enters them; no process has it, as
 * the kernel's greatest is 2^22. */
enum { OWN_PID = 0x5eed1d };

#endif
