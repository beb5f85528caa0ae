/* SPDX-License-Identifier: Apache-2.0 */
/* tlog_test.h: keys, notes and checkpoints that the tests of this folder share. */
#ifndef PP_TLOG_TEST_H
#define PP_TLOG_TEST_H

#include "harness.h"

#include "checkpoint.h"
#include "cosign.h"
#include "crypto.h"
#include "note.h"
#include "text.h"

#define ORIGIN "ledger.example/test"

/* A signer whose seed is one byte repeated; lives until the test ends. */
static inline struct pp_note_signer test_signer(const char *name, enum pp_note_type type,
                                                uint8_t fill)
{
    struct pp_note_signer s;
    uint8_t seed[32];

    memset(seed, fill, sizeof seed);
    assert_ok(pp_note_signer_make(pp_span_cstr(name), type, PP_BYTES(seed), &s));
    return s;
}

/* Text into a buffer that grows nowhere: a failure fails the test. */
struct test_text {
    char bytes[1 << 17];
    struct pp_wr wr;
};

static inline struct pp_wr *test_begin(struct test_text *t)
{
    memset(t->bytes, 0, sizeof t->bytes);
    t->wr = pp_wr_over(t->bytes, sizeof t->bytes - 1);
    return &t->wr;
}

static inline struct pp_span test_end(struct test_text *t)
{
    assert_ok(pp_wr_ok(&t->wr));
    return pp_wr_done(&t->wr);
}

static inline void test_vkey(struct pp_wr *wr, const char *before, const struct pp_note_signer *s)
{
    pp_wr_text(wr, before);
    pp_vkey_write(wr, &s->key);
    pp_wr_u8(wr, '\n');
}

static inline int test_init(void **state)
{
    (void)state;
    return pp_is_ok(pp_crypto_init()) ? 0 : -1;
}

#define TLOG_TEST_MAIN                                                                             \
    int main(void)                                                                                 \
    {                                                                                              \
        return cmocka_run_group_tests(TESTS, test_init, NULL);                                     \
    }

#endif
