/* SPDX-License-Identifier: Apache-2.0 */
/*
 * overload [-g SECONDS] STREAM...: sends streams of requests on loopback, side by side, each by a
 * timetable of its own, and prints one JSON object a line and stream.
 *
 * A STREAM is a list: name=TEXT,port=N,request=FILE,mode=kept|fresh|loop,connections=N,
 * rates=RATE:SECONDS[+RATE:SECONDS...][,arrivals=poisson|fixed][,give-up=SECONDS]
 *
 * FILE holds the bytes of one request. The rates are phases, one after the other, in requests a
 * second; in a loop they only bound the number. Latencies run from the moment that the timetable
 * names to the end of the answer, except "answer_us", which runs from when the request was sent: a
 * server that stalls is charged for what was due meanwhile. "lag_us" is how late this program
 * itself was; "server_us" leaves out that and how long it took to read: from when the request was
 * sent until the system had the answer. -g: how long answers are waited for after the end.
 */
#include "streams.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { SLOT_MS = 100 };

/* -- the command -- */

static int usage(void)
{
    fprintf(stderr, "usage: overload [-g SECONDS] name=TEXT,port=N,request=FILE,mode=MODE,"
                    "connections=N,rates=RATE:SECONDS[+...] ...\n");
    return 2;
}

static bool read_request(struct stream *s, const char *path)
{
    FILE *f = fopen(path, "re");
    size_t n;

    if (!f)
        streams_die(path);
    do {
        char *to = buf_reserve(&s->request, 1 << 16);
        n = to ? fread(to, 1, 1 << 16, f) : 0;
        s->request.len += n;
    } while (n);
    fclose(f);
    return s->request.len;
}

static bool read_rates(struct stream *s, const char *text)
{
    char *end = NULL;

    for (s->n_phases = 0; s->n_phases < PHASES_MAX; text = end + 1) {
        struct phase *p = &s->phases[s->n_phases++];
        p->rate = strtod(text, &end);
        if (*end != ':')
            return false;
        p->ns = (uint64_t)(strtod(end + 1, &end) * 1e9);
        if (*end != '+')
            return !*end && p->ns;
    }
    return false;
}

static bool read_mode(struct stream *s, const char *text)
{
    static const char *const names[] = {[KEPT] = "kept", [FRESH] = "fresh", [LOOP] = "loop"};

    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(text, names[i]) == 0) {
            s->mode = (enum mode)i;
            return true;
        }
    return false;
}

static bool read_part(struct stream *s, const char *name, const char *value)
{
    if (strcmp(name, "name") == 0) {
        snprintf(s->name, sizeof s->name, "%.31s", value);
        return true;
    }
    if (strcmp(name, "port") == 0)
        return (s->port = (uint16_t)strtoul(value, NULL, 10)) != 0;
    if (strcmp(name, "connections") == 0)
        return (s->n_lines = (unsigned)strtoul(value, NULL, 10)) != 0;
    if (strcmp(name, "give-up") == 0)
        return (s->give_up = (uint64_t)(strtod(value, NULL) * 1e9)) != 0;
    if (strcmp(name, "arrivals") == 0)
        return (s->poisson = strcmp(value, "poisson") == 0) || strcmp(value, "fixed") == 0;
    if (strcmp(name, "mode") == 0)
        return read_mode(s, value);
    if (strcmp(name, "rates") == 0)
        return read_rates(s, value);
    return strcmp(name, "request") == 0 && read_request(s, value);
}

static bool read_stream(struct stream *s, char *text)
{
    char *rest = NULL;

    for (char *part = strtok_r(text, ",", &rest); part; part = strtok_r(NULL, ",", &rest)) {
        char *value = strchr(part, '=');
        if (!value)
            return false;
        *value++ = '\0';
        if (!read_part(s, part, value))
            return false;
    }
    return s->port && s->n_lines && s->n_phases && s->request.len;
}

static bool read_arguments(struct streams *all, int argc, char **argv)
{
    int option;

    all->grace = UINT64_C(2000000000);
    while ((option = getopt(argc, argv, "g:")) != -1) {
        if (option != 'g')
            return false;
        all->grace = (uint64_t)(strtod(optarg, NULL) * 1e9);
    }
    if (argc == optind || argc - optind > STREAMS_MAX)
        return false;
    for (int i = optind; i < argc; i++)
        if (!read_stream(&all->list[all->n++], argv[i]))
            return false;
    return true;
}

/* -- what is said -- */

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Ends the sample, and prints of it what one asks about. */
static void print_times(struct buf *out, const char *name, uint32_t *us, size_t n)
{
    qsort(us, n, sizeof *us, compare);
    us[n] = n ? us[n - 1] : 0;
    buf_printf(out, ",\"%s\":{\"n\":%zu,\"p50\":%u,\"p90\":%u,\"p99\":%u,\"max\":%u}", name, n,
               us[n / 2], us[n * 9 / 10], us[n * 99 / 100], us[n]);
}

enum sample { ACCEPTED_US, BUSY_US, ANSWER_US, SERVER_US, LAG_US, N_SAMPLES };

static const char *const sample_names[N_SAMPLES] = {
    [ACCEPTED_US] = "accepted_us", [BUSY_US] = "busy_us", [ANSWER_US] = "answer_us",
    [SERVER_US] = "server_us",     [LAG_US] = "lag_us",
};

/* Whether a request belongs to a sample, and its microseconds. */
static bool sampled(const struct record *r, enum sample which, uint32_t *us)
{
    static const int outcome[N_SAMPLES] = {OUTCOME_ACCEPTED, OUTCOME_BUSY, OUTCOME_ACCEPTED,
                                           OUTCOME_ACCEPTED, -1};
    uint64_t from = which == LAG_US || which == ACCEPTED_US ? r->due : r->sent;
    uint64_t to = which == LAG_US ? r->taken : which == SERVER_US ? r->came : r->done;

    *us = (uint32_t)((to - from) / 1000);
    return outcome[which] < 0 ? r->taken != 0 : r->outcome == outcome[which];
}

static void print_phase(const struct stream *s, unsigned i, struct buf *out)
{
    static const char *const names[] = {
#define OUTCOME_NAME(code, name) name,
        OUTCOMES(OUTCOME_NAME)};
    size_t first = i ? s->phases[i - 1].end : 0, counts[N_OUTCOMES] = {0};
    size_t end = s->mode == LOOP && s->taken < s->phases[i].end ? s->taken : s->phases[i].end;
    uint32_t *us = calloc(end - first + 1, sizeof *us);

    if (!us)
        streams_die("no memory");
    for (size_t j = first; j < end; j++)
        counts[s->records[j].outcome]++;
    buf_printf(out, "%s{\"seconds\":%.3f,\"due\":%zu", i ? "," : "", (double)s->phases[i].ns / 1e9,
               end - first);
    for (unsigned j = 0; j < N_OUTCOMES; j++)
        buf_printf(out, ",\"%s\":%zu", names[j], counts[j]);
    for (unsigned j = 0; j < N_SAMPLES; j++) {
        size_t n = 0;
        for (size_t k = first; k < end; k++)
            n += sampled(&s->records[k], (enum sample)j, &us[n]);
        print_times(out, sample_names[j], us, n);
    }
    buf_char(out, '}');
    free(us);
}

struct slot {
    unsigned due, accepted, worst_us; /* of the requests due then */
    unsigned goodput;                 /* answers that came then */
};

static void print_slots(const struct streams *all, const struct stream *s, struct buf *out)
{
    const uint64_t width = SLOT_MS * UINT64_C(1000000);
    size_t n = (size_t)((all->end + all->grace - all->start) / width) + 2;
    struct slot *slots = calloc(n, sizeof *slots);

    if (!slots)
        streams_die("no memory");
    for (size_t i = 0; i < s->taken; i++) {
        const struct record *r = &s->records[i];
        struct slot *due = &slots[(r->due - all->start) / width];
        due->due++;
        if (r->outcome != OUTCOME_ACCEPTED)
            continue;
        uint32_t us = (uint32_t)((r->done - r->due) / 1000);
        due->accepted++;
        due->worst_us = us > due->worst_us ? us : due->worst_us;
        size_t at = (size_t)((r->done - all->start) / width);
        slots[at < n ? at : n - 1].goodput++;
    }
    buf_printf(out, ",\"slot_ms\":%d,\"slots\":[", SLOT_MS);
    for (size_t i = 0; i < n; i++)
        buf_printf(out, "%s[%u,%u,%u,%u]", i ? "," : "", slots[i].due, slots[i].accepted,
                   slots[i].worst_us, slots[i].goodput);
    buf_char(out, ']');
    free(slots);
}

static void print_statuses(const struct stream *s, struct buf *out)
{
    static size_t counts[1000];
    const char *comma = "";

    memset(counts, 0, sizeof counts);
    for (size_t i = 0; i < s->taken; i++)
        if (s->records[i].status < 1000)
            counts[s->records[i].status]++;
    buf_lit(out, ",\"statuses\":{");
    for (unsigned i = 1; i < 1000; i++)
        if (counts[i]) {
            buf_printf(out, "%s\"%u\":%zu", comma, i, counts[i]);
            comma = ",";
        }
    buf_char(out, '}');
}

static void print(const struct streams *all)
{
    struct buf out = {0};

    for (unsigned i = 0; i < all->n; i++) {
        const struct stream *s = &all->list[i];
        buf_printf(&out, "{\"name\":\"%s\",\"connects\":%llu,\"closed\":%llu,\"phases\":[", s->name,
                   (unsigned long long)s->connects, (unsigned long long)s->closed);
        for (unsigned j = 0; j < s->n_phases; j++)
            print_phase(s, j, &out);
        buf_char(&out, ']');
        print_statuses(s, &out);
        print_slots(all, s, &out);
        buf_lit(&out, "}\n");
    }
    if (out.failed || fwrite(out.data, 1, out.len, stdout) != out.len)
        streams_die("stdout");
    buf_done(&out);
}

int main(int argc, char **argv)
{
    static struct streams all;

    if (!read_arguments(&all, argc, argv))
        return usage();
    prctl(PR_SET_TIMERSLACK, 1);
    streams_open(&all);
    streams_run(&all);
    print(&all);
    return 0;
}
