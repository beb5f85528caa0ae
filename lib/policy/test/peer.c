/* SPDX-License-Identifier: Apache-2.0 */
/* One confidential VM appraises another: by what it was told of, and by no clock and no ledger. */
#include "machine.h"

#include "peer.h"

enum { TEXT_BYTES = 8192 };

static struct machine *m;
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
    assert_ok(pp_ratls_ctx_new(PP_END_CLIENT, &clients));
    assert_ok(pp_ratls_ctx_new(PP_END_SERVER, &servers));
    return 0;
}

static int drop(void **state)
{
    (void)state;
    pp_ratls_ctx_free(clients);
    pp_ratls_ctx_free(servers);
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
    r->tdx_count = r->gpu_count = 0;
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

/* A machine that runs the predictor, and a peer that expects one. */
static int fresh(void **state)
{
    uint8_t hello[PP_HELLO_BYTES];
    struct pp_wr wr = pp_wr_over(hello, sizeof hello);
    struct pp_random random = pp_random_system();

    (void)state;
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
                             .text_count = M_RECORDS };
    memcpy(m->guest.measurement, m->records[M_PREDICTOR].record.release.snp[0].measurement,
           sizeof m->guest.measurement);
    assert_ok(pp_ratls_client_new(clients, &client));
    assert_ok(pp_ratls_client_take(client, &wr));
    assert_ok(pp_ratls_server_new_mutual(servers, &random, &server));
    assert_ok(pp_ratls_server_feed(server, pp_wr_done(&wr)));
    assert_ok(pp_ratls_server_session(server, &m->session));
    return 0;
}

static int over(void **state)
{
    (void)state;
    pp_ratls_client_free(client);
    pp_ratls_server_free(server);
    client = NULL;
    server = NULL;
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

/* --- anchors ---------------------------------------------------------------------------------- */

static void the_root_of_simulated_chips_is_the_measured_one(void **state)
{
    const struct pp_span both[] = { sim_root_ark(m->root), sim_root_ask(m->root) };
    uint8_t digest[PP_SHA256_BYTES];
    struct pp_trust t;

    (void)state;
    pp_sha256(both[0], digest);
    assert_ok(pp_peer_trust(&t, PP_PLATFORM_SIM_SNP, PP_KEM_XWING, digest, both, 2));
    assert_int_equal(t.platforms, 1U << PP_PLATFORM_SIM_SNP);
    pp_trust_done(&t);
    assert_code(pp_peer_trust(&t, PP_PLATFORM_SIM_SNP, PP_KEM_XWING, digest, both, 1), PP_E_TRUST);
    pp_trust_done(&t);
    digest[0] ^= 1;
    assert_code(pp_peer_trust(&t, PP_PLATFORM_SIM_SNP, PP_KEM_XWING, digest, both, 2), PP_E_TRUST);
    pp_trust_done(&t);
    /* With hardware nothing that a host brings is looked at. */
    assert_ok(pp_peer_trust(&t, PP_PLATFORM_SEV_SNP, PP_KEM_XWING, digest, both, 2));
    assert_int_equal(t.snp_anchors.count, 3);
    pp_trust_done(&t);
    assert_code(pp_peer_trust(&t, PP_PLATFORM_TDX, PP_KEM_XWING, digest, both, 2),
                PP_E_UNSUPPORTED);
    assert_code(pp_peer_trust(&t, PP_PLATFORM_SEV_SNP, 0x7777, digest, both, 2), PP_E_UNSUPPORTED);
    /* The authority below the root is the root's, or there is none. */
    const struct pp_span other[] = { both[0], PP_STR("not a certificate") };
    pp_sha256(both[0], digest);
    assert_false(pp_is_ok(pp_peer_trust(&t, PP_PLATFORM_SIM_SNP, PP_KEM_XWING, digest, other, 2)));
    assert_int_equal(t.snp_anchors.count, 0);
    pp_trust_done(&t);
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

#define PEER_TEST(name) cmocka_unit_test_setup_teardown(name, fresh, over)

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
    PEER_TEST(the_root_of_simulated_chips_is_the_measured_one),
};

int main(void)
{
    return cmocka_run_group_tests(tests, make, drop);
}
