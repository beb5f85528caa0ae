/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include "folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "accounts.h"
#include "jwt_test.h"

enum { NOW_S = 1771243200 };

static char folder[64];
static char path[96];

static int fresh_folder(void **state)
{
    (void)state;
    if (pp_test_folder_make(folder) != 0)
        return -1;
    snprintf(path, sizeof path, "%s/key", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return pp_test_folder_remove(folder);
}

static void write_key(const char *text, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);

    assert_true(fd >= 0);
    assert_int_equal(fchmod(fd, mode), 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

#define KEY_1 "0101010101010101010101010101010101010101010101010101010101010101"
#define KEY_2 "0202020202020202020202020202020202020202020202020202020202020202"

/* The account that the issuer sees for a name, signed under key bytes of `key_byte`. */
static pp_res identify(struct iss_assertions *a, const char *account, uint8_t key_byte,
                       struct iss_account *ret)
{
    struct iss_accounts accounts = iss_accounts_of_assertions(a);
    struct pp_assertion assertion = { .expiry_s = NOW_S + 60, .account_len = strlen(account) };
    char field[PP_ASSERTION_FIELD_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(field, sizeof field);
    uint8_t key[PP_ASSERTION_KEY_BYTES];

    memset(key, key_byte, sizeof key);
    memcpy(assertion.account, account, assertion.account_len);
    assert_ok(pp_assertion_write(&assertion, PP_STR("issuer.example"), PP_BYTES(key), &wr));
    return accounts.identify(accounts.ctx, pp_wr_done(&wr), NOW_S, ret);
}

static void accounts_are_told_apart_and_recognised_under_both_keys(void **state)
{
    (void)state;
    struct iss_assertions a = { .issuer = PP_STR("issuer.example") };
    struct iss_accounts accounts = iss_accounts_of_assertions(&a);
    struct iss_account alice, again, bob;

    write_key(KEY_1 "\n", 0600);
    assert_ok(iss_assertions_add_key(&a, path, NULL));
    write_key(KEY_2, 0400);
    assert_ok(iss_assertions_add_key(&a, path, NULL));
    assert_code(iss_assertions_add_key(&a, path, NULL), PP_E_LIMIT);
    assert_ok(identify(&a, "alice", 1, &alice));
    assert_ok(identify(&a, "alice", 2, &again));
    assert_ok(identify(&a, "bob", 1, &bob));
    assert_memory_equal(alice.bytes, again.bytes, ISS_ACCOUNT_BYTES);
    assert_memory_not_equal(alice.bytes, bob.bytes, ISS_ACCOUNT_BYTES);
    assert_code(identify(&a, "alice", 3, &again), PP_E_AUTH);
    assert_code(accounts.identify(accounts.ctx, PP_STR(""), NOW_S, &again), PP_E_AUTH);
    iss_assertions_done(&a);
    a.issuer = PP_STR("issuer.example");
    assert_code(identify(&a, "alice", 1, &again), PP_E_AUTH); /* no key: nobody */
}

static void key_files_of_another_form_or_mode_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = { "", "01", KEY_1 "0", KEY_1 "\n\n", KEY_1 "01", "g1" };
    struct iss_assertions a = { .issuer = PP_STR("issuer.example") };

    for (size_t i = 0; i < PP_ARRAY_COUNT(bad); i++) {
        struct pp_problem problem = { 0 };
        write_key(bad[i], 0600);
        assert_code(iss_assertions_add_key(&a, path, &problem), PP_E_CONFIG);
        assert_string_equal(problem.field, path);
        /* A constant: no byte of a key file stands in words that people paste into mails. */
        assert_true(strcmp(problem.got, "another content") == 0 ||
                    strcmp(problem.got, "more bytes than it may have") == 0);
    }
    write_key(KEY_1, 0640);
    assert_code(iss_assertions_add_key(&a, path, NULL), PP_E_CONFIG);
    assert_int_equal(unlink(path), 0);
    assert_code(iss_assertions_add_key(&a, path, NULL), PP_E_NOT_FOUND);
    assert_int_equal(a.key_count, 0);
}

/* --- the tokens of a login service ------------------------------------------------------------ */

static pp_res identify_login(struct iss_logins *l, const char *claims, struct iss_account *ret)
{
    static char field[JWT_FIELD_BYTES];
    struct iss_accounts accounts = iss_accounts_of_logins(l);
    struct pp_wr wr = pp_wr_over(field, sizeof field);
    struct pp_ec_key *key = NULL;

    assert_string_equal(accounts.challenge, "Bearer");
    assert_ok(jwt_test_key(&key));
    assert_ok(jwt_test_field(key, PP_STR(JWT_HEADER), pp_span_cstr(claims), &wr));
    pp_ec_key_free(key);
    return accounts.identify(accounts.ctx, pp_wr_done(&wr), NOW_S, ret);
}

#define CLAIMS_OF(iss, sub)                                                                        \
    "{\"iss\":\"" iss "\",\"aud\":\"issuer.example\",\"sub\":\"" sub "\",\"exp\":1771243800}"

/* H(iss || 00 || sub): neither can the border between the two move, nor the service change. */
static void a_login_is_the_service_and_its_subject(void **state)
{
    (void)state;
    struct iss_logins l = { .rules = JWT_RULES };
    struct iss_account alice, again, bob, elsewhere;
    uint8_t digest[PP_SHA256_BYTES];

    assert_code(identify_login(&l, JWT_CLAIMS, &alice), PP_E_AUTH); /* no key set: nobody */
    write_key(JWT_KEYS, 0644);
    assert_ok(iss_logins_load(&l, path, NULL));
    assert_ok(identify_login(&l, JWT_CLAIMS, &alice));
    assert_ok(identify_login(&l, CLAIMS_OF("https://login.example", "alice"), &again));
    assert_ok(identify_login(&l, CLAIMS_OF("https://login.example", "bob"), &bob));
    l.rules.issuer = PP_STR("https://login.examplea");
    assert_ok(identify_login(&l, CLAIMS_OF("https://login.examplea", "lice"), &elsewhere));
    assert_memory_equal(alice.bytes, again.bytes, ISS_ACCOUNT_BYTES);
    assert_memory_not_equal(alice.bytes, bob.bytes, ISS_ACCOUNT_BYTES);
    assert_memory_not_equal(alice.bytes, elsewhere.bytes, ISS_ACCOUNT_BYTES);
    pp_sha256(PP_STR("https://login.example\0alice"), digest);
    assert_memory_equal(alice.bytes, digest, ISS_ACCOUNT_BYTES);
}

static void a_key_set_that_is_wrong_leaves_the_former_one(void **state)
{
    (void)state;
    struct iss_logins l = { .rules = JWT_RULES };
    struct pp_problem problem = { 0 };
    struct iss_account account;

    assert_code(iss_logins_load(&l, path, &problem), PP_E_NOT_FOUND);
    assert_string_equal(problem.field, path);
    write_key(JWT_KEYS, 0644);
    assert_ok(iss_logins_load(&l, path, NULL));
    write_key("{\"keys\":[" JWT_KEY("k1") "," JWT_KEY("k1") "]}", 0644);
    assert_code(iss_logins_load(&l, path, &problem), PP_E_CONFIG);
    assert_ok(identify_login(&l, JWT_CLAIMS, &account));
    write_key("{\"keys\":[" JWT_KEY("k2") "]}", 0644);
    assert_ok(iss_logins_load(&l, path, NULL));
    assert_code(identify_login(&l, JWT_CLAIMS, &account), PP_E_AUTH); /* k1 was withdrawn */
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, fresh_folder, remove_folder)

static const struct CMUnitTest TESTS[] = {
    IN_A_FOLDER(accounts_are_told_apart_and_recognised_under_both_keys),
    IN_A_FOLDER(key_files_of_another_form_or_mode_are_refused),
    IN_A_FOLDER(a_login_is_the_service_and_its_subject),
    IN_A_FOLDER(a_key_set_that_is_wrong_leaves_the_former_one),
};

PP_TEST_MAIN(TESTS)
