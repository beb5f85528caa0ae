/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rim.h: NVIDIA's reference values: TCG RIM in ISO 19770-2 SWID XML with an enveloped XML signature
 * (docs/protocol/gpu.md, section RIM files).
 *
 * A file is read once into a fixed struct: all that does not depend on the time is proven then, and
 * appraisals (gpu_verify.h) read the struct. The XML library uses the heap while a file is opened;
 * of that only the parsed certificates stay.
 */
#ifndef PP_RIM_H
#define PP_RIM_H

#include "gpu.h"

enum {
    PP_RIM_BYTES_MAX = 1 << 20,
    PP_RIM_TAGS_MAX = 2048,        /* of a file; some 160 are used */
    PP_RIM_PIECE_BYTES_MAX = 8192, /* from one tag to the next */
    PP_RIM_HASHES_MAX = 256,       /* of all active measurements with their alternatives */
    PP_RIM_CERTS_MAX = PP_X509_CHAIN_MAX,
    PP_RIM_ROOTS_MAX = 2,
    PP_RIM_KEPT = 4, /* files; a GPU has two */
};

/* Pinned roots that sign RIM signers; pp_gpu_anchors_add_rim found each to have signed itself. */
struct pp_rim_roots {
    struct pp_x509 *certs[PP_RIM_ROOTS_MAX];
    char labels[PP_RIM_ROOTS_MAX][64]; /* "NVIDIA CoRIM signing Root CA sha256:..." */
    size_t count;
    struct pp_rim_kept *kept; /* the caller's; NULL: nothing is kept. One thread's at a time */
};

/* What one file says. Made by pp_rim_open, released by pp_rim_done; zero state is a closed one. */
struct pp_rim {
    uint32_t code;                       /* enum pp_code: OK, or what pp_rim_open failed with */
    struct pp_problem problem;           /* and in words */
    uint8_t sha256[PP_SHA256_BYTES];     /* of the file: its name in release records */
    char chip[PP_GPU_TEXT_BYTES_MAX];    /* "GH100" */
    char version[PP_GPU_TEXT_BYTES_MAX]; /* of the driver or of the VBIOS */
    uint64_t active;                     /* bit i: measurement i is compared */
    struct {
        uint16_t first, count; /* its accepted values in `hashes` */
    } values[PP_GPU_BLOCKS_MAX];
    uint8_t hashes[PP_RIM_HASHES_MAX][PP_GPU_HASH_BYTES];
    size_t hash_count;
    struct pp_x509 *certs[PP_RIM_CERTS_MAX]; /* signer first, root last */
    size_t cert_count;
    uint64_t not_before, not_after; /* POSIX s: when all of them are valid */
    const char *root;               /* the pinned root's label, borrowed from the roots */
};

/*
 * Reads and proves one file: form, digest, signature, chain to a pinned root (at a time at which
 * its certificates are valid together). GPU_RIM_FORMAT, GPU_RIM_DIGEST, GPU_RIM_SIGNATURE,
 * GPU_RIM_CHAIN; the first of them in this order, whose problem stands in `*ret` then. `*ret` is
 * filled either way, so that an appraisal can be given a file that failed and say so; call
 * pp_rim_done either way. `roots` must outlive it.
 */
PP_MUST pp_res pp_rim_open(const struct pp_rim_roots *roots, struct pp_span xml,
                           struct pp_rim *ret);
void pp_rim_done(struct pp_rim *rim);

/* Files that were proven before. Zero state is empty; pp_gpu_anchors_done empties that of its
 * roots, and only pp_rim_recall fills it. Some 56 KiB, and the heap of five certificates each. */
struct pp_rim_kept {
    uint64_t uses;
    struct {
        uint64_t used; /* when, by the count of uses; 0: empty */
        struct pp_rim rim;
    } files[PP_RIM_KEPT];
};

/*
 * As pp_rim_open, for files that come again: one whose very bytes were proven before, by a root
 * that still is one, is not read again. That its signers are in force is asked by the appraisal,
 * for either. `*ret_rim` is what `roots` keep, until two more files were recalled, or `own`, which
 * the caller releases either way.
 */
PP_MUST pp_res pp_rim_recall(const struct pp_rim_roots *roots, struct pp_span xml,
                             struct pp_rim *own, const struct pp_rim **ret_rim);

/*
 * The measurements that are active in `rim` and of which the report has none of the accepted
 * values, as bits; measurement 35 (the video decoder) does not count while the report says that
 * the decoder is disabled.
 */
uint64_t pp_rim_mismatches(const struct pp_rim *rim, const struct pp_gpu_report *report);

#endif
