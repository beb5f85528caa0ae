/* SPDX-License-Identifier: Apache-2.0 */
/* RIM files: XML that is read, and XML that is refused (docs/protocol/gpu.md). */
#include "harness.h"

#include "crypto.h"
#include "sim_gpu.h"

enum { NOW = 1780272000, BYTES_MAX = 1 << 17 };

static struct sim_gpu *gpu, *other;
static struct pp_gpu_anchors anchors;
static struct pp_rim_kept kept;
static char golden[BYTES_MAX]; /* a file that is fine, NUL-terminated */

static const struct sim_rim DRIVER = { .chip = "GH100",
                                       .version = "590.12",
                                       .active = SIM_RIM_DRIVER };

static struct pp_span write(const struct sim_gpu *by, const struct sim_rim *rim, char *ret)
{
    struct pp_wr wr = pp_wr_over(ret, BYTES_MAX - 1);

    assert_ok(sim_gpu_rim(by, rim, &wr));
    ret[wr.len] = '\0';
    return pp_span(ret, wr.len);
}

/* Whether or not a file was proven before: the same is said of it. */
static void assert_recalled(struct pp_span xml, const struct pp_rim *opened)
{
    struct pp_rim_roots keeping = anchors.rims;
    struct pp_rim own;
    const struct pp_rim *rim;

    keeping.kept = &kept;
    for (int again = 0; again < 2; again++) {
        assert_int_equal(pp_rim_recall(&keeping, xml, &own, &rim).code, opened->code);
        assert_int_equal(rim->code, opened->code);
        assert_true((rim == &own) == (opened->code != PP_E_OK));
        assert_memory_equal(rim->sha256, opened->sha256, sizeof rim->sha256);
        assert_string_equal(rim->problem.field, opened->problem.field);
        assert_string_equal(rim->problem.got, opened->problem.got);
        assert_true(rim->not_before == opened->not_before && rim->not_after == opened->not_after);
        assert_true(rim->active == opened->active && rim->hash_count == opened->hash_count);
        assert_true((rim->root == NULL) == (opened->root == NULL));
        pp_rim_done(&own);
    }
}

static uint32_t open_code(struct pp_span xml)
{
    struct pp_rim rim;
    pp_res r = pp_rim_open(&anchors.rims, xml, &rim);

    assert_int_equal(rim.code, r.code);
    assert_recalled(xml, &rim);
    assert_true(pp_is_ok(r) == (rim.problem.field[0] == '\0'));
    pp_rim_done(&rim);
    pp_rim_done(&rim);
    return r.code;
}

/* Refused for its form, and for this part of it. */
static void assert_names(struct pp_span xml, const char *field, const char *expected)
{
    struct pp_rim rim;

    assert_code(pp_rim_open(&anchors.rims, xml, &rim), PP_E_GPU_RIM_FORMAT);
    assert_string_equal(rim.problem.field, field);
    assert_string_equal(rim.problem.expected, expected);
    pp_rim_done(&rim);
}

/* The golden file with the first `from` behind `after` replaced. */
static uint32_t with(const char *after, const char *from, const char *to)
{
    static char text[2 * BYTES_MAX];
    const char *start = strstr(golden, after);
    const char *at = start == NULL ? NULL : strstr(start, from);

    assert_non_null(at);
    struct pp_wr wr = pp_wr_over(text, sizeof text);
    pp_wr_bytes(&wr, golden, (size_t)(at - golden));
    pp_wr_text(&wr, to);
    pp_wr_text(&wr, at + strlen(from));
    assert_ok(pp_wr_ok(&wr));
    return open_code(pp_wr_done(&wr));
}

#define assert_with(after, from, to, code)                                                         \
    assert_string_equal(pp_code_name(with(after, from, to)), pp_code_name(code))

/* The same, signed by the genuine signer after the change: what the vendor would have to sign. */
static uint32_t signed_with(const char *extra)
{
    static char text[BYTES_MAX];
    struct sim_rim rim = DRIVER;

    rim.extra = extra;
    return open_code(write(gpu, &rim, text));
}

static void a_file_is_read_into_fixed_values(void **state)
{
    (void)state;
    struct pp_rim rim;
    uint8_t hash[PP_GPU_HASH_BYTES], digest[PP_SHA256_BYTES];
    struct pp_span xml = pp_span_cstr(golden);

    assert_ok(pp_rim_open(&anchors.rims, xml, &rim));
    pp_sha256(xml, digest);
    assert_memory_equal(rim.sha256, digest, sizeof digest);
    assert_string_equal(rim.chip, "GH100");
    assert_string_equal(rim.version, "590.12");
    assert_true(rim.active == SIM_RIM_DRIVER);
    assert_int_equal(rim.hash_count, 21);
    for (size_t i = 0; i < PP_GPU_BLOCKS_MAX; i++) {
        assert_int_equal(rim.values[i].count, SIM_RIM_DRIVER >> i & 1);
        sim_gpu_measurement(i, hash);
        if (rim.values[i].count > 0)
            assert_memory_equal(rim.hashes[rim.values[i].first], hash, sizeof hash);
    }
    assert_int_equal(rim.cert_count, SIM_RIM_CERTS);
    assert_int_equal(rim.not_before, NOW);
    assert_int_equal(rim.not_after, NOW + 2 * 365 * 86400);
    assert_ptr_equal(rim.root, anchors.rims.labels[0]);
    pp_rim_done(&rim);
}

static void a_file_in_another_but_equal_form_is_the_same(void **state)
{
    (void)state;
    assert_with("", "<SoftwareIdentity",
                "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
                "<SoftwareIdentity",
                PP_E_OK);
    assert_with("", "<SoftwareIdentity",
                "<?xml version=\"1.0\" encoding=\"utf-16\"?>"
                "<SoftwareIdentity",
                PP_E_OK);
    assert_with("", "></ns0:Entity>", "/>", PP_E_OK);
    assert_with("", "index=\"9\" size=\"48\"", "size='48'   index='9'", PP_E_OK);
    assert_with("", "</SoftwareIdentity>", "</SoftwareIdentity >\n\n", PP_E_OK);
    assert_with("", "590.12", "5&#57;0.12", PP_E_OK); /* a character by number is that character */
}

static void every_changed_byte_of_a_file_is_refused_or_changes_nothing(void **state)
{
    (void)state;
    static char text[BYTES_MAX];
    size_t len = strlen(golden);

    memcpy(text, golden, len + 1);
    for (size_t at = 0; at < len; at += 131) {
        text[at] ^= 2;
        uint32_t code = open_code(pp_span(text, len));
        text[at] ^= 2;
        /* White space within Base64 is the one thing that nothing covers. */
        assert_true((code >= PP_E_GPU_RIM_FORMAT && code <= PP_E_GPU_RIM_CHAIN));
    }
    for (size_t n = 0; n < len - sizeof "</SoftwareIdentity>"; n += 997)
        assert_int_equal(open_code(pp_span(golden, n)), PP_E_GPU_RIM_FORMAT);
}

/* Declarations of types and entities, comments, sections, instructions: bombs and hiding places. */
static void only_elements_and_text_are_read(void **state)
{
    (void)state;
    assert_with("", "<SoftwareIdentity", "<!DOCTYPE SoftwareIdentity><SoftwareIdentity",
                PP_E_GPU_RIM_FORMAT);
    assert_with("", "<SoftwareIdentity",
                "<!DOCTYPE r [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\">]><SoftwareIdentity",
                PP_E_GPU_RIM_FORMAT);
    assert_with("", "<SoftwareIdentity",
                "<!DOCTYPE r SYSTEM \"file:///etc/passwd\"><SoftwareIdentity", PP_E_GPU_RIM_FORMAT);
    assert_with("", "<ns0:Payload>", "<!-- x --><ns0:Payload>", PP_E_GPU_RIM_FORMAT);
    assert_with("", "<ns0:Payload>", "<![CDATA[ ]]><ns0:Payload>", PP_E_GPU_RIM_FORMAT);
    assert_with("", "<ns0:Payload>", "<?x y?><ns0:Payload>", PP_E_GPU_RIM_FORMAT);
    assert_with("", "590.12", "&v;", PP_E_GPU_RIM_FORMAT);
    assert_with("", "590.12", "590.12\x80", PP_E_GPU_RIM_FORMAT); /* not UTF-8 */
    /* Beside the root element, where neither the digest nor a reader of elements finds them. */
    assert_with("", "<SoftwareIdentity", "<!-- x --><SoftwareIdentity", PP_E_GPU_RIM_FORMAT);
    assert_with("", "</SoftwareIdentity>", "</SoftwareIdentity><!-- x -->", PP_E_GPU_RIM_FORMAT);
    assert_with("", "<SoftwareIdentity", "<?x y?><SoftwareIdentity", PP_E_GPU_RIM_FORMAT);
    assert_with("", "</SoftwareIdentity>", "</SoftwareIdentity><?x y?>", PP_E_GPU_RIM_FORMAT);
    assert_int_equal(open_code(pp_span(golden, strlen(golden) + 1)), PP_E_GPU_RIM_FORMAT);
    assert_names(pp_span(golden, strlen(golden) + 1), "file", "UTF-8 text");
    assert_names(PP_STR(""), "file", "1 byte to 1 MiB");
    assert_int_equal(open_code(PP_STR("")), PP_E_GPU_RIM_FORMAT);
    assert_int_equal(open_code(PP_STR("<a/>")), PP_E_GPU_RIM_FORMAT);
    assert_int_equal(open_code(PP_STR("<a></b>")), PP_E_GPU_RIM_FORMAT);
    assert_int_equal(open_code(PP_STR("<a/>\0<a/>")), PP_E_GPU_RIM_FORMAT);
}

static void a_file_has_limits(void **state)
{
    (void)state;
    char *text = malloc(PP_RIM_BYTES_MAX + 2);
    struct pp_wr wr;

    assert_non_null(text);
    /* Too long by its white space alone, in pieces that are short enough. */
    memset(text, ' ', PP_RIM_BYTES_MAX + 1);
    assert_int_equal(open_code(pp_span(text, PP_RIM_BYTES_MAX + 1)), PP_E_GPU_RIM_FORMAT);

    /* One piece at its limit and one past it: white space behind the root element is no content. */
    size_t len = strlen(golden) - 1, last = sizeof "</SoftwareIdentity>" - 1;
    memcpy(text, golden, len);
    memset(text + len, ' ', 2 * PP_RIM_PIECE_BYTES_MAX);
    assert_int_equal(open_code(pp_span(text, len + PP_RIM_PIECE_BYTES_MAX - last)), PP_E_OK);
    assert_int_equal(open_code(pp_span(text, len + PP_RIM_PIECE_BYTES_MAX - last + 1)),
                     PP_E_GPU_RIM_FORMAT);

    /* All bytes and all tags that a file may have, and one more; an element without meaning, and
     * the white space in front of it, are under the digest. */
    const char *at = strstr(golden, "<ns0:Payload>");
    for (size_t more = 0; more < 2; more++) {
        size_t from = (size_t)(at - golden), behind = strlen(at);
        memcpy(text, golden, from);
        for (size_t n = PP_RIM_BYTES_MAX + more - behind; from < n;) {
            size_t piece = n - from < 8000 ? n - from : 8000;
            memset(text + from, ' ', piece);
            if (piece > 100)
                memcpy(text + from, "<ns0:Link/>", 11);
            from += piece;
        }
        memcpy(text + from, at, behind);
        assert_int_equal(open_code(pp_span(text, from + behind)),
                         more ? PP_E_GPU_RIM_FORMAT : PP_E_GPU_RIM_DIGEST);

        size_t tags = more;
        for (const char *p = golden; (p = strchr(p, '<')) != NULL; p++)
            tags++;
        wr = pp_wr_over(text, PP_RIM_BYTES_MAX);
        pp_wr_bytes(&wr, golden, (size_t)(at - golden));
        for (size_t n = PP_RIM_TAGS_MAX + 2 * more - tags; n > 0; n--)
            pp_wr_text(&wr, "<ns0:Link/>");
        pp_wr_text(&wr, at);
        assert_int_equal(open_code(pp_wr_done(&wr)),
                         more ? PP_E_GPU_RIM_FORMAT : PP_E_GPU_RIM_DIGEST);
    }

    /* A tag too many, and a depth that would exhaust a stack. */
    wr = pp_wr_over(text, PP_RIM_BYTES_MAX);
    for (int i = 0; i < PP_RIM_TAGS_MAX + 1; i++)
        pp_wr_text(&wr, "<a>");
    assert_int_equal(open_code(pp_wr_done(&wr)), PP_E_GPU_RIM_FORMAT);
    free(text);
}

static void more_than_256_values_are_refused(void **state)
{
    (void)state;
    static char text[BYTES_MAX];
    struct sim_rim rim = DRIVER;

    rim.active = 0xFFFFFFFF;
    rim.alternatives = 8; /* 32 x 8 */
    assert_int_equal(open_code(write(gpu, &rim, text)), PP_E_OK);
    rim.active = 0x1FFFFFFFF;
    assert_int_equal(open_code(write(gpu, &rim, text)), PP_E_GPU_RIM_FORMAT);
}

/* The values under another digest: each of them is what a wrapping attack wants to get read. */
static void w28_t5_a_changed_value_is_not_under_the_digest(void **state)
{
    (void)state;
    assert_with("", "active=\"True\"", "active=\"False\"", PP_E_GPU_RIM_DIGEST);
    assert_with("", "active=\"False\"", "active=\"True\"", PP_E_GPU_RIM_DIGEST);
    assert_with("", "590.12", "590.13", PP_E_GPU_RIM_DIGEST);
    assert_with("", "name=\"GH100\"", "name=\"GH200\"", PP_E_GPU_RIM_DIGEST);
    assert_with("", "<ns0:Payload>", "<ns0:Payload> ", PP_E_GPU_RIM_DIGEST);
    assert_with("", "<ns0:Payload>", "<ns0:Link></ns0:Link><ns0:Payload>", PP_E_GPU_RIM_DIGEST);
    assert_with("<ds:DigestValue>", ">", ">AAAA", PP_E_GPU_RIM_FORMAT);
}

/* The whole signed document as a part of another one, and a second signature beside the first. */
static void a_wrapped_signature_is_refused(void **state)
{
    (void)state;
    static char text[2 * BYTES_MAX];
    const char *signature = strstr(golden, "<ds:Signature ");
    const char *end = strstr(golden, "</SoftwareIdentity>");
    struct pp_wr wr = pp_wr_over(text, sizeof text);

    pp_wr_text(&wr, "<SoftwareIdentity "
                    "xmlns=\"http://standards.iso.org/iso/19770/-2/2015/schema.xsd\">");
    pp_wr_text(&wr, golden);
    pp_wr_text(&wr, "</SoftwareIdentity>");
    assert_int_equal(open_code(pp_wr_done(&wr)), PP_E_GPU_RIM_FORMAT);

    wr = pp_wr_over(text, sizeof text); /* twice the signature */
    pp_wr_bytes(&wr, golden, (size_t)(end - golden));
    pp_wr_bytes(&wr, signature, (size_t)(end - signature));
    pp_wr_text(&wr, end);
    assert_int_equal(open_code(pp_wr_done(&wr)), PP_E_GPU_RIM_FORMAT);

    wr = pp_wr_over(text, sizeof text); /* not a child of the root */
    pp_wr_bytes(&wr, golden, (size_t)(signature - golden));
    pp_wr_text(&wr, "<x>");
    pp_wr_bytes(&wr, signature, (size_t)(end - signature));
    pp_wr_text(&wr, "</x>");
    pp_wr_text(&wr, end);
    assert_int_equal(open_code(pp_wr_done(&wr)), PP_E_GPU_RIM_FORMAT);

    wr = pp_wr_over(text, sizeof text); /* none */
    pp_wr_bytes(&wr, golden, (size_t)(signature - golden));
    pp_wr_text(&wr, end);
    assert_int_equal(open_code(pp_wr_done(&wr)), PP_E_GPU_RIM_FORMAT);

    assert_with("", "<ds:Signature ", "<ds:Signature Id=\"a\" ", PP_E_GPU_RIM_FORMAT);
    assert_with("</ds:KeyInfo>", "</ds:KeyInfo>",
                "</ds:KeyInfo><ds:Object><ns0:Payload></ns0:Payload></ds:Object>",
                PP_E_GPU_RIM_FORMAT);
}

#define SHA384 "http://www.w3.org/2001/04/xmldsig-more#sha384"

static void the_algorithms_are_exactly_these(void **state)
{
    (void)state;
    static const char *const ends[] = { "xml-c14n11\"></ds:Canon", "ecdsa-sha384\"></ds:S",
                                        "enveloped-signature\"", "xml-c14n11\"></ds:Transform>",
                                        "sha384\"></ds:DigestMethod" };

    for (size_t i = 0; i < PP_ARRAY_COUNT(ends); i++) {
        char longer[64];
        struct pp_wr wr = pp_wr_over(longer, sizeof longer);
        pp_wr_text(&wr, "x");
        pp_wr_text(&wr, ends[i]);
        pp_wr_u8(&wr, 0);
        assert_ok(pp_wr_ok(&wr));
        assert_with("<ds:SignedInfo>", ends[i], longer, PP_E_GPU_RIM_FORMAT);
    }
    assert_with("<ds:SignedInfo>", "URI=\"\"", "URI=\"#a\"", PP_E_GPU_RIM_FORMAT);
    assert_with("<ds:SignedInfo>", " URI=\"\"", "", PP_E_GPU_RIM_FORMAT);
    assert_with("<ds:SignedInfo>", "URI=\"\"", "URI=\"\" Type=\"x\"", PP_E_GPU_RIM_FORMAT);
    assert_with("<ds:SignedInfo>", "></ds:DigestMethod>", ">x</ds:DigestMethod>",
                PP_E_GPU_RIM_FORMAT);
    assert_with("<ds:SignedInfo>", "</ds:Transforms>",
                "<ds:Transform Algorithm=\"http://www.w3.org/2006/12/xml-c14n11\">"
                "</ds:Transform></ds:Transforms>",
                PP_E_GPU_RIM_FORMAT);
    assert_with("<ds:SignedInfo>", "<ds:DigestMethod Algorithm=\"" SHA384 "\"></ds:DigestMethod>",
                "<ds:DigestMethods Algorithm=\"" SHA384 "\"></ds:DigestMethods>",
                PP_E_GPU_RIM_FORMAT);
    assert_with("", "<ds:SignedInfo>", "<ds:SignedInfo Id=\"a\">", PP_E_GPU_RIM_FORMAT);
    assert_with("", "<ds:SignedInfo>", "<ds:SignedInfo>x", PP_E_GPU_RIM_FORMAT);
    assert_with("", "</ds:SignedInfo>", "</ds:SignedInfo><ds:SignedInfo></ds:SignedInfo>",
                PP_E_GPU_RIM_FORMAT);
}

static void a_digest_and_a_signature_have_the_length_of_their_algorithm(void **state)
{
    (void)state;
    static const char *const begins[] = { "<ds:DigestValue>", "<ds:SignatureValue>" };
    static char text[BYTES_MAX];

    for (size_t i = 0; i < PP_ARRAY_COUNT(begins); i++) {
        char shorter[64];
        const char *at = strstr(golden, begins[i]);
        assert_non_null(at);
        snprintf(shorter, sizeof shorter, "%.*s", (int)strlen(begins[i]) + 4, at);
        assert_with("", shorter, begins[i], PP_E_GPU_RIM_FORMAT);
        assert_with("", begins[i], shorter, PP_E_GPU_RIM_FORMAT);
    }
    /* An element in the place of its text. */
    char *at = strstr(golden, begins[0]);
    struct pp_wr wr = pp_wr_over(text, sizeof text);
    pp_wr_bytes(&wr, golden, (size_t)(at - golden));
    pp_wr_text(&wr, "<ds:DigestValue><ds:X/>");
    pp_wr_text(&wr, strstr(at, "</ds:DigestValue>"));
    assert_names(pp_wr_done(&wr), "DigestValue", "Base64");
}

static void what_is_signed_has_a_canonical_form_of_at_most_4096_bytes(void **state)
{
    (void)state;
    static const char begin[] = "<SoftwareIdentity xmlns:z=\"urn:";
    char wide[sizeof begin + 4096 + 1];

    memcpy(wide, begin, sizeof begin - 1);
    memset(wide + sizeof begin - 1, 'a', 4096);
    memcpy(wide + sizeof wide - 2, "\"", 2);
    assert_with("", "<SoftwareIdentity", wide, PP_E_GPU_RIM_FORMAT);
    /* A namespace that is no absolute URI. */
    assert_with("", "<ns0:Payload>", "<ns0:Link xmlns:z=\"r\"></ns0:Link><ns0:Payload>",
                PP_E_GPU_RIM_FORMAT);
}

static void a_method_that_was_signed_but_is_not_ours_is_refused(void **state)
{
    (void)state;
    static char text[BYTES_MAX];
    struct sim_rim rim = DRIVER;

    rim.signature_method = "http://www.w3.org/2000/09/xmldsig#hmac-sha1";
    assert_int_equal(open_code(write(gpu, &rim, text)), PP_E_GPU_RIM_FORMAT);
}

static void signed_info_and_its_signature_belong_together(void **state)
{
    (void)state;
    static char text[BYTES_MAX];
    struct sim_rim rim = DRIVER;
    char *value;

    /* Another file's signature value over this file's digest. */
    rim.version = "590.13";
    (void)write(gpu, &rim, text);
    value = strstr(text, "<ds:SignatureValue>") + 19;
    char *ours = strstr(golden, "<ds:SignatureValue>") + 19;
    char keep[128];
    memcpy(keep, ours, sizeof keep);
    memcpy(ours, value, sizeof keep);
    assert_int_equal(open_code(pp_span_cstr(golden)), PP_E_GPU_RIM_SIGNATURE);
    memcpy(ours, keep, sizeof keep);
    assert_int_equal(open_code(pp_span_cstr(golden)), PP_E_OK);
    assert_with("<ds:SignatureValue>", "</ds:SignatureValue>", "AAAA</ds:SignatureValue>",
                PP_E_GPU_RIM_FORMAT);
}

static void the_chain_leads_from_the_signer_to_the_pinned_root(void **state)
{
    (void)state;
    static char text[BYTES_MAX];
    struct sim_rim rim = DRIVER;
    char *cert = strstr(golden, "<ds:X509Certificate>");
    char *second = strstr(cert + 1, "<ds:X509Certificate>");
    char *last = second;

    assert_int_equal(open_code(write(other, &rim, text)), PP_E_GPU_RIM_CHAIN);
    for (char *next = second; next != NULL; next = strstr(next + 1, "<ds:X509Certificate>"))
        last = next;
    struct pp_wr wr = pp_wr_over(text, sizeof text); /* without the root */
    pp_wr_bytes(&wr, golden, (size_t)(last - golden));
    pp_wr_text(&wr, strstr(last, "</ds:X509Data>"));
    assert_int_equal(open_code(pp_wr_done(&wr)), PP_E_GPU_RIM_CHAIN);
    wr = pp_wr_over(text, sizeof text); /* without the second */
    pp_wr_bytes(&wr, golden, (size_t)(second - golden));
    pp_wr_text(&wr, strstr(second + 1, "<ds:X509Certificate>"));
    assert_int_equal(open_code(pp_wr_done(&wr)), PP_E_GPU_RIM_CHAIN);
    wr = pp_wr_over(text, sizeof text); /* none */
    pp_wr_bytes(&wr, golden, (size_t)(cert - golden));
    pp_wr_text(&wr, strstr(last, "</ds:X509Data>"));
    assert_int_equal(open_code(pp_wr_done(&wr)), PP_E_GPU_RIM_FORMAT);
    wr = pp_wr_over(text, sizeof text); /* six */
    pp_wr_bytes(&wr, golden, (size_t)(second - golden));
    for (int i = 0; i < 2; i++)
        pp_wr_bytes(&wr, cert, (size_t)(second - cert));
    pp_wr_text(&wr, second);
    assert_int_equal(open_code(pp_wr_done(&wr)), PP_E_GPU_RIM_FORMAT);
}

static void without_roots_no_file_is_believed(void **state)
{
    (void)state;
    static const struct pp_rim_roots none;
    struct pp_rim rim;

    assert_code(pp_rim_open(&none, pp_span_cstr(golden), &rim), PP_E_GPU_RIM_CHAIN);
    pp_rim_done(&rim);
}

static void a_measurement_that_is_not_there_matches_nothing(void **state)
{
    (void)state;
    static struct pp_rim rim = { .active = 1, .hash_count = 1, .values = { { 0, 1 } } };
    static struct pp_gpu_report report; /* all zero, as the one accepted value is */

    assert_true(pp_rim_mismatches(&rim, &report) == 1);
    report.present = 1;
    assert_true(pp_rim_mismatches(&rim, &report) == 0);
}

static void there_are_two_roots_of_each_kind_at_most(void **state)
{
    (void)state;
    struct pp_gpu_anchors a = { 0 };
    const struct sim_gpu *both[] = { gpu, other };

    assert_ok(pp_gpu_anchors_add_nvidia(&a));
    for (size_t i = 0; i < 2; i++) {
        struct pp_span device = sim_gpu_cert(both[i], SIM_GPU_CERTS - 1);
        struct pp_span rim = sim_gpu_rim_cert(both[i], SIM_RIM_CERTS - 1);
        assert_code(pp_gpu_anchors_add_device(&a, device), i == 0 ? PP_E_OK : PP_E_TRUST);
        assert_code(pp_gpu_anchors_add_rim(&a, rim), i == 0 ? PP_E_OK : PP_E_TRUST);
    }
    pp_gpu_anchors_done(&a);
}

static size_t files_kept(void)
{
    size_t n = 0;

    for (size_t i = 0; i < PP_RIM_KEPT; i++)
        n += kept.files[i].used != 0;
    return n;
}

static void forget(void)
{
    struct pp_gpu_anchors nobody = { .rims = { .kept = &kept } };

    pp_gpu_anchors_done(&nobody);
    assert_int_equal(files_kept(), 0);
}

static void a_file_is_proven_once_and_kept_by_its_bytes(void **state)
{
    (void)state;
    static char text[BYTES_MAX];
    struct pp_rim_roots keeping = anchors.rims;
    struct pp_span xml = pp_span_cstr(golden);
    struct pp_rim own;
    const struct pp_rim *first, *second;

    keeping.kept = &kept;
    forget();
    memcpy(text, golden, xml.len);
    assert_ok(pp_rim_recall(&keeping, pp_span(text, xml.len), &own, &first));
    assert_int_equal(own.cert_count, 0); /* nothing of it is the caller's */
    memset(text, 'x', sizeof text);      /* nor of the caller's bytes in it */
    assert_ok(pp_rim_recall(&keeping, xml, &own, &second));
    assert_ptr_equal(first, second);
    assert_int_equal(files_kept(), 1);
    assert_string_equal(second->version, "590.12");
    assert_string_equal(second->root, anchors.rims.labels[0]);

    memcpy(text, golden, xml.len + 1); /* with its NUL, for strstr */
    *strstr(text, "590.12") = '6';
    assert_false(pp_is_ok(pp_rim_recall(&keeping, pp_span(text, xml.len), &own, &second)));
    assert_ptr_equal(second, &own);
    pp_rim_done(&own);
    assert_int_equal(files_kept(), 1); /* what failed is not kept */
    keeping.kept = NULL;
    assert_ok(pp_rim_recall(&keeping, xml, &own, &second));
    assert_ptr_equal(second, &own);
    pp_rim_done(&own);
}

static void a_kept_file_counts_under_its_root_alone(void **state)
{
    (void)state;
    struct pp_rim_roots none = { .kept = &kept };
    struct pp_rim own;
    const struct pp_rim *rim;

    assert_int_equal(open_code(pp_span_cstr(golden)), PP_E_OK);
    assert_true(files_kept() > 0);
    assert_code(pp_rim_recall(&none, pp_span_cstr(golden), &own, &rim), PP_E_GPU_RIM_CHAIN);
    assert_ptr_equal(rim, &own);
    pp_rim_done(&own);
}

/* Two files are in use at a time: the one that was used last does not give way to the other. */
static void the_file_that_was_not_used_for_longest_gives_way(void **state)
{
    (void)state;
    static char text[BYTES_MAX];
    struct pp_rim_roots keeping = anchors.rims;
    struct pp_rim own;
    const struct pp_rim *first, *next;

    keeping.kept = &kept;
    forget();
    assert_ok(pp_rim_recall(&keeping, pp_span_cstr(golden), &own, &first));
    for (size_t i = 0; i < 2 * PP_RIM_KEPT; i++) {
        char version[] = "600.00";
        version[5] = (char)('0' + i);
        struct sim_rim rim = { .chip = "GH100", .version = version, .active = SIM_RIM_DRIVER };
        assert_ok(pp_rim_recall(&keeping, write(gpu, &rim, text), &own, &next));
        assert_string_equal(next->version, version);
        assert_int_equal(files_kept(), i + 2 < PP_RIM_KEPT ? i + 2 : PP_RIM_KEPT);
        const struct pp_rim *again;
        assert_ok(pp_rim_recall(&keeping, pp_span_cstr(golden), &own, &again));
        assert_ptr_equal(again, first);
        assert_string_equal(next->version, version); /* still there */
    }
}

/* What the vendor signs is still held to its form. */
static void a_signed_file_of_another_form_is_refused(void **state)
{
    (void)state;
    static const char *const extras[] = {
        "<ns0:Payload></ns0:Payload>",
        "<ns0:Meta></ns0:Meta>",
        "words",
        "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"></ds:Signature>",
    };

    assert_int_equal(signed_with("<ns0:Link></ns0:Link>"), PP_E_OK); /* elements without meaning */
    for (size_t i = 0; i < PP_ARRAY_COUNT(extras); i++)
        assert_int_equal(signed_with(extras[i]), PP_E_GPU_RIM_FORMAT);
}

/* Form is looked at before the digest, so a change shows which rule refuses. */
static void a_resource_has_its_form(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to;
    } rows[] = {
        { "index=\"8\"", "index=\"7\"" }, /* w28: duplicate index */
        { "index=\"63\"", "index=\"64\"" },
        { "index=\"8\"", "index=\"08\"" },
        { "index=\"8\"", "index=\"\"" },
        { " index=\"8\"", "" },
        { "size=\"48\"", "size=\"47\"" },
        { "size=\"48\"", "size=\"49\"" },
        { " size=\"48\"", "" },
        { "type=\"Measurement\"", "type=\"measurement\"" },
        { " type=\"Measurement\"", "" },
        { "active=\"True\"", "active=\"true\"" },
        { " active=\"True\"", "" },
        { "alternatives=\"1\"", "alternatives=\"0\"" },
        { "alternatives=\"1\"", "alternatives=\"2\"" },
        { "alternatives=\"1\"", "alternatives=\"257\"" },
        { " alternatives=\"1\"", "" },
        { "alternatives=\"1\" index=\"9\" size=\"48\" type=\"Measurement\" ns2:Hash0",
          "alternatives=\"0\" index=\"9\" size=\"48\" type=\"Measurement\" Hash0" },
        { "ns2:Hash0=\"", "ns2:Hash1=\"\" ns2:Hash0=\"" },
        { "ns2:Hash0", "ns2:Hash1" },
        { "ns2:Hash0", "Hash0" },
        { "ns2:Hash0=\"", "ns2:Hash0=\"0" },
        { "ns2:Hash0=\"", "ns2:Hash0=\"g" },
        { "></ns0:Resource>", "><ns0:x></ns0:x></ns0:Resource>" },
        { "<ns0:Payload>", "<ns0:Payload>x" },
        { "<ns0:Payload>", "<ns0:Payload><ns0:Other></ns0:Other>" },
        { "ns1:FirmwareManufacturerId=\"5703\"", "ns1:FirmwareManufacturerId=\"5704\"" },
        { "ns1:FirmwareManufacturerId=\"5703\"", "FirmwareManufacturerId=\"5703\"" },
        { "colloquialVersion=\"590.12\"", "colloquialVersion=\"\"" },
        { "colloquialVersion=\"590.12\"", "colloquialVersion=\"59 0\"" },
        { "colloquialVersion=\"590.12\"",
          "colloquialVersion=\"12345678901234567890123456789012\"" },
        { " colloquialVersion=\"590.12\"", "" },
        { "name=\"GH100\"", "name=\"\"" },
        { "xmlns=\"http://standards.iso.org", "xmlns=\"https://standards.iso.org" },
        { "xmlns:ds=\"http:", "xmlns:ds=\"https:" },
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++)
        assert_with("", rows[i].from, rows[i].to, PP_E_GPU_RIM_FORMAT);
}

static void hexadecimal_of_either_case_is_the_same_value(void **state)
{
    (void)state;
    static char text[BYTES_MAX];

    memcpy(text, golden, strlen(golden) + 1);
    char *hash = strstr(text, "ns2:Hash0=\"") + 11;
    for (size_t i = 0; i < 96; i++)
        if (hash[i] >= 'a' && hash[i] <= 'f')
            hash[i] = (char)(hash[i] - 'a' + 'A');
    /* Another text, so another digest; but no other form. */
    assert_int_equal(open_code(pp_span_cstr(text)), PP_E_GPU_RIM_DIGEST);
}

static void a_file_without_an_active_measurement_is_refused(void **state)
{
    (void)state;
    static char text[BYTES_MAX];
    struct sim_rim rim = DRIVER;

    rim.active = 0;
    assert_int_equal(open_code(write(gpu, &rim, text)), PP_E_GPU_RIM_FORMAT);
}

static int setup(void **state)
{
    (void)state;
    if (!pp_is_ok(pp_crypto_init()) ||
        !pp_is_ok(sim_gpu_create(&(struct sim_gpu_making){ .now_s = NOW }, &gpu)) ||
        !pp_is_ok(sim_gpu_create(&(struct sim_gpu_making){ .now_s = NOW }, &other)) ||
        !pp_is_ok(pp_gpu_anchors_add_rim(&anchors, sim_gpu_rim_cert(gpu, 3))))
        return 1;
    (void)write(gpu, &DRIVER, golden);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    anchors.rims.kept = &kept; /* emptied with its roots */
    pp_gpu_anchors_done(&anchors);
    sim_gpu_free(gpu);
    sim_gpu_free(other);
    return 0;
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(a_file_is_read_into_fixed_values),
    cmocka_unit_test(a_file_in_another_but_equal_form_is_the_same),
    cmocka_unit_test(every_changed_byte_of_a_file_is_refused_or_changes_nothing),
    cmocka_unit_test(only_elements_and_text_are_read),
    cmocka_unit_test(a_file_has_limits),
    cmocka_unit_test(more_than_256_values_are_refused),
    cmocka_unit_test(w28_t5_a_changed_value_is_not_under_the_digest),
    cmocka_unit_test(a_wrapped_signature_is_refused),
    cmocka_unit_test(the_algorithms_are_exactly_these),
    cmocka_unit_test(a_digest_and_a_signature_have_the_length_of_their_algorithm),
    cmocka_unit_test(what_is_signed_has_a_canonical_form_of_at_most_4096_bytes),
    cmocka_unit_test(a_method_that_was_signed_but_is_not_ours_is_refused),
    cmocka_unit_test(signed_info_and_its_signature_belong_together),
    cmocka_unit_test(the_chain_leads_from_the_signer_to_the_pinned_root),
    cmocka_unit_test(without_roots_no_file_is_believed),
    cmocka_unit_test(a_measurement_that_is_not_there_matches_nothing),
    cmocka_unit_test(there_are_two_roots_of_each_kind_at_most),
    cmocka_unit_test(a_file_is_proven_once_and_kept_by_its_bytes),
    cmocka_unit_test(a_kept_file_counts_under_its_root_alone),
    cmocka_unit_test(the_file_that_was_not_used_for_longest_gives_way),
    cmocka_unit_test(a_signed_file_of_another_form_is_refused),
    cmocka_unit_test(a_resource_has_its_form),
    cmocka_unit_test(hexadecimal_of_either_case_is_the_same_value),
    cmocka_unit_test(a_file_without_an_active_measurement_is_refused),
};

int main(void)
{
    return cmocka_run_group_tests(TESTS, setup, teardown);
}
