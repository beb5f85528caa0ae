/* SPDX-License-Identifier: Apache-2.0 */
/* The attester among peers that keep to the protocol, and a device that does not always. */
#include "around.h"

#include <unistd.h>

#include "hash.h"

enum { SOON_MS = 200 }; /* long enough to see what must not happen */

static int start(void **state)
{
    (void)state;
    around_start();
    return 0;
}

/* A worker with its key, and a session that names it. */
static void open_session(uint32_t i, struct around_worker *w, struct around_session *s)
{
    *w = around_worker_new(i, 1);
    *s = around_session_new(i);
    around_worker_key(w);
    around_ask(s, w);
}

/* What the worker got from the attester. */
static void assert_told(const struct around_worker *w, const uint8_t binding[PP_BINDING_BYTES])
{
    static uint8_t got[CVM_BINDING_PACKET_BYTES_MAX];
    size_t len = 0;

    assert_true(around_can_read(w->fd, AROUND_WAIT_MS));
    assert_ok(cvm_recv(w->fd, got, sizeof got, &len, NULL));
    assert_true(len > PP_BINDING_BYTES); /* and the hints */
    assert_memory_equal(got, binding, PP_BINDING_BYTES);
}

/* Takes the next Evidence and checks it as its client would; the session's index is returned. */
static uint32_t assert_evidence(const struct around_worker *workers,
                                const struct around_session *sessions, uint32_t size)
{
    static struct around_evidence got;
    uint8_t binding[PP_BINDING_BYTES], want[PP_REPORT_DATA_BYTES];
    struct pp_snp_report report;

    assert_true(around_evidence(&got, AROUND_WAIT_MS));
    assert_true(got.is_there);
    const struct around_session *s = &sessions[got.slot];
    const struct around_worker *w = &workers[got.slot];
    assert_int_equal(got.generation, s->generation);
    assert_true(pp_span_eq(got.e.message_key, PP_BYTES(w->key)));
    assert_int_equal(got.e.batch.size, size);
    assert_ok(pp_binding_of_evidence(PP_END_SERVER, PP_BYTES(s->spki), s->ekm, &got.e, binding));
    assert_ok(pp_binding_report_data(binding, &got.e.batch, want));
    assert_ok(pp_snp_report_parse(got.e.report, &report, NULL));
    assert_memory_equal(report.report_data, want, sizeof want);
    assert_told(w, binding);
    return got.slot;
}

/* --- batches (ra-tls 8) ---------------------------------------------------------------------- */

static void a_session_alone_is_not_batched(void **state)
{
    uint8_t wanted[PP_REPORT_DATA_BYTES], binding[PP_BINDING_BYTES];
    struct around_worker w;
    struct around_session s;

    (void)state;
    open_session(0, &w, &s);
    around_binding(&s, &w, binding);
    around_answer_next(wanted);
    assert_memory_equal(wanted, binding, sizeof wanted);
    assert_int_equal(assert_evidence(&w, &s, 0), 0);
    cvm_close(&w.fd);
}

/* A report is being made: sessions queue, and share the next one; nobody waits for a full batch. */
static void sessions_that_come_while_a_report_is_made_share_the_next(void **state)
{
    enum { COUNT = 9 };
    uint8_t first[PP_REPORT_DATA_BYTES], second[PP_REPORT_DATA_BYTES];
    struct around_worker w[COUNT];
    struct around_session s[COUNT];
    struct pp_snp_report report;

    (void)state;
    open_session(0, &w[0], &s[0]);
    assert_true(around_wanted(first, AROUND_WAIT_MS));
    for (uint32_t i = 1; i < COUNT; i++)
        open_session(i, &w[i], &s[i]);
    around_settle(around.channel);
    assert_false(around_wanted(second, SOON_MS)); /* one request at a time */
    around_report(first, &report);
    around_answer(&report);
    assert_int_equal(assert_evidence(w, s, 0), 0);
    around_answer_next(second);
    for (uint32_t i = 1; i < COUNT; i++)
        assert_int_equal(assert_evidence(w, s, COUNT - 1), i); /* first come, first served */
    for (size_t i = 0; i < COUNT; i++)
        cvm_close(&w[i].fd);
}

/* The device is asked again before the Evidence of the last report is out. */
static void the_next_report_is_asked_for_before_evidence_is_taken(void **state)
{
    enum { COUNT = 40 }; /* more Evidence than the channel's socket holds */
    static struct around_worker w[COUNT + 2];
    static struct around_session s[COUNT + 2];
    uint8_t wanted[PP_REPORT_DATA_BYTES];
    struct pp_snp_report report;

    (void)state;
    open_session(0, &w[0], &s[0]);
    assert_true(around_wanted(wanted, AROUND_WAIT_MS));
    for (uint32_t i = 1; i <= COUNT; i++)
        open_session(i, &w[i], &s[i]);
    around_settle(around.channel);
    around_report(wanted, &report);
    around_answer(&report);
    assert_true(around_wanted(wanted, AROUND_WAIT_MS)); /* for the 40 */
    open_session(COUNT + 1, &w[COUNT + 1], &s[COUNT + 1]);
    around_settle(around.channel);
    assert_false(around_can_read(around.device, SOON_MS));
    around_report(wanted, &report);
    around_answer(&report);
    around_answer_next(wanted); /* and nobody has taken Evidence yet */
    assert_int_equal(assert_evidence(w, s, 0), 0);
    for (uint32_t i = 1; i <= COUNT; i++)
        assert_int_equal(assert_evidence(w, s, COUNT), i);
    assert_int_equal(assert_evidence(w, s, 0), COUNT + 1);
    for (size_t i = 0; i < PP_ARRAY_COUNT(w); i++)
        cvm_close(&w[i].fd);
}

static void a_report_covers_1024_sessions_and_the_next_one_the_rest(void **state)
{
    enum { COUNT = PP_BATCH_SIZE_MAX + 3 };
    static struct around_worker w[COUNT + 1];
    static struct around_session s[COUNT + 1];
    uint8_t wanted[PP_REPORT_DATA_BYTES];
    struct pp_snp_report report;

    (void)state;
    open_session(0, &w[0], &s[0]);
    assert_true(around_wanted(wanted, AROUND_WAIT_MS));
    for (uint32_t i = 1; i <= COUNT; i++)
        open_session(i, &w[i], &s[i]);
    around_settle(around.channel);
    around_report(wanted, &report);
    around_answer(&report);
    assert_int_equal(assert_evidence(w, s, 0), 0);
    around_answer_next(wanted);
    for (uint32_t i = 1; i <= PP_BATCH_SIZE_MAX; i++)
        assert_int_equal(assert_evidence(w, s, PP_BATCH_SIZE_MAX), i);
    around_answer_next(wanted);
    for (uint32_t i = PP_BATCH_SIZE_MAX + 1; i <= COUNT; i++)
        assert_int_equal(assert_evidence(w, s, COUNT - PP_BATCH_SIZE_MAX), i);
    for (size_t i = 0; i <= COUNT; i++)
        cvm_close(&w[i].fd);
}

/* --- workers --------------------------------------------------------------------------------- */

static void a_session_waits_for_its_workers_key_and_holds_up_nobody(void **state)
{
    uint8_t wanted[PP_REPORT_DATA_BYTES];
    struct around_worker w[2];
    struct around_session s[2] = { around_session_new(0), around_session_new(1) };

    (void)state;
    w[0] = around_worker_new(0, 1);
    around_ask(&s[0], &w[0]);
    open_session(1, &w[1], &s[1]);
    around_answer_next(wanted);
    assert_int_equal(assert_evidence(w, s, 0), 1);
    assert_false(around_wanted(wanted, SOON_MS));
    around_worker_key(&w[0]);
    around_answer_next(wanted);
    assert_int_equal(assert_evidence(w, s, 0), 0);
    cvm_close(&w[0].fd);
    cvm_close(&w[1].fd);
}

static void assert_refused(uint32_t slot)
{
    static struct around_evidence got;

    assert_true(around_evidence(&got, AROUND_WAIT_MS));
    assert_int_equal(got.slot, slot);
    assert_false(got.is_there);
}

/* Three wait behind a report; the worker of one ends, and another's slot has a new worker. */
static void whoever_ends_while_queued_has_no_place_in_the_batch(void **state)
{
    enum { COUNT = 5 };
    uint8_t wanted[PP_REPORT_DATA_BYTES];
    struct around_worker w[COUNT];
    struct around_session s[COUNT];
    struct pp_snp_report report;

    (void)state;
    open_session(0, &w[0], &s[0]);
    assert_true(around_wanted(wanted, AROUND_WAIT_MS));
    for (uint32_t i = 1; i < COUNT; i++)
        open_session(i, &w[i], &s[i]);
    around_settle(around.channel);
    cvm_close(&w[1].fd);
    assert_refused(1);
    struct around_worker again = around_worker_new(2, 2);
    assert_refused(2);
    cvm_close(&w[0].fd); /* this one's report is under way */
    assert_refused(0);
    around_report(wanted, &report);
    around_answer(&report);
    around_answer_next(wanted);
    assert_int_equal(assert_evidence(w, s, 2), 3);
    assert_int_equal(assert_evidence(w, s, 2), 4);
    for (size_t i = 2; i < COUNT; i++)
        cvm_close(&w[i].fd);
    cvm_close(&again.fd);
}

/* --- sessions of workers, as clients --------------------------------------------------------- */

static void call(struct around_worker *w, const struct around_session *s)
{
    uint8_t packet[CVM_CALL_PACKET_BYTES];
    struct pp_wr wr = pp_wr_over(packet, sizeof packet);

    pp_wr_span(&wr, PP_BYTES(s->spki));
    pp_wr_span(&wr, PP_BYTES(s->ekm));
    assert_ok(cvm_send(w->fd, pp_wr_done(&wr), -1));
}

/* The worker's own Evidence, checked as a back-end does. */
static void assert_called(struct around_worker *w, const struct around_session *s, uint32_t size)
{
    static uint8_t packet[CVM_CALL_ANSWER_BYTES];
    uint8_t binding[PP_BINDING_BYTES], want[PP_REPORT_DATA_BYTES];
    struct pp_snp_report report;
    struct pp_evidence e;
    struct pp_span cbor;
    size_t len = 0;

    assert_true(around_can_read(w->fd, AROUND_WAIT_MS));
    assert_ok(cvm_recv(w->fd, packet, sizeof packet, &len, NULL));
    assert_int_equal(len, sizeof packet);
    assert_int_equal(packet[0], 1);
    assert_ok(pp_evidence_body_parse(pp_span(packet + 1, len - 1), &cbor));
    assert_ok(pp_evidence_parse(cbor, PP_END_CLIENT, &e)); /* which has no message key */
    assert_int_equal(e.batch.size, size);
    assert_ok(pp_binding_of_evidence(PP_END_CLIENT, PP_BYTES(s->spki), s->ekm, &e, binding));
    assert_ok(pp_binding_report_data(binding, &e.batch, want));
    assert_ok(pp_snp_report_parse(e.report, &report, NULL));
    assert_memory_equal(report.report_data, want, sizeof want);
}

/* A worker that serves. */
static void serve_session(uint32_t i, struct around_worker *w)
{
    uint8_t wanted[PP_REPORT_DATA_BYTES], binding[PP_BINDING_BYTES];
    static struct around_evidence got;
    struct around_session s;

    open_session(i, w, &s);
    around_answer_next(wanted);
    assert_true(around_evidence(&got, AROUND_WAIT_MS));
    assert_true(got.is_there);
    around_binding(&s, w, binding);
    assert_told(w, binding);
}

static void a_worker_that_serves_is_attested_as_a_client(void **state)
{
    uint8_t wanted[PP_REPORT_DATA_BYTES];
    struct around_session s = around_session_new(77);
    struct around_worker w;

    (void)state;
    serve_session(0, &w);
    for (size_t i = 0; i < CVM_CALLS_MAX; i++) {
        s.ekm[31]++;
        call(&w, &s);
        around_answer_next(wanted);
        assert_called(&w, &s, 0);
    }
    call(&w, &s); /* one more than a worker has */
    assert_false(around_wanted(wanted, SOON_MS));
    assert_code(cvm_wait(w.fd, AROUND_WAIT_MS), PP_E_OK); /* its end, which reads as nothing */
    assert_code(cvm_recv(w.fd, wanted, sizeof wanted, &(size_t){ 0 }, NULL), PP_E_CLOSED);
    cvm_close(&w.fd);
}

static void clients_and_servers_share_reports_and_keep_their_ends(void **state)
{
    uint8_t wanted[PP_REPORT_DATA_BYTES];
    struct around_session called = around_session_new(500), s[3];
    struct around_worker caller, w[3];
    struct pp_snp_report report;

    (void)state;
    serve_session(40, &caller);
    open_session(0, &w[0], &s[0]);
    assert_true(around_wanted(wanted, AROUND_WAIT_MS));
    open_session(1, &w[1], &s[1]);
    open_session(2, &w[2], &s[2]);
    call(&caller, &called);
    around_settle(around.channel);
    around_settle(caller.fd);
    assert_false(around_wanted(wanted, SOON_MS));
    around_report(wanted, &report);
    around_answer(&report);
    assert_int_equal(assert_evidence(w, s, 0), 0);
    around_answer_next(wanted);
    assert_called(&caller, &called, 3);
    assert_int_equal(assert_evidence(w, s, 3), 1);
    assert_int_equal(assert_evidence(w, s, 3), 2);
    for (size_t i = 0; i < 3; i++)
        cvm_close(&w[i].fd);
    cvm_close(&caller.fd);
}

static void a_call_without_a_report_is_answered_with_none(void **state)
{
    uint8_t wanted[PP_REPORT_DATA_BYTES], got[4];
    struct around_session s = around_session_new(3);
    struct around_worker w;
    size_t len = 0;

    (void)state;
    serve_session(0, &w);
    call(&w, &s);
    assert_true(around_wanted(wanted, AROUND_WAIT_MS));
    around_answer_bytes((struct pp_span){ 0 }, (struct pp_span){ 0 });
    assert_true(around_can_read(w.fd, AROUND_WAIT_MS));
    assert_ok(cvm_recv(w.fd, got, sizeof got, &len, NULL));
    assert_int_equal(len, 1);
    assert_int_equal(got[0], 0);
    call(&w, &s);
    around_answer_next(wanted);
    assert_called(&w, &s, 0);
    cvm_close(&w.fd);
}

static const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, start, around_stop)
    CASE(a_session_alone_is_not_batched),
    CASE(sessions_that_come_while_a_report_is_made_share_the_next),
    CASE(the_next_report_is_asked_for_before_evidence_is_taken),
    CASE(a_report_covers_1024_sessions_and_the_next_one_the_rest),
    CASE(a_session_waits_for_its_workers_key_and_holds_up_nobody),
    CASE(whoever_ends_while_queued_has_no_place_in_the_batch),
    CASE(a_worker_that_serves_is_attested_as_a_client),
    CASE(clients_and_servers_share_reports_and_keep_their_ends),
    CASE(a_call_without_a_report_is_answered_with_none),
};

PP_TEST_MAIN(tests)
