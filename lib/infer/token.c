/* SPDX-License-Identifier: Apache-2.0 */
#include "infer_int.h"
#include "text.h"

/* The next visible character; 0 at the end. */
static uint32_t look(struct pp_span text, size_t at, size_t *ret_next)
{
    while (at < text.len) {
        uint32_t c = pp_utf8_next(text, &at);
        if (infer_char_class(c) != INFER_CHAR_INVISIBLE) {
            *ret_next = at;
            return c;
        }
    }
    *ret_next = text.len;
    return 0;
}

static int is_word(uint32_t c)
{
    enum infer_char cls = infer_char_class(c);

    return c != 0 && (cls == INFER_CHAR_WORD || cls == INFER_CHAR_DIGIT);
}

static int is_digit(uint32_t c)
{
    return infer_char_class(c) == INFER_CHAR_DIGIT;
}

/* 1 if `c` holds `before` and `after` together in one word: it's, 14:00, 12'500, e-mail, a@b. */
static int joins(uint32_t before, uint32_t c, uint32_t after)
{
    uint32_t folded = infer_char_fold(c);

    if (!is_word(after))
        return 0;
    if (folded == '\'' || folded == '-' || c == '_' || c == '@')
        return 1;
    if (c == '.' || c == ',' || c == ':' || c == '/')
        return (is_digit(before) && is_digit(after)) || (c == '.' && !is_digit(before));
    return 0;
}

static uint32_t visible_hash(struct pp_span word)
{
    uint32_t hash = INFER_HASH_START;
    uint32_t c;

    for (size_t at = 0; (c = look(word, at, &at)) != 0;)
        hash = infer_hash_step(hash, infer_char_fold(c));
    return hash + (hash == 0);
}

/* Endings that make "name.ending" an address. Those that are everyday words too are left out. */
static int is_top_domain(struct pp_span ending)
{
    static const char LIST[] =
        "com org net de ch fr es io co uk eu info example app dev xyz shop online site "
        "ru cn link click top nl ai tv biz test pl se dk fi pt club page ly gl";
    struct pp_span rest = PP_STR("");
    struct pp_span word;
    uint32_t hash = visible_hash(ending);
    int more;

    rest = pp_span(LIST, sizeof LIST - 1);
    do {
        more = pp_text_cut(&rest, ' ', &word);
        if (infer_hash_text(word) == hash)
            return 1;
    } while (more);
    return 0;
}

/*
 * Scripts that leave no space between words. Where the script changes there is nearly always a word
 * boundary; a longer run is cut into equal pieces.
 */
enum script {
    SCRIPT_SPACED, /* every other script, and digits */
    SCRIPT_HAN,
    SCRIPT_HIRAGANA,
    SCRIPT_KATAKANA,
    SCRIPT_SOUTH_EAST, /* Thai, Lao, Burmese, Khmer */
};

enum { UNSPACED_CHARS_MAX = 8 };

static enum script script_of(uint32_t c)
{
    if (c < 0x0E00 || is_digit(c))
        return SCRIPT_SPACED;
    if (c <= 0x0EFF || (c >= 0x1000 && c <= 0x109F) || (c >= 0x1780 && c <= 0x17FF))
        return SCRIPT_SOUTH_EAST;
    if (c >= 0x3041 && c <= 0x309F)
        return SCRIPT_HIRAGANA;
    if ((c >= 0x30A0 && c <= 0x30FF) || (c >= 0x31F0 && c <= 0x31FF) ||
        (c >= 0xFF66 && c <= 0xFF9F))
        return SCRIPT_KATAKANA;
    if (c == 0x3005 || (c >= 0x3400 && c <= 0x9FFF) || (c >= 0xF900 && c <= 0xFAFF) ||
        (c >= 0x20000 && c <= 0x3FFFF))
        return SCRIPT_HAN;
    return SCRIPT_SPACED;
}

struct scan {
    size_t end;   /* after the token */
    size_t dot;   /* first full stop between letters; 0 = none */
    size_t label; /* after the last one */
    enum script script;
    int digits;
    int letters;
    int mail;
    int parts_short; /* every dotted part has one or two letters: e.g. */
};

static struct scan scan_word(struct pp_span text, size_t start)
{
    struct scan s = { .end = start, .label = start, .parts_short = 1 };
    uint32_t part = 0; /* visible characters of this dotted part */
    uint32_t before = 0;

    for (size_t at = start; at < text.len && at - start < 4096;) {
        size_t next;
        size_t after;
        uint32_t c = look(text, at, &next);
        uint32_t behind = look(text, next, &after);
        if (is_word(c)) {
            if (before == 0)
                s.script = script_of(c);
            if (script_of(c) != s.script ||
                (s.script != SCRIPT_SPACED && s.letters == UNSPACED_CHARS_MAX))
                break;
            s.digits |= is_digit(c);
            s.letters += !is_digit(c);
            s.end = next;
            part++;
        } else if (before != 0 && s.script == SCRIPT_SPACED && joins(before, c, behind) &&
                   script_of(behind) == SCRIPT_SPACED) {
            s.mail |= c == '@';
            if (c == '.' && !is_digit(before)) {
                s.parts_short &= part <= 2;
                s.dot = s.dot == 0 ? at : s.dot;
                s.label = next;
                part = 0;
            }
        } else {
            break;
        }
        before = c;
        at = next;
    }
    s.parts_short &= part <= 2;
    return s;
}

static size_t to_space(struct pp_span text, size_t at)
{
    while (at < text.len) {
        size_t next;
        uint32_t c = look(text, at, &next);
        if (c == 0 || infer_char_class(c) == INFER_CHAR_SPACE)
            break;
        at = next;
    }
    return at;
}

static int follows(struct pp_span text, size_t at, const char *what)
{
    struct pp_span w = pp_span_cstr(what);

    return text.len - at >= w.len && memcmp(text.at + at, w.at, w.len) == 0;
}

/* The same for what a reader sees: invisible characters between are skipped. */
static int shows(struct pp_span text, size_t at, const char *what)
{
    for (; *what != '\0'; what++)
        if (look(text, at, &at) != (uint32_t)(uint8_t)*what)
            return 0;
    return 1;
}

/* Where the word ends, and whether it is an address. */
static size_t word_end(struct pp_span text, size_t start, struct scan *s, int *ret_link)
{
    *ret_link = 0;
    if (s->mail || shows(text, s->end, "://") || shows(text, start, "mailto:")) {
        *ret_link = 1;
        return to_space(text, s->end);
    }
    if (s->dot == 0)
        return s->end;
    if (is_top_domain(pp_span(text.at + s->label, s->end - s->label)) || shows(text, s->end, "/") ||
        shows(text, start, "www.")) {
        *ret_link = 1;
        return to_space(text, s->end);
    }
    return s->parts_short ? s->end : s->dot;
}

/* Folds the word into `folded` (at most 24 characters) for its stem, and hashes all of it. */
static void word_hash(struct pp_span word, struct infer_token *t)
{
    uint32_t folded[24];
    size_t n = 0;
    unsigned letters = 0;
    unsigned capitals = 0;

    t->hash = INFER_HASH_START;
    for (size_t at = 0; at < word.len;) {
        uint32_t c = look(word, at, &at);
        if (c == 0)
            break;
        uint32_t f = infer_char_fold(c);
        t->hash = infer_hash_step(t->hash, f);
        capitals += infer_char_is_upper(c) != 0;
        letters++;
        if (letters == 1 && capitals == 1)
            t->flags |= INFER_TOKEN_UPPER;
        if (n < PP_ARRAY_COUNT(folded))
            folded[n++] = f;
    }
    if (letters >= 2 && capitals == letters)
        t->flags |= INFER_TOKEN_CAPS;
    t->hash += t->hash == 0;
    /*
     * A crude stem, the same for four languages: enough to see that two sentences share a subject.
     */
    if (n > 3 && folded[n - 1] == 's' && folded[n - 2] == '\'')
        n -= 2;
    if (n > 5 && folded[n - 3] == 'i' && folded[n - 2] == 'n' && folded[n - 1] == 'g')
        n -= 3;
    else if (n > 4 && folded[n - 2] == 'e' &&
             (folded[n - 1] == 'd' || folded[n - 1] == 's' || folded[n - 1] == 'n' ||
              folded[n - 1] == 'r'))
        n -= 2;
    else if (n > 3 && (folded[n - 1] == 's' || folded[n - 1] == 'e'))
        n -= 1;
    t->stem = INFER_HASH_START;
    for (size_t i = 0; i < n && i < 6; i++)
        t->stem = infer_hash_step(t->stem, folded[i]);
    t->stem += t->stem == 0;
}

static void read_word(struct pp_span text, size_t start, struct infer_token *t)
{
    struct scan s = scan_word(text, start);
    int link;
    size_t end = word_end(text, start, &s, &link);
    size_t after;
    uint32_t first = look(text, start, &after);

    t->len = (uint16_t)(end - start > UINT16_MAX ? UINT16_MAX : end - start);
    word_hash(pp_span(text.at + start, t->len), t);
    if (s.script == SCRIPT_HIRAGANA && s.letters <= 2)
        t->stem = 0; /* a particle */
    if (link)
        t->type = INFER_LINK;
    else if (is_digit(first))
        t->type = INFER_NUM;
    else
        t->type = s.digits && end == s.end ? INFER_MIXED : INFER_WORD;
}

/* The end of "<...>" when it looks like a tag, else 0. */
static size_t markup_end(struct pp_span text, size_t at)
{
    size_t next = at + 1;

    if (next >= text.len)
        return 0;
    uint8_t c = text.at[next];
    if (c != '/' && c != '|' && c != '!' && ((c | 0x20) < 'a' || (c | 0x20) > 'z'))
        return 0;
    for (size_t i = next; i < text.len && i - at < 80; i++)
        if (text.at[i] == '>')
            return i + 1;
    return 0;
}

/* One form for the same sign of several scripts. */
static uint32_t plain_sign(uint32_t c)
{
    switch (c) {
    case 0x037E: /* Greek */
    case 0x061F: /* Arabic */
    case 0xFF1F: /* full width */
        return '?';
    case 0xFF01:
        return '!';
    case 0x060C:
    case 0x3001:
    case 0xFF0C:
        return ',';
    case 0x061B:
    case 0xFF1B:
        return ';';
    case 0xFF1A:
        return ':';
    case 0x06D4:
    case 0x0964: /* danda */
    case 0xFF61:
        return 0x3002;
    default:
        return c;
    }
}

static void read_sign(struct pp_span text, size_t start, uint32_t c, struct infer_token *t)
{
    size_t at;

    (void)look(text, start, &at);
    t->type = INFER_PUNCT;
    t->hash = plain_sign(c);
    if (c == '<' && markup_end(text, start) != 0) {
        t->type = INFER_MARKUP;
        at = markup_end(text, start);
    } else if (c == '-' && follows(text, at, ">")) {
        t->hash = 0x2192;
        at++;
    } else if (c == '.' && follows(text, at, ".")) {
        t->hash = 0x2026;
        while (at < text.len && text.at[at] == '.')
            at++;
    } else if (infer_char_class(c) == INFER_CHAR_PICTURE) {
        t->type = INFER_EMOJI;
        for (size_t next = at; at < text.len; at = next) {
            uint32_t more = look(text, at, &next);
            if (more == 0 || infer_char_class(more) != INFER_CHAR_PICTURE)
                break;
        }
    }
    t->len = (uint16_t)(at - start > UINT16_MAX ? UINT16_MAX : at - start);
}

int infer_token_next(struct pp_span text, size_t *at, struct infer_token *ret)
{
    struct infer_token t = { 0 };

    while (*at < text.len) {
        size_t next;
        uint32_t c = look(text, *at, &next);
        if (c == 0)
            break;
        /* `next` is behind the character; its first byte is where `look` stopped skipping. */
        if (infer_char_class(c) == INFER_CHAR_SPACE) {
            t.flags |= INFER_TOKEN_SPACE;
            if (c == '\n' || c == '\r' || c == 0x2028 || c == 0x2029 || c == 0x0B || c == 0x0C)
                t.flags |= INFER_TOKEN_LINE;
            *at = next;
            continue;
        }
        t.at = (uint32_t)*at;
        if (is_word(c))
            read_word(text, *at, &t);
        else
            read_sign(text, *at, c, &t);
        *at += t.len;
        *ret = t;
        return 1;
    }
    *at = text.len;
    return 0;
}

/* The host's place in an address: behind the scheme and the user, up to the port or the path. */
static struct pp_span host_part(struct pp_span link)
{
    size_t first = 0;
    size_t end = link.len;

    for (size_t i = 0; i + 2 < link.len && first == 0; i++)
        if (follows(link, i, "://"))
            first = i + 3;
    if (follows(link, 0, "mailto:"))
        first = 7;
    for (size_t i = first; i < end; i++)
        if (link.at[i] == '/' || link.at[i] == '?' || link.at[i] == '#')
            end = i;
    for (size_t i = first; i < end; i++)
        if (link.at[i] == '@')
            first = i + 1;
    return pp_span(link.at + first, end - first);
}

struct pp_span infer_link_host(struct pp_span link)
{
    enum { HOST_BYTES_MAX = 64 };
    struct pp_span host = host_part(link);
    struct pp_span none = { NULL, 0 };
    struct infer_token t;
    size_t len = 0;
    size_t at = 0;

    while (at < host.len) {
        size_t from = at;
        uint32_t c = pp_utf8_next(host, &at);
        int plain = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        if (!plain && !(c >= '0' && c <= '9') && c != '-' && c != '.') {
            /* Letters that only look like others have no place in an address that people read. */
            if (is_word(c) || infer_char_class(c) == INFER_CHAR_INVISIBLE)
                return none;
            break;
        }
        len = from + 1;
    }
    while (len > 0 && (host.at[len - 1] == '.' || host.at[len - 1] == '-'))
        len--;
    host.len = len;
    at = 0;
    /* What would not be read as an address again is none. */
    if (len > HOST_BYTES_MAX || !infer_token_next(host, &at, &t) || t.type != INFER_LINK ||
        t.len != len)
        return none;
    return host;
}
