/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SCORED_STORE_XML_H
#define SCORED_STORE_XML_H

#include <stdbool.h>
#include <stddef.h>

/* The text of the first element `name`, its entities decoded. False where there is none, where it
 * holds elements, does not fit, or the document has a DTD, a comment or other entities than XML's
 * own five: then `out` is "". */
bool xml_text(const char *p, size_t n, const char *name, char *out, size_t size);

#endif
