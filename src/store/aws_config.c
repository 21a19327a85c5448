/* SPDX-License-Identifier: Apache-2.0 */
#include "aws_config.h"

#include "ini.h"

#include "scored/stamp.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_FILE = 1 << 20 };

/* A shared file, from the environment as it is at the start. */
struct shared_file {
    const char *variable; /* that names it; NULL: it is the one below HOME */
    char *path;           /* NULL: there is none */
    struct stamp stamp;
    struct ini ini, next; /* `next`: inside a reading */
};

struct aws_config {
    struct shared_file credentials, config;
    char *profile;
};

const char *aws_env(const char *name)
{
    const char *value = getenv(name); /* NOLINT(concurrency-mt-unsafe): nothing sets them */

    return value && *value ? value : NULL;
}

/* -- files -- */

/* Reads at most MAX_FILE bytes, whatever kind of file it is: /dev/null is a usual way to say
 * none. */
static bool read_fd(int fd, char *text, size_t *n, struct err *e)
{
    *n = 0;
    while (*n <= MAX_FILE) {
        ssize_t got = read(fd, text + *n, MAX_FILE + 1 - *n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_errno(e, "read");
        if (got == 0)
            return true;
        *n += (size_t)got;
    }
    return err_set(e, ERR_USAGE, "larger than %d bytes", (int)MAX_FILE);
}

static bool load_fd(struct ini *f, int fd, struct err *e)
{
    char *text = malloc(MAX_FILE + 1);
    size_t n;

    if (!text)
        return err_memory(e);
    bool ok = read_fd(fd, text, &n, e) && ini_read(f, text, n, e);
    explicit_bzero(text, n);
    free(text);
    return ok;
}

/* In a folder that may not be looked into there is no file either: a container's HOME is often
 * somebody else's. */
static bool is_missing(const char *path)
{
    struct stat st;

    return errno == ENOENT || errno == ENOTDIR || (errno == EACCES && stat(path, &st) < 0);
}

/* The file that a variable names, or one below HOME. */
static bool find_file(struct shared_file *f, const char *variable, const char *below_home,
                      struct err *e)
{
    const char *named = aws_env(variable), *home = aws_env("HOME");
    char path[PATH_MAX];
    int n;

    if (!named && !home)
        return true;
    if (named && (strncmp(named, "~/", 2) != 0 || !home))
        n = snprintf(path, sizeof path, "%s", named);
    else
        n = snprintf(path, sizeof path, "%s/%s", home, named ? named + 2 : below_home);
    if (n >= (int)sizeof path)
        return err_set(e, ERR_USAGE, "%s: the path is too long", named ? variable : "HOME");
    f->variable = named ? variable : NULL;
    f->path = strdup(path);
    return f->path || err_memory(e);
}

/* What is no regular file, as a shell's <(...), was read to its end at the start. */
static bool has_said_all(const struct shared_file *f)
{
    return f->stamp.there && !f->stamp.regular && f->ini.text;
}

/* Reads it into `next`, which stays empty where there is no file. */
static bool read_file(struct shared_file *f, struct err *e)
{
    if (!f->path)
        return true;
    stamp_take(&f->stamp, f->path);
    if (has_said_all(f))
        return true;
    int fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 && !f->variable && is_missing(f->path))
        return true;
    bool ok = fd >= 0 ? load_fd(&f->next, fd, e) : err_errno(e, "open");
    if (fd >= 0)
        close(fd);
    if (!ok && e->code != ERR_NO_MEMORY) {
        e->code = ERR_USAGE;
        err_wrap(e, "%.300s", f->path);
        if (f->variable)
            err_wrap(e, "%s", f->variable);
    }
    return ok;
}

/* -- profiles -- */

/* How the config file writes a profile's section. `[profile default]` hides `[default]`. */
static const char *section_type(const struct aws_config *c, const char *profile)
{
    return strcmp(profile, "default") == 0 && !ini_has_section(&c->config.ini, "profile", profile)
               ? ""
               : "profile";
}

bool aws_profile_exists(const struct aws_config *c, const char *profile)
{
    return ini_has_section(&c->credentials.ini, "", profile) ||
           ini_has_section(&c->config.ini, section_type(c, profile), profile);
}

const char *aws_profile_name(const struct aws_config *c)
{
    return c->profile;
}

const char *aws_profile_get(const struct aws_config *c, const char *profile, const char *key)
{
    if (!profile)
        profile = c->profile;
    const char *value = ini_get(&c->credentials.ini, "", profile, key, NULL);
    return value ? value : ini_get(&c->config.ini, section_type(c, profile), profile, key, NULL);
}

/* -- endpoints and regions -- */

/* A setting and what it says. */
struct setting {
    const char *name, *value;
};

static bool is_true(const char *value)
{
    return value && strcasecmp(value, "true") == 0;
}

static struct setting find_endpoint(const struct aws_config *c, const char *service)
{
    static const struct {
        const char *service, *variable;
    } variables[] = {
        {"s3", "AWS_ENDPOINT_URL_S3"},
        {"sts", "AWS_ENDPOINT_URL_STS"},
    };
    const char *value;

    if (is_true(aws_env("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")) ||
        is_true(aws_profile_get(c, NULL, "ignore_configured_endpoint_urls")))
        return (struct setting){0};
    for (size_t i = 0; i < countof(variables); i++)
        if (strcmp(variables[i].service, service) == 0 && (value = aws_env(variables[i].variable)))
            return (struct setting){variables[i].variable, value};
    if ((value = aws_env("AWS_ENDPOINT_URL")))
        return (struct setting){"AWS_ENDPOINT_URL", value};
    const char *services = aws_profile_get(c, NULL, "services");
    if (services &&
        (value = ini_get(&c->config.ini, "services", services, service, "endpoint_url")))
        return (struct setting){"the profile's services", value};
    if ((value = aws_profile_get(c, NULL, "endpoint_url")))
        return (struct setting){"endpoint_url of the profile", value};
    return (struct setting){0};
}

const char *aws_endpoint(const struct aws_config *c, const char *service)
{
    return find_endpoint(c, service).value;
}

const char *aws_endpoint_setting(const struct aws_config *c, const char *service)
{
    return find_endpoint(c, service).name;
}

static struct setting find_region(const struct aws_config *c)
{
    static const char *const variables[] = {"AWS_REGION", "AWS_DEFAULT_REGION"};
    const char *value;

    for (size_t i = 0; i < countof(variables); i++)
        if ((value = aws_env(variables[i])))
            return (struct setting){variables[i], value};
    value = aws_profile_get(c, NULL, "region");
    return (struct setting){value ? "region of the profile" : NULL, value};
}

const char *aws_region(const struct aws_config *c)
{
    return find_region(c).value;
}

const char *aws_region_setting(const struct aws_config *c)
{
    return find_region(c).name;
}

const char *aws_ca_bundle(const struct aws_config *c)
{
    const char *value = aws_env("AWS_CA_BUNDLE");

    return value ? value : aws_profile_get(c, NULL, "ca_bundle");
}

const char *aws_dns_suffix(const char *region)
{
    static const struct {
        const char *prefix, *suffix;
    } partitions[] = {
        {"cn-", "amazonaws.com.cn"},    {"us-iso-", "c2s.ic.gov"},
        {"us-isob-", "sc2s.sgov.gov"},  {"eu-isoe-", "cloud.adc-e.uk"},
        {"us-isof-", "csp.hci.ic.gov"}, {"eusc-", "amazonaws.eu"},
    };

    for (size_t i = 0; i < countof(partitions); i++)
        if (strncmp(region, partitions[i].prefix, strlen(partitions[i].prefix)) == 0)
            return partitions[i].suffix;
    return "amazonaws.com";
}

/* A region becomes part of a host's name. */
static bool check_region(const struct aws_config *c, struct err *e)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
    struct setting s = find_region(c);

    if (!s.value || (strlen(s.value) < 64 && !s.value[strspn(s.value, allowed)]))
        return true;
    return err_set(e, ERR_USAGE, "%s: '%.64s' is no region, as eu-central-1 is", s.name, s.value);
}

/* -- all of it -- */

static bool choose_profile(struct aws_config *c, struct err *e)
{
    const char *name = aws_env("AWS_PROFILE");

    c->profile = strdup(name ? name : "default");
    return c->profile || err_memory(e);
}

static bool check_profile(const struct aws_config *c, struct err *e)
{
    return !aws_env("AWS_PROFILE") || aws_profile_exists(c, c->profile) ||
           err_set(e, ERR_USAGE, "AWS_PROFILE: no file has the profile '%.100s'", c->profile);
}

/* Exchanges what is in use and what was read. */
static void exchange(struct shared_file *f)
{
    struct ini was = f->ini;

    if (has_said_all(f))
        return;
    f->ini = f->next;
    f->next = was;
}

static bool read_files(struct aws_config *c, struct err *e)
{
    bool read = read_file(&c->credentials, e) && read_file(&c->config, e);

    exchange(&c->credentials);
    exchange(&c->config);
    bool ok = read && check_region(c, e);
    if (!ok) {
        exchange(&c->credentials);
        exchange(&c->config);
    }
    ini_done(&c->credentials.next);
    ini_done(&c->config.next);
    return ok;
}

struct aws_config *aws_config_new(struct err *e)
{
    struct aws_config *c = calloc(1, sizeof *c);

    if (!c) {
        err_memory(e);
        return NULL;
    }
    if (find_file(&c->credentials, "AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials", e) &&
        find_file(&c->config, "AWS_CONFIG_FILE", ".aws/config", e) && choose_profile(c, e) &&
        read_files(c, e) && check_profile(c, e))
        return c;
    aws_config_free(c);
    return NULL;
}

void aws_config_free(struct aws_config *c)
{
    if (!c)
        return;
    ini_done(&c->credentials.ini);
    ini_done(&c->config.ini);
    free(c->credentials.path);
    free(c->config.path);
    free(c->profile);
    free(c);
}

static bool file_moved(struct shared_file *f)
{
    return f->path && stamp_moved(&f->stamp, f->path);
}

bool aws_config_moved(struct aws_config *c)
{
    bool credentials = file_moved(&c->credentials), config = file_moved(&c->config);

    return credentials || config;
}

bool aws_config_reload(struct aws_config *c, struct err *e)
{
    return read_files(c, e);
}
