/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks another implementation of HPKE, a program that speaks exchange.h on its standard input and
 * output, what ours is asked too, on random inputs: sealing with the same ephemeral key, opening
 * what was sealed, opening what was changed by one bit. Answers must be the same bytes.
 *
 * usage: differential_hpke PEER [ROUNDS [SEED]]     SEED: 64 hex digits, of an earlier run's output
 */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "crypto.h"
#include "exchange.h"
#include "hpke.h"
#include "text.h"

extern char **environ;

enum { SEED_BYTES = 32, ROUNDS_DEFAULT = 5000, INFO_BYTES_MAX = 600, EXPORT_BYTES_MAX = 600 };

/* --- a generator that gives the same inputs for the same seed ----------------------------- */

struct generator {
    uint8_t seed[SEED_BYTES];
    uint64_t used;
};

static pp_res generate(void *ctx, uint8_t *ret, size_t len)
{
    struct generator *g = ctx;

    for (size_t done = 0; done < len; done += PP_SHA256_BYTES) {
        uint8_t block[PP_SHA256_BYTES];
        struct pp_hash h;
        size_t n = len - done < sizeof block ? len - done : sizeof block;
        pp_hash_init(&h, PP_SHA256);
        pp_hash_update(&h, PP_BYTES(g->seed));
        pp_hash_u64(&h, g->used++);
        pp_hash_final(&h, block);
        memcpy(ret + done, block, n);
    }
    return PP_OK;
}

static struct generator generator;
static const struct pp_random prng = { generate, &generator };

static size_t below(size_t bound)
{
    uint64_t v = 0;

    PP_ASSERT(pp_is_ok(pp_random_below(&prng, bound, &v)));
    return (size_t)v;
}

/* Half of the lengths are at a block's edge or small, where mistakes are. */
static struct pp_span random_bytes(uint8_t *buf, size_t max)
{
    static const size_t edges[] = { 0, 1, 15, 16, 17, 31, 32, 33, 63, 64, 65 };
    size_t len = below(2) ? edges[below(PP_ARRAY_COUNT(edges))] : below(max + 1);

    PP_ASSERT(pp_is_ok(pp_random_fill(&prng, buf, len)));
    return pp_span(buf, len);
}

/* --- our answer ----------------------------- */

static pp_res run(struct pp_hpke *c, const struct request *q, struct pp_span made, struct pp_wr *wr)
{
    static uint8_t exported[UINT16_MAX], text[TEXT_BYTES_MAX + PP_AEAD_TAG_BYTES];

    PP_TRY(pp_hpke_export(c, q->exporter_context, exported, q->export_len));
    pp_wr_u8(wr, 1);
    block_write(wr, made);
    block_write(wr, pp_span(exported, q->export_len));
    for (size_t i = 0; i < q->count; i++) {
        struct pp_span t = q->messages[i].text;
        if (q->op == OP_SEAL)
            PP_TRY(pp_hpke_seal(c, q->messages[i].aad, t, text));
        else
            PP_TRY(pp_hpke_open(c, q->messages[i].aad, t, text));
        block_write(wr, pp_span(text, q->op == OP_SEAL ? t.len + PP_AEAD_TAG_BYTES
                                                       : t.len - PP_AEAD_TAG_BYTES));
    }
    return pp_wr_ok(wr);
}

static pp_res answer_with(struct pp_hpke *c, const struct request *q, struct pp_wr *wr)
{
    struct pp_hpke_suite suite = { PP_KEM_X25519_SHA256, PP_HKDF_SHA256, q->aead };
    struct pp_span script = q->other;
    struct pp_random ephemeral = pp_random_script(&script);
    uint8_t made[PP_X25519_BYTES];
    struct pp_hpke_info info;
    struct pp_kem_key *key = NULL;

    PP_TRY(pp_hpke_info_init(&info, suite, q->info));
    if (q->op == OP_SEAL) {
        PP_TRY(pp_hpke_sender(c, &info, q->key, &ephemeral, made));
        return run(c, q, PP_BYTES(made), wr);
    }
    PP_TRY(pp_kem_key_import(PP_KEM_X25519_SHA256, q->key, &key));
    memcpy(made, pp_kem_key_public(key).at, sizeof made);
    pp_res r = pp_hpke_receiver(c, &info, key, q->other);
    if (pp_is_ok(r))
        r = run(c, q, PP_BYTES(made), wr);
    pp_kem_key_free(key);
    return r;
}

static struct pp_span answer(const struct request *q, uint8_t *buf)
{
    PP_AUTO(pp_hpke) c = { 0 };
    struct pp_wr wr = pp_wr_over(buf, FRAME_BYTES_MAX);

    if (!pp_is_ok(answer_with(&c, q, &wr))) {
        wr = pp_wr_over(buf, FRAME_BYTES_MAX);
        pp_wr_u8(&wr, 0);
    }
    return pp_wr_done(&wr);
}

/* --- theirs ----------------------------- */

struct peer {
    FILE *to, *from;
};

static int peer_start(struct peer *p, char *program)
{
    char *argv[] = { program, NULL };
    posix_spawn_file_actions_t actions;
    int to[2], from[2];
    pid_t pid;

    if (pipe(to) != 0 || pipe(from) != 0 || posix_spawn_file_actions_init(&actions) != 0)
        return 0;
    int ok = posix_spawn_file_actions_adddup2(&actions, to[0], STDIN_FILENO) == 0 &&
             posix_spawn_file_actions_adddup2(&actions, from[1], STDOUT_FILENO) == 0 &&
             posix_spawn_file_actions_addclose(&actions, to[1]) == 0 &&
             posix_spawn_file_actions_addclose(&actions, from[0]) == 0 &&
             posix_spawn(&pid, program, &actions, NULL, argv, environ) == 0;
    posix_spawn_file_actions_destroy(&actions);
    close(to[0]);
    close(from[1]);
    p->to = fdopen(to[1], "wb");
    p->from = fdopen(from[0], "rb");
    return ok && p->to != NULL && p->from != NULL;
}

/* Both answers; 1 if they are the same bytes. `ret` borrows until the next call. */
static int same_answer(struct peer *p, const struct request *q, struct pp_span *ret)
{
    static uint8_t frame[FRAME_BYTES_MAX], ours[FRAME_BYTES_MAX], theirs[FRAME_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(frame, sizeof frame);
    struct pp_rd rd;

    request_write(q, &wr);
    if (!pp_is_ok(pp_wr_ok(&wr)) || !pp_is_ok(frame_send(p->to, pp_wr_done(&wr))) ||
        !pp_is_ok(frame_receive(p->from, theirs, sizeof theirs, &rd))) {
        fprintf(stderr, "the other implementation ended\n");
        exit(1);
    }
    *ret = answer(q, ours);
    return pp_span_eq(*ret, pp_rd_rest(&rd));
}

/* --- rounds ----------------------------- */

struct inputs {
    uint8_t sk[PP_X25519_BYTES], ephemeral[PP_X25519_BYTES], pk[PP_X25519_BYTES];
    uint8_t info[INFO_BYTES_MAX], context[INFO_BYTES_MAX];
    uint8_t aad[MESSAGES_MAX][INFO_BYTES_MAX], text[MESSAGES_MAX][TEXT_BYTES_MAX];
    uint8_t sealed[FRAME_BYTES_MAX];
};

static struct inputs in;

static struct request random_request(uint16_t aead)
{
    struct pp_kem_key *key = NULL;
    struct request q = { .op = OP_SEAL, .aead = aead, .count = 1 + below(MESSAGES_MAX) };

    PP_ASSERT(pp_is_ok(pp_random_fill(&prng, in.sk, sizeof in.sk)));
    PP_ASSERT(pp_is_ok(pp_random_fill(&prng, in.ephemeral, sizeof in.ephemeral)));
    PP_ASSERT(pp_is_ok(pp_kem_key_import(PP_KEM_X25519_SHA256, PP_BYTES(in.sk), &key)));
    memcpy(in.pk, pp_kem_key_public(key).at, sizeof in.pk);
    pp_kem_key_free(key);
    q.key = PP_BYTES(in.pk);
    q.other = PP_BYTES(in.ephemeral);
    q.info = random_bytes(in.info, sizeof in.info);
    q.exporter_context = random_bytes(in.context, sizeof in.context);
    q.export_len = (uint16_t)(1 + below(EXPORT_BYTES_MAX));
    for (size_t i = 0; i < q.count; i++) {
        q.messages[i].aad = random_bytes(in.aad[i], sizeof in.aad[i]);
        q.messages[i].text = random_bytes(in.text[i], TEXT_BYTES_MAX - PP_AEAD_TAG_BYTES);
    }
    return q;
}

/* The request that opens what `sealed`, an answer, holds. */
static struct request opening(const struct request *q, struct pp_span sealed)
{
    struct request o = *q;

    memcpy(in.sealed, sealed.at, sealed.len);
    struct pp_rd rd = pp_rd_over(in.sealed, sealed.len);
    pp_rd_skip(&rd, 1);
    o.op = OP_OPEN;
    o.key = PP_BYTES(in.sk);
    o.other = block_read(&rd);
    (void)block_read(&rd); /* the exported value: both gave the same */
    for (size_t i = 0; i < o.count; i++)
        o.messages[i].text = block_read(&rd);
    return o;
}

/* Changes one bit of what the opening depends on; 0 if the chosen part has none. */
static int change_one_bit(struct request *o)
{
    static uint8_t copy[TEXT_BYTES_MAX];
    size_t m = below(o->count);
    struct pp_span *parts[] = { &o->other, &o->info, &o->messages[m].aad, &o->messages[m].text };
    struct pp_span *part = parts[below(PP_ARRAY_COUNT(parts))];

    if (part->len == 0)
        return 0;
    size_t bit = below(8 * part->len);
    memcpy(copy, part->at, part->len);
    copy[bit / 8] ^= (uint8_t)(1U << bit % 8);
    *part = pp_span(copy, part->len);
    return 1;
}

/* NULL, or what went wrong. */
static const char *round_of(struct peer *p, uint16_t aead)
{
    struct request q = random_request(aead);
    struct pp_span got;

    if (!same_answer(p, &q, &got))
        return "sealed differently";
    if (got.at[0] != 1)
        return "both refuse to seal";
    struct request o = opening(&q, got);
    if (!same_answer(p, &o, &got))
        return "opened differently";
    struct pp_rd rd = pp_rd_span(got);
    int done = pp_rd_u8(&rd);
    int same_key = pp_span_eq(block_read(&rd), PP_BYTES(in.pk));
    (void)block_read(&rd);
    for (size_t i = 0; i < q.count; i++)
        same_key &= pp_span_eq(block_read(&rd), q.messages[i].text);
    if (!done || !same_key)
        return "what was sealed does not come out";
    if (!change_one_bit(&o))
        return NULL;
    if (!same_answer(p, &o, &got))
        return "answered a changed message differently";
    return got.at[0] == 0 ? NULL : "both open a changed message";
}

/* RFC 9180 7.1.4: points of low order are refused by who seals to them and who opens from them. */
static const char *low_order(struct peer *p)
{
    static const char *const points[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    };
    struct pp_span got;

    for (size_t i = 0; i < PP_ARRAY_COUNT(points); i++) {
        uint8_t point[PP_X25519_BYTES];
        struct request q = random_request(PP_AES_128_GCM);
        PP_ASSERT(pp_is_ok(pp_hex_parse(pp_span_cstr(points[i]), point, sizeof point)));
        q.key = PP_BYTES(point);
        if (!same_answer(p, &q, &got) || got.at[0] != 0)
            return "sealed to a point of low order";
        q.op = OP_OPEN;
        q.key = PP_BYTES(in.sk);
        q.other = PP_BYTES(point);
        if (!same_answer(p, &q, &got) || got.at[0] != 0)
            return "opened from a point of low order";
    }
    return NULL;
}

int main(int argc, char **argv)
{
    static const uint16_t aeads[] = { PP_AES_128_GCM, PP_AES_256_GCM, PP_CHACHA20_POLY1305 };
    struct pp_random system = pp_random_system();
    unsigned long rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : ROUNDS_DEFAULT, failed = 0;
    struct peer p = { 0 };
    char hex[2 * SEED_BYTES + 1] = { 0 };
    struct pp_wr wr = pp_wr_over(hex, sizeof hex - 1);

    if (argc < 2 || argc > 4 || rounds == 0)
        return 2;
    if (!pp_is_ok(pp_crypto_init()) ||
        !pp_is_ok(pp_random_fill(&system, generator.seed, SEED_BYTES)))
        return 1;
    if (argc > 3 && !pp_is_ok(pp_hex_parse(pp_span_cstr(argv[3]), generator.seed, SEED_BYTES)))
        return 2;
    pp_wr_hex(&wr, PP_BYTES(generator.seed));
    printf("seed %s\n", hex);
    if (!peer_start(&p, argv[1]))
        return 1;
    for (unsigned long i = 0; i < rounds; i++) {
        const char *why = i == 0 ? low_order(&p) : round_of(&p, aeads[i % PP_ARRAY_COUNT(aeads)]);
        if (why == NULL)
            continue;
        failed++;
        printf("round %lu, AEAD %u: %s\n", i, aeads[i % PP_ARRAY_COUNT(aeads)], why);
    }
    printf("%lu passed, %lu failed\n", rounds - failed, failed);
    return failed > 0;
}
