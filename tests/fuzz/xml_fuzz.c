/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an answer of STS: each element is found as text that fits, or not at all. */
#include "../../src/store/credentials/priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "broken: %s\n", what);
        abort();
    }
}

static void check_time(const char *text)
{
    uint64_t ms;

    if (time_read(text, &ms))
        require(ms % 1000 == 0 && ms < 253402387200000U, "a time before the year 10000");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"AccessKeyId", "SessionToken", "Expiration", "Code"};
    const char *p = (const char *)data;

    for (size_t i = 0; i < countof(names); i++) {
        char longer[256], out[16];
        bool found = xml_text(p, size, names[i], longer, sizeof longer);
        require(memchr(longer, '\0', sizeof longer) != NULL, "it ends");
        require(found || !*longer, "nothing is left where none was found");
        if (found) {
            require(memmem(p, size, names[i], strlen(names[i])) != NULL, "the element is there");
            require(!memchr(longer, '<', strlen(longer)) || memmem(p, size, "&lt;", 4) != NULL,
                    "no tag is text");
            check_time(longer);
        }
        bool fits = xml_text(p, size, names[i], out, sizeof out);
        require(fits == (found && strlen(longer) < sizeof out), "what does not fit is not found");
    }
    return 0;
}
