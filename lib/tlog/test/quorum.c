/* SPDX-License-Identifier: Apache-2.0 */
/* C2SP tlog-policy, and the record ledger's quorum rule (docs/protocol/ledger.md, "Quorum"). */
#include "tlog_test.h"

#include "quorum.h"

#define ROOT "lzUT62JjCfH0flDakvYCHZ3U3/aY5NlCJykceIMC0XM="

enum { WITNESSES = 6 };

static struct test_text text;
static struct test_text note_text;
static struct pp_policy policy;
static struct pp_note_signer log_signer;
static struct pp_note_signer witness[WITNESSES];

static int make_keys(void **state)
{
    static const char *const names[WITNESSES] = { "w0.example", "w1.example", "w2.example",
                                                  "w3.example", "w4.example", "w5.example" };

    if (test_init(state) != 0)
        return -1;
    log_signer = test_signer(ORIGIN, PP_NOTE_ED25519, 1);
    for (size_t i = 0; i < WITNESSES; i++)
        witness[i] = test_signer(names[i], PP_NOTE_COSIGNATURE, (uint8_t)(10 + i));
    return 0;
}

static int drop_keys(void **state)
{
    (void)state;
    pp_note_signer_done(&log_signer);
    for (size_t i = 0; i < WITNESSES; i++)
        pp_note_signer_done(&witness[i]);
    return 0;
}

/* log, w0..w5, then `rest`. */
static pp_res parse(const char *rest)
{
    test_vkey(test_begin(&text), "log ", &log_signer);
    for (size_t i = 0; i < WITNESSES; i++) {
        char start[16];
        snprintf(start, sizeof start, "witness w%zu ", i);
        test_vkey(&text.wr, start, &witness[i]);
    }
    pp_wr_text(&text.wr, rest);
    return pp_policy_parse(test_end(&text), PP_POLICY_LOG, &policy);
}

/* The policy of the record ledger: three of four plain witnesses, and the record witness w4. */
#define LEDGER "group plain 3 w0 w1 w2 w3\ngroup all-of all plain w4\nquorum all-of\n"

/* W27.T3: one cosignature too few. */
static void w27_t3_every_subset_is_decided_by_the_rule(void **state)
{
    (void)state;
    assert_ok(parse(LEDGER));
    for (uint64_t set = 0; set < 64; set++) {
        int plain = __builtin_popcountll(set & 15);
        int record = (set >> 4 & 1) != 0;
        uint32_t want = plain >= 3 && record ? PP_E_OK
                        : plain >= 3         ? PP_E_LEDGER_RECORD_WITNESS
                                             : PP_E_LEDGER_QUORUM;
        assert_code(pp_policy_decide(&policy, set), want);
    }
}

static void groups_are_evaluated_in_file_order_at_any_depth(void **state)
{
    (void)state;
    assert_ok(parse("group a any w0 w1\ngroup b all w2 w3\ngroup c 2 a b w4\nquorum c\n"));
    assert_ok(pp_policy_decide(&policy, 0x11));
    assert_ok(pp_policy_decide(&policy, 0x0e));
    assert_code(pp_policy_decide(&policy, 0x03), PP_E_LEDGER_QUORUM);
    assert_code(pp_policy_decide(&policy, 0x2c), PP_E_LEDGER_QUORUM);
}

static void malformed_policies_are_refused_with_line_and_reason(void **state)
{
    (void)state;
    static const struct {
        const char *rest;
        uint32_t code;
        uint32_t line;
    } rows[] = {
        { "quorum w0\n", PP_E_OK, 0 },
        { "\t# words\n \n\tquorum\tw0 \n", PP_E_OK, 0 },
        { "", PP_E_MISSING, 7 },
        { "quorum w0", PP_E_TRUNCATED, 8 },
        { "quorum\n", PP_E_FORMAT, 8 },
        { "quorum w0 w1\n", PP_E_FORMAT, 8 },
        { "quorum w0\nquorum w1\n", PP_E_DUPLICATE, 9 },
        { "quorum w9\n", PP_E_NOT_FOUND, 8 },
        { "Quorum w0\n", PP_E_UNKNOWN_FIELD, 8 },
        { "quorum g\ngroup g any w0\n", PP_E_NOT_FOUND, 8 },
        { "group g 2 w0\nquorum g\n", PP_E_RANGE, 8 },
        { "group g 0 w0\nquorum g\n", PP_E_RANGE, 8 },
        { "group g 01 w0\nquorum g\n", PP_E_FORMAT, 8 },
        { "group g +1 w0\nquorum g\n", PP_E_FORMAT, 8 },
        { "group g all\nquorum g\n", PP_E_MISSING, 8 },
        { "group g any g\nquorum g\n", PP_E_NOT_FOUND, 8 },
        { "group none any w0\nquorum none\n", PP_E_FORMAT, 8 },
        { "group w0 any w1\nquorum w0\n", PP_E_DUPLICATE, 8 },
        { "group g any w0 w0\nquorum g\n", PP_E_DUPLICATE, 8 },
        { "group g any w0\ngroup h any w0\nquorum g\n", PP_E_DUPLICATE, 9 },
        { "group g any w0\ngroup h any g\ngroup i any g\nquorum i\n", PP_E_DUPLICATE, 10 },
        { "quorum w0\r\n", PP_E_FORMAT, 8 },
        { "quorum w0\x7f\n", PP_E_FORMAT, 8 },
        { "log x+00000000+AQ==\nquorum w0\n", PP_E_FORMAT, 8 },
        { "log\nquorum w0\n", PP_E_FORMAT, 8 },
        { "witness z\nquorum w0\n", PP_E_FORMAT, 8 },
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        pp_res r = parse(rows[i].rest);
        print_message("row %zu\n", i);
        assert_code(r, rows[i].code);
        assert_int_equal(r.detail, rows[i].line);
    }
}

static void a_key_may_stand_once_whatever_its_name(void **state)
{
    (void)state;
    struct pp_note_signer alias = test_signer("alias.example", PP_NOTE_COSIGNATURE, 10);
    struct pp_note_signer log = test_signer("alias.example", PP_NOTE_ED25519, 1);

    assert_ok(parse("quorum w0\n"));
    test_vkey(&text.wr, "witness z ", &alias);
    assert_code(pp_policy_parse(test_end(&text), PP_POLICY_LOG, &policy), PP_E_DUPLICATE);
    assert_ok(parse("quorum w0\n"));
    test_vkey(&text.wr, "log ", &log);
    assert_code(pp_policy_parse(test_end(&text), PP_POLICY_LOG, &policy), PP_E_DUPLICATE);
    pp_note_signer_done(&alias);
    pp_note_signer_done(&log);
}

static void a_review_policy_lists_people_and_no_logs(void **state)
{
    (void)state;
    struct pp_note_signer reviewer = test_signer("r.example", PP_NOTE_ED25519, 3);

    test_vkey(test_begin(&text), "witness r ", &reviewer);
    pp_wr_text(&text.wr, "quorum r\n");
    assert_ok(pp_policy_parse(test_end(&text), PP_POLICY_REVIEW, &policy));
    assert_code(pp_policy_parse(test_end(&text), PP_POLICY_LOG, &policy), PP_E_UNSUPPORTED);
    test_vkey(&text.wr, "log ", &log_signer);
    assert_code(pp_policy_parse(test_end(&text), PP_POLICY_REVIEW, &policy), PP_E_UNKNOWN_FIELD);
    assert_ok(parse("quorum w0\n"));
    assert_code(pp_policy_parse(test_end(&text), PP_POLICY_REVIEW, &policy), PP_E_UNKNOWN_FIELD);
    pp_note_signer_done(&reviewer);
}

static void a_policy_has_limits(void **state)
{
    (void)state;
    for (size_t count = PP_POLICY_WITNESSES_MAX; count <= PP_POLICY_WITNESSES_MAX + 1; count++) {
        (void)test_begin(&text);
        for (size_t i = 0; i < count; i++) {
            char line[32];
            struct pp_note_signer s = test_signer("many.example", PP_NOTE_COSIGNATURE,
                                                  (uint8_t)(100 + i));
            snprintf(line, sizeof line, "witness m%zu ", i);
            test_vkey(&text.wr, line, &s);
            pp_note_signer_done(&s);
        }
        pp_wr_text(&text.wr, "quorum m0\n");
        assert_code(pp_policy_parse(test_end(&text), PP_POLICY_LOG, &policy),
                    count > PP_POLICY_WITNESSES_MAX ? PP_E_LIMIT : PP_E_OK);
    }
    for (size_t count = PP_POLICY_GROUPS_MAX; count <= PP_POLICY_GROUPS_MAX + 1; count++) {
        char groups[4096] = "";
        struct pp_wr wr = pp_wr_over(groups, sizeof groups - 1);
        for (size_t i = 0; i < count; i++) {
            char line[32];
            snprintf(line, sizeof line, i == 0 ? "group g0 any w0\n" : "group g%zu any g%zu\n", i,
                     i - 1);
            pp_wr_text(&wr, line);
        }
        pp_wr_text(&wr, "quorum g0\n");
        assert_code(parse(groups), count > PP_POLICY_GROUPS_MAX ? PP_E_LIMIT : PP_E_OK);
    }
}

static void the_logs_of_a_policy_have_a_limit(void **state)
{
    (void)state;
    for (size_t count = PP_POLICY_LOGS_MAX; count <= PP_POLICY_LOGS_MAX + 1; count++) {
        (void)test_begin(&text);
        for (size_t i = 0; i < count; i++) {
            struct pp_note_signer s = test_signer(ORIGIN, PP_NOTE_ED25519, (uint8_t)(100 + i));
            test_vkey(&text.wr, "log ", &s);
            pp_note_signer_done(&s);
        }
        pp_wr_text(&text.wr, "quorum none\n");
        assert_code(pp_policy_parse(test_end(&text), PP_POLICY_LOG, &policy),
                    count > PP_POLICY_LOGS_MAX ? PP_E_LIMIT : PP_E_OK);
    }
}

static void names_and_texts_of_a_policy_have_limits(void **state)
{
    (void)state;
    static uint8_t large[PP_POLICY_BYTES_MAX + 1];

    for (size_t len = PP_POLICY_NAME_MAX; len <= PP_POLICY_NAME_MAX + 1; len++) {
        char rest[2 * PP_POLICY_NAME_MAX + 64], name[PP_POLICY_NAME_MAX + 2] = "";

        memset(name, 'n', len);
        snprintf(rest, sizeof rest, "group %s any w0\nquorum %s\n", name, name);
        assert_code(parse(rest), len > PP_POLICY_NAME_MAX ? PP_E_LIMIT : PP_E_OK);
    }
    assert_ok(parse("quorum w0\n"));
    struct pp_span good = test_end(&text);
    memcpy(large, good.at, good.len);
    memset(large + good.len, '#', sizeof large - good.len); /* a comment to the very end */
    large[PP_POLICY_BYTES_MAX - 1] = '\n';
    assert_ok(pp_policy_parse(pp_span(large, PP_POLICY_BYTES_MAX), PP_POLICY_LOG, &policy));
    large[PP_POLICY_BYTES_MAX - 1] = '#';
    large[PP_POLICY_BYTES_MAX] = '\n';
    assert_code(pp_policy_parse(PP_BYTES(large), PP_POLICY_LOG, &policy), PP_E_LIMIT);
}

/* The client's clock rule: T is carried by a whole quorum, not by the youngest cosignature. */
static void the_quorum_time_is_what_a_whole_quorum_vouches_for(void **state)
{
    (void)state;
    struct pp_note_signers s = { .set = 0x1f, .times = { 100, 400, 300, 200, 350 } };
    uint64_t t = 7;

    assert_ok(parse(LEDGER));
    assert_ok(pp_policy_time(&policy, &s, &t));
    assert_int_equal(t, 200); /* 400, 300, 200 and the record witness's 350 */
    s.times[4] = 150;
    assert_ok(pp_policy_time(&policy, &s, &t));
    assert_int_equal(t, 150); /* the record witness is the oldest that is needed */
    s.set = 0x0f;
    t = 7;
    assert_code(pp_policy_time(&policy, &s, &t), PP_E_LEDGER_RECORD_WITNESS);
    s.set = 0x13;
    assert_code(pp_policy_time(&policy, &s, &t), PP_E_LEDGER_QUORUM);
    assert_int_equal(t, 7);
    assert_ok(parse("quorum none\n"));
    assert_ok(pp_policy_time(&policy, &s, &t));
    assert_int_equal(t, 0);
    assert_ok(parse("quorum w1\n"));
    assert_ok(pp_policy_time(&policy, &s, &t));
    assert_int_equal(t, 400);
}

static void the_ledgers_shape_is_recognised_and_weighed(void **state)
{
    (void)state;
    static const char *const others[] = {
        "quorum w0\n",
        "quorum none\n",
        "group g 2 w0 w1\nquorum g\n",
        "group p 3 w0 w1 w2 w3\ngroup q any p w4\nquorum q\n",
        "group p 3 w0 w1 w2 w3\ngroup q all p w4 w5\nquorum q\n",
        "group all all w0 w1\nquorum all\n",
        "group x any w0 w1\ngroup y any x\ngroup p 2 y w2 w3\ngroup q all p w4\nquorum q\n",
        "group x 2 w0 w1\ngroup p 2 x w2 w3\ngroup q all p w4\nquorum q\n",
        "group p 2 w0 w1\ngroup r 2 w2 w3\ngroup q all p r\nquorum q\n",
        "group p any w0 w1\ngroup r any w2\ngroup q all p r\nquorum q\n",
    };
    struct pp_policy_shape s;

    assert_ok(parse(LEDGER));
    assert_ok(pp_policy_shape(&policy, &s));
    assert_int_equal(s.needed, 3);
    assert_int_equal(s.plain, 4);
    assert_int_equal(s.record_witness, 1 << 4);
    for (size_t i = 0; i < PP_ARRAY_COUNT(others); i++) {
        assert_ok(parse(others[i]));
        assert_code(pp_policy_shape(&policy, &s), PP_E_NOT_FOUND);
    }
    static const struct {
        uint32_t k, n;
        int safe;
    } rows[] = { { 3, 4, 1 }, { 3, 3, 1 }, { 2, 3, 0 }, { 2, 4, 0 }, { 4, 5, 1 }, { 3, 5, 0 } };
    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        struct pp_policy_shape shape = { .needed = rows[i].k, .plain = rows[i].n };
        assert_int_equal(pp_is_ok(pp_policy_shape_safe(&shape, 1)), rows[i].safe);
    }
}

/* Keys that are replaced overlap: an old one and its successor are one party, and count once. */
static void a_party_with_two_keys_counts_once(void **state)
{
    (void)state;
    static const struct {
        uint64_t set;
        uint32_t code;
    } rows[] = {
        { 0x1f & ~0x03, PP_E_LEDGER_QUORUM }, /* w2, w3 and the record witness: two of three */
        { 0x1f & ~0x02, PP_E_OK },            /* w0, the old key of the first */
        { 0x1f & ~0x01, PP_E_OK },            /* w1, its new one */
        { 0x1f & ~0x04, PP_E_LEDGER_QUORUM }, /* both keys of one party are not two parties */
        { 0x0f, PP_E_LEDGER_RECORD_WITNESS },
        { 0x2f, PP_E_OK }, /* w5: the record witness's new key */
        { 0x3f, PP_E_OK },
    };
    struct pp_policy_shape s;

    assert_ok(parse("group party any w0 w1\ngroup plain all party w2 w3\ngroup record any w4 w5\n"
                    "group q all plain record\nquorum q\n"));
    assert_ok(pp_policy_shape(&policy, &s));
    assert_int_equal(s.needed, 3);
    assert_int_equal(s.plain, 3);
    assert_int_equal(s.record_witness, 0x30);
    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++)
        assert_code(pp_policy_decide(&policy, rows[i].set), rows[i].code);
    assert_ok(parse("group record any w4 w5\ngroup plain all w0 w2 w3\ngroup q all record plain\n"
                    "quorum q\n"));
    assert_ok(pp_policy_shape(&policy, &s)); /* in either order */
    assert_int_equal(s.record_witness, 0x30);
}

static struct pp_span checkpoint(const char *origin, const struct pp_note_signer *log, size_t count)
{
    char body[256];

    snprintf(body, sizeof body, "%s\n5\n" ROOT "\n", origin);
    assert_ok(pp_note_write(test_begin(&note_text), pp_span_cstr(body), log, log == NULL ? 0 : 1));
    for (size_t i = 0; i < count; i++)
        assert_ok(pp_cosign_line_write(&note_text.wr, &witness[i], 1000 + i, pp_span_cstr(body)));
    return test_end(&note_text);
}

static void a_checkpoint_opens_under_a_listed_log_only(void **state)
{
    (void)state;
    struct pp_policy_checkpoint c;
    struct pp_note_signer other = test_signer("other.example", PP_NOTE_ED25519, 2);

    assert_ok(parse(LEDGER));
    assert_ok(pp_policy_open(&policy, checkpoint(ORIGIN, &log_signer, 3), &c));
    assert_int_equal(c.log, 0);
    assert_int_equal(c.witnesses.set, 7);
    assert_int_equal(c.witnesses.times[2], 1002);
    assert_code(pp_policy_open(&policy, checkpoint(ORIGIN, NULL, 3), &c), PP_E_LEDGER_SIGNATURE);
    assert_code(pp_policy_open(&policy, checkpoint("other.example", &log_signer, 3), &c),
                PP_E_LEDGER_ORIGIN);
    assert_code(pp_policy_open(&policy, checkpoint("other.example", &other, 3), &c),
                PP_E_LEDGER_ORIGIN);
    /* What the log signed is no checkpoint. */
    assert_ok(
        pp_note_write(test_begin(&note_text), PP_STR(ORIGIN "\nfive\n" ROOT "\n"), &log_signer, 1));
    assert_code(pp_policy_open(&policy, test_end(&note_text), &c), PP_E_FORMAT);
    /* The key of another listed log does not speak for this one. */
    test_vkey(&text.wr, "log ", &other);
    assert_ok(pp_policy_parse(test_end(&text), PP_POLICY_LOG, &policy));
    assert_code(pp_policy_open(&policy, checkpoint(ORIGIN, &other, 3), &c), PP_E_LEDGER_SIGNATURE);
    assert_ok(pp_policy_open(&policy, checkpoint("other.example", &other, 3), &c));
    assert_int_equal(c.log, 1);
    pp_note_signer_done(&other);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(w27_t3_every_subset_is_decided_by_the_rule),
    cmocka_unit_test(groups_are_evaluated_in_file_order_at_any_depth),
    cmocka_unit_test(malformed_policies_are_refused_with_line_and_reason),
    cmocka_unit_test(a_key_may_stand_once_whatever_its_name),
    cmocka_unit_test(a_review_policy_lists_people_and_no_logs),
    cmocka_unit_test(a_policy_has_limits),
    cmocka_unit_test(the_logs_of_a_policy_have_a_limit),
    cmocka_unit_test(names_and_texts_of_a_policy_have_limits),
    cmocka_unit_test(the_quorum_time_is_what_a_whole_quorum_vouches_for),
    cmocka_unit_test(the_ledgers_shape_is_recognised_and_weighed),
    cmocka_unit_test(a_party_with_two_keys_counts_once),
    cmocka_unit_test(a_checkpoint_opens_under_a_listed_log_only),
};

int main(void)
{
    return cmocka_run_group_tests(TESTS, make_keys, drop_keys);
}
