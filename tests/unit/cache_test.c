/* SPDX-License-Identifier: Apache-2.0 */
/* The cache: what comes out is what was put in, whatever disks, people and processes do meanwhile.
 */
#include "cmocka_all.h"
#include "versions.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <time.h>

enum { BOUND = 1000, NOBODY = 65534 };

static struct folder folder;
static struct cache *cache;

/* A piece of text, by its number, with its digest. */
struct piece {
    char text[64];
    size_t n;
    char sha256[SHA256_HEX + 1], path[PATH_MAX];
};

static struct piece piece(unsigned number)
{
    struct piece p;
    struct err e = {0};

    p.n = (size_t)snprintf(p.text, sizeof p.text, "what was published as number %u", number);
    must(sha256_hex(p.text, p.n, p.sha256, &e));
    folder_file(&folder, p.sha256, p.path);
    return p;
}

static bool put(const struct piece *p)
{
    struct err e = {0};

    return cache_put(cache, p->sha256, (const unsigned char *)p->text, p->n, &e);
}

static bool gets(const struct piece *p)
{
    struct source_file f = {0};

    if (!cache_get(cache, p->sha256, BOUND, &f)) {
        assert_null(f.bytes);
        return false;
    }
    assert_int_equal(f.n, p->n);
    assert_memory_equal(f.bytes, p->text, p->n);
    assert_int_equal(f.bytes[f.n], '\0');
    assert_string_equal(f.sha256, p->sha256);
    free(f.bytes);
    return true;
}

static bool is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

static void write_text(const char *path, const char *text, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, n), n);
    close(fd);
}

static void set_age(const char *path, time_t seconds)
{
    const struct timespec at = {.tv_sec = time(NULL) - seconds};

    assert_int_equal(utimensat(AT_FDCWD, path, (struct timespec[]){at, at}, 0), 0);
}

static unsigned count_files(void)
{
    unsigned n = 0;
    DIR *d = opendir(folder.path);

    for (struct dirent *entry; d && (entry = readdir(d)) != NULL;)
        n += entry->d_name[0] != '.';
    if (d)
        closedir(d);
    return n;
}

static int begin(void **state)
{
    struct err e = {0};

    (void)state;
    folder_new(&folder);
    cache = cache_new(folder.path, BOUND, &e);
    return cache ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    cache_free(cache);
    folder_remove(&folder);
    return 0;
}

/* -- files -- */

static void gives_back_what_it_was_given(void **state)
{
    struct piece p = piece(1), empty = piece(2);
    struct stat st;

    (void)state;
    assert_false(gets(&p));
    assert_true(put(&p) && gets(&p) && put(&p) && gets(&p));
    assert_int_equal(stat(p.path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    empty.n = 0;
    must(sha256_hex("", 0, empty.sha256, &(struct err){0}));
    assert_true(put(&empty) && gets(&empty));
    assert_int_equal(count_files(), 2);
}

static void knows_digests_only(void **state)
{
    static const char *const names[] = {
        "",
        "..",
        "../../../../etc/passwd",
        "/etc/passwd",
        "0123456789abcdef",
        "0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF",
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0",
        "../3456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    };
    struct source_file f = {0};

    (void)state;
    for (size_t i = 0; i < countof(names); i++)
        assert_false(cache_get(cache, names[i], BOUND, &f));
    assert_null(f.bytes);
}

static void altered_files_are_removed(void **state)
{
    struct piece p = piece(1);

    (void)state;
    for (unsigned way = 0; way < 5; way++) {
        char text[sizeof p.text];
        memcpy(text, p.text, sizeof text);
        assert_true(put(&p));
        switch (way) {
        case 0: write_text(p.path, text, 0); break;
        case 1: write_text(p.path, text, p.n - 1); break;
        case 2: write_text(p.path, text, p.n + 1); break;
        case 3: memset(text, 0, sizeof text), write_text(p.path, text, p.n); break;
        default: text[p.n / 2] ^= 1, write_text(p.path, text, p.n);
        }
        assert_false(gets(&p));
        assert_false(is_there(p.path));
    }
    for (size_t bit = 0; bit < 8 * p.n; bit++) {
        char text[sizeof p.text];
        memcpy(text, p.text, sizeof text);
        text[bit / 8] ^= (char)(1 << bit % 8);
        write_text(p.path, text, p.n);
        assert_false(gets(&p));
    }
    assert_true(put(&p) && gets(&p));
}

/* A file may have grown since; more than was asked for is not even read. */
static void large_files_are_not_read(void **state)
{
    struct piece p = piece(1);
    struct source_file f = {0};

    (void)state;
    assert_true(put(&p));
    assert_false(cache_get(cache, p.sha256, p.n - 1, &f));
    assert_null(f.bytes);
    assert_int_equal(truncate(p.path, (off_t)1 << 40), 0);
    assert_false(cache_get(cache, p.sha256, BOUND, &f));
    assert_true(put(&p) && gets(&p)); /* replaced */
}

static void links_lead_nowhere(void **state)
{
    struct piece p = piece(1), other = piece(2);
    char target[PATH_MAX];
    struct stat st;

    (void)state;
    write_text(folder_file(&folder, "target", target), other.text, other.n);
    assert_int_equal(symlink(target, p.path), 0);
    assert_false(gets(&p));
    assert_int_not_equal(lstat(p.path, &st), 0); /* the link is gone, what it led to is not */
    assert_true(is_there(target));
    assert_int_equal(symlink(target, p.path), 0);
    assert_true(put(&p) && gets(&p));
    assert_true(lstat(p.path, &st) == 0 && S_ISREG(st.st_mode));
    assert_int_equal(stat(target, &st), 0);
    assert_int_equal(st.st_size, other.n); /* not written through */
    assert_int_equal(unlink(p.path), 0);
    assert_int_equal(symlink("/nowhere/at/all", p.path), 0);
    assert_false(gets(&p));
    assert_true(put(&p) && gets(&p));
}

static void what_is_no_file_is_not_waited_for(void **state)
{
    struct piece p = piece(1);
    struct err e = {0};

    (void)state;
    assert_int_equal(mkfifo(p.path, 0600), 0);
    assert_false(gets(&p));
    assert_true(put(&p) && gets(&p));
    unlink(p.path);
    assert_int_equal(mkdir(p.path, 0700), 0);
    assert_false(gets(&p));
    assert_false(cache_put(cache, p.sha256, (unsigned char *)p.text, p.n, &e));
    assert_int_equal(e.code, ERR_SYSTEM);
    assert_int_equal(rmdir(p.path), 0);
    assert_int_equal(count_files(), 0); /* nothing half done is left */
}

/* -- the folder -- */

static void a_folder_that_is_none(void **state)
{
    char path[PATH_MAX], long_path[2 * PATH_MAX];
    struct err e = {0};

    (void)state;
    write_text(folder_file(&folder, "file", path), "", 0);
    assert_null(cache_new(path, BOUND, &e));
    assert_non_null(strstr(e.msg, "--cache"));
    e = (struct err){0};
    assert_null(cache_new("/no/such/folder", BOUND, &e));
    assert_true(e.code && strstr(e.msg, "/no/such/folder"));
    memset(long_path, 'x', sizeof long_path - 1);
    long_path[sizeof long_path - 1] = '\0';
    e = (struct err){0};
    assert_null(cache_new(long_path, BOUND, &e));
    assert_int_not_equal(e.code, ERR_NONE);
}

static void a_folder_is_made(void **state)
{
    char path[PATH_MAX], with_slashes[PATH_MAX];
    struct piece p = piece(1);
    struct err e = {0};
    struct stat st;

    (void)state;
    folder_file(&folder, "new", path);
    snprintf(with_slashes, sizeof with_slashes, "%.200s//", path);
    struct cache *c = cache_new(with_slashes, BOUND, &e);
    assert_non_null(c);
    assert_true(cache_put(c, p.sha256, (unsigned char *)p.text, p.n, &e));
    assert_true(stat(path, &st) == 0 && (st.st_mode & 0777) == 0700);
    cache_free(c);
    snprintf(with_slashes, sizeof with_slashes, "%.200s/%s", path, p.sha256);
    assert_int_equal(unlink(with_slashes), 0);
    assert_int_equal(rmdir(path), 0);
}

static void a_folder_that_went_away(void **state)
{
    struct piece p = piece(1);
    struct source_file f = {0};
    struct err e = {0};

    (void)state;
    assert_true(put(&p));
    folder_remove(&folder);
    assert_false(gets(&p));
    assert_false(cache_put(cache, p.sha256, (unsigned char *)p.text, p.n, &e));
    assert_non_null(strstr(e.msg, folder.path));
    assert_false(cache_note_put(cache, "note", "text", 4, &e));
    assert_false(cache_note_get(cache, "note", BOUND, &f));
    assert_int_equal(mkdir(folder.path, 0700), 0);
    assert_true(put(&p) && gets(&p));
}

/* Runs `body` in a process that is not root's; true where it returns true. */
static bool as_nobody(bool (*body)(void))
{
    int status = 0;

    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        bool ok = geteuid() || (!setgid(NOBODY) && !setuid(NOBODY));
        _exit(ok && body() ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool reads_only(void)
{
    struct piece p = piece(1), other = piece(2);
    struct source_file f = {0};
    struct err e = {0}, why = {0};

    if (chmod(folder.path, 0500))
        return false;
    bool reads = cache_get(cache, p.sha256, BOUND, &f);
    free(f.bytes);
    bool refuses = !cache_put(cache, other.sha256, (unsigned char *)other.text, other.n, &e) &&
                   strstr(e.msg, "Permission denied") && !cache_note_put(cache, "n", "", 0, &e);
    struct cache *second = cache_new(folder.path, BOUND, &why);
    cache_free(second);
    return chmod(folder.path, 0700) == 0 && reads && refuses && !second &&
           strstr(why.msg, "--cache");
}

static void a_folder_that_cannot_be_written(void **state)
{
    struct piece p = piece(1);

    (void)state;
    assert_true(put(&p));
    if (geteuid() == 0)
        assert_true(!chown(folder.path, NOBODY, NOBODY) && !chown(p.path, NOBODY, NOBODY));
    assert_true(as_nobody(reads_only));
    if (geteuid() == 0)
        assert_int_equal(chown(folder.path, 0, 0), 0);
}

/* -- the bound -- */

static void the_oldest_go_first(void **state)
{
    struct piece p[40];
    unsigned fit;

    (void)state;
    for (unsigned i = 0; i < countof(p); i++)
        p[i] = piece(100 + i); /* of equal length */
    fit = BOUND / (unsigned)p[0].n;
    for (unsigned i = 0; i < fit; i++) {
        assert_true(put(&p[i]));
        set_age(p[i].path, 10000 - 10 * (time_t)i);
    }
    assert_int_equal(count_files(), fit);
    assert_true(gets(&p[0])); /* used now */
    assert_true(put(&p[fit]));
    assert_int_equal(count_files(), fit);
    assert_true(is_there(p[0].path) && !is_there(p[1].path) && is_there(p[2].path));
    assert_true(put(&p[fit + 1]));
    assert_true(is_there(p[0].path) && !is_there(p[2].path) && is_there(p[3].path));
    for (unsigned i = 0; i < countof(p); i++) {
        assert_true(put(&p[i]) && gets(&p[i]));
        assert_true(count_files() <= fit);
    }
}

static void what_is_larger_than_the_bound(void **state)
{
    static unsigned char large[BOUND + 1];
    char digest[SHA256_HEX + 1];
    struct piece p = piece(1);
    struct err e = {0};

    (void)state;
    assert_true(put(&p));
    assert_true(sha256_hex(large, sizeof large, digest, &e));
    assert_false(cache_put(cache, digest, large, sizeof large, &e));
    assert_non_null(strstr(e.msg, "--cache-bytes 1000"));
    assert_true(gets(&p)); /* nothing went for it */
    assert_true(sha256_hex(large, BOUND, digest, &e));
    assert_true(cache_put(cache, digest, large, BOUND, &e));
    assert_false(gets(&p));
}

static void leftovers_go_and_others_stay(void **state)
{
    static const char *const names[] = {
        "0123456789abcdef0123456789abcdef.part-1-2", /* of a writer that was killed */
        "0123456789abcdef0123456789abcdef.part-1-3", /* of one that is at work */
        "slot-0123456789abcdef.json",
        "README",
        ".hidden",
    };
    char path[PATH_MAX];
    struct piece p = piece(1);

    (void)state;
    for (size_t i = 0; i < countof(names); i++) {
        write_text(folder_file(&folder, names[i], path), "text", 4);
        if (i != 1)
            set_age(path, 4000);
    }
    assert_true(put(&p) && gets(&p));
    for (size_t i = 0; i < countof(names); i++)
        assert_int_equal(is_there(folder_file(&folder, names[i], path)), i != 0);
}

static void notes(void **state)
{
    struct source_file f = {0};
    struct err e = {0};

    (void)state;
    assert_false(cache_note_get(cache, "slot-1.json", BOUND, &f));
    assert_true(cache_note_put(cache, "slot-1.json", "first", 5, &e));
    assert_true(cache_note_put(cache, "slot-1.json", "second", 6, &e));
    assert_true(cache_note_get(cache, "slot-1.json", BOUND, &f));
    assert_int_equal(f.n, 6);
    assert_memory_equal(f.bytes, "second", 7);
    free(f.bytes);
    assert_false(cache_note_get(cache, "slot-1.json", 5, &f));
    assert_int_equal(count_files(), 1);
}

/* -- several processes -- */

enum { PROCESSES = 4, PIECES = 60, ROUNDS = 400 };

/* Puts and gets in an order of its own: the exit status of a process. */
static int use_folder(unsigned seed)
{
    struct err e = {0};
    struct cache *c = cache_new(folder.path, BOUND, &e);

    for (unsigned i = 0; c && i < ROUNDS; i++) {
        seed = seed * 1103515245 + 12345;
        struct piece p = piece((seed >> 16) % PIECES);
        struct source_file f = {0};
        if (!cache_put(c, p.sha256, (unsigned char *)p.text, p.n, &e)) {
            fprintf(stderr, "%s\n", e.msg);
            return 2;
        }
        p = piece((seed >> 20) % PIECES);
        bool got = cache_get(c, p.sha256, BOUND, &f);
        bool same = got && f.n == p.n && memcmp(f.bytes, p.text, p.n) == 0;
        free(f.bytes);
        if (got && !same)
            return 3;
    }
    cache_free(c);
    return c ? 0 : 4;
}

static void processes_share_a_folder(void **state)
{
    pid_t children[PROCESSES];
    uint64_t bytes = 0;

    (void)state;
    fflush(NULL);
    for (unsigned i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        if (children[i] == 0)
            _exit(use_folder(i + 1));
    }
    for (unsigned i = 0; i < PROCESSES; i++) {
        int status = 0;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
    for (unsigned i = 0; i < PIECES; i++) { /* what is left is whole */
        struct piece p = piece(i);
        bool there = is_there(p.path);
        assert_int_equal(gets(&p), there);
        bytes += there ? p.n : 0;
    }
    /* each may have made room while others wrote */
    assert_true(bytes > 0 && bytes <= BOUND + PROCESSES * sizeof(piece(0).text));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(gives_back_what_it_was_given), TEST(knows_digests_only),
        TEST(altered_files_are_removed),    TEST(large_files_are_not_read),
        TEST(links_lead_nowhere),           TEST(what_is_no_file_is_not_waited_for),
        TEST(a_folder_that_is_none),        TEST(a_folder_is_made),
        TEST(a_folder_that_went_away),      TEST(a_folder_that_cannot_be_written),
        TEST(the_oldest_go_first),          TEST(what_is_larger_than_the_bound),
        TEST(leftovers_go_and_others_stay), TEST(notes),
        TEST(processes_share_a_folder),
    };

    return cmocka_run_group_tests_name("cache", tests, NULL, NULL);
}
