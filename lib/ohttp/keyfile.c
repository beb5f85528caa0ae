/* SPDX-License-Identifier: Apache-2.0 */
#include "keyfile.h"

#include "kv.h"
#include "text.h"

struct fields {
    uint64_t use_from_s, use_until_s, id, kem;
    struct pp_kv_list suites;
    struct pp_span secret;
};

static const struct pp_kv_key KEYS[] = {
    { "use_from", PP_KV_U64, offsetof(struct fields, use_from_s), 1, 0, 0, "POSIX seconds" },
    { "use_until", PP_KV_U64, offsetof(struct fields, use_until_s), 1, 0, 0, "POSIX seconds" },
    { "id", PP_KV_U64, offsetof(struct fields, id), 1, 0, 255, "0 to 255" },
    { "kem", PP_KV_U64, offsetof(struct fields, kem), 1, 0, 65535, "an IANA id" },
    { "suite", PP_KV_LIST, offsetof(struct fields, suites), 1, 0, 0, "KDF and AEAD ids" },
    { "secret", PP_KV_TEXT, offsetof(struct fields, secret), 1, 2, 2 * PP_KEM_SK_BYTES_MAX, "hex" },
};

static pp_res parse_suite(struct pp_span text, struct pp_ohttp_suite *ret)
{
    struct pp_span kdf;
    uint64_t ids[2];

    PP_CHECK(pp_text_cut(&text, ' ', &kdf), PP_E_CONFIG, 0);
    PP_TRY_AS(PP_E_CONFIG, pp_decimal_parse(kdf, UINT16_MAX, &ids[0]));
    PP_TRY_AS(PP_E_CONFIG, pp_decimal_parse(text, UINT16_MAX, &ids[1]));
    *ret = (struct pp_ohttp_suite){ (uint16_t)ids[0], (uint16_t)ids[1] };
    return PP_OK;
}

static pp_res parse_secret(const struct fields *f, struct pp_secret *ret)
{
    PP_AUTO(pp_secret) sk = { 0 };
    const struct pp_kem_info *kem = pp_kem_info((uint16_t)f->kem);

    PP_CHECK(kem != NULL, PP_E_UNSUPPORTED, f->kem);
    PP_TRY(pp_secret_alloc(&sk, kem->sk_len));
    PP_TRY_AS(PP_E_CONFIG, pp_hex_parse(f->secret, sk.bytes, sk.len));
    *ret = sk;
    sk = (struct pp_secret){ 0 };
    return PP_OK;
}

pp_res pp_ohttp_keyfile_parse(struct pp_span text, struct pp_ohttp_keyfile *ret)
{
    struct fields f = { 0 };
    struct pp_ohttp_keyfile k = { 0 };

    PP_CHECK(text.len <= PP_OHTTP_KEYFILE_BYTES_MAX, PP_E_CONFIG, 0);
    /* No problem text: it would quote the line, and this text holds a key. */
    PP_TRY(pp_kv_read(text, KEYS, PP_ARRAY_COUNT(KEYS), &f, NULL));
    PP_CHECK(f.use_from_s < f.use_until_s, PP_E_CONFIG, 0);
    PP_CHECK(f.suites.count <= PP_KEYCONF_SUITES_MAX, PP_E_CONFIG, 0);
    for (size_t i = 0; i < f.suites.count; i++)
        PP_TRY(parse_suite(f.suites.items[i], &k.suites[k.suite_count++]));
    k.use_from_s = f.use_from_s;
    k.use_until_s = f.use_until_s;
    k.id = (uint8_t)f.id;
    k.kem = (uint16_t)f.kem;
    PP_TRY(parse_secret(&f, &k.sk_secret));
    *ret = k;
    return PP_OK;
}

static void write_number(struct pp_wr *wr, const char *name, uint64_t v)
{
    pp_wr_text(wr, name);
    pp_wr_text(wr, " = ");
    pp_wr_decimal(wr, v);
    pp_wr_u8(wr, '\n');
}

pp_res pp_ohttp_keyfile_write(const struct pp_ohttp_keyfile *k, struct pp_wr *wr)
{
    PP_CHECK(k->suite_count > 0 && k->suite_count <= PP_KEYCONF_SUITES_MAX, PP_E_RANGE,
             k->suite_count);
    PP_CHECK(k->use_from_s < k->use_until_s, PP_E_RANGE, 0);
    write_number(wr, "use_from", k->use_from_s);
    write_number(wr, "use_until", k->use_until_s);
    write_number(wr, "id", k->id);
    write_number(wr, "kem", k->kem);
    for (size_t i = 0; i < k->suite_count; i++) {
        pp_wr_text(wr, "suite = ");
        pp_wr_decimal(wr, k->suites[i].kdf);
        pp_wr_u8(wr, ' ');
        pp_wr_decimal(wr, k->suites[i].aead);
        pp_wr_u8(wr, '\n');
    }
    pp_wr_text(wr, "secret = ");
    pp_wr_hex(wr, pp_secret_span(&k->sk_secret));
    pp_wr_u8(wr, '\n');
    return pp_wr_ok(wr);
}

void pp_ohttp_keyfile_done(struct pp_ohttp_keyfile *k)
{
    pp_secret_done(&k->sk_secret);
    *k = (struct pp_ohttp_keyfile){ 0 };
}

int pp_ohttp_keyfile_is_over(const struct pp_ohttp_keyfile *k, uint64_t now_s)
{
    uint64_t past = now_s > PP_OHTTP_KEY_GRACE_SECONDS ? now_s - PP_OHTTP_KEY_GRACE_SECONDS : 0;

    return past >= k->use_until_s;
}

int pp_ohttp_keyfile_serves(const struct pp_ohttp_keyfile *k, uint64_t now_s)
{
    uint64_t from = k->use_from_s > PP_OHTTP_KEY_GRACE_SECONDS
                        ? k->use_from_s - PP_OHTTP_KEY_GRACE_SECONDS
                        : 0;

    return now_s >= from && !pp_ohttp_keyfile_is_over(k, now_s);
}
