/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker and its back-ends: the TLS, the appraisal and the seal are the worker's own. The channel
 * carries bytes, the attester says who this machine is, and neither can read or answer for anybody.
 * The other way round, the worker of a back-end appraises its client before it opens anything.
 */
#include "ct.h"
#include "ipc.h"
#include "message.h"
#include "packets.h"
#include "rd.h"
#include "worker.h"
#include "wr.h"

static const struct {
    const char *name;
    enum pp_record_role role;
} BACKENDS[CVM_BACKENDS] = {
    [CVM_BACKEND_GUARD] = { "guard", PP_RECORD_GUARD },
    [CVM_BACKEND_PREDICTOR] = { "predictor", PP_RECORD_PREDICTOR },
};

/* --- whom to believe -------------------------------------------------------------------------- */

static pp_res anchors(const struct worker *w, struct pp_trust *ret)
{
    const struct cvm_config *c = w->config;

    return pp_peer_trust(ret, pp_platform_is_simulated(c->platform) ? &c->simulated : NULL,
                         c->message_kem, w->hints.collateral, w->hints.collateral_count);
}

/* Releases that the device named for a role, in the machine's host-set that it named: its own fresh
 * status says so, and nothing here has a clock to say otherwise. */
static void named_by_device(const struct worker *w, const struct pp_request *q,
                            enum cvm_backend backend, struct pp_peer *ret)
{
    struct pp_span name = pp_span_cstr(BACKENDS[backend].name);

    *ret = (struct pp_peer){ .role = BACKENDS[backend].role,
                             .has_host_set = 1,
                             .texts = w->hints.records,
                             .text_count = w->hints.record_count,
                             .collateral = w->hints.collateral,
                             .collateral_count = w->hints.collateral_count };
    memcpy(ret->host_set.bytes, q->host_set_id, sizeof ret->host_set.bytes);
    for (size_t i = 0; i < q->backends.count; i++)
        if (pp_span_eq(q->backends.items[i].role, name))
            memcpy(ret->named[ret->named_count++].bytes, q->backends.items[i].release_id,
                   PP_RECORD_ID_BYTES);
}

static int is_named(const struct pp_request *q, enum cvm_backend backend)
{
    for (size_t i = 0; i < q->backends.count; i++)
        if (pp_span_eq(q->backends.items[i].role, pp_span_cstr(BACKENDS[backend].name)))
            return 1;
    return 0;
}

/* --- a call ----------------------------------------------------------------------------------- */

struct call {
    struct worker *w;
    enum cvm_backend to;
    struct pp_ratls_client *tls;
    struct pp_verified verified;
    struct pp_seal seal;
};

/* A new session with the back-end, up to its Evidence. */
static pp_res open_call(struct call *c)
{
    uint8_t said[CVM_OPEN_WORD_BYTES];
    struct pp_wr wr = pp_wr_over(said, sizeof said);
    struct pp_span flight;

    pp_wr_u8(&wr, (uint8_t)c->to);
    PP_TRY(pp_ratls_client_take(c->tls, &wr));
    PP_CHECK(wr.len == sizeof said, PP_E_TLS_SUITE, wr.len);
    PP_TRY(worker_say(c->w, CVM_WORD_OPEN, pp_wr_done(&wr)));
    PP_TRY(worker_hear(c->w, CVM_WORD_OPEN, CVM_FLIGHT_BYTES_MAX,
                       worker_time(c->w, c->w->config->call_open_ms), &flight));
    PP_CHECK(flight.len > 0, PP_E_BACKEND, c->to);
    PP_TRY(pp_ratls_client_feed(c->tls, flight));
    return pp_ratls_client_flight_end(c->tls);
}

static pp_res verify(struct call *c, const struct pp_request *q)
{
    struct pp_trust *trust = pp_arena_alloc(&c->w->arena, sizeof *trust);
    struct pp_peer peer;

    PP_CHECK(trust != NULL, PP_E_NO_MEMORY, sizeof *trust);
    named_by_device(c->w, q, c->to, &peer);
    pp_res r = anchors(c->w, trust);
    if (pp_is_ok(r))
        r = pp_peer_appraise(trust, &peer, c->tls, NULL, &c->verified);
    pp_trust_done(trust);
    return r;
}

/* Evidence of this machine as the client of that session. */
static pp_res attest(struct call *c, struct pp_span *ret_body)
{
    uint8_t packet[CVM_CALL_PACKET_BYTES];
    struct pp_wr wr = pp_wr_over(packet, sizeof packet);
    uint8_t *answer = pp_arena_alloc(&c->w->arena, CVM_CALL_ANSWER_BYTES);
    struct pp_ratls_session session;
    size_t len = 0;

    PP_CHECK(answer != NULL, PP_E_NO_MEMORY, CVM_CALL_ANSWER_BYTES);
    PP_TRY(pp_ratls_client_session(c->tls, &session));
    cvm_call_write(&wr, &session);
    pp_res r = cvm_send(c->w->attester_fd, pp_wr_done(&wr), -1);
    pp_wipe(packet, sizeof packet);
    pp_wipe(&session, sizeof session);
    PP_TRY(r);
    PP_TRY(cvm_wait(c->w->attester_fd, (int)worker_time(c->w, c->w->config->opening_ms)));
    PP_TRY(cvm_recv(c->w->attester_fd, answer, CVM_CALL_ANSWER_BYTES, &len, NULL));
    PP_CHECK(len == CVM_CALL_ANSWER_BYTES && answer[0] == 1, PP_E_NO_EVIDENCE, len);
    *ret_body = pp_span(answer + 1, PP_EVIDENCE_BODY_BYTES);
    return PP_OK;
}

/* The request for the back-end, padded to `kib` and sealed to its worker's key. */
static pp_res seal(struct call *c, const struct pp_request *inner, size_t kib,
                   struct pp_span *ret_message)
{
    const struct pp_appraisal *a = &c->verified.appraisal;
    size_t room, extra = pp_sealed_request_extra(a->message_kem);

    PP_TRY(
        pp_request_room(kib, PP_PEER_OUTER_ENC_BYTES, pp_kem_info(a->message_kem)->enc_len, &room));
    size_t cap = PP_MESSAGE_HEAD_BYTES + room + extra;
    uint8_t *pt = pp_arena_alloc(&c->w->arena, room);
    uint8_t *message = pp_arena_alloc(&c->w->arena, cap);
    PP_CHECK(pt != NULL && message != NULL, PP_E_NO_MEMORY, cap);
    struct pp_wr wr = pp_wr_over(pt, room), out = pp_wr_over(message, cap);
    size_t mark = pp_padded_begin(&wr);
    PP_TRY(pp_request_write(&wr, inner));
    PP_TRY(pp_padded_end(&wr, mark, room));
    pp_message_head_write(&out, PP_MESSAGE_SEALED_REQUEST, room + extra);
    PP_TRY(pp_seal_request(&c->seal, a->message_kem, pp_span(a->message_pk, a->message_pk_len),
                           pp_ratls_permit_binding(&c->verified.permit), &c->w->random,
                           pp_wr_done(&wr), &out));
    *ret_message = pp_wr_done(&out);
    return PP_OK;
}

static pp_res send_call(struct call *c, const struct pp_request *inner, size_t kib)
{
    struct pp_span evidence, message;

    PP_TRY(attest(c, &evidence));
    PP_TRY(seal(c, inner, kib, &message));
    PP_TRY(pp_ratls_client_send_attested(c->tls, &c->verified.permit, evidence, message,
                                         pp_answer_room(PP_PEER_ANSWER_KIB) +
                                             PP_SEALED_RESPONSE_EXTRA));
    size_t len = pp_ratls_client_pending(c->tls);
    uint8_t *bytes = pp_arena_alloc(&c->w->arena, len);
    PP_CHECK(bytes != NULL, PP_E_NO_MEMORY, len);
    struct pp_wr wr = pp_wr_over(bytes, len);
    PP_TRY(pp_ratls_client_take(c->tls, &wr));
    return worker_say(c->w, CVM_WORD_SEND, pp_wr_done(&wr));
}

static pp_res receive(struct call *c, enum pp_feature feature, struct pp_answer *ret)
{
    struct pp_span wire, sealed, cbor;
    size_t len = 0;

    PP_TRY(worker_hear(c->w, CVM_WORD_SEND, CVM_FLIGHT_BYTES_MAX,
                       worker_time(c->w, CVM_INFERENCE_MS), &wire));
    PP_CHECK(wire.len > 0, PP_E_BACKEND, c->to);
    PP_TRY(pp_ratls_client_feed(c->tls, wire));
    PP_TRY(pp_ratls_client_answer(c->tls, &sealed));
    uint8_t *pt = pp_arena_alloc(&c->w->arena, sealed.len);
    PP_CHECK(pt != NULL, PP_E_NO_MEMORY, sealed.len);
    PP_TRY(pp_seal_open_response(&c->seal, sealed, pt, &len));
    PP_TRY(pp_padded_parse(pp_span(pt, len), &cbor));
    return pp_answer_parse(cbor, feature, &c->w->arena, ret);
}

static pp_res run_call(struct call *c, const struct pp_request *q, const struct pp_request *inner,
                       size_t kib, struct pp_answer *ret)
{
    PP_TRY(open_call(c));
    PP_TRY(verify(c, q));
    PP_TRY(send_call(c, inner, kib));
    return receive(c, inner->feature, ret);
}

static void note_used(struct pp_answer *answer, enum cvm_backend to, const struct call *c)
{
    struct pp_backend *b = &answer->used.items[answer->used.count];

    PP_ASSERT(answer->used.count < PP_BACKEND_MAX);
    b->role = pp_span_cstr(BACKENDS[to].name);
    memcpy(b->release_id, c->verified.appraisal.release_id.bytes, sizeof b->release_id);
    answer->used.count++;
}

/* One question to one back-end; never a second try. */
static pp_res ask(struct worker *w, enum cvm_backend to, const struct pp_request *q,
                  const struct pp_request *inner, size_t kib, struct pp_answer *answer,
                  struct pp_answer *ret)
{
    struct call c = { .w = w, .to = to };
    struct pp_ratls_ctx *ctx = NULL;

    pp_res r = pp_ratls_ctx_new(PP_END_CLIENT, &ctx);
    if (pp_is_ok(r))
        r = pp_ratls_client_new(ctx, &c.tls);
    if (pp_is_ok(r))
        r = run_call(&c, q, inner, kib, ret);
    if (pp_is_ok(r))
        note_used(answer, to, &c);
    pp_ratls_client_free(c.tls);
    pp_ratls_ctx_free(ctx);
    pp_seal_done(&c.seal);
    pp_wipe(&c, sizeof c);
    return r;
}

/* --- the order of calls ----------------------------------------------------------------------- */

struct plan {
    struct worker *w;
    const struct pp_request *q;
    struct pp_answer *answer;
    size_t kib;     /* the bucket that is the device's own */
    pp_res outcome; /* ok, or why there is nothing to say */
};

static struct pp_request inner_request(const struct plan *p, enum pp_feature feature)
{
    struct pp_request r = { .feature = feature, .answer_kib = PP_PEER_ANSWER_KIB };

    memcpy(r.host_set_id, p->q->host_set_id, sizeof r.host_set_id);
    if (feature == PP_FEATURE_SUMMARIZE)
        r.summarize = p->q->summarize;
    return r;
}

/* An outcome of the back-end's is one of the whole; a failure of the call ends the plan. */
static pp_res ask_for(struct plan *p, enum cvm_backend to, const struct pp_request *inner,
                      size_t kib, struct pp_answer *ret)
{
    PP_TRY(ask(p->w, to, p->q, inner, kib, p->answer, ret));
    if (pp_is_ok(p->outcome) && ret->outcome != PP_OUTCOME_OK)
        p->outcome = ret->outcome == PP_OUTCOME_REFUSED ? PP_FAIL(PP_E_ANSWER_REFUSED, to)
                                                        : PP_FAIL(PP_E_ANSWER_FAILED, to);
    return PP_OK;
}

/* Asks the guard; `count` 0 when there is nothing to judge any more, and it is asked all the same:
 * how many calls there are, the host sees. */
static pp_res ask_guard(struct plan *p, enum pp_judged what, struct pp_span *texts, size_t count,
                        size_t kib)
{
    struct pp_request inner = inner_request(p, PP_FEATURE_JUDGE);
    struct pp_answer unused;

    if (!is_named(p->q, CVM_BACKEND_GUARD))
        return PP_OK;
    inner.judge = (struct pp_judge){ .what = what, .texts = texts, .text_count = count };
    return ask_for(p, CVM_BACKEND_GUARD, &inner, kib, &unused);
}

static pp_res judge_request(struct plan *p)
{
    const struct pp_summarize *s = &p->q->summarize;
    struct pp_span *texts = pp_arena_array(&p->w->arena, s->message_count, sizeof *texts);

    PP_CHECK(texts != NULL, PP_E_NO_MEMORY, s->message_count);
    for (size_t i = 0; i < s->message_count; i++)
        texts[i] = s->messages[i].text;
    return ask_guard(p, PP_JUDGED_REQUEST, texts, s->message_count, p->kib);
}

/* The predictor's part. What was refused it is not shown: it gets a question without content. */
static pp_res predict(struct plan *p)
{
    struct pp_request inner = inner_request(p, pp_is_ok(p->outcome) ? PP_FEATURE_SUMMARIZE
                                                                    : PP_FEATURE_JUDGE);
    struct pp_answer got = { 0 };

    if (!is_named(p->q, CVM_BACKEND_PREDICTOR)) {
        if (pp_is_ok(p->outcome))
            p->outcome = worker_summarize(p->w, p->q, p->answer);
        return PP_OK;
    }
    PP_TRY(ask_for(p, CVM_BACKEND_PREDICTOR, &inner, p->kib, &got));
    if (!pp_is_ok(p->outcome))
        return PP_OK;
    p->answer->items = got.items;
    p->answer->item_count = got.item_count;
    p->answer->engine = got.engine;
    return PP_OK;
}

static pp_res judge_answer(struct plan *p)
{
    size_t count = pp_is_ok(p->outcome) ? p->answer->item_count : 0;
    struct pp_span *texts = pp_arena_array(&p->w->arena, PP_ANSWER_ITEM_MAX, sizeof *texts);

    PP_CHECK(texts != NULL, PP_E_NO_MEMORY, PP_ANSWER_ITEM_MAX);
    for (size_t i = 0; i < count; i++)
        texts[i] = p->answer->items[i].text;
    return ask_guard(p, PP_JUDGED_ANSWER, texts, count, PP_PEER_JUDGE_KIB);
}

pp_res worker_ask_backends(struct worker *w, const struct pp_request *q, struct pp_answer *answer)
{
    struct plan p = { .w = w, .q = q, .answer = answer };

    PP_CHECK(q->feature == PP_FEATURE_SUMMARIZE, PP_E_ANSWER_REFUSED, 0);
    PP_TRY(pp_peer_bucket(w->pt_len, pp_kem_info(w->config->message_kem)->enc_len, &p.kib));
    PP_TRY(judge_request(&p));
    PP_TRY(predict(&p));
    PP_TRY(judge_answer(&p));
    return p.outcome;
}

/* --- the back-end's side ---------------------------------------------------------------------- */

/*
 * The channel says whose exporter value and key it shows; the attester said, in B, whose they are.
 * Without this a channel that was taken over could show what a genuine client once attested, for a
 * session of somebody else's.
 */
static pp_res check_own_session(const struct worker *w, const struct pp_ratls_session *session)
{
    uint8_t key[2 + PP_KEM_PK_BYTES_MAX], binding[PP_BINDING_BYTES];
    struct pp_wr wr = pp_wr_over(key, sizeof key);
    struct pp_binding_input in = { .end = PP_END_SERVER, .spki = PP_BYTES(session->spki) };

    pp_wr_u16(&wr, w->config->message_kem);
    pp_wr_span(&wr, pp_kem_key_public(w->key));
    PP_TRY(pp_wr_ok(&wr));
    pp_sha256(pp_wr_done(&wr), in.message_key_digest);
    memcpy(in.ekm, session->ekm, sizeof in.ekm);
    memcpy(in.config_digest, w->config->digest, sizeof in.config_digest);
    memcpy(in.gpu_digest, w->gpu_digest, sizeof in.gpu_digest);
    pp_res r = pp_binding_of(&in, binding);
    pp_wipe(&in, sizeof in);
    PP_TRY(r);
    PP_CHECK(pp_ct_eq(binding, w->binding, sizeof binding) == 1, PP_E_SNP_BINDING, 0);
    return PP_OK;
}

pp_res worker_admit(struct worker *w, struct pp_admitted *ret)
{
    struct pp_peer peer = { .role = PP_RECORD_ORCHESTRATOR,
                            .named_count = w->config->client_count,
                            .texts = w->hints.records,
                            .text_count = w->hints.record_count,
                            .collateral = w->hints.collateral,
                            .collateral_count = w->hints.collateral_count };
    struct pp_trust *trust = pp_arena_alloc(&w->arena, sizeof *trust);
    struct pp_ratls_session session;
    struct pp_span word;

    PP_CHECK(trust != NULL, PP_E_NO_MEMORY, sizeof *trust);
    memcpy(peer.named, w->config->clients, w->config->client_count * sizeof peer.named[0]);
    PP_TRY(worker_hear(w, CVM_WORD_PEER, CVM_PEER_WORD_BYTES, 0, &word));
    struct pp_rd rd = pp_rd_span(word);
    pp_rd_copy(&rd, session.spki, sizeof session.spki);
    pp_rd_copy(&rd, session.ekm, sizeof session.ekm);
    struct pp_span body = pp_rd_rest(&rd);
    pp_res r = pp_rd_ok(&rd);
    if (pp_is_ok(r))
        r = check_own_session(w, &session);
    if (pp_is_ok(r))
        r = anchors(w, trust);
    if (pp_is_ok(r))
        r = pp_peer_admit(trust, &peer, body, &session, NULL, ret);
    pp_wipe(&session, sizeof session);
    pp_trust_done(trust);
    PP_TRY(r);
    return worker_say(w, CVM_WORD_PEER, (struct pp_span){ 0 });
}
