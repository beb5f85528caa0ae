/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NVIDIA GPU evidence: case folders (report.bin, chain.pem, expect.json), broken chains, RIM files
 * with what stands in them (NAME and NAME.expect.json), pinned certificates, and another parser's
 * output.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "gpu_verify.h"
#include "topics.h"

enum { FILE_BYTES_MAX = 1 << 20, PATH_BYTES_MAX = 4096, DAY_S = 86400 };

static const struct {
    const char *name;
    size_t type;
} FIELD_NAMES[] = {
    { "CERT_ISSUER_NAME", 1 },
    { "CERT_AUTHORITY_KEY_IDENTIFIER", 2 },
    { "DRIVER_VERSION", PP_GPU_FIELD_DRIVER_VERSION },
    { "GPU_INFO", 4 },
    { "SKU", 5 },
    { "VBIOS_VERSION", PP_GPU_FIELD_VBIOS_VERSION },
    { "MANUFACTURER_ID", 7 },
    { "TAMPER_DETECTION", 8 },
    { "SMC", 9 },
    { "VPR", 10 },
    { "NVDEC0_STATUS", PP_GPU_FIELD_NVDEC0_STATUS },
    { "MSRSCNT", 12 },
    { "CPRINFO", 13 },
    { "BOARD_ID", PP_GPU_FIELD_BOARD_ID },
    { "CHIP_SKU", PP_GPU_FIELD_CHIP_SKU },
    { "CHIP_SKU_MOD", PP_GPU_FIELD_CHIP_SKU_MOD },
    { "PROJECT", PP_GPU_FIELD_PROJECT },
    { "PROJECT_SKU", PP_GPU_FIELD_PROJECT_SKU },
    { "PROJECT_SKU_MOD", PP_GPU_FIELD_PROJECT_SKU_MOD },
    { "FWID", PP_GPU_FIELD_FWID },
    { "PROTECTED_PCIE_STATUS", PP_GPU_FIELD_PROTECTED_PCIE_STATUS },
    { "SWITCH_PDI", 22 },
    { "FLOORSWEPT_PORTS", 23 },
    { "POSITION_ID", 24 },
    { "LOCK_SWITCH_STATUS", 25 },
    { "GPU_LINK_CONN", 32 },
    { "SYS_ENABLE_STATUS", 33 },
    { "OPAQUE_DATA_VERSION", 34 },
    { "CHIP_INFO", 35 },
    { "FEATURE_FLAG", PP_GPU_FIELD_FEATURE_FLAG },
};

static size_t field_type(const char *name)
{
    for (size_t i = 0; i < PP_ARRAY_COUNT(FIELD_NAMES); i++)
        if (strcmp(FIELD_NAMES[i].name, name) == 0)
            return FIELD_NAMES[i].type;
    return 0;
}

static const char *text(const json_t *object, const char *member)
{
    return json_string_value(json_object_get(object, member));
}

static int load(const char *folder, const char *name, struct pp_buf *ret)
{
    char path[PATH_BYTES_MAX];

    return snprintf(path, sizeof path, "%s/%s", folder, name) < (int)sizeof path &&
           pp_is_ok(pp_file_read(AT_FDCWD, path, FILE_BYTES_MAX, ret));
}

/* --- comparison of one value with what a case says -------------------------------------------- */

struct rows {
    struct vectors *v;
    const char *file;
};

/* A member that is absent asks for nothing. */
static void same_number(const struct rows *r, const json_t *expect, const char *member,
                        uint64_t got)
{
    const json_t *value = json_object_get(expect, member);

    if (value == NULL)
        return;
    if (json_is_integer(value) && (uint64_t)json_integer_value(value) == got)
        vectors_pass(r->v, r->file, member);
    else
        vectors_fail(r->v, r->file, member, "got %llu", (unsigned long long)got);
}

static void same_text(const struct rows *r, const json_t *expect, const char *member,
                      const char *got)
{
    const char *value = text(expect, member);

    if (json_object_get(expect, member) == NULL)
        return;
    if (value != NULL && strcmp(value, got) == 0)
        vectors_pass(r->v, r->file, member);
    else
        vectors_fail(r->v, r->file, member, "got %s", got);
}

/* "00ff", or a beginning of it: "00ff...256", where 256 bytes are meant; or with 0x in front. */
static int is_hex_of(const char *hex, struct pp_span got)
{
    char full[2 * PP_GPU_OPAQUE_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(full, sizeof full);

    if (hex == NULL)
        return 0;
    hex += strncmp(hex, "0x", 2) == 0 ? 2 : 0;
    pp_wr_hex(&wr, got);
    const char *dots = strstr(hex, "...");
    size_t len = dots == NULL ? strlen(hex) : (size_t)(dots - hex);
    return pp_is_ok(pp_wr_ok(&wr)) && len <= wr.len && memcmp(full, hex, len) == 0 &&
           (dots == NULL ? len == wr.len : strtoul(dots + 3, NULL, 10) == got.len);
}

static void same_bytes(const struct rows *r, const json_t *expect, const char *member,
                       struct pp_span got)
{
    const char *value = text(expect, member);

    if (json_object_get(expect, member) == NULL || json_is_null(json_object_get(expect, member)))
        return;
    if (is_hex_of(value, got))
        vectors_pass(r->v, r->file, member);
    else
        vectors_fail(r->v, r->file, member, "other bytes");
}

/* A beginning of the bytes. */
static int begins_with(struct pp_span bytes, const char *hex)
{
    size_t len = hex == NULL ? 0 : strlen(hex) / 2;

    return hex != NULL && len <= bytes.len && is_hex_of(hex, pp_span(bytes.at, len));
}

/* --- evidence --------------------------------------------------------------------------------- */

struct gpu_case {
    struct rows rows;
    const char *folder, *name;
    struct pp_buf report, chain;
    struct pp_x509_pem pem;
    struct pp_gpu_anchors anchors;
    struct pp_gpu_policy policy;
    struct pp_gpu_evidence evidence;
    uint8_t nonce[PP_GPU_NONCE_BYTES];
    struct pp_rim rims[2];
    uint64_t posix_s;
    pp_res verdict;
    struct pp_gpu_checks checks;
};

static void case_done(struct gpu_case *c)
{
    pp_buf_done(&c->report);
    pp_buf_done(&c->chain);
    pp_x509_pem_free(&c->pem);
    pp_gpu_anchors_done(&c->anchors);
    pp_rim_done(&c->rims[0]);
    pp_rim_done(&c->rims[1]);
}

/* When the last of all certificates began to be valid. */
static uint64_t time_inside(const struct gpu_case *c)
{
    uint64_t at = 0;

    for (size_t i = 0; i < c->pem.count; i++) {
        struct pp_x509 *cert = NULL;
        if (pp_is_ok(pp_x509_parse(pp_span(c->pem.der[i], c->pem.der_len[i]), &cert)) &&
            pp_x509_not_before(cert) > at)
            at = pp_x509_not_before(cert);
        pp_x509_free(cert);
    }
    for (size_t i = 0; i < PP_ARRAY_COUNT(c->rims); i++)
        if (c->rims[i].not_before > at)
            at = c->rims[i].not_before;
    return at;
}

static pp_res verify(struct gpu_case *c)
{
    struct pp_gpu_result result;

    return pp_gpu_verify(&c->anchors, &c->policy, &c->evidence, c->posix_s, &c->checks, &result);
}

static pp_res run(struct gpu_case *c)
{
    c->evidence.report = pp_buf_span(&c->report);
    if (!pp_is_ok(pp_x509_pem_parse(pp_buf_span(&c->chain), &c->pem)))
        c->pem.count = 0;
    for (size_t i = 0; i < c->pem.count && i < PP_GPU_CHAIN; i++)
        c->evidence.certs[i] = pp_span(c->pem.der[i], c->pem.der_len[i]);
    c->evidence.cert_count = c->pem.count;
    c->policy.archs = UINT32_MAX;
    c->policy.modes = UINT32_MAX;
    c->policy.skip |= PP_ATTEST_BIT(PP_GPU_CHECK_OCSP) | PP_ATTEST_BIT(PP_GPU_CHECK_RIM_SET);
    c->posix_s = time_inside(c);
    c->verdict = verify(c);
    return c->verdict;
}

static void read_nonce(struct gpu_case *c, const json_t *expect)
{
    struct pp_buf nonce = vectors_hex(expect, "caller_nonce");

    c->policy.skip = PP_ATTEST_BIT(PP_GPU_CHECK_NONCE);
    if (nonce.bytes != NULL && nonce.len == sizeof c->nonce) {
        memcpy(c->nonce, nonce.bytes, sizeof c->nonce);
        c->policy.nonce = c->nonce;
        c->policy.skip = 0;
    }
    pp_buf_done(&nonce);
}

/* A file beside the folder of the evidence: "rims/NAME". */
static const struct pp_rim *read_rim(struct gpu_case *c, const char *path, struct pp_rim *rim)
{
    char from[PATH_BYTES_MAX];
    struct pp_buf xml = { 0 };

    if (path == NULL)
        return NULL;
    snprintf(from, sizeof from, "%s/../..", c->folder);
    if (load(from, path, &xml))
        pp_ignore(pp_rim_open(&c->anchors.rims, pp_buf_span(&xml), rim), "the checks say it");
    else
        vectors_fail(c->rows.v, c->rows.file, path, "cannot be read");
    pp_buf_done(&xml);
    return rim;
}

static uint64_t mask_of(const json_t *indexes)
{
    uint64_t mask = 0;
    size_t i;
    const json_t *index;

    json_array_foreach(indexes, i, index)
    {
        mask |= UINT64_C(1) << (json_integer_value(index) & 63);
    }
    return mask;
}

static void compare_rim(struct gpu_case *c, const json_t *expect, const struct pp_gpu_report *r,
                        const char *active, const char *mismatches, const struct pp_rim *rim)
{
    const json_t *indexes = json_object_get(expect, mismatches);

    if (rim == NULL)
        return;
    same_number(&c->rows, expect, active, (uint64_t)__builtin_popcountll(rim->active));
    if (indexes != NULL && pp_rim_mismatches(rim, r) == mask_of(indexes))
        vectors_pass(c->rows.v, c->rows.file, mismatches);
    else if (indexes != NULL)
        vectors_fail(c->rows.v, c->rows.file, mismatches, "others");
}

static void compare_measurements(struct gpu_case *c, const json_t *expect,
                                 const struct pp_gpu_report *r)
{
    static const uint8_t ZERO[PP_GPU_HASH_BYTES];
    const char *name;
    json_t *value;
    size_t nonzero = 0;

    for (size_t i = 0; i < PP_GPU_BLOCKS_MAX; i++)
        nonzero += !pp_span_eq(PP_BYTES(r->measurements[i]), PP_BYTES(ZERO));
    same_number(&c->rows, expect, "msr_nonzero", nonzero);
    json_object_foreach(json_object_get(expect, "measurements"), name, value)
    {
        size_t index = strtoul(name, NULL, 10);
        if (index >= 1 && index <= PP_GPU_BLOCKS_MAX &&
            is_hex_of(json_string_value(value), PP_BYTES(r->measurements[index - 1])))
            vectors_pass(c->rows.v, c->rows.file, "measurement");
        else
            vectors_fail(c->rows.v, c->rows.file, "measurement", "%s is another", name);
    }
}

static void compare_fields(struct gpu_case *c, const json_t *expect, const struct pp_gpu_report *r)
{
    const char *name;
    json_t *value;

    json_object_foreach(json_object_get(expect, "opaque"), name, value)
    {
        size_t type = field_type(name);
        if (type == 0)
            vectors_skip(c->rows.v, c->rows.file, name, "a field that is not kept");
        else if (is_hex_of(json_string_value(value), r->fields[type]))
            vectors_pass(c->rows.v, c->rows.file, name);
        else
            vectors_fail(c->rows.v, c->rows.file, name, "other bytes");
    }
}

static void compare_report(struct gpu_case *c, const json_t *expect, const struct pp_gpu_report *r)
{
    struct pp_span bytes = pp_buf_span(&c->report);

    same_number(&c->rows, expect, "total", bytes.len);
    same_bytes(&c->rows, expect, "req", pp_span(bytes.at, 4));
    same_bytes(&c->rows, expect, "nonce", PP_BYTES(r->nonce));
    same_number(&c->rows, expect, "slot", bytes.at[36]);
    same_bytes(&c->rows, expect, "resp", pp_span(bytes.at + 37, 4));
    same_number(&c->rows, expect, "blocks", r->block_count);
    same_number(&c->rows, expect, "mrl", bytes.at[42] | (uint64_t)bytes.at[43] << 8);
    same_bytes(&c->rows, expect, "rnonce", PP_BYTES(r->responder_nonce));
    same_number(&c->rows, expect, "opaque_len", r->opaque_len);
    same_number(&c->rows, expect, "sig_len", bytes.len - r->signed_len);
    same_text(&c->rows, expect, "driver", r->driver);
    same_bytes(&c->rows, expect, "vbios_raw", r->fields[PP_GPU_FIELD_VBIOS_VERSION]);
    if (text(expect, "op_fwid") != NULL && begins_with(PP_BYTES(r->fwid), text(expect, "op_fwid")))
        vectors_pass(c->rows.v, c->rows.file, "op_fwid");
    else if (text(expect, "op_fwid") != NULL)
        vectors_fail(c->rows.v, c->rows.file, "op_fwid", "other bytes");
    compare_fields(c, expect, r);
    compare_measurements(c, expect, r);
}

static void compare_chain(struct gpu_case *c, const json_t *expect)
{
    const json_t *names = json_object_get(expect, "chain");
    const json_t *name;
    size_t i;

    json_array_foreach(names, i, name)
    {
        struct pp_x509 *cert = NULL;
        char cn[PP_X509_NAME_BYTES_MAX] = { 0 };
        if (i < c->pem.count &&
            pp_is_ok(pp_x509_parse(pp_span(c->pem.der[i], c->pem.der_len[i]), &cert)) &&
            pp_is_ok(pp_x509_name(cert, PP_X509_SUBJECT, "CN", cn)) && json_is_string(name) &&
            strcmp(cn, json_string_value(name)) == 0)
            vectors_pass(c->rows.v, c->rows.file, "chain");
        else
            vectors_fail(c->rows.v, c->rows.file, "chain", "certificate %zu is %s", i, cn);
        pp_x509_free(cert);
    }
}

/*
 * Without both files of reference values no evidence is accepted: "accept" says that all that can
 * be checked passes, and that measurements are then what is missing. A file that differs refuses.
 */
static void judge(struct gpu_case *c, const json_t *expect, pp_res r)
{
    const char *word = text(expect, "expect");
    const json_t *bad = json_object_get(expect, "vbios_rim_mismatch_indexes");
    int accept = word == NULL || strncmp(word, "accept", 6) == 0;
    uint32_t expected = json_array_size(bad) > 0 ? PP_E_GPU_MEASUREMENT : PP_E_GPU_UNMEASURED;

    if (accept ? r.code == expected || (expected == PP_E_GPU_UNMEASURED && pp_is_ok(r))
               : !pp_is_ok(r) && r.code != PP_E_GPU_UNMEASURED)
        vectors_pass(c->rows.v, c->rows.file, c->name);
    else
        vectors_fail(c->rows.v, c->rows.file, c->name, "%s in check %u",
                     r.code == PP_E_OK ? "accepted" : pp_code_name(r.code), r.detail);
}

static int is_as_it_was(void *arg)
{
    struct gpu_case *c = arg;
    pp_res r = verify(c);

    return r.code == c->verdict.code && r.detail == c->verdict.detail;
}

/* What lacks reference values alone is refused for more with any bit of it flipped. */
static void flip(struct gpu_case *c)
{
    char part[32];

    vectors_flip(c->rows.v, c->rows.file, "report.bin", c->report.bytes, c->report.len,
                 is_as_it_was, c);
    for (size_t i = 0; i < c->pem.count; i++) {
        snprintf(part, sizeof part, "certificate %zu", i);
        vectors_flip(c->rows.v, c->rows.file, part, c->pem.der[i], c->pem.der_len[i], is_as_it_was,
                     c);
    }
}

static void run_case(struct gpu_case *c, const json_t *expect)
{
    struct pp_gpu_report report;

    read_nonce(c, expect);
    c->evidence.driver_rim = read_rim(c, text(expect, "driver_rim"), &c->rims[0]);
    c->evidence.vbios_rim = read_rim(c, text(expect, "vbios_rim"), &c->rims[1]);
    judge(c, expect, run(c));
    if (!pp_is_ok(pp_gpu_report_parse(pp_buf_span(&c->report), &report, NULL)))
        return; /* the verdict has said it */
    compare_report(c, expect, &report);
    compare_chain(c, expect);
    compare_rim(c, expect, &report, "driver_rim_active", "driver_rim_mismatch_indexes",
                c->evidence.driver_rim);
    compare_rim(c, expect, &report, "vbios_rim_active", "vbios_rim_mismatch_indexes",
                c->evidence.vbios_rim);
    if (c->verdict.code == PP_E_GPU_UNMEASURED || c->verdict.code == PP_E_GPU_MEASUREMENT)
        flip(c);
}

static void run_folder(struct vectors *v, const char *folder)
{
    char file[PATH_BYTES_MAX];
    const char *slash = strrchr(folder, '/');
    struct gpu_case c = { .rows = { v, file },
                          .folder = folder,
                          .name = slash == NULL ? folder : slash + 1 };

    snprintf(file, sizeof file, "%s/expect.json", folder);
    json_t *expect = vectors_load(v, file);
    if (expect == NULL)
        return;
    if (!load(folder, "report.bin", &c.report) || !load(folder, "chain.pem", &c.chain) ||
        !pp_is_ok(pp_gpu_anchors_add_nvidia(&c.anchors)))
        vectors_fail(v, file, c.name, "report.bin or chain.pem cannot be read");
    else
        run_case(&c, expect);
    json_decref(expect);
    case_done(&c);
}

/* --- chains that must fail -------------------------------------------------------------------- */

/* Beside a report that nobody signed: a chain is judged before the signature. */
static void run_bad_chain(struct vectors *v, const char *file)
{
    struct gpu_case c = { .rows = { v, file }, .folder = file, .name = "is refused" };
    struct pp_gpu_report report = { .present = 1 };
    uint8_t bytes[512];
    struct pp_wr wr = pp_wr_over(bytes, sizeof bytes);
    size_t signed_len;

    c.policy.skip = PP_ATTEST_BIT(PP_GPU_CHECK_NONCE);
    if (!pp_is_ok(pp_file_read(AT_FDCWD, file, FILE_BYTES_MAX, &c.chain)) ||
        !pp_is_ok(pp_gpu_anchors_add_nvidia(&c.anchors)) ||
        !pp_is_ok(pp_gpu_report_write(&wr, &report, &signed_len))) {
        vectors_fail(v, file, c.name, "cannot be read");
        case_done(&c);
        return;
    }
    c.report.bytes = malloc(wr.len);
    PP_ASSERT(c.report.bytes != NULL);
    c.report.len = wr.len;
    memcpy(c.report.bytes, bytes, wr.len);
    pp_res r = run(&c);
    if (r.code == PP_E_GPU_CHAIN || r.code == PP_E_GPU_ROOT || r.code == PP_E_GPU_FWID)
        vectors_pass(v, file, c.name);
    else
        vectors_fail(v, file, c.name, "%s", pp_code_name(r.code));
    case_done(&c);
}

/* --- RIM files -------------------------------------------------------------------------------- */

static uint32_t expected_code(const json_t *seen)
{
    size_t i;
    const json_t *link;

    if (json_is_false(json_object_get(seen, "digest")))
        return PP_E_GPU_RIM_DIGEST;
    if (json_is_false(json_object_get(seen, "sig")))
        return PP_E_GPU_RIM_SIGNATURE;
    json_array_foreach(json_object_get(seen, "chain"), i, link)
    {
        if (json_is_false(link))
            return PP_E_GPU_RIM_CHAIN;
    }
    return PP_E_OK;
}

/* "2026-12-30" of POSIX seconds. */
static void day_of(uint64_t posix_s, char ret[16])
{
    time_t at = (time_t)posix_s;
    struct tm tm = { 0 };

    ret[0] = '\0';
    if (gmtime_r(&at, &tm) != NULL)
        pp_ignore(strftime(ret, 16, "%Y-%m-%d", &tm) > 0 ? PP_OK : PP_FAIL(PP_E_RANGE, 0),
                  "an empty text differs from any day");
}

static void compare_signers(const struct rows *rows, const json_t *seen, const struct pp_rim *rim)
{
    size_t i;
    const json_t *name;
    char day[16];

    json_array_foreach(json_object_get(seen, "cn"), i, name)
    {
        char cn[PP_X509_NAME_BYTES_MAX] = { 0 };
        if (i < rim->cert_count && json_is_string(name) &&
            pp_is_ok(pp_x509_name(rim->certs[i], PP_X509_SUBJECT, "CN", cn)) &&
            strcmp(cn, json_string_value(name)) == 0)
            vectors_pass(rows->v, rows->file, "cn");
        else
            vectors_fail(rows->v, rows->file, "cn", "certificate %zu is %s", i, cn);
    }
    if (rim->cert_count > 0) {
        day_of(pp_x509_not_after(rim->certs[0]), day);
        same_text(rows, seen, "na", day);
    }
}

static void judge_rim(const struct rows *rows, const json_t *seen, struct pp_span xml)
{
    struct pp_gpu_anchors anchors = { 0 };
    static struct pp_rim rim;
    uint32_t expected = expected_code(seen);

    if (!pp_is_ok(pp_gpu_anchors_add_nvidia(&anchors))) {
        vectors_fail(rows->v, rows->file, "anchors", "cannot be read");
        return;
    }
    pp_res r = pp_rim_open(&anchors.rims, xml, &rim);
    if (r.code == expected)
        vectors_pass(rows->v, rows->file, "verdict");
    else
        vectors_fail(rows->v, rows->file, "verdict", "%s: %s %s", pp_code_name(r.code),
                     rim.problem.field, rim.problem.expected);
    same_text(rows, seen, "version", rim.version);
    same_text(rows, seen, "name", rim.chip);
    same_number(rows, seen, "active", (uint64_t)__builtin_popcountll(rim.active));
    compare_signers(rows, seen, &rim);
    pp_rim_done(&rim);
    pp_gpu_anchors_done(&anchors);
}

static void run_rim(struct vectors *v, const char *file)
{
    char path[PATH_BYTES_MAX + 16];
    struct rows rows = { v, file };
    struct pp_buf xml = { 0 };

    snprintf(path, sizeof path, "%s.expect.json", file);
    if (access(path, R_OK) != 0) {
        vectors_skip(v, file, "-", "nothing says what to expect of it");
        return;
    }
    json_t *expect = vectors_load(v, path);
    if (!pp_is_ok(pp_file_read(AT_FDCWD, file, FILE_BYTES_MAX, &xml)))
        vectors_fail(v, file, "-", "cannot be read");
    else if (expect != NULL)
        judge_rim(&rows, json_object_get(expect, "verified_here"), pp_buf_span(&xml));
    pp_buf_done(&xml);
    json_decref(expect);
}

/* --- certificates ----------------------------------------------------------------------------- */

static void run_certificate(struct vectors *v, const char *file)
{
    struct pp_gpu_anchors nvidia = { 0 };
    struct pp_buf bytes = { 0 };
    struct pp_x509_pem pem = { 0 };
    int pinned = 0;

    if (pp_is_ok(pp_file_read(AT_FDCWD, file, FILE_BYTES_MAX, &bytes)) &&
        pp_is_ok(pp_x509_pem_parse(pp_buf_span(&bytes), &pem)) && pem.count == 1 &&
        pp_is_ok(pp_gpu_anchors_add_nvidia(&nvidia))) {
        struct pp_span der = pp_span(pem.der[0], pem.der_len[0]);
        pinned = pp_span_eq(der, pp_x509_der(nvidia.devices[0])) ||
                 pp_span_eq(der, pp_x509_der(nvidia.rims.certs[0]));
    }
    if (pinned)
        vectors_pass(v, file, "is the pinned one");
    else
        vectors_fail(v, file, "is the pinned one", "it is not");
    pp_x509_pem_free(&pem);
    pp_buf_done(&bytes);
    pp_gpu_anchors_done(&nvidia);
}

/* --- our own files ---------------------------------------------------------------------------- */

/* "report_xor": {"offset": byte, ...} and "report_len": what a negative case does to a report. */
static void change_report(const json_t *json, struct pp_buf *report)
{
    const char *offset;
    json_t *byte;
    json_t *len = json_object_get(json, "report_len");

    json_object_foreach(json_object_get(json, "report_xor"), offset, byte)
    {
        size_t at = strtoul(offset, NULL, 0);
        if (at < report->len)
            report->bytes[at] ^= (uint8_t)json_integer_value(byte);
    }
    if (len != NULL && (size_t)json_integer_value(len) < report->len)
        report->len = (size_t)json_integer_value(len);
}

/* The evidence's roots instead of NVIDIA's, where it brings its own. */
static int own_anchors(const json_t *evidence, struct pp_gpu_anchors *ret)
{
    struct pp_buf device = vectors_hex(evidence, "device_root_hex");
    struct pp_buf rim = vectors_hex(evidence, "rim_root_hex");
    pp_res r = device.bytes == NULL ? pp_gpu_anchors_add_nvidia(ret)
                                    : pp_gpu_anchors_add_device(ret, pp_buf_span(&device));

    if (pp_is_ok(r) && device.bytes != NULL)
        r = pp_gpu_anchors_add_rim(ret, pp_buf_span(&rim));
    pp_buf_done(&device);
    pp_buf_done(&rim);
    return pp_is_ok(r);
}

/* A file's text, with one word of it replaced where the case says so: "driver_rim": [from, to]. */
static const struct pp_rim *own_rim(struct gpu_case *c, const json_t *json, const json_t *evidence,
                                    const char *member, struct pp_rim *rim)
{
    static char changed[FILE_BYTES_MAX];
    const char *xml = text(evidence, member);
    const json_t *change = json_object_get(json, member);
    const char *from = json_string_value(json_array_get(change, 0));
    const char *to = json_string_value(json_array_get(change, 1));
    const char *at = xml == NULL || from == NULL ? NULL : strstr(xml, from);

    if (xml == NULL || json_is_null(change)) /* null: the file does not come */
        return NULL;
    if (at != NULL && to != NULL) {
        snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - xml), xml, to, at + strlen(from));
        xml = changed;
    }
    pp_ignore(pp_rim_open(&c->anchors.rims, pp_span_cstr(xml), rim), "the checks say it");
    return rim;
}

/* "certificates": [0, 1, 2, 3, 4], the evidence's in this order; absent: all of them. */
static void own_chain(struct gpu_case *c, const json_t *json, const json_t *evidence,
                      struct pp_buf certs[PP_GPU_CHAIN])
{
    const json_t *order = json_object_get(json, "certificates");
    const json_t *all = json_object_get(evidence, "certificates_hex");
    size_t count = order == NULL ? json_array_size(all) : json_array_size(order);

    for (size_t i = 0; i < count && i < PP_GPU_CHAIN; i++) {
        size_t which = order == NULL ? i : (size_t)json_integer_value(json_array_get(order, i));
        const char *hex = json_string_value(json_array_get(all, which));
        certs[i] = vectors_hex_text(hex == NULL ? "" : hex);
        c->evidence.certs[i] = pp_buf_span(&certs[i]);
    }
    c->evidence.cert_count = count;
    c->evidence.root_left_out = json_is_true(json_object_get(json, "root_left_out"));
}

static void run_own_with(struct vectors *v, const char *file, const json_t *evidence,
                         const json_t *json)
{
    struct gpu_case c = { .rows = { v, file }, .name = text(json, "name") };
    struct pp_buf certs[PP_GPU_CHAIN] = { 0 };
    struct pp_gpu_result result;
    const char *code = text(json, "code");

    c.report = vectors_hex(evidence, "report_hex");
    c.policy = PP_GPU_POLICY_STRICT;
    c.policy.nonce = c.nonce;
    read_nonce(&c, json);
    c.policy.skip |= PP_ATTEST_BIT(PP_GPU_CHECK_OCSP) | PP_ATTEST_BIT(PP_GPU_CHECK_RIM_SET);
    if (c.name == NULL || code == NULL || c.report.bytes == NULL ||
        !own_anchors(evidence, &c.anchors)) {
        vectors_fail(v, file, c.name == NULL ? "-" : c.name, "a member is missing or malformed");
    } else {
        change_report(json, &c.report);
        own_chain(&c, json, evidence, certs);
        c.evidence.report = pp_buf_span(&c.report);
        c.evidence.driver_rim = own_rim(&c, json, evidence, "driver_rim", &c.rims[0]);
        c.evidence.vbios_rim = own_rim(&c, json, evidence, "vbios_rim", &c.rims[1]);
        pp_res r = pp_gpu_verify(&c.anchors, &c.policy, &c.evidence,
                                 (uint64_t)json_integer_value(json_object_get(json, "at")),
                                 &c.checks, &result);
        if (strcmp(code, pp_code_name(r.code)) == 0)
            vectors_pass(v, file, c.name);
        else
            vectors_fail(v, file, c.name, "%s in check %u", pp_code_name(r.code), r.detail);
    }
    for (size_t i = 0; i < PP_GPU_CHAIN; i++)
        pp_buf_done(&certs[i]);
    case_done(&c);
}

/*
 * {"evidence": [{name, report_hex, certificates_hex, ...}], "cases": [{name, of, at, code, ...}]}
 */
static void run_own_file(struct vectors *v, const char *file, const json_t *root)
{
    size_t i, k;
    const json_t *json, *evidence;

    json_array_foreach(json_object_get(root, "cases"), i, json)
    {
        const char *of = text(json, "of");
        int found = 0;
        json_array_foreach(json_object_get(root, "evidence"), k, evidence)
        {
            if (found || of == NULL || text(evidence, "name") == NULL ||
                strcmp(text(evidence, "name"), of) != 0)
                continue;
            run_own_with(v, file, evidence, json);
            found = 1;
        }
        if (!found)
            vectors_fail(v, file, of == NULL ? "-" : of, "no such evidence");
    }
}

/* --- another parser's output ------------------------------------------------------------------ */

/* The bytes that the fields of a report were read from, where they are wanted; zeros, else. */
struct parsed {
    uint8_t bytes[PP_GPU_FIELDS][512];
    struct pp_gpu_report report;
};

static size_t read_field(const json_t *value, uint8_t ret[512])
{
    struct pp_wr wr = pp_wr_over(ret, 512);
    const char *hex = json_string_value(value);
    size_t i;
    const json_t *item;

    json_array_foreach(value, i, item)
    {
        pp_wr_u32le(&wr, (uint32_t)json_integer_value(item));
    }
    if (hex != NULL && strncmp(hex, "0x", 2) == 0) {
        struct pp_buf bytes = vectors_hex_text(hex + 2);
        pp_wr_span(&wr, pp_buf_span(&bytes));
        pp_buf_done(&bytes);
    }
    return pp_is_ok(pp_wr_ok(&wr)) ? wr.len : 0;
}

static void read_exact(const json_t *value, uint8_t *ret, size_t len)
{
    uint8_t bytes[512];

    if (read_field(value, bytes) >= len)
        memcpy(ret, bytes, len);
}

static void read_parsed(const json_t *root, struct parsed *p)
{
    const json_t *blocks = json_object_get(json_object_get(root, "MeasurementRecord"),
                                           "MeasurementBlocks");
    const json_t *fields = json_object_get(json_object_get(root, "OpaqueData"), "OpaqueDataField");
    static const char PREFIX[] = "OPAQUE_FIELD_ID_";
    uint8_t rs[2 * PP_GPU_SIGNATURE_INT_BYTES] = { 0 };
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)blocks, name, value)
    {
        size_t i = strtoul(name, NULL, 10) - 1;
        if (i >= PP_GPU_BLOCKS_MAX)
            continue;
        p->report.present |= UINT64_C(1) << i;
        p->report.value_types[i] = (uint8_t)json_integer_value(
            json_object_get(value, "DMTFSpecMeasurementValueType"));
        read_exact(json_object_get(value, "DMTFSpecMeasurementValue"), p->report.measurements[i],
                   PP_GPU_HASH_BYTES);
    }
    json_object_foreach((json_t *)fields, name, value)
    {
        size_t type = strncmp(name, PREFIX, sizeof PREFIX - 1) == 0
                          ? field_type(name + sizeof PREFIX - 1)
                          : 0;
        p->report.fields[type] = pp_span(p->bytes[type], read_field(value, p->bytes[type]));
    }
    read_exact(json_object_get(root, "Nonce"), p->report.responder_nonce, PP_GPU_NONCE_BYTES);
    read_exact(json_object_get(root, "Signature"), rs, sizeof rs);
    memcpy(p->report.r, rs, sizeof p->report.r);
    memcpy(p->report.s, rs + sizeof p->report.r, sizeof p->report.s);
}

/* The response is put together again from the other parser's fields, and must read as they do. */
static void run_parsed(struct vectors *v, const char *file, const json_t *root)
{
    static struct parsed p;
    uint8_t bytes[PP_GPU_REPORT_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(bytes, sizeof bytes);
    struct pp_gpu_report report;
    struct rows rows = { v, file };
    size_t signed_len;

    p = (struct parsed){ 0 };
    read_parsed(root, &p);
    if (!pp_is_ok(pp_gpu_report_write(&wr, &p.report, &signed_len)) ||
        !pp_is_ok(pp_gpu_report_parse(pp_wr_done(&wr), &report, NULL))) {
        vectors_fail(v, file, "report", "cannot be put together, or not read");
        return;
    }
    same_number(&rows, root, "NumberOfBlocks", report.block_count);
    if ((json_int_t)report.opaque_len < json_integer_value(json_object_get(root, "OpaqueLength")))
        vectors_skip(v, file, "OpaqueLength", "the other parser leaves fields out");
    else
        same_number(&rows, root, "OpaqueLength", report.opaque_len);
    same_bytes(&rows, root, "Nonce", PP_BYTES(report.responder_nonce));
    same_bytes(&rows, root, "Signature", pp_span(bytes + signed_len, wr.len - signed_len));
    for (size_t i = 0; i < PP_GPU_FIELDS; i++)
        if (p.report.fields[i].len > 0 && pp_span_eq(p.report.fields[i], report.fields[i]))
            vectors_pass(v, file, "opaque field");
        else if (p.report.fields[i].len > 0)
            vectors_fail(v, file, "opaque field", "type %zu", i);
    for (size_t i = 0; i < PP_GPU_BLOCKS_MAX; i++)
        if (memcmp(p.report.measurements[i], report.measurements[i], PP_GPU_HASH_BYTES) == 0 &&
            p.report.value_types[i] == report.value_types[i])
            vectors_pass(v, file, "measurement");
        else
            vectors_fail(v, file, "measurement", "index %zu", i);
}

/* --- files ------------------------------------------------------------------------------------ */

static int ends_with(const char *text_, const char *end)
{
    size_t n = strlen(text_);
    size_t m = strlen(end);

    return n >= m && strcmp(text_ + n - m, end) == 0;
}

/* The folder of a file; 1 if it holds a case. */
static int case_folder(const char *file, char folder[PATH_BYTES_MAX])
{
    char expect[PATH_BYTES_MAX + 16];
    const char *slash = strrchr(file, '/');

    snprintf(folder, PATH_BYTES_MAX, "%.*s", slash == NULL ? 1 : (int)(slash - file),
             slash == NULL ? "." : file);
    snprintf(expect, sizeof expect, "%s/expect.json", folder);
    return access(expect, R_OK) == 0;
}

static void run_json(struct vectors *v, const char *file)
{
    json_t *root = vectors_load(v, file);

    if (root == NULL)
        return;
    if (json_object_get(root, "MeasurementRecord") != NULL)
        run_parsed(v, file, root);
    else if (json_object_get(root, "cases") != NULL)
        run_own_file(v, file, root);
    else
        vectors_skip(v, file, "-", "not a shape that this topic reads");
    json_decref(root);
}

static void run_file(struct vectors *v, const char *file)
{
    char folder[PATH_BYTES_MAX];

    if (ends_with(file, "/expect.json") && case_folder(file, folder))
        run_folder(v, folder);
    else if (case_folder(file, folder) || ends_with(file, ".expect.json"))
        return; /* part of a case that another file runs */
    else if (ends_with(folder, "/nras"))
        vectors_skip(v, file, "-", "tokens of a remote verifier: pp asks none and reads none");
    else if (ends_with(file, ".json"))
        run_json(v, file);
    else if (ends_with(file, ".swidtag") || ends_with(file, ".xml"))
        run_rim(v, file);
    else if (ends_with(file, ".pem") && ends_with(folder, "bad-chains"))
        run_bad_chain(v, file);
    else if (ends_with(file, ".pem"))
        run_certificate(v, file);
    else
        vectors_skip(v, file, "-", "neither a case nor a certificate");
}

void vectors_nvgpu(struct vectors *v, const char *path)
{
    vectors_walk(v, path, run_file);
}
