/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A signer program that answers whatever it likes: to the first question as many bytes as the first
 * byte of the input says, to the second the rest, and then it ends. Whatever that was, what leaves
 * verifies.
 */
#include "fuzz.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "crypto.h"
#include "file.h"
#include "ledger_keys.h"
#include "rd.h"

enum { QUESTION_BYTES = 4 + 5, ANSWER_MAX = 4096, PATIENT_MS = 20000 };

static const uint8_t SEED[32] = { 7 };
static const struct pp_span TEXT = { (const uint8_t *)"text\n", 5 };

struct program {
    int in, out;
    struct pp_span answers[2];
};

static void *answer(void *ctx)
{
    struct program *p = ctx;
    uint8_t question[QUESTION_BYTES];

    for (size_t i = 0; i < PP_ARRAY_COUNT(p->answers); i++) {
        for (size_t got = 0; got < sizeof question;) {
            ssize_t n = read(p->in, question + got, sizeof question - got);
            if (n <= 0)
                goto end;
            got += (size_t)n;
        }
        FUZZ_CHECK(memcmp(question, "\0\0\0\5text\n", sizeof question) == 0);
        if (!pp_is_ok(pp_fd_write(p->out, p->answers[i])) || p->answers[i].len < 64)
            break;
    }
end:
    (void)close(p->in);
    (void)close(p->out);
    return NULL;
}

static void ask(const struct pp_note_signer *s)
{
    uint8_t signature[PP_ED25519_SIG_BYTES];
    pp_res r = pp_note_sign(s, TEXT, signature);

    if (pp_is_ok(r))
        FUZZ_CHECK(pp_is_ok(pp_ed25519_verify(s->key.pk, TEXT, PP_BYTES(signature))));
    else
        FUZZ_CHECK(r.code == PP_E_SIGNER_GONE || r.code == PP_E_SIGNER_WRONG);
}

static void ask_twice(struct program *program, int to, int from)
{
    struct pp_signer_pipe pipe = pp_signer_pipe_over(to, from, PATIENT_MS);
    struct pp_note_signer s = { .sign = pp_signer_pipe_sign, .ctx = &pipe };
    uint8_t pk[PP_ED25519_PK_BYTES];
    pthread_t thread;

    FUZZ_CHECK(pp_is_ok(pp_ed25519_public(PP_BYTES(SEED), pk)));
    pp_note_key_make(PP_STR("l.example"), PP_NOTE_ED25519, pk, &s.key);
    FUZZ_CHECK(pthread_create(&thread, NULL, answer, program) == 0);
    ask(&s);
    ask(&s);
    pp_signer_pipe_done(&pipe);
    FUZZ_CHECK(pthread_join(thread, NULL) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct pp_rd rd = pp_rd_over(data, len < ANSWER_MAX ? len : ANSWER_MAX);
    struct program program = { 0 };
    int to[2];
    int from[2];

    FUZZ_CHECK(pp_is_ok(pp_crypto_init()) && signal(SIGPIPE, SIG_IGN) != SIG_ERR);
    FUZZ_CHECK(pipe2(to, O_CLOEXEC) == 0 && pipe2(from, O_CLOEXEC) == 0);
    FUZZ_CHECK(fcntl(from[0], F_SETFL, O_NONBLOCK) == 0);
    size_t first = pp_rd_u8(&rd);
    program.in = to[0];
    program.out = from[1];
    program.answers[0] = pp_rd_bytes(&rd, first < rd.left ? first : rd.left);
    program.answers[1] = pp_span(rd.at, rd.left);
    ask_twice(&program, to[1], from[0]);
    return 0;
}
