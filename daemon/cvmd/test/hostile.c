/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The attester under a channel, workers and a device that an attacker holds. The device signs
 * whatever it is asked to, and each case says what it may have been asked: values that the
 * attester computed itself, over the true worker's key, for a server when the channel asked and
 * for a client when the worker did. An attester that refuses by ending has not been turned into an
 * oracle either; one that crashed would have.
 */
#include "around.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hash.h"

enum { SOON_MS = 60, PACKET_BYTES_MAX = CVM_BINDING_PACKET_BYTES_MAX };

static int start(void **state)
{
    (void)state;
    around_start();
    return 0;
}

static void restart(void **state)
{
    (void)around_forget(state);
    around_start();
}

/* It ended by itself, and never asked the device for anything. */
static void assert_died_closed(void)
{
    uint8_t wanted[PP_REPORT_DATA_BYTES];
    struct pollfd p = { .fd = around.device, .events = POLLIN };

    assert_int_equal(around_exit_status(), EXIT_FAILURE);
    assert_int_equal(poll(&p, 1, 0), 1);
    assert_code(cvm_recv(around.device, wanted, sizeof wanted, &(size_t){ 0 }, NULL), PP_E_CLOSED);
}

/* Nothing is signed, and no Evidence goes out but refusals. */
static void assert_nothing_signed(void)
{
    uint8_t wanted[PP_REPORT_DATA_BYTES];

    assert_false(around_wanted(wanted, SOON_MS));
}

static void assert_refused(void)
{
    static struct around_evidence got;

    assert_true(around_evidence(&got, AROUND_WAIT_MS));
    assert_false(got.is_there);
}

/* The one value that the device is asked for next, which it then signs. */
static void assert_signed(const uint8_t binding[PP_BINDING_BYTES])
{
    uint8_t wanted[PP_REPORT_DATA_BYTES];

    around_answer_next(wanted);
    assert_memory_equal(wanted, binding, sizeof wanted);
}

/* An honest session is served as ever. */
static void assert_serves(uint32_t slot)
{
    static struct around_evidence got;
    struct around_worker w = around_worker_new(slot, 1000);
    struct around_session s = around_session_new(slot);
    uint8_t binding[PP_BINDING_BYTES];

    around_worker_key(&w);
    around_ask(&s, &w);
    around_binding(&s, &w, binding);
    assert_signed(binding);
    assert_true(around_evidence(&got, AROUND_WAIT_MS));
    assert_true(got.is_there);
    assert_int_equal(got.slot, slot);
    cvm_close(&w.fd);
}

/* --- the channel ----------------------------------------------------------------------------- */

/* A request of the device's own, values instead of what they are made of, more or less than a
 * packet has, a worker's call, a role: on the channel's socket none of them is anything. */
static void a_packet_of_another_shape_ends_the_attester_and_signs_nothing(void **state)
{
    static uint8_t bytes[PACKET_BYTES_MAX];
    static const size_t LENGTHS[] = {
        0, /* an empty packet reads as an end */
        1,
        8,
        PP_BINDING_BYTES,      /* its own B, or REPORT_DATA */
        PP_SP_REQUEST_BYTES,   /* a request of the device */
        CVM_CALL_PACKET_BYTES, /* what a worker sends, to be a client */
        CVM_ATTEST_PACKET_BYTES - 1,
        CVM_ATTEST_PACKET_BYTES + 1,                /* a role */
        CVM_ATTEST_PACKET_BYTES + 32,               /* a message key's digest */
        CVM_ATTEST_PACKET_BYTES + AROUND_KEY_BYTES, /* or the key */
        2 * CVM_ATTEST_PACKET_BYTES,
        PACKET_BYTES_MAX,
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(LENGTHS); i++) {
        struct around_worker w = around_worker_new(0, 1);
        around_worker_key(&w);
        memset(bytes, 'c', sizeof bytes);
        struct pp_wr wr = pp_wr_over(bytes, 16); /* as good as a packet gets */
        pp_wr_u32(&wr, 5);
        pp_wr_u32(&wr, 5);
        pp_wr_u32(&wr, w.slot);
        pp_wr_u32(&wr, w.generation);
        assert_int_equal(send(around.channel, bytes, LENGTHS[i], 0), LENGTHS[i]);
        assert_died_closed();
        cvm_close(&w.fd);
        restart(state);
    }
}

static void a_descriptor_from_the_channel_ends_the_attester(void **state)
{
    uint8_t packet[CVM_ATTEST_PACKET_BYTES] = { 0 };

    (void)state;
    assert_ok(cvm_send(around.channel, PP_BYTES(packet), around.device));
    assert_died_closed();
}

/* Slots that do not exist, of no worker, of the generation before and after, and names that look
 * like the attester's own descriptors. */
static void a_worker_that_is_not_there_gives_no_evidence(void **state)
{
    static const struct {
        uint32_t slot, generation;
    } ROWS[] = { { 3, 6 },
                 { 3, 8 },
                 { 4, 7 },
                 { 0, 0 },
                 { CVM_WORKERS_MAX - 1, 0 },
                 { CVM_WORKERS_MAX, 7 },
                 { 3 + CVM_WORKERS_MAX, 7 },
                 { UINT32_MAX, 7 },
                 { UINT32_MAX, UINT32_MAX },
                 { UINT32_MAX, UINT32_MAX - 1 },
                 { UINT32_MAX, UINT32_MAX - 2 } };
    struct around_worker w = around_worker_new(3, 7);

    (void)state;
    around_worker_key(&w);
    for (uint32_t i = 0; i < PP_ARRAY_COUNT(ROWS); i++) {
        struct around_worker other = { .slot = ROWS[i].slot, .generation = ROWS[i].generation };
        struct around_session s = around_session_new(i);
        around_ask(&s, &other);
        assert_refused();
    }
    assert_nothing_signed();
    assert_serves(3);
    cvm_close(&w.fd);
}

/* The same packet again; another session for the same worker; before and after it is served. */
static void a_worker_is_one_sessions_for_good(void **state)
{
    static struct around_evidence got;
    struct around_worker w = around_worker_new(0, 1);
    struct around_session s = around_session_new(1), other = around_session_new(2);
    uint8_t binding[PP_BINDING_BYTES];

    (void)state;
    around_worker_key(&w);
    around_ask(&s, &w);
    around_ask(&s, &w);
    around_ask(&other, &w);
    assert_refused();
    assert_refused();
    around_binding(&s, &w, binding);
    assert_signed(binding);
    assert_true(around_evidence(&got, AROUND_WAIT_MS));
    assert_true(got.is_there);
    around_ask(&s, &w);
    around_ask(&other, &w);
    assert_refused();
    assert_refused();
    assert_nothing_signed();
    cvm_close(&w.fd);
}

/*
 * The channel owns TLS and may name what SPKI and exporter value it likes. What is signed covers
 * them, the key of the worker that it named, and the end of a server: nothing that a client who
 * seals to another key, or a back-end that expects a client, would take.
 */
static void whatever_the_channel_sends_is_signed_for_a_server_with_the_workers_key(void **state)
{
    static struct around_evidence got;
    static uint8_t told[CVM_BINDING_PACKET_BYTES_MAX];
    uint8_t binding[PP_BINDING_BYTES];
    size_t len = 0;

    (void)state;
    for (uint32_t i = 0; i < 24; i++) {
        struct around_worker w = around_worker_new(i, 1);
        struct around_session s = around_session_new(i);
        around_worker_key(&w);
        if (i < 8) /* another session's values, with this one's name */
            s = around_session_new(0);
        else if (i < 16)
            memset(s.spki, 'c', sizeof s.spki);
        else
            memcpy(s.ekm, w.key, sizeof s.ekm); /* the message key where it does not belong */
        s.slot = i;
        around_ask(&s, &w);
        around_binding(&s, &w, binding);
        assert_signed(binding);
        assert_true(around_evidence(&got, AROUND_WAIT_MS));
        assert_true(pp_span_eq(got.e.message_key, PP_BYTES(w.key)));
        assert_ok(cvm_recv(w.fd, told, sizeof told, &len, NULL));
        assert_memory_equal(told, binding, sizeof binding); /* the worker opens for this alone */
        cvm_close(&w.fd);
    }
}

static uint32_t next_random(uint32_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 17;
    *x ^= *x << 5;
    return *x;
}

/* The attester's own rules, again: who may be signed for, and what a batch then carries. */
struct model {
    struct around_worker workers[16];
    int used[16];
    uint8_t bindings[64][PP_BINDING_BYTES];
    size_t count;
};

static void model_ask(struct model *m, uint32_t *x)
{
    struct around_session s = around_session_new(next_random(x) % 32);
    struct around_worker named = { .slot = next_random(x) % 20,
                                   .generation = 1 + (next_random(x) % 8 == 0) };

    around_ask(&s, &named);
    if (named.slot >= 16 || named.generation != 1 || m->used[named.slot])
        return;
    m->used[named.slot] = 1;
    around_binding(&s, &m->workers[named.slot], m->bindings[m->count++]);
}

/* Random floods: what the device signs is exactly the batch of what the model allows, in order. */
static void a_flood_is_signed_as_the_rules_say_and_no_more(void **state)
{
    static struct model m;
    static uint8_t scratch[64][PP_HASH_NODE_BYTES];
    static struct pp_batch_path paths[64];
    uint8_t wanted[PP_REPORT_DATA_BYTES], allowed[PP_REPORT_DATA_BYTES];
    struct pp_snp_report report;
    uint32_t x = 20261122;

    (void)state;
    for (uint32_t round = 0; round < 12; round++) {
        m = (struct model){ 0 };
        for (uint32_t i = 0; i < 16; i++) {
            m.workers[i] = around_worker_new(i, 1);
            around_worker_key(&m.workers[i]);
        }
        struct around_worker first = around_worker_new(30, 1);
        struct around_session s = around_session_new(99);
        around_worker_key(&first);
        around_ask(&s, &first);
        assert_true(around_wanted(wanted, AROUND_WAIT_MS)); /* the device is busy with it */
        for (size_t i = 0; i < 60; i++)
            model_ask(&m, &x);
        around_settle(around.channel);
        around_report(wanted, &report);
        around_answer(&report);
        assert_true(m.count >= 2);
        assert_ok(pp_batch_build((const uint8_t(*)[PP_BINDING_BYTES])m.bindings, m.count, scratch,
                                 paths, allowed));
        assert_signed(allowed);
        assert_nothing_signed();
        cvm_close(&first.fd);
        for (size_t i = 0; i < 16; i++)
            cvm_close(&m.workers[i].fd);
        restart(state);
    }
}

/* Thousands of packets that name nobody, from a channel that reads its answers late: the attester
 * waits for it, holds nothing for them, and serves when it reads again. */
static void a_flood_for_nobody_leaves_the_attester_serving(void **state)
{
    enum { COUNT = 5000 };
    static struct around_evidence got;
    const struct around_worker nobody = { .slot = 77, .generation = 3 };
    struct around_session s = around_session_new(0);
    uint32_t sent = 0, refused = 0;

    (void)state;
    while (refused < COUNT) {
        struct pollfd p = { .fd = around.channel,
                            .events = (short)(POLLIN | (sent < COUNT ? POLLOUT : 0)) };
        assert_true(poll(&p, 1, AROUND_WAIT_MS) == 1);
        if ((p.revents & POLLOUT) != 0 && sent < COUNT) {
            around_ask(&s, &nobody);
            sent++;
        } else {
            assert_true(around_evidence(&got, AROUND_WAIT_MS));
            assert_false(got.is_there);
            refused++;
        }
    }
    assert_nothing_signed();
    assert_serves(5);
}

static void a_channel_that_goes_away_ends_the_attester(void **state)
{
    struct around_worker w = around_worker_new(0, 1);
    struct around_session s = around_session_new(0);
    uint8_t wanted[PP_REPORT_DATA_BYTES];

    (void)state;
    around_worker_key(&w);
    around_ask(&s, &w);
    assert_true(around_wanted(wanted, AROUND_WAIT_MS));
    cvm_close(&around.channel);
    assert_int_equal(around_exit_status(), EXIT_FAILURE);
    cvm_close(&w.fd);
}

/* The supervisor is the one that is believed; what it cannot have said still ends the attester. */
static void a_worker_that_cannot_be_ends_the_attester(void **state)
{
    static const struct {
        const char *packet;
        int with_fd;
    } ROWS[] = { { "00000001 00000001", 0 },
                 { "00000001 000000", 1 },
                 { "00000001 00000001 00", 1 },
                 { "00001040 00000001", 1 }, /* CVM_WORKERS_MAX */
                 { "ffffffff 00000001", 1 } };
    uint8_t packet[16];

    assert_int_equal(CVM_WORKERS_MAX, 0x1040);
    for (size_t i = 0; i < PP_ARRAY_COUNT(ROWS); i++) {
        size_t len = pp_test_hex(ROWS[i].packet, packet, sizeof packet);
        assert_ok(cvm_send(around.supervisor, pp_span(packet, len),
                           ROWS[i].with_fd ? around.device : -1));
        assert_died_closed();
        restart(state);
    }
}

/* --- workers --------------------------------------------------------------------------------- */

/* Its socket ends; what it said is signed for nobody, and others do not notice. */
static void a_worker_that_talks_out_of_turn_is_left(void **state)
{
    static uint8_t bytes[PACKET_BYTES_MAX];
    static const struct {
        int with_key, with_session;
        size_t len;
    } ROWS[] = {
        { 0, 0, CVM_CALL_PACKET_BYTES * 20 }, /* a key longer than any */
        { 1, 0, CVM_CALL_PACKET_BYTES },      /* a call, and nobody's session */
        { 1, 0, AROUND_KEY_BYTES },           /* a second key */
        { 1, 1, AROUND_KEY_BYTES },           /* a second key when the first is bound */
        { 1, 1, CVM_CALL_PACKET_BYTES },      /* a call before it serves */
        { 1, 1, CVM_ATTEST_PACKET_BYTES },    /* what only the channel may send */
        { 1, 1, PP_SP_REQUEST_BYTES },        { 1, 1, PACKET_BYTES_MAX },
    };

    (void)state;
    for (uint32_t i = 0; i < PP_ARRAY_COUNT(ROWS); i++) {
        struct around_worker first = around_worker_new(40, i + 1), w = around_worker_new(i, 1);
        struct around_session s = around_session_new(i);
        struct pp_snp_report report;
        uint8_t wanted[PP_REPORT_DATA_BYTES];
        static struct around_evidence got;
        around_worker_key(&first);
        around_ask(&s, &first);
        assert_true(around_wanted(wanted, AROUND_WAIT_MS)); /* so that this one's has to wait */
        if (ROWS[i].with_key)
            around_worker_key(&w);
        if (ROWS[i].with_session)
            around_ask(&s, &w);
        assert_int_equal(send(w.fd, bytes, ROWS[i].len, MSG_NOSIGNAL), ROWS[i].len);
        assert_ok(cvm_wait(w.fd, AROUND_WAIT_MS));
        assert_code(cvm_recv(w.fd, bytes, sizeof bytes, &(size_t){ 0 }, NULL), PP_E_CLOSED);
        if (ROWS[i].with_session)
            assert_refused();
        around_report(wanted, &report);
        around_answer(&report);
        assert_true(around_evidence(&got, AROUND_WAIT_MS));
        assert_true(got.is_there);
        assert_nothing_signed();
        cvm_close(&w.fd);
        cvm_close(&first.fd);
    }
    assert_serves(9);
}

/* A worker that serves and asks in another shape, twice at once, or with a descriptor. */
static void a_worker_that_serves_is_a_client_or_nothing(void **state)
{
    static uint8_t bytes[PACKET_BYTES_MAX];
    static const size_t LENGTHS[] = { 0,
                                      1,
                                      PP_BINDING_BYTES,
                                      CVM_CALL_PACKET_BYTES - 1,
                                      CVM_CALL_PACKET_BYTES + 1,
                                      CVM_ATTEST_PACKET_BYTES };
    uint8_t want[PP_BINDING_BYTES];

    (void)state;
    for (uint32_t i = 0; i <= PP_ARRAY_COUNT(LENGTHS); i++) {
        static struct around_evidence got;
        struct around_worker w = around_worker_new(i, 1);
        struct around_session s = around_session_new(i);
        around_worker_key(&w);
        around_ask(&s, &w);
        around_binding(&s, &w, want);
        assert_signed(want);
        assert_true(around_evidence(&got, AROUND_WAIT_MS));
        assert_ok(cvm_recv(w.fd, bytes, sizeof bytes, &(size_t){ 0 }, NULL));
        if (i < PP_ARRAY_COUNT(LENGTHS)) {
            assert_int_equal(send(w.fd, bytes, LENGTHS[i], MSG_NOSIGNAL), LENGTHS[i]);
            assert_ok(cvm_wait(w.fd, AROUND_WAIT_MS));
            assert_nothing_signed();
        } else { /* two at once: the first is a client's, the second ends it */
            struct pp_binding_input in = { .end = PP_END_CLIENT,
                                           .spki = pp_span(bytes, PP_P256_SPKI_BYTES) };
            uint8_t wanted[PP_REPORT_DATA_BYTES];
            memset(bytes, 's', sizeof bytes); /* it says server: no matter */
            memset(in.ekm, 's', sizeof in.ekm);
            memcpy(in.config_digest, around.config.digest, sizeof in.config_digest);
            assert_ok(pp_binding_of(&in, want));
            assert_ok(cvm_send(w.fd, pp_span(bytes, CVM_CALL_PACKET_BYTES), -1));
            assert_true(around_wanted(wanted, AROUND_WAIT_MS));
            assert_memory_equal(wanted, want, sizeof want);
            assert_ok(cvm_send(w.fd, pp_span(bytes, CVM_CALL_PACKET_BYTES), -1));
            assert_ok(cvm_wait(w.fd, AROUND_WAIT_MS));
            struct pp_snp_report report;
            around_report(wanted, &report);
            around_answer(&report);
            assert_nothing_signed();
        }
        assert_code(cvm_recv(w.fd, bytes, sizeof bytes, &(size_t){ 0 }, NULL), PP_E_CLOSED);
        cvm_close(&w.fd);
    }
    assert_serves(20);
}

/* --- the device, and whoever is behind it ---------------------------------------------------- */

static struct around_worker asker;

static void ask_for_one(uint32_t generation, uint8_t wanted[PP_REPORT_DATA_BYTES])
{
    struct around_session s = around_session_new(generation);

    asker = around_worker_new(1, generation);
    around_worker_key(&asker);
    around_ask(&s, &asker);
    assert_true(around_wanted(wanted, AROUND_WAIT_MS));
}

/* ra-tls 8: busy, never a session without Evidence, nor one with Evidence of something else. */
static void a_report_that_is_not_what_was_asked_for_makes_its_session_busy(void **state)
{
    uint8_t wanted[PP_REPORT_DATA_BYTES], before[PP_REPORT_DATA_BYTES],
        bytes[PP_SNP_REPORT_BYTES + 1] = { 0 };
    struct pp_snp_report report;

    (void)state;
    for (uint32_t i = 0; i < 10; i++) {
        ask_for_one(i + 1, wanted);
        around_report(wanted, &report);
        switch (i) {
        case 0: /* the device failed */
            around_answer_bytes((struct pp_span){ 0 }, (struct pp_span){ 0 });
            break;
        case 1: /* the report of the session before: stale */
            memset(before, 7, sizeof before);
            memcpy(report.report_data, before, sizeof before);
            around_answer(&report);
            break;
        case 2: /* one bit of it */
            report.report_data[63] ^= 0x80;
            around_answer(&report);
            break;
        case 3: /* the report that the start asked for */
            memset(report.report_data, 0, sizeof report.report_data);
            around_answer(&report);
            break;
        case 4:
            report.vmpl = 1;
            around_answer(&report);
            break;
        case 5:
            report.host_data[0] ^= 1;
            around_answer(&report);
            break;
        case 6:
        case 7: /* truncated, and with a byte behind it */
            assert_ok(pp_snp_report_write(&report, bytes, sizeof bytes));
            around_answer_bytes(pp_span(bytes, i == 6 ? PP_SNP_REPORT_BYTES - 1 : sizeof bytes),
                                around_hints());
            break;
        case 8: /* hints that cannot be read */
            assert_ok(pp_snp_report_write(&report, bytes, sizeof bytes));
            around_answer_bytes(pp_span(bytes, PP_SNP_REPORT_BYTES), PP_STR("\xa1"));
            break;
        default: /* not even an answer */
            assert_ok(cvm_send(around.device, PP_STR("what?"), -1));
        }
        assert_refused();
        cvm_close(&asker.fd);
    }
    assert_serves(2); /* and it recovers */
}

static void a_device_that_speaks_unasked_or_too_much_ends_the_attester(void **state)
{
    static uint8_t bytes[PP_SP_ANSWER_BYTES_MAX + 1];
    static const uint8_t NOTHING[PP_REPORT_DATA_BYTES];
    uint8_t wanted[PP_REPORT_DATA_BYTES];
    struct pp_snp_report report;
    const int large = 1 << 20;

    around_report(NOTHING, &report);
    around_answer(&report); /* a second one to the question of the start */
    assert_int_equal(around_exit_status(), EXIT_FAILURE);
    restart(state);
    ask_for_one(1, wanted);
    (void)setsockopt(around.device, SOL_SOCKET, SO_SNDBUF, &large, sizeof large);
    assert_int_equal(send(around.device, bytes, sizeof bytes, 0), sizeof bytes);
    assert_int_equal(around_exit_status(), EXIT_FAILURE);
    cvm_close(&asker.fd);
    restart(state);
    ask_for_one(1, wanted);
    cvm_close(&around.device);
    assert_int_equal(around_exit_status(), EXIT_FAILURE);
    cvm_close(&asker.fd);
}

/* W23_T4. */
static void w23_t4_a_device_that_stays_silent_ends_the_attester(void **state)
{
    uint8_t wanted[PP_REPORT_DATA_BYTES];

    (void)state;
    assert_serves(7); /* with patience, which only the silent device is to meet with none */
    around_patience(100);
    assert_int_equal(around_can_read(around.supervisor, 300), 0); /* idle, it waits for nobody */
    ask_for_one(1, wanted);
    assert_int_equal(around_exit_status(), EXIT_FAILURE);
    cvm_close(&asker.fd);
}

/* At the start it asks over zeros, which is no binding value, and serves nobody before it was
 * answered about its own configuration. */
static void without_a_first_report_nothing_is_served(void **state)
{
    static const uint8_t NO_SESSION[PP_REPORT_DATA_BYTES];
    uint8_t wanted[PP_REPORT_DATA_BYTES];
    struct pp_snp_report report;

    for (uint32_t i = 0; i < 4; i++) {
        (void)around_forget(state);
        around_start_unchecked(i == 3 ? PP_PLATFORM_TDX : PP_PLATFORM_SEV_SNP);
        assert_true(around_wanted(wanted, AROUND_WAIT_MS));
        assert_memory_equal(wanted, NO_SESSION, sizeof wanted);
        assert_false(around_can_read(around.supervisor, 0));
        around_report(wanted, &report);
        if (i == 0)
            report.host_data[5] ^= 1;
        else if (i == 1)
            report.vmpl = 2;
        else if (i == 2)
            report.report_data[5] ^= 1;
        around_answer(&report);
        assert_int_equal(around_exit_status(), i == 0 ? CVM_ATTESTER_UNMEASURED : EXIT_FAILURE);
    }
}

static const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, start, around_stop)
#define LAST(name) cmocka_unit_test_setup_teardown(name, start, around_forget)
    CASE(a_packet_of_another_shape_ends_the_attester_and_signs_nothing),
    LAST(a_descriptor_from_the_channel_ends_the_attester),
    CASE(a_worker_that_is_not_there_gives_no_evidence),
    CASE(a_worker_is_one_sessions_for_good),
    CASE(whatever_the_channel_sends_is_signed_for_a_server_with_the_workers_key),
    CASE(a_flood_is_signed_as_the_rules_say_and_no_more),
    CASE(a_flood_for_nobody_leaves_the_attester_serving),
    LAST(a_channel_that_goes_away_ends_the_attester),
    CASE(a_worker_that_cannot_be_ends_the_attester),
    CASE(a_worker_that_talks_out_of_turn_is_left),
    CASE(a_worker_that_serves_is_a_client_or_nothing),
    CASE(a_report_that_is_not_what_was_asked_for_makes_its_session_busy),
    LAST(a_device_that_speaks_unasked_or_too_much_ends_the_attester),
    LAST(w23_t4_a_device_that_stays_silent_ends_the_attester),
    LAST(without_a_first_report_nothing_is_served),
};

PP_TEST_MAIN(tests)
