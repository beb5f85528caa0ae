/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto.h"
#include "ledger_keys.h"

static char folder[] = "/tmp/pp-test-keys-XXXXXX";
static struct pp_problem problem;

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL || chdir(folder) != 0 || !pp_is_ok(pp_crypto_init());
}

static int remove_folder(void **state)
{
    (void)state;
    (void)unlink("key");
    (void)unlink("policy");
    return rmdir(folder);
}

static pp_res open_key(const char *path, enum pp_note_type type, struct pp_signer_file *ret)
{
    const struct pp_signer_spec spec = { .type = type, .key = path };

    return pp_signer_open(&spec, &problem, ret);
}

static void a_new_key_is_loaded_by_its_owner_alone(void **state)
{
    (void)state;
    struct pp_random random = pp_random_system();
    struct pp_signer_file f = { 0 };
    char vkey[PP_VKEY_BYTES_MAX + 1];
    struct pp_note_key key;

    assert_ok(pp_signer_file_create(AT_FDCWD, "key", &random, PP_STR("w.example/1"),
                                    PP_NOTE_COSIGNATURE, vkey));
    assert_code(pp_signer_file_create(AT_FDCWD, "key", &random, PP_STR("w.example/1"),
                                      PP_NOTE_COSIGNATURE, vkey),
                PP_E_EXISTS);
    assert_ok(open_key("key", PP_NOTE_COSIGNATURE, &f));
    assert_ok(pp_vkey_parse(pp_span_cstr(vkey), &key));
    assert_int_equal(key.id, f.signer.key.id);
    assert_true(pp_span_eq(f.signer.key.name, PP_STR("w.example/1")));
    pp_signer_file_done(&f);
    assert_code(open_key("key", PP_NOTE_ED25519, &f), PP_E_CONFIG);
    assert_int_equal(chmod("key", 0640), 0);
    assert_code(open_key("key", PP_NOTE_COSIGNATURE, &f), PP_E_CONFIG);
    assert_string_equal(problem.expected, "mode 0600");
    assert_code(open_key("absent", PP_NOTE_COSIGNATURE, &f), PP_E_CONFIG);
    assert_string_equal(problem.got, "no such file");
    assert_ok(pp_file_write(AT_FDCWD, "key", 0600, PP_STR("noise\n")));
    assert_code(open_key("key", PP_NOTE_COSIGNATURE, &f), PP_E_CONFIG);
    assert_code(pp_signer_file_create(AT_FDCWD, "other", &random, PP_STR("two words"),
                                      PP_NOTE_ED25519, vkey),
                PP_E_FORMAT);
}

/* RFC 8410 10.3 */
static const char PKCS8[] = "-----BEGIN PRIVATE KEY-----\n"
                            "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
                            "-----END PRIVATE KEY-----\n";

static void a_pkcs8_key_needs_its_name_beside_it(void **state)
{
    (void)state;
    struct pp_signer_spec spec = { .type = PP_NOTE_COSIGNATURE,
                                   .key = "pkcs8",
                                   .name = PP_STR("w.example") };
    struct pp_signer_file f = { 0 };

    assert_ok(pp_file_write(AT_FDCWD, "pkcs8", 0600, pp_span_cstr(PKCS8)));
    assert_ok(pp_signer_open(&spec, &problem, &f));
    assert_true(pp_span_eq(f.signer.key.name, PP_STR("w.example")));
    assert_ptr_equal(f.signer.key.name.at, f.name);
    assert_int_equal(f.signer.key.type, PP_NOTE_COSIGNATURE);
    assert_int_equal(f.signer.key.pk[0], 0x19); /* the RFC's public key */
    pp_signer_file_done(&f);
    spec.name = PP_STR("");
    assert_code(pp_signer_open(&spec, &problem, &f), PP_E_CONFIG);
    assert_string_equal(problem.field, "name of the key");
    assert_string_equal(problem.got, "none");
    spec.name = PP_STR("two words");
    assert_code(pp_signer_open(&spec, &problem, &f), PP_E_CONFIG);
    spec.name = PP_STR("w.example");
    assert_int_equal(chmod("pkcs8", 0604), 0);
    assert_code(pp_signer_open(&spec, &problem, &f), PP_E_CONFIG);
    assert_string_equal(problem.expected, "mode 0600");
    assert_ok(
        pp_file_write(AT_FDCWD, "pkcs8", 0600, pp_span((const uint8_t *)PKCS8, sizeof PKCS8 - 3)));
    assert_code(pp_signer_open(&spec, &problem, &f), PP_E_CONFIG);
    assert_string_equal(problem.got, "another content");
    assert_int_equal(unlink("pkcs8"), 0);
}

/* A name beside our own line is no second name, and a key file and a program are two keys. */
static void what_contradicts_itself_is_refused(void **state)
{
    (void)state;
    struct pp_random random = pp_random_system();
    char vkey[PP_VKEY_BYTES_MAX + 1];
    struct pp_signer_file f = { 0 };
    struct pp_signer_spec spec = { .type = PP_NOTE_ED25519,
                                   .key = "own",
                                   .name = PP_STR("l.example") };

    assert_ok(pp_signer_file_create(AT_FDCWD, "own", &random, PP_STR("l.example"), PP_NOTE_ED25519,
                                    vkey));
    assert_ok(pp_signer_open(&spec, &problem, &f));
    pp_signer_file_done(&f);
    spec.name = PP_STR("m.example");
    assert_code(pp_signer_open(&spec, &problem, &f), PP_E_CONFIG);
    assert_string_equal(problem.field, "name of the key");
    spec.name = PP_STR("");
    spec.vkey = pp_span_cstr(vkey);
    assert_code(pp_signer_open(&spec, &problem, &f), PP_E_CONFIG);
    assert_string_equal(problem.got, "both");
    assert_int_equal(unlink("own"), 0);
}

static void a_wrong_policy_is_told_by_its_line(void **state)
{
    (void)state;
    static struct pp_policy_file f;

    assert_ok(pp_file_write(AT_FDCWD, "policy", 0600, PP_STR("# nobody\nquorum some\n")));
    assert_code(pp_policy_file_load("policy", PP_POLICY_LOG, &problem, &f), PP_E_CONFIG);
    assert_string_equal(problem.got, "line 2: NOT_FOUND");
    pp_policy_file_done(&f);
    assert_code(pp_policy_file_load("absent", PP_POLICY_LOG, &problem, &f), PP_E_CONFIG);
    assert_string_equal(problem.got, "no such file");
    assert_ok(pp_file_write(AT_FDCWD, "policy", 0600, PP_STR("quorum none\n")));
    assert_ok(pp_policy_file_load("policy", PP_POLICY_REVIEW, &problem, &f));
    pp_policy_file_done(&f);
}

static void a_url_names_its_port(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        uint32_t code;
        uint16_t port;
    } rows[] = {
        { "http://127.0.0.1:8080", PP_E_OK, 8080 },
        { "http://127.0.0.1:8080/a/b", PP_E_OK, 8080 },
        { "http://example.org", PP_E_OK, 80 },
        { "https://example.org/a", PP_E_OK, 443 },
        { "https://[::1]:99/a", PP_E_OK, 99 },
        { "http://[::1]", PP_E_OK, 80 },
        { "http://127.0.0.1:8080/", PP_E_FORMAT, 0 },
        { "http://", PP_E_FORMAT, 0 },
        { "http:///a", PP_E_FORMAT, 0 },
        { "http://[::1", PP_E_FORMAT, 0 },
        { "http://[::1]x:1", PP_E_FORMAT, 0 },
        { "http://a:0", PP_E_RANGE, 0 },
        { "http://a:65536", PP_E_RANGE, 0 },
        { "http://a:+1", PP_E_FORMAT, 0 },
        { "ftp://a", PP_E_FORMAT, 0 },
        { "", PP_E_RANGE, 0 },
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        uint16_t port = 0;
        print_message("%s\n", rows[i].url);
        assert_code(pp_url_port(pp_span_cstr(rows[i].url), &port), rows[i].code);
        assert_int_equal(port, rows[i].port);
    }
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(a_new_key_is_loaded_by_its_owner_alone),
    cmocka_unit_test(a_pkcs8_key_needs_its_name_beside_it),
    cmocka_unit_test(what_contradicts_itself_is_refused),
    cmocka_unit_test(a_wrong_policy_is_told_by_its_line),
    cmocka_unit_test(a_url_names_its_port),
};

int main(void)
{
    return cmocka_run_group_tests(TESTS, make_folder, remove_folder);
}
