/* SPDX-License-Identifier: Apache-2.0 */
/*
 * binding.h: what ties a TEE report to one TLS session (ra-tls 5, 8 and 11).
 *
 *     B = SHA-512("pp-ratls-report-v1" || 00 || end || u16 len || SPKI || ekm(32)
 *                 || SHA-256(configuration) || SHA-256(GPU evidence) || SHA-256(message key))
 *
 * An absent GPU evidence or message key counts as 32 zero bytes. A report of one session carries B;
 * one that many sessions share carries the root of a Merkle tree (RFC 6962, section 2.1) over
 * theirs:
 *
 *     REPORT_DATA = SHA-512("pp-ratls-batch-v1" || 00 || u32 size || root), leaf = SHA-256(00 || B)
 */
#ifndef PP_BINDING_H
#define PP_BINDING_H

#include "evidence.h"
#include "result.h"
#include "seal.h"
#include "span.h"

enum {
    PP_EKM_BYTES = 32,         /* TLS exporter value */
    PP_REPORT_DATA_BYTES = 64, /* SNP 0x50..0x8F, TDX REPORTDATA */
    PP_DIGEST_BYTES = 32,
    PP_SPKI_BYTES_MAX = 65535, /* what the length field can say */
};

struct pp_binding_input {
    enum pp_end end; /* who attests */
    struct pp_span spki;
    uint8_t ekm[PP_EKM_BYTES];
    uint8_t config_digest[PP_DIGEST_BYTES];
    uint8_t gpu_digest[PP_DIGEST_BYTES];         /* zeros: no GPU */
    uint8_t message_key_digest[PP_DIGEST_BYTES]; /* zeros: no message key */
};

/* RANGE when the SPKI is empty or longer than PP_SPKI_BYTES_MAX. */
PP_MUST pp_res pp_binding_of(const struct pp_binding_input *in, uint8_t ret[PP_BINDING_BYTES]);

/* The same for what a verifier holds: its own exporter value, the key that it saw, and Evidence. */
PP_MUST pp_res pp_binding_of_evidence(enum pp_end end, struct pp_span spki,
                                      const uint8_t ekm[PP_EKM_BYTES], const struct pp_evidence *e,
                                      uint8_t ret[PP_BINDING_BYTES]);

/*
 * REPORT_DATA that a report must carry for `binding`: itself, or with a batch path the value of its
 * tree. PROOF when the path does not fit (size, index).
 */
PP_MUST pp_res pp_binding_report_data(const uint8_t binding[PP_BINDING_BYTES],
                                      const struct pp_batch_path *batch,
                                      uint8_t ret[PP_REPORT_DATA_BYTES]);

/*
 * The attester's side: paths for `count` (2..PP_BATCH_SIZE_MAX) binding values and the REPORT_DATA
 * of their one report. A single session is not a batch. `scratch` holds `count` nodes and is
 * overwritten. RANGE (count).
 */
PP_MUST pp_res pp_batch_build(const uint8_t (*bindings)[PP_BINDING_BYTES], size_t count,
                              uint8_t (*scratch)[PP_HASH_NODE_BYTES],
                              struct pp_batch_path *ret_paths,
                              uint8_t ret_report_data[PP_REPORT_DATA_BYTES]);

#endif
