/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors by value. A call that can fail returns bool (or a pointer), fills the caller's struct err
 * and leaves its outputs untouched. Each level that knows more puts its context in front.
 */
#ifndef SCORED_ERR_H
#define SCORED_ERR_H

#include <stdbool.h>
#include <stddef.h>

#define countof(array) (sizeof(array) / sizeof((array)[0]))

/* X(id, text): few, each because someone acts differently on it. */
#define ERR_CODES(X)                \
    X(NONE, "none")                 \
    X(USAGE, "usage")               \
    X(BAD_REQUEST, "bad request")   \
    X(BAD_BUNDLE, "bad bundle")     \
    X(NOT_FOUND, "not found")       \
    X(NO_MEMORY, "out of memory")   \
    X(SYSTEM, "system call failed") \
    X(UPSTREAM, "upstream failed")

enum err_code {
#define X(id, text) ERR_##id,
    ERR_CODES(X)
#undef X
};

/* Lives on the caller's stack; {0} is no error. */
struct err {
    enum err_code code;
    char msg[512];
};

/* All return false, so that a failing call reads `return err_set(...)`. Long texts are cut. */
bool err_set(struct err *e, enum err_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
bool err_wrap(struct err *e, const char *fmt, ...) /* puts "context: " in front */
    __attribute__((format(printf, 2, 3)));
bool err_memory(struct err *e);
bool err_errno(struct err *e, const char *what); /* "what: strerror(errno)" */

/* The analyzer does not look into functions of other files. */
#ifdef __clang_analyzer__
#define err_set(...)   (err_set(__VA_ARGS__) && false)
#define err_wrap(...)  (err_wrap(__VA_ARGS__) && false)
#define err_memory(e)  (err_memory(e) && false)
#define err_errno(...) (err_errno(__VA_ARGS__) && false)
#endif

const char *err_code_text(enum err_code code);

#endif
