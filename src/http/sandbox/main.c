/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the seccomp filters of sandbox.def as C, when the program is built: libseccomp leaves
 * rules out, or goes on for ever, where memory fails, and a process that begins has enough to do
 * without the thousands of pieces that it takes.
 */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define countof(a) (sizeof(a) / sizeof *(a))

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

/* What depends on the process, or on its settings. */
static int allow_own(scmp_filter_ctx filter, int number, const struct call *c, bool writes)
{
    if (c->rule == OWN_PROCESS)
        return allow_only(filter, number, 0, UINT32_MAX, OWN_PID);
    unsigned flags = number == SCMP_SYS(open) ? 1 : 2;
    return writes ? seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0)
                  : allow_only(filter, number, flags, WRITES, 0);
}

static int allow_some(scmp_filter_ctx filter, int number, const struct call *c, bool writes)
{
    if (c->rule == OWN_PROCESS || c->rule == OWN_READ)
        return allow_own(filter, number, c, writes);
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
    int wrong = 0;
    int clone3 = seccomp_syscall_resolve_name("clone3");

    for (size_t i = 0; i < countof(calls) && !wrong; i++)
        wrong = add_rule(filter, &calls[i], writes);
    if (!wrong && clone3 != __NR_SCMP_ERROR)
        wrong = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), clone3, 0);
    return wrong;
}

/* -- as C -- */

/* False: no rule has the process's own number. */
static bool print(const char *name, int fd)
{
    struct sock_filter f;
    unsigned pids = 0;

    printf("static const struct sock_filter %s[] = {\n", name);
    for (off_t at = 0; pread(fd, &f, sizeof f, at) == sizeof f; at += (off_t)sizeof f) {
        printf("    {%#x, %u, %u, %#xu},\n", (unsigned)f.code, (unsigned)f.jt, (unsigned)f.jf,
               (unsigned)f.k);
        pids += f.k == OWN_PID;
    }
    printf("};\n");
    return pids > 0;
}

static bool write_filter(const char *name, bool writes)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    int fd = memfd_create(name, MFD_CLOEXEC);

    bool ok = filter && fd >= 0 && !fill(filter, writes) && !seccomp_export_bpf(filter, fd) &&
              print(name, fd);
    if (!ok)
        fprintf(stderr, "sandbox_program: %s cannot be made\n", name);
    seccomp_release(filter);
    if (fd >= 0)
        close(fd);
    return ok;
}

int main(void)
{
    return write_filter("filter_without_cache", false) && write_filter("filter_with_cache", true)
               ? 0
               : 1;
}
