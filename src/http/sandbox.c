/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two walls. seccomp: sandbox.def lists the calls that there are reasons for; what can only be an
 * attack ends the process, so that somebody sees it; all else fails. Landlock: of the file system
 * nothing can be written but the cache, nor anything executed. Both are entered before the first
 * bundle is read and before there are threads; each thread inherits them.
 *
 * No memory becomes executable: regular expressions are interpreted (PCRE2 without JIT), names are
 * resolved by what is part of glibc (files and dns). What it would load beside those, as other
 * modules of nsswitch.conf, is passed over.
 */
#include "scored/sandbox.h"

#include "scored/log.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
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

static bool has_seccomp, has_landlock;

/* -- seccomp -- */

enum rule {
    ALLOW,
    ENDS,
    CACHE,
    OWN_DATA,    /* nothing that could be executed */
    OWN_THREAD,  /* threads of this process, within its namespaces */
    OWN_NAME,    /* the names of threads and of memory */
    OWN_PROCESS, /* to itself: abort() and what catches it */
    OWN_LIMITS,  /* of itself */
    OWN_NETWORK, /* IP, and asking the kernel for its addresses */
    OWN_IOCTL,   /* of sockets and terminals */
    OWN_READ,    /* without a cache no file is opened but to be read */
};

static const struct call {
    const char *name;
    enum rule rule;
} calls[] = {
#define CALL(name, rule) {#name, rule},
#include "sandbox.def"
#undef CALL
};

/* One argument of a call, and what it must be under a mask; a call may have several such rules. */
struct only {
    enum rule rule;
    unsigned argument;
    uint64_t mask, value;
};

#define ALL        UINT64_MAX
#define ITS_THREAD (CLONE_THREAD | CLONE_VM | CLONE_SIGHAND)
#define NEW_NAMESPACES                                                                            \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | \
     CLONE_NEWNET)
#define WRITES (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND)

static const struct only only[] = {
    {OWN_DATA, 2, PROT_EXEC, 0},         {OWN_THREAD, 0, ITS_THREAD | NEW_NAMESPACES, ITS_THREAD},
    {OWN_NAME, 0, ALL, PR_SET_NAME},     {OWN_NAME, 0, ALL, 0x53564d41 /* PR_SET_VMA */},
    {OWN_LIMITS, 0, UINT32_MAX, 0},      {OWN_NETWORK, 0, ALL, AF_INET},
    {OWN_NETWORK, 0, ALL, AF_INET6},     {OWN_NETWORK, 0, ALL, AF_NETLINK},
    {OWN_IOCTL, 1, UINT32_MAX, FIONBIO}, {OWN_IOCTL, 1, UINT32_MAX, FIONREAD},
    {OWN_IOCTL, 1, UINT32_MAX, TCGETS},
};

static int allow_only(scmp_filter_ctx filter, int number, unsigned argument, uint64_t mask,
                      uint64_t value)
{
    const struct scmp_arg_cmp is = {argument, SCMP_CMP_MASKED_EQ, mask, value};

    return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, number, 1, &is);
}

/* What is compared to something that is known only now. */
static int allow_now(scmp_filter_ctx filter, int number, const struct call *c, bool writes)
{
    if (c->rule == OWN_PROCESS)
        return allow_only(filter, number, 0, UINT32_MAX, (uint64_t)getpid());
    unsigned flags = number == SCMP_SYS(open) ? 1 : 2;
    return writes ? seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0)
                  : allow_only(filter, number, flags, WRITES, 0);
}

static int allow_some(scmp_filter_ctx filter, int number, const struct call *c, bool writes)
{
    if (c->rule == OWN_PROCESS || c->rule == OWN_READ)
        return allow_now(filter, number, c, writes);
    for (size_t i = 0; i < countof(only); i++) {
        const struct only *o = &only[i];
        int wrong =
            o->rule == c->rule ? allow_only(filter, number, o->argument, o->mask, o->value) : 0;
        if (wrong)
            return wrong;
    }
    return 0;
}

static int add_rule(scmp_filter_ctx filter, const struct call *c, bool writes)
{
    int number = seccomp_syscall_resolve_name(c->name);

    if (number == __NR_SCMP_ERROR || (c->rule == CACHE && !writes))
        return 0;
    if (c->rule == ALLOW || c->rule == CACHE)
        return seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
    if (c->rule == ENDS)
        return seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, number, 0);
    return allow_some(filter, number, c, writes);
}

/* clone3 has its flags in memory, where no filter sees them: glibc goes on with clone then. */
static int fill(scmp_filter_ctx filter, bool writes)
{
    int wrong = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    int clone3 = seccomp_syscall_resolve_name("clone3");

    for (size_t i = 0; i < countof(calls) && !wrong; i++)
        wrong = add_rule(filter, &calls[i], writes);
    if (!wrong && clone3 != __NR_SCMP_ERROR)
        wrong = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), clone3, 0);
    return wrong;
}

static bool filter_calls(bool writes, struct err *e)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    int wrong = filter ? fill(filter, writes) : -ENOMEM;

    if (!wrong)
        wrong = seccomp_load(filter);
    seccomp_release(filter);
    errno = -wrong;
    return !wrong || err_errno(e, "seccomp");
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
