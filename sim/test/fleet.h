/* SPDX-License-Identifier: Apache-2.0 */
/* fleet.h: one simulated root and chip of a line, made once for all tests of a program. */
#ifndef SIM_TEST_FLEET_H
#define SIM_TEST_FLEET_H

#include "harness.h"

#include "crypto.h"
#include "sim_int.h"
#include "snp_verify.h"

enum { NOW = 1780272000, DAY = 86400, YEAR = 365 * DAY };

struct fleet {
    struct sim_root *root;
    struct sim_chip *chip;
    struct pp_snp_anchors anchors;
};

static inline pp_res fleet_make(struct fleet *f, enum pp_snp_line line)
{
    struct sim_chip_params params = sim_chip_params_default(line);
    struct pp_random random = pp_random_system();

    PP_TRY(sim_root_create(line, NOW - DAY, &f->root));
    PP_TRY(sim_chip_create(f->root, &params, &random, NOW - DAY, &f->chip));
    return pp_snp_anchors_add(&f->anchors, sim_root_ark(f->root), sim_root_ask(f->root),
                              (struct pp_span){ 0 });
}

static inline void fleet_free(struct fleet *f)
{
    pp_snp_anchors_done(&f->anchors);
    sim_chip_free(f->chip);
    sim_root_free(f->root);
}

/* Evidence that the strict profile accepts, with every value that it asks for. */
struct evidence {
    const struct fleet *fleet;
    struct pp_snp_policy policy;
    struct pp_snp_report report;       /* signed anew by every appraise */
    struct pp_span vek, crl, ask, ark; /* the last two: what came along */
    uint64_t at;
    uint8_t measurement[PP_SNP_MEASUREMENT_BYTES], host_data[PP_SNP_HOST_DATA_BYTES];
    uint8_t report_data[PP_SNP_REPORT_DATA_BYTES], chip_id[PP_SNP_CHIP_ID_BYTES];
    struct pp_snp_checks checks;
    struct pp_snp_result result;
};

/* Fills `e`, which must not move afterwards. */
static inline void evidence_of(const struct fleet *f, struct evidence *e)
{
    struct sim_guest guest = { .policy = SIM_GUEST_POLICY };

    memset(e, 0, sizeof *e);
    memset(e->measurement, 0x4D, sizeof e->measurement);
    memset(e->host_data, 0x48, sizeof e->host_data);
    memset(e->report_data, 0x52, sizeof e->report_data);
    memcpy(e->chip_id, sim_chip_id(f->chip), sizeof e->chip_id);
    memcpy(guest.measurement, e->measurement, sizeof guest.measurement);
    memcpy(guest.host_data, e->host_data, sizeof guest.host_data);
    e->fleet = f;
    e->vek = sim_chip_vcek(f->chip);
    e->at = NOW;
    e->policy = PP_SNP_POLICY_STRICT;
    e->policy.skip = PP_ATTEST_BIT(PP_SNP_CHECK_CRL);
    e->policy.measurements = (struct pp_attest_set){ .values = e->measurement, .count = 1 };
    e->policy.host_data = (struct pp_attest_set){ .values = e->host_data, .count = 1 };
    e->policy.chip_ids = (struct pp_attest_set){ .values = e->chip_id, .count = 1 };
    e->policy.report_data = e->report_data;
    sim_chip_fill(f->chip, &guest, e->report_data, &e->report);
}

static inline pp_res appraise_bytes(struct evidence *e, const struct pp_snp_anchors *anchors,
                                    struct pp_span report)
{
    struct pp_snp_evidence evidence = {
        .report = report, .vek = e->vek, .crl = e->crl, .ask = e->ask, .ark = e->ark
    };

    memset(&e->result, 0xEE, sizeof e->result);
    return pp_snp_verify(anchors, &e->policy, &evidence, e->at, &e->checks, &e->result);
}

static inline pp_res appraise(struct evidence *e)
{
    uint8_t bytes[PP_SNP_REPORT_BYTES];

    assert_ok(sim_chip_sign(e->fleet->chip, &e->report, bytes));
    return appraise_bytes(e, &e->fleet->anchors, PP_BYTES(bytes));
}

/* Refused by exactly this check, with this code, and nothing was given back. */
static inline void assert_refused_(struct evidence *e, pp_res r, enum pp_snp_check_number number,
                                   uint32_t code, const char *file, int line)
{
    const uint8_t *result = (const uint8_t *)&e->result;

    assert_code_(r, code, file, line);
    _assert_int_equal(r.detail, number, file, line);
    _assert_int_equal(e->checks.rows[number - 1].verdict, PP_ATTEST_FAILED, file, line);
    _assert_int_equal(e->checks.rows[number - 1].code, code, file, line);
    for (size_t i = 0; i < sizeof e->result; i++)
        _assert_int_equal(result[i], 0xEE, file, line);
    for (int n = 1; n < (int)number; n++)
        _assert_true(e->checks.rows[n - 1].verdict != PP_ATTEST_FAILED, "an earlier row failed",
                     file, line);
}

#define assert_refused(e, check)                                                                   \
    assert_refused_((e), appraise(e), PP_SNP_CHECK_##check, PP_E_SNP_##check, __FILE__, __LINE__)

#endif
