/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two walls. seccomp: sandbox/sandbox.def lists the calls that there are reasons for; what can only
 * be an attack ends the process, so that somebody sees it; all else fails. Landlock: of the file
 * system nothing can be written but the cache, nor anything executed. Both are entered before the
 * first bundle is read and before there are threads; each thread inherits them.
 *
 * No memory becomes executable: regular expressions are interpreted (PCRE2 without JIT), names are
 * resolved by what is part of glibc (files and dns). What it would load beside those, as other
 * modules of nsswitch.conf, is passed over.
 */
#include "scored/sandbox.h"

#include "sandbox/program.h"

#include "scored/log.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0 /* else they make calls of their own */
#endif

#include "sandbox_filters.h" /* made by sandbox/main.c of sandbox/sandbox.def */

static bool has_seccomp, has_landlock;

/* -- seccomp -- */

/* The numbers of the filter's jumps that stand for this process become its own. */
static void personalise(struct sock_filter *to, const struct sock_filter *from, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        to[i] = from[i];
        if (BPF_CLASS(to[i].code) == BPF_JMP && to[i].k == OWN_PID)
            to[i].k = (uint32_t)getpid();
    }
}

static bool filter_calls(bool writes, struct err *e)
{
    struct sock_filter own[countof(filter_with_cache) + countof(filter_without_cache)];
    const struct sock_fprog program = {
        writes ? countof(filter_with_cache) : countof(filter_without_cache), own};

    personalise(own, writes ? filter_with_cache : filter_without_cache, program.len);
    return !syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) ||
           err_errno(e, "seccomp");
}

/* -- Landlock -- */

#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif

/* What the kernel's version of it can refuse: all but reading. */
static uint64_t refusals(long version)
{
    const uint64_t first = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;
    uint64_t all = first & ~(uint64_t)(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR);

    if (version >= 2)
        all |= LANDLOCK_ACCESS_FS_REFER;
    if (version >= 3)
        all |= LANDLOCK_ACCESS_FS_TRUNCATE;
    return all;
}

static bool let_write(int rules, uint64_t refused, const char *folder)
{
    struct landlock_path_beneath_attr beneath = {.allowed_access =
                                                     refused & ~LANDLOCK_ACCESS_FS_EXECUTE};

    mkdir(folder, 0700); /* where it is there, or cannot be made, its cache will say so */
    beneath.parent_fd = open(folder, O_PATH | O_CLOEXEC);
    if (beneath.parent_fd < 0)
        return errno == ENOENT || errno == ENOTDIR || errno == EACCES;
    bool ok = !syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
    close(beneath.parent_fd);
    return ok;
}

static bool restrict_files(const char *writable, struct err *e)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    struct landlock_ruleset_attr refused = {.handled_access_fs =
                                                version > 0 ? refusals(version) : 0};
    int rules =
        version > 0 ? (int)syscall(SYS_landlock_create_ruleset, &refused, sizeof refused, 0) : -1;

    bool ok = rules >= 0 && (!*writable || let_write(rules, refused.handled_access_fs, writable)) &&
              !syscall(SYS_landlock_restrict_self, rules, 0);
    if (!ok)
        err_errno(e, "Landlock");
    if (rules >= 0)
        close(rules);
    return ok;
}

/* -- both -- */

const char *sandbox_holds(void)
{
    static const char *const all[] = {"off", "seccomp", "landlock", "seccomp,landlock"};

    return all[has_seccomp + 2 * has_landlock];
}

/* No privileges by files, no memory in files or for debuggers. */
static bool give_up(struct err *e)
{
    const struct rlimit none = {0};

    return (!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) && !prctl(PR_SET_DUMPABLE, 0) &&
            !setrlimit(RLIMIT_CORE, &none)) ||
           err_errno(e, "prctl");
}

bool sandbox_enter(enum sandbox_mode mode, const char *writable, struct err *e)
{
    struct err why = {0};

    if (mode == SANDBOX_OFF || (mode == SANDBOX_AUTO && SANITIZED))
        return true;
    bool ok = give_up(&why);
    has_landlock = ok && restrict_files(writable, &why);
    has_seccomp = ok && filter_calls(*writable, &why);
    if (has_landlock && has_seccomp)
        return true;
    if (mode == SANDBOX_ON) {
        *e = why;
        return err_wrap(e, "--sandbox on (SCORED_SANDBOX): this system does not have all of it");
    }
    log_with(LOG_WARN, "the sandbox is not whole", log_text("holds", sandbox_holds()),
             log_text("why", why.msg));
    return true;
}
