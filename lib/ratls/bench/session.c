/* SPDX-License-Identifier: Apache-2.0 */
/* Attested sessions: both ends, the parts of each, and the batch tree. */
#include "bench.h"

#include <openssl/ssl.h>
#include <stdlib.h>

#include "crypto.h"
#include "message.h"
#include "ratls.h"
#include "x509.h"

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

/* --- TLS without Evidence, to compare with ---------------------------------------------------- */

static SSL_CTX *plain_client_ctx, *plain_server_ctx;

static void must_be(long ok)
{
    must(ok != 0 ? PP_OK : PP_FAIL(PP_E_CRYPTO, 0));
}

static SSL_CTX *plain_ctx(const SSL_METHOD *method)
{
    SSL_CTX *c = SSL_CTX_new(method);

    must_be(c != NULL);
    must_be(SSL_CTX_set_min_proto_version(c, TLS1_3_VERSION));
    must_be(SSL_CTX_set1_groups_list(c, "X25519"));
    must_be(SSL_CTX_set1_sigalgs_list(c, "ECDSA+SHA256"));
    must_be(SSL_CTX_set_num_tickets(c, 0));
    SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_verify(c, SSL_VERIFY_NONE, NULL); /* nor does ours look at the signature in it */
    return c;
}

/* As our profile, but that the server has one key and certificate for all sessions. */
static void plain_make(void)
{
    uint8_t cert[PP_TLS_CERT_BYTES_MAX];
    size_t cert_len = 0;
    struct pp_ec_key *key;

    plain_client_ctx = plain_ctx(TLS_client_method());
    plain_server_ctx = plain_ctx(TLS_server_method());
    must(pp_ec_key_generate(PP_P256, &key));
    must(pp_x509_make_session(key, cert, sizeof cert, &cert_len));
    must_be(SSL_CTX_use_certificate_ASN1(plain_server_ctx, (int)cert_len, cert));
    must_be(SSL_CTX_use_PrivateKey(plain_server_ctx, pp_ec_key_handle(key)));
    pp_ec_key_free(key);
}

/* From nothing to both ends done, each end's Finished read by the other. */
static void plain_handshake(void)
{
    SSL *c = SSL_new(plain_client_ctx), *s = SSL_new(plain_server_ctx);
    BIO *up = BIO_new(BIO_s_mem()), *down = BIO_new(BIO_s_mem());

    must_be(c != NULL && s != NULL && up != NULL && down != NULL);
    must_be(BIO_up_ref(up) && BIO_up_ref(down));
    SSL_set_bio(c, down, up);
    SSL_set_bio(s, up, down);
    SSL_set_connect_state(c);
    SSL_set_accept_state(s);
    must_be(SSL_do_handshake(c) < 0 && SSL_do_handshake(s) < 0);
    must_be(SSL_do_handshake(c) == 1 && SSL_do_handshake(s) == 1);
    SSL_free(c);
    SSL_free(s);
}

static void attested_handshake(void)
{
    session(0);
}

/* CPU seconds of one run: the fastest of the batches so far. */
static void batch(void (*run)(void), double *best)
{
    enum { RUNS = 60 };
    double from = bench_cpu_s();

    for (int i = 0; i < RUNS; i++)
        run();
    double each = (bench_cpu_s() - from) / RUNS;
    *best = each < *best ? each : *best;
}

/* Turn by turn, so that a machine that is slow for a while is slow for both. */
static void compare_handshakes(void)
{
    enum { TURNS = 25 };
    double plain = 1, attested = 1;

    for (int i = 0; i < TURNS; i++) {
        batch(plain_handshake, &plain);
        batch(attested_handshake, &attested);
    }
    printf("%-58s %10.3f us CPU/session\n", "both ends: plain TLS 1.3, P-256 certificate",
           plain * 1e6);
    printf("%-58s %10.3f us CPU/session\n", "both ends: a key a session, 28 KiB Evidence, binding",
           attested * 1e6);
    bench_ratio("attested handshake / plain", attested, plain, "aim at most 1.30");
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
    plain_make();
    compare_handshakes();
    double hs = BENCH("both ends: attested handshake", "session", session(0));
    double all = BENCH("both ends: the same, 2 KiB request, 1 KiB answer", "session", session(1));
    bench_ratio("whole session / handshake", all, hs, "the rest is symmetric");
    BENCH("batch tree of 64 sessions", "batch",
          must(pp_batch_build((const uint8_t(*)[PP_BINDING_BYTES])bindings, 64, scratch, paths,
                              report_data)));
    BENCH("batch tree of 1024 sessions", "batch",
          must(pp_batch_build((const uint8_t(*)[PP_BINDING_BYTES])bindings, PP_BATCH_SIZE_MAX,
                              scratch, paths, report_data)));
    SSL_CTX_free(plain_client_ctx);
    SSL_CTX_free(plain_server_ctx);
    pp_ratls_ctx_free(client_ctx);
    pp_ratls_ctx_free(server_ctx);
    return 0;
}
