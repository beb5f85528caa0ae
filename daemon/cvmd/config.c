/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "hash.h"
#include "kem.h"
#include "kv.h"

struct text_config {
    struct pp_span environment, platform, message_kem, engine;
    uint64_t sessions_max, session_s, workers_ready;
};

static const struct pp_kv_key KEYS[] = {
    { "environment", PP_KV_TEXT, offsetof(struct text_config, environment), 1, 1, 8,
      "prod, staging or dev" },
    { "platform", PP_KV_TEXT, offsetof(struct text_config, platform), 1, 1, 16,
      "a platform of this build" },
    { "message_kem", PP_KV_TEXT, offsetof(struct text_config, message_kem), 1, 1, 16,
      "x-wing, or x25519 under a classical policy" },
    { "engine", PP_KV_TEXT, offsetof(struct text_config, engine), 1, 1, 16,
      "an engine of this build: embedded" },
    { "sessions_max", PP_KV_U64, offsetof(struct text_config, sessions_max), 1, 1, CVM_SESSIONS_MAX,
      "1 to 4096" },
    { "session_s", PP_KV_U64, offsetof(struct text_config, session_s), 1, 1, CVM_SESSION_S_MAX,
      "seconds, 1 to 30" },
    { "workers_ready", PP_KV_U64, offsetof(struct text_config, workers_ready), 1, 1,
      CVM_WORKERS_READY_MAX, "1 to 64" },
};

const struct pp_kv_key *cvm_config_keys(size_t *ret_count)
{
    *ret_count = PP_ARRAY_COUNT(KEYS);
    return KEYS;
}

static const struct {
    const char *name;
    uint16_t kem;
} KEMS[] = { { "x-wing", PP_KEM_XWING }, { "x25519", PP_KEM_X25519_SHA256 } };

static pp_res wrong(struct pp_problem *problem, const char *key, const char *expected,
                    struct pp_span got)
{
    pp_problem_set(problem, key, expected, got);
    return PP_FAIL(PP_E_CONFIG, 0);
}

static pp_res take_kem(struct pp_span name, struct pp_problem *problem, uint16_t *ret)
{
    for (size_t i = 0; i < PP_ARRAY_COUNT(KEMS); i++) {
        if (!pp_span_eq(name, pp_span_cstr(KEMS[i].name)))
            continue;
        *ret = KEMS[i].kem;
        return PP_OK;
    }
    return wrong(problem, "message_kem", "x-wing, or x25519 under a classical policy", name);
}

static pp_res take_environment(struct pp_span name, struct pp_problem *problem, uint32_t *ret_grid)
{
    int dev = pp_span_eq(name, PP_STR("dev"));

    if (!pp_span_eq(name, PP_STR("prod")) &&
        (PP_RELEASE || (!dev && !pp_span_eq(name, PP_STR("staging")))))
        return wrong(problem, "environment", PP_RELEASE ? "prod" : "prod, staging or dev", name);
    *ret_grid = dev ? 0 : CVM_GRID_MS;
    return PP_OK;
}

pp_res cvm_config_parse(struct pp_span bytes, struct pp_span cmdline, struct pp_problem *problem,
                        struct cvm_config *ret)
{
    struct text_config t = { 0 };
    struct cvm_config c = { .bytes = bytes,
                            .role = PP_STR("orchestrator"),
                            .frame_ms = CVM_FRAME_MS,
                            .idle_ms = CVM_IDLE_MS,
                            .device_ms = CVM_DEVICE_MS };

    PP_CHECK(bytes.len <= PP_EVIDENCE_CONFIG_BYTES_MAX, PP_E_CONFIG, bytes.len);
    if (!pp_span_eq(cmdline, PP_STR("pp.role=orchestrator")))
        return wrong(problem, "command line", "pp.role=orchestrator", cmdline);
    PP_TRY(pp_kv_read(bytes, KEYS, PP_ARRAY_COUNT(KEYS), &t, problem));
    PP_TRY(take_environment(t.environment, problem, &c.grid_ms));
    if (!pp_is_ok(pp_platform_find(t.platform, &c.platform)))
        return wrong(problem, "platform", "a platform of this build", t.platform);
    PP_TRY(take_kem(t.message_kem, problem, &c.message_kem));
    c.engine = pp_infer_engine_find(t.engine);
    if (c.engine == NULL)
        return wrong(problem, "engine", "an engine of this build: embedded", t.engine);
    c.sessions_max = (uint32_t)t.sessions_max;
    c.session_s = (uint32_t)t.session_s;
    c.workers_ready = (uint32_t)t.workers_ready;
    pp_sha256(bytes, c.digest);
    *ret = c;
    return PP_OK;
}
