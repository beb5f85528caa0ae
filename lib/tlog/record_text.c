/* SPDX-License-Identifier: Apache-2.0 */
#include "rd.h"
#include "text.h"

#include "record_int.h"
#include "tlog_int.h"

static void fail_at(struct pp_rec_rd *rd, enum pp_code code, uint32_t line)
{
    if (pp_is_ok(rd->r))
        rd->r = PP_FAIL(code, line);
    rd->words_left = 0;
}

void pp_rec_fail(struct pp_rec_rd *rd, enum pp_code code)
{
    fail_at(rd, code, rd->number > 0 ? rd->number - 1 : 0);
}

void pp_rec_require(struct pp_rec_rd *rd, int cond, enum pp_code code)
{
    if (!cond)
        pp_rec_fail(rd, code);
}

/* Makes the next line the current one. */
static void advance(struct pp_rec_rd *rd)
{
    rd->number++;
    rd->more = 0;
    rd->line = rd->key = rd->value = pp_span(NULL, 0);
    if (rd->rest.len == 0)
        return;
    if (!pp_is_ok(pp_tlog_line(&rd->rest, &rd->line))) {
        fail_at(rd, PP_E_TRUNCATED, rd->number);
        return;
    }
    if (rd->line.len == 0 || rd->line.len > PP_RECORD_LINE_MAX) {
        fail_at(rd, rd->line.len == 0 ? PP_E_FORMAT : PP_E_LIMIT, rd->number);
        return;
    }
    for (size_t i = 0; i < rd->line.len; i++)
        if (rd->line.at[i] < 0x20 || rd->line.at[i] > 0x7E)
            fail_at(rd, PP_E_FORMAT, rd->number);
    rd->value = rd->line;
    (void)pp_text_cut(&rd->value, ' ', &rd->key);
    rd->more = 1;
}

struct pp_rec_rd pp_rec_rd_upto(struct pp_span text, size_t max)
{
    struct pp_rec_rd rd = { .rest = text };

    if (text.len > max)
        fail_at(&rd, PP_E_LIMIT, 0);
    else
        advance(&rd);
    return rd;
}

struct pp_rec_rd pp_rec_rd_over(struct pp_span text)
{
    return pp_rec_rd_upto(text, PP_RECORD_BYTES_MAX);
}

pp_res pp_rec_rd_end(struct pp_rec_rd *rd)
{
    if (rd->more)
        fail_at(rd, PP_E_UNKNOWN_FIELD, rd->number);
    return rd->r;
}

int pp_rec_is(const struct pp_rec_rd *rd, const char *key)
{
    return pp_is_ok(rd->r) && rd->more && pp_span_eq(rd->key, pp_span_cstr(key));
}

static void take(struct pp_rec_rd *rd, const char *key)
{
    if (!pp_is_ok(rd->r))
        return;
    if (!rd->more || !pp_span_eq(rd->key, pp_span_cstr(key))) {
        fail_at(rd, rd->more ? PP_E_ORDER : PP_E_MISSING, rd->number);
        return;
    }
    if (pp_span_eq(rd->key, rd->before_key)) {
        int order = pp_span_cmp(rd->before, rd->line);
        if (order >= 0) {
            fail_at(rd, order == 0 ? PP_E_DUPLICATE : PP_E_ORDER, rd->number);
            return;
        }
    }
    rd->before = rd->line;
    rd->before_key = rd->key;
    rd->words = rd->value;
    rd->words_left = rd->line.len > rd->key.len;
    advance(rd);
}

void pp_rec_take(struct pp_rec_rd *rd, const char *key)
{
    take(rd, key);
    pp_rec_require(rd, rd->words_left || !pp_is_ok(rd->r), PP_E_FORMAT);
}

void pp_rec_take_bare(struct pp_rec_rd *rd, const char *key)
{
    take(rd, key);
    pp_rec_require(rd, !rd->words_left, PP_E_FORMAT);
}

int pp_rec_has_word(const struct pp_rec_rd *rd)
{
    return pp_is_ok(rd->r) && rd->words_left;
}

/* Any word, however long: what holds Base64 is limited by its line. */
static struct pp_span any_word(struct pp_rec_rd *rd)
{
    struct pp_span word;

    if (!pp_rec_has_word(rd)) {
        pp_rec_fail(rd, PP_E_FORMAT);
        return pp_span(NULL, 0);
    }
    rd->words_left = pp_text_cut(&rd->words, ' ', &word);
    if (word.len == 0) { /* two spaces, or one at the end */
        pp_rec_fail(rd, PP_E_FORMAT);
        return pp_span(NULL, 0);
    }
    return word;
}

struct pp_span pp_rec_word(struct pp_rec_rd *rd)
{
    struct pp_span word = any_word(rd);

    if (word.len <= PP_RECORD_WORD_MAX)
        return word;
    pp_rec_fail(rd, PP_E_LIMIT);
    return pp_span(NULL, 0);
}

uint64_t pp_rec_number(struct pp_rec_rd *rd, uint64_t min, uint64_t max)
{
    struct pp_span word = any_word(rd);
    uint64_t v = 0;

    if (!pp_is_ok(rd->r))
        return 0;
    pp_res r = pp_decimal_parse(word, max, &v);
    if (pp_is_ok(r) && v < min)
        r = PP_FAIL(PP_E_RANGE, 0);
    if (pp_is_ok(r))
        return v;
    pp_rec_fail(rd, (enum pp_code)r.code);
    return 0;
}

uint64_t pp_rec_time(struct pp_rec_rd *rd)
{
    return pp_rec_number(rd, 1, PP_RECORD_TIME_MAX);
}

static void hex_of(struct pp_rec_rd *rd, struct pp_span word, uint8_t *ret, size_t len)
{
    memset(ret, 0, len);
    if (!pp_is_ok(rd->r))
        return;
    if (!pp_is_ok(pp_hex_parse(word, ret, len)))
        pp_rec_fail(rd, PP_E_FORMAT);
}

void pp_rec_hex(struct pp_rec_rd *rd, uint8_t *ret, size_t len)
{
    hex_of(rd, any_word(rd), ret, len);
}

uint64_t pp_rec_hex64(struct pp_rec_rd *rd)
{
    uint8_t bytes[8];

    pp_rec_hex(rd, bytes, sizeof bytes);
    struct pp_rd b = pp_rd_over(bytes, sizeof bytes);
    return pp_rd_u64(&b);
}

/* What follows `start` in `word`; a failure when it does not start so. */
static struct pp_span behind(struct pp_rec_rd *rd, struct pp_span word, struct pp_span start)
{
    if (word.len >= start.len && pp_span_eq(pp_span(word.at, start.len), start))
        return pp_span(word.at + start.len, word.len - start.len);
    pp_rec_fail(rd, PP_E_FORMAT);
    return pp_span(NULL, 0);
}

void pp_rec_sha256(struct pp_rec_rd *rd, uint8_t ret[PP_SHA256_BYTES])
{
    struct pp_span word = any_word(rd);

    hex_of(rd, behind(rd, word, PP_STR("sha256:")), ret, PP_SHA256_BYTES);
}

static void base64_of(struct pp_rec_rd *rd, struct pp_span word, uint8_t *ret, size_t cap,
                      size_t *ret_len)
{
    *ret_len = 0;
    if (!pp_is_ok(rd->r))
        return;
    pp_res r = pp_base64_parse(word, ret, cap, ret_len);
    if (!pp_is_ok(r))
        pp_rec_fail(rd, r.code == PP_E_NO_SPACE ? PP_E_LIMIT : (enum pp_code)r.code);
}

void pp_rec_base64(struct pp_rec_rd *rd, uint8_t *ret, size_t cap, size_t *ret_len)
{
    base64_of(rd, any_word(rd), ret, cap, ret_len);
}

void pp_rec_b64(struct pp_rec_rd *rd, uint8_t *ret, size_t cap, size_t *ret_len)
{
    struct pp_span word = any_word(rd);

    base64_of(rd, behind(rd, word, PP_STR("b64:")), ret, cap, ret_len);
}

pp_res pp_rec_find(struct pp_span word, const char *const *words, unsigned count, unsigned *ret)
{
    for (unsigned i = 0; i < count; i++) {
        if (pp_span_eq(word, pp_span_cstr(words[i]))) {
            *ret = i;
            return PP_OK;
        }
    }
    return PP_FAIL(PP_E_NOT_FOUND, 0);
}

unsigned pp_rec_choice(struct pp_rec_rd *rd, const char *const *words, unsigned count)
{
    struct pp_span word = any_word(rd);
    unsigned i = 0;

    if (pp_is_ok(rd->r) && !pp_is_ok(pp_rec_find(word, words, count, &i)))
        pp_rec_fail(rd, PP_E_RANGE);
    return i;
}

void pp_rec_done(struct pp_rec_rd *rd)
{
    pp_rec_require(rd, !rd->words_left, PP_E_FORMAT);
}

/* --- writing ------------------------------------------------------------------------------- */

void pp_rec_wr_key(struct pp_wr *wr, const char *key)
{
    pp_wr_text(wr, key);
}

void pp_rec_wr_word(struct pp_wr *wr, struct pp_span word)
{
    pp_wr_u8(wr, ' ');
    pp_wr_span(wr, word);
}

void pp_rec_wr_text(struct pp_wr *wr, const char *word)
{
    pp_rec_wr_word(wr, pp_span_cstr(word));
}

void pp_rec_wr_number(struct pp_wr *wr, uint64_t v)
{
    pp_wr_u8(wr, ' ');
    pp_wr_decimal(wr, v);
}

void pp_rec_wr_hex(struct pp_wr *wr, const uint8_t *bytes, size_t len)
{
    pp_wr_u8(wr, ' ');
    pp_wr_hex(wr, pp_span(bytes, len));
}

void pp_rec_wr_hex64(struct pp_wr *wr, uint64_t v)
{
    uint8_t bytes[8];
    struct pp_wr w = pp_wr_over(bytes, sizeof bytes);

    pp_wr_u64(&w, v);
    pp_rec_wr_hex(wr, bytes, sizeof bytes);
}

void pp_rec_wr_sha256(struct pp_wr *wr, const uint8_t digest[PP_SHA256_BYTES])
{
    pp_wr_text(wr, " sha256:");
    pp_wr_hex(wr, pp_span(digest, PP_SHA256_BYTES));
}

void pp_rec_wr_end(struct pp_wr *wr)
{
    pp_wr_u8(wr, '\n');
}
