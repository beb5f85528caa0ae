/* SPDX-License-Identifier: Apache-2.0 */
/* pp-wire 10: the device's wallet, across restarts, races and kills. */
#include "harness.h"

#include "folder.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto.h"
#include "db.h"
#include "hash.h"
#include "wallet.h"

enum { DAY = 20500, TOKEN_BYTES = 162, BATCH = PP_CRED_BATCH_MAX };

#define MIDNIGHT_S ((uint64_t)DAY * 86400)
#define NOON_S     (MIDNIGHT_S + 43200)

static char folder[64];
static char path[96];

static int fresh_folder(void **state)
{
    (void)state;
    if (pp_test_folder_make(folder) != 0)
        return -1;
    snprintf(path, sizeof path, "%s/wallet.db", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return pp_test_folder_remove(folder);
}

/* --- a wallet with tokens that look right ---------------------------------------------------- */

static uint8_t platform_byte = 7;

static pp_res load_key(void *ctx, struct pp_secret *ret)
{
    PP_TRY(pp_secret_alloc(ret, PP_PLATFORM_KEY_BYTES));
    memset(ret->bytes, *(const uint8_t *)ctx, ret->len);
    return PP_OK;
}

static pp_res no_key(void *ctx, struct pp_secret *ret)
{
    (void)ctx;
    (void)ret;
    return PP_FAIL(PP_E_KEY, 0);
}

static const struct pp_platform_key KEY = { .load = load_key, .ctx = &platform_byte };

static struct pp_wallet *open_with(const struct pp_random *random, int dev, uint32_t batches)
{
    struct pp_wallet_policy policy;
    struct pp_wallet *w = NULL;

    assert_ok(pp_wallet_policy_init(&policy, dev, batches));
    assert_ok(pp_wallet_open(path, &KEY, &policy, random, NULL, &w));
    return w;
}

static struct pp_wallet *open_wallet(int dev, uint32_t batches)
{
    const struct pp_random random = pp_random_system();

    return open_with(&random, dev, batches);
}

/* The same draws in every run, for what is judged by counting. */
static uint64_t seeded_counter;

static pp_res seeded_fill(void *ctx, uint8_t *ret, size_t len)
{
    uint8_t block[PP_SHA256_BYTES];

    for (size_t i = 0; i < len; i++) {
        if (i % sizeof block == 0) {
            seeded_counter++;
            pp_sha256(pp_span(ctx, sizeof seeded_counter), block);
        }
        ret[i] = block[i % sizeof block];
    }
    return PP_OK;
}

static const struct pp_random SEEDED = { .fill = seeded_fill, .ctx = &seeded_counter };

/* The id of the epoch's key: bytes that depend on the day. */
static struct pp_wallet_key key_of(uint32_t day)
{
    struct pp_wallet_key k = { .day = day };

    memset(k.key_id, (int)(day & 0xff), sizeof k.key_id);
    return k;
}

/* `count` tokens, numbered from `from` in their nonces. */
static void make_tokens(uint32_t day, uint32_t from, uint32_t count, uint8_t *ret)
{
    struct pp_wr wr = pp_wr_over(ret, (size_t)count * TOKEN_BYTES);
    uint8_t authenticator[64] = { 1 };

    for (uint32_t i = 0; i < count; i++) {
        struct pp_token t = { .type = 5, .authenticator = PP_BYTES(authenticator) };
        struct pp_wallet_key key = key_of(day);
        struct pp_wr nonce = pp_wr_over(t.nonce, sizeof t.nonce);
        pp_wr_u32(&nonce, from + i);
        memcpy(t.key_id, key.key_id, sizeof t.key_id);
        pp_token_write(&t, &wr);
    }
    assert_ok(pp_wr_ok(&wr));
}

static void add(struct pp_wallet *w, uint32_t day, uint32_t from, uint32_t count, uint64_t now_s)
{
    uint8_t tokens[BATCH * TOKEN_BYTES];

    make_tokens(day, from, count, tokens);
    assert_ok(pp_wallet_add(w, day, pp_span(tokens, (size_t)count * TOKEN_BYTES), now_s));
}

static uint32_t number_of(struct pp_span token)
{
    struct pp_rd rd = pp_rd_span(token);

    pp_rd_skip(&rd, 2);
    return pp_rd_u32(&rd);
}

/* Takes with the keys of yesterday, today and tomorrow in the status. */
static pp_res take(struct pp_wallet *w, uint64_t now_s, uint32_t *ret_number)
{
    const uint32_t today = (uint32_t)(now_s / 86400);
    const struct pp_wallet_key keys[] = { key_of(today - 1), key_of(today), key_of(today + 1) };
    PP_AUTO(pp_secret) token = { 0 };

    PP_TRY(pp_wallet_take(w, keys, PP_ARRAY_COUNT(keys), now_s, &token));
    assert_int_equal(token.len, TOKEN_BYTES);
    *ret_number = number_of(pp_secret_span(&token));
    return PP_OK;
}

/* Tokens of an epoch: held in all, or rested. */
static uint32_t held(struct pp_wallet *w, uint32_t day, uint64_t now_s)
{
    struct pp_wallet_epoch epochs[PP_WALLET_EPOCHS_MAX];
    size_t count = 0;

    assert_ok(pp_wallet_epochs(w, now_s, epochs, &count));
    for (size_t i = 0; i < count; i++)
        if (epochs[i].day == day)
            return epochs[i].held;
    return 0;
}

/* --- spending -------------------------------------------------------------------------------- */

static void a_token_is_handed_out_once_and_gone_from_the_disk(void **state)
{
    (void)state;
    struct pp_wallet *w = open_wallet(0, 1);
    uint8_t seen[BATCH] = { 0 };
    uint32_t n = 0;

    add(w, DAY, 0, BATCH, NOON_S);
    for (uint32_t i = 0; i < BATCH; i++) {
        assert_ok(take(w, NOON_S + 300, &n));
        assert_in_range(n, 0, BATCH - 1);
        assert_int_equal(seen[n]++, 0);
        pp_wallet_close(w); /* nothing hangs on this process */
        w = open_wallet(0, 1);
        assert_int_equal(held(w, DAY, NOON_S + 300), BATCH - 1 - i);
    }
    assert_code(take(w, NOON_S + 300, &n), PP_E_NO_TOKENS);
    pp_wallet_close(w);
    pp_wallet_close(NULL);
}

static void w4_t1_a_token_within_its_minimum_age_is_not_spent(void **state)
{
    (void)state;
    struct pp_wallet *w = open_wallet(0, 1);
    uint32_t n = 0;

    add(w, DAY, 0, 2, NOON_S);
    assert_code(take(w, NOON_S, &n), PP_E_NO_TOKENS);
    assert_code(take(w, NOON_S + 299, &n), PP_E_NO_TOKENS);
    assert_code(take(w, NOON_S - 1000, &n), PP_E_NO_TOKENS); /* a clock that was set back */
    assert_ok(take(w, NOON_S + 300, &n));
    assert_int_equal(held(w, DAY, NOON_S + 300), 1);
    pp_wallet_close(w);
}

static void in_dev_a_token_may_be_spent_at_once(void **state)
{
    (void)state;
    struct pp_wallet *w = open_wallet(1, 1);
    uint32_t n = 0;

    add(w, DAY, 0, 1, NOON_S);
    assert_ok(take(w, NOON_S, &n));
    pp_wallet_close(w);
}

/* W4: the order of spending tells nothing about the order of issue. */
static void tokens_are_drawn_at_random(void **state)
{
    (void)state;
    uint64_t sum = 0;
    unsigned ascending = 0;
    uint32_t n = 0, before = 0;

    seeded_counter = 0;
    for (unsigned round = 0; round < 6; round++) {
        struct pp_wallet *w = open_with(&SEEDED, 1, 1);
        add(w, DAY, 0, BATCH, NOON_S);
        for (uint32_t i = 0; i < BATCH; i++) {
            assert_ok(take(w, NOON_S, &n));
            if (i < BATCH / 2)
                sum += n;
            ascending += i > 0 && n == before + 1;
            before = n;
        }
        pp_wallet_close(w);
    }
    /* the first half of a batch in order would have a mean of 7.5, in reverse 23.5 */
    assert_in_range(sum, 6 * 16 * 12, 6 * 16 * 19);
    assert_in_range(ascending, 0, 40);
}

/* Chi-square of 32 places: 31 on average, with a deviation of 7.9; four of them are 62.5. */
static void each_of_32_tokens_is_drawn_as_often_as_another(void **state)
{
    (void)state;
    enum { DRAWS = 960 };
    unsigned times[BATCH] = { 0 };
    uint32_t n = 0, square = 0;

    seeded_counter = 0;
    struct pp_wallet *w = open_with(&SEEDED, 1, 1);
    add(w, DAY, 0, BATCH, NOON_S);
    for (unsigned i = 0; i < DRAWS; i++) {
        assert_ok(take(w, NOON_S, &n));
        times[n]++;
        add(w, DAY, n, 1, NOON_S); /* back, so that there are 32 again */
    }
    pp_wallet_close(w);
    for (size_t i = 0; i < BATCH; i++)
        square += (times[i] - DRAWS / BATCH) * (times[i] - DRAWS / BATCH);
    assert_in_range(square / (DRAWS / BATCH), 6, 62);
}

static void only_tokens_of_keys_in_the_status_are_spent(void **state)
{
    (void)state;
    struct pp_wallet *w = open_wallet(1, 1);
    struct pp_wallet_key other = key_of(DAY);
    struct pp_secret token = { 0 };

    add(w, DAY, 0, 3, NOON_S);
    other.key_id[31] ^= 1;
    assert_code(pp_wallet_take(w, &other, 1, NOON_S, &token), PP_E_NO_TOKENS);
    other = key_of(DAY);
    other.day = DAY + 1; /* the right key, listed for another epoch */
    assert_code(pp_wallet_take(w, &other, 1, NOON_S, &token), PP_E_NO_TOKENS);
    assert_code(pp_wallet_take(w, NULL, 0, NOON_S, &token), PP_E_NO_TOKENS);
    assert_null(token.bytes);
    assert_int_equal(held(w, DAY, NOON_S), 3);
    pp_wallet_close(w);
}

static void near_a_boundary_a_coin_chooses_between_two_held_epochs(void **state)
{
    (void)state;
    const uint64_t now = MIDNIGHT_S + 60;
    struct pp_wallet *w = open_wallet(1, 2);
    unsigned yesterdays = 0;
    uint32_t n = 0;

    for (uint32_t i = 0; i < 2; i++) {
        add(w, DAY - 1, i * BATCH, BATCH, MIDNIGHT_S - 7200);
        add(w, DAY, 1000 + i * BATCH, BATCH, MIDNIGHT_S - 7200);
    }
    for (unsigned i = 0; i < 50; i++) {
        assert_ok(take(w, now, &n));
        yesterdays += n < 1000;
    }
    assert_in_range(yesterdays, 8, 42);
    /* away from the boundary only the clock's epoch */
    while (pp_is_ok(take(w, MIDNIGHT_S + 601, &n)))
        assert_true(n >= 1000);
    pp_wallet_close(w);
}

static void dead_epochs_are_purged(void **state)
{
    (void)state;
    struct pp_wallet *w = open_wallet(1, 1);
    uint32_t n = 0;

    add(w, DAY - 1, 0, 5, MIDNIGHT_S - 7200);
    add(w, DAY, 100, 5, MIDNIGHT_S - 7200);
    assert_int_equal(held(w, DAY - 1, MIDNIGHT_S + 599), 5);
    assert_ok(take(w, MIDNIGHT_S + 600, &n));
    assert_int_equal(held(w, DAY - 1, 0), 0); /* gone for good, whatever a clock says later */
    assert_int_equal(held(w, DAY, MIDNIGHT_S + 600), 4);
    assert_ok(pp_wallet_purge(w, MIDNIGHT_S + 3 * 86400));
    assert_int_equal(held(w, DAY, 0), 0);
    pp_wallet_close(w);
}

/* --- adding ---------------------------------------------------------------------------------- */

static void what_is_not_whole_tokens_is_not_added(void **state)
{
    (void)state;
    struct pp_wallet *w = open_wallet(1, 1);
    uint8_t tokens[3 * TOKEN_BYTES];

    make_tokens(DAY, 0, 3, tokens);
    assert_code(pp_wallet_add(w, DAY, pp_span(tokens, 0), NOON_S), PP_E_RANGE);
    assert_code(pp_wallet_add(w, DAY, pp_span(tokens, 1), NOON_S), PP_E_UNSUPPORTED);
    assert_code(pp_wallet_add(w, DAY, pp_span(tokens, 161), NOON_S), PP_E_RANGE);
    assert_code(pp_wallet_add(w, DAY, pp_span(tokens, sizeof tokens - 1), NOON_S), PP_E_RANGE);
    tokens[2 * TOKEN_BYTES + 1] = 1; /* the last token is of another type: none is added */
    assert_code(pp_wallet_add(w, DAY, PP_BYTES(tokens), NOON_S), PP_E_UNSUPPORTED);
    assert_int_equal(held(w, DAY, NOON_S), 0);
    pp_wallet_close(w);
}

static void a_full_wallet_takes_no_more(void **state)
{
    (void)state;
    struct pp_wallet *w = open_wallet(1, 8);
    uint8_t one[TOKEN_BYTES];

    for (uint32_t i = 0; i < PP_WALLET_TOKENS_MAX / BATCH; i++)
        add(w, DAY + i % PP_WALLET_EPOCHS_MAX, i * BATCH, BATCH, NOON_S);
    make_tokens(DAY, 0, 1, one);
    assert_code(pp_wallet_add(w, DAY, PP_BYTES(one), NOON_S), PP_E_LIMIT);
    assert_int_equal(held(w, DAY + 3, NOON_S), 8 * BATCH);
    pp_wallet_close(w);
}

static void w5_t1_the_file_holds_no_byte_of_a_token(void **state)
{
    (void)state;
    static const char *const names[] = { "wallet.db", "wallet.db-wal" };
    struct pp_wallet *w = open_wallet(0, 1);
    uint8_t token[TOKEN_BYTES];
    struct stat st;

    make_tokens(DAY, 0x0badcafe, 1, token);
    memset(token + 34, 0xa7, 32);
    assert_ok(pp_wallet_add(w, DAY, PP_BYTES(token), NOON_S));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    for (size_t i = 0; i < PP_ARRAY_COUNT(names); i++) {
        char file[128];
        static uint8_t content[1 << 20];
        snprintf(file, sizeof file, "%s/%s", folder, names[i]);
        FILE *f = fopen(file, "rb");
        assert_non_null(f);
        size_t len = fread(content, 1, sizeof content, f);
        fclose(f);
        assert_true(len > 0);
        assert_null(memmem(content, len, token + 34, 8));
    }
    pp_wallet_close(w);
}

/* AES-GCM under one key: a nonce that comes twice gives both tokens away. */
static void every_row_is_sealed_under_a_nonce_of_its_own(void **state)
{
    (void)state;
    struct pp_wallet *w = open_wallet(0, 1);
    sqlite3_stmt *stmt = NULL;
    sqlite3 *db = NULL;

    add(w, DAY, 0, BATCH, NOON_S);
    pp_wallet_close(w);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db,
                                        "SELECT count(DISTINCT substr(sealed, 1, 12)),"
                                        " count(DISTINCT substr(sealed, -16)) FROM token",
                                        -1, &stmt, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    assert_int_equal(sqlite3_column_int(stmt, 0), BATCH);
    assert_int_equal(sqlite3_column_int(stmt, 1), BATCH);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
}

static void a_changed_row_or_another_platform_key_is_refused(void **state)
{
    (void)state;
    struct pp_wallet *w = open_wallet(1, 1);
    struct pp_wallet_policy policy;
    struct pp_random random = pp_random_system();
    const struct pp_platform_key none = { .load = no_key };
    sqlite3 *db = NULL;
    uint32_t n = 0;

    add(w, DAY, 0, 2, NOON_S);
    pp_wallet_close(w);
    platform_byte = 8;
    w = open_wallet(1, 1);
    assert_code(take(w, NOON_S, &n), PP_E_STORE);
    pp_wallet_close(w);
    platform_byte = 7;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db,
                                  "UPDATE token SET sealed = zeroblob(length(sealed))"
                                  " WHERE id = 1",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(db);
    w = open_wallet(1, 1);
    assert_code(take(w, NOON_S, &n), PP_E_STORE);
    pp_wallet_close(w);
    w = NULL;
    assert_ok(pp_wallet_policy_init(&policy, 1, 1));
    assert_code(pp_wallet_open(path, &none, &policy, &random, NULL, &w), PP_E_KEY);
    assert_null(w);
}

static void exec(sqlite3 *db, const char *sql)
{
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
}

/* Nonce, sealed bytes and tag: wherever a row is changed, nothing in the wallet is trusted. */
static void every_flipped_byte_of_a_row_is_refused(void **state)
{
    (void)state;
    struct pp_wallet *w = open_wallet(1, 1);
    sqlite3 *db = NULL;
    sqlite3_blob *blob = NULL;
    uint32_t n = 0;

    add(w, DAY, 0, 1, NOON_S);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    for (int at = 0, len = 1; at < len; at++) {
        uint8_t byte;
        for (int twice = 0; twice < 2; twice++) {
            assert_int_equal(sqlite3_blob_open(db, "main", "token", "sealed", 1, 1, &blob),
                             SQLITE_OK);
            len = sqlite3_blob_bytes(blob);
            assert_int_equal(sqlite3_blob_read(blob, &byte, 1, at), SQLITE_OK);
            byte ^= 0x40;
            assert_int_equal(sqlite3_blob_write(blob, &byte, 1, at), SQLITE_OK);
            assert_int_equal(sqlite3_blob_close(blob), SQLITE_OK);
            if (!twice)
                assert_code(take(w, NOON_S, &n), PP_E_STORE);
        }
        if (at == 0)
            assert_int_equal(len, 12 + 14 + TOKEN_BYTES + 16);
    }
    assert_int_equal(held(w, DAY, NOON_S), 1);
    exec(db, "UPDATE token SET sealed = substr(sealed, 1, length(sealed) - 1)");
    assert_code(take(w, NOON_S, &n), PP_E_STORE);
    exec(db, "UPDATE token SET sealed = zeroblob(4)");
    assert_code(take(w, NOON_S, &n), PP_E_STORE);
    exec(db, "UPDATE token SET sealed = zeroblob(100000)");
    assert_code(take(w, NOON_S, &n), PP_E_STORE);
    sqlite3_close(db);
    pp_wallet_close(w);
}

/* Rows that somebody copied inside the file open as well: their number is not believed. */
static void more_tokens_or_epochs_than_a_wallet_holds_are_refused(void **state)
{
    (void)state;
    struct pp_wallet *w = open_wallet(1, 8);
    struct pp_wallet_epoch epochs[PP_WALLET_EPOCHS_MAX];
    sqlite3 *db = NULL;
    size_t count = 77;
    uint32_t n = 0;

    for (uint32_t i = 0; i < PP_WALLET_EPOCHS_MAX; i++)
        add(w, DAY + i, i, 1, NOON_S);
    assert_ok(pp_wallet_epochs(w, NOON_S, epochs, &count));
    assert_int_equal(count, PP_WALLET_EPOCHS_MAX);
    add(w, DAY + PP_WALLET_EPOCHS_MAX, 99, 1, NOON_S);
    assert_code(pp_wallet_epochs(w, NOON_S, epochs, &count), PP_E_STORE);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    exec(db, "DELETE FROM token");
    add(w, DAY, 7, 1, NOON_S);
    for (size_t rows = 1; rows <= PP_WALLET_TOKENS_MAX; rows *= 2)
        exec(db, "INSERT INTO token (sealed) SELECT sealed FROM token");
    assert_code(take(w, NOON_S, &n), PP_E_STORE);
    sqlite3_close(db);
    pp_wallet_close(w);
}

/* --- fetching -------------------------------------------------------------------------------- */

static struct pp_wallet_window window(uint32_t day)
{
    const uint64_t midnight = (uint64_t)day * 86400;

    return (struct pp_wallet_window){ day, midnight - 86400, midnight + 82800 };
}

static void moments_are_drawn_once_and_survive_a_restart(void **state)
{
    (void)state;
    const struct pp_wallet_window windows[] = { window(DAY), window(DAY + 1) };
    struct pp_wallet *w = open_wallet(0, 2);
    struct pp_wallet_fetch first, again;
    unsigned count = 0;

    assert_code(pp_wallet_next_fetch(w, NOON_S, &first), PP_E_NOT_FOUND);
    assert_ok(pp_wallet_plan(w, windows, 2, NOON_S));
    assert_ok(pp_wallet_next_fetch(w, NOON_S, &first));
    for (unsigned i = 0; i < 5; i++) {
        pp_wallet_close(w);
        w = open_wallet(0, 2);
        assert_ok(pp_wallet_plan(w, windows, 2, NOON_S + i));
        assert_ok(pp_wallet_next_fetch(w, NOON_S, &again));
        assert_true(again.at_s == first.at_s && again.day == first.day &&
                    again.batch == first.batch);
    }
    uint64_t before = 0;
    while (pp_is_ok(pp_wallet_next_fetch(w, NOON_S, &again))) {
        assert_true(again.at_s >= before);
        before = again.at_s;
        assert_ok(pp_wallet_fetch_begin(w, &again));
        count++;
    }
    assert_int_equal(count, 4); /* two epochs, two batches */
    pp_wallet_close(w);
}

static void a_new_wallet_plans_within_30_minutes_and_an_old_one_does_not(void **state)
{
    (void)state;
    const struct pp_wallet_window today = window(DAY), tomorrow = window(DAY + 1);
    struct pp_wallet *w = open_wallet(0, 8);
    struct pp_wallet_fetch f;
    unsigned late = 0;

    assert_ok(pp_wallet_plan(w, &today, 1, NOON_S));
    while (pp_is_ok(pp_wallet_next_fetch(w, NOON_S, &f))) {
        assert_true(f.at_s >= NOON_S && f.at_s < NOON_S + 1800);
        assert_ok(pp_wallet_fetch_begin(w, &f));
    }
    assert_ok(pp_wallet_plan(w, &tomorrow, 1, NOON_S));
    while (pp_is_ok(pp_wallet_next_fetch(w, NOON_S, &f))) {
        assert_int_equal(f.day, DAY + 1);
        assert_true(f.at_s >= NOON_S && f.at_s < MIDNIGHT_S + 86400);
        late += f.at_s >= NOON_S + 1800;
        assert_ok(pp_wallet_fetch_begin(w, &f));
    }
    assert_true(late >= 4);
    pp_wallet_close(w);
}

/* pp-wire 10: never caused by use, failure or an empty wallet. */
static void a_fetch_is_made_once_whatever_becomes_of_it(void **state)
{
    (void)state;
    const struct pp_wallet_window today = window(DAY);
    struct pp_wallet *w = open_wallet(1, 1);
    struct pp_wallet *other = open_wallet(1, 1);
    struct pp_wallet_fetch f, again;
    uint32_t n = 0;

    assert_ok(pp_wallet_plan(w, &today, 1, NOON_S));
    assert_ok(pp_wallet_next_fetch(w, NOON_S, &f));
    assert_true(f.at_s == NOON_S);
    assert_ok(pp_wallet_next_fetch(other, NOON_S, &again));
    assert_ok(pp_wallet_fetch_begin(w, &f));
    assert_code(pp_wallet_fetch_begin(w, &f), PP_E_STATE);
    assert_code(pp_wallet_fetch_begin(other, &again), PP_E_STATE);
    /* it failed, the wallet is empty, somebody taps: still nothing is due */
    assert_code(take(w, NOON_S, &n), PP_E_NO_TOKENS);
    assert_ok(pp_wallet_plan(w, &today, 1, NOON_S + 60));
    assert_code(pp_wallet_next_fetch(w, NOON_S + 60, &again), PP_E_NOT_FOUND);
    pp_wallet_close(other);
    pp_wallet_close(w);
}

static void windows_that_are_over_are_not_planned_and_not_fetched(void **state)
{
    (void)state;
    const struct pp_wallet_window today = window(DAY);
    struct pp_wallet *w = open_wallet(0, 1);
    struct pp_wallet_fetch f;

    assert_ok(pp_wallet_plan(w, &today, 1, MIDNIGHT_S + 82800));
    assert_code(pp_wallet_next_fetch(w, NOON_S, &f), PP_E_NOT_FOUND);
    assert_ok(pp_wallet_plan(w, &today, 1, NOON_S));
    assert_ok(pp_wallet_next_fetch(w, MIDNIGHT_S + 82799, &f));
    assert_code(pp_wallet_next_fetch(w, MIDNIGHT_S + 82800, &f), PP_E_NOT_FOUND);
    assert_ok(pp_wallet_purge(w, MIDNIGHT_S + 86400 + 600));
    assert_code(pp_wallet_next_fetch(w, NOON_S, &f), PP_E_NOT_FOUND);
    pp_wallet_close(w);
}

/* --- several processes and kill -9 ------------------------------------------------------------ */

enum { RACERS = 4, RACED = 2 * BATCH, KILLS = 12 };

static void take_all(int out)
{
    struct pp_wallet *w = open_wallet(1, 2);
    uint32_t n = 0;
    pp_res r;

    while (pp_is_ok(r = take(w, NOON_S, &n)))
        if (write(out, &n, sizeof n) != (ssize_t)sizeof n)
            _exit(2);
    pp_wallet_close(w);
    _exit(r.code == PP_E_NO_TOKENS ? 0 : 1);
}

static void processes_that_share_a_wallet_never_get_the_same_token(void **state)
{
    (void)state;
    struct pp_wallet *w = open_wallet(1, 2);
    unsigned times[RACED] = { 0 };
    int out[2];
    uint32_t n = 0;

    add(w, DAY, 0, BATCH, NOON_S);
    add(w, DAY, BATCH, BATCH, NOON_S);
    pp_wallet_close(w);
    assert_int_equal(pipe(out), 0);
    for (size_t i = 0; i < RACERS; i++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            close(out[0]);
            take_all(out[1]);
        }
    }
    close(out[1]);
    while (read(out[0], &n, sizeof n) == (ssize_t)sizeof n) {
        assert_in_range(n, 0, RACED - 1);
        times[n]++;
    }
    close(out[0]);
    for (size_t i = 0; i < RACERS; i++) {
        int status = 0;
        assert_true(wait(&status) > 0);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    for (size_t i = 0; i < RACED; i++)
        assert_int_equal(times[i], 1);
}

/* Kills the child after `count` numbers came from it; gives how many came in all, in `got`. */
static size_t kill_after(pid_t child, int in, size_t count, uint32_t *got, size_t cap)
{
    size_t have = 0;
    int status = 0;
    uint32_t n = 0;

    while (have < count && read(in, &n, sizeof n) == (ssize_t)sizeof n)
        got[have++] = n;
    assert_int_equal(kill(child, SIGKILL), 0);
    while (have < cap && read(in, &n, sizeof n) == (ssize_t)sizeof n)
        got[have++] = n;
    close(in);
    assert_int_equal(waitpid(child, &status, 0), child);
    return have;
}

static void kill_9_never_doubles_a_token_and_loses_only_the_one_in_flight(void **state)
{
    (void)state;
    unsigned times[RACED] = { 0 };
    uint32_t got[RACED];
    uint32_t left = RACED;
    struct pp_wallet *w = open_wallet(1, 2);

    add(w, DAY, 0, BATCH, NOON_S);
    add(w, DAY, BATCH, BATCH, NOON_S);
    pp_wallet_close(w);
    for (size_t i = 0; i < KILLS; i++) {
        int out[2];
        assert_int_equal(pipe(out), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            close(out[0]);
            take_all(out[1]);
        }
        close(out[1]);
        size_t have = kill_after(child, out[0], i % 4, got, RACED);
        for (size_t k = 0; k < have; k++)
            assert_int_equal(times[got[k]]++, 0);
        w = open_wallet(1, 2);
        uint32_t now_left = held(w, DAY, NOON_S);
        pp_wallet_close(w);
        assert_true(now_left + have == left || now_left + have + 1 == left);
        left = now_left;
    }
    /* What is left is what nobody got. */
    w = open_wallet(1, 2);
    uint32_t n = 0;
    while (pp_is_ok(take(w, NOON_S, &n)))
        assert_int_equal(times[n]++, 0);
    pp_wallet_close(w);
}

static void add_until_killed(int out)
{
    struct pp_wallet *w = open_wallet(1, 8);

    for (uint32_t i = 0; i < PP_WALLET_TOKENS_MAX / BATCH; i++) {
        add(w, DAY, i * BATCH, BATCH, NOON_S);
        if (write(out, &i, sizeof i) != (ssize_t)sizeof i)
            _exit(2);
    }
    _exit(0);
}

static void kill_9_while_a_batch_is_stored_leaves_all_of_it_or_nothing(void **state)
{
    (void)state;
    uint32_t got[PP_WALLET_TOKENS_MAX / BATCH];

    for (size_t i = 0; i < KILLS; i++) {
        int out[2];
        assert_int_equal(pipe(out), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            close(out[0]);
            add_until_killed(out[1]);
        }
        close(out[1]);
        size_t have = kill_after(child, out[0], 1 + i % 3, got, PP_ARRAY_COUNT(got));
        struct pp_wallet *w = open_wallet(1, 8);
        uint32_t stored = held(w, DAY, NOON_S);
        pp_wallet_close(w);
        assert_int_equal(stored % BATCH, 0);
        assert_true(stored >= have * BATCH && stored <= (have + 1) * BATCH);
        assert_int_equal(unlink(path), 0);
        char side[128];
        snprintf(side, sizeof side, "%s-wal", path);
        (void)unlink(side);
        snprintf(side, sizeof side, "%s-shm", path);
        (void)unlink(side);
    }
}

/* --- an end at every call that reaches the disk ----------------------------------------------- */

/*
 * SQLite's calls to the disk come here, since the program's functions go before the C library's.
 * The process ends instead of making the call that `stop_at` counts to. What a file held when it
 * was last synced is kept beside it: a power cut leaves that and no more.
 */
enum { CRASHED = 77, CALLS_MAX = 400, COPY_BYTES = 1 << 16 };

static unsigned long stop_at, calls; /* 0: nothing is counted */

#define DISK_CALL __attribute__((visibility("default")))

static void reach_disk(void)
{
    if (stop_at != 0 && ++calls == stop_at)
        _exit(CRASHED);
}

static void copy_file(const char *from, const char *to)
{
    static char buf[COPY_BYTES];
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = in < 0 ? -1 : open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (out < 0) { /* what is not there is not there in the copy */
        (void)syscall(SYS_unlinkat, AT_FDCWD, to, 0);
    } else {
        ssize_t n;
        while ((n = read(in, buf, sizeof buf)) > 0)
            if (write(out, buf, (size_t)n) != n)
                _exit(2);
        (void)close(out);
    }
    if (in >= 0)
        (void)close(in);
}

/* Nothing is really synced: it would take time, and the power is not really cut. */
static int synced(int fd)
{
    char link[32], name[256], kept[272];
    struct stat st;

    if (stop_at == 0 || (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)))
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, name, sizeof name - 1);
    if (n <= 0)
        _exit(2);
    name[n] = '\0';
    snprintf(kept, sizeof kept, "%s.kept", name);
    copy_file(link, kept);
    return 0;
}

DISK_CALL ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at)
{
    reach_disk();
    return syscall(SYS_pwrite64, fd, bytes, len, at);
}

DISK_CALL int fdatasync(int fd)
{
    reach_disk();
    return synced(fd);
}

DISK_CALL int fsync(int fd)
{
    reach_disk();
    return synced(fd);
}

DISK_CALL int ftruncate(int fd, off_t len)
{
    reach_disk();
    return (int)syscall(SYS_ftruncate, fd, len);
}

DISK_CALL int unlink(const char *name)
{
    reach_disk();
    return (int)syscall(SYS_unlinkat, AT_FDCWD, name, 0);
}

static const char *const SUFFIXES[] = { "", "-wal", "-shm" };

/* Copies the wallet's files from one set of names to another: "" or ".kept" or ".before". */
static void copy_wallet(const char *from, const char *to)
{
    for (size_t i = 0; i < PP_ARRAY_COUNT(SUFFIXES); i++) {
        char a[128], b[128];
        snprintf(a, sizeof a, "%s%s%s", path, SUFFIXES[i], from);
        snprintf(b, sizeof b, "%s%s%s", path, SUFFIXES[i], to);
        copy_file(a, b);
    }
}

/* What a child did: `done` is written when the wallet said that it is so. */
static int run_child(void (*act)(int out), unsigned long stop, uint32_t *ret_done, int *ret_told)
{
    int out[2], status = 0;

    assert_int_equal(pipe(out), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(out[0]);
        calls = 0;
        stop_at = stop;
        act(out[1]);
        _exit(0);
    }
    close(out[1]);
    *ret_told = read(out[0], ret_done, sizeof *ret_done) == (ssize_t)sizeof *ret_done;
    close(out[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/*
 * Lets `act` end at its first call, its second, and so on until it does not end before its time;
 * each time on the same wallet, once as a kill and once as a power cut. `check` looks at what is
 * there then.
 */
static void end_everywhere(void (*act)(int out), void (*check)(int told, uint32_t done))
{
    copy_wallet("", ".before");
    for (int power = 0; power < 2; power++) {
        unsigned long stop = 0;
        int status = CRASHED;
        while (status == CRASHED) {
            uint32_t done = 0;
            int told = 0;
            assert_true(++stop < CALLS_MAX);
            copy_wallet(".before", "");
            copy_wallet(".before", ".kept");
            status = run_child(act, stop, &done, &told);
            if (power)
                copy_wallet(".kept", "");
            check(told, done);
        }
        assert_int_equal(status, 0);
        assert_true(stop > 3); /* it did reach the disk */
    }
}

static void take_one(int out)
{
    struct pp_wallet *w = open_wallet(1, 1);
    uint32_t n = 0;

    if (!pp_is_ok(take(w, NOON_S, &n)) || write(out, &n, sizeof n) != (ssize_t)sizeof n)
        _exit(2);
    pp_wallet_close(w);
}

/* At most one token is gone, and one that was handed out is. */
static void check_taken(int told, uint32_t done)
{
    struct pp_wallet *w = open_wallet(1, 1);
    uint32_t left = held(w, DAY, NOON_S), n = 0;

    assert_in_range(left, 3, told ? 3 : 4);
    while (pp_is_ok(take(w, NOON_S, &n)))
        assert_false(told && n == done);
    pp_wallet_close(w);
}

static void an_end_at_any_disk_call_never_doubles_a_token_that_was_handed_out(void **state)
{
    (void)state;
    struct pp_wallet *w = open_wallet(1, 1);

    add(w, DAY, 0, 4, NOON_S);
    pp_wallet_close(w);
    end_everywhere(take_one, check_taken);
}

static void add_one_batch(int out)
{
    struct pp_wallet *w = open_wallet(1, 1);
    const uint32_t done = 1;

    add(w, DAY, 0, BATCH, NOON_S);
    if (write(out, &done, sizeof done) != (ssize_t)sizeof done)
        _exit(2);
    pp_wallet_close(w);
}

static void check_added(int told, uint32_t done)
{
    struct pp_wallet *w = open_wallet(1, 1);
    uint32_t stored = held(w, DAY, NOON_S);

    (void)done;
    assert_true(stored == BATCH || (stored == 0 && !told));
    pp_wallet_close(w);
}

static void an_end_at_any_disk_call_leaves_all_of_a_batch_or_nothing(void **state)
{
    (void)state;
    pp_wallet_close(open_wallet(1, 1));
    end_everywhere(add_one_batch, check_added);
}

static const struct pp_wallet_fetch FETCH = { .day = DAY, .batch = 0 };

static void begin_fetch(int out)
{
    struct pp_wallet *w = open_wallet(1, 1);
    const uint32_t done = 1;

    if (!pp_is_ok(pp_wallet_fetch_begin(w, &FETCH)) ||
        write(out, &done, sizeof done) != (ssize_t)sizeof done)
        _exit(2);
    pp_wallet_close(w);
}

/* A fetch whose request may have left is not made again. */
static void check_begun(int told, uint32_t done)
{
    struct pp_wallet *w = open_wallet(1, 1);
    pp_res r = pp_wallet_fetch_begin(w, &FETCH);

    (void)done;
    assert_true(r.code == PP_E_STATE || (pp_is_ok(r) && !told));
    pp_wallet_close(w);
}

static void an_end_at_any_disk_call_never_makes_a_fetch_twice(void **state)
{
    (void)state;
    struct pp_wallet *w = open_wallet(1, 1);
    const struct pp_wallet_window window = { .day = DAY,
                                             .issue_from_s = MIDNIGHT_S,
                                             .issue_until_s = MIDNIGHT_S + 86400 };

    assert_ok(pp_wallet_plan(w, &window, 1, NOON_S));
    pp_wallet_close(w);
    end_everywhere(begin_fetch, check_begun);
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, fresh_folder, remove_folder)

static const struct CMUnitTest TESTS[] = {
    IN_A_FOLDER(a_token_is_handed_out_once_and_gone_from_the_disk),
    IN_A_FOLDER(w4_t1_a_token_within_its_minimum_age_is_not_spent),
    IN_A_FOLDER(in_dev_a_token_may_be_spent_at_once),
    IN_A_FOLDER(tokens_are_drawn_at_random),
    IN_A_FOLDER(each_of_32_tokens_is_drawn_as_often_as_another),
    IN_A_FOLDER(only_tokens_of_keys_in_the_status_are_spent),
    IN_A_FOLDER(near_a_boundary_a_coin_chooses_between_two_held_epochs),
    IN_A_FOLDER(dead_epochs_are_purged),
    IN_A_FOLDER(what_is_not_whole_tokens_is_not_added),
    IN_A_FOLDER(a_full_wallet_takes_no_more),
    IN_A_FOLDER(w5_t1_the_file_holds_no_byte_of_a_token),
    IN_A_FOLDER(every_row_is_sealed_under_a_nonce_of_its_own),
    IN_A_FOLDER(a_changed_row_or_another_platform_key_is_refused),
    IN_A_FOLDER(every_flipped_byte_of_a_row_is_refused),
    IN_A_FOLDER(more_tokens_or_epochs_than_a_wallet_holds_are_refused),
    IN_A_FOLDER(moments_are_drawn_once_and_survive_a_restart),
    IN_A_FOLDER(a_new_wallet_plans_within_30_minutes_and_an_old_one_does_not),
    IN_A_FOLDER(a_fetch_is_made_once_whatever_becomes_of_it),
    IN_A_FOLDER(windows_that_are_over_are_not_planned_and_not_fetched),
    IN_A_FOLDER(processes_that_share_a_wallet_never_get_the_same_token),
    IN_A_FOLDER(kill_9_never_doubles_a_token_and_loses_only_the_one_in_flight),
    IN_A_FOLDER(kill_9_while_a_batch_is_stored_leaves_all_of_it_or_nothing),
    IN_A_FOLDER(an_end_at_any_disk_call_never_doubles_a_token_that_was_handed_out),
    IN_A_FOLDER(an_end_at_any_disk_call_leaves_all_of_a_batch_or_nothing),
    IN_A_FOLDER(an_end_at_any_disk_call_never_makes_a_fetch_twice),
};

int main(void)
{
    if (!pp_is_ok(pp_crypto_init()))
        return 1;
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
