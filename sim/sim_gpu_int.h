/* SPDX-License-Identifier: Apache-2.0 */
/* sim_gpu_int.h: a simulated GPU, as gpu_device.c and gpu_rim.c see it. */
#ifndef SIM_GPU_INT_H
#define SIM_GPU_INT_H

#include "sim_gpu.h"

enum { CN_BYTES_MAX = 64, KEY_ID_BYTES = 20 };

struct sim_gpu_link {
    struct pp_ec_key *ec;
    struct pp_issue_key *key;
    char cn[CN_BYTES_MAX];
    uint8_t key_id[KEY_ID_BYTES];
    uint8_t spki[PP_P384_SPKI_BYTES];
    uint8_t der[SIM_GPU_CERT_BYTES_MAX];
    size_t der_len;
};

struct sim_gpu {
    struct sim_gpu_link device[SIM_GPU_CERTS], rim[SIM_RIM_CERTS]; /* leaf first */
    uint8_t fwid[PP_GPU_HASH_BYTES];
};

/* The firmware id of every simulated GPU. */
void sim_gpu_firmware_id(uint8_t ret[PP_GPU_HASH_BYTES]);

/* ECDSA with SHA-384 as R and S, 48 bytes each. */
PP_MUST pp_res sim_gpu_sign_raw(const struct sim_gpu_link *l, struct pp_span message,
                                uint8_t ret_r[48], uint8_t ret_s[48]);

#endif
