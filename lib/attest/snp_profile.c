/* SPDX-License-Identifier: Apache-2.0 */
/* The strict profile and the compiled-in floor of patch levels: all of it is data. */
#include "snp_verify.h"

/*
 * AMD's bulletins up to 2026: SB-3015 (BadRAM), SB-3019 (EntrySign), SB-3020 (RMPocalypse), SB-3027
 * (StackWarp), SB-3034 (Fabricked). A microcode level is the low byte of the patch, so its figure
 * depends on the stepping. Where AMD gives no figure for a component it is 0. What a ledger asks
 * for beyond this stands in the policy; nothing goes below it.
 */
static const struct pp_snp_floor FLOOR[] = {
    { PP_SNP_GENOA,
      0x10,
      0x1F,
      0x00,
      0x01,
      { .snp = 0x1C, .microcode = 0x56 }, /* Genoa */
      "floor of AMD-SB-3027, AMD-SB-3034" },
    { PP_SNP_GENOA,
      0x10,
      0x1F,
      0x02,
      0x0F,
      { .snp = 0x1C, .microcode = 0x51 }, /* Genoa-X */
      "floor of AMD-SB-3027, AMD-SB-3034" },
    { PP_SNP_GENOA,
      0xA0,
      0xAF,
      0x00,
      0x0F,
      { .snp = 0x1C, .microcode = 0x19 }, /* Bergamo, Siena */
      "floor of AMD-SB-3019, AMD-SB-3034" },
    { PP_SNP_TURIN,
      0x00,
      0x0F,
      0x00,
      0x0F,
      { .snp = 0x04, .microcode = 0x51 }, /* Turin */
      "floor of AMD-SB-3020, AMD-SB-3027" },
    { PP_SNP_TURIN,
      0x10,
      0x11,
      0x00,
      0x0F,
      { .snp = 0x04 }, /* Turin Dense */
      "floor of AMD-SB-3020" },
};

const struct pp_snp_policy PP_SNP_POLICY_STRICT = {
    .name = "strict",
    .version_min = 3,
    .signers = PP_ATTEST_BIT(PP_SNP_VCEK),
    .lines = PP_ATTEST_BIT(PP_SNP_GENOA) | PP_ATTEST_BIT(PP_SNP_TURIN),
    .floor = FLOOR,
    .floor_count = PP_ARRAY_COUNT(FLOOR),
    .fw_min = { .major = 1, .minor = 55 },
    .policy_bits = {
        .required = PP_SNP_POLICY_MUST_BE_ONE | PP_SNP_POLICY_SINGLE_SOCKET |
                    PP_SNP_POLICY_MEM_AES_256_XTS | PP_SNP_POLICY_RAPL_DIS |
                    PP_SNP_POLICY_CIPHERTEXT_HIDING,
        .required_v5 = PP_SNP_POLICY_PAGE_SWAP_DISABLE,
        .forbidden = PP_SNP_POLICY_SMT | PP_SNP_POLICY_MIGRATE_MA | PP_SNP_POLICY_DEBUG |
                     PP_SNP_POLICY_CXL_ALLOW | PP_SNP_POLICY_RESERVED,
    },
    .platform_bits = {
        .required = PP_SNP_PLATFORM_ECC_EN | PP_SNP_PLATFORM_RAPL_DIS |
                    PP_SNP_PLATFORM_CIPHERTEXT_HIDING | PP_SNP_PLATFORM_ALIAS_CHECK,
        .forbidden = PP_SNP_PLATFORM_SMT_EN | PP_SNP_PLATFORM_TIO_EN | PP_SNP_PLATFORM_RESERVED,
    },
    .vmpl = 0,
};
