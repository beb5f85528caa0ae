/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "allocations.h"
#include "bench.h"
#include "crypto.h"
#include "ohttp.h"
#include "replay.h"
#include "yardstick.h"

enum { BODY_BYTES = 1024 };

static const struct pp_ohttp_suite SUITE = { PP_HKDF_SHA256, PP_AES_128_GCM };
static uint8_t request[BODY_BYTES], response[BODY_BYTES], sealed[4 * BODY_BYTES];
static uint8_t body[4 * BODY_BYTES], answer[2 * BODY_BYTES];
static struct pp_ohttp_gateway gateway;
static struct pp_random prng;

static void must(pp_res r)
{
    if (!pp_is_ok(r)) {
        fprintf(stderr, "bench: %s at %s\n", pp_code_name(r.code), r.where);
        exit(1);
    }
}

static void open_and_seal(size_t len)
{
    struct pp_ohttp x = { 0 };
    struct pp_span opened;
    struct pp_wr wr = pp_wr_over(answer, sizeof answer);

    memcpy(body, sealed, len);
    must(pp_ohttp_request_open(&x, &gateway, body, len, &opened));
    must(pp_ohttp_response_seal(&x, &prng, PP_BYTES(response), &wr));
    pp_ohttp_done(&x);
}

/* The gateway's share of one exchange, with a key of a hybrid KEM. */
static void measure_xwing(double bare)
{
    struct pp_kem_key *key = NULL;
    struct pp_ohttp x = { 0 };
    struct pp_wr wr = pp_wr_over(sealed, sizeof sealed);

    must(pp_kem_key_generate(PP_KEM_XWING, &prng, &key));
    must(pp_ohttp_gateway_add(&gateway, 2, key, &SUITE, 1));
    must(pp_ohttp_request_seal(&x, &gateway.keys[1].config, SUITE, &prng, PP_BYTES(request), &wr));
    double both = BENCH("gateway, X-Wing: open and seal, 1 KiB up, 1 KiB down", "exchange",
                        { open_and_seal(wr.len); });
    bench_ratio("open and seal with X-Wing / bare X25519", both, bare, "aim at most 2.50");
    pp_ohttp_done(&x);
}

int main(void)
{
    struct pp_kem_key *key = NULL;
    struct pp_ohttp x = { 0 };
    struct pp_wr wr = pp_wr_over(sealed, sizeof sealed);

    prng = pp_random_system();
    must(pp_crypto_init());
    must(pp_kem_key_generate(PP_KEM_X25519_SHA256, &prng, &key));
    must(pp_ohttp_gateway_add(&gateway, 1, key, &SUITE, 1));
    must(pp_ohttp_request_seal(&x, &gateway.keys[0].config, SUITE, &prng, PP_BYTES(request), &wr));

    double bare = BENCH("bare X25519: one scalar multiplication of the library", "op", {
        if (!bench_bare_x25519())
            return 1;
    });
    double both = BENCH("gateway: open and seal, 1 KiB up, 1 KiB down", "exchange",
                        { open_and_seal(wr.len); });
    bench_ratio("open and seal / bare X25519", both, bare, "aim at most 1.25");
    pp_ohttp_done(&x);
    (void)BENCH("device: seal, 1 KiB", "request", {
        struct pp_wr w = pp_wr_over(body, sizeof body);
        must(pp_ohttp_request_seal(&x, &gateway.keys[0].config, SUITE, &prng, PP_BYTES(request),
                                   &w));
        pp_ohttp_done(&x);
    });

    enum { SLOTS = 1 << 16, ROUNDS = 1000 };
    struct pp_replay replay;
    uint64_t n = 0, now = 0;
    void *mem = aligned_alloc(16, pp_replay_bytes(SLOTS));
    if (mem == NULL)
        return 1;
    must(pp_replay_init(&replay, mem, SLOTS, 120000, 0, &prng));
    (void)BENCH("replay window: insert, 65536 slots a bucket, filling up", "request", {
        struct pp_span enc = pp_span(&n, sizeof n);
        now += ++n % (SLOTS / 2) == 0 ? 40000 : 0;
        must(pp_replay_insert(&replay, enc, now));
    });
    pp_replay_done(&replay);
    free(mem);

    unsigned long before = allocation_count;
    for (int i = 0; i < ROUNDS; i++)
        open_and_seal(wr.len);
    if (ALLOCATIONS_COUNTED)
        printf("%-58s %10.2f heap allocations, all of them in libcrypto\n",
               "gateway: open and seal, per exchange",
               (double)(allocation_count - before) / ROUNDS);
    measure_xwing(bare);
    pp_ohttp_gateway_done(&gateway);
    return 0;
}
