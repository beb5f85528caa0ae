/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 9578 5.2, batched tokens 5.2: what the issuer answers, and what it counts. */
#include "harness.h"

#include "folder.h"

#include <unistd.h>

#include "counts_int.h"
#include "crypto.h"
#include "issue.h"

enum { DAY = 20500, NOON_S = DAY * 86400 + 43200, BATCHES = 2 };

/* --- a service with keys of two epochs ------------------------------------------------------- */

struct fixture {
    char folder[64], path[96];
    struct iss_counts *counts;
    struct pp_token_keys keys;
    struct iss_service service;
    struct pp_cred_issuance x; /* of the last request */
    uint8_t request[PP_CRED_REQUEST_BYTES_MAX];
    size_t request_len;
    pp_res identity; /* what the account system says */
};

static struct fixture f;

static pp_res identify(void *ctx, struct pp_span authorization, uint64_t now_s,
                       struct iss_account *ret)
{
    const struct fixture *fixture = ctx;

    (void)now_s;
    PP_CHECK(authorization.len > 0, PP_E_AUTH, 0);
    *ret = (struct iss_account){ { authorization.at[0] } };
    return fixture->identity;
}

static void add_key(uint32_t day, uint8_t seed_byte)
{
    struct pp_token_key *k = &f.keys.list[f.keys.count++];
    uint8_t seed[PP_CRED_SEED_BYTES];

    memset(seed, seed_byte, sizeof seed);
    k->day = day;
    k->issue_from_s = ((uint64_t)day - 1) * 86400;
    k->issue_until_s = (uint64_t)day * 86400 + 82800;
    assert_ok(pp_cred_key_derive(5, PP_BYTES(seed), &k->key));
}

static int setup(void **state)
{
    (void)state;
    f = (struct fixture){ .identity = PP_OK };
    if (pp_test_folder_make(f.folder) != 0)
        return -1;
    snprintf(f.path, sizeof f.path, "%s/counts.db", f.folder);
    assert_ok(iss_counts_open(f.path, NULL, &f.counts));
    add_key(DAY, 1);
    add_key(DAY + 1, 2);
    f.service = (struct iss_service){
        .accounts = { .identify = identify, .ctx = &f },
        .counts = f.counts,
        .keys = &f.keys,
        .batches_max = BATCHES,
        .random = pp_random_system(),
    };
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    iss_counts_close(f.counts);
    pp_token_keys_done(&f.keys);
    pp_cred_issuance_done(&f.x);
    return pp_test_folder_remove(f.folder);
}

static void make_request(enum pp_cred_form form, size_t count, size_t key)
{
    const uint8_t digest[PP_TOKEN_DIGEST_BYTES] = { 1 };
    struct pp_wr wr = pp_wr_over(f.request, sizeof f.request);

    pp_cred_issuance_done(&f.x);
    assert_ok(pp_cred_issuance_begin(&f.x, form, &f.keys.list[key].key.pub, digest, count,
                                     &f.service.random));
    pp_cred_issuance_write(&f.x, &wr);
    assert_ok(pp_wr_ok(&wr));
    f.request_len = wr.len;
}

static struct iss_answer ask(enum pp_cred_form form, const char *account, uint64_t now_s)
{
    const struct iss_question q = {
        .now_s = now_s,
        .form = form,
        .authorization = pp_span_cstr(account),
        .body = pp_span(f.request, f.request_len),
    };
    struct iss_answer a;

    iss_answer(&f.service, &q, &a);
    if (a.status != 200) {
        assert_int_equal(a.body_len, 0);
        assert_null(a.type);
        assert_false(pp_is_ok(a.why));
    }
    return a;
}

static uint32_t status(enum pp_cred_form form, const char *account, uint64_t now_s)
{
    return ask(form, account, now_s).status;
}

/* --- the tests ------------------------------------------------------------------------------- */

static void a_batch_and_a_single_token_are_issued(void **state)
{
    (void)state;
    struct pp_secret tokens = { 0 };

    make_request(PP_CRED_BATCH, PP_CRED_BATCH_MAX, 0);
    struct iss_answer a = ask(PP_CRED_BATCH, "alice", NOON_S);
    assert_int_equal(a.status, 200);
    assert_string_equal(a.type, "application/private-token-amortized-batch-response");
    assert_int_equal(a.body_len, 1090);
    assert_ok(pp_cred_issuance_finish(&f.x, pp_span(a.body, a.body_len), &tokens));
    assert_int_equal(tokens.len, 32 * 162);
    pp_secret_done(&tokens);

    make_request(PP_CRED_SINGLE, 1, 1);
    a = ask(PP_CRED_SINGLE, "alice", NOON_S);
    assert_int_equal(a.status, 200);
    assert_string_equal(a.type, "application/private-token-response");
    assert_ok(pp_cred_issuance_finish(&f.x, pp_span(a.body, a.body_len), &tokens));
    pp_secret_done(&tokens);
}

static void another_media_type_is_415_before_anything_else(void **state)
{
    (void)state;
    make_request(PP_CRED_BATCH, 2, 0);
    assert_int_equal(status((enum pp_cred_form)0, "", NOON_S), 415);
}

static void without_an_account_it_is_401_and_for_a_closed_one_403(void **state)
{
    (void)state;
    f.request_len = 3; /* and nobody looks at the body */
    assert_int_equal(status(PP_CRED_BATCH, "", NOON_S), 401);
    f.identity = PP_FAIL(PP_E_AUTH, 0);
    assert_int_equal(status(PP_CRED_BATCH, "alice", NOON_S), 401);
    f.identity = PP_FAIL(PP_E_UNVERIFIED, 0);
    assert_int_equal(status(PP_CRED_BATCH, "alice", NOON_S), 403);
    f.identity = PP_FAIL(PP_E_NETWORK, 0); /* the account system is down */
    assert_int_equal(status(PP_CRED_BATCH, "alice", NOON_S), 500);
}

static void malformed_requests_are_422_and_not_counted(void **state)
{
    (void)state;
    for (int round = 0; round < BATCHES + 1; round++) {
        make_request(PP_CRED_BATCH, 2, 0);
        f.request_len--;
        struct iss_answer a = ask(PP_CRED_BATCH, "alice", NOON_S);
        assert_int_equal(a.status, 422);
        assert_code(a.why, PP_E_TRUNCATED); /* no key is looked for */
        make_request(PP_CRED_BATCH, 2, 0);
        assert_int_equal(status(PP_CRED_SINGLE, "alice", NOON_S), 422); /* the other form */
        f.request[1] = 1;                                               /* another token type */
        assert_int_equal(status(PP_CRED_BATCH, "alice", NOON_S), 422);
        make_request(PP_CRED_BATCH, 2, 0);
        memset(f.request + 5 + 32, 0, 32); /* the identity */
        assert_int_equal(status(PP_CRED_BATCH, "alice", NOON_S), 422);
    }
    make_request(PP_CRED_BATCH, 2, 0);
    assert_int_equal(status(PP_CRED_BATCH, "alice", NOON_S), 200);
}

static void an_unknown_key_is_422(void **state)
{
    (void)state;
    make_request(PP_CRED_BATCH, 2, 0);
    while (f.request[2] == f.keys.list[0].key.pub.key_id[31] ||
           f.request[2] == f.keys.list[1].key.pub.key_id[31])
        f.request[2]++;
    assert_int_equal(status(PP_CRED_BATCH, "alice", NOON_S), 422);
}

static void a_key_outside_its_issue_window_is_422(void **state)
{
    (void)state;
    const uint64_t from = (uint64_t)(DAY - 1) * 86400, until = (uint64_t)DAY * 86400 + 82800;

    make_request(PP_CRED_BATCH, 2, 0);
    assert_int_equal(status(PP_CRED_BATCH, "alice", from - 1), 422);
    assert_int_equal(status(PP_CRED_BATCH, "alice", until), 422);
    assert_int_equal(status(PP_CRED_BATCH, "alice", from), 200);
    assert_int_equal(status(PP_CRED_BATCH, "bob", until - 1), 200);
}

static void an_account_has_its_batches_of_each_epoch_and_then_429(void **state)
{
    (void)state;
    for (int i = 0; i < BATCHES; i++) {
        make_request(PP_CRED_BATCH, 2, 0);
        assert_int_equal(status(PP_CRED_BATCH, "alice", NOON_S), 200);
    }
    assert_int_equal(status(PP_CRED_BATCH, "alice", NOON_S), 429);
    /* and an account without batches left costs no multiplication */
    f.service.random = (struct pp_random){ .fill = NULL };
    assert_int_equal(status(PP_CRED_BATCH, "alice", NOON_S), 429);
    f.service.random = pp_random_system();
    make_request(PP_CRED_SINGLE, 1, 0); /* one token counts as a batch, else it would be a way in */
    assert_int_equal(status(PP_CRED_SINGLE, "alice", NOON_S), 429);
    make_request(PP_CRED_BATCH, 2, 1);
    assert_int_equal(status(PP_CRED_BATCH, "alice", NOON_S), 200);
    make_request(PP_CRED_BATCH, 2, 0);
    assert_int_equal(status(PP_CRED_BATCH, "bob", NOON_S), 200);
}

/* Another process damages the store under the daemon. */
static void a_store_that_is_down_gives_503_and_no_tokens(void **state)
{
    (void)state;
    struct pp_problem problem = { 0 };
    struct iss_counts *broken = NULL;
    FILE *file;

    make_request(PP_CRED_BATCH, 2, 0);
    assert_int_equal(status(PP_CRED_BATCH, "alice", NOON_S), 200);
    iss_counts_close(f.counts);
    f.counts = NULL;
    file = fopen(f.path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, 4096, SEEK_SET), 0);
    for (int i = 0; i < 4096; i++)
        assert_int_equal(fputc(0xa5, file), 0xa5);
    assert_int_equal(fclose(file), 0);
    pp_res r = iss_counts_open(f.path, &problem, &broken);
    if (pp_is_ok(r)) {
        f.service.counts = broken;
        assert_int_equal(status(PP_CRED_BATCH, "alice", NOON_S), 503);
        iss_counts_close(broken);
    } else {
        assert_code(r, PP_E_STORE);
    }
}

static pp_res check_finds_room(struct iss_counts *c, uint32_t day,
                               const struct iss_account *account, uint32_t max)
{
    (void)c, (void)day, (void)account, (void)max;
    return PP_OK;
}

static pp_res add_finds_none(struct iss_counts *c, uint32_t day, const struct iss_account *account,
                             uint32_t max)
{
    (void)c, (void)day, (void)account;
    return PP_FAIL(PP_E_LIMIT, max);
}

/* Two issuers on one store, and one batch left. */
static void a_batch_that_another_issuer_counted_meanwhile_is_not_given_out(void **state)
{
    (void)state;
    static const struct iss_counts_kind RACE = { .check = check_finds_room, .add = add_finds_none };
    struct iss_counts race = { &RACE };

    make_request(PP_CRED_BATCH, 2, 0);
    f.service.counts = &race;
    assert_int_equal(status(PP_CRED_BATCH, "alice", NOON_S), 429);
}

static void without_random_bytes_it_is_500_and_not_counted(void **state)
{
    (void)state;
    struct pp_span nothing = { 0 };

    make_request(PP_CRED_BATCH, 2, 0);
    for (int i = 0; i < BATCHES + 1; i++) {
        f.service.random = pp_random_script(&nothing);
        assert_int_equal(status(PP_CRED_BATCH, "alice", NOON_S), 500);
    }
    f.service.random = pp_random_system();
    assert_int_equal(status(PP_CRED_BATCH, "alice", NOON_S), 200);
}

static void the_directory_lists_keys_that_are_still_issued(void **state)
{
    (void)state;
    char json[ISS_DIRECTORY_BYTES_MAX + 1];
    char expected[256];
    struct pp_wr wr = pp_wr_over(json, ISS_DIRECTORY_BYTES_MAX);
    struct pp_wr key = pp_wr_over(expected, sizeof expected);

    assert_ok(iss_directory_write(&f.keys, NOON_S, &wr));
    json[wr.len] = '\0';
    assert_memory_equal(json, "{\"issuer-request-uri\":\"/token-request\",\"token-keys\":[{", 54);
    assert_int_equal(json[wr.len - 1], '}');
    assert_non_null(strstr(json, "\"not-before\":1771113600},{"));
    assert_non_null(strstr(json, "\"not-before\":1771200000}]}"));
    pp_wr_text(&key, "\"token-type\":5,\"token-key\":\"");
    pp_wr_base64url(&key, pp_span(f.keys.list[0].key.pub.pk, 32), 1);
    pp_wr_text(&key, "\"");
    pp_wr_u8(&key, 0);
    assert_non_null(strstr(json, expected));

    wr = pp_wr_over(json, ISS_DIRECTORY_BYTES_MAX);
    assert_ok(iss_directory_write(&f.keys, (uint64_t)DAY * 86400 + 82800, &wr));
    json[wr.len] = '\0';
    assert_null(strstr(json, "1771113600"));
    wr = pp_wr_over(json, ISS_DIRECTORY_BYTES_MAX);
    assert_ok(iss_directory_write(&f.keys, UINT64_MAX, &wr));
    json[wr.len] = '\0';
    assert_string_equal(json, "{\"issuer-request-uri\":\"/token-request\",\"token-keys\":[]}");
}

static void the_largest_directory_fits_its_buffer(void **state)
{
    (void)state;
    char json[ISS_DIRECTORY_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(json, sizeof json);

    while (f.keys.count < PP_TOKEN_KEYS_MAX)
        add_key(DAY + 1, 3);
    for (size_t i = 0; i < f.keys.count; i++) {
        f.keys.list[i].issue_from_s = f.keys.list[i].issue_until_s = UINT64_MAX;
        f.keys.list[i].key.pub.type = UINT16_MAX;
        f.keys.list[i].key.pub.pk_len = PP_CRED_PK_BYTES_MAX;
    }
    assert_ok(iss_directory_write(&f.keys, NOON_S, &wr));
}

#define WITH_A_SERVICE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static const struct CMUnitTest TESTS[] = {
    WITH_A_SERVICE(a_batch_and_a_single_token_are_issued),
    WITH_A_SERVICE(another_media_type_is_415_before_anything_else),
    WITH_A_SERVICE(without_an_account_it_is_401_and_for_a_closed_one_403),
    WITH_A_SERVICE(malformed_requests_are_422_and_not_counted),
    WITH_A_SERVICE(an_unknown_key_is_422),
    WITH_A_SERVICE(a_key_outside_its_issue_window_is_422),
    WITH_A_SERVICE(an_account_has_its_batches_of_each_epoch_and_then_429),
    WITH_A_SERVICE(a_store_that_is_down_gives_503_and_no_tokens),
    WITH_A_SERVICE(a_batch_that_another_issuer_counted_meanwhile_is_not_given_out),
    WITH_A_SERVICE(without_random_bytes_it_is_500_and_not_counted),
    WITH_A_SERVICE(the_directory_lists_keys_that_are_still_issued),
    WITH_A_SERVICE(the_largest_directory_fits_its_buffer),
};

int main(void)
{
    if (!pp_is_ok(pp_crypto_init()))
        return 1;
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
