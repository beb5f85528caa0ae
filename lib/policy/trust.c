/* SPDX-License-Identifier: Apache-2.0 */
#include "trust.h"

#include "hash.h"
#include "kem.h"
#include "text.h"

/* The file as text; the values are looked into behind it. */
struct trust_text {
    struct pp_span environment, name_space, issuer, issuer_url, gateway_authority, hardware;
    struct pp_span message_kem, ohttp_kem, tls_group;
    uint64_t batches;
    struct pp_kv_list relays, mirrors, platforms, tcb_min;
};

#define AT(field) offsetof(struct trust_text, field)

const struct pp_kv_key PP_TRUST_KEYS[] = {
    { "environment", PP_KV_TEXT, AT(environment), 1, 1, 16, "prod, staging or dev" },
    { "namespace", PP_KV_TEXT, AT(name_space), 1, 1, 255, "the ledger namespace of this app" },
    { "issuer", PP_KV_TEXT, AT(issuer), 1, 1, 255, "the token issuer's name" },
    { "issuer_url", PP_KV_TEXT, AT(issuer_url), 1, 1, PP_TRUST_URL_BYTES_MAX,
      "where tokens are fetched: a URL" },
    { "gateway_authority", PP_KV_TEXT, AT(gateway_authority), 1, 1, PP_TRUST_AUTHORITY_BYTES_MAX,
      "the gateway's authority, at most 64 bytes" },
    { "relay", PP_KV_LIST, AT(relays), 1, 0, 0, "a URL of a relay resource; in prod two or more" },
    { "mirror", PP_KV_LIST, AT(mirrors), 1, 0, 0, "a URL of the directory; in prod two or more" },
    { "platform", PP_KV_LIST, AT(platforms), 1, 0, 0, "a TEE platform, such as sev-snp" },
    { "hardware", PP_KV_TEXT, AT(hardware), 1, 1, 32, "a hardware profile: strict or fleet-2026" },
    { "tcb_min", PP_KV_LIST, AT(tcb_min), 0, 0, 0,
      "a lowest patch level: LINE BOOTLOADER TEE SNP MICROCODE [FMC]" },
    { "message_kem", PP_KV_TEXT, AT(message_kem), 1, 1, 16, "x-wing or classical (X25519)" },
    { "ohttp_kem", PP_KV_TEXT, AT(ohttp_kem), 1, 1, 16, "x25519 or x-wing" },
    { "tls_group", PP_KV_TEXT, AT(tls_group), 1, 1, 32, "x25519" },
    { "batches", PP_KV_U64, AT(batches), 0, 1, 8, "batches of 32 tokens an epoch, 1 to 8" },
};
const size_t PP_TRUST_KEY_COUNT = PP_ARRAY_COUNT(PP_TRUST_KEYS);

static pp_res refuse(struct pp_problem *problem, const char *field, const char *expected,
                     struct pp_span got)
{
    pp_problem_set(problem, field, expected, got);
    return PP_FAIL(PP_E_TRUST, 0);
}

static pp_res read_environment(struct pp_trust *t, struct pp_span word, struct pp_problem *problem)
{
    if (!pp_is_ok(pp_record_env_parse(word, &t->environment)))
        return refuse(problem, "environment", "prod, staging or dev", word);
    if (PP_RELEASE && t->environment != PP_RECORD_PROD) {
        pp_problem_set(problem, "environment", "prod: all that a release build accepts", word);
        return PP_FAIL(PP_E_ENVIRONMENT, t->environment);
    }
    return PP_OK;
}

static int is_https(struct pp_span url)
{
    const struct pp_span scheme = PP_STR("https://");

    return url.len > scheme.len && pp_span_eq(pp_span(url.at, scheme.len), scheme);
}

/* In prod an account's assertion and a device's habits are nobody's to read on the way. */
static pp_res check_url(const struct pp_trust *t, const char *field, struct pp_span url,
                        struct pp_problem *problem)
{
    if (t->environment == PP_RECORD_PROD && !is_https(url))
        return refuse(problem, field, "a URL that begins with https:// in prod", url);
    return PP_OK;
}

/* The last item of a list is none of those before it: two equal relays would be one. */
static int is_new(const struct pp_kv_list *list, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (pp_span_eq(list->items[k], list->items[i]))
            return 0;
    return 1;
}

static pp_res read_urls(const struct pp_trust *t, const struct pp_kv_list *list, const char *field,
                        const char *expected, size_t max, struct pp_span *ret, size_t *ret_count,
                        struct pp_problem *problem)
{
    if (list->count < (t->environment == PP_RECORD_PROD ? 2 : 1) || list->count > max)
        return refuse(problem, field, expected, PP_STR("another number"));
    for (size_t i = 0; i < list->count; i++) {
        PP_TRY(check_url(t, field, list->items[i], problem));
        if (list->items[i].len > PP_TRUST_URL_BYTES_MAX || !is_new(list, i))
            return refuse(problem, field, "URLs of at most 512 bytes, each of them once",
                          list->items[i]);
        ret[i] = list->items[i];
    }
    *ret_count = list->count;
    return PP_OK;
}

static int has_https(const struct pp_trust *t, struct pp_span issuer_url)
{
    for (size_t i = 0; i < t->relay_count; i++)
        if (is_https(t->relays[i]))
            return 1;
    for (size_t i = 0; i < t->mirror_count; i++)
        if (is_https(t->mirrors[i]))
            return 1;
    return is_https(issuer_url);
}

static pp_res read_parties(const struct trust_text *x, struct pp_trust *t,
                           struct pp_problem *problem)
{
    PP_TRY(read_urls(t, &x->relays, "relay", "two to eight relays in prod, one or more elsewhere",
                     PP_TRUST_RELAYS_MAX, t->relays, &t->relay_count, problem));
    PP_TRY(read_urls(t, &x->mirrors, "mirror", "two to four mirrors in prod, one or more elsewhere",
                     PP_TRUST_MIRRORS_MAX, t->mirrors, &t->mirror_count, problem));
    PP_TRY(check_url(t, "issuer_url", x->issuer_url, problem));
    if (has_https(t, x->issuer_url) && t->ca_pem.len == 0) /* it would believe nobody */
        return refuse(problem, "ca.pem", "certificate authorities of relays, mirrors and issuer",
                      PP_STR("none"));
    return PP_OK;
}

/*
 * Simulated platforms exist in development builds alone, and there never in prod: staging is where
 * prod's waiting times are tried without its machines. A root of one's own vouches for them and
 * for nothing else: what a simulator signs is never taken for hardware, and no anchors of
 * production hold its root.
 */
static pp_res read_platforms(const struct trust_text *x, struct pp_trust *t,
                             struct pp_problem *problem)
{
    static const enum pp_platform known[] = {
        PP_PLATFORM_SEV_SNP,
        PP_PLATFORM_TDX,
#if !PP_RELEASE
        PP_PLATFORM_SIM_SNP,
        PP_PLATFORM_SIM_TDX,
#endif
    };

    for (size_t i = 0; i < x->platforms.count; i++) {
        struct pp_span word = x->platforms.items[i];
        size_t k = 0;

        while (k < PP_ARRAY_COUNT(known) &&
               !pp_span_eq(word, pp_span_cstr(pp_platform_name(known[k]))))
            k++;
        if (k == PP_ARRAY_COUNT(known) || !is_new(&x->platforms, i))
            return refuse(problem, "platform", "platforms that this build verifies, each once",
                          word);
        if (pp_platform_is_simulated(known[k]) && t->environment == PP_RECORD_PROD)
            return refuse(problem, "platform", "a real platform in prod", word);
        if (pp_platform_is_simulated(known[k]) != t->own_root)
            return refuse(problem, "platform",
                          t->own_root ? "a simulated one: the roots that came are no vendor's"
                                      : "a real one, or the simulator's roots beside it",
                          word);
        t->platforms |= UINT32_C(1) << known[k];
    }
    return PP_OK;
}

static pp_res read_kem(struct pp_span word, const char *x25519_word, uint16_t *ret)
{
    uint16_t id = 0;

    if (pp_span_eq(word, pp_span_cstr(x25519_word)))
        id = PP_KEM_X25519_SHA256;
    else if (pp_span_eq(word, PP_STR("x-wing")))
        id = PP_KEM_XWING;
    PP_CHECK(id != 0, PP_E_UNSUPPORTED, 0);
    *ret = id;
    return PP_OK;
}

static pp_res read_algorithms(const struct trust_text *x, struct pp_trust *t,
                              struct pp_problem *problem)
{
    if (!pp_is_ok(read_kem(x->message_kem, "classical", &t->message_kem)))
        return refuse(problem, "message_kem", "x-wing, or classical (X25519)", x->message_kem);
    /* What is recorded today must stay closed to a later quantum computer. */
    if (t->environment == PP_RECORD_PROD && t->message_kem == PP_KEM_X25519_SHA256)
        return refuse(problem, "message_kem", "x-wing: classical is a development policy",
                      x->message_kem);
    if (!pp_is_ok(read_kem(x->ohttp_kem, "x25519", &t->ohttp_kem)))
        return refuse(problem, "ohttp_kem", "x25519 or x-wing", x->ohttp_kem);
    if (!pp_span_eq(x->tls_group, PP_STR("x25519")))
        return refuse(problem, "tls_group", "x25519", x->tls_group);
    return PP_OK;
}

/* "genoa 9 0 21 72": a minimum of this operator's own, above the compiled-in floor. */
static pp_res read_tcb_min(struct pp_span line, struct pp_snp_policy *policy, uint32_t *seen)
{
    uint64_t v[5] = { 0 };
    struct pp_span word;
    size_t n = 0;
    int more = pp_text_cut(&line, ' ', &word);
    enum pp_snp_line id = PP_SNP_LINE_NONE;

    if (pp_span_eq(word, PP_STR("genoa")))
        id = PP_SNP_GENOA;
    else if (pp_span_eq(word, PP_STR("turin")))
        id = PP_SNP_TURIN;
    PP_CHECK(id != PP_SNP_LINE_NONE, PP_E_FORMAT, 0);
    while (more) {
        PP_CHECK(n < PP_ARRAY_COUNT(v), PP_E_FORMAT, n);
        more = pp_text_cut(&line, ' ', &word);
        PP_TRY(pp_decimal_parse(word, 255, &v[n++]));
    }
    PP_CHECK(n == (id == PP_SNP_TURIN ? 5 : 4), PP_E_FORMAT, n);
    PP_CHECK((*seen & 1U << id) == 0, PP_E_DUPLICATE, (uint32_t)id);
    *seen |= 1U << id;
    policy->tcb_min[id] = (struct pp_snp_tcb_parts){ .fmc = (uint8_t)v[4],
                                                     .boot_loader = (uint8_t)v[0],
                                                     .tee = (uint8_t)v[1],
                                                     .snp = (uint8_t)v[2],
                                                     .microcode = (uint8_t)v[3] };
    return PP_OK;
}

/* Beside a simulated machine a simulated GPU, or none. */
static pp_res read_gpu_roots(struct pp_trust *t, const struct pp_trust_files *files,
                             struct pp_problem *problem)
{
    pp_res r = PP_OK;

    if (!t->own_root)
        r = pp_gpu_anchors_add_nvidia(&t->gpu_anchors);
    if (pp_is_ok(r) && files->gpu_root.len > 0)
        r = pp_gpu_anchors_add_device(&t->gpu_anchors, files->gpu_root);
    if (pp_is_ok(r) && files->rim_root.len > 0)
        r = pp_gpu_anchors_add_rim(&t->gpu_anchors, files->rim_root);
    if (!pp_is_ok(r) || (!t->own_root && files->gpu_root.len + files->rim_root.len > 0))
        return refuse(problem, "gpu-root.der, rim-root.der",
                      "roots of GPUs and their files, beside simulated platforms", PP_STR(""));
    return PP_OK;
}

/* The vendors' roots, or those that came, for each kind of platform that is accepted. */
static pp_res read_roots(struct pp_trust *t, const struct pp_trust_files *files,
                         struct pp_problem *problem)
{
    const uint32_t snp = UINT32_C(1) << PP_PLATFORM_SEV_SNP | UINT32_C(1) << PP_PLATFORM_SIM_SNP;
    const uint32_t tdx = UINT32_C(1) << PP_PLATFORM_TDX | UINT32_C(1) << PP_PLATFORM_SIM_TDX;
    pp_res r = PP_OK;

    if (!t->own_root)
        r = pp_snp_anchors_add_amd(&t->snp_anchors);
    else if ((t->platforms & snp) != 0 || files->ark.len > 0 || files->ask.len > 0)
        r = pp_snp_anchors_add(&t->snp_anchors, files->ark, files->ask, PP_STR(""));
    if (!pp_is_ok(r))
        return refuse(problem, "ark, ask", "a vendor root and the authority below it", PP_STR(""));
    if (!t->own_root)
        r = pp_tdx_anchors_add_intel(&t->tdx_anchors);
    else if ((t->platforms & tdx) != 0 || files->tdx_root.len > 0)
        r = pp_tdx_anchors_add(&t->tdx_anchors, files->tdx_root);
    if (!pp_is_ok(r))
        return refuse(problem, "tdx-root.der", "a vendor root of TDX platforms", PP_STR(""));
    return read_gpu_roots(t, files, problem);
}

static pp_res read_hardware(const struct trust_text *x, struct pp_trust *t,
                            const struct pp_trust_files *files, struct pp_problem *problem)
{
    uint32_t seen = 0;

    if (!pp_is_ok(pp_hardware_profile(x->hardware, &t->hardware)))
        return refuse(problem, "hardware", "a profile of this build, such as strict", x->hardware);
    /* A desk's profile says nothing about machines that serve people. */
    if (t->environment == PP_RECORD_PROD && pp_span_eq(x->hardware, PP_STR("dev")))
        return refuse(problem, "hardware", "a profile for prod: strict or fleet-2026", x->hardware);
    for (size_t i = 0; i < x->tcb_min.count; i++)
        if (!pp_is_ok(read_tcb_min(x->tcb_min.items[i], &t->hardware.snp, &seen)))
            return refuse(problem, "tcb_min",
                          "LINE BOOTLOADER TEE SNP MICROCODE [FMC], once a line",
                          x->tcb_min.items[i]);
    return read_roots(t, files, problem);
}

/* One origin. Its old key and the next stand side by side while releases of the app overlap. */
static int is_one_log(const struct pp_policy *p)
{
    if (p->log_count == 0 || p->log_count > PP_TRUST_LOG_KEYS_MAX)
        return 0;
    return pp_span_eq(p->log_keys[0].name, p->log_keys[p->log_count - 1].name);
}

static pp_res read_policies(struct pp_trust *t, const struct pp_trust_files *files,
                            struct pp_problem *problem)
{
    struct pp_policy_shape shape;

    if (!pp_is_ok(pp_policy_parse(files->log_policy, PP_POLICY_LOG, &t->log)) ||
        !is_one_log(&t->log))
        return refuse(problem, "log policy", "a policy file with one log, of one key or two",
                      PP_STR(""));
    if (!pp_is_ok(pp_policy_shape(&t->log, &shape)) || !pp_is_ok(pp_policy_shape_safe(&shape, 1)))
        return refuse(problem, "log policy",
                      "all of {k of n plain witnesses, one record witness}, k safe against a liar",
                      PP_STR("another quorum"));
    if (!pp_is_ok(pp_policy_parse(files->owner_policy, PP_POLICY_REVIEW, &t->owner)) ||
        t->owner.quorum == PP_QUORUM_NONE)
        return refuse(problem, "owner policy", "a policy file with a quorum", PP_STR(""));
    if (!pp_is_ok(pp_policy_parse(files->review_policy, PP_POLICY_REVIEW, &t->review)) ||
        t->review.quorum == PP_QUORUM_NONE)
        return refuse(problem, "review policy", "a policy file with a quorum", PP_STR(""));
    t->origin = t->log.log_keys[0].name;
    return PP_OK;
}

/* --- revocations that come with the app ------------------------------------------------------- */

pp_res pp_trust_open_revoke(const struct pp_trust *t, struct pp_span note,
                            struct pp_record_id *ret_target)
{
    const struct pp_record_keys keys = { .log = &t->log, .owner = &t->owner, .review = &t->review };
    struct pp_record r;
    struct pp_note n;

    PP_TRY_AS(PP_E_LEDGER_FORMAT, pp_record_open(note, &n, &r));
    PP_CHECK(r.type == PP_RECORD_REVOKE, PP_E_LEDGER_FORMAT, r.type);
    PP_TRY_AS(PP_E_LEDGER_FORMAT,
              pp_record_check_place(&r, t->origin, t->name_space, t->environment));
    PP_TRY_AS(PP_E_LEDGER_FORMAT, pp_record_check_signers(&n, &r, &keys));
    *ret_target = r.revoke.target;
    return PP_OK;
}

/* Up to the next line that begins a revoke record: it begins every note, and stands in none. */
static struct pp_span next_note(struct pp_span *rest)
{
    const struct pp_span first = PP_STR("\ntype revoke/v1\n");
    size_t len = 1;

    while (len < rest->len && (rest->len - len < first.len ||
                               !pp_span_eq(pp_span(rest->at + len - 1, first.len), first)))
        len++;
    struct pp_span note = pp_span(rest->at, len);
    *rest = pp_span(rest->at + len, rest->len - len);
    return note;
}

static pp_res read_revokes(struct pp_trust *t, struct pp_span text, struct pp_problem *problem)
{
    while (text.len > 0) {
        struct pp_span note = next_note(&text);

        if (t->revoked_count == PP_TRUST_REVOKES_MAX)
            return refuse(problem, "revokes", "at most 32 revoke notes", PP_STR("more"));
        if (!pp_is_ok(pp_trust_open_revoke(t, note, &t->revoked[t->revoked_count])))
            return refuse(problem, "revokes", "revoke notes of this ledger that a reviewer signed",
                          PP_STR("something else"));
        t->revoked_count++;
    }
    return PP_OK;
}

/* A file that few have: its name keeps it apart from the others that may be absent. */
static void hash_named(struct pp_hash *h, const char *name, struct pp_span file)
{
    if (file.len == 0)
        return;
    pp_hash_update(h, pp_span_cstr(name));
    pp_hash_u64(h, file.len);
    pp_hash_update(h, file);
}

static void digest_of(const struct pp_trust_files *files, uint8_t ret[PP_SHA256_BYTES])
{
    const struct pp_span all[] = {
        files->trust, files->log_policy, files->owner_policy, files->review_policy, files->ark,
        files->ask,   files->ca
    };
    struct pp_hash h;

    pp_hash_init(&h, PP_SHA256);
    for (size_t i = 0; i < PP_ARRAY_COUNT(all); i++) {
        pp_hash_u64(&h, all[i].len);
        pp_hash_update(&h, all[i]);
    }
    if (files->revokes.len > 0) { /* without any, the digest is that of the seven */
        pp_hash_u64(&h, files->revokes.len);
        pp_hash_update(&h, files->revokes);
    }
    hash_named(&h, "tdx-root.der", files->tdx_root);
    hash_named(&h, "gpu-root.der", files->gpu_root);
    hash_named(&h, "rim-root.der", files->rim_root);
    pp_hash_final(&h, ret);
}

pp_res pp_trust_parse(struct pp_trust *t, const struct pp_trust_files *files,
                      struct pp_problem *problem)
{
    struct trust_text x = { .batches = 1 };

    *t = (struct pp_trust){ 0 };
    PP_TRY_AS(PP_E_TRUST, pp_kv_read(files->trust, PP_TRUST_KEYS, PP_TRUST_KEY_COUNT, &x, problem));
    PP_TRY(read_environment(t, x.environment, problem));
    t->ca_pem = files->ca;
    t->own_root = files->ark.len > 0 || files->ask.len > 0 || files->tdx_root.len > 0;
    PP_TRY(read_parties(&x, t, problem));
    PP_TRY(read_platforms(&x, t, problem));
    PP_TRY(read_algorithms(&x, t, problem));
    PP_TRY(read_policies(t, files, problem));
    PP_TRY(read_hardware(&x, t, files, problem));
    t->name_space = x.name_space;
    t->issuer = x.issuer;
    t->issuer_url = x.issuer_url;
    t->gateway_authority = x.gateway_authority;
    t->batches = x.batches;
    PP_TRY(read_revokes(t, files->revokes, problem));
    digest_of(files, t->files_digest);
    return PP_OK;
}

void pp_trust_done(struct pp_trust *t)
{
    pp_snp_anchors_done(&t->snp_anchors);
    pp_tdx_anchors_done(&t->tdx_anchors);
    pp_gpu_anchors_done(&t->gpu_anchors);
    *t = (struct pp_trust){ 0 };
}

void pp_trust_keep(struct pp_trust *t, struct pp_kept *kept)
{
    t->tdx_anchors.kept = &kept->tdx;
    t->gpu_anchors.rims.kept = &kept->rims;
}
