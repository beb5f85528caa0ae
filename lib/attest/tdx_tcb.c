/* SPDX-License-Identifier: Apache-2.0 */
/* Checks 8 to 13: what the vendor says of enclave, module and platform. */
#include "tdx_int.h"

#include "wr.h"

/* TEE_TCB_SVN: the module's version and number; the rest is the platform's. */
enum { SVN_MODULE = 0, SVN_MODULE_NUMBER = 1, SVN_PLATFORM_FROM = 2 };

static int has_module_number(const struct tdx_ctx *c)
{
    return c->quote.body.tee_tcb_svn[SVN_MODULE_NUMBER] > 0;
}

/* The first level at or below this number; NULL when it is below all of them. */
static const struct pp_tdx_isv_level *find_isv(const struct pp_tdx_isv_levels *levels, uint16_t svn)
{
    for (size_t i = 0; i < levels->count; i++)
        if (levels->rows[i].isv_svn <= svn)
            return &levels->rows[i];
    return NULL;
}

/* --- check 8: the quoting enclave ------------------------------------------------------------- */

static int masked_equal(const uint8_t *got, const uint8_t *mask, const uint8_t *expected,
                        size_t len)
{
    uint8_t differs = 0;

    for (size_t i = 0; i < len; i++)
        differs |= (uint8_t)((got[i] & mask[i]) ^ expected[i]);
    return differs == 0;
}

pp_res tdx_check_qe_id(struct tdx_ctx *c, struct pp_attest_check *row)
{
    const struct pp_tdx_qe_report *qe = &c->quote.qe;
    const struct pp_tdx_qe_identity *id = &c->identity;

    attest_anchor(row, "the vendor's enclave identity");
    pp_problem_hex(&row->problem, "MRSIGNER", PP_BYTES(id->mrsigner), PP_BYTES(qe->mrsigner));
    ATTEST_CHECK(row, pp_span_eq(PP_BYTES(id->mrsigner), PP_BYTES(qe->mrsigner)));
    pp_problem_numbers(&row->problem, "ISVPRODID", id->isv_prod_id, qe->isv_prod_id);
    ATTEST_CHECK(row, id->isv_prod_id == qe->isv_prod_id);
    pp_problem_numbers(&row->problem, "MISCSELECT", id->misc_select, qe->misc_select);
    ATTEST_CHECK(row, (qe->misc_select & id->misc_select_mask) == id->misc_select);
    pp_problem_hex(&row->problem, "ATTRIBUTES", PP_BYTES(id->attributes), PP_BYTES(qe->attributes));
    ATTEST_CHECK(row, masked_equal(qe->attributes, id->attributes_mask, id->attributes,
                                   sizeof id->attributes));
    c->qe_level = find_isv(&id->levels, qe->isv_svn);
    attest_say_number(row, "ISVSVN", "at least that of the lowest level", qe->isv_svn);
    PP_CHECK(c->qe_level != NULL, PP_E_TDX_QE_TCB, row->number);
    return PP_OK;
}

/* --- checks 9 and 11: the TDX module ---------------------------------------------------------- */

static const struct pp_tdx_module *find_module(const struct tdx_ctx *c)
{
    if (!has_module_number(c))
        return &c->info.module;
    for (size_t i = 0; i < c->info.module_count; i++)
        if (c->info.modules[i].number == c->quote.body.tee_tcb_svn[SVN_MODULE_NUMBER])
            return &c->info.modules[i];
    return NULL;
}

pp_res tdx_check_seam(struct tdx_ctx *c, struct pp_attest_check *row)
{
    const struct pp_tdx_module *m = find_module(c);
    const struct pp_tdx_body *b = &c->quote.body;

    attest_anchor(row, "the vendor's TCB info");
    attest_say_number(row, "TDX module", "one that the TCB info names",
                      b->tee_tcb_svn[SVN_MODULE_NUMBER]);
    ATTEST_CHECK(row, m != NULL);
    attest_say_number(row, "SEAMATTRIBUTES", "those of the module", b->seam_attributes);
    ATTEST_CHECK(row, (b->seam_attributes & m->attributes_mask) == m->attributes);
    pp_problem_hex(&row->problem, "MRSIGNERSEAM", PP_BYTES(m->mrsigner), PP_BYTES(b->mrsignerseam));
    ATTEST_CHECK(row, pp_span_eq(PP_BYTES(m->mrsigner), PP_BYTES(b->mrsignerseam)));
    return PP_OK;
}

pp_res tdx_check_tcb_module(struct tdx_ctx *c, struct pp_attest_check *row)
{
    const uint8_t *svn = c->quote.body.tee_tcb_svn;
    const struct pp_tdx_module *m = find_module(c);

    attest_anchor(row, "the vendor's TCB info");
    if (c->level == NULL || m == NULL)
        return attest_skip(row, "no level of the platform or module to compare with");
    if (!has_module_number(c)) {
        pp_problem_numbers(&row->problem, "TEE_TCB_SVN[1]", c->level->tdx[SVN_MODULE_NUMBER],
                           svn[SVN_MODULE_NUMBER]);
        ATTEST_CHECK(row, c->level->tdx[SVN_MODULE_NUMBER] == svn[SVN_MODULE_NUMBER]);
        return PP_OK;
    }
    c->module_level = find_isv(&m->levels, svn[SVN_MODULE]);
    attest_say_number(row, "TEE_TCB_SVN[0]", "at least that of the module's lowest level",
                      svn[SVN_MODULE]);
    ATTEST_CHECK(row, c->module_level != NULL);
    return PP_OK;
}

/* --- checks 10, 12, 13: the platform ---------------------------------------------------------- */

static int at_least(const uint8_t *got, const uint8_t *min, size_t from)
{
    for (size_t i = from; i < PP_TDX_SVN_BYTES; i++)
        if (got[i] < min[i])
            return 0;
    return 1;
}

int tdx_has_svn_minimum(const struct pp_tdx_policy *policy)
{
    static const uint8_t none[PP_TDX_SVN_BYTES];

    return !pp_span_eq(PP_BYTES(policy->tee_tcb_svn_min), PP_BYTES(none));
}

/* The certificate says what the platform's firmware proved, the quote what the module measured. */
static int is_at_level(const struct tdx_ctx *c, const struct pp_tdx_level *level)
{
    return at_least(c->pck.component_svn, level->sgx, 0) && c->pck.pce_svn >= level->pce_svn &&
           at_least(c->quote.body.tee_tcb_svn, level->tdx,
                    has_module_number(c) ? SVN_PLATFORM_FROM : 0);
}

pp_res tdx_check_tcb_level(struct tdx_ctx *c, struct pp_attest_check *row)
{
    const struct pp_tdx_policy *p = c->policy;

    if (tdx_has_svn_minimum(p)) {
        attest_anchor(row, tdx_policy_name(c));
        pp_problem_hex(&row->problem, "TEE_TCB_SVN", PP_BYTES(p->tee_tcb_svn_min),
                       PP_BYTES(c->quote.body.tee_tcb_svn));
        PP_CHECK(at_least(c->quote.body.tee_tcb_svn, p->tee_tcb_svn_min, 0), PP_E_TDX_TCB_MIN,
                 row->number);
    }
    if (!tdx_is_asked(c, row))
        return PP_OK;
    attest_anchor(row, "the vendor's TCB info");
    for (size_t i = 0; i < c->info.level_count && c->level == NULL; i++)
        if (is_at_level(c, &c->info.levels[i]))
            c->level = &c->info.levels[i];
    attest_say(row, "platform's level", "one that the vendor lists",
               c->level == NULL ? "below all of them" : pp_tdx_status_name(c->level->status));
    ATTEST_CHECK(row, c->level != NULL);
    return PP_OK;
}

pp_res tdx_check_tcb_status(struct tdx_ctx *c, struct pp_attest_check *row)
{
    uint32_t accepted = c->policy->statuses & ~PP_ATTEST_BIT(PP_TDX_REVOKED);

    if (c->level == NULL)
        return attest_skip(row, "no level of the platform to judge");
    /* Of a module that check 11 found no level for, that check has said enough. */
    c->status = pp_tdx_status_merge(
        c->level->status, c->module_level == NULL ? PP_TDX_UP_TO_DATE : c->module_level->status,
        c->qe_level->status);
    attest_anchor(row, tdx_policy_name(c));
    attest_say(row, "status", "one that the policy accepts", pp_tdx_status_name(c->status));
    ATTEST_CHECK(row, (accepted & PP_ATTEST_BIT(c->status)) != 0);
    return PP_OK;
}

pp_res tdx_check_tcb_eval(struct tdx_ctx *c, struct pp_attest_check *row)
{
    uint32_t min = c->policy->evaluation_min;

    attest_anchor(row, tdx_policy_name(c));
    pp_problem_numbers(&row->problem, "tcbEvaluationDataNumber, enclaveIdentity", min,
                       c->identity.evaluation);
    ATTEST_CHECK(row, c->identity.evaluation >= min);
    pp_problem_numbers(&row->problem, "tcbEvaluationDataNumber, tcbInfo", min, c->info.evaluation);
    ATTEST_CHECK(row, c->info.evaluation >= min);
    return PP_OK;
}
