/* SPDX-License-Identifier: Apache-2.0 */
/* Attested sessions: both ends, the parts of each, and the batch tree. */
#include "bench.h"

#include <stdlib.h>

#include "crypto.h"
#include "message.h"
#include "ratls.h"

static struct pp_ratls_ctx *client_ctx, *server_ctx;
static uint8_t wire[1 << 17], body[PP_EVIDENCE_BODY_BYTES], request[2048], answer[817];

static void must(pp_res r)
{
    if (!pp_is_ok(r)) {
        fprintf(stderr, "bench: %s at %s\n", pp_code_name(r.code), r.where);
        exit(1);
    }
}

static size_t take_client(struct pp_ratls_client *c)
{
    struct pp_wr wr = pp_wr_over(wire, sizeof wire);

    must(pp_ratls_client_take(c, &wr));
    return wr.len;
}

static size_t take_server(struct pp_ratls_server *s)
{
    struct pp_wr wr = pp_wr_over(wire, sizeof wire);

    must(pp_ratls_server_take(s, &wr));
    return wr.len;
}

/* From nothing to an answer; `full` 0 stops when the Evidence has been read. */
static void session(int full)
{
    static const struct pp_evidence E = { .config = { (const uint8_t *)"config", 6 } };
    struct pp_random random = pp_random_system();
    struct pp_ratls_client *c;
    struct pp_ratls_server *s;
    struct pp_ratls_session values;
    struct pp_ratls_permit permit;
    uint8_t binding[PP_BINDING_BYTES];
    struct pp_wr wr = pp_wr_over(request, sizeof request);
    static uint8_t buffer[4096];
    struct pp_span got;

    must(pp_ratls_client_new(client_ctx, &c));
    must(pp_ratls_server_new(server_ctx, &random, &s));
    must(pp_ratls_server_feed(s, pp_span(wire, take_client(c))));
    must(pp_ratls_server_session(s, &values));
    must(pp_binding_of_evidence(PP_END_SERVER, PP_BYTES(values.spki), values.ekm, &E, binding));
    must(pp_ratls_server_evidence(s, PP_BYTES(body)));
    must(pp_ratls_client_feed(c, pp_span(wire, take_server(s))));
    must(pp_ratls_client_flight_end(c));
    must(pp_ratls_permit(c, &E, binding, &permit));
    if (full) {
        pp_message_head_write(&wr, PP_MESSAGE_SEALED_REQUEST, sizeof request - wr.len - 5);
        pp_wr_fill_to(&wr, sizeof request);
        must(pp_ratls_client_send(c, &permit, pp_wr_done(&wr), sizeof answer));
        pp_ratls_server_request_buffer(s, buffer, sizeof buffer);
        must(pp_ratls_server_feed(s, pp_span(wire, take_client(c))));
        must(pp_ratls_server_answer(s, PP_BYTES(answer)));
        must(pp_ratls_client_feed(c, pp_span(wire, take_server(s))));
        must(pp_ratls_client_answer(c, &got));
    }
    pp_ratls_client_free(c);
    pp_ratls_server_free(s);
}

int main(void)
{
    static uint8_t bindings[PP_BATCH_SIZE_MAX][PP_BINDING_BYTES];
    static uint8_t scratch[PP_BATCH_SIZE_MAX][PP_HASH_NODE_BYTES];
    static struct pp_batch_path paths[PP_BATCH_SIZE_MAX];
    uint8_t report_data[PP_REPORT_DATA_BYTES];
    struct pp_random random = pp_random_system();

    must(pp_crypto_init());
    must(pp_ratls_ctx_new(PP_END_CLIENT, &client_ctx));
    must(pp_ratls_ctx_new(PP_END_SERVER, &server_ctx));
    BENCH("client: new session, golden ClientHello", "op", {
        struct pp_ratls_client *c;
        must(pp_ratls_client_new(client_ctx, &c));
        pp_ratls_client_free(c);
    });
    BENCH("server: new session, P-256 key and certificate", "op", {
        struct pp_ratls_server *s;
        must(pp_ratls_server_new(server_ctx, &random, &s));
        pp_ratls_server_free(s);
    });
    double hs = BENCH("both ends: handshake, 28 KiB Evidence, binding", "session", session(0));
    double all = BENCH("both ends: the same, 2 KiB request, 1 KiB answer", "session", session(1));
    bench_ratio("whole session / handshake", all, hs, "the rest is symmetric");
    BENCH("batch tree of 64 sessions", "batch",
          must(pp_batch_build((const uint8_t(*)[PP_BINDING_BYTES])bindings, 64, scratch, paths,
                              report_data)));
    BENCH("batch tree of 1024 sessions", "batch",
          must(pp_batch_build((const uint8_t(*)[PP_BINDING_BYTES])bindings, PP_BATCH_SIZE_MAX,
                              scratch, paths, report_data)));
    pp_ratls_ctx_free(client_ctx);
    pp_ratls_ctx_free(server_ctx);
    return 0;
}
