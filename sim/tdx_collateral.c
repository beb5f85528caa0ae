/* SPDX-License-Identifier: Apache-2.0 */
/* What the simulated vendor says of a platform: the documents and their text. */
#include <time.h>

#include "tdx_int.h"

enum { DAY_S = 86400, EVALUATION = 18 };

/* --- what is said ----------------------------------------------------------------------------- */

void sim_tdx_tcb_info_of(const struct sim_tdx_platform *p, uint64_t now_s,
                         struct pp_tdx_tcb_info *ret)
{
    const struct sim_tdx_params *params = sim_tdx_params((struct sim_tdx_platform *)p);
    struct pp_tdx_tcb_info info = {
        .issued_s = now_s,
        .next_update_s = now_s + UINT64_C(30) * DAY_S,
        .evaluation = EVALUATION,
        .module = { .attributes_mask = UINT64_MAX },
        .level_count = 1,
    };
    struct pp_tdx_level *level = &info.levels[0];
    uint8_t module = params->tee_tcb_svn[1];

    memcpy(info.fmspc, params->pck.fmspc, sizeof info.fmspc);
    memcpy(info.pce_id, params->pck.pce_id, sizeof info.pce_id);
    memcpy(level->sgx, params->pck.component_svn, sizeof level->sgx);
    memcpy(level->tdx, params->tee_tcb_svn, sizeof level->tdx);
    level->pce_svn = params->pck.pce_svn;
    level->date_s = now_s;
    if (module > 0) {
        level->tdx[0] = level->tdx[1] = 0; /* the module's own levels say these two */
        info.modules[info.module_count++] = (struct pp_tdx_module){
            .number = module,
            .attributes_mask = UINT64_MAX,
            .levels = { .rows = { { params->tee_tcb_svn[0], now_s, PP_TDX_UP_TO_DATE } },
                        .count = 1 },
        };
    }
    *ret = info;
}

void sim_tdx_qe_identity_of(const struct sim_tdx_platform *p, uint64_t now_s,
                            struct pp_tdx_qe_identity *ret)
{
    const struct pp_tdx_qe_report *qe = &sim_tdx_params((struct sim_tdx_platform *)p)->qe;
    struct pp_tdx_qe_identity id = {
        .issued_s = now_s,
        .next_update_s = now_s + UINT64_C(30) * DAY_S,
        .evaluation = EVALUATION,
        .misc_select = qe->misc_select,
        .misc_select_mask = UINT32_MAX,
        .isv_prod_id = qe->isv_prod_id,
        .levels = { .rows = { { qe->isv_svn, now_s, PP_TDX_UP_TO_DATE } }, .count = 1 },
    };

    memcpy(id.attributes, qe->attributes, sizeof id.attributes);
    memset(id.attributes_mask, 0xFF, 8);
    memset(id.attributes + 8, 0, 8); /* the mask leaves these out */
    memcpy(id.mrsigner, qe->mrsigner, sizeof id.mrsigner);
    *ret = id;
}

/* --- how it is written ------------------------------------------------------------------------ */

static void member(struct pp_wr *wr, const char *separator, const char *name)
{
    pp_wr_text(wr, separator);
    pp_wr_text(wr, "\"");
    pp_wr_text(wr, name);
    pp_wr_text(wr, "\":");
}

static void number(struct pp_wr *wr, const char *separator, const char *name, uint64_t v)
{
    member(wr, separator, name);
    pp_wr_decimal(wr, v);
}

static void text(struct pp_wr *wr, const char *separator, const char *name, const char *v)
{
    member(wr, separator, name);
    pp_wr_text(wr, "\"");
    pp_wr_text(wr, v);
    pp_wr_text(wr, "\"");
}

static void hex(struct pp_wr *wr, const char *separator, const char *name, struct pp_span v)
{
    member(wr, separator, name);
    pp_wr_text(wr, "\"");
    pp_wr_hex(wr, v);
    pp_wr_text(wr, "\"");
}

static void hex_le(struct pp_wr *wr, const char *name, uint64_t v, size_t len)
{
    uint8_t bytes[8];

    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(v >> 8 * i);
    hex(wr, ",", name, pp_span(bytes, len));
}

static void date(struct pp_wr *wr, const char *name, uint64_t posix_s)
{
    char form[32];
    time_t at = (time_t)posix_s;
    struct tm tm;

    PP_ASSERT(gmtime_r(&at, &tm) != NULL &&
              strftime(form, sizeof form, "%Y-%m-%dT%H:%M:%SZ", &tm) > 0);
    text(wr, ",", name, form);
}

static void status(struct pp_wr *wr, uint64_t date_s, enum pp_tdx_status v)
{
    date(wr, "tcbDate", date_s);
    text(wr, ",", "tcbStatus", pp_tdx_status_name(v));
}

static void isv_levels(struct pp_wr *wr, const struct pp_tdx_isv_levels *levels)
{
    member(wr, ",", "tcbLevels");
    pp_wr_text(wr, "[");
    for (size_t i = 0; i < levels->count; i++) {
        pp_wr_text(wr, i == 0 ? "{\"tcb\":{" : ",{\"tcb\":{");
        number(wr, "", "isvsvn", levels->rows[i].isv_svn);
        pp_wr_text(wr, "}");
        status(wr, levels->rows[i].date_s, levels->rows[i].status);
        pp_wr_text(wr, "}");
    }
    pp_wr_text(wr, "]");
}

static void module_fields(struct pp_wr *wr, const char *separator, const struct pp_tdx_module *m)
{
    hex(wr, separator, "mrsigner", PP_BYTES(m->mrsigner));
    hex_le(wr, "attributes", m->attributes, 8);
    hex_le(wr, "attributesMask", m->attributes_mask, 8);
}

static void modules(struct pp_wr *wr, const struct pp_tdx_tcb_info *info)
{
    member(wr, ",", "tdxModuleIdentities");
    pp_wr_text(wr, "[");
    for (size_t i = 0; i < info->module_count; i++) {
        pp_wr_text(wr, i == 0 ? "{\"id\":\"TDX_" : ",{\"id\":\"TDX_");
        pp_wr_hex(wr, pp_span(&info->modules[i].number, 1));
        pp_wr_text(wr, "\"");
        module_fields(wr, ",", &info->modules[i]);
        isv_levels(wr, &info->modules[i].levels);
        pp_wr_text(wr, "}");
    }
    pp_wr_text(wr, "]");
}

static void components(struct pp_wr *wr, const char *separator, const char *name,
                       const uint8_t svn[PP_TDX_SVN_BYTES])
{
    member(wr, separator, name);
    pp_wr_text(wr, "[");
    for (size_t i = 0; i < PP_TDX_SVN_BYTES; i++) {
        number(wr, i == 0 ? "{" : ",{", "svn", svn[i]);
        pp_wr_text(wr, "}");
    }
    pp_wr_text(wr, "]");
}

static void levels(struct pp_wr *wr, const struct pp_tdx_tcb_info *info)
{
    member(wr, ",", "tcbLevels");
    pp_wr_text(wr, "[");
    for (size_t i = 0; i < info->level_count; i++) {
        const struct pp_tdx_level *level = &info->levels[i];
        pp_wr_text(wr, i == 0 ? "{\"tcb\":{" : ",{\"tcb\":{");
        components(wr, "", "sgxtcbcomponents", level->sgx);
        number(wr, ",", "pcesvn", level->pce_svn);
        components(wr, ",", "tdxtcbcomponents", level->tdx);
        pp_wr_text(wr, "}");
        status(wr, level->date_s, level->status);
        pp_wr_text(wr, "}");
    }
    pp_wr_text(wr, "]");
}

void sim_tdx_tcb_info_write(struct pp_wr *wr, const struct pp_tdx_tcb_info *info)
{
    text(wr, "{", "id", "TDX");
    number(wr, ",", "version", 3);
    date(wr, "issueDate", info->issued_s);
    date(wr, "nextUpdate", info->next_update_s);
    hex(wr, ",", "fmspc", PP_BYTES(info->fmspc));
    hex(wr, ",", "pceId", PP_BYTES(info->pce_id));
    number(wr, ",", "tcbType", 0);
    number(wr, ",", "tcbEvaluationDataNumber", info->evaluation);
    member(wr, ",", "tdxModule");
    module_fields(wr, "{", &info->module);
    pp_wr_text(wr, "}");
    modules(wr, info);
    levels(wr, info);
    pp_wr_text(wr, "}");
}

void sim_tdx_qe_identity_write(struct pp_wr *wr, const struct pp_tdx_qe_identity *id)
{
    text(wr, "{", "id", "TD_QE");
    number(wr, ",", "version", 2);
    date(wr, "issueDate", id->issued_s);
    date(wr, "nextUpdate", id->next_update_s);
    number(wr, ",", "tcbEvaluationDataNumber", id->evaluation);
    hex_le(wr, "miscselect", id->misc_select, 4);
    hex_le(wr, "miscselectMask", id->misc_select_mask, 4);
    hex(wr, ",", "attributes", PP_BYTES(id->attributes));
    hex(wr, ",", "attributesMask", PP_BYTES(id->attributes_mask));
    hex(wr, ",", "mrsigner", PP_BYTES(id->mrsigner));
    number(wr, ",", "isvprodid", id->isv_prod_id);
    isv_levels(wr, &id->levels);
    pp_wr_text(wr, "}");
}

/* --- all of it -------------------------------------------------------------------------------- */

pp_res sim_tdx_collateral(const struct sim_tdx_vendor *v, const struct sim_tdx_platform *p,
                          uint64_t now_s, struct sim_tdx_collateral *ret)
{
    uint8_t inner[SIM_TDX_DOCUMENT_BYTES_MAX / 2];
    struct pp_wr wr = pp_wr_over(inner, sizeof inner);
    uint64_t until_s = now_s + UINT64_C(30) * DAY_S;
    struct pp_tdx_tcb_info info;
    struct pp_tdx_qe_identity id;

    sim_tdx_tcb_info_of(p, now_s, &info);
    sim_tdx_tcb_info_write(&wr, &info);
    PP_TRY(pp_wr_ok(&wr));
    PP_TRY(sim_tdx_sign_document(v, "tcbInfo", pp_wr_done(&wr), ret->tcb_info, sizeof ret->tcb_info,
                                 &ret->tcb_info_len));
    sim_tdx_qe_identity_of(p, now_s, &id);
    wr = pp_wr_over(inner, sizeof inner);
    sim_tdx_qe_identity_write(&wr, &id);
    PP_TRY(pp_wr_ok(&wr));
    PP_TRY(sim_tdx_sign_document(v, "enclaveIdentity", pp_wr_done(&wr), ret->qe_identity,
                                 sizeof ret->qe_identity, &ret->qe_identity_len));
    PP_TRY(sim_tdx_crl(v, SIM_TDX_BY_AUTHORITY, now_s, until_s, NULL, 0, ret->pck_crl,
                       sizeof ret->pck_crl, &ret->pck_crl_len));
    return sim_tdx_crl(v, SIM_TDX_BY_ROOT, now_s, until_s, NULL, 0, ret->root_crl,
                       sizeof ret->root_crl, &ret->root_crl_len);
}
