/* SPDX-License-Identifier: Apache-2.0 */
/* A worker as a process, with the test as channel and attester around it. */
#include "machine.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "answer.h"
#include "crypto.h"
#include "cvm.h"
#include "hash.h"
#include "hints.h"
#include "ipc.h"
#include "kem.h"
#include "message.h"
#include "rd.h"
#include "request.h"
#include "seal.h"
#include "wr.h"

static struct cvm_config config;

struct around {
    pid_t pid;
    int channel, attester; /* our ends */
    uint8_t key[2 + PP_KEM_PK_BYTES_MAX];
    size_t key_len;
    uint8_t binding[PP_BINDING_BYTES];
};

static int set_up(void **state)
{
    (void)state;
    assert_ok(pp_crypto_init());
    config = (struct cvm_config){ .role = PP_RECORD_PREDICTOR,
                                  .platform = PP_PLATFORM_SIM_SNP,
                                  .message_kem = PP_KEM_X25519_SHA256,
                                  .engine = pp_infer_engine_find(PP_STR("embedded")),
                                  .call_open_ms = CVM_CALL_OPEN_MS,
                                  .opening_ms = CVM_OPENING_MS,
                                  .client_count = 1 };
    return 0;
}

/* A worker that has offered its key. */
static void launch(struct around *a)
{
    int channel[2], attester[2];

    *a = (struct around){ 0 };
    assert_ok(cvm_pair(SOCK_STREAM, channel));
    assert_ok(cvm_pair(SOCK_SEQPACKET, attester));
    a->pid = fork();
    assert_true(a->pid >= 0);
    if (a->pid == 0) {
        (void)close(channel[0]);
        (void)close(attester[0]);
        _exit(cvm_worker_main(&config, channel[1], attester[1]));
    }
    close(channel[1]);
    close(attester[1]);
    a->channel = channel[0];
    a->attester = attester[0];
    assert_ok(cvm_wait(a->attester, 60000));
    assert_ok(cvm_recv(a->attester, a->key, sizeof a->key, &a->key_len, NULL));
}

/* A worker that has its binding value, and hints that say nothing. */
static void start(struct around *a)
{
    launch(a);
    memset(a->binding, 7, sizeof a->binding);
    assert_ok(cvm_send(a->attester, PP_BYTES(a->binding), -1));
}

static void say(const struct around *a, enum cvm_word word, struct pp_span bytes)
{
    uint8_t head[CVM_WORD_HEAD_BYTES];
    struct pp_wr wr = pp_wr_over(head, sizeof head);

    pp_wr_u32(&wr, (uint32_t)word << 24 | (uint32_t)bytes.len);
    assert_ok(cvm_write_all(a->channel, pp_wr_done(&wr)));
    pp_ignore(cvm_write_all(a->channel, bytes), "a word that has no place is not read to its end");
}

static uint32_t hear_head(const struct around *a)
{
    uint8_t head[CVM_WORD_HEAD_BYTES];

    assert_ok(cvm_read_all(a->channel, head, sizeof head));
    struct pp_rd rd = pp_rd_over(head, sizeof head);
    return pp_rd_u32(&rd);
}

/* Its exit class; and it has said nothing before. */
static int ended_in_silence(struct around *a)
{
    uint8_t byte;
    int status;

    assert_int_equal(waitpid(a->pid, &status, 0), a->pid);
    assert_true(WIFEXITED(status));
    assert_true(recv(a->channel, &byte, 1, 0) <= 0);
    close(a->channel);
    close(a->attester);
    return WEXITSTATUS(status);
}

/* Bytes that are sealed to this very worker: what is opened nowhere cannot be for want of a key. */
static struct pp_span sealed_for(const struct around *a)
{
    static uint8_t sealed[1024];
    struct pp_wr wr = pp_wr_over(sealed, sizeof sealed);
    struct pp_random random = pp_random_system();
    PP_AUTO(pp_seal) seal = { 0 };

    assert_ok(pp_seal_request(&seal, PP_KEM_X25519_SHA256, pp_span(a->key + 2, a->key_len - 2),
                              a->binding, &random, PP_STR("a request"), &wr));
    return pp_wr_done(&wr);
}

static void a_back_end_opens_nothing_for_a_client_whose_evidence_is_not_in_order(void **state)
{
    static uint8_t peer[CVM_PEER_WORD_BYTES];
    struct around a;

    (void)state;
    start(&a);
    say(&a, CVM_WORD_PEER, PP_BYTES(peer));
    assert_int_equal(ended_in_silence(&a), CVM_WORKER_UNATTESTED);
    start(&a); /* nor for Evidence of another length */
    say(&a, CVM_WORD_PEER, pp_span(peer, 100));
    assert_int_equal(ended_in_silence(&a), CVM_WORKER_UNATTESTED);
}

/* A channel that leaves the client's Evidence out hands over a request that nobody opens. */
static void a_back_end_opens_nothing_that_comes_before_evidence(void **state)
{
    struct around a;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        config.role = i == 0 ? PP_RECORD_GUARD : PP_RECORD_PREDICTOR;
        start(&a);
        say(&a, CVM_WORD_SEALED, sealed_for(&a));
        assert_int_equal(ended_in_silence(&a), CVM_WORKER_UNATTESTED);
    }
}

/* --- a client that is in order ---------------------------------------------------------------- */

static struct machine *m;
static uint8_t text[8192], hints[PP_HINTS_BYTES_MAX];

static int make(void **state)
{
    (void)state;
    m = machine_new();
    return 0;
}

static int drop(void **state)
{
    (void)state;
    machine_free(m);
    return 0;
}

/* The text of the orchestrator's release; its id is then the one that everybody names. */
static struct pp_span release_text(void)
{
    struct pp_wr wr = pp_wr_over(text, sizeof text);
    struct pp_record record = { .type = PP_RECORD_RELEASE,
                                .ledger = PP_STR("log.example"),
                                .name_space = PP_STR("example"),
                                .environment = PP_RECORD_DEV,
                                .serial = 1,
                                .time = MACHINE_NOW - 3600,
                                .release = m->records[M_ORCHESTRATOR].record.release };
    struct pp_release *r = &record.release;

    r->image.bytes = 1;
    r->image.where = PP_STR("https://images.example.org/1");
    r->source.repository = PP_STR("https://git.example.org/pp");
    r->source.commit = PP_STR("0123456789abcdef0123456789abcdef01234567");
    r->snp[0].vmm = PP_STR("qemu");
    r->snp[0].vcpus = 1;
    r->snp_min_tcb[PP_RECORD_GENOA] = (struct pp_release_tcb){ .given = 1, .snp = 1 };
    r->review_count = 1;
    r->review[0].name = PP_STR("reviewers");
    assert_ok(pp_record_write(&wr, &record));
    pp_record_id_of(pp_wr_done(&wr), &m->records[M_ORCHESTRATOR].id);
    return pp_wr_done(&wr);
}

/* A predictor that serves the machine's orchestrator, and what its host tells it. */
static struct pp_span serve_the_machine(void)
{
    struct pp_wr wr = pp_wr_over(hints, sizeof hints);
    struct pp_hints h = { .records = { release_text() },
                          .record_count = 1,
                          .collateral = { sim_root_ark(m->root), sim_root_ask(m->root) },
                          .collateral_count = 2,
                          .host_count = 1 };

    config.clients[0] = m->records[M_ORCHESTRATOR].id;
    config.simulated.has_snp = 1;
    pp_sha256(h.collateral[0], config.simulated.snp);
    machine_path(m, &h.hosts[0]);
    assert_ok(pp_hints_write(&wr, &h));
    return pp_wr_done(&wr);
}

/* A worker that was bound to `session`, hint and all, as the attester does it. */
static void start_in(struct around *a, const struct pp_ratls_session *session, struct pp_span told)
{
    static uint8_t packet[CVM_BINDING_PACKET_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(packet, sizeof packet);
    struct pp_binding_input in = { .end = PP_END_SERVER, .spki = PP_BYTES(session->spki) };

    launch(a);
    memcpy(in.ekm, session->ekm, sizeof in.ekm);
    memcpy(in.config_digest, config.digest, sizeof in.config_digest);
    pp_sha256(pp_span(a->key, a->key_len), in.message_key_digest);
    if (config.has_gpu)
        memset(in.gpu_digest, 0xD9, sizeof in.gpu_digest);
    assert_ok(pp_binding_of(&in, a->binding));
    pp_wr_span(&wr, PP_BYTES(a->binding));
    if (config.has_gpu)
        pp_wr_span(&wr, PP_BYTES(in.gpu_digest));
    pp_wr_span(&wr, told);
    assert_ok(cvm_send(a->attester, pp_wr_done(&wr), -1));
}

/* What a genuine orchestrator attested as the client of the machine's session. */
static struct pp_span peer_word(void)
{
    static uint8_t word[CVM_PEER_WORD_BYTES];
    struct pp_wr wr = pp_wr_over(word, sizeof word);

    m->end = PP_END_CLIENT;
    (void)machine_attest(m);
    pp_wr_span(&wr, PP_BYTES(m->session.spki));
    pp_wr_span(&wr, PP_BYTES(m->session.ekm));
    assert_ok(pp_evidence_body_write(&wr, &m->evidence));
    return pp_wr_done(&wr);
}

/*
 * W7: a channel that was taken over shows Evidence that a genuine client gave in another session,
 * with that session's own values, to a worker of a session that is an attacker's.
 */
static void evidence_of_a_client_counts_in_the_workers_own_session_alone(void **state)
{
    struct pp_ratls_session other;
    struct around a;

    (void)state;
    machine_default(m);
    struct pp_span told = serve_the_machine();
    struct pp_span word = peer_word();
    for (int with_gpu = 1; with_gpu >= 0; with_gpu--) { /* whatever the machine itself shows */
        config.has_gpu = with_gpu;
        start_in(&a, &m->session, told);
        say(&a, CVM_WORD_PEER, word);
        assert_int_equal(hear_head(&a), (uint32_t)CVM_WORD_PEER << 24); /* it is in order */
        assert_int_equal(shutdown(a.channel, SHUT_RDWR), 0);
        assert_int_equal(ended_in_silence(&a), CVM_WORKER_UNUSED);
    }
    for (size_t i = 0; i < 2; i++) {
        other = m->session;
        (i == 0 ? other.ekm : other.spki)[7] ^= 1;
        start_in(&a, &other, told);
        say(&a, CVM_WORD_PEER, word);
        assert_int_equal(shutdown(a.channel, SHUT_WR), 0); /* no request follows either way */
        assert_int_equal(ended_in_silence(&a), CVM_WORKER_UNATTESTED);
    }
}

/* --- an orchestrator's ------------------------------------------------------------------------ */

enum { ROOM = 1024 };

static struct pp_chat_message message = { .text = { (const uint8_t *)"We meet on Friday.", 18 } };

/* A request that allows a predictor, sealed to the worker; `seal` opens the answer. */
static struct pp_span request_for(const struct around *a, struct pp_seal *seal)
{
    static uint8_t pt[ROOM], sealed[ROOM + 512];
    struct pp_wr wr = pp_wr_over(pt, sizeof pt), out = pp_wr_over(sealed, sizeof sealed);
    struct pp_random random = pp_random_system();
    struct pp_request q = {
        .feature = PP_FEATURE_SUMMARIZE,
        .answer_kib = 4,
        .backends = { .items = { { .role = PP_STR("predictor") } }, .count = 1 },
        .summarize = { .words = 50, .messages = &message, .message_count = 1 }
    };

    size_t mark = pp_padded_begin(&wr);
    assert_ok(pp_request_write(&wr, &q));
    assert_ok(pp_padded_end(&wr, mark, ROOM));
    assert_ok(pp_seal_request(seal, PP_KEM_X25519_SHA256, pp_span(a->key + 2, a->key_len - 2),
                              a->binding, &random, pp_wr_done(&wr), &out));
    return pp_wr_done(&out);
}

/* The answer, which has the bucket's size: it says "failed", and nobody was asked. */
static void assert_failed_answer(struct around *a, struct pp_seal *seal)
{
    static uint8_t body[8192], pt[8192];
    static _Alignas(16) uint8_t memory[4096];
    struct pp_arena arena = pp_arena_over(memory, sizeof memory);
    size_t want = pp_answer_room(4) + PP_SEALED_RESPONSE_EXTRA, len = 0;
    struct pp_answer answer;
    struct pp_span cbor;

    assert_int_equal(hear_head(a), (uint32_t)CVM_WORD_SEALED << 24 | (uint32_t)want);
    assert_ok(cvm_read_all(a->channel, body, want));
    assert_ok(pp_seal_open_response(seal, pp_span(body, want), pt, &len));
    assert_ok(pp_padded_parse(pp_span(pt, len), &cbor));
    assert_ok(pp_answer_parse(cbor, PP_FEATURE_SUMMARIZE, &arena, &answer));
    assert_int_equal(answer.outcome, PP_OUTCOME_FAILED);
    assert_int_equal(answer.used.count, 0);
    assert_int_equal(ended_in_silence(a), CVM_WORKER_ANSWERED);
}

/* pp-wire 12: outcome 2 in the bucket, and no second try. */
static void a_back_end_that_says_nothing_is_a_failed_answer_when_its_time_is_over(void **state)
{
    PP_AUTO(pp_seal) seal = { 0 };
    uint8_t hello[CVM_OPEN_WORD_BYTES];
    struct around a;

    (void)state;
    config.role = PP_RECORD_ORCHESTRATOR;
    config.call_open_ms = 300;
    start(&a);
    say(&a, CVM_WORD_SEALED, request_for(&a, &seal));
    assert_int_equal(hear_head(&a), (uint32_t)CVM_WORD_OPEN << 24 | CVM_OPEN_WORD_BYTES);
    assert_ok(cvm_read_all(a.channel, hello, sizeof hello));
    assert_int_equal(hello[0], CVM_BACKEND_PREDICTOR);
    assert_failed_answer(&a, &seal);
}

static void a_back_end_that_is_not_there_is_a_failed_answer_at_once(void **state)
{
    PP_AUTO(pp_seal) seal = { 0 };
    uint8_t hello[CVM_OPEN_WORD_BYTES];
    struct around a;

    (void)state;
    config.role = PP_RECORD_ORCHESTRATOR;
    config.call_open_ms = 1000 * CVM_CALL_OPEN_MS; /* nobody lives to see it */
    start(&a);
    say(&a, CVM_WORD_SEALED, request_for(&a, &seal));
    (void)hear_head(&a);
    assert_ok(cvm_read_all(a.channel, hello, sizeof hello));
    say(&a, CVM_WORD_OPEN, PP_STR(""));
    assert_failed_answer(&a, &seal);
}

static void a_flight_that_is_no_tls_is_a_failed_answer(void **state)
{
    PP_AUTO(pp_seal) seal = { 0 };
    uint8_t hello[CVM_OPEN_WORD_BYTES];
    struct around a;

    (void)state;
    config.role = PP_RECORD_ORCHESTRATOR;
    start(&a);
    say(&a, CVM_WORD_SEALED, request_for(&a, &seal));
    (void)hear_head(&a);
    assert_ok(cvm_read_all(a.channel, hello, sizeof hello));
    say(&a, CVM_WORD_OPEN, PP_STR("no TLS at all, and no Evidence in it"));
    assert_failed_answer(&a, &seal);
}

static void a_worker_whose_channel_goes_away_was_not_used(void **state)
{
    struct around a;

    (void)state;
    start(&a);
    assert_int_equal(shutdown(a.channel, SHUT_RDWR), 0);
    assert_int_equal(ended_in_silence(&a), CVM_WORKER_UNUSED);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(a_back_end_opens_nothing_for_a_client_whose_evidence_is_not_in_order,
                           set_up),
    cmocka_unit_test_setup(a_back_end_opens_nothing_that_comes_before_evidence, set_up),
    cmocka_unit_test_setup(evidence_of_a_client_counts_in_the_workers_own_session_alone, set_up),
    cmocka_unit_test_setup(a_back_end_that_says_nothing_is_a_failed_answer_when_its_time_is_over,
                           set_up),
    cmocka_unit_test_setup(a_back_end_that_is_not_there_is_a_failed_answer_at_once, set_up),
    cmocka_unit_test_setup(a_flight_that_is_no_tls_is_a_failed_answer, set_up),
    cmocka_unit_test_setup(a_worker_whose_channel_goes_away_was_not_used, set_up),
};

int main(void)
{
    return cmocka_run_group_tests(tests, make, drop);
}
