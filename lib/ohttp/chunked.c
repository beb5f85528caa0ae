/* SPDX-License-Identifier: Apache-2.0 */
#include "chunked.h"

#include "ct.h"
#include "ohttp_int.h"

#define FINAL_AAD PP_STR("final")
#define NO_AAD    PP_STR("")

/* --- the chunks of one message ------------------------------------------------------ */

/* A request's chunks count in its HPKE context; a response's in the nonce, as HPKE does it. */
static void response_nonce(const struct pp_ohttp_chunks *c, uint8_t ret[PP_AEAD_NONCE_BYTES])
{
    memcpy(ret, c->nonce, PP_AEAD_NONCE_BYTES);
    for (size_t i = 0; i < sizeof c->count; i++)
        ret[PP_AEAD_NONCE_BYTES - 1 - i] ^= (uint8_t)(c->count >> (8 * i));
}

/* Every AEAD has one bound, so that no message has a length that only one suite can carry. */
static pp_res count_bytes(struct pp_ohttp_chunks *c, size_t len)
{
    PP_CHECK(len <= PP_OHTTP_CHUNKED_BYTES_MAX - c->bytes_total, PP_E_LIMIT, len);
    c->bytes_total += len;
    return PP_OK;
}

static pp_res seal_chunk(struct pp_ohttp_chunks *c, struct pp_span aad, uint8_t *mem, size_t len)
{
    uint8_t nonce[PP_AEAD_NONCE_BYTES];

    PP_TRY(count_bytes(c, len));
    if (c->key_secret.bytes == NULL)
        return pp_hpke_seal(&c->exchange->hpke, aad, pp_span(mem, len), mem);
    response_nonce(c, nonce);
    c->count++;
    return pp_aead_seal_once(c->aead, pp_secret_span(&c->key_secret), nonce, aad, pp_span(mem, len),
                             mem);
}

static pp_res open_chunk(struct pp_ohttp_chunks *c, struct pp_span aad, uint8_t *mem, size_t len)
{
    uint8_t nonce[PP_AEAD_NONCE_BYTES];

    PP_CHECK(len >= PP_AEAD_TAG_BYTES, PP_E_AUTH, PP_OHTTP_NOT_OPENED);
    PP_TRY(count_bytes(c, len - PP_AEAD_TAG_BYTES));
    response_nonce(c, nonce);
    c->count++;
    pp_res r = c->key_secret.bytes == NULL
                   ? pp_hpke_open(&c->exchange->hpke, aad, pp_span(mem, len), mem)
                   : pp_aead_open_once(c->aead, pp_secret_span(&c->key_secret), nonce, aad,
                                       pp_span(mem, len), mem);
    return pp_is_ok(r) ? r : PP_FAIL(PP_E_AUTH, PP_OHTTP_NOT_OPENED);
}

/* The response nonce stands behind the encapsulated key in x->salt already. */
static pp_res start_response_chunks(struct pp_ohttp_chunks *c)
{
    PP_AUTO(pp_ohttp_response_keys) k = { 0 };

    c->aead = c->exchange->hpke.suite.aead;
    PP_TRY(pp_ohttp_response_derive(c->exchange, PP_OHTTP_CHUNKED, &k));
    memcpy(c->nonce, k.nonce, sizeof c->nonce);
    return pp_secret_copy(&c->key_secret, pp_span(k.key, pp_aead_key_len(c->aead)));
}

/* --- sender ----------------------------------------------------------------- */

void pp_ohttp_sender_done(struct pp_ohttp_sender *s)
{
    size_t used = s->plain_len > s->sealed_len ? s->plain_len : s->sealed_len;

    if (used > 0)
        pp_wipe(s->mem, used);
    pp_secret_done(&s->chunks.key_secret);
    pp_wipe(s, sizeof *s);
}

static pp_res sender_fail(struct pp_ohttp_sender *s, pp_res r)
{
    pp_ohttp_sender_done(s);
    s->failed = r;
    return r;
}

pp_res pp_ohttp_sender_start_request(struct pp_ohttp_sender *s, struct pp_ohttp *x,
                                     const struct pp_keyconf *kc, struct pp_ohttp_suite suite,
                                     const struct pp_random *random, void *mem, size_t mem_len)
{
    struct pp_wr lead = pp_wr_over(s->lead, sizeof s->lead);
    struct pp_hpke_suite hpke = { kc->kem, suite.kdf, suite.aead };

    PP_CHECK(mem_len > PP_AEAD_TAG_BYTES, PP_E_RANGE, mem_len);
    PP_CHECK(x->hpke.role == 0, PP_E_STATE, 0);
    pp_res r = pp_ohttp_encap(x, PP_OHTTP_CHUNKED, kc, hpke, random, &lead);
    if (!pp_is_ok(r)) {
        pp_ohttp_done(x);
        pp_ohttp_sender_done(s);
        return r;
    }
    s->chunks.exchange = x;
    s->lead_len = lead.len;
    s->mem = (uint8_t *)mem;
    s->mem_len = mem_len;
    return PP_OK;
}

pp_res pp_ohttp_sender_start_response(struct pp_ohttp_sender *s, struct pp_ohttp *x,
                                      const struct pp_random *random, void *mem, size_t mem_len)
{
    struct pp_wr lead = pp_wr_over(s->lead, sizeof s->lead);
    uint8_t *nonce = x->salt + x->enc_len;
    size_t nonce_len = pp_ohttp_response_nonce_len(x->hpke.suite.aead);

    PP_CHECK(mem_len > PP_AEAD_TAG_BYTES, PP_E_RANGE, mem_len);
    PP_CHECK(x->hpke.role != 0, PP_E_STATE, 0);
    PP_TRY(pp_random_fill(random, nonce, nonce_len));
    pp_wr_bytes(&lead, nonce, nonce_len);
    s->chunks.exchange = x;
    pp_res r = start_response_chunks(&s->chunks);
    if (!pp_is_ok(r)) {
        pp_ohttp_sender_done(s);
        return r;
    }
    s->chunks.exchange = NULL; /* the chunks have a key of their own */
    s->lead_len = lead.len;
    s->mem = (uint8_t *)mem;
    s->mem_len = mem_len;
    return PP_OK;
}

/* Length and sealed chunk go behind what waits of the head. */
static pp_res seal_waiting(struct pp_ohttp_sender *s, int final)
{
    struct pp_wr lead = pp_wr_over(s->lead, sizeof s->lead);
    size_t sealed_len = s->plain_len + PP_AEAD_TAG_BYTES;

    lead.len = s->lead_len;
    pp_wr_varint(&lead, final ? 0 : sealed_len);
    PP_TRY(pp_wr_ok(&lead));
    PP_TRY(seal_chunk(&s->chunks, final ? FINAL_AAD : NO_AAD, s->mem, s->plain_len));
    s->lead_len = lead.len;
    s->sealed_len = sealed_len;
    s->plain_len = 0;
    s->ended = final;
    return PP_OK;
}

static pp_res sender_seal(struct pp_ohttp_sender *s, int final)
{
    pp_res r = seal_waiting(s, final);

    return pp_is_ok(r) ? r : sender_fail(s, r);
}

pp_res pp_ohttp_sender_feed(struct pp_ohttp_sender *s, const void *bytes, size_t len,
                            size_t *ret_used)
{
    size_t chunk_max = s->mem_len - PP_AEAD_TAG_BYTES;
    size_t used = 0;

    PP_TRY(s->failed);
    PP_CHECK(s->mem != NULL && !s->ended, PP_E_STATE, 0);
    if (s->sealed_len == 0) {
        struct pp_wr plain = pp_wr_over(s->mem, chunk_max);
        used = len < chunk_max - s->plain_len ? len : chunk_max - s->plain_len;
        plain.len = s->plain_len;
        pp_wr_bytes(&plain, bytes, used);
        s->plain_len = plain.len;
        if (used < len) /* a full chunk is sealed when more follows: it may be the final one */
            PP_TRY(sender_seal(s, 0));
    }
    *ret_used = used;
    return PP_OK;
}

pp_res pp_ohttp_sender_cut(struct pp_ohttp_sender *s)
{
    PP_TRY(s->failed);
    PP_CHECK(s->mem != NULL && !s->ended && s->sealed_len == 0, PP_E_STATE, 0);
    return s->plain_len == 0 ? PP_OK : sender_seal(s, 0);
}

pp_res pp_ohttp_sender_end(struct pp_ohttp_sender *s)
{
    PP_TRY(s->failed);
    PP_CHECK(s->mem != NULL && !s->ended && s->sealed_len == 0, PP_E_STATE, 0);
    return sender_seal(s, 1);
}

/* Moves what `from` has behind `*taken`; forgets it when all of it was moved. */
static void move(const uint8_t *from, size_t *len, size_t *taken, struct pp_wr *to)
{
    size_t left = *len - *taken, room = to->cap - to->len;
    size_t n = left < room ? left : room;

    if (n > 0)
        pp_wr_bytes(to, from + *taken, n);
    *taken += n;
    if (*taken == *len)
        *len = *taken = 0;
}

size_t pp_ohttp_sender_take(struct pp_ohttp_sender *s, void *buf, size_t cap)
{
    struct pp_wr out = pp_wr_over(buf, cap);

    move(s->lead, &s->lead_len, &s->lead_taken, &out);
    if (s->lead_len == 0)
        move(s->mem, &s->sealed_len, &s->sealed_taken, &out);
    return out.len;
}

int pp_ohttp_sender_is_done(const struct pp_ohttp_sender *s)
{
    return s->ended && s->lead_len == 0 && s->sealed_len == 0;
}

/* --- receiver ----------------------------------------------------------------- */

void pp_ohttp_receiver_done(struct pp_ohttp_receiver *r)
{
    size_t used = r->sealed_len > r->plain_len ? r->sealed_len : r->plain_len;

    if (used > 0)
        pp_wipe(r->mem, used);
    pp_secret_done(&r->chunks.key_secret);
    pp_wipe(r, sizeof *r);
}

static pp_res receiver_fail(struct pp_ohttp_receiver *r, pp_res why)
{
    pp_ohttp_receiver_done(r);
    r->failed = why;
    return why;
}

static pp_res start_receiver(struct pp_ohttp_receiver *r, struct pp_ohttp *x,
                             const struct pp_ohttp_gateway *gw, void *mem, size_t mem_len)
{
    PP_CHECK(mem_len >= PP_OHTTP_CHUNK_SEALED_MAX, PP_E_RANGE, mem_len);
    PP_CHECK((x->hpke.role == 0) == (gw != NULL), PP_E_STATE, 0);
    *r = (struct pp_ohttp_receiver){
        .chunks = { .exchange = x }, .gateway = gw, .mem = (uint8_t *)mem, .mem_len = mem_len
    };
    return PP_OK;
}

pp_res pp_ohttp_receiver_start_request(struct pp_ohttp_receiver *r, struct pp_ohttp *x,
                                       const struct pp_ohttp_gateway *gw, void *mem, size_t mem_len)
{
    return start_receiver(r, x, gw, mem, mem_len);
}

pp_res pp_ohttp_receiver_start_response(struct pp_ohttp_receiver *r, struct pp_ohttp *x, void *mem,
                                        size_t mem_len)
{
    return start_receiver(r, x, NULL, mem, mem_len);
}

/* Collects until `want` bytes of `mem` are there; 1 when they are. */
static int collect(uint8_t *mem, size_t *len, size_t want, struct pp_rd *rd)
{
    size_t n = rd->left < want - *len ? rd->left : want - *len;

    pp_rd_copy(rd, mem + *len, n);
    *len += n;
    return *len == want;
}

/* The length of a chunked message is not known: only that of what was collected counts. */
static pp_res lookup(const struct pp_ohttp_receiver *r, struct pp_rd *lead,
                     struct pp_ohttp_named *ret)
{
    return pp_ohttp_lookup(r->gateway, PP_OHTTP_CHUNKED, lead, SIZE_MAX, ret);
}

static pp_res step_request_head(struct pp_ohttp_receiver *r, struct pp_rd *rd)
{
    struct pp_ohttp_named named;

    if (r->lead_len < PP_OHTTP_HEADER_BYTES &&
        !collect(r->lead, &r->lead_len, PP_OHTTP_HEADER_BYTES, rd))
        return PP_OK;
    /* Looked up anew with each piece: the gateway's keys may have turned in between. */
    struct pp_rd lead = pp_rd_over(r->lead, PP_OHTTP_HEADER_BYTES);
    PP_TRY(lookup(r, &lead, &named));
    if (!collect(r->lead, &r->lead_len, PP_OHTTP_HEADER_BYTES + named.enc_len, rd))
        return PP_OK;
    PP_TRY(pp_ohttp_decap(r->chunks.exchange, &named,
                          pp_span(r->lead + PP_OHTTP_HEADER_BYTES, named.enc_len)));
    r->gateway = NULL;
    r->state = PP_OHTTP_AT_LENGTH;
    r->lead_len = 0;
    return PP_OK;
}

static pp_res step_response_head(struct pp_ohttp_receiver *r, struct pp_rd *rd)
{
    struct pp_ohttp *x = r->chunks.exchange;

    if (!collect(x->salt + x->enc_len, &r->lead_len,
                 pp_ohttp_response_nonce_len(x->hpke.suite.aead), rd))
        return PP_OK;
    PP_TRY(start_response_chunks(&r->chunks));
    r->state = PP_OHTTP_AT_LENGTH;
    r->lead_len = 0;
    return PP_OK;
}

static pp_res step_length(struct pp_ohttp_receiver *r, struct pp_rd *rd)
{
    if (r->lead_len == 0 && !collect(r->lead, &r->lead_len, 1, rd))
        return PP_OK;
    if (!collect(r->lead, &r->lead_len, (size_t)1 << (r->lead[0] >> 6), rd))
        return PP_OK;
    struct pp_rd lead = pp_rd_over(r->lead, r->lead_len);
    uint64_t len = pp_rd_varint(&lead);
    r->lead_len = 0;
    if (len == 0) {
        r->state = PP_OHTTP_AT_FINAL;
        r->chunk_len = r->mem_len;
        return PP_OK;
    }
    /* An empty chunk that is not the final one is as bad as one that does not open. */
    PP_CHECK(len > PP_AEAD_TAG_BYTES, PP_E_AUTH, PP_OHTTP_NOT_OPENED);
    PP_CHECK(len <= r->mem_len, PP_E_LIMIT, len);
    r->chunk_len = (size_t)len;
    r->state = PP_OHTTP_AT_CHUNK;
    return PP_OK;
}

static pp_res open_collected(struct pp_ohttp_receiver *r, struct pp_span aad,
                             enum pp_ohttp_receiver_state next)
{
    PP_TRY(open_chunk(&r->chunks, aad, r->mem, r->sealed_len));
    r->plain_len = r->sealed_len - PP_AEAD_TAG_BYTES;
    r->sealed_len = 0;
    r->state = next;
    return PP_OK;
}

static pp_res step(struct pp_ohttp_receiver *r, struct pp_rd *rd)
{
    switch (r->state) {
    case PP_OHTTP_AT_HEAD:
        return r->gateway != NULL ? step_request_head(r, rd) : step_response_head(r, rd);
    case PP_OHTTP_AT_LENGTH:
        return step_length(r, rd);
    case PP_OHTTP_AT_CHUNK:
        if (!collect(r->mem, &r->sealed_len, r->chunk_len, rd))
            return PP_OK;
        return open_collected(r, NO_AAD, PP_OHTTP_AT_LENGTH);
    default:
        PP_CHECK(r->sealed_len < r->mem_len, PP_E_LIMIT, r->sealed_len);
        (void)collect(r->mem, &r->sealed_len, r->chunk_len, rd);
        return PP_OK;
    }
}

pp_res pp_ohttp_receiver_feed(struct pp_ohttp_receiver *r, const void *bytes, size_t len,
                              size_t *ret_used)
{
    struct pp_rd rd = pp_rd_over(bytes, len);

    PP_TRY(r->failed);
    PP_CHECK(r->mem != NULL && r->state != PP_OHTTP_AT_END, PP_E_STATE, 0);
    while (rd.left > 0 && r->plain_len == 0) {
        pp_res why = step(r, &rd);
        if (!pp_is_ok(why))
            return receiver_fail(r, why);
    }
    *ret_used = rd.offset;
    return PP_OK;
}

pp_res pp_ohttp_receiver_end(struct pp_ohttp_receiver *r)
{
    PP_TRY(r->failed);
    PP_CHECK(r->mem != NULL && r->state != PP_OHTTP_AT_END, PP_E_STATE, 0);
    if (r->plain_len > 0 || r->state != PP_OHTTP_AT_FINAL)
        return receiver_fail(r, PP_FAIL(PP_E_TRUNCATED, r->chunks.count));
    pp_res why = open_collected(r, FINAL_AAD, PP_OHTTP_AT_END);
    return pp_is_ok(why) ? why : receiver_fail(r, why);
}

size_t pp_ohttp_receiver_take(struct pp_ohttp_receiver *r, void *buf, size_t cap)
{
    struct pp_wr out = pp_wr_over(buf, cap);
    size_t whole = r->plain_len;

    move(r->mem, &r->plain_len, &r->plain_taken, &out);
    if (whole > 0 && r->plain_len == 0)
        pp_wipe(r->mem, whole);
    return out.len;
}

int pp_ohttp_receiver_is_done(const struct pp_ohttp_receiver *r)
{
    return r->state == PP_OHTTP_AT_END && r->plain_len == 0;
}

/* --- whole bodies -------------------------------------------------------------- */

pp_res pp_ohttp_chunks_open(struct pp_ohttp *x, uint8_t *chunks, size_t len,
                            struct pp_span *ret_request)
{
    struct pp_ohttp_chunks c = { .exchange = x };
    struct pp_rd rd = pp_rd_over(chunks, len);
    size_t joined = 0;
    uint64_t claimed;

    PP_ASSERT(x->hpke.role != 0);
    do {
        claimed = pp_rd_varint(&rd);
        int is_final = claimed == 0;
        PP_TRY_AS(PP_E_AUTH, pp_rd_ok(&rd));
        PP_CHECK(claimed <= rd.left, PP_E_AUTH, PP_OHTTP_NOT_OPENED);
        PP_CHECK(is_final || claimed > PP_AEAD_TAG_BYTES, PP_E_AUTH, PP_OHTTP_NOT_OPENED);
        size_t sealed_len = is_final ? rd.left : (size_t)claimed;
        uint8_t *sealed = chunks + rd.offset;
        PP_TRY_AS(PP_E_AUTH, open_chunk(&c, is_final ? FINAL_AAD : NO_AAD, sealed, sealed_len));
        memmove(chunks + joined, sealed, sealed_len - PP_AEAD_TAG_BYTES);
        joined += sealed_len - PP_AEAD_TAG_BYTES;
        pp_rd_skip(&rd, sealed_len);
    } while (claimed != 0);
    *ret_request = pp_span(chunks, joined);
    return PP_OK;
}
