/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include "crypto.h"
#include "ratls.h"

/* A server behind its flight that is fed anything: it never opens, and leaves one alert at most. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct pp_ratls_ctx *client_ctx, *server_ctx;
    static uint8_t body[PP_EVIDENCE_BODY_BYTES], flight[1 << 16], request[4096];
    struct pp_random random = pp_random_system();
    struct pp_ratls_client *c;
    struct pp_ratls_server *s;
    uint8_t hello[PP_HELLO_BYTES];
    struct pp_wr wr = pp_wr_over(hello, sizeof hello);
    struct pp_wr out = pp_wr_over(flight, sizeof flight);

    if (client_ctx == NULL) {
        FUZZ_CHECK(pp_is_ok(pp_crypto_init()));
        FUZZ_CHECK(pp_is_ok(pp_ratls_ctx_new(PP_END_CLIENT, &client_ctx)));
        FUZZ_CHECK(pp_is_ok(pp_ratls_ctx_new(PP_END_SERVER, &server_ctx)));
    }
    FUZZ_CHECK(pp_is_ok(pp_ratls_client_new(client_ctx, &c)));
    FUZZ_CHECK(pp_is_ok(pp_ratls_client_take(c, &wr)));
    FUZZ_CHECK(pp_is_ok(pp_ratls_server_new(server_ctx, &random, &s)));
    FUZZ_CHECK(pp_is_ok(pp_ratls_server_feed(s, pp_wr_done(&wr))));
    FUZZ_CHECK(pp_is_ok(pp_ratls_server_evidence(s, PP_BYTES(body))));
    FUZZ_CHECK(pp_is_ok(pp_ratls_server_take(s, &out)));
    pp_ratls_server_request_buffer(s, request, sizeof request);
    pp_res r = pp_ratls_server_feed(s, pp_span(data, len));
    FUZZ_CHECK(pp_ratls_server_state(s) == (pp_is_ok(r) ? PP_SERVER_FINISHED : PP_SERVER_DEAD));
    FUZZ_CHECK(pp_ratls_server_pending(s) <= PP_RATLS_ALERT_BYTES);
    pp_ratls_server_free(s);
    pp_ratls_client_free(c);
    return 0;
}
