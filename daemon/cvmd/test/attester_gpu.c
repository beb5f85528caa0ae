/* SPDX-License-Identifier: Apache-2.0 */
/* The attester of a machine with a GPU, and a GPU that does not always answer as it should. */
#include "around.h"

#include <stdlib.h>

#include "gpu.h"
#include "hash.h"
#include "sp_gpu.h"

enum { LATE_MS = 200, NEVER_MS = 100000 };

static uint8_t out[PP_SP_GPU_ANSWER_BYTES_MAX];

/* --- the GPU ---------------------------------------------------------------------------------- */

static void gpu_wanted(uint8_t ret[PP_GPU_NONCE_BYTES])
{
    uint8_t packet[PP_SP_REQUEST_BYTES + 1];
    struct pp_span nonce;
    size_t len = 0;

    assert_true(around_can_read(around.device, AROUND_WAIT_MS));
    assert_ok(cvm_recv(around.device, packet, sizeof packet, &len, NULL));
    assert_true(pp_sp_gpu_request_parse(pp_span(packet, len), &nonce));
    memcpy(ret, nonce.at, PP_GPU_NONCE_BYTES);
}

/* A report that says so, unsigned, with two certificates and an answer. */
static void gpu_answer(const uint8_t nonce[PP_GPU_NONCE_BYTES])
{
    uint8_t bytes[PP_EVIDENCE_REPORT_BYTES_MAX];
    struct pp_gpu_report report = { .present = 1 };
    struct pp_wr report_wr = pp_wr_over(bytes, sizeof bytes), wr = pp_wr_over(out, sizeof out);
    size_t signed_len;

    memcpy(report.nonce, nonce, sizeof report.nonce);
    report.value_types[0] = 1;
    assert_ok(pp_gpu_report_write(&report_wr, &report, &signed_len));
    const struct pp_evidence_gpu gpu = { .report = pp_wr_done(&report_wr),
                                         .certs = { PP_STR("leaf"), PP_STR("chip") },
                                         .cert_count = 2,
                                         .ocsp = { PP_STR("good") },
                                         .ocsp_count = 1 };
    assert_ok(pp_sp_gpu_answer_write(&wr, &gpu));
    assert_ok(cvm_send(around.device, pp_wr_done(&wr), -1));
}

static void gpu_fails(void)
{
    struct pp_wr wr = pp_wr_over(out, sizeof out);

    assert_ok(pp_sp_gpu_answer_write(&wr, NULL));
    assert_ok(cvm_send(around.device, pp_wr_done(&wr), -1));
}

/* Up to the GPU's first question, whose nonce is given. */
static void start(uint32_t renew_ms, uint8_t ret_nonce[PP_GPU_NONCE_BYTES])
{
    uint8_t first[PP_REPORT_DATA_BYTES];

    around_gpu_ms = renew_ms;
    around_start_unchecked(PP_PLATFORM_SIM_SNP);
    around_answer_next(first);
    gpu_wanted(ret_nonce);
}

static void assert_ready(void)
{
    uint8_t said[8];
    size_t len = 0;

    assert_true(around_can_read(around.supervisor, AROUND_WAIT_MS));
    assert_ok(cvm_recv(around.supervisor, said, sizeof said, &len, NULL));
    assert_int_equal(said[0], CVM_ATTESTER_READY);
}

/* --- sessions --------------------------------------------------------------------------------- */

static void open_session(uint32_t i, struct around_worker *w, struct around_session *s)
{
    *w = around_worker_new(i, 1);
    *s = around_session_new(i);
    around_worker_key(w);
    around_ask(s, w);
}

/* The session's Evidence is bound to the GPU evidence in it, and its worker was told of the same;
 * that evidence answers `nonce`. */
static void assert_session(const struct around_worker *w, const struct around_session *s,
                           const uint8_t nonce[PP_GPU_NONCE_BYTES])
{
    static struct around_evidence got;
    static uint8_t told[CVM_BINDING_PACKET_BYTES_MAX];
    uint8_t binding[PP_BINDING_BYTES], want[PP_REPORT_DATA_BYTES], digest[PP_SHA256_BYTES];
    uint8_t own[PP_GPU_NONCE_BYTES];
    struct pp_snp_report report;
    size_t len = 0;

    assert_true(around_evidence(&got, AROUND_WAIT_MS));
    assert_true(got.is_there && got.slot == s->slot);
    assert_true(got.e.gpu_encoding.len > 0);
    assert_int_equal(got.e.gpu.cert_count, 2);
    assert_int_equal(got.e.gpu.ocsp_count, 1);
    pp_gpu_nonce(got.e.gpu.fresh, 0, own);
    assert_memory_equal(own, nonce, sizeof own);
    assert_ok(pp_binding_of_evidence(PP_END_SERVER, PP_BYTES(s->spki), s->ekm, &got.e, binding));
    assert_ok(pp_binding_report_data(binding, &got.e.batch, want));
    assert_ok(pp_snp_report_parse(got.e.report, &report, NULL));
    assert_memory_equal(report.report_data, want, sizeof want);
    assert_true(around_can_read(w->fd, AROUND_WAIT_MS));
    assert_ok(cvm_recv(w->fd, told, sizeof told, &len, NULL));
    assert_true(len > sizeof binding + sizeof digest); /* and the hints */
    assert_memory_equal(told, binding, sizeof binding);
    pp_sha256(got.e.gpu_encoding, digest);
    assert_memory_equal(told + sizeof binding, digest, sizeof digest);
}

/* --- tests ------------------------------------------------------------------------------------ */

static void a_machine_that_promises_a_gpu_serves_nothing_before_it_has_its_evidence(void **state)
{
    uint8_t nonce[PP_GPU_NONCE_BYTES], wanted[PP_REPORT_DATA_BYTES];
    struct around_worker w;
    struct around_session s;

    (void)state;
    start(NEVER_MS, nonce);
    assert_false(around_can_read(around.supervisor, LATE_MS));
    gpu_answer(nonce);
    assert_ready();
    open_session(0, &w, &s);
    around_answer_next(wanted);
    assert_session(&w, &s, nonce);
    cvm_close(&w.fd);
}

/* Without the evidence there would be sessions that no device takes, each for a token. */
static void a_gpu_that_fails_or_answers_another_question_ends_the_machine(void **state)
{
    uint8_t nonce[PP_GPU_NONCE_BYTES];

    (void)state;
    start(NEVER_MS, nonce);
    gpu_fails();
    assert_int_equal(around_exit_status(), EXIT_FAILURE);
    around_forget(NULL);
    start(NEVER_MS, nonce);
    nonce[0] ^= 1;
    gpu_answer(nonce);
    assert_int_equal(around_exit_status(), EXIT_FAILURE);
}

static void every_question_to_the_gpu_is_a_new_one(void **state)
{
    uint8_t nonce[2][PP_GPU_NONCE_BYTES];

    (void)state;
    start(1, nonce[0]);
    gpu_answer(nonce[0]);
    assert_ready();
    gpu_wanted(nonce[1]); /* an idle machine renews, too */
    assert_memory_not_equal(nonce[0], nonce[1], sizeof nonce[0]);
    gpu_fails(); /* and does not go on with what gets older */
    assert_int_equal(around_exit_status(), EXIT_FAILURE);
}

/* One that waits while the evidence is renewed is bound to what it joined with, and shows that. */
static void a_session_that_waits_through_a_renewal_keeps_its_evidence(void **state)
{
    uint8_t before[PP_GPU_NONCE_BYTES], after[PP_GPU_NONCE_BYTES], wanted[PP_REPORT_DATA_BYTES];
    struct pp_snp_report report;
    struct around_worker w[3];
    struct around_session s[3];

    (void)state;
    start(NEVER_MS, before);
    gpu_answer(before);
    assert_ready();
    open_session(0, &w[0], &s[0]);
    assert_true(around_wanted(wanted, AROUND_WAIT_MS));
    open_session(1, &w[1], &s[1]);
    around_settle(around.channel);
    around.shared->gpu_renew_ms = 1;                       /* from now on the renewal is due */
    assert_false(around_can_read(around.device, LATE_MS)); /* one request at a time */
    around_report(wanted, &report);
    around_answer(&report);
    assert_session(&w[0], &s[0], before);
    gpu_wanted(after); /* before the next report */
    around.shared->gpu_renew_ms = NEVER_MS;
    gpu_answer(after);
    around_answer_next(wanted);
    assert_session(&w[1], &s[1], before);
    open_session(2, &w[2], &s[2]);
    around_answer_next(wanted);
    assert_session(&w[2], &s[2], after);
    for (size_t i = 0; i < PP_ARRAY_COUNT(w); i++)
        cvm_close(&w[i].fd);
}

/* A session that waited until its evidence was too old is busy, like one without a report. */
static void evidence_that_got_too_old_while_a_session_waited_is_not_handed_out(void **state)
{
    static struct around_evidence got;
    uint8_t nonce[PP_GPU_NONCE_BYTES], wanted[PP_REPORT_DATA_BYTES];
    struct pp_snp_report report;
    struct around_worker w;
    struct around_session s;

    (void)state;
    start(NEVER_MS, nonce);
    gpu_answer(nonce);
    assert_ready();
    open_session(0, &w, &s);
    assert_true(around_wanted(wanted, AROUND_WAIT_MS));
    around.shared->gpu_life_ms = 1; /* which is over, when the device has answered */
    assert_false(around_can_read(around.channel, 10));
    around_report(wanted, &report);
    around_answer(&report);
    assert_true(around_evidence(&got, AROUND_WAIT_MS));
    assert_true(!got.is_there && got.slot == s.slot);
    assert_int_equal(around_can_read(w.fd, AROUND_WAIT_MS), 1);
    assert_code(cvm_recv(w.fd, wanted, sizeof wanted, &(size_t){ 0 }, NULL), PP_E_CLOSED);
    cvm_close(&w.fd);
}

/* It owes an answer like a device that owes a report: nobody is served without end meanwhile. */
static void a_gpu_that_stays_silent_ends_the_machine(void **state)
{
    uint8_t nonce[PP_GPU_NONCE_BYTES];

    (void)state;
    start(LATE_MS, nonce);
    gpu_answer(nonce);
    assert_ready();
    around_patience(100);
    gpu_wanted(nonce);
    assert_int_equal(around_exit_status(), EXIT_FAILURE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(
            a_machine_that_promises_a_gpu_serves_nothing_before_it_has_its_evidence, around_stop),
        cmocka_unit_test_teardown(a_gpu_that_fails_or_answers_another_question_ends_the_machine,
                                  around_forget),
        cmocka_unit_test_teardown(every_question_to_the_gpu_is_a_new_one, around_forget),
        cmocka_unit_test_teardown(a_session_that_waits_through_a_renewal_keeps_its_evidence,
                                  around_stop),
        cmocka_unit_test_teardown(
            evidence_that_got_too_old_while_a_session_waited_is_not_handed_out, around_stop),
        cmocka_unit_test_teardown(a_gpu_that_stays_silent_ends_the_machine, around_forget),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
