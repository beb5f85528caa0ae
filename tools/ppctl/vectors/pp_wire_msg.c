/* SPDX-License-Identifier: Apache-2.0 */
/* The message formats of lib/msg, as JSON and back. */
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "bundle.h"
#include "evidence.h"
#include "frame.h"
#include "handle.h"
#include "hash.h"
#include "hints.h"
#include "message.h"
#include "pp_wire.h"
#include "profile.h"
#include "receipt.h"
#include "request.h"
#include "seal.h"

enum { SCRATCH_BYTES = 1 << 20, FRAME_BYTES = 4096 };

static uint8_t scratch[SCRATCH_BYTES];

static json_t *text_of(struct pp_span s)
{
    return json_stringn((const char *)s.at, s.len);
}

static json_t *hex_list(const struct pp_span *list, size_t count)
{
    json_t *a = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(a, pp_wire_hex(list[i]));
    return a;
}

static json_t *node_list(const uint8_t (*nodes)[PP_HASH_NODE_BYTES], size_t count)
{
    json_t *a = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(a, pp_wire_hex(PP_BYTES(nodes[i])));
    return a;
}

static json_t *backend_list(const struct pp_backends *b)
{
    json_t *a = json_array();

    for (size_t i = 0; i < b->count; i++)
        json_array_append_new(a, json_pack("[o, o]", text_of(b->items[i].role),
                                           pp_wire_hex(PP_BYTES(b->items[i].release_id))));
    return a;
}

static json_t *host_list(const struct pp_host_path *hosts, size_t count)
{
    json_t *a = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(a,
                              json_pack("[o, I, I, o]", pp_wire_hex(PP_BYTES(hosts[i].record_id)),
                                        (json_int_t)hosts[i].size, (json_int_t)hosts[i].index,
                                        node_list(hosts[i].nodes, hosts[i].node_count)));
    return a;
}

static json_t *engine_list(const struct pp_engine *e)
{
    return json_pack("[o, o, o]", text_of(e->kind), text_of(e->name), pp_wire_hex(e->model_digest));
}

/* What was written back must be what was read. */
static pp_res same(const struct pp_wr *wr, struct pp_span bytes)
{
    PP_TRY(pp_wr_ok(wr));
    PP_CHECK(pp_span_eq(pp_wr_done(wr), bytes), PP_E_MISMATCH, wr->len);
    return PP_OK;
}

pp_res pp_wire_evidence(const json_t *row, struct pp_span bytes, struct pp_arena *arena,
                        json_t **ret_fields)
{
    const char *end = json_string_value(json_object_get(row, "end"));
    struct pp_wr wr = pp_wr_over(scratch, sizeof scratch);
    struct pp_evidence e;
    uint8_t digest[PP_SHA256_BYTES];

    (void)arena;
    PP_CHECK(end != NULL && (strcmp(end, "s") == 0 || strcmp(end, "c") == 0), PP_E_USAGE, 0);
    PP_TRY(pp_evidence_parse(bytes, (enum pp_end)end[0], &e));
    PP_TRY(pp_evidence_write(&wr, &e));
    PP_TRY(same(&wr, bytes));

    json_t *f = json_pack(
        "{s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "platform", pp_platform_name(e.platform), "report",
        pp_wire_hex(e.report), "endorsements", hex_list(e.endorsements, e.endorsement_count),
        "release_id", pp_wire_hex(PP_BYTES(e.release_id)), "config", pp_wire_hex(e.config), "hosts",
        host_list(e.hosts, e.host_count), "backends", backend_list(&e.backends));
    if (e.message_key.len > 0) {
        json_object_set_new(f, "message_kem", json_integer(e.message_kem));
        json_object_set_new(f, "message_pk", pp_wire_hex(e.message_pk));
    }
    if (e.batch.size > 0)
        json_object_set_new(f, "batch",
                            json_pack("[I, I, o]", (json_int_t)e.batch.size,
                                      (json_int_t)e.batch.index,
                                      node_list(e.batch.nodes, e.batch.node_count)));
    if (e.gpu_encoding.len > 0) {
        pp_sha256(e.gpu_encoding, digest);
        json_object_set_new(f, "gpu_digest", pp_wire_hex(PP_BYTES(digest)));
        json_object_set_new(f, "gpu",
                            json_pack("[o, o, o, o]", pp_wire_hex(PP_BYTES(e.gpu.fresh)),
                                      pp_wire_hex(e.gpu.report),
                                      hex_list(e.gpu.certs, e.gpu.cert_count),
                                      hex_list(e.gpu.ocsp, e.gpu.ocsp_count)));
    }
    *ret_fields = f;
    return PP_OK;
}

pp_res pp_wire_evidence_body(const json_t *row, struct pp_span bytes, struct pp_arena *arena,
                             json_t **ret_fields)
{
    struct pp_span cbor;

    (void)row;
    (void)arena;
    PP_TRY(pp_evidence_body_parse(bytes, &cbor));
    *ret_fields = json_pack("{s:o}", "cbor", pp_wire_hex(cbor));
    return PP_OK;
}

pp_res pp_wire_hints(const json_t *row, struct pp_span bytes, struct pp_arena *arena,
                     json_t **ret_fields)
{
    struct pp_wr wr = pp_wr_over(scratch, sizeof scratch);
    struct pp_hints h;

    (void)row;
    (void)arena;
    PP_TRY(pp_hints_parse(bytes, &h));
    PP_TRY(pp_hints_write(&wr, &h));
    PP_TRY(same(&wr, bytes));
    *ret_fields = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "endorsements",
                            hex_list(h.endorsements, h.endorsement_count), "release_id",
                            pp_wire_hex(PP_BYTES(h.release_id)), "hosts",
                            host_list(h.hosts, h.host_count), "backends", backend_list(&h.backends),
                            "records", hex_list(h.records, h.record_count), "collateral",
                            hex_list(h.collateral, h.collateral_count));
    return PP_OK;
}

/* Feeds the stream in pieces of `step` bytes, and gives its frames. */
static pp_res frames_in_steps(enum pp_frame_side side, struct pp_span bytes, size_t step,
                              json_t **ret)
{
    static uint8_t body[FRAME_BYTES];
    struct pp_frame_rd f;
    struct pp_rd rd = pp_rd_span(bytes);
    json_t *frames = json_array();
    pp_res r = PP_OK;

    pp_frame_rd_init(&f, side, body, sizeof body);
    while (pp_is_ok(r) && rd.left > 0) {
        struct pp_span piece = pp_rd_bytes(&rd, step < rd.left ? step : rd.left);
        while (pp_is_ok(r) && piece.len > 0) {
            const struct pp_frame *frame = NULL;
            r = pp_frame_feed(&f, &piece, &frame);
            if (pp_is_ok(r) && frame != NULL)
                json_array_append_new(frames, json_pack("[I, I, o, o]", (json_int_t)frame->kind,
                                                        (json_int_t)frame->tag,
                                                        pp_wire_hex(PP_BYTES(frame->sid)),
                                                        pp_wire_hex(frame->bytes)));
        }
    }
    *ret = json_pack("{s:o, s:I}", "frames", frames, "left", (json_int_t)f.have);
    return r;
}

pp_res pp_wire_frame(const json_t *row, struct pp_span bytes, struct pp_arena *arena,
                     json_t **ret_fields)
{
    const char *name = json_string_value(json_object_get(row, "side"));
    json_t *whole, *bytewise;

    (void)arena;
    PP_CHECK(name != NULL, PP_E_USAGE, 0);
    enum pp_frame_side side = strcmp(name, "requests") == 0 ? PP_FRAME_REQUESTS : PP_FRAME_ANSWERS;
    pp_res r = frames_in_steps(side, bytes, bytes.len, &whole);
    pp_res s = frames_in_steps(side, bytes, 1, &bytewise);
    int agree = r.code == s.code && json_equal(whole, bytewise);
    json_decref(bytewise);
    if (!agree || !pp_is_ok(r)) {
        json_decref(whole);
        return agree ? r : PP_FAIL(PP_E_MISMATCH, s.code);
    }
    *ret_fields = whole;
    return PP_OK;
}

static pp_res handle_keys(const json_t *row, struct pp_handle_keys *keys)
{
    size_t i;
    const json_t *k;

    json_array_foreach(json_object_get(row, "keys"), i, k)
    {
        PP_CHECK(i < PP_HANDLE_KEY_MAX, PP_E_USAGE, i);
        struct pp_buf key = vectors_hex(k, "key");
        pp_res r = pp_aead_new(PP_AES_256_GCM, pp_buf_span(&key), &keys->keys[i].aead);
        pp_buf_done(&key);
        PP_TRY(r);
        keys->keys[i].id = (uint8_t)json_integer_value(json_object_get(k, "id"));
        keys->count = i + 1;
    }
    return PP_OK;
}

pp_res pp_wire_handle(const json_t *row, struct pp_span bytes, struct pp_arena *arena,
                      json_t **ret_fields)
{
    struct pp_handle_keys keys = { 0 };
    struct pp_handle h;
    uint64_t now = (uint64_t)json_integer_value(json_object_get(row, "now"));

    (void)arena;
    pp_res r = handle_keys(row, &keys);
    if (pp_is_ok(r))
        r = pp_handle_open(&keys, bytes, now, &h);
    for (size_t i = 0; i < keys.count; i++)
        pp_aead_free(keys.keys[i].aead);
    PP_TRY(r);
    *ret_fields = json_pack("{s:i, s:o, s:i, s:o, s:I}", "family", (int)h.address.family, "address",
                            pp_wire_hex(PP_BYTES(h.address.bytes)), "port", (int)h.address.port,
                            "sid", pp_wire_hex(PP_BYTES(h.sid)), "expiry",
                            (json_int_t)h.expiry_posix_s);
    return PP_OK;
}

static pp_res seal_open(const json_t *row, const struct pp_kem_key *key, struct pp_span binding,
                        struct pp_span sealed, struct pp_seal *s, json_t *fields)
{
    struct pp_buf response = vectors_hex(row, "response");
    size_t len = 0;
    pp_res r = binding.len == PP_BINDING_BYTES
                   ? pp_seal_open_request(s, key, binding.at, sealed, scratch, &len)
                   : PP_FAIL(PP_E_USAGE, 0);

    if (pp_is_ok(r))
        json_object_set_new(fields, "pt", pp_wire_hex(pp_span(scratch, len)));
    if (pp_is_ok(r) && json_object_get(row, "response") != NULL) {
        /* Both ends derive the same key; the opener of the request may read the answer too. */
        r = pp_seal_open_response(s, pp_buf_span(&response), scratch, &len);
        if (pp_is_ok(r))
            json_object_set_new(fields, "answer_pt", pp_wire_hex(pp_span(scratch, len)));
    }
    pp_buf_done(&response);
    return r;
}

pp_res pp_wire_seal(const json_t *row, struct pp_span bytes, struct pp_arena *arena,
                    json_t **ret_fields)
{
    uint16_t kem = (uint16_t)json_integer_value(json_object_get(row, "kem"));
    struct pp_buf sk = vectors_hex(row, "sk");
    struct pp_buf binding = vectors_hex(row, "binding");
    struct pp_kem_key *key = NULL;
    struct pp_seal s = { 0 };
    json_t *fields = json_object();

    (void)arena;
    pp_res r = pp_kem_key_import(kem, pp_buf_span(&sk), &key);
    if (pp_is_ok(r))
        r = seal_open(row, key, pp_buf_span(&binding), bytes, &s, fields);
    pp_seal_done(&s);
    pp_kem_key_free(key);
    pp_buf_done(&sk);
    pp_buf_done(&binding);
    *ret_fields = fields;
    return r;
}

pp_res pp_wire_padded(const json_t *row, struct pp_span bytes, struct pp_arena *arena,
                      json_t **ret_fields)
{
    struct pp_wr wr = pp_wr_over(scratch, sizeof scratch);
    struct pp_span cbor;

    (void)row;
    (void)arena;
    PP_TRY(pp_padded_parse(bytes, &cbor));
    size_t mark = pp_padded_begin(&wr);
    pp_wr_span(&wr, cbor);
    PP_TRY(pp_padded_end(&wr, mark, bytes.len));
    PP_TRY(same(&wr, bytes));
    *ret_fields = json_pack("{s:o}", "cbor", pp_wire_hex(cbor));
    return PP_OK;
}

pp_res pp_wire_request(const json_t *row, struct pp_span bytes, struct pp_arena *arena,
                       json_t **ret_fields)
{
    struct pp_wr wr = pp_wr_over(scratch, sizeof scratch);
    struct pp_request r;

    (void)row;
    PP_TRY(pp_request_parse(bytes, arena, &r));
    if (r.feature != PP_FEATURE_SUMMARIZE) {
        *ret_fields = json_pack("{s:s}", "feature", "");
        return PP_OK;
    }
    PP_TRY(pp_request_write(&wr, &r));
    PP_TRY(same(&wr, bytes));
    json_t *messages = json_array();
    for (size_t i = 0; i < r.summarize.message_count; i++) {
        const struct pp_chat_message *m = &r.summarize.messages[i];
        json_array_append_new(messages,
                              json_pack("[I, I, I, o]", (json_int_t)m->id, (json_int_t)m->sender,
                                        (json_int_t)m->minute, text_of(m->text)));
    }
    *ret_fields = json_pack(
        "{s:o, s:I, s:o, s:o, s:o, s:I, s:o}", "feature", text_of(r.feature_name), "answer_kib",
        (json_int_t)r.answer_kib, "backends", backend_list(&r.backends), "host_set_id",
        pp_wire_hex(PP_BYTES(r.host_set_id)), "language", text_of(r.summarize.language), "words",
        (json_int_t)r.summarize.words, "messages", messages);
    return PP_OK;
}

pp_res pp_wire_answer(const json_t *row, struct pp_span bytes, struct pp_arena *arena,
                      json_t **ret_fields)
{
    struct pp_wr wr = pp_wr_over(scratch, sizeof scratch);
    struct pp_answer a;
    struct pp_span cbor;
    size_t items;

    (void)row;
    PP_TRY(pp_answer_parse(bytes, PP_FEATURE_SUMMARIZE, arena, &a));
    PP_TRY(pp_answer_write_padded(&wr, &a, bytes.len + 4, &items));
    PP_TRY(pp_padded_parse(pp_wr_done(&wr), &cbor));
    PP_CHECK(items == a.item_count && pp_span_eq(cbor, bytes), PP_E_MISMATCH, items);

    json_t *list = json_array();
    for (size_t i = 0; i < a.item_count; i++) {
        json_t *cited = json_array();
        for (size_t n = 0; n < a.items[i].cited_count; n++)
            json_array_append_new(cited, json_integer(a.items[i].cited[n]));
        json_array_append_new(list, json_pack("[s, o, o]", pp_item_kind_name(a.items[i].kind),
                                              text_of(a.items[i].text), cited));
    }
    *ret_fields = json_pack("{s:i, s:o, s:o, s:o}", "outcome", (int)a.outcome, "items", list,
                            "used", backend_list(&a.used), "engine", engine_list(&a.engine));
    return PP_OK;
}

static json_t *bundle_fields(const struct pp_bundle *b)
{
    json_t *records = json_array();

    for (size_t i = 0; i < b->record_count; i++)
        json_array_append_new(records, json_pack("[o, o]", pp_wire_hex(b->records[i].entry),
                                                 pp_wire_hex(b->records[i].proof)));
    return json_pack("{s:[o, o], s:o, s:o, s:o}", "status", pp_wire_hex(b->status.entry),
                     pp_wire_hex(b->status.proof), "records", records, "blobs",
                     hex_list(b->blobs, b->blob_count), "revokes",
                     hex_list(b->revokes, b->revoke_count));
}

pp_res pp_wire_bundle(const json_t *row, struct pp_span bytes, struct pp_arena *arena,
                      json_t **ret_fields)
{
    struct pp_wr wr = pp_wr_over(scratch, sizeof scratch);
    struct pp_bundle b;

    (void)row;
    PP_TRY(pp_bundle_parse(bytes, arena, &b));
    PP_TRY(pp_bundle_write(&wr, &b));
    PP_TRY(same(&wr, bytes));
    *ret_fields = bundle_fields(&b);
    return PP_OK;
}

pp_res pp_wire_receipt(const json_t *row, struct pp_span bytes, struct pp_arena *arena,
                       json_t **ret_fields)
{
    struct pp_wr wr = pp_wr_over(scratch, sizeof scratch);
    struct pp_receipt r;

    (void)row;
    PP_TRY(pp_receipt_parse(bytes, arena, &r));
    PP_TRY(pp_receipt_write(&wr, &r));
    PP_TRY(same(&wr, bytes));

    json_t *anchors = json_array();
    for (size_t i = 0; i < r.anchor_count; i++)
        json_array_append_new(anchors, json_pack("[o, o]", text_of(r.anchors[i].name),
                                                 pp_wire_hex(r.anchors[i].bytes)));
    json_t *checks = json_array();
    for (size_t i = 0; i < r.check_count; i++)
        json_array_append_new(checks, json_pack("[I, o, i, o]", (json_int_t)r.checks[i].number,
                                                text_of(r.checks[i].code), (int)r.checks[i].verdict,
                                                text_of(r.checks[i].anchor)));
    json_t *sizes = json_array();
    for (size_t i = 0; i < PP_ARRAY_COUNT(r.exchanges); i++)
        json_array_append_new(sizes, json_pack("[I, I]", (json_int_t)r.exchanges[i].up,
                                               (json_int_t)r.exchanges[i].down));
    *ret_fields = json_pack("{s:I, s:o, s:o, s:o, s:[o, o], s:o, s:o, s:[o, I, o]}", "time",
                            (json_int_t)r.posix_s, "anchors", anchors, "bundle",
                            bundle_fields(&r.bundle), "evidence", pp_wire_hex(r.evidence),
                            "session", pp_wire_hex(PP_BYTES(r.ekm)), pp_wire_hex(PP_BYTES(r.spki)),
                            "checks", checks, "sizes", sizes, "result", text_of(r.feature),
                            (json_int_t)r.outcome, engine_list(&r.engine));
    return PP_OK;
}

pp_res pp_wire_clienthello(const json_t *row, struct pp_span bytes, struct pp_arena *arena,
                           json_t **ret_fields)
{
    struct pp_hello h;

    (void)row;
    (void)arena;
    PP_TRY(pp_hello_parse(bytes, &h));
    *ret_fields = json_pack("{s:o, s:o}", "random", pp_wire_hex(h.random), "key_share",
                            pp_wire_hex(h.key_share));
    return PP_OK;
}
