/* SPDX-License-Identifier: Apache-2.0 */
/* One confidential VM appraises another: by what it was told of, and by no clock and no ledger. */
#include "machine_tdx.h"

#include "peer.h"

enum { TEXT_BYTES = 8192 };

static struct machine *m;
static struct machine_tdx *tdx; /* the same as a TDX platform; used where `is_tdx` */
static int is_tdx;
static struct pp_ratls_ctx *clients, *servers;
static struct pp_ratls_client *client;
static struct pp_ratls_server *server;
static struct pp_peer peer;
static uint8_t text_bytes[M_RECORDS][TEXT_BYTES];
static struct pp_span texts[M_RECORDS];
static struct pp_record record;

static int make(void **state)
{
    (void)state;
    m = machine_new();
    tdx = machine_tdx_new(m);
    assert_ok(pp_ratls_ctx_new(PP_END_CLIENT, &clients));
    assert_ok(pp_ratls_ctx_new(PP_END_SERVER, &servers));
    return 0;
}

static int drop(void **state)
{
    (void)state;
    pp_ratls_ctx_free(clients);
    pp_ratls_ctx_free(servers);
    machine_tdx_free(tdx);
    machine_free(m);
    return 0;
}

/* --- records with texts ----------------------------------------------------------------------- */

static void start_record(enum pp_record_type type)
{
    record = (struct pp_record){ .type = type,
                                 .ledger = PP_STR("log.example"),
                                 .name_space = PP_STR("example"),
                                 .environment = PP_RECORD_DEV,
                                 .serial = 1,
                                 .time = MACHINE_NOW - 3600 };
}

static void write_text(size_t at)
{
    struct pp_wr wr = pp_wr_over(text_bytes[at], TEXT_BYTES);

    assert_ok(pp_record_write(&wr, &record));
    texts[at] = pp_wr_done(&wr);
    pp_record_id_of(texts[at], &m->records[at].id);
}

static void release_text(size_t at)
{
    const struct pp_release *known = &m->records[at].record.release;
    struct pp_release *r = &record.release;

    start_record(PP_RECORD_RELEASE);
    *r = *known;
    r->not_before = MACHINE_NOW - 3600;
    r->image.bytes = 1;
    r->image.where = PP_STR("https://images.example.org/1");
    r->source.repository = PP_STR("https://git.example.org/pp");
    r->source.commit = PP_STR("0123456789abcdef0123456789abcdef01234567");
    r->snp[0].vmm = PP_STR("qemu");
    r->snp[0].vcpus = 1;
    r->snp_min_tcb[PP_RECORD_GENOA] = (struct pp_release_tcb){ .given = 1, .snp = 1 };
    r->tdx[0].vcpus = 1;
    r->gpu_count = 0;
    r->review_count = 1;
    r->review[0].name = PP_STR("reviewers");
    write_text(at);
}

static void host_set_text(void)
{
    start_record(PP_RECORD_HOST_SET);
    record.host_set = m->records[M_HOSTS].record.host_set;
    record.host_set.not_after = MACHINE_NOW + 86400;
    record.host_set.where = PP_STR("STATE/owner/hosts");
    write_text(M_HOSTS);
}

/* --- both ends -------------------------------------------------------------------------------- */

/* Every release may run on the TDX machine, too. */
static void tdx_world(void)
{
    struct pp_release *from = &m->records[M_ORCHESTRATOR].record.release;

    machine_tdx_default(tdx);
    for (size_t i = 0; i < M_RELEASES; i++) {
        struct pp_release *r = &m->records[i].record.release;
        r->tdx_count = 1;
        r->tdx[0] = from->tdx[0];
        memset(r->tdx[0].rtmr[2], 0x80 + (int)i, sizeof r->tdx[0].rtmr[2]); /* its role */
    }
    memset(tdx->guest.rtmr[2], 0x80 + M_PREDICTOR, sizeof tdx->guest.rtmr[2]);
}

/* A machine that runs the predictor, and a peer that expects one. */
static int fresh(void **state)
{
    uint8_t hello[PP_HELLO_BYTES];
    struct pp_wr wr = pp_wr_over(hello, sizeof hello);
    struct pp_random random = pp_random_system();

    (void)state;
    if (is_tdx)
        tdx_world();
    else
        machine_default(m);
    for (size_t i = 0; i < M_RELEASES; i++)
        release_text(i);
    host_set_text();
    peer = (struct pp_peer){ .role = PP_RECORD_PREDICTOR,
                             .named = { m->records[M_PREDICTOR].id },
                             .named_count = 1,
                             .has_host_set = 1,
                             .host_set = m->records[M_HOSTS].id,
                             .texts = texts,
                             .text_count = M_RECORDS,
                             .collateral = m->ledger.bundle.blobs,
                             .collateral_count = m->ledger.bundle.blob_count };
    memcpy(m->guest.measurement, m->records[M_PREDICTOR].record.release.snp[0].measurement,
           sizeof m->guest.measurement);
    assert_ok(pp_ratls_client_new(clients, &client));
    assert_ok(pp_ratls_client_take(client, &wr));
    assert_ok(pp_ratls_server_new_mutual(servers, &random, &server));
    assert_ok(pp_ratls_server_feed(server, pp_wr_done(&wr)));
    assert_ok(pp_ratls_server_session(server, &m->session));
    return 0;
}

static int fresh_tdx(void **state)
{
    is_tdx = 1;
    return fresh(state);
}

static int over(void **state)
{
    (void)state;
    pp_ratls_client_free(client);
    pp_ratls_server_free(server);
    client = NULL;
    server = NULL;
    is_tdx = 0;
    return 0;
}

static size_t runs; /* index of the record whose release the Evidence names */

static void name_release(struct machine *x)
{
    memcpy(x->evidence.release_id, x->records[runs].id.bytes, sizeof x->evidence.release_id);
}

static struct pp_span body_of(size_t release)
{
    static uint8_t body[PP_EVIDENCE_BODY_BYTES];
    struct pp_wr wr = pp_wr_over(body, sizeof body);

    runs = release;
    if (m->bend_evidence == NULL)
        m->bend_evidence = name_release;
    if (is_tdx)
        (void)machine_tdx_attest(tdx);
    else
        (void)machine_attest(m);
    assert_ok(pp_evidence_body_write(&wr, &m->evidence));
    return pp_wr_done(&wr);
}

/* What the orchestrator's worker makes of a back-end that says it runs `release`. */
static pp_res meet(size_t release, struct pp_verified *ret)
{
    static uint8_t flight[1 << 16];
    struct pp_wr wr = pp_wr_over(flight, sizeof flight);

    assert_ok(pp_ratls_server_evidence(server, body_of(release)));
    assert_ok(pp_ratls_server_take(server, &wr));
    assert_ok(pp_ratls_client_feed(client, pp_wr_done(&wr)));
    assert_ok(pp_ratls_client_flight_end(client));
    return pp_peer_appraise(&m->trust, &peer, client, NULL, ret);
}

static void assert_not_met(size_t release, enum pp_code code)
{
    struct pp_verified v;

    memset(&v, 0xEE, sizeof v);
    assert_code(meet(release, &v), code);
    assert_int_equal(((const uint8_t *)&v)[0], 0xEE);
    assert_int_equal(pp_ratls_client_pending(client), 0); /* nothing leaves */
}

static void a_named_predictor_on_a_named_machine_is_verified_for_this_session(void **state)
{
    struct pp_verified v;

    (void)state;
    assert_ok(meet(M_PREDICTOR, &v));
    assert_memory_equal(v.appraisal.release_id.bytes, m->records[M_PREDICTOR].id.bytes, 32);
    assert_int_equal(v.appraisal.message_kem, PP_KEM_XWING);
}

static void w20_t2_a_guard_in_the_place_of_a_predictor_is_refused_named_or_not(void **state)
{
    (void)state;
    memcpy(m->guest.measurement, m->records[M_GUARD].record.release.snp[0].measurement,
           sizeof m->guest.measurement);
    assert_not_met(M_GUARD, PP_E_BACKEND);
    over(NULL);
    fresh(NULL);
    peer.named[0] = m->records[M_GUARD].id; /* whoever named it under the wrong role */
    assert_not_met(M_GUARD, PP_E_LEDGER_NAMESPACE);
}

static void an_orchestrator_is_no_back_end(void **state)
{
    (void)state;
    assert_not_met(M_ORCHESTRATOR, PP_E_BACKEND);
}

static void a_measurement_that_the_named_release_does_not_list_is_refused(void **state)
{
    (void)state;
    m->guest.measurement[0] ^= 1;
    assert_not_met(M_PREDICTOR, PP_E_LEDGER_MEASUREMENT);
}

static void a_text_counts_by_its_hash_alone(void **state)
{
    (void)state;
    text_bytes[M_PREDICTOR][texts[M_PREDICTOR].len - 2] ^= 1;
    assert_not_met(M_PREDICTOR, PP_E_LEDGER_UNLISTED);
    over(NULL);
    fresh(NULL);
    peer.text_count = M_PREDICTOR; /* neither release nor host-set came */
    assert_not_met(M_PREDICTOR, PP_E_LEDGER_UNLISTED);
    over(NULL);
    fresh(NULL);
    peer.text_count = M_HOSTS; /* the host-set did not */
    assert_not_met(M_PREDICTOR, PP_E_LEDGER_UNLISTED);
}

static void a_text_of_another_type_under_the_named_id_is_refused(void **state)
{
    (void)state;
    peer.host_set = m->records[M_GUARD].id;
    assert_not_met(M_PREDICTOR, PP_E_LEDGER_FORMAT);
    over(NULL);
    fresh(NULL);
    peer.named[0] = m->records[M_HOSTS].id;
    assert_not_met(M_HOSTS, PP_E_LEDGER_FORMAT);
}

static void w10_t1_a_chip_outside_of_the_named_host_set_is_refused(void **state)
{
    (void)state;
    m->records[M_HOSTS].record.host_set.root.bytes[0] ^= 1;
    host_set_text();
    peer.host_set = m->records[M_HOSTS].id;
    assert_not_met(M_PREDICTOR, PP_E_LEDGER_HOST);
}

static void a_back_end_is_never_met_without_a_host_set(void **state)
{
    (void)state;
    peer.has_host_set = 0;
    assert_not_met(M_PREDICTOR, PP_E_STATE);
}

/* W7: a genuine predictor's Evidence of any other session. */
static void w7_t1_evidence_of_another_session_is_refused(void **state)
{
    (void)state;
    m->session.ekm[0] ^= 1;
    assert_not_met(M_PREDICTOR, PP_E_SNP_BINDING);
}

/* --- the client end --------------------------------------------------------------------------- */

/* What a back-end makes of a client that says it runs `release`. */
static pp_res admit(size_t release, struct pp_admitted *ret)
{
    return pp_peer_admit(&m->trust, &peer, body_of(release), &m->session, NULL, ret);
}

static void expect_client(enum pp_end end)
{
    peer.role = PP_RECORD_ORCHESTRATOR;
    peer.named[0] = m->records[M_ORCHESTRATOR].id;
    peer.has_host_set = 0;
    m->end = end;
    memcpy(m->guest.measurement, m->records[M_ORCHESTRATOR].record.release.snp[0].measurement,
           sizeof m->guest.measurement);
}

static void an_orchestrator_that_the_configuration_names_is_admitted(void **state)
{
    struct pp_admitted a;

    (void)state;
    expect_client(PP_END_CLIENT);
    assert_ok(admit(M_ORCHESTRATOR, &a));
    assert_memory_equal(a.release_id.bytes, m->records[M_ORCHESTRATOR].id.bytes, 32);
    peer.has_host_set = 1; /* and if somebody names one, its chip is looked for */
    assert_ok(admit(M_ORCHESTRATOR, &a));
    m->records[M_HOSTS].record.host_set.root.bytes[0] ^= 1;
    host_set_text();
    peer.host_set = m->records[M_HOSTS].id;
    assert_code(admit(M_ORCHESTRATOR, &a), PP_E_LEDGER_HOST);
}

static void w20_t2_a_client_of_another_role_or_release_is_not_admitted(void **state)
{
    struct pp_admitted a;

    (void)state;
    expect_client(PP_END_CLIENT);
    assert_code(admit(M_GUARD, &a), PP_E_BACKEND);
    peer.named[0] = m->records[M_GUARD].id;
    memcpy(m->guest.measurement, m->records[M_GUARD].record.release.snp[0].measurement,
           sizeof m->guest.measurement);
    assert_code(admit(M_GUARD, &a), PP_E_LEDGER_NAMESPACE);
    m->guest.measurement[0] ^= 1;
    peer.role = PP_RECORD_GUARD;
    assert_code(admit(M_GUARD, &a), PP_E_LEDGER_MEASUREMENT);
}

/* The back-end's own Evidence sent back, with its message key or without. */
static void evidence_of_a_server_admits_nobody(void **state)
{
    struct pp_admitted a;

    (void)state;
    expect_client(PP_END_SERVER);
    assert_code(admit(M_ORCHESTRATOR, &a), PP_E_EVIDENCE_FORMAT);
    m->message_key_len = 0;
    m->end = PP_END_SERVER;
    assert_code(admit(M_ORCHESTRATOR, &a), PP_E_SNP_BINDING);
}

static void evidence_of_a_client_in_another_session_admits_nobody(void **state)
{
    struct pp_ratls_session here;
    struct pp_admitted a;

    (void)state;
    expect_client(PP_END_CLIENT);
    struct pp_span body = body_of(M_ORCHESTRATOR);
    here = m->session;
    here.ekm[31] ^= 1;
    assert_code(pp_peer_admit(&m->trust, &peer, body, &here, NULL, &a), PP_E_SNP_BINDING);
    here = m->session;
    here.spki[90] ^= 1;
    assert_code(pp_peer_admit(&m->trust, &peer, body, &here, NULL, &a), PP_E_SNP_BINDING);
}

/* Zeros of the right length, where Evidence belongs. */
static void a_back_end_that_shows_no_evidence_is_refused_by_its_form(void **state)
{
    static uint8_t flight[1 << 16], body[PP_EVIDENCE_BODY_BYTES];
    struct pp_wr wr = pp_wr_over(flight, sizeof flight);
    struct pp_verified v;

    (void)state;
    assert_ok(pp_ratls_server_evidence(server, PP_BYTES(body)));
    assert_ok(pp_ratls_server_take(server, &wr));
    assert_ok(pp_ratls_client_feed(client, pp_wr_done(&wr)));
    assert_ok(pp_ratls_client_flight_end(client));
    assert_code(pp_peer_appraise(&m->trust, &peer, client, NULL, &v), PP_E_EVIDENCE_FORMAT);
}

/* --- TDX machines ----------------------------------------------------------------------------- */

static void again(void)
{
    over(NULL);
    fresh_tdx(NULL);
}

static void a_tdx_predictor_is_verified_by_what_its_asker_was_brought(void **state)
{
    struct pp_verified v;

    (void)state;
    assert_ok(meet(M_PREDICTOR, &v));
    assert_memory_equal(v.appraisal.release_id.bytes, m->records[M_PREDICTOR].id.bytes, 32);
    assert_int_equal(v.appraisal.platform, PP_PLATFORM_SIM_TDX);
    assert_memory_equal(v.appraisal.chip_id, sim_tdx_ppid(tdx->platform), PP_TDX_ID_BYTES);
}

static void a_tdx_orchestrator_is_admitted_and_no_other_role(void **state)
{
    struct pp_admitted a;

    (void)state;
    expect_client(PP_END_CLIENT);
    memset(tdx->guest.rtmr[2], 0x80 + M_ORCHESTRATOR, sizeof tdx->guest.rtmr[2]);
    assert_ok(admit(M_ORCHESTRATOR, &a));
    assert_memory_equal(a.release_id.bytes, m->records[M_ORCHESTRATOR].id.bytes, 32);
    memset(tdx->guest.rtmr[2], 0x80 + M_GUARD, sizeof tdx->guest.rtmr[2]);
    assert_code(admit(M_ORCHESTRATOR, &a), PP_E_LEDGER_MEASUREMENT);
}

static void a_tdx_machine_without_the_vendors_word_is_refused(void **state)
{
    struct pp_span many[PP_HINTS_COLLATERAL_MAX + 1];
    struct pp_verified v;

    (void)state;
    peer.collateral_count = 0;
    assert_not_met(M_PREDICTOR, PP_E_TDX_CRL_STALE);
    /* Among other things it is found, as many as hints have room for and no more. */
    for (size_t i = 0; i < PP_ARRAY_COUNT(many); i++)
        many[i] = PP_STR("no collateral");
    for (int over_it = 0; over_it <= 1; over_it++) {
        again();
        many[PP_HINTS_COLLATERAL_MAX - 1] = peer.collateral[0];
        peer.collateral = many;
        peer.collateral_count = PP_HINTS_COLLATERAL_MAX + (size_t)over_it;
        if (over_it)
            assert_not_met(M_PREDICTOR, PP_E_LIMIT);
        else
            assert_ok(meet(M_PREDICTOR, &v));
    }
}

/* The one time that no host can move; and what is issued after it is not in force yet. */
static void the_vendors_word_must_hold_at_the_last_second_of_the_release(void **state)
{
    struct sim_tdx_collateral *c = &tdx->collateral;
    struct pp_verified v;
    uint64_t last = m->records[M_PREDICTOR].record.release.not_after - 1;

    (void)state;
    static const struct {
        int64_t from_last_s;
        enum pp_code code;
    } ROWS[] = { { 0, PP_E_OK },
                 { 1, PP_E_TDX_CRL_STALE },
                 { -30 * 86400 + 1, PP_E_OK },
                 { -30 * 86400, PP_E_TDX_CRL_STALE } };
    for (size_t i = 0; i < PP_ARRAY_COUNT(ROWS); i++) {
        assert_ok(sim_tdx_collateral(tdx->vendor, tdx->platform,
                                     (uint64_t)((int64_t)last + ROWS[i].from_last_s), c));
        machine_tdx_publish(tdx);
        m->ledger.now_posix_s = MACHINE_NOW + 400 * 86400; /* which nobody asks */
        if (ROWS[i].code == PP_E_OK)
            assert_ok(meet(M_PREDICTOR, &v));
        else
            assert_not_met(M_PREDICTOR, ROWS[i].code);
        again();
    }
}

static void a_tdx_machine_that_is_wrong_is_refused_by_its_code(void **state)
{
    const uint64_t serial = SIM_TDX_SERIAL_PCK;
    struct sim_tdx_collateral *c = &tdx->collateral;

    (void)state;
    tdx->guest.mrtd[0] ^= 1;
    assert_not_met(M_PREDICTOR, PP_E_LEDGER_MEASUREMENT);
    again();
    tdx->guest.rtmr[1][0] ^= 1;
    assert_not_met(M_PREDICTOR, PP_E_LEDGER_MEASUREMENT);
    again();
    tdx->guest.td_attributes |= PP_TDX_ATTR_DEBUG;
    assert_not_met(M_PREDICTOR, PP_E_TDX_TD_ATTR);
    again();
    m->session.ekm[0] ^= 1;
    assert_not_met(M_PREDICTOR, PP_E_TDX_BINDING);
    again();
    m->records[M_HOSTS].record.host_set.root.bytes[0] ^= 1;
    host_set_text();
    peer.host_set = m->records[M_HOSTS].id;
    assert_not_met(M_PREDICTOR, PP_E_LEDGER_HOST);
    again();
    assert_ok(sim_tdx_crl(tdx->vendor, SIM_TDX_BY_AUTHORITY, MACHINE_NOW, MACHINE_NOW + 90 * 86400,
                          &serial, 1, c->pck_crl, sizeof c->pck_crl, &c->pck_crl_len));
    machine_tdx_publish(tdx);
    assert_not_met(M_PREDICTOR, PP_E_TDX_REVOKED);
}

/* --- anchors ---------------------------------------------------------------------------------- */

static struct pp_trust trust;

static pp_res trust_of(const struct pp_peer_roots *roots, const struct pp_span *list, size_t count)
{
    pp_trust_done(&trust);
    return pp_peer_trust(&trust, roots, PP_KEM_XWING, list, count);
}

static void the_roots_of_simulated_machines_are_the_measured_ones(void **state)
{
    const struct pp_span all[] = { sim_root_ark(m->root), sim_root_ask(m->root),
                                   sim_tdx_root(tdx->vendor) };
    const struct pp_span turned[] = { all[2], all[1], all[0] };
    struct pp_peer_roots roots = { .has_snp = 1 };

    (void)state;
    pp_sha256(all[0], roots.snp);
    pp_sha256(all[2], roots.tdx);
    assert_ok(trust_of(&roots, all, 2));
    assert_int_equal(trust.platforms, 1U << PP_PLATFORM_SIM_SNP);
    assert_code(trust_of(&roots, all, 1), PP_E_TRUST);    /* nothing behind it */
    assert_code(trust_of(&roots, turned, 3), PP_E_TRUST); /* likewise */
    roots.has_tdx = 1;
    assert_ok(trust_of(&roots, all, 3));
    assert_int_equal(trust.platforms, 1U << PP_PLATFORM_SIM_SNP | 1U << PP_PLATFORM_SIM_TDX);
    assert_int_equal(trust.snp_anchors.count, 1);
    assert_int_equal(trust.tdx_anchors.count, 1);
    assert_code(trust_of(&roots, all, 2), PP_E_TRUST); /* both, or nothing */
    roots.has_snp = 0;
    assert_ok(trust_of(&roots, turned, 3));
    assert_int_equal(trust.platforms, 1U << PP_PLATFORM_SIM_TDX);
    assert_int_equal(trust.snp_anchors.count, 0);
    roots.tdx[0] ^= 1;
    assert_code(trust_of(&roots, all, 3), PP_E_TRUST);
    roots = (struct pp_peer_roots){ .has_snp = 1 };
    pp_sha256(all[0], roots.snp);
    roots.snp[0] ^= 1;
    assert_code(trust_of(&roots, all, 3), PP_E_TRUST);
    roots.has_snp = 0;
    assert_code(trust_of(&roots, all, 3), PP_E_TRUST); /* none is named */
    /* The authority below the root is the root's, or there is none. */
    const struct pp_span other[] = { all[0], PP_STR("not a certificate") };
    roots.has_snp = 1;
    roots.snp[0] ^= 1;
    assert_false(pp_is_ok(trust_of(&roots, other, 2)));
    assert_int_equal(trust.snp_anchors.count, 0);
    pp_trust_done(&trust);
}

static void with_hardware_nothing_that_a_host_brings_is_an_anchor(void **state)
{
    const struct pp_span all[] = { sim_root_ark(m->root), sim_root_ask(m->root),
                                   sim_tdx_root(tdx->vendor) };

    (void)state;
    assert_ok(trust_of(NULL, all, 3));
    assert_int_equal(trust.platforms, 1U << PP_PLATFORM_SEV_SNP | 1U << PP_PLATFORM_TDX);
    assert_int_equal(trust.snp_anchors.count, 3);
    assert_int_equal(trust.tdx_anchors.count, 1);
    assert_memory_equal(trust.tdx_anchors.roots[0].family, "Intel SGX", sizeof "Intel SGX");
    pp_trust_done(&trust);
    assert_code(pp_peer_trust(&trust, NULL, 1, all, 3), PP_E_UNSUPPORTED);
    pp_trust_done(&trust);
}

#define PEER_TEST(name) cmocka_unit_test_setup_teardown(name, fresh, over)
#define TDX_TEST(name)  cmocka_unit_test_setup_teardown(name, fresh_tdx, over)

static const struct CMUnitTest tests[] = {
    PEER_TEST(a_named_predictor_on_a_named_machine_is_verified_for_this_session),
    PEER_TEST(a_back_end_that_shows_no_evidence_is_refused_by_its_form),
    PEER_TEST(w20_t2_a_guard_in_the_place_of_a_predictor_is_refused_named_or_not),
    PEER_TEST(an_orchestrator_is_no_back_end),
    PEER_TEST(a_measurement_that_the_named_release_does_not_list_is_refused),
    PEER_TEST(a_text_counts_by_its_hash_alone),
    PEER_TEST(a_text_of_another_type_under_the_named_id_is_refused),
    PEER_TEST(w10_t1_a_chip_outside_of_the_named_host_set_is_refused),
    PEER_TEST(a_back_end_is_never_met_without_a_host_set),
    PEER_TEST(w7_t1_evidence_of_another_session_is_refused),
    PEER_TEST(an_orchestrator_that_the_configuration_names_is_admitted),
    PEER_TEST(w20_t2_a_client_of_another_role_or_release_is_not_admitted),
    PEER_TEST(evidence_of_a_server_admits_nobody),
    PEER_TEST(evidence_of_a_client_in_another_session_admits_nobody),
    TDX_TEST(a_tdx_predictor_is_verified_by_what_its_asker_was_brought),
    TDX_TEST(a_tdx_orchestrator_is_admitted_and_no_other_role),
    TDX_TEST(a_tdx_machine_without_the_vendors_word_is_refused),
    TDX_TEST(the_vendors_word_must_hold_at_the_last_second_of_the_release),
    TDX_TEST(a_tdx_machine_that_is_wrong_is_refused_by_its_code),
    PEER_TEST(the_roots_of_simulated_machines_are_the_measured_ones),
    PEER_TEST(with_hardware_nothing_that_a_host_brings_is_an_anchor),
};

int main(void)
{
    return cmocka_run_group_tests(tests, make, drop);
}
