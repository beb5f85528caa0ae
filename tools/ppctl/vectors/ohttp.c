/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Topic "ohttp": whole exchanges (rows with `encapsulated_request` and `encapsulated_response`),
 * made again byte for byte by both sides, chunked ones (`request_chunks`, `response_chunks`) fed
 * whole and byte by byte, and refusals of a gateway (rows with `kind` and `expect`).
 */
#include "topics.h"

#include <stdlib.h>
#include <string.h>

#include "bhttp.h"
#include "chunked.h"
#include "ohttp.h"

enum { FIELDS_MAX = 64, MESSAGE_BYTES_MAX = 1 << 20 };

/* One row: its decoded members and the two sides. */
struct row {
    struct vectors *v;
    const char *file;
    const char *name;
    const json_t *json;
    struct pp_buf bufs[FIELDS_MAX];
    size_t buf_count;
    struct pp_ohttp_gateway gateway;
    struct pp_ohttp device, server;
};

static struct pp_span field(struct row *row, const char *member)
{
    struct pp_buf *b = &row->bufs[row->buf_count++];

    PP_ASSERT(row->buf_count <= FIELDS_MAX);
    *b = vectors_hex(row->json, member);
    return pp_buf_span(b);
}

static uint16_t number(const json_t *object, const char *member)
{
    return (uint16_t)json_integer_value(json_object_get(object, member));
}

static int same(struct row *row, const char *what, struct pp_span got, struct pp_span want)
{
    if (pp_span_eq(got, want))
        return 1;
    vectors_fail(row->v, row->file, row->name, "%s differs", what);
    return 0;
}

static int ok(struct row *row, const char *what, pp_res r)
{
    if (pp_is_ok(r))
        return 1;
    vectors_fail(row->v, row->file, row->name, "%s: %s", what, pp_code_name(r.code));
    return 0;
}

/* The row's private key in the gateway, under the given suites. */
static int add_key(struct row *row, uint16_t kem, const struct pp_ohttp_suite *suites, size_t count)
{
    struct pp_kem_key *key = NULL;

    if (!ok(row, "skR", pp_kem_key_import(kem, field(row, "skR"), &key)))
        return 0;
    pp_res r = pp_ohttp_gateway_add(&row->gateway, (uint8_t)number(row->json, "key_id"), key,
                                    suites, count);
    if (!pp_is_ok(r))
        pp_kem_key_free(key);
    return ok(row, "gateway key", r);
}

/* The key configuration reads, is the row's, belongs to skR, and is written back the same. */
static int check_config(struct row *row, struct pp_keyconf *ret)
{
    uint8_t out[4096];
    struct pp_wr wr = pp_wr_over(out, sizeof out);
    struct pp_span config = field(row, "key_config");
    struct pp_rd rd = pp_rd_span(config);

    if (!ok(row, "key_config", pp_keyconf_parse(&rd, ret)) ||
        !ok(row, "end of key_config", pp_rd_end(&rd)) ||
        !ok(row, "key_config written", pp_keyconf_write(ret, &wr)) ||
        !same(row, "key_config written", pp_wr_done(&wr), config) ||
        !same(row, "pkR", pp_span(ret->public_key, ret->public_key_len), field(row, "pkR")) ||
        !add_key(row, ret->kem, ret->suites, ret->suite_count))
        return 0;
    return same(row, "public key of skR", pp_kem_key_public(row->gateway.keys[0].key),
                field(row, "pkR"));
}

static int check_request(struct row *row, const struct pp_keyconf *kc)
{
    static uint8_t out[MESSAGE_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(out, sizeof out);
    struct pp_ohttp_suite suite = { number(row->json, "kdf_id"), number(row->json, "aead_id") };
    struct pp_span script = field(row, "skE"); /* what the encapsulation draws first */
    struct pp_random random = pp_random_script(&script);
    struct pp_span request = field(row, "request"), opened;

    return ok(row, "request seal",
              pp_ohttp_request_seal(&row->device, kc, suite, &random, request, &wr)) &&
           same(row, "enc", pp_ohttp_enc(&row->device), field(row, "enc")) &&
           same(row, "encapsulated_request", pp_wr_done(&wr), field(row, "encapsulated_request")) &&
           ok(row, "request open",
              pp_ohttp_request_open(&row->server, &row->gateway, out, wr.len, &opened)) &&
           same(row, "request", opened, request);
}

static int check_response(struct row *row)
{
    static uint8_t out[MESSAGE_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(out, sizeof out);
    struct pp_span script = field(row, "response_nonce");
    struct pp_random random = pp_random_script(&script);
    struct pp_span response = field(row, "response"), opened;

    return ok(row, "response seal", pp_ohttp_response_seal(&row->server, &random, response, &wr)) &&
           same(row, "encapsulated_response", pp_wr_done(&wr),
                field(row, "encapsulated_response")) &&
           ok(row, "response open", pp_ohttp_response_open(&row->device, out, wr.len, &opened)) &&
           same(row, "response", opened, response);
}

/* --- chunked exchanges ---------------------------------------------------------------------- */

/* What one row's streams work in. */
struct streams {
    struct pp_ohttp_sender sender;
    struct pp_ohttp_receiver receiver;
    uint8_t mem[PP_OHTTP_CHUNK_SEALED_MAX];
    uint8_t sent[MESSAGE_BYTES_MAX], received[MESSAGE_BYTES_MAX];
    size_t sent_len, received_len;
};

static struct streams *streams(void)
{
    static struct streams s;

    pp_ohttp_sender_done(&s.sender);
    pp_ohttp_receiver_done(&s.receiver);
    s.sent_len = s.received_len = 0;
    return &s;
}

/* The started sender gets the row's chunks, the last of which is the final one. */
static pp_res send_chunks(struct streams *s, const json_t *chunks)
{
    size_t i;
    const json_t *e;

    json_array_foreach(chunks, i, e)
    {
        struct pp_buf chunk = vectors_hex_text(json_string_value(e));
        size_t used = 0;
        pp_res r = pp_ohttp_sender_feed(&s->sender, chunk.bytes, chunk.len, &used);
        if (pp_is_ok(r) && used != chunk.len)
            r = PP_FAIL(PP_E_LIMIT, chunk.len);
        pp_buf_done(&chunk);
        PP_TRY(r);
        PP_TRY(i + 1 == json_array_size(chunks) ? pp_ohttp_sender_end(&s->sender)
                                                : pp_ohttp_sender_cut(&s->sender));
        s->sent_len += pp_ohttp_sender_take(&s->sender, s->sent + s->sent_len,
                                            sizeof s->sent - s->sent_len);
    }
    return pp_ohttp_sender_is_done(&s->sender) ? PP_OK : PP_FAIL(PP_E_TRUNCATED, s->sent_len);
}

/* The started receiver gets the body in pieces of at most `piece` bytes. */
static pp_res receive_body(struct streams *s, struct pp_span body, size_t piece)
{
    struct pp_rd rd = pp_rd_span(body);

    while (rd.left > 0) {
        size_t used = 0, n = rd.left < piece ? rd.left : piece;
        PP_TRY(pp_ohttp_receiver_feed(&s->receiver, rd.at, n, &used));
        pp_rd_skip(&rd, used);
        s->received_len += pp_ohttp_receiver_take(&s->receiver, s->received + s->received_len,
                                                  sizeof s->received - s->received_len);
    }
    PP_TRY(pp_ohttp_receiver_end(&s->receiver));
    s->received_len += pp_ohttp_receiver_take(&s->receiver, s->received + s->received_len,
                                              sizeof s->received - s->received_len);
    return pp_ohttp_receiver_is_done(&s->receiver) ? PP_OK : PP_FAIL(PP_E_TRUNCATED, 0);
}

static const size_t PIECES[] = { 1, 5, MESSAGE_BYTES_MAX };

static int check_chunked_request(struct row *row, const struct pp_keyconf *kc)
{
    struct streams *s = streams();
    struct pp_ohttp_suite suite = { number(row->json, "kdf_id"), number(row->json, "aead_id") };
    struct pp_span script = field(row, "skE");
    struct pp_random random = pp_random_script(&script);
    struct pp_span request = field(row, "request"), body = field(row, "encapsulated_request");

    if (!ok(row, "request start",
            pp_ohttp_sender_start_request(&s->sender, &row->device, kc, suite, &random, s->mem,
                                          sizeof s->mem)) ||
        !ok(row, "request chunks", send_chunks(s, json_object_get(row->json, "request_chunks"))) ||
        !same(row, "enc", pp_ohttp_enc(&row->device), field(row, "enc")) ||
        !same(row, "encapsulated_request", pp_span(s->sent, s->sent_len), body))
        return 0;
    for (size_t i = 0; i < PP_ARRAY_COUNT(PIECES); i++) {
        s = streams();
        pp_ohttp_done(&row->server);
        if (!ok(row, "request receiver",
                pp_ohttp_receiver_start_request(&s->receiver, &row->server, &row->gateway, s->mem,
                                                sizeof s->mem)) ||
            !ok(row, "request received", receive_body(s, body, PIECES[i])) ||
            !same(row, "request", pp_span(s->received, s->received_len), request))
            return 0;
    }
    return 1;
}

static int check_chunked_response(struct row *row)
{
    struct streams *s = streams();
    struct pp_span script = field(row, "response_nonce");
    struct pp_random random = pp_random_script(&script);
    struct pp_span response = field(row, "response"), body = field(row, "encapsulated_response");

    if (!ok(row, "response start",
            pp_ohttp_sender_start_response(&s->sender, &row->server, &random, s->mem,
                                           sizeof s->mem)) ||
        !ok(row, "response chunks",
            send_chunks(s, json_object_get(row->json, "response_chunks"))) ||
        !same(row, "encapsulated_response", pp_span(s->sent, s->sent_len), body))
        return 0;
    for (size_t i = 0; i < PP_ARRAY_COUNT(PIECES); i++) {
        s = streams();
        if (!ok(row, "response receiver",
                pp_ohttp_receiver_start_response(&s->receiver, &row->device, s->mem,
                                                 sizeof s->mem)) ||
            !ok(row, "response received", receive_body(s, body, PIECES[i])) ||
            !same(row, "response", pp_span(s->received, s->received_len), response))
            return 0;
    }
    return 1;
}

/* --- rows ----------------------------------------------------------------------------------- */

static void run_exchange(struct row *row, int chunked)
{
    struct pp_keyconf kc;

    if (pp_kem_info(number(row->json, "kem_id")) == NULL) {
        vectors_skip(row->v, row->file, row->name, "a KEM that is not offered yet");
        return;
    }
    if (!check_config(row, &kc))
        return;
    int good = chunked ? check_chunked_request(row, &kc) && check_chunked_response(row)
                       : check_request(row, &kc) && check_response(row);
    if (good)
        vectors_pass(row->v, row->file, row->name);
}

static size_t allowed_suites(const json_t *allowed, struct pp_ohttp_suite *ret)
{
    size_t n = json_array_size(allowed);

    for (size_t i = 0; i < n && i < PP_KEYCONF_SUITES_MAX; i++) {
        const json_t *pair = json_array_get(allowed, i);
        ret[i].kdf = (uint16_t)json_integer_value(json_array_get(pair, 0));
        ret[i].aead = (uint16_t)json_integer_value(json_array_get(pair, 1));
    }
    return n;
}

/* What a gateway would do with the body: accept, refuse in clear, or answer an encapsulated 400. */
static const char *verdict_of(struct row *row)
{
    static struct pp_bhttp message;
    struct pp_buf *body = &row->bufs[row->buf_count];
    struct pp_span encapsulated = field(row, "encapsulated_request"), opened;

    if (!pp_is_ok(pp_ohttp_request_open(&row->server, &row->gateway, body->bytes, encapsulated.len,
                                        &opened)))
        return "plain 4xx";
    return pp_is_ok(pp_bhttp_parse(opened, &message)) ? "ok" : "encapsulated 400";
}

/* The same for a chunked body, fed whole and byte by byte: both must come to the same. */
static const char *chunked_verdict_of(struct row *row)
{
    static struct pp_bhttp message;
    struct pp_span body = field(row, "encapsulated_request");
    uint32_t codes[PP_ARRAY_COUNT(PIECES)];
    struct streams *s = NULL;

    for (size_t i = 0; i < PP_ARRAY_COUNT(PIECES); i++) {
        s = streams();
        pp_ohttp_done(&row->server);
        pp_res r = pp_ohttp_receiver_start_request(&s->receiver, &row->server, &row->gateway,
                                                   s->mem, sizeof s->mem);
        if (pp_is_ok(r))
            r = receive_body(s, body, PIECES[i]);
        codes[i] = r.code;
        if (codes[i] != codes[0])
            return "another result for another split";
    }
    if (codes[0] != PP_E_OK)
        return codes[0] == PP_E_TRUNCATED ? "incomplete" : "decrypt error";
    return pp_is_ok(pp_bhttp_parse(pp_span(s->received, s->received_len), &message))
               ? "ok"
               : "encapsulated 400";
}

/* "plain 4xx, may be problem+json ..." allows what "plain 4xx" says; of a length that nobody
 * believes the rows only say "error". */
static int allows(const char *expect, const char *verdict)
{
    if (strncmp(expect, "treated as ", 11) == 0)
        expect += 11;
    if (strncmp(expect, "error", 5) == 0)
        return strcmp(verdict, "decrypt error") == 0 || strcmp(verdict, "incomplete") == 0;
    return strncmp(expect, verdict, strlen(verdict)) == 0;
}

static void run_refusal(struct row *row, int chunked, const char *expect)
{
    struct pp_ohttp_suite suites[PP_KEYCONF_SUITES_MAX] = { 0 };
    size_t count = allowed_suites(json_object_get(row->json, "allowed"), suites);

    if (pp_kem_info(number(row->json, "kem_id")) == NULL) {
        vectors_skip(row->v, row->file, row->name, "a KEM that is not offered yet");
        return;
    }
    if (!add_key(row, number(row->json, "kem_id"), suites, count))
        return;
    const char *verdict = chunked ? chunked_verdict_of(row) : verdict_of(row);
    if (allows(expect, verdict))
        vectors_pass(row->v, row->file, row->name);
    else
        vectors_fail(row->v, row->file, row->name, "expected %s, got %s", expect, verdict);
}

static void check_row(struct row *row)
{
    const char *kind = json_string_value(json_object_get(row->json, "kind"));
    const char *expect = json_string_value(json_object_get(row->json, "expect"));

    if (kind != NULL && expect != NULL)
        run_refusal(row, strcmp(kind, "chunked") == 0, expect);
    else if (json_object_get(row->json, "encapsulated_response") != NULL)
        run_exchange(row, json_object_get(row->json, "request_chunks") != NULL);
    else
        vectors_skip(row->v, row->file, row->name, "a row of another topic");
}

static void run_row(struct vectors *v, const char *file, size_t index, const json_t *json)
{
    const char *name = json_string_value(json_object_get(json, "name"));
    struct row *row = calloc(1, sizeof *row);

    (void)index; /* these rows have names */
    PP_ASSERT(row != NULL);
    *row = (struct row){ .v = v, .file = file, .name = name == NULL ? "-" : name, .json = json };
    check_row(row);
    for (size_t k = 0; k < row->buf_count; k++)
        pp_buf_done(&row->bufs[k]);
    pp_ohttp_done(&row->device);
    pp_ohttp_done(&row->server);
    pp_ohttp_gateway_done(&row->gateway);
    free(row);
}

static void run_file(struct vectors *v, const char *file)
{
    vectors_rows(v, file, run_row);
}

void vectors_ohttp(struct vectors *v, const char *path)
{
    vectors_walk(v, path, run_file);
}
