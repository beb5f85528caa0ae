/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "hash.h"
#include "kem.h"
#include "kv.h"
#include "text.h"

struct text_config {
    struct pp_span environment, platform, message_kem, engine;
    struct pp_span simulated_root, simulated_tdx_root, clients, blocked, gpu;
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
    { "simulated_root", PP_KV_TEXT, offsetof(struct text_config, simulated_root), 0, 64, 64,
      "simulated platforms: SHA-256 of the root of SEV-SNP chips, 64 hex digits" },
    { "simulated_tdx_root", PP_KV_TEXT, offsetof(struct text_config, simulated_tdx_root), 0, 64, 64,
      "the same of TDX platforms" },
    { "clients", PP_KV_TEXT, offsetof(struct text_config, clients), 0, 64, CVM_CLIENTS_MAX * 65 - 1,
      "back-ends: 1 to 4 release ids of orchestrators" },
    { "blocked", PP_KV_TEXT, offsetof(struct text_config, blocked), 0, 1, 1024,
      "guards: lower-case words, separated by a space" },
    { "gpu", PP_KV_TEXT, offsetof(struct text_config, gpu), 0, 1, 8,
      "one: the machine has a GPU, whose evidence goes with every session" },
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

int cvm_is_backend(const struct cvm_config *c)
{
    return c->role != PP_RECORD_ORCHESTRATOR;
}

static pp_res take_role(struct pp_span cmdline, struct pp_problem *problem,
                        enum pp_record_role *ret)
{
    static const char EXPECTED[] = "pp.role= and orchestrator, predictor or guard";
    struct pp_span prefix = PP_STR("pp.role=");

    if (cmdline.len < prefix.len || !pp_span_eq(pp_span(cmdline.at, prefix.len), prefix))
        return wrong(problem, "command line", EXPECTED, cmdline);
    struct pp_span name = pp_span(cmdline.at + prefix.len, cmdline.len - prefix.len);
    if (!pp_is_ok(pp_record_role_parse(name, ret)) || *ret == PP_RECORD_GATEWAY)
        return wrong(problem, "command line", EXPECTED, cmdline);
    return PP_OK;
}

static pp_res take_root(struct pp_span hex, const char *key, struct pp_problem *problem,
                        const struct cvm_config *c, uint8_t ret[PP_SHA256_BYTES], int *ret_has)
{
    if (hex.len == 0)
        return PP_OK;
    if (!pp_platform_is_simulated(c->platform) ||
        !pp_is_ok(pp_hex_parse(hex, ret, PP_SHA256_BYTES)))
        return wrong(problem, key, "64 lower-case hex digits, with a simulated platform", hex);
    *ret_has = 1;
    return PP_OK;
}

/* A back-end without clients would serve nobody, an orchestrator with them is mistaken. */
static pp_res take_clients(struct pp_span list, struct pp_problem *problem, struct cvm_config *c)
{
    static const char EXPECTED[] = "for back-ends alone: 1 to 4 ids of 64 hex digits";
    struct pp_span left = list, id;

    if ((list.len > 0) != cvm_is_backend(c))
        return wrong(problem, "clients", EXPECTED, list);
    while (left.len > 0) {
        (void)pp_text_cut(&left, ' ', &id);
        if (c->client_count == CVM_CLIENTS_MAX ||
            !pp_is_ok(pp_hex_parse(id, c->clients[c->client_count].bytes, PP_SHA256_BYTES)))
            return wrong(problem, "clients", EXPECTED, list);
        c->client_count++;
    }
    return PP_OK;
}

/* The guard looks for a word as it stands here, in text whose case it has folded: one that no run
 * of a text can be would block nothing. */
static int is_blockable(struct pp_span word)
{
    for (size_t i = 0; i < word.len; i++) {
        uint8_t c = word.at[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c >= 0x80))
            return 0;
    }
    return word.len > 0;
}

static pp_res take_blocked(struct pp_span list, struct pp_problem *problem, struct cvm_config *c)
{
    struct pp_span left = list, word;

    if (list.len > 0 && c->role != PP_RECORD_GUARD)
        return wrong(problem, "blocked", "for guards alone", list);
    while (left.len > 0) {
        (void)pp_text_cut(&left, ' ', &word);
        if (!is_blockable(word))
            return wrong(problem, "blocked",
                         "lower-case words of letters, digits and other characters' bytes", list);
    }
    c->blocked = list;
    return PP_OK;
}

static pp_res take_peers(const struct text_config *t, struct pp_problem *problem,
                         struct cvm_config *c)
{
    struct pp_peer_roots *roots = &c->simulated;

    PP_TRY(take_root(t->simulated_root, "simulated_root", problem, c, roots->snp, &roots->has_snp));
    PP_TRY(take_root(t->simulated_tdx_root, "simulated_tdx_root", problem, c, roots->tdx,
                     &roots->has_tdx));
    PP_TRY(take_clients(t->clients, problem, c));
    return take_blocked(t->blocked, problem, c);
}

/* A number would promise more than Evidence can carry (pp-wire 7: one GPU). */
static pp_res take_gpu(struct pp_span text, struct pp_problem *problem, struct cvm_config *c)
{
    if (text.len > 0 && !pp_span_eq(text, PP_STR("one")))
        return wrong(problem, "gpu", "one, or no such line", text);
    c->has_gpu = text.len > 0;
    return PP_OK;
}

pp_res cvm_config_parse(struct pp_span bytes, struct pp_span cmdline, struct pp_problem *problem,
                        struct cvm_config *ret)
{
    struct text_config t = { 0 };
    struct cvm_config c = { .bytes = bytes,
                            .frame_ms = CVM_FRAME_MS,
                            .idle_ms = CVM_IDLE_MS,
                            .device_ms = CVM_DEVICE_MS,
                            .call_open_ms = CVM_CALL_OPEN_MS,
                            .opening_ms = CVM_OPENING_MS,
                            .gpu_renew_ms = CVM_GPU_RENEW_MS,
                            .gpu_life_ms = CVM_GPU_LIFE_MS };

    PP_CHECK(bytes.len <= PP_EVIDENCE_CONFIG_BYTES_MAX, PP_E_CONFIG, bytes.len);
    PP_TRY(take_role(cmdline, problem, &c.role));
    PP_TRY(pp_kv_read(bytes, KEYS, PP_ARRAY_COUNT(KEYS), &t, problem));
    PP_TRY(take_environment(t.environment, problem, &c.grid_ms));
    if (!pp_is_ok(pp_platform_find(t.platform, &c.platform)))
        return wrong(problem, "platform", "a platform of this build", t.platform);
    PP_TRY(take_kem(t.message_kem, problem, &c.message_kem));
    PP_TRY(take_peers(&t, problem, &c));
    PP_TRY(take_gpu(t.gpu, problem, &c));
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
