/* SPDX-License-Identifier: Apache-2.0 */
/* snp_policy.h: policy files and anchors of `ppctl verify snp` and of the snp vectors. */
#ifndef PPCTL_SNP_POLICY_H
#define PPCTL_SNP_POLICY_H

#include <jansson.h>

#include "snp_verify.h"

/* A policy with the values that it borrows; do not move it once it is read. */
struct ppctl_snp_policy {
    struct pp_snp_policy policy;
    uint8_t measurement[PP_SNP_MEASUREMENT_BYTES];
    uint8_t host_data[PP_SNP_HOST_DATA_BYTES];
    uint8_t report_data[PP_SNP_REPORT_DATA_BYTES];
    uint8_t id_key[PP_SNP_KEY_DIGEST_BYTES];
    uint8_t author_key[PP_SNP_KEY_DIGEST_BYTES];
    uint8_t chip_id[PP_SNP_CHIP_ID_BYTES];
    uint8_t family_id[PP_SNP_ID_BYTES], image_id[PP_SNP_ID_BYTES];
};

/*
 * Checks 1 to 4 and 6 to 10, for both signer kinds and every line, and what the members of `json`
 * add: they are the table of docs/protocol/snp.md 6, exact values, minima, masks and flags, each of
 * which asks for one of the other checks. NULL adds nothing. CONFIG, with the member in `problem`,
 * for anything else.
 */
PP_MUST pp_res ppctl_snp_policy_read(const json_t *json, struct ppctl_snp_policy *ret,
                                     struct pp_problem *problem);

/* The strict profile, without the checks that nobody gave a value for: 5, 19, 20, 22, 23. */
void ppctl_snp_policy_strict(struct ppctl_snp_policy *ret);

/*
 * The chain of a PEM file as the only anchors: authorities first, the root last. FORMAT when it is
 * no PEM; TRUST when it is, but not a chain of AMD's naming.
 */
PP_MUST pp_res ppctl_snp_anchors_pem(struct pp_span pem, struct pp_snp_anchors *ret);

#endif
