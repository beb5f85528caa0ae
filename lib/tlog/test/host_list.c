/* SPDX-License-Identifier: Apache-2.0 */
/* The list of machines behind a host-set (docs/protocol/ledger.md, "The list of machines"). */
#include "record_test.h"

#include "host_list.h"

#define HEAD                                                                                       \
    "type host-list/v1\nledger " ORIGIN "\nnamespace " NAMESPACE "\nenvironment dev\nserial 3\n"   \
    "not-after 1728604800\nwhere https://hosts.example.org/3\n"
#define ID(c)                      c c c c c c c c c c c c c c c c
#define LONG(c)                    ID(c) ID(c) ID(c) ID(c) ID(c) ID(c) ID(c) ID(c)
#define SIX_IDS(c)                 ID(c) ID(c) ID(c) ID(c) ID(c) ID(c)
#define CUSTODY                    "sha256:" ID("ab") ID("ab")
#define ROW(platform, id, product) platform " " id " " product " " CUSTODY " 1700000000 1800000000"
#define GENOA                      ROW("snp", LONG("1"), "genoa") "\n"
#define TURIN                      ROW("snp", ID("2") ID("0") SIX_IDS("0"), "turin")
#define TDX                        ROW("tdx", LONG("3"), "tdx") " rack-7\n"
#define ALL                        HEAD GENOA TURIN "\n" TDX

enum { TIME = 1728000000 };

static struct pp_host_list list;

static pp_res read(const char *text)
{
    return pp_host_list_read(pp_span_cstr(text), &list, NULL, NULL);
}

static pp_res write_row(void *ctx, const struct pp_host_row *row)
{
    pp_host_row_write((struct pp_wr *)ctx, row);
    return PP_OK;
}

static void a_list_is_written_as_it_is_read(void **state)
{
    char text[4096], rows[4096];
    struct pp_wr wr = pp_wr_over(text, sizeof text), tail = pp_wr_over(rows, sizeof rows);

    (void)state;
    assert_ok(pp_host_list_read(PP_STR(ALL), &list, write_row, &tail));
    assert_int_equal(list.count, 3);
    assert_int_equal(list.serial, 3);
    assert_int_equal(list.environment, PP_RECORD_DEV);
    pp_host_list_write(&wr, &list);
    pp_wr_span(&wr, pp_wr_done(&tail));
    assert_true(pp_span_eq(pp_wr_done(&wr), PP_STR(ALL)));
    assert_ok(read(HEAD)); /* a new one has no machine yet */
    assert_int_equal(list.count, 0);
}

static void every_truncation_of_a_list_is_refused_or_a_shorter_list(void **state)
{
    static const char all[] = ALL;

    (void)state;
    for (size_t n = 0; n < sizeof all - 1; n++) {
        pp_res r = pp_host_list_read(pp_span(all, n), &list, NULL, NULL);
        int whole_lines = n >= sizeof HEAD - 1 && all[n - 1] == '\n';
        assert_int_equal(pp_is_ok(r), whole_lines);
    }
}

static void what_is_not_a_list_is_refused_with_its_line(void **state)
{
    static const struct {
        const char *text;
        enum pp_code code;
        uint32_t line;
    } rows[] = {
        { "type host-list/v2\n", PP_E_UNSUPPORTED, 1 },
        { HEAD TDX GENOA, PP_E_UNKNOWN_FIELD, 9 },
        { HEAD TURIN "\n" GENOA, PP_E_ORDER, 9 },
        { HEAD GENOA GENOA, PP_E_DUPLICATE, 9 },
        /* the same machine with another custody statement, or as another product */
        { HEAD GENOA ROW("snp", LONG("1"), "genoa") " z\n", PP_E_DUPLICATE, 9 },
        { HEAD ROW("snp", LONG("1"), "milan") "\n", PP_E_RANGE, 8 },
        { HEAD ROW("snp", LONG("1"), "rome") "\n", PP_E_RANGE, 8 },
        { HEAD ROW("snp", LONG("1"), "tdx") "\n", PP_E_MISMATCH, 8 },
        { HEAD ROW("tdx", LONG("1"), "genoa") "\n", PP_E_MISMATCH, 8 },
        { HEAD ROW("snp", LONG("1"), "turin") "\n", PP_E_RANGE, 8 }, /* 8 bytes, then zeros */
        { HEAD ROW("snp", LONG("0"), "genoa") "\n", PP_E_RANGE, 8 }, /* W10: a masked id */
        { HEAD ROW("snp", LONG("A"), "genoa") "\n", PP_E_FORMAT, 8 },
        { HEAD ROW("snp", ID("1"), "genoa") "\n", PP_E_FORMAT, 8 },
        { HEAD "snp " LONG("1") " genoa " CUSTODY " 1800000000 1800000000\n", PP_E_LEDGER_WINDOW,
          8 },
        { HEAD "snp " LONG("1") " genoa " CUSTODY " 1700000000\n", PP_E_FORMAT, 8 },
        { HEAD "snp " LONG("1") " genoa " ID("ab") ID("ab") " 1 2\n", PP_E_FORMAT, 8 },
        { HEAD ROW("snp", LONG("1"), "genoa") " two words\n", PP_E_FORMAT, 8 },
        { HEAD ROW("snp", LONG("1"), "genoa") " \n", PP_E_FORMAT, 8 },
        { HEAD GENOA "comment none\n", PP_E_UNKNOWN_FIELD, 9 },
        { HEAD GENOA "\n", PP_E_FORMAT, 9 },
    };

    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        pp_res r = read(rows[i].text);
        assert_int_equal(r.code, rows[i].code);
        assert_int_equal(r.detail, rows[i].line);
    }
}

/* W10: ids of products have their own form; a masked one is of no machine. */
static void w10_t5_a_masked_chip_id_is_not_registered(void **state)
{
    static const uint8_t zeros[PP_HOST_ID_BYTES];
    uint8_t id[PP_HOST_ID_BYTES + 1] = { 1 };
    struct pp_host h;

    (void)state;
    for (unsigned p = 0; p < PP_HOST_PRODUCTS; p++) {
        assert_code(pp_host_row_id((enum pp_host_product)p, PP_BYTES(zeros), &h), PP_E_RANGE);
        assert_code(pp_host_row_id((enum pp_host_product)p, PP_BYTES(id), &h), PP_E_RANGE);
        assert_ok(pp_host_row_id((enum pp_host_product)p, pp_span(id, 64), &h));
    }
    assert_ok(pp_host_row_id(PP_HOST_TURIN, pp_span(id, 8), &h));
    assert_code(pp_host_row_id(PP_HOST_TURIN, pp_span(id, 9), &h), PP_E_RANGE);
    assert_code(pp_host_row_id(PP_HOST_GENOA, pp_span(id, 8), &h), PP_E_RANGE);
    assert_ok(pp_host_row_id(PP_HOST_TDX_LINE, pp_span(id, 16), &h));
    assert_code(pp_host_row_id(PP_HOST_TDX_LINE, pp_span(id, 15), &h), PP_E_RANGE);
    id[63] = 1;
    assert_code(pp_host_row_id(PP_HOST_TURIN, pp_span(id, 64), &h), PP_E_RANGE);
}

static void a_note_has_a_limit(void **state)
{
    char text[1024];
    char note[PP_HOST_NOTE_MAX + 2] = { 0 };

    (void)state;
    memset(note, 'n', PP_HOST_NOTE_MAX);
    snprintf(text, sizeof text, "%s%s %s\n", HEAD, ROW("snp", LONG("1"), "genoa"), note);
    assert_ok(read(text));
    note[PP_HOST_NOTE_MAX] = 'n';
    snprintf(text, sizeof text, "%s%s %s\n", HEAD, ROW("snp", LONG("1"), "genoa"), note);
    assert_code(read(text), PP_E_LIMIT);
}

/* The ids are the numbers of the rows, which sort as they are. */
static size_t write_machines(char *text, uint32_t count)
{
    static const char zeros[] = ID("0") ID("0") ID("0") ID("0") ID("0") ID("0") ID("0");
    size_t len = sizeof HEAD - 1;

    memcpy(text, HEAD, len);
    for (uint32_t i = 1; i <= count; i++)
        len += (size_t)snprintf(text + len, PP_HOST_ROW_MAX, "snp %016x%s genoa %s 1 2\n", i, zeros,
                                CUSTODY);
    return len;
}

static void a_list_holds_as_many_machines_as_a_set(void **state)
{
    char *text = malloc(PP_HOST_LIST_BYTES_MAX);

    (void)state;
    assert_non_null(text);
    assert_ok(
        pp_host_list_read(pp_span(text, write_machines(text, PP_HOST_SET_MAX)), &list, NULL, NULL));
    assert_int_equal(list.count, PP_HOST_SET_MAX);
    pp_res r = pp_host_list_read(pp_span(text, write_machines(text, PP_HOST_SET_MAX + 1)), &list,
                                 NULL, NULL);
    assert_int_equal(r.code, PP_E_LIMIT);
    assert_int_equal(r.detail, 7 + PP_HOST_SET_MAX + 1);
    assert_code(
        pp_host_list_read(pp_span(text, (size_t)PP_HOST_LIST_BYTES_MAX + 1), &list, NULL, NULL),
        PP_E_LIMIT);
    free(text);
}

/* --- the record ----------------------------------------------------------------------------- */

static void the_record_follows_from_the_list(void **state)
{
    static struct pp_record r;
    struct pp_host hosts[3];
    struct pp_merkle_hash root;
    uint8_t id[PP_HOST_ID_BYTES] = { 0 };

    (void)state;
    assert_ok(pp_host_list_record(PP_STR(ALL), TIME, &r));
    assert_int_equal(r.host_set.count, 3);
    memset(id, 0x11, 64);
    assert_ok(pp_host_make(PP_HOST_SNP, PP_BYTES(id), &hosts[0]));
    memset(id, 0, 64);
    memset(id, 0x22, 8);
    assert_ok(pp_host_make(PP_HOST_SNP, PP_BYTES(id), &hosts[1]));
    memset(id, 0x33, 64);
    assert_ok(pp_host_make(PP_HOST_TDX, PP_BYTES(id), &hosts[2]));
    assert_ok(pp_hosts_root(hosts, 3, &root));
    assert_memory_equal(&root, &r.host_set.root, sizeof root);
    assert_ok(pp_host_list_check(PP_STR(ALL), &r));

    uint8_t text[4096];
    struct pp_wr wr = pp_wr_over(text, sizeof text);
    assert_ok(pp_record_write(&wr, &r));
}

/* B3: who reads the list sees the very list that was signed. */
static void another_list_than_the_record_s_is_refused(void **state)
{
    static struct pp_record r;
    static const char all[] = ALL;

    (void)state;
    assert_ok(pp_host_list_record(PP_STR(ALL), TIME, &r));
    assert_code(pp_host_list_check(PP_STR(HEAD GENOA), &r), PP_E_MISMATCH);
    assert_code(pp_host_list_check(PP_STR(HEAD), &r), PP_E_MISSING);
    for (size_t i = 0; i < sizeof all - 1; i++) {
        char other[sizeof all];

        memcpy(other, all, sizeof all);
        other[i] ^= 1;
        pp_res same = pp_host_list_check(pp_span(other, sizeof all - 1), &r);
        assert_false(pp_is_ok(same));
    }
    r.host_set.root.bytes[0] ^= 1;
    assert_code(pp_host_list_check(PP_STR(ALL), &r), PP_E_MISMATCH);
    r.host_set.root.bytes[0] ^= 1;
    r.host_set.count++;
    assert_code(pp_host_list_check(PP_STR(ALL), &r), PP_E_MISMATCH);
    r.host_set.count--;
    r.host_set.where = PP_STR("https://elsewhere.example");
    assert_code(pp_host_list_check(PP_STR(ALL), &r), PP_E_MISMATCH);
}

static void w10_t8_a_registration_that_is_over_is_in_no_set(void **state)
{
    static struct pp_record r;

    (void)state;
    assert_ok(pp_host_list_record(PP_STR(ALL), 1799999999, &r));
    assert_code(pp_host_list_record(PP_STR(ALL), 1800000000, &r), PP_E_LEDGER_WINDOW);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_is_written_as_it_is_read),
        cmocka_unit_test(every_truncation_of_a_list_is_refused_or_a_shorter_list),
        cmocka_unit_test(what_is_not_a_list_is_refused_with_its_line),
        cmocka_unit_test(w10_t5_a_masked_chip_id_is_not_registered),
        cmocka_unit_test(a_note_has_a_limit),
        cmocka_unit_test(a_list_holds_as_many_machines_as_a_set),
        cmocka_unit_test(the_record_follows_from_the_list),
        cmocka_unit_test(another_list_than_the_record_s_is_refused),
        cmocka_unit_test(w10_t8_a_registration_that_is_over_is_in_no_set),
    };

    return cmocka_run_group_tests(tests, test_init, NULL);
}
