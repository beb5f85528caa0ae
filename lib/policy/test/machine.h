/* SPDX-License-Identifier: Apache-2.0 */
/*
 * machine.h: a simulated machine that runs a published release, and the anchors and the verified
 * view of a ledger that know it. A test changes one thing and looks at who notices.
 */
#ifndef PP_MACHINE_H
#define PP_MACHINE_H

#include "harness.h"

#include "appraise.h"
#include "crypto.h"
#include "sim.h"

#define MACHINE_NOW UINT64_C(1780272000)

enum { M_GUARD, M_ORCHESTRATOR, M_PREDICTOR, M_RELEASES, M_HOSTS = M_RELEASES, M_RECORDS };
enum { MACHINE_HOSTS = 3 };

static const char MACHINE_CONFIG[] = "engine = embedded\n";

struct machine {
    struct sim_root *root;
    struct sim_chip *chip;
    struct pp_trust trust;
    struct pp_kept kept; /* of it, where a test keeps something */
    struct pp_marks marks;
    struct pp_ledger ledger;
    struct pp_ledger_record records[M_RECORDS + 4]; /* room for keys behind the host-set */
    struct pp_host host, hosts[MACHINE_HOSTS];      /* this one, and all of the set */

    enum pp_end end; /* whose Evidence it makes */
    struct sim_guest guest;
    struct pp_ratls_session session; /* what the client saw */
    uint8_t message_key[2 + PP_EVIDENCE_KEY_BYTES_MAX];
    size_t message_key_len;
    struct pp_evidence evidence;
    uint8_t report[PP_SNP_REPORT_BYTES];
    uint8_t cbor[PP_EVIDENCE_BYTES_MAX];
    size_t cbor_len;

    /* The bundle's blobs, and where a test keeps them. */
    struct pp_span blobs[8];

    void (*bend_evidence)(struct machine *m);                        /* before the binding */
    void (*bend_report)(struct machine *m, struct pp_snp_report *r); /* before it is signed */
    void (*bend_after)(struct machine *m);                           /* behind the signature */
};

/* Collision-free order of a bundle: ascending by digest. */
static inline void machine_add_blob(struct machine *m, struct pp_span blob)
{
    uint8_t digest[PP_SHA256_BYTES], other[PP_SHA256_BYTES];
    size_t i = m->ledger.bundle.blob_count++;

    assert_true(i < PP_ARRAY_COUNT(m->blobs));
    pp_sha256(blob, digest);
    for (; i > 0; i--) {
        pp_sha256(m->blobs[i - 1], other);
        if (memcmp(other, digest, sizeof other) < 0)
            break;
        m->blobs[i] = m->blobs[i - 1];
    }
    m->blobs[i] = blob;
    m->ledger.bundle.blobs = m->blobs;
}

/* Root and chip take seconds: made once a program. */
static inline struct machine *machine_new(void)
{
    struct sim_chip_params params = sim_chip_params_default(PP_SNP_GENOA);
    struct pp_random random = pp_random_system();
    struct machine *m = calloc(1, sizeof *m);

    assert_non_null(m);
    assert_ok(pp_crypto_init());
    assert_ok(sim_root_create(PP_SNP_GENOA, MACHINE_NOW - 86400, &m->root));
    assert_ok(sim_chip_create(m->root, &params, &random, MACHINE_NOW - 86400, &m->chip));
    assert_ok(pp_snp_anchors_add(&m->trust.snp_anchors, sim_root_ark(m->root),
                                 sim_root_ask(m->root), PP_STR("")));
    return m;
}

static inline void machine_free(struct machine *m)
{
    pp_trust_done(&m->trust);
    sim_chip_free(m->chip);
    sim_root_free(m->root);
    free(m);
}

static inline void machine_release(struct machine *m, size_t at, enum pp_record_role role)
{
    struct pp_ledger_record *r = &m->records[at];
    struct pp_release *rel = &r->record.release;

    *r = (struct pp_ledger_record){ .record = { .type = PP_RECORD_RELEASE, .serial = 1 } };
    memset(r->id.bytes, 0x30 + (int)role, sizeof r->id.bytes);
    rel->role = role;
    rel->not_before = MACHINE_NOW - 3600;
    rel->not_after = MACHINE_NOW + 86400;
    rel->snp_count = 1;
    rel->snp[0].label = PP_STR("small");
    rel->snp[0].family = PP_RECORD_GENOA;
    memset(rel->snp[0].measurement, 0x40 + (int)role, sizeof rel->snp[0].measurement);
    rel->config_count = 1;
    pp_sha256(pp_span_cstr(MACHINE_CONFIG), rel->config[0]);
    m->ledger.status.record.status.releases[at] = r->id;
}

/* This machine and others, in the host-set that the status names. */
static inline void machine_register(struct machine *m, enum pp_host_platform platform,
                                    struct pp_span id)
{
    struct pp_ledger_record *r = &m->records[M_HOSTS];
    uint8_t other[PP_HOST_ID_BYTES];

    assert_ok(pp_host_make(platform, id, &m->host));
    m->hosts[0] = m->host;
    for (int i = 1; i < MACHINE_HOSTS; i++) {
        memset(other, 0x50 + i, sizeof other);
        assert_ok(pp_host_make(PP_HOST_SNP, PP_BYTES(other), &m->hosts[i]));
    }
    assert_ok(pp_hosts_sort(m->hosts, MACHINE_HOSTS));
    *r = (struct pp_ledger_record){ .record = { .type = PP_RECORD_HOST_SET, .serial = 1 } };
    memset(r->id.bytes, 0x60, sizeof r->id.bytes);
    r->record.host_set.count = MACHINE_HOSTS;
    assert_ok(pp_hosts_root(m->hosts, MACHINE_HOSTS, &r->record.host_set.root));
}

/* The world as it should be; what a test changed before is undone. */
static inline void machine_default(struct machine *m)
{
    m->trust.own_root = 0; /* so that the platform's own word is seen */
    m->trust.platforms = 1U << PP_PLATFORM_SIM_SNP;
    m->trust.message_kem = PP_KEM_XWING;
    m->trust.ohttp_kem = PP_KEM_X25519_SHA256;
    m->trust.gateway_authority = PP_STR("gateway.example");
    assert_ok(pp_hardware_profile(PP_STR("strict"), &m->trust.hardware));
    m->marks = (struct pp_marks){ 0 };
    m->ledger = (struct pp_ledger){ .now_posix_s = MACHINE_NOW,
                                    .records = m->records,
                                    .record_count = M_RECORDS };
    m->ledger.status.record.type = PP_RECORD_STATUS;
    m->ledger.status.record.status.release_count = M_RELEASES;
    machine_release(m, M_GUARD, PP_RECORD_GUARD);
    machine_release(m, M_ORCHESTRATOR, PP_RECORD_ORCHESTRATOR);
    machine_release(m, M_PREDICTOR, PP_RECORD_PREDICTOR);
    machine_register(m, PP_HOST_SNP, pp_span(sim_chip_id(m->chip), PP_HOST_ID_BYTES));
    *sim_chip_params(m->chip) = sim_chip_params_default(PP_SNP_GENOA);
    m->guest = (struct sim_guest){ .policy = SIM_GUEST_POLICY };
    memcpy(m->guest.measurement, m->records[M_ORCHESTRATOR].record.release.snp[0].measurement,
           sizeof m->guest.measurement);
    pp_sha256(pp_span_cstr(MACHINE_CONFIG), m->guest.host_data);
    memset(&m->session, 0x5E, sizeof m->session);
    m->message_key_len = 2 + pp_kem_info(PP_KEM_XWING)->pk_len;
    memset(m->message_key, 9, sizeof m->message_key);
    m->message_key[0] = PP_KEM_XWING >> 8;
    m->message_key[1] = PP_KEM_XWING & 0xFF;
    m->end = PP_END_SERVER;
    m->bend_evidence = m->bend_after = NULL;
    m->bend_report = NULL;
}

static inline void machine_path(struct machine *m, struct pp_host_path *ret)
{
    struct pp_merkle_path path;
    uint64_t index;

    assert_ok(pp_hosts_path(m->hosts, MACHINE_HOSTS, &m->host, &index, &path));
    *ret = (struct pp_host_path){ .size = MACHINE_HOSTS,
                                  .index = (uint32_t)index,
                                  .node_count = path.count };
    memcpy(ret->record_id, m->records[M_HOSTS].id.bytes, sizeof ret->record_id);
    for (size_t i = 0; i < path.count; i++)
        memcpy(ret->nodes[i], path.hashes[i].bytes, sizeof ret->nodes[i]);
}

/* Everything but the report, bent where the test bends, and what the report has to say of it. */
static inline void machine_bind(struct machine *m, enum pp_platform platform,
                                uint8_t ret_report_data[PP_REPORT_DATA_BYTES])
{
    uint8_t binding[PP_BINDING_BYTES];
    struct pp_evidence *e = &m->evidence;

    *e = (struct pp_evidence){ .platform = platform,
                               .report = PP_BYTES(m->report),
                               .config = pp_span_cstr(MACHINE_CONFIG),
                               .message_key = pp_span(m->message_key, m->message_key_len),
                               .host_count = 1 };
    if (pp_platform_is_snp(platform)) {
        e->endorsements[0] = sim_chip_vcek(m->chip);
        e->endorsement_count = 1;
    }
    memcpy(e->release_id, m->records[M_ORCHESTRATOR].id.bytes, sizeof e->release_id);
    machine_path(m, &e->hosts[0]);
    if (m->end == PP_END_CLIENT)
        e->message_key = (struct pp_span){ 0 };
    if (m->bend_evidence != NULL)
        m->bend_evidence(m);
    assert_ok(
        pp_binding_of_evidence(m->end, PP_BYTES(m->session.spki), m->session.ekm, e, binding));
    assert_ok(pp_binding_report_data(binding, &e->batch, ret_report_data));
}

/* The map, bent once more behind the report's signature. */
static inline struct pp_span machine_write(struct machine *m)
{
    struct pp_wr wr = pp_wr_over(m->cbor, sizeof m->cbor);

    if (m->bend_after != NULL)
        m->bend_after(m);
    assert_ok(pp_evidence_write(&wr, &m->evidence));
    m->cbor_len = wr.len;
    return pp_wr_done(&wr);
}

/* Attests m->session: Evidence as the machine would send it, bent where the test bends. */
static inline struct pp_span machine_attest(struct machine *m)
{
    uint8_t report_data[PP_REPORT_DATA_BYTES];
    struct pp_snp_report report;

    machine_bind(m, PP_PLATFORM_SIM_SNP, report_data);
    sim_chip_fill(m->chip, &m->guest, report_data, &report);
    if (m->bend_report != NULL)
        m->bend_report(m, &report);
    assert_ok(sim_chip_sign(m->chip, &report, m->report));
    return machine_write(m);
}

#endif
