/* SPDX-License-Identifier: Apache-2.0 */
/* A worker as a process, with the test as channel and attester around it. */
#include "harness.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto.h"
#include "cvm.h"
#include "ipc.h"
#include "kem.h"
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
                                  .call_open_ms = 300,
                                  .client_count = 1 };
    return 0;
}

/* A worker that has its binding value, and hints that say nothing. */
static void start(struct around *a)
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
    assert_ok(cvm_wait(a->attester, 5000));
    assert_ok(cvm_recv(a->attester, a->key, sizeof a->key, &a->key_len, NULL));
    memset(a->binding, 7, sizeof a->binding);
    assert_ok(cvm_send(a->attester, PP_BYTES(a->binding), -1));
}

static void say(const struct around *a, enum cvm_word word, struct pp_span bytes)
{
    uint8_t head[CVM_WORD_HEAD_BYTES];
    struct pp_wr wr = pp_wr_over(head, sizeof head);

    pp_wr_u32(&wr, (uint32_t)word << 24 | (uint32_t)bytes.len);
    assert_ok(cvm_write_all(a->channel, pp_wr_done(&wr)));
    assert_ok(cvm_write_all(a->channel, bytes));
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
    for (enum pp_record_role role = PP_RECORD_GUARD; role <= PP_RECORD_PREDICTOR; role++) {
        config.role = role;
        start(&a);
        if (role == PP_RECORD_ORCHESTRATOR) { /* who serves devices asks for none */
            say(&a, CVM_WORD_SEALED, sealed_for(&a));
            uint8_t head[CVM_WORD_HEAD_BYTES];
            assert_ok(cvm_read_all(a.channel, head, sizeof head));
            assert_int_equal(ended_in_silence(&a), CVM_WORKER_UNREAD);
            continue;
        }
        say(&a, CVM_WORD_SEALED, sealed_for(&a));
        assert_int_equal(ended_in_silence(&a), CVM_WORKER_UNATTESTED);
    }
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
    cmocka_unit_test_setup(a_worker_whose_channel_goes_away_was_not_used, set_up),
};

PP_TEST_MAIN(tests)
