/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SEV-SNP evidence: case folders (report.bin, vek.der, expect.json, and where a case brings its own
 * root, ark.pem and ask.pem), certificates, broken certificates, and our own files of cases.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../snp_policy.h"
#include "topics.h"

enum { FILE_BYTES_MAX = 1 << 20, PATH_BYTES_MAX = 4096, DAY_S = 86400 };

struct snp_case {
    struct vectors *v;
    const char *file, *name;
    struct pp_buf report, vek;
    struct pp_snp_anchors anchors;
    uint64_t posix_s;
};

static void case_done(struct snp_case *c)
{
    pp_buf_done(&c->report);
    pp_buf_done(&c->vek);
    pp_snp_anchors_done(&c->anchors);
}

static const char *text(const json_t *object, const char *member)
{
    return json_string_value(json_object_get(object, member));
}

static pp_res run(struct snp_case *c, const struct pp_snp_policy *policy,
                  struct pp_snp_checks *checks)
{
    struct pp_snp_evidence evidence = { .report = pp_buf_span(&c->report),
                                        .vek = pp_buf_span(&c->vek) };
    struct pp_snp_result result;

    return pp_snp_verify(&c->anchors, policy, &evidence, c->posix_s, checks, &result);
}

/* --- what a case expects ---------------------------------------------------------------------- */

/* The words of the conformance set, and the codes of ours that each may be. */
static const struct {
    const char *word;
    uint32_t codes[2];
} WORDS[] = {
    { "WRONG_REPORT_VERSION", { PP_E_SNP_FORMAT } },
    { "REPORT_FORMAT_UNSUPPORTED", { PP_E_SNP_FORMAT } },
    { "REPORT_TRUNCATED", { PP_E_SNP_FORMAT } },
    { "GUEST_POLICY_RESERVED_BIT_SET", { PP_E_SNP_FORMAT } },
    { "REPORT_SIGNATURE_INVALID", { PP_E_SNP_SIGNATURE } },
    { "VCEK_CHAIN_INVALID", { PP_E_SNP_CHAIN, PP_E_SNP_CERT_FORM } },
    { "VCEK_EXPIRED", { PP_E_SNP_CHAIN } },
    { "VCEK_HWID_MISMATCH", { PP_E_SNP_HWID, PP_E_SNP_CERT_FORM } },
    { "VCEK_TCB_MISMATCH", { PP_E_SNP_TCB_CERT } },
    { "TCB_OUT_OF_DATE", { PP_E_SNP_TCB_MIN } },
    { "GUEST_POLICY_DEBUG_SET", { PP_E_SNP_POLICY } },
    { "GUEST_POLICY_MIGRATE_MA_SET", { PP_E_SNP_POLICY } },
    { "HOST_DATA_MISMATCH", { PP_E_SNP_HOST_DATA } },
    { "REPORT_DATA_MISMATCH", { PP_E_SNP_BINDING } },
    { "MEASUREMENT_MISMATCH", { PP_E_SNP_MEASUREMENT } },
    { "AUTHOR_KEY_DIGEST_MISMATCH", { PP_E_SNP_ID_BLOCK } },
    { "ID_KEY_DIGEST_MISMATCH", { PP_E_SNP_ID_BLOCK } },
};

static int word_allows(const json_t *word, uint32_t code)
{
    for (size_t i = 0; json_is_string(word) && i < PP_ARRAY_COUNT(WORDS); i++)
        if (strcmp(WORDS[i].word, json_string_value(word)) == 0)
            return WORDS[i].codes[0] == code || WORDS[i].codes[1] == code;
    return 0;
}

/* `expected` is a word, a list of words of which any suffices, or one of our own code names. */
static int code_expected(const json_t *expected, uint32_t code)
{
    size_t i;
    const json_t *word;

    json_array_foreach(expected, i, word)
    {
        if (word_allows(word, code))
            return 1;
    }
    return word_allows(expected, code) ||
           (json_is_string(expected) &&
            strcmp(json_string_value(expected), pp_code_name(code)) == 0);
}

static void judge(struct snp_case *c, pp_res r, int accept, const json_t *codes)
{
    if (pp_is_ok(r) && accept)
        vectors_pass(c->v, c->file, c->name);
    else if (pp_is_ok(r))
        vectors_fail(c->v, c->file, c->name, "was accepted");
    else if (accept)
        vectors_fail(c->v, c->file, c->name, "was refused: %s", pp_code_name(r.code));
    else if (!code_expected(codes, r.code))
        vectors_fail(c->v, c->file, c->name, "was refused as %s", pp_code_name(r.code));
    else
        vectors_pass(c->v, c->file, c->name);
}

/* With --flip: what was accepted is not, with any bit of the report or the certificate flipped. */
struct snp_again {
    struct snp_case *c;
    const struct pp_snp_policy *policy;
};

static int is_accepted(void *arg)
{
    const struct snp_again *again = arg;
    struct pp_snp_checks checks;

    return pp_is_ok(run(again->c, again->policy, &checks));
}

static void flip(struct snp_case *c, const struct pp_snp_policy *policy)
{
    struct snp_again again = { c, policy };

    vectors_flip(c->v, c->file, "report.bin", c->report.bytes, c->report.len, is_accepted, &again);
    vectors_flip(c->v, c->file, "vek.der", c->vek.bytes, c->vek.len, is_accepted, &again);
}

/* A report of a real machine: genuine, and never good enough for the strict profile. */
static void run_real(struct snp_case *c, const json_t *policy)
{
    struct ppctl_snp_policy p;
    struct pp_snp_checks checks;
    struct pp_x509 *vek = NULL;

    if (!pp_is_ok(pp_x509_parse(pp_buf_span(&c->vek), &vek))) {
        vectors_fail(c->v, c->file, c->name, "the certificate cannot be read");
        return;
    }
    c->posix_s = pp_x509_not_before(vek) + DAY_S;
    pp_x509_free(vek);
    pp_ignore(ppctl_snp_policy_read(policy, &p, NULL), "no policy has no wrong key");
    judge(c, run(c, &p.policy, &checks), 1, NULL);
    flip(c, &p.policy);

    ppctl_snp_policy_strict(&p);
    pp_res r = run(c, &p.policy, &checks);
    if (!pp_is_ok(r) && checks.rows[PP_SNP_CHECK_POLICY - 1].verdict == PP_ATTEST_FAILED)
        vectors_pass(c->v, c->file, "the strict profile refuses it");
    else
        vectors_fail(c->v, c->file, "the strict profile refuses it", "%s", pp_code_name(r.code));
}

static void run_conformance(struct snp_case *c, const json_t *expect)
{
    struct ppctl_snp_policy p;
    struct pp_snp_checks checks;
    struct pp_problem problem = { 0 };

    c->posix_s = (uint64_t)json_integer_value(json_object_get(expect, "verification_time_unix"));
    if (!pp_is_ok(ppctl_snp_policy_read(json_object_get(expect, "policy"), &p, &problem))) {
        vectors_fail(c->v, c->file, c->name, "policy key %s: %s", problem.field, problem.expected);
        return;
    }
    int accept = json_is_true(json_object_get(expect, "accepted"));
    judge(c, run(c, &p.policy, &checks), accept, json_object_get(expect, "rejection_codes"));
    if (accept)
        flip(c, &p.policy);
}

/* --- case folders ----------------------------------------------------------------------------- */

static int load(const char *folder, const char *name, struct pp_buf *ret)
{
    char path[PATH_BYTES_MAX];

    return snprintf(path, sizeof path, "%s/%s", folder, name) < (int)sizeof path &&
           pp_is_ok(pp_file_read(AT_FDCWD, path, FILE_BYTES_MAX, ret));
}

/* The root beside the report as the only anchor, else AMD's. */
static int load_anchors(const char *folder, struct pp_snp_anchors *ret)
{
    struct pp_buf ask = { 0 };
    struct pp_buf ark = { 0 };
    uint8_t pem[4 * PP_X509_DER_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(pem, sizeof pem);
    int ok;

    if (load(folder, "ask.pem", &ask) && load(folder, "ark.pem", &ark)) {
        pp_wr_span(&wr, pp_buf_span(&ask));
        pp_wr_text(&wr, "\n");
        pp_wr_span(&wr, pp_buf_span(&ark));
        pp_res r = pp_is_ok(pp_wr_ok(&wr)) ? ppctl_snp_anchors_pem(pp_wr_done(&wr), ret)
                                           : PP_FAIL(PP_E_LIMIT, 0);
        ok = pp_is_ok(r) || r.code == PP_E_TRUST; /* no usable anchor: every chain fails */
    } else {
        ok = pp_is_ok(pp_snp_anchors_add_amd(ret));
    }
    pp_buf_done(&ask);
    pp_buf_done(&ark);
    return ok;
}

static void run_folder(struct vectors *v, const char *folder)
{
    char file[PATH_BYTES_MAX];
    const char *slash = strrchr(folder, '/');
    struct snp_case c = { .v = v, .file = file, .name = slash == NULL ? folder : slash + 1 };

    snprintf(file, sizeof file, "%s/expect.json", folder);
    json_t *expect = vectors_load(v, file);
    if (expect == NULL)
        return;
    if (!load(folder, "report.bin", &c.report) || !load(folder, "vek.der", &c.vek) ||
        !load_anchors(folder, &c.anchors))
        vectors_fail(v, file, c.name, "report.bin, vek.der or a certificate cannot be read");
    else if (json_object_get(expect, "verification_time_unix") != NULL)
        run_conformance(&c, expect);
    else if (text(expect, "expect") != NULL && strcmp(text(expect, "expect"), "accept") == 0)
        run_real(&c, NULL);
    else
        vectors_skip(v, file, c.name, "not a shape that this topic reads");
    json_decref(expect);
    case_done(&c);
}

/* --- certificates alone ----------------------------------------------------------------------- */

/* A well-formed report that nobody signed; only its signer kind matters here. */
static void unsigned_report(enum pp_snp_signer signer, struct pp_buf *ret)
{
    struct pp_snp_report report = { .version = 3,
                                    .policy = PP_SNP_POLICY_MUST_BE_ONE,
                                    .signature_algo = 1,
                                    .key_info = (uint32_t)signer << 2 };

    ret->bytes = malloc(PP_SNP_REPORT_BYTES);
    PP_ASSERT(ret->bytes != NULL);
    ret->len = PP_SNP_REPORT_BYTES;
    PP_ASSERT(pp_is_ok(pp_snp_report_write(&report, ret->bytes, ret->len)));
}

/* Must fail in check 3 or 4, whatever report comes with it. */
static void run_bad_certificate(struct vectors *v, const char *file)
{
    struct ppctl_snp_policy p;
    struct pp_snp_checks checks;
    static const char *const names[] = { "with a VCEK report", "with a VLEK report" };

    pp_ignore(ppctl_snp_policy_read(NULL, &p, NULL), "no policy has no wrong key");
    for (int signer = PP_SNP_VCEK; signer <= PP_SNP_VLEK; signer++) {
        struct snp_case c = { .v = v, .file = file, .name = names[signer] };
        struct pp_x509 *vek = NULL;
        json_t *codes = json_pack("[s]", "VCEK_CHAIN_INVALID");

        unsigned_report((enum pp_snp_signer)signer, &c.report);
        if (codes == NULL || !pp_is_ok(pp_file_read(AT_FDCWD, file, FILE_BYTES_MAX, &c.vek)) ||
            !pp_is_ok(pp_snp_anchors_add_amd(&c.anchors))) {
            vectors_fail(v, file, c.name, "cannot be read");
        } else {
            if (pp_is_ok(pp_x509_parse(pp_buf_span(&c.vek), &vek)))
                c.posix_s = pp_x509_not_before(vek) + DAY_S;
            judge(&c, run(&c, &p.policy, &checks), 0, codes);
        }
        pp_x509_free(vek);
        json_decref(codes);
        case_done(&c);
    }
}

/* One of the pinned certificates, byte for byte, or a chip's certificate that leads to one. */
static int is_pinned(const struct pp_snp_anchors *a, const struct pp_x509 *cert)
{
    for (size_t i = 0; i < a->count; i++) {
        const struct pp_snp_root *r = &a->roots[i];
        if (pp_x509_equal(r->ark, cert) || pp_x509_equal(r->ask, cert) ||
            pp_x509_equal(r->asvk, cert))
            return 1;
    }
    return 0;
}

static int leads_to_pinned(const struct pp_snp_anchors *a, struct pp_x509 *cert)
{
    struct pp_snp_extensions ext;

    if (!pp_is_ok(pp_snp_extensions_of(cert, &ext, NULL)))
        return 0;
    const struct pp_snp_root *r = pp_snp_anchors_find(a, pp_snp_line_of_product(ext.product));
    if (r == NULL)
        return 0;
    struct pp_x509 *const chain[] = { cert, ext.hwid_len > 0 ? r->ask : r->asvk, r->ark };
    return pp_is_ok(pp_x509_chain_verify(chain, 3, r->ark, pp_x509_not_before(cert) + DAY_S, 0));
}

static void judge_certificate(struct vectors *v, const char *file, struct pp_span der)
{
    struct pp_snp_anchors amd = { 0 };
    struct pp_x509 *cert = NULL;

    if (!pp_is_ok(pp_snp_anchors_add_amd(&amd)) || !pp_is_ok(pp_x509_parse(der, &cert)))
        vectors_fail(v, file, "certificate", "cannot be read");
    else if (is_pinned(&amd, cert))
        vectors_pass(v, file, "is the pinned one");
    else if (leads_to_pinned(&amd, cert))
        vectors_pass(v, file, "leads to a pinned root");
    else
        vectors_fail(v, file, "certificate", "is not pinned and leads to no pinned root");
    pp_x509_free(cert);
    pp_snp_anchors_done(&amd);
}

static void run_certificate(struct vectors *v, const char *file)
{
    struct pp_buf bytes = { 0 };
    struct pp_x509_pem pem = { 0 };

    if (!pp_is_ok(pp_file_read(AT_FDCWD, file, FILE_BYTES_MAX, &bytes)))
        vectors_fail(v, file, "certificate", "cannot be read");
    else if (!pp_is_ok(pp_x509_pem_parse(pp_buf_span(&bytes), &pem)))
        judge_certificate(v, file, pp_buf_span(&bytes));
    for (size_t i = 0; i < pem.count; i++)
        judge_certificate(v, file, pp_span(pem.der[i], pem.der_len[i]));
    pp_x509_pem_free(&pem);
    pp_buf_done(&bytes);
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

/* {"evidence": [{name, report_hex, vek_hex}], "cases": [{of, at, policy, accepted, code, ...}]} */
static void run_own_case(struct vectors *v, const char *file, const json_t *evidence,
                         const json_t *json)
{
    struct snp_case c = { .v = v, .file = file, .name = text(json, "name") };
    const char *of = text(json, "of");
    struct ppctl_snp_policy p;
    struct pp_snp_checks checks;
    size_t i;
    const json_t *e;

    json_array_foreach(evidence, i, e)
    {
        if (of == NULL || text(e, "name") == NULL || strcmp(text(e, "name"), of) != 0 ||
            c.report.bytes != NULL)
            continue;
        c.report = vectors_hex(e, "report_hex");
        c.vek = vectors_hex(e, "vek_hex");
    }
    change_report(json, &c.report);
    c.posix_s = (uint64_t)json_integer_value(json_object_get(json, "at"));
    if (c.name == NULL || c.report.bytes == NULL || c.vek.bytes == NULL ||
        !pp_is_ok(pp_snp_anchors_add_amd(&c.anchors)) ||
        !pp_is_ok(ppctl_snp_policy_read(json_object_get(json, "policy"), &p, NULL))) {
        vectors_fail(v, file, c.name == NULL ? "-" : c.name, "a member is missing or malformed");
    } else {
        if (json_is_true(json_object_get(json, "strict")))
            ppctl_snp_policy_strict(&p);
        int accept = json_is_true(json_object_get(json, "accepted"));
        judge(&c, run(&c, &p.policy, &checks), accept, json_object_get(json, "code"));
        if (accept)
            flip(&c, &p.policy);
    }
    case_done(&c);
}

static void run_own_file(struct vectors *v, const char *file)
{
    json_t *root = vectors_load(v, file);
    size_t i;
    const json_t *json;

    if (root == NULL)
        return;
    if (json_object_get(root, "cases") == NULL)
        vectors_skip(v, file, "-", "not a shape that this topic reads");
    json_array_foreach(json_object_get(root, "cases"), i, json)
    {
        run_own_case(v, file, json_object_get(root, "evidence"), json);
    }
    json_decref(root);
}

/* --- files ------------------------------------------------------------------------------------ */

static int ends_with(const char *text_, const char *end)
{
    size_t n = strlen(text_);
    size_t m = strlen(end);

    return n >= m && strcmp(text_ + n - m, end) == 0;
}

/* The folder of a file, if it holds a case. */
static int case_folder(const char *file, char folder[PATH_BYTES_MAX])
{
    char expect[PATH_BYTES_MAX + 16];
    const char *slash = strrchr(file, '/');

    snprintf(folder, PATH_BYTES_MAX, "%.*s", slash == NULL ? 1 : (int)(slash - file),
             slash == NULL ? "." : file);
    snprintf(expect, sizeof expect, "%s/expect.json", folder);
    return access(expect, R_OK) == 0;
}

static void run_file(struct vectors *v, const char *file)
{
    char folder[PATH_BYTES_MAX];

    if (ends_with(file, "/expect.json") && case_folder(file, folder))
        run_folder(v, folder);
    else if (case_folder(file, folder))
        return; /* a part of a case, which its expect.json runs */
    else if (ends_with(file, ".json"))
        run_own_file(v, file);
    else if (ends_with(file, ".der") && ends_with(folder, "bad-certs"))
        run_bad_certificate(v, file);
    else if (ends_with(file, ".der") || ends_with(file, ".pem"))
        run_certificate(v, file);
    else
        vectors_skip(v, file, "-", "neither a case nor a certificate");
}

void vectors_snp(struct vectors *v, const char *path)
{
    char folder[PATH_BYTES_MAX];
    struct stat st;

    if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && case_folder(path, folder))
        run_folder(v, folder); /* any file of a case stands for it */
    else
        vectors_walk(v, path, run_file);
}
