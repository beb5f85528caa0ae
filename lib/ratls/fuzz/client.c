/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include "crypto.h"
#include "ratls.h"

/*
 * A client that is fed anything instead of a server's flight: whole, and in pieces. Nothing leaves
 * it, it never reaches the state in which a request can be written, and it ends the same way.
 */
static uint32_t run(struct pp_ratls_ctx *ctx, struct pp_span in, size_t step)
{
    struct pp_ratls_client *c;
    uint8_t hello[PP_HELLO_BYTES];
    struct pp_wr wr = pp_wr_over(hello, sizeof hello);
    struct pp_rd rd = pp_rd_span(in);
    pp_res r = PP_OK;

    FUZZ_CHECK(pp_is_ok(pp_ratls_client_new(ctx, &c)));
    FUZZ_CHECK(pp_is_ok(pp_ratls_client_take(c, &wr)) && wr.len == sizeof hello);
    while (rd.left > 0 && pp_is_ok(r))
        r = pp_ratls_client_feed(c, pp_rd_bytes(&rd, step < rd.left ? step : rd.left));
    if (pp_is_ok(r))
        r = pp_ratls_client_flight_end(c);
    FUZZ_CHECK(!pp_is_ok(r));
    FUZZ_CHECK(pp_ratls_client_state(c) == PP_CLIENT_DEAD);
    FUZZ_CHECK(pp_ratls_client_pending(c) == 0);
    pp_ratls_client_free(c);
    return r.code;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct pp_ratls_ctx *ctx;
    struct pp_span in = pp_span(data, len);

    if (ctx == NULL) {
        FUZZ_CHECK(pp_is_ok(pp_crypto_init()));
        FUZZ_CHECK(pp_is_ok(pp_ratls_ctx_new(PP_END_CLIENT, &ctx)));
    }
    if (len > 1 << 16)
        return 0;
    FUZZ_CHECK(run(ctx, in, len + 1) == run(ctx, in, len / 7 + 1));
    return 0;
}
