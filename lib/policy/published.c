/* SPDX-License-Identifier: Apache-2.0 */
/* Step 12, as far as it is the same for every platform: what was proven against the ledger. */
#include "appraise_int.h"

pp_res appraise_find_release(struct appraise *a)
{
    struct pp_record_id id;

    memcpy(id.bytes, a->evidence.release_id, sizeof id.bytes);
    pp_res r = pp_ledger_release(a->ledger, a->marks, &id, a->role, &a->release);
    if (!pp_is_ok(r)) {
        pp_problem_set(a->problem, "release record", "one in force in the status, for this role",
                       PP_STR(""));
        return r;
    }
    return PP_OK;
}

void appraise_release(const struct appraise *a)
{
    pp_check_add_hex(a->checks, PP_STEP_LEDGER, PP_E_LEDGER_UNLISTED, PP_VERDICT_PROVEN,
                     "the release is in force, reviewed and not revoked",
                     pp_span_cstr(pp_record_role_name(a->role)), PP_BYTES(a->evidence.release_id));
}

pp_res appraise_config(struct appraise *a)
{
    const struct pp_release *rel = a->release;
    enum pp_code code = a->platform->config_code;

    for (size_t i = 0; i < rel->config_count; i++)
        if (memcmp(rel->config[i], a->config_digest, sizeof a->config_digest) == 0) {
            pp_check_add_hex(a->checks, PP_STEP_LEDGER, code, PP_VERDICT_PROVEN,
                             "its configuration is the published one", PP_STR("release record"),
                             PP_BYTES(a->config_digest));
            return PP_OK;
        }
    return appraise_refuse_hex(a, code, "configuration digest", PP_BYTES(rel->config[0]),
                               PP_BYTES(a->config_digest));
}

/* This machine's path to the root of the host-set that the status names. */
static pp_res verify_path(const struct appraise *a, const struct pp_host_path *h)
{
    const struct pp_host_set *set = &pp_ledger_hosts(a->ledger)->record.host_set;
    struct pp_merkle_path path = { .count = h->node_count };
    struct pp_host host;

    PP_TRY(pp_host_make(a->platform->host, PP_BYTES(a->machine.host_id), &host));
    PP_CHECK(h->size == set->count && h->node_count <= PP_MERKLE_PATH_MAX, PP_E_LEDGER_HOST,
             h->size);
    for (size_t i = 0; i < path.count; i++)
        memcpy(path.hashes[i].bytes, h->nodes[i], PP_SHA256_BYTES);
    return pp_host_verify(&host, h->index, &path, set);
}

static pp_res refuse_host(const struct appraise *a, const char *field, const char *expected,
                          const char *got)
{
    const struct pp_advisory_facts facts = { .unregistered = 1 };
    pp_res r = appraise_refuse(a, PP_E_LEDGER_HOST, field, expected, pp_span_cstr(got));

    appraise_name(a, &facts, r);
    return r;
}

pp_res appraise_host(struct appraise *a)
{
    const struct pp_record_id *set = &pp_ledger_hosts(a->ledger)->id;

    for (size_t i = 0; i < a->evidence.host_count; i++) {
        const struct pp_host_path *h = &a->evidence.hosts[i];

        if (memcmp(h->record_id, set->bytes, sizeof set->bytes) != 0)
            continue;
        if (!pp_is_ok(verify_path(a, h)))
            return refuse_host(a, "chip", "one that the host-set's root commits to",
                               "a chip outside of it");
        pp_check_add_hex(a->checks, PP_STEP_LEDGER, PP_E_LEDGER_HOST, PP_VERDICT_PROVEN,
                         "this very chip is in the published host-set", PP_STR("host-set record"),
                         PP_BYTES(a->machine.host_id));
        return PP_OK;
    }
    return refuse_host(a, "host-set path", "one for the status record's host-set", "none");
}

pp_res appraise_backends(struct appraise *a)
{
    const struct pp_backends *all = &a->evidence.backends;

    for (size_t i = 0; i < all->count; i++) {
        const struct pp_release *unused;
        enum pp_record_role role;
        struct pp_record_id id;

        memcpy(id.bytes, all->items[i].release_id, sizeof id.bytes);
        if (!pp_is_ok(pp_record_role_parse(all->items[i].role, &role)) ||
            !pp_is_ok(pp_ledger_release(a->ledger, a->marks, &id, role, &unused)))
            return appraise_refuse(a, PP_E_BACKEND, "back-end", "one that the status allows",
                                   all->items[i].role);
    }
    pp_check_add_number(a->checks, PP_STEP_LEDGER, PP_E_BACKEND, PP_VERDICT_PROVEN,
                        "every back-end that it names is one that the status allows",
                        PP_STR("status record"), all->count, "back-ends");
    return PP_OK;
}
