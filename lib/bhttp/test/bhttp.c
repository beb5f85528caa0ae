/* SPDX-License-Identifier: Apache-2.0 */
/* Published messages run in `ppctl vectors bhttp`; here stand the limits and each way to be wrong.
 */
#include "harness.h"

#include "bhttp.h"
#include "bhttp_int.h"

/* RFC 9292, section 5.1, the known-length request. */
static const char GET_KNOWN[] =
    "0003474554056874747073000a2f68656c6c6f2e747874406c0a757365722d6167656e74346375726c2f372e"
    "31362e33206c69626375726c2f372e31362e33204f70656e53534c2f302e392e376c207a6c69622f312e322e"
    "3304686f73740f7777772e6578616d706c652e636f6d0f6163636570742d6c616e677561676506656e2c206d"
    "690000";

/* The same section's indeterminate-length form, with its ten bytes of padding. */
static const char GET_INDETERMINATE[] =
    "0203474554056874747073000a2f68656c6c6f2e7478740a757365722d6167656e74346375726c2f372e3136"
    "2e33206c69626375726c2f372e31362e33204f70656e53534c2f302e392e376c207a6c69622f312e322e3304"
    "686f73740f7777772e6578616d706c652e636f6d0f6163636570742d6c616e677561676506656e2c206d6900"
    "000000000000000000000000";

/* GET https://a/, no sections: tests append what they are about. */
#define GET_A "00034745540568747470730161012f"

static pp_res parse_hex(const char *hex, struct pp_bhttp *m)
{
    static uint8_t bytes[4096]; /* the message borrows from it */

    return pp_bhttp_parse(pp_span(bytes, pp_test_hex(hex, bytes, sizeof bytes)), m);
}

static void assert_span(struct pp_span s, const char *text)
{
    assert_true(pp_span_eq(s, pp_span_cstr(text)));
}

static void a_request_of_the_rfc_is_read_in_both_framings(void **state)
{
    (void)state;
    const char *const forms[] = { GET_KNOWN, GET_INDETERMINATE };

    for (size_t i = 0; i < 2; i++) {
        struct pp_bhttp m;
        struct pp_span value;
        assert_ok(parse_hex(forms[i], &m));
        assert_true(pp_bhttp_is_request(&m));
        assert_span(m.method, "GET");
        assert_span(m.scheme, "https");
        assert_span(m.authority, "");
        assert_span(m.path, "/hello.txt");
        assert_int_equal(m.header.count, 3);
        assert_int_equal(m.trailer.count, 0);
        assert_int_equal(m.content_len, 0);
        assert_ok(pp_bhttp_field(&m, m.header, PP_STR("host"), &value));
        assert_span(value, "www.example.com");
        assert_int_equal(m.exact, 1);
    }
}

/*
 * RFC 9292 3.8: the message may end before the trailer section, the content, and (as RFC 9458's
 * example does) the header section; everywhere else the end is too early.
 */
static void every_truncation_but_the_permitted_ones_is_refused(void **state)
{
    (void)state;
    /* POST https://a/ , x: 1 , "abc" , t: 2 ; known-length, then indeterminate. */
    static const struct {
        const char *hex;
        size_t whole[4]; /* lengths at which a message may end */
    } rows[] = {
        { "0004504f53540568747470730161012f0401780131036162630401740132", { 16, 21, 25, 30 } },
        { "0204504f53540568747470730161012f01780131000261620163000174013200", { 16, 21, 27, 32 } },
        /* 103 with a field, then 200 , x: 1 , "abc" , t: 2. */
        { "01406704016c017640c80401780131036162630401740132", { 10, 15, 19, 24 } },
        { "034067016c01760040c8017801310003616263000174013200", { 10, 15, 20, 25 } },
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        uint8_t bytes[64];
        size_t len = pp_test_hex(rows[i].hex, bytes, sizeof bytes);
        assert_int_equal(len, rows[i].whole[3]);
        for (size_t n = 0, k = 0; n <= len; n++) {
            struct pp_bhttp m = { .status = 999 };
            pp_res r = pp_bhttp_parse(pp_span(bytes, n), &m);
            if (n == rows[i].whole[k]) {
                assert_ok(r);
                assert_int_equal(m.exact, n == len); /* a shortened form is not the written one */
                assert_int_equal(m.header.count, k >= 1);
                assert_int_equal(m.content_len, k >= 2 ? 3 : 0);
                assert_int_equal(m.trailer.count, k >= 3);
                k++;
            } else {
                assert_code(r, PP_E_TRUNCATED);
                assert_int_equal(m.status, 999); /* nothing was written */
            }
        }
    }
}

static void padding_is_any_number_of_zeros_and_nothing_else(void **state)
{
    (void)state;
    uint8_t bytes[256] = { 0 };
    size_t len = pp_test_hex(GET_A "000000", bytes, sizeof bytes);
    struct pp_bhttp m;

    for (size_t n = len; n < sizeof bytes; n++)
        assert_ok(pp_bhttp_parse(pp_span(bytes, n), &m));
    for (size_t at = len; at < sizeof bytes; at++) {
        bytes[at] = 1;
        pp_res r = pp_bhttp_parse(PP_BYTES(bytes), &m);
        assert_code(r, PP_E_ENCODING);
        bytes[at] = 0;
    }
}

static void longer_varints_are_valid_but_not_exact(void **state)
{
    (void)state;
    /* The framing, each control length, each section length and the field lengths, one at a time.
     */
    static const char *const rows[] = {
        "4000034745540568747470730161012f04017801310000",
        "0040034745540568747470730161012f04017801310000",
        "00800000034745540568747470730161012f04017801310000",
        "0003474554c00000000000000568747470730161012f04017801310000",
        "0003474554056874747073400161012f04017801310000",
        "0003474554056874747073016140012f04017801310000",
        "00034745540568747470730161012f4004017801310000",
        "00034745540568747470730161012f0540017801310000",
        "00034745540568747470730161012f0501784001310000",
        "00034745540568747470730161012f0401780131400000",
        "00034745540568747470730161012f0401780131004000",
    };
    uint8_t want[64], out[64];
    size_t want_len = pp_test_hex("00034745540568747470730161012f04017801310000", want,
                                  sizeof want);

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        struct pp_bhttp m;
        struct pp_wr wr = pp_wr_over(out, sizeof out);
        assert_ok(parse_hex(rows[i], &m));
        assert_int_equal(m.exact, 0);
        assert_ok(pp_bhttp_write(&m, &wr));
        assert_int_equal(wr.len, want_len);
        assert_memory_equal(out, want, want_len);
    }
}

static void control_data_follows_the_rules_of_http_2(void **state)
{
    (void)state;
    static const struct {
        const char *method, *scheme, *authority, *path;
        uint32_t code;
    } rows[] = {
        { "POST", "https", "gw.example:8443", "/v1/sessions", PP_E_OK },
        { "OPTIONS", "https", "a", "*", PP_E_OK },
        { "GET", "http", "[2001:db8::1]:80", "/a?b=c&d=%20e", PP_E_OK },
        { "M-SEARCH", "coap+tcp", "", "/", PP_E_OK },
        { "", "https", "a", "/", PP_E_FORMAT },
        { "GE T", "https", "a", "/", PP_E_FORMAT },
        { "GET\r", "https", "a", "/", PP_E_FORMAT },
        { "CONNECT", "https", "a", "/", PP_E_UNSUPPORTED },
        { "GET", "", "a", "/", PP_E_FORMAT },
        { "GET", "1http", "a", "/", PP_E_FORMAT },
        { "GET", "ht:tp", "a", "/", PP_E_FORMAT },
        { "GET", "https", "user@a", "/", PP_E_FORMAT },
        { "GET", "https", "a/b", "/", PP_E_FORMAT },
        { "GET", "https", "a b", "/", PP_E_FORMAT },
        { "GET", "https", "a\n", "/", PP_E_FORMAT },
        { "GET", "https", "a", "", PP_E_FORMAT },
        { "GET", "https", "a", "v1", PP_E_FORMAT },
        { "GET", "https", "a", "**", PP_E_FORMAT },
        { "GET", "https", "a", "/a b", PP_E_FORMAT },
        { "GET", "https", "a", "/a#b", PP_E_FORMAT },
        { "GET", "https", "a", "/\x7f", PP_E_FORMAT },
        { "GET", "https", "a", "/\xc3\xa4", PP_E_FORMAT },
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        uint8_t bytes[256];
        struct pp_wr wr = pp_wr_over(bytes, sizeof bytes);
        struct pp_bhttp m = { .method = pp_span_cstr(rows[i].method),
                              .scheme = pp_span_cstr(rows[i].scheme),
                              .authority = pp_span_cstr(rows[i].authority),
                              .path = pp_span_cstr(rows[i].path) };
        pp_res written = pp_bhttp_write(&m, &wr);
        assert_code(written, rows[i].code);

        wr = pp_wr_over(bytes,
                        sizeof bytes); /* the reader refuses what the writer would not make */
        pp_wr_u8(&wr, 0);
        const struct pp_span parts[] = { m.method, m.scheme, m.authority, m.path };
        for (size_t k = 0; k < 4; k++) {
            pp_wr_varint(&wr, parts[k].len);
            pp_wr_span(&wr, parts[k]);
        }
        assert_ok(pp_wr_ok(&wr));
        assert_code(pp_bhttp_parse(pp_wr_done(&wr), &m), rows[i].code);
    }
}

static void field_names_and_values_follow_the_rules_of_http_2(void **state)
{
    (void)state;
    static const struct {
        struct pp_span name, value;
        uint32_t code, trailer_code;
    } rows[] = {
#define ROW(n, v, c, t)                                                                            \
    { { (const uint8_t *)(n), sizeof(n) - 1 }, { (const uint8_t *)(v), sizeof(v) - 1 }, c, t }
        ROW("a", "", PP_E_OK, PP_E_OK),
        ROW("x-!#$%&'*+-.^_`|~09z", "inner space\tand tab", PP_E_OK, PP_E_OK),
        ROW("a", "\x01\x7f\xff", PP_E_OK, PP_E_OK),
        ROW(":protocol", "x", PP_E_OK, PP_E_FORMAT),
        ROW("", "x", PP_E_FORMAT, PP_E_FORMAT),
        ROW("Host", "x", PP_E_FORMAT, PP_E_FORMAT),
        ROW("a b", "x", PP_E_FORMAT, PP_E_FORMAT),
        ROW("a:", "x", PP_E_FORMAT, PP_E_FORMAT),
        ROW("a\0", "x", PP_E_FORMAT, PP_E_FORMAT),
        ROW("\xc3\xa4", "x", PP_E_FORMAT, PP_E_FORMAT),
        ROW(":", "x", PP_E_FORMAT, PP_E_FORMAT),
        ROW(":Protocol", "x", PP_E_FORMAT, PP_E_FORMAT),
        ROW(":method", "x", PP_E_FORMAT, PP_E_FORMAT),
        ROW(":scheme", "x", PP_E_FORMAT, PP_E_FORMAT),
        ROW(":authority", "x", PP_E_FORMAT, PP_E_FORMAT),
        ROW(":path", "x", PP_E_FORMAT, PP_E_FORMAT),
        ROW(":status", "x", PP_E_FORMAT, PP_E_FORMAT),
        ROW("a", " x", PP_E_FORMAT, PP_E_FORMAT),
        ROW("a", "x ", PP_E_FORMAT, PP_E_FORMAT),
        ROW("a", "\tx", PP_E_FORMAT, PP_E_FORMAT),
        ROW("a", "x\t", PP_E_FORMAT, PP_E_FORMAT),
        ROW("a", " ", PP_E_FORMAT, PP_E_FORMAT),
        ROW("a", "x\0y", PP_E_FORMAT, PP_E_FORMAT),
        ROW("a", "x\ry", PP_E_FORMAT, PP_E_FORMAT),
        ROW("a", "x\ny", PP_E_FORMAT, PP_E_FORMAT),
    };
#undef ROW

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows) * 2; i++) {
        int trailer = i % 2 == 1;
        uint32_t code = trailer ? rows[i / 2].trailer_code : rows[i / 2].code;
        struct pp_span name = rows[i / 2].name, value = rows[i / 2].value;
        uint8_t bytes[256];
        struct pp_wr wr = pp_wr_over(bytes, sizeof bytes);
        struct pp_bhttp m = { .framing = PP_BHTTP_RESPONSE, .status = 200 };

        assert_ok(pp_bhttp_add(&m, trailer ? &m.trailer : &m.header, name, value));
        assert_code(pp_bhttp_write(&m, &wr), code);

        uint8_t start[] = { 0x01, 0x40, 0xc8 };
        wr = pp_wr_over(bytes, sizeof bytes);
        pp_wr_bytes(&wr, start, sizeof start);
        if (trailer)
            pp_wr_zeros(&wr, 2);
        pp_wr_varint(&wr, name.len + value.len + 2);
        pp_wr_varint(&wr, name.len);
        pp_wr_span(&wr, name);
        pp_wr_varint(&wr, value.len);
        pp_wr_span(&wr, value);
        assert_ok(pp_wr_ok(&wr));
        assert_code(pp_bhttp_parse(pp_wr_done(&wr), &m), code);
    }
}

/* What stands behind an empty value is not part of it. */
static void an_empty_value_is_one(void **state)
{
    (void)state;
    const struct pp_bhttp_field f = { PP_STR("a"), pp_span(" ", 0) };
    int normal_seen = 0;

    assert_ok(pp_bhttp_check_field(&f, 0, &normal_seen));
}

static void a_pseudo_field_behind_another_field_is_refused(void **state)
{
    (void)state;
    struct pp_bhttp m;

    assert_ok(parse_hex(GET_A "09023a61017801610130", &m)); /* :a x, a 0 */
    assert_code(parse_hex(GET_A "0901610130023a610178", &m), PP_E_ORDER);

    /* Each section starts anew: the informational response's fields do not count. */
    assert_ok(parse_hex("014064040161013040c805023a610178", &m));
}

static void the_status_is_100_to_599_and_the_last_one_final(void **state)
{
    (void)state;
    struct pp_bhttp m;
    static const struct {
        const char *hex;
        uint32_t code;
    } rows[] = {
        { "0140c8", PP_E_OK },
        { "014257", PP_E_OK },
        { "0164040040c8", PP_E_OK },
        { "014063", PP_E_RANGE },
        { "0100", PP_E_RANGE },
        { "014258", PP_E_RANGE },
        { "017fff", PP_E_RANGE },
        { "01ffffffffffffffff", PP_E_RANGE },
        { "0140640040650040c7", PP_E_TRUNCATED }, /* 199 is informational too */
        { "014064", PP_E_TRUNCATED },
        { "01406400", PP_E_TRUNCATED },
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++)
        if (i != 2)
            assert_code(parse_hex(rows[i].hex, &m), rows[i].code);
    assert_ok(parse_hex("0140640040660040c8", &m));
    assert_int_equal(m.informational_count, 2);
    assert_int_equal(m.informational[0].status, 100);
    assert_int_equal(m.informational[1].status, 102);
    assert_int_equal(m.status, 200);
}

static void framings_past_the_fourth_are_refused(void **state)
{
    (void)state;
    struct pp_bhttp m;

    assert_code(parse_hex("04", &m), PP_E_UNSUPPORTED);
    assert_code(parse_hex("3f40c8", &m), PP_E_UNSUPPORTED);
    assert_code(parse_hex("c00000010000000040c8", &m), PP_E_UNSUPPORTED); /* low 32 bits are 0 */
    assert_code(parse_hex("", &m), PP_E_TRUNCATED);
}

static void lengths_past_the_end_are_not_believed(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "0004474554",                             /* method */
        "00ffffffffffffffff474554",               /* 2^62 - 1 */
        "0003474554c000000100000000687474707300", /* 2^32: the low half is 0 */
        GET_A "0501780131",                       /* section */
        GET_A "ffffffffffffffff0178013100",       /* section, 2^62 - 1 */
        GET_A "030178036162630000",               /* a value past its section */
        GET_A "0301ffffffff",                     /* a name past its section */
        GET_A "000a616263",                       /* content */
        GET_A "00ffffffffffffffff616263",         /* content, 2^62 - 1 */
        "0340c800056162",                         /* a chunk */
        "0340c800ffffffffffffffff6162",           /* a chunk, 2^62 - 1 */
        "0340c800026162",                         /* no end of the chunks */
        "0340c801780131",                         /* no end of the section */
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        struct pp_bhttp m;
        assert_code(parse_hex(rows[i], &m), PP_E_TRUNCATED);
    }
}

/* A message with `informational` 100s, `fields` fields of `value_len` bytes, in the framing. */
static struct pp_span make(enum pp_bhttp_framing framing, size_t informational, size_t fields,
                           size_t value_len, size_t padding)
{
    static uint8_t bytes[PP_BHTTP_BYTES_MAX + 4096], value[PP_BHTTP_SECTION_BYTES_MAX + 1];
    struct pp_wr wr = pp_wr_over(bytes, sizeof bytes);
    struct pp_wr section = pp_wr_over(bytes + sizeof bytes / 2, sizeof bytes / 2);

    memset(value, 'v', sizeof value);
    pp_wr_varint(&wr, (uint64_t)framing);
    for (size_t i = 0; i < informational; i++) {
        pp_wr_varint(&wr, 100);
        pp_wr_varint(&wr, 0);
    }
    pp_wr_varint(&wr, 200);
    for (size_t i = 0; i < fields; i++) {
        pp_wr_varint(&section, 1);
        pp_wr_u8(&section, 'n');
        pp_wr_varint(&section, value_len);
        pp_wr_bytes(&section, value, value_len);
    }
    if (framing == PP_BHTTP_RESPONSE)
        pp_wr_varint(&wr, section.len);
    pp_wr_span(&wr, pp_wr_done(&section));
    if (framing != PP_BHTTP_RESPONSE)
        pp_wr_varint(&wr, 0);
    pp_wr_zeros(&wr, 2 + padding);
    assert_ok(pp_wr_ok(&wr));
    return pp_wr_done(&wr);
}

static void every_limit_holds_and_one_past_it_is_refused(void **state)
{
    (void)state;
    static struct pp_bhttp m;
    const size_t value_max = PP_BHTTP_SECTION_BYTES_MAX - 2 - 4; /* name, and a length of 4 bytes */

    for (int k = 0; k < 2; k++) {
        enum pp_bhttp_framing f = k == 0 ? PP_BHTTP_RESPONSE : PP_BHTTP_RESPONSE_INDETERMINATE;
        assert_ok(pp_bhttp_parse(make(f, 0, PP_BHTTP_FIELDS_MAX, 3, 0), &m));
        assert_int_equal(m.field_count, PP_BHTTP_FIELDS_MAX);
        assert_code(pp_bhttp_parse(make(f, 0, PP_BHTTP_FIELDS_MAX + 1, 3, 0), &m), PP_E_LIMIT);
        assert_ok(pp_bhttp_parse(make(f, PP_BHTTP_INFORMATIONAL_MAX, 0, 0, 0), &m));
        assert_code(pp_bhttp_parse(make(f, PP_BHTTP_INFORMATIONAL_MAX + 1, 0, 0, 0), &m),
                    PP_E_LIMIT);
        assert_ok(pp_bhttp_parse(make(f, 0, 1, value_max, 0), &m));
        assert_code(pp_bhttp_parse(make(f, 0, 1, value_max + 1, 0), &m), PP_E_LIMIT);
        size_t bare = make(f, 0, 0, 0, 0).len;
        assert_ok(pp_bhttp_parse(make(f, 0, 0, 0, PP_BHTTP_BYTES_MAX - bare), &m));
        assert_code(pp_bhttp_parse(make(f, 0, 0, 0, PP_BHTTP_BYTES_MAX - bare + 1), &m),
                    PP_E_LIMIT);
    }
}

static void the_writer_keeps_the_same_limits(void **state)
{
    (void)state;
    static uint8_t out[PP_BHTTP_BYTES_MAX + 4096], value[PP_BHTTP_SECTION_BYTES_MAX];
    static uint8_t content[PP_BHTTP_BYTES_MAX];
    const size_t value_max = PP_BHTTP_SECTION_BYTES_MAX - 2 - 4;

    memset(value, 'v', sizeof value);
    for (size_t extra = 0; extra < 2; extra++) {
        struct pp_bhttp m = { .framing = PP_BHTTP_RESPONSE, .status = 200 };
        struct pp_wr wr = pp_wr_over(out, sizeof out);
        assert_ok(pp_bhttp_add(&m, &m.header, PP_STR("n"), pp_span(value, value_max + extra)));
        assert_code(pp_bhttp_write(&m, &wr), extra == 0 ? PP_E_OK : PP_E_LIMIT);

        m = (struct pp_bhttp){ .framing = PP_BHTTP_RESPONSE, .status = 200 };
        wr = pp_wr_over(out, sizeof out);
        pp_bhttp_set_content(&m, pp_span(content, sizeof content - 9 + extra));
        assert_code(pp_bhttp_write(&m, &wr), extra == 0 ? PP_E_OK : PP_E_LIMIT);
        if (extra == 0)
            assert_int_equal(wr.len, PP_BHTTP_BYTES_MAX);
    }
    struct pp_bhttp m = { .framing = PP_BHTTP_RESPONSE, .status = 200 };
    for (size_t i = 0; i < PP_BHTTP_FIELDS_MAX; i++)
        assert_ok(pp_bhttp_add(&m, &m.header, PP_STR("n"), PP_STR("")));
    assert_code(pp_bhttp_add(&m, &m.header, PP_STR("n"), PP_STR("")), PP_E_LIMIT);
}

static void the_writer_writes_no_status_that_a_reader_refuses(void **state)
{
    (void)state;
    static const uint32_t rows[][2] = { { 200, 102 }, { 599, 199 }, { 199, 102 },
                                        { 600, 102 }, { 200, 99 },  { 200, 200 } };
    uint8_t out[64];

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        struct pp_bhttp m = { .framing = PP_BHTTP_RESPONSE,
                              .status = rows[i][0],
                              .informational_count = 1 };
        struct pp_wr wr = pp_wr_over(out, sizeof out);
        m.informational[0].status = rows[i][1];
        assert_code(pp_bhttp_write(&m, &wr), i < 2 ? PP_E_OK : PP_E_RANGE);
    }
}

static void a_written_message_reads_back_in_every_framing(void **state)
{
    (void)state;
    for (uint32_t framing = 0; framing < 4; framing++) {
        uint8_t out[256], content[16];
        struct pp_wr wr = pp_wr_over(out, sizeof out);
        struct pp_bhttp m = { .framing = (enum pp_bhttp_framing)framing }, back;

        if (pp_bhttp_is_request(&m)) {
            m.method = PP_STR("POST");
            m.scheme = PP_STR("https");
            m.path = PP_STR("/v1/sessions");
        } else {
            m.status = 200;
            m.informational[m.informational_count++].status = 103;
            assert_ok(pp_bhttp_add(&m, &m.informational[0].header, PP_STR("link"), PP_STR("</>")));
        }
        assert_ok(pp_bhttp_add(&m, &m.header, PP_STR("pp-max"), PP_STR("4")));
        assert_ok(pp_bhttp_add(&m, &m.trailer, PP_STR("t"), PP_STR("")));
        pp_bhttp_set_content(&m, PP_STR("tls bytes"));
        assert_ok(pp_bhttp_write_padded(&m, 200, &wr));
        assert_int_equal(wr.len, 200);

        assert_ok(pp_bhttp_parse(pp_wr_done(&wr), &back));
        assert_int_equal(back.exact, 1);
        assert_int_equal(back.framing, framing);
        assert_int_equal(back.informational_count, m.informational_count);
        assert_int_equal(back.header.count, 1);
        assert_int_equal(back.trailer.count, 1);
        struct pp_wr joined = pp_wr_over(content, sizeof content);
        pp_bhttp_content_copy(&back, &joined);
        assert_int_equal(back.content_len, 9);
        assert_true(pp_span_eq(pp_wr_done(&joined), PP_STR("tls bytes")));
    }
}

static void chunks_join_to_one_content(void **state)
{
    (void)state;
    struct pp_bhttp m;
    uint8_t joined[16], out[64];
    struct pp_wr wr = pp_wr_over(joined, sizeof joined);

    assert_ok(parse_hex("0340c800026162400163036465660000", &m));
    assert_int_equal(m.content_len, 6);
    assert_int_equal(m.exact, 0); /* the second chunk's length is long */
    pp_bhttp_content_copy(&m, &wr);
    assert_true(pp_span_eq(pp_wr_done(&wr), PP_STR("abcdef")));

    m.framing = PP_BHTTP_RESPONSE; /* and can be written as a known-length message */
    wr = pp_wr_over(out, sizeof out);
    assert_ok(pp_bhttp_write(&m, &wr));
    assert_hex(out, wr.len, "0140c8000661626364656600");
}

static void padding_reaches_an_exact_total_or_fails(void **state)
{
    (void)state;
    struct pp_bhttp m = { .framing = PP_BHTTP_RESPONSE, .status = 200 };
    uint8_t out[32];

    for (size_t total = 0; total <= sizeof out + 1; total++) {
        struct pp_wr wr = pp_wr_over(out, sizeof out);
        pp_res r = pp_bhttp_write_padded(&m, total, &wr);
        uint32_t code = total < 6 ? PP_E_RANGE : total > sizeof out ? PP_E_NO_SPACE : PP_E_OK;
        assert_code(r, code);
    }
    struct pp_wr wr = pp_wr_over(out, sizeof out);
    pp_wr_text(&wr, "before"); /* the total counts the message alone */
    assert_ok(pp_bhttp_write_padded(&m, 10, &wr));
    assert_int_equal(wr.len, 16);
    assert_code(pp_bhttp_write_padded(&m, PP_BHTTP_BYTES_MAX + 1, &wr), PP_E_LIMIT);
}

static void a_field_is_found_once_or_not_at_all(void **state)
{
    (void)state;
    struct pp_bhttp m = { .framing = PP_BHTTP_RESPONSE, .status = 200 };
    struct pp_span value = PP_STR("untouched");

    assert_ok(pp_bhttp_add(&m, &m.header, PP_STR("a"), PP_STR("1")));
    assert_ok(pp_bhttp_add(&m, &m.header, PP_STR("b"), PP_STR("2")));
    assert_ok(pp_bhttp_add(&m, &m.header, PP_STR("b"), PP_STR("2")));
    assert_ok(pp_bhttp_add(&m, &m.trailer, PP_STR("a"), PP_STR("3")));
    assert_code(pp_bhttp_field(&m, m.header, PP_STR("b"), &value), PP_E_DUPLICATE);
    assert_code(pp_bhttp_field(&m, m.header, PP_STR("c"), &value), PP_E_MISSING);
    assert_span(value, "untouched");
    assert_ok(pp_bhttp_field(&m, m.header, PP_STR("a"), &value));
    assert_span(value, "1");
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(a_request_of_the_rfc_is_read_in_both_framings),
    cmocka_unit_test(every_truncation_but_the_permitted_ones_is_refused),
    cmocka_unit_test(padding_is_any_number_of_zeros_and_nothing_else),
    cmocka_unit_test(longer_varints_are_valid_but_not_exact),
    cmocka_unit_test(control_data_follows_the_rules_of_http_2),
    cmocka_unit_test(field_names_and_values_follow_the_rules_of_http_2),
    cmocka_unit_test(an_empty_value_is_one),
    cmocka_unit_test(a_pseudo_field_behind_another_field_is_refused),
    cmocka_unit_test(the_status_is_100_to_599_and_the_last_one_final),
    cmocka_unit_test(framings_past_the_fourth_are_refused),
    cmocka_unit_test(lengths_past_the_end_are_not_believed),
    cmocka_unit_test(every_limit_holds_and_one_past_it_is_refused),
    cmocka_unit_test(the_writer_keeps_the_same_limits),
    cmocka_unit_test(the_writer_writes_no_status_that_a_reader_refuses),
    cmocka_unit_test(a_written_message_reads_back_in_every_framing),
    cmocka_unit_test(chunks_join_to_one_content),
    cmocka_unit_test(padding_reaches_an_exact_total_or_fails),
    cmocka_unit_test(a_field_is_found_once_or_not_at_all),
};

PP_TEST_MAIN(TESTS)
