/* SPDX-License-Identifier: Apache-2.0 */
#include "session.h"

#include "bhttp.h"
#include "cred.h"
#include "ct.h"
#include "handle.h"
#include "message.h"

static const struct pp_span SESSIONS_PATH = { (const uint8_t *)"/v1/sessions", 12 };

/* Nothing can be sent, opened or read with what stays. */
static void forget(struct pp_session *s)
{
    pp_ohttp_done(&s->exchange);
    pp_seal_done(&s->seal);
    pp_ratls_client_free(s->tls);
    s->tls = NULL;
    pp_wipe(&s->verified, sizeof s->verified);
}

/* Ends the session: keys go, the code stays. */
static pp_res end(struct pp_session *s, pp_res r)
{
    s->state = PP_SESSION_FAILED;
    forget(s);
    return r;
}

static pp_res refuse(struct pp_session *s, pp_res r, const char *party, const char *field,
                     const char *expected, struct pp_span got)
{
    pp_problem_party(s->env.problem, party);
    pp_problem_set(s->env.problem, field, expected, got);
    return end(s, r);
}

/* --- start ------------------------------------------------------------------------------------ */

/* The one OHTTP key that the ledger lists for now: never one that a server offers. */
static pp_res choose_key(struct pp_session *s)
{
    const struct pp_key_epoch *epoch;
    struct pp_problem *problem = s->env.problem;

    pp_problem_party(problem, "directory bundle");
    pp_res r = pp_ledger_key_at(s->env.ledger, PP_RECORD_OHTTP, s->env.ledger->now_posix_s, &epoch);
    if (!pp_is_ok(r)) {
        pp_problem_set(problem, "keys ohttp", "a key in use now", PP_STR("none"));
        return r;
    }
    if (!pp_is_ok(pp_keylist_parse(pp_span(epoch->config, epoch->config_len), &s->keys)) ||
        !pp_is_ok(pp_keylist_select(&s->keys, s->env.trust->ohttp_kem, &s->key, &s->suite))) {
        pp_problem_set(problem, "keys ohttp", "a key list with the policy's KEM", PP_STR(""));
        return PP_FAIL(PP_E_OHTTP_KEY, 0);
    }
    return PP_OK;
}

pp_res pp_session_init(struct pp_session *s, const struct pp_session_env *env)
{
    *s = (struct pp_session){ .env = *env };
    pp_res r = choose_key(s);
    if (pp_is_ok(r))
        r = pp_ratls_client_new(env->ratls, &s->tls);
    if (!pp_is_ok(r))
        return end(s, r);
    return PP_OK;
}

void pp_session_done(struct pp_session *s)
{
    forget(s);
    pp_wipe(s, sizeof *s);
}

/* --- a POST inside the OHTTP body ------------------------------------------------------------- */

struct post {
    struct pp_span path;
    struct pp_span field_name, field_value;
    struct pp_span content;
};

/* Binary HTTP with exactly the fields of pp-wire 3, filled for an OHTTP body of `total` bytes. */
static pp_res encapsulate(struct pp_session *s, const struct post *p, size_t total,
                          struct pp_span *ret_body)
{
    struct pp_bhttp *m = pp_arena_alloc(s->env.arena, sizeof *m);
    uint8_t *inner = pp_arena_alloc(s->env.arena, total);
    uint8_t *outer = pp_arena_alloc(s->env.arena, total);

    PP_CHECK(m != NULL && inner != NULL && outer != NULL, PP_E_NO_MEMORY, total);
    m->framing = PP_BHTTP_REQUEST;
    m->method = PP_STR("POST");
    m->scheme = PP_STR("https");
    m->authority = s->env.trust->gateway_authority;
    m->path = p->path;
    PP_TRY(pp_bhttp_add(m, &m->header, p->field_name, p->field_value));
    pp_bhttp_set_content(m, p->content);

    size_t inner_len = total - pp_ohttp_request_overhead(s->key->kem);
    struct pp_wr inner_wr = pp_wr_over(inner, inner_len);
    struct pp_wr outer_wr = pp_wr_over(outer, total);
    PP_TRY(pp_bhttp_write_padded(m, inner_len, &inner_wr));
    PP_TRY(pp_ohttp_request_seal(&s->exchange, s->key, s->suite, s->env.random,
                                 pp_wr_done(&inner_wr), &outer_wr));
    pp_wipe(inner, total);
    *ret_body = pp_wr_done(&outer_wr);
    PP_ASSERT(ret_body->len == total);
    return PP_OK;
}

/* Opens the OHTTP body and reads the message in it. Nothing but the gateway can have made it. */
static pp_res decapsulate(struct pp_session *s, uint8_t *body, size_t len, size_t want,
                          struct pp_bhttp *ret)
{
    struct pp_span inner;

    if (len != want) {
        pp_problem_party(s->env.problem, "relay");
        pp_problem_numbers(s->env.problem, "size of the answer in bytes", want, len);
        return PP_FAIL(len < want ? PP_E_ANSWER_TRUNCATED : PP_E_FORMAT, len);
    }
    pp_problem_party(s->env.problem, "relay or gateway");
    pp_problem_set(s->env.problem, "answer", "one sealed by the gateway for this request",
                   PP_STR("other bytes"));
    PP_TRY(pp_ohttp_response_open(&s->exchange, body, len, &inner));
    pp_problem_party(s->env.problem, "gateway");
    pp_problem_set(s->env.problem, "answer", "a Binary HTTP response", PP_STR("other bytes"));
    PP_TRY(pp_bhttp_parse(inner, ret));
    PP_CHECK(ret->framing == PP_BHTTP_RESPONSE, PP_E_FORMAT, ret->framing);
    pp_problem_set(s->env.problem, "", "", PP_STR(""));
    return PP_OK;
}

static pp_res status_is_200(struct pp_session *s, const struct pp_bhttp *m)
{
    enum pp_code code = PP_E_HTTP_STATUS;

    if (m->status == 200)
        return PP_OK;
    if (m->status == 401)
        code = PP_E_TOKEN_REFUSED;
    if (m->status == 410)
        code = PP_E_SESSION_GONE;
    if (m->status == 503)
        code = PP_E_NO_CVM;
    pp_problem_party(s->env.problem, "gateway");
    pp_problem_numbers(s->env.problem, "inner status", 200, m->status);
    return PP_FAIL(code, m->status);
}

/* --- exchange #1 ------------------------------------------------------------------------------ */

static pp_res open_body(struct pp_session *s, struct pp_span token, struct pp_span *ret_body)
{
    uint8_t field[PP_TOKEN_FIELD_BYTES_MAX];
    uint8_t hello[PP_HELLO_BYTES];
    struct pp_wr field_wr = pp_wr_over(field, sizeof field);
    struct pp_wr hello_wr = pp_wr_over(hello, sizeof hello);

    PP_TRY(pp_ratls_client_take(s->tls, &hello_wr));
    pp_token_field_write(token, &field_wr);
    const struct post p = { .path = SESSIONS_PATH,
                            .field_name = PP_STR("authorization"),
                            .field_value = pp_wr_done(&field_wr),
                            .content = pp_wr_done(&hello_wr) };
    pp_res r = pp_wr_ok(&field_wr);
    if (pp_is_ok(r))
        r = encapsulate(s, &p, PP_BUCKET_1_UP_BYTES, ret_body);
    pp_wipe(field, sizeof field);
    return r;
}

pp_res pp_session_open(struct pp_session *s, struct pp_span token, struct pp_span *ret_body)
{
    PP_CHECK(s->state == PP_SESSION_NEW, PP_E_STATE, s->state);
    pp_res r = open_body(s, token, ret_body);
    if (!pp_is_ok(r))
        return end(s, r);
    s->sizes[0][0] = (uint32_t)ret_body->len;
    s->state = PP_SESSION_OPENING;
    return PP_OK;
}

static pp_res read_handle(struct pp_session *s, const struct pp_bhttp *m)
{
    struct pp_span handle;

    pp_problem_set(s->env.problem, "pp-session", "a session handle of 98 characters", PP_STR(""));
    PP_TRY_AS(PP_E_FORMAT, pp_bhttp_field(m, m->header, PP_STR("pp-session"), &handle));
    PP_CHECK(handle.len == PP_HANDLE_TEXT_BYTES, PP_E_FORMAT, handle.len);
    for (size_t i = 0; i < handle.len; i++) {
        uint8_t c = handle.at[i];
        int ok = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                 c == '-' || c == '_';
        PP_CHECK(ok, PP_E_FORMAT, i);
    }
    memcpy(s->handle, handle.at, handle.len);
    s->handle_len = handle.len;
    return PP_OK;
}

/* The server's whole first flight, then Evidence; nothing else may stand there. */
static pp_res read_flight(struct pp_session *s, struct pp_span flight)
{
    struct pp_checks *c = s->env.checks;
    struct pp_span body;

    pp_problem_party(s->env.problem, "CVM");
    pp_problem_set(s->env.problem, "first flight", "TLS 1.3 of the profile, then one Evidence",
                   PP_STR(""));
    PP_TRY(pp_ratls_client_feed(s->tls, flight));
    PP_TRY(pp_ratls_client_flight_end(s->tls));
    pp_check_add(c, PP_STEP_TLS, PP_E_TLS_VERSION, PP_VERDICT_PROVEN,
                 "TLS 1.3, one suite, one group, no ticket, no resumption, no early data",
                 PP_STR("pp-wire 5"), PP_STR("TLS_AES_256_GCM_SHA384, x25519"));
    PP_TRY(pp_ratls_client_evidence(s->tls, &body));
    pp_check_add_number(c, PP_STEP_EVIDENCE, PP_E_EVIDENCE_SIZE, PP_VERDICT_PROVEN,
                        "exactly one Evidence message came, of the one size", PP_STR("pp-wire 6"),
                        body.len, "bytes");
    PP_ASSERT(body.len == sizeof s->evidence);
    memcpy(s->evidence, body.at, sizeof s->evidence);
    s->evidence_len = body.len;
    pp_problem_set(s->env.problem, "", "", PP_STR(""));
    return pp_ratls_client_session(s->tls, &s->binding);
}

static pp_res opened(struct pp_session *s, uint8_t *body, size_t len)
{
    struct pp_bhttp *m = pp_arena_alloc(s->env.arena, sizeof *m);

    PP_CHECK(m != NULL, PP_E_NO_MEMORY, sizeof *m);
    s->sizes[0][1] = (uint32_t)len;
    PP_TRY(decapsulate(s, body, len, PP_BUCKET_1_DOWN_BYTES, m));
    PP_TRY(status_is_200(s, m));
    PP_TRY(read_handle(s, m));
    pp_check_add_number(s->env.checks, PP_STEP_EXCHANGE, PP_E_AUTH, PP_VERDICT_PROVEN,
                        "the gateway that holds the logged OHTTP key answered through the relay",
                        PP_STR("key-epoch record"), len, "bytes, as always");
    PP_TRY(read_flight(s, m->content));
    return pp_appraise(s->env.trust, s->env.ledger, s->env.marks, PP_RECORD_ORCHESTRATOR, s->tls,
                       s->env.checks, s->env.problem, &s->verified);
}

pp_res pp_session_opened(struct pp_session *s, uint8_t *body, size_t len,
                         const struct pp_verified **ret)
{
    PP_CHECK(s->state == PP_SESSION_OPENING, PP_E_STATE, s->state);
    pp_res r = opened(s, body, len);
    if (!pp_is_ok(r))
        return end(s, r);
    pp_ohttp_done(&s->exchange);
    s->state = PP_SESSION_VERIFIED;
    *ret = &s->verified;
    return PP_OK;
}

/* --- sizes ------------------------------------------------------------------------------------ */

/* Whether the request with its latest `count` messages takes at most `room` bytes. */
static pp_res latest_fit(const struct pp_request *request, size_t count, uint8_t *scratch,
                         size_t room)
{
    struct pp_request r = *request;
    struct pp_wr wr = pp_wr_over(scratch, room);

    r.summarize.messages += request->summarize.message_count - count;
    r.summarize.message_count = count;
    return pp_request_write(&wr, &r);
}

pp_res pp_session_fits(const struct pp_trust *trust, const struct pp_request *request,
                       struct pp_arena *arena)
{
    /* A list of back-ends as long as can be; how long it is, only the Evidence says. */
    enum { BACKENDS_BYTES = PP_BACKEND_MAX * (5 + PP_BACKEND_ROLE_BYTES_MAX + PP_RECORD_ID_BYTES) };
    size_t fit = 0, too_many = request->summarize.message_count, room;
    uint8_t *scratch = pp_arena_alloc(arena, PP_REQUEST_BYTES_MAX);

    PP_CHECK(scratch != NULL, PP_E_NO_MEMORY, PP_REQUEST_BYTES_MAX);
    PP_TRY(pp_request_room(PP_BUCKET_2_UP_KIB_MAX, pp_kem_info(trust->ohttp_kem)->enc_len,
                           pp_kem_info(trust->message_kem)->enc_len, &room));
    room -= 4 + BACKENDS_BYTES;
    pp_res r = latest_fit(request, too_many, scratch, room);
    while (r.code == PP_E_NO_SPACE && too_many - fit > 1) {
        size_t middle = fit + (too_many - fit) / 2;

        if (pp_is_ok(latest_fit(request, middle, scratch, room)))
            fit = middle;
        else
            too_many = middle;
    }
    pp_wipe(scratch, room);
    return r.code == PP_E_NO_SPACE ? PP_FAIL(PP_E_TOO_LARGE, fit) : r;
}

/* --- exchange #2 ------------------------------------------------------------------------------ */

/* What the status allows and the Evidence named: the worker may use no other back-end. */
static pp_res fill_request(struct pp_session *s, struct pp_request *request)
{
    struct pp_evidence e;
    struct pp_span cbor;

    PP_TRY(pp_evidence_body_parse(pp_span(s->evidence, s->evidence_len), &cbor));
    PP_TRY(pp_evidence_parse(cbor, PP_END_SERVER, &e));
    request->backends = e.backends; /* appraised: each is in the status */
    s->allowed = e.backends;
    memcpy(request->host_set_id, s->verified.appraisal.host_set_id.bytes, PP_RECORD_ID_BYTES);
    return PP_OK;
}

/* The smallest bucket that holds the request, and the request in it: padded, then sealed. */
static pp_res seal_request(struct pp_session *s, const struct pp_verified *v,
                           const struct pp_request *request, size_t *ret_bucket_kib,
                           struct pp_span *ret_message)
{
    const struct pp_appraisal *a = &v->appraisal;
    size_t cap = PP_BUCKET_2_UP_KIB_MAX * 1024, room, message_cap;
    size_t outer_enc = pp_kem_info(s->key->kem)->enc_len;
    size_t inner_enc = pp_kem_info(a->message_kem)->enc_len;
    uint8_t *pt = pp_arena_alloc(s->env.arena, cap);
    PP_CHECK(pt != NULL, PP_E_NO_MEMORY, cap);

    struct pp_wr wr = pp_wr_over(pt, cap);
    size_t mark = pp_padded_begin(&wr);
    size_t before = wr.len;
    pp_res r = pp_request_write(&wr, request);
    if (r.code == PP_E_NO_SPACE)
        r.code = PP_E_TOO_LARGE;
    PP_TRY(r);
    PP_TRY(pp_request_bucket(wr.len - before, outer_enc, inner_enc, ret_bucket_kib));
    PP_TRY(pp_request_room(*ret_bucket_kib, outer_enc, inner_enc, &room));
    PP_TRY(pp_padded_end(&wr, mark, room));

    size_t sealed_len = room + pp_sealed_request_extra(a->message_kem);
    message_cap = PP_MESSAGE_HEAD_BYTES + sealed_len;
    uint8_t *message = pp_arena_alloc(s->env.arena, message_cap);
    PP_CHECK(message != NULL, PP_E_NO_MEMORY, message_cap);
    struct pp_wr out = pp_wr_over(message, message_cap);
    pp_message_head_write(&out, PP_MESSAGE_SEALED_REQUEST, sealed_len);
    PP_TRY(pp_seal_request(&s->seal, a->message_kem, pp_span(a->message_pk, a->message_pk_len),
                           pp_ratls_permit_binding(&v->permit), s->env.random, pp_wr_done(&wr),
                           &out));
    pp_wipe(pt, wr.len);
    *ret_message = pp_wr_done(&out);
    return PP_OK;
}

static pp_res send_body(struct pp_session *s, const struct pp_verified *v,
                        struct pp_request *request, struct pp_span *ret_body)
{
    char path[16 + PP_SESSION_HANDLE_BYTES_MAX], max[8];
    struct pp_wr path_wr = pp_wr_over(path, sizeof path), max_wr = pp_wr_over(max, sizeof max);
    struct pp_span message;
    size_t bucket_kib;

    PP_TRY(fill_request(s, request));
    PP_TRY(seal_request(s, v, request, &bucket_kib, &message));
    size_t answer_len = pp_answer_room(request->answer_kib) + PP_SEALED_RESPONSE_EXTRA;
    PP_TRY(pp_ratls_client_send(s->tls, &v->permit, message, answer_len));

    size_t tls_len = pp_ratls_client_pending(s->tls);
    uint8_t *tls = pp_arena_alloc(s->env.arena, tls_len);
    PP_CHECK(tls != NULL, PP_E_NO_MEMORY, tls_len);
    struct pp_wr tls_wr = pp_wr_over(tls, tls_len);
    PP_TRY(pp_ratls_client_take(s->tls, &tls_wr));
    pp_wr_span(&path_wr, SESSIONS_PATH);
    pp_wr_u8(&path_wr, '/');
    pp_wr_bytes(&path_wr, s->handle, s->handle_len);
    pp_wr_decimal(&max_wr, request->answer_kib);
    const struct post p = { .path = pp_wr_done(&path_wr),
                            .field_name = PP_STR("pp-max"),
                            .field_value = pp_wr_done(&max_wr),
                            .content = pp_wr_done(&tls_wr) };
    PP_TRY(encapsulate(s, &p, bucket_kib * 1024, ret_body));
    s->feature = request->feature;
    s->answer_kib = request->answer_kib;
    s->sizes[1][0] = (uint32_t)ret_body->len;
    return PP_OK;
}

pp_res pp_session_send(struct pp_session *s, const struct pp_verified *verified,
                       struct pp_request *request, struct pp_span *ret_body)
{
    PP_CHECK(s->state == PP_SESSION_VERIFIED, PP_E_STATE, s->state);
    /* The permit inside is compared with the session once more where the bytes are written. */
    PP_CHECK(verified == &s->verified, PP_E_UNVERIFIED, 0);
    pp_res r = send_body(s, verified, request, ret_body);
    if (r.code == PP_E_TOO_LARGE)
        return refuse(s, r, "ppctl", "request", "one that fits the largest bucket", PP_STR("more"));
    if (!pp_is_ok(r))
        return end(s, r);
    s->state = PP_SESSION_SENT;
    return PP_OK;
}

static pp_res read_answer(struct pp_session *s, struct pp_span sealed, struct pp_answer *ret)
{
    uint8_t *pt = pp_arena_alloc(s->env.arena, sealed.len);
    struct pp_span cbor;
    size_t pt_len = 0;

    PP_CHECK(pt != NULL, PP_E_NO_MEMORY, sealed.len);
    pp_problem_party(s->env.problem, "CVM");
    pp_problem_set(s->env.problem, "answer", "one sealed by the worker for this request",
                   PP_STR("other bytes"));
    PP_TRY(pp_seal_open_response(&s->seal, sealed, pt, &pt_len));
    PP_TRY(pp_padded_parse(pp_span(pt, pt_len), &cbor));
    PP_TRY(pp_answer_parse(cbor, s->feature, s->env.arena, ret));
    pp_problem_set(s->env.problem, "", "", PP_STR(""));
    return PP_OK;
}

/* The worker takes no other back-end than those of the request; an answer that says otherwise is
 * from no program that was published. */
static pp_res check_used(struct pp_session *s, const struct pp_backends *used)
{
    for (size_t i = 0; i < used->count; i++)
        if (!pp_backends_hold(&s->allowed, &used->items[i])) {
            pp_problem_set(s->env.problem, "back-end", "one that the request allowed",
                           used->items[i].role);
            return PP_FAIL(PP_E_FORMAT, i);
        }
    return PP_OK;
}

static pp_res answered(struct pp_session *s, uint8_t *body, size_t len, struct pp_answer *ret)
{
    struct pp_bhttp *m = pp_arena_alloc(s->env.arena, sizeof *m);
    struct pp_span sealed;

    PP_CHECK(m != NULL, PP_E_NO_MEMORY, sizeof *m);
    s->sizes[1][1] = (uint32_t)len;
    PP_TRY(decapsulate(s, body, len, s->answer_kib * 1024, m));
    PP_TRY(status_is_200(s, m));
    pp_problem_party(s->env.problem, "CVM");
    pp_problem_set(s->env.problem, "answer", "one whole sealed answer inside TLS", PP_STR(""));
    PP_TRY(pp_ratls_client_feed(s->tls, m->content));
    PP_TRY(pp_ratls_client_answer(s->tls, &sealed));
    PP_TRY(read_answer(s, sealed, ret));
    return check_used(s, &ret->used);
}

pp_res pp_session_answered(struct pp_session *s, uint8_t *body, size_t len, struct pp_answer *ret)
{
    PP_CHECK(s->state == PP_SESSION_SENT, PP_E_STATE, s->state);
    pp_res r = answered(s, body, len, ret);
    if (!pp_is_ok(r))
        return end(s, r);
    s->state = PP_SESSION_DONE;
    forget(s);
    if (ret->outcome == PP_OUTCOME_REFUSED)
        return PP_FAIL(PP_E_ANSWER_REFUSED, 0);
    if (ret->outcome == PP_OUTCOME_FAILED)
        return PP_FAIL(PP_E_ANSWER_FAILED, 0);
    return PP_OK;
}
