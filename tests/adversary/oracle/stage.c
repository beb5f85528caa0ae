/* SPDX-License-Identifier: Apache-2.0 */
#include "stage.h"

#include <fcntl.h>

#include "kem.h"
#include "message.h"

enum { ANSWER_LEN = 817 };

static const char CONFIG[] = "environment = dev\n"
                             "platform = sim-snp\n"
                             "message_kem = x-wing\n"
                             "engine = embedded\n"
                             "sessions_max = 512\n"
                             "session_s = 30\n"
                             "workers_ready = 8\n";

/* --- the machines ----------------------------------------------------------------------------- */

/* The root's keys take seconds; the programs of one run share them. */
static void load_root(struct machine *m, const char *folder)
{
    pp_res r = sim_root_load(AT_FDCWD, folder, &m->root);

    if (r.code == PP_E_NOT_FOUND) {
        assert_ok(sim_root_create(PP_SNP_GENOA, MACHINE_NOW - 86400, &m->root));
        assert_ok(sim_root_save(m->root, AT_FDCWD, folder));
        return;
    }
    assert_ok(r);
}

static void make_chips(struct stage *s)
{
    struct sim_chip_params params = sim_chip_params_default(PP_SNP_GENOA);
    const uint64_t since = MACHINE_NOW - 86400;

    assert_ok(sim_chip_create(s->m->root, &params, &s->random, since, &s->m->chip));
    assert_ok(sim_chip_create(s->m->root, &params, &s->random, since, &s->second));
    assert_ok(sim_chip_create(s->m->root, &params, &s->random, since, &s->stranger));
}

static struct pp_host host_of(const struct sim_chip *chip)
{
    struct pp_host host;

    assert_ok(pp_host_make(PP_HOST_SNP, pp_span(sim_chip_id(chip), PP_HOST_ID_BYTES), &host));
    return host;
}

/* The ledger as the device sees it: this configuration, and two of the three machines. */
static void publish(struct stage *s)
{
    static const uint8_t nobodys[PP_HOST_ID_BYTES] = { 0x51 };
    struct machine *m = s->m;

    machine_default(m);
    for (int i = 0; i < M_RELEASES; i++)
        pp_sha256(pp_span_cstr(CONFIG), m->records[i].record.release.config[0]);
    m->hosts[0] = host_of(m->chip);
    m->hosts[1] = host_of(s->second);
    assert_ok(pp_host_make(PP_HOST_SNP, PP_BYTES(nobodys), &m->hosts[2]));
    assert_ok(pp_hosts_sort(m->hosts, MACHINE_HOSTS));
    assert_ok(pp_hosts_root(m->hosts, MACHINE_HOSTS, &m->records[M_HOSTS].record.host_set.root));
}

/* A machine that is not in the set shows the path of one that is. */
static void host_path(const struct stage *s, const struct sim_chip *chip, struct pp_host_path *ret)
{
    const struct sim_chip *listed = chip == s->stranger ? s->m->chip : chip;
    struct pp_host host = host_of(listed);
    struct pp_merkle_path path;
    uint64_t index;

    assert_ok(pp_hosts_path(s->m->hosts, MACHINE_HOSTS, &host, &index, &path));
    *ret = (struct pp_host_path){ .size = MACHINE_HOSTS,
                                  .index = (uint32_t)index,
                                  .node_count = path.count };
    memcpy(ret->record_id, s->m->records[M_HOSTS].id.bytes, sizeof ret->record_id);
    for (size_t i = 0; i < path.count; i++)
        memcpy(ret->nodes[i], path.hashes[i].bytes, sizeof ret->nodes[i]);
}

void stage_evidence(const struct stage *s, const struct sim_chip *chip, struct pp_evidence *ret)
{
    *ret = (struct pp_evidence){ .platform = PP_PLATFORM_SIM_SNP,
                                 .endorsements = { sim_chip_vcek(chip) },
                                 .endorsement_count = 1,
                                 .config = pp_span_cstr(CONFIG),
                                 .message_key = pp_span(s->m->message_key, s->m->message_key_len),
                                 .host_count = 1 };
    memcpy(ret->release_id, s->m->records[M_ORCHESTRATOR].id.bytes, sizeof ret->release_id);
    host_path(s, chip, &ret->hosts[0]);
}

/* Whatever its role: its host says that it is the orchestrator's release. */
static void start_guest(struct stage *s, int which, const char *program)
{
    const struct sim_chip *const chips[GUESTS] = { s->m->chip, s->second, s->stranger, s->m->chip };
    const int release = which == AS_PREDICTOR ? M_PREDICTOR : M_ORCHESTRATOR;
    struct sim_guest launched = { .policy = SIM_GUEST_POLICY };
    struct pp_evidence e;
    struct pp_hints hints = { .endorsement_count = 1, .host_count = 1 };

    memcpy(launched.measurement, s->m->records[release].record.release.snp[0].measurement,
           sizeof launched.measurement);
    stage_evidence(s, chips[which], &e);
    hints.endorsements[0] = e.endorsements[0];
    hints.hosts[0] = e.hosts[0];
    memcpy(hints.release_id, e.release_id, sizeof hints.release_id);
    guest_start(&s->guests[which], program, pp_span_cstr(CONFIG), chips[which], &launched, &hints);
}

struct stage *stage_new(const char *guest_program, const char *root_folder)
{
    struct stage *s = calloc(1, sizeof *s);

    assert_non_null(s);
    s->m = calloc(1, sizeof *s->m);
    assert_non_null(s->m);
    assert_ok(pp_crypto_init());
    s->random = pp_random_system();
    load_root(s->m, root_folder);
    assert_ok(pp_snp_anchors_add(&s->m->trust.snp_anchors, sim_root_ark(s->m->root),
                                 sim_root_ask(s->m->root), PP_STR("")));
    make_chips(s);
    publish(s);
    assert_ok(pp_ratls_ctx_new(PP_END_CLIENT, &s->client_ctx));
    assert_ok(pp_ratls_ctx_new(PP_END_SERVER, &s->server_ctx));
    for (int i = 0; i < GUESTS; i++)
        start_guest(s, i, guest_program);
    return s;
}

void stage_free(struct stage *s)
{
    for (int i = 0; i < GUESTS; i++)
        guest_stop(&s->guests[i]);
    pp_ratls_ctx_free(s->client_ctx);
    pp_ratls_ctx_free(s->server_ctx);
    sim_chip_free(s->second);
    sim_chip_free(s->stranger);
    machine_free(s->m);
    free(s);
}

/* --- the device ------------------------------------------------------------------------------- */

void victim_new(struct stage *s, struct victim *v)
{
    struct pp_wr wr = pp_wr_over(v->hello, sizeof v->hello);

    assert_ok(pp_ratls_client_new(s->client_ctx, &v->client));
    assert_ok(pp_ratls_client_take(v->client, &wr));
    assert_int_equal(wr.len, sizeof v->hello);
}

/* A request as sealed as this stage needs it. */
static pp_res send_request(struct victim *v, const struct pp_verified *verified)
{
    uint8_t message[300];
    struct pp_wr wr = pp_wr_over(message, sizeof message);

    pp_message_head_write(&wr, PP_MESSAGE_SEALED_REQUEST, sizeof message - PP_MESSAGE_HEAD_BYTES);
    pp_wr_fill_to(&wr, sizeof message);
    PP_TRY(pp_wr_ok(&wr));
    return pp_ratls_client_send(v->client, &verified->permit, PP_BYTES(message), ANSWER_LEN);
}

static pp_res read_flight(struct victim *v, struct pp_span flight)
{
    PP_TRY(pp_ratls_client_feed(v->client, flight));
    return pp_ratls_client_flight_end(v->client);
}

uint32_t victim_decides(struct stage *s, struct victim *v, struct pp_span flight,
                        struct pp_wr *ret_sent)
{
    struct pp_verified verified;

    pp_res r = read_flight(v, flight);
    if (pp_is_ok(r))
        r = pp_appraise(&s->m->trust, &s->m->ledger, &s->m->marks, PP_RECORD_ORCHESTRATOR,
                        v->client, NULL, NULL, &verified);
    if (pp_is_ok(r))
        r = send_request(v, &verified);
    if (!pp_is_ok(r))
        assert_int_equal(pp_ratls_client_pending(v->client), 0);
    else if (ret_sent != NULL)
        assert_ok(pp_ratls_client_take(v->client, ret_sent));
    pp_ratls_client_free(v->client);
    v->client = NULL;
    return r.code;
}

static pp_res compare(struct victim *v, struct pp_span flight)
{
    struct pp_ratls_permit permit;
    struct pp_snp_report report;
    struct pp_span body, cbor;
    struct pp_evidence e;

    PP_TRY(read_flight(v, flight));
    PP_TRY(pp_ratls_client_evidence(v->client, &body));
    PP_TRY(pp_evidence_body_parse(body, &cbor));
    PP_TRY(pp_evidence_parse(cbor, PP_END_SERVER, &e));
    PP_TRY(pp_snp_report_parse(e.report, &report, NULL));
    return pp_ratls_permit(v->client, &e, report.report_data, &permit);
}

uint32_t victim_compares(struct victim *v, struct pp_span flight)
{
    pp_res r = compare(v, flight);

    pp_ratls_client_free(v->client);
    v->client = NULL;
    return r.code;
}
