/* SPDX-License-Identifier: Apache-2.0 */
#include "blob.h"

#include <stdio.h>

#include "hash.h"
#include "log_arg.h"
#include "wr.h"

/* --- collateral of TDX ------------------------------------------------------------------------ */

pp_res blob_judge_tdx(const struct blob_anchors *a, const struct pp_tdx_evidence *documents,
                      struct pp_span authority, uint64_t posix_s, struct pp_problem *problem,
                      struct pp_tdx_documents *ret)
{
    struct pp_tdx_documents d;

    PP_TRY(pp_tdx_documents_verify(a->tdx, documents, authority, posix_s, problem, &d));
    if (d.evaluation < a->evaluation_min) {
        pp_problem_numbers(problem, "tcbEvaluationDataNumber, at least", a->evaluation_min,
                           d.evaluation);
        return PP_FAIL(PP_E_TDX_TCB_EVAL, d.evaluation);
    }
    *ret = d;
    return PP_OK;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static void tdx_times(const struct pp_tdx_documents *d, struct blob *ret)
{
    ret->from_s = later(d->tcb_info_issued_s, d->qe_identity_issued_s);
    ret->until_s = earlier(d->tcb_info_next_update_s, d->qe_identity_next_update_s);
    ret->until_s = earlier(ret->until_s, d->root_crl_next_update_s);
    if (d->has_authority)
        ret->until_s = earlier(ret->until_s, d->pck_crl_next_update_s);
}

/* The name by which devices find the blob has to be that of its documents. */
static pp_res check_name(const struct pp_collateral *c, const struct pp_tdx_documents *d,
                         struct pp_problem *problem)
{
    pp_problem_hex(problem, "FMSPC of the blob", PP_BYTES(d->fmspc), PP_BYTES(c->fmspc));
    PP_CHECK(pp_span_eq(PP_BYTES(d->fmspc), PP_BYTES(c->fmspc)), PP_E_TDX_TCBINFO_FMSPC, 0);
    pp_problem_set(problem, "CA of the blob", d->platform_ca ? "Platform" : "Processor",
                   c->platform_ca ? PP_STR("Platform") : PP_STR("Processor"));
    PP_CHECK(!d->has_authority || d->platform_ca == c->platform_ca, PP_E_TDX_TCBINFO_FMSPC, 1);
    return PP_OK;
}

static pp_res judge_collateral(const struct blob_anchors *a, const struct pp_collateral *c,
                               struct pp_span authority, uint64_t posix_s,
                               struct pp_problem *problem, struct blob *ret)
{
    const struct pp_tdx_evidence documents = {
        .tcb_info = c->tcb_info,
        .tcb_info_chain = c->tcb_info_chain,
        .qe_identity = c->qe_identity,
        .qe_identity_chain = c->qe_identity_chain,
        .pck_crl = c->pck_crl,
        .root_crl = c->root_crl,
    };

    PP_TRY(blob_judge_tdx(a, &documents, authority, posix_s, problem, &ret->tdx));
    PP_TRY(check_name(c, &ret->tdx, problem));
    ret->kind = BLOB_TDX;
    ret->platform_ca = c->platform_ca;
    tdx_times(&ret->tdx, ret);
    return PP_OK;
}

/* --- reference files of GPUs ------------------------------------------------------------------ */

static pp_res judge_rim(const struct blob_anchors *a, struct pp_span xml, uint64_t posix_s,
                        struct pp_problem *problem, struct blob *ret)
{
    struct pp_rim rim;

    pp_res r = pp_rim_open(a->rims, xml, &rim);
    pp_problem_set(problem, rim.problem.field, rim.problem.expected, pp_span_cstr(rim.problem.got));
    if (pp_is_ok(r) && (posix_s < rim.not_before || posix_s > rim.not_after)) {
        char expected[64];
        int early = posix_s < rim.not_before;
        snprintf(expected, sizeof expected, "%s %s", early ? "at the latest" : "not before",
                 log_moment_of(posix_s).text);
        pp_problem_set(problem, early ? "signers valid from" : "signers valid until", expected,
                       pp_span_cstr(log_moment_of(early ? rim.not_before : rim.not_after).text));
        r = PP_FAIL(PP_E_GPU_RIM_EXPIRED, 0);
    }
    ret->kind = BLOB_GPU;
    ret->from_s = rim.not_before;
    ret->until_s = rim.not_after;
    memcpy(ret->chip, rim.chip, sizeof ret->chip);
    memcpy(ret->version, rim.version, sizeof ret->version);
    pp_rim_done(&rim);
    return r;
}

/* --- any of them ------------------------------------------------------------------------------ */

/* A reference file is a text, which begins with its first tag; collateral is an array of CBOR. */
static int is_text(struct pp_span bytes)
{
    return bytes.len > 0 && bytes.at[0] == '<';
}

pp_res blob_judge(const struct blob_anchors *a, struct pp_span bytes, struct pp_span authority,
                  uint64_t posix_s, struct pp_problem *problem, struct blob *ret)
{
    struct blob b = { .bytes = bytes.len };
    struct pp_collateral c;

    pp_sha256(bytes, b.sha256);
    if (is_text(bytes)) {
        PP_TRY(judge_rim(a, bytes, posix_s, problem, &b));
        *ret = b;
        return PP_OK;
    }
    pp_res r = pp_collateral_parse(bytes, &c);
    if (!pp_is_ok(r)) {
        char got[64];
        snprintf(got, sizeof got, "neither: as a blob it is wrong at offset %u", r.detail);
        pp_problem_set(problem, "FILE",
                       "a reference file (XML), or a blob of TDX collateral (CBOR)",
                       pp_span_cstr(got));
        return PP_FAIL(PP_E_INPUT, r.detail);
    }
    PP_TRY(judge_collateral(a, &c, authority, posix_s, problem, &b));
    *ret = b;
    return PP_OK;
}

/* --- words ------------------------------------------------------------------------------------ */

struct hex {
    char text[2 * PP_SHA256_BYTES + 1];
};

static struct hex hex_of(struct pp_span bytes)
{
    struct hex h;
    struct pp_wr wr = pp_wr_over(h.text, sizeof h.text);

    pp_wr_hex(&wr, bytes);
    pp_wr_u8(&wr, 0);
    PP_ASSERT(pp_is_ok(pp_wr_ok(&wr)));
    return h;
}

static void print_tdx(const struct blob *b)
{
    const struct pp_tdx_documents *d = &b->tdx;

    printf("  for:      TDX platforms of FMSPC %s, certified by the PCK %s CA\n",
           hex_of(PP_BYTES(d->fmspc)).text, b->platform_ca ? "Platform" : "Processor");
    printf("  anchor:   %s\n", d->root);
    printf("  list:     number %u\n", (unsigned)d->evaluation);
    printf("  issued:   TCB info %s, QE identity %s\n", log_moment_of(d->tcb_info_issued_s).text,
           log_moment_of(d->qe_identity_issued_s).text);
    printf("  next:     TCB info %s, QE identity %s\n",
           log_moment_of(d->tcb_info_next_update_s).text,
           log_moment_of(d->qe_identity_next_update_s).text);
    printf("            root's list %s, PCK list %s\n",
           log_moment_of(d->root_crl_next_update_s).text,
           d->has_authority ? log_moment_of(d->pck_crl_next_update_s).text
                            : "not judged: its signer's chain stands in no blob (--authority)");
}

void blob_print(const char *name, const struct blob *b)
{
    printf("%s: %zu bytes, sha256:%s\n", name, b->bytes, hex_of(PP_BYTES(b->sha256)).text);
    if (b->kind == BLOB_TDX)
        print_tdx(b);
    else
        printf("  for:      %s, version %s, in releases with a gpu row that names this digest\n",
               b->chip, b->version);
    printf("  in force: %s to %s\n", log_moment_of(b->from_s).text, log_moment_of(b->until_s).text);
}

json_t *blob_json(const char *name, const struct blob *b)
{
    json_t *o = json_pack("{s:s, s:s, s:I, s:s, s:I, s:I}", "name", name, "kind",
                          b->kind == BLOB_TDX ? "tdx" : "gpu", "bytes", (json_int_t)b->bytes,
                          "sha256", hex_of(PP_BYTES(b->sha256)).text, "from", (json_int_t)b->from_s,
                          "until", (json_int_t)b->until_s);

    if (b->kind == BLOB_TDX)
        json_object_update_new(o, json_pack("{s:s, s:s, s:I, s:b, s:s}", "fmspc",
                                            hex_of(PP_BYTES(b->tdx.fmspc)).text, "ca",
                                            b->platform_ca ? "platform" : "processor", "evaluation",
                                            (json_int_t)b->tdx.evaluation, "pck_crl_judged",
                                            b->tdx.has_authority, "anchor", b->tdx.root));
    else
        json_object_update_new(o, json_pack("{s:s, s:s}", "chip", b->chip, "version", b->version));
    return o;
}
