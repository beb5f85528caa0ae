/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that are read and not used: of a type that is not offered, or in an older dialect. */
#include <stdio.h>

#include "quorum.h"
#include "text.h"
#include "tlog.h"

enum { MLDSA44_TYPE = 0x06, MLDSA44_PK_BYTES = 1312 };

/*
 * The form of an ML-DSA-44 key, of which lines are ignored (C2SP tlog-cosignature). The published
 * key's id is that of an earlier draft, so it is not compared.
 */
static pp_res unused_key(struct pp_span text)
{
    static uint8_t bytes[1 + MLDSA44_PK_BYTES];
    uint8_t id[4];
    struct pp_span name;
    struct pp_span hex;
    size_t len;

    PP_CHECK(pp_text_cut(&text, '+', &name), PP_E_FORMAT, 0);
    PP_CHECK(pp_text_cut(&text, '+', &hex), PP_E_FORMAT, 0);
    PP_TRY(pp_note_name_check(name));
    PP_TRY(pp_hex_parse(hex, id, sizeof id));
    PP_TRY(pp_base64_parse(text, bytes, sizeof bytes, &len));
    PP_CHECK(len == sizeof bytes && bytes[0] == MLDSA44_TYPE, PP_E_UNSUPPORTED, bytes[0]);
    return PP_OK;
}

void tlog_vkey(struct vectors *v, const char *file, const char *row, struct pp_span text,
               int want_ok)
{
    struct pp_note_key key;
    pp_res r = pp_vkey_parse(text, &key);

    if (r.code == PP_E_UNSUPPORTED)
        r = unused_key(text);
    tlog_verdict(v, file, row, want_ok, r);
}

/* --- Sigsum --------------------------------------------------------------------------------- */

static struct pp_span item(struct pp_span *line)
{
    size_t from = 0;

    while (from < line->len && (line->at[from] == ' ' || line->at[from] == '\t'))
        from++;
    size_t to = from;
    while (to < line->len && line->at[to] != ' ' && line->at[to] != '\t')
        to++;
    struct pp_span found = pp_span(line->at + from, to - from);
    *line = pp_span(line->at + to, line->len - to);
    return found;
}

/* The vkey of a raw key. A log's name is its origin: "sigsum.org/v1/tree/" and the key's hash. */
static pp_res write_vkey(struct pp_span hex, struct pp_span name, struct pp_wr *wr)
{
    uint8_t pk[PP_ED25519_PK_BYTES];
    uint8_t digest[PP_SHA256_BYTES];
    char origin[128];
    struct pp_wr o = pp_wr_over(origin, sizeof origin);
    struct pp_note_key key;

    PP_TRY(pp_hex_parse(hex, pk, sizeof pk));
    pp_sha256(PP_BYTES(pk), digest);
    pp_wr_text(&o, "sigsum.org/v1/tree/");
    pp_wr_hex(&o, PP_BYTES(digest));
    pp_note_key_make(name.len > 0 ? name : pp_wr_done(&o),
                     name.len > 0 ? PP_NOTE_COSIGNATURE : PP_NOTE_ED25519, pk, &key);
    pp_vkey_write(wr, &key);
    return PP_OK;
}

static pp_res translate_line(struct pp_span line, struct pp_wr *wr)
{
    struct pp_span rest = line;
    struct pp_span word = item(&rest);
    struct pp_span name = pp_span(NULL, 0);

    if (!pp_span_eq(word, PP_STR("log")) && !pp_span_eq(word, PP_STR("witness"))) {
        pp_wr_span(wr, line);
        return PP_OK;
    }
    pp_wr_span(wr, word);
    pp_wr_u8(wr, ' ');
    if (pp_span_eq(word, PP_STR("witness"))) {
        name = item(&rest);
        PP_CHECK(name.len > 0, PP_E_FORMAT, 0);
        pp_wr_span(wr, name);
        pp_wr_u8(wr, ' ');
    }
    PP_TRY(write_vkey(item(&rest), name, wr));
    pp_wr_span(wr, rest);
    return PP_OK;
}

void tlog_sigsum(struct vectors *v, const char *file, struct pp_span text)
{
    static uint8_t translated[PP_POLICY_BYTES_MAX];
    static struct pp_policy policy;
    struct pp_wr wr = pp_wr_over(translated, sizeof translated);
    struct pp_span line;
    pp_res r = PP_OK;

    while (text.len > 0 && pp_is_ok(r)) {
        int whole = pp_text_cut(&text, '\n', &line);
        r = whole ? translate_line(line, &wr) : PP_FAIL(PP_E_TRUNCATED, 0);
        pp_wr_u8(&wr, '\n');
    }
    if (pp_is_ok(r))
        r = pp_wr_ok(&wr);
    if (pp_is_ok(r))
        r = pp_policy_parse(pp_wr_done(&wr), PP_POLICY_LOG, &policy);
    tlog_verdict(v, file, "older dialect, each raw key as the vkey that it stands for", 1, r);
}
