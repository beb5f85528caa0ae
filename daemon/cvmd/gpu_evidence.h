/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gpu_evidence.h: the evidence of the machine's GPU, which goes with every session (pp-wire 7,
 * key 4). It is asked for over a nonce of fresh random bytes, and renewed: a machine that promises
 * a GPU gives no session without.
 *
 * Bytes in, bytes out; no clock, no socket. Nothing of the GPU is verified here, which is every
 * client's business; but an answer to another question is found here, and costs nobody a token.
 */
#ifndef CVM_GPU_EVIDENCE_H
#define CVM_GPU_EVIDENCE_H

#include "binding.h"
#include "evidence.h"
#include "sp_gpu.h"

/* Key 4 has to fit the Evidence message beside everything else. */
enum { CVM_GPU_BYTES_MAX = PP_EVIDENCE_BYTES_MAX };

/* One encoding of key 4, whole. Zero state: there is none. */
struct cvm_gpu_evidence {
    uint8_t bytes[CVM_GPU_BYTES_MAX];
    size_t len;
    uint8_t digest[PP_DIGEST_BYTES]; /* SHA-256 of it, for binding values; zeros without */
};

/*
 * Two of them: a session that joined the queue under one gets it, whatever was renewed meanwhile.
 * The one before the last cannot be wanted any more, for no session waits as long as evidence
 * lives.
 */
struct cvm_gpu {
    struct cvm_gpu_evidence evidence[2];
    uint32_t now;      /* index of the one that new sessions get */
    uint8_t fresh[32]; /* of the question that is out */
};

/* A new question, as a packet for the device. RANDOM. */
PP_MUST pp_res cvm_gpu_ask(struct cvm_gpu *g, const struct pp_random *random, struct pp_wr *wr);

/*
 * The device's answer to it becomes what new sessions get. FORMAT (it could not, or no report),
 * MISMATCH (a report over another nonce), and what sp_gpu.h says; then nothing changed.
 */
PP_MUST pp_res cvm_gpu_take(struct cvm_gpu *g, struct pp_span packet);

#endif
