/* SPDX-License-Identifier: Apache-2.0 */
#include "note.h"

#include "ct.h"
#include "rd.h"
#include "text.h"

#include "cosign.h"
#include "tlog_int.h"

enum { KEY_ID_BYTES = 4, COSIGNATURE_BYTES = 8 + PP_ED25519_SIG_BYTES };

static const uint8_t PREFIX[] = { 0xE2, 0x80, 0x94, ' ' }; /* U+2014 SP */

/* --- names and keys ------------------------------------------------------------------------ */

/* The code points with the Unicode property White_Space. */
static int is_space(uint32_t c)
{
    return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
           c == 0x205F || c == 0x3000;
}

pp_res pp_note_name_check(struct pp_span name)
{
    PP_CHECK(name.len > 0, PP_E_FORMAT, 0);
    PP_CHECK(name.len <= PP_NOTE_NAME_MAX, PP_E_LIMIT, name.len);
    PP_TRY(pp_utf8_check(name));
    for (size_t at = 0; at < name.len;) {
        uint32_t c = pp_utf8_next(name, &at);
        PP_CHECK(c >= 0x20 && c != '+' && !is_space(c), PP_E_FORMAT, at);
    }
    return PP_OK;
}

void pp_note_key_make(struct pp_span name, enum pp_note_type type,
                      const uint8_t pk[PP_ED25519_PK_BYTES], struct pp_note_key *ret)
{
    uint8_t digest[PP_SHA256_BYTES];
    struct pp_hash h;

    pp_hash_init(&h, PP_SHA256);
    pp_hash_update(&h, name);
    pp_hash_u8(&h, '\n');
    pp_hash_u8(&h, (uint8_t)type);
    pp_hash_update(&h, pp_span(pk, PP_ED25519_PK_BYTES));
    pp_hash_final(&h, digest);
    struct pp_rd rd = pp_rd_over(digest, KEY_ID_BYTES);
    *ret = (struct pp_note_key){ .name = name, .type = type };
    memcpy(ret->pk, pk, PP_ED25519_PK_BYTES);
    ret->id = pp_rd_u32(&rd);
}

/* "<name>+<8 hex>+<base64>" into its parts; the name may not hold '+', the Base64 may. */
static pp_res split_key(struct pp_span text, struct pp_span *ret_name, uint32_t *ret_id,
                        struct pp_span *ret_base64)
{
    struct pp_span name;
    struct pp_span hex;
    uint8_t id[KEY_ID_BYTES];

    PP_CHECK(pp_text_cut(&text, '+', &name), PP_E_FORMAT, 0);
    PP_CHECK(pp_text_cut(&text, '+', &hex), PP_E_FORMAT, 0);
    PP_TRY(pp_note_name_check(name));
    PP_TRY_AS(PP_E_FORMAT, pp_hex_parse(hex, id, sizeof id));
    struct pp_rd rd = pp_rd_over(id, sizeof id);
    *ret_name = name;
    *ret_id = pp_rd_u32(&rd);
    *ret_base64 = text;
    return PP_OK;
}

static pp_res key_check(const uint8_t *bytes, size_t len)
{
    PP_CHECK(len > 0, PP_E_FORMAT, 0);
    PP_CHECK(bytes[0] == PP_NOTE_ED25519 || bytes[0] == PP_NOTE_COSIGNATURE, PP_E_UNSUPPORTED,
             bytes[0]);
    PP_CHECK(len == 1 + PP_ED25519_PK_BYTES, PP_E_FORMAT, len);
    return PP_OK;
}

static pp_res key_bytes(struct pp_span base64, uint8_t ret[1 + PP_ED25519_PK_BYTES])
{
    uint8_t head[48];
    size_t len;

    PP_TRY(pp_tlog_base64_measure(base64, head, &len));
    pp_res r = key_check(head, len);
    if (pp_is_ok(r))
        memcpy(ret, head, 1 + PP_ED25519_PK_BYTES);
    pp_wipe(head, sizeof head); /* may be a seed */
    return r;
}

/* Public keys only: a key of type 0x02 is verified with and never signs. */
static pp_res public_key(struct pp_span name, struct pp_span base64, struct pp_note_key *ret)
{
    uint8_t bytes[1 + PP_TLOG_SPKI_BYTES];
    size_t len;

    pp_res r = pp_base64_parse(base64, bytes, sizeof bytes, &len);
    if (pp_is_ok(r) && len > 0 && bytes[0] == PP_NOTE_ECDSA_P256)
        return pp_tlog_ecdsa_key(name, pp_span(bytes + 1, len - 1), ret);
    PP_TRY(key_bytes(base64, bytes)); /* names what is wrong with keys of any length */
    pp_note_key_make(name, (enum pp_note_type)bytes[0], bytes + 1, ret);
    return PP_OK;
}

pp_res pp_vkey_parse(struct pp_span text, struct pp_note_key *ret)
{
    struct pp_span name;
    struct pp_span base64;
    struct pp_note_key key;
    uint32_t id;

    PP_TRY(split_key(text, &name, &id, &base64));
    PP_TRY(public_key(name, base64, &key));
    PP_CHECK(key.id == id, PP_E_MISMATCH, id);
    *ret = key;
    return PP_OK;
}

static void write_id(struct pp_wr *wr, uint32_t id)
{
    uint8_t bytes[KEY_ID_BYTES];
    struct pp_wr w = pp_wr_over(bytes, sizeof bytes);

    pp_wr_u32(&w, id);
    pp_wr_hex(wr, PP_BYTES(bytes));
}

/* "<name>+<id>+<base64 of type || key>" */
static void write_key(struct pp_wr *wr, const struct pp_note_key *key, struct pp_span key_bytes)
{
    uint8_t bytes[1 + PP_TLOG_SPKI_BYTES];
    struct pp_wr w = pp_wr_over(bytes, sizeof bytes);

    pp_wr_u8(&w, (uint8_t)key->type);
    pp_wr_span(&w, key_bytes);
    pp_wr_span(wr, key->name);
    pp_wr_u8(wr, '+');
    write_id(wr, key->id);
    pp_wr_u8(wr, '+');
    pp_wr_base64(wr, pp_wr_done(&w));
    pp_wipe(bytes, sizeof bytes); /* may be a seed */
}

void pp_vkey_write(struct pp_wr *wr, const struct pp_note_key *key)
{
    uint8_t spki[PP_TLOG_SPKI_BYTES];
    struct pp_wr w = pp_wr_over(spki, sizeof spki);

    if (key->type == PP_NOTE_ECDSA_P256)
        pp_tlog_ecdsa_spki(&w, key);
    else
        pp_wr_bytes(&w, key->pk, PP_ED25519_PK_BYTES);
    write_key(wr, key, pp_wr_done(&w));
}

pp_res pp_note_signer_make(struct pp_span name, enum pp_note_type type, struct pp_span seed_secret,
                           struct pp_note_signer *ret)
{
    struct pp_note_signer s = { 0 };
    uint8_t pk[PP_ED25519_PK_BYTES];

    PP_TRY(pp_note_name_check(name));
    PP_TRY(pp_ed25519_public(seed_secret, pk));
    PP_TRY(pp_secret_copy(&s.seed, seed_secret));
    pp_note_key_make(name, type, pk, &s.key);
    *ret = s;
    return PP_OK;
}

pp_res pp_note_signer_parse(struct pp_span text, struct pp_note_signer *ret)
{
    static const struct pp_span START = { (const uint8_t *)"PRIVATE+KEY+", 12 };
    struct pp_note_signer s = { 0 };
    uint8_t bytes[1 + PP_ED25519_SEED_BYTES];
    struct pp_span name;
    struct pp_span base64;
    uint32_t id;

    if (text.len > 0 && text.at[text.len - 1] == '\n')
        text.len--;
    PP_CHECK(text.len > START.len && pp_span_eq(pp_span(text.at, START.len), START), PP_E_FORMAT,
             0);
    PP_TRY(split_key(pp_span(text.at + START.len, text.len - START.len), &name, &id, &base64));
    PP_TRY(key_bytes(base64, bytes));
    pp_res r = pp_note_signer_make(name, (enum pp_note_type)bytes[0],
                                   pp_span(bytes + 1, PP_ED25519_SEED_BYTES), &s);
    pp_wipe(bytes, sizeof bytes);
    PP_TRY(r);
    if (s.key.id != id) {
        pp_note_signer_done(&s);
        return PP_FAIL(PP_E_MISMATCH, id);
    }
    *ret = s;
    return PP_OK;
}

pp_res pp_note_sign(const struct pp_note_signer *s, struct pp_span message,
                    uint8_t ret[PP_ED25519_SIG_BYTES])
{
    uint8_t signature[PP_ED25519_SIG_BYTES];

    if (s->sign == NULL)
        return pp_ed25519_sign(pp_secret_span(&s->seed), message, ret);
    PP_TRY(s->sign(s->ctx, message, signature));
    PP_TRY_AS(PP_E_SIGNER_WRONG, pp_ed25519_verify(s->key.pk, message, PP_BYTES(signature)));
    memcpy(ret, signature, sizeof signature);
    return PP_OK;
}

void pp_note_signer_write(struct pp_wr *wr, const struct pp_note_signer *s)
{
    PP_ASSERT(s->sign == NULL);
    pp_wr_text(wr, "PRIVATE+KEY+");
    write_key(wr, &s->key, pp_secret_span(&s->seed));
}

void pp_note_signer_done(struct pp_note_signer *s)
{
    pp_secret_done(&s->seed);
    *s = (struct pp_note_signer){ 0 };
}

/* --- notes --------------------------------------------------------------------------------- */

pp_res pp_tlog_characters(struct pp_span bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        PP_CHECK(bytes.at[i] >= 0x20 || bytes.at[i] == '\n', PP_E_FORMAT, i);
    return pp_utf8_check(bytes);
}

/* The last empty line: text before it, signature lines behind. */
static pp_res split_note(struct pp_span bytes, struct pp_span *ret_text, struct pp_span *ret_lines)
{
    PP_CHECK(bytes.len > 0 && bytes.at[bytes.len - 1] == '\n', PP_E_FORMAT, bytes.len);
    for (size_t i = bytes.len - 1; i > 0; i--) {
        if (bytes.at[i] != '\n' || bytes.at[i - 1] != '\n')
            continue;
        *ret_text = pp_span(bytes.at, i);
        *ret_lines = pp_span(bytes.at + i + 1, bytes.len - i - 1);
        return PP_OK;
    }
    return PP_FAIL(PP_E_FORMAT, 0);
}

static pp_res parse_line(struct pp_span line, struct pp_note_line *ret)
{
    struct pp_note_line l;
    uint8_t head[48];
    size_t len;

    PP_CHECK(line.len > sizeof PREFIX, PP_E_FORMAT, 0);
    PP_CHECK(memcmp(line.at, PREFIX, sizeof PREFIX) == 0, PP_E_FORMAT, 0);
    l.base64 = pp_span(line.at + sizeof PREFIX, line.len - sizeof PREFIX);
    PP_CHECK(pp_text_cut(&l.base64, ' ', &l.name), PP_E_FORMAT, 0);
    PP_TRY(pp_note_name_check(l.name));
    PP_TRY(pp_tlog_base64_measure(l.base64, head, &len));
    PP_CHECK(len > KEY_ID_BYTES, PP_E_FORMAT, len);
    struct pp_rd rd = pp_rd_over(head, KEY_ID_BYTES);
    l.id = pp_rd_u32(&rd);
    *ret = l;
    return PP_OK;
}

pp_res pp_tlog_signature_lines(struct pp_span lines, struct pp_note *n)
{
    size_t all = lines.len;

    while (lines.len > 0) {
        struct pp_span line;
        size_t offset = all - lines.len;
        PP_CHECK(n->line_count < PP_NOTE_SIGNATURES_MAX, PP_E_LIMIT, n->line_count);
        PP_TRY(pp_tlog_line(&lines, &line));
        PP_CHECK(pp_is_ok(parse_line(line, &n->lines[n->line_count])), PP_E_FORMAT, offset);
        n->line_count++;
    }
    return PP_OK;
}

pp_res pp_note_parse(struct pp_span bytes, struct pp_note *ret)
{
    struct pp_note n = { 0 };
    struct pp_span lines;

    PP_CHECK(bytes.len <= PP_NOTE_BYTES_MAX, PP_E_LIMIT, bytes.len);
    PP_TRY(pp_tlog_characters(bytes));
    PP_TRY(split_note(bytes, &n.text, &lines));
    pp_res r = pp_tlog_signature_lines(lines, &n);
    if (r.code == PP_E_FORMAT)
        r.detail += (uint32_t)(bytes.len - lines.len);
    PP_TRY(r);
    *ret = n;
    return PP_OK;
}

static pp_res check_line(const struct pp_note_line *line, const struct pp_note_key *key,
                         struct pp_span text, uint64_t *ret_time)
{
    /* The longest DER signature of P-256 has as many bytes as a cosignature: 72. */
    uint8_t bytes[KEY_ID_BYTES + COSIGNATURE_BYTES];
    size_t len;

    PP_TRY_AS(PP_E_SIGNATURE, pp_base64_parse(line->base64, bytes, sizeof bytes, &len));
    struct pp_span signature = pp_span(bytes + KEY_ID_BYTES, len - KEY_ID_BYTES);
    if (key->type == PP_NOTE_COSIGNATURE)
        return pp_cosign_verify(key, signature, text, ret_time);
    if (key->type == PP_NOTE_ECDSA_P256) {
        *ret_time = 0;
        return pp_tlog_ecdsa_verify(key, text, signature);
    }
    PP_TRY_AS(PP_E_SIGNATURE, pp_ed25519_verify(key->pk, text, signature));
    *ret_time = 0;
    return PP_OK;
}

pp_res pp_note_check(const struct pp_note *n, const struct pp_note_key *keys, size_t key_count,
                     struct pp_note_signers *ret)
{
    struct pp_note_signers s = { 0 };

    PP_ASSERT(key_count <= PP_NOTE_KEYS_MAX);
    for (size_t i = 0; i < n->line_count; i++) {
        const struct pp_note_line *line = &n->lines[i];
        for (size_t k = 0; k < key_count; k++) {
            if (keys[k].id != line->id || !pp_span_eq(keys[k].name, line->name))
                continue;
            if ((s.set >> k & 1) != 0)
                continue;
            PP_CHECK(pp_is_ok(check_line(line, &keys[k], n->text, &s.times[k])), PP_E_SIGNATURE, i);
            s.set |= UINT64_C(1) << k;
        }
    }
    *ret = s;
    return PP_OK;
}

pp_res pp_note_open(const struct pp_note *n, const struct pp_note_key *keys, size_t key_count,
                    struct pp_note_signers *ret)
{
    struct pp_note_signers s = { 0 };

    PP_TRY(pp_note_check(n, keys, key_count, &s));
    PP_CHECK(s.set != 0, PP_E_SIGNATURE, n->line_count);
    *ret = s;
    return PP_OK;
}

uint64_t pp_note_signers_dated(const struct pp_note_signers *s, uint64_t from, uint64_t until)
{
    uint64_t set = 0;

    for (size_t i = 0; i < PP_NOTE_KEYS_MAX; i++)
        if ((s->set >> i & 1) != 0 && s->times[i] >= from && s->times[i] <= until)
            set |= UINT64_C(1) << i;
    return set;
}

/* --- writing ------------------------------------------------------------------------------- */

void pp_tlog_signature_line(struct pp_wr *wr, const struct pp_note_key *key,
                            struct pp_span signature)
{
    uint8_t bytes[KEY_ID_BYTES + COSIGNATURE_BYTES];
    struct pp_wr w = pp_wr_over(bytes, sizeof bytes);

    pp_wr_u32(&w, key->id);
    pp_wr_span(&w, signature);
    pp_wr_bytes(wr, PREFIX, sizeof PREFIX);
    pp_wr_span(wr, key->name);
    pp_wr_u8(wr, ' ');
    pp_wr_base64(wr, pp_wr_done(&w));
    pp_wr_u8(wr, '\n');
}

pp_res pp_note_line_write(struct pp_wr *wr, const struct pp_note_signer *s, struct pp_span text)
{
    uint8_t signature[PP_ED25519_SIG_BYTES];

    PP_CHECK(s->key.type == PP_NOTE_ED25519, PP_E_FORMAT, s->key.type);
    PP_TRY(pp_note_sign(s, text, signature));
    pp_tlog_signature_line(wr, &s->key, PP_BYTES(signature));
    return pp_wr_ok(wr);
}

pp_res pp_note_write(struct pp_wr *wr, struct pp_span text, const struct pp_note_signer *signers,
                     size_t signer_count)
{
    PP_CHECK(text.len > 0 && text.at[text.len - 1] == '\n', PP_E_FORMAT, text.len);
    PP_TRY(pp_tlog_characters(text));
    pp_wr_span(wr, text);
    pp_wr_u8(wr, '\n');
    for (size_t i = 0; i < signer_count; i++)
        PP_TRY(pp_note_line_write(wr, &signers[i], text));
    return pp_wr_ok(wr);
}
