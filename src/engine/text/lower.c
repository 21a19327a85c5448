/* SPDX-License-Identifier: Apache-2.0 */
/*
 * String.toLowerCase: a code point at a time, but for a dotted capital I, which becomes two, and a
 * capital sigma, which is a final one where it is the last letter of a word and not the first. What
 * a word is, is asked of the JVM's word iterator (BreakIterator), here an automaton that goes
 * along: letters with one mark between two of them, digits likewise, numbers before words. Turkish,
 * Azeri and Lithuanian have rules for the dot of an i.
 */
#include "lower_tables.h"
#include "scored/utf8.h"
#include "text.h"

#include <string.h>

enum {
    CAPITAL_SIGMA = 0x3a3,
    DOTTED_I = 0x130,
    DOT_ABOVE = 0x307,
    DOTLESS_I = 0x131,
    WIDE = 0x10000
};

static bool is_ascii(struct text t)
{
    unsigned char all = 0;

    for (uint32_t i = 0; i < t.len; i++)
        all |= (unsigned char)t.p[i];
    return all < 0x80;
}

/* Two bytes may become three, or, of an accented Lithuanian I, five; a Turkish I becomes two. */
size_t text_lower_room(struct text t, enum lower_rules rules)
{
    if (rules != LOWER_PLAIN)
        return 3 * (size_t)t.len;
    return is_ascii(t) ? t.len : (size_t)t.len + t.len / 2 + 1;
}

static uint32_t lower_of(uint32_t code)
{
    if (code >= lower_end)
        return code;
    unsigned page = lower_page_of[code / LOWER_PAGE];
    return code + (uint32_t)lower_differences[lower_pages[page * LOWER_PAGE + code % LOWER_PAGE]];
}

/* -- words -- */

enum state { OUTSIDE, IN_WORD, IN_NUMBER, AFTER_WORD, POINT_IN_WORD, POINT_IN_NUMBER };

/* Where a code point leads to. What leads outside ends the token before it, and a letter or a digit
 * then begins the next. */
static const unsigned char next_state[][WORD_CLASSES] = {
    [OUTSIDE] = {[WORD_LETTER] = IN_WORD, [WORD_DIGIT] = IN_NUMBER},
    [IN_WORD] = {[WORD_LETTER] = IN_WORD,
                 [WORD_DIGIT] = IN_NUMBER,
                 [WORD_MARK] = IN_WORD,
                 [WORD_FORMAT] = IN_WORD,
                 [WORD_IN_WORD] = POINT_IN_WORD,
                 [WORD_IN_BOTH] = POINT_IN_WORD,
                 [WORD_DANDA] = AFTER_WORD},
    [IN_NUMBER] = {[WORD_LETTER] = IN_WORD,
                   [WORD_DIGIT] = IN_NUMBER,
                   [WORD_MARK] = IN_NUMBER,
                   [WORD_FORMAT] = IN_NUMBER,
                   [WORD_IN_NUMBER] = POINT_IN_NUMBER,
                   [WORD_IN_BOTH] = POINT_IN_NUMBER},
    [AFTER_WORD] = {[WORD_DIGIT] = IN_NUMBER, [WORD_FORMAT] = AFTER_WORD},
    [POINT_IN_WORD] = {[WORD_LETTER] = IN_WORD, [WORD_FORMAT] = POINT_IN_WORD},
    [POINT_IN_NUMBER] = {[WORD_DIGIT] = IN_NUMBER, [WORD_FORMAT] = POINT_IN_NUMBER},
};

/* The token that the iterator is in. */
struct word {
    enum state state;
    bool cased;  /* it has a letter with case */
    char *sigma; /* the last such letter, where it is a sigma and not the first */
};

static int class_of(uint32_t code)
{
    uint32_t low = 0, high = word_run_count;

    while (high - low > 1) {
        uint32_t mid = low + (high - low) / 2;
        if (word_runs[mid].first <= code)
            low = mid;
        else
            high = mid;
    }
    return word_runs[low].what;
}

static void word_end(struct word *w)
{
    if (w->sigma)
        w->sigma[1]--; /* in UTF-8, too, the final one is the one before */
    w->sigma = NULL;
    w->cased = false;
}

/* Behind a code point of two code units Java's search finds an end where the iterator has none, but
 * for the text's first. */
static void word_step(struct word *w, uint32_t code, bool first, char *out)
{
    int what = class_of(code);
    enum word_class kind = (enum word_class)(what & (WORD_CASED - 1));
    enum state next = (enum state)next_state[w->state][kind];

    if (next == OUTSIDE || w->state == OUTSIDE) {
        word_end(w);
        next = (enum state)next_state[OUTSIDE][kind];
    }
    w->state = next;
    if (what & WORD_CASED) {
        w->sigma = w->cased && code == CAPITAL_SIGMA ? out : NULL;
        w->cased = true;
    }
    if (code >= WIDE && !first)
        word_end(w);
}

/* -- texts -- */

static bool has_sigma(struct text t)
{
    for (uint32_t i = 0; i + 1 < t.len; i++)
        if (t.p[i] == '\xce' && t.p[i + 1] == '\xa3')
            return true;
    return false;
}

uint32_t text_decode(const char *p, unsigned *length)
{
    static const unsigned char masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    unsigned char lead = (unsigned char)*p;

    *length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    uint32_t code = lead & masks[*length];
    for (unsigned i = 1; i < *length; i++)
        code = code << 6 | ((unsigned char)p[i] & 0x3f);
    return code;
}

/* -- the dot of an i -- */

/* Whether a mark that is the dot, or in Lithuanian any above, stands over the letter before `p`. */
static bool has_above(const char *p, const char *end, enum lower_rules rules)
{
    unsigned length;

    for (; p < end; p += length) {
        uint32_t code = text_decode(p, &length);
        int what = class_of(code);
        if (code == DOT_ABOVE || what & MARK_ABOVE)
            return code == DOT_ABOVE || rules == LOWER_LITHUANIAN;
        if (!(what & MARK_BESIDE))
            return false;
    }
    return false;
}

/* What a letter becomes in Lithuanian, where that is more than itself: a dotted i or j, and an
 * accent. */
static const struct dotted {
    uint32_t code, lower, accent; /* accent 0: the dot only where a mark is above */
} lithuanian[] = {
    {'I', 'i', 0},      {'J', 'j', 0},      {0x12e, 0x12f, 0},
    {0xcc, 'i', 0x300}, {0xcd, 'i', 0x301}, {0x128, 'i', 0x303},
};

static unsigned put_lithuanian(char *at, uint32_t code, bool above)
{
    for (unsigned i = 0; i < countof(lithuanian); i++) {
        const struct dotted *d = &lithuanian[i];
        if (d->code != code || !(d->accent || above))
            continue;
        unsigned n = utf8_put(at, d->lower);
        n += utf8_put(at + n, DOT_ABOVE);
        return d->accent ? n + utf8_put(at + n, d->accent) : n;
    }
    return 0;
}

/* After an I the dot is gone, for the I has become an i. */
static bool put_turkic(char **at, uint32_t code, bool above, bool *after_i)
{
    bool drop = code == DOT_ABOVE && *after_i, is_i = code == 'I' || code == DOTTED_I;

    *after_i = code == 'I' || (*after_i && class_of(code) & MARK_BESIDE);
    if (is_i)
        *at += utf8_put(*at, code == DOTTED_I || above ? 'i' : DOTLESS_I);
    return drop || is_i;
}

static bool put_special(char **at, uint32_t code, const char *rest, const char *end,
                        enum lower_rules rules, bool *after_i)
{
    bool may_be_dotted =
        code == 'I' || (rules == LOWER_LITHUANIAN && (code == 'J' || code == 0x12e));
    bool above = may_be_dotted && has_above(rest, end, rules);

    if (rules == LOWER_TURKIC)
        return put_turkic(at, code, above, after_i);
    unsigned n = put_lithuanian(*at, code, above);
    *at += n;
    return n != 0;
}

static uint32_t lower_any(struct text t, enum lower_rules rules, char *out)
{
    bool words = has_sigma(t), after_i = false;
    struct word w = {0};
    char *at = out;
    unsigned length;

    for (uint32_t i = 0; i < t.len; i += length) {
        uint32_t code = text_decode(t.p + i, &length);
        if (words)
            word_step(&w, code, i == 0, at);
        if (rules != LOWER_PLAIN &&
            put_special(&at, code, t.p + i + length, t.p + t.len, rules, &after_i))
            continue;
        at += utf8_put(at, lower_of(code));
        if (code == DOTTED_I)
            at += utf8_put(at, DOT_ABOVE);
    }
    word_end(&w);
    return (uint32_t)(at - out);
}

uint32_t text_lower(struct text t, enum lower_rules rules, char *out)
{
    if (rules != LOWER_PLAIN || !is_ascii(t))
        return lower_any(t, rules, out);
    for (uint32_t i = 0; i < t.len; i++) {
        unsigned char c = (unsigned char)t.p[i];
        out[i] = (char)(c + ((unsigned char)(c - 'A') < 26 ? 'a' - 'A' : 0));
    }
    return t.len;
}
