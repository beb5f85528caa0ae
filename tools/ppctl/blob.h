/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blob.h: what a directory bundle carries beside records (docs/protocol/policy.md 6), as those who
 * publish it look at it: collateral of TDX platforms, and reference files of GPUs. Nothing else
 * means anything to a device.
 */
#ifndef PPCTL_BLOB_H
#define PPCTL_BLOB_H

#include "collateral.h"
#include "gpu_verify.h"
#include "hardware.h"
#include "ppctl.h"
#include "tdx_verify.h"

/* What devices hold a blob against. */
struct blob_anchors {
    const struct pp_tdx_anchors *tdx;
    const struct pp_rim_roots *rims;
    uint32_t evaluation_min; /* of TDX: the profile's number of the vendor's list */
};

enum blob_kind { BLOB_TDX = 1, BLOB_GPU };

/* A blob that a device would take at `posix_s`. */
struct blob {
    enum blob_kind kind;
    size_t bytes;
    uint8_t sha256[PP_SHA256_BYTES];
    uint64_t from_s, until_s; /* when all that is in it is in force */
    struct pp_tdx_documents tdx;
    int platform_ca;                                                  /* of TDX, as the blob says */
    char chip[PP_GPU_TEXT_BYTES_MAX], version[PP_GPU_TEXT_BYTES_MAX]; /* of a reference file */
};

/*
 * Judges what a device would judge of the blob, whatever machine it is used for. `authority`: the
 * chain of the PCK list's signer, which no blob holds; empty: that list's signature is not judged,
 * and `tdx.has_authority` is 0. INPUT (neither kind), the codes of pp_tdx_documents_verify,
 * TDX_TCB_EVAL, TDX_TCBINFO_FMSPC (the blob's name is not its content's), GPU_RIM_*; always with
 * words in `problem`.
 */
PP_MUST pp_res blob_judge(const struct blob_anchors *a, struct pp_span bytes,
                          struct pp_span authority, uint64_t posix_s, struct pp_problem *problem,
                          struct blob *ret);

/* The same for collateral that is no blob yet, all of it with `authority`. */
PP_MUST pp_res blob_judge_tdx(const struct blob_anchors *a, const struct pp_tdx_evidence *documents,
                              struct pp_span authority, uint64_t posix_s,
                              struct pp_problem *problem, struct pp_tdx_documents *ret);

void blob_print(const char *name, const struct blob *b);
json_t *blob_json(const char *name, const struct blob *b);

#endif
