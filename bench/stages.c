/* SPDX-License-Identifier: Apache-2.0 */
#include "stages.h"

#include <string.h>
#include <time.h>

#include "answer.h"
#include "appraise.h"
#include "http_client.h"
#include "ledger.h"
#include "ohttp.h"
#include "ratls.h"
#include "seal.h"
#include "session.h"
#include "wallet.h"

struct pp_device;

const char *const STAGE_NAMES[STAGES] = {
    [STAGE_LEDGER] = "directory, held: verified again",
    [STAGE_TOKEN] = "a token taken from the wallet",
    [STAGE_SEAL_OHTTP] = "OHTTP: both requests sealed",
    [STAGE_OPEN_OHTTP] = "OHTTP: both answers opened",
    [STAGE_TLS] = "TLS 1.3: handshake and records",
    [STAGE_APPRAISAL] = "appraisal: evidence, binding, ledger",
    [STAGE_RECEIPT] = "receipt: written before, and behind",
    [STAGE_SEAL] = "request sealed to the worker",
    [STAGE_ANSWER] = "answer opened and parsed",
    [STAGE_HTTP] = "HTTP: two calls through the relay",
};

struct stage_time stage_times[STAGES];

static double seconds(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

struct stage_time stage_now(void)
{
    return (struct stage_time){ seconds(CLOCK_PROCESS_CPUTIME_ID), seconds(CLOCK_MONOTONIC) };
}

void stages_reset(void)
{
    memset(stage_times, 0, sizeof stage_times);
}

static void add(enum stage stage, struct stage_time from)
{
    struct stage_time now = stage_now();

    stage_times[stage].cpu_s += now.cpu_s - from.cpu_s;
    stage_times[stage].wall_s += now.wall_s - from.wall_s;
}

/* A stand-in for `name`: the linker sends callers in other files here. None of these functions
 * calls another of them, so that no time is counted twice. */
#define TIMED(stage, name, params, args)                                                           \
    pp_res __real_##name params;                                                                   \
    pp_res __wrap_##name params;                                                                   \
    pp_res __wrap_##name params                                                                    \
    {                                                                                              \
        struct stage_time from = stage_now();                                                      \
        pp_res r = __real_##name args;                                                             \
        add(stage, from);                                                                          \
        return r;                                                                                  \
    }

TIMED(STAGE_LEDGER, pp_ledger_verify,
      (const struct pp_trust *trust, struct pp_span bundle, const struct pp_marks *marks,
       uint64_t clock_posix_s, struct pp_arena *arena, struct pp_ledger *ret,
       struct pp_checks *checks, struct pp_problem *problem),
      (trust, bundle, marks, clock_posix_s, arena, ret, checks, problem))
TIMED(STAGE_TOKEN, pp_wallet_take,
      (struct pp_wallet * w, const struct pp_wallet_key *keys, size_t n, uint64_t now_s,
       struct pp_secret *ret),
      (w, keys, n, now_s, ret))
TIMED(STAGE_SEAL_OHTTP, pp_ohttp_request_seal,
      (struct pp_ohttp * x, const struct pp_keyconf *kc, struct pp_ohttp_suite suite,
       const struct pp_random *random, struct pp_span request, struct pp_wr *wr),
      (x, kc, suite, random, request, wr))
TIMED(STAGE_OPEN_OHTTP, pp_ohttp_response_open,
      (struct pp_ohttp * x, uint8_t *body, size_t len, struct pp_span *ret), (x, body, len, ret))
TIMED(STAGE_TLS, pp_ratls_client_new, (struct pp_ratls_ctx * ctx, struct pp_ratls_client **ret),
      (ctx, ret))
TIMED(STAGE_TLS, pp_ratls_client_take, (struct pp_ratls_client * c, struct pp_wr *out), (c, out))
TIMED(STAGE_TLS, pp_ratls_client_feed, (struct pp_ratls_client * c, struct pp_span in), (c, in))
TIMED(STAGE_TLS, pp_ratls_client_send,
      (struct pp_ratls_client * c, const struct pp_ratls_permit *permit, struct pp_span message,
       size_t answer_len),
      (c, permit, message, answer_len))
TIMED(STAGE_TLS, pp_ratls_client_answer, (struct pp_ratls_client * c, struct pp_span *ret),
      (c, ret))
TIMED(STAGE_APPRAISAL, pp_appraise,
      (const struct pp_trust *trust, const struct pp_ledger *ledger, const struct pp_marks *marks,
       enum pp_record_role role, struct pp_ratls_client *tls, struct pp_checks *checks,
       struct pp_problem *problem, struct pp_verified *ret),
      (trust, ledger, marks, role, tls, checks, problem, ret))
TIMED(STAGE_RECEIPT, device_write_receipt,
      (struct pp_device * d, const struct pp_session *s, const char *path, uint32_t outcome,
       const struct pp_engine *engine),
      (d, s, path, outcome, engine))
TIMED(STAGE_SEAL, pp_seal_request,
      (struct pp_seal * s, uint16_t kem, struct pp_span pk, const uint8_t *binding,
       const struct pp_random *random, struct pp_span pt, struct pp_wr *wr),
      (s, kem, pk, binding, random, pt, wr))
TIMED(STAGE_ANSWER, pp_seal_open_response,
      (struct pp_seal * s, struct pp_span sealed, uint8_t *pt, size_t *ret), (s, sealed, pt, ret))
TIMED(STAGE_ANSWER, pp_answer_parse,
      (struct pp_span cbor, enum pp_feature feature, struct pp_arena *arena, struct pp_answer *ret),
      (cbor, feature, arena, ret))
TIMED(STAGE_HTTP, pp_http_call,
      (const struct pp_http_client_config *c, const struct pp_http_call *call,
       struct pp_http_result *ret),
      (c, call, ret))
