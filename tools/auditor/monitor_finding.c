/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor_finding.h"

#include "hash.h"
#include "text.h"

static const char *const LEVELS[] = {
    [PP_FINDING_INFO] = "info", [PP_FINDING_WARNING] = "warning", [PP_FINDING_ALARM] = "alarm"
};
static const char *const KINDS[] = {
    [PP_FINDING_FACT] = "fact", [PP_FINDING_CONDITION] = "condition"
};

const char *pp_monitor_finding_level_name(enum pp_finding_level level)
{
    return LEVELS[level];
}

const char *pp_monitor_finding_kind_name(enum pp_finding_kind kind)
{
    return KINDS[kind];
}

void pp_monitor_finding_id_of(const struct pp_monitor_finding *f, struct pp_monitor_finding_id *ret)
{
    const char *const parts[] = { pp_code_name(f->code), f->who, f->subject, f->words.field };
    uint8_t number[8], digest[PP_SHA256_BYTES];
    struct pp_wr wr = pp_wr_over(number, sizeof number);
    struct pp_hash h;

    pp_hash_init(&h, PP_SHA256);
    for (size_t i = 0; i < PP_ARRAY_COUNT(parts); i++) {
        pp_hash_update(&h, pp_span_cstr(parts[i]));
        pp_hash_update(&h, pp_span("\t", 1));
    }
    pp_wr_u64(&wr, f->since);
    pp_hash_update(&h, PP_BYTES(number));
    pp_hash_final(&h, digest);
    memcpy(ret->bytes, digest, sizeof ret->bytes);
}

/* --- lines ------------------------------------------------------------------------------------ */

void pp_monitor_finding_write(struct pp_wr *wr, const struct pp_monitor_finding *f)
{
    const char *const texts[] = {
        LEVELS[f->level], KINDS[f->kind], pp_code_name(f->code), f->who,
        f->subject,       f->words.field, f->words.expected,     f->words.got
    };
    struct pp_monitor_finding_id id;

    pp_monitor_finding_id_of(f, &id);
    pp_wr_hex(wr, PP_BYTES(id.bytes));
    pp_wr_u8(wr, '\t');
    pp_wr_decimal(wr, f->posix_s);
    pp_wr_u8(wr, '\t');
    pp_wr_decimal(wr, f->since);
    for (size_t i = 0; i < PP_ARRAY_COUNT(texts); i++) {
        pp_wr_u8(wr, '\t');
        pp_wr_text(wr, texts[i]);
    }
    pp_wr_u8(wr, '\n');
}

static pp_res word_index(struct pp_span word, const char *const *words, size_t count, size_t *ret)
{
    for (size_t i = 1; i < count; i++)
        if (pp_span_eq(word, pp_span_cstr(words[i]))) {
            *ret = i;
            return PP_OK;
        }
    return PP_FAIL(PP_E_FORMAT, 0);
}

static pp_res code_of(struct pp_span word, enum pp_code *ret)
{
    static const struct {
        const char *name;
        enum pp_code code;
    } CODES[] = {
#define CODE_ROW(name, number, cls, text, todo) { #name, PP_E_##name },
        PP_CODES(CODE_ROW)
#undef CODE_ROW
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(CODES); i++)
        if (pp_span_eq(word, pp_span_cstr(CODES[i].name))) {
            *ret = CODES[i].code;
            return PP_OK;
        }
    return PP_FAIL(PP_E_FORMAT, 0);
}

static pp_res text_of(struct pp_span from, char *ret, size_t cap)
{
    PP_CHECK(from.len < cap, PP_E_FORMAT, from.len);
    for (size_t i = 0; i < from.len; i++)
        PP_CHECK(from.at[i] >= 0x20 && from.at[i] < 0x7f, PP_E_FORMAT, i);
    if (from.len > 0)
        memcpy(ret, from.at, from.len);
    ret[from.len] = '\0';
    return PP_OK;
}

static pp_res check_id(struct pp_span hex, const struct pp_monitor_finding *f)
{
    struct pp_monitor_finding_id id, said;

    PP_TRY_AS(PP_E_FORMAT, pp_hex_parse(hex, said.bytes, sizeof said.bytes));
    pp_monitor_finding_id_of(f, &id);
    PP_CHECK(memcmp(id.bytes, said.bytes, sizeof id.bytes) == 0, PP_E_MISMATCH, 0);
    return PP_OK;
}

pp_res pp_monitor_finding_parse(struct pp_span line, struct pp_monitor_finding *ret)
{
    struct pp_span parts[11];
    struct pp_monitor_finding f = { 0 };
    size_t level, kind;

    for (size_t i = 0; i < PP_ARRAY_COUNT(parts); i++)
        PP_CHECK(pp_text_cut(&line, '\t', &parts[i]) == (i + 1 < PP_ARRAY_COUNT(parts)),
                 PP_E_FORMAT, i);
    PP_TRY_AS(PP_E_FORMAT, pp_decimal_parse(parts[1], UINT64_MAX, &f.posix_s));
    PP_TRY_AS(PP_E_FORMAT, pp_decimal_parse(parts[2], UINT64_MAX, &f.since));
    PP_TRY(word_index(parts[3], LEVELS, PP_ARRAY_COUNT(LEVELS), &level));
    PP_TRY(word_index(parts[4], KINDS, PP_ARRAY_COUNT(KINDS), &kind));
    f.level = (enum pp_finding_level)level;
    f.kind = (enum pp_finding_kind)kind;
    PP_TRY(code_of(parts[5], &f.code));
    PP_TRY(text_of(parts[6], f.who, sizeof f.who));
    PP_TRY(text_of(parts[7], f.subject, sizeof f.subject));
    PP_TRY(text_of(parts[8], f.words.field, sizeof f.words.field));
    PP_TRY(text_of(parts[9], f.words.expected, sizeof f.words.expected));
    PP_TRY(text_of(parts[10], f.words.got, sizeof f.words.got));
    PP_TRY(check_id(parts[0], &f));
    *ret = f;
    return PP_OK;
}
