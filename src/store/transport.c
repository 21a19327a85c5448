/* SPDX-License-Identifier: Apache-2.0 */
#include "transport.h"

#include "scored/store.h"

#include "address.h"

#include <curl/curl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

enum {
    CONNECT_MS = 3000,
    TOTAL_MS = 60000,
    SLOW_BYTES = 16 << 10, /* less a second, for SLOW_SECONDS, is a stall */
    SLOW_SECONDS = 15,
    HEAD_BYTES = 64 << 10, /* of a reply */
    HEAD_LINES = 100,
    ERROR_BYTES = 64 << 10, /* kept of a body that is not 2xx */
    RECEIVE_BYTES = 512 << 10,
    LOOK_MS = 200, /* how often the stop flag is looked at while nothing comes */
};

struct transport {
    CURLM *multi;
    CURL *easy; /* set anew for every call; it keeps the connections */
    char *ca_bundle;
    const atomic_bool *stop;
    char error[CURL_ERROR_SIZE];
};

/* One call while it runs. */
struct exchange {
    struct transport *t;
    const struct http_call *call;
    struct http_reply *reply;
    struct curl_slist *headers;
    uint64_t got; /* bytes of the body */
    unsigned lines;
    bool in_body;   /* the head of the last reply is whole: what follows are trailers */
    bool forbidden; /* an address was refused */
    bool too_large, cut, refused;
};

static CURLcode global_result;

static void global_init(void)
{
    global_result = curl_global_init(CURL_GLOBAL_DEFAULT);
}

struct transport *transport_new(const struct transport_options *o, struct err *e)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, global_init);
    if (o->ca_bundle && access(o->ca_bundle, R_OK) < 0) {
        err_errno(e, o->ca_bundle);
        err_wrap(e, "file of certificate authorities");
        return NULL;
    }
    struct transport *t = calloc(1, sizeof *t);
    if (t && global_result == CURLE_OK) {
        *t = (struct transport){.multi = curl_multi_init(), .easy = curl_easy_init()};
        t->ca_bundle = o->ca_bundle ? strdup(o->ca_bundle) : NULL;
        t->stop = o->stop;
    }
    if (t && t->multi && t->easy && !o->ca_bundle == !t->ca_bundle)
        return t;
    transport_free(t);
    err_memory(e);
    return NULL;
}

void transport_free(struct transport *t)
{
    if (!t)
        return;
    curl_easy_cleanup(t->easy);
    curl_multi_cleanup(t->multi);
    free(t->ca_bundle);
    free(t);
}

/* Looks at the address that the name had: a name says nothing. */
static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *a)
{
    struct exchange *x = context;

    if (purpose != CURLSOCKTYPE_IPCXN || !address_is_metadata(&a->addr)) {
        x->forbidden = true;
        return CURL_SOCKET_BAD;
    }
    return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

/* -- what comes -- */

static size_t take_header(char *p, size_t size, size_t n, void *context)
{
    struct exchange *x = context;
    struct buf *headers = &x->reply->headers;
    size_t len = n * size, kept = len;

    while (kept && (p[kept - 1] == '\r' || p[kept - 1] == '\n'))
        kept--;
    if (len >= 5 && memcmp(p, "HTTP/", 5) == 0) { /* again behind a 1xx */
        buf_reset(headers);
        x->in_body = false;
        return len;
    }
    if (x->in_body || kept == 0) {
        x->in_body = true;
        return len;
    }
    if (headers->len + kept + 1 > HEAD_BYTES || ++x->lines > HEAD_LINES) {
        x->too_large = true;
        return 0;
    }
    buf_put(headers, p, kept);
    buf_char(headers, '\n');
    return headers->failed ? 0 : len;
}

/* Takes a piece of a body that is not 2xx: the beginning tells enough. */
static size_t take_error(struct exchange *x, const char *p, size_t n)
{
    size_t room = ERROR_BYTES - x->reply->body.len;

    buf_put(&x->reply->body, p, n < room ? n : room);
    x->cut = n > room;
    return x->cut ? 0 : n;
}

static size_t take_body(char *p, size_t size, size_t n, void *context)
{
    struct exchange *x = context;
    size_t len = size * n;
    curl_off_t announced = -1;
    long status = 0;

    if (x->got == 0) {
        curl_easy_getinfo(x->t->easy, CURLINFO_RESPONSE_CODE, &status);
        curl_easy_getinfo(x->t->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
        x->reply->status = (unsigned)status;
    }
    x->got += len;
    if (x->reply->status / 100 != 2)
        return take_error(x, p, len);
    x->too_large = x->got > x->call->max || (announced > 0 && (uint64_t)announced > x->call->max);
    if (x->too_large)
        return 0;
    if (x->call->sink) {
        x->refused = !x->call->sink(x->call->context, p, len);
        return x->refused ? 0 : len;
    }
    buf_put(&x->reply->body, p, len);
    return x->reply->body.failed ? 0 : len;
}

/* -- what is sent -- */

static bool append(struct curl_slist **list, const char *line, struct err *e)
{
    struct curl_slist *longer = line ? curl_slist_append(*list, line) : NULL;

    if (!longer)
        return err_memory(e);
    *list = longer;
    return true;
}

/* The caller's headers; those that curl would add by itself are taken away. */
static bool list_headers(struct exchange *x, struct err *e)
{
    const struct http_call *c = x->call;
    struct buf line = {0};
    bool ok = append(&x->headers, "Expect:", e) && append(&x->headers, "Accept:", e) &&
              append(&x->headers, "Content-Type:", e);

    for (unsigned i = 0; ok && i < c->n_headers; i++) {
        const struct http_header *h = &c->headers[i];
        buf_reset(&line);
        buf_printf(&line, "%s%s%s", h->name, *h->value ? ": " : ";", h->value); /* ";": empty */
        ok = http_is_clean(h->name) && http_is_clean(h->value)
                 ? append(&x->headers, line.failed ? NULL : line.data, e)
                 : err_set(e, ERR_USAGE, "header '%.60s' has a control character", h->name);
    }
    buf_done(&line);
    return ok;
}

/* curl reads http_proxy in small letters only, a guard for CGI programs, which this is not. */
static const char *http_proxy(const char *url)
{
    const char *small = getenv("http_proxy"); /* NOLINT(concurrency-mt-unsafe) */

    if (strncasecmp(url, "http://", 7) != 0 || (small && *small))
        return NULL;
    return getenv("HTTP_PROXY"); /* NOLINT(concurrency-mt-unsafe) */
}

/* Every option is set for every call: curl_easy_reset has cleared them. */
static void set_limits(struct exchange *x)
{
    const struct http_call *c = x->call;
    CURL *h = x->t->easy;

    curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(h, CURLOPT_QUICK_EXIT, 1L); /* a hanging resolver holds nobody up */
    curl_easy_setopt(h, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(h, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(h, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(h, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(h, CURLOPT_HTTP09_ALLOWED, 0L);
    curl_easy_setopt(h, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(h, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(h, CURLOPT_BUFFERSIZE, (long)RECEIVE_BYTES);
    curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS,
                     (long)(c->connect_ms ? c->connect_ms : CONNECT_MS));
    curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, (long)(c->total_ms ? c->total_ms : TOTAL_MS));
    curl_easy_setopt(h, CURLOPT_LOW_SPEED_LIMIT, (long)SLOW_BYTES);
    curl_easy_setopt(h, CURLOPT_LOW_SPEED_TIME, (long)SLOW_SECONDS);
}

static void set_route(struct exchange *x)
{
    const struct http_call *c = x->call;
    CURL *h = x->t->easy;
    const char *proxy = http_proxy(c->url);

    if (x->t->ca_bundle) {
        curl_easy_setopt(h, CURLOPT_CAPATH, NULL);
        curl_easy_setopt(h, CURLOPT_CAINFO, x->t->ca_bundle);
    }
    if (c->direct || c->metadata_only) {
        curl_easy_setopt(h, CURLOPT_PROXY, "");
        curl_easy_setopt(h, CURLOPT_NOPROXY, "*");
    } else if (proxy && *proxy) {
        curl_easy_setopt(h, CURLOPT_PROXY, proxy);
    }
    if (c->metadata_only && strncasecmp(c->url, "https:", 6) != 0) {
        curl_easy_setopt(h, CURLOPT_FRESH_CONNECT, 1L); /* an open one was never looked at */
        curl_easy_setopt(h, CURLOPT_OPENSOCKETFUNCTION, open_socket);
        curl_easy_setopt(h, CURLOPT_OPENSOCKETDATA, x);
    }
}

/* Memory is all that can be short here; curl copies what it is given, but for the body. */
static bool set_request(struct exchange *x)
{
    const struct http_call *c = x->call;
    CURL *h = x->t->easy;
    bool ok = curl_easy_setopt(h, CURLOPT_URL, c->url) == CURLE_OK &&
              curl_easy_setopt(h, CURLOPT_USERAGENT, "scored") == CURLE_OK &&
              curl_easy_setopt(h, CURLOPT_HTTPHEADER, x->headers) == CURLE_OK;

    if (strcmp(c->method, "HEAD") == 0) {
        curl_easy_setopt(h, CURLOPT_NOBODY, 1L);
    } else if (strcmp(c->method, "GET") != 0) {
        curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)(c->body ? c->body_size : 0));
        curl_easy_setopt(h, CURLOPT_POSTFIELDS, c->body ? c->body : "");
        ok = ok && curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, c->method) == CURLE_OK;
    }
    curl_easy_setopt(h, CURLOPT_ERRORBUFFER, x->t->error);
    curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(h, CURLOPT_HEADERDATA, x);
    curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(h, CURLOPT_WRITEDATA, x);
    return ok;
}

/* By the multi interface, so that the stop flag is looked at while nothing comes. */
static CURLcode run(struct transport *t)
{
    int running = 1, left;
    CURLcode result = CURLE_ABORTED_BY_CALLBACK;
    CURLMcode m = curl_multi_add_handle(t->multi, t->easy);

    while (m == CURLM_OK && running && !(t->stop && *t->stop)) {
        m = curl_multi_perform(t->multi, &running);
        if (m == CURLM_OK && running)
            m = curl_multi_poll(t->multi, NULL, 0, LOOK_MS, NULL);
    }
    const CURLMsg *message = curl_multi_info_read(t->multi, &left);
    if (message && message->msg == CURLMSG_DONE)
        result = message->data.result;
    curl_multi_remove_handle(t->multi, t->easy);
    return m == CURLM_OK ? result : CURLE_OUT_OF_MEMORY;
}

/* TLS writes by write(), which raises SIGPIPE where the peer has gone. */
static CURLcode run_without_sigpipe(struct transport *t)
{
    sigset_t pipe, old;
    static const struct timespec now;

    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, &old);
    CURLcode result = run(t);
    if (!sigismember(&old, SIGPIPE))
        sigtimedwait(&pipe, NULL, &now);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return result;
}

static enum http_failure failure_of(CURLcode code)
{
    static const struct {
        CURLcode code;
        enum http_failure failure;
    } rows[] = {
        {CURLE_OK, HTTP_OK},
        {CURLE_COULDNT_RESOLVE_HOST, HTTP_RESOLVE},
        {CURLE_COULDNT_RESOLVE_PROXY, HTTP_RESOLVE},
        {CURLE_COULDNT_CONNECT, HTTP_CONNECT},
        {CURLE_SSL_CONNECT_ERROR, HTTP_TLS},
        {CURLE_SSL_CIPHER, HTTP_TLS},
        {CURLE_PEER_FAILED_VERIFICATION, HTTP_UNTRUSTED},
        {CURLE_SSL_ISSUER_ERROR, HTTP_UNTRUSTED},
        {CURLE_SSL_CACERT_BADFILE, HTTP_UNTRUSTED},
        {CURLE_OPERATION_TIMEDOUT, HTTP_TIMEOUT},
        {CURLE_ABORTED_BY_CALLBACK, HTTP_STOPPED},
    };

    for (size_t i = 0; i < countof(rows); i++)
        if (rows[i].code == code)
            return rows[i].failure;
    return HTTP_BROKEN;
}

/* Why, in words, behind the host: the rest of a URL may be private. */
static bool fail(const struct exchange *x, CURLcode code, struct err *e)
{
    const char *scheme = strstr(x->call->url, "://"), *host = scheme ? scheme + 3 : x->call->url;
    const char *end = host + strcspn(host, "/?#");
    const char *user = memrchr(host, '@', (size_t)(end - host));
    const char *why = x->t->error[0] ? x->t->error : curl_easy_strerror(code);
    bool no_memory = code == CURLE_OUT_OF_MEMORY && !x->too_large;

    if (no_memory || x->reply->headers.failed || x->reply->body.failed)
        return err_memory(e);
    if (x->reply->failure == HTTP_STOPPED)
        why = "stopped";
    if (x->reply->failure == HTTP_FORBIDDEN)
        why = "plain http is allowed only to this host and to the metadata addresses";
    if (x->reply->failure == HTTP_TOO_LARGE)
        why = x->in_body ? "the body of the reply is larger than allowed"
                         : "the head of the reply is larger than allowed";
    if (code == CURLE_COULDNT_RESOLVE_PROXY && strchr(why, '@')) /* curl shows it whole */
        why = "the proxy's URL is not [scheme://][user:password@]host[:port]";
    host = user ? user + 1 : host;
    return err_set(e, ERR_UPSTREAM, "%.*s: %s", (int)(end - host), host, why);
}

static bool finish(struct exchange *x, CURLcode code, struct err *e)
{
    long status = 0;

    curl_easy_getinfo(x->t->easy, CURLINFO_RESPONSE_CODE, &status);
    if (code == CURLE_WRITE_ERROR && x->cut)
        code = CURLE_OK;
    if (code == CURLE_OK && !x->in_body)
        code = CURLE_PARTIAL_FILE; /* inside the head, which curl lets pass */
    x->reply->failure = failure_of(code);
    if (x->forbidden && code == CURLE_COULDNT_CONNECT)
        x->reply->failure = HTTP_FORBIDDEN;
    if (code == CURLE_OUT_OF_MEMORY && x->lines && !x->in_body)
        x->too_large = true; /* so curl calls a line of the head beyond its own bound */
    if (x->too_large)
        x->reply->failure = HTTP_TOO_LARGE;
    if (x->refused)
        x->reply->failure = HTTP_STOPPED;
    x->reply->status = x->in_body ? (unsigned)status : 0;
    if (x->reply->failure == HTTP_OK && !x->reply->headers.failed && !x->reply->body.failed)
        return true;
    return fail(x, code, e);
}

bool transport_call(struct transport *t, const struct http_call *c, struct http_reply *reply,
                    struct err *e)
{
    struct exchange x = {.t = t, .call = c, .reply = reply};

    http_reply_reset(reply);
    t->error[0] = '\0';
    curl_easy_reset(t->easy);
    bool ok = http_is_clean(c->url) || err_set(e, ERR_USAGE, "a URL has a control character");
    if (ok && list_headers(&x, e)) {
        set_limits(&x);
        set_route(&x);
        ok = finish(&x, set_request(&x) ? run_without_sigpipe(t) : CURLE_OUT_OF_MEMORY, e);
    } else {
        ok = false;
    }
    curl_slist_free_all(x.headers);
    return ok;
}

const char *store_library(void)
{
    return curl_version_info(CURLVERSION_NOW)->version;
}
