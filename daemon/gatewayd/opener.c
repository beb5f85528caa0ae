/* SPDX-License-Identifier: Apache-2.0 */
#include "opener.h"

#include "ct.h"

/* --- one question --------------------------------------------------------------------------- */

static const struct pp_ohttp_gateway_key *find_key(const struct pp_ohttp_gateway *gw, uint8_t id,
                                                   uint16_t kem)
{
    for (size_t i = 0; i < gw->key_count; i++)
        if (gw->keys[i].config.id == id && gw->keys[i].config.kem == kem)
            return &gw->keys[i];
    return NULL;
}

static const struct pp_hpke_info *find_info(const struct pp_ohttp_gateway_key *k,
                                            enum pp_ohttp_form form, uint16_t kdf, uint16_t aead)
{
    for (size_t i = 0; i < k->config.suite_count; i++)
        if (k->config.suites[i].kdf == kdf && k->config.suites[i].aead == aead)
            return &k->infos[form][i];
    return NULL;
}

static void write_room(struct pp_wr *wr, struct pp_span bytes, size_t room)
{
    pp_wr_span(wr, bytes);
    pp_wr_zeros(wr, room - bytes.len);
}

static void write_material(struct pp_wr *wr, int is_open, const struct pp_hpke *c)
{
    pp_wr_u8(wr, (uint8_t)is_open);
    pp_wr_u16(wr, c->suite.kem);
    pp_wr_u16(wr, c->suite.kdf);
    pp_wr_u16(wr, c->suite.aead);
    write_room(wr, pp_secret_span(&c->key_secret), GW_KEY_ROOM);
    pp_wr_bytes(wr, c->base_nonce, sizeof c->base_nonce);
    write_room(wr, pp_secret_span(&c->exporter_secret), GW_EXPORTER_ROOM);
}

/* Which key and parameters; the first ones of ours where the question names others. */
static int choose(const struct pp_ohttp_gateway *gw, struct pp_rd *rd,
                  const struct pp_ohttp_gateway_key **ret_key, const struct pp_hpke_info **ret_info)
{
    enum pp_ohttp_form form = pp_rd_u8(rd) == PP_OHTTP_CHUNKED ? PP_OHTTP_CHUNKED : PP_OHTTP_WHOLE;
    uint8_t id = pp_rd_u8(rd);
    uint16_t kem = pp_rd_u16(rd);
    uint16_t kdf = pp_rd_u16(rd);
    uint16_t aead = pp_rd_u16(rd);
    const struct pp_ohttp_gateway_key *k = find_key(gw, id, kem);
    const struct pp_hpke_info *info = k == NULL ? NULL : find_info(k, form, kdf, aead);
    int is_ours = info != NULL;

    *ret_key = is_ours ? k : &gw->keys[0];
    *ret_info = is_ours ? info : &gw->keys[0].infos[form][0];
    return is_ours;
}

/* Appends the material of one question's context, or of one that nobody has. */
static void answer(const struct gw_opener *o, struct pp_span question, struct pp_wr *wr)
{
    const struct pp_ohttp_gateway *gw = &o->keys.gateway;
    const struct pp_ohttp_gateway_key *key = NULL;
    const struct pp_hpke_info *info = NULL;
    PP_AUTO(pp_hpke) c = { 0 };
    uint8_t enc[PP_KEM_ENC_BYTES_MAX] = { 0 };
    struct pp_rd rd = pp_rd_span(question);

    if (gw->key_count == 0) {
        write_material(wr, 0, &c);
        return;
    }
    int is_ours = choose(gw, &rd, &key, &info);
    size_t enc_len = pp_kem_info(key->config.kem)->enc_len;
    is_ours &= rd.left == enc_len;
    pp_rd_copy(&rd, enc, rd.left < enc_len ? rd.left : enc_len);
    pp_res r = pp_hpke_receiver(&c, info, key->key, pp_span(enc, enc_len));
    write_material(wr, is_ours && pp_is_ok(r), &c);
}

/* --- the process ---------------------------------------------------------------------------- */

static pp_res work(void *ctx, struct gw_desk *desk, const struct gw_frame *asked, size_t count)
{
    const struct gw_opener *o = (const struct gw_opener *)ctx;

    for (size_t i = 0; i < count; i++) {
        pp_wr_u32(&desk->wr, asked[i].tag);
        size_t mark = pp_wr_block16_begin(&desk->wr);
        answer(o, asked[i].bytes, &desk->wr);
        pp_wr_block16_end(&desk->wr, mark);
    }
    return pp_wr_ok(&desk->wr);
}

/* The list that clients use, as it is served from now on. */
static pp_res tell_keys(const struct gw_opener *o, struct gw_desk *desk)
{
    pp_wr_u32(&desk->wr, GW_TAG_NONE);
    size_t mark = pp_wr_block16_begin(&desk->wr);
    pp_wr_u8(&desk->wr, GW_NEWS_KEYS);
    PP_TRY(pp_ohttp_gateway_keys(&o->keys.gateway, &desk->wr));
    pp_wr_block16_end(&desk->wr, mark);
    return pp_wr_ok(&desk->wr);
}

/* Serving goes on where it fails: the folder may be one that only its operator writes. */
static void destroy(const struct gw_opener *o, struct gw_desk *desk, uint64_t now_s)
{
    size_t count = 0;
    pp_res r = gw_keys_destroy(o->folder, now_s, &count);

    if (!pp_is_ok(r))
        pp_ev_keys_not_destroyed(&desk->events, PP_PARTY_GATEWAY, r.code);
    if (count > 0)
        pp_ev_keys_destroyed(&desk->events, PP_PARTY_GATEWAY, count);
}

static pp_res look(struct gw_opener *o, struct gw_desk *desk, struct pp_problem *problem)
{
    size_t before = o->keys.gateway.key_count;
    int changed = 0;

    if (o->folder == NULL)
        return tell_keys(o, desk);
    uint64_t now_s = pp_clock_posix_s(&o->clock);
    destroy(o, desk, now_s);
    pp_res r = gw_keys_turn(&o->keys, o->folder, now_s, problem, &changed);
    if (changed)
        pp_ev_gw_keys(&desk->events, o->keys.gateway.key_count, pp_event_digest_of(o->keys.digest));
    if (changed || before != o->keys.gateway.key_count)
        PP_TRY(tell_keys(o, desk));
    return r;
}

static pp_res start(void *ctx, struct gw_desk *desk, struct pp_problem *problem)
{
    return look((struct gw_opener *)ctx, desk, problem);
}

static void turn(void *ctx, struct gw_desk *desk)
{
    pp_res r = look((struct gw_opener *)ctx, desk, NULL);

    if (!pp_is_ok(r))
        pp_ev_gw_keys_failed(&desk->events, r.code);
}

struct gw_process gw_opener_process(struct gw_opener *o)
{
    return (struct gw_process){
        .name = "pp-gw-opener", .start = start, .work = work, .turn = turn, .ctx = o
    };
}
