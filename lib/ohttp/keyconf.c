/* SPDX-License-Identifier: Apache-2.0 */
#include "ohttp.h"

enum { SUITE_BYTES = 4 };

pp_res pp_keyconf_parse(struct pp_rd *rd, struct pp_keyconf *ret)
{
    struct pp_keyconf kc = { 0 };

    kc.id = pp_rd_u8(rd);
    kc.kem = pp_rd_u16(rd);
    PP_TRY(pp_rd_ok(rd));
    const struct pp_kem_info *kem = pp_kem_info(kc.kem);
    PP_CHECK(kem != NULL, PP_E_UNSUPPORTED, kc.kem);

    kc.public_key_len = kem->pk_len;
    pp_rd_copy(rd, kc.public_key, kc.public_key_len);
    struct pp_rd suites = pp_rd_block16(rd);
    PP_TRY(pp_rd_ok(rd));
    PP_CHECK(suites.left > 0 && suites.left <= SUITE_BYTES * PP_KEYCONF_SUITES_MAX, PP_E_RANGE,
             suites.left);
    while (suites.left > 0) {
        struct pp_ohttp_suite *s = &kc.suites[kc.suite_count++];
        s->kdf = pp_rd_u16(&suites);
        s->aead = pp_rd_u16(&suites);
        PP_TRY(pp_rd_ok(&suites)); /* 4 bytes each: an odd tail stops here */
    }
    *ret = kc;
    return PP_OK;
}

pp_res pp_keyconf_write(const struct pp_keyconf *kc, struct pp_wr *wr)
{
    const struct pp_kem_info *kem = pp_kem_info(kc->kem);

    PP_CHECK(kem != NULL, PP_E_UNSUPPORTED, kc->kem);
    PP_CHECK(kc->public_key_len == kem->pk_len, PP_E_RANGE, kc->public_key_len);
    PP_CHECK(kc->suite_count > 0 && kc->suite_count <= PP_KEYCONF_SUITES_MAX, PP_E_RANGE,
             kc->suite_count);
    pp_wr_u8(wr, kc->id);
    pp_wr_u16(wr, kc->kem);
    pp_wr_bytes(wr, kc->public_key, kc->public_key_len);
    size_t mark = pp_wr_block16_begin(wr);
    for (size_t i = 0; i < kc->suite_count; i++) {
        pp_wr_u16(wr, kc->suites[i].kdf);
        pp_wr_u16(wr, kc->suites[i].aead);
    }
    pp_wr_block16_end(wr, mark);
    return pp_wr_ok(wr);
}

/*
 * An export-only pair is a valid HPKE suite, but it cannot seal a message; one with a one-stage KDF
 * can, but the answer's keys are extracted and expanded (RFC 9458, 4.4).
 */
static int is_usable(uint16_t kem, struct pp_ohttp_suite s)
{
    struct pp_hpke_suite suite = { kem, s.kdf, s.aead };

    return pp_is_ok(pp_hpke_suite_check(suite)) && pp_hpke_kdf_is_hkdf(s.kdf) &&
           pp_aead_key_len(s.aead) > 0;
}

pp_res pp_keyconf_select(const struct pp_keyconf *kc, struct pp_ohttp_suite *ret)
{
    for (size_t i = 0; i < kc->suite_count; i++) {
        if (!is_usable(kc->kem, kc->suites[i]))
            continue;
        *ret = kc->suites[i];
        return PP_OK;
    }
    return PP_FAIL(PP_E_UNSUPPORTED, kc->suite_count);
}

/* One entry of a list: its length has been read, so an unknown KEM can be passed over. */
static pp_res parse_entry(struct pp_rd *entry, struct pp_keylist *list, uint8_t *ret_id)
{
    struct pp_rd peek = *entry;
    uint8_t id = pp_rd_u8(&peek);
    uint16_t kem = pp_rd_u16(&peek);

    PP_TRY(pp_rd_ok(&peek));
    *ret_id = id;
    if (pp_kem_info(kem) == NULL)
        return PP_OK;
    PP_CHECK(list->count < PP_KEYLIST_KEYS_MAX, PP_E_LIMIT, list->count);
    PP_TRY(pp_keyconf_parse(entry, &list->keys[list->count]));
    list->count++;
    return pp_rd_end(entry);
}

pp_res pp_keylist_parse(struct pp_span list, struct pp_keylist *ret)
{
    struct pp_rd rd = pp_rd_span(list);
    struct pp_keylist found = { 0 };
    uint8_t seen[256] = { 0 }; /* by key id */

    PP_CHECK(list.len <= PP_KEYLIST_BYTES_MAX, PP_E_LIMIT, list.len);
    PP_CHECK(list.len > 0, PP_E_TRUNCATED, 0);
    while (rd.left > 0) {
        uint8_t id = 0;
        struct pp_rd entry = pp_rd_block16(&rd);
        PP_TRY(pp_rd_ok(&rd));
        PP_TRY(parse_entry(&entry, &found, &id));
        PP_CHECK(!seen[id], PP_E_DUPLICATE, id);
        seen[id] = 1;
    }
    *ret = found;
    return PP_OK;
}

pp_res pp_keylist_write(const struct pp_keylist *list, struct pp_wr *wr)
{
    PP_ASSERT(list->count <= PP_KEYLIST_KEYS_MAX);
    for (size_t i = 0; i < list->count; i++) {
        size_t mark = pp_wr_block16_begin(wr);
        PP_TRY(pp_keyconf_write(&list->keys[i], wr));
        pp_wr_block16_end(wr, mark);
    }
    return pp_wr_ok(wr);
}

pp_res pp_keylist_select(const struct pp_keylist *list, uint16_t kem,
                         const struct pp_keyconf **ret_key, struct pp_ohttp_suite *ret)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct pp_keyconf *kc = &list->keys[i];
        if (kem != 0 && kc->kem != kem)
            continue;
        if (!pp_is_ok(pp_keyconf_select(kc, ret)))
            continue;
        *ret_key = kc;
        return PP_OK;
    }
    return PP_FAIL(PP_E_UNSUPPORTED, kem);
}
