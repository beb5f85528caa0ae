/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ppctl collateral: makes and shows the vendors' files that go into directory bundles. Everything
 * is judged as a device does before a byte is written: what a device would refuse is refused here.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "blob.h"
#include "record_sign.h"
#include "tdx_policy.h"
#include "verbs.h"

enum { BLOB_BYTES_MAX = PP_RIM_BYTES_MAX, ROOTS_BYTES_MAX = 65536, PATH_BYTES_MAX = 4096 };

/* What Intel's service sends as SGX-PCK-CRL-Issuer-Chain, kept beside the list. */
#define AUTHORITY_FILE "pck_crl_issuer_chain.pem"

struct job {
    struct ppctl *p;
    const char *out, *at, *tdx_root, *rim_root, *authority_path;
    uint64_t posix_s;
    struct pp_tdx_anchors tdx;
    struct pp_gpu_anchors gpu;
    struct blob_anchors anchors;
    struct pp_problem problem;
    struct pp_buf authority, bytes;
    struct ppctl_tdx_collateral files;
    struct blob blob;
};

static void job_free(struct job *j)
{
    pp_tdx_anchors_done(&j->tdx);
    pp_gpu_anchors_done(&j->gpu);
    pp_buf_done(&j->authority);
    pp_buf_done(&j->bytes);
    ppctl_tdx_collateral_done(&j->files);
    free(j);
}

/* --- what is given ---------------------------------------------------------------------------- */

static pp_res read_named(struct job *j, const char *field, const char *path, size_t max,
                         struct pp_buf *ret)
{
    char got[PATH_BYTES_MAX + 64]; /* the reason is shorter */
    pp_res r = pp_file_read(AT_FDCWD, path, max, ret);

    if (pp_is_ok(r))
        return r;
    snprintf(got, sizeof got, "%s: %s", pp_file_reason(r), path);
    pp_problem_set(&j->problem, field, "a readable file of its kind and size", pp_span_cstr(got));
    return PP_FAIL(PP_E_INPUT, r.detail);
}

static pp_res refuse_root(struct job *j, const char *option, const char *path)
{
    pp_problem_set(&j->problem, option,
                   "a PEM file that ends in a root of that vendor's kind, or the root in DER",
                   pp_span_cstr(path));
    return PP_FAIL(PP_E_INPUT, 0);
}

/* The last certificate of a PEM file; what is none is the root itself, as STATE/trust has it. */
static struct pp_span root_of(struct pp_span file, struct pp_x509_pem *pem)
{
    if (!pp_is_ok(pp_x509_pem_parse(file, pem)))
        return file;
    return pp_span(pem->der[pem->count - 1], pem->der_len[pem->count - 1]);
}

static pp_res open_tdx_root(struct job *j)
{
    struct pp_x509_pem pem = { 0 };
    struct pp_buf file = { 0 };

    if (j->tdx_root == NULL)
        return pp_tdx_anchors_add_intel(&j->tdx);
    PP_TRY(read_named(j, "--tdx-root", j->tdx_root, ROOTS_BYTES_MAX, &file));
    pp_res r = pp_tdx_anchors_add(&j->tdx, root_of(pp_buf_span(&file), &pem));
    pp_x509_pem_free(&pem);
    pp_buf_done(&file);
    return pp_is_ok(r) ? r : refuse_root(j, "--tdx-root", j->tdx_root);
}

static pp_res open_rim_root(struct job *j)
{
    struct pp_x509_pem pem = { 0 };
    struct pp_buf text = { 0 };

    if (j->rim_root == NULL)
        return pp_gpu_anchors_add_nvidia(&j->gpu);
    PP_TRY(read_named(j, "--rim-root", j->rim_root, ROOTS_BYTES_MAX, &text));
    pp_res r = pp_gpu_anchors_add_rim(&j->gpu, root_of(pp_buf_span(&text), &pem));
    pp_x509_pem_free(&pem);
    pp_buf_done(&text);
    return pp_is_ok(r) ? r : refuse_root(j, "--rim-root", j->rim_root);
}

static pp_res prepare(struct job *j)
{
    struct pp_hardware strict;

    pp_problem_party(&j->problem, "ppctl");
    j->posix_s = pp_clock_posix_s(&j->p->clock);
    if (j->at != NULL && !ppctl_time(j->at, &j->posix_s)) {
        pp_problem_set(&j->problem, "--at", "POSIX seconds or an RFC 3339 time",
                       pp_span_cstr(j->at));
        return PP_FAIL(PP_E_USAGE, 0);
    }
    PP_TRY(open_tdx_root(j));
    PP_TRY(open_rim_root(j));
    PP_TRY(pp_hardware_profile(PP_STR("strict"), &strict));
    j->anchors = (struct blob_anchors){ &j->tdx, &j->gpu.rims, strict.tdx.evaluation_min };
    return PP_OK;
}

/* --- pack ------------------------------------------------------------------------------------- */

static pp_res load_folder(struct job *j, const char *folder)
{
    char path[PATH_BYTES_MAX];
    struct stat st;

    if (stat(folder, &st) != 0 || !S_ISDIR(st.st_mode)) {
        pp_problem_set(&j->problem, "FOLDER", "a folder of what the vendor's service answered",
                       pp_span_cstr(folder));
        return PP_FAIL(PP_E_INPUT, 0);
    }
    pp_res r = ppctl_tdx_collateral_load(folder, NULL, &j->files);
    if (!pp_is_ok(r)) {
        pp_problem_set(&j->problem, folder, "files that can be read",
                       pp_span_cstr(pp_file_reason(r)));
        return PP_FAIL(PP_E_INPUT, r.detail);
    }
    PP_CHECK(snprintf(path, sizeof path, "%s/%s", folder, AUTHORITY_FILE) < (int)sizeof path,
             PP_E_LIMIT, 0);
    return read_named(j, AUTHORITY_FILE, path, ROOTS_BYTES_MAX, &j->authority);
}

static pp_res write_blob(struct job *j, const struct pp_tdx_evidence *d,
                         const struct pp_tdx_documents *said)
{
    struct pp_collateral c = {
        .platform_ca = said->platform_ca,
        .tcb_info = d->tcb_info,
        .tcb_info_chain = d->tcb_info_chain,
        .qe_identity = d->qe_identity,
        .qe_identity_chain = d->qe_identity_chain,
        .pck_crl = d->pck_crl,
        .root_crl = d->root_crl,
    };
    uint8_t *bytes = malloc(BLOB_BYTES_MAX);
    struct pp_wr wr = pp_wr_over(bytes, BLOB_BYTES_MAX);

    PP_CHECK(bytes != NULL, PP_E_NO_MEMORY, BLOB_BYTES_MAX);
    memcpy(c.fmspc, said->fmspc, sizeof c.fmspc);
    pp_res r = pp_collateral_write(&wr, &c);
    j->bytes = (struct pp_buf){ .bytes = bytes, .len = wr.len };
    return r;
}

static pp_res pack_tdx(struct job *j, const char *folder)
{
    struct pp_tdx_documents said;

    PP_TRY(load_folder(j, folder));
    const struct pp_tdx_evidence d = ppctl_tdx_evidence((struct pp_span){ 0 }, &j->files);
    PP_TRY(blob_judge_tdx(&j->anchors, &d, pp_buf_span(&j->authority), j->posix_s, &j->problem,
                          &said));
    return write_blob(j, &d, &said);
}

/* What goes out is judged as it goes out: bytes read back, not what they were made of. */
static pp_res pack(struct job *j, const char *kind, const char *from)
{
    if (j->out == NULL) {
        pp_problem_set(&j->problem, "--out", "where the blob goes", PP_STR("nothing"));
        return PP_FAIL(PP_E_USAGE, 0);
    }
    PP_TRY(prepare(j));
    pp_problem_party(&j->problem, ppctl_file_name(from));
    if (strcmp(kind, "tdx") == 0) {
        PP_TRY(pack_tdx(j, from));
    } else if (strcmp(kind, "gpu") == 0) {
        PP_TRY(read_named(j, "FILE", from, BLOB_BYTES_MAX, &j->bytes));
    } else {
        pp_problem_set(&j->problem, "KIND",
                       "tdx or gpu: of SEV-SNP nothing in a bundle is looked at",
                       pp_span_cstr(kind));
        return PP_FAIL(PP_E_USAGE, 0);
    }
    PP_TRY(blob_judge(&j->anchors, pp_buf_span(&j->bytes), pp_buf_span(&j->authority), j->posix_s,
                      &j->problem, &j->blob));
    if (strcmp(kind, "gpu") == 0 && j->blob.kind != BLOB_GPU) {
        pp_problem_set(&j->problem, "FILE", "a reference file of a GPU",
                       PP_STR("a blob of TDX collateral"));
        return PP_FAIL(PP_E_INPUT, 0);
    }
    return ppctl_write_out(j->out, 1, pp_buf_span(&j->bytes), &j->problem);
}

static int tell(const struct job *j, const char *name)
{
    if (j->p->json)
        return ppctl_print_json(blob_json(name, &j->blob));
    blob_print(name, &j->blob);
    return 0;
}

/* What a device is told to do about it ("report the mirror") is not what the packer can do. */
static int fail(const struct job *j, pp_res r)
{
    int status = ppctl_fail(j->p, r, &j->problem, 0);

    if (!j->p->json && pp_code_class(r.code) == PP_CLASS_REFUSED)
        fprintf(stderr,
                "  before it is published: fetch it anew from the vendor; what to fetch for "
                "which code: docs/operations.md, vendors' files\n");
    return status;
}

int verb_collateral_pack(struct ppctl *p, int argc, char **argv)
{
    struct job *j = calloc(1, sizeof *j);
    const char *args[2] = { NULL, NULL };

    if (j == NULL)
        return ppctl_fail(p, PP_FAIL(PP_E_NO_MEMORY, 0), NULL, 0);
    j->p = p;
    const struct ppctl_option options[] = {
        { "--out", "BLOB", "where it goes: for bundles, the next number in the log's blobs/",
          &j->out, NULL, NULL },
        { "--tdx-root", "PEM", "the only anchor of TDX; default: Intel's", &j->tdx_root, NULL },
        { "--rim-root", "PEM", "the only anchor of RIMs; default: NVIDIA's", &j->rim_root, NULL },
        { "--at", "TIME", "POSIX seconds or RFC 3339; default: now", &j->at, NULL },
    };
    int status = ppctl_parse(p, "collateral pack", options, PP_ARRAY_COUNT(options), argc, argv,
                             args, 2, 2, NULL);

    if (status < 0) {
        pp_res r = pack(j, args[0], args[1]);
        status = pp_is_ok(r) ? tell(j, j->out) : fail(j, r);
    }
    job_free(j);
    return status;
}

/* --- show ------------------------------------------------------------------------------------- */

static pp_res show(struct job *j, const char *path)
{
    PP_TRY(prepare(j));
    pp_problem_party(&j->problem, ppctl_file_name(path));
    if (j->authority_path != NULL)
        PP_TRY(read_named(j, "--authority", j->authority_path, ROOTS_BYTES_MAX, &j->authority));
    PP_TRY(read_named(j, "FILE", path, BLOB_BYTES_MAX, &j->bytes));
    return blob_judge(&j->anchors, pp_buf_span(&j->bytes), pp_buf_span(&j->authority), j->posix_s,
                      &j->problem, &j->blob);
}

int verb_collateral_show(struct ppctl *p, int argc, char **argv)
{
    struct job *j = calloc(1, sizeof *j);
    const char *path = NULL;

    if (j == NULL)
        return ppctl_fail(p, PP_FAIL(PP_E_NO_MEMORY, 0), NULL, 0);
    j->p = p;
    const struct ppctl_option options[] = {
        { "--authority", "PEM", "of TDX: the chain of who signed the PCK list; judges that too",
          &j->authority_path, NULL, NULL },
        { "--tdx-root", "PEM", "the only anchor of TDX; default: Intel's", &j->tdx_root, NULL },
        { "--rim-root", "PEM", "the only anchor of RIMs; default: NVIDIA's", &j->rim_root, NULL },
        { "--at", "TIME", "POSIX seconds or RFC 3339; default: now", &j->at, NULL },
    };
    int status = ppctl_parse(p, "collateral show", options, PP_ARRAY_COUNT(options), argc, argv,
                             &path, 1, 1, NULL);

    if (status < 0) {
        pp_res r = show(j, path);
        status = pp_is_ok(r) ? tell(j, path) : fail(j, r);
    }
    job_free(j);
    return status;
}
