/* SPDX-License-Identifier: Apache-2.0 */
/* Each case is a process of its own that enters the sandbox and tries what it should not be able
 * to, or what it must be. */
#include "cmocka_all.h"

#include "scored/log.h"
#include "scored/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KILLED = 1000, NOT_THERE = 250 };

static char folder[] = "/tmp/sandbox_test-XXXXXX"; /* the cache */
static char outside[] = "/tmp/sandbox_out-XXXXXX";

static int run(long result)
{
    return result < 0 ? errno : 0;
}

static const char *in(const char *where, const char *name)
{
    static char path[256];

    snprintf(path, sizeof path, "%s/%s", where, name);
    return path;
}

/* -- what is tried: 0, or errno -- */

static int try_execve(void)
{
    char *argv[] = {(char[]){"true"}, NULL};

    return run(execve("/bin/true", argv, argv + 1));
}

static int try_fexecve(void)
{
    char *argv[] = {(char[]){"true"}, NULL};

    return run(syscall(SYS_execveat, AT_FDCWD, "/bin/true", argv, argv + 1, 0));
}

static int try_vfork(void)
{
#ifdef SYS_vfork
    return run(syscall(SYS_vfork));
#else
    raise(SIGSYS);
    return 0;
#endif
}

static int try_fork(void)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(0);
    return run(pid);
}

static int try_clone3(void)
{
    return run(syscall(SYS_clone3, NULL, 0));
}

static int try_namespace(void)
{
    return run(syscall(SYS_clone, CLONE_THREAD | CLONE_VM | CLONE_SIGHAND | CLONE_NEWUSER, NULL,
                       NULL, NULL, 0));
}

static int try_ptrace(void)
{
    return run(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static int try_read_other(void)
{
    return run(syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0));
}

static int try_write_other(void)
{
    return run(syscall(SYS_process_vm_writev, getppid(), NULL, 0, NULL, 0, 0));
}

static int try_bpf(void)
{
    return run(syscall(SYS_bpf, 0, NULL, 0));
}

static int try_uring(void)
{
    return run(syscall(SYS_io_uring_setup, 1, NULL));
}

static int try_mount(void)
{
    return run(syscall(SYS_mount, "none", "/tmp", "tmpfs", 0, NULL));
}

static int try_unshare(void)
{
    return run(unshare(CLONE_NEWUSER));
}

static int try_keyctl(void)
{
    return run(syscall(SYS_keyctl, 0, 0));
}

static int try_userfault(void)
{
    return run(syscall(SYS_userfaultfd, 0));
}

static int try_perf(void)
{
    return run(syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0));
}

static int try_memfd(void)
{
    return run(memfd_create("code", 0));
}

static int try_pidfd(void)
{
    return run(syscall(SYS_pidfd_open, getppid(), 0));
}

static int try_chroot(void)
{
    return run(chroot("/"));
}

static int map(int protection)
{
    return run((long)(mmap(NULL, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
                          ? -1
                          : 0));
}

static int try_map_code(void)
{
    return map(PROT_READ | PROT_EXEC);
}

static int try_map_all(void)
{
    return map(PROT_READ | PROT_WRITE | PROT_EXEC);
}

static int try_map_data(void)
{
    return map(PROT_READ | PROT_WRITE);
}

static int try_protect_code(void)
{
    void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return p == MAP_FAILED ? NOT_THERE : run(mprotect(p, 4096, PROT_READ | PROT_EXEC));
}

static int try_write_file(void)
{
    return run(open(in(outside, "file"), O_WRONLY | O_CLOEXEC));
}

static int try_truncate_file(void)
{
    return run(truncate(in(outside, "file"), 0));
}

static int try_make_file(void)
{
    return run(open(in(outside, "new"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static int try_remove_file(void)
{
    return run(unlink(in(outside, "file")));
}

static int try_chmod(void)
{
    return run(chmod(in(outside, "file"), 0777));
}

static int try_link(void)
{
    char other[256];

    snprintf(other, sizeof other, "%s/linked", folder);
    return run(link(in(outside, "file"), other));
}

static int try_read_file(void)
{
    char text[4];
    int fd = open(in(outside, "file"), O_RDONLY | O_CLOEXEC);

    return fd < 0 ? errno : run(read(fd, text, sizeof text));
}

static int try_cache(void)
{
    char other[256];
    int fd = open(in(folder, "part"), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0 || write(fd, "x", 1) != 1 || fsync(fd))
        return errno;
    snprintf(other, sizeof other, "%s/whole", folder);
    if (rename(in(folder, "part"), other))
        return errno;
    return run(unlink(other));
}

static int try_kill_parent(void)
{
    return run(kill(getppid(), 0));
}

static int try_signal_itself(void)
{
    return run(kill(getpid(), 0));
}

static int try_unix_socket(void)
{
    return run(socket(AF_UNIX, SOCK_STREAM, 0));
}

static int try_packet_socket(void)
{
    return run(socket(AF_PACKET, SOCK_RAW, 0));
}

static int try_limit_of_parent(void)
{
    struct rlimit limit;

    return run(prlimit(getppid(), RLIMIT_NOFILE, NULL, &limit));
}

static int try_terminal_input(void)
{
    return run(syscall(SYS_ioctl, 0, 0x5412 /* TIOCSTI */, "x"));
}

static int try_dumpable(void)
{
    return run(prctl(PR_SET_DUMPABLE, 1));
}

static int try_setuid(void)
{
    return run(setuid(getuid()));
}

static int try_core(void)
{
    struct rlimit limit;

    getrlimit(RLIMIT_CORE, &limit);
    return limit.rlim_cur || limit.rlim_max || prctl(PR_GET_DUMPABLE) != -1 || errno != EPERM;
}

static int try_privileges(void)
{
    char line[256];
    FILE *f = fopen("/proc/self/status", "re");
    int wrong = NOT_THERE;

    while (f && fgets(line, sizeof line, f))
        if (!strcmp(line, "NoNewPrivs:\t1\n"))
            wrong = 0;
    return wrong;
}

static void *thread(void *argument)
{
    *(int *)argument = try_ptrace();
    return argument;
}

static void *quiet_thread(void *argument)
{
    return argument;
}

static int try_thread(void)
{
    pthread_t t;
    int wrong = pthread_create(&t, NULL, quiet_thread, NULL);

    return wrong ? wrong : pthread_join(t, NULL);
}

static int try_in_thread(void)
{
    pthread_t t;
    int wrong = 0;

    return pthread_create(&t, NULL, thread, &wrong) || pthread_join(t, NULL) || wrong;
}

/* As curl's resolver does. */
static int try_names(void)
{
    struct addrinfo *found = NULL;
    int wrong = getaddrinfo("localhost", "80", NULL, &found);

    if (!wrong)
        freeaddrinfo(found);
    return wrong;
}

static int try_server(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), epoll = epoll_create1(EPOLL_CLOEXEC);

    return fd < 0 || epoll < 0 || eventfd(0, EFD_CLOEXEC) < 0 ||
           bind(fd, (struct sockaddr *)&at, sizeof at) || listen(fd, 8);
}

static int try_abort(void)
{
    abort();
}

/* -- the cases -- */

struct trial {
    const char *name;
    int (*tries)(void);
    int want;           /* errno, or KILLED and the signal's number */
    bool without_cache; /* of the daemon without one: there nothing is written at all */
};

#define REFUSED EPERM
#define DIES    (KILLED + SIGSYS)

static struct trial trials[] = {
    {"execve ends it", try_execve, DIES, false},
    {"execveat ends it", try_fexecve, DIES, false},
    {"fork is refused", try_fork, REFUSED, false},
    {"vfork ends it", try_vfork, DIES, false},
    {"clone3 is not there", try_clone3, ENOSYS, false},
    {"a thread in a namespace of its own is refused", try_namespace, REFUSED, false},
    {"ptrace ends it", try_ptrace, DIES, false},
    {"ptrace in a thread ends it", try_in_thread, DIES, false},
    {"process_vm_readv ends it", try_read_other, DIES, false},
    {"process_vm_writev ends it", try_write_other, DIES, false},
    {"bpf ends it", try_bpf, DIES, false},
    {"io_uring ends it", try_uring, DIES, false},
    {"mount ends it", try_mount, DIES, false},
    {"unshare ends it", try_unshare, DIES, false},
    {"keyctl ends it", try_keyctl, DIES, false},
    {"userfaultfd ends it", try_userfault, DIES, false},
    {"perf_event_open ends it", try_perf, DIES, false},
    {"memfd_create ends it", try_memfd, DIES, false},
    {"pidfd_open ends it", try_pidfd, DIES, false},
    {"chroot ends it", try_chroot, DIES, false},
    {"code cannot be mapped", try_map_code, REFUSED, false},
    {"nor what can be written and executed", try_map_all, REFUSED, false},
    {"data does not become code", try_protect_code, REFUSED, false},
    {"data can be mapped", try_map_data, 0, false},
    {"a file outside cannot be written", try_write_file, EACCES, false},
    {"without a cache neither", try_write_file, REFUSED, true},
    {"a file outside cannot be cut", try_truncate_file, REFUSED, false},
    {"a file outside cannot be made", try_make_file, EACCES, false},
    {"without a cache neither", try_make_file, REFUSED, true},
    {"a file outside cannot be removed", try_remove_file, EACCES, false},
    {"without a cache neither", try_remove_file, REFUSED, true},
    {"a file cannot be linked", try_link, REFUSED, false},
    {"a mode cannot be changed", try_chmod, REFUSED, false},
    {"a file can be read", try_read_file, 0, false},
    {"the cache can be written", try_cache, 0, false},
    {"without a cache it cannot", try_cache, REFUSED, true},
    {"another process gets no signal", try_kill_parent, REFUSED, false},
    {"it may signal itself", try_signal_itself, 0, false},
    {"abort() works", try_abort, KILLED + SIGABRT, false},
    {"no socket of a path", try_unix_socket, REFUSED, false},
    {"no socket of packets", try_packet_socket, REFUSED, false},
    {"no limits of others", try_limit_of_parent, REFUSED, false},
    {"nothing is typed into a terminal", try_terminal_input, REFUSED, false},
    {"it stays out of dumps", try_dumpable, REFUSED, false},
    {"users are not changed", try_setuid, REFUSED, false},
    {"no core", try_core, 0, false},
    {"no new privileges", try_privileges, 0, false},
    {"threads", try_thread, 0, false},
    {"names are resolved", try_names, 0, false},
    {"it can listen", try_server, 0, false},
};

static int in_sandbox(const struct trial *t)
{
    struct err e = {0};

    if (!sandbox_enter(SANDBOX_ON, t->without_cache ? "" : folder, &e)) {
        fprintf(stderr, "%s\n", e.msg);
        return NOT_THERE;
    }
    return t->tries();
}

static void one_trial(void **state)
{
    const struct trial *t = *state;
    int status = 0;
    pid_t pid = fork();

    if (pid == 0)
        _exit(in_sandbox(t));
    assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
    assert_int_equal(WIFSIGNALED(status) ? KILLED + WTERMSIG(status) : WEXITSTATUS(status),
                     t->want);
}

static int off(void)
{
    struct err e = {0};

    return !sandbox_enter(SANDBOX_OFF, "", &e) || strcmp(sandbox_holds(), "off") != 0 ||
           try_fork() || try_map_code();
}

static int holds(void)
{
    struct err e = {0};

    return !sandbox_enter(SANDBOX_ON, "", &e) || strcmp(sandbox_holds(), "seccomp,landlock") != 0;
}

/* As an older kernel, or a container's own filter. */
static bool take_away(const char *call)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    int wrong =
        seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), seccomp_syscall_resolve_name(call), 0);

    wrong |= seccomp_load(filter);
    seccomp_release(filter);
    return !wrong;
}

/* 0: `on` does not start where a call is not there, and `auto` goes on with what there is. */
static int without(const char *call, const char *what)
{
    struct err e = {0};

    log_set(LOG_ERROR, LOG_LOGFMT);
    return !take_away(call) || !sandbox_enter(SANDBOX_AUTO, "", &e) ||
           strcmp(sandbox_holds(), what) != 0 || sandbox_enter(SANDBOX_ON, "", &e) ||
           !strstr(e.msg, "--sandbox on (SCORED_SANDBOX)");
}

static int without_landlock(void)
{
    return without("landlock_create_ruleset", "seccomp");
}

static int without_seccomp(void)
{
    return without("seccomp", "landlock");
}

static void in_process(void **state)
{
    static int (*const all[])(void) = {off, holds, without_landlock, without_seccomp};
    int status = 0;

    (void)state;
    for (size_t i = 0; i < countof(all); i++) {
        pid_t pid = fork();
        if (pid == 0)
            _exit(all[i]());
        assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
}

static int make_files(void **state)
{
    (void)state;
    if (!mkdtemp(folder) || !mkdtemp(outside))
        return -1;
    int fd = open(in(outside, "file"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    return fd < 0 || write(fd, "text", 4) != 4 || close(fd);
}

static int remove_files(void **state)
{
    (void)state;
    unlink(in(outside, "file"));
    return rmdir(outside) || rmdir(folder);
}

int main(void)
{
    enum { N = countof(trials) };
    struct CMUnitTest tests[N + 1];

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return 0; /* their runtimes make calls of their own */
#endif
    for (size_t i = 0; i < N; i++)
        tests[i] = (struct CMUnitTest){trials[i].name, one_trial, NULL, NULL, &trials[i]};
    tests[N] = (struct CMUnitTest){"what holds is told", in_process, NULL, NULL, NULL};
    return cmocka_run_group_tests_name("sandbox", tests, make_files, remove_files);
}
