/* SPDX-License-Identifier: Apache-2.0 */
/* Ledger records (docs/protocol/ledger.md). The grammar's rows are tests/vectors/records. */
#include "record_test.h"

static struct test_text text;
static struct test_text changed;
static struct pp_record record;
static struct pp_record again;

/* Every line that a release can have. */
static void full_release(struct pp_record *r)
{
    release_of(r, 3, PP_RECORD_PREDICTOR, 7);
    struct pp_release *p = &r->release;
    p->firmware_count = 2;
    p->firmware[0].name = PP_STR("ovmf");
    p->firmware[1].name = PP_STR("shim");
    p->has_kernel = p->has_initrd = p->has_cmdline = p->has_rootfs = p->retains = 1;
    p->cmdline_len = 3;
    memcpy(p->cmdline, "a=b", 3);
    p->snp[1] = p->snp[0];
    p->snp[1].label = PP_STR("tall");
    p->snp[1].family = PP_RECORD_TURIN;
    p->snp_count = 2;
    p->snp_policy_mask = UINT64_MAX;
    p->snp_policy_value = 0x30000;
    p->snp_min_tcb[PP_RECORD_TURIN] = (struct pp_release_tcb){ 1, 1, 2, 3, 4, 5 };
    p->tdx_count = 1;
    p->tdx[0].label = PP_STR("small");
    p->tdx[0].vcpus = 8;
    p->gpu_count = 1;
    p->gpu[0].model = p->gpu[0].vbios = p->gpu[0].driver = PP_STR("1");
    p->config_count = 2;
    p->config[1][0] = 1;
    p->artifact_count = 1;
    p->artifacts[0].name = PP_STR("model");
}

static struct pp_span written(const struct pp_record *r)
{
    assert_ok(pp_record_write(test_begin(&text), r));
    return test_end(&text);
}

static void every_field_of_a_release_comes_back(void **state)
{
    (void)state;
    full_release(&record);
    assert_ok(pp_record_parse(written(&record), &again));
    const struct pp_release *a = &again.release;
    assert_int_equal(again.serial, 3);
    assert_true(pp_span_eq(again.name_space, PP_STR(NAMESPACE)));
    assert_int_equal(a->role, PP_RECORD_PREDICTOR);
    assert_int_equal(a->snp_count, 2);
    assert_int_equal(a->snp[1].family, PP_RECORD_TURIN);
    assert_memory_equal(a->snp[1].measurement, record.release.snp[1].measurement, 48);
    assert_int_equal(a->snp_policy_value, 0x30000);
    assert_int_equal(a->snp_min_tcb[PP_RECORD_TURIN].fmc, 5);
    assert_int_equal(a->snp_min_tcb[PP_RECORD_MILAN].microcode, 219);
    assert_false(a->snp_min_tcb[PP_RECORD_GENOA].given);
    assert_int_equal(a->tdx[0].vcpus, 8);
    assert_int_equal(a->cmdline_len, 3);
    assert_int_equal(a->config_count, 2);
    assert_int_equal(a->config[1][0], 1);
    assert_true(a->has_kernel && a->has_initrd && a->has_cmdline && a->has_rootfs && a->retains);
    assert_true(pp_span_eq(a->artifacts[0].name, PP_STR("model")));
}

static size_t lines_of(struct pp_span t, struct pp_span *lines, size_t cap)
{
    size_t count = 0;

    while (t.len > 0) {
        assert_true(count < cap);
        assert_true(pp_text_cut(&t, '\n', &lines[count]));
        count++;
    }
    return count;
}

static struct pp_span joined(const struct pp_span *lines, size_t count)
{
    (void)test_begin(&changed);
    for (size_t i = 0; i < count; i++) {
        pp_wr_span(&changed.wr, lines[i]);
        pp_wr_u8(&changed.wr, '\n');
    }
    return test_end(&changed);
}

/* B1: keys in the order given, one encoding. */
static void no_line_may_be_repeated_or_swapped(void **state)
{
    (void)state;
    struct pp_span lines[64];
    struct pp_span other[65];

    full_release(&record);
    size_t count = lines_of(written(&record), lines, 64);
    for (size_t i = 0; i < count; i++) {
        memcpy(other, lines, (i + 1) * sizeof *lines);
        memcpy(other + i + 1, lines + i, (count - i) * sizeof *lines);
        assert_false(pp_is_ok(pp_record_parse(joined(other, count + 1), &again)));
        if (i + 1 == count)
            break;
        memcpy(other, lines, count * sizeof *lines);
        other[i] = lines[i + 1];
        other[i + 1] = lines[i];
        assert_false(pp_is_ok(pp_record_parse(joined(other, count), &again)));
    }
}

static void a_line_may_be_missing_only_where_the_grammar_says_so(void **state)
{
    (void)state;
    static const char *const optional[] = { "firmware", "kernel", "initrd",   "cmdline", "rootfs",
                                            "gpu",      "config", "artifact", "retains" };
    struct pp_span lines[64];
    struct pp_span other[64];

    full_release(&record);
    size_t count = lines_of(written(&record), lines, 64);
    for (size_t i = 0; i < count; i++) {
        struct pp_span rest = lines[i];
        struct pp_span key;
        int may = 0;
        pp_text_cut(&rest, ' ', &key);
        for (size_t k = 0; k < PP_ARRAY_COUNT(optional); k++)
            may |= pp_span_eq(key, pp_span_cstr(optional[k]));
        memcpy(other, lines, i * sizeof *lines);
        memcpy(other + i, lines + i + 1, (count - i - 1) * sizeof *lines);
        assert_int_equal(pp_is_ok(pp_record_parse(joined(other, count - 1), &again)), may);
    }
}

static void every_truncation_of_a_record_is_refused(void **state)
{
    (void)state;
    full_release(&record);
    struct pp_span whole = written(&record);
    for (size_t len = 0; len < whole.len; len++)
        assert_false(pp_is_ok(pp_record_parse(pp_span(whole.at, len), &again)));
}

/* A changed byte is refused or is another record: never the same record in other bytes. */
static void a_record_has_one_encoding(void **state)
{
    (void)state;
    static struct test_text rewritten;
    full_release(&record);
    struct pp_span whole = written(&record);
    for (size_t i = 0; i < whole.len; i++) {
        static const char tries[] = " 0a\nZ";
        for (size_t k = 0; k < sizeof tries - 1; k++) {
            memcpy(changed.bytes, whole.at, whole.len);
            changed.bytes[i] = tries[k];
            struct pp_span other = pp_span(changed.bytes, whole.len);
            if (!pp_is_ok(pp_record_parse(other, &again)))
                continue;
            assert_ok(pp_record_write(test_begin(&rewritten), &again));
            assert_true(pp_span_eq(test_end(&rewritten), other));
        }
    }
}

static void a_record_that_could_not_be_read_is_not_written(void **state)
{
    (void)state;
    full_release(&record);
    record.release.config[0][0] = 2;
    assert_code(pp_record_write(test_begin(&text), &record), PP_E_ORDER);
    full_release(&record);
    record.release.snp_min_tcb[PP_RECORD_TURIN].given = 0;
    assert_code(pp_record_write(test_begin(&text), &record), PP_E_MISSING);
    full_release(&record);
    record.release.image.where = PP_STR("two words");
    assert_code(pp_record_write(test_begin(&text), &record), PP_E_FORMAT);
    full_release(&record);
    record.release.image.where = PP_STR("line\nfeed");
    assert_false(pp_is_ok(pp_record_write(test_begin(&text), &record)));
    full_release(&record);
    record.serial = 0;
    assert_code(pp_record_write(test_begin(&text), &record), PP_E_RANGE);
    record.type = (enum pp_record_type)9;
    assert_code(pp_record_write(test_begin(&text), &record), PP_E_UNSUPPORTED);
    full_release(&record);
    struct pp_span whole = written(&record);
    for (size_t cap = 0; cap < whole.len; cap += 13) {
        struct pp_wr wr = pp_wr_over(changed.bytes, cap);
        assert_code(pp_record_write(&wr, &record), PP_E_NO_SPACE);
    }
}

static void a_window_is_told_for_every_type(void **state)
{
    (void)state;
    struct pp_record_id id = { { 1 } };
    uint64_t from;
    uint64_t until;

    release_of(&record, 1, PP_RECORD_GUARD, 1);
    pp_record_window(&record, &from, &until);
    assert_int_equal(from, NOW);
    assert_int_equal(until, NOW + PP_RELEASE_LIFE_S);
    host_set_of(&record, 1);
    pp_record_window(&record, &from, &until);
    assert_int_equal(until, NOW + PP_HOST_SET_LIFE_S);
    key_epoch_of(&record, 1, PP_RECORD_ISSUER, 20000);
    assert_ok(pp_record_parse(written(&record), &again));
    pp_record_window(&again, &from, &until);
    assert_int_equal(from, UINT64_C(20000) * PP_DAY_S);
    assert_int_equal(until, UINT64_C(20001) * PP_DAY_S);
    assert_int_equal(again.key_epoch.issue_until, UINT64_C(20001) * PP_DAY_S);
    revoke_of(&record, 1, &id);
    pp_record_window(&record, &from, &until);
    assert_int_equal(until, UINT64_MAX);
}

/* --- signatures ---------------------------------------------------------------------------- */

static pp_res check(const struct pp_record *r, const struct pp_note_signer *by, size_t count)
{
    struct pp_note n;

    assert_ok(pp_record_sign(test_begin(&text), r, by, count));
    assert_ok(pp_record_open(test_end(&text), &n, &again));
    return pp_record_check_signers(&n, &again, &keys);
}

/* W18.T3 */
static void w18_t3_a_release_needs_its_whole_review_quorum(void **state)
{
    (void)state;
    struct pp_note_signer twice[] = { signers[TEST_ALICE], signers[TEST_ALICE] };

    release_of(&record, 1, PP_RECORD_GUARD, 1);
    assert_ok(check(&record, &signers[TEST_ALICE], 2));
    assert_code(check(&record, &signers[TEST_ALICE], 1), PP_E_LEDGER_SIGNER);
    assert_code(check(&record, &signers[TEST_BOB], 1), PP_E_LEDGER_SIGNER);
    assert_code(check(&record, twice, 2), PP_E_LEDGER_SIGNER);
    assert_code(check(&record, signers, 2), PP_E_LEDGER_SIGNER); /* log and owner */
    assert_code(check(&record, signers, 0), PP_E_LEDGER_SIGNER);
}

static void every_type_has_its_own_signers(void **state)
{
    (void)state;
    struct pp_record_id id = { { 1 } };

    host_set_of(&record, 1);
    assert_ok(check(&record, &signers[TEST_OWNER], 2)); /* owner and alice */
    assert_code(check(&record, &signers[TEST_OWNER], 1), PP_E_LEDGER_SIGNER);
    assert_code(check(&record, &signers[TEST_ALICE], 2), PP_E_LEDGER_SIGNER);
    key_epoch_of(&record, 1, PP_RECORD_OHTTP, 20000);
    assert_ok(check(&record, &signers[TEST_OWNER], 1));
    assert_code(check(&record, &signers[TEST_ALICE], 2), PP_E_LEDGER_SIGNER);
    revoke_of(&record, 1, &id);
    assert_ok(check(&record, &signers[TEST_BOB], 1));
    assert_code(check(&record, signers, 2), PP_E_LEDGER_SIGNER);
    head_of(&record, PP_RECORD_STATUS, 1);
    for (size_t i = 0; i < PP_RECORD_ROLES; i++)
        record.status.min_serial[i] = 1;
    assert_ok(check(&record, &signers[TEST_LOG], 1));
    assert_code(check(&record, &signers[TEST_OWNER], 3), PP_E_LEDGER_SIGNER);
    /* the key of a listed log speaks for its own ledger only */
    record.ledger = PP_STR("ledger.example/other");
    assert_code(check(&record, &signers[TEST_LOG], 1), PP_E_LEDGER_SIGNER);
}

static void a_policy_that_asks_for_nobody_authorises_nothing(void **state)
{
    (void)state;
    struct pp_policy nobody = policies[1];
    struct pp_policy nobody_reviews = policies[2];
    struct pp_record_keys own = keys;

    nobody.quorum = nobody_reviews.quorum = PP_QUORUM_NONE;
    keys.owner = &nobody;
    keys.review = &nobody_reviews;
    key_epoch_of(&record, 1, PP_RECORD_OHTTP, 20000);
    assert_code(check(&record, signers, TEST_SIGNERS), PP_E_LEDGER_SIGNER);
    release_of(&record, 1, PP_RECORD_GUARD, 1);
    assert_code(check(&record, signers, TEST_SIGNERS), PP_E_LEDGER_SIGNER);
    keys = own;
}

/* One person listed as owner and as reviewer is still one person. */
static void the_owners_key_is_not_also_the_reviewer_of_a_host_set(void **state)
{
    (void)state;
    static struct pp_policy review;
    static struct test_text t;
    struct pp_record_keys own = keys;

    test_vkey(test_begin(&t), "witness o ", &signers[TEST_OWNER]);
    test_vkey(&t.wr, "witness a ", &signers[TEST_ALICE]);
    pp_wr_text(&t.wr, "group g any o a\nquorum g\n");
    assert_ok(pp_policy_parse(test_end(&t), PP_POLICY_REVIEW, &review));
    keys.review = &review;
    host_set_of(&record, 1);
    assert_code(check(&record, &signers[TEST_OWNER], 1), PP_E_LEDGER_SIGNER);
    assert_ok(check(&record, &signers[TEST_OWNER], 2));
    keys = own;
}

/* W20.T1, W20_T3: staging where prod is asked for; prefix, suffix and case
 * variants. */
static void w20_t3_a_place_is_compared_whole(void **state)
{
    (void)state;
    release_of(&record, 1, PP_RECORD_GUARD, 1);
    assert_ok(pp_record_check_place(&record, PP_STR(ORIGIN), PP_STR(NAMESPACE), PP_RECORD_DEV));
    static const char *const spaces[] = { "",
                                          "example.org",
                                          "example.org/tes",
                                          "example.org/testx",
                                          "Example.org/test",
                                          "example.org/test " };
    for (size_t i = 0; i < PP_ARRAY_COUNT(spaces); i++)
        assert_code(
            pp_record_check_place(&record, PP_STR(ORIGIN), pp_span_cstr(spaces[i]), PP_RECORD_DEV),
            PP_E_LEDGER_NAMESPACE);
    assert_code(
        pp_record_check_place(&record, PP_STR(ORIGIN "x"), PP_STR(NAMESPACE), PP_RECORD_DEV),
        PP_E_LEDGER_NAMESPACE);
    assert_code(pp_record_check_place(&record, PP_STR(ORIGIN), PP_STR(NAMESPACE), PP_RECORD_PROD),
                PP_E_LEDGER_NAMESPACE);
    assert_code(
        pp_record_check_place(&record, PP_STR(ORIGIN), PP_STR(NAMESPACE), PP_RECORD_STAGING),
        PP_E_LEDGER_NAMESPACE);
}

static void an_entry_has_a_limit(void **state)
{
    (void)state;
    struct pp_note n;

    memset(text.bytes, 'x', sizeof text.bytes);
    assert_code(pp_record_open(pp_span(text.bytes, PP_RECORD_ENTRY_MAX + 1), &n, &again),
                PP_E_LIMIT);
    assert_code(pp_record_parse(pp_span(text.bytes, PP_RECORD_BYTES_MAX + 1), &again), PP_E_LIMIT);
    assert_code(pp_record_parse(pp_span(text.bytes, PP_RECORD_BYTES_MAX), &again), PP_E_TRUNCATED);
}

/* transparency-log B4: u16 type and a key, or a list of one or two OHTTP configurations. */
static void the_configuration_of_an_epoch_has_its_shape(void **state)
{
    (void)state;
    static const struct {
        enum pp_record_kind kind;
        uint8_t config[20];
        size_t len;
        int good;
    } rows[] = {
        { PP_RECORD_ISSUER, { 0, 5, 1 }, 3, 1 },
        { PP_RECORD_ISSUER, { 0, 5 }, 2, 0 }, /* no key */
        { PP_RECORD_ISSUER, { 0 }, 1, 0 },
        { PP_RECORD_ISSUER, { 0 }, 0, 0 },
        { PP_RECORD_OHTTP, { 0, 2, 1, 9 }, 4, 1 },
        { PP_RECORD_OHTTP, { 0, 2, 1, 9, 0, 2, 2, 9 }, 8, 1 },
        { PP_RECORD_OHTTP, { 0, 2, 1, 9, 0, 2, 1, 8 }, 8, 0 }, /* one id twice */
        { PP_RECORD_OHTTP, { 0, 2, 1, 9, 0, 2, 2, 9, 0, 2, 3, 9 }, 12, 0 },
        { PP_RECORD_OHTTP, { 0, 1, 1 }, 3, 0 }, /* nothing but an id */
        { PP_RECORD_OHTTP, { 0, 2, 1, 9, 0, 1, 2 }, 7, 0 },
        { PP_RECORD_OHTTP, { 0, 0 }, 2, 0 },
        { PP_RECORD_OHTTP, { 0, 3, 1, 9 }, 4, 0 }, /* cut short */
        { PP_RECORD_OHTTP, { 0, 2, 1, 9, 0 }, 5, 0 },
        { PP_RECORD_OHTTP, { 0 }, 0, 0 },
    };
    struct pp_record r;

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        key_epoch_of(&r, 1, rows[i].kind, 20000);
        memcpy(r.key_epoch.config, rows[i].config, rows[i].len);
        r.key_epoch.config_len = rows[i].len;
        assert_int_equal(pp_is_ok(pp_record_write(test_begin(&text), &r)), rows[i].good);
    }
}

/* What could not be logged is not signed either: 353 bytes a line with the longest name. */
static void an_entry_with_too_many_signers_is_not_written(void **state)
{
    (void)state;
    enum { FIT = 130, TOO_MANY = 150 };
    static uint8_t bytes[1 << 16];
    static struct pp_note_signer many[TOO_MANY];
    char name[PP_NOTE_NAME_MAX];
    struct pp_note_signer one;
    struct pp_record_id id = { .bytes = { 7 } };
    struct pp_record r;

    memset(name, 'n', sizeof name);
    assert_ok(pp_note_signer_make(pp_span(name, sizeof name), PP_NOTE_ED25519,
                                  pp_secret_span(&signers[TEST_ALICE].seed), &one));
    for (size_t i = 0; i < TOO_MANY; i++)
        many[i] = one;
    revoke_of(&r, 1, &id);
    struct pp_wr wr = pp_wr_over(bytes, sizeof bytes);
    assert_ok(pp_record_sign(&wr, &r, many, FIT));
    wr = pp_wr_over(bytes, sizeof bytes);
    assert_code(pp_record_sign(&wr, &r, many, TOO_MANY), PP_E_LIMIT);
    pp_note_signer_done(&one);
}

static void the_words_of_the_enumerations_are_read_back(void **state)
{
    (void)state;
    enum pp_record_role role;
    enum pp_record_env env;

    for (unsigned i = 0; i < PP_RECORD_ROLES; i++) {
        const char *name = pp_record_role_name((enum pp_record_role)i);
        assert_ok(pp_record_role_parse(pp_span_cstr(name), &role));
        assert_int_equal(role, i);
        if (i > 0) /* the order of lines */
            assert_true(strcmp(pp_record_role_name((enum pp_record_role)(i - 1)), name) < 0);
    }
    for (unsigned i = PP_RECORD_PROD; i <= PP_RECORD_DEV; i++)
        assert_ok(
            pp_record_env_parse(pp_span_cstr(pp_record_env_name((enum pp_record_env)i)), &env));
    assert_code(pp_record_env_parse(PP_STR("Prod"), &env), PP_E_NOT_FOUND);
    assert_string_equal(pp_record_type_name(PP_RECORD_HOST_SET), "host-set");
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(every_field_of_a_release_comes_back),
    cmocka_unit_test(no_line_may_be_repeated_or_swapped),
    cmocka_unit_test(a_line_may_be_missing_only_where_the_grammar_says_so),
    cmocka_unit_test(every_truncation_of_a_record_is_refused),
    cmocka_unit_test(a_record_has_one_encoding),
    cmocka_unit_test(a_record_that_could_not_be_read_is_not_written),
    cmocka_unit_test(a_window_is_told_for_every_type),
    cmocka_unit_test(w18_t3_a_release_needs_its_whole_review_quorum),
    cmocka_unit_test(every_type_has_its_own_signers),
    cmocka_unit_test(a_policy_that_asks_for_nobody_authorises_nothing),
    cmocka_unit_test(the_owners_key_is_not_also_the_reviewer_of_a_host_set),
    cmocka_unit_test(w20_t3_a_place_is_compared_whole),
    cmocka_unit_test(an_entry_has_a_limit),
    cmocka_unit_test(the_configuration_of_an_epoch_has_its_shape),
    cmocka_unit_test(an_entry_with_too_many_signers_is_not_written),
    cmocka_unit_test(the_words_of_the_enumerations_are_read_back),
};

int main(void)
{
    return cmocka_run_group_tests(TESTS, make_people, drop_people);
}
