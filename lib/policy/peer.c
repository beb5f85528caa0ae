/* SPDX-License-Identifier: Apache-2.0 */
#include "peer.h"

#include "appraise_int.h"

static const struct pp_marks NO_MARKS;

/* --- anchors ---------------------------------------------------------------------------------- */

/* Where the root of that digest stands among what the host brought. TRUST: nowhere. */
static pp_res find_root(const uint8_t root[PP_SHA256_BYTES], const struct pp_span *collateral,
                        size_t count, size_t *ret)
{
    uint8_t digest[PP_SHA256_BYTES];

    for (size_t i = 0; i < count; i++) {
        pp_sha256(collateral[i], digest);
        if (memcmp(digest, root, sizeof digest) != 0)
            continue;
        *ret = i;
        return PP_OK;
    }
    return PP_FAIL(PP_E_TRUST, count);
}

static pp_res add_simulated_snp(struct pp_trust *t, const struct pp_peer_roots *roots,
                                const struct pp_span *collateral, size_t count)
{
    size_t at;

    t->platforms |= 1U << PP_PLATFORM_SIM_SNP;
    PP_TRY(find_root(roots->snp, collateral, count, &at));
    /* The authority below it needs no digest: the root signed it, which every check asks. */
    PP_CHECK(at + 1 < count, PP_E_TRUST, at);
    return pp_snp_anchors_add(&t->snp_anchors, collateral[at], collateral[at + 1], PP_STR(""));
}

static pp_res add_simulated_tdx(struct pp_trust *t, const struct pp_peer_roots *roots,
                                const struct pp_span *collateral, size_t count)
{
    size_t at;

    t->platforms |= 1U << PP_PLATFORM_SIM_TDX;
    PP_TRY(find_root(roots->tdx, collateral, count, &at));
    return pp_tdx_anchors_add(&t->tdx_anchors, collateral[at]);
}

/* Both vendors: which machines serve a release is what its rows and the host-set say. */
static pp_res add_vendors(struct pp_trust *t)
{
    t->platforms = 1U << PP_PLATFORM_SEV_SNP | 1U << PP_PLATFORM_TDX;
    PP_TRY(pp_snp_anchors_add_amd(&t->snp_anchors));
    return pp_tdx_anchors_add_intel(&t->tdx_anchors);
}

pp_res pp_peer_trust(struct pp_trust *t, const struct pp_peer_roots *simulated,
                     uint16_t message_kem, const struct pp_span *collateral,
                     size_t collateral_count)
{
    *t = (struct pp_trust){ .message_kem = message_kem };
    PP_TRY(pp_hardware_profile(PP_STR("strict"), &t->hardware));
    PP_CHECK(pp_kem_info(message_kem) != NULL, PP_E_UNSUPPORTED, message_kem);
    if (simulated == NULL)
        return add_vendors(t);
    PP_CHECK(simulated->has_snp || simulated->has_tdx, PP_E_TRUST, 0);
    if (simulated->has_snp)
        PP_TRY(add_simulated_snp(t, simulated, collateral, collateral_count));
    if (simulated->has_tdx)
        PP_TRY(add_simulated_tdx(t, simulated, collateral, collateral_count));
    return PP_OK;
}

/* --- the records that were named, as a ledger ------------------------------------------------- */

struct view {
    struct pp_ledger ledger;
    struct pp_ledger_record records[2]; /* the release, and the host-set if one is asked for */
    struct pp_span blobs[PP_HINTS_COLLATERAL_MAX];
};

static pp_res open_record(const struct pp_peer *peer, const struct pp_record_id *id,
                          enum pp_record_type type, struct pp_ledger_record *ret)
{
    for (size_t i = 0; i < peer->text_count; i++) {
        pp_record_id_of(peer->texts[i], &ret->id);
        if (!pp_record_id_same(&ret->id, id))
            continue;
        PP_TRY_AS(PP_E_LEDGER_FORMAT, pp_record_parse(peer->texts[i], &ret->record));
        PP_CHECK(ret->record.type == type, PP_E_LEDGER_FORMAT, ret->record.type);
        return PP_OK;
    }
    return PP_FAIL(PP_E_LEDGER_UNLISTED, type);
}

static int is_named(const struct pp_peer *peer, const struct pp_record_id *id)
{
    for (size_t i = 0; i < peer->named_count; i++)
        if (pp_record_id_same(&peer->named[i], id))
            return 1;
    return 0;
}

/* What vendors say of machines counts by their signatures, so it may come from anybody. */
static pp_res take_collateral(const struct pp_peer *peer, struct view *v)
{
    PP_CHECK(peer->collateral_count <= PP_ARRAY_COUNT(v->blobs), PP_E_LIMIT,
             peer->collateral_count);
    for (size_t i = 0; i < peer->collateral_count; i++)
        v->blobs[i] = peer->collateral[i];
    v->ledger.bundle.blobs = v->blobs;
    v->ledger.bundle.blob_count = peer->collateral_count;
    return PP_OK;
}

/* The release that the Evidence says it is of, if it was named; nothing else is in force. */
static pp_res look_up(const struct pp_peer *peer, const uint8_t release_id[PP_SHA256_BYTES],
                      struct view *v)
{
    struct pp_status *status = &v->ledger.status.record.status;
    struct pp_record_id id;

    memcpy(id.bytes, release_id, sizeof id.bytes);
    PP_CHECK(is_named(peer, &id), PP_E_BACKEND, 0);
    PP_TRY(open_record(peer, &id, PP_RECORD_RELEASE, &v->records[0]));
    v->ledger.status.record.type = PP_RECORD_STATUS;
    status->releases[0] = id;
    status->release_count = 1;
    v->ledger.records = v->records;
    v->ledger.record_count = 1;
    v->ledger.now_posix_s = v->records[0].record.release.not_after - 1;
    PP_TRY(take_collateral(peer, v));
    if (!peer->has_host_set)
        return PP_OK;
    v->ledger.record_count = 2;
    return open_record(peer, &peer->host_set, PP_RECORD_HOST_SET, &v->records[1]);
}

/* Which release the Evidence names; all else about it is asked later. */
static pp_res release_of(struct pp_span body, enum pp_end end, struct pp_span *ret_cbor,
                         uint8_t ret_id[PP_SHA256_BYTES])
{
    struct pp_evidence e;

    PP_TRY_AS(PP_E_EVIDENCE_FORMAT, pp_evidence_body_parse(body, ret_cbor));
    PP_TRY_AS(PP_E_EVIDENCE_FORMAT, pp_evidence_parse(*ret_cbor, end, &e));
    memcpy(ret_id, e.release_id, PP_SHA256_BYTES);
    return PP_OK;
}

/* --- both ends -------------------------------------------------------------------------------- */

pp_res pp_peer_appraise(const struct pp_trust *trust, const struct pp_peer *peer,
                        struct pp_ratls_client *session, struct pp_problem *problem,
                        struct pp_verified *ret)
{
    uint8_t id[PP_SHA256_BYTES];
    struct pp_span body, cbor;
    struct view v = { 0 };

    PP_CHECK(peer->has_host_set, PP_E_STATE,
             0); /* whom a request is sealed to is a known machine */
    PP_TRY(pp_ratls_client_evidence(session, &body));
    PP_TRY(release_of(body, PP_END_SERVER, &cbor, id));
    PP_TRY(look_up(peer, id, &v));
    return pp_appraise(trust, &v.ledger, &NO_MARKS, peer->role, session, NULL, problem, ret);
}

pp_res pp_peer_admit(const struct pp_trust *trust, const struct pp_peer *peer,
                     struct pp_span evidence_body, const struct pp_ratls_session *session,
                     struct pp_problem *problem, struct pp_admitted *ret)
{
    struct pp_admitted admitted;
    struct pp_span cbor;
    struct view v = { 0 };
    struct appraise a = { .trust = trust,
                          .ledger = &v.ledger,
                          .marks = &NO_MARKS,
                          .role = peer->role,
                          .end = PP_END_CLIENT,
                          .problem = problem };

    PP_TRY(release_of(evidence_body, PP_END_CLIENT, &cbor, admitted.release_id.bytes));
    PP_TRY(look_up(peer, admitted.release_id.bytes, &v));
    PP_TRY(appraise_run(&a, cbor, session));
    if (peer->has_host_set)
        PP_TRY(appraise_host(&a));
    *ret = admitted;
    return PP_OK;
}
