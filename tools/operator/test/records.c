/* SPDX-License-Identifier: Apache-2.0 */
/* docs/protocol/ledger.md: a record from hand to hand, and what a log would say to it. */
#include "harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "admit.h"
#include "folder.h"
#include "record_file.h"
#include "record_test.h"
#include "record_words.h"

static struct pp_record record;
static struct pp_record_file file;
static struct pp_problem problem;
static char folder[64];
static uint8_t entry[PP_RECORD_ENTRY_MAX];

static int set_up(void **state)
{
    return make_people(state) != 0 ? -1 : pp_test_folder_make(folder);
}

static int tear_down(void **state)
{
    pp_record_file_done(&file);
    memset(&file, 0, sizeof file);
    return pp_test_folder_remove(folder) | drop_people(state);
}

static const char *put(struct pp_span content)
{
    static char path[96];

    snprintf(path, sizeof path, "%s/record", folder);
    assert_ok(pp_file_write(AT_FDCWD, path, 0644, content));
    return path;
}

/* The record's text, or with signers its entry. */
static struct pp_span text_of(const struct pp_record *r, const int *who, size_t count)
{
    struct pp_note_signer list[TEST_SIGNERS];
    struct pp_wr wr = pp_wr_over(entry, sizeof entry);

    for (size_t i = 0; i < count; i++)
        list[i] = signers[who[i]];
    if (count == 0)
        assert_ok(pp_record_write(&wr, r));
    else
        assert_ok(pp_record_sign(&wr, r, list, count));
    return pp_wr_done(&wr);
}

static pp_res read_file(struct pp_span content)
{
    pp_record_file_done(&file);
    memset(&file, 0, sizeof file);
    return pp_record_file_read(put(content), &problem, &file);
}

static void a_text_becomes_the_entry_that_its_signers_make_together(void **state)
{
    static const int both[] = { TEST_ALICE, TEST_BOB };
    uint8_t line[PP_NOTE_LINE_BYTES_MAX], one[PP_RECORD_ENTRY_MAX], two[PP_RECORD_ENTRY_MAX];
    struct pp_wr to = pp_wr_over(one, sizeof one), l = pp_wr_over(line, sizeof line);

    (void)state;
    release_of(&record, 1, PP_RECORD_GUARD, 7);
    assert_ok(read_file(text_of(&record, NULL, 0)));
    assert_int_equal(file.note.line_count, 0);
    assert_ok(pp_note_line_write(&l, &signers[TEST_ALICE], file.note.text));
    assert_int_equal(pp_record_file_signed_by(&file, &signers[TEST_ALICE].key), 0);
    assert_ok(pp_record_file_add(&file, pp_wr_done(&l), &to));

    assert_ok(read_file(pp_wr_done(&to)));
    assert_int_equal(pp_record_file_signed_by(&file, &signers[TEST_ALICE].key), 1);
    assert_int_equal(pp_record_file_signed_by(&file, &signers[TEST_BOB].key), 0);
    l = pp_wr_over(line, sizeof line);
    to = pp_wr_over(two, sizeof two);
    assert_ok(pp_note_line_write(&l, &signers[TEST_BOB], file.note.text));
    assert_ok(pp_record_file_add(&file, pp_wr_done(&l), &to));
    assert_true(pp_span_eq(pp_wr_done(&to), text_of(&record, both, 2)));
}

static void a_file_that_is_no_record_is_refused_with_its_line(void **state)
{
    struct pp_span text;

    (void)state;
    host_set_of(&record, 1);
    text = text_of(&record, NULL, 0);
    assert_code(read_file(pp_span(text.at, text.len - 1)), PP_E_INPUT);
    entry[text.len - 2] = ' ';
    assert_code(read_file(text), PP_E_INPUT);
    assert_non_null(strstr(problem.got, "line 10"));
    assert_code(read_file(PP_STR("")), PP_E_INPUT);
    assert_code(read_file(PP_STR("\n\n")), PP_E_INPUT);
    assert_code(pp_record_file_read("/nonexistent/record", &problem, &file), PP_E_INPUT);
}

static void no_more_lines_are_added_than_a_log_reads(void **state)
{
    static const int alice[] = { TEST_ALICE };
    struct pp_wr to;

    (void)state;
    host_set_of(&record, 1);
    assert_ok(read_file(text_of(&record, alice, 1)));
    file.note.line_count = PP_NOTE_SIGNATURES_MAX;
    to = pp_wr_over(entry, sizeof entry);
    assert_code(pp_record_file_add(&file, PP_STR("x\n"), &to), PP_E_LIMIT);
    file.note.line_count = 1;
    static uint8_t big[PP_RECORD_ENTRY_MAX];
    static uint8_t room[2 * PP_RECORD_ENTRY_MAX];
    to = pp_wr_over(room, sizeof room);
    assert_code(pp_record_file_add(&file, PP_BYTES(big), &to), PP_E_LIMIT);
    to = pp_wr_over(room, sizeof room);
    assert_ok(pp_record_file_add(&file, pp_span(big, sizeof big - file.bytes.len), &to));
}

/* --- what a log would say ------------------------------------------------------------------- */

static pp_res admitted(enum pp_record_env env, uint64_t now, const int *who, size_t count,
                       pp_res *ret_in_time)
{
    struct pp_admit *a = NULL;

    assert_ok(pp_admit_new(PP_STR(ORIGIN), PP_STR(NAMESPACE), env, &keys, &a));
    pp_res r = pp_admit_entry(a, text_of(&record, who, count), now);
    *ret_in_time = pp_admit_in_time(a, now);
    pp_admit_free(a);
    return r;
}

static void a_record_is_taken_when_those_have_signed_that_have_to(void **state)
{
    static const int both[] = { TEST_ALICE, TEST_BOB }, owner[] = { TEST_OWNER };
    static const struct pp_record_id nowhere;
    pp_res in_time;

    (void)state;
    release_of(&record, 1, PP_RECORD_GUARD, 7);
    assert_ok(admitted(PP_RECORD_DEV, NOW, both, 2, &in_time));
    assert_ok(in_time);
    assert_code(admitted(PP_RECORD_DEV, NOW, both, 1, &in_time), PP_E_LEDGER_SIGNER);
    assert_code(admitted(PP_RECORD_STAGING, NOW, both, 2, &in_time), PP_E_LEDGER_NAMESPACE);
    record.release.review[0].sha256[0] ^= 1;
    assert_code(admitted(PP_RECORD_DEV, NOW, both, 2, &in_time), PP_E_MISMATCH);
    key_epoch_of(&record, 1, PP_RECORD_ISSUER, NOW / PP_DAY_S);
    assert_ok(admitted(PP_RECORD_DEV, NOW, owner, 1, &in_time));
    /* whether the target is there is the log's to say; who may revoke is not */
    revoke_of(&record, 1, &nowhere);
    assert_ok(admitted(PP_RECORD_DEV, NOW, both, 1, &in_time));
    assert_code(admitted(PP_RECORD_DEV, NOW, owner, 1, &in_time), PP_E_LEDGER_SIGNER);
}

static void a_status_is_not_for_people(void **state)
{
    static const int log[] = { TEST_LOG };
    pp_res in_time;

    (void)state;
    head_of(&record, PP_RECORD_STATUS, 1);
    for (unsigned i = 0; i < PP_RECORD_ROLES; i++)
        record.status.min_serial[i] = 1;
    assert_code(admitted(PP_RECORD_DEV, NOW, log, 1, &in_time), PP_E_UNSUPPORTED);
}

/* B4: logged 48 h before `use`; a log publishes on the hour. */
static void outside_dev_waiting_times_count_from_the_next_full_hour(void **state)
{
    static const int owner[] = { TEST_OWNER };
    const uint64_t day = NOW / PP_DAY_S + 3, use = day * PP_DAY_S;
    pp_res in_time;

    (void)state;
    key_epoch_of(&record, 1, PP_RECORD_OHTTP, day);
    record.environment = PP_RECORD_PROD;
    record.time = use - PP_KEY_EPOCH_DELAY_S - 7200;
    assert_ok(admitted(PP_RECORD_PROD, use - PP_KEY_EPOCH_DELAY_S - 3600, owner, 1, &in_time));
    assert_ok(in_time);
    assert_ok(admitted(PP_RECORD_PROD, use - PP_KEY_EPOCH_DELAY_S, owner, 1, &in_time));
    assert_ok(in_time);
    assert_ok(admitted(PP_RECORD_PROD, use - PP_KEY_EPOCH_DELAY_S + 1, owner, 1, &in_time));
    assert_code(in_time, PP_E_LEDGER_WINDOW);
    assert_true(pp_admit_published_s(PP_RECORD_PROD, 7200) == 7200);
    assert_true(pp_admit_published_s(PP_RECORD_PROD, 7201) == 10800);
    assert_true(pp_admit_published_s(PP_RECORD_DEV, 7201) == 7201);
}

/* --- words ---------------------------------------------------------------------------------- */

static int warns(uint64_t now, const char *words)
{
    struct pp_record_warnings w;

    pp_record_warn(&record, now, &w);
    for (size_t i = 0; i < w.count; i++)
        if (strstr(w.text[i], words) != NULL)
            return 1;
    return 0;
}

static void what_is_unusual_is_said(void **state)
{
    (void)state;
    release_of(&record, 1, PP_RECORD_GUARD, 7);
    assert_int_equal(warns(NOW, "environment dev"), 1);
    assert_int_equal(warns(NOW, "milan"), 1);
    assert_int_equal(warns(NOW, "debugging"), 1);
    assert_int_equal(warns(NOW, "retains"), 0);
    assert_int_equal(warns(NOW, "over already"), 0);
    assert_int_equal(warns(record.release.not_after, "over already"), 1);
    assert_int_equal(warns(NOW - 3600, "future"), 0);
    assert_int_equal(warns(NOW - 3601, "future"), 1);
    record.release.retains = 1;
    record.environment = PP_RECORD_PROD;
    record.release.snp[0].family = PP_RECORD_GENOA;
    record.release.snp_policy_mask = UINT64_C(1) << 19;
    pp_sha256(PP_STR(""), record.release.build);
    assert_int_equal(warns(NOW, "environment"), 0);
    assert_int_equal(warns(NOW, "milan"), 0);
    assert_int_equal(warns(NOW, "debugging"), 0);
    assert_int_equal(warns(NOW, "retains"), 1);
    assert_int_equal(warns(NOW, "provenance"), 1);
}

/* Whoever signs has read every field: each value of the record stands in its words. */
static void every_field_stands_in_the_words(void **state)
{
    static const char *const want[] = {
        "cvm-release 7",
        ORIGIN,
        NAMESPACE,
        "dev",
        "guard",
        "2024-10-04T10:00:00Z",
        "https://images.example.org/1",
        "https://git.example.org/pp",
        "0123456789abcdef0123456789",
        "small: milan, qemu, 4 vCPUs, 090909",
        "boot loader 4, tee 0, snp 24, microcode 219",
        "no",
        "reviewers sha256:",
    };
    static const struct pp_record_id id = { { 0xab } };
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    (void)state;
    release_of(&record, 7, PP_RECORD_GUARD, 9);
    pp_record_words(out, &record, &id, NOW);
    assert_int_equal(fclose(out), 0);
    for (size_t i = 0; i < PP_ARRAY_COUNT(want); i++)
        if (strstr(text, want[i]) == NULL)
            fail_msg("no \"%s\" in:\n%s", want[i], text);
    free(text);
}

static char *words_of(const struct pp_record *r)
{
    static const struct pp_record_id id = { { 0xab } };
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    pp_record_words(out, r, &id, NOW);
    assert_int_equal(fclose(out), 0);
    return text;
}

/* A kernel takes a vertical tab and a 0xa0 for spaces: two command lines may not look like one. */
static void every_byte_of_a_command_line_is_shown_as_itself(void **state)
{
    static const struct {
        struct pp_span line;
        const char *shown;
        int warned;
    } ROWS[] = {
        { PP_STR("pp.mode=a.init=/x"), "pp.mode=a.init=/x\n", 0 },
        { PP_STR("pp.mode=a\vinit=/x"), "pp.mode=a\\x0binit=/x\n", 1 },
        { PP_STR("pp.mode=a\xa0init=/x"), "pp.mode=a\\xa0init=/x\n", 1 },
        { PP_STR("pp.mode=a\x1b[8m\n"), "pp.mode=a\\x1b[8m\\x0a\n", 1 },
        { PP_STR("pp.mode=a\\x0binit=/x"), "pp.mode=a\\x5cx0binit=/x\n", 0 },
        { PP_STR("pp.mode=a  "), "pp.mode=a \\x20\n", 0 },
    };

    (void)state;
    release_of(&record, 7, PP_RECORD_GUARD, 9);
    record.release.has_cmdline = 1;
    for (size_t i = 0; i < PP_ARRAY_COUNT(ROWS); i++) {
        memcpy(record.release.cmdline, ROWS[i].line.at, ROWS[i].line.len);
        record.release.cmdline_len = ROWS[i].line.len;
        char *text = words_of(&record);
        if (strstr(text, ROWS[i].shown) == NULL)
            fail_msg("row %zu: no \"%s\" in:\n%s", i, ROWS[i].shown, text);
        free(text);
        assert_int_equal(warns(NOW, "command line"), ROWS[i].warned);
    }
    memset(record.release.cmdline, 0xff, sizeof record.release.cmdline);
    record.release.cmdline_len = sizeof record.release.cmdline; /* the longest one fits */
    char *text = words_of(&record);
    assert_non_null(strstr(text, "\\xff\\xff\n"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_becomes_the_entry_that_its_signers_make_together),
        cmocka_unit_test(a_file_that_is_no_record_is_refused_with_its_line),
        cmocka_unit_test(no_more_lines_are_added_than_a_log_reads),
        cmocka_unit_test(a_record_is_taken_when_those_have_signed_that_have_to),
        cmocka_unit_test(a_status_is_not_for_people),
        cmocka_unit_test(outside_dev_waiting_times_count_from_the_next_full_hour),
        cmocka_unit_test(what_is_unusual_is_said),
        cmocka_unit_test(every_field_stands_in_the_words),
        cmocka_unit_test(every_byte_of_a_command_line_is_shown_as_itself),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
